"""Characters that do not belong in personal data: controls, bidi controls, zero-width, look-alikes.

Sources: Unicode 15.1 (UAX #9 bidi controls, UTS #39 mixed scripts), RFC 9839 (problematic code points, 2025).
"""

from __future__ import annotations

import re
import unicodedata

from custinfo.validate._base import issue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from custinfo.validate._result import Issue

__all__ = ["collapse", "script_of", "scripts", "unsafe"]

_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]").search
_BREAK = re.compile("[\n\v\f\r\x85\u2028\u2029]").search
# embeddings, overrides and isolates reorder what follows them; the three marks only lean on their neighbours
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]").search
_ZERO_WIDTH = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2060-\u2064\u206a-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]"
).search
_NONCHARACTER = re.compile(
    "[\ufdd0-\ufdef\ufffe\uffff"
    + "".join(f"{chr(p * 0x10000 + 0xFFFE)}{chr(p * 0x10000 + 0xFFFF)}" for p in range(1, 17))
    + "]"
).search
_PRIVATE = re.compile("[\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd]").search
_MARKS_IN_A_ROW = 30  # Unicode's Stream-Safe Text Format (UAX #15) allows this many combining marks
_SPACES = re.compile(r"\s+")

# first word of the Unicode name of a letter -> ISO 15924 code
_SCRIPTS = {
    "LATIN": "Latn", "CJK": "Hani", "CYRILLIC": "Cyrl", "GREEK": "Grek", "ARABIC": "Arab", "HEBREW": "Hebr",
    "HIRAGANA": "Hira", "KATAKANA": "Kana", "HANGUL": "Hang", "THAI": "Thai", "DEVANAGARI": "Deva",
    "BENGALI": "Beng", "TAMIL": "Taml", "TELUGU": "Telu", "KANNADA": "Knda", "MALAYALAM": "Mlym",
    "GUJARATI": "Gujr", "GURMUKHI": "Guru", "GEORGIAN": "Geor", "ARMENIAN": "Armn", "KHMER": "Khmr",
    "LAO": "Laoo", "MYANMAR": "Mymr", "TIBETAN": "Tibt", "MONGOLIAN": "Mong", "ETHIOPIC": "Ethi",
    "SINHALA": "Sinh", "FULLWIDTH": "Latn", "HALFWIDTH": "Kana", "CHEROKEE": "Cher", "COPTIC": "Copt",
    "IDEOGRAPHIC": "Hani", "BOPOMOFO": "Bopo", "YI": "Yiii",
}  # fmt: skip
_LOOK_ALIKE = frozenset({"Latn", "Cyrl", "Grek", "Armn", "Cher", "Copt"})
# blocks with letters of those other than Latin: most texts have none, and need no look at each letter
_NOT_LATIN = re.compile(
    "[\u0370-\u03ff\u0400-\u058f\u13a0-\u13ff\u1c80-\u1c8f\u1d26-\u1d2b\u1d66-\u1d6a\u1f00-\u1fff\u2126\u2c80-\u2cff"
    "\u2de0-\u2dff\ua640-\ua69f\uab65\uab70-\uabbf\ufb13-\ufb17]"
).search
# bold, script, fraktur ... letters and digits, which are for formulas
_MATHEMATICAL = re.compile("[\U0001d400-\U0001d7ff]").search


def unsafe(text: str) -> list[Issue]:
    """Errors (controls, bidi controls, noncharacters) and warnings (zero-width, look-alikes) in *text*.

    Line breaks are the caller's matter.
    """
    if text.isascii() and text.isprintable():
        return []
    found = []
    if _CONTROL(text):
        found.append(issue("text.control"))
    if _BIDI(text):
        found.append(issue("text.bidi"))
    if _NONCHARACTER(text):
        found.append(issue("text.noncharacter"))
    if text.isascii():
        return found
    if _ZERO_WIDTH(text):
        found.append(issue("text.zero_width"))
    if _PRIVATE(text):
        found.append(issue("text.private_use"))
    if _piled(text):
        found.append(issue("text.marks", max_marks=_MARKS_IN_A_ROW))
    if _confusable(text):
        found.append(issue("text.confusable"))
    return found


def has_break(text: str) -> bool:
    """A line break of any kind is in *text*."""
    return _BREAK(text) is not None


def collapse(text: str) -> str:
    """*text* in NFC, trimmed, runs of white space as one space.

    Where marks are piled up (`unsafe` says so) the text is not composed: that takes time quadratic in their number.
    """
    composed = text if text.isascii() or _piled(text) else unicodedata.normalize("NFC", text)
    return _SPACES.sub(" ", composed).strip()


def script_of(letter: str) -> str:
    """ISO 15924 code of a letter, ``"Zyyy"`` for anything else.

    >>> script_of("a"), script_of("王"), script_of("7")
    ('Latn', 'Hani', 'Zyyy')
    """
    if letter.isascii():
        return "Latn" if letter.isalpha() else "Zyyy"
    if not letter.isalpha():
        return "Zyyy"
    return _SCRIPTS.get(unicodedata.name(letter, "").replace("-", " ").split(" ")[0], "Zyyy")


def scripts(text: str) -> tuple[str, ...]:
    """The scripts of the letters of *text*, in order of appearance."""
    found = dict.fromkeys(map(script_of, dict.fromkeys(text)))
    found.pop("Zyyy", None)
    return tuple(found)


def _piled(text: str) -> bool:
    """More combining marks in a row than the Stream-Safe Text Format has."""
    marks = "".join(filter(unicodedata.combining, set(text)))
    return bool(marks) and re.search(f"[{re.escape(marks)}]{{{_MARKS_IN_A_ROW + 1}}}", text) is not None


def _confusable(text: str) -> bool:
    """One word mixes scripts that share letter shapes, or letters are dressed up as mathematical symbols."""
    if _NOT_LATIN(text) and len(_LOOK_ALIKE.intersection(scripts(text))) > 1:
        return any(len(_LOOK_ALIKE.intersection(scripts(word))) > 1 for word in dict.fromkeys(text.split()))
    return _MATHEMATICAL(text) is not None

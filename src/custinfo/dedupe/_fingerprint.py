"""Key collision: values of one column that are probably one value, found by a key that drops what varies most."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from typing import Any, Literal, overload

import attrs

from custinfo.dedupe._cologne import cologne
from custinfo.dedupe._text import han_to_pinyin, has_pinyin, is_han
from custinfo.errors import InvalidFieldError, missing_extra

__all__ = ["ValueCluster", "cluster_values", "fingerprint", "ngram_fingerprint"]

Method = Literal["fingerprint", "ngram", "phonetic", "pinyin"]
_METHODS = ("fingerprint", "ngram", "phonetic", "pinyin")

# Letters that Unicode does not decompose, as they are written with an ASCII keyboard, and marks left of decomposing.
_LETTERS = str.maketrans(
    {
        "ß": "ss", "æ": "ae", "œ": "oe", "ø": "oe", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ı": "i", "ħ": "h",
        "ĸ": "k", "ŋ": "n", "ŧ": "t", "©": "c", "ẜ": "s", "ẝ": "s", "\u02bc": "", "\u02be": "",
    }
)  # fmt: skip
_ASCII_SYMBOLS = frozenset("$+<=>^`|~")
_SPACE = re.compile(r"\s+")


class _Dropped(dict[int, str | None]):
    """What to drop of a text: punctuation and control characters, each looked at once."""

    def __missing__(self, code: int) -> str | None:
        character = chr(code)
        kind = unicodedata.category(character)
        gone = kind[0] == "P" or (kind == "Cc" and not character.isspace()) or character in _ASCII_SYMBOLS
        self[code] = None if gone else character
        return self[code]


_DROPPED = _Dropped()


def _ascii(text: str) -> str:
    if text.isascii():
        return text
    parts = unicodedata.normalize("NFKD", text).translate(_LETTERS)
    return "".join(c for c in parts if not unicodedata.combining(c)).translate(_DROPPED)


def _fingerprint(text: str) -> str:
    plain = _ascii(text.strip().lower().translate(_DROPPED))
    return " ".join(sorted(set(plain.split())))


def ngram_fingerprint(value: object, n: int = 2) -> str:
    """Key of one value out of its runs of *n* letters, each once, in order.

    Small *n* finds more and errs more: with 1 it says which letters occur.

    Args:
        value: text; a missing one has the key ``""``, and so has one of fewer than *n* letters.
        n: letters in a run, 1 or more.

    Raises:
        InvalidFieldError: ``fingerprint.n`` (below 1).

    Source: OpenRefine, Clustering In Depth, "N-Gram Fingerprint" (2024).

    >>> ngram_fingerprint("Paris"), ngram_fingerprint("Paris", 1)
    ('arispari', 'aiprs')
    >>> {ngram_fingerprint(name, 1) for name in ("Krzysztof", "Kryzysztof", "Krzystof")}
    {'fkorstyz'}
    """
    if n < 1:
        raise InvalidFieldError(f"a run has at least one letter, not {n}", code="fingerprint.n")
    text = _SPACE.sub("", _text(value).lower().translate(_DROPPED))
    return _ascii("".join(sorted({text[i : i + n] for i in range(len(text) - n + 1)})))


def _phonetic(text: str) -> str:
    return cologne(_ascii(text.lower()))


def _pinyin(text: str) -> str:
    spelt = " ".join(han_to_pinyin(word) if is_han(word) else word for word in text.split())
    syllables = [part for word in _fingerprint(spelt).split() for part in _syllables(word)]
    return " ".join(sorted(syllables))


_SYLLABLE = (
    r"(?:zh|ch|sh|[bpmfdtnlgkhjqxrzcsyw])?(?:iang|iong|uang|ueng|iao|ian|ing|ong|uai|uan|ang|eng|ai|ei|ao|ou|an|en|er"
    r"|ia|ie|iu|in|ua|uo|ue|ui|un|ve|a|o|e|i|u|v)"
)
_SPELLING = re.compile(f"(?:{_SYLLABLE})+")
_ONE = re.compile(f"({_SYLLABLE})((?:{_SYLLABLE})*)$")


def _syllables(word: str) -> list[str]:
    """The syllables of pinyin written together; a word that is none stays whole."""
    if len(word) > 64 or _SPELLING.fullmatch(word) is None:
        return [word]
    found: list[str] = []
    while word:
        match = _ONE.match(word)
        if match is None:  # pragma: no cover - what the whole pattern matched can be cut at its first syllable
            return [*found, word]
        found.append(match[1])
        word = match[2]
    return found


@overload
def fingerprint(values: str, method: Method = ..., *, n: int = ...) -> str: ...  # type: ignore[overload-overlap]
@overload
def fingerprint(values: Iterable[object], method: Method = ..., *, n: int = ...) -> list[str]: ...


def fingerprint(values: Any, method: Method = "fingerprint", *, n: int = 2) -> str | list[str]:
    """Key of a text, or of each of several; those with one key are probably one value otherwise written.

    Args:
        values: a text, or an iterable of cells; a missing cell (``None``, NaN) has the key ``""``.
        method: ``fingerprint``: lower case, no punctuation, no accents, each word once, in order. ``ngram``: see
            `ngram_fingerprint`. ``phonetic``: how it sounds (Cologne phonetics, over the whole text). ``pinyin``: Hanzi
            spelt without tones, syllables in order, so that 张伟, Zhang Wei and Weizhang have one key.
        n: letters in a run of ``ngram``.

    Returns:
        A key for a text, a list of keys for several.

    Raises:
        InvalidFieldError: ``fingerprint.method`` (no such method), ``fingerprint.n``.
        MissingExtraError: ``pinyin`` without extra ``zh``.

    Source: OpenRefine, Clustering In Depth, "Key Collision Methods" (2024); Postel, Die Kölner Phonetik,
    IBM-Nachrichten 19 (1969).

    >>> fingerprint("Cruise, Tom"), fingerprint("  tom   CRUISE ")
    ('cruise tom', 'cruise tom')
    >>> fingerprint(["Reuben Gevorkiantz", "Ruben Gevorkyants"], method="phonetic")
    ['716437468', '716437468']
    """
    key = _keyer(method, n)
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        return key(_text(values))
    return [key(_text(value)) for value in values]


def _keyer(method: str, n: int) -> Callable[[str], str]:
    if method not in _METHODS:
        raise InvalidFieldError(
            f"there is no method {method!r}; use one of {', '.join(_METHODS)}", code="fingerprint.method"
        )
    if method == "pinyin" and not has_pinyin():
        raise missing_extra("pypinyin", extra="zh", cause=ModuleNotFoundError(name="pypinyin"))
    if method == "ngram":
        ngram_fingerprint("", n)
        return lambda text: ngram_fingerprint(text, n)
    return {"fingerprint": _fingerprint, "phonetic": _phonetic, "pinyin": _pinyin}[method]


@attrs.frozen(kw_only=True)
class ValueCluster:
    """Values of one column with one key.

    Attributes:
        key: what they have in common.
        values: the different writings, the most frequent first.
        counts: how often each occurs.
    """

    key: str
    values: tuple[str, ...] = attrs.field(repr=False)
    counts: tuple[int, ...]

    @property
    def suggestion(self) -> str:
        """The most frequent writing, to replace the others by."""
        return self.values[0]


def cluster_values(values: Iterable[object], *, method: Method = "fingerprint", n: int = 2) -> list[ValueCluster]:
    """Groups of different writings in a column that are probably one value.

    Args:
        values: cells of one column; missing ones and those without a key are left out.
        method: as for `fingerprint`.
        n: letters in a run of ``ngram``.

    Returns:
        Groups of two or more writings, those with the most writings first, then by rows and by key; the same in every
        order of the cells.

    Raises:
        InvalidFieldError: ``fingerprint.method``, ``fingerprint.n``.
        MissingExtraError: ``pinyin`` without extra ``zh``.

    >>> [(c.suggestion, c.values) for c in cluster_values(["Gödel", "godel", "Gödel", "Hilbert"])]
    [('Gödel', ('Gödel', 'godel'))]
    """
    key = _keyer(method, n)
    counts: dict[str, int] = {}
    for cell in values:
        text = _text(cell)
        if text:
            counts[text] = counts.get(text, 0) + 1
    groups: dict[str, list[str]] = {}
    for text in counts:
        found = key(text)
        if found:
            groups.setdefault(found, []).append(text)
    clusters = []
    for found, texts in groups.items():
        if len(texts) > 1:
            texts.sort(key=lambda text: (-counts[text], text))
            clusters.append(ValueCluster(key=found, values=tuple(texts), counts=tuple(counts[text] for text in texts)))
    return sorted(clusters, key=lambda c: (-len(c.values), -sum(c.counts), c.key))


def _text(value: object) -> str:
    """Text of a cell, unlike `_text.plain` as long as it is and whatever it says."""
    if isinstance(value, str):
        return value
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).decode("utf-8", "replace")
    return "" if value is None or value != value else str(value)

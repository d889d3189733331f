"""Names of persons."""

from __future__ import annotations

import re
import unicodedata

from custinfo.validate._base import BaseValidator, fail, issue, text_or_issue
from custinfo.validate._characters import collapse, has_break, scripts, unsafe
from custinfo.validate._placeholders import is_placeholder
from custinfo.validate._result import Result
from custinfo.validate._text import TEXT_CODES

__all__ = ["PersonNameValidator", "person_name"]

_MAX_LENGTH = 200
_DIGIT = re.compile(r"\d").search
_SYMBOL = re.compile(r"[<>{}\[\]|\\^~@#$%*=+_;:\"!?&]").search
_HAN_DOT = "·"  # U+00B7 separates the parts of transliterated names (GB/T 28039)
_DOTS = dict.fromkeys(map(ord, "•・‧∙⋅･"), _HAN_DOT)


class PersonNameValidator(BaseValidator[str]):
    """The name of a person, in whole or in part; see `person_name`."""

    name = "person_name"
    codes = TEXT_CODES - {"text.blank"} | {
        "name.no_letter",
        "name.digits",
        "name.symbol",
        "name.placeholder",
        "value.fullwidth",
    }

    def __call__(self, value: object) -> Result[str]:
        """Check one name.

        There is no pattern that all names follow, so only what no name has is an error: control and bidi characters,
        no letter at all. Digits, symbols and placeholders such as ``N/A`` are warnings.

        Args:
            value: a full, given or family name in any script.

        Returns:
            The name in NFC, trimmed, inner white space as one space, no space between Hanzi; case is kept. ``meta``:
            ``script`` (ISO 15924 code of its letters, ``"Zyyy"`` where mixed), and for a Hanzi name whose family name
            is known ``family`` and ``given``.

        Source: GB/T 28039-2011 (Chinese names), W3C "Personal names around the world" (2011).

        >>> person_name(" Anne-Marie  O'Neil ").value
        "Anne-Marie O'Neil"
        >>> dict(person_name("欧阳 小明").meta)
        {'script': 'Hani', 'family': '欧阳', 'given': '小明'}
        """
        found = text_or_issue(value, max_length=_MAX_LENGTH)
        if not isinstance(found, str):
            return Result(None, (found,))
        issues = unsafe(found)
        normal = collapse(found)
        if has_break(found.strip()):
            issues.append(issue("text.line_break"))
        if not any(map(str.isalpha, normal)):
            return Result(None, issues) if issues else fail("name.no_letter")
        meta: dict[str, object] = {}
        letters = scripts(normal)
        meta["script"] = letters[0] if len(letters) == 1 else "Zyyy"
        if letters == ("Hani",):
            normal = normal.translate(_DOTS).replace(" ", "")
            meta.update(split_hanzi(normal))
        if is_placeholder(normal):
            issues.append(issue("name.placeholder"))
        if _DIGIT(normal):
            issues.append(issue("name.digits"))
        if _SYMBOL(normal):
            issues.append(issue("name.symbol"))
        narrow = unicodedata.normalize("NFKC", normal)
        if narrow != normal and unicodedata.east_asian_width(normal[0]) == "F":
            issues.append(issue("value.fullwidth"))
            meta["suggestion"] = narrow
        return Result(normal, issues, meta)


def split_hanzi(name: str) -> dict[str, object]:
    """Family and given name of a Chinese name, empty where the family name is not known.

    >>> split_hanzi("王小明"), split_hanzi("买买提·艾力")
    ({'family': '王', 'given': '小明'}, {})
    """
    from custinfo.validate._surnames import COMPOUND, SINGLE

    if not 2 <= len(name) <= 5 or _HAN_DOT in name:
        return {}
    if len(name) > 2 and name[:2] in COMPOUND:
        return {"family": name[:2], "given": name[2:]}
    if name[0] in SINGLE and len(name) <= 4:
        return {"family": name[0], "given": name[1:]}
    return {}


person_name = PersonNameValidator()

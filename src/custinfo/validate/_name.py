"""Names of persons."""

from __future__ import annotations

import re
import unicodedata

from custinfo.validate._base import BaseValidator, fail, issue, text_or_issue
from custinfo.validate._characters import collapse, has_break, scripts, unsafe
from custinfo.validate._name_order import split_comma, split_hanzi, swapped
from custinfo.validate._placeholders import is_placeholder
from custinfo.validate._result import Issue, Result
from custinfo.validate._text import TEXT_CODES

__all__ = ["PersonNameValidator", "person_name"]

_MAX_LENGTH = 200
_DIGIT = re.compile(r"\d").search
_SYMBOL = re.compile(r"[<>{}\[\]|\\^~@#$%*=+_;:\"!?&]").search
_DOTS = dict.fromkeys(map(ord, "•・‧∙⋅･"), "·")  # between the parts of transliterated names (GB/T 28039)


class PersonNameValidator(BaseValidator[str]):
    """The name of a person, in whole or in part; see `person_name`."""

    name = "person_name"
    codes = TEXT_CODES - {"text.blank"} | {
        "name.no_letter",
        "name.digits",
        "name.symbol",
        "name.placeholder",
        "name.swapped",
        "value.fullwidth",
    }
    option_names = ("family",)
    row_option = "family"

    def __call__(self, value: object, *, family: str | None = None) -> Result[str]:
        """Check one name.

        There is no pattern that all names follow, so only what no name has is an error: control and bidi characters,
        no letter at all. Digits, symbols and placeholders such as ``N/A`` are warnings.

        Args:
            value: a full, given or family name in any script.
            family: the family name where *value* is the given name only; then a pair that looks swapped is a warning.
                For `many` also one per row.

        Returns:
            The name in NFC, trimmed, inner white space as one space, no space between Hanzi; case is kept. ``meta``:
            ``script`` (ISO 15924 code of its letters, ``"Zyyy"`` where mixed), ``family`` and ``given`` for a Hanzi
            name whose family name is known and for a Latin one with a comma. Where the parts look swapped
            (``小明 王``) or the letters are full-width ones, ``meta["suggestion"]`` has what is meant: the name, or for
            a pair a mapping of ``family`` and ``given``. Nothing is swapped by itself.

        Source: GB/T 28039-2011 (Chinese names), W3C "Personal names around the world" (2011).

        >>> person_name(" Anne-Marie  O'Neil ").value
        "Anne-Marie O'Neil"
        >>> dict(person_name("欧阳 小明").meta)
        {'script': 'Hani', 'family': '欧阳', 'given': '小明'}
        >>> person_name("Smith", family="John").meta["suggestion"]
        {'family': 'Smith', 'given': 'John'}
        """
        found = text_or_issue(value, max_length=_MAX_LENGTH)
        if not isinstance(found, str):
            return Result(None, (found,))
        issues = unsafe(found)
        normal = collapse(found)
        if len(normal) > _MAX_LENGTH:  # NFC writes a few characters as two or three
            return fail("value.too_long", max_length=_MAX_LENGTH)
        if has_break(found.strip()):
            issues.append(issue("text.line_break"))
        if not any(map(str.isalpha, normal)):
            return Result(None, issues) if issues else fail("name.no_letter")
        letters = scripts(normal)
        meta: dict[str, object] = {"script": letters[0] if len(letters) == 1 else "Zyyy"}
        parts = normal.split(" ")
        if letters == ("Hani",):
            normal = collapse(normal.translate(_DOTS).replace(" ", ""))
            meta.update(split_hanzi(normal, before_space=parts[0] if len(parts) == 2 else ""))
        elif letters == ("Latn",):
            meta.update(split_comma(normal))
        issues += _remarks(normal)
        narrow = unicodedata.normalize("NFKC", normal)
        if narrow != normal and unicodedata.east_asian_width(normal[0]) == "F":
            issues.append(issue("value.fullwidth"))
            meta["suggestion"] = narrow
        other = self._options.get("family") if family is None else family
        if isinstance(other, str) and len(other) <= _MAX_LENGTH:
            other = collapse(other)
            if swapped(given=normal, family=other):
                issues.append(issue("name.swapped"))
                meta["suggestion"] = {"family": normal, "given": other}
        elif letters == ("Hani",) and len(parts) == 2 and swapped(given=parts[1], family=parts[0]):
            issues.append(issue("name.swapped"))
            meta["suggestion"] = parts[1] + parts[0]
        return Result(normal, issues, meta)

    def __repr__(self) -> str:
        """Without the family name: it is a person's."""
        return f"{self.name}.with_options(family=***)" if self._options else self.name


def _remarks(name: str) -> list[Issue]:
    found = []
    if is_placeholder(name):
        found.append(issue("name.placeholder"))
    if _DIGIT(name):
        found.append(issue("name.digits"))
    if _SYMBOL(name):
        found.append(issue("name.symbol"))
    return found


person_name = PersonNameValidator()

"""Postal codes, by country where it is known."""

from __future__ import annotations

import re

from custinfo.validate._base import BaseValidator, fail, issue, narrowed, text_or_issue
from custinfo.validate._characters import collapse, unsafe
from custinfo.validate._result import Result

__all__ = ["PostalCodeValidator", "postal_code"]

_MAX_LENGTH = 32
_ANY = re.compile(r"[0-9A-Z](?:[0-9A-Z -]{0,10}[0-9A-Z])?").fullmatch
_DIGIT = re.compile(r"[0-9]").search
_without_mark = re.compile(r"^[A-Z]{1,2}-").sub
_KINDS = {"#": "[0-9]", "@": "[A-Z]", "*": "[0-9A-Z]"}
_HYPHEN_NEEDED = frozenset({"PL", "PT"})
_compiled: dict[tuple[str, bool], tuple[tuple[re.Pattern[str], str], ...]] = {}


class PostalCodeValidator(BaseValidator[str]):
    """A postal code; see `postal_code`."""

    name = "postal_code"
    codes = frozenset(
        "value.missing value.type value.too_long value.surrogate text.control text.bidi text.noncharacter "
        "text.zero_width text.private_use text.marks text.confusable value.fullwidth postal_code.format "
        "postal_code.country postal_code.unused postal_code.country_unknown".split()
    )
    option_names = ("country",)
    row_option = "country"

    def __call__(self, value: object, *, country: str | None = None) -> Result[str]:
        """Check one postal code.

        Args:
            value: the code; spaces may be left out or added, a hyphen left out (not in Poland and Portugal), letters
                are of any case.
            country: ISO 3166-1 alpha-2 code. Without one the code only has to look like a postal code: Latin letters,
                digits (at least one), spaces and hyphens, at most 12 characters. For `many` also one per row.

        Returns:
            The code in capitals, spaced as in its country. Where only the hyphen is wrong, ``meta["suggestion"]`` has
            the code that is meant.

        Source: Universal Postal Union, "Postal addressing systems in member countries", state of 2024. That a code
        has the right form does not say that it is in use.

        >>> postal_code("sw1a1aa", country="GB").value, postal_code("1000001", country="JP").value
        ('SW1A 1AA', '100-0001')
        >>> postal_code("1234", country="CN").issues[0].code
        'postal_code.country'
        """
        found = text_or_issue(value, max_length=_MAX_LENGTH)
        if not isinstance(found, str):
            return Result(None, (found,))
        issues = unsafe(found)
        if issues:
            return Result(
                None, issues if any(i.severity == "error" for i in issues) else [*issues, issue("postal_code.format")]
            )
        where = self._options.get("country") if country is None else country
        result = _judge(found, where)
        return result if result or found.isascii() else narrowed(found, result, lambda narrow: _judge(narrow, where))


def _judge(text: str, where: object) -> Result[str]:
    code = collapse(text)
    code = code.upper() if code.isascii() else code
    if not _ANY(code):
        return fail("postal_code.format")
    if where is None or where == "":
        return Result(code) if _DIGIT(code) else fail("postal_code.format")
    from custinfo.validate._iso3166 import ALPHA2
    from custinfo.validate._postal_masks import MASKS, UNUSED

    region = where.strip().upper() if isinstance(where, str) and len(where) <= _MAX_LENGTH else ""
    if region in MASKS:
        normal = _fit(code, region, MASKS[region])
        if normal is not None:
            return Result(normal)
        # hyphens where the country has none, or none where it is needed: perhaps another country's code
        meant = _fit(code.replace("-", ""), region, MASKS[region], lenient=True)
        suggestion = None if meant is None else {"suggestion": meant}
        return Result(None, (issue("postal_code.country", country=region),), suggestion)
    if region in UNUSED:
        return Result(code, (issue("postal_code.unused", country=region),))
    return Result(code, () if region in ALPHA2 else (issue("postal_code.country_unknown"),))


def _fit(code: str, country: str, masks: tuple[str, ...], *, lenient: bool = False) -> str | None:
    """*code* written as the first of *masks* that it fits, None where it fits none.

    Spaces may be anywhere. A hyphen may be where the country writes one and be left out there, but not in Poland and
    Portugal, unless *lenient*: 77777 is a good code in many countries and none in Poland.
    """
    needed = country in _HYPHEN_NEEDED and not lenient
    patterns = _compiled.get((country, needed))
    if patterns is None:
        patterns = _compiled[country, needed] = tuple((_pattern(mask, needed), mask) for mask in masks)
    bare = code.replace(" ", "")
    # mail from abroad used to have the country in front: D-10115, CH-8001
    for candidate in dict.fromkeys((bare, bare.removeprefix(country), _without_mark("", bare), f"{country}{bare}")):
        for pattern, mask in patterns:
            if pattern.fullmatch(candidate):
                return _write(candidate.replace("-", ""), mask)
    return None


def _pattern(mask: str, needed: bool) -> re.Pattern[str]:
    hyphen = "-" if needed else "-?"
    return re.compile("".join(hyphen if char == "-" else _KINDS.get(char, char) for char in mask.replace(" ", "")))


def _write(bare: str, mask: str) -> str:
    chars = iter(bare)
    return "".join(char if char in " -" else next(chars) for char in mask)


postal_code = PostalCodeValidator()

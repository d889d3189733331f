"""The work behind `phone`: plainly written numbers are judged by compiled plans, every other one by phonenumbers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import phonenumbers
from phonenumbers import (
    SUPPORTED_REGIONS,
    NumberParseException,
    PhoneNumberFormat,
    PhoneNumberType,
    ValidationResult,
)

from custinfo.validate._base import issue, text_or_issue
from custinfo.validate._phone_plan import Plan, dialling_plan, plan
from custinfo.validate._result import Issue, Result

__all__ = ["PhoneMeta", "check", "check_many"]

_MAX_LENGTH = 250  # what libphonenumber itself accepts
_plain = re.compile(r"\(?(\+?)[0-9][0-9 ().-]{4,40}").fullmatch
_not_digits = re.compile("[^0-9]+").sub
_MIN_NATIONAL, _MAX_NATIONAL = 4, 17

Verdict = tuple[str | None, tuple[Issue, ...]]
_UNSURE: Verdict = (None, ())
_REFUSED: dict[str, Verdict] = {
    code: (None, (issue(code),))
    for code in ("phone.too_short", "phone.too_long", "phone.not_assigned", "phone.no_region")
}
_PARSE_FAULTS = {
    NumberParseException.INVALID_COUNTRY_CODE: "phone.country_code",
    NumberParseException.NOT_A_NUMBER: "phone.not_a_number",
    NumberParseException.TOO_SHORT_AFTER_IDD: "phone.too_short",
    NumberParseException.TOO_SHORT_NSN: "phone.too_short",
    NumberParseException.TOO_LONG: "phone.too_long",
}


class PhoneMeta(Mapping[str, object]):
    """What else is known of a valid number, computed when asked and not kept.

    >>> from custinfo.validate import phone
    >>> meta = phone("+1 201 555 0123 ext. 7").meta
    >>> meta["region"], meta["extension"], meta["national"]
    ('US', '7', '(201) 555-0123 ext. 7')
    """

    __slots__ = ("_e164", "_extension")

    def __init__(self, e164: str, extension: str = "") -> None:
        self._e164 = e164
        self._extension = extension

    def __getitem__(self, key: str) -> object:
        number = phonenumbers.parse(self._e164)
        number.extension = self._extension or None
        if key == "type":
            return PhoneNumberType.to_string(phonenumbers.number_type(number))
        if key == "international":
            return phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
        if key == "national":
            return phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
        if key == "region":
            return phonenumbers.region_code_for_number(number)
        if key == "country_code":
            return number.country_code
        if key == "extension":
            return self._extension
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return iter(("type", "international", "national", "region", "country_code", "extension"))

    def __len__(self) -> int:
        return 6

    def __repr__(self) -> str:
        return f"PhoneMeta({', '.join(self)})"

    def __reduce__(self) -> tuple[object, ...]:
        return (PhoneMeta, (self._e164, self._extension))


def check(value: object, region: object) -> Result[str]:
    """One number, dialled in *region* (None: it must say its calling code)."""
    text = text_or_issue(value, max_length=_MAX_LENGTH)
    if not isinstance(text, str) and text.code == "value.surrogate":
        text = str.__str__(value)  # libphonenumber passes over what stands around the number, whatever it is
    if not isinstance(text, str):
        return Result(None, (issue("phone.too_long") if text.code == "value.too_long" else text,))
    where = region if isinstance(region, str) else ""
    e164, issues = _quick(text, where)
    if e164 is not None:
        return Result(e164, (), PhoneMeta(e164))
    if issues:
        return Result(None, issues)
    number = _ask(text, where)
    if isinstance(number, Issue):
        return Result(None, (number,))
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    return Result(e164, (), PhoneMeta(e164, number.extension or ""))


def check_many(
    rows: list[object],
    start: int,
    out: list[str | None],
    issues: dict[int, tuple[Issue, ...]],
    regions: list[object] | None,
    region: object,
) -> None:
    """`check` for many, appending to *out* and *issues*; *regions* has one per row, or *region* is that of all."""
    by_region: dict[str, dict[str, Verdict]] = {}
    append = out.append
    for place, value in enumerate(rows):
        if regions is not None:
            region = regions[place]
        if type(value) is not str:
            result = check(value, region)
            append(result.value)
            if result.issues:
                issues[start + place] = result.issues
            continue
        where = region if type(region) is str else ""
        known = by_region.get(where)
        if known is None:
            known = by_region[where] = {}
        verdict = known.get(value)
        if verdict is None:
            verdict = _quick(value, where)
            if verdict is _UNSURE:
                result = check(value, where)
                verdict = (result.value, result.issues)
            known[value] = verdict
        append(verdict[0])
        if verdict[1]:
            issues[start + place] = verdict[1]


def _quick(text: str, region: str) -> Verdict:
    """The verdict on a plainly written number, `_UNSURE` where phonenumbers is to be asked."""
    match = _plain(text)
    if match is None:
        return _UNSURE
    digits = text if text.isdigit() else _not_digits("", text)
    if match[1]:
        return _with_calling_code(digits)
    if region not in SUPPORTED_REGIONS:
        return _REFUSED["phone.no_region"]
    dialling = dialling_plan(region)
    if dialling is None:
        return _UNSURE
    abroad = dialling.abroad.match(digits) if dialling.abroad is not None else None
    if abroad is not None and digits[abroad.end() : abroad.end() + 1] != "0":
        return _with_calling_code(digits[abroad.end() :])
    # a number that begins like its own calling code may or may not have it; phonenumbers weighs that
    if digits.startswith(dialling.calling_code):
        return _UNSURE
    return _by_plan(dialling.plan, digits)


def _with_calling_code(digits: str) -> Verdict:
    for length in (1, 2, 3):
        world = plan(digits[:length])
        if world is not None:
            return _by_plan(world, digits[length:])
    return _UNSURE


def _by_plan(rules: Plan, digits: str) -> Verdict:
    number = rules.national(digits)
    if number is None or not _MIN_NATIONAL <= len(number) <= _MAX_NATIONAL:
        return _UNSURE
    return (rules.prefix + number, ()) if rules.valid(number) else _REFUSED[rules.length_fault(len(number))]


def _ask(text: str, region: str) -> phonenumbers.PhoneNumber | Issue:
    """The answer of phonenumbers itself: the number, or what is wrong with it."""
    try:
        number = phonenumbers.parse(text, region or None)
    except NumberParseException as exc:
        code = _PARSE_FAULTS.get(exc.error_type, "phone.not_a_number")
        if code == "phone.country_code" and "+" not in text and "＋" not in text:
            code = "phone.no_region"
        return issue(code)
    if phonenumbers.is_valid_number(number):
        return number
    possible = phonenumbers.is_possible_number_with_reason(number)
    if possible in (ValidationResult.TOO_SHORT, ValidationResult.IS_POSSIBLE_LOCAL_ONLY):
        return issue("phone.too_short")
    return issue("phone.too_long" if possible == ValidationResult.TOO_LONG else "phone.not_assigned")

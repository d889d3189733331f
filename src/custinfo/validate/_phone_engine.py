"""The work behind `phone`: plainly written numbers are judged by compiled plans, every other one by phonenumbers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType, ValidationResult

from custinfo.validate._base import issue, text_or_issue
from custinfo.validate._phone_plan import CALLING_CODES, dialling_plan, plan
from custinfo.validate._result import Issue, Result

__all__ = ["PhoneMeta", "check", "check_many"]

_MAX_LENGTH = 250  # what libphonenumber itself accepts
_plain = re.compile(r"\(?(\+?)[0-9][0-9 ().-]{4,40}").fullmatch
_layout = {ord(char): None for char in " ().-+"}
_MIN_NATIONAL, _MAX_NATIONAL = 4, 17

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
    if not isinstance(text, str):
        return Result(None, (issue("phone.too_long") if text.code == "value.too_long" else text,))
    e164 = _quick(text, region)
    if e164:
        return Result(e164, (), PhoneMeta(e164))
    number = _ask(text, region)
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
    known: dict[object, tuple[str | None, tuple[Issue, ...]]] = {}
    append = out.append
    for place, value in enumerate(rows):
        if regions is not None:
            region = regions[place]
        key = (value, region) if type(value) is str and (region is None or type(region) is str) else None
        verdict = known.get(key) if key is not None else None
        if verdict is None:
            e164 = _quick(value, region) if type(value) is str else ""
            if e164:
                verdict = (e164, ())
            else:
                result = check(value, region)
                verdict = (result.value, result.issues)
            if key is not None:
                known[key] = verdict
        append(verdict[0])
        if verdict[1]:
            issues[start + place] = verdict[1]


def _quick(text: str, region: object) -> str:
    """The E.164 form where the compiled plans are sure that *text* is valid, "" where they are not."""
    match = _plain(text)
    if match is None:
        return ""
    digits = text.translate(_layout)
    if match[1]:
        return _with_calling_code(digits)
    dialling = dialling_plan(region) if type(region) is str else None
    if dialling is None:
        return ""
    abroad = dialling.abroad.match(digits) if dialling.abroad is not None else None
    if abroad is not None and digits[abroad.end() : abroad.end() + 1] != "0":
        return _with_calling_code(digits[abroad.end() :])
    # a number that begins like its own calling code may or may not have it; phonenumbers weighs that
    if digits.startswith(dialling.calling_code):
        return ""
    own = dialling.plan
    number = own.national(digits)
    if number is None or not _MIN_NATIONAL <= len(number) <= _MAX_NATIONAL or not own.valid(number):
        return ""
    return own.prefix + number


def _with_calling_code(digits: str) -> str:
    for length in (1, 2, 3):
        code = digits[:length]
        if code in CALLING_CODES:
            break
    else:
        return ""
    world = plan(code)
    number = world.national(digits[length:]) if world is not None else None
    if world is None or number is None or not _MIN_NATIONAL <= len(number) <= _MAX_NATIONAL or not world.valid(number):
        return ""
    return world.prefix + number


def _ask(text: str, region: object) -> phonenumbers.PhoneNumber | Issue:
    """The answer of phonenumbers itself: the number, or what is wrong with it."""
    where = region if isinstance(region, str) and region else None
    try:
        number = phonenumbers.parse(text, where)
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

"""Ready-made rules for what the fields of one record say about each other, for any `Schema`.

Each function takes paths and gives a `Rule`, which holds no data and can be pickled. A path may go through sequences
(``"phones[].value"``); where both paths go through the same one (``"accounts[].opened_at"`` and
``"accounts[].closed_at"``), each of its members is judged alone. `Schema.from_attrs` finds these rules by itself.

>>> from custinfo.validate import Schema, date
>>> schema = Schema({"opened": date, "closed": date}, rules=(in_order("opened", "closed"),))
>>> [issue.code for issue in schema.check({"opened": "2024-05-01", "closed": "2024-04-01"}).issues]
['rule.closed_before_opened']
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterable, Iterator
from typing import Any

from custinfo.validate._cn_id import cn_resident_id
from custinfo.validate._date import date
from custinfo.validate._iban import iban
from custinfo.validate._rule import Rule

__all__ = ["birth_date_of_id", "iban_country", "in_order", "phone_country", "sex_of_id"]

_SEXES = {
    **dict.fromkeys(("m", "male", "man", "1", "男", "男性"), "male"),
    **dict.fromkeys(("f", "female", "woman", "2", "女", "女性"), "female"),
}


def birth_date_of_id(birth_date: str, resident_id: str) -> Rule:
    """The birth date is the one inside the Chinese resident identity number.

    Args:
        birth_date: path of a date.
        resident_id: path of the number, or of identifiers with ``scheme`` and ``value``, as those of a customer.

    >>> birth_date_of_id("born", "id").holds(["1949-12-31", "11010519491231002X"])
    True
    """
    return Rule.of_members("rule.birth_date_of_id", (birth_date, resident_id), _birth_date_fits)


def sex_of_id(sex: str, resident_id: str) -> Rule:
    """The sex is the one inside the Chinese resident identity number; not asked where it is neither male nor female.

    Args:
        sex: path of ``"male"``, ``"f"``, ``"女"``, ``1`` (male) or ``2`` (ISO/IEC 5218) and the like.
        resident_id: as for `birth_date_of_id`.

    >>> sex_of_id("sex", "id").holds(["男", "11010519491231002X"])
    False
    """
    return Rule.of_members("rule.sex_of_id", (sex, resident_id), _sex_fits)


def phone_country(phones: str, countries: str) -> Rule:
    """One of the phone numbers is of one of the countries; a warning, since people move and keep their numbers.

    Args:
        phones: path of numbers in E.164.
        countries: path of ISO 3166-1 alpha-2 codes.

    >>> phone_country("phone", "country").holds(["+12015550123", "GB"])
    False
    """
    return Rule.of_members("rule.phone_country", (phones, countries), _phone_fits, severity="warning")


def iban_country(ibans: str, countries: str) -> Rule:
    """One of the bank accounts is in one of the countries; a warning, since an account abroad is allowed.

    Args:
        ibans: path of IBANs, or of identifiers with ``scheme`` and ``value``.
        countries: path of ISO 3166-1 alpha-2 codes.

    >>> iban_country("iban", "country").holds(["GB82WEST12345698765432", "GB"])
    True
    """
    return Rule.of_members("rule.iban_country", (ibans, countries), _iban_fits, severity="warning")


def in_order(first: str, last: str, *, code: str = "rule.closed_before_opened") -> Rule:
    """The second date or time is not before the first.

    Args:
        first: path of a date or time, such as the opening of an account.
        last: path of a date or time, such as its closing. Where one of the two has no time of day, days are compared.
        code: code of the issue.

    >>> in_order("opened", "closed").holds(["2024-05-01", "2024-05-01"])
    True
    """
    return Rule.of_members(code, (first, last), _in_order)


def _members(value: object) -> tuple[object, ...]:
    return value if isinstance(value, tuple) else (value,)


def _numbers(value: object, scheme: str) -> Iterator[str]:
    """The numbers of *scheme*: plain texts, or the values of identifiers of that scheme."""
    for one in _members(value):
        if isinstance(one, str):
            yield one
        elif getattr(one, "scheme", None) == scheme:
            yield one.value  # type: ignore[attr-defined]


def _of_ids(value: object, name: str) -> list[object]:
    results = [cn_resident_id(number) for number in _numbers(value, "cn_resident_id")]
    return [result.meta[name] for result in results if result]


def _birth_date_fits(birth_date: object, ids: object) -> Any:
    wanted = _of_ids(ids, "birth_date")
    days = [_day(value) for value in _members(birth_date)]
    if not wanted or None in days:
        return NotImplemented
    return all(day == birth for day in days for birth in wanted)


def _sex_fits(sex: object, ids: object) -> Any:
    said = {_SEXES.get(str(value).strip().lower()) for value in _members(sex)}
    wanted = _of_ids(ids, "sex")
    return said == set(wanted) if wanted and None not in said else NotImplemented


def _phone_fits(phones: object, countries: object) -> bool:
    wanted = _codes(_members(countries))
    return any(_is_of(str(number), wanted) for number in _members(phones))


def _is_of(number: str, wanted: frozenset[str]) -> bool:
    """Whether a number in E.164 is of one of the countries; of a shared calling code the whole number must be."""
    for code, regions, shared in _calling_codes(wanted):
        if number.startswith(code):  # no calling code is the beginning of another one
            return not shared or _is_valid(code[1:], number.removeprefix(code), regions)
    return False


@functools.lru_cache(maxsize=1024)
def _calling_codes(wanted: frozenset[str]) -> tuple[tuple[str, tuple[str, ...], bool], ...]:
    """(``+`` and calling code, countries among *wanted*, whether it has others too)."""
    import phonenumbers  # costs nothing where no rule asks

    every = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items()
    found = ((code, tuple(region for region in regions if region in wanted), len(regions)) for code, regions in every)
    return tuple((f"+{code}", regions, len(regions) < number) for code, regions, number in found if regions)


def _is_valid(code: str, rest: str, regions: tuple[str, ...]) -> bool:
    import phonenumbers

    zeros = len(rest) - len(rest.lstrip("0"))
    parsed = phonenumbers.PhoneNumber(
        country_code=int(code),
        national_number=int(rest or "0"),
        italian_leading_zero=zeros > 0 or None,
        number_of_leading_zeros=zeros if zeros > 1 else None,
    )
    return any(phonenumbers.is_valid_number_for_region(parsed, region) for region in regions)


def _iban_fits(ibans: object, countries: object) -> Any:
    numbers = [result.value for result in map(iban, _numbers(ibans, "iban")) if result]
    wanted = _codes(_members(countries))
    return any(number[:2] in wanted for number in numbers if number) if numbers else NotImplemented


@functools.lru_cache(maxsize=1024)
def _codes(countries: Iterable[object]) -> frozenset[str]:
    return frozenset(str(code).strip().upper() for code in countries)


def _in_order(first: object, last: object) -> Any:
    if isinstance(first, dt.datetime) and isinstance(last, dt.datetime):
        return _utc(first) <= _utc(last)
    days = _day(first), _day(last)
    return NotImplemented if days[0] is None or days[1] is None else days[0] <= days[1]


def _day(value: object) -> dt.date | None:
    return date(value).value


def _utc(time: dt.datetime) -> dt.datetime:
    """Naive times are UTC, as everywhere in custinfo."""
    return time.replace(tzinfo=dt.UTC) if time.tzinfo is None else time

"""Calendar dates; which of two numbers is the month is never guessed."""

from __future__ import annotations

import datetime as dt
import re

from custinfo.errors import InvalidFieldError
from custinfo.validate._base import BaseValidator, fail, is_missing_object, issue, narrowed, text_or_issue
from custinfo.validate._result import Result

__all__ = ["DateValidator", "date"]

_MAX_LENGTH = 64
_ORDERS = ("dmy", "mdy", "ymd")
_ISO = re.compile(r"([0-9]{4})(-?)([0-9]{2})\2([0-9]{2})").fullmatch
_YEAR_FIRST = re.compile(r"([0-9]{4})([-/.])([0-9]{1,2})\2([0-9]{1,2})").fullmatch
_YEAR_LAST = re.compile(r"([0-9]{1,2})([-/.])([0-9]{1,2})\2([0-9]{4})").fullmatch
_SHORT_YEAR = re.compile(r"[0-9]{1,2}([-/.])[0-9]{1,2}\1[0-9]{2}").fullmatch
_CHINESE = re.compile(r"([0-9]{4}) ?年 ?([0-9]{1,2}) ?月 ?([0-9]{1,2}) ?[日号號]?").fullmatch
_DAY_NAME_YEAR = re.compile(r"([0-9]{1,2})[ -]([A-Za-z]{3,9})\.?,?[ -]([0-9]{4})").fullmatch
_NAME_DAY_YEAR = re.compile(r"([A-Za-z]{3,9})\.? ([0-9]{1,2}),? ([0-9]{4})").fullmatch
_INCOMPLETE = re.compile(r"[0-9]{4}(?:[-/.][0-9]{1,2}|[0-9]{2}|年[0-9]{1,2}月)?").fullmatch
_HOUR, _MINUTE, _SECOND = "(?:[01][0-9]|2[0-4])", "[0-5][0-9]", r"(?:[0-5][0-9]|60)(?:[.,][0-9]{1,9})?"
_TIME = re.compile(
    rf"(T{_HOUR}{_MINUTE}(?:{_SECOND})?|[T ]{_HOUR}:{_MINUTE}(?::{_SECOND})?)(Z| ?[+-]{_HOUR}:?{_MINUTE})?$"
).search
_MONTHS = "january february march april may june july august september october november december".split()


class DateValidator(BaseValidator[dt.date]):
    """A calendar date; see `date`."""

    name = "date"
    codes = frozenset(
        "value.missing value.type value.too_long value.surrogate value.fullwidth date.format date.impossible "
        "date.ambiguous date.order date.two_digit_year date.incomplete date.time_dropped date.too_early "
        "date.too_late".split()
    )
    option_names = ("not_after", "not_before", "order")

    def _check_options(self) -> None:
        if self._options.get("order", "dmy") not in _ORDERS:
            raise InvalidFieldError(f"order must be one of {', '.join(_ORDERS)}", code="option")
        for name in ("not_before", "not_after"):
            bound = self._options.get(name)
            if isinstance(bound, dt.datetime):
                self._options[name] = bound.date()
            elif bound is not None and not isinstance(bound, dt.date):
                raise InvalidFieldError(f"{name} must be a datetime.date", code="option")

    def __call__(
        self,
        value: object,
        *,
        order: str | None = None,
        not_before: dt.date | None = None,
        not_after: dt.date | None = None,
    ) -> Result[dt.date]:
        """Check one date.

        Args:
            value: text, `datetime.date` or `datetime.datetime`. Text: ISO 8601 calendar dates, extended or basic
                (eight digits are always year, month, day), year first with ``/`` or ``.``, ``1990年3月4日``, English
                month names, and day and month before the year where only one reading is a date or *order* says which.
            order: ``"dmy"``, ``"mdy"`` or ``"ymd"``; without it ``03/04/2020`` has code ``date.ambiguous``.
            not_before: first date that is allowed.
            not_after: last date that is allowed.

        Returns:
            A `datetime.date`. A time of day behind the date is dropped, with a warning unless it is midnight. Where
            day and month cannot be told apart, ``meta["readings"]`` has both dates, the day-first one first.

        Raises:
            InvalidFieldError: ``"option"`` for another *order*, or a bound that is no date.

        Source: ISO 8601-1:2019, 5.2.2; GB/T 7408.1-2023.

        >>> date("19460902").value
        datetime.date(1946, 9, 2)
        >>> date("03/04/2020").issues[0].code, date("03/04/2020", order="dmy").value
        ('date.ambiguous', datetime.date(2020, 4, 3))
        >>> date("19450231").issues[0].code
        'date.impossible'
        """
        if order is not None or not_before is not None or not_after is not None:
            return self.with_options(order=order, not_before=not_before, not_after=not_after)(value)
        result = _from_date(value) if issubclass(type(value), dt.date) else None
        if result is None:
            found = text_or_issue(value, max_length=_MAX_LENGTH)
            if not isinstance(found, str):
                return Result(None, (found,))
            asked: str | None = self._options.get("order")  # type: ignore[assignment]
            result = _parse(found.strip(), asked)
            if result.value is None and not found.isascii():
                result = narrowed(found, result, lambda text: _parse(text.strip(), asked))
        if result.value is None:
            return result
        first, last = self._options.get("not_before"), self._options.get("not_after")
        if first is not None and result.value < first:  # type: ignore[operator]
            return fail("date.too_early", first=str(first))
        if last is not None and result.value > last:  # type: ignore[operator]
            return fail("date.too_late", last=str(last))
        return result


def _from_date(value: object) -> Result[dt.date] | None:
    """The day of a date or time of any subclass; None for NaT, and for what is broken."""
    if is_missing_object(value):
        return None
    try:
        return Result(dt.date(value.year, value.month, value.day))  # type: ignore[attr-defined]
    except Exception:  # noqa: BLE001  a class of the caller's may do anything
        return None


def _parse(text: str, order: str | None) -> Result[dt.date]:
    notes = []
    time = _TIME(text) if len(text) > 10 else None
    if time:
        text = text[: time.start()]
        if time[1].strip("T 0:.,") or (time[2] or "Z").strip() not in ("Z", "+00:00", "+0000"):
            notes.append(issue("date.time_dropped"))
    answer = _read(text, order)
    if answer == "date.ambiguous":
        readings = tuple(_read(text, each) for each in ("dmy", "mdy"))
        return Result(None, (issue("date.ambiguous"),), {"readings": readings})
    if isinstance(answer, str):
        return fail(answer)
    return Result(answer, notes)


def _read(text: str, order: str | None) -> dt.date | str:
    """The date, or the code of what is wrong."""
    if match := _CHINESE(text):
        return _day(match[1], match[2], match[3]) or "date.impossible"
    if match := _ISO(text) or _YEAR_FIRST(text):
        return _day(match[1], match[3], match[4]) or "date.impossible"
    if match := _YEAR_LAST(text):
        return _year_last(match[1], match[3], match[4], order)
    if match := _DAY_NAME_YEAR(text):
        return _named(match[3], match[2], match[1])
    if match := _NAME_DAY_YEAR(text):
        return _named(match[3], match[1], match[2])
    if _SHORT_YEAR(text):
        return "date.two_digit_year"
    return "date.incomplete" if _INCOMPLETE(text) else "date.format"


def _year_last(first: str, second: str, year: str, order: str | None) -> dt.date | str:
    if order == "ymd":
        return "date.order"
    day_first, month_first = _day(year, second, first), _day(year, first, second)
    if order is not None:
        return (day_first if order == "dmy" else month_first) or "date.impossible"
    if day_first and month_first and day_first != month_first:
        return "date.ambiguous"
    return day_first or month_first or "date.impossible"


def _named(year: str, name: str, day: str) -> dt.date | str:
    name = name.lower()
    months = [month for month in _MONTHS if month.startswith(name) or (name == "sept" and month == "september")]
    if len(months) != 1:
        return "date.format"
    return _day(year, str(_MONTHS.index(months[0]) + 1), day) or "date.impossible"


def _day(year: str, month: str, day: str) -> dt.date | None:
    try:
        return dt.date(int(year), int(month), int(day))
    except ValueError:
        return None


date = DateValidator()

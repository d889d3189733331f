"""Times of payments: instants in microseconds of UTC, and the calendar day in the customer's zone."""

from __future__ import annotations

import datetime as dt
import functools
from typing import Any

import numpy as np

from custinfo.errors import InvalidFieldError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from numpy.typing import NDArray

    Column = NDArray[Any]
    Int64 = NDArray[np.int64]

NAT = np.iinfo(np.int64).min
DAY_US = 86_400_000_000
_HOUR_US = 3_600_000_000
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_NO_OFFSET, _MICROSECOND = dt.timedelta(), dt.timedelta(microseconds=1)
_EPOCH_DAY = dt.date(1970, 1, 1).toordinal()
# the years that `datetime` knows, one day short on both sides so that every zone's local time is inside too
_FIRST_US = (2 - _EPOCH_DAY) * DAY_US
_LAST_US = (dt.date.max.toordinal() - 1 - _EPOCH_DAY) * DAY_US
_COARSE = ("Y", "M", "W", "D", "h", "m", "s", "ms")  # units in which 64 bits reach beyond those years


def _local_midnight(day: dt.date, zone: dt.tzinfo) -> int:
    return instant_of(dt.datetime(day.year, day.month, day.day, tzinfo=zone))


def instant_of(moment: dt.datetime) -> int:
    """Microseconds since 1970 in UTC; a naive time is UTC.

    >>> instant_of(dt.datetime(1970, 1, 1, 8, tzinfo=dt.timezone(dt.timedelta(hours=8))))
    0
    """
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=dt.UTC)
    span = aware - _EPOCH
    return (span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds


def _parse(text: str) -> dt.date:
    stripped = text.strip()
    return dt.date.fromisoformat(stripped) if len(stripped) <= 10 else dt.datetime.fromisoformat(stripped)


def as_of_instant(as_of: object, zone: dt.tzinfo) -> int:
    """The last instant that counts; a plain day counts to its end in *zone*.

    Raises:
        InvalidFieldError: "time.value".

    >>> as_of_instant(dt.date(1970, 1, 1), dt.UTC) == DAY_US - 1
    True
    """
    try:
        if isinstance(as_of, str):
            as_of = _parse(as_of)
        if isinstance(as_of, np.datetime64):
            if np.isnat(as_of):
                raise ValueError
            unit = np.datetime_data(as_of.dtype)[0]
            as_of = as_of.astype("M8[D]" if unit in "YMWD" else "M8[us]").item()
        if isinstance(as_of, dt.date):
            if isinstance(as_of, dt.datetime):
                moment = instant_of(as_of)
            else:
                moment = _local_midnight(as_of + dt.timedelta(days=1), zone) - 1
            if _FIRST_US <= moment <= _LAST_US:  # never of NaT
                return moment
    except (ValueError, OverflowError):
        pass
    raise InvalidFieldError(
        "as_of must be a datetime, a date, a datetime64 or ISO 8601 text such as '2026-01-31T12:00:00+08:00', of the "
        "years 1 to 9999",
        code="time.value",
        path="as_of",
    )


def instants(column: Column, zone: dt.tzinfo, *, name: str = "when") -> Int64:
    """Microseconds since 1970 in UTC of each row; a missing time is `NAT`.

    Args:
        column: shape (n,): datetime64 or naive times (UTC), aware times, ISO 8601 text, or dates. A date is the
            calendar day in *zone*.
        zone: the zone in which dates are meant.
        name: the column's name, for errors.

    Raises:
        InvalidFieldError: "time.value" (something that is no time, or outside the years 1 to 9999).

    >>> instants(np.array(["1970-01-02", "1970-01-01T08:00:00+08:00", None], dtype=object), dt.UTC)[:2].tolist()
    [86400000000, 0]
    """
    if not len(column):  # nothing, of whatever type
        return np.empty(0, np.int64)
    if column.dtype.kind == "M":
        if np.datetime_data(column.dtype)[0] in _COARSE and _outside(column.view(np.int64), *_bounds(column.dtype)):
            raise _no_time(name, None)  # a conversion would not notice: it begins again at the other end
        if np.datetime_data(column.dtype)[0] in "YMWD":
            result = _midnights(column.astype("M8[D]"), zone)
        else:
            result = column.astype("M8[us]", copy=False).view(np.int64)
    elif column.dtype.kind == "O":
        result = np.fromiter((_instant(value, zone, name) for value in column), dtype=np.int64, count=len(column))
    else:
        raise _no_time(name, None)
    if _outside(result, _FIRST_US, _LAST_US):
        raise _no_time(name, None)
    return result


def _outside(numbers: Int64, first: int, last: int) -> bool:
    lowest = int(numbers.min())
    below = lowest < first and (lowest != NAT or bool(np.any((numbers < first) & (numbers != NAT))))
    return below or int(numbers.max()) > last


def _bounds(dtype: np.dtype[Any]) -> tuple[int, int]:
    """The first and the last moment in the unit of a datetime64."""
    first, last = np.array([_FIRST_US, _LAST_US]).view("M8[us]").astype(dtype).view(np.int64).tolist()
    return first, last


def _midnights(days: Column, zone: dt.tzinfo) -> Int64:
    numbers = days.view(np.int64)
    if zone is dt.UTC:
        return np.where(numbers == NAT, NAT, numbers * DAY_US)
    distinct, back = np.unique(days, return_inverse=True)
    return np.array([NAT if np.isnat(day) else _local_midnight(day.item(), zone) for day in distinct], np.int64)[back]


def _instant(value: Any, zone: dt.tzinfo, name: str) -> int:
    try:
        if value is None or value != value:  # NaN and NaT are not equal to themselves
            return NAT
        if isinstance(value, str):
            value = _parse(value)
        if isinstance(value, dt.datetime):
            return instant_of(value)
        if isinstance(value, dt.date):
            return _local_midnight(value, zone)
        if isinstance(value, np.datetime64):
            return int(instants(np.array([value]), zone, name=name)[0])
    except (ValueError, ArithmeticError):  # of decimals too, which are not compared with themselves quietly
        pass
    raise _no_time(name, value)


def _no_time(name: str, value: object) -> InvalidFieldError:
    what = "" if value is None else f" and not {type(value).__name__}"
    return InvalidFieldError(
        f"column {name!r} must hold times of the years 1 to 9999: datetime64, datetime, date or ISO 8601 text{what}",
        code="time.value",
        path=name,
    )


def local_days(moments: Int64, zone: dt.tzinfo) -> Int64:
    """Days since 1970 of the local calendar date of each instant.

    Args:
        moments: shape (n,), microseconds since 1970 in UTC, none missing.
        zone: the zone whose calendar counts.

    >>> from custinfo.model import zone_of
    >>> shanghai = zone_of("Asia/Shanghai")
    >>> local_days(np.array([0, 15 * 3_600_000_000, 16 * 3_600_000_000]), shanghai).tolist()
    [0, 0, 1]
    """
    days: Int64 = local_moments(moments, zone) // DAY_US
    return days


def local_moments(moments: Int64, zone: dt.tzinfo) -> Int64:
    """What the clock on the wall shows at each instant, in microseconds since 1970-01-01 00:00 of that clock.

    Args:
        moments: shape (n,), microseconds since 1970 in UTC, none missing.
        zone: the zone whose clock counts.

    >>> from custinfo.model import zone_of
    >>> (local_moments(np.array([0]), zone_of("Asia/Shanghai")) // 3_600_000_000).tolist()
    [8]
    """
    if not len(moments) or zone is dt.UTC:
        return moments
    starts, offsets = _offsets(moments, zone)
    local: Int64 = moments + offsets[np.searchsorted(starts, moments, side="right") - 1]
    return local


def _offsets(moments: Int64, zone: dt.tzinfo) -> tuple[Int64, Int64]:
    """From which instant on which offset from UTC holds, in the years that occur."""
    numbers = moments.view("M8[us]").astype("M8[Y]").view(np.int64)
    first = int(numbers.min())
    years = (np.flatnonzero(np.bincount(numbers - first)) + first + _EPOCH.year).tolist()
    try:
        parts = [_offsets_of_year(year, zone) for year in years]
    except TypeError:  # a zone of the caller's own that cannot be kept
        parts = [_offsets_of_year.__wrapped__(year, zone) for year in years]
    return np.concatenate([starts for starts, _ in parts]), np.concatenate([offsets for _, offsets in parts])


@functools.lru_cache(maxsize=4096)
def _offsets_of_year(year: int, zone: dt.tzinfo) -> tuple[Int64, Int64]:
    """The offsets of one year of UTC; zones change at most once in six hours, and a year is looked through once."""
    first = dt.datetime(
        year, 1, 2 if year == dt.MINYEAR else 1, tzinfo=zone
    )  # what `fromutc` takes: UTC, in name local
    first_us = instant_of(first.replace(tzinfo=dt.UTC))
    last_us = min((dt.date(year, 12, 31).toordinal() + 1 - _EPOCH_DAY) * DAY_US, _LAST_US)

    def offset(after_us: int) -> dt.timedelta:
        return zone.fromutc(first + dt.timedelta(microseconds=after_us)).utcoffset() or _NO_OFFSET

    starts, offsets = [0], [offset(0)]
    for low in range(0, last_us - first_us, 6 * _HOUR_US):
        high = min(low + 6 * _HOUR_US, last_us - first_us)
        after = offset(high)
        if after != offsets[-1]:
            before_change, change = low, high
            while change - before_change > 1:
                middle = (before_change + change) // 2
                if offset(middle) == offsets[-1]:
                    before_change = middle
                else:
                    change = middle
            starts.append(change)
            offsets.append(after)
    return first_us + np.array(starts, np.int64), np.array([each // _MICROSECOND for each in offsets], np.int64)

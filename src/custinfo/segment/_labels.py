"""What rows are counted by: labels of a column, and days, months and hours of a calendar."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np

from custinfo._columns import Column
from custinfo.errors import InvalidFieldError
from custinfo.segment._kernel import group
from custinfo.segment._rows import missing_in, numbered
from custinfo.segment._time import DAY_US

TYPE_CHECKING = False
if TYPE_CHECKING:
    from numpy.typing import NDArray

    Int64 = NDArray[np.int64]

HOUR_US = 3_600_000_000
PERIODS = ("day", "week", "month", "quarter", "year")
CALENDAR = (*PERIODS, "weekday", "hour")
_EPOCH_DAY = dt.date(1970, 1, 1).toordinal()
_MONDAY = 3  # days from Monday, 1969-12-29, to 1970-01-01


def labelled(column: Column, *, name: str) -> tuple[Int64, Column]:
    """Number the distinct values of a column in ascending order; missing ones are a group of their own, the last.

    Args:
        column: shape (n,).
        name: the column's name, for errors.

    Returns:
        The number of each row's label, shape (n,), and the labels, objects; the last one is None where values miss.

    Raises:
        InvalidFieldError: "segment.labels" (values of several types, or that cannot be sorted).

    >>> codes, labels = labelled(np.array(["card", None, "bank"], dtype=object), name="method")
    >>> codes.tolist(), labels.tolist()
    ([1, 2, 0], ['bank', 'card', None])
    """
    absent = missing_in(column)
    known = column if absent is None else column[~absent]
    if known.dtype.kind == "M":
        known = known.astype("M8[us]")  # the finest that Python has a type for
    try:
        numbers, distinct = numbered(known) if known.dtype == np.int64 else group(known)
    except TypeError:
        kinds = ", ".join(sorted({type(value).__name__ for value in known}))
        raise InvalidFieldError(
            f"column {name!r} must hold labels of one type that can be sorted, such as text; it has {kinds}",
            code="segment.labels",
            path=name,
        ) from None
    labels = objects([*distinct.tolist(), *([] if absent is None else [None])])
    if absent is None:
        return numbers, labels
    codes = np.full(len(column), len(distinct), np.int64)
    codes[~absent] = numbers
    return codes, labels


def objects(values: list[Any]) -> Column:
    """Values as they are, in a one-dimensional array of objects.

    >>> objects([(1, 2), None]).shape
    (2,)
    """
    return np.fromiter(values, dtype=object, count=len(values))


def periods_of(days: Int64, by: str) -> Int64:
    """Number of the calendar period of each day; the one with 1970-01-01 is 0.

    Args:
        days: shape (n,), days since 1970.
        by: one of `PERIODS`.

    >>> periods_of(np.array([0, 30, 31, -1]), "month").tolist()
    [0, 0, 1, -1]
    """
    if by == "day":
        return days
    if by == "week":
        weeks: Int64 = (days + _MONDAY) // 7
        return weeks
    unit = "Y" if by == "year" else "M"
    numbers: Int64 = days.view("M8[D]").astype(f"M8[{unit}]").view(np.int64)
    return numbers // 3 if by == "quarter" else numbers


def last_day(period: int, by: str) -> int:
    """Days since 1970 of a period's last day.

    >>> last_day(1, "month")
    58
    """
    if by == "day":
        return period
    if by == "week":
        return 7 * (period + 1) - _MONDAY - 1
    step = {"month": 1, "quarter": 3, "year": 12}[by]
    return int(np.array([step * (period + 1)]).view("M8[M]").astype("M8[D]").view(np.int64)[0]) - 1


def period_label(period: int, by: str) -> str:
    """A period in the words of ISO 8601: ``2026-01-31``, ``2026-W05``, ``2026-01``, ``2026``; quarters ``2026-Q1``.

    >>> [period_label(224, by) for by in ("week", "month", "quarter")]
    ['1974-W16', '1988-09', '2026-Q1']
    """
    if by == "week":
        year, week, _ = dt.date.fromordinal(7 * period - _MONDAY + _EPOCH_DAY).isocalendar()
        return f"{year:04d}-W{week:02d}"
    if by == "quarter":
        return f"{1970 + period // 4:04d}-Q{period % 4 + 1}"
    unit = {"day": "D", "month": "M", "year": "Y"}[by]
    return str(np.array([period]).view(f"M8[{unit}]")[0])


def calendar_labels(local: Int64, by: str) -> tuple[Int64, Column]:
    """Number the distinct parts of a calendar in ascending order.

    Args:
        local: shape (n,), microseconds of the clock on the wall.
        by: one of `CALENDAR`; weekdays are those of ISO 8601, 1 is Monday.

    >>> codes, labels = calendar_labels(np.array([0, DAY_US]), "weekday")
    >>> codes.tolist(), labels.tolist()
    ([0, 1], [4, 5])
    """
    days = local // DAY_US
    if by in PERIODS:
        numbers, distinct = numbered(periods_of(days, by))
        return numbers, objects([period_label(period, by) for period in distinct.tolist()])
    numbers, distinct = numbered((days + _MONDAY) % 7 + 1 if by == "weekday" else local % DAY_US // HOUR_US)
    return numbers, objects(distinct.tolist())

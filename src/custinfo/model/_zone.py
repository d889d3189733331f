"""Local days: instants are kept in UTC, but a period and an age are those of somebody's calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from custinfo.errors import InvalidFieldError
from custinfo.model._ledger import aware


def zone_of(time_zone: str | tzinfo) -> tzinfo:
    """The zone of a name of the IANA database; a tzinfo passes through.

    Raises:
        InvalidFieldError: "time.zone".

    >>> zone_of("Asia/Shanghai")
    zoneinfo.ZoneInfo(key='Asia/Shanghai')
    """
    if isinstance(time_zone, tzinfo):
        return time_zone
    try:
        return UTC if time_zone == "UTC" else ZoneInfo(time_zone)
    except (LookupError, OSError, TypeError, ValueError):
        raise InvalidFieldError(
            "no such time zone; give a name of the IANA database such as 'Asia/Shanghai', or a tzinfo",
            code="time.zone",
            path="time_zone",
        ) from None


def local_day(time: datetime, zone: tzinfo) -> date:
    """The day that an instant falls on in a zone; at the ends of the calendar that of UTC."""
    try:
        return time.astimezone(zone).date()
    except OverflowError:
        return time.date()


def edge(value: date | datetime | None, zone: tzinfo, path: str) -> datetime | None:
    """An edge of a period: an instant as it is, a day as its local beginning, None as it is.

    Raises:
        InvalidFieldError: "time.naive", "time.range" for a day that does not begin within the years 1 to 9999.
    """
    if value is None:
        return None
    if type(value) is not date:
        return aware(value, path)
    try:
        # By way of UTC: where clocks go forward at midnight, the day begins at the first time that there is.
        return datetime(value.year, value.month, value.day, tzinfo=zone).astimezone(UTC)
    except OverflowError:
        raise InvalidFieldError(
            f"{path} is outside the years 1 to 9999 in UTC; give a time within", code="time.range", path=path
        ) from None


def days_between(earlier: date, later: date) -> int:
    """Whole days from one day to another, negative where the order is the other way."""
    return (later - earlier) // timedelta(days=1)

"""Ranges of days."""

from datetime import date, datetime

import attrs

from custinfo.model._check import optional_date
from custinfo.model._field import plain
from custinfo.model._rules import fault, in_order


@attrs.frozen
class DateRange:
    """Days from *start* to *end*, both included; None leaves a side open.

    Raises:
        InvalidFieldError: "range.order" where the end is before the start, "range.empty" where neither is given,
            "date.type".

    Source: `start` and `end` are validFrom and validThrough of schema.org.

    >>> from datetime import date
    >>> spring = DateRange(date(2026, 3, 1), date(2026, 5, 31))
    >>> date(2026, 5, 31) in spring, date(2026, 6, 1) in spring
    (True, False)
    """

    start: date | None = plain("first day", "起始日期", default=None, validator=optional_date)
    end: date | None = plain("last day", "终止日期", default=None, validator=optional_date)

    def __attrs_post_init__(self) -> None:
        if self.start is None and self.end is None:
            raise fault("range.empty", "start", "a range needs a start or an end; leave it out where there is neither")
        in_order("range.order", start=self.start, end=self.end)

    def __contains__(self, day: object) -> bool:
        """Whether a day is in the range; of a time, ask for the day in the zone that counts ("date.type")."""
        if not isinstance(day, date) or isinstance(day, datetime):
            raise fault("date.type", "day", f"a range holds dates, not {type(day).__name__}; give the local day")
        return (self.start is None or self.start <= day) and (self.end is None or day <= self.end)

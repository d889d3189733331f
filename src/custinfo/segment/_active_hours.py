"""At which hours of their own day customers are active."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import attrs
import numpy as np

from custinfo._columns import Column, ColumnResult, frozen
from custinfo.errors import InvalidFieldError
from custinfo.segment._labels import HOUR_US
from custinfo.segment._per_customer import shares
from custinfo.segment._rows import AsOf, event_rows, row_of
from custinfo.segment._time import DAY_US
from custinfo.segment._words import check_locale, percent
from custinfo.segment._zones import Zones, own_local_moments, zone_column

__all__ = ["ActiveHours", "BestHours", "active_hours"]

HOURS = 24


@attrs.frozen(kw_only=True)
class BestHours:
    """The hours in which a customer is most often active, and what says so.

    Args:
        start_hour: first hour of the window, 0 to 23, on the customer's own clock.
        width_hours: length of the window; it may run over midnight.
        events: events inside the window.
        total: all events of the customer.
    """

    start_hour: int
    width_hours: int
    events: int
    total: int

    def text(self, locale: str = "en") -> str:
        """The finding as a sentence in English (``"en"``) or Chinese (``"zh"``).

        Raises:
            InvalidFieldError: "locale.unknown".
        """
        until = (self.start_hour + self.width_hours) % HOURS
        span = f"{self.start_hour:02d}:00-{until:02d}:00"
        share = percent(self.events / self.total)
        if check_locale(locale) == "zh":
            return f"当地时间 {span} 最活跃:{self.total:,} 次中有 {self.events:,} 次({share})"
        return f"most active {span} local time: {self.events:,} of {self.total:,} times ({share})"


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ActiveHours(ColumnResult):
    """Events of each customer by hour of the own day, customers ascending by id; made by `active_hours`.

    Args:
        customer_ids: shape (n,).
        counts: shape (n, 24), int64, events in each hour, 0:00 first.
        skipped: rows left out because a value was missing.
    """

    customer_ids: Column
    counts: np.ndarray[tuple[int, int], np.dtype[np.int64]]
    skipped: int

    @property
    def events(self) -> Column:
        """Events of each customer, shape (n,), int64."""
        total: Column = self.counts.sum(axis=1)
        return total

    def best_hours(self, width_hours: int = 1) -> tuple[Column, Column]:
        """First hour of the window with most events, and the share of events inside.

        Of equal windows it is the one with most events in its first hour, then the earliest.

        Args:
            width_hours: length of the window, 1 to 24; it may run over midnight.

        Returns:
            First hour, int64, and share, float64; shape (n,) each.

        Raises:
            InvalidFieldError: "active_hours.width".
        """
        inside = self._windows(width_hours)
        start = self._starts(inside)
        most = np.take_along_axis(inside, start[:, None], axis=1)[:, 0]
        return start, shares(most, self.events)

    def _starts(self, inside: np.ndarray[tuple[int, int], np.dtype[np.int64]]) -> Column:
        weight = int(self.counts.max(initial=0)) + 1  # so that the first hour decides between equal windows only
        start: Column = (inside * weight + self.counts).argmax(axis=1)
        return start

    def _windows(self, width_hours: int) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
        if width_hours not in range(1, HOURS + 1):
            raise InvalidFieldError(
                "width_hours must be an integer of 1 to 24", code="active_hours.width", path="width_hours"
            )
        inside = self.counts.copy()
        for later in range(1, width_hours):
            inside += np.roll(self.counts, -later, axis=1)
        return inside

    def explain(self, customer_id: object, *, width_hours: int = 1) -> BestHours:
        """The best time to reach a customer, and how clear it is.

        Raises:
            RecordNotFoundError: no such customer.
            InvalidFieldError: "active_hours.width".
        """
        row = row_of(self.customer_ids, customer_id)
        inside = self._windows(width_hours)
        start = int(self._starts(inside)[row])
        return BestHours(
            start_hour=start, width_hours=width_hours, events=int(inside[row, start]), total=int(self.counts[row].sum())
        )

    def to_dict(self) -> dict[str, Column]:
        """Name -> array of shape (n,); the hours are ``h00`` ... ``h23``."""
        hour, share = self.best_hours()
        return {
            "customer_id": self.customer_ids,
            "events": self.events,
            "best_hour": hour,
            "best_share": share,
            **{f"h{i:02d}": self.counts[:, i] for i in range(HOURS)},
        }

    def __len__(self) -> int:
        return len(self.customer_ids)

    def __repr__(self) -> str:
        return f"<ActiveHours: {len(self):,} customers, {int(self.counts.sum()):,} events>"


def active_hours(
    data: object,
    *,
    customer: str = "customer_id",
    when: str = "occurred_at",
    zones: Zones = None,
    time_zone: str | dt.tzinfo = "UTC",
    as_of: AsOf = None,
    missing: Literal["raise", "skip"] = "raise",
) -> ActiveHours:
    """Count each customer's events by the hour on the customer's own clock.

    The offset that held in the zone at the moment of the event counts, so summer time is right; in the night when an
    hour comes twice, both fall into that hour, and the one that is left out stays empty. A plain date counts at 0:00.

    Args:
        data: payments, visits or contacts in any form that `rfm` takes; amounts are not looked at.
        customer: column of customer ids.
        when: column of times.
        zones: the own zone of each customer: a mapping of customer id -> zone, or the name of a column with names of
            the IANA database. Whoever has none is in *time_zone*.
        time_zone: zone of all others, and of plain dates.
        as_of: rows after it do not count.
        missing: rows without customer or time: "raise", or "skip" and count them.

    Raises:
        InvalidFieldError: "columns.*", "time.value", "time.zone", "payments.customer", "payments.missing",
            "segment.missing".

    >>> visits = {"customer_id": ["ann", "bob", "ann"],
    ...           "occurred_at": ["2026-07-01T12:30Z", "2026-07-01T12:30Z", "2026-01-01T13:30Z"]}
    >>> table = active_hours(visits, zones={"ann": "America/New_York", "bob": "Asia/Shanghai"})
    >>> table.best_hours()[0].tolist()
    [8, 20]
    >>> table.explain("ann").text()
    'most active 08:00-09:00 local time: 2 of 2 times (100.0 %)'
    """
    rows = event_rows(
        data,
        customer=customer,
        when=when,
        as_of=as_of,
        time_zone=time_zone,
        missing=missing,
        extra=zone_column(zones),
    )
    hours = own_local_moments(rows, zones) % DAY_US // HOUR_US
    counts = np.bincount(rows.codes * HOURS + hours, minlength=HOURS * len(rows.customers))
    counts = counts.astype(np.int64, copy=False).reshape(-1, HOURS)
    counts.flags.writeable = False
    return ActiveHours(customer_ids=frozen(rows.customers), counts=counts, skipped=rows.skipped)

"""Habits: how often, how much, at which intervals, by which method, where and when customers pay."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Literal

import attrs
import numpy as np

from custinfo._columns import Column, ColumnResult, frozen
from custinfo.segment._kernel import counts, exact_sums
from custinfo.segment._labels import HOUR_US, labelled, objects
from custinfo.segment._per_customer import (
    firsts_and_lasts,
    float_medians,
    mean_half_even,
    medians,
    modes,
    run_starts,
    shares,
    sorted_within,
)
from custinfo.segment._rows import AsOf, Rows, payment_rows
from custinfo.segment._time import DAY_US
from custinfo.segment._zones import Zones, own_local_moments, zone_column

__all__ = ["Behaviour", "behaviour"]

_WEEKDAY_OF_EPOCH = 3  # Thursday, counted from Monday = 0


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Behaviour(ColumnResult):
    """Habits of each customer, ascending by id; made by `behaviour`. Every column has shape (n,).

    Args:
        customer_ids: ids.
        frequency: int64, purchases.
        refunds: int64, refund rows.
        spent_minor: int64, sum of purchases, minor units.
        refunded_minor: int64, sum of refunds, not positive.
        mean_minor: int64, mean purchase, rounded half even; 0 without purchases.
        median_minor: int64, median purchase, between two middle ones their mean rounded half even; 0 without purchases.
        first: datetime64[us] in UTC, first purchase; NaT without.
        last: datetime64[us] in UTC, last purchase.
        purchase_days: int64, different days with a purchase.
        interval_days: mean interval between such days; NaN with fewer than two.
        median_interval_days: median interval between such days.
        best_hour: int64, hour of the own clock with most purchases, of equal ones the first; -1 without purchases.
        best_hour_share: part of the purchases in that hour.
        best_weekday: int64, the same for days of the week, 1 is Monday.
        best_weekday_share: part of the purchases on that weekday.
        method: objects, most frequent payment method, of equal ones the first in sorted order; None of none. No array
            where the table has no such column.
        method_share: its part of the purchases that name one; NaN of none.
        merchant: objects, the same for merchants.
        merchant_share: its part of the purchases that name one.
        currency: of the money; None: unknown.
        skipped: rows left out because a value was missing.
    """

    customer_ids: Column
    frequency: Column
    refunds: Column
    spent_minor: Column
    refunded_minor: Column
    mean_minor: Column
    median_minor: Column
    first: Column
    last: Column
    purchase_days: Column
    interval_days: Column
    median_interval_days: Column
    best_hour: Column
    best_hour_share: Column
    best_weekday: Column
    best_weekday_share: Column
    method: Column | None = None
    method_share: Column | None = None
    merchant: Column | None = None
    merchant_share: Column | None = None
    currency: str | None
    skipped: int

    def to_dict(self) -> dict[str, Column]:
        """Name -> array of shape (n,)."""
        names = [field.name for field in attrs.fields(Behaviour)][1:-2]
        columns = {"customer_id": self.customer_ids, **{name: getattr(self, name) for name in names}}
        return {name: column for name, column in columns.items() if column is not None}

    def __len__(self) -> int:
        return len(self.customer_ids)

    def __repr__(self) -> str:
        return f"<Behaviour: {len(self):,} customers, {int(self.frequency.sum()):,} purchases>"

    def _title(self) -> str:
        return f"Behaviour{'' if self.currency is None else f' ({self.currency})'}: {len(self):,} customers"


def behaviour(
    data: object,
    *,
    customer: str = "customer_id",
    when: str = "occurred_at",
    amount: str = "amount",
    amount_minor: str | None = None,
    currency: str | None = None,
    rates: Mapping[str, object] | None = None,
    method: str | None = None,
    merchant: str | None = None,
    zones: Zones = None,
    time_zone: str | dt.tzinfo = "UTC",
    as_of: AsOf = None,
    missing: Literal["raise", "skip"] = "raise",
) -> Behaviour:
    """Describe how each customer buys.

    A negative amount is a refund; all habits are those of purchases. A customer with refunds only has frequency 0.

    Args:
        data: payments in any form that `rfm` takes.
        customer: column of customer ids.
        when: column of times.
        amount: column of amounts in major units.
        amount_minor: column of integers in minor units, instead of *amount*.
        currency: column of currency codes.
        rates: rates into one currency, as for `rfm`.
        method: column of payment methods; left out, "method" where there is one.
        merchant: column of merchants; left out, "merchant" where there is one.
        zones: the own zone of each customer, for days, weekdays and hours: a mapping of customer id -> zone, or the
            name of a column. Whoever has none is in *time_zone*.
        time_zone: zone of all others, and of plain dates.
        as_of: rows after it do not count.
        missing: rows without customer, time, amount or currency: "raise", or "skip" and count them.

    Raises:
        InvalidFieldError: as `rfm`; "time.zone", "segment.labels".
        AmountOverflowError: a sum that does not fit in 64 bits.

    >>> payments = {
    ...     "customer_id": ["ann", "ann", "ann", "bob"],
    ...     "occurred_at": ["2026-01-01T09:00Z", "2026-01-05T09:30Z", "2026-01-11T20:00Z", "2026-01-31"],
    ...     "amount": ["10", "20", "31", "-7"],
    ...     "method": ["card", "wallet", "card", "card"],
    ... }
    >>> table = behaviour(payments)
    >>> table.frequency.tolist(), table.mean_minor.tolist(), table.interval_days.tolist()
    ([3, 0], [2033, 0], [5.0, nan])
    >>> table.method.tolist(), table.method_share.round(3).tolist(), table.best_hour.tolist()
    (['card', None], [0.667, nan], [9, -1])
    """
    rows = payment_rows(
        data,
        customer=customer,
        when=when,
        amount=amount,
        amount_minor=amount_minor,
        currency=currency,
        rates=rates,
        as_of=as_of,
        time_zone=time_zone,
        missing=missing,
        extra=[name for name in (method, merchant, *zone_column(zones)) if name is not None],
        optional=[name for name, given in (("method", method), ("merchant", merchant)) if given is None],
    )
    bought = rows.only(~rows.refund)
    favourites: dict[str, Column] = {}
    for word, name in (("method", method or "method"), ("merchant", merchant or "merchant")):
        if name in bought.extra:
            favourites |= _favourite(bought, name, word)
    columns = {**_money(rows, bought), **_times(bought, own_local_moments(bought, zones)), **favourites}
    return Behaviour(
        customer_ids=frozen(rows.customers),
        **{name: frozen(column) for name, column in columns.items()},
        currency=rows.currency,
        skipped=rows.skipped,
    )


def _money(rows: Rows, bought: Rows) -> dict[str, Column]:
    size = len(rows.customers)
    returned = rows.only(rows.refund)
    frequency = counts(bought.codes, size)
    spent = exact_sums(bought.codes, bought.minor, size)
    return {
        "frequency": frequency,
        "refunds": counts(returned.codes, size),
        "spent_minor": spent,
        "refunded_minor": exact_sums(returned.codes, returned.minor, size),
        "mean_minor": mean_half_even(spent, frequency),
        "median_minor": medians(bought.codes, bought.minor, size),
    }


def _times(bought: Rows, local: Column) -> dict[str, Column]:
    size = len(bought.customers)
    first, last = firsts_and_lasts(bought.codes, bought.moments, size)
    never = counts(bought.codes, size) == 0
    moments = {}
    for name, moment in (("first", first), ("last", last)):
        moments[name] = moment.view("M8[us]")
        moments[name][never] = np.datetime64("NaT")
    days = local // DAY_US
    code, day = sorted_within(bought.codes, days)
    distinct = run_starts(code, day)
    code, day = code[distinct], day[distinct]
    next_is_mine = code[1:] == code[:-1]
    gap, gap_code = (day[1:] - day[:-1])[next_is_mine], code[1:][next_is_mine]
    hour, in_hour = modes(bought.codes, local % DAY_US // HOUR_US, 24, size)
    weekday, on_weekday = modes(bought.codes, (days + _WEEKDAY_OF_EPOCH) % 7, 7, size)
    frequency = counts(bought.codes, size)
    return {
        **moments,
        "purchase_days": counts(code, size),
        "interval_days": shares(exact_sums(gap_code, gap, size), counts(gap_code, size)),
        "median_interval_days": float_medians(gap_code, gap, size),
        "best_hour": hour,
        "best_hour_share": shares(in_hour, frequency),
        "best_weekday": np.where(weekday < 0, -1, weekday + 1),
        "best_weekday_share": shares(on_weekday, frequency),
    }


def _favourite(bought: Rows, name: str, word: str) -> dict[str, Column]:
    size = len(bought.customers)
    codes, labels = labelled(bought.extra[name], name=name)
    known = np.ones(len(codes), np.bool_)
    if len(labels) and labels[-1] is None:
        known = codes != len(labels) - 1
    label, often = modes(bought.codes[known], codes[known], len(labels), size)
    of_number = objects([*labels.tolist(), None])
    return {word: of_number[label], f"{word}_share": shares(often, counts(bought.codes[known], size))}

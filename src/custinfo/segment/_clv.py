"""From payments to purchase histories, and from fitted models to the value of each customer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any, Literal

import attrs
import numpy as np

from custinfo._columns import Column, ColumnResult, frozen, read_columns
from custinfo.errors import InvalidFieldError
from custinfo.model import minor_digits, zone_of
from custinfo.segment._bg_nbd import BgNbd
from custinfo.segment._distinct import with_places
from custinfo.segment._gamma_gamma import GammaGamma
from custinfo.segment._histories import histories, numbers
from custinfo.segment._kernel import exact_sums, group
from custinfo.segment._money import Rates
from custinfo.segment._pareto_nbd import ParetoNbd
from custinfo.segment._payments import PaymentColumns, read_payments
from custinfo.segment._time import as_of_instant, local_days

TYPE_CHECKING = False
if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vector = NDArray[np.float64]

__all__ = ["Summary", "customer_lifetime_value", "summary"]

_MOST = 100_000  # periods; each takes as long as a prediction
_HISTORY = ("frequency", "recency", "age", "monetary")
_UNIT_DAYS = {"day": 1.0, "week": 7.0, "month": 365.25 / 12, "year": 365.25}


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Summary(ColumnResult):
    """Purchase history of each customer, ascending by id; made by `summary`.

    Args:
        customer_ids: shape (n,).
        frequency: shape (n,), int64, days with a purchase after the first such day.
        recency: shape (n,), from the first to the last day with a purchase, in *unit*.
        age: shape (n,), from the first such day to the end, in *unit*.
        monetary: shape (n,), mean of the totals of the repeat days in major units; 0 without.
        unit: unit of time.
        currency: of the money; None: unknown.
    """

    customer_ids: Column
    frequency: Column
    recency: Column
    age: Column
    monetary: Column
    unit: str
    currency: str | None

    def to_dict(self) -> dict[str, Column]:
        """Name -> array of shape (n,)."""
        return {
            "customer_id": self.customer_ids,
            "frequency": self.frequency,
            "recency": self.recency,
            "age": self.age,
            "monetary": self.monetary,
        }

    def __repr__(self) -> str:
        return f"<Summary: {len(self):,} customers, {int(self.frequency.sum()):,} repeat days, unit {self.unit}>"


def summary(
    data: object,
    *,
    customer: str = "customer_id",
    when: str = "occurred_at",
    amount: str = "amount",
    amount_minor: str | None = None,
    currency: str | None = None,
    rates: Mapping[str, object] | None = None,
    end: dt.datetime | dt.date | np.datetime64 | str | None = None,
    unit: Literal["day", "week", "month", "year"] = "week",
    time_zone: str | dt.tzinfo = "UTC",
) -> Summary:
    """Purchase history of each customer: frequency, recency, age and mean value, as the CLV models take them.

    All purchases of one day in *time_zone* are one; refunds (negative amounts) are left out.

    Args:
        data: payments in any form that `rfm` takes.
        customer: column of customer ids.
        when: column of times.
        amount: column of amounts in major units.
        amount_minor: column of integers in minor units, instead of *amount*.
        currency: column of currency codes.
        rates: rates into one currency, as for `rfm`.
        end: end of the observation; later rows do not count. The latest time by default.
        unit: unit of time of recency and age.
        time_zone: zone that decides on which day a payment was.

    Raises:
        InvalidFieldError: as `rfm`; "clv.unit".

    Source: Fader and Hardie, Creating an RFM Summary Using Excel, 2008.

    >>> days = ["2026-01-01", "2026-01-08", "2026-01-15", "2026-01-08"]
    >>> payments = {"customer_id": [1, 1, 1, 2], "occurred_at": days, "amount": [10, 20, 30, 5]}
    >>> table = summary(payments, end="2026-01-29")
    >>> table.frequency.tolist(), table.recency.tolist(), table.age.tolist(), table.monetary.tolist()
    ([2, 0], [2.0, 0.0], [4.0, 3.0], [25.0, 0.0])
    """
    if unit not in _UNIT_DAYS:
        raise InvalidFieldError(f"unit must be one of {', '.join(_UNIT_DAYS)}", code="clv.unit", path="unit")
    zone = zone_of(time_zone)
    spec = PaymentColumns(
        customer=customer,
        when=when,
        amount=amount,
        amount_minor=amount_minor,
        currency=currency,
        rates=None if rates is None else Rates.of(rates),
        zone=zone,
        skip_missing=False,
    )
    until = None if end is None else as_of_instant(end, zone)
    payments = read_payments(data, spec, until=until)
    ids: Any = payments.customers
    days, minor, money = np.empty(0, np.int64), np.empty(0), None
    last_day = 0
    if len(ids):
        piece = payments.piece(0, len(ids))
        if piece.rows is not None:
            ids = ids[piece.rows]
        days, minor = local_days(piece.moments, zone), piece.minor
        if len(days):
            latest = int(piece.moments.max()) if until is None else until
            last_day = int(local_days(np.array([latest]), zone)[0])
        if piece.refund is not None:
            ids, days, minor = ids[~piece.refund], days[~piece.refund], minor[~piece.refund]
        money = payments.one_currency(piece.currencies)
    return _summarised(ids, days, minor, last_day=last_day, unit=unit, currency=money)


def _summarised(ids: Any, days: Any, minor: Any, *, last_day: int, unit: str, currency: str | None) -> Summary:
    codes, unique = group(ids)
    order = np.lexsort((days, codes))
    codes, days, minor = codes[order], days[order], minor[order]
    new = np.ones(len(codes), np.bool_)
    new[1:] = (codes[1:] != codes[:-1]) | (days[1:] != days[:-1])
    day_of = np.cumsum(new) - 1  # rows of one customer and day are one purchase
    customer, day = codes[new], days[new]
    total = exact_sums(day_of, minor, len(customer))
    first = np.ones(len(customer), np.bool_)
    first[1:] = customer[1:] != customer[:-1]
    starts = np.flatnonzero(first)
    ends = np.append(starts[1:], len(customer)) - 1 if len(starts) else starts
    frequency = ends - starts
    repeat = exact_sums(customer[~first], total[~first], len(unique))
    scale = 10.0 ** (2 if currency is None else minor_digits(currency))
    length = _UNIT_DAYS[unit]
    return Summary(
        customer_ids=frozen(unique),
        frequency=frozen(frequency.astype(np.int64)),
        recency=frozen((day[ends] - day[starts]) / length),
        age=frozen((last_day - day[starts]) / length),
        monetary=frozen(np.where(frequency > 0, repeat / np.maximum(frequency, 1) / scale, 0.0)),
        unit=unit,
        currency=currency,
    )


def customer_lifetime_value(
    purchases: BgNbd | ParetoNbd,
    value: GammaGamma,
    customers: Summary | object,
    *,
    periods: int = 12,
    period_length: float = 1.0,
    discount_rate: float = 0.01,
    margin: float = 1.0,
) -> Vector:
    """Expected discounted money from each customer over the next periods.

    Args:
        purchases: the fitted model of purchases.
        value: the fitted model of their value.
        customers: histories with columns frequency, recency, age and monetary, in the units of the models; a `Summary`
            or a table of any form that `rfm` takes.
        periods: how many periods to look ahead, 1 to 100,000.
        period_length: length of a period in the model's unit of time (a month of weeks is 4.345).
        discount_rate: per period; money of period i counts 1 / (1 + rate)**i.
        margin: share of the money that counts.

    Returns:
        Shape (n,), major units of money, >= 0; infinite where the value model has no mean (q <= 1).

    Raises:
        InvalidFieldError: "clv.value", "clv.shape", "columns.missing".

    Source: Fader, Hardie and Lee, RFM and CLV, Journal of Marketing Research 42(4), 2005, by periods.

    >>> table = {"frequency": [2], "recency": [30.43], "age": [38.86], "monetary": [22.35]}
    >>> model, value = BgNbd(r=0.2426, alpha=4.4136, a=0.7929, b=2.4259), GammaGamma(p=6.25, q=3.74, v=15.44)
    >>> customer_lifetime_value(model, value, table, period_length=4.345).round(1).tolist()
    [36.3]
    """
    _one(periods, "periods", f"be a whole number from 1 to {_MOST:,}", lambda it: 1 <= it <= _MOST and it % 1 == 0)
    _one(period_length, "period_length", "be > 0", lambda it: it > 0)
    _one(discount_rate, "discount_rate", "be > -1", lambda it: it > -1)
    _one(margin, "margin", "be >= 0", lambda it: it >= 0)
    columns = customers.to_dict() if isinstance(customers, Summary) else read_columns(customers, list(_HISTORY))
    x, last, age = (np.ravel(column) for column in histories(*(columns[name] for name in _HISTORY[:3])))
    (x, last, age), places = with_places([x, last, age])
    before, total = np.zeros(len(x)), np.zeros(len(x))
    for i in range(1, int(periods) + 1):
        until = purchases.expected_purchases(i * period_length, x, last, age)
        total += np.maximum(until - before, 0) / (1 + float(discount_rate)) ** i
        before = until
    total = total[places] * margin
    worth: Vector = value.expected_value(x[places], columns["monetary"])
    bounded = np.isfinite(worth)
    worth[bounded] *= total[bounded]
    worth[~bounded & (total == 0)] = 0.0  # nothing times a mean without bound
    return worth


def _one(value: object, name: str, rule: str, holds: Callable[[float], bool]) -> None:
    number = numbers(value, name)
    if number.ndim or not holds(float(number)):
        raise InvalidFieldError(f"{name} must {rule}", code="clv.value", path=name)

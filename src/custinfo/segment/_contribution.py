"""How unevenly money comes from customers: Pareto shares, ABC classes, Gini coefficient."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Literal

import attrs
import numpy as np

from custinfo._columns import Column, ColumnResult, frozen
from custinfo.errors import InvalidFieldError
from custinfo.segment._kernel import exact_sums
from custinfo.segment._labels import objects
from custinfo.segment._rows import AsOf, payment_rows
from custinfo.segment._spending import without_refunds

__all__ = ["Contribution", "contribution"]

_HALF = 32


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Contribution(ColumnResult):
    """What each customer contributes, the largest first, of equal ones in order of ids; made by `contribution`.

    Args:
        customer_ids: shape (n,).
        amount_minor: shape (n,), int64, sum of the customer, minor units; may be negative.
        share: shape (n,), part of the sum of all positive amounts; 0 for a negative one. The shares add up to 1.
        cumulative_share: shape (n,), share of this customer and of all before.
        abc: shape (n,), objects, "A", "B" or "C".
        gini: Gini coefficient of the amounts, negative ones as 0: 0 all alike, near 1 all from one; NaN of nothing.
        total_minor: sum of all positive amounts.
        negative_minor: sum of the negative amounts, which are in no share.
        negative_customers: how many customers have one.
        limits: cumulative shares at which class A and class B end.
        currency: of the money; None: unknown.
        skipped: rows left out because a value was missing.
    """

    customer_ids: Column
    amount_minor: Column
    share: Column
    cumulative_share: Column
    abc: Column
    gini: float
    total_minor: int
    negative_minor: int
    negative_customers: int
    limits: tuple[float, float]
    currency: str | None
    skipped: int

    def to_dict(self) -> dict[str, Column]:
        """Name -> array of shape (n,)."""
        return {
            "customer_id": self.customer_ids,
            "amount_minor": self.amount_minor,
            "share": self.share,
            "cumulative_share": self.cumulative_share,
            "abc": self.abc,
        }

    def top_share(self, part: float) -> float:
        """What the largest *part* of customers contribute, as part of all; the number of customers is rounded up.

        Args:
            part: 0 to 1, such as 0.2 for a fifth of the customers.

        Raises:
            InvalidFieldError: "contribution.part".
        """
        if not 0 <= part <= 1:
            raise InvalidFieldError("part must be a fraction of 0 to 1", code="contribution.part", path="part")
        number = -(-Fraction(str(float(part))) * len(self) // 1)
        return float(self.cumulative_share[number - 1]) if number else 0.0

    def counts(self) -> dict[str, int]:
        """Customers in each class."""
        return {name: int((self.abc == name).sum()) for name in "ABC"}

    def __repr__(self) -> str:
        return (
            f"<Contribution: {len(self):,} customers, {self.total_minor:,} minor units, "
            f"top 20 % bring {100 * self.top_share(0.2):.1f} %, Gini {self.gini:.3f}>"
        )

    def _title(self) -> str:
        negative = f"; {self.negative_customers:,} with negative sums not in the shares" * bool(self.negative_customers)
        return f"Contribution: {len(self):,} customers, Gini {self.gini:.3f}{negative}"

    def plot(self) -> Any:
        """The curve of cumulated shares with the ABC classes; needs ``custinfo[plot]``.

        Returns:
            The matplotlib figure.
        """
        from custinfo.segment._plot import contribution_curve

        return contribution_curve(self)


def contribution(
    data: object,
    *,
    limits: tuple[float, float] = (0.8, 0.95),
    customer: str = "customer_id",
    when: str = "occurred_at",
    amount: str = "amount",
    amount_minor: str | None = None,
    currency: str | None = None,
    rates: Mapping[str, object] | None = None,
    as_of: AsOf = None,
    refunds: Literal["net", "exclude"] = "net",
    time_zone: str | dt.tzinfo = "UTC",
    missing: Literal["raise", "skip"] = "raise",
) -> Contribution:
    """Rank customers by what they contribute to all money.

    Class A are the largest customers until they bring 80 % together, with the one who crosses that line, class B the
    next ones until 95 %, class C the rest. The comparison is made in whole minor units, never in rounded shares.

    A customer whose refunds exceed the purchases has a negative sum. It stays in *amount_minor*, but counts as 0 in
    shares, curve and Gini coefficient, so that shares are never negative and add up to 100 %; *negative_minor* and
    *negative_customers* say how much that is.

    Args:
        data: payments in any form that `rfm` takes.
        limits: cumulative shares at which class A and class B end, ascending, between 0 and 1.
        customer: column of customer ids, or of merchants, products ...: whatever is to be ranked.
        when: column of times.
        amount: column of amounts in major units.
        amount_minor: column of integers in minor units, instead of *amount*.
        currency: column of currency codes.
        rates: rates into one currency, as for `rfm`.
        as_of: rows after it do not count.
        refunds: "net" (negative amounts are subtracted) or "exclude" (they do not exist).
        time_zone: zone of plain dates.
        missing: rows without customer, time, amount or currency: "raise", or "skip" and count them.

    Raises:
        InvalidFieldError: as `rfm`; "contribution.limits", "segment.refunds".
        AmountOverflowError: a sum that does not fit in 64 bits.

    Source: Gini coefficient of a finite population, G = 2 sum(i x_i) / (n sum(x)) - (n + 1) / n with x ascending:
    Sen, On Economic Inequality, 1973. ABC analysis: Dickie, ABC Inventory Analysis Shoots for Dollars, 1951.

    >>> payments = {"customer_id": ["ann", "bob", "eve", "dan"], "occurred_at": ["2026-01-31"] * 4,
    ...             "amount": [79, 15, 6, -3]}
    >>> table = contribution(payments)
    >>> table.share.tolist(), table.abc.tolist(), round(table.gini, 4)
    ([0.79, 0.15, 0.06, 0.0], ['A', 'A', 'B', 'C'], 0.615)
    >>> table.negative_minor, table.top_share(0.25)
    (-300, 0.79)
    """
    upper = _limits(limits)
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
    )
    rows = without_refunds(rows, refunds)
    size = len(rows.customers)
    seen = np.bincount(rows.codes, minlength=size) > 0
    sums = exact_sums(rows.codes, rows.minor, size)[seen]
    order = np.argsort(np.invert(sums), kind="stable")  # the largest first; the lowest integer has no other sign
    sums = sums[order]
    positive = np.maximum(sums, 0)
    total = total_of(positive)
    cumulative = np.cumsum(positive)
    return Contribution(
        customer_ids=frozen(rows.customers[seen][order]),
        amount_minor=frozen(sums),
        share=frozen(positive / max(total, 1)),
        cumulative_share=frozen(cumulative / max(total, 1)),
        abc=frozen(_classes(cumulative - positive, positive, total, upper)),
        gini=gini_of(positive[::-1]),
        total_minor=total,
        negative_minor=total_of(np.minimum(sums, 0)),
        negative_customers=int((sums < 0).sum()),
        limits=(float(limits[0]), float(limits[1])),
        currency=rows.currency,
        skipped=rows.skipped,
    )


def _limits(given: tuple[float, float]) -> tuple[Fraction, Fraction]:
    try:
        first, second = (Fraction(str(limit)) for limit in given)
    except (TypeError, ValueError):
        first, second = Fraction(1), Fraction(0)
    if not 0 < first < second <= 1:
        raise InvalidFieldError(
            "limits must be two fractions, 0 < end of A < end of B <= 1, such as (0.8, 0.95)",
            code="contribution.limits",
            path="limits",
        )
    return first, second


def _classes(before: Column, amounts: Column, total: int, limits: tuple[Fraction, Fraction]) -> Column:
    # whole numbers below limit * total are those up to ceil(limit * total) - 1
    ends = [-(-limit * total // 1) for limit in limits]
    number = (before >= ends[0]).astype(np.int64) + (before >= ends[1])
    number[amounts == 0] = 2
    return objects(["A", "B", "C"])[number]


def total_of(values: Column) -> int:
    """The exact sum of integers.

    Raises:
        AmountOverflowError: it does not fit in 64 bits.
    """
    return int(exact_sums(np.zeros(len(values), np.int64), values, 1)[0])


def gini_of(ascending: Column) -> float:
    """The Gini coefficient of amounts that are not negative; NaN where they add up to nothing.

    Args:
        ascending: shape (n,), int64, sorted; their sum fits in 64 bits.

    >>> gini_of(np.array([1, 1, 1])), gini_of(np.array([0, 0, 0, 8]))
    (0.0, 0.75)
    """
    n, total = len(ascending), int(ascending.sum()) if len(ascending) else 0
    if not total:
        return float("nan")
    # sum(i x_i) = (n + 1) sum(x) - sum of the cumulated sums, which are added in halves so that nothing overflows
    cumulative = np.cumsum(ascending)
    of_sums = (int((cumulative >> _HALF).sum()) << _HALF) + int((cumulative & (2**_HALF - 1)).sum())
    return float(Fraction(2 * ((n + 1) * total - of_sums), n * total) - Fraction(n + 1, n))

"""What a customer chooses more often than others do: lift, smoothed."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import attrs
import numpy as np

from custinfo._columns import Column, ColumnResult, frozen
from custinfo.errors import InvalidFieldError
from custinfo.segment._kernel import counts
from custinfo.segment._labels import labelled, objects
from custinfo.segment._per_customer import pair_counts
from custinfo.segment._rows import AsOf, event_rows, row_of
from custinfo.segment._words import check_locale, percent

__all__ = ["Affinity", "AffinityExplanation", "affinity"]


@attrs.frozen(kw_only=True)
class AffinityExplanation:
    """How a customer's choice compares with everybody's.

    Args:
        value: what was chosen, such as a merchant.
        count: times the customer chose it.
        total: choices of the customer.
        base_share: its share of all customers' choices.
        smoothing: choices like everybody's that are added to the customer's own.
        lift: smoothed share of the customer, divided by *base_share*.
    """

    value: object
    count: int
    total: int
    base_share: float
    smoothing: float
    lift: float

    def text(self, locale: str = "en") -> str:
        """The comparison as a sentence in English (``"en"``) or Chinese (``"zh"``).

        Raises:
            InvalidFieldError: "locale.unknown".
        """
        base = percent(self.base_share)
        if check_locale(locale) == "zh":
            return f"{self.value}:{self.total:,} 次中 {self.count:,} 次,全体占 {base};平滑后的提升度 {self.lift:.2f}"
        return f"{self.value}: {self.count:,} of {self.total:,} times, {base} among all; smoothed lift {self.lift:.2f}"


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Affinity(ColumnResult):
    """Smoothed lift of each customer and value that occur together, ascending by both; made by `affinity`.

    Args:
        customer_ids: shape (n,).
        value: shape (n,), objects.
        count: shape (n,), int64, times that the customer chose the value.
        share: shape (n,), part of the customer's choices.
        lift: shape (n,), float64, smoothed; 1 is like everybody.
        dimension: the column that the values are of.
        smoothing: choices like everybody's that are added to each customer's own.
        base: value -> its share of all choices.
        skipped: rows left out because customer, time or value was missing.
    """

    customer_ids: Column
    value: Column
    count: Column
    share: Column
    lift: Column
    dimension: str
    smoothing: float
    base: dict[object, float]
    skipped: int

    def to_dict(self) -> dict[str, Column]:
        """Name -> array of shape (n,)."""
        return {
            "customer_id": self.customer_ids,
            "value": self.value,
            "count": self.count,
            "share": self.share,
            "lift": self.lift,
        }

    def __repr__(self) -> str:
        return f"<Affinity to {self.dimension}: {len(self):,} pairs, {len(self.base):,} values>"

    def _title(self) -> str:
        return f"Affinity to {self.dimension}: {len(self):,} pairs of customer and value"

    def _rows_of(self, customer_id: object) -> slice:
        first = row_of(self.customer_ids, customer_id)
        return slice(first, first + int((self.customer_ids[first:] == customer_id).sum()))

    def top(self, customer_id: object, limit: int = 3) -> list[AffinityExplanation]:
        """What a customer prefers: values with the highest lift, of equal ones the more frequent, then by value.

        Raises:
            RecordNotFoundError: no such customer.
        """
        mine = self._rows_of(customer_id)
        order = np.lexsort((-self.count[mine], -self.lift[mine]))[:limit]
        return [self.explain(customer_id, self.value[mine][i]) for i in order]

    def explain(self, customer_id: object, value: object) -> AffinityExplanation:
        """How a customer's choice of a value compares with everybody's; also of one never chosen.

        Raises:
            RecordNotFoundError: no such customer.
            InvalidFieldError: "affinity.value" (nobody chose it).
        """
        mine = self._rows_of(customer_id)
        if not _hashable(value) or value not in self.base:
            raise InvalidFieldError(
                f"nobody chose this value; column {self.dimension!r} has {len(self.base):,} others",
                code="affinity.value",
                path="value",
            )
        found = np.flatnonzero(self.value[mine] == value)
        count, total = int(self.count[mine][found].sum()), int(self.count[mine].sum())
        base = self.base[value]
        return AffinityExplanation(
            value=value,
            count=count,
            total=total,
            base_share=base,
            smoothing=self.smoothing,
            lift=(count / base + self.smoothing) / (total + self.smoothing),
        )


def _hashable(value: object) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


def affinity(
    data: object,
    *,
    dimension: str = "merchant",
    smoothing: float = 5.0,
    customer: str = "customer_id",
    when: str = "occurred_at",
    as_of: AsOf = None,
    time_zone: str | dt.tzinfo = "UTC",
    missing: Literal["raise", "skip"] = "raise",
) -> Affinity:
    """Compare each customer's choices with everybody's.

    With n(c, v) choices of value v by customer c, n(c) choices of c, N(v) of v, N of all, p(v) = N(v) / N and a
    smoothing of k choices that are like everybody's::

        lift(c, v) = [n(c, v) + k p(v)] / [n(c) + k] / p(v)

    So 1 is like everybody, 2 twice as often; a customer with few choices stays near 1, and lift stays between
    k / (n + k) and 1 / p. Without smoothing (k = 0) it is the lift of association rules.

    Args:
        data: payments, visits or contacts in any form that `rfm` takes; amounts are not looked at.
        dimension: column of what is chosen: merchant, category, method, channel ...
        smoothing: k, at least 0.
        customer: column of customer ids.
        when: column of times.
        as_of: rows after it do not count.
        time_zone: zone of plain dates.
        missing: rows without customer or time: "raise", or "skip" and count them. Rows without value are left out
            and counted in any case.

    Raises:
        InvalidFieldError: "columns.*", "time.*", "payments.customer", "payments.missing", "segment.labels",
            "affinity.smoothing".

    Source: lift after Brin, Motwani, Ullman and Tsur, Dynamic Itemset Counting, 1997 (there: interest); smoothing by
    the m-estimate of Cestnik, Estimating Probabilities, 1990, with the share among all as prior.

    >>> payments = {"customer_id": ["ann"] * 4 + ["bob"] * 4, "occurred_at": ["2026-01-31"] * 8,
    ...             "merchant": ["tea", "tea", "tea", "books", "books", "books", "tea", "games"]}
    >>> table = affinity(payments, smoothing=4)
    >>> list(zip(table.customer_ids.tolist(), table.value.tolist(), table.lift.tolist()))
    [('ann', 'books', 0.8333333333333333), ('ann', 'tea', 1.25), ('bob', 'books', 1.1666666666666665), ...]
    >>> table.top("bob")[0].text()
    'games: 1 of 4 times, 12.5 % among all; smoothed lift 1.50'
    """
    if not 0 <= smoothing < float("inf"):
        raise InvalidFieldError(
            "smoothing must be a finite number of at least 0", code="affinity.smoothing", path="smoothing"
        )
    smoothing = float(smoothing)
    rows = event_rows(
        data, customer=customer, when=when, as_of=as_of, time_zone=time_zone, missing=missing, extra=(dimension,)
    )
    codes, labels = labelled(rows.extra[dimension], name=dimension)
    unnamed = 0
    if len(labels) and labels[-1] is None:
        known = codes != len(labels) - 1
        unnamed = len(codes) - int(known.sum())
        rows, codes, labels = rows.only(known), codes[known], labels[:-1]
    who, what, count = pair_counts(rows.codes, codes, len(labels))
    total = counts(rows.codes, len(rows.customers))[who]
    base = counts(codes, len(labels)) / max(len(codes), 1)
    return Affinity(
        customer_ids=frozen(rows.customers[who]),
        value=frozen(labels[what] if len(labels) else objects([])),
        count=frozen(count),
        share=frozen(count / total),
        lift=frozen((count / base[what] + smoothing) / (total + smoothing)),
        dimension=dimension,
        smoothing=smoothing,
        base=dict(zip(labels.tolist(), base.tolist(), strict=True)),
        skipped=rows.skipped + unnamed,
    )

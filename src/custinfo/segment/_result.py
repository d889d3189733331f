"""The result of RFM: columns per customer, edges, explanations, and the state that later payments join."""

from __future__ import annotations

import datetime as dt
from typing import Any

import attrs
import numpy as np

from custinfo._columns import Column, ColumnResult, frozen
from custinfo.errors import InvalidFieldError
from custinfo.segment._explain import RfmExplanation, parts_of
from custinfo.segment._money import INT64_MAX
from custinfo.segment._names import SegmentRule, matching_rule
from custinfo.segment._payments import PaymentColumns, read_payments
from custinfo.segment._rows import row_of
from custinfo.segment._scoring import Edges, bins_of, fit_edges, score
from custinfo.segment._state import State, merge, state_of
from custinfo.segment._time import NAT, local_days

__all__ = ["Rfm", "Settings", "result_of"]

_UNIX_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@attrs.frozen(kw_only=True)
class Settings:
    """How an RFM table was asked for; later payments are read and scored the same way."""

    columns: PaymentColumns
    as_of: int | None
    bins: int
    scoring: str
    edges: Edges | None
    refunds: str
    rules: tuple[SegmentRule, ...]
    locale: str


_same = attrs.cmp_using(eq=np.array_equal)


@attrs.frozen(kw_only=True, repr=False)
class Rfm(ColumnResult):
    """Recency, frequency and monetary value of each customer, ascending by id; made by `rfm`.

    Args:
        customer_ids: shape (n,), int64 or objects.
        recency_days: shape (n,), calendar days from the last purchase to *as_of*.
        frequency: shape (n,), purchases.
        monetary_minor: shape (n,), minor units of *currency*.
        r: shape (n,), int8, recency score, 1 is the worst.
        f: shape (n,), int8, frequency score.
        m: shape (n,), int8, monetary score.
        edges: "r", "f", "m" -> edges; for nested scoring f -> {r: edges}, m -> {(r, f): edges}.
        as_of: the instant that recency is counted to; None without payments.
        currency: of the money; None where the table named none.
        skipped: rows left out because a value was missing.
    """

    customer_ids: Column = attrs.field(eq=_same)
    recency_days: Column = attrs.field(eq=_same)
    frequency: Column = attrs.field(eq=_same)
    monetary_minor: Column = attrs.field(eq=_same)
    r: Column = attrs.field(eq=_same)
    f: Column = attrs.field(eq=_same)
    m: Column = attrs.field(eq=_same)
    edges: Edges
    as_of: dt.datetime | None
    currency: str | None
    skipped: int
    _state: State = attrs.field(eq=False)
    _settings: Settings = attrs.field(eq=False)

    __hash__ = None  # type: ignore[assignment]

    @property
    def score(self) -> Column:
        """Scores as one number, 100 r + 10 f + m, shape (n,), int16."""
        return (100 * self.r.astype(np.int16) + 10 * self.f.astype(np.int16) + self.m).astype(np.int16)

    @property
    def segment(self) -> Column:
        """Name of each customer's segment, shape (n,), objects; None where no rule fits."""
        labels = [rule.label(self._settings.locale) for rule in self._settings.rules]
        return np.array([*labels, None], dtype=object)[self._matches()]

    def _matches(self) -> Column:
        return matching_rule((self.r, self.f, self.m), bins_of(self.edges), self._settings.rules)

    def segment_counts(self) -> dict[str, int]:
        """Customers in each segment, in the order of the rules.

        >>> from custinfo.segment import rfm
        >>> table = rfm({"customer_id": [7], "occurred_at": ["2026-01-31"], "amount": ["5"]})
        >>> {name: count for name, count in table.segment_counts().items() if count}
        {'New': 1}
        """
        rules = self._settings.rules
        counts = np.bincount(self._matches(), minlength=len(rules))
        return {rule.label(self._settings.locale): int(count) for rule, count in zip(rules, counts, strict=False)}

    def to_dict(self) -> dict[str, Column]:
        """Name -> array of shape (n,)."""
        return {
            "customer_id": self.customer_ids,
            "recency_days": self.recency_days,
            "frequency": self.frequency,
            "monetary_minor": self.monetary_minor,
            "r": self.r,
            "f": self.f,
            "m": self.m,
            "score": self.score,
            "segment": self.segment,
        }

    def __len__(self) -> int:
        return len(self.customer_ids)

    def __repr__(self) -> str:
        money = sum(self.monetary_minor.tolist())
        return f"<Rfm: {len(self):,} customers, {int(self.frequency.sum()):,} purchases, {money:,} minor units>"

    def _title(self) -> str:
        until = "" if self.as_of is None else f" as of {self.as_of:%Y-%m-%d}"
        return f"RFM{until}: {len(self):,} customers"

    def explain(self, customer_id: object) -> RfmExplanation:
        """Which values and edges led to a customer's scores and segment.

        Raises:
            RecordNotFoundError: no payment of this customer.

        >>> from custinfo.segment import rfm
        >>> table = rfm({"customer_id": [7, 8], "occurred_at": ["2026-01-31", "2026-01-01"], "amount": ["5", "9"]},
        ...             bins=2)
        >>> table.explain(8).text().split("; ")[0]
        'last purchase 30 days ago: R 1 of 2 (above 0)'
        """
        row = row_of(self.customer_ids, customer_id)
        return self.score_of(
            recency_days=int(self.recency_days[row]),
            frequency=int(self.frequency[row]),
            monetary_minor=int(self.monetary_minor[row]),
        )

    def score_of(self, *, recency_days: int, frequency: int, monetary_minor: int) -> RfmExplanation:
        """Score one customer, known here or not, by the edges of this table.

        Args:
            recency_days: days since the last purchase.
            frequency: purchases.
            monetary_minor: minor units of this table's currency.

        Raises:
            InvalidFieldError: "rfm.value".

        >>> from custinfo.segment import rfm
        >>> table = rfm({"customer_id": [7, 8], "occurred_at": ["2026-01-31", "2026-01-01"], "amount": ["5", "9"]},
        ...             bins=2)
        >>> [part.score for part in table.score_of(recency_days=3, frequency=9, monetary_minor=500).parts]
        [1, 2, 1]
        """
        values: tuple[Any, ...] = (recency_days, frequency, monetary_minor)
        whole = all(isinstance(value, int | np.integer) and not isinstance(value, bool) for value in values)
        if not whole or not all(-INT64_MAX - 1 <= value <= INT64_MAX for value in values):
            raise InvalidFieldError("values to score must be integers of 64 bits", code="rfm.value")
        columns = np.array(values, np.int64)
        r, f, m = score(columns[:1], columns[1:2], columns[2:], self.edges)
        match = int(matching_rule((r, f, m), bins_of(self.edges), self._settings.rules)[0])
        rule = self._settings.rules[match] if match < len(self._settings.rules) else None
        recency, often, money = parts_of(values, (int(r[0]), int(f[0]), int(m[0])), self.edges)
        return RfmExplanation(
            recency=recency,
            frequency=often,
            monetary=money,
            segment=rule.name if rule else None,
            segment_zh=rule.name_zh if rule else None,
            advice=rule.advice if rule else "",
            currency=self.currency,
        )

    def update(self, more: object) -> Rfm:
        """The table of the former payments and *more* together, exactly as if all had been read at once.

        Args:
            more: payments in the form that `rfm` took, read with the same columns and options.

        Raises:
            InvalidFieldError: as `rfm`; "currency.mixed" and "payments.customer" where *more* does not fit.
            AmountOverflowError: a customer's sum does not fit in 64 bits.

        >>> from custinfo.segment import rfm
        >>> january = {"customer_id": [7], "occurred_at": ["2026-01-31"], "amount": ["5"]}
        >>> february = {"customer_id": [7], "occurred_at": ["2026-02-01"], "amount": ["5"]}
        >>> rfm(january).update(february).monetary_minor.tolist()
        [1000]
        """
        settings = self._settings
        added = state_of(
            read_payments(more, settings.columns, until=settings.as_of, any_ids=True), refunds=settings.refunds
        )
        return result_of(merge(self._state, added), settings)

    def plot(self, **options: Any) -> Any:
        """A heat map of customers by recency and frequency score; needs ``custinfo[plot]``.

        Args:
            options: see `custinfo.segment._plot.heat_map`.

        Returns:
            The matplotlib figure.
        """
        from custinfo.segment._plot import heat_map

        return heat_map(self, **options)


def result_of(state: State, settings: Settings) -> Rfm:
    """Days, edges and scores from sums per customer."""
    as_of = settings.as_of if settings.as_of is not None else state.latest
    zone = settings.columns.zone
    last = np.where(state.frequency > 0, state.last_purchase, state.last_refund)
    recency = last if as_of == NAT else int(local_days(np.array([as_of]), zone)[0]) - local_days(last, zone)
    edges = settings.edges or fit_edges(
        recency, state.frequency, state.monetary, bins=settings.bins, nested=settings.scoring == "nested"
    )
    r, f, m = score(recency, state.frequency, state.monetary, edges)
    return Rfm(
        customer_ids=frozen(state.customers),
        recency_days=frozen(recency),
        frequency=frozen(state.frequency),
        monetary_minor=frozen(state.monetary),
        r=frozen(r),
        f=frozen(f),
        m=frozen(m),
        edges=edges,
        as_of=None if as_of == NAT else _UNIX_EPOCH + dt.timedelta(microseconds=as_of),
        currency=state.currency,
        skipped=state.skipped,
        state=state,
        settings=settings,
    )

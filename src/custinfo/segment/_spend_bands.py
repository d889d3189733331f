"""Spending power: customers in bands by what they spend."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import attrs
import numpy as np

from custinfo._columns import Column, ColumnResult, frozen
from custinfo.errors import InvalidFieldError
from custinfo.segment._kernel import counts, edges_below, exact_sums, order_edges
from custinfo.segment._labels import objects, periods_of
from custinfo.segment._per_customer import firsts_and_lasts, mean_half_even
from custinfo.segment._rows import AsOf, payment_rows, row_of
from custinfo.segment._time import local_days
from custinfo.segment._words import check_locale, money_text

__all__ = ["BandExplanation", "SpendBands", "spend_bands"]

_NAMES = ("low", "medium", "high", "top")
BAND_ZH = {"low": "低", "medium": "中", "high": "高", "top": "顶级"}
_PER = {"total": ("in total", "共计"), "purchase": ("per purchase", "平均每笔"), "month": ("per month", "平均每月")}


@attrs.frozen(kw_only=True)
class BandExplanation:
    """Why a customer is in a band.

    Args:
        band: name of the band.
        value_minor: what the customer spends, minor units.
        per: "total", "purchase" or "month".
        above_minor: the edge that the value is above; None: there is none.
        up_to_minor: the edge that the value does not exceed; None: there is none.
        currency: of the money; None: unknown.
    """

    band: str
    value_minor: int
    per: str
    above_minor: int | None
    up_to_minor: int | None
    currency: str | None

    def text(self, locale: str = "en") -> str:
        """The explanation as a sentence in English (``"en"``) or Chinese (``"zh"``).

        Raises:
            InvalidFieldError: "locale.unknown".
        """
        value = money_text(self.value_minor, self.currency)
        above = None if self.above_minor is None else money_text(self.above_minor, self.currency)
        up_to = None if self.up_to_minor is None else money_text(self.up_to_minor, self.currency)
        if check_locale(locale) == "zh":
            limits = ",".join(
                [*([] if above is None else [f"高于 {above}"]), *([] if up_to is None else [f"不超过 {up_to}"])]
            )
            name = BAND_ZH.get(self.band, self.band)
            return f"消费力:{name}({_PER[self.per][1]} {value}{f';{limits}' if limits else ''})"
        limits = ", ".join(
            [*([] if above is None else [f"above {above}"]), *([] if up_to is None else [f"up to {up_to}"])]
        )
        return f"spending power: {self.band} ({value} {_PER[self.per][0]}{f'; {limits}' if limits else ''})"


@attrs.frozen(kw_only=True, eq=False, repr=False)
class SpendBands(ColumnResult):
    """The band of each customer, ascending by id; made by `spend_bands`.

    Args:
        customer_ids: shape (n,).
        value_minor: shape (n,), int64, what the band goes by, minor units.
        band: shape (n,), objects, name of the band.
        edges: minor units between the bands; a value on an edge is in the lower band.
        names: names of the bands, the lowest first.
        per: "total", "purchase" or "month".
        currency: of the money; None: unknown.
        skipped: rows left out because a value was missing.
    """

    customer_ids: Column
    value_minor: Column
    band: Column
    edges: tuple[int, ...]
    names: tuple[str, ...]
    per: str
    currency: str | None
    skipped: int

    def to_dict(self) -> dict[str, Column]:
        """Name -> array of shape (n,)."""
        return {"customer_id": self.customer_ids, "value_minor": self.value_minor, "band": self.band}

    def __repr__(self) -> str:
        return f"<SpendBands: {', '.join(f'{name} {count:,}' for name, count in self.counts().items())}>"

    def counts(self) -> dict[str, int]:
        """Customers in each band, the lowest first."""
        return {name: int((self.band == name).sum()) for name in self.names}

    def explain(self, customer_id: object) -> BandExplanation:
        """Which edges led to a customer's band.

        Raises:
            RecordNotFoundError: no such customer.
        """
        row = row_of(self.customer_ids, customer_id)
        value = int(self.value_minor[row])
        return BandExplanation(
            band=self.band[row],
            value_minor=value,
            per=self.per,
            above_minor=max((edge for edge in self.edges if edge < value), default=None),
            up_to_minor=min((edge for edge in self.edges if edge >= value), default=None),
            currency=self.currency,
        )


def spend_bands(
    data: object,
    *,
    per: Literal["total", "purchase", "month"] = "month",
    names: Sequence[str] = _NAMES,
    edges: Sequence[int] | None = None,
    customer: str = "customer_id",
    when: str = "occurred_at",
    amount: str = "amount",
    amount_minor: str | None = None,
    currency: str | None = None,
    rates: Mapping[str, object] | None = None,
    as_of: AsOf = None,
    time_zone: str | dt.tzinfo = "UTC",
    missing: Literal["raise", "skip"] = "raise",
) -> SpendBands:
    """Put customers into bands by spending power.

    Refunds are subtracted. Edges are order statistics, so equal values share a band and a band may be empty.

    Args:
        data: payments in any form that `rfm` takes.
        per: what counts: money in "total", per "purchase", or per "month" (the total divided by the calendar months
            from that of the first payment to that of *as_of*); means are rounded half even.
        names: names of the bands, the lowest first.
        edges: minor units between the bands, ascending, one fewer than *names*; a value on an edge is in the lower
            band. Left out, bands of equal size.
        customer: column of customer ids.
        when: column of times.
        amount: column of amounts in major units.
        amount_minor: column of integers in minor units, instead of *amount*.
        currency: column of currency codes.
        rates: rates into one currency, as for `rfm`.
        as_of: rows after it do not count; the latest time by default.
        time_zone: zone that decides in which month a payment was.
        missing: rows without customer, time, amount or currency: "raise", or "skip" and count them.

    Raises:
        InvalidFieldError: as `rfm`; "spend_bands.per", "spend_bands.names", "spend_bands.edges".
        AmountOverflowError: a sum that does not fit in 64 bits.

    Source: edges as those of `rfm`, type 1 quantiles of Hyndman and Fan, 1996.

    >>> payments = {"customer_id": [1, 2, 3, 1], "occurred_at": ["2026-01-31"] * 4, "amount": [10, 20, 90, 15]}
    >>> table = spend_bands(payments, names=("low", "medium", "high"))
    >>> table.band.tolist(), table.edges
    (['medium', 'low', 'high'], (2000, 2500))
    >>> table.explain(1).text()
    'spending power: medium (25.00 per month; above 20.00, up to 25.00)'
    """
    if per not in _PER:
        raise InvalidFieldError(f"per must be one of {', '.join(_PER)}", code="spend_bands.per", path="per")
    bands = _names(names)
    given = None if edges is None else _edges(edges, len(bands))
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
    size = len(rows.customers)
    value = exact_sums(rows.codes, rows.minor, size)
    if per == "purchase":
        value = mean_half_even(value, counts(rows.codes[~rows.refund], size))
    elif per == "month" and size:
        first, _ = firsts_and_lasts(rows.codes, rows.moments, size)
        months = periods_of(local_days(np.append(first, rows.until), rows.zone), "month")
        value = mean_half_even(value, months[-1] - months[:-1] + 1)
    chosen = order_edges(value, len(bands)) if given is None else given
    return SpendBands(
        customer_ids=frozen(rows.customers),
        value_minor=frozen(value),
        band=frozen(objects(list(bands))[edges_below(value, chosen).astype(np.int64)]),
        edges=chosen,
        names=bands,
        per=per,
        currency=rows.currency,
        skipped=rows.skipped,
    )


def _names(given: Sequence[object]) -> tuple[str, ...]:
    names = () if isinstance(given, str) else tuple(name for name in given if isinstance(name, str))
    if not 1 <= len(names) <= 100 or len(set(names)) < len(given):
        raise InvalidFieldError(
            "names must be 1 to 100 different names of bands, the lowest first", code="spend_bands.names", path="names"
        )
    return names


def _edges(given: Sequence[Any], bands: int) -> tuple[int, ...]:
    edges = tuple(given)
    whole = all(isinstance(edge, int | np.integer) and not isinstance(edge, bool) for edge in edges)
    if len(edges) != bands - 1 or not whole or list(edges) != sorted(edges):
        raise InvalidFieldError(
            f"edges must be {bands - 1} integers in minor units, ascending: one fewer than there are bands",
            code="spend_bands.edges",
            path="edges",
        )
    return tuple(int(edge) for edge in edges)

"""Recency, frequency and monetary value of each customer, with scores and named segments."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from custinfo.errors import InvalidFieldError
from custinfo.model import zone_of
from custinfo.segment._money import Rates
from custinfo.segment._names import SegmentRule, segment_rules
from custinfo.segment._payments import PaymentColumns, read_payments
from custinfo.segment._result import Rfm, Settings, result_of
from custinfo.segment._scoring import check_bins, given_edges
from custinfo.segment._state import state_of
from custinfo.segment._time import as_of_instant

__all__ = ["rfm"]

_REFUNDS = ("net", "gross", "exclude")
_SCORINGS = ("quantile", "nested", "edges", "fixed")


def rfm(
    data: object,
    *,
    customer: str = "customer_id",
    when: str = "occurred_at",
    amount: str = "amount",
    amount_minor: str | None = None,
    currency: str | None = None,
    rates: Mapping[str, object] | None = None,
    as_of: dt.datetime | dt.date | np.datetime64 | str | None = None,
    bins: int = 5,
    scoring: Literal["quantile", "nested", "edges", "fixed"] | None = None,
    edges: Mapping[str, Any] | None = None,
    refunds: Literal["net", "gross", "exclude"] = "net",
    time_zone: str | dt.tzinfo = "UTC",
    names: Literal["en", "zh"] | Sequence[SegmentRule] | None = None,
    missing: Literal["raise", "skip"] = "raise",
) -> Rfm:
    """Score customers by how recently, how often and for how much they bought.

    The result does not depend on the order of rows: edges are values of the data, sums are exact integers.

    Args:
        data: payments, one a row: a mapping of name -> array, a structured array, a pandas, polars, pyarrow or duckdb
            table, an iterable of mappings, or of `custinfo.model.Transaction` (posted ones count, ``account_id``
            stands for the customer unless *customer* names another attribute).
        customer: column of customer ids, all text or all integers.
        when: column of times: datetime64 and naive times are UTC; a date is the calendar day in *time_zone*.
        amount: column of amounts in major units (int, float, Decimal or text), each rounded half even to the minor
            unit of its row's currency (two digits without *currency*). A negative amount is a refund.
        amount_minor: column of integers in minor units, instead of *amount*.
        currency: column of ISO 4217 codes.
        rates: currency -> 1 for the base, for others a rate or a list of (date, Decimal): the last date not after the
            row's local date holds. Each row is rounded half even to the base's minor unit.
        as_of: rows after it do not count; the latest time by default. A date counts to its end in *time_zone*.
        bins: score values, 1 to 127.
        scoring: "quantile" (each measure alone), "nested" (frequency inside each recency score, monetary inside
            both), "edges" (those of an earlier result) or "fixed" (thresholds of your own). The default is
            "quantile", and "edges" where *edges* are given.
        edges: for "edges" and "fixed": "r" in days, "f" in purchases, "m" in minor units, ascending; the score is
            1 + the number of edges strictly below the value, reversed for recency.
        refunds: "net" (money is the sum of all rows), "gross" (of purchases only), "exclude" (refund rows do not
            exist). Frequency and recency are of purchases; a customer with refunds only has frequency 0 and the
            recency of the last refund.
        time_zone: zone that decides on which day a payment was.
        names: language of segment names, or rules of your own.
        missing: what to do with rows that lack a value: "raise", or "skip" and count them in ``.skipped``.

    Returns:
        One row per customer, ascending by id.

    Raises:
        InvalidFieldError: "columns.*" (input), "payments.missing", "payments.customer", "amount.*", "time.*",
            "currency.*", "rates.*", "rfm.bins", "rfm.scoring", "rfm.edges", "rfm.refunds", "rfm.missing_option",
            "segment.names".
        AmountOverflowError: a customer's sum does not fit in 64 bits; it is an OverflowError too.

    Source: recency, frequency, monetary value after Hughes, Strategic Database Marketing, 1994; ties share a score.

    >>> payments = {
    ...     "customer_id": ["ann", "bob", "ann"],
    ...     "occurred_at": ["2026-01-02", "2026-01-20", "2026-01-31"],
    ...     "amount": ["19.90", "5", "30.10"],
    ... }
    >>> table = rfm(payments, bins=2)
    >>> table.customer_ids.tolist(), table.recency_days.tolist(), table.monetary_minor.tolist()
    (['ann', 'bob'], [0, 11], [5000, 500])
    >>> table.score.tolist()
    [222, 111]
    """
    zone = zone_of(time_zone)
    scoring = scoring or ("quantile" if edges is None else "edges")
    _one_of("scoring", scoring, _SCORINGS, "rfm.scoring")
    _one_of("refunds", refunds, _REFUNDS, "rfm.refunds")
    _one_of("missing", missing, ("raise", "skip"), "rfm.missing_option")
    if (edges is None) is (scoring in {"edges", "fixed"}):
        raise InvalidFieldError(
            "scoring 'edges' and 'fixed' need edges=, and only they use them", code="rfm.edges", path="edges"
        )
    rules, locale = segment_rules(names)
    settings = Settings(
        columns=PaymentColumns(
            customer=customer,
            when=when,
            amount=amount,
            amount_minor=amount_minor,
            currency=currency,
            rates=None if rates is None else Rates.of(rates),
            zone=zone,
            skip_missing=missing == "skip",
        ),
        as_of=None if as_of is None else as_of_instant(as_of, zone),
        bins=check_bins(bins),
        scoring=scoring,
        edges=None if edges is None else given_edges(edges),
        refunds=refunds,
        rules=rules,
        locale=locale,
    )
    return result_of(
        state_of(read_payments(data, settings.columns, until=settings.as_of, any_ids=True), refunds=refunds), settings
    )


def _one_of(name: str, value: object, allowed: tuple[str, ...], code: str) -> None:
    if value not in allowed:
        raise InvalidFieldError(f"{name} must be one of {', '.join(map(repr, allowed))}", code=code, path=name)

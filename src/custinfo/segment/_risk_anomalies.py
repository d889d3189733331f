"""A whole table of payments, each judged against the customer's own earlier ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import attrs
import numpy as np

from custinfo._columns import Column, ColumnResult, frozen
from custinfo._view import table
from custinfo.errors import RecordNotFoundError
from custinfo.segment._labels import objects
from custinfo.segment._risk_decision import Decision, Reason, decision
from custinfo.segment._risk_kernel import MEASURES, points
from custinfo.segment._risk_monitor import Monitor
from custinfo.segment._risk_rows import read_risk_rows
from custinfo.segment._risk_rules import MAX_SCORE, Action, Rule
from custinfo.segment._rows import AsOf, skips
from custinfo.segment._time import as_of_instant

__all__ = ["Anomalies", "anomalies"]


@attrs.frozen(kw_only=True, eq=False)
class Found:
    """What one rule found.

    Args:
        rule: the rule.
        at: shape (m,), places in the result, ascending.
        weight: shape (m,), points.
        params: name -> figures, shape (m,).
    """

    rule: Rule
    at: Column
    weight: Column
    params: Mapping[str, Column]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Anomalies(ColumnResult):
    """Payments in the order of the table, with score and action; made by `anomalies`.

    Args:
        row: shape (n,), int64, the row's number in the table, ascending.
        customer_ids: shape (n,).
        score: shape (n,), float64, 0 to 100.
        action: shape (n,), objects: "allow", "review" or "block".
        reasons: shape (n,), objects: codes of the rules that found something, in the order of the rules, with a space
            between them; "" where none did.
        known_payments: shape (n,), int64, earlier payments of the customer; 0 for refunds, which are not judged.
        monitor: the rules and thresholds.
        skipped: rows left out because a value was missing.
        found: what each rule found.
    """

    row: Column
    customer_ids: Column
    score: Column
    action: Column
    reasons: Column
    known_payments: Column
    monitor: Monitor
    skipped: int
    found: tuple[Found, ...]

    def to_dict(self) -> dict[str, Column]:
        """Name -> array of shape (n,)."""
        return {
            "row": self.row,
            "customer_id": self.customer_ids,
            "score": self.score,
            "action": self.action,
            "reasons": self.reasons,
            "known_payments": self.known_payments,
        }

    @property
    def flagged(self) -> Column:
        """Numbers in the table of the rows that are not allowed, the highest score first; shape (m,), int64."""
        at = self._flagged()
        return frozen(self.row[at])

    def _flagged(self) -> Column:
        at = np.flatnonzero(self.action != Action.ALLOW.value)
        return at[np.argsort(-self.score[at], kind="stable")]

    def counts(self) -> dict[str, int]:
        """How many payments got each action."""
        return {action.value: int((self.action == action.value).sum()) for action in Action}

    def explain(self, row: int) -> Decision:
        """The decision about one payment, the same that `Monitor.assess` gives.

        Args:
            row: its number in the table.

        Raises:
            RecordNotFoundError: no such row, or one that does not count.
        """
        at = int(np.searchsorted(self.row, row))
        if at == len(self.row) or self.row[at] != row:
            raise RecordNotFoundError("no such row in this result; rows are numbered as in the table, from 0")
        reasons = []
        for found in self.found:
            i = int(np.searchsorted(found.at, at))
            if i < len(found.at) and found.at[i] == at:
                params = {name: _plain(column[i]) for name, column in found.params.items()}
                reasons.append(
                    Reason(
                        code=found.rule.code,
                        measure=found.rule.measure,
                        weight=float(found.weight[i]),
                        params=params,
                    )
                )
        return decision(reasons, self.monitor.thresholds, known_payments=int(self.known_payments[at]))

    def __repr__(self) -> str:
        counted = ", ".join(f"{action} {count:,}" for action, count in self.counts().items())
        return f"<Anomalies: {len(self):,} payments, {counted}>"

    def _repr_html_(self) -> str:
        at = self._flagged()
        return table({name: column[at] for name, column in self.to_dict().items()}, title=repr(self)[1:-1])


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def anomalies(
    data: object,
    *,
    monitor: Monitor | None = None,
    customer: str = "customer_id",
    when: str = "occurred_at",
    amount: str = "amount",
    amount_minor: str | None = None,
    currency: str | None = None,
    method: str | None = None,
    merchant: str | None = None,
    channel: str | None = None,
    country: str | None = None,
    as_of: AsOf = None,
    missing: Literal["raise", "skip"] = "raise",
) -> Anomalies:
    """Score every payment of a table against the same customer's earlier rows, as `Monitor.assess` would have.

    Only what came before counts, so the scores are those of the day. Rows are taken in order of time; of rows at one
    time the smaller amount comes first. Refunds (negative amounts) are no evidence and get the score 0.

    Args:
        data: payments in any form that `rfm` takes; of transactions those that are posted.
        monitor: rules, thresholds, time zone and window; those of ``Monitor()`` where left out.
        customer: column of customer ids (of transactions: ``account_id``).
        when: column of times; naive ones are UTC, plain dates are days in the monitor's zone.
        amount: column of amounts in major units.
        amount_minor: column of integers in minor units, instead of *amount*.
        currency: column of currency codes; amounts are compared within one currency. Where this and the following are
            left out, the column ``currency``, ``method`` ... is taken if there is one.
        method: column of payment methods.
        merchant: column of merchants.
        channel: column of channels.
        country: column of countries.
        as_of: later rows do not count.
        missing: rows without customer, time, amount or currency: "raise", or "skip" and count them. A missing method
            and the like is no evidence.

    Raises:
        InvalidFieldError: "columns.*", "payments.*", "time.*", "amount.*", "currency.unknown", "segment.labels",
            "segment.missing", "risk.label".
        AmountOverflowError: an amount that does not fit in 64 bits.

    >>> days = [f"2026-01-{day:02d}" for day in range(1, 31)]
    >>> payments = {"customer_id": ["ann"] * 30, "occurred_at": days, "amount": [20, 25] * 14 + [900, 20]}
    >>> table = anomalies(payments)
    >>> table.flagged.tolist(), table.reasons[28], table.counts()
    ([28], 'amount', {'allow': 29, 'review': 1, 'block': 0})
    >>> table.explain(28).reasons[0].params["payments"]
    28
    """
    monitor = Monitor() if monitor is None else monitor
    rows = read_risk_rows(
        data,
        customer=customer,
        when=when,
        amount=amount,
        amount_minor=amount_minor,
        labels={
            "currency": currency,
            "method": method,
            "merchant": merchant,
            "channel": channel,
            "country": country,
        },
        zone=monitor.time_zone,
        until=None if as_of is None else as_of_instant(as_of, monitor.time_zone),
        skip_missing=skips(missing),
    )
    places, past = rows.ordered(zone=monitor.time_zone, window=monitor.window)
    size = len(rows.rows)
    known = np.zeros(size, np.int64)
    known[places] = np.arange(len(past)) - past.begin
    score, marks, found = np.zeros(size), np.zeros(size, np.int64), []
    for number, rule in enumerate(monitor.rules):
        value, params = MEASURES[rule.measure](rule, past)
        given = points(rule, value)
        hits = np.flatnonzero((value > rule.start) & (past.low < np.arange(len(past))))
        at = places[hits]
        score[at] += given[hits]
        marks[at] |= 1 << number
        order = np.argsort(at)
        found.append(
            Found(
                rule=rule,
                at=at[order],
                weight=given[hits][order],
                params={name: column[hits][order] for name, column in params.items()},
            )
        )
    score = np.minimum(score, MAX_SCORE)
    return Anomalies(
        row=frozen(rows.rows),
        customer_ids=frozen(rows.customers[rows.codes]),
        score=frozen(score),
        action=frozen(_actions(score, monitor)),
        reasons=frozen(_codes(marks, monitor.rules)),
        known_payments=frozen(known),
        monitor=monitor,
        skipped=rows.skipped,
        found=tuple(found),
    )


def _actions(score: Column, monitor: Monitor) -> Column:
    actions = np.full(len(score), Action.ALLOW.value, object)
    for action, threshold in reversed(monitor.thresholds):
        actions[score >= threshold] = action.value
    return actions


def _codes(marks: Column, rules: tuple[Rule, ...]) -> Column:
    distinct, back = np.unique(marks, return_inverse=True)
    texts = [
        " ".join(rule.code for number, rule in enumerate(rules) if mark >> number & 1) for mark in distinct.tolist()
    ]
    return objects(texts)[back]

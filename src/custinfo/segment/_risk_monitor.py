"""Scores one payment against the customer's own history."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from custinfo.errors import InvalidFieldError
from custinfo.model import Transaction, zone_of
from custinfo.segment._risk_decision import Decision, Reason, decision
from custinfo.segment._risk_history import MAX_WINDOW, History
from custinfo.segment._risk_measures import MEASURES, Measure
from custinfo.segment._risk_payment import instant_of, read_payment
from custinfo.segment._risk_rules import (
    DEFAULT_RULES,
    Action,
    Rule,
    rules_of,
    thresholds_of,
)

__all__ = ["Monitor"]

_CLOCK_SKEW_US = 5 * 60 * 1_000_000
_NO_PAYMENT = {"failed", "voided"}
Payments = Transaction | Mapping[str, Any]


def _window(given: Any) -> int:
    if type(given) is not int or not 2 <= given <= MAX_WINDOW:
        raise InvalidFieldError(
            f"window must be an int from 2 to {MAX_WINDOW}, the payments that a history keeps",
            code="risk.window",
            path="window",
        )
    return given


@attrs.frozen(kw_only=True)
class Monitor:
    """Judges payments, one at a time, each against what is known of the same customer.

    A `Decision` is a proposal. What it leads to, such as a hold or a limit, is a matter of the account: see
    `custinfo.model.Account` and `custinfo.model.check_transition`.

    Args:
        rules: what counts as unusual; `DEFAULT_RULES` where left out.
        thresholds: action -> score from which it is taken, such as ``{"review": 30, "block": 80}``.
        time_zone: zone whose clock says the hour: a name of the IANA database or a tzinfo.
        window: how many of the latest payments a history keeps, 2 to 200.

    Raises:
        InvalidFieldError: "risk.rule", "risk.thresholds", "risk.window", "time.zone".

    >>> monitor = Monitor()
    >>> usual = {"amount": 20, "method": "card"}
    >>> history = monitor.history(usual | {"occurred_at": f"2026-01-{day:02d}T12:00Z"} for day in range(1, 31))
    >>> odd = {"occurred_at": "2026-01-31T03:30Z", "amount": 900, "method": "wallet"}
    >>> found = monitor.assess(odd, history)
    >>> found.action, found.codes
    (<Action.BLOCK: 'block'>, ('amount', 'method.new', 'hour'))
    >>> monitor.assess(usual | {"occurred_at": "2026-01-31T12:00Z"}, history).text()
    'allow (score 0): nothing unusual'
    """

    rules: tuple[Rule, ...] = attrs.field(default=DEFAULT_RULES, converter=rules_of)
    thresholds: tuple[tuple[Action, float], ...] = attrs.field(
        factory=lambda: {"review": 30, "block": 80}, converter=thresholds_of
    )
    time_zone: dt.tzinfo = attrs.field(default=dt.UTC, converter=zone_of)
    window: int = attrs.field(default=50, converter=_window)
    _steps: tuple[tuple[Rule, Measure], ...] = attrs.field(
        init=False,
        repr=False,
        eq=False,
        default=attrs.Factory(
            lambda self: tuple((rule, MEASURES[rule.measure]) for rule in self.rules), takes_self=True
        ),
    )

    def assess(
        self,
        transaction: Payments,
        history: History | Iterable[Payments] | None = None,
        *,
        now: dt.datetime | None = None,
    ) -> Decision:
        """Judge one payment; nothing is remembered.

        A refund (negative amount; of transactions all kinds but payments and adjustments) is no evidence: its score is
        0. A payment earlier than others in the history is judged by what came before it.

        Args:
            transaction: a `Transaction` of any status, its country in *extra*, or a mapping with ``occurred_at`` (a
                naive time is UTC), ``amount`` (major units) or ``amount_minor``, and, as far as known, ``currency``,
                ``method``, ``merchant``, ``channel``, ``country``; other keys are not looked at.
            history: what `observe` gave, or the customer's earlier payments themselves; None: none.
            now: with it, a payment more than five minutes in its future is refused.

        Raises:
            InvalidFieldError: "risk.future", "risk.payment", "columns.missing", "payments.missing", "time.value",
                "amount.value", "amount.minor", "currency.unknown", "currency.mixed", "risk.label".
            AmountOverflowError: an amount beyond 64 bits of minor units.
        """
        payment = read_payment(transaction, self.time_zone)
        if now is not None and payment.moment > instant_of(now) + _CLOCK_SKEW_US:
            raise InvalidFieldError(
                "the payment lies in the future; check the clocks and the time zone it was recorded in",
                code="risk.future",
                path="occurred_at",
            )
        remembered = history if isinstance(history, History) else self.history(history or ())
        past = remembered.until(payment.moment, self.window)
        known_payments = past.payments if payment.minor >= 0 else 0
        found = []
        if known_payments:
            for rule, measure in self._steps:
                value, params = measure(rule, payment, past)
                if value > rule.start:
                    weight = rule.points(value)
                    found.append(Reason(code=rule.code, measure=rule.measure, weight=weight, params=params))
        return decision(found, self.thresholds, known_payments=known_payments)

    def observe(self, transaction: Payments, history: History | None = None) -> History:
        """The history with one payment more.

        Refunds, and transactions that failed or were voided, leave it as it is. Which payments to observe is yours to
        say: one that was blocked as fraud should not become what is usual.

        Args:
            transaction: as for `assess`.
            history: what is known so far; None: nothing.

        Raises:
            InvalidFieldError: as `assess`.
            AmountOverflowError: an amount beyond 64 bits of minor units.

        >>> Monitor().observe({"occurred_at": "2026-01-31T09:30:00Z", "amount_minor": 990})
        <History: 1 payments, 1 of them kept>
        """
        known = History() if history is None else history
        if isinstance(transaction, Transaction) and transaction.status in _NO_PAYMENT:
            return known
        payment = read_payment(transaction, self.time_zone)
        return known if payment.minor < 0 else known.updated(payment, self.window)

    def history(self, transactions: Iterable[Payments]) -> History:
        """The history of payments of one customer, in any order.

        Raises:
            InvalidFieldError: as `assess`; "risk.history" (not an iterable of payments).
            AmountOverflowError: an amount beyond 64 bits of minor units.
        """
        if isinstance(transactions, Mapping | str | bytes) or not isinstance(transactions, Iterable):
            raise InvalidFieldError(
                f"a history is a History or an iterable of payments, not {type(transactions).__name__}; stored bytes "
                "are read by History.from_bytes",
                code="risk.history",
                path="history",
            )
        known = History()
        for transaction in transactions:
            known = self.observe(transaction, known)
        return known

"""Statements of an account."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, tzinfo
from typing import Any

import attrs

from custinfo.errors import InvalidFieldError
from custinfo.model._account import Transaction
from custinfo.model._ledger import in_order_of_time, one_currency, posted, total_of
from custinfo.model._money import Money
from custinfo.model._zone import edge, zone_of


@attrs.frozen(kw_only=True)
class StatementLine:
    """One posted transaction of a statement.

    Args:
        transaction: as it was given.
        amount: what it adds to the balance; negative where it takes away.
        balance: after it.
    """

    transaction: Transaction = attrs.field(repr=lambda one: one.id)
    amount: Money = attrs.field(repr=False)
    balance: Money = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class AccountStatement:
    """What happened on an account in a period: ``opening + sum of the lines == closing``.

    Args:
        currency: of all amounts, ISO 4217.
        start: first instant of the period, None for the beginning.
        end: first instant after it, None for ever.
        opening: balance before the first line.
        lines: in order of time, then id.
        closing: balance after the last line.
    """

    currency: str
    start: datetime | None
    end: datetime | None
    opening: Money = attrs.field(repr=False)
    lines: tuple[StatementLine, ...] = attrs.field(repr=lambda lines: str(len(lines)))
    closing: Money = attrs.field(repr=False)

    def totals(self) -> dict[str, Money]:
        """The sum of the lines of each kind of transaction, by the text of the kind, in order of the text."""
        sums: dict[str, int] = {}
        for line in self.lines:
            kind = line.transaction.kind.value
            sums[kind] = sums.get(kind, 0) + line.amount.minor
        return {kind: total_of(sums[kind], self.currency) for kind in sorted(sums)}

    def to_dict(self) -> dict[str, Any]:
        """As JSON values: ids, kinds, times and minor units; free text and other fields of transactions are left out.

        >>> statement([], currency="JPY").to_dict()["closing_minor"]
        0
        """
        return {
            "currency": self.currency,
            "start": self.start.isoformat() if self.start else None,
            "end": self.end.isoformat() if self.end else None,
            "opening_minor": self.opening.minor,
            "lines": [
                {
                    "id": line.transaction.id,
                    "kind": line.transaction.kind.value,
                    "occurred_at": line.transaction.occurred_at.isoformat(),
                    "amount_minor": line.amount.minor,
                    "balance_minor": line.balance.minor,
                }
                for line in self.lines
            ],
            "closing_minor": self.closing.minor,
        }


def statement(
    transactions: Iterable[Transaction],
    start: date | datetime | None = None,
    end: date | datetime | None = None,
    *,
    currency: str | None = None,
    time_zone: str | tzinfo = "UTC",
) -> AccountStatement:
    """The statement of an account for a period: opening balance, posted transactions, balance after each, closing.

    The closing balance of a period is the opening one of the next. Transactions that are not posted are in none: they
    are no money yet.

    Args:
        transactions: of one currency, each once, those before the period too: they make the opening balance.
        start: first instant (aware) or first local day of the period; from the beginning when left out.
        end: first instant or first local day after the period; no end when left out.
        currency: code of ISO 4217; needed only where there may be no transaction.
        time_zone: whose days *start* and *end* are, where they are days: an IANA name or a tzinfo.

    Raises:
        InvalidFieldError: "statement.period" where the end is before the start; "time.naive", "time.zone",
            "time.range"; "balance.currency", "balance.repeated", "field.type", see `balance`.
        AmountOverflowError: a balance on the way does not fit in 64 bits.

    Source: the layout of a statement of account as of ISO 20022 camt.053 (opening booked, entries, closing booked).

    >>> from datetime import UTC, date, datetime
    >>> def paid(id, day, minor, **more):
    ...     at = datetime(2026, 1, day, 12, tzinfo=UTC)
    ...     return Transaction(id=id, account_id="a1", amount=Money(minor, "CNY"), occurred_at=at, **more)
    >>> ledger = [paid("t1", 5, 10000), paid("t2", 20, 2500, kind="refund"), paid("t3", 31, 700)]
    >>> january = statement(ledger, date(2026, 1, 10), date(2026, 2, 1), time_zone="Asia/Shanghai")
    >>> str(january.opening), [str(line.balance) for line in january.lines], str(january.closing)
    ('100.00 CNY', ['75.00 CNY', '82.00 CNY'], '82.00 CNY')
    """
    zone = zone_of(time_zone)
    first, after = edge(start, zone, "start"), edge(end, zone, "end")
    if first is not None and after is not None and after < first:
        raise InvalidFieldError(
            "the period ends before it starts; give the earlier instant as start", code="statement.period", path="end"
        )
    ledger, currency = one_currency(transactions, currency)
    counted = [one for one in posted(ledger) if after is None or one.occurred_at < after]
    running = 0
    inside = []
    for one in counted:
        if first is not None and one.occurred_at < first:
            running += one.signed_minor
        else:
            inside.append(one)
    opening = closing = total_of(running, currency)
    lines = []
    for one in in_order_of_time(inside):
        minor = one.signed_minor
        running += minor
        closing = total_of(running, currency)
        lines.append(StatementLine(transaction=one, amount=Money(minor, currency), balance=closing))
    return AccountStatement(
        currency=currency, start=first, end=after, opening=opening, lines=tuple(lines), closing=closing
    )

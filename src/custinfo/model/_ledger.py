"""Rules of accounts over time, as pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import attrs

from custinfo.errors import AmountOverflowError, InvalidFieldError
from custinfo.model._account import Account, AccountStatus, Transaction, TransactionStatus
from custinfo.model._check import INT64
from custinfo.model._money import Money
from custinfo.model._rules import list_of, must_be

_NEXT = {
    AccountStatus.OPEN: (AccountStatus.SUSPENDED, AccountStatus.CLOSED),
    AccountStatus.SUSPENDED: (AccountStatus.OPEN, AccountStatus.CLOSED),
    AccountStatus.CLOSED: (),
}


def balance(
    transactions: Iterable[Transaction], as_of: datetime | None = None, *, currency: str | None = None
) -> Money:
    """The money received and not given back: payments and adjustments less refunds, chargebacks and payouts.

    Only posted transactions count. The sum is exact and does not depend on their order.

    Args:
        transactions: of one currency, each once; those that are not posted, or later than *as_of*, do not count.
        as_of: the last instant that counts, aware; all when left out.
        currency: code of ISO 4217; needed only where there may be no transaction.

    Raises:
        InvalidFieldError: "time.naive"; "balance.currency" where the currencies differ (see `by_currency`) or none is
            known; "balance.repeated" where one id comes twice; "field.type" where something is no transaction.
        AmountOverflowError: the balance does not fit in 64 bits.

    >>> from datetime import UTC, datetime
    >>> day = datetime(2026, 1, 31, tzinfo=UTC)
    >>> paid = Transaction(id="t1", account_id="a1", amount=Money(990, "CNY"), occurred_at=day)
    >>> back = Transaction(id="t2", account_id="a1", amount=Money(90, "CNY"), occurred_at=day, kind="refund")
    >>> str(balance([paid, back]))
    '9.00 CNY'
    """
    if as_of is not None:
        aware(as_of, "as_of")
    ledger, currency = one_currency(transactions, currency)
    total = sum(one.signed_minor for one in ledger if as_of is None or one.occurred_at <= as_of)
    return total_of(total, currency)


def by_currency(transactions: Iterable[Transaction]) -> dict[str, tuple[Transaction, ...]]:
    """Transactions of several currencies, those of each by themselves; currencies in order of their codes.

    Money of two currencies is never added up: take the balance, the statement and the aging of each.

    >>> from datetime import UTC, datetime
    >>> day = datetime(2026, 1, 31, tzinfo=UTC)
    >>> amounts = [Money(990, "USD"), Money(500, "JPY"), Money(10, "USD")]
    >>> paid = [Transaction(account_id="a1", amount=amount, occurred_at=day) for amount in amounts]
    >>> {currency: str(balance(some)) for currency, some in by_currency(paid).items()}
    {'JPY': '500 JPY', 'USD': '10.00 USD'}
    """
    found: dict[str, list[Transaction]] = {}
    for one in list_of(Transaction, transactions, "transactions"):
        found.setdefault(one.amount.currency, []).append(one)
    return {currency: tuple(found[currency]) for currency in sorted(found)}


def check_transition(account: Account, status: AccountStatus | str) -> AccountStatus:
    """The new status of an account, if it may go there: open and suspended to each other and to closed, closed nowhere.

    Args:
        account: as it is.
        status: a status or its text; the present one is always allowed.

    Raises:
        InvalidFieldError: "enum.unknown"; "account.transition"; "field.type".

    >>> account = Account(id="a1", customer_id="c1", currency="CNY")
    >>> check_transition(account, "closed")
    <AccountStatus.CLOSED: 'closed'>
    """
    must_be(Account, account, "account")
    given: Any = status  # mypy does not know that the field takes text too
    wanted = attrs.evolve(account, status=given, closed_on=None).status
    if wanted is not account.status and wanted not in _NEXT[account.status]:
        raise InvalidFieldError(
            f"an account that is {account.status} cannot become {wanted}; open a new one",
            code="account.transition",
            path="status",
        )
    return wanted


def one_currency(transactions: Iterable[Transaction], currency: str | None) -> tuple[list[Transaction], str]:
    """The transactions as a list, each once and all of one currency, and that currency."""
    ledger: list[Transaction] = list_of(Transaction, transactions, "transactions")
    seen = set[str]()
    for one in ledger:
        found = one.amount.currency
        currency = currency or found
        if found != currency:
            raise InvalidFieldError(
                "the transactions are of several currencies; take each by itself, as by_currency gives them",
                code="balance.currency",
            )
        if one.id in seen:
            raise InvalidFieldError("a transaction is there twice; pass each once", code="balance.repeated", path="id")
        seen.add(one.id)
    if currency is None:
        raise InvalidFieldError("there is no transaction; say the currency", code="balance.currency", path="currency")
    return ledger, currency


def in_order_of_time(ledger: Iterable[Transaction]) -> list[Transaction]:
    """By time, then id: the same order whatever the order in which they came."""
    return sorted(ledger, key=lambda one: (one.occurred_at, one.id))


def posted(ledger: Iterable[Transaction]) -> Iterator[Transaction]:
    """Those that count as money."""
    return (one for one in ledger if one.status is TransactionStatus.POSTED)


def total_of(minor: int, currency: str) -> Money:
    """A sum as money.

    Raises:
        AmountOverflowError: it does not fit in 64 bits.
    """
    if not -INT64 <= minor < INT64:
        raise AmountOverflowError("the balance does not fit in 64 bits of minor units; nothing was cut")
    return Money(minor, currency)


def aware(value: object, path: str) -> datetime:
    """An aware datetime.

    Raises:
        InvalidFieldError: "time.naive".
    """
    if not isinstance(value, datetime) or value.utcoffset() is None:
        raise InvalidFieldError(
            f"{path} must be a datetime with a time zone, for instance tzinfo=UTC", code="time.naive", path=path
        )
    return value

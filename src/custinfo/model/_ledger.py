"""Rules of accounts over time, as pure functions."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import attrs

from custinfo.errors import AmountOverflowError, InvalidFieldError
from custinfo.model._account import Account, AccountStatus, Transaction
from custinfo.model._money import INT64, Money

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
        InvalidFieldError: "time.naive"; "balance.currency" where the currencies differ or none is known;
            "balance.repeated" where one id comes twice.
        AmountOverflowError: the balance does not fit in 64 bits.

    >>> from datetime import UTC, datetime
    >>> day = datetime(2026, 1, 31, tzinfo=UTC)
    >>> paid = Transaction(id="t1", account_id="a1", amount=Money(990, "CNY"), occurred_at=day)
    >>> back = Transaction(id="t2", account_id="a1", amount=Money(90, "CNY"), occurred_at=day, kind="refund")
    >>> str(balance([paid, back]))
    '9.00 CNY'
    """
    if as_of is not None and getattr(as_of, "tzinfo", None) is None:
        raise InvalidFieldError("as_of must be a datetime with a time zone", code="time.naive", path="as_of")
    total, seen = 0, set[str]()
    for transaction in transactions:
        currency = currency or transaction.amount.currency
        if transaction.amount.currency != currency:
            raise InvalidFieldError(
                "the transactions are of several currencies; take the balance of each", code="balance.currency"
            )
        if transaction.id in seen:
            raise InvalidFieldError("a transaction is there twice; pass each once", code="balance.repeated", path="id")
        seen.add(transaction.id)
        if as_of is None or transaction.occurred_at <= as_of:
            total += transaction.signed_minor
    if currency is None:
        raise InvalidFieldError("there is no transaction; say the currency", code="balance.currency", path="currency")
    if not -INT64 <= total < INT64:
        raise AmountOverflowError("the balance does not fit in 64 bits of minor units; nothing was cut")
    return Money(total, currency)


def check_transition(account: Account, status: AccountStatus | str) -> AccountStatus:
    """The new status of an account, if it may go there: open and suspended to each other and to closed, closed nowhere.

    Args:
        account: as it is.
        status: a status or its text; the present one is always allowed.

    Raises:
        InvalidFieldError: "enum.unknown"; "account.transition".

    >>> account = Account(id="a1", customer_id="c1", currency="CNY")
    >>> check_transition(account, "closed")
    <AccountStatus.CLOSED: 'closed'>
    """
    given: Any = status  # mypy does not know that the field takes text too
    wanted = attrs.evolve(account, status=given).status
    if wanted is not account.status and wanted not in _NEXT[account.status]:
        raise InvalidFieldError(
            f"an account that is {account.status} cannot become {wanted}; open a new one",
            code="account.transition",
            path="status",
        )
    return wanted

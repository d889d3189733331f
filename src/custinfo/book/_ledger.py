"""A customer's payments over all of his accounts."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, TypeAlias

import attrs

from custinfo.book._desk import Desk
from custinfo.errors import InvalidFieldError
from custinfo.model import Money, Transaction, by_currency, statement
from custinfo.store import Unit

Timeline: TypeAlias = list[Transaction]


@attrs.frozen(kw_only=True)
class Statement:
    """A customer's transactions in a period, and their sums.

    Args:
        customer_id: of the customer, the survivor for a merged one.
        start: first instant of the period, or None.
        end: first instant after the period, or None.
        transactions: `Transaction` objects, in a view what is granted of them; in order of time, then id.
        totals: by currency: payments less refunds and chargebacks, posted ones only.
        opening: by currency: the balance before the period.
        closing: by currency: the balance after it, ``opening + total``.
    """

    customer_id: str
    start: datetime | None
    end: datetime | None
    transactions: tuple[Any, ...]
    totals: dict[str, Money]
    opening: dict[str, Money]
    closing: dict[str, Money]


def transactions_of(desk: Desk, customer_id: str, *, unit: Unit, fields: Collection[str] | None = None) -> Timeline:
    """All transactions of a customer and of everyone merged into him, in order of time, then id.

    Args:
        desk: the book's inside.
        customer_id: of the customer, of a merged one too.
        unit: to read in.
        fields: personal fields to decrypt; all when left out.

    Raises:
        RecordNotFoundError: no such customer.
    """
    owners = [desk.customers.record(customer_id, unit=unit).id]
    for owner in owners:
        owners += desk.customers.find_ids(unit=unit, merged_into=owner)
    ids = [
        id
        for owner in owners
        for account in desk.accounts.find_ids(unit=unit, customer_id=owner)
        for id in desk.transactions.find_ids(unit=unit, account_id=account)
    ]
    records = unit.get(desk.transactions.kind, ids)
    found = [desk.transactions.codec.open(record, fields=fields) for record in records]
    return sorted(found, key=lambda transaction: (transaction.occurred_at, transaction.id))


def timeline_of(desk: Desk, customer_id: str, *, fields: Collection[str] | None = None) -> Timeline:
    """What happened with a customer, in order of time; see `transactions_of`."""
    with desk.store.unit(write=False) as unit:
        return transactions_of(desk, customer_id, unit=unit, fields=fields)


def statement_of(desk: Desk, customer_id: str, period: Any, *, fields: Collection[str] | None = None) -> Statement:
    """The statement of a customer for a period: None or (start, end), aware datetimes, each may be None.

    Raises:
        InvalidFieldError: "period".
    """
    try:
        start, end = (None, None) if period is None else period
    except (TypeError, ValueError):
        raise InvalidFieldError("a period is a pair of aware datetimes or None", code="period", path="period") from None
    if any(edge is not None and (not isinstance(edge, datetime) or edge.tzinfo is None) for edge in (start, end)):
        raise InvalidFieldError("a period is a pair of aware datetimes or None", code="period", path="period")
    if start is not None and end is not None and end < start:
        raise InvalidFieldError(
            "the period ends before it starts; give the earlier instant first", code="period", path="period"
        )
    with desk.store.unit(write=False) as unit:
        owner = desk.customers.record(customer_id, unit=unit).id
        found = transactions_of(desk, owner, unit=unit, fields=fields)
    inside = [
        one for one in found if (start is None or one.occurred_at >= start) and (end is None or one.occurred_at < end)
    ]
    ledgers = {
        currency: statement(ledger, start, end, currency=currency) for currency, ledger in by_currency(found).items()
    }
    moved = {one.amount.currency for one in inside}
    return Statement(
        customer_id=owner,
        start=start,
        end=end,
        transactions=tuple(inside),
        totals={currency: one.closing - one.opening for currency, one in ledgers.items() if currency in moved},
        opening={currency: one.opening for currency, one in ledgers.items()},
        closing={currency: one.closing for currency, one in ledgers.items()},
    )

"""A customer's payments over all of his accounts."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeAlias

import attrs

from custinfo.book._desk import Desk
from custinfo.errors import InvalidFieldError
from custinfo.model import Money, Transaction
from custinfo.store import Unit

Timeline: TypeAlias = list[Transaction]


@attrs.frozen(kw_only=True)
class Statement:
    """A customer's transactions in a period, and their sums.

    Args:
        customer_id: of the customer, the survivor for a merged one.
        start: first instant of the period, or None.
        end: first instant after the period, or None.
        transactions: in order of time, then id.
        totals: by currency: payments less refunds and chargebacks, posted ones only.
    """

    customer_id: str
    start: datetime | None
    end: datetime | None
    transactions: tuple[Transaction, ...]
    totals: dict[str, Money]


def transactions_of(desk: Desk, customer_id: str, *, unit: Unit) -> Timeline:
    """All transactions of a customer, in order of time, then id.

    Raises:
        RecordNotFoundError: no such customer.
    """
    owner = desk.customers.record(customer_id, unit=unit).id
    ids = [
        id
        for account in desk.accounts.find_ids(unit=unit, customer_id=owner)
        for id in desk.transactions.find_ids(unit=unit, account_id=account)
    ]
    found = [desk.transactions.codec.open(record) for record in unit.get(desk.transactions.kind, ids)]
    return sorted(found, key=lambda transaction: (transaction.occurred_at, transaction.id))


def timeline_of(desk: Desk, customer_id: str) -> Timeline:
    """What happened with a customer, in order of time."""
    with desk.store.unit(write=False) as unit:
        return transactions_of(desk, customer_id, unit=unit)


def statement_of(desk: Desk, customer_id: str, period: Any) -> Statement:
    """The statement of a customer for a period: None or (start, end), aware datetimes, each may be None.

    Raises:
        InvalidFieldError: "period".
    """
    start, end = (None, None) if period is None else period
    if any(edge is not None and (not isinstance(edge, datetime) or edge.tzinfo is None) for edge in (start, end)):
        raise InvalidFieldError("a period is a pair of aware datetimes or None", code="period", path="period")
    with desk.store.unit(write=False) as unit:
        owner = desk.customers.record(customer_id, unit=unit).id
        found = transactions_of(desk, owner, unit=unit)
    inside = [
        one for one in found if (start is None or one.occurred_at >= start) and (end is None or one.occurred_at < end)
    ]
    sums: dict[str, int] = {}
    for one in inside:
        sums[one.amount.currency] = sums.get(one.amount.currency, 0) + one.signed_minor
    totals = {currency: Money(minor, currency) for currency, minor in sorted(sums.items())}
    return Statement(customer_id=owner, start=start, end=end, transactions=tuple(inside), totals=totals)

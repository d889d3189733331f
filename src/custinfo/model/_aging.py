"""What customers owe, by how long it is overdue."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, tzinfo
from itertools import pairwise
from typing import Any

import attrs

from custinfo.errors import InvalidFieldError
from custinfo.model._account import Transaction, TransactionKind, TransactionStatus
from custinfo.model._ledger import aware, in_order_of_time, one_currency, total_of
from custinfo.model._money import Money
from custinfo.model._zone import days_between, local_day, zone_of

_GIVEN_BACK = frozenset({TransactionKind.REFUND, TransactionKind.CHARGEBACK, TransactionKind.PAYOUT})


@attrs.frozen(kw_only=True)
class OpenItem:
    """One transaction of which something is still owed.

    Args:
        transaction_id: of the charge or the pending payment.
        due_on: local day on which it fell due.
        days_overdue: whole days since then, 0 or negative where it is not overdue.
        amount: what is still owed of it.
    """

    transaction_id: str
    due_on: date
    days_overdue: int
    amount: Money = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class AgingBucket:
    """What is owed since a range of days.

    Args:
        first_day: least days overdue, None for what is not overdue.
        last_day: most days overdue, None for no limit.
        amount: sum owed.
        items: number of open items.
    """

    first_day: int | None
    last_day: int | None
    amount: Money = attrs.field(repr=False)
    items: int

    @property
    def label(self) -> str:
        """Such as "current", "1-30" or "over 90"."""
        if self.first_day is None:
            return "current"
        return f"over {self.first_day - 1}" if self.last_day is None else f"{self.first_day}-{self.last_day}"


@attrs.frozen(kw_only=True)
class Aging:
    """What is owed at an instant, by age: the sum of the buckets is the total.

    Args:
        as_of: the instant.
        buckets: from what is not overdue to what is overdue for longest.
        total: everything owed.
        unapplied: money received that no charge has used up; it is not taken off the total.
        items: what is open, the longest overdue first.
    """

    as_of: datetime
    buckets: tuple[AgingBucket, ...]
    total: Money = attrs.field(repr=False)
    unapplied: Money = attrs.field(repr=False)
    items: tuple[OpenItem, ...] = attrs.field(repr=lambda items: str(len(items)))

    def to_dict(self) -> dict[str, Any]:
        """As JSON values: minor units by the labels of the buckets."""
        return {
            "as_of": self.as_of.isoformat(),
            "currency": self.total.currency,
            "buckets_minor": {bucket.label: bucket.amount.minor for bucket in self.buckets},
            "total_minor": self.total.minor,
            "unapplied_minor": self.unapplied.minor,
        }


def aging(
    transactions: Iterable[Transaction],
    as_of: datetime,
    *,
    buckets: Sequence[int] = (30, 60, 90),
    currency: str | None = None,
    time_zone: str | tzinfo = "UTC",
) -> Aging:
    """What is owed at an instant, by the days that it is overdue.

    Owed are charges (posted adjustments below zero), payments that are pending, and what was given back or paid out
    beyond what came in. They fall due on their `due_on`, without one on the day on which they occurred.

    Money that came in (posted payments, adjustments above zero) covers what it names as `related_id`, and then
    charges, the one that fell due first before the others. A pending payment is covered only by payments that name it:
    whoever pays at the till has not thereby paid what he took on credit. A refund or chargeback takes back from the
    payment that it names, so that the charge which that one had covered is open again, since its own day.

    So ``total - unapplied == pending payments - balance(transactions, as_of)``.

    Args:
        transactions: of one currency, each once; their statuses are those of today. Later ones than *as_of* do not
            count.
        as_of: the instant, aware.
        buckets: upper limits in days, rising; (30, 60, 90) gives current, 1-30, 31-60, 61-90 and over 90.
        currency: code of ISO 4217; needed only where there may be no transaction.
        time_zone: whose days they are: an IANA name or a tzinfo.

    Raises:
        InvalidFieldError: "aging.buckets", "time.naive", "time.zone"; "balance.currency", "balance.repeated",
            "field.type", see `balance`.
        AmountOverflowError: a sum does not fit in 64 bits.

    Source: the aged trial balance of accounts receivable, days past due as in the provision matrix of IFRS 9 (2014),
    B5.5.35; order of payments as in the Civil Code of the People's Republic of China (2021-01-01), article 560: what
    the debtor names, else what fell due first.

    >>> from datetime import UTC, datetime
    >>> def booked(id, month, minor, **more):
    ...     at = datetime(2026, month, 15, tzinfo=UTC)
    ...     return Transaction(id=id, account_id="a1", amount=Money(minor, "CNY"), occurred_at=at, **more)
    >>> charges = [booked(f"c{month}", month, -10000, kind="adjustment") for month in (1, 2, 3)]
    >>> owed = aging([*charges, booked("p1", 3, 15000)], datetime(2026, 3, 31, tzinfo=UTC))
    >>> {bucket.label: str(bucket.amount) for bucket in owed.buckets if bucket.items}
    {'1-30': '100.00 CNY', '31-60': '50.00 CNY'}
    """
    limits = _limits(buckets)
    zone = zone_of(time_zone)
    aware(as_of, "as_of")
    ledger, currency = one_currency(transactions, currency)
    left, owed, unapplied = _settled([one for one in in_order_of_time(ledger) if one.occurred_at <= as_of], zone)
    today = local_day(as_of, zone)
    items = tuple(
        OpenItem(
            transaction_id=one.id,
            due_on=due,
            days_overdue=days_between(due, today),
            amount=total_of(left[one.id], currency),
        )
        for due, one in owed
        if left[one.id]
    )
    ranges = zip((None, 1, *(limit + 1 for limit in limits)), (0, *limits, None), strict=True)
    return Aging(
        as_of=as_of,
        buckets=tuple(_bucket(items, first, last, currency) for first, last in ranges),
        total=total_of(sum(item.amount.minor for item in items), currency),
        unapplied=total_of(unapplied, currency),
        items=items,
    )


def _settled(ledger: Sequence[Transaction], zone: tzinfo) -> tuple[dict[str, int], list[tuple[date, Transaction]], int]:
    """What is left of each transaction, those that are owed with the day on which they fell due, and what is unused."""
    left = {one.id: abs(one.amount.minor) for one in ledger}
    came_in: list[Transaction] = []
    given_back: list[Transaction] = []
    charges: list[Transaction] = []
    pending: list[Transaction] = []
    for one in ledger:
        if one.status is TransactionStatus.PENDING and one.kind is TransactionKind.PAYMENT:
            pending.append(one)
        elif one.status is TransactionStatus.POSTED:
            minor = one.signed_minor
            (came_in if minor > 0 else given_back if one.kind in _GIVEN_BACK else charges).append(one)
    _cover(given_back, {one.id for one in came_in}, left)
    _cover(came_in, {one.id for one in (*charges, *given_back, *pending)}, left)
    debts = _by_due_day((*charges, *given_back), zone)
    sources = iter(came_in)
    source = next(sources, None)
    for _, debt in debts:
        while source is not None and left[debt.id]:
            _move(source.id, debt.id, left)
            if not left[source.id]:
                source = next(sources, None)
    return left, _by_due_day((*charges, *given_back, *pending), zone), sum(left[one.id] for one in came_in)


def _cover(sources: Iterable[Transaction], targets: set[str], left: dict[str, int]) -> None:
    """Each source covers what it names."""
    for one in sources:
        if one.related_id in targets:
            _move(one.id, one.related_id, left)


def _move(source: str, target: str, left: dict[str, int]) -> None:
    amount = min(left[source], left[target])
    left[source] -= amount
    left[target] -= amount


def _by_due_day(ledger: Iterable[Transaction], zone: tzinfo) -> list[tuple[date, Transaction]]:
    days = [(one.due_on or local_day(one.occurred_at, zone), one) for one in ledger]
    return sorted(days, key=lambda row: (row[0], row[1].occurred_at, row[1].id))


def _bucket(items: Iterable[OpenItem], first: int | None, last: int | None, currency: str) -> AgingBucket:
    found = [
        item.amount.minor
        for item in items
        if (first is None or item.days_overdue >= first) and (last is None or item.days_overdue <= last)
    ]
    return AgingBucket(first_day=first, last_day=last, amount=total_of(sum(found), currency), items=len(found))


def _limits(buckets: Sequence[int]) -> tuple[int, ...]:
    try:
        limits = tuple(buckets)
        rising = all(earlier < later for earlier, later in pairwise((0, *limits)))
    except TypeError:
        rising, limits = False, ()
    if not limits or not rising or any(type(limit) is not int for limit in limits):
        raise InvalidFieldError(
            "buckets must be rising whole numbers of days above 0, such as (30, 60, 90)",
            code="aging.buckets",
            path="buckets",
        )
    return limits

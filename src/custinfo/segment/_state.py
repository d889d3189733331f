"""What is kept of each customer's payments: small, exact and mergeable."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np

from custinfo.errors import InvalidFieldError
from custinfo.segment._grouping import Grouping, grouping_of
from custinfo.segment._hash import TableFullError
from custinfo.segment._kernel import exact_sums, group, joined, limb_sums, magnitude, raise_to
from custinfo.segment._threads import in_order, worker_count
from custinfo.segment._time import NAT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from numpy.typing import NDArray

    from custinfo.segment._payments import PaymentTable, Piece

    Column = NDArray[Any]
    Int64 = NDArray[np.int64]

_PIECE_ROWS = 1 << 20
_INT64 = 2**63


@attrs.frozen(kw_only=True, eq=False)
class State:
    """Sums per customer, customers in ascending order.

    Args:
        customers: shape (k,).
        frequency: shape (k,), purchases.
        monetary: shape (k,), minor units.
        last_purchase: shape (k,), microseconds since 1970; `NAT`: none.
        last_refund: shape (k,), the same for refunds.
        latest: the latest instant of all rows; `NAT`: there was none.
        currency: of the sums; None: unknown.
        skipped: rows left out because a value was missing.
    """

    customers: Column
    frequency: Int64
    monetary: Int64
    last_purchase: Int64
    last_refund: Int64
    latest: int
    currency: str | None
    skipped: int


class _Sums:
    """Sums of one worker, by the grouping's numbers."""

    def __init__(self, size: int, *, refunds: str, wide: bool) -> None:
        self.frequency = np.zeros(size, np.int64)
        self.last_purchase = np.full(size, NAT, np.int64)
        self.last_refund: Int64 | None = None
        self.low = np.zeros(size, np.int64)
        self.high = np.zeros(size, np.int64) if wide else None
        self.bound = 0  # no sum of a customer is beyond it
        self.latest = NAT
        self.skipped = 0
        self.currencies: frozenset[str] = frozenset()
        self._newest = NAT
        self._refunds = refunds
        self._size = size

    def add(self, codes: Int64, piece: Piece) -> None:
        moments, minor = piece.moments, piece.minor
        self.skipped += piece.skipped
        self.currencies |= piece.currencies
        if piece.rows is not None:
            codes = codes[piece.rows]
        if piece.refund is None:
            self._add_money(codes, minor)
        else:
            bought = np.flatnonzero(~piece.refund)
            if self._refunds == "net":
                self._add_money(codes, minor)
            if self._refunds != "exclude":
                self._add_refunds(codes[piece.refund], moments[piece.refund])
            codes, moments, minor = codes[bought], moments[bought], minor[bought]
            if self._refunds != "net":
                self._add_money(codes, minor)
        self.frequency += np.bincount(codes, minlength=self._size)
        self._newest = raise_to(self.last_purchase, codes, moments, newest=self._newest)
        self.latest = max(self.latest, self._newest)

    def _add_refunds(self, codes: Int64, moments: Int64) -> None:
        if self.last_refund is None:
            self.last_refund = np.full(self._size, NAT, np.int64)
        np.maximum.at(self.last_refund, codes, moments)
        self.latest = max(self.latest, int(moments.max()))

    def _add_money(self, codes: Int64, minor: Column) -> None:
        self.bound += magnitude(minor) * len(minor)
        if self.high is not None:
            high, low = limb_sums(codes, minor, self._size)
            self.high += high
            self.low += low
        elif self.bound < _INT64:
            self.low += exact_sums(codes, minor, self._size)

    def merge(self, other: _Sums) -> None:
        self.frequency += other.frequency
        np.maximum(self.last_purchase, other.last_purchase, out=self.last_purchase)
        if other.last_refund is not None:
            mine = other.last_refund if self.last_refund is None else self.last_refund
            self.last_refund = np.maximum(mine, other.last_refund)
        self.low += other.low
        if self.high is not None and other.high is not None:
            self.high += other.high
        self.bound += other.bound
        self.latest = max(self.latest, other.latest)
        self.skipped += other.skipped
        self.currencies |= other.currencies


def state_of(payments: PaymentTable, *, refunds: str) -> State:
    """Add up payments.

    Args:
        payments: the table.
        refunds: "net" (money is the sum of all rows), "gross" (of purchases), "exclude" (refunds do not exist).

    Raises:
        AmountOverflowError: an amount or a sum that does not fit in 64 bits.
        InvalidFieldError: what `PaymentTable.piece` refuses; "payments.customer" for ids that cannot be sorted;
            "currency.mixed".
    """
    growth, wide = 1, False
    while True:
        try:
            grouping = grouping_of(payments.customers, growth=growth)
        except TypeError:
            raise _unsortable() from None
        try:
            sums = _added_up(payments, grouping, refunds=refunds, wide=wide)
        except TableFullError:
            growth *= 4  # the sample that the estimate saw was not like the rest
            continue
        if wide or sums.bound < _INT64:
            break
        wide = True
    seen = sums.frequency > 0
    if sums.last_refund is not None:
        seen |= sums.last_refund != NAT
    customers, codes = grouping.customers(np.flatnonzero(seen))
    return State(
        customers=customers,
        frequency=sums.frequency[codes],
        monetary=sums.low[codes] if sums.high is None else joined(sums.high[codes], sums.low[codes]),
        last_purchase=sums.last_purchase[codes],
        last_refund=np.full(len(codes), NAT, np.int64) if sums.last_refund is None else sums.last_refund[codes],
        latest=sums.latest,
        currency=payments.one_currency(sums.currencies),
        skipped=sums.skipped,
    )


def _added_up(payments: PaymentTable, grouping: Grouping, *, refunds: str, wide: bool) -> _Sums:
    rows = len(payments.customers)
    step = max(_PIECE_ROWS, grouping.size)  # a piece costs a pass over all customers too
    starts = range(0, rows, step)
    workers = [
        _Sums(grouping.size, refunds=refunds, wide=wide) for _ in range(max(1, min(worker_count(), len(starts))))
    ]

    def work(worker: int, i: int) -> None:
        start, stop = starts[i], min(starts[i] + step, rows)
        workers[worker].add(grouping.codes(start, stop), payments.piece(start, stop))

    in_order(work, tasks=len(starts), workers=len(workers))
    for other in workers[1:]:
        workers[0].merge(other)
    return workers[0]


def _unsortable() -> InvalidFieldError:
    return InvalidFieldError(
        "customer ids must be of one type that can be sorted, such as text or integers", code="payments.customer"
    )


def merge(one: State, other: State) -> State:
    """The state of both states' rows together.

    Raises:
        InvalidFieldError: "currency.mixed", "payments.customer".
        AmountOverflowError: a sum that does not fit in 64 bits.
    """
    for empty, full in ((one, other), (other, one)):
        if not len(empty.customers):
            return attrs.evolve(full, skipped=one.skipped + other.skipped)
    if one.currency != other.currency:
        raise InvalidFieldError(
            f"the former payments are in {one.currency}, the new ones in {other.currency}; convert them first",
            code="currency.mixed",
        )
    if one.customers.dtype != other.customers.dtype:
        raise InvalidFieldError(
            "the new payments have customer ids of another type than the former ones", code="payments.customer"
        )
    try:
        codes, unique = group(np.concatenate([one.customers, other.customers]))
    except TypeError:
        raise _unsortable() from None
    split = len(one.customers)

    def summed(name: str) -> Int64:
        return exact_sums(codes, np.concatenate([getattr(one, name), getattr(other, name)]), len(unique))

    def latest(name: str) -> Int64:
        result = np.full(len(unique), NAT, np.int64)
        result[codes[:split]] = getattr(one, name)
        result[codes[split:]] = np.maximum(result[codes[split:]], getattr(other, name))
        return result

    return State(
        customers=unique,
        frequency=summed("frequency"),
        monetary=summed("monetary"),
        last_purchase=latest("last_purchase"),
        last_refund=latest("last_refund"),
        latest=max(one.latest, other.latest),
        currency=one.currency,
        skipped=one.skipped + other.skipped,
    )

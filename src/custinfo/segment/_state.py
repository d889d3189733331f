"""What is kept of each customer's payments: small, exact and mergeable."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np

from custinfo.errors import InvalidFieldError
from custinfo.segment._grouping import Grouping, grouping_of
from custinfo.segment._hash import TableFullError
from custinfo.segment._kernel import exact_sums, group
from custinfo.segment._sums import Sums
from custinfo.segment._text import TextNotTakenError
from custinfo.segment._threads import in_order, worker_count
from custinfo.segment._time import NAT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from numpy.typing import NDArray

    from custinfo.segment._payments import PaymentTable

    Column = NDArray[Any]
    Int64 = NDArray[np.int64]

_PIECE_ROWS = 1 << 18
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
    growth, wide, ids = 1, False, payments.customers
    while True:
        try:
            grouping = _grouping_of(ids, growth)
            sums = _added_up(payments, grouping, refunds=refunds, wide=wide)
        except TableFullError:
            growth *= 2  # the sample that the estimate saw was not like the rest
            continue
        except TextNotTakenError:
            ids = ids.slower()
            continue
        if wide or sums.bound < _INT64:
            break
        wide = True
    try:
        customers, codes = grouping.customers(sums.seen())
    except TypeError:
        raise _unsortable() from None
    return State(
        customers=customers,
        latest=sums.latest,
        currency=payments.one_currency(sums.currencies),
        skipped=sums.skipped,
        **sums.columns(codes),
    )


def _grouping_of(ids: Any, growth: int) -> Grouping:
    try:
        return grouping_of(ids, growth=growth)
    except TypeError:
        raise _unsortable() from None


def _added_up(payments: PaymentTable, grouping: Grouping, *, refunds: str, wide: bool) -> Sums:
    rows = len(payments.customers)
    starts = range(0, rows, _PIECE_ROWS)
    sums = Sums(grouping.size, rows=rows, refunds=refunds, wide=wide)

    def work(_: int, i: int) -> None:
        start, stop = starts[i], min(starts[i] + _PIECE_ROWS, rows)
        piece = payments.piece(start, stop)
        codes = grouping.codes(start, stop)
        sums.add(codes if piece.rows is None else codes[piece.rows], piece)

    in_order(work, tasks=len(starts), workers=min(worker_count(), len(starts)))
    return sums


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
            "the new payments have customer ids of another type than the former ones; convert them",
            code="payments.customer",
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

"""What is kept of each customer's payments: small, exact and mergeable."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np

from custinfo.errors import InvalidFieldError
from custinfo.segment._kernel import counts, exact_sums, group, latest
from custinfo.segment._time import NAT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from numpy.typing import NDArray

    from custinfo.segment._payments import Payments

    Column = NDArray[Any]
    Int64 = NDArray[np.int64]


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


def state_of(payments: Payments, *, refunds: str) -> State:
    """Add up payments.

    Args:
        payments: rows that count.
        refunds: "net" (money is the sum of all rows), "gross" (of purchases), "exclude" (refunds do not exist).

    Raises:
        AmountOverflowError: a sum that does not fit in 64 bits.
        InvalidFieldError: "payments.customer" for ids that cannot be sorted.
    """
    customers, moments, minor, refund = payments.customers, payments.moments, payments.minor, payments.refund
    any_refund = bool(refund.any())
    if any_refund and refunds == "exclude":
        kept = ~refund
        customers, moments, minor = customers[kept], moments[kept], minor[kept]
        any_refund = False
    codes, unique = _group(customers)
    size = len(unique)
    bought_codes, bought_moments, bought = codes, moments, minor
    last_refund = np.full(size, NAT, np.int64)
    if any_refund:
        bought_codes, bought_moments, bought = codes[~refund], moments[~refund], minor[~refund]
        last_refund = latest(codes[refund], moments[refund], size, none=NAT)
    return State(
        customers=unique,
        frequency=counts(bought_codes, size),
        monetary=exact_sums(bought_codes, bought, size) if refunds == "gross" else exact_sums(codes, minor, size),
        last_purchase=latest(bought_codes, bought_moments, size, none=NAT),
        last_refund=last_refund,
        latest=int(moments.max()) if len(moments) else NAT,
        currency=payments.currency,
        skipped=payments.skipped,
    )


def _group(customers: Column) -> tuple[Int64, Column]:
    try:
        return group(customers)
    except TypeError:
        raise InvalidFieldError(
            "customer ids must be of one type that can be sorted, such as text or integers", code="payments.customer"
        ) from None


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
    codes, unique = _group(np.concatenate([one.customers, other.customers]))
    size = len(unique)

    def both(name: str) -> Int64:
        return np.concatenate([getattr(one, name), getattr(other, name)])

    return State(
        customers=unique,
        frequency=exact_sums(codes, both("frequency"), size),
        monetary=exact_sums(codes, both("monetary"), size),
        last_purchase=latest(codes, both("last_purchase"), size, none=NAT),
        last_refund=latest(codes, both("last_refund"), size, none=NAT),
        latest=max(one.latest, other.latest),
        currency=one.currency,
        skipped=one.skipped + other.skipped,
    )

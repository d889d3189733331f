"""What coupons take off a purchase."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import attrs

from custinfo.errors import InvalidFieldError
from custinfo.model._coupon import Coupon, CouponStatus
from custinfo.model._ledger import aware
from custinfo.model._money import Money
from custinfo.model._rules import list_of, must_be


@attrs.frozen(kw_only=True)
class CouponUse:
    """What one coupon does to an amount: ``before - off == after``.

    Args:
        coupon_id: of the coupon.
        before: amount without it.
        off: what it takes off, at most all of it.
        after: what is left to pay.
    """

    coupon_id: str
    before: Money = attrs.field(repr=False)
    off: Money = attrs.field(repr=False)
    after: Money = attrs.field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "coupon_id": self.coupon_id,
            "currency": self.before.currency,
            "before_minor": self.before.minor,
            "off_minor": self.off.minor,
            "after_minor": self.after.minor,
        }


def apply_coupon(amount: Money, coupon: Coupon, at: datetime, *, customer_id: str | None = None) -> CouponUse:
    """What a coupon takes off an amount at an instant; nothing is stored and the coupon stays as it is.

    An amount (满100减20) is taken off whole, but never more than there is. A percentage is rounded half to even to the
    minor unit of the currency and is at most `maximum_off`.

    Args:
        amount: of the purchase, 0 or more.
        coupon: as issued.
        at: the instant of the purchase, aware.
        customer_id: who uses it; checked against the customer of the coupon where both are known.

    Raises:
        InvalidFieldError: "coupon.status" (used or voided), "coupon.not_yet", "coupon.expired", "coupon.currency",
            "coupon.minimum" (less than the least purchase), "coupon.customer", "coupon.amount" (below zero),
            "time.naive", "field.type".

    >>> from datetime import UTC, datetime
    >>> coupon = Coupon(id="k1", code="HELLO-20", amount_off=Money(2000, "CNY"), minimum_spend=Money(10000, "CNY"))
    >>> str(apply_coupon(Money(12800, "CNY"), coupon, datetime(2026, 11, 11, tzinfo=UTC)).after)
    '108.00 CNY'
    """
    must_be(Money, amount, "amount")
    must_be(Coupon, coupon, "coupon")
    if amount.minor < 0:
        raise _fault("amount", "a purchase is not below zero; nothing is taken off a refund", path="amount")
    _check_validity(coupon, aware(at, "at"), customer_id)
    bounds = (coupon.amount_off, coupon.minimum_spend, coupon.maximum_off)
    if any(one is not None and one.currency != amount.currency for one in bounds):
        raise _fault(
            "currency",
            "the coupon is of another currency than the purchase; use one in that of the purchase",
            path="amount",
        )
    if coupon.minimum_spend is not None and amount < coupon.minimum_spend:
        raise _fault("minimum", "the purchase is less than the coupon asks for; see its minimum_spend", path="amount")
    minor = _reduction(amount, coupon)
    if coupon.maximum_off is not None:
        minor = min(minor, coupon.maximum_off.minor)
    off = Money(min(minor, amount.minor), amount.currency)
    return CouponUse(coupon_id=coupon.id, before=amount, off=off, after=amount - off)


def apply_coupons(
    amount: Money, coupons: Iterable[Coupon], at: datetime, *, customer_id: str | None = None
) -> tuple[CouponUse, ...]:
    """What several coupons take off, one after the other in the order given: each sees what those before it left.

    The least purchase of a coupon is compared with that too, so 满减 coupons do not add up beyond what is bought. The
    order is a matter of the shop's terms: 20 off and then 10 percent is not 10 percent and then 20 off.

    Args:
        amount: of the purchase, 0 or more.
        coupons: each once.
        at: the instant of the purchase, aware.
        customer_id: who uses them.

    Raises:
        InvalidFieldError: "coupon.repeated"; see `apply_coupon`.

    >>> from datetime import UTC, datetime
    >>> twenty = Coupon(id="k1", code="HELLO-20", amount_off=Money(2000, "CNY"))
    >>> tenth = Coupon(id="k2", code="TENTH", percent_off=10)
    >>> at, price = datetime(2026, 11, 11, tzinfo=UTC), Money(10000, "CNY")
    >>> [str(use.after) for use in apply_coupons(price, [twenty, tenth], at)]
    ['80.00 CNY', '72.00 CNY']
    >>> [str(use.after) for use in apply_coupons(price, [tenth, twenty], at)]
    ['90.00 CNY', '70.00 CNY']
    """
    uses: list[CouponUse] = []
    for coupon in list_of(Coupon, coupons, "coupons"):
        use = apply_coupon(amount, coupon, at, customer_id=customer_id)
        if any(use.coupon_id == other.coupon_id for other in uses):
            raise _fault("repeated", "a coupon is there twice; it can be used once", path="coupons")
        uses.append(use)
        amount = use.after
    return tuple(uses)


def _check_validity(coupon: Coupon, at: datetime, customer_id: str | None) -> None:
    if coupon.status is not CouponStatus.ISSUED:
        raise _fault("status", f"the coupon is {coupon.status}; one that is issued is needed")
    if coupon.valid_from is not None and at < coupon.valid_from:
        raise _fault("not_yet", "the coupon is not valid yet; it can be used from its valid_from on")
    if coupon.expires_at is not None and at >= coupon.expires_at:
        raise _fault("expired", "the coupon has expired; it could be used before its expires_at")
    if None not in {coupon.customer_id, customer_id} and coupon.customer_id != customer_id:
        raise _fault("customer", "the coupon is another customer's; only its customer_id can use it")


def _reduction(amount: Money, coupon: Coupon) -> int:
    if coupon.amount_off is not None:
        return coupon.amount_off.minor
    whole, rest = divmod(amount.minor * (coupon.percent_off or 0), 100)
    return whole + (rest > 50 or (rest == 50 and whole % 2 == 1))


def _fault(code: str, message: str, *, path: str = "coupon") -> InvalidFieldError:
    return InvalidFieldError(message, code=f"coupon.{code}", path=path)

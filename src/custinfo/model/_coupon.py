"""Coupons."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import attrs

from custinfo.model._check import choice, optional_key, optional_text, optional_utc
from custinfo.model._field import Index, personal, plain
from custinfo.model._money import Money
from custinfo.model._record import created, record_id, record_version, unknown_keys, updated
from custinfo.model._rules import Whole, fault, in_order, one_of

_CUSTOMER_ID = Index(name="customer_id", text=lambda coupon: coupon.customer_id, blind=False)
_CODE = Index(name="code", text=lambda coupon: coupon.code, normalize=str.strip)


class CouponStatus(StrEnum):
    """Where a coupon stands."""

    ISSUED = "issued"
    REDEEMED = "redeemed"
    VOIDED = "voided"


@attrs.frozen(kw_only=True)
class Coupon:
    """A reduction that can be used once: an amount (满100减20) or a percentage (八五折 is 15 percent off).

    Args:
        code: what the customer shows; who has it can use it, so it is treated as personal.
        customer_id: who alone may use it; None = whoever has the code.
        amount_off: the amount taken off; either this or *percent_off*.
        percent_off: whole percent taken off, 1 to 100.
        minimum_spend: the least purchase it is good for (满减).
        maximum_off: the most that a percentage takes off (封顶).
        valid_from: first instant at which it is good.
        expires_at: first instant at which it is no longer good.
        redeemed_at: when it was used; needs the status "redeemed", and that needs it.
        transaction_id: the payment that it was used for.

    Raises:
        InvalidFieldError: "coupon.discount", "coupon.currency", "coupon.dates", "coupon.redeemed"; those of the
            fields: "field.type", "int.*", "enum.unknown", "time.*", "text.*", "json.*", "extra.reserved".

    >>> coupon = Coupon(code="HELLO-20", amount_off=Money(2000, "CNY"), minimum_spend=Money(10000, "CNY"))
    >>> coupon.status, str(coupon.amount_off)
    (<CouponStatus.ISSUED: 'issued'>, '20.00 CNY')
    """

    id: str = record_id()
    version: int = record_version()
    code: str | None = personal(
        "financial", "code of the coupon", "券码", mask="last4", index=_CODE, default=None, validator=optional_key
    )
    customer_id: str | None = plain(
        "id of the customer", "客户编号", pii="pseudonym", index=_CUSTOMER_ID, default=None, validator=optional_key
    )
    status: CouponStatus = plain("status", "状态", default=CouponStatus.ISSUED, converter=choice(CouponStatus))
    amount_off: Money | None = plain("amount taken off", "减免金额", default=None, validator=one_of(Money))
    percent_off: int | None = plain("percent taken off", "折扣百分比", default=None, validator=Whole(1, 100))
    minimum_spend: Money | None = plain("least purchase", "最低消费", default=None, validator=one_of(Money))
    maximum_off: Money | None = plain("most that is taken off", "最高减免", default=None, validator=one_of(Money))
    valid_from: datetime | None = plain("valid from", "生效时间", default=None, converter=optional_utc)
    expires_at: datetime | None = plain("when it expires", "到期时间", default=None, converter=optional_utc)
    redeemed_at: datetime | None = plain("when it was used", "使用时间", default=None, converter=optional_utc)
    transaction_id: str | None = plain(
        "payment it was used for", "关联交易", pii="pseudonym", default=None, validator=optional_key
    )
    description: str | None = personal("content", "what it is for", "说明", default=None, validator=optional_text)
    created_at: datetime | None = created()
    updated_at: datetime | None = updated()
    extra: Mapping[str, Any] = unknown_keys()

    def __attrs_post_init__(self) -> None:
        if (self.amount_off is None) == (self.percent_off is None):
            raise fault("coupon.discount", "amount_off", "a coupon takes off an amount or a percentage, one of them")
        amounts = [one for one in (self.amount_off, self.minimum_spend, self.maximum_off) if one is not None]
        if any(one.minor <= 0 for one in amounts):
            raise fault("coupon.discount", "amount_off", "the amounts of a coupon must be more than 0")
        if len({one.currency for one in amounts}) > 1:
            raise fault("coupon.currency", "minimum_spend", "the amounts of a coupon must be of one currency")
        in_order("coupon.dates", valid_from=self.valid_from, expires_at=self.expires_at)
        in_order("coupon.dates", valid_from=self.valid_from, redeemed_at=self.redeemed_at)
        if (self.status is CouponStatus.REDEEMED) != (self.redeemed_at is not None):
            raise fault("coupon.redeemed", "redeemed_at", "a coupon that was redeemed says when, and no other does")

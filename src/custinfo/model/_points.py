"""Points of a loyalty programme, entry by entry."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import attrs

from custinfo.model._check import INT64, choice, optional_key, optional_text, optional_utc, utc
from custinfo.model._field import personal, plain
from custinfo.model._record import created, owner_id, record_id, record_version, unknown_keys, updated
from custinfo.model._rules import Whole, fault, in_order, other_than_itself


class LoyaltyKind(StrEnum):
    """What an entry does with points."""

    EARN = "earn"
    REDEEM = "redeem"
    EXPIRE = "expire"
    REVERSE = "reverse"


@attrs.frozen(kw_only=True)
class LoyaltyEntry:
    """Points earned, redeemed, expired, or an earlier entry reversed.

    Args:
        points: more than 0, the kind says the direction; of a reversal negative where it takes back points that were
            earned, positive where it gives redeemed points back.
        occurred_at: aware datetime, kept in UTC.
        expires_at: of points earned: the first instant at which they are gone.
        related_id: of a reversal: the entry that it reverses, the whole of it or a part.
        transaction_id: the payment that earned the points or was paid with them.
        program: code of the programme, where there are several.

    Raises:
        InvalidFieldError: "loyalty.points", "loyalty.expiry", "loyalty.reverse" (without related_id),
            "reference.self"; those of the fields: "int.*", "enum.unknown", "time.*", "text.*", "json.*",
            "extra.reserved".

    >>> from datetime import UTC, datetime
    >>> earned = LoyaltyEntry(customer_id="c1", kind="earn", points=100, occurred_at=datetime(2026, 1, 31, tzinfo=UTC))
    >>> earned.signed_points, attrs.evolve(earned, kind="redeem").signed_points
    (100, -100)
    """

    id: str = record_id()
    version: int = record_version()
    customer_id: str = owner_id()
    kind: LoyaltyKind = plain("what it does", "类型", converter=choice(LoyaltyKind))
    points: int = plain("points", "积分", validator=Whole(-INT64 + 1, INT64 - 1, optional=False))
    occurred_at: datetime = plain("when it happened", "发生时间", converter=utc)
    expires_at: datetime | None = plain("when the points expire", "到期时间", default=None, converter=optional_utc)
    related_id: str | None = plain(
        "entry it reverses", "关联记录", pii="pseudonym", default=None, validator=optional_key
    )
    transaction_id: str | None = plain(
        "payment it belongs to", "关联交易", pii="pseudonym", default=None, validator=optional_key
    )
    program: str | None = plain("code of the programme", "积分计划", default=None, validator=optional_key)
    description: str | None = personal("content", "free text", "说明", default=None, validator=optional_text)
    created_at: datetime | None = created()
    updated_at: datetime | None = updated()
    extra: Mapping[str, Any] = unknown_keys()

    def __attrs_post_init__(self) -> None:
        is_reversal = self.kind is LoyaltyKind.REVERSE
        if self.points == 0 or (self.points < 0 and not is_reversal):
            raise fault("loyalty.points", "points", "points must be more than 0; of a reversal they may be negative")
        if is_reversal and self.related_id is None:
            raise fault("loyalty.reverse", "related_id", "a reversal names the entry that it reverses as related_id")
        if self.expires_at is not None and self.kind is not LoyaltyKind.EARN:
            raise fault("loyalty.expiry", "expires_at", "only points that are earned expire")
        in_order("loyalty.expiry", occurred_at=self.occurred_at, expires_at=self.expires_at)
        other_than_itself(self, "related_id")

    @property
    def signed_points(self) -> int:
        """What the entry adds to the points that a customer has."""
        return -self.points if self.kind in {LoyaltyKind.REDEEM, LoyaltyKind.EXPIRE} else self.points

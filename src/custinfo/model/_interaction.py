"""Contacts with a customer."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import attrs

from custinfo.model._check import choice, optional_key, optional_text, utc
from custinfo.model._field import personal, plain
from custinfo.model._record import created, owner_id, record_id, record_version, unknown_keys, updated
from custinfo.model._rules import Whole


class Channel(StrEnum):
    """By which way people are in touch."""

    APP = "app"
    CHAT = "chat"
    EMAIL = "email"
    MAIL = "mail"
    MEETING = "meeting"
    PHONE = "phone"
    SMS = "sms"
    SOCIAL = "social"
    STORE = "store"
    VIDEO = "video"
    WEB = "web"
    OTHER = "other"


class Direction(StrEnum):
    """Who began: the customer (inbound) or we (outbound)."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


@attrs.frozen(kw_only=True)
class Interaction:
    """One contact with a customer: a call, a message, a meeting.

    Args:
        direction: "inbound" or "outbound"; "in" and "out" are understood too.
        occurred_at: when it began; aware datetime, kept in UTC.
        actor: who of us took part, an id of staff or of a program.
        duration_s: how long it took, in whole seconds.
        about: code or id of what it was about: a transaction, a product, "billing".

    Raises:
        InvalidFieldError: "enum.unknown", "time.*", "text.*", "int.*", "json.*", "extra.reserved".

    >>> from datetime import UTC, datetime
    >>> Interaction(customer_id="c1", channel="phone", direction="in", occurred_at=datetime.now(UTC)).direction
    <Direction.INBOUND: 'inbound'>
    """

    id: str = record_id()
    version: int = record_version()
    customer_id: str = owner_id()
    channel: Channel = plain("channel", "渠道", converter=choice(Channel))
    direction: Direction = plain(
        "who began", "方向", converter=choice(Direction, **{"in": Direction.INBOUND, "out": Direction.OUTBOUND})
    )
    occurred_at: datetime = plain("when it happened", "发生时间", converter=utc)
    summary: str | None = personal("content", "what it was about", "内容", default=None, validator=optional_text)
    outcome: str | None = personal("content", "what came of it", "结果", default=None, validator=optional_text)
    actor: str | None = plain(
        "who of us took part", "经办人", pii="pseudonym", default=None, repr=False, validator=optional_key
    )
    duration_s: int | None = plain(
        "how long it took, in seconds", "时长（秒）", default=None, repr=False, validator=Whole(0, 2**31 - 1)
    )
    about: str | None = plain(
        "what it was about", "关联对象", pii="pseudonym", default=None, repr=False, validator=optional_key
    )
    created_at: datetime | None = created()
    updated_at: datetime | None = updated()
    extra: Mapping[str, Any] = unknown_keys()

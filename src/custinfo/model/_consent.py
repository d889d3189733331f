"""Consent of a customer."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import attrs

from custinfo.model._check import choice, key_text, optional_key, optional_text, optional_utc, utc
from custinfo.model._field import personal, plain
from custinfo.model._interaction import Channel
from custinfo.model._record import created, owner_id, record_id, record_version, unknown_keys, updated
from custinfo.model._rules import in_order, optional_choice


class ConsentStatus(StrEnum):
    """What the customer said."""

    GRANTED = "granted"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"


@attrs.frozen(kw_only=True)
class Consent:
    """What a customer agreed to or withdrew, for one purpose and channel, at one time.

    Args:
        purpose: code of the purpose, such as "marketing".
        channel: by which he may be contacted for it.
        captured_at: when he said so; aware datetime, kept in UTC.
        notice: version of the text that he was shown.
        proof: where the declaration is kept; personal.
        capture_channel: by which he said so, such as "web" or "store"; often another than *channel*.
        captured_by: who took it, an id of staff or of a program.
        expires_at: first instant at which it no longer holds.

    Raises:
        InvalidFieldError: "consent.expiry" where it expires before it was captured; those of the fields:
            "enum.unknown", "time.*", "text.*", "int.*", "json.*", "extra.reserved".

    Source: what must be provable is in GDPR (EU) 2016/679, article 7(1), and the Personal Information Protection Law of
    China (2021), articles 14 and 15.

    >>> from datetime import UTC, datetime
    >>> now = datetime.now(UTC)
    >>> said = Consent(customer_id="c1", purpose="marketing", channel="email", status="granted", captured_at=now)
    >>> said.status
    <ConsentStatus.GRANTED: 'granted'>
    """

    id: str = record_id()
    version: int = record_version()
    customer_id: str = owner_id()
    purpose: str = plain("code of the purpose", "目的", validator=key_text)
    channel: Channel = plain("channel", "渠道", converter=choice(Channel))
    status: ConsentStatus = plain("what the customer said", "状态", converter=choice(ConsentStatus))
    captured_at: datetime = plain("when he said so", "取得时间", converter=utc)
    notice: str | None = plain("version of the text shown", "告知版本", default=None, validator=optional_text)
    proof: str | None = personal("content", "where it is kept", "凭证", default=None, validator=optional_text)
    capture_channel: Channel | None = plain(
        "by which he said so", "取得渠道", default=None, repr=False, converter=optional_choice(Channel)
    )
    captured_by: str | None = plain(
        "who took it", "经办人", pii="pseudonym", default=None, repr=False, validator=optional_key
    )
    expires_at: datetime | None = plain("when it ends", "失效时间", default=None, repr=False, converter=optional_utc)
    created_at: datetime | None = created()
    updated_at: datetime | None = updated()
    extra: Mapping[str, Any] = unknown_keys()

    def __attrs_post_init__(self) -> None:
        if self.expires_at is not None:
            in_order("consent.expiry", captured_at=self.captured_at, expires_at=self.expires_at)

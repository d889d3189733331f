"""Consent of a customer."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import attrs

from custinfo.model._check import choice, key_text, optional_text, utc
from custinfo.model._field import personal, plain
from custinfo.model._interaction import Channel
from custinfo.model._record import created, owner_id, record_id, record_version, unknown_keys, updated


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

    Raises:
        InvalidFieldError: "enum.unknown", "time.*", "text.*", "int.*", "json.*", "extra.reserved".

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
    created_at: datetime | None = created()
    updated_at: datetime | None = updated()
    extra: Mapping[str, Any] = unknown_keys()

"""What customers say of us."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import attrs

from custinfo.model._check import Field, choice, optional_key, optional_text, optional_utc, utc
from custinfo.model._field import Index, personal, plain
from custinfo.model._interaction import Channel
from custinfo.model._record import created, owner_id, record_id, record_version, unknown_keys, updated
from custinfo.model._rules import Whole, fault, in_order

_STATUS = Index(name="status", text=lambda feedback: feedback.status.value, blind=False)
_INT32 = 2**31


class FeedbackKind(StrEnum):
    """What kind of thing was said."""

    REVIEW = "review"
    SURVEY = "survey"
    COMPLAINT = "complaint"
    PRAISE = "praise"
    SUGGESTION = "suggestion"
    QUESTION = "question"


class FeedbackStatus(StrEnum):
    """How far we are with it."""

    NEW = "new"
    ACKNOWLEDGED = "acknowledged"
    IN_PROGRESS = "in_progress"
    RESOLVED = "resolved"


def _scale(value: object, field: "Field[Any]") -> tuple[int, ...]:
    if value == ():
        return ()
    ends = tuple(value) if isinstance(value, list | tuple) and len(value) == 2 else ()
    if not ends or any(type(end) is not int or not -_INT32 <= end < _INT32 for end in ends) or ends[0] >= ends[1]:
        raise fault("feedback.scale", field.name, "scale must be the lowest and the highest score, such as (0, 10)")
    return ends


@attrs.frozen(kw_only=True)
class Feedback:
    """What a customer said of us, by a score, in words, or both.

    Args:
        channel: by which it came.
        kind: review, survey, complaint, praise, suggestion or question.
        occurred_at: aware datetime, kept in UTC.
        score: an integer of the scale.
        scale: lowest and highest score: (0, 10) for NPS, (1, 5) for CSAT, (1, 7) for CES.
        text: in the customer's words.
        about: code or id of what it is about: a transaction, a product, "delivery".
        acknowledged_at: when we answered first.
        resolved_at: when it was resolved; needs the status "resolved".

    Raises:
        InvalidFieldError: "feedback.score" (outside the scale, or without one), "feedback.scale", "feedback.dates" (an
            answer before the question, or resolved without the status); those of the fields: "enum.unknown", "int.*",
            "time.*", "text.*", "json.*", "extra.reserved".

    >>> from datetime import UTC, datetime
    >>> when = datetime(2026, 1, 31, tzinfo=UTC)
    >>> said = Feedback(customer_id="c1", channel="sms", kind="survey", occurred_at=when, score=9, scale=(0, 10))
    >>> said.status
    <FeedbackStatus.NEW: 'new'>
    """

    id: str = record_id()
    version: int = record_version()
    customer_id: str = owner_id()
    channel: Channel = plain("channel", "渠道", converter=choice(Channel))
    kind: FeedbackKind = plain("kind", "类型", default=FeedbackKind.REVIEW, converter=choice(FeedbackKind))
    occurred_at: datetime = plain("when it was said", "发生时间", converter=utc)
    score: int | None = plain("score", "评分", default=None, validator=Whole(-_INT32, _INT32 - 1))
    scale: tuple[int, ...] = plain(
        "lowest and highest score", "评分范围", default=(), converter=attrs.Converter(_scale, takes_field=True)
    )
    text: str | None = personal("content", "in words", "反馈内容", default=None, validator=optional_text)
    about: str | None = plain(
        "what it is about", "反馈对象", pii="pseudonym", default=None, repr=False, validator=optional_key
    )
    status: FeedbackStatus = plain(
        "how far we are", "处理状态", index=_STATUS, default=FeedbackStatus.NEW, converter=choice(FeedbackStatus)
    )
    assignee: str | None = plain(
        "who works on it", "负责人", pii="pseudonym", default=None, repr=False, validator=optional_key
    )
    acknowledged_at: datetime | None = plain(
        "when we answered first", "首次答复时间", default=None, repr=False, converter=optional_utc
    )
    resolved_at: datetime | None = plain(
        "when it was resolved", "解决时间", default=None, repr=False, converter=optional_utc
    )
    resolution: str | None = personal("content", "what was done", "处理结果", default=None, validator=optional_text)
    created_at: datetime | None = created()
    updated_at: datetime | None = updated()
    extra: Mapping[str, Any] = unknown_keys()

    def __attrs_post_init__(self) -> None:
        if self.score is not None and not (self.scale and self.scale[0] <= self.score <= self.scale[1]):
            raise fault("feedback.score", "score", "score must be within scale, such as (0, 10)")
        in_order("feedback.dates", occurred_at=self.occurred_at, acknowledged_at=self.acknowledged_at)
        in_order("feedback.dates", occurred_at=self.occurred_at, resolved_at=self.resolved_at)
        if self.resolved_at is not None and self.status is not FeedbackStatus.RESOLVED:
            raise fault("feedback.dates", "resolved_at", "only feedback with the status 'resolved' has a resolved_at")

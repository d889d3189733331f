"""Work for a person: what the library would not decide alone."""

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import attrs

from custinfo.model._check import choice, json_object, key_text, many, optional_date, optional_text
from custinfo.model._field import Index, personal, plain
from custinfo.model._record import created, record_id, record_version, unknown_keys, updated

STATUS = Index(name="status", text=lambda task: task.status.value, blind=False)
ABOUT = Index(name="about", text=lambda task: next(iter(task.customer_ids), None), blind=False)


class ReviewStatus(StrEnum):
    """Where a review task stands."""

    OPEN = "open"
    DONE = "done"
    DISMISSED = "dismissed"


@attrs.frozen(kw_only=True)
class ReviewTask:
    """A question for a person.

    Args:
        reason: code of the question: "duplicate", "import.changed", "import.ambiguous".
        customer_ids: the customers it is about.
        fields: paths of the fields to look at; all when empty.
        due_on: local day by which it is to be done.
        proposal: the new values that a source gave, by field, JSON values; personal.

    Raises:
        InvalidFieldError: "field.type", "enum.unknown", "text.*", "int.*", "time.*", "json.*", "extra.reserved".

    >>> ReviewTask(id="r1", reason="duplicate", customer_ids=["c1", "c2"]).status
    <ReviewStatus.OPEN: 'open'>
    """

    id: str = record_id()
    version: int = record_version()
    reason: str = plain("code of the question", "原因", validator=key_text)
    customer_ids: tuple[str, ...] = plain(
        "the customers it is about", "客户", pii="pseudonym", index=ABOUT, converter=many(str, blank=False)
    )
    status: ReviewStatus = plain(
        "status", "状态", index=STATUS, default=ReviewStatus.OPEN, converter=choice(ReviewStatus)
    )
    assignee: str | None = plain("who works on it", "负责人", pii="pseudonym", default=None, validator=optional_text)
    fields: tuple[str, ...] = plain(
        "fields to look at", "待核字段", default=(), repr=False, converter=many(str, blank=False)
    )
    due_on: date | None = plain(
        "day by which it is to be done", "截止日期", default=None, repr=False, validator=optional_date
    )
    proposal: Mapping[str, Any] = personal(
        "content", "proposed values", "建议值", factory=dict, hash=False, converter=json_object
    )
    created_at: datetime | None = created()
    updated_at: datetime | None = updated()
    extra: Mapping[str, Any] = unknown_keys()

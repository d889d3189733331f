"""Work for a person: what the library would not decide alone."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import attrs

from custinfo.model._contact import _optional_utc
from custinfo.model._field import Index, optional_text, personal, plain, required_text
from custinfo.model._ids import new_id

STATUS = Index(name="status", text=lambda task: task.status, blind=False)
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
        proposal: the new values that a source gave, by field; personal.

    >>> ReviewTask(id="r1", reason="duplicate", customer_ids=["c1", "c2"]).status
    <ReviewStatus.OPEN: 'open'>
    """

    id: str = plain("id of the record", "记录编号", pii="pseudonym", factory=new_id, validator=required_text)
    version: int = plain("version of the stored record", "版本", default=0)
    reason: str = plain("code of the question", "原因", validator=required_text)
    customer_ids: tuple[str, ...] = plain(
        "the customers it is about", "客户", pii="pseudonym", index=ABOUT, converter=tuple
    )
    status: ReviewStatus = plain("status", "状态", index=STATUS, default=ReviewStatus.OPEN, converter=ReviewStatus)
    assignee: str | None = plain("who works on it", "负责人", default=None, validator=optional_text)
    proposal: Mapping[str, Any] = personal("content", "proposed values", "建议值", factory=dict)
    created_at: datetime | None = plain("when created", "创建时间", default=None, repr=False, converter=_optional_utc)
    updated_at: datetime | None = plain("when changed", "更新时间", default=None, repr=False, converter=_optional_utc)
    extra: Mapping[str, Any] = personal("content", "keys unknown to this release", "其他字段", factory=dict)

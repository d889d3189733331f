"""Changes that somebody asks for and somebody else approves."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import attrs

from custinfo.model._check import choice, json_object, key_text, optional_key, optional_text, optional_utc, utc
from custinfo.model._field import Index, personal, plain
from custinfo.model._record import created, owner_id, record_id, record_version, unknown_keys, updated
from custinfo.model._rules import fault, in_order, must_be

_STATUS = Index(name="status", text=lambda request: request.status.value, blind=False)


class ChangeRequestStatus(StrEnum):
    """How far a request is."""

    SUBMITTED = "submitted"
    VERIFIED = "verified"
    APPROVED = "approved"
    REJECTED = "rejected"
    APPLIED = "applied"


_NEXT = {
    ChangeRequestStatus.SUBMITTED: (ChangeRequestStatus.VERIFIED, ChangeRequestStatus.REJECTED),
    ChangeRequestStatus.VERIFIED: (ChangeRequestStatus.APPROVED, ChangeRequestStatus.REJECTED),
    ChangeRequestStatus.APPROVED: (ChangeRequestStatus.APPLIED, ChangeRequestStatus.REJECTED),
    ChangeRequestStatus.REJECTED: (),
    ChangeRequestStatus.APPLIED: (),
}
_DECIDED = frozenset({ChangeRequestStatus.APPROVED, ChangeRequestStatus.REJECTED, ChangeRequestStatus.APPLIED})
_VERIFIED = frozenset({ChangeRequestStatus.VERIFIED, ChangeRequestStatus.APPROVED, ChangeRequestStatus.APPLIED})


@attrs.frozen(kw_only=True)
class ChangeRequest:
    """A change of a customer's data that is asked for, verified, decided by another person, and applied.

    Args:
        changes: field -> new value, JSON values; personal.
        submitted_by: who asked: the customer's id, or that of a member of staff.
        verified_at: when it was made sure that the customer wants it; from the status "verified" on.
        decided_by: who approved or rejected it: somebody else than *submitted_by* (four eyes).
        decided_at: when; with *decided_by*, from the status "approved" or "rejected" on.
        applied_at: when the change was made; with the status "applied".
        reason: why it was asked for or rejected; personal.

    Raises:
        InvalidFieldError: "change.four_eyes", "change.verified", "change.decision",
            "change.applied" (the status and what it needs do not agree), "change.dates"; those of the fields:
            "enum.unknown", "time.*", "text.*", "int.*", "json.*", "extra.reserved".

    >>> from datetime import UTC, datetime
    >>> asked = ChangeRequest(
    ...     customer_id="c1",
    ...     changes={"emails": [{"value": "rosa@example.com"}]},
    ...     submitted_by="c1",
    ...     submitted_at=datetime(2026, 1, 31, tzinfo=UTC),
    ... )
    >>> asked.status
    <ChangeRequestStatus.SUBMITTED: 'submitted'>
    """

    id: str = record_id()
    version: int = record_version()
    customer_id: str = owner_id()
    changes: Mapping[str, Any] = personal(
        "content", "field and new value", "变更内容", factory=dict, hash=False, converter=json_object
    )
    status: ChangeRequestStatus = plain(
        "how far it is",
        "状态",
        index=_STATUS,
        default=ChangeRequestStatus.SUBMITTED,
        converter=choice(ChangeRequestStatus),
    )
    submitted_by: str = plain("who asked", "提交人", pii="pseudonym", validator=key_text)
    submitted_at: datetime = plain("when", "提交时间", converter=utc)
    verified_at: datetime | None = plain("when verified", "核实时间", default=None, converter=optional_utc)
    decided_by: str | None = plain("who decided", "审批人", pii="pseudonym", default=None, validator=optional_key)
    decided_at: datetime | None = plain("when decided", "审批时间", default=None, converter=optional_utc)
    applied_at: datetime | None = plain("when applied", "执行时间", default=None, converter=optional_utc)
    reason: str | None = personal("content", "why", "原因", default=None, validator=optional_text)
    created_at: datetime | None = created()
    updated_at: datetime | None = updated()
    extra: Mapping[str, Any] = unknown_keys()

    def __attrs_post_init__(self) -> None:
        if self.decided_by == self.submitted_by:
            raise fault(
                "change.four_eyes", "decided_by", "who asked for a change cannot decide on it; somebody else must"
            )
        if self.status in _VERIFIED and self.verified_at is None:
            raise fault("change.verified", "verified_at", f"a request that is {self.status} has a verified_at")
        decided = self.decided_by is not None, self.decided_at is not None
        if decided != (self.status in _DECIDED,) * 2:
            raise fault(
                "change.decision", "decided_by", "decided_by and decided_at are set with the decision, and only then"
            )
        if (self.applied_at is not None) != (self.status is ChangeRequestStatus.APPLIED):
            raise fault("change.applied", "applied_at", "applied_at is set with the status 'applied', and only then")
        in_order(
            "change.dates",
            submitted_at=self.submitted_at,
            verified_at=self.verified_at,
            decided_at=self.decided_at,
            applied_at=self.applied_at,
        )


def check_change_request(request: ChangeRequest, status: ChangeRequestStatus | str) -> ChangeRequestStatus:
    """The next status of a request, if it may come next.

    Submitted, verified, approved, applied, one after the other; rejected from each of the first three.

    Args:
        request: as it is.
        status: a status or its text; the present one is always allowed.

    Raises:
        InvalidFieldError: "enum.unknown", "change.transition", "change.empty" (it asks for no change, or an erasure or
            a view left it out).

    >>> from datetime import UTC, datetime
    >>> day = datetime(2026, 1, 31, tzinfo=UTC)
    >>> asked = ChangeRequest(customer_id="c1", changes={"sex": "f"}, submitted_by="c1", submitted_at=day)
    >>> check_change_request(asked, "verified")
    <ChangeRequestStatus.VERIFIED: 'verified'>
    """
    must_be(ChangeRequest, request, "request")
    given: Any = status
    try:
        wanted = ChangeRequestStatus(given)
    except ValueError:
        raise fault("enum.unknown", "status", f"status must be one of {', '.join(ChangeRequestStatus)}") from None
    if wanted is not request.status and wanted not in _NEXT[request.status]:
        following = ", ".join(_NEXT[request.status]) or "nothing"
        raise fault("change.transition", "status", f"a request that is {request.status} can become {following}")
    if wanted not in {request.status, ChangeRequestStatus.REJECTED} and not request.changes:
        raise fault("change.empty", "changes", "a request that goes on names at least one field to change")
    return wanted

"""The record of a merge, from which it can be undone."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs

from custinfo.model._check import key_text, many, optional_utc, versions
from custinfo.model._field import Index, plain
from custinfo.model._record import created, record_id, record_version, unknown_keys, updated

OPEN_SURVIVOR = Index(name="survivor", text=lambda merge: merge.survivor, blind=False)


@attrs.frozen(kw_only=True)
class Merge:
    """Which customers became one, and the versions of everything the merge changed.

    Args:
        survivor: id of the member that stands for all.
        members: ids of all members, the survivor included.
        before: kind/id -> version before the merge; the history of the store holds the record at that version.
        after: kind/id -> version that the merge wrote.
        undone_at: when it was undone.

    Raises:
        InvalidFieldError: "field.type", "text.*", "int.*", "time.*", "json.*", "extra.reserved".

    >>> Merge(id="m1", survivor="c1", members=("c1", "c2")).undone_at is None
    True
    """

    id: str = record_id()
    version: int = record_version()
    survivor: str = plain("id of the survivor", "保留的客户", pii="pseudonym", index=OPEN_SURVIVOR, validator=key_text)
    members: tuple[str, ...] = plain("ids of the members", "成员", pii="pseudonym", converter=many(str, blank=False))
    before: Mapping[str, int] = plain("versions before", "合并前版本", factory=dict, hash=False, converter=versions)
    after: Mapping[str, int] = plain("versions after", "合并后版本", factory=dict, hash=False, converter=versions)
    extra: Mapping[str, Any] = unknown_keys()
    undone_at: datetime | None = plain("when undone", "撤销时间", default=None, converter=optional_utc)
    created_at: datetime | None = created()
    updated_at: datetime | None = updated()

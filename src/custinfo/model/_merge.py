"""The record of a merge, from which it can be undone."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs

from custinfo.model._contact import _optional_utc
from custinfo.model._field import Index, personal, plain, required_text
from custinfo.model._ids import new_id

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

    >>> Merge(id="m1", survivor="c1", members=("c1", "c2")).undone_at is None
    True
    """

    id: str = plain("id of the merge", "合并编号", pii="pseudonym", factory=new_id, validator=required_text)
    version: int = plain("version of the stored record", "版本", default=0)
    survivor: str = plain("id of the survivor", "保留的客户", pii="pseudonym", index=OPEN_SURVIVOR)
    members: tuple[str, ...] = plain("ids of the members", "成员", pii="pseudonym", converter=tuple)
    before: Mapping[str, int] = plain("versions before", "合并前版本", factory=dict)
    after: Mapping[str, int] = plain("versions after", "合并后版本", factory=dict)
    extra: Mapping[str, Any] = personal("content", "keys unknown to this release", "其他字段", factory=dict)
    undone_at: datetime | None = plain("when undone", "撤销时间", default=None, converter=_optional_utc)
    created_at: datetime | None = plain("when made", "创建时间", default=None, converter=_optional_utc)
    updated_at: datetime | None = plain("when changed", "更新时间", default=None, converter=_optional_utc)

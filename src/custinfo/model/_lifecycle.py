"""The life of a customer relation: stages, and the dated changes between them."""

from datetime import datetime
from enum import StrEnum
from itertools import pairwise

import attrs

from custinfo.model._check import choice, optional_key, utc
from custinfo.model._field import plain
from custinfo.model._rules import fault, in_order


class LifecycleStage(StrEnum):
    """Where a customer stands in his life with us."""

    PROSPECT = "prospect"
    ACTIVE = "active"
    DORMANT = "dormant"
    CHURNED = "churned"
    WON_BACK = "won_back"


_FIRST = (LifecycleStage.PROSPECT, LifecycleStage.ACTIVE)
_NEXT = {
    LifecycleStage.PROSPECT: (LifecycleStage.ACTIVE,),
    LifecycleStage.ACTIVE: (LifecycleStage.DORMANT,),
    LifecycleStage.DORMANT: (LifecycleStage.ACTIVE, LifecycleStage.CHURNED),
    LifecycleStage.CHURNED: (LifecycleStage.WON_BACK,),
    LifecycleStage.WON_BACK: (LifecycleStage.ACTIVE, LifecycleStage.DORMANT),
}


@attrs.frozen(kw_only=True)
class LifecycleChange:
    """That a customer came to a stage, and when.

    Args:
        stage: prospect, active, dormant, churned or won_back.
        at: aware datetime, kept in UTC.
        reason: code of why, such as "no_purchase_180_days".

    Raises:
        InvalidFieldError: "enum.unknown", "time.*", "text.*".

    >>> from datetime import UTC, datetime
    >>> LifecycleChange(stage="prospect", at=datetime(2026, 1, 31, tzinfo=UTC)).stage
    <LifecycleStage.PROSPECT: 'prospect'>
    """

    stage: LifecycleStage = plain("stage", "生命周期阶段", converter=choice(LifecycleStage))
    at: datetime = plain("when he came to it", "变更时间", converter=utc)
    reason: str | None = plain("code of the reason", "原因代码", default=None, validator=optional_key)


def next_stages(stage: LifecycleStage | str | None) -> tuple[LifecycleStage, ...]:
    """The stages that may follow a stage; None = those that a customer may begin with.

    Raises:
        InvalidFieldError: "lifecycle.stage".

    >>> [stage.value for stage in next_stages("churned")]
    ['won_back']
    """
    if stage is None:
        return _FIRST
    try:
        return _NEXT[LifecycleStage(stage)]
    except ValueError:
        raise fault("lifecycle.stage", "stage", f"a stage is one of {', '.join(LifecycleStage)}") from None


def check_lifecycle(changes: tuple[LifecycleChange, ...], path: str) -> None:
    """Refuse changes that are not in order of time, or lead where none can.

    Raises:
        InvalidFieldError: "lifecycle.order", "lifecycle.transition".
    """
    former = None
    for change in changes:
        if change.stage not in (allowed := next_stages(former)):
            raise fault(
                "lifecycle.transition",
                path,
                f"{former or 'a new customer'} cannot become {change.stage}; possible: {', '.join(allowed)}",
            )
        former = change.stage
    for earlier, later in pairwise(changes):
        in_order("lifecycle.order", **{path: earlier.at, f"{path}[]": later.at})

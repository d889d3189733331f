"""The states of a customer's life and the changes that are possible, as data and as arrays."""

from __future__ import annotations

import numpy as np

from custinfo.errors import InvalidFieldError
from custinfo.segment._per_customer import run_starts, sorted_within

TYPE_CHECKING = False
if TYPE_CHECKING:
    from numpy.typing import NDArray

    Int64 = NDArray[np.int64]

__all__ = ["LIFECYCLE", "check_lifecycle"]

STATES = ("prospect", "active", "dormant", "churned", "won_back")
PROSPECT, ACTIVE, DORMANT, CHURNED, WON_BACK = range(len(STATES))
NEVER = -1

LIFECYCLE: tuple[tuple[str | None, str], ...] = (
    (None, "prospect"),
    (None, "active"),
    ("prospect", "active"),
    ("active", "dormant"),
    ("dormant", "active"),
    ("dormant", "churned"),
    ("churned", "won_back"),
    ("won_back", "active"),
    ("won_back", "dormant"),
)
"""The changes of state that are possible, as (old, new); None: not known yet."""


def check_lifecycle(state: str | None, to: str) -> str:
    """The new state, if it may follow; for states that an application keeps itself.

    Args:
        state: the state so far; None: not known yet.
        to: the state to change to.

    Raises:
        InvalidFieldError: "lifecycle.state" (no such state), "lifecycle.transition".

    >>> check_lifecycle("churned", "won_back")
    'won_back'
    """
    for given in (state, to):
        if given is not None and given not in STATES:
            raise InvalidFieldError(f"a state is one of {', '.join(STATES)}", code="lifecycle.state")
    allowed = [new for old, new in LIFECYCLE if old == state]
    if to not in allowed:
        raise InvalidFieldError(
            f"{state or 'an unknown customer'} cannot become {to}; possible: {', '.join(allowed)}",
            code="lifecycle.transition",
            path="to",
        )
    return to


def transitions_of(
    codes: Int64, days: Int64, as_of: int, *, dormant_after: int, churned_after: int
) -> tuple[Int64, Int64, Int64, Int64]:
    """The changes of state that purchases, and days without, bring about.

    Args:
        codes: shape (n,), numbers of customers.
        days: shape (n,), days of purchases.
        as_of: the last day.
        dormant_after: days without purchase.
        churned_after: days without purchase, more than *dormant_after*.

    Returns:
        Customer, day, old and new state of each change, ascending by customer, then day; shape (t,) each.

    >>> changes = transitions_of(np.array([0, 0]), np.array([5, 50]), 70, dormant_after=10, churned_after=30)
    >>> [(day, STATES[new]) for day, new in zip(changes[1].tolist(), changes[3].tolist())]
    [(5, 'active'), (15, 'dormant'), (35, 'churned'), (50, 'won_back'), (60, 'dormant')]
    """
    who, day = sorted_within(codes, days)
    distinct = run_starts(who, day)
    who, day = who[distinct], day[distinct]
    mine = np.zeros(len(who), np.bool_)  # whether the purchase before is of the same customer
    mine[1:] = who[1:] == who[:-1]
    before = np.where(mine, day - np.roll(day, 1), 0)
    is_last = np.append(~mine[1:], True)[: len(who)]
    # a purchase on the very day keeps a customer from falling asleep; the end of that day is past it
    after = np.where(is_last, as_of - day, np.roll(day, -1) - day - 1)
    came_back = before > churned_after
    was_won_back = np.zeros(len(who), np.bool_)
    was_won_back[1:] = came_back[:-1] & mine[1:]
    state = np.where(came_back, WON_BACK, ACTIVE)
    found: list[tuple[NDArray[np.bool_], Int64, Int64 | int, Int64 | int]] = [
        (~mine, day, NEVER, state),
        (came_back, day, CHURNED, state),
        ((before > dormant_after) & ~came_back, day, DORMANT, state),
        (was_won_back & (before <= dormant_after), day, WON_BACK, state),
        (after >= dormant_after, day + dormant_after, state, DORMANT),
        (after >= churned_after, day + churned_after, DORMANT, CHURNED),
    ]
    changed = [np.flatnonzero(there) for there, *_ in found]

    def column(values: list[Int64 | int]) -> Int64:
        whole = [np.broadcast_to(value, len(who)) for value in values]
        return np.concatenate([part[rows] for part, rows in zip(whole, changed, strict=True)])

    customer, at = column([who] * len(found)), column([change[1] for change in found])
    order = np.lexsort((at, customer))
    old, new = column([change[2] for change in found]), column([change[3] for change in found])
    return customer[order], at[order], old[order], new[order]

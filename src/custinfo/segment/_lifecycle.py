"""In which state of its life a customer is, since when, and how it came about."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

import attrs
import numpy as np

from custinfo._columns import Column, ColumnResult, frozen
from custinfo.errors import InvalidFieldError
from custinfo.segment._labels import objects
from custinfo.segment._lifecycle_states import NEVER, PROSPECT, STATES, transitions_of
from custinfo.segment._rows import AsOf, Rows, event_rows, numbered, payment_rows, row_of
from custinfo.segment._time import NAT, local_days
from custinfo.segment._words import check_locale, date_of

__all__ = ["Lifecycle", "LifecycleExplanation", "Transitions", "lifecycle"]

STATE_ZH = {"prospect": "潜在", "active": "活跃", "dormant": "沉睡", "churned": "流失", "won_back": "挽回"}


@attrs.frozen(kw_only=True)
class LifecycleExplanation:
    """How a customer came into the present state.

    Args:
        state: the present state.
        since: its first day.
        history: (day, state) of each change, the oldest first.
        dormant_after_days: days without purchase after which a customer is dormant.
        churned_after_days: days without purchase after which a customer is churned.
    """

    state: str
    since: dt.date
    history: tuple[tuple[dt.date, str], ...]
    dormant_after_days: int
    churned_after_days: int

    def text(self, locale: str = "en") -> str:
        """The history as a sentence in English (``"en"``) or Chinese (``"zh"``).

        Raises:
            InvalidFieldError: "locale.unknown".
        """
        if check_locale(locale) == "zh":
            steps = "、".join(f"{day.isoformat()} {STATE_ZH[state]}" for day, state in self.history)
            return (
                f"{STATE_ZH[self.state]},自 {self.since.isoformat()} 起;经过:{steps}"
                f"({self.dormant_after_days} 天未购买为沉睡,{self.churned_after_days} 天为流失)"
            )
        steps = ", ".join(f"{state.replace('_', ' ')} {day.isoformat()}" for day, state in self.history)
        return (
            f"{self.state.replace('_', ' ')} since {self.since.isoformat()}; history: {steps} (dormant after "
            f"{self.dormant_after_days} days without purchase, churned after {self.churned_after_days})"
        )


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Transitions(ColumnResult):
    """Changes of state, ascending by customer, then in the order in which they happened.

    Args:
        customer_ids: shape (t,).
        on: shape (t,), datetime64[D], first day of the new state.
        old: shape (t,), objects, state before; None: not known yet.
        new: shape (t,), objects, state from that day on.
    """

    customer_ids: Column
    on: Column
    old: Column
    new: Column

    def to_dict(self) -> dict[str, Column]:
        """Name -> array of shape (t,)."""
        return {"customer_id": self.customer_ids, "on": self.on, "old": self.old, "new": self.new}


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Lifecycle(ColumnResult):
    """The present state of each customer, ascending by id; made by `lifecycle`.

    Args:
        customer_ids: shape (n,).
        state: shape (n,), objects: "prospect", "active", "dormant", "churned" or "won_back".
        since: shape (n,), datetime64[D], first day of the state.
        transitions: all changes, dated.
        as_of: the day that states are of; None without rows.
        dormant_after_days: days without purchase after which a customer is dormant.
        churned_after_days: days without purchase after which a customer is churned.
        skipped: rows left out because a value was missing.
    """

    customer_ids: Column
    state: Column
    since: Column
    transitions: Transitions
    as_of: dt.date | None
    dormant_after_days: int
    churned_after_days: int
    skipped: int

    def to_dict(self) -> dict[str, Column]:
        """Name -> array of shape (n,)."""
        return {"customer_id": self.customer_ids, "state": self.state, "since": self.since}

    def counts(self) -> dict[str, int]:
        """Customers in each state."""
        return {state: int((self.state == state).sum()) for state in STATES}

    def __repr__(self) -> str:
        return f"<Lifecycle: {', '.join(f'{name} {count:,}' for name, count in self.counts().items())}>"

    def _title(self) -> str:
        until = "" if self.as_of is None else f" as of {self.as_of.isoformat()}"
        return f"Life cycle{until}: {len(self):,} customers"

    def explain(self, customer_id: object) -> LifecycleExplanation:
        """Which changes led to a customer's state.

        Raises:
            RecordNotFoundError: no such customer.
        """
        row = row_of(self.customer_ids, customer_id)
        first = row_of(self.transitions.customer_ids, customer_id)
        mine = slice(first, first + int((self.transitions.customer_ids[first:] == customer_id).sum()))
        return LifecycleExplanation(
            state=self.state[row],
            since=self.since[row].item(),
            history=tuple(zip(self.transitions.on[mine].tolist(), self.transitions.new[mine].tolist(), strict=True)),
            dormant_after_days=self.dormant_after_days,
            churned_after_days=self.churned_after_days,
        )


def lifecycle(
    data: object,
    *,
    dormant_after_days: int = 90,
    churned_after_days: int = 365,
    prospects: object = None,
    customer: str = "customer_id",
    when: str = "occurred_at",
    amount: str = "amount",
    amount_minor: str | None = None,
    currency: str | None = None,
    as_of: AsOf = None,
    time_zone: str | dt.tzinfo = "UTC",
    missing: Literal["raise", "skip"] = "raise",
) -> Lifecycle:
    """Follow each customer through prospect, active, dormant, churned and won back.

    A purchase (a negative amount is a refund and none) makes a prospect or a dormant customer active and wins a
    churned one back; the next purchase while awake makes a customer who was won back active. *dormant_after_days* after
    the last purchase, with none on that day, a customer is dormant, *churned_after_days* after it churned. Only changes
    of `LIFECYCLE` occur. The order of rows and how many purchases fall on one day do not matter.

    Args:
        data: payments in any form that `rfm` takes.
        dormant_after_days: days without purchase, at least 1.
        churned_after_days: days without purchase, more than *dormant_after_days*.
        prospects: further rows with *customer* and *when*: people and when they were first known. Those who buy later
            are prospects from that day to their first purchase.
        customer: column of customer ids.
        when: column of times.
        amount: column of amounts in major units.
        amount_minor: column of integers in minor units, instead of *amount*.
        currency: column of currency codes; several need no rates here, only the sign counts.
        as_of: the day that states are of, later rows do not count; by default the latest time of all rows.
        time_zone: zone of the calendar.
        missing: rows without customer, time or amount: "raise", or "skip" and count them.

    Raises:
        InvalidFieldError: as `rfm`; "lifecycle.days".

    >>> payments = {"customer_id": ["ann", "ann", "bob"], "amount": [5, 5, 5],
    ...             "occurred_at": ["2025-01-01", "2026-03-01", "2025-12-31"]}
    >>> signed_up = {"customer_id": ["eve"], "occurred_at": ["2026-01-05"]}
    >>> table = lifecycle(payments, as_of="2026-04-30", prospects=signed_up)
    >>> dict(zip(table.customer_ids.tolist(), table.state.tolist()))
    {'ann': 'won_back', 'bob': 'dormant', 'eve': 'prospect'}
    >>> [(str(day), state) for day, state in table.explain("ann").history]
    [('2025-01-01', 'active'), ('2025-04-01', 'dormant'), ('2026-01-01', 'churned'), ('2026-03-01', 'won_back')]
    """
    _check_days(dormant_after_days, churned_after_days)
    options: dict[str, Any] = {
        "customer": customer,
        "when": when,
        "as_of": as_of,
        "time_zone": time_zone,
        "missing": missing,
    }
    paid = payment_rows(
        data, amount=amount, amount_minor=amount_minor, currency=currency, rates=None, one_currency=False, **options
    )
    rows = paid.only(~paid.refund)
    known = rows.only(np.zeros(len(rows), np.bool_)) if prospects is None else event_rows(prospects, **options)
    until = max(paid.until, known.until)
    codes, customers = _together(rows, known)
    split, size = len(rows), len(customers)
    as_of_day = 0 if until == NAT else int(local_days(np.array([until]), rows.zone)[0])
    changes = transitions_of(
        codes[:split],
        local_days(rows.moments, rows.zone),
        as_of_day,
        dormant_after=dormant_after_days,
        churned_after=churned_after_days,
    )
    who, on, old, new = _with_prospects(changes, codes[split:], local_days(known.moments, known.zone), size)
    last = np.searchsorted(who, np.arange(size), side="right") - 1
    names = objects([*STATES, None])
    return Lifecycle(
        customer_ids=frozen(customers),
        state=frozen(names[new[last]]),
        since=frozen(on[last].view("M8[D]")),
        transitions=Transitions(
            customer_ids=frozen(customers[who]),
            on=frozen(on.view("M8[D]")),
            old=frozen(names[old]),
            new=frozen(names[new]),
        ),
        as_of=None if until == NAT else date_of(as_of_day),
        dormant_after_days=dormant_after_days,
        churned_after_days=churned_after_days,
        skipped=paid.skipped + (0 if prospects is None else known.skipped),
    )


def _check_days(dormant_after_days: object, churned_after_days: object) -> None:
    days = (dormant_after_days, churned_after_days)
    if any(not isinstance(day, int) or isinstance(day, bool) for day in days) or not (0 < days[0] < days[1] < 10**6):  # type: ignore[operator]
        raise InvalidFieldError(
            "days must be integers with 0 < dormant_after_days < churned_after_days",
            code="lifecycle.days",
            path="dormant_after_days",
        )


def _together(rows: Rows, known: Rows) -> tuple[Column, Column]:
    ids = [table.customers[table.codes] for table in (rows, known) if len(table)]
    if len(ids) == 2 and ids[0].dtype != ids[1].dtype:
        raise InvalidFieldError(
            "the prospects have customer ids of another type than the payments; convert one of them",
            code="payments.customer",
        )
    return numbered(np.concatenate(ids) if ids else np.empty(0, np.int64))


def _with_prospects(
    changes: tuple[Column, Column, Column, Column], codes: Column, days: Column, size: int
) -> tuple[Column, Column, Column, Column]:
    """Put a first state before the first purchase of those who were known by then."""
    who, on, old, new = changes
    first_known = np.full(size, np.iinfo(np.int64).max)
    np.minimum.at(first_known, codes, days)
    first_bought = np.full(size, np.iinfo(np.int64).max)
    np.minimum.at(first_bought, who, on)
    before = np.flatnonzero((first_known <= first_bought) & (first_known < np.iinfo(np.int64).max))
    old = np.where((old == NEVER) & np.isin(who, before), PROSPECT, old)
    who = np.concatenate([before, who])
    on = np.concatenate([first_known[before], on])
    old = np.concatenate([np.full(len(before), NEVER), old])
    new = np.concatenate([np.full(len(before), PROSPECT), new])
    order = np.argsort(who, kind="stable")  # changes are in order, and the prospects stand before them
    return who[order], on[order], old[order], new[order]

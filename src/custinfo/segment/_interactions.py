"""How often customers are in touch, by channel, outcome or month."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

import attrs
import numpy as np

from custinfo._columns import Column, ColumnResult, frozen
from custinfo.errors import InvalidFieldError
from custinfo.segment._kernel import counts
from custinfo.segment._labels import CALENDAR, labelled
from custinfo.segment._per_customer import pair_counts
from custinfo.segment._rows import AsOf, event_rows
from custinfo.segment._spending import keys_of

__all__ = ["Interactions", "interactions"]

_INBOUND, _OUTBOUND = frozenset({"inbound", "in"}), frozenset({"outbound", "out"})


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Interactions(ColumnResult):
    """Contacts by key, ascending, a missing key last; made by `interactions`.

    Args:
        key: shape (k,), objects.
        interactions: shape (k,), int64.
        customers: shape (k,), int64, different customers.
        inbound: shape (k,), int64, begun by the customer; None where the table has no direction.
        outbound: shape (k,), int64, begun by us; None where the table has no direction.
        share: shape (k,), part of all contacts.
        by: what *key* is.
        skipped: rows left out because customer or time was missing.
    """

    key: Column
    interactions: Column
    customers: Column
    inbound: Column | None
    outbound: Column | None
    share: Column
    by: str
    skipped: int

    def to_dict(self) -> dict[str, Column]:
        """Name -> array of shape (k,)."""
        columns = {field.name: getattr(self, field.name) for field in attrs.fields(Interactions)[:-2]}
        return {name: column for name, column in columns.items() if column is not None}

    def __repr__(self) -> str:
        return f"<Interactions by {self.by}: {int(self.interactions.sum()):,} in {len(self)} rows>"

    def _title(self) -> str:
        return f"Interactions by {self.by}: {int(self.interactions.sum()):,}"


def interactions(
    data: object,
    *,
    by: str = "channel",
    customer: str = "customer_id",
    when: str = "occurred_at",
    direction: str | None = None,
    as_of: AsOf = None,
    time_zone: str | dt.tzinfo = "UTC",
    missing: Literal["raise", "skip"] = "raise",
) -> Interactions:
    """Count contacts by channel, outcome, month or any other column.

    Args:
        data: an iterable of `Interaction`, or a table in any form that `rfm` takes.
        by: a column, or "day", "week", "month", "quarter", "year", "weekday" or "hour" of the calendar in *time_zone*.
        customer: column of customer ids.
        when: column of times.
        direction: column of "inbound" and "outbound" (or "in", "out"); left out, "direction" where there is one.
        as_of: rows after it do not count.
        time_zone: zone of the calendar.
        missing: rows without customer or time: "raise", or "skip" and count them. A missing key is a group of its
            own, None.

    Raises:
        InvalidFieldError: "columns.*", "time.*", "payments.customer", "payments.missing", "segment.labels",
            "segment.missing", "interactions.direction".

    >>> calls = {"customer_id": ["ann", "ann", "bob"], "occurred_at": ["2026-01-31"] * 3,
    ...          "channel": ["phone", "email", "phone"], "direction": ["inbound", "outbound", "inbound"]}
    >>> table = interactions(calls)
    >>> table.key.tolist(), table.interactions.tolist(), table.customers.tolist(), table.inbound.tolist()
    (['email', 'phone'], [1, 2], [1, 2], [0, 2])
    """
    rows = event_rows(
        data,
        customer=customer,
        when=when,
        as_of=as_of,
        time_zone=time_zone,
        missing=missing,
        extra=[*([] if by in CALENDAR else [by]), *([] if direction is None else [direction])],
        optional=() if direction else ("direction",),
    )
    codes, labels = keys_of(rows, by)
    size = len(labels)
    of_key, _, _ = pair_counts(codes, rows.codes, len(rows.customers))
    directions = rows.extra.get(direction or "direction")
    came_in = None if directions is None else is_inbound(directions, direction or "direction")
    number = counts(codes, size)
    return Interactions(
        key=frozen(labels),
        interactions=frozen(number),
        customers=frozen(counts(of_key, size)),
        inbound=None if came_in is None else frozen(counts(codes[came_in], size)),
        outbound=None if came_in is None else frozen(counts(codes[~came_in], size)),
        share=frozen(number / max(len(codes), 1)),
        by=by,
        skipped=rows.skipped,
    )


def is_inbound(column: Column, name: str) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Whether the customer began; shape (n,).

    Raises:
        InvalidFieldError: "interactions.direction".
    """
    codes, labels = labelled(column, name=name)
    if not set(labels.tolist()) <= _INBOUND | _OUTBOUND:
        raise InvalidFieldError(
            f"column {name!r} must hold 'inbound' (the customer began) or 'outbound' in every row",
            code="interactions.direction",
            path=name,
        )
    return np.array([label in _INBOUND for label in labels], np.bool_)[codes]

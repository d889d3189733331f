"""Queries over keys: the statement for SQLite, and the same conditions in memory."""

from __future__ import annotations

from typing import NamedTuple

from custinfo.errors import InvalidFieldError
from custinfo.store import _checks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from custinfo.store._memory_tables import Held

Range = tuple[str, str | None, str | None]

_HOLDS = "EXISTS(SELECT 1 FROM ci_key f WHERE f.kind = k.kind AND f.name = ? AND f.value = ? AND f.id = k.id)"
_FIRST = (
    "NOT EXISTS(SELECT 1 FROM ci_key s WHERE s.kind = k.kind AND s.id = k.id AND s.name = k.name AND s.value < k.value)"
)
PLACE = "SELECT min(value) FROM ci_key WHERE kind = ? AND id = ? AND name = ?"


class Query(NamedTuple):
    """What `SupportsQuery.query` was asked, checked."""

    kind: str
    all_of: tuple[tuple[str, str], ...]
    range: Range | None
    order: str | None
    after: str
    limit: int


def check_query(
    kind: str, all_of: Sequence[tuple[str, str]], range: Range | None, order: str | None, after: str, limit: int
) -> Query:
    """The query, if a backend can have kept what it asks for.

    Raises:
        InvalidFieldError: "store.kind", "store.key", "store.id" or "store.limit".
    """
    _checks.check_kind(kind)
    for name, value in all_of:
        _checks.check_key(name, value)
    if range is not None:
        name, low, high = range
        for end in (low, high):
            _checks.check_key(name, "" if end is None else end)
    if order is not None:
        _checks.check_kind(order, "order")
    _checks.check_after(after)
    _checks.check_limit(limit)
    return Query(kind, tuple(all_of), range, order, after, limit)


def lost_place() -> InvalidFieldError:
    """The error for going on after a record that has no place in the order any more."""
    message = "the record to go on after has lost its key of this order, or is gone; start again from the first page"
    return InvalidFieldError(message, code="store.after", path="after")


def statement(query: Query, place: str | None) -> tuple[str, list[str | int]]:
    """The SQL and its values; it walks an index in the order asked and stops at the limit.

    Args:
        query: what is asked.
        place: the value of ``after`` under the key of the order; None at the start or without an order.
    """
    tests, values = ["k.kind = ?"], [query.kind]
    filters = list(query.all_of)
    within = query.range
    select, order = "SELECT k.id FROM ci_key k", "k.id"
    if query.order is not None:
        tests += ["k.name = ?", _FIRST]
        values.append(query.order)
        order = "k.value, k.id"
        if place is not None:
            tests.append("(k.value, k.id) > (?, ?)")
            values += [place, query.after]
    else:
        if filters:
            tests += ["k.name = ?", "k.value = ?"]
            values += filters.pop(0)
        elif within is not None:
            select = "SELECT DISTINCT k.id FROM ci_key k"
            _add_range(tests, values, within, "k")
            within = None
        else:
            select = "SELECT k.id FROM ci_record k"
        tests.append("k.id > ?")
        values.append(query.after)
    for pair in filters:
        tests.append(_HOLDS)
        values += pair
    if within is not None:
        inner = ["f.kind = k.kind", "f.id = k.id"]
        _add_range(inner, values, within, "f")
        tests.append(f"EXISTS(SELECT 1 FROM ci_key f WHERE {' AND '.join(inner)})")  # noqa: S608 - no outside text
    return f"{select} WHERE {' AND '.join(tests)} ORDER BY {order} LIMIT ?", [*values, query.limit]


def evaluate(query: Query, rows: Mapping[str, Held]) -> list[str]:
    """The ids among the records of the kind, by looking at each."""
    found = [(_place(held, query.order), id) for id, (_, held) in rows.items() if _meets(held, query)]
    after = ("", query.after)
    if query.order is not None:
        found = [(place, id) for place, id in found if place is not None]
        if query.after:
            place = _place(rows[query.after][1], query.order) if query.after in rows else None
            if place is None:
                raise lost_place()
            after = (place, query.after)
    keep = [(place or "", id) for place, id in found if not query.after or (place or "", id) > after]
    return [id for _, id in sorted(keep)[: query.limit]]


def _add_range(tests: list[str], values: list[str], within: Range, table: str) -> None:
    name, low, high = within
    tests.append(f"{table}.name = ?")
    values.append(name)
    for end, sign in ((low, ">="), (high, "<")):
        if end is not None:
            tests.append(f"{table}.value {sign} ?")
            values.append(end)


def _meets(held: Mapping[tuple[str, str], bool], query: Query) -> bool:
    if not all(pair in held for pair in query.all_of):
        return False
    if query.range is None:
        return True
    name, low, high = query.range
    return any(key == name and (low is None or low <= value) and (high is None or value < high) for key, value in held)


def _place(held: Mapping[tuple[str, str], bool], order: str | None) -> str | None:
    return min((value for name, value in held if name == order), default=None)

"""Storing records behind SQLAlchemy: one by one, or many rows in a statement."""

from __future__ import annotations

from itertools import islice

from custinfo.errors import ConflictError, DuplicateKeyError
from custinfo.store import _checks, _sqlalchemy_errors
from custinfo.store._typed_columns import TYPED_KINDS, typed_columns, typed_row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

    from custinfo.store._protocol import Key, Record
    from custinfo.store._sqlalchemy import SqlLink

    Item = tuple[Record, Sequence[Key], int]
    Refusal = ConflictError | DuplicateKeyError

ITEMS_PER_STATEMENT = 1000
BYTES_PER_STATEMENT = 4_000_000

_NAMES = {kind: [column.name for column in typed_columns(kind)] for kind in TYPED_KINDS}


def refusal_of(link: SqlLink, item: Item) -> Refusal | None:
    """Store one record, if nothing that the transaction sees is in the way; else nothing is changed.

    Raises:
        ConflictError, DuplicateKeyError: what was committed meanwhile is in the way.
    """
    record, keys, expected = item
    kind, id, _, data = record
    tables = link.tables
    distinct = _checks.distinct_keys(keys)
    for (name, value), unique in distinct.items():
        if unique and (holder := link.one(tables.holder, {"kind": kind, "name": name, "value": value, "id": id})):
            return _checks.duplicate_key(kind, id, name, holder)
    if expected:
        place = {"old_kind": kind, "old_id": id}
        if link.change(tables.update, {**place, "old_version": expected, "new_data": data}) != 1:
            return conflict(link, kind, id, expected)
        link.change(tables.delete_keys, place)
    elif not _inserted(link, record):
        return conflict(link, kind, id, 0)
    _insert_keys(link, [item])
    keep_columns(link, [record], new=not expected)
    return None


def store_run(link: SqlLink, items: Sequence[Item]) -> None:
    """Store records that are all new (each gets the version after the one given), or all updates.

    Raises:
        ConflictError, DuplicateKeyError: one of them was refused; the unit has failed.
    """
    tables = link.tables
    if items[0][2]:
        places = [{"old_kind": r.kind, "old_id": r.id} for r, _, _ in items]
        rows = [{**p, "old_version": v, "new_data": r.data} for p, (r, _, v) in zip(places, items, strict=True)]
        if link.change(tables.update, rows) != len(rows):
            raise _sqlalchemy_errors.race()
        link.change(tables.delete_keys, places)
    else:
        insert_new(link, [(record, 1) for record, _, _ in items])
    _insert_keys(link, items)
    keep_columns(link, [record for record, _, _ in items], new=not items[0][2])


def load_run(link: SqlLink, items: Sequence[Item]) -> None:
    """Store records that must not be there, each under its version."""
    insert_new(link, [(record, record.version) for record, _, _ in items])
    _insert_keys(link, items)
    keep_columns(link, [record for record, _, _ in items], new=True)


def insert_new(link: SqlLink, records: Sequence[tuple[Record, int]]) -> None:
    """Store records without their keys, under the versions given."""
    rows = [{"kind": r.kind, "id": r.id, "version": version, "data": r.data} for r, version in records]
    link.insert(link.tables.insert, rows)


def keep_columns(link: SqlLink, records: Iterable[Record], *, new: bool) -> None:
    """Keep the typed columns of stored records, or note that there are none."""
    for kind in TYPED_KINDS:
        of_kind = [record for record in records if record.kind == kind]
        if not of_kind:
            continue
        if not new:
            for record in of_kind:
                drop_columns(link, kind, record.id)
        rows, gaps = [], []
        for record in of_kind:
            row = typed_row(record)
            if row is None:
                gaps.append({"kind": kind, "id": record.id})
            else:
                rows.append(dict(zip(_NAMES[kind], row, strict=True)))
        if rows:
            link.insert(link.tables.insert_typed[kind], rows)
        if gaps:
            link.insert(link.tables.insert_gap, gaps)


def drop_columns(link: SqlLink, kind: str, id: str) -> None:
    """Forget the typed columns of a record."""
    if kind in TYPED_KINDS:
        link.change(link.tables.delete_typed[kind], {"old_id": id})
        link.change(link.tables.delete_gap, {"old_kind": kind, "old_id": id})


def conflict(link: SqlLink, kind: str, id: str, expected: int) -> ConflictError:
    """The error for a stored version other than the expected one."""
    return _checks.conflict(kind, id, expected, link.one(link.tables.version, {"kind": kind, "id": id}) or 0)


def named(link: SqlLink, items: Sequence[Item], refusal: Refusal) -> Refusal:
    """The error that names the record, for one that the database gave without; the unit is undone first."""
    link.begin_again()
    taken: dict[tuple[str, str, str], str] = {}
    seen: set[tuple[str, str]] = set()
    for record, keys, expected in items:
        kind, id = record.kind, record.id
        found = link.one(link.tables.version, {"kind": kind, "id": id}) or 0
        twice = expected == 0 and (kind, id) in seen
        seen.add((kind, id))
        if isinstance(refusal, ConflictError) and (found != expected or twice):
            return _checks.conflict(kind, id, expected, found or int(twice))
        for (name, value), unique in _checks.distinct_keys(keys).items():
            if not unique or isinstance(refusal, ConflictError):
                continue
            holder = link.one(link.tables.holder, {"kind": kind, "name": name, "value": value, "id": id})
            holder = holder or taken.setdefault((kind, name, value), id)
            if holder != id:
                return _checks.duplicate_key(kind, id, name, holder)
    return refusal


def runs_of_items(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Runs in which the order does not matter: all new, or updates of different records without unique keys."""
    run: list[Item] = []
    updated: set[tuple[str, str]] = set()
    size = 0
    for item in items:
        record, keys, expected = item
        # A record may take over a unique key that an earlier item gave up.
        alone = expected != 0 and any(key.unique for key in keys)
        again = expected != 0 and (record.kind, record.id) in updated
        turns = alone or again or (run and (expected == 0) != (run[0][2] == 0))
        if run and (turns or len(run) == ITEMS_PER_STATEMENT or size > BYTES_PER_STATEMENT):
            yield run
            run, size = [], 0
            updated.clear()
        run.append(item)
        size += len(record.data)
        if alone:
            yield run
            run, size = [], 0
        elif expected:
            updated.add((record.kind, record.id))
    if run:
        yield run


def runs_of(items: Iterable[Any], size: int = ITEMS_PER_STATEMENT) -> Iterator[list[Any]]:
    """Runs of *size*."""
    rest = iter(items)
    while run := list(islice(rest, size)):
        yield run


def _inserted(link: SqlLink, record: Record) -> bool:
    row = {"kind": record.kind, "id": record.id, "version": 1, "data": record.data}
    try:
        return link.change(link.tables.insert_one, row) == 1
    except ConflictError as exc:
        # MySQL has no ON CONFLICT DO NOTHING, but undoes the statement alone.
        if link.tables.dialect != "mysql" or not _sqlalchemy_errors.is_taken(exc):
            raise
    return False


def _insert_keys(link: SqlLink, items: Sequence[Item]) -> None:
    rows: list[dict[str, object]] = []
    for record, keys, _ in items:
        for (name, value), unique in _checks.distinct_keys(keys).items():
            rows.append({"kind": record.kind, "name": name, "value": value, "id": record.id, "uniq": int(unique)})
    if not rows:
        return
    try:
        link.insert(link.tables.insert_key, rows)
    except ConflictError as exc:
        if not _sqlalchemy_errors.is_taken(exc):
            raise
        problem = _sqlalchemy_errors.taken()
    else:
        return
    raise problem

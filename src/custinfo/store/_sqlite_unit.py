"""A unit of work on the tables of the SQLite store."""

from __future__ import annotations

from threading import get_ident

from custinfo.store import _checks, _lifecycle, _sqlite_backup, _sqlite_schema
from custinfo.store._cursor import cursor_seq, make_cursor
from custinfo.store._protocol import Cursor, Event, Key, Record
from custinfo.store._query import PLACE, check_query, lost_place, statement
from custinfo.store._sqlite_columns import delete_row, read_columns, store_rows
from custinfo.store._typed_columns import TYPED_KINDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any, Protocol

    import numpy as np

    from custinfo.errors import ConflictError

    Item = tuple[Record, Sequence[Key], int]

    class Statements(Protocol):
        """What a unit needs of a connection: statements whose errors are already custinfo's."""

        def rows(self, sql: str, values: Sequence[object]) -> list[tuple[Any, ...]]: ...

        def chunks(self, sql: str, size: int) -> Iterator[list[tuple[Any, ...]]]: ...

        def change(self, sql: str, values: Sequence[object]) -> int: ...

        def change_many(self, sql: str, values: Sequence[Sequence[object]]) -> int: ...


GET = "SELECT id, version, data FROM ci_record WHERE kind = ? AND id = ?"
GET_MANY = "SELECT id, version, data FROM ci_record WHERE kind = ? AND id IN ({marks})"
PAGE = "SELECT id, version, data FROM ci_record WHERE kind = ? AND id > ? ORDER BY id LIMIT ?"
VERSION = "SELECT version FROM ci_record WHERE kind = ? AND id = ?"
INSERT = "INSERT INTO ci_record(kind, id, version, data) VALUES(?, ?, 1, ?)"
UPDATE = "UPDATE ci_record SET version = version + 1, data = ? WHERE kind = ? AND id = ? AND version = ?"
DELETE = "DELETE FROM ci_record WHERE kind = ? AND id = ? AND version = ?"
HOLDER = "SELECT id FROM ci_key WHERE kind = ? AND name = ? AND value = ? AND uniq = 1 AND id <> ?"
INSERT_KEY = "INSERT INTO ci_key(kind, name, value, uniq, id) VALUES(?, ?, ?, ?, ?)"
DELETE_KEYS = "DELETE FROM ci_key WHERE kind = ? AND id = ?"
LOOKUP = "SELECT id FROM ci_key WHERE kind = ? AND name = ? AND value = ? ORDER BY id"
EMIT = "INSERT INTO ci_outbox(type, subject, data) VALUES(?, ?, ?)"
FEED = "SELECT seq, type, subject, data FROM ci_outbox WHERE seq > ? ORDER BY seq LIMIT ?"
LAST = "SELECT seq FROM sqlite_sequence WHERE name = 'ci_outbox'"
TRIM = "DELETE FROM ci_outbox WHERE seq <= ?"
KINDS = "SELECT DISTINCT kind FROM ci_record ORDER BY kind"
KEYS = "SELECT name, value, uniq FROM ci_key WHERE kind = ? AND id = ? ORDER BY name, value"

IDS_PER_STATEMENT = 500
ITEMS_PER_STATEMENT = 1000
BYTES_PER_STATEMENT = 4_000_000


class SqliteUnit:
    """A unit of a `SqliteStore`; see `Unit` and all capabilities of units."""

    def __init__(self, link: Statements, incarnation: str, *, write: bool) -> None:
        self.owner = get_ident()
        self.failed = False
        self._link = link
        self._incarnation = incarnation
        self.writes = write
        self._emitted: list[tuple[str, str, bytes]] = []

    def get(self, kind: str, ids: Sequence[str]) -> list[Record]:
        """The records that exist, in the order asked; see `Unit.get`."""
        self._use()
        _checks.check_kind(kind)
        for id in ids:
            _checks.check_id(id)
        if len(ids) == 1:
            return self._records(kind, GET, (kind, ids[0]))
        found: dict[str, Record] = {}
        for start in range(0, len(ids), IDS_PER_STATEMENT):
            chunk = ids[start : start + IDS_PER_STATEMENT]
            sql = GET_MANY.format(marks=", ".join("?" * len(chunk)))
            for record in self._records(kind, sql, (kind, *chunk)):
                found[record.id] = record
        return [found[id] for id in ids if id in found]

    def put(self, record: Record, keys: Sequence[Key], expected_version: int) -> int:
        """Store a record; see `Unit.put`. A put refused for its version or keys has changed nothing."""
        self._use(write=True)
        _checks.check_record(record, keys, expected_version)
        kind, id, _, data = record
        distinct = _checks.distinct_keys(keys)
        # Nobody else writes meanwhile, so what is checked here holds until the commit.
        for (name, value), unique in distinct.items():
            if unique and (holder := self._one(HOLDER, (kind, name, value, id))) is not None:
                raise _checks.duplicate_key(kind, id, name, str(holder))
        if expected_version == 0:
            changed = self._change_many(INSERT, [(kind, id, data)])
        else:
            changed = self._change(UPDATE, (data, kind, id, expected_version))
        if changed != 1:
            raise self._conflict(kind, id, expected_version)
        if expected_version:
            self._change(DELETE_KEYS, (kind, id))
        if distinct:
            keys_of = [(kind, name, value, int(unique), id) for (name, value), unique in distinct.items()]
            self._change_many(INSERT_KEY, keys_of)
        if kind in TYPED_KINDS:
            store_rows(self._change_many, [record], new=not expected_version)
        return expected_version + 1

    def put_many(self, items: Iterable[Item]) -> list[int]:
        """Store many records; see `SupportsBulk.put_many`. Runs of new ones, and of updates, are the fast cases."""
        self._use(write=True)
        versions: list[int] = []
        run: list[Item] = []
        updated: set[tuple[str, str]] = set()
        size = 0
        try:
            for item in items:
                record, keys, expected = item
                # Order matters: a record may take over a unique key that an earlier item gave up.
                alone = expected != 0 and any(key.unique for key in keys)
                again = expected != 0 and (record.kind, record.id) in updated
                turns = run and (alone or again or (expected == 0) != (run[0][2] == 0))
                if turns or len(run) == ITEMS_PER_STATEMENT or size > BYTES_PER_STATEMENT:
                    self._put_run(run)
                    run, size = [], 0
                    updated.clear()
                if alone:
                    self.put(record, keys, expected)
                else:
                    run.append(item)
                    size += len(record.data)
                    if expected:
                        updated.add((record.kind, record.id))
                versions.append(expected + 1)
            self._put_run(run)
        except BaseException:
            self.failed = True
            raise
        return versions

    def delete(self, kind: str, id: str, expected_version: int) -> None:
        """Delete a record and its keys; see `Unit.delete`."""
        self._use(write=True)
        _checks.check_kind(kind)
        _checks.check_id(id)
        _checks.check_version(expected_version)
        if expected_version == 0:
            raise _checks.conflict_of_delete(kind, id)
        if self._change(DELETE, (kind, id, expected_version)) != 1:
            raise self._conflict(kind, id, expected_version)
        self._change(DELETE_KEYS, (kind, id))
        delete_row(self._change_many, kind, id)

    def lookup(self, kind: str, name: str, value: str) -> list[str]:
        """Ids that hold the key; see `Unit.lookup`."""
        self._use()
        _checks.check_kind(kind)
        _checks.check_key(name, value)
        return [str(row[0]) for row in self._rows(LOOKUP, (kind, name, value))]

    def page(self, kind: str, after: str, limit: int) -> list[Record]:
        """Records with ``id > after``; see `Unit.page`."""
        self._use()
        _checks.check_kind(kind)
        _checks.check_after(after)
        _checks.check_limit(limit)
        return self._records(kind, PAGE, (kind, after, limit))

    def query(
        self,
        kind: str,
        *,
        all_of: Sequence[tuple[str, str]] = (),
        range: tuple[str, str | None, str | None] | None = None,
        order: str | None = None,
        after: str = "",
        limit: int,
    ) -> list[str]:
        """Ids that meet every condition over keys; see `SupportsQuery.query`.

        Raises:
            InvalidFieldError: "store.after" if ``after`` has no place in the order any more.
        """
        self._use()
        query = check_query(kind, all_of, range, order, after, limit)
        place = None
        if query.order is not None and query.after:
            place = self._one(PLACE, (kind, after, query.order))
            if place is None:
                raise lost_place()
        return [row[0] for row in self._rows(*statement(query, place))]

    def columns(self, kind: str, names: Sequence[str]) -> dict[str, np.ndarray]:
        """The columns that are kept of those names; see `SupportsColumns.columns`."""
        self._use()
        _checks.check_kind(kind)
        try:
            return read_columns(self._link, kind, names)
        except BaseException:
            self.failed = True
            raise

    def emit(self, type: str, subject: str, data: bytes) -> None:
        """Add an event; see `Unit.emit`."""
        self._use(write=True)
        _checks.check_event(type, subject, data)
        # Written at the end of the unit, so that its own feed shows committed events only.
        self._emitted.append((type, subject, data))

    def feed(self, after: Cursor, limit: int) -> list[Event]:
        """Committed events after a cursor; see `Unit.feed`. Writers take turns, so numbers follow commits."""
        self._use()
        _checks.check_limit(limit)
        name = self._incarnation
        rows = self._rows(FEED, (self._seq(after), limit))
        return [Event(make_cursor(name, seq), type, subject, data) for seq, type, subject, data in rows]

    def trim(self, cursor: Cursor) -> int:
        """Drop the events up to and including *cursor*; see `SupportsTrim.trim`."""
        self._use(write=True)
        seq = self._seq(cursor)
        if seq == 0:
            return 0
        self._change(_sqlite_schema.WRITE_META, ("trimmed", str(seq)))
        return self._change(TRIM, (seq,))

    def kinds(self) -> list[str]:
        """All kinds that have records; see `SupportsBackup.kinds`."""
        self._use()
        return [row[0] for row in self._rows(KINDS)]

    def keys(self, kind: str, id: str) -> list[Key]:
        """The keys of one record; see `SupportsBackup.keys`."""
        self._use()
        _checks.check_kind(kind)
        _checks.check_id(id)
        return [Key(name, value, uniq == 1) for name, value, uniq in self._rows(KEYS, (kind, id))]

    def keys_between(self, kind: str, after: str, last: str) -> dict[str, list[Key]]:
        """The keys of a page of records; see `SupportsKeyRange.keys_between`."""
        self._use()
        return _sqlite_backup.keys_between(self._rows, kind, after, last)

    def load(self, items: Iterable[tuple[Record, Sequence[Key]]]) -> int:
        """Store records under the versions that they have; see `SupportsRestore.load`."""
        self._use(write=True)
        try:
            return _sqlite_backup.load(self._put_run, self._change_many, items)
        except BaseException:
            self.failed = True
            raise

    def load_events(self, events: Iterable[tuple[str, str, bytes]]) -> int:
        """Add many events; see `SupportsRestore.load_events`."""
        self._use(write=True)
        return _sqlite_backup.load_events(self._change_many, events)

    def flush(self) -> None:
        """Write the events of the unit; the store calls it before the commit."""
        emitted, self._emitted = self._emitted, []
        if emitted:
            self._change_many(EMIT, emitted)

    def _use(self, *, write: bool = False) -> None:
        if self.owner != get_ident():
            raise _lifecycle.misused(self.owner)
        if self.failed:
            raise _lifecycle.failed()
        if write and not self.writes:
            raise _lifecycle.not_writable()

    def _put_run(self, items: list[Item]) -> None:
        """Store records that are all new, or all updates without unique keys."""
        keys: list[tuple[str, str, str, int, str]] = []
        for record, record_keys, expected in items:
            _checks.check_record(record, record_keys, expected)
            for (name, value), unique in _checks.distinct_keys(record_keys).items():
                keys.append((record.kind, name, value, int(unique), record.id))
        if items and items[0][2]:
            self._update_many(items)
        else:
            self._insert_many(items)
        keys.sort()  # neighbours in the index go in together
        done = self._change_many(INSERT_KEY, keys)
        if done < len(keys):
            kind, name, value, _, id = keys[done]
            raise _checks.duplicate_key(kind, id, name, str(self._one(HOLDER, (kind, name, value, id))))
        typed = [record for record, _, _ in items if record.kind in TYPED_KINDS]
        if typed:
            store_rows(self._change_many, typed, new=not items[0][2])

    def _insert_many(self, items: list[Item]) -> None:
        done = self._change_many(INSERT, [(record.kind, record.id, record.data) for record, _, _ in items])
        if done < len(items):
            record = items[done][0]
            raise self._conflict(record.kind, record.id, 0)

    def _update_many(self, items: list[Item]) -> None:
        places = [(record.kind, record.id) for record, _, _ in items]
        rows = [(record.data, record.kind, record.id, expected) for record, _, expected in items]
        if self._change_many(UPDATE, rows) < len(rows):
            # One of them met another version and changed nothing; its stored version is not the one it would have made.
            for (kind, id), (_, _, _, expected) in zip(places, rows, strict=True):
                if self._one(VERSION, (kind, id)) != expected + 1:
                    raise self._conflict(kind, id, expected)
        self._change_many(DELETE_KEYS, places)

    def _conflict(self, kind: str, id: str, expected: int) -> ConflictError:
        found = self._one(VERSION, (kind, id))
        return _checks.conflict(kind, id, expected, 0 if found is None else int(found))

    def _seq(self, cursor: Cursor) -> int:
        last = self._one(LAST)
        trimmed = self._one(_sqlite_schema.READ_META, ("trimmed",))
        return cursor_seq(cursor, self._incarnation, last=int(last or 0), trimmed=int(trimmed or 0))

    def _records(self, kind: str, sql: str, values: Sequence[object]) -> list[Record]:
        return [Record(kind, id, version, data) for id, version, data in self._rows(sql, values)]

    def _one(self, sql: str, values: Sequence[object] = ()) -> Any:
        rows = self._rows(sql, values)
        return rows[0][0] if rows else None

    def _rows(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        try:
            return self._link.rows(sql, values)
        except BaseException:
            self.failed = True
            raise

    def _change(self, sql: str, values: Sequence[object]) -> int:
        try:
            return self._link.change(sql, values)
        except BaseException:
            self.failed = True
            raise

    def _change_many(self, sql: str, values: Sequence[Sequence[object]]) -> int:
        try:
            return self._link.change_many(sql, values)
        except BaseException:
            self.failed = True
            raise


def fill_columns(link: Statements) -> None:
    """Keep the typed columns of the records that are there, page by page."""
    for kind in TYPED_KINDS:
        after = ""
        while rows := link.rows(PAGE, (kind, after, ITEMS_PER_STATEMENT)):
            store_rows(link.change_many, [Record(kind, *row) for row in rows], new=True)
            after = rows[-1][0]

"""A unit of work on the tables behind SQLAlchemy."""

from __future__ import annotations

from threading import get_ident

from custinfo.errors import ConflictError, DuplicateKeyError
from custinfo.store import _checks, _lifecycle, _sqlalchemy_feed, _sqlalchemy_write
from custinfo.store._protocol import Cursor, Event, Key, Record
from custinfo.store._query import PLACE, check_query, lost_place, statement
from custinfo.store._typed_columns import typed_columns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any, ParamSpec, TypeVar

    import numpy as np

    from custinfo.store._sqlalchemy import SqlLink
    from custinfo.store._sqlalchemy_write import Item

    P = ParamSpec("P")
    T = TypeVar("T")

IDS_PER_STATEMENT = 500


class SqlAlchemyUnit:
    """A unit of a `SqlAlchemyStore`; see `Unit` and all capabilities of units."""

    def __init__(self, link: SqlLink, *, write: bool) -> None:
        self.owner = get_ident()
        self.failed = False
        self.link = link
        self.writes = write
        self._tables = link.tables
        self._emitted: list[tuple[str, str, bytes]] = []

    def get(self, kind: str, ids: Sequence[str]) -> list[Record]:
        """The records that exist, in the order asked; see `Unit.get`."""
        self._use()
        _checks.check_kind(kind)
        for id in ids:
            _checks.check_id(id)
        if len(ids) == 1:
            return self._records(kind, self._tables.get, {"kind": kind, "id": ids[0]})
        found: dict[str, Record] = {}
        for chunk in _sqlalchemy_write.runs_of(ids, IDS_PER_STATEMENT):
            for record in self._records(kind, self._tables.get_many, {"kind": kind, "ids": chunk}):
                found[record.id] = record
        return [found[id] for id in ids if id in found]

    def put(self, record: Record, keys: Sequence[Key], expected_version: int) -> int:
        """Store a record; see `Unit.put`.

        A put that is refused for what the unit can see has changed nothing. One that is refused because of a unit that
        was committed meanwhile ends this unit.
        """
        self._use(write=True)
        _checks.check_record(record, keys, expected_version)
        self._put_one((record, keys, expected_version))
        return expected_version + 1

    def put_many(self, items: Iterable[Item]) -> list[int]:
        """Store many records; see `SupportsBulk.put_many`. Runs of new ones, and of updates, are the fast cases."""
        self._use(write=True)
        return self._do(self._put_many, items)

    def delete(self, kind: str, id: str, expected_version: int) -> None:
        """Delete a record and its keys; see `Unit.delete`, and `put` for refusals."""
        self._use(write=True)
        _checks.check_kind(kind)
        _checks.check_id(id)
        _checks.check_version(expected_version)
        if expected_version == 0:
            raise _checks.conflict_of_delete(kind, id)
        place = {"old_kind": kind, "old_id": id}
        if self._do(self.link.change, self._tables.delete, {**place, "old_version": expected_version}) != 1:
            raise self._do(_sqlalchemy_write.conflict, self.link, kind, id, expected_version)
        self._do(self.link.change, self._tables.delete_keys, place)
        self._do(_sqlalchemy_write.drop_columns, self.link, kind, id)

    def lookup(self, kind: str, name: str, value: str) -> list[str]:
        """Ids that hold the key; see `Unit.lookup`."""
        self._use()
        _checks.check_kind(kind)
        _checks.check_key(name, value)
        return [row[0] for row in self._rows(self._tables.lookup, {"kind": kind, "name": name, "value": value})]

    def page(self, kind: str, after: str, limit: int) -> list[Record]:
        """Records with ``id > after``; see `Unit.page`."""
        self._use()
        _checks.check_kind(kind)
        _checks.check_after(after)
        _checks.check_limit(limit)
        return self._records(kind, self._tables.page, {"kind": kind, "after": after, "limit": limit})

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
            [(kept,)] = self._rows(PLACE, (kind, after, query.order))
            if kept is None:
                raise lost_place()
            place = _text(kept)
        text, values = statement(query, place)
        return [_text(row[0]) for row in self._rows(text, values)]

    def columns(self, kind: str, names: Sequence[str]) -> dict[str, np.ndarray]:
        """The columns that are kept of those names; see `SupportsColumns.columns`."""
        from custinfo.store._typed_arrays import arrays_of_rows  # NumPy: for who reads columns only

        self._use()
        _checks.check_kind(kind)
        wanted = [column for column in typed_columns(kind) if column.path in names]
        if not wanted or self._rows(self._tables.has_gap, {"kind": kind}):
            return {}
        picked = self._tables.columns_of(kind, [column.name for column in wanted])
        return self._do(lambda: arrays_of_rows(wanted, self.link.chunks(picked)))

    def emit(self, type: str, subject: str, data: bytes) -> None:
        """Add an event; see `Unit.emit`."""
        self._use(write=True)
        _checks.check_event(type, subject, data)
        # Written at the end of the unit: its own feed shows committed events only, and numbers are drawn late.
        self._emitted.append((type, subject, data))

    def feed(self, after: Cursor, limit: int) -> list[Event]:
        """Committed events after a cursor; see `Unit.feed`."""
        self._use()
        _checks.check_limit(limit)
        return self._do(_sqlalchemy_feed.read, self.link, after, limit)

    def pending(self, after: Cursor, limit: int) -> list[Event]:
        """`feed` with the events that it still holds back; see `SupportsPending.pending`."""
        self._use()
        _checks.check_limit(limit)
        return self._do(_sqlalchemy_feed.read, self.link, after, limit, held_back=True)

    def trim(self, cursor: Cursor) -> int:
        """Drop the events up to and including *cursor*; see `SupportsTrim.trim`."""
        self._use(write=True)
        return self._do(_sqlalchemy_feed.trim, self.link, cursor)

    def kinds(self) -> list[str]:
        """All kinds that have records; see `SupportsBackup.kinds`."""
        self._use()
        return [row[0] for row in self._rows(self._tables.kinds)]

    def keys(self, kind: str, id: str) -> list[Key]:
        """The keys of one record; see `SupportsBackup.keys`."""
        self._use()
        _checks.check_kind(kind)
        _checks.check_id(id)
        rows = self._rows(self._tables.keys, {"kind": kind, "id": id})
        return [Key(name, value, uniq == 1) for name, value, uniq in rows]

    def keys_between(self, kind: str, after: str, last: str) -> dict[str, list[Key]]:
        """The keys of a page of records; see `SupportsKeyRange.keys_between`."""
        self._use()
        _checks.check_kind(kind)
        _checks.check_after(after)
        _checks.check_id(last)
        found: dict[str, list[Key]] = {}
        rows = self._rows(self._tables.keys_between, {"kind": kind, "after": after, "last": last})
        for id, name, value, uniq in rows:
            found.setdefault(id, []).append(Key(name, value, uniq == 1))
        return found

    def load(self, items: Iterable[tuple[Record, Sequence[Key]]]) -> int:
        """Store records under the versions that they have; see `SupportsRestore.load`."""
        self._use(write=True)
        return self._do(self._load, items)

    def load_events(self, events: Iterable[tuple[str, str, bytes]]) -> int:
        """Add many events; see `SupportsRestore.load_events`."""
        self._use(write=True)
        count = 0
        for run in _sqlalchemy_write.runs_of(events):
            for event in run:
                _checks.check_event(*event)
            self._do(_sqlalchemy_feed.emit, self.link, run)
            count += len(run)
        return count

    def flush(self) -> None:
        """Write the events of the unit; the store calls it before the end."""
        emitted, self._emitted = self._emitted, []
        if emitted:
            self._do(_sqlalchemy_feed.emit, self.link, emitted)

    def _use(self, *, write: bool = False) -> None:
        if self.owner != get_ident():
            raise _lifecycle.misused(self.owner)
        if self.failed:
            raise _lifecycle.failed()
        if write and not self.writes:
            raise _lifecycle.not_writable()

    def _put_one(self, item: Item) -> None:
        if refusal := self._race([item], _sqlalchemy_write.refusal_of, self.link, item):
            raise refusal

    def _put_many(self, items: Iterable[Item]) -> list[int]:
        versions: list[int] = []
        for run in _sqlalchemy_write.runs_of_items(items):
            for record, keys, expected in run:
                _checks.check_record(record, keys, expected)
                versions.append(expected + 1)
            if len(run) == 1:
                self._put_one(run[0])
            else:
                self._race(run, _sqlalchemy_write.store_run, self.link, run)
        return versions

    def _load(self, items: Iterable[tuple[Record, Sequence[Key]]]) -> int:
        count = 0
        for run in _sqlalchemy_write.runs_of_items((record, keys, 0) for record, keys in items):
            for record, keys, _ in run:
                _checks.check_loaded(record, keys)
            self._race(run, _sqlalchemy_write.load_run, self.link, run)
            count += len(run)
        return count

    def _race(self, items: Sequence[Item], call: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
        """Give what *call* gives; a refusal that the database gave without names is looked into, and ends the unit."""
        try:
            return self._do(call, *args, **options)
        except (ConflictError, DuplicateKeyError) as exc:
            refusal = exc
        raise _sqlalchemy_write.named(self.link, items, refusal)

    def _records(self, kind: str, what: Any, values: Mapping[str, object]) -> list[Record]:
        return [Record(kind, id, version, data) for id, version, data in self._rows(what, values)]

    def _rows(self, what: Any, values: Mapping[str, object] | Sequence[object] = ()) -> list[Any]:
        return self._do(self.link.rows, what, values)

    def _do(self, call: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
        try:
            return call(*args, **options)
        except BaseException:
            self.failed = True
            raise


def _text(value: str | bytes) -> str:
    """Text of a statement that was written as text: MySQL gives the bytes that it keeps."""
    return value.decode() if isinstance(value, bytes) else value

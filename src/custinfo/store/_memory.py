"""The store in memory: for tests, notebooks and jobs that keep nothing."""

from __future__ import annotations

import threading
from bisect import bisect_right
from threading import get_ident

from custinfo.errors import StoreError
from custinfo.store import _checks, _lifecycle
from custinfo.store._cursor import cursor_seq, make_cursor
from custinfo.store._fork import watch_forks
from custinfo.store._memory_tables import Tables
from custinfo.store._protocol import Cursor, Event, Key, Record
from custinfo.store._query import check_query, evaluate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from custinfo.store._memory_tables import Held


class MemoryStore:
    """Records in this process's memory, gone with it; units wait for one another.

    Args:
        timeout_s: how long a unit waits for its turn.

    >>> store = MemoryStore()
    >>> with store.unit() as unit:
    ...     unit.put(Record("customer", "c1", 0, b"data"), [Key("tag", "vip")], 0)
    1
    >>> with store.unit(write=False) as unit:
    ...     unit.lookup("customer", "tag", "vip"), unit.get("customer", ["c1"])[0].data
    (['c1'], b'data')
    """

    def __init__(self, *, timeout_s: float = 30.0) -> None:
        self._timeout_s = timeout_s
        self._tables = Tables()
        self._lock = threading.Lock()
        self._current: MemoryUnit | None = None
        self._closed = False
        watch_forks(self)

    def unit(self, *, write: bool = True) -> _lifecycle.Turn[MemoryUnit]:
        """A unit of work, as `RecordStore.unit` says.

        Raises:
            StoreError: "store.closed", "store.nested", or "store.locked" after ``timeout_s``.
        """
        if self._closed:
            raise _lifecycle.closed()
        return _lifecycle.Turn(self, write=write)

    def close(self) -> None:
        """Forget everything; an open unit of another thread may end first."""
        self._closed = True
        if self._current is None:
            self._tables = Tables()

    def _begin(self, *, write: bool) -> MemoryUnit:
        current = self._current
        if current is not None and current.owner == get_ident():
            raise _lifecycle.nested()
        if not self._lock.acquire(timeout=self._timeout_s):
            raise _lifecycle.locked(self._timeout_s)
        try:
            if self._closed:
                raise _lifecycle.closed()
            # A roll-back that Ctrl-C cut short is finished here.
            self._tables.roll_back()
            self._current = unit = MemoryUnit(self._tables, write=write)
        except BaseException:
            self._lock.release()
            raise
        return unit

    def _end(self, unit: MemoryUnit, *, commit: bool) -> None:
        try:
            if commit and unit.failed:
                raise _lifecycle.failed()
            if commit:
                self._tables.commit(unit.emitted, unit.trim_to)
        finally:
            unit.owner = _lifecycle.ENDED
            try:
                self._tables.roll_back()
            finally:
                self._current = None
                if self._closed:
                    self._tables = Tables()
                self._lock.release()

    def _before_fork(self) -> None:
        """Nothing to do: the child gets a copy."""

    def _after_fork(self, *, child: bool) -> None:
        if not child:
            return
        # The thread that held the lock does not exist in the child; what its unit began is undone by the next one.
        self._lock = threading.Lock()
        if self._current is not None:
            self._current.owner = _lifecycle.FORKED
            self._current = None


class MemoryUnit:
    """A unit of a `MemoryStore`; see `Unit` and all capabilities of units but columns."""

    def __init__(self, tables: Tables, *, write: bool) -> None:
        self.owner = get_ident()
        self.failed = False
        self.emitted: list[tuple[str, str, bytes]] = []
        self.trim_to = 0
        self._tables = tables
        self._writes = write

    def get(self, kind: str, ids: Sequence[str]) -> list[Record]:
        """The records that exist, in the order asked; see `Unit.get`."""
        self._use()
        _checks.check_kind(kind)
        for id in ids:
            _checks.check_id(id)
        rows = self._tables.held.get(kind, {})
        return [rows[id][0] for id in ids if id in rows]

    def put(self, record: Record, keys: Sequence[Key], expected_version: int) -> int:
        """Store a record; see `Unit.put`. A put that raises has changed nothing."""
        self._use(write=True)
        _checks.check_record(record, keys, expected_version)
        version = expected_version + 1
        self._store(record._replace(version=version), keys, expected_version)
        return version

    def _store(self, record: Record, keys: Sequence[Key], expected_version: int) -> None:
        kind, id, version, data = record
        self._expect(kind, id, expected_version)
        distinct = _checks.distinct_keys(keys)
        for (name, value), unique in distinct.items():
            if unique:
                for holder, holds_unique in self._tables.index.get((kind, name, value), {}).items():
                    if holds_unique and holder != id:
                        raise _checks.duplicate_key(kind, id, name, holder)
        self._tables.change(kind, id, (Record(kind, id, version, data), distinct))

    def put_many(self, items: Iterable[tuple[Record, Sequence[Key], int]]) -> list[int]:
        """Store many records; see `SupportsBulk.put_many`."""
        self._use(write=True)
        try:
            return [self.put(record, keys, expected) for record, keys, expected in items]
        except BaseException:
            self.failed = True
            raise

    def delete(self, kind: str, id: str, expected_version: int) -> None:
        """Delete a record and its keys; see `Unit.delete`."""
        self._use(write=True)
        _checks.check_kind(kind)
        _checks.check_id(id)
        _checks.check_version(expected_version)
        if expected_version == 0:
            raise _checks.conflict_of_delete(kind, id)
        self._expect(kind, id, expected_version)
        self._tables.change(kind, id, None)

    def lookup(self, kind: str, name: str, value: str) -> list[str]:
        """Ids that hold the key; see `Unit.lookup`."""
        self._use()
        _checks.check_kind(kind)
        _checks.check_key(name, value)
        return sorted(self._tables.index.get((kind, name, value), ()))

    def page(self, kind: str, after: str, limit: int) -> list[Record]:
        """Records with ``id > after``; see `Unit.page`."""
        self._use()
        _checks.check_kind(kind)
        _checks.check_after(after)
        _checks.check_limit(limit)
        ids = self._tables.sorted_ids(kind)
        start = bisect_right(ids, after)
        rows = self._tables.held.get(kind, {})
        return [rows[id][0] for id in ids[start : start + limit]]

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
        return evaluate(query, self._tables.held.get(kind, {}))

    def emit(self, type: str, subject: str, data: bytes) -> None:
        """Add an event; see `Unit.emit`."""
        self._use(write=True)
        _checks.check_event(type, subject, data)
        self.emitted.append((type, subject, data))

    def feed(self, after: Cursor, limit: int) -> list[Event]:
        """Committed events after a cursor; see `Unit.feed`."""
        self._use()
        _checks.check_limit(limit)
        first = max(self._seq(after), self.trim_to, self._tables.state.trimmed)
        _, events, trimmed, last = self._tables.state
        name = self._tables.incarnation
        stop = min(last, first + limit)
        rows = events[first - trimmed : stop - trimmed]
        return [Event(make_cursor(name, seq), *row) for seq, row in enumerate(rows, first + 1)]

    def trim(self, cursor: Cursor) -> int:
        """Drop the events up to and including *cursor*; see `SupportsTrim.trim`."""
        self._use(write=True)
        before = max(self.trim_to, self._tables.state.trimmed)
        self.trim_to = max(before, self._seq(cursor))
        return self.trim_to - before

    def kinds(self) -> list[str]:
        """All kinds that have records; see `SupportsBackup.kinds`."""
        self._use()
        return sorted(kind for kind, rows in self._tables.held.items() if rows)

    def keys(self, kind: str, id: str) -> list[Key]:
        """The keys of one record; see `SupportsBackup.keys`."""
        self._use()
        _checks.check_kind(kind)
        _checks.check_id(id)
        held = self._tables.held.get(kind, {}).get(id)
        return [] if held is None else _sorted_keys(held)

    def keys_between(self, kind: str, after: str, last: str) -> dict[str, list[Key]]:
        """The keys of a page of records; see `SupportsKeyRange.keys_between`."""
        self._use()
        _checks.check_kind(kind)
        _checks.check_after(after)
        _checks.check_id(last)
        ids = self._tables.sorted_ids(kind)
        rows = self._tables.held.get(kind, {})
        return {
            id: _sorted_keys(rows[id]) for id in ids[bisect_right(ids, after) : bisect_right(ids, last)] if rows[id][1]
        }

    def load(self, items: Iterable[tuple[Record, Sequence[Key]]]) -> int:
        """Store records under the versions that they have; see `SupportsRestore.load`."""
        self._use(write=True)
        count = 0
        try:
            for record, keys in items:
                _checks.check_loaded(record, keys)
                self._store(record, keys, 0)
                count += 1
        except BaseException:
            self.failed = True
            raise
        return count

    def load_events(self, events: Iterable[tuple[str, str, bytes]]) -> int:
        """Add many events; see `SupportsRestore.load_events`."""
        before = len(self.emitted)
        for event in events:
            self.emit(*event)
        return len(self.emitted) - before

    def _use(self, *, write: bool = False) -> None:
        if self.owner != get_ident():
            raise _lifecycle.misused(self.owner)
        if self.failed:
            raise _lifecycle.failed()
        if write and not self._writes:
            raise _lifecycle.not_writable()

    def _expect(self, kind: str, id: str, version: int) -> None:
        held = self._tables.held.get(kind, {}).get(id)
        found = 0 if held is None else held[0].version
        if found != version:
            raise _checks.conflict(kind, id, version, found)

    def _seq(self, cursor: Cursor) -> int:
        state = self._tables.state
        return cursor_seq(cursor, self._tables.incarnation, last=state.last, trimmed=state.trimmed)


def _sorted_keys(held: Held) -> list[Key]:
    return [Key(*pair, unique) for pair, unique in sorted(held[1].items())]


def open_memory(rest: str) -> MemoryStore:
    """The store of ``memory:``.

    Raises:
        StoreError: "store.url" if something follows.
    """
    if rest:
        raise StoreError("nothing may follow memory: in the URL of a store in memory", code="store.url")
    return MemoryStore()

"""A unit of work on the tables of the PostgreSQL store."""

from __future__ import annotations

from itertools import islice
from threading import get_ident

from custinfo.store import _checks, _lifecycle, _postgres_feed, _postgres_schema, _postgres_sql, _postgres_write
from custinfo.store._protocol import Cursor, Event, Key, Record
from custinfo.store._query import PLACE, check_query, lost_place, statement
from custinfo.store._typed_columns import typed_columns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any, ParamSpec, TypeVar

    import numpy as np

    from custinfo.store._postgres import PostgresLink
    from custinfo.store._postgres_feed import FeedState
    from custinfo.store._postgres_write import Item, Refusal

    P = ParamSpec("P")
    T = TypeVar("T")
    AnyItem = TypeVar("AnyItem", bound=tuple[Any, ...])

ITEMS_PER_STATEMENT = 2000
BYTES_PER_STATEMENT = 4_000_000
ROWS_PER_FETCH = 20_000


class PostgresUnit:
    """A unit of a `PostgresStore`.

    See `Unit`, `SupportsBulk`, `SupportsQuery`, `SupportsColumns`, `SupportsTrim`, `SupportsPending`, `SupportsBackup`,
    `SupportsKeyRange`, `SupportsRestore`.
    """

    def __init__(self, link: PostgresLink, *, write: bool) -> None:
        self.owner = get_ident()
        self.failed = False
        self.link = link
        self.writes = write
        self._emitted: list[tuple[str, str, bytes]] = []

    def get(self, kind: str, ids: Sequence[str]) -> list[Record]:
        """The records that exist, in the order asked; see `Unit.get`."""
        self._use()
        _checks.check_kind(kind)
        for id in ids:
            _checks.check_id(id)
        if len(ids) == 1:
            return self._records(kind, _postgres_sql.GET, (kind, ids[0]))
        found: dict[str, Record] = {}
        for start in range(0, len(ids), ITEMS_PER_STATEMENT):
            chunk = ids[start : start + ITEMS_PER_STATEMENT]
            for record in self._records(kind, _postgres_sql.GET_MANY, (kind, list(chunk))):
                found[record.id] = record
        return [found[id] for id in ids if id in found]

    def put(self, record: Record, keys: Sequence[Key], expected_version: int) -> int:
        """Store a record; see `Unit.put`.

        A put that is refused for what the unit can see has changed nothing. One that is refused because of a unit that
        was committed meanwhile ends this unit: it reads a state that is no longer the newest.
        """
        self._use(write=True)
        _checks.check_record(record, keys, expected_version)
        self._store([(record, keys, expected_version)], _postgres_write.store_each)
        return expected_version + 1

    def put_many(self, items: Iterable[Item]) -> list[int]:
        """Store many records; see `SupportsBulk.put_many`. New ones go in by COPY, updates in a pipeline."""
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
        record = Record(kind, id, 0, b"")
        values = {"kind": kind, "id": id, "version": expected_version}
        [(done,)] = self._do(self.link.row_of_each, _postgres_sql.DELETE, [values])
        if not done:
            raise self._do(_postgres_write.conflict, self.link, record, expected_version)
        self._do(_postgres_write.drop_columns, self.link, kind, id)

    def lookup(self, kind: str, name: str, value: str) -> list[str]:
        """Ids that hold the key; see `Unit.lookup`."""
        self._use()
        _checks.check_kind(kind)
        _checks.check_key(name, value)
        return [row[0] for row in self._rows(_postgres_sql.LOOKUP, (kind, name, value))]

    def page(self, kind: str, after: str, limit: int) -> list[Record]:
        """Records with ``id > after``; see `Unit.page`."""
        self._use()
        _checks.check_kind(kind)
        _checks.check_after(after)
        _checks.check_limit(limit)
        return self._records(kind, _postgres_sql.PAGE, (kind, after, limit))

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
            place = self._rows(_marked(PLACE), (kind, after, query.order))[0][0]
            if place is None:
                raise lost_place()
        text, values = statement(query, place)
        return [row[0] for row in self._rows(_marked(text), values)]

    def columns(self, kind: str, names: Sequence[str]) -> dict[str, np.ndarray]:
        """Typed columns of all records of a kind; see `SupportsColumns.columns`."""
        from custinfo.store._typed_arrays import arrays_of_rows  # NumPy: for who reads columns only

        self._use()
        _checks.check_kind(kind)
        wanted = [column for column in typed_columns(kind) if column.path in names]
        if not wanted or self._rows(_postgres_sql.HAS_GAP, (kind,)):
            return {}
        picked = ", ".join(column.name for column in wanted)
        text = f"DECLARE ci_rows NO SCROLL CURSOR FOR SELECT {picked} FROM ci_{kind} ORDER BY id"  # noqa: S608 - ours
        self._do(self.link.change, text)
        arrays = self._do(arrays_of_rows, wanted, self._fetched())
        self._do(self.link.change, "CLOSE ci_rows")
        return arrays

    def emit(self, type: str, subject: str, data: bytes) -> None:
        """Add an event; see `Unit.emit`."""
        self._use(write=True)
        _checks.check_event(type, subject, data)
        # Written at the end of the unit, so that its number is drawn as late as can be, in one round trip.
        self._emitted.append((type, subject, data))

    def feed(self, after: Cursor, limit: int) -> list[Event]:
        """Committed events after a cursor; see `Unit.feed`. They show when no older transaction runs any more."""
        self._use()
        _checks.check_limit(limit)
        return self._events(_postgres_sql.FEED, after, limit)

    def pending(self, after: Cursor, limit: int) -> list[Event]:
        """`feed` with the events that it still holds back; see `SupportsPending.pending`."""
        self._use()
        _checks.check_limit(limit)
        return self._events(_postgres_sql.PENDING, after, limit)

    def trim(self, cursor: Cursor) -> int:
        """Drop the events up to and including *cursor*; see `SupportsTrim.trim`."""
        self._use(write=True)
        place = _postgres_feed.place_of(cursor, self._feed_state(), self._newest)
        if place == _postgres_feed.BEGINNING:
            return 0
        self._rows(_postgres_schema.WRITE_META, ("trimmed", _postgres_feed.written(place)))
        return int(self._rows(_postgres_sql.TRIM, (str(place.xid), place.seq))[0][0])

    def kinds(self) -> list[str]:
        """All kinds that have records; see `SupportsBackup.kinds`."""
        self._use()
        return [row[0] for row in self._rows(_postgres_sql.KINDS)]

    def keys(self, kind: str, id: str) -> list[Key]:
        """The keys of one record; see `SupportsBackup.keys`."""
        self._use()
        _checks.check_kind(kind)
        _checks.check_id(id)
        return [Key(name, value, uniq == 1) for name, value, uniq in self._rows(_postgres_sql.KEYS, (kind, id))]

    def keys_between(self, kind: str, after: str, last: str) -> dict[str, list[Key]]:
        """The keys of a page of records; see `SupportsKeyRange.keys_between`."""
        self._use()
        _checks.check_kind(kind)
        _checks.check_after(after)
        _checks.check_id(last)
        found: dict[str, list[Key]] = {}
        for id, name, value, uniq in self._rows(_postgres_sql.KEYS_BETWEEN, (kind, after, last)):
            found.setdefault(id, []).append(Key(name, value, uniq == 1))
        return found

    def load(self, items: Iterable[tuple[Record, Sequence[Key]]]) -> int:
        """Store records under the versions that they have; see `SupportsRestore.load`."""
        self._use(write=True)
        return self._do(self._load, items)

    def load_events(self, events: Iterable[tuple[str, str, bytes]]) -> int:
        """Add many events; see `SupportsRestore.load_events`."""
        self._use(write=True)
        count, rest = 0, iter(events)
        while run := list(islice(rest, ITEMS_PER_STATEMENT)):
            for event in run:
                _checks.check_event(*event)
            self._do(self.link.copy, "ci_outbox", _postgres_sql.EVENT_COLUMNS, run)
            count += len(run)
        return count

    def flush(self) -> None:
        """Write the events of the unit; the store calls it before the commit."""
        emitted, self._emitted = self._emitted, []
        if len(emitted) == 1:
            self._rows(_postgres_sql.EMIT, emitted[0])
        elif emitted:
            self._do(self.link.copy, "ci_outbox", _postgres_sql.EVENT_COLUMNS, emitted)

    def _use(self, *, write: bool = False) -> None:
        if self.owner != get_ident():
            raise _lifecycle.misused(self.owner)
        if self.failed:
            raise _lifecycle.failed()
        if write and not self.writes:
            raise _lifecycle.not_writable()

    def _put_many(self, items: Iterable[Item]) -> list[int]:
        versions: list[int] = []
        for run in _runs(items, _is_new):
            for record, keys, expected in run:
                _checks.check_record(record, keys, expected)
                versions.append(expected + 1)
            self._store(run, _postgres_write.store_each if run[0][2] else _postgres_write.copy_new)
        return versions

    def _load(self, items: Iterable[tuple[Record, Sequence[Key]]]) -> int:
        count = 0
        for run in _runs(items, lambda _: True):
            for record, keys in run:
                _checks.check_loaded(record, keys)
            _postgres_write.copy_new(self.link, [(record, keys, record.version - 1) for record, keys in run])
            count += len(run)
        return count

    def _store(self, items: list[Item], how: Callable[[PostgresLink, Sequence[Item]], Refusal | None]) -> None:
        if refusal := self._do(how, self.link, items):
            raise refusal

    def _fetched(self) -> Iterator[list[tuple[Any, ...]]]:
        while rows := self.link.rows(f"FETCH FORWARD {ROWS_PER_FETCH} FROM ci_rows"):
            yield rows

    def _feed_state(self) -> FeedState:
        return self._do(_postgres_feed.feed_state, self.link)

    def _newest(self) -> int | None:
        newest: int | None = self._rows(_postgres_sql.NEWEST)[0][0]
        return newest

    def _events(self, text: str, after: Cursor, limit: int) -> list[Event]:
        state = self._feed_state()
        place = max(_postgres_feed.place_of(after, state, self._newest), state.trimmed)
        return [
            Event(_postgres_feed.cursor_at(state.incarnation, xid, seq), type, subject, data)
            for xid, seq, type, subject, data in self._rows(text, (str(place.xid), place.seq, limit))
        ]

    def _records(self, kind: str, sql: str, values: Sequence[object]) -> list[Record]:
        return [Record(kind, id, version, data) for id, version, data in self._rows(sql, values)]

    def _rows(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        return self._do(self.link.rows, sql, values)

    def _do(self, call: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
        try:
            return call(*args, **options)
        except BaseException:
            self.failed = True
            raise


def _is_new(item: Item) -> bool:
    return item[2] == 0


def _runs(items: Iterable[AnyItem], sort: Callable[[AnyItem], bool]) -> Iterator[list[AnyItem]]:
    """Runs of items that *sort* gives the same for, none of them too large for a statement."""
    run: list[AnyItem] = []
    size = 0
    for item in items:
        if run and (len(run) == ITEMS_PER_STATEMENT or size > BYTES_PER_STATEMENT or sort(item) != sort(run[0])):
            yield run
            run, size = [], 0
        run.append(item)
        size += len(item[0].data)
    if run:
        yield run


def _marked(text: str) -> str:
    """A statement of SQLite with the marks of psycopg."""
    return text.replace("?", "%s")

"""What a backend stores and what it promises; everything typed or encrypted sits above it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, NewType, Protocol, runtime_checkable

TYPE_CHECKING = False
if TYPE_CHECKING:
    import numpy as np

__all__ = [
    "START",
    "Cursor",
    "Event",
    "Key",
    "Record",
    "RecordStore",
    "SupportsBackup",
    "SupportsBulk",
    "SupportsColumns",
    "SupportsKeyRange",
    "SupportsPending",
    "SupportsPurge",
    "SupportsQuery",
    "SupportsRestore",
    "SupportsTrim",
    "Unit",
]

Cursor = NewType("Cursor", str)
"""A place in the feed: opaque text made by the backend; ``Cursor("")`` is the start."""

START = Cursor("")
"""The start of the feed."""


class Record(NamedTuple):
    """One stored record; named tuples, not attrs, since a scan makes hundreds of thousands.

    Args:
        kind: what it is, such as ``"customer"``; ids are unique within a kind. 1-64 bytes of UTF-8.
        id: 1-1024 bytes of UTF-8, no NUL.
        version: 1 for the first state, one more for each later one; 0 in a record not stored yet.
        data: what codec and cipher made of the object; the backend never looks inside.

    >>> Record("customer", "c1", 0, b"...")
    Record(kind='customer', id='c1', version=0, data=<3 bytes>)
    """

    kind: str
    id: str
    version: int
    data: bytes

    def __repr__(self) -> str:
        # The data may be personal, and a repr ends up in logs and tracebacks.
        return f"Record(kind={self.kind!r}, id={self.id!r}, version={self.version!r}, data=<{len(self.data)} bytes>)"


class Key(NamedTuple):
    """A look-up key of a record.

    Args:
        name: what it indexes, such as ``"email"``. 1-64 bytes of UTF-8.
        value: plain text or a blind-index token, compared exactly. At most 1024 bytes of UTF-8, no NUL.
        unique: no two records of the kind may hold this name and value as unique.

    >>> Key("email", "kJ8s0a", unique=True)
    Key(name='email', value=<6 characters>, unique=True)
    """

    name: str
    value: str
    unique: bool = False

    def __repr__(self) -> str:
        return f"Key(name={self.name!r}, value=<{len(self.value)} characters>, unique={self.unique!r})"


class Event(NamedTuple):
    """One committed event of the feed; it carries ids, nothing personal.

    Args:
        cursor: pass it to `Unit.feed` to go on after this event.
        type: such as ``"customer.updated"``. 1-255 bytes of UTF-8.
        subject: the id of what it is about. At most 1024 bytes of UTF-8.
        data: whatever else the emitter wanted to say, in bytes.

    >>> Event(Cursor("b2.1"), "customer.created", "c1", b"{}").subject
    'c1'
    """

    cursor: Cursor
    type: str
    subject: str
    data: bytes

    def __repr__(self) -> str:
        return (
            f"Event(cursor={self.cursor!r}, type={self.type!r}, subject={self.subject!r}, "
            f"data=<{len(self.data)} bytes>)"
        )


@runtime_checkable
class Unit(Protocol):
    """A unit of work: all of it is committed, or nothing.

    A unit reads one consistent state and its own writes, and belongs to the thread that opened it.

    >>> from custinfo.store import MemoryStore
    >>> with MemoryStore().unit() as unit:
    ...     isinstance(unit, Unit), unit.put(Record("customer", "c1", 0, b"data"), [Key("tag", "vip")], 0)
    (True, 1)
    """

    def get(self, kind: str, ids: Sequence[str]) -> list[Record]:
        """The records that exist, in the order asked, in few round trips for many ids.

        Args:
            kind: the kind of all of them.
            ids: shape (n,); an id asked for twice is given twice.
        """
        ...

    def put(self, record: Record, keys: Sequence[Key], expected_version: int) -> int:
        """Store *record*; *keys* replace all its former keys.

        Args:
            record: its ``version`` is ignored.
            keys: all look-up keys of the new state.
            expected_version: the stored version that this state replaces; 0 if there must be none.

        Returns:
            The new version, ``expected_version + 1``.

        Raises:
            ConflictError: the stored version is another one; from here or from the end of the unit.
            DuplicateKeyError: another record of the kind holds a unique key; from here or from the end of the unit.
        """
        ...

    def delete(self, kind: str, id: str, expected_version: int) -> None:
        """Delete a record and its keys.

        Raises:
            ConflictError: it is missing, or its stored version is another one.
        """
        ...

    def lookup(self, kind: str, name: str, value: str) -> list[str]:
        """Ids of the records that hold exactly this key, in code-point order."""
        ...

    def page(self, kind: str, after: str, limit: int) -> list[Record]:
        """Records with ``id > after`` in code-point order of their ids, at most *limit*; ``""`` starts."""
        ...

    def emit(self, type: str, subject: str, data: bytes) -> None:
        """Add an event, which the feed shows once the unit is committed."""
        ...

    def feed(self, after: Cursor, limit: int) -> list[Event]:
        """Committed events after a cursor, at most *limit*.

        A reader that goes on from the last event's cursor gets each event exactly once, however late its unit commits.

        Raises:
            StoreError: "store.cursor" if the cursor is not one of this store's.
        """
        ...


@runtime_checkable
class RecordStore(Protocol):
    """A backend: records under (kind, id, version), look-up keys and an outbox. Threads share it.

    >>> from custinfo.store import MemoryStore
    >>> isinstance(MemoryStore(), RecordStore)
    True
    """

    def unit(self, *, write: bool = True) -> AbstractContextManager[Unit]:
        """A unit of work: a clean exit commits everything, an exception undoes everything and passes on.

        Args:
            write: False for a unit that only reads.

        Raises:
            StoreError: the store is closed or cannot be used.
        """
        ...

    def close(self) -> None:
        """Give back what the store holds; closing twice is allowed."""
        ...


@runtime_checkable
class SupportsBulk(Protocol):
    """A unit that stores many records faster than one by one.

    >>> from custinfo.store import MemoryStore
    >>> with MemoryStore().unit() as unit:
    ...     if isinstance(unit, SupportsBulk):
    ...         unit.put_many((Record("customer", f"c{n}", 0, b"data"), [], 0) for n in range(3))
    [1, 1, 1]
    """

    def put_many(self, items: Iterable[tuple[Record, Sequence[Key], int]]) -> list[int]:
        """`Unit.put` for each (record, keys, expected_version), with the same promises.

        An error may leave some of the items done within the unit, so let it pass on: the unit cannot be committed.

        Returns:
            The new versions, shape (n,).
        """
        ...


@runtime_checkable
class SupportsQuery(Protocol):
    """A unit whose backend evaluates conditions over keys.

    >>> from custinfo.store import MemoryStore
    >>> with MemoryStore().unit() as unit:
    ...     version = unit.put(Record("customer", "c1", 0, b"data"), [Key("tag", "vip"), Key("country", "CN")], 0)
    ...     unit.query("customer", all_of=[("tag", "vip"), ("country", "CN")], limit=10)
    ['c1']
    """

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
        """Ids of the records that meet every condition.

        Args:
            kind: the kind of all of them.
            all_of: (name, value) of keys that the record must hold, each of them.
            range: (name, low, high): it holds a key of that name with low <= value < high in code-point order;
                None leaves an end open.
            order: sort by the smallest value under this key name, then by id; records without it are left out.
                By id if None.
            after: the last id of the former page; ``""`` starts.
            limit: at most so many ids.
        """
        ...


@runtime_checkable
class SupportsColumns(Protocol):
    """A unit whose backend keeps non-personal scalar fields in typed columns; docs/reference/record-store.md says how.

    >>> from custinfo.store import MemoryStore
    >>> with MemoryStore().unit() as unit:
    ...     isinstance(unit, SupportsColumns)
    False
    """

    def columns(self, kind: str, names: Sequence[str]) -> dict[str, np.ndarray]:
        """The columns *names* of all records of *kind*, rows in code-point order of ids.

        Args:
            kind: of the records.
            names: paths of fields, such as ``"amount.minor"``.

        Returns:
            Path -> array of shape (n,): int64, datetime64[us] in UTC (NaT where missing), else objects: text or None.
            Only those of the names that are kept for every record of the kind; empty where a record is a gap.
        """
        ...


@runtime_checkable
class SupportsTrim(Protocol):
    """A unit that can drop old events.

    >>> from custinfo.store import MemoryStore
    >>> store = MemoryStore()
    >>> with store.unit() as unit:
    ...     unit.emit("customer.created", "c1", b"")
    >>> with store.unit() as unit:
    ...     unit.trim(unit.feed(START, 1)[0].cursor)
    1
    """

    def trim(self, cursor: Cursor) -> int:
        """Drop the events up to and including *cursor*.

        Returns:
            How many were dropped.
        """
        ...


@runtime_checkable
class SupportsBackup(Protocol):
    """A unit that can say what the store holds, which a backup needs.

    >>> from custinfo.store import MemoryStore
    >>> with MemoryStore().unit() as unit:
    ...     version = unit.put(Record("customer", "c1", 0, b"data"), [Key("tag", "vip")], 0)
    ...     unit.kinds(), unit.keys("customer", "c1")[0].name
    (['customer'], 'tag')
    """

    def kinds(self) -> list[str]:
        """All kinds that have records, in code-point order."""
        ...

    def keys(self, kind: str, id: str) -> list[Key]:
        """The keys of one record, in code-point order of (name, value); empty if there is no such record."""
        ...


@runtime_checkable
class SupportsKeyRange(Protocol):
    """A unit that gives the keys of a whole page of records at once, which makes a backup several times faster.

    >>> from custinfo.store import MemoryStore
    >>> with MemoryStore().unit() as unit:
    ...     versions = [unit.put(Record("customer", id, 0, b"data"), [Key("tag", id)], 0) for id in ("c1", "c2")]
    ...     unit.keys_between("customer", "c1", "c2")
    {'c2': [Key(name='tag', value=<2 characters>, unique=False)]}
    """

    def keys_between(self, kind: str, after: str, last: str) -> dict[str, list[Key]]:
        """The keys of the records with ``after < id <= last``, in code-point order of (id, name, value).

        Args:
            kind: the kind of all of them.
            after: the last id of the former page; ``""`` starts.
            last: the last id of this page.

        Returns:
            id -> keys; a record without keys is left out.
        """
        ...


@runtime_checkable
class SupportsPending(Protocol):
    """A unit that gives committed events which its feed still holds back, because an older unit is open.

    A backup asks for it, or the events of such units would be lost with the store. A backend whose feed holds nothing
    back does without.

    >>> from custinfo.store import MemoryStore
    >>> with MemoryStore().unit() as unit:
    ...     isinstance(unit, SupportsPending)
    False
    """

    def pending(self, after: Cursor, limit: int) -> list[Event]:
        """`Unit.feed` of every event that this unit's state holds, in the order that the feed will give them."""
        ...


@runtime_checkable
class SupportsRestore(Protocol):
    """A unit that takes over records and events of another store; a backend without it restores version by version.

    >>> from custinfo.store import MemoryStore
    >>> with MemoryStore().unit() as unit:
    ...     loaded = unit.load([(Record("customer", "c1", 7, b"data"), [Key("tag", "vip")])])
    ...     loaded, unit.load_events([("customer.updated", "c1", b"")]), unit.get("customer", ["c1"])[0].version
    (1, 1, 7)
    """

    def load(self, items: Iterable[tuple[Record, Sequence[Key]]]) -> int:
        """Store records that are not there under the versions that they have, without keeping all in memory.

        An error may leave some of the items done within the unit, so let it pass on: the unit cannot be committed.

        Returns:
            How many there were.

        Raises:
            ConflictError: one of them is there; from here or from the end of the unit.
            DuplicateKeyError: another record of the kind holds a unique key; from here or from the end of the unit.
            InvalidFieldError: as for `Unit.put`; "store.version" for a version below 1.
        """
        ...

    def load_events(self, events: Iterable[tuple[str, str, bytes]]) -> int:
        """`Unit.emit` for each (type, subject, data), without keeping all in memory.

        Whether the unit's own feed shows them is left open.

        Returns:
            How many there were.
        """
        ...


@runtime_checkable
class SupportsPurge(Protocol):
    """A store whose own files can keep what was deleted or replaced until they are purged.

    >>> from custinfo.store import MemoryStore
    >>> isinstance(MemoryStore(), SupportsPurge)
    False
    """

    def purge(self) -> bool:
        """Leave nothing of what was deleted or replaced in the own files; False if an open unit is in the way."""
        ...

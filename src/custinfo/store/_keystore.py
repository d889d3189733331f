"""The key store of custinfo.crypto on any record store."""

from __future__ import annotations

from custinfo.errors import ConflictError, KeyDestroyedError
from custinfo.store import _checks
from custinfo.store._protocol import Record, SupportsBulk, SupportsPurge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from custinfo.store._protocol import Key, RecordStore, Unit

KIND = "key_row"
COUNTER_KIND = "key_generation"
COUNTER_ID = "keys"

LIVE, TOMBSTONE = b"\x01", b"\x00"
"""The first byte of a stored row. A tombstone is a record too, so that backups and other processes see it."""

ATTEMPTS = 100


class RecordKeyStore:
    """Wrapped keys as records, with tombstones that nothing replaces; see `custinfo.crypto.KeyStore`.

    Keep the keys in a store of their own: a backup of the data is then useless without them, and a new key can be made
    while a unit on the data is open. On the store of the data that is refused with the code "store.nested".

    Args:
        store: where the rows are kept, as records of kind ``key_row``.

    >>> from custinfo.store import MemoryStore
    >>> keys = RecordKeyStore(MemoryStore())
    >>> keys.put([("root", b"wrapped", 0)])
    >>> keys.get("root"), keys.names()
    ((b'wrapped', 1), ['root'])
    """

    def __init__(self, store: RecordStore) -> None:
        self._store = store

    @property
    def store(self) -> RecordStore:
        """Where the rows are kept."""
        return self._store

    def get(self, name: str) -> tuple[bytes | None, int] | None:
        """The row and its revision; (None, revision) for a tombstone; None if there never was one."""
        with self._store.unit(write=False) as unit:
            records = unit.get(KIND, [name])
        return _row(records[0]) if records else None

    def get_many(self, names: Sequence[str]) -> list[tuple[bytes | None, int] | None]:
        """`get` of each name, in one unit: see `custinfo.crypto.SupportsGetMany`.

        >>> from custinfo.store import MemoryStore
        >>> RecordKeyStore(MemoryStore()).get_many(["root/a", "root/b"])
        [None, None]
        """
        with self._store.unit(write=False) as unit:
            rows = {record.id: _row(record) for record in unit.get(KIND, names)}
        return [rows.get(name) for name in names]

    def put(self, items: Sequence[tuple[str, bytes | None, int]]) -> None:
        """Compare and swap, all or none; durable when it returns.

        Args:
            items: (name, row or None for a tombstone, expected revision, 0 = must be new); no name twice.

        Raises:
            ConflictError: "key_store.conflict" if a revision is not the expected one, or a name is given twice.
            KeyDestroyedError: a name has a tombstone.
        """
        for attempt in range(ATTEMPTS):
            try:
                with self._store.unit() as unit:
                    _swap(unit, items)
                break
            except _Refused as exc:
                raise exc.error from None
            except ConflictError:
                # On a store whose writers overlap, another put came in between: look again.
                if attempt == ATTEMPTS - 1:
                    raise
        if isinstance(self._store, SupportsPurge) and any(row is None for _, row, _ in items):
            self._store.purge()

    def names(self, prefix: str = "", after: str = "", limit: int = 1000) -> list[str]:
        """Names that begin with *prefix* and come after *after*, in code-point order, without tombstones."""
        _checks.check_limit(limit)
        found: list[str] = []
        with self._store.unit(write=False) as unit:
            page = unit.get(KIND, [prefix]) if after < prefix else []
            start = max(prefix, after)
            while True:
                for record in page:
                    if not record.id.startswith(prefix) or len(found) >= limit:
                        return found
                    if record.data[:1] == LIVE:
                        found.append(record.id)
                page = unit.page(KIND, start, 1000)
                if not page:
                    return found
                start = page[-1].id

    def generation(self) -> int:
        """A number that every write changes; cheap to read."""
        with self._store.unit(write=False) as unit:
            records = unit.get(COUNTER_KIND, [COUNTER_ID])
        return records[0].version if records else 0


class _Refused(Exception):  # noqa: N818 - never leaves this module
    """Carries an error about the rows out of the unit, apart from conflicts of the store."""

    def __init__(self, error: ConflictError | KeyDestroyedError) -> None:
        super().__init__()
        self.error = error


def _swap(unit: Unit, items: Sequence[tuple[str, bytes | None, int]]) -> None:
    stored = {record.id: record for record in unit.get(KIND, [name for name, _, _ in items])}
    changes: dict[str, tuple[Record, Sequence[Key], int]] = {}
    for name, row, expected in items:
        old = stored.get(name)
        if old is not None and old.data[:1] == TOMBSTONE:
            raise _Refused(KeyDestroyedError("the key was destroyed; nothing replaces its tombstone"))
        if name in changes or expected != (0 if old is None else old.version):
            # Names hold the ids of data subjects, so the message does not tell them.
            message = "the row was written meanwhile; read it again and repeat"
            raise _Refused(ConflictError(message, code="key_store.conflict"))
        changes[name] = (Record(KIND, name, expected, TOMBSTONE if row is None else LIVE + row), (), expected)
    if isinstance(unit, SupportsBulk):
        unit.put_many(changes.values())
    else:
        for change in changes.values():
            unit.put(*change)
    counter = unit.get(COUNTER_KIND, [COUNTER_ID])
    version = counter[0].version if counter else 0
    unit.put(Record(COUNTER_KIND, COUNTER_ID, version, b""), (), version)


def _row(record: Record) -> tuple[bytes | None, int]:
    return (None if record.data[:1] == TOMBSTONE else record.data[1:], record.version)

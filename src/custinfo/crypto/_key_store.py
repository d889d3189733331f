"""Where wrapped keys lie, apart from the data that they open: the protocol, and one in memory."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import takewhile
from threading import Lock
from typing import Protocol, runtime_checkable

from custinfo.errors import ConflictError, KeyDestroyedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


@runtime_checkable
class KeyStore(Protocol):
    """Keeps rows of wrapped keys under names; compare-and-swap, with tombstones that nothing replaces.

    Keep it apart from the data, with backups of its own that expire soon: a shredded key lives on in them.

    >>> isinstance(MemoryKeyStore(), KeyStore)
    True
    """

    def get(self, name: str) -> tuple[bytes | None, int] | None:
        """The row under *name* and its revision; a tombstone gives ``(None, revision)``, an unknown name None."""
        ...

    def put(self, items: Sequence[tuple[str, bytes | None, int]]) -> None:
        """Write all *items* or none, durable on return.

        Args:
            items: (name, row or None for a tombstone, expected revision; 0 = the name must be new).

        Raises:
            KeyDestroyedError: a name holds a tombstone, whatever was expected.
            ConflictError: another revision than expected.
        """
        ...

    def names(self, prefix: str = "", after: str = "", limit: int = 1000) -> list[str]:
        """Names that start with *prefix* and lie behind *after*, in code-point order, without tombstones."""
        ...

    def generation(self) -> int:
        """A number that every write changes; cheap, since it is asked up to ten times a second."""
        ...


@runtime_checkable
class SupportsGetMany(Protocol):
    """A `KeyStore` that reads many rows in one look, which a database does faster than one by one.

    >>> isinstance(MemoryKeyStore(), SupportsGetMany)
    True
    """

    def get_many(self, names: Sequence[str]) -> list[tuple[bytes | None, int] | None]:
        """`KeyStore.get` of each name, in the order of *names*."""
        ...


_ABSENT = (b"", 0)


class MemoryKeyStore:
    """A `KeyStore` in memory, for tests and for data that need not outlive the process.

    >>> store = MemoryKeyStore()
    >>> store.put([("a", b"row", 0)])
    >>> store.get("a")
    (b'row', 1)
    >>> store.put([("a", None, 1)])
    >>> store.get("a"), store.names()
    ((None, 2), [])
    """

    def __init__(self) -> None:
        self._rows: dict[str, tuple[bytes | None, int]] = {}
        self._sorted: list[str] | None = []
        self._generation = 0
        self._lock = Lock()

    def __repr__(self) -> str:
        return f"MemoryKeyStore({len(self._rows)} rows)"

    def get(self, name: str) -> tuple[bytes | None, int] | None:
        """The row under *name* and its revision.

        Args:
            name: exact name.

        Returns:
            (row, revision); (None, revision) for a tombstone; None for an unknown name.

        >>> MemoryKeyStore().get("a") is None
        True
        """
        return self._rows.get(name)

    def get_many(self, names: Sequence[str]) -> list[tuple[bytes | None, int] | None]:
        """`get` of each name.

        Args:
            names: exact names.

        >>> MemoryKeyStore().get_many(["a", "b"])
        [None, None]
        """
        return [self._rows.get(name) for name in names]

    def put(self, items: Sequence[tuple[str, bytes | None, int]]) -> None:
        """Write all *items* or none.

        Args:
            items: (name, row or None for a tombstone, expected revision; 0 = the name must be new).

        Raises:
            KeyDestroyedError: a name holds a tombstone.
            ConflictError: another revision than expected, or a name given twice.

        >>> store = MemoryKeyStore()
        >>> store.put([("a", b"1", 0), ("b", b"2", 0)])
        >>> store.names()
        ['a', 'b']
        """
        with self._lock:
            rows = self._rows
            for name, _, expected in items:
                row_now, revision = rows.get(name, _ABSENT)
                if row_now is None:
                    raise KeyDestroyedError("the key was destroyed; nothing replaces a tombstone")
                if revision != expected:
                    raise _conflict()
            if len(items) > 1 and len({name for name, _, _ in items}) < len(items):
                raise _conflict()
            for name, row, expected in items:
                rows[name] = (row, expected + 1)
                if expected == 0 or row is None:
                    self._sorted = None
            self._generation += 1

    def names(self, prefix: str = "", after: str = "", limit: int = 1000) -> list[str]:
        """Names that start with *prefix* and lie behind *after*, without tombstones.

        Args:
            prefix: how the names start.
            after: the last name of the page before.
            limit: at most this many.

        Returns:
            Names in code-point order; fewer than *limit* only at the end.

        >>> store = MemoryKeyStore()
        >>> store.put([("b", b"", 0), ("a", b"", 0)])
        >>> store.names(after="a")
        ['b']
        """
        with self._lock:
            if self._sorted is None:
                self._sorted = sorted(name for name, (row, _) in self._rows.items() if row is not None)
            names = self._sorted
            start = bisect_left(names, prefix) if after < prefix else bisect_right(names, after)
            return list(takewhile(lambda name: name.startswith(prefix), names[start : start + limit]))

    def generation(self) -> int:
        """How many writes there were.

        >>> MemoryKeyStore().generation()
        0
        """
        return self._generation


def _conflict() -> ConflictError:
    return ConflictError("the row was written meanwhile; read it again and repeat", code="key_store.conflict")

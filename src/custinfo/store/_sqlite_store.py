"""The store in one SQLite file, with the standard library's sqlite3."""

from __future__ import annotations

import os
import threading
import weakref
from pathlib import Path

from custinfo.errors import SchemaVersionError, StoreError
from custinfo.store import _lifecycle, _sqlite_schema
from custinfo.store._cursor import new_incarnation
from custinfo.store._fork import watch_forks
from custinfo.store._sqlite import SqliteLink, check_library
from custinfo.store._sqlite_unit import SqliteUnit, fill_columns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal


class SqliteStore:
    """Records in an SQLite file in WAL mode; any number of processes and threads may share it.

    Args:
        path: the file; made with mode 0600 if it is not there. Its folder must exist and be on a local disk.
        synchronous: ``"FULL"`` keeps every committed unit through a power failure; ``"NORMAL"`` may lose the last
            ones (never half of one) and commits faster.
        timeout_s: how long a unit waits for another writer.

    Raises:
        StoreError: "store.open", "store.not_a_database", "store.corrupt", "store.locked", "store.read_only",
            "store.full" or "store.sqlite_version".
        SchemaVersionError: the file was written by a newer custinfo.

    >>> import tempfile
    >>> from custinfo.store import Key, Record
    >>> folder = tempfile.TemporaryDirectory()
    >>> store = SqliteStore(f"{folder.name}/shop.db")
    >>> with store.unit() as unit:
    ...     unit.put(Record("customer", "c1", 0, b"data"), [Key("tag", "vip")], 0)
    1
    >>> with store.unit(write=False) as unit:
    ...     unit.lookup("customer", "tag", "vip")
    ['c1']
    >>> store.close()
    >>> folder.cleanup()
    """

    def __init__(
        self, path: str | os.PathLike[str], *, synchronous: Literal["FULL", "NORMAL"] = "FULL", timeout_s: float = 30.0
    ) -> None:
        if synchronous not in ("FULL", "NORMAL"):
            raise StoreError('synchronous must be "FULL" or "NORMAL"', code="store.synchronous")
        name = os.fspath(path)
        if name in ("", ":memory:") or "\0" in name:
            raise StoreError("path must name a file; for a store in memory use MemoryStore()", code="store.open")
        check_library()
        self.path = Path(name).absolute()
        self._synchronous = synchronous
        self._timeout_s = timeout_s
        self._closed = False
        self._forked = self._busy_at_fork = False
        self._admin = threading.RLock()
        self._write_turn = threading.Lock()
        self._local = threading.local()
        self._links: weakref.WeakSet[SqliteLink] = weakref.WeakSet()
        self._incarnation = self._prepare()
        watch_forks(self)

    def unit(self, *, write: bool = True) -> _lifecycle.Turn[SqliteUnit]:
        """A unit of work, as `RecordStore.unit` says.

        Raises:
            StoreError: "store.closed", "store.nested", "store.forked", or "store.locked" after ``timeout_s``.
        """
        self._check_open()
        return _lifecycle.Turn(self, write=write)

    def close(self) -> None:
        """Close the file; units that other threads have open may end first."""
        with self._admin:
            self._closed = True
            for link in list(self._links):
                if link.unit is None:
                    link.close()

    def purge(self) -> bool:
        """Leave nothing of what was deleted or replaced in the file and its write-ahead log.

        Returns:
            Whether it is gone; False if a unit that is still open needs the old state.

        Raises:
            StoreError: as for `unit`.
        """
        link = self._claim(write=True)
        try:
            return link.truncate_wal()
        finally:
            self._release(link, write=True)

    def compact(self) -> None:
        """Rebuild the file without free space (VACUUM) and empty the write-ahead log.

        Raises:
            StoreError: as for `unit`; "store.locked" also if a unit that is still open needs the old state.
        """
        link = self._claim(write=True)
        try:
            link.vacuum()
            if not link.truncate_wal():
                raise _lifecycle.locked(self._timeout_s)
        finally:
            self._release(link, write=True)

    def _begin(self, *, write: bool) -> SqliteUnit:
        link = self._claim(write=write)
        try:
            link.change("BEGIN IMMEDIATE" if write else "BEGIN")
            link.unit = unit = SqliteUnit(link, self._incarnation, write=write)
        except BaseException:
            self._release(link, write=write)
            raise
        return unit

    def _end(self, unit: SqliteUnit, *, commit: bool) -> None:
        link: SqliteLink = self._local.link
        try:
            if commit:
                if unit.failed:
                    raise _lifecycle.failed()
                unit.flush()
                link.change("COMMIT")
        finally:
            unit.owner = _lifecycle.ENDED
            self._release(link, write=unit.writes)

    def _check_open(self) -> None:
        if self._closed:
            raise _lifecycle.closed()
        if self._forked:
            message = "a unit was open when this process forked; end units before a fork, or open stores after it"
            raise StoreError(message, code="store.forked")

    def _claim(self, *, write: bool) -> SqliteLink:
        """This thread's connection, marked as in use; a writer gets its turn, so that threads queue without polling."""
        with self._admin:
            self._check_open()
            link: SqliteLink | None = getattr(self._local, "link", None)
            if link is None:
                link = self._local.link = SqliteLink(self.path, self._timeout_s)
                self._links.add(link)
            if link.busy:
                raise _lifecycle.nested()
            link.open(self._synchronous)
            link.busy = True
        taken = False
        try:
            if write:
                taken = self._write_turn.acquire(timeout=self._timeout_s)
                if not taken:
                    raise _lifecycle.locked(self._timeout_s)
            if self._closed:
                raise _lifecycle.closed()
        except BaseException:
            self._release(link, write=taken)
            raise
        return link

    def _release(self, link: SqliteLink, *, write: bool) -> None:
        try:
            link.roll_back()
        finally:
            if write:
                self._write_turn.release()
            with self._admin:
                link.unit, link.busy = None, False
                if self._closed:
                    link.close()

    def _before_fork(self) -> None:
        # SQLite must not meet connections that another process opened: idle ones are closed, and reopened when used.
        self._admin.acquire()
        self._busy_at_fork = False
        for link in list(self._links):
            if link.busy:
                self._busy_at_fork = True
            else:
                link.close()

    def _after_fork(self, *, child: bool) -> None:
        if not child:
            self._admin.release()
            return
        self._forked = self._busy_at_fork
        for link in list(self._links):
            link.abandon()
        self._admin, self._write_turn = threading.RLock(), threading.Lock()
        self._local, self._links = threading.local(), weakref.WeakSet()

    def _prepare(self) -> str:
        """Make or check the tables; gives the incarnation."""
        _make_private(self.path)
        link = self._claim(write=True)
        try:
            schema = link.schema()
            if schema < _sqlite_schema.SCHEMA:
                link.use_wal()
                link.change("BEGIN IMMEDIATE")
                schema = self._migrate(link)
            if schema > _sqlite_schema.SCHEMA:
                message = (
                    f"the file has schema {schema}, this custinfo knows up to {_sqlite_schema.SCHEMA}; "
                    "install the custinfo that wrote it, or a newer one"
                )
                raise SchemaVersionError(message, found=schema, known=_sqlite_schema.SCHEMA)
            return link.meta("incarnation")
        except BaseException:
            self._closed = True
            raise
        finally:
            self._release(link, write=True)

    def _migrate(self, link: SqliteLink) -> int:
        # Another process may have done it meanwhile, so the schema is read again under the lock.
        schema = link.schema()
        for number, statements in enumerate(_sqlite_schema.MIGRATIONS[schema:], schema + 1):
            for statement in statements:
                link.change(statement)
            link.change(_sqlite_schema.WRITE_META, ("schema", str(number)))
        if 0 < schema < _sqlite_schema.COLUMNS_SINCE:
            fill_columns(link)
        if schema == 0:
            link.change(_sqlite_schema.WRITE_META, ("incarnation", new_incarnation()))
        link.change("COMMIT")
        return max(schema, _sqlite_schema.SCHEMA)


def _make_private(path: Path) -> None:
    """Make the file with mode 0600 before SQLite would make it for everybody; its -wal and -shm take the same mode."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        return
    except OSError as exc:
        message = (
            f"the file {str(path)!r} cannot be made: {exc.strerror}; check that its folder exists and may be written"
        )
        raise StoreError(message, code="store.open") from None


def open_sqlite(rest: str) -> SqliteStore:
    """The store of ``sqlite:`` + *rest*.

    Raises:
        StoreError: "store.url" if it is not three slashes and a path.
    """
    path = rest.removeprefix("///")
    if path == rest or not path:
        message = "write sqlite:///shop.db for a relative path, sqlite:////srv/shop.db for an absolute one"
        raise StoreError(message, code="store.url")
    return SqliteStore(path)

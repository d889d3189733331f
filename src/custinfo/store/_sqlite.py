"""The store in one SQLite file, with the standard library's sqlite3."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import weakref
from pathlib import Path

from custinfo.errors import SchemaVersionError, StoreError
from custinfo.store import _lifecycle, _sqlite_schema
from custinfo.store._cursor import new_incarnation
from custinfo.store._fork import watch_forks
from custinfo.store._sqlite_unit import SqliteUnit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Literal

OLDEST_SQLITE = (3, 37, 0)  # STRICT tables
RETRY_S = 0.01

_PROBLEMS = {
    sqlite3.SQLITE_READONLY: ("store.read_only", "is read-only; give this user the right to write the file and folder"),
    sqlite3.SQLITE_PERM: ("store.read_only", "may not be used by this user; give it the right to read and write"),
    sqlite3.SQLITE_FULL: ("store.full", "cannot grow: the disk or its page limit is full; make room and repeat"),
    sqlite3.SQLITE_CORRUPT: ("store.corrupt", "is damaged; restore it from a backup"),
    sqlite3.SQLITE_NOTADB: ("store.not_a_database", "is not an SQLite database; check the path"),
    sqlite3.SQLITE_CANTOPEN: ("store.open", "cannot be opened; check that its folder exists and may be written"),
    sqlite3.SQLITE_IOERR: ("store.io", "cannot be read or written; check the disk"),
    sqlite3.SQLITE_TOOBIG: ("store.too_big", "cannot hold a value of this size (SQLite's limit is 1 GB)"),
}


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
    >>> folder = tempfile.TemporaryDirectory()
    >>> store = SqliteStore(Path(folder.name) / "shop.db")
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
        if sqlite3.sqlite_version_info < OLDEST_SQLITE:  # pragma: no cover - needs an old SQLite library
            message = f"SQLite {sqlite3.sqlite_version} is too old; custinfo needs 3.37 or newer"
            raise StoreError(message, code="store.sqlite_version")
        self.path = Path(name).absolute()
        self._synchronous = synchronous
        self._timeout_s = timeout_s
        self._closed = False
        self._forked = False
        self._admin = threading.RLock()
        self._write_turn = threading.Lock()
        self._local = threading.local()
        self._links: weakref.WeakSet[_Link] = weakref.WeakSet()
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
        link: _Link = self._local.link
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

    def _claim(self, *, write: bool) -> _Link:
        """This thread's connection, marked as in use; a writer gets its turn, so that threads queue without polling."""
        with self._admin:
            self._check_open()
            link: _Link | None = getattr(self._local, "link", None)
            if link is None:
                link = self._local.link = _Link(self.path, self._timeout_s)
                self._links.add(link)
            if link.busy:
                raise _lifecycle.nested()
            link.open(self._synchronous)
            link.busy = True
        if write and not self._write_turn.acquire(timeout=self._timeout_s):
            self._release(link, write=False)
            raise _lifecycle.locked(self._timeout_s)
        if self._closed:
            self._release(link, write=write)
            raise _lifecycle.closed()
        return link

    def _release(self, link: _Link, *, write: bool) -> None:
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
        for link in list(self._links):
            if not link.busy:
                link.close()

    def _after_fork(self, *, child: bool) -> None:
        if not child:
            self._admin.release()
            return
        for link in list(self._links):
            if link.busy:
                self._forked = True
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
            return str(link.rows(_sqlite_schema.READ_META, ("incarnation",))[0][0])
        except BaseException:
            self._closed = True
            raise
        finally:
            self._release(link, write=True)

    def _migrate(self, link: _Link) -> int:
        # Another process may have done it meanwhile, so the schema is read again under the lock.
        schema = link.schema()
        for number, statements in enumerate(_sqlite_schema.MIGRATIONS[schema:], schema + 1):
            for statement in statements:
                link.change(statement)
            link.change(_sqlite_schema.WRITE_META, ("schema", str(number)))
        if schema == 0:
            link.change(_sqlite_schema.WRITE_META, ("incarnation", new_incarnation()))
        link.change("COMMIT")
        return max(schema, _sqlite_schema.SCHEMA)


class _Link:
    """One thread's connection; its errors are already custinfo's."""

    def __init__(self, path: Path, timeout_s: float) -> None:
        self.busy = False
        self.unit: SqliteUnit | None = None
        self._path = path
        self._timeout_s = timeout_s
        self._con: sqlite3.Connection | None = None

    def open(self, synchronous: str) -> None:
        """Connect, if it is not connected."""
        if self._con is not None:
            return
        try:
            self._con = sqlite3.connect(
                self._path, timeout=self._timeout_s, isolation_level=None, check_same_thread=False
            )
        except sqlite3.Error as exc:
            raise self._translated(exc) from None
        self.rows(f"PRAGMA synchronous = {synchronous}")
        self.rows("PRAGMA secure_delete = ON")
        # What sorting or a journal of a statement needs must not reach the disk in the clear.
        self.rows("PRAGMA temp_store = MEMORY")
        self.rows("PRAGMA cell_size_check = ON")
        self.rows("PRAGMA trusted_schema = OFF")

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        try:
            return self._connected().execute(sql, values).fetchall()
        except sqlite3.Error as exc:
            raise self._translated(exc) from None

    def change(self, sql: str, values: Sequence[object] = ()) -> int:
        """How many rows a statement changed."""
        try:
            return self._connected().execute(sql, values).rowcount
        except sqlite3.Error as exc:
            raise self._translated(exc) from None

    def change_many(self, sql: str, values: Sequence[Sequence[object]]) -> int:
        """How many of *values* a statement of one row each was run with, up to the first that breaks a constraint."""
        con = self._connected()
        before = con.total_changes
        try:
            con.executemany(sql, values)
        except sqlite3.IntegrityError:
            return con.total_changes - before
        except sqlite3.Error as exc:
            raise self._translated(exc) from None
        return len(values)

    def schema(self) -> int:
        """The schema of the file, 0 if it has no tables of custinfo."""
        if not self.rows(_sqlite_schema.HAS_META):
            return 0
        rows = self.rows(_sqlite_schema.READ_META, ("schema",))
        return int(rows[0][0]) if rows else 0

    def use_wal(self) -> None:
        """Switch the file to WAL mode; SQLite does not wait by itself where another process does the same."""
        deadline = time.monotonic() + self._timeout_s
        while True:
            try:
                self.rows("PRAGMA journal_mode = WAL")
            except StoreError as exc:
                if exc.code != "store.locked" or time.monotonic() > deadline:
                    raise
                time.sleep(RETRY_S)
            else:
                return

    def vacuum(self) -> None:
        """Rebuild the file, with the copy on disk: it may be larger than the memory."""
        self.rows("PRAGMA temp_store = FILE")
        try:
            self.change("VACUUM")
        finally:
            self.rows("PRAGMA temp_store = MEMORY")

    def truncate_wal(self) -> bool:
        """Move the write-ahead log into the file, unless a reader needs it."""
        self.rows("PRAGMA busy_timeout = 0")
        try:
            return bool(self.rows("PRAGMA wal_checkpoint(TRUNCATE)")[0][0] == 0)
        finally:
            self.rows(f"PRAGMA busy_timeout = {int(self._timeout_s * 1000)}")

    def roll_back(self) -> None:
        """Undo what is not committed; a connection that cannot is closed, which undoes it too."""
        con = self._con
        if con is not None and con.in_transaction:
            try:
                con.rollback()
            except sqlite3.Error:
                self.close()

    def close(self) -> None:
        """Disconnect."""
        con, self._con = self._con, None
        if con is not None:
            con.close()

    def abandon(self) -> None:
        """Never touch the connection again in this process, nor let it be collected."""
        if self.unit is not None:
            self.unit.owner = _lifecycle.FORKED
        if self._con is not None:
            _ABANDONED.append(self._con)
            self._con = None

    def __del__(self) -> None:
        self.close()

    def _connected(self) -> sqlite3.Connection:
        if self._con is None:
            raise _lifecycle.closed()
        return self._con

    def _translated(self, exc: sqlite3.Error) -> StoreError:
        number = getattr(exc, "sqlite_errorcode", 0)
        if number & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return _lifecycle.locked(self._timeout_s)
        name = getattr(exc, "sqlite_errorname", type(exc).__name__)
        code, problem = _PROBLEMS.get(number & 0xFF, ("store.sqlite", f"failed with {name}"))
        return StoreError(f"the file {str(self._path)!r} {problem}", code=code, sqlite=name)


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


_ABANDONED: list[sqlite3.Connection] = []


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

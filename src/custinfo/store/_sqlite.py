"""Connections to an SQLite file: the one module that knows sqlite3, and lets none of its errors out."""

from __future__ import annotations

import os
import sqlite3
import time

from custinfo.errors import StoreError
from custinfo.store import _lifecycle, _sqlite_schema

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import Any

    from custinfo.store._sqlite_unit import SqliteUnit

OLDEST_SQLITE = (3, 37, 0)  # STRICT tables
RETRY_S = 0.01
CACHE_KIB = 16_000  # at most, for each thread; SQLite's 2 MB cost a large import a quarter of its time

_PROBLEMS = {
    sqlite3.SQLITE_READONLY: ("store.read_only", "is read-only; give this user the right to write the file and folder"),
    sqlite3.SQLITE_PERM: ("store.read_only", "may not be used by this user; give it the right to read and write"),
    sqlite3.SQLITE_FULL: (
        "store.full",
        "cannot grow: the disk, a quota or a limit of its size is reached; make room and repeat",
    ),
    sqlite3.SQLITE_CORRUPT: ("store.corrupt", "is damaged; restore it from a backup"),
    sqlite3.SQLITE_NOTADB: ("store.not_a_database", "is not an SQLite database; check the path"),
    sqlite3.SQLITE_CANTOPEN: ("store.open", "cannot be opened; check that its folder exists and may be written"),
    sqlite3.SQLITE_IOERR: ("store.io", "cannot be read or written; check the disk"),
    sqlite3.SQLITE_ERROR: (
        "store.sqlite",
        "failed with SQLITE_ERROR: its tables are not those that custinfo made; restore it from a backup",
    ),
    sqlite3.SQLITE_TOOBIG: ("store.too_big", "cannot hold a value of this size (SQLite's limit is 1 GB)"),
}

_NO_ROOM = (sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE, sqlite3.SQLITE_IOERR_TRUNCATE)
"""What SQLite calls an I/O error where a quota or a limit of the file size, other than a full disk, is in the way."""

_ABANDONED: list[sqlite3.Connection] = []


class SqliteLink:
    """One thread's connection; its errors are already custinfo's."""

    def __init__(self, path: Path, timeout_s: float) -> None:
        self.busy = False
        self.unit: SqliteUnit | None = None
        self._path = path
        self._timeout_s = timeout_s
        self._con: sqlite3.Connection | None = None
        self._pid = 0

    def open(self, synchronous: str) -> None:
        """Connect, if it is not connected."""
        if self._con is not None:
            return
        try:
            self._con = sqlite3.connect(
                self._path, timeout=self._timeout_s, isolation_level=None, check_same_thread=False
            )
            self._pid = os.getpid()
        except sqlite3.Error as exc:
            raise self._translated(exc) from None
        self.rows(f"PRAGMA synchronous = {synchronous}")
        self.rows("PRAGMA secure_delete = ON")
        self.rows(f"PRAGMA cache_size = -{CACHE_KIB}")
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

    def chunks(self, sql: str, size: int) -> Iterator[list[tuple[Any, ...]]]:
        """The rows of a query, *size* at a time."""
        try:
            cursor = self._connected().execute(sql)
            while rows := cursor.fetchmany(size):
                yield rows
        except sqlite3.Error as exc:
            raise self._translated(exc) from None

    def change(self, sql: str, values: Sequence[object] = ()) -> int:
        """How many rows a statement changed."""
        try:
            return self._connected().execute(sql, values).rowcount
        except sqlite3.Error as exc:
            raise self._translated(exc) from None

    def change_many(self, sql: str, values: Sequence[Sequence[object]]) -> int:
        """How many rows a statement changed in all, run with each of *values* until one breaks a constraint."""
        con = self._connected()
        before = con.total_changes
        try:
            con.executemany(sql, values)
        except sqlite3.IntegrityError:
            pass
        except sqlite3.Error as exc:
            raise self._translated(exc) from None
        return con.total_changes - before

    def schema(self) -> int:
        """The schema of the file, 0 if it has no tables of custinfo."""
        if not self.rows(_sqlite_schema.HAS_META):
            return 0
        text = self.meta("schema")
        if not text.isdecimal():
            raise self._translated(sqlite3.OperationalError())
        return int(text)

    def meta(self, name: str) -> str:
        """One of the facts that the file keeps about itself."""
        rows = self.rows(_sqlite_schema.READ_META, (name,))
        if not rows:
            raise self._translated(sqlite3.OperationalError())
        return str(rows[0][0])

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
        # In a child process this may run for a thread of its parent before anything else does.
        if self._pid == os.getpid():
            self.close()
        else:
            self.abandon()

    def _connected(self) -> sqlite3.Connection:
        if self._con is None:
            raise _lifecycle.closed()
        return self._con

    def _translated(self, exc: sqlite3.Error) -> StoreError:
        number = getattr(exc, "sqlite_errorcode", 0)
        # sqlite3 gives no number to text that is not UTF-8, and SQLite none of its own to an impossible header.
        if (not number and isinstance(exc, sqlite3.OperationalError)) or str(exc) == "unsupported file format":
            number = sqlite3.SQLITE_CORRUPT
        if number in _NO_ROOM:
            number = sqlite3.SQLITE_FULL
        if number & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return _lifecycle.locked(self._timeout_s)
        name = getattr(exc, "sqlite_errorname", type(exc).__name__)
        code, problem = _PROBLEMS.get(
            number & 0xFF, ("store.sqlite", f"failed with {name}; check disk and file, and repeat")
        )
        return StoreError(f"the file {str(self._path)!r} {problem}", code=code, sqlite=name)


def check_library() -> None:
    """Refuse an SQLite library without STRICT tables.

    Raises:
        StoreError: "store.sqlite_version".
    """
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        needed = ".".join(map(str, OLDEST_SQLITE))
        message = (
            f"Python uses SQLite {sqlite3.sqlite_version}, custinfo needs {needed}; install a newer Python or SQLite"
        )
        raise StoreError(message, code="store.sqlite_version")

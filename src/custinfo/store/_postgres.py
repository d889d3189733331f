"""Connections to PostgreSQL: the one module that knows psycopg, and lets none of its errors out."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress

from custinfo.errors import missing_extra
from custinfo.store import _lifecycle, _postgres_errors

try:
    import psycopg
    from psycopg import conninfo, pq
    from psycopg.rows import tuple_row
except ModuleNotFoundError as exc:
    raise missing_extra("psycopg", extra="postgres", cause=exc) from None

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from custinfo.errors import CustInfoError
    from custinfo.store._postgres_unit import PostgresUnit

    Values = Sequence[object] | Mapping[str, object]

LONGEST_S = 2_000_000  # libpq takes no longer, and this is three weeks

_ABANDONED: list[psycopg.Connection[Any]] = []


class PostgresLink:
    """One connection; its errors are already custinfo's."""

    def __init__(self, con: psycopg.Connection[Any], timeout_s: float) -> None:
        self.known = False
        self.unit: PostgresUnit | None = None
        self._con = con
        self._cursor: psycopg.Cursor[tuple[Any, ...]] = psycopg.Cursor(con, row_factory=tuple_row)
        self._timeout_s = timeout_s
        self._start = ""
        if not self.lost:
            if con.info.transaction_status != pq.TransactionStatus.IDLE:
                raise _postgres_errors.pool_unclean()
            con.autocommit = True

    @property
    def lost(self) -> bool:
        """Whether the connection is closed or broken."""
        return bool(self._con.closed)

    @property
    def options(self) -> Mapping[str, str]:
        """How the connection was made: host, address, TLS mode."""
        if self.lost:
            raise _postgres_errors.connection_lost()
        return {**self._con.info.get_parameters(), "host": self._con.info.host, "hostaddr": self._con.info.hostaddr}

    @property
    def encoding(self) -> str:
        """Python's name of the encoding in which text travels."""
        return str(self._con.info.encoding)

    def begin(self, start: str) -> None:
        """Begin a transaction by *start*, several statements in one round trip."""
        self._start = start
        self.change(start)

    def begin_again(self) -> None:
        """Undo the transaction, and begin another like it, which sees what was committed meanwhile."""
        self.roll_back()
        self.change(self._start)

    def rows(self, statement: str, values: Values = ()) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        try:
            found: list[tuple[Any, ...]] = self._cursor.execute(statement, values, binary=True).fetchall()
        except psycopg.Error as exc:
            problem = self._translated(exc)
        else:
            return found
        raise problem

    def row_of_each(self, statement: str, values: Sequence[Values]) -> list[tuple[Any, ...]]:
        """The one row that the statement gives with each of *values*, in one pipeline."""
        if len(values) == 1:
            return self.rows(statement, values[0])
        rows: list[tuple[Any, ...]] = []
        try:
            self._cursor.executemany(statement, values, returning=True)
            for _ in values:
                rows += self._cursor.fetchall()
                self._cursor.nextset()
        except psycopg.Error as exc:
            problem = self._translated(exc)
        else:
            return rows
        raise problem

    def copy(self, table: str, columns: Mapping[str, str], rows: Iterable[Sequence[object]]) -> None:
        """Store rows by COPY.

        Args:
            table: where.
            columns: name -> type.
            rows: values in the order of *columns*.
        """
        try:
            with self._cursor.copy(f"COPY {table}({', '.join(columns)}) FROM STDIN (FORMAT BINARY)") as copy:
                copy.set_types(list(columns.values()))
                for row in rows:
                    copy.write_row(row)
        except psycopg.Error as exc:
            problem = self._translated(exc)
        else:
            return
        raise problem

    def commit(self) -> None:
        """Commit; a connection that breaks meanwhile leaves open whether it was."""
        try:
            self._cursor.execute("COMMIT")
        except psycopg.Error as exc:
            problem = _postgres_errors.commit_unknown() if self.lost else self._translated(exc)
        else:
            return
        raise problem

    def roll_back(self) -> None:
        """Undo what is not committed; a connection that cannot is closed, which undoes it too."""
        if self._con.info.transaction_status == pq.TransactionStatus.IDLE:
            return
        try:
            with suppress(psycopg.Error):
                self._cursor.execute("ROLLBACK")
        finally:
            if self._con.info.transaction_status != pq.TransactionStatus.IDLE:
                self.close()

    def close(self) -> None:
        """Disconnect."""
        self._con.close()

    def leave(self, *, idle: bool) -> None:
        """Part from a connection of the parent process: nothing may be sent on it, not even that it ends."""
        with suppress(OSError, psycopg.Error):
            nowhere = os.open(os.devnull, os.O_RDWR)
            os.dup2(nowhere, self._con.fileno(), inheritable=False)
            os.close(nowhere)
        if idle:
            self.close()
        else:
            # Another thread of the parent was using it; it must not be collected in the state it was in.
            _ABANDONED.append(self._con)
        if self.unit is not None:
            self.unit.owner = _lifecycle.FORKED

    def change(self, statement: str) -> None:
        """Run statements that give nothing back."""
        try:
            self._cursor.execute(statement)
        except psycopg.Error as exc:
            problem = self._translated(exc)
        else:
            return
        raise problem

    def _translated(self, exc: psycopg.Error) -> CustInfoError:
        if self.lost:
            return _postgres_errors.connection_lost()
        # The server's own texts can carry values of keys.
        return _postgres_errors.statement_failed(exc.sqlstate, exc.diag.constraint_name, self._timeout_s)


def effective_options(dsn: str) -> dict[str, str]:
    """What libpq would use: the DSN with its defaults, environment variables and service; nothing is contacted.

    Raises:
        StoreError: "store.dsn".
    """
    if not isinstance(dsn, str):
        raise _postgres_errors.bad_dsn()
    # libpq fills everything in before it finds that this is no such attribute, and then does not go on.
    mark = secrets.token_hex(8)
    try:
        probe = pq.PGconn.connect_start(conninfo.make_conninfo(dsn, target_session_attrs=mark).encode())
    except (psycopg.Error, UnicodeError):
        probe = None
    # A text of C ends at a NUL, and the rest would go unread.
    if probe is None or "\0" in dsn or mark.encode() not in probe.error_message:
        raise _postgres_errors.bad_dsn()
    return {option.keyword.decode(): option.val.decode(errors="replace") for option in probe.info if option.val}


def connect(dsn: str, options: Mapping[str, str], timeout_s: float) -> psycopg.Connection[Any]:
    """A new connection.

    Raises:
        StoreError: "store.connection", "store.login", "store.database" or "store.tls".
    """
    more: dict[str, Any] = {"fallback_application_name": "custinfo"}
    if "connect_timeout" not in options:
        more["connect_timeout"] = round(min(max(2, timeout_s), LONGEST_S))
    return guarded(lambda: psycopg.connect(dsn, autocommit=True, client_encoding="utf8", **more))


def guarded(make: Callable[[], psycopg.Connection[Any]]) -> psycopg.Connection[Any]:
    """What *make* gives; an error of psycopg (or of its pool) becomes one of custinfo's.

    Raises:
        StoreError: as `connect`; "store.pool" if a pool has no connection free.
    """
    try:
        return make()
    except psycopg.Error as exc:
        timed_out = type(exc).__name__ in ("PoolTimeout", "TooManyRequests", "PoolClosed")
        problem = _postgres_errors.pool_empty() if timed_out else _postgres_errors.connection_refused(str(exc))
    raise problem

"""The store in a PostgreSQL database."""

from __future__ import annotations

import threading

from custinfo.errors import SchemaVersionError, StoreError
from custinfo.store import _lifecycle, _postgres_schema
from custinfo.store._cursor import new_incarnation
from custinfo.store._fork import watch_forks
from custinfo.store._postgres_dsn import check_transport
from custinfo.store._postgres_unit import PostgresUnit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from custinfo.store._postgres import PostgresLink
    from custinfo.store._postgres_pool import ConnectionPool, GivenPool, OwnPool

LONGEST_S = 2_000_000  # the server takes milliseconds in an int
TRIES = 20  # connections of a pool that broke while they were idle, in a row


class PostgresStore:
    """Records in a PostgreSQL database; any number of processes and machines may share it, and write at once.

    Args:
        dsn: what libpq takes: ``"postgresql://user@host/database"`` or ``"host=... dbname=..."``; ``""`` where the
            environment variables PGHOST and so on say all. A server on another host needs ``sslmode=verify-full``.
        pool: connections of your own instead of those that the store makes by *dsn*: a pool with ``getconn`` and
            ``putconn``, such as ``psycopg_pool.ConnectionPool``, or a function that makes a connection of psycopg.
        insecure: allow a server on another host without verified TLS.
        timeout_s: how long a unit waits for another one that holds the same record, and for a connection.
        schema: the PostgreSQL schema that holds the tables, made if it is not there; by default the first one of the
            search path.

    Raises:
        StoreError: "store.dsn", "store.tls_required", "store.connection", "store.login", "store.database", "store.tls",
            "store.pool", "store.rights", "store.read_only", "store.encoding", "store.schema" or
            "store.postgres_version".
        SchemaVersionError: the tables were made by a newer custinfo.
        MissingExtraError: psycopg is not installed.

    >>> try:
    ...     PostgresStore("postgresql://billing@db.example.com/shop?sslmode=require")
    ... except StoreError as exc:
    ...     exc.code
    'store.tls_required'
    """

    def __init__(
        self,
        dsn: str = "",
        *,
        pool: ConnectionPool | Callable[[], Any] | None = None,
        insecure: bool = False,
        timeout_s: float = 30.0,
        schema: str | None = None,
    ) -> None:
        from custinfo.store import _postgres, _postgres_pool  # psycopg: for who has it only

        if schema is not None:
            _postgres_schema.check_name(schema)
        self._insecure = insecure
        self._timeout_s = timeout_s
        self._schema = schema
        self._closed = False
        self._local = threading.local()
        self._pool: OwnPool | GivenPool
        if pool is None:
            options = _postgres.effective_options(dsn)
            if not insecure:
                check_transport(options)
            self._pool = _postgres_pool.OwnPool(lambda: _postgres.connect(dsn, options, timeout_s), timeout_s)
        elif dsn:
            raise StoreError("give a DSN or a pool, not both", code="store.dsn")
        elif callable(pool):
            self._pool = _postgres_pool.OwnPool(pool, timeout_s)
        else:
            self._pool = _postgres_pool.GivenPool(pool, timeout_s)
        try:
            with self.unit(write=False):
                pass
        except BaseException:
            self.close()
            raise
        watch_forks(self)

    def unit(self, *, write: bool = True) -> _lifecycle.Turn[PostgresUnit]:
        """A unit of work, as `RecordStore.unit` says; it is a transaction of isolation REPEATABLE READ.

        Raises:
            StoreError: "store.closed", "store.nested", "store.forked", "store.connection" or "store.pool".
        """
        if self._closed:
            raise _lifecycle.closed()
        return _lifecycle.Turn(self, write=write)

    def close(self) -> None:
        """Close the store's own connections; units that other threads have open may end first."""
        self._closed = True
        self._pool.close()

    def _begin(self, *, write: bool) -> PostgresUnit:
        if getattr(self._local, "busy", False):
            raise _lifecycle.nested()
        link = self._claim(write=write)
        try:
            link.unit = unit = PostgresUnit(link, write=write)
            self._local.busy = True
        except BaseException:
            self._release(link)
            raise
        return unit

    def _end(self, unit: PostgresUnit, *, commit: bool) -> None:
        link = unit.link
        try:
            if commit:
                if unit.failed:
                    raise _lifecycle.failed()
                unit.flush()
                link.commit()
        finally:
            unit.owner = _lifecycle.ENDED
            self._local.busy = False
            self._release(link)

    def _claim(self, *, write: bool) -> PostgresLink:
        """A connection inside a transaction; one that broke while it was idle is replaced."""
        for turn in range(TRIES + 1):
            if self._closed:
                raise _lifecycle.closed()
            link = self._pool.take()
            may_be_stale = link.known or self._pool.gives_stale
            try:
                if not link.known:
                    self._admit(link)
                link.begin(self._start(write=write))
            except BaseException:
                broken = link.lost
                self._release(link)
                if broken and may_be_stale and turn < TRIES:
                    continue
                raise
            return link
        raise AssertionError("the last turn raises")  # pragma: no cover - the loop ends before

    def _release(self, link: PostgresLink) -> None:
        link.unit = None
        try:
            link.roll_back()
        finally:
            self._pool.give(link)

    def _start(self, *, write: bool, isolation: str = "REPEATABLE READ") -> str:
        # The store's tables only, whatever else the search path of a given connection would find first. Before the
        # first ANALYZE the planner takes a table for small, and would read and sort all that follows for each page.
        return (
            f"BEGIN ISOLATION LEVEL {isolation}{'' if write else ' READ ONLY'}; "
            f"SET LOCAL lock_timeout = {round(min(max(0.001, self._timeout_s), LONGEST_S) * 1000)}; "
            "SET LOCAL enable_bitmapscan = off; "
            f"SET LOCAL search_path = {_postgres_schema.quoted(self._schema or '')}, pg_temp"
        )

    def _admit(self, link: PostgresLink) -> None:
        """Look at a connection that is new to the store: may it be used, are its tables and its feed as expected?"""
        if not self._insecure:
            check_transport(link.options)
        [(version, encoding, schema, may_ask)] = link.rows(_postgres_schema.FACTS)
        _check_server(version, encoding, link.encoding)
        if self._schema is None:
            if schema is None:
                message = "the search path names no schema that is there; pass schema=, or make one"
                raise StoreError(message, code="store.schema")
            self._schema = schema
        link.begin(self._start(write=False, isolation="READ COMMITTED"))
        state, place = self._state(link, may_ask=may_ask)
        link.roll_back()
        if int(state.get("schema", 0)) != _postgres_schema.SCHEMA or not _postgres_schema.same_place(state, place):
            link.begin(self._start(write=True, isolation="READ COMMITTED"))
            self._prepare(link, may_ask=may_ask)
            link.commit()
        link.known = True

    def _prepare(self, link: PostgresLink, *, may_ask: bool) -> None:
        """Make the tables, or make the feed go on in another cluster; others that do the same wait and find it done."""
        link.rows(_postgres_schema.LOCK, (self._schema,))
        state, place = self._state(link, may_ask=may_ask)
        schema = int(state.get("schema", 0))
        if schema > _postgres_schema.SCHEMA:
            message = (
                f"the tables have schema {schema}, this custinfo knows up to {_postgres_schema.SCHEMA}; "
                "install the custinfo that made them, or a newer one"
            )
            raise SchemaVersionError(message, found=schema, known=_postgres_schema.SCHEMA)
        if schema == 0 and not link.rows(_postgres_schema.HAS_NAMESPACE, (self._schema,)):
            link.change(_postgres_schema.MAKE_NAMESPACE.format(_postgres_schema.quoted(str(self._schema))))
        for number, statements in enumerate(_postgres_schema.MIGRATIONS[schema:], schema + 1):
            for statement in statements:
                link.change(statement)
            link.rows(_postgres_schema.WRITE_META, ("schema", str(number)))
        if schema == 0 or not _postgres_schema.same_place(state, place):
            link.change(_postgres_schema.REBASE)
            link.rows(_postgres_schema.FORGET_META, ("trimmed",))
            link.rows(_postgres_schema.WRITE_META, ("incarnation", new_incarnation()))
            _, place = self._state(link, may_ask=may_ask)
            link.rows(_postgres_schema.WRITE_META, ("cluster", place))

    def _state(self, link: PostgresLink, *, may_ask: bool) -> tuple[dict[str, str], str]:
        """What ci_meta holds, and where the tables are now."""
        tables = link.rows(_postgres_schema.TABLES, (self._schema,))
        if not tables:
            return {}, ""
        cluster = link.rows(_postgres_schema.CLUSTER)[0][0] if may_ask else _postgres_schema.UNKNOWN
        return dict(link.rows(_postgres_schema.READ_META)), f"{cluster}/{tables[0][0]}"

    def _before_fork(self) -> None:
        self._pool.before_fork()

    def _after_fork(self, *, child: bool) -> None:
        self._pool.after_fork(child=child)
        if child:
            self._local = threading.local()


def _check_server(version: int, server_encoding: str, encoding: str) -> None:
    if version < _postgres_schema.OLDEST_POSTGRES:
        message = f"the server is PostgreSQL {version // 10000}, custinfo needs 13 or newer; upgrade the server"
        raise StoreError(message, code="store.postgres_version")
    if server_encoding != "UTF8" or encoding != "utf-8":
        message = (
            f"the database has the encoding {server_encoding}, the connection {encoding}; "
            "create the database with ENCODING 'UTF8', and give connections client_encoding=utf8"
        )
        raise StoreError(message, code="store.encoding")


def open_postgres(rest: str) -> PostgresStore:
    """The store of ``postgresql:`` + *rest*.

    Raises:
        StoreError: as `PostgresStore`.
    """
    return PostgresStore(f"postgresql:{rest}")

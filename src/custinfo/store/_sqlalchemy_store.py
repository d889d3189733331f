"""The store behind SQLAlchemy: in a database that the host has an engine for, or in the host's own transaction."""

from __future__ import annotations

import threading
from threading import get_ident

from custinfo.errors import StoreError
from custinfo.store import _lifecycle, _sqlalchemy, _sqlalchemy_feed, _sqlalchemy_schema
from custinfo.store._fork import watch_forks
from custinfo.store._postgres_schema import check_name
from custinfo.store._sqlalchemy import SqlLink
from custinfo.store._sqlalchemy_tables import tables_of
from custinfo.store._sqlalchemy_unit import SqlAlchemyUnit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from sqlalchemy import Connection, Engine
    from sqlalchemy.orm import Session, scoped_session

    from custinfo.store._sqlalchemy_schema import Traits

_MARKS = "\"'`\\%:?"  # a driver or SQLAlchemy itself reads more into them, even in a quoted name
TURN_S = 30.0  # how long a unit waits for others on an engine with one connection


class SqlAlchemyStore:
    """Records in SQLite, PostgreSQL, MySQL or MariaDB, by an engine or inside a transaction of SQLAlchemy.

    Given an engine, each unit is a transaction of its own, and the tables are made if they are not there. Given a
    connection or session, each unit joins the transaction that the host has open there: a clean exit keeps what the
    unit did for the host's commit, an exception undoes the unit alone, and the host's rollback undoes everything.
    `close` does nothing to what was given.

    Args:
        bind: an ``Engine``, ``Connection``, ``Session`` or ``scoped_session``.
        schema: the schema (PostgreSQL) or database (MySQL, MariaDB) that holds the tables; by default the one that
            the connection uses.

    Raises:
        StoreError: "store.bind", "store.dialect", "store.schema", "store.connection", "store.login",
            "store.database", "store.open", "store.pool" or "store.rights".
        SchemaVersionError: the tables were made by a newer custinfo.
        MissingExtraError: SQLAlchemy is not installed.

    >>> import sqlalchemy
    >>> from custinfo.store import Record
    >>> engine = sqlalchemy.create_engine("sqlite://")
    >>> SqlAlchemyStore(engine).close()  # makes the tables
    >>> with engine.connect() as connection:
    ...     store = SqlAlchemyStore(connection)
    ...     with store.unit() as unit:
    ...         version = unit.put(Record("customer", "c1", 0, b"data"), [], 0)
    ...     connection.rollback()
    ...     with store.unit(write=False) as unit:
    ...         unit.get("customer", ["c1"])
    []
    >>> engine.dispose()
    """

    def __init__(
        self, bind: Engine | Connection | Session | scoped_session[Session], *, schema: str | None = None
    ) -> None:
        if schema is not None:
            check_name(schema, without=_MARKS)
        self._kind = _sqlalchemy.kind_of(bind)
        self._bind: Any = bind
        self._schema = schema
        self._closed = self._forked = self._disposes = False
        self._traits: Traits | None = None
        self._local = threading.local()
        self._maker = get_ident()
        # One connection for all threads: their units take turns.
        shared = self._kind == "engine" and _sqlalchemy.shares_connections(bind)
        self._turn = threading.Lock() if shared else None
        self._links: set[SqlLink] = set()
        if self._kind == "engine":
            self._prepare()
        watch_forks(self)

    def unit(self, *, write: bool = True) -> _lifecycle.Turn[SqlAlchemyUnit]:
        """A unit of work, as `RecordStore.unit` says; in a joined transaction its isolation is that of the host.

        Raises:
            StoreError: "store.closed", "store.nested", "store.forked", "store.pool", "store.joined", "store.tables" or
                "store.connection".
        """
        if self._closed:
            raise _lifecycle.closed()
        return _lifecycle.Turn(self, write=write)

    def close(self) -> None:
        """Use the store no more; the engine, connection or session that was given stays as it is."""
        self._closed = True
        if self._disposes:
            self._bind.dispose()

    def _begin(self, *, write: bool) -> SqlAlchemyUnit:
        if self._closed:
            raise _lifecycle.closed()
        if self._forked:
            message = "the connection was made before this process forked; make connection and store after the fork"
            raise StoreError(message, code="store.forked")
        self._check_turn()
        if self._traits is None and self._kind == "engine":
            self._prepare()
        link = self._link()
        try:
            link.begin(write=write)
            if self._traits is None:
                self._traits = _sqlalchemy_schema.check(link)
            if write and self._traits.locks_first:
                _sqlalchemy_feed.lock(link)
            link.unit = unit = SqlAlchemyUnit(link, write=write)
        except BaseException:
            self._release(link)
            raise
        self._local.busy = True
        return unit

    def _end(self, unit: SqlAlchemyUnit, *, commit: bool) -> None:
        try:
            if commit:
                if unit.failed:
                    raise _lifecycle.failed()
                unit.flush()
                unit.link.commit()
        finally:
            unit.owner = _lifecycle.ENDED
            self._local.busy = False
            self._release(unit.link)

    def _check_turn(self) -> None:
        if getattr(self._local, "busy", False):
            raise _lifecycle.nested()
        if self._kind == "engine":
            if _sqlalchemy.per_thread_memory(self._bind) and get_ident() != self._maker:
                message = (
                    "this engine gives each thread an SQLite database in memory of its own; "
                    "use a file, or create_engine with poolclass=StaticPool and check_same_thread=False"
                )
                raise StoreError(message, code="store.pool")
        elif self._links:
            message = "another thread has a unit open on this connection or session; give each thread its own"
            raise StoreError(message, code="store.joined_thread")

    def _link(self) -> SqlLink:
        if self._turn is not None and not self._turn.acquire(timeout=TURN_S):
            raise _lifecycle.locked(TURN_S)
        try:
            return self._connected()
        except BaseException:
            self._pass_turn()
            raise

    def _connected(self) -> SqlLink:
        if self._kind == "engine":
            dialect = _sqlalchemy.dialect_of(self._bind.dialect.name)
            con = _sqlalchemy.connect(self._bind, dialect)
        else:
            con = self._bind if self._kind == "connection" else _sqlalchemy.connection_of(self._bind)
            dialect = _sqlalchemy.dialect_of(con.dialect.name)
        link = SqlLink(con, tables_of(dialect, self._schema), joined=self._kind != "engine")
        self._links.add(link)
        return link

    def _release(self, link: SqlLink) -> None:
        link.unit = None
        if not link.known:
            self._traits = None  # the tables were restored meanwhile: they are looked at again
        try:
            link.roll_back()
        finally:
            self._links.discard(link)
            try:
                link.leave()
            finally:
                self._pass_turn()

    def _pass_turn(self) -> None:
        if self._turn is not None:
            self._turn.release()

    def _prepare(self) -> None:
        link = self._link()
        link.isolation = "READ COMMITTED"  # what another process has made while this one waited is seen
        try:
            link.begin(write=True)
            _sqlalchemy_schema.prepare(link)
            self._traits = _sqlalchemy_schema.check(link)
            link.commit()
        finally:
            self._release(link)

    def _before_fork(self) -> None:
        """Nothing: engine and connection are the host's."""

    def _after_fork(self, *, child: bool) -> None:
        if not child:
            return
        links, self._links = self._links, set()
        for link in links:
            link.abandon()
        self._local = threading.local()
        self._maker = get_ident()
        if self._turn is not None:
            self._turn = threading.Lock()  # a thread of the parent may have had it
        if self._kind != "engine":
            self._forked = True
        elif not _sqlalchemy.in_memory(self._bind):
            _sqlalchemy.renew(self._bind)


def open_sqlalchemy(url: str) -> SqlAlchemyStore:
    """The store of an engine that the store makes and disposes of.

    Raises:
        StoreError: "store.url" or "store.driver"; else as `SqlAlchemyStore`.
    """
    engine = _sqlalchemy.make_engine(url)
    try:
        store = SqlAlchemyStore(engine)
    except BaseException:
        engine.dispose()
        raise
    store._disposes = True
    return store

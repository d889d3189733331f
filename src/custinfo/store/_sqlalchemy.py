"""Connections of SQLAlchemy; with the tables' module the only one that knows it, and lets none of its errors out."""

from __future__ import annotations

from contextlib import suppress

from custinfo.errors import StoreError, missing_extra
from custinfo.store import _lifecycle, _sqlalchemy_errors

try:
    import sqlalchemy as sa
    from sqlalchemy import exc as sa_exc
    from sqlalchemy import pool as sa_pool
except ModuleNotFoundError as exc:
    raise missing_extra("sqlalchemy", extra="sql", cause=exc) from None

from custinfo.store._sqlalchemy_tables import Tables, tables_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from custinfo.errors import CustInfoError
    from custinfo.store._sqlalchemy_unit import SqlAlchemyUnit

DIALECTS = {"sqlite": "sqlite", "postgresql": "postgresql", "mysql": "mysql", "mariadb": "mysql"}
ROWS_PER_FETCH = 10_000

_ABANDONED: list[object] = []
_EMITTING = "custinfo.emitting"


class SqlLink:
    """One connection inside a transaction; its errors are already custinfo's."""

    def __init__(self, con: sa.Connection, tables: Tables, *, joined: bool) -> None:
        self.unit: SqlAlchemyUnit | None = None
        self.tables = tables
        self.known = True
        self.joined = joined
        self.isolation = "REPEATABLE READ"
        self._con = con
        self._begun: sa.Transaction | None = None
        self._write = False

    def begin(self, *, write: bool) -> None:
        """Begin a transaction, or a savepoint in that of the host."""
        self._write = write
        try:
            if self.joined:
                self._join()
            else:
                self._begin_own()
        except sa_exc.SQLAlchemyError as exc:
            problem = self._translated(exc)
        else:
            return
        raise problem

    def begin_again(self) -> None:
        """Undo what the unit did and begin anew, so that a new state is seen."""
        self.roll_back()
        self.begin(write=self._write)

    def rows(self, statement: Any, values: Mapping[str, object] | Sequence[object] = ()) -> list[Any]:
        """All rows of a query; one given as text has its values in order, for each ``?`` or ``%s``."""
        given: Any = values or None
        if isinstance(statement, str):
            statement, given = self._of_text(statement, values)
        try:
            found: list[Any] = list(self._con.execute(statement, given).all())
        except sa_exc.SQLAlchemyError as exc:
            problem = self._translated(exc)
        else:
            return found
        raise problem

    def plain_rows(self, text: str, values: Sequence[object]) -> list[Any]:
        """All rows of a query given as text that names tables of the system and ours as values."""
        plain = SqlLink(self._con, tables_of(self.tables.dialect, None), joined=self.joined)
        return plain.rows(text, values)

    def one(self, statement: Any, values: Mapping[str, object] | Sequence[object] = ()) -> Any:
        """The first value of the first row, or None."""
        rows = self.rows(statement, values)
        return rows[0][0] if rows else None

    def chunks(self, statement: Any) -> Iterator[list[Any]]:
        """The rows of a query, some thousands at a time."""
        options = {"stream_results": True, "max_row_buffer": ROWS_PER_FETCH}
        try:
            with self._con.execute(statement, execution_options=options) as result:
                for rows in result.partitions(ROWS_PER_FETCH):
                    yield list(rows)
        except sa_exc.SQLAlchemyError as exc:
            problem = self._translated(exc)
        else:
            return
        raise problem

    def change(self, statement: Any, values: Mapping[str, object] | Sequence[Mapping[str, object]]) -> int:
        """How many rows a statement changed, with each of the values given.

        Raises:
            ConflictError: a constraint was broken.
        """
        try:
            if not isinstance(values, list) or self._con.dialect.supports_sane_multi_rowcount:
                return self._con.execute(statement, values).rowcount
            return sum(self._con.execute(statement, each).rowcount for each in values)
        except sa_exc.SQLAlchemyError as exc:
            problem = self._translated(exc)
        raise problem

    def insert(self, statement: Any, rows: Sequence[Mapping[str, object]]) -> None:
        """Store rows.

        Raises:
            ConflictError: one of them is there.
        """
        try:
            self._con.execute(statement, rows)
        except sa_exc.SQLAlchemyError as exc:
            problem = self._translated(exc)
        else:
            return
        raise problem

    def run(self, text: str) -> None:
        """Run a statement of the database's own that gives nothing back."""
        try:
            self._con.exec_driver_sql(text)
        except sa_exc.SQLAlchemyError as exc:
            problem = self._translated(exc)
        else:
            return
        raise problem

    def has_tables(self) -> bool:
        """Whether ci_meta is there."""
        try:
            return sa.inspect(self._con).has_table("ci_meta", schema=self.tables.schema)
        except sa_exc.SQLAlchemyError as exc:
            problem = self._translated(exc)
        raise problem

    def make_tables(self) -> None:
        """Make all tables as declared; for databases whose layout is SQLAlchemy's own."""
        try:
            self.tables.metadata.create_all(self._con)
        except sa_exc.SQLAlchemyError as exc:
            problem = self._translated(exc)
        else:
            return
        raise problem

    def commit(self) -> None:
        """Commit, or give what was done to the host's transaction."""
        try:
            if self._begun is not None:
                if not self._begun.is_active:
                    raise _sqlalchemy_errors.unusable()
                self._begun.commit()
        except sa_exc.SQLAlchemyError as exc:
            lost = isinstance(exc, sa_exc.DBAPIError) and exc.connection_invalidated and not self.joined
            problem = _sqlalchemy_errors.commit_unknown() if lost else self._translated(exc)
        else:
            self._begun = None
            return
        raise problem

    def roll_back(self) -> None:
        """Undo what is not committed; a host's transaction in which that fails cannot be committed any more."""
        begun, self._begun = self._begun, None
        try:
            if not self.joined:
                self._con.rollback()
            elif begun is not None and begun.is_active:
                begun.rollback()
        except sa_exc.SQLAlchemyError:
            with suppress(sa_exc.SQLAlchemyError):
                self._con.invalidate()

    def leave(self) -> None:
        """Give the connection back to the engine's pool."""
        if not self.joined:
            with suppress(sa_exc.SQLAlchemyError):
                self._con.close()

    def abandon(self) -> None:
        """Never touch the connection again in this process, nor let it be collected."""
        _ABANDONED.extend((self._con, self._begun))
        if self.unit is not None:
            self.unit.owner = _lifecycle.FORKED

    def note_emitted(self, first: int) -> None:
        """Remember the first event of the transaction, which its own feed must not show."""
        root = self._con.get_transaction()
        if self.emitted_from() is None:
            self._con.info[_EMITTING] = (root, first)

    def emitted_from(self) -> int | None:
        """The number of the first event of this transaction, None if it has none yet."""
        root, first = self._con.info.get(_EMITTING, (None, 0))
        return first if root is not None and root is self._con.get_transaction() else None

    def _of_text(self, text: str, values: Any) -> tuple[Any, dict[str, object]]:
        named: dict[str, object] = {}
        parts = self.tables.qualified(text).replace("%s", "?").replace("%%", "%").split("?")
        for number, value in enumerate(values):
            named[f"v{number}"] = value
            parts[number] += f":v{number} "
        types = {
            name: self.tables.short if isinstance(value, str) else sa.BigInteger() for name, value in named.items()
        }
        return sa.text("".join(parts)).bindparams(
            *(sa.bindparam(name, type_=kept) for name, kept in types.items())
        ), named

    def _begin_own(self) -> None:
        if self.tables.dialect == "postgresql":
            self._con = self._con.execution_options(isolation_level=self.isolation)
        shared = self.tables.dialect == "sqlite" and self._in_sqlite_transaction()
        if shared:
            raise _sqlalchemy_errors.pool_unclean()
        self._begun = self._con.begin()
        if self.tables.dialect == "mysql":
            self._begin_mysql()
        elif self.tables.dialect == "sqlite":
            # What the engine's own event has begun cannot tell readers from writers.
            if getattr(self._con.connection.driver_connection, "in_transaction", False):
                self.run("ROLLBACK")
            self.run("BEGIN IMMEDIATE" if self._write else "BEGIN")

    def _begin_mysql(self) -> None:  # pragma: no cover - the tests marked mysql run it
        # Whatever the engine's own level is, AUTOCOMMIT too.
        self.run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        self.run("START TRANSACTION")

    def _join(self) -> None:
        if not self._con.in_transaction():
            self._con.begin()
        if self._autocommits():
            message = "the connection is in AUTOCOMMIT, so there is no transaction to join; give one without it"
            raise StoreError(message, code="store.autocommit")
        # The driver begins by itself before the first change only, and a savepoint outside would commit when released.
        if self.tables.dialect == "sqlite" and not self._in_sqlite_transaction():
            self.run("BEGIN IMMEDIATE" if self._write else "BEGIN")
        self._begun = self._con.begin_nested()

    def _autocommits(self) -> bool:
        if self._con.get_execution_options().get("isolation_level") == "AUTOCOMMIT":
            return True
        if self.tables.dialect == "mysql":  # pragma: no cover - the tests marked mysql run it
            return bool(self.one("SELECT @@autocommit") == 1)
        # Set for the whole engine; on SQLite a BEGIN of ours begins one all the same.
        driver: Any = self._con.connection.driver_connection
        return self.tables.dialect == "postgresql" and getattr(driver, "autocommit", False) is True

    def _in_sqlite_transaction(self) -> bool:
        driver: Any = self._con.connection.driver_connection
        if getattr(driver, "autocommit", None) is False:  # pragma: no cover - from Python 3.12 on there is such a mode
            return self.joined  # it has always begun one
        return bool(driver.in_transaction)

    def _translated(self, exc: sa_exc.SQLAlchemyError) -> CustInfoError:
        return translated(exc, self.tables.dialect)


def translated(exc: sa_exc.SQLAlchemyError, dialect: str) -> CustInfoError:
    """The error of custinfo's for one of SQLAlchemy's, which carries the values of its statement."""
    if isinstance(exc, sa_exc.IntegrityError):
        return _sqlalchemy_errors.constraint_broken()
    if isinstance(exc, sa_exc.DBAPIError):
        return _sqlalchemy_errors.statement_failed(dialect, exc.orig, lost=exc.connection_invalidated)
    if isinstance(exc, sa_exc.TimeoutError):
        return _sqlalchemy_errors.pool_empty()
    return _sqlalchemy_errors.unusable()


def connect(engine: sa.Engine, dialect: str) -> sa.Connection:
    """A connection of the engine's pool.

    Raises:
        StoreError: "store.connection", "store.login", "store.database", "store.open" or "store.pool".
    """
    try:
        return engine.connect()
    except sa_exc.SQLAlchemyError as exc:
        problem = translated(exc, dialect)
    raise problem


def connection_of(session: Any) -> sa.Connection:
    """The connection of a session's transaction.

    Raises:
        StoreError: "store.joined" or as `connect`.
    """
    try:
        found: sa.Connection = session.connection()
    except sa_exc.SQLAlchemyError as exc:
        name = session.get_bind().dialect.name if isinstance(exc, sa_exc.DBAPIError) else ""
        problem = translated(exc, DIALECTS.get(name, ""))
    else:
        return found
    raise problem


def kind_of(bind: object) -> str:
    """What was given: "engine", "connection" or "session".

    Raises:
        StoreError: "store.bind" for anything else.
    """
    if isinstance(bind, sa.Engine):
        return "engine"
    if isinstance(bind, sa.Connection):
        return "connection"
    # Sessions and scoped sessions, without importing the ORM.
    is_session = all(hasattr(bind, name) for name in ("connection", "expunge_all", "get_bind"))
    if is_session and not type(bind).__module__.startswith("sqlalchemy.ext.asyncio"):
        return "session"
    message = (
        "give an Engine, a Connection or a Session of SQLAlchemy; of its asyncio classes give what "
        f"run_sync passes on, but not {type(bind).__name__}"
    )
    raise StoreError(message, code="store.bind")


def dialect_of(name: str) -> str:
    """The layout: "sqlite", "postgresql" or "mysql".

    Raises:
        StoreError: "store.dialect" for a database whose order and locks nobody has checked.
    """
    if name not in DIALECTS:
        message = f"there is no layout for {name!r}; there are SQLite, PostgreSQL, MySQL and MariaDB"
        raise StoreError(message, code="store.dialect")
    return DIALECTS[name]


def shares_connections(engine: Any) -> bool:
    """Whether the pool lends its one connection to all threads."""
    return isinstance(engine.pool, sa_pool.StaticPool)


def in_memory(engine: sa.Engine) -> bool:
    """Whether the database is in this process, and goes with its connection."""
    name = engine.url.database or ""
    return engine.dialect.name == "sqlite" and (name in ("", ":memory:") or "memory" in name + str(engine.url.query))


def per_thread_memory(engine: sa.Engine) -> bool:
    """Whether each thread has a database in memory of its own."""
    return in_memory(engine) and isinstance(engine.pool, sa_pool.SingletonThreadPool)


def make_engine(url: str) -> sa.Engine:
    """An engine for a URL, of which nothing is shown: it may hold a password.

    Raises:
        StoreError: "store.url" or "store.driver".
    """
    try:
        return sa.create_engine(url)
    except ModuleNotFoundError as exc:
        driver = exc.name
    except sa_exc.NoSuchModuleError:
        driver = None
    except (sa_exc.SQLAlchemyError, ValueError, TypeError):
        raise StoreError(
            "SQLAlchemy does not take this URL; write dialect+driver://user@host/database", code="store.url"
        ) from None
    message = "SQLAlchemy knows no such database and driver; check what stands before :// in the URL"
    if driver is not None:
        message = f"the driver {driver!r} of this URL is not installed; install it, or name another driver in the URL"
    raise StoreError(message, code="store.driver")


def renew(engine: sa.Engine) -> None:
    """Let a forked process use connections of its own; those of its parent are never touched."""
    _ABANDONED.append(engine.pool)
    engine.dispose(close=False)

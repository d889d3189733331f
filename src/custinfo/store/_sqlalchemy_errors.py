"""What the errors of databases behind SQLAlchemy mean; no text of a driver is passed on, for it can carry values."""

from __future__ import annotations

from custinfo.errors import ConflictError, CustInfoError, DuplicateKeyError, StoreError
from custinfo.store import _postgres_errors

_SQLITE = {
    "READONLY": ("store.read_only", "the SQLite file is read-only; give this user the right to write file and folder"),
    "PERM": ("store.read_only", "the SQLite file may not be used by this user; give it the right to read and write"),
    "FULL": ("store.full", "the SQLite file cannot grow: the disk or its page limit is full; make room and repeat"),
    "CORRUPT": ("store.corrupt", "the SQLite file is damaged; restore it from a backup"),
    "NOTADB": ("store.not_a_database", "the file is not an SQLite database; check the path in the engine's URL"),
    "CANTOPEN": ("store.open", "the SQLite file cannot be opened; check that its folder exists and may be written"),
    "IOERR": ("store.io", "the SQLite file cannot be read or written; check the disk"),
    "TOOBIG": ("store.too_big", "SQLite cannot hold a value of this size (its limit is 1 GB)"),
}

_RACES = {1020, 1213}
_LOST = {2006, 2013, 2055, 1927, 1053}
_MYSQL = {
    1021: ("store.full", "the server's disk is full; make room and repeat"),
    1040: ("store.connection", "the server has no connection free; raise max_connections or use a smaller pool"),
    1044: ("store.database", "the user may not use this database; grant it the rights"),
    1045: ("store.login", "the server refused user or password; check both"),
    1049: ("store.database", "the server has no such database; create it, or check the engine's URL"),
    1114: ("store.full", "the table is full; make room on the server and repeat"),
    1142: ("store.rights", "the user may not do this; grant it the rights on the ci_... tables"),
    1146: ("store.tables", "the tables of custinfo are gone; restore them from a backup"),
    1153: ("store.too_big", "the record is larger than the server's max_allowed_packet; raise it, or store less"),
    1290: ("store.read_only", "the server only reads; connect to the primary"),
    1698: ("store.login", "the server refused the login; check the user and its way of login"),
    1792: ("store.read_only", "the transaction only reads; join one that may write"),
    1836: ("store.read_only", "the server only reads; connect to the primary"),
    2002: ("store.connection", "the server cannot be reached; check its address and that it runs"),
    2003: ("store.connection", "the server cannot be reached; check host and port, and that it runs"),
    2005: ("store.connection", "the server's name is not known; check the host in the engine's URL"),
}


def statement_failed(dialect: str, error: object, *, lost: bool) -> CustInfoError:
    """The error for one of a driver.

    Args:
        dialect: "sqlite", "postgresql" or "mysql".
        error: what the driver raised.
        lost: whether SQLAlchemy found the connection broken.
    """
    if dialect == "sqlite":
        return _of_sqlite(error)
    return _of_mysql(error, lost=lost) if dialect == "mysql" else _of_postgres(error, lost=lost)


_RACE = "another unit changed the same at the same time; read it again and repeat the change in a new unit"


def race() -> ConflictError:
    """The error for a unit that met another one."""
    return ConflictError(_RACE)


def constraint_broken() -> ConflictError:
    """The error for a row that is there already, or a unique key."""
    return ConflictError(_RACE, constraint="unique")


def is_taken(error: ConflictError) -> bool:
    """Whether it is one of `constraint_broken`."""
    return "constraint" in error.details


def taken() -> DuplicateKeyError:
    """The error for a unique key that another unit took meanwhile."""
    return DuplicateKeyError("another record of the kind already holds one of the unique keys; change one of them")


def locked() -> StoreError:
    """The error for a unit that could not get its turn; how long it waits is set up with the engine."""
    message = (
        "another user of the database holds what the unit needs for longer than the connection waits; "
        "keep units short, or let the engine's connections wait longer"
    )
    return StoreError(message, code="store.locked")


def pool_empty() -> StoreError:
    """The error for an engine whose pool gives no connection."""
    message = "the engine's pool has no connection free within its pool_timeout; enlarge it, or keep units short"
    return StoreError(message, code="store.pool")


def pool_unclean() -> StoreError:
    """The error for a pool that lends a connection which is in use."""
    message = (
        "the engine's pool gave a connection that is inside a transaction; "
        "give an engine whose pool lends each connection once (not StaticPool), or join the transaction"
    )
    return StoreError(message, code="store.pool")


def unusable() -> StoreError:
    """The error for a connection or session that SQLAlchemy itself refuses to use."""
    message = (
        "the connection or session given is closed, or its transaction has failed or ended inside the unit; "
        "roll it back, and join again with one that is open"
    )
    return StoreError(message, code="store.joined")


def commit_unknown() -> StoreError:
    """The error for a connection that broke while the unit was being committed."""
    return _postgres_errors.commit_unknown()


def _of_sqlite(error: object) -> CustInfoError:
    name = getattr(error, "sqlite_errorname", "")
    kind = name.removeprefix("SQLITE_").partition("_")[0]
    if kind in ("BUSY", "LOCKED"):
        return locked()
    name = name or type(error).__name__
    code, text = _SQLITE.get(kind, ("store.sqlite", f"SQLite failed with {name}"))
    return StoreError(text, code=code, sqlite=name)


def _of_postgres(error: object, *, lost: bool) -> CustInfoError:
    state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
    if lost:
        return _postgres_errors.connection_lost()
    if state is None:
        return _postgres_errors.connection_refused(str(error))
    if state == "55P03":
        return locked()
    if state == "42P01":
        return StoreError(_MYSQL[1146][1], code="store.tables")
    return _postgres_errors.statement_failed(state, None, 0.0)


def _of_mysql(error: object, *, lost: bool) -> CustInfoError:
    number = (getattr(error, "args", None) or (0,))[0]
    if lost or number in _LOST:
        return _postgres_errors.connection_lost()
    if number in _RACES:
        return race()
    if number == 1205:
        return locked()
    shown = number if isinstance(number, int) else type(error).__name__
    code, text = _MYSQL.get(number, ("store.mysql", f"the server refused a statement with error {shown}"))
    return StoreError(text, code=code, mysql=shown)

"""The tables behind SQLAlchemy: made as the store of that database makes them, and checked before each use."""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

from custinfo.errors import SchemaVersionError, StoreError
from custinfo.store import _postgres_schema, _sqlite_schema
from custinfo.store._cursor import new_incarnation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from custinfo.store._sqlalchemy import SqlLink

MYSQL_SCHEMA = 1
"""The schema that this library writes to MySQL and MariaDB."""

LOCK_S = 30

_SCHEMAS = {"sqlite": _sqlite_schema.SCHEMA, "postgresql": _postgres_schema.SCHEMA, "mysql": MYSQL_SCHEMA}
_STORES = {"sqlite": "SqliteStore", "postgresql": "PostgresStore", "mysql": "the release notes"}


class Traits(NamedTuple):
    """What a database is like.

    Args:
        locks_first: a unit that has read cannot lock what was changed since, so a writer gets its turn at once.
    """

    locks_first: bool


def prepare(link: SqlLink) -> None:
    """Make the tables if they are not there, in a transaction of their own."""
    if link.tables.dialect == "postgresql":
        _prepare_postgres(link)
    elif link.tables.dialect == "mysql":  # pragma: no cover - the tests marked mysql run it
        _prepare_mysql(link)
    else:
        _prepare_sqlite(link)


def check(link: SqlLink) -> Traits:
    """Refuse tables that are not there, or of another schema.

    Raises:
        StoreError: "store.tables" or "store.schema_old".
        SchemaVersionError: they were made by a newer custinfo.
    """
    if not link.has_tables():
        message = (
            "the tables of custinfo are not there, and a joined transaction makes none; "
            "open SqlAlchemyStore(engine) once when the application is set up"
        )
        raise StoreError(message, code="store.tables")
    _check_schema(link.tables.dialect, _meta(link))
    locks_first = False
    if link.tables.dialect == "mysql":  # pragma: no cover - the tests marked mysql run it
        rows = link.rows("SHOW VARIABLES LIKE 'innodb_snapshot_isolation'")
        locks_first = bool(rows) and rows[0][1] == "ON"
    return Traits(locks_first)


def write_meta(link: SqlLink, name: str, value: str) -> None:
    """Keep a value in ci_meta; only one writer at a time may do this for a name."""
    if not link.change(link.tables.update_meta, {"old_name": name, "new_value": value}):
        link.insert(link.tables.insert_meta, [{"name": name, "value": value}])


def read_meta(link: SqlLink) -> dict[str, str]:
    """What ci_meta holds."""
    return {row[0]: row[1] for row in link.rows(link.tables.read_meta)}


def _meta(link: SqlLink) -> dict[str, str]:
    return read_meta(link) if link.has_tables() else {}


def _check_schema(dialect: str, meta: dict[str, str]) -> None:
    found, known = int(meta.get("schema", 0)), _SCHEMAS[dialect]
    if found > known:
        message = (
            f"the tables have schema {found}, this custinfo knows up to {known}; "
            "install the custinfo that made them, or a newer one"
        )
        raise SchemaVersionError(message, found=found, known=known)
    if found < known:
        message = (
            f"the tables have schema {found}, this custinfo writes {known}; "
            f"open them once with {_STORES[dialect]}, which brings them up to date"
        )
        raise StoreError(message, code="store.schema_old", found=found, known=known)


def _prepare_sqlite(link: SqlLink) -> None:
    if link.tables.schema is not None:
        message = "SQLite has no schemas; attach nothing and leave schema out"
        raise StoreError(message, code="store.schema")
    if not _meta(link):
        # As SqliteStore does: readers then wait for nobody. One that is open elsewhere keeps the mode as it is.
        link.run("ROLLBACK")
        with suppress(StoreError):
            link.run("PRAGMA journal_mode = WAL")
        link.run("BEGIN IMMEDIATE")
        if not _meta(link):
            for statements in _sqlite_schema.MIGRATIONS:
                for statement in statements:
                    link.run(statement)
            write_meta(link, "schema", str(_sqlite_schema.SCHEMA))
            write_meta(link, "incarnation", new_incarnation())
            return
    _check_schema("sqlite", _meta(link))


def _prepare_mysql(link: SqlLink) -> None:  # pragma: no cover - the tests marked mysql run it
    if "schema" in _meta(link):
        _check_schema("mysql", _meta(link))
        return
    # Each statement that makes a table commits by itself, so the others wait for a lock outside of transactions.
    name = f"custinfo.{link.one('SELECT DATABASE()')}"
    if link.one("SELECT GET_LOCK(?, ?)", (name, LOCK_S)) != 1:
        message = "another process has been making the tables for half a minute; look at it, and try again"
        raise StoreError(message, code="store.locked")
    try:
        link.begin_again()
        link.make_tables()
        meta = read_meta(link)
        if "schema" not in meta:
            for key, value in (("incarnation", new_incarnation()), ("events", "0"), ("schema", str(MYSQL_SCHEMA))):
                link.insert(link.tables.insert_meta, [{"name": key, "value": value}])
        link.commit()
    finally:
        link.one("SELECT RELEASE_LOCK(?)", (name,))
    link.begin_again()


def _prepare_postgres(link: SqlLink) -> None:
    [(version, encoding, schema, may_ask)] = link.rows(_postgres_schema.FACTS)
    if version < _postgres_schema.OLDEST_POSTGRES:
        message = f"the server is PostgreSQL {version // 10000}, custinfo needs 13 or newer; upgrade the server"
        raise StoreError(message, code="store.postgres_version")
    if encoding != "UTF8":
        message = f"the database has the encoding {encoding}; create it with ENCODING 'UTF8'"
        raise StoreError(message, code="store.encoding")
    schema = link.tables.schema or schema
    if schema is None:
        message = "the search path names no schema that is there; pass schema=, or make one"
        raise StoreError(message, code="store.schema")
    if _in_place(link, schema, may_ask=may_ask):
        _check_schema("postgresql", read_meta(link))
        return
    # Others that do the same wait here, and then see what this one has made: at READ COMMITTED each statement does.
    link.rows(_postgres_schema.LOCK, (schema,))
    if _in_place(link, schema, may_ask=may_ask):
        return
    meta = _meta(link)
    if not meta:
        name = _postgres_schema.quoted(schema)
        if not link.rows(_postgres_schema.HAS_NAMESPACE, (schema,)):
            link.run(_postgres_schema.MAKE_NAMESPACE.format(name))
        link.run(f"SET LOCAL search_path = {name}, pg_temp")
        for statements in _postgres_schema.MIGRATIONS:
            for statement in statements:
                link.run(statement)
        write_meta(link, "schema", str(_postgres_schema.SCHEMA))
    else:
        _check_schema("postgresql", meta)
    # The feed begins anew where the tables are in another cluster than before.
    link.run(link.tables.qualified(_postgres_schema.REBASE))
    link.rows(_postgres_schema.FORGET_META, ("trimmed",))
    write_meta(link, "incarnation", new_incarnation())
    write_meta(link, "cluster", _place(link, schema, may_ask=may_ask))


def _in_place(link: SqlLink, schema: str, *, may_ask: bool) -> bool:
    place = _place(link, schema, may_ask=may_ask)
    return place != "" and _postgres_schema.same_place(read_meta(link), place)


def _place(link: SqlLink, schema: str, *, may_ask: bool) -> str:
    # The text names pg_class and the table as a value, so it is not one to qualify.
    tables = link.plain_rows(_postgres_schema.TABLES, (schema,))
    if not tables:
        return ""
    cluster = link.one(_postgres_schema.CLUSTER) if may_ask else _postgres_schema.UNKNOWN
    return f"{cluster}/{tables[0][0]}"

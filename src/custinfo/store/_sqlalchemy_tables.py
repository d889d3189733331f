"""The tables of the SQL stores for SQLAlchemy, and the statements that all databases share."""

from __future__ import annotations

import functools
import re
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.types import TypeDecorator

from custinfo.store._typed_columns import TYPED_KINDS, typed_columns


class _Utf8(TypeDecorator[str]):
    """Text as its UTF-8 bytes: MySQL and MariaDB then compare exactly, in code-point order, without padding."""

    impl: Any = sa.LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: object) -> bytes | None:
        return None if value is None else value.encode()

    def process_result_value(self, value: Any, dialect: object) -> str | None:
        return None if value is None else bytes(value).decode()


class _Short(_Utf8):
    impl = sa.VARBINARY
    cache_ok = True


class _Long(_Utf8):
    impl = mysql.LONGBLOB
    cache_ok = True


class Tables:
    """The tables as a database holds them, and their statements."""

    def __init__(self, dialect: str, schema: str | None) -> None:
        self.dialect = dialect
        self.schema = schema
        self.metadata = sa.MetaData(schema=schema)
        self.meta = self._table("meta", self._text("name", 64, key=True), self._text("value", 255))
        self.record = self._table(
            "record",
            self._text("kind", 64, key=True),
            self._text("id", 1024, key=True),
            sa.Column("version", sa.BigInteger, nullable=False),
            self._blob("data"),
        )
        self.key = self._table(
            "key",
            self._text("kind", 64, key=True),
            self._text("name", 64, key=True),
            self._text("value", 1024, key=True),
            self._text("id", 1024, key=True),
            sa.Column("uniq", sa.SmallInteger, nullable=False),
        )
        self.outbox = self._table(
            "outbox",
            sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=dialect != "mysql"),
            self._text("type", 255),
            self._text("subject", 1024),
            self._blob("data"),
        )
        self.gap = self._table("column_gap", self._text("kind", 64, key=True), self._text("id", 1024, key=True))
        self.typed = {
            kind: self._table(
                kind,
                *(
                    self._text("id", 1024, key=True)
                    if column.name == "id"
                    else sa.Column(
                        column.name, sa.BigInteger if column.is_number else self.long, nullable=not column.required
                    )
                    for column in typed_columns(kind)
                ),
            )
            for kind in TYPED_KINDS
        }
        if dialect == "mysql":
            # There are no partial indexes: keys that are not unique are NULL in the index, and NULLs never meet.
            only = sa.Column("held", sa.SmallInteger, sa.Computed("nullif(uniq, 0)"))
            self.key.append_column(only)
            sa.Index("ci_key_uniq", self.key.c.kind, self.key.c.name, self.key.c.value, only, unique=True)
            sa.Index("ci_key_id", self.key.c.kind, self.key.c.id)
        self._make_reads()
        self._make_writes()

    def qualified(self, text: str) -> str:
        """A statement of ours with the schema before each table."""
        if self.schema is None:
            return text
        return re.sub(r"\bci_(?=\w)", lambda found: f"{self.prefix}{found[0]}", text)

    @property
    def prefix(self) -> str:
        """What stands before each table in a statement written as text."""
        mark = "`" if self.dialect == "mysql" else '"'
        return "" if self.schema is None else f"{mark}{self.schema.replace(mark, 2 * mark)}{mark}."

    @property
    def short(self) -> Any:
        """The type of ids, names and values."""
        return _Short(1024) if self.dialect == "mysql" else sa.Text()

    @property
    def long(self) -> Any:
        """The type of other text."""
        return _Long() if self.dialect == "mysql" else sa.Text()

    def _table(self, name: str, *columns: sa.Column[Any]) -> Any:
        kept: Any = {"engine": "InnoDB", "row_format": "DYNAMIC"}
        options = {f"{server}_{option}": value for server in ("mysql", "mariadb") for option, value in kept.items()}
        return sa.Table(f"ci_{name}", self.metadata, *columns, **options)

    def _text(self, name: str, size: int, *, key: bool = False) -> sa.Column[Any]:
        kept: Any = _Short(size) if self.dialect == "mysql" else sa.Text()
        return sa.Column(name, kept, primary_key=key, nullable=False)

    def _blob(self, name: str) -> sa.Column[Any]:
        kept: Any = mysql.LONGBLOB() if self.dialect == "mysql" else sa.LargeBinary()
        return sa.Column(name, kept, nullable=False)

    def _make_reads(self) -> None:
        record, key, bind = self.record.c, self.key.c, sa.bindparam
        limit = bind("limit", type_=sa.BigInteger())
        kind, id = record.kind == bind("kind"), record.id == bind("id")
        rows = sa.select(record.id, record.version, record.data).where(kind)
        self.get = rows.where(id)
        self.get_many = rows.where(record.id.in_(bind("ids", expanding=True)))
        self.page = rows.where(record.id > bind("after")).order_by(record.id).limit(limit)
        self.kinds = sa.select(record.kind).distinct().order_by(record.kind)
        # A snapshot of MySQL hides what refused the change; a locking read shows it.
        version = sa.select(record.version).where(kind, id)
        self.version = version.with_for_update(read=True) if self.dialect == "mysql" else version
        held = sa.and_(key.kind == bind("kind"), key.name == bind("name"), key.value == bind("value"))
        self.lookup = sa.select(key.id).where(held).order_by(key.id)
        self.holder = sa.select(key.id).where(held, key.uniq == 1, key.id != bind("id")).limit(1)
        of_record = sa.and_(key.kind == bind("kind"), key.id == bind("id"))
        self.keys = sa.select(key.name, key.value, key.uniq).where(of_record).order_by(key.name, key.value)
        between = sa.select(key.id, key.name, key.value, key.uniq)
        between = between.where(key.kind == bind("kind"), key.id > bind("after"), key.id <= bind("last"))
        self.keys_between = between.order_by(key.id, key.name, key.value)
        self.read_meta = sa.select(self.meta.c.name, self.meta.c.value)
        self.has_gap = sa.select(self.gap.c.id).where(self.gap.c.kind == bind("kind")).limit(1)
        box = self.outbox.c
        events = sa.select(box.seq, box.type, box.subject, box.data)
        events = events.where(box.seq > bind("after"), box.seq < bind("end"))
        self.events = events.order_by(box.seq).limit(limit)
        self.lock_events = sa.select(self.meta.c.value).where(self.meta.c.name == "events").with_for_update()

    def _make_writes(self) -> None:
        record, key, bind = self.record, self.key, sa.bindparam
        values: Any = {"kind": bind("kind"), "id": bind("id"), "version": bind("version"), "data": bind("data")}
        self.insert = sa.insert(record).values(values)
        self.insert_one: Any = self.insert
        if self.dialect == "postgresql":
            self.insert_one = postgresql.insert(record).values(values).on_conflict_do_nothing()
        elif self.dialect == "sqlite":
            self.insert_one = sqlite.insert(record).values(values).on_conflict_do_nothing()
        self.insert_one = self.insert_one.execution_options(preserve_rowcount=True)
        this = sa.and_(
            record.c.kind == bind("old_kind"), record.c.id == bind("old_id"), record.c.version == bind("old_version")
        )
        self.update = sa.update(record).where(this).values(version=record.c.version + 1, data=bind("new_data"))
        self.delete = sa.delete(record).where(this)
        names = ("kind", "name", "value", "id", "uniq")
        self.insert_key = sa.insert(key).values({name: bind(name) for name in names})
        self.delete_keys = sa.delete(key).where(key.c.kind == bind("old_kind"), key.c.id == bind("old_id"))
        events: Any = {name: bind(name) for name in ("type", "subject", "data")}
        self.emit = sa.insert(self.outbox).values(events)
        if self.dialect == "mysql":
            self.emit = self.emit.values(seq=bind("seq"))
        self.trim = sa.delete(self.outbox).where(self.outbox.c.seq <= bind("last"))
        meta = self.meta
        self.update_meta = sa.update(meta).where(meta.c.name == bind("old_name")).values(value=bind("new_value"))
        self.insert_meta = sa.insert(meta).values(name=bind("name"), value=bind("value"))
        self.delete_gap = sa.delete(self.gap).where(
            self.gap.c.kind == bind("old_kind"), self.gap.c.id == bind("old_id")
        )
        self.insert_gap = sa.insert(self.gap).values(kind=bind("kind"), id=bind("id"))
        self.insert_typed = {
            kind: sa.insert(table).values({column.name: bind(column.name) for column in table.columns})
            for kind, table in self.typed.items()
        }
        self.delete_typed = {
            kind: sa.delete(table).where(table.c.id == bind("old_id")) for kind, table in self.typed.items()
        }

    def columns_of(self, kind: str, names: list[str]) -> Any:
        """The statement for typed columns."""
        table = self.typed[kind]
        return sa.select(*(table.c[name] for name in names)).order_by(table.c.id)


@functools.lru_cache(maxsize=64)
def tables_of(dialect: str, schema: str | None) -> Tables:
    """The tables of a database.

    Args:
        dialect: "sqlite", "postgresql" or "mysql" (also for MariaDB).
        schema: that holds them; None for the connection's own.
    """
    return Tables(dialect, schema)

"""The tables of the SQLite store, as numbered migrations; docs/store-format.md explains them."""

from __future__ import annotations

_META = "CREATE TABLE ci_meta(name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID"

_RECORD = """CREATE TABLE ci_record(
  kind TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, data BLOB NOT NULL,
  PRIMARY KEY(kind, id)) STRICT, WITHOUT ROWID"""

# The columns of the primary key come first: where they do not, SQLite 3.40 reports NULLs in its integrity check.
_KEY = """CREATE TABLE ci_key(
  kind TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, id TEXT NOT NULL, uniq INTEGER NOT NULL,
  PRIMARY KEY(kind, name, value, id)) STRICT, WITHOUT ROWID"""

_KEY_UNIQUE = "CREATE UNIQUE INDEX ci_key_uniq ON ci_key(kind, name, value) WHERE uniq = 1"

_KEY_BY_ID = "CREATE INDEX ci_key_id ON ci_key(kind, id)"

_OUTBOX = """CREATE TABLE ci_outbox(
  seq INTEGER PRIMARY KEY AUTOINCREMENT, type TEXT NOT NULL, subject TEXT NOT NULL, data BLOB NOT NULL) STRICT"""

_TRANSACTION = """CREATE TABLE ci_transaction(
  id TEXT NOT NULL PRIMARY KEY, account_id TEXT, kind TEXT, status TEXT, amount_minor INTEGER NOT NULL,
  amount_currency TEXT, occurred_at INTEGER, channel TEXT, method TEXT, merchant TEXT, related_id TEXT,
  payment_method_id TEXT, reason TEXT, due_on TEXT,
  created_at INTEGER, updated_at INTEGER) STRICT, WITHOUT ROWID"""

_COLUMN_GAP = """CREATE TABLE ci_column_gap(
  kind TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY(kind, id)) STRICT, WITHOUT ROWID"""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (_META, _RECORD, _KEY, _KEY_UNIQUE, _KEY_BY_ID, _OUTBOX),
    (_TRANSACTION, _COLUMN_GAP),
)
"""Migration n takes a file from schema n to schema n + 1; a released one is never changed."""

COLUMNS_SINCE = 2
"""The schema that brought the typed columns: records of older files are read for them."""

SCHEMA = len(MIGRATIONS)
"""The schema that this library writes."""

HAS_META = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'ci_meta'"
READ_META = "SELECT value FROM ci_meta WHERE name = ?"
WRITE_META = "INSERT INTO ci_meta(name, value) VALUES(?, ?) ON CONFLICT(name) DO UPDATE SET value = excluded.value"

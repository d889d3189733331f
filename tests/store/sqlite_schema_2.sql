CREATE TABLE ci_column_gap(
  kind TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY(kind, id)) STRICT, WITHOUT ROWID;
CREATE TABLE ci_key(
  kind TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, id TEXT NOT NULL, uniq INTEGER NOT NULL,
  PRIMARY KEY(kind, name, value, id)) STRICT, WITHOUT ROWID;
CREATE INDEX ci_key_id ON ci_key(kind, id);
CREATE UNIQUE INDEX ci_key_uniq ON ci_key(kind, name, value) WHERE uniq = 1;
CREATE TABLE ci_meta(name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE ci_outbox(
  seq INTEGER PRIMARY KEY AUTOINCREMENT, type TEXT NOT NULL, subject TEXT NOT NULL, data BLOB NOT NULL) STRICT;
CREATE TABLE ci_record(
  kind TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, data BLOB NOT NULL,
  PRIMARY KEY(kind, id)) STRICT, WITHOUT ROWID;
CREATE TABLE ci_transaction(
  id TEXT NOT NULL PRIMARY KEY, account_id TEXT, kind TEXT, status TEXT, amount_minor INTEGER NOT NULL,
  amount_currency TEXT, occurred_at INTEGER, channel TEXT, method TEXT, merchant TEXT, related_id TEXT,
  payment_method_id TEXT, reason TEXT, due_on TEXT,
  created_at INTEGER, updated_at INTEGER) STRICT, WITHOUT ROWID;

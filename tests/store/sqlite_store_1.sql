-- A store of schema 1, as `sqlite3 shop.db .dump` prints it.
BEGIN TRANSACTION;
CREATE TABLE ci_key(
  kind TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, id TEXT NOT NULL, uniq INTEGER NOT NULL,
  PRIMARY KEY(kind, name, value, id)) STRICT, WITHOUT ROWID;
INSERT INTO "ci_key" VALUES('thing','ext','x','a',1);
INSERT INTO "ci_key" VALUES('thing','tag','t','a',0);
CREATE TABLE ci_meta(name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO "ci_meta" VALUES('incarnation','00112233445566778899aabbccddeeff');
INSERT INTO "ci_meta" VALUES('schema','1');
CREATE TABLE ci_outbox(
  seq INTEGER PRIMARY KEY AUTOINCREMENT, type TEXT NOT NULL, subject TEXT NOT NULL, data BLOB NOT NULL) STRICT;
INSERT INTO "ci_outbox" VALUES(1,'thing.changed','a',X'7B7D');
CREATE TABLE ci_record(
  kind TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, data BLOB NOT NULL,
  PRIMARY KEY(kind, id)) STRICT, WITHOUT ROWID;
INSERT INTO "ci_record" VALUES('thing','a',2,X'00FF');
INSERT INTO "ci_record" VALUES('thing','张',1,X'');
CREATE UNIQUE INDEX ci_key_uniq ON ci_key(kind, name, value) WHERE uniq = 1;
CREATE INDEX ci_key_id ON ci_key(kind, id);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('ci_outbox',1);
COMMIT;

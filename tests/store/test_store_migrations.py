"""Migrations of an SQLite file: one transaction, once, and backwards never."""

from __future__ import annotations

import re
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from custinfo.crypto import LocalKeyProvider
from custinfo.errors import SchemaVersionError, StoreError
from custinfo.store import START, Key, SqliteStore, _sqlite_schema, backup, drill
from custinfo.store._sqlite import SqliteLink

HERE = Path(__file__).parent
RELEASED = sorted(int(re.sub(r"\D", "", file.name)) for file in HERE.glob("sqlite_store_*.sql"))
OLD = [schema for schema in RELEASED if schema < _sqlite_schema.SCHEMA]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "shop.db"


def golden(path, schema):
    """A file as the first release of *schema* left it."""
    with closing(sqlite3.connect(path)) as con:
        con.executescript((HERE / f"sqlite_store_{schema}.sql").read_text(encoding="utf-8"))
        con.execute("PRAGMA journal_mode = WAL").fetchall()
    return path


def dump(path):
    with closing(sqlite3.connect(path)) as con:
        assert con.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return list(con.iterdump())


def schema_of(path):
    with closing(sqlite3.connect(path)) as con:
        return int(con.execute("SELECT value FROM ci_meta WHERE name = 'schema'").fetchone()[0])


def state_of(path):
    with closing(SqliteStore(path)) as store, store.unit(write=False) as unit:
        records = [record for kind in unit.kinds() for record in unit.page(kind, "", 100)]
        return records, [unit.keys(record.kind, record.id) for record in records], unit.feed(START, 100)


def test_there_is_a_file_of_each_schema_up_to_the_present_one():
    assert list(range(1, _sqlite_schema.SCHEMA + 1)) == RELEASED


@pytest.mark.parametrize("schema", RELEASED)
def test_a_file_of_each_schema_opens_with_all_that_it_held(schema, path, tmp_path):
    before = dump(golden(path, schema))
    records, keys, events = state_of(path)
    assert next(record for record in records if record.kind == "thing")[1:] == ("a", 2, b"\x00\xff")
    assert [Key("ext", "x", unique=True), Key("tag", "t")] in keys
    assert len(events) == 1
    assert schema_of(path) == _sqlite_schema.SCHEMA
    kept = [line for line in before if line.startswith(('INSERT INTO "ci_record', 'INSERT INTO "ci_key'))]
    assert set(kept) <= set(dump(path))
    provider = LocalKeyProvider(bytes(32))
    with closing(SqliteStore(path)) as store:
        backup(store, tmp_path / "b", provider)
        assert drill(tmp_path / "b", provider, against=store).ok


@pytest.mark.parametrize("schema", RELEASED)
def test_a_file_that_is_opened_again_is_not_migrated_again(schema, path):
    state_of(golden(path, schema))
    before = dump(path)
    state_of(path)
    assert dump(path) == before


@pytest.mark.parametrize("schema", [0, *OLD])
@pytest.mark.parametrize("at", [0, 1, 2, -1])
def test_a_migration_that_fails_anywhere_leaves_the_old_state(schema, at, path, monkeypatch):
    if schema:
        golden(path, schema)
        before = dump(path)
    change = SqliteLink.change
    statements = []

    def count(self, sql, values=()):
        statements.append(sql)
        return change(self, sql, values)

    def fail(self, sql, values=()):
        statements.append(sql)
        if len(statements) == stop:
            raise StoreError("the disk is full", code="store.full")
        return change(self, sql, values)

    with monkeypatch.context() as patch:
        patch.setattr(SqliteLink, "change", count)
        trial = path.with_name("trial.db")
        if schema:
            golden(trial, schema)
        SqliteStore(trial).close()
    begun = statements.index("BEGIN IMMEDIATE")
    stop = len(statements) if at == -1 else begun + 2 + at
    assert begun + 1 < stop <= len(statements)
    statements.clear()
    with monkeypatch.context() as patch:
        patch.setattr(SqliteLink, "change", fail)
        with pytest.raises(StoreError) as caught:
            SqliteStore(path)
    assert caught.value.code == "store.full"
    assert dump(path) == (before if schema else ["BEGIN TRANSACTION;", "COMMIT;"])
    state_of(path)
    assert schema_of(path) == _sqlite_schema.SCHEMA


KILLED = """if True:
    import sys, time
    from custinfo.store import SqliteStore
    from custinfo.store._sqlite import SqliteLink
    change = SqliteLink.change
    def wait(self, sql, values=()):
        if sql == "COMMIT":
            print("middle", flush=True)
            time.sleep(60)
        return change(self, sql, values)
    SqliteLink.change = wait
    SqliteStore(sys.argv[1])
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no kill on this system")
@pytest.mark.parametrize("schema", OLD)
def test_a_migration_that_is_killed_before_its_end_leaves_the_old_state(schema, path):
    before = dump(golden(path, schema))
    with subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "middle\n"
        process.kill()
    assert dump(path) == before
    state_of(path)
    assert schema_of(path) == _sqlite_schema.SCHEMA


OPENED = """if True:
    import sys
    from custinfo.store import SqliteStore
    from custinfo.store._sqlite import SqliteLink
    change, made = SqliteLink.change, []
    def note(self, sql, values=()):
        made.append(sql.startswith("CREATE TABLE"))
        return change(self, sql, values)
    SqliteLink.change = note
    print("ready", flush=True)
    sys.stdin.readline()
    store = SqliteStore(sys.argv[1])
    print(any(made), store._incarnation)
"""


@pytest.mark.parametrize("schema", [0, *OLD])
def test_two_processes_that_open_a_file_at_once_migrate_it_once(schema, path):
    if schema:
        golden(path, schema)
    command = [sys.executable, "-c", OPENED, str(path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as one, subprocess.Popen(command, **pipes) as other:
        for process in (one, other):
            assert process.stdout.readline() == "ready\n"
        for process in (one, other):
            process.stdin.write("\n")
            process.stdin.flush()
        answers = [process.stdout.readline().split() for process in (one, other)]
    assert sorted(made for made, _ in answers) == ["False", "True"]
    assert len({incarnation for _, incarnation in answers}) == 1
    assert schema_of(path) == _sqlite_schema.SCHEMA
    state_of(path)


def test_a_newer_schema_is_refused_and_not_a_byte_is_changed(path):
    golden(path, RELEASED[-1])
    with closing(sqlite3.connect(path)) as con:
        con.execute("UPDATE ci_meta SET value = ? WHERE name = 'schema'", (str(_sqlite_schema.SCHEMA + 1),))
        con.commit()
    before = path.read_bytes()
    with pytest.raises(SchemaVersionError) as caught:
        SqliteStore(path)
    assert caught.value.details == {"found": _sqlite_schema.SCHEMA + 1, "known": _sqlite_schema.SCHEMA}
    assert path.read_bytes() == before

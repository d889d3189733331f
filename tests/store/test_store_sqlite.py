"""The SQLite store: its file, its errors, its secrets."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
from contextlib import closing
from pathlib import Path

import pytest

from custinfo.errors import SchemaVersionError, StoreError
from custinfo.store import (
    START,
    Key,
    MemoryStore,
    Record,
    SqliteStore,
    SupportsPurge,
    _sqlite,
    _sqlite_unit,
    open_store,
)

SECRET = b"Wilhelmina Overstreet, 12 Example Road"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "shop.db"


def thing(id, data=b""):
    return Record("thing", id, 0, data)


def put(store, *ids, data=b"", keys=()):
    with store.unit() as unit:
        for id in ids:
            unit.put(thing(id, data), keys, 0)


def ids_of(store):
    with store.unit(write=False) as unit:
        return [record.id for record in unit.page("thing", "", 10_000)]


def raw(path, sql, *values):
    with closing(sqlite3.connect(path)) as con:
        rows = con.execute(sql, values).fetchall()
        con.commit()
    return rows


def code_of(call):
    with pytest.raises(StoreError) as caught:
        call()
    assert "sqlite3" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return caught.value.code


def test_the_tables_are_those_of_the_golden_file(path):
    golden = Path(__file__).with_name("sqlite_schema_2.sql").read_text(encoding="utf-8")
    SqliteStore(path).close()
    rows = raw(path, "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name LIKE 'ci_%' ORDER BY name")
    assert "".join(f"{sql};\n" for (sql,) in rows) == golden


def golden_store(path, schema):
    golden = Path(__file__).with_name(f"sqlite_store_{schema}.sql").read_text(encoding="utf-8")
    with closing(sqlite3.connect(path)) as con:
        con.executescript(golden)
    assert raw(path, "PRAGMA integrity_check") == [("ok",)]
    return SqliteStore(path)


@pytest.mark.parametrize("schema", [1, 2])
def test_a_file_of_each_schema_opens_and_keeps_its_contents(path, schema):
    """The golden files were written by the first release of their schema."""
    with closing(golden_store(path, schema)) as store, store.unit() as unit:
        assert [record[1:] for record in unit.page("thing", "", 9)] == [("a", 2, b"\x00\xff"), ("\u5f20", 1, b"")]
        assert unit.keys("thing", "a") == [Key("ext", "x", unique=True), Key("tag", "t")]
        assert [event[1:] for event in unit.feed(START, 9)] == [("thing.changed", "a", b"{}")]
        assert unit.put(thing("b"), (), 0) == 1
        assert unit.columns("transaction", ["id", "amount.minor"])["amount.minor"].tolist() == [990]


def test_the_migration_gives_an_old_file_the_tables_and_rows_of_a_new_one(path, tmp_path):
    golden_store(path, 1).close()
    new = tmp_path / "new.db"
    golden_store(new, 2).close()
    for sql in (
        "SELECT name, sql FROM sqlite_master ORDER BY name",
        "SELECT * FROM ci_meta ORDER BY name",
        "SELECT * FROM ci_record",
        "SELECT * FROM ci_transaction",
        "SELECT * FROM ci_column_gap",
    ):
        assert raw(path, sql) == raw(new, sql)


def test_a_migration_that_fails_changes_nothing(path, monkeypatch):
    monkeypatch.setattr(_sqlite_unit, "store_rows", fails)
    with pytest.raises(RuntimeError):
        golden_store(path, 1)
    assert raw(path, "SELECT value FROM ci_meta WHERE name = 'schema'") == [("1",)]
    assert raw(path, "SELECT count(*) FROM sqlite_master WHERE name = 'ci_transaction'") == [(0,)]
    monkeypatch.undo()
    SqliteStore(path).close()
    assert raw(path, "SELECT value FROM ci_meta WHERE name = 'schema'") == [("2",)]


def fails(*_, **__):
    raise RuntimeError("the process was told to stop")


def test_a_new_file_is_for_its_owner_only(path):
    store = SqliteStore(path)
    put(store, "a")
    modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    assert modes == {"shop.db": 0o600, "shop.db-shm": 0o600, "shop.db-wal": 0o600}
    store.close()
    assert [file.name for file in path.parent.iterdir()] == ["shop.db"]


def test_the_file_is_named_by_text_or_path_and_stays_where_it_was(path, monkeypatch):
    monkeypatch.chdir(path.parent)
    store = SqliteStore("shop.db")
    assert store.path == path
    monkeypatch.chdir("/")
    put(store, "a")
    store.close()
    with closing(SqliteStore(path)) as again:
        assert ids_of(again) == ["a"]


@pytest.mark.parametrize("bad", ["", ":memory:", "a\0b"])
def test_a_path_that_names_no_file_is_refused(bad):
    assert code_of(lambda: SqliteStore(bad)) == "store.open"


def test_a_folder_that_is_missing_is_told(path):
    assert code_of(lambda: SqliteStore(path.parent / "missing" / "shop.db")) == "store.open"
    assert code_of(lambda: SqliteStore(path.parent)) == "store.open"


def test_a_file_that_vanished_is_told(path):
    store = SqliteStore(path)
    store.close()
    path.unlink()
    with closing(SqliteStore(path)) as again:
        assert ids_of(again) == []


def test_a_file_that_is_no_database_is_told_and_left_alone(path):
    path.write_bytes(b"name,email\n" * 500)
    assert code_of(lambda: SqliteStore(path)) == "store.not_a_database"
    assert path.read_bytes() == b"name,email\n" * 500


def test_a_damaged_file_is_told(path):
    store = SqliteStore(path)
    with store.unit() as unit:
        unit.put_many([(thing(f"{n:05}", bytes(600)), (), 0) for n in range(500)])
    store.close()
    content = bytearray(path.read_bytes())
    content[4096 * 2 :] = b"\xa5" * (len(content) - 4096 * 2)
    path.write_bytes(content)
    store = SqliteStore(path)
    assert code_of(lambda: ids_of(store)) == "store.corrupt"
    store.close()


def test_a_newer_schema_is_refused_and_left_alone(path):
    SqliteStore(path).close()
    raw(path, "UPDATE ci_meta SET value = '99' WHERE name = 'schema'")
    with pytest.raises(SchemaVersionError) as caught:
        SqliteStore(path)
    assert dict(caught.value.details) == {"found": 99, "known": 2}
    assert raw(path, "SELECT value FROM ci_meta WHERE name = 'schema'") == [("99",)]


def test_a_database_with_tables_of_its_own_keeps_them(path):
    raw(path, "CREATE TABLE invoice(id INTEGER)")
    with closing(SqliteStore(path)) as store:
        put(store, "a")
    assert raw(path, "SELECT count(*) FROM invoice") == [(0,)]
    with closing(SqliteStore(path)) as store:
        assert ids_of(store) == ["a"]


def test_another_writer_makes_a_unit_wait_and_then_say_so(path):
    store = SqliteStore(path, timeout_s=0.05)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert code_of(lambda: put(store, "a")) == "store.locked"
        assert ids_of(store) == []
        other.execute("ROLLBACK")
    put(store, "a")
    assert ids_of(store) == ["a"]
    store.close()


def test_a_file_that_others_hold_cannot_be_set_up(path):
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert code_of(lambda: SqliteStore(path, timeout_s=0.05)) == "store.locked"
    SqliteStore(path).close()


def test_a_full_disk_undoes_the_unit_and_leaves_the_store_intact(path):
    store = SqliteStore(path)
    put(store, "a")
    with store.unit() as unit:
        pages = unit._link.rows("PRAGMA page_count")[0][0]
        unit._link.rows(f"PRAGMA max_page_count = {pages + 2}")
    assert code_of(lambda: put(store, "b", "c", data=bytes(100_000))) == "store.full"
    assert ids_of(store) == ["a"]

    def go_on_after_the_error():
        with store.unit() as unit:
            assert code_of(lambda: unit.put(thing("b", bytes(100_000)), (), 0)) == "store.full"
            # SQLite has undone the transaction; what came now would be committed at once.
            assert code_of(lambda: unit.put(thing("c"), (), 0)) == "store.unit_failed"
            assert code_of(lambda: unit.get("thing", ["a"])) == "store.unit_failed"

    assert code_of(go_on_after_the_error) == "store.unit_failed"
    assert ids_of(store) == ["a"]
    put(store, "d")
    assert ids_of(store) == ["a", "d"]
    store.close()
    assert raw(path, "PRAGMA integrity_check") == [("ok",)]


@pytest.mark.skipif(not hasattr(os, "setuid") or os.geteuid() != 0, reason="changes the user, which only root may")
@pytest.mark.parametrize("part", ["file", "folder"])
def test_a_read_only_file_or_folder_is_told(part):
    # Not tmp_path, whose folders only their owner may enter.
    with tempfile.TemporaryDirectory() as folder:
        check_read_only(Path(folder) / "shop.db", part)


def check_read_only(path, part):
    with closing(SqliteStore(path)) as store:
        put(store, "a")
    path.chmod(0o444 if part == "file" else 0o666)
    path.parent.chmod(0o777 if part == "file" else 0o555)
    script = """if True:
        import os, sys
        from custinfo.errors import StoreError
        from custinfo.store import Record, SqliteStore
        os.setuid(65534)
        try:
            store = SqliteStore(sys.argv[1])
            with store.unit() as unit:
                unit.put(Record("thing", "b", 0, b""), (), 0)
        except StoreError as exc:
            print(exc.code)
    """
    done = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "store.read_only"
    path.chmod(0o600)
    path.parent.chmod(0o700)
    with closing(SqliteStore(path)) as store:
        assert ids_of(store) == ["a"]


def test_a_value_beyond_the_limit_of_sqlite_is_told(path):
    store = SqliteStore(path)
    with store.unit() as unit:
        unit._link._con.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 1000)
    assert code_of(lambda: put(store, "a", data=bytes(2000))) == "store.too_big"
    assert ids_of(store) == []
    store.close()


def test_an_error_without_a_name_of_ours_names_that_of_sqlite(path):
    store = SqliteStore(path)
    raw(path, "DROP TABLE ci_key")
    with pytest.raises(StoreError) as caught:
        put(store, "a", keys=[Key("name", "secret")])
    assert caught.value.code == "store.sqlite"
    assert "SQLITE_ERROR" in str(caught.value)
    assert "secret" not in str(caught.value)
    store.close()


def test_nothing_deleted_or_replaced_is_left_after_a_purge_or_compact(path):
    for clean in (SqliteStore.purge, SqliteStore.compact):
        store = SqliteStore(path)
        put(store, "a", "b", data=SECRET * 30, keys=[Key("name", SECRET.decode())])
        with store.unit() as unit:
            unit.put(thing("a", b"short"), (), 1)
            unit.delete("thing", "b", 1)
        assert any(SECRET in file.read_bytes() for file in path.parent.iterdir())
        clean(store)
        assert not any(SECRET in file.read_bytes() for file in path.parent.iterdir())
        assert ids_of(store) == ["a"]
        store.close()
        path.unlink()


def test_a_reader_in_the_way_of_a_purge_is_told(path):
    store = SqliteStore(path, timeout_s=0.05)
    assert isinstance(store, SupportsPurge)
    put(store, "a")
    reading, done = threading.Event(), threading.Event()

    def read():
        with store.unit(write=False) as unit:
            unit.get("thing", ["a"])
            reading.set()
            done.wait(5)

    thread = threading.Thread(target=read)
    thread.start()
    reading.wait(5)
    put(store, "b")
    assert store.purge() is False
    assert code_of(store.compact) == "store.locked"
    done.set()
    thread.join()
    assert store.purge() is True
    store.close()
    assert code_of(store.purge) == "store.closed"


def test_a_purge_inside_a_unit_is_refused(path):
    with closing(SqliteStore(path)) as store, store.unit():
        assert code_of(store.purge) == "store.nested"
        assert code_of(store.compact) == "store.nested"


@pytest.mark.parametrize(("synchronous", "number"), [("FULL", 2), ("NORMAL", 1)])
def test_synchronous_is_what_was_asked_for(path, synchronous, number):
    with closing(SqliteStore(path, synchronous=synchronous)) as store, store.unit() as unit:
        assert unit._link.rows("PRAGMA synchronous") == [(number,)]
        assert unit._link.rows("PRAGMA journal_mode") == [("wal",)]
        assert unit._link.rows("PRAGMA secure_delete") == [(1,)]


def test_synchronous_off_is_refused(path):
    assert code_of(lambda: SqliteStore(path, synchronous="OFF")) == "store.synchronous"
    assert not path.exists()


def test_a_thread_that_ends_closes_its_connection(path):
    store = SqliteStore(path)
    for number in range(5):
        thread = threading.Thread(target=put, args=(store, f"{number}"))
        thread.start()
        thread.join()
    assert ids_of(store) == ["0", "1", "2", "3", "4"]
    assert len(store._links) == 1
    store.close()


def test_a_close_closes_the_connections_of_all_threads(path):
    store = SqliteStore(path)
    stop = threading.Event()
    used = threading.Barrier(4)

    def work(id):
        put(store, id)
        used.wait(5)
        stop.wait(5)

    threads = [threading.Thread(target=work, args=(id,)) for id in "abc"]
    for thread in threads:
        thread.start()
    used.wait(5)
    store.close()
    assert not path.with_name("shop.db-wal").exists()
    stop.set()
    for thread in threads:
        thread.join()


def test_a_writer_in_the_queue_when_the_store_is_closed_gets_no_unit(path):
    store = SqliteStore(path)
    opened, waiting = threading.Event(), threading.Event()
    codes = []

    def late():
        opened.wait(5)
        waiting.set()
        codes.append(code_of(lambda: put(store, "late")))

    thread = threading.Thread(target=late)
    thread.start()
    with store.unit() as unit:
        unit.put(thing("a"), (), 0)
        opened.set()
        waiting.wait(5)
        store.close()
    thread.join()
    assert codes == ["store.closed"]
    with closing(SqliteStore(path)) as again:
        assert ids_of(again) == ["a"]


def test_a_roll_back_that_fails_closes_the_connection(path):
    store = SqliteStore(path)

    def break_it():
        with store.unit() as unit:
            unit.put(thing("a"), (), 0)
            link = unit._link
            broken, link._con = link._con, BrokenConnection(link._con)
            del broken
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_it()
    put(store, "b")
    assert ids_of(store) == ["b"]
    store.close()


class BrokenConnection:
    in_transaction = True

    def __init__(self, con):
        self.con = con

    def rollback(self):
        raise sqlite3.OperationalError("disk I/O error")

    def close(self):
        self.con.close()


def test_a_file_put_back_to_an_older_state_refuses_the_cursors_of_the_newer(path):
    store = SqliteStore(path)
    older = path.read_bytes() if store.purge() else b""
    with store.unit() as unit:
        unit.emit("thing.changed", "a", b"")
    with store.unit(write=False) as unit:
        [event] = unit.feed(START, 9)
    store.close()
    path.write_bytes(older)
    store = SqliteStore(path)
    with store.unit() as unit:
        assert code_of(lambda: unit.feed(event.cursor, 9)) == "store.cursor"
    store.close()


def test_a_store_that_was_not_closed_closes_its_connections_itself(path):
    store = SqliteStore(path)
    put(store, "a")
    del store
    assert not path.with_name("shop.db-wal").exists()


def test_plans_use_the_indexes(path):
    SqliteStore(path).close()
    for sql in (value for name, value in vars(_sqlite_unit).items() if name.isupper() and isinstance(value, str)):
        if sql.startswith("INSERT") or "{marks}" in sql:
            continue
        plan = " ".join(row[3] for row in raw(path, f"EXPLAIN QUERY PLAN {sql}", *([""] * sql.count("?"))))
        assert "SCAN" not in plan or sql in (_sqlite_unit.KINDS, _sqlite_unit.LAST), plan
        assert "TEMP B-TREE" not in plan or sql == _sqlite_unit.KEYS, plan


@pytest.mark.parametrize("form", ["sqlite:///{}", "{}", "SQLITE:///{}"])
def test_a_url_or_plain_path_opens_an_sqlite_file(path, form):
    with closing(open_store(form.format(path))) as store:
        assert isinstance(store, SqliteStore)
        assert store.path == path
    with closing(open_store(path)) as store:
        assert store.path == path


def test_a_url_of_memory_opens_a_store_in_memory():
    assert isinstance(open_store("memory:"), MemoryStore)


def test_a_path_with_a_colon_is_a_path(path, monkeypatch):
    monkeypatch.chdir(path.parent)
    for name in ("C:shop.db", "./a:b.db"):
        open_store(name).close()
        assert Path(name).exists()


@pytest.mark.parametrize(
    "bad", ["sqlite:shop.db", "sqlite:///", "sqlite://shop.db", "memory:x", "nosuchdb://user:hush@host/db", "my-db:x"]
)
def test_another_url_is_refused_without_showing_what_follows_the_scheme(bad, path, monkeypatch):
    monkeypatch.chdir(path.parent)
    if bad.startswith("my-db"):
        open_store(bad).close()
        return
    with pytest.raises(StoreError) as caught:
        open_store(bad)
    assert caught.value.code == "store.url"
    assert "hush" not in str(caught.value)
    if bad.startswith("nosuchdb"):
        assert "memory:, postgres:, postgresql:, " in str(caught.value)
        assert " sqlite:, " in str(caught.value)


def test_an_old_sqlite_library_is_refused(path, monkeypatch):
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 36, 0))
    assert code_of(lambda: SqliteStore(path)) == "store.sqlite_version"
    assert not path.exists()


def test_a_fork_while_a_unit_is_open_makes_the_store_of_the_child_useless(path):
    """What the child does, done here: nothing of the parent's connection is touched."""
    store = SqliteStore(path)

    def fork_inside():
        with store.unit() as unit:
            unit.put(thing("a"), (), 0)
            store._before_fork()
            store._after_fork(child=True)
            assert code_of(lambda: unit.get("thing", ["a"])) == "store.forked"
            assert code_of(store.unit) == "store.forked"

    assert code_of(fork_inside) == "store.forked"
    abandoned = _sqlite._ABANDONED.pop()
    assert abandoned.in_transaction
    abandoned.close()
    store.close()
    with closing(SqliteStore(path)) as again:
        assert ids_of(again) == []


def test_a_connection_collected_in_a_child_is_not_closed_there(path, monkeypatch):
    store = SqliteStore(path)
    put(store, "a")
    pid = os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: pid + 1)
    del store._local.link
    monkeypatch.undo()
    _sqlite._ABANDONED.pop().close()
    assert ids_of(store) == ["a"]
    store.close()


def test_a_connection_that_cannot_be_opened_is_told(path):
    store = SqliteStore(path)
    with store.unit():
        pass
    store._before_fork()
    store._after_fork(child=False)
    path.unlink()
    path.mkdir()
    assert code_of(lambda: put(store, "a")) == "store.open"
    store.close()
    path.rmdir()


def test_a_file_that_is_being_set_up_by_another_process_is_waited_for(path):
    """WAL mode cannot be switched on while another connection reads; SQLite itself does not wait then."""
    SqliteStore(path).close()
    for (table,) in raw(path, "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'ci_%'"):
        raw(path, f"DROP TABLE {table}")
    raw(path, "PRAGMA journal_mode = DELETE")
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        timer = threading.Timer(0.1, other.execute, ["ROLLBACK"])
        timer.start()
        store = SqliteStore(path)
        timer.join()
    put(store, "a")
    assert ids_of(store) == ["a"]
    store.close()


def test_two_threads_that_set_up_one_file_agree(path):
    stores = []
    start = threading.Barrier(4)

    def make():
        start.wait(5)
        stores.append(SqliteStore(path))

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(stores) == 4
    assert len({store._incarnation for store in stores}) == 1
    for store in stores:
        store.close()


def test_an_error_inside_a_read_ends_the_unit(path):
    store = SqliteStore(path)
    raw(path, "DROP TABLE ci_record")

    def read():
        with store.unit(write=False) as unit:
            assert code_of(lambda: unit.get("thing", ["a"])) == "store.sqlite"

    assert code_of(read) == "store.unit_failed"
    store.close()

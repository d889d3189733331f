"""What may be wrong with an SQLite file, its disk or what is stored: a clear error, and nothing done by half."""

from __future__ import annotations

import random
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress

import pytest

from custinfo.errors import CustInfoError, InvalidFieldError, SchemaVersionError, StoreError
from custinfo.store import START, Key, Record, SqliteStore

DAMAGED = {"store.corrupt", "store.not_a_database", "store.sqlite"}
RECORDS = 300


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A store of some 100 pages, closed."""
    path = tmp_path_factory.mktemp("whole") / "shop.db"
    with closing(SqliteStore(path)) as store, store.unit() as unit:
        for number in range(RECORDS):
            keys = [Key("tag", f"{number % 7}"), Key("ext", f"{number}", unique=True)]
            unit.put(Record("thing", f"{number:04}", 0, bytes(600)), keys, 0)
            unit.emit("thing.created", f"{number:04}", b"")
    return path


def use(path):
    """Read all of it, write a little; gives the ids."""
    with closing(SqliteStore(path, timeout_s=0.05)) as store, store.unit() as unit:
        ids = [record.id for record in unit.page("thing", "", 10**6)]
        for tag in range(7):
            unit.lookup("thing", "tag", f"{tag}")
        unit.feed(START, 10**6)
        unit.put(Record("thing", "new", 0, b""), [Key("tag", "0")], 0)
        unit.emit("thing.created", "new", b"")
        return ids


def error_of_use(path):
    try:
        use(path)
    except CustInfoError as exc:
        return exc
    return None


@pytest.mark.parametrize("place", ["header", "anywhere", "page", "end"])
def test_overwritten_bytes_end_in_an_error_that_names_the_way_out(whole, tmp_path, place):
    content = whole.read_bytes()
    chance = random.Random(place)
    codes = set()
    for turn in range(25):
        damaged = bytearray(content)
        page = 4096 * chance.randrange(1, len(content) // 4096)
        size = 4096 if place == "page" else chance.choice([1, 16, 300])
        start = {"header": chance.randrange(100), "page": page}.get(place, chance.randrange(len(content) - 300))
        damaged[start : start + size] = chance.randbytes(size)
        if place == "end":
            del damaged[page:]
        path = tmp_path / f"{turn}.db"
        path.write_bytes(damaged)
        error = error_of_use(path)
        if error is not None:
            codes.add(error.code)
            assert str(path) in str(error)
            assert "restore it from a backup" in str(error) or error.code == "store.not_a_database"
            assert error.__suppress_context__
    assert codes <= DAMAGED
    assert "store.corrupt" in codes or place == "header"
    assert codes


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ci_meta SET value = 'x' WHERE name = 'schema'",
        "DELETE FROM ci_meta WHERE name = 'schema'",
        "DELETE FROM ci_meta WHERE name = 'incarnation'",
    ],
)
def test_a_file_that_does_not_know_itself_is_damaged(whole, tmp_path, statement):
    path = shutil.copy(whole, tmp_path / "shop.db")
    with closing(sqlite3.connect(path)) as con:
        con.execute(statement)
        con.commit()
    with pytest.raises(StoreError) as caught:
        SqliteStore(path)
    assert caught.value.code == "store.corrupt"


def test_a_damaged_write_ahead_log_gives_the_state_of_a_unit_that_was_committed(tmp_path):
    """SQLite takes what does not fit its checksum for the torn end of the log, as after a power cut."""
    path = tmp_path / "shop.db"
    store = SqliteStore(path)
    for number in range(20):
        with store.unit() as unit:
            for part in range(3):
                unit.put(Record("thing", f"{number:02}-{part}", 0, bytes(900)), [Key("of", f"{number:02}")], 0)
    chance = random.Random(2)
    content = path.with_name("shop.db-wal").read_bytes()
    seen = set()
    for turn in range(12):
        folder = tmp_path / f"{turn}"
        folder.mkdir()
        shutil.copy(path, folder / "shop.db")
        damaged = bytearray(content)
        start = chance.randrange(len(content) - 16)
        damaged[start : start + 16] = chance.randbytes(16)
        (folder / "shop.db-wal").write_bytes(damaged)
        ids = use(folder / "shop.db")
        assert ids == [f"{number:02}-{part}" for number in range(len(ids) // 3) for part in range(3)]
        seen.add(len(ids))
    assert len(seen) > 3
    store.close()


def test_no_room_for_the_file_is_told_and_the_next_unit_works_when_there_is(tmp_path):
    """A limit of the size of files; SQLite tells it by another error than a full disk."""
    script = """if True:
        import resource, sys
        from custinfo.errors import StoreError
        from custinfo.store import Record, SqliteStore
        store = SqliteStore(sys.argv[1])
        with store.unit() as unit:
            unit.put(Record("thing", "a", 0, b"first"), (), 0)
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
        try:
            with store.unit() as unit:
                unit.put(Record("thing", "small", 0, b"half"), (), 0)
                unit.put(Record("thing", "large", 0, bytes(1_000_000)), (), 0)
                unit.emit("thing.created", "large", b"")
        except StoreError as exc:
            print(exc.code)
        with store.unit(write=False) as unit:
            print(*(record.id for record in unit.page("thing", "", 9)), len(unit.feed("", 9)))
        with store.unit() as unit:
            unit.put(Record("thing", "b", 0, b"small"), (), 0)
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        with store.unit() as unit:
            unit.put(Record("thing", "large", 0, bytes(1_000_000)), (), 0)
        store.close()
    """
    pytest.importorskip("resource")
    path = tmp_path / "shop.db"
    done = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["store.full", "a 0"]
    assert use(path) == ["a", "b", "large"]


@pytest.mark.parametrize(("id", "what"), [("a\0b", "NUL"), ("x" * 10_240, "10,240 bytes"), ("", "0 bytes")])
def test_an_id_beyond_the_limits_is_refused_and_the_unit_goes_on(tmp_path, id, what):
    with closing(SqliteStore(tmp_path / "shop.db")) as store:
        with store.unit() as unit:
            unit.put(Record("thing", "before", 0, b""), (), 0)
            with pytest.raises(InvalidFieldError, match=what):
                unit.put(Record("thing", id, 0, b""), (), 0)
            with pytest.raises(InvalidFieldError, match="NUL" if "\0" in id else "bytes"):
                unit.put(Record("thing", "other", 0, b""), [Key("tag", id or "x" * 1025)], 0)
            unit.put(Record("thing", "after", 0, b""), (), 0)
        with store.unit(write=False) as unit:
            assert [record.id for record in unit.page("thing", "", 9)] == ["after", "before"]


@pytest.mark.parametrize("case", ["directory", "no folder", "text", "future", "other database"])
def test_what_is_no_store_is_told_and_left_alone(whole, tmp_path, case):
    path = tmp_path / "shop.db"
    if case == "directory":
        path.mkdir()
    elif case == "no folder":
        path = tmp_path / "missing" / "shop.db"
    elif case == "text":
        path.write_text("name,email\n" * 900)
    elif case == "future":
        shutil.copy(whole, path)
        with closing(sqlite3.connect(path)) as con:
            con.execute("UPDATE ci_meta SET value = '99' WHERE name = 'schema'")
            con.commit()
    else:
        with closing(sqlite3.connect(path)) as con:
            con.execute("CREATE TABLE ci_meta(other INTEGER)")
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(CustInfoError) as caught:
        SqliteStore(path)
    assert caught.value.code == {
        "directory": "store.open",
        "no folder": "store.open",
        "text": "store.not_a_database",
        "future": SchemaVersionError("").code,
        "other database": "store.sqlite",
    }.get(case)
    assert len(str(caught.value)) > 40
    if before is not None:
        assert path.read_bytes() == before
    with suppress(OSError):
        path.rmdir()

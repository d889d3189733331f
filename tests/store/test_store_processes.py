"""Processes that share a store: killed at any moment, or writing at the same time."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing

import postgres_server
import pytest

from custinfo.store import START, PostgresStore, SqliteStore

KILLS = 5
ADDITIONS = 200
# PostgreSQL undoes most attempts of four that meet at one record; `nox -s crash` makes all 200.
ADDITIONS_POSTGRES = int(os.environ.get("CUSTINFO_CRASH_ADDITIONS", "40"))

WRITER = """if True:
    import sys
    from custinfo.store import Key, Record, SqliteStore
    store = SqliteStore(sys.argv[1])
    with store.unit(write=False) as unit:
        done = unit.get("counter", ["n"])
    version = number = done[0].version if done else 0
    while True:
        number += 1
        with store.unit() as unit:
            unit.put(Record("counter", "n", 0, b"%d" % number), (), number - 1)
            unit.put_many((Record("row", f"{number}/{part}", 0, bytes(2000)), [Key("of", f"{number}")], 0)
                          for part in range(number % 5))
            unit.emit("row.created", f"{number}", b"")
        print(number, flush=True)
"""

ADDER = """if True:
    import sys
    from custinfo.errors import ConflictError
    from custinfo.store import PostgresStore, Record, SqliteStore
    place, schema, left = sys.argv[1], sys.argv[2], int(sys.argv[3])
    store = PostgresStore(place, schema=schema) if schema else SqliteStore(place)
    while left:
        try:
            with store.unit() as unit:
                old = unit.get("counter", ["n"])
                version, number = (old[0].version, int(old[0].data)) if old else (0, 0)
                unit.put(Record("counter", "n", 0, b"%d" % (number + 1)), (), version)
                unit.emit("counter.changed", "n", b"%d" % (number + 1))
        except ConflictError:
            continue
        left -= 1
    store.close()
"""


def test_a_killed_writer_loses_no_acknowledged_unit_and_leaves_no_half_one(tmp_path):
    path = tmp_path / "shop.db"
    moments = random.Random(3)
    for _ in range(KILLS):
        child = subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE, text=True)
        acknowledged = 0
        for _ in range(moments.randrange(1, 40)):
            acknowledged = int(child.stdout.readline())
        child.send_signal(signal.SIGKILL)
        acknowledged = max([acknowledged, *(int(line) for line in child.stdout if line.endswith("\n"))])
        child.wait()
        child.stdout.close()
        with closing(SqliteStore(path)) as store, store.unit(write=False) as unit:
            [counter] = unit.get("counter", ["n"])
            assert counter.version >= acknowledged
            assert counter.data == b"%d" % counter.version
            events = unit.feed(START, 10**6)
            assert [event.subject for event in events] == [f"{n}" for n in range(1, counter.version + 1)]
            rows = {record.id for record in unit.page("row", "", 10**6)}
            assert rows == {f"{n}/{part}" for n in range(1, counter.version + 1) for part in range(n % 5)}
            for number in range(max(1, counter.version - 4), counter.version + 1):
                assert len(unit.lookup("row", "of", f"{number}")) == number % 5
        with closing(sqlite3.connect(path)) as con:
            assert con.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def add_in_four_processes(additions, place, schema=""):
    command = [sys.executable, "-W", "error", "-c", ADDER, place, schema, f"{additions}"]
    children = [subprocess.Popen(command) for _ in range(4)]
    assert [child.wait(120) for child in children] == [0, 0, 0, 0]


def check_additions(store, additions):
    total = 4 * additions
    with closing(store), store.unit(write=False) as unit:
        assert [record[2:] for record in unit.get("counter", ["n"])] == [(total, b"%d" % total)]
        assert [event.data for event in unit.feed(START, 10**6)] == [b"%d" % n for n in range(1, total + 1)]


def test_four_processes_make_one_file_and_lose_no_increment(tmp_path):
    add_in_four_processes(ADDITIONS, tmp_path / "shop.db")
    check_additions(SqliteStore(tmp_path / "shop.db"), ADDITIONS)


@pytest.mark.postgres
def test_four_processes_make_one_schema_and_lose_no_increment():
    schema = postgres_server.fresh_schema()
    add_in_four_processes(ADDITIONS_POSTGRES, postgres_server.shared(), schema)
    check_additions(PostgresStore(postgres_server.shared(), schema=schema), ADDITIONS_POSTGRES)

"""SqliteStore beside the bare sqlite3 module doing the same statements on the same tables, in turn.

    python benchmarks/store/bench_sqlite.py [--rows 100000] [--repeat 3]

Records of 600 random bytes with two keys, one of them unique. Printed: medians, and custinfo's rate as a part of the
bare one. Aims: bulk >= 0.5, get >= 0.4.
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import statistics
import tempfile
import time
from contextlib import closing, contextmanager
from pathlib import Path

from custinfo.store import Key, MemoryStore, Record, SqliteStore

UNITS = 300
PRAGMAS = (
    "synchronous = FULL",
    "secure_delete = ON",
    "temp_store = MEMORY",
    "cell_size_check = ON",
    "cache_size = -16000",
)


def make_rows(count: int) -> list[tuple[str, bytes, str, str]]:
    rnd = random.Random(1)
    return [
        (
            f"{rnd.getrandbits(64):016x}",
            rnd.randbytes(600),
            f"{rnd.getrandbits(96):024x}",
            f"{rnd.getrandbits(96):024x}",
        )
        for _ in range(count)
    ]


class Clock:
    def __init__(self) -> None:
        self.seconds: dict[tuple[str, str], list[float]] = {}
        self.done: dict[str, int] = {}

    @contextmanager
    def measure(self, work: str, who: str, count: int):
        start = time.perf_counter()
        yield
        self.seconds.setdefault((work, who), []).append(time.perf_counter() - start)
        self.done[work] = count

    def rate(self, work: str, who: str) -> float:
        return self.done[work] / statistics.median(self.seconds[work, who])


def run_bare(path: Path, rows: list, ids: list[str], clock: Clock) -> None:
    SqliteStore(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as con:
        for pragma in PRAGMAS:
            con.execute(f"PRAGMA {pragma}")
        with clock.measure("bulk insert, one unit", "bare", len(rows)):
            con.execute("BEGIN IMMEDIATE")
            for start in range(0, len(rows), 1000):
                part = rows[start : start + 1000]
                con.executemany(
                    "INSERT INTO ci_record(kind, id, version, data) VALUES('customer', ?, 1, ?)",
                    [(id, data) for id, data, _, _ in part],
                )
                con.executemany(
                    "INSERT INTO ci_key(kind, name, value, uniq, id) VALUES('customer', ?, ?, ?, ?)",
                    [key for id, _, ext, tag in part for key in (("ext", ext, 1, id), ("email", tag, 0, id))],
                )
            con.execute("COMMIT")
        with clock.measure("get one by one", "bare", len(ids)):
            con.execute("BEGIN")
            for id in ids:
                con.execute(
                    "SELECT id, version, data FROM ci_record WHERE kind = ? AND id = ?", ("customer", id)
                ).fetchall()
            con.execute("COMMIT")
        with clock.measure("lookup one by one", "bare", len(ids)):
            con.execute("BEGIN")
            for _, _, _, email in rows[: len(ids)]:
                con.execute(
                    "SELECT id FROM ci_key WHERE kind = ? AND name = ? AND value = ? ORDER BY id",
                    ("customer", "email", email),
                ).fetchall()
            con.execute("COMMIT")
        with clock.measure("scan in pages of 1000", "bare", len(rows)):
            con.execute("BEGIN")
            after = ""
            while page := con.execute(
                "SELECT id, version, data FROM ci_record WHERE kind = ? AND id > ? ORDER BY id LIMIT 1000",
                ("customer", after),
            ).fetchall():
                after = page[-1][0]
            con.execute("COMMIT")
        with clock.measure("update with keys and event, a unit each", "bare", UNITS):
            for id, data, ext, email in rows[:UNITS]:
                con.execute("BEGIN IMMEDIATE")
                con.execute(
                    "UPDATE ci_record SET version = version + 1, data = ? WHERE kind = ? AND id = ? AND version = ?",
                    (data, "customer", id, 1),
                )
                con.execute("DELETE FROM ci_key WHERE kind = ? AND id = ?", ("customer", id))
                con.executemany(
                    "INSERT INTO ci_key(kind, name, value, uniq, id) VALUES('customer', ?, ?, ?, ?)",
                    [("ext", ext, 1, id), ("email", email, 0, id)],
                )
                con.execute("INSERT INTO ci_outbox(type, subject, data) VALUES('customer.updated', ?, x'')", (id,))
                con.execute("COMMIT")


def run_store(store, who: str, rows: list, ids: list[str], clock: Clock) -> None:
    def keys(ext: str, email: str) -> list[Key]:
        return [Key("ext", ext, unique=True), Key("email", email)]

    with clock.measure("bulk insert, one unit", who, len(rows)), store.unit() as unit:
        unit.put_many((Record("customer", id, 0, data), keys(ext, email), 0) for id, data, ext, email in rows)
    with clock.measure("get one by one", who, len(ids)), store.unit(write=False) as unit:
        for id in ids:
            unit.get("customer", [id])
    with clock.measure("get 500 at a time", who, len(ids)), store.unit(write=False) as unit:
        for start in range(0, len(ids), 500):
            unit.get("customer", ids[start : start + 500])
    with clock.measure("lookup one by one", who, len(ids)), store.unit(write=False) as unit:
        for _, _, _, email in rows[: len(ids)]:
            unit.lookup("customer", "email", email)
    with clock.measure("scan in pages of 1000", who, len(rows)), store.unit(write=False) as unit:
        after = ""
        while page := unit.page("customer", after, 1000):
            after = page[-1].id
    with clock.measure("update with keys and event, a unit each", who, UNITS):
        for id, data, ext, email in rows[:UNITS]:
            with store.unit() as unit:
                unit.put(Record("customer", id, 1, data), keys(ext, email), 1)
                unit.emit("customer.updated", id, b"")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    rows = make_rows(options.rows)
    ids = [row[0] for row in random.Random(2).sample(rows, min(20_000, len(rows)))]
    clock = Clock()
    for _ in range(options.repeat):
        with tempfile.TemporaryDirectory() as folder:
            run_bare(Path(folder) / "bare.db", rows, ids, clock)
            with closing(SqliteStore(Path(folder) / "store.db")) as store:
                run_store(store, "SqliteStore", rows, ids, clock)
        run_store(MemoryStore(), "MemoryStore", rows, ids, clock)
    print(f"{options.rows:,} records, SQLite {sqlite3.sqlite_version}, median of {options.repeat}, per second")
    print(f"{'':42}{'bare':>12}{'SqliteStore':>14}{'ratio':>8}{'MemoryStore':>14}")
    for work in clock.done:
        own = clock.rate(work, "SqliteStore")
        bare = clock.rate(work, "bare") if (work, "bare") in clock.seconds else None
        ratio = f"{own / bare:8.2f}" if bare else " " * 8
        shown = f"{bare:12,.0f}" if bare else " " * 12
        print(f"{work:42}{shown}{own:14,.0f}{ratio}{clock.rate(work, 'MemoryStore'):14,.0f}")


if __name__ == "__main__":
    main()

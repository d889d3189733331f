"""RFM of synthetic payments: custinfo beside polars and duckdb, each in a process of its own, on the same data.

    python benchmarks/segment/bench_rfm.py --rows 10000000 --ids sparse --rounds 3

Ids are "sparse" (64-bit account numbers), "dense" (0, 1, 2 ...), "text" (an Arrow column such as ACC-00001234567) or
"coded" (the same as an Arrow dictionary). Each peer starts with the table in memory in its own form and gives one row
per customer: days since the last payment, payments, money, and three scores by the same rule (edge k is the
ceil(k n / bins)-th smallest value, ties share a score). polars and duckdb add floats and return customers in any order;
custinfo adds exact minor units, checks every row and sorts customers. Each round runs all three, one after the other;
printed are the medians over the rounds of the best wall time, the CPU time of all threads and the memory on top of the
table, and of the wall time over custinfo's.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

AS_OF = np.datetime64("2026-01-01T00:00:00", "us")
DAY_US = 86_400_000_000
BINS = 5
CUSTOMERS_PER_ROW = 0.1
SKEW = 0.6  # the share of the k-th customer falls as k**-SKEW


def make_table(rows: int, ids: str, order: str) -> dict[str, Any]:
    rng = np.random.default_rng(20260101)
    customers = max(1, int(rows * CUSTOMERS_PER_ROW))
    rank = np.minimum((customers * rng.random(rows) ** (1 / (1 - SKEW))).astype(np.int64), customers - 1)
    code = rng.permutation(customers)[rank]
    when = rng.integers(0, 3 * 365 * DAY_US, rows)
    if order == "time":
        when.sort()
    return {
        "customer_id": ids_of(code, ids),
        "occurred_at": (AS_OF.astype(np.int64) - 3 * 365 * DAY_US + when).view("M8[us]"),
        "amount": np.round(np.exp(rng.normal(4, 1, rows)), 2),
    }


def ids_of(code: np.ndarray, ids: str) -> Any:
    if ids == "dense":
        return code
    if ids == "sparse":
        return (code * 2_654_435_761 + 6_200_000_000_000_000) % 2**53
    import pyarrow as pa

    accounts = pa.array([f"ACC-{i * 2_654_435_761 % 10_000_000_019:011d}" for i in range(int(code.max()) + 1)])
    codes = pa.array(code.astype(np.int32))
    return accounts.take(codes) if ids == "text" else pa.DictionaryArray.from_arrays(codes, accounts)


def with_custinfo(table: dict[str, Any]) -> Callable[[], Any]:
    from custinfo.segment import rfm

    return lambda: rfm(table, as_of=AS_OF, bins=BINS)


def with_polars(table: dict[str, Any]) -> Callable[[], Any]:
    import polars as pl
    import pyarrow as pa

    frame = pl.DataFrame(pa.table(table))

    def edges(column: str) -> list[Any]:
        value = pl.col(column)
        ranks = [-(-k * pl.len() // BINS) - 1 for k in range(1, BINS)]
        return [(value > value.sort().get(rank)).cast(pl.Int8) for rank in ranks]

    def run() -> Any:
        days = (pl.lit(AS_OF.item()).dt.date() - pl.col("occurred_at").max().dt.date()).dt.total_days()
        grouped = (
            frame.lazy().group_by("customer_id").agg(recency=days, frequency=pl.len(), money=pl.col("amount").sum())
        )
        scored = [pl.sum_horizontal(edges(column)).alias(column[0]) for column in ("recency", "frequency", "money")]
        return grouped.with_columns(scored).collect()

    return run


def with_duckdb(table: dict[str, Any]) -> Callable[[], Any]:
    import duckdb
    import pyarrow as pa

    connection = duckdb.connect()
    payments = pa.table(table)
    connection.execute("create table payments as select * from payments")
    del payments
    quantiles = [k / BINS for k in range(1, BINS)]

    def score(column: str) -> str:
        return " + ".join(f"({column} > {column}_edges[{k}])::int" for k in range(1, BINS))

    query = f"""
        with grouped as materialized (
            select customer_id, date '2026-01-01' - max(occurred_at)::date as recency, count(*) as frequency,
                   sum(amount) as money
            from payments group by customer_id),
        edges as (select quantile_disc(recency, {quantiles}) as recency_edges,
                         quantile_disc(frequency, {quantiles}) as frequency_edges,
                         quantile_disc(money, {quantiles}) as money_edges from grouped)
        select customer_id, recency, frequency, money, {BINS} - ({score("recency")}) as r,
               1 + {score("frequency")} as f, 1 + {score("money")} as m from grouped, edges"""
    return lambda: connection.execute(query).to_arrow_table()


PEERS = {"custinfo": with_custinfo, "polars": with_polars, "duckdb": with_duckdb}


def memory_mb(key: str) -> float:
    """A figure of /proc/self/status (Linux): VmRSS now, VmHWM the peak since it was last reset."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key + ":"):
            return int(line.split()[1]) / 1024
    return float("nan")


def measure(peer: str, args: argparse.Namespace) -> dict[str, float]:
    run = PEERS[peer](make_table(args.rows, args.ids, args.order))
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak
    before, walls, cpus = memory_mb("VmRSS"), [], []
    for _ in range(args.repeat):
        wall, cpu = time.perf_counter(), time.process_time()
        run()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return {"wall_s": min(walls), "cpu_s": min(cpus), "extra_mb": memory_mb("VmHWM") - before}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--ids", choices=("sparse", "dense", "text", "coded"), default="sparse")
    parser.add_argument("--order", choices=("time", "random"), default="time")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peer", choices=PEERS, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.peer:
        print(json.dumps(measure(args.peer, args)))
        return 0
    found: dict[str, list[dict[str, float]]] = {peer: [] for peer in PEERS}
    for _ in range(args.rounds):
        for peer, figures in found.items():
            command = [sys.executable, str(Path(__file__).resolve()), *sys.argv[1:], "--peer", peer]
            child = subprocess.run(command, capture_output=True, text=True)
            if child.returncode:
                print(f"{peer}: {child.stderr.strip().splitlines()[-1]}", file=sys.stderr)
                return 1
            figures.append(json.loads(child.stdout))
    print(f"{args.rows:,} rows, {args.ids} ids, {args.order} order\n")
    print("| | wall s | CPU s | extra MB | wall / custinfo |\n|---|---|---|---|---|")
    for peer, figures in found.items():
        wall, cpu, extra = (statistics.median(one[key] for one in figures) for key in ("wall_s", "cpu_s", "extra_mb"))
        pairs = zip(figures, found["custinfo"], strict=True)
        ratio = statistics.median(one["wall_s"] / ours["wall_s"] for one, ours in pairs)
        print(f"| {peer} | {wall:.2f} | {cpu:.2f} | {extra:.0f} | {ratio:.2f} |")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

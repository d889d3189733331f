"""Behaviour, life cycle, cohorts and the other functions of a table of payments: seconds each, pandas where natural.

    python benchmarks/segment/bench_behaviour.py --rows 1000000 --customers 100000

Data are drawn with a fixed seed: integer ids, times of two years to the second, amounts in minor units, one in fifty a
refund, five methods and two thousand merchants as text. What pandas does beside it are the same numbers by groupby, for
`behaviour` without the intervals between days. Each is run --repeats times; the least CPU time of the process counts,
because other work on the machine does not add to it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from custinfo import segment

SEED = 7


def payments(rows: int, customers: int) -> dict[str, Any]:
    rng = np.random.default_rng(SEED)
    minor = rng.lognormal(8, 1, rows).astype(np.int64)
    methods = np.array(["bank", "card", "cash", "transfer", "wallet"], object)
    merchants = np.array([f"merchant {number}" for number in range(2000)], object)
    return {
        "customer_id": rng.integers(0, customers, rows),
        "occurred_at": np.datetime64("2024-01-01", "s") + rng.integers(0, 730 * 86_400, rows),
        "amount_minor": np.where(rng.random(rows) < 0.02, -minor, minor),
        "method": methods[rng.integers(0, 5, rows)],
        "merchant": merchants[(rng.random(rows) ** 2 * 2000).astype(np.int64)],
    }


def with_pandas(data: dict[str, Any]) -> dict[str, Callable[[], Any]]:
    try:
        import pandas as pd
    except ModuleNotFoundError:
        return {}
    frame = pd.DataFrame(data)
    minor, times = frame["amount_minor"], frame["occurred_at"]

    def behaviour() -> Any:
        bought = frame[minor >= 0]
        by = bought.groupby("customer_id")
        hours = bought.assign(hour=bought["occurred_at"].dt.hour)
        favourites = [
            counted.groupby(["customer_id", name]).size().groupby(level=0).idxmax()
            for name, counted in (("method", bought), ("merchant", bought), ("hour", hours))
        ]
        return (
            by["amount_minor"].agg(["size", "sum", "mean", "median"]),
            by["occurred_at"].agg(["min", "max"]),
            favourites,
        )

    def cohorts() -> Any:
        bought = frame[minor >= 0]
        month = bought["occurred_at"].to_numpy().astype("M8[M]").astype(np.int64)
        first = pd.Series(month).groupby(bought["customer_id"].to_numpy()).transform("min")
        pairs = pd.DataFrame({"customer": bought["customer_id"].to_numpy(), "first": first, "later": month - first})
        return pairs.drop_duplicates().groupby(["first", "later"]).size().unstack()

    def contribution() -> Any:
        sums = minor.groupby(frame["customer_id"]).sum().sort_values(ascending=False)
        return sums.clip(lower=0).cumsum() / sums.clip(lower=0).sum()

    def of_month() -> Any:
        return minor.groupby([frame["customer_id"], times.to_numpy().astype("M8[M]").astype(np.int64)]).sum()

    return {
        "behaviour": behaviour,
        "cohorts": cohorts,
        "contribution": contribution,
        "spending by month": of_month,
        "spending by merchant": lambda: minor.groupby([frame["customer_id"], frame["merchant"]]).sum(),
        "active_hours": lambda: frame.groupby(["customer_id", times.dt.hour]).size().unstack(fill_value=0),
    }


def with_custinfo(data: dict[str, Any]) -> dict[str, Callable[[], Any]]:
    money = {"amount_minor": "amount_minor"}
    scored = segment.rfm(data, **money)  # type: ignore[arg-type]
    return {
        "behaviour": lambda: segment.behaviour(data, **money),
        "behaviour, own zone": lambda: segment.behaviour(data, time_zone="America/New_York", **money),
        "cohorts": lambda: segment.cohorts(data, **money),
        "contribution": lambda: segment.contribution(data, **money),
        "spending by month": lambda: segment.spending(data, **money),
        "spending by merchant": lambda: segment.spending(data, by="merchant", **money),
        "active_hours": lambda: segment.active_hours(data),
        "affinity": lambda: segment.affinity(data),
        "lifecycle": lambda: segment.lifecycle(data, **money),
        "spend_bands": lambda: segment.spend_bands(data, **money),
        "tiers": lambda: segment.tiers(scored),
        "value_by_segment": lambda: segment.value_by_segment(scored),
        "portraits": lambda: segment.portraits(data, **money),
    }


def seconds(work: Callable[[], Any], repeats: int) -> float:
    best = float("inf")
    for _ in range(repeats):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    data = payments(options.rows, options.customers)
    peers = with_pandas(data)
    print(
        f"{options.rows:,} payments of {options.customers:,} customers; CPU seconds, the least of {options.repeats}\n"
    )
    print("| function | custinfo | pandas |\n|---|---|---|")
    for name, work in with_custinfo(data).items():
        peer = f"{seconds(peers[name], options.repeats):.2f}" if name in peers else ""
        print(f"| {name} | {seconds(work, options.repeats):.2f} | {peer} |")


if __name__ == "__main__":
    main()

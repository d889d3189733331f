"""Risk: the time of one decision, of a whole table, and how many planted oddities in CDNOW are found.

    python benchmarks/segment/bench_risk.py --seeds 10 --rows 1000000

The data of CDNOW come with the PyPI package lifetimes==0.11.3 (installed with --no-deps; only its data file is read).
They have date and amount. Each customer is given a usual hour (payments lie within some hours of it) and usual payment
methods (one, and another for one payment in ten), so that odd hours and new methods can be planted too.

Planted, each in up to 60 payments of customers who have paid at least --history times before: the amount times 5, 10 or
20; a burst of 5 payments of usual amounts within 40 minutes; a theft: three times the amount, by a new method, about
twelve hours from the usual hour. Recall is counted at the score that so many of the other payments reach or exceed.
"""

from __future__ import annotations

import argparse
import datetime as dt
import importlib.util
import time
from pathlib import Path
from typing import Any

import numpy as np

from custinfo.model import Money, Transaction
from custinfo.segment import risk

KINDS = ("amount x 5", "amount x 10", "amount x 20", "burst", "theft")
HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
PER_KIND = 60
BURST = 5


def cdnow() -> dict[str, np.ndarray]:
    spec = importlib.util.find_spec("lifetimes")
    if spec is None or spec.origin is None:
        raise SystemExit("pip install --no-deps lifetimes==0.11.3")
    text = (Path(spec.origin).parent / "datasets" / "CDNOW_sample.txt").read_text(encoding="utf-8")
    rows = [line.split() for line in text.splitlines() if line.strip()]
    return {
        "customer_id": np.array([int(row[1]) for row in rows]),
        "occurred_at": np.array([f"{row[2][:4]}-{row[2][4:6]}-{row[2][6:]}" for row in rows], "M8[us]"),
        "amount": np.array([float(row[4]) for row in rows]),
    }


def with_habits(payments: dict[str, np.ndarray], rng: np.random.Generator) -> dict[str, np.ndarray]:
    _, codes = np.unique(payments["customer_id"], return_inverse=True)
    people, size = int(codes.max()) + 1, len(codes)
    hour = (rng.integers(7, 23, people)[codes] + rng.normal(0, 1.5, size)) % 24
    main, other = rng.integers(0, 4, people), rng.integers(0, 4, people)
    method = np.where(rng.random(size) < 0.9, main[codes], other[codes])
    return {
        **payments,
        "occurred_at": payments["occurred_at"] + (hour * HOUR_US).astype(np.int64),
        "method": np.array(["card", "transfer", "cash", "wallet"], object)[method],
    }


def planted(
    payments: dict[str, np.ndarray], rng: np.random.Generator, *, history: int = 3, per_kind: int = PER_KIND
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The table with oddities, and for each row 0 or 1 + number of the oddity."""
    order = np.lexsort((payments["occurred_at"], payments["customer_id"]))
    table = {name: column[order] for name, column in payments.items()}
    ids = table["customer_id"]
    first = np.maximum.accumulate(np.where(np.r_[True, ids[1:] != ids[:-1]], np.arange(len(ids)), 0))
    able = np.flatnonzero((np.arange(len(ids)) - first >= history) & (table["amount"] > 0))
    # one for each customer, so that no oddity is judged by another
    able = rng.permutation(able)
    able = able[np.sort(np.unique(ids[able], return_index=True)[1])]
    per_kind = min(per_kind, len(able) // len(KINDS))
    victims = able[: per_kind * len(KINDS)].reshape(len(KINDS), -1)
    label = np.zeros(len(ids), np.int64)
    label[victims] = 1 + np.arange(victims.size).reshape(victims.shape)
    for kind, factor in enumerate((5, 10, 20)):
        table["amount"][victims[kind]] *= factor
    table["amount"][victims[4]] *= 3
    table["occurred_at"][victims[4]] += np.timedelta64(12 * HOUR_US, "us")
    table["method"][victims[4]] = "voucher"
    copies = np.repeat(victims[3], BURST - 1)
    burst = {name: column[copies] for name, column in table.items()}
    burst["amount"] = np.round(burst["amount"] * rng.uniform(0.6, 1.6, len(copies)), 2)
    burst["occurred_at"] = burst["occurred_at"] + rng.integers(60_000_000, 40 * 60_000_000, len(copies))
    whole = {name: np.concatenate([column, burst[name]]) for name, column in table.items()}
    return whole, np.concatenate([label, label[copies]])


def recalls(score: np.ndarray, label: np.ndarray, threshold: float) -> np.ndarray:
    """Share of the oddities of each kind of which a payment reaches the threshold."""
    best = np.zeros(int(label.max()))
    rows = np.flatnonzero(label)
    np.maximum.at(best, label[rows] - 1, score[rows])
    return (best >= threshold).reshape(len(KINDS), -1).mean(axis=1)


def threshold_of(normal: np.ndarray, rate: float) -> float:
    """The lowest score that at most this share of normal payments reaches."""
    values = np.unique(normal)
    reached = 1 - np.searchsorted(np.sort(normal), values) / len(normal)
    fine = values[(reached <= rate) & (values > 0)]
    return float(fine[0]) if len(fine) else float(np.nextafter(values[-1], np.inf))


def trial(payments: dict[str, np.ndarray], seed: int, *, history: int, per_kind: int = PER_KIND) -> dict[str, Any]:
    """Plant and look: recall by kind at several thresholds, and the share of other payments that reach it."""
    rng = np.random.default_rng(seed)
    table, label = planted(with_habits(payments, rng), rng, history=history, per_kind=per_kind)
    score = risk.anomalies(table).score
    normal = score[label == 0]
    thresholds = {f"at {rate:.1%}": threshold_of(normal, rate) for rate in (0.05, 0.02, 0.01, 0.005)}
    thresholds["review (30)"] = 30.0
    thresholds["block (80)"] = 80.0
    return {
        name: (threshold, float((normal >= threshold).mean()), recalls(score, label, threshold))
        for name, threshold in thresholds.items()
    }


def detection(seeds: int, history: int) -> None:
    payments = cdnow()
    found = [trial(payments, seed, history=history) for seed in range(seeds)]
    print(f"\nrecall, mean (lowest) of {seeds} seeds; customers with {history} earlier payments or more")
    print(
        f"{'false alarms':>12} {'score':>6} {'rate':>6}  " + "".join(f"{kind:>14}" for kind in KINDS) + f"{'all':>14}"
    )
    for name in found[0]:
        score = np.mean([each[name][0] for each in found])
        rate = np.mean([each[name][1] for each in found])
        recall = np.array([[*each[name][2], each[name][2].mean()] for each in found])
        cells = [f"{mean:.2f} ({low:.2f})" for mean, low in zip(recall.mean(axis=0), recall.min(axis=0), strict=True)]
        print(f"{name:>12} {score:6.1f} {rate:6.2%}  " + "".join(f"{cell:>14}" for cell in cells))


def latency(calls: int) -> None:
    start = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)

    def transaction(number: int, **changed: Any) -> Transaction:
        fields: dict[str, Any] = {
            "amount": Money(2000 + 131 * number % 1700, "CNY"),
            "occurred_at": start + dt.timedelta(hours=20 * number),
            "method": "card",
            "merchant": f"m{number % 7}",
            "channel": "app",
        }
        return Transaction(id=f"t{number}", account_id="a", **(fields | changed))

    monitor = risk.Monitor()
    history = monitor.history(transaction(number) for number in range(200))
    usual = transaction(200)
    odd = transaction(200, amount=Money(900_000, "CNY"), method="wallet", merchant="new", channel="web")
    stored = history.to_bytes()
    row = {"occurred_at": usual.occurred_at, "amount": "21.50", "currency": "CNY", "method": "card"}
    print(f"one call, microseconds, a full window of {len(history)} payments ({len(stored):,} bytes when stored)")
    print(" " * 18 + "".join(f"{head:>9}" for head in ("wall 50%", "99%", "CPU 50%", "99%")))
    for name, call in {
        "assess, usual": lambda: monitor.assess(usual, history),
        "assess, odd": lambda: monitor.assess(odd, history),
        "assess, mapping": lambda: monitor.assess(row, history),
        "observe": lambda: monitor.observe(usual, history),
        "from_bytes": lambda: risk.History.from_bytes(stored),
        "to_bytes": history.to_bytes,
    }.items():
        figures = []
        for clock in (time.perf_counter_ns, time.thread_time_ns):
            took = np.empty(calls)
            for i in range(calls):
                began = clock()
                call()
                took[i] = (clock() - began) / 1000
            figures += [np.median(took), np.quantile(took, 0.99)]
        print(f"  {name:<16}" + "".join(f"{figure:9.1f}" for figure in figures))


def whole_table(rows: int) -> None:
    rng = np.random.default_rng(20260101)
    table = {
        "customer_id": rng.integers(0, max(rows // 20, 1), rows),
        "occurred_at": (1_700_000_000_000_000 + rng.integers(0, 3 * 365 * DAY_US, rows)).view("M8[us]"),
        "amount": np.round(np.exp(rng.normal(4, 1, rows)), 2),
    }
    labels = {
        "method": np.array(["card", "wallet", "transfer"], object)[rng.integers(0, 3, rows)],
        "merchant": np.array([f"m{i}" for i in range(500)], object)[rng.integers(0, 500, rows)],
    }
    for name, columns in (("time, amount", table), ("and method, merchant", table | labels)):
        began, cpu = time.perf_counter(), time.process_time()
        risk.anomalies(columns)
        print(f"  {name:<22} {time.perf_counter() - began:6.2f} s wall, {time.process_time() - cpu:6.2f} s CPU")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--history", type=int, nargs="+", default=[3, 10])
    given = parser.parse_args()
    latency(given.calls)
    print(f"\na table of {given.rows:,} payments")
    whole_table(given.rows)
    for history in given.history:
        detection(given.seeds, history)


if __name__ == "__main__":
    main()

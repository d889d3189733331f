"""Fits of the purchase models: CDNOW, beside lifetimes where that is installed, and a million made-up customers.

    python benchmarks/segment/bench_clv.py --customers 1000000 --repeat 5
    python benchmarks/segment/bench_clv.py --peer-python OTHER/bin/python

CDNOW comes from the data file of the PyPI package lifetimes 0.11.3 (``pip install --no-deps lifetimes==0.11.3`` is
enough). lifetimes itself does not run in every environment; ``--peer-python`` names an interpreter that has it with its
dependencies. Both fit the same histories; lifetimes gives no standard errors for the Pareto/NBD. Prints the best wall
time of each.
"""

from __future__ import annotations

import argparse
import datetime as dt
import importlib.util
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from custinfo.segment import customer_lifetime_value, fit_bg_nbd, fit_gamma_gamma, fit_pareto_nbd, summary

PEER = """
import json, sys, time, warnings
import numpy as np
warnings.filterwarnings("ignore")
from lifetimes import BetaGeoFitter, GammaGammaFitter, ParetoNBDFitter
data = np.load(sys.argv[1])
x, last, age, money = (data[name] for name in ("frequency", "recency", "age", "monetary"))
again = (x > 0) & (money > 0)
jobs = {
    "BG/NBD": lambda: BetaGeoFitter().fit(x, last, age),
    "Pareto/NBD": lambda: ParetoNBDFitter().fit(x, last, age),
    "Gamma-Gamma": lambda: GammaGammaFitter().fit(x[again], money[again]),
}
found = {}
for name, job in jobs.items():
    times = []
    try:
        for _ in range(int(sys.argv[2]) if name != "Pareto/NBD" else 1):
            start = time.perf_counter()
            job()
            times.append(time.perf_counter() - start)
    except Exception as exc:
        print(f"lifetimes {name}: {type(exc).__name__}: {exc}", file=sys.stderr)
    found[name] = min(times) if times else None
print(json.dumps(found))
"""


def cdnow() -> dict[str, list[str]]:
    spec = importlib.util.find_spec("lifetimes")
    if spec is None or spec.origin is None:
        raise SystemExit("pip install --no-deps lifetimes==0.11.3: its data file is needed")
    text = (Path(spec.origin).parent / "datasets" / "CDNOW_sample.txt").read_text(encoding="utf-8")
    rows = [line.split() for line in text.splitlines() if line.strip()]
    return {
        "customer_id": [row[1] for row in rows],
        "occurred_at": [f"{row[2][:4]}-{row[2][4:6]}-{row[2][6:]}" for row in rows],
        "amount": [row[4] for row in rows],
    }


def made_up(customers: int, *, days: bool) -> dict[str, np.ndarray]:
    """Histories drawn from the BG/NBD with the parameters of CDNOW, by the day or to the microsecond."""
    rng = np.random.default_rng(20260101)
    rate, chance = rng.gamma(0.2426, 1 / 4.4136, customers), rng.beta(0.7929, 2.4259, customers)
    age = rng.integers(27 * 7, 39 * 7 + 1, customers) / 7 if days else rng.uniform(27, 39, customers)
    count, last, alive = np.zeros(customers), np.zeros(customers), np.arange(customers)
    while len(alive):
        then = last[alive] + rng.exponential(1 / np.maximum(rate[alive], 1e-12))
        alive, then = alive[then <= age[alive]], then[then <= age[alive]]
        count[alive] += 1
        last[alive] = then
        alive = alive[rng.random(len(alive)) >= chance[alive]]
    if days:
        last = np.minimum(np.ceil(last * 7) / 7, age)
    value = np.where(count > 0, rng.gamma(6.25 * np.maximum(count, 1), 1) / np.maximum(count, 1), 0.0)
    monetary = np.round(value * 15.44 / rng.gamma(3.74, 1, customers), 2)
    monetary[(count > 0) & (monetary == 0)] = 0.01
    return {"frequency": count, "recency": last, "age": age, "monetary": monetary}


def best(job: Callable[[], Any], repeat: int) -> tuple[float, Any]:
    shortest, result = float("inf"), None
    for _ in range(repeat):
        start = time.perf_counter()
        result = job()
        shortest = min(shortest, time.perf_counter() - start)
    return shortest, result


def peer_times(python: str, table: dict[str, Any], repeat: int) -> dict[str, float | None]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "histories.npz"
        np.savez(path, **table)
        done = subprocess.run([python, "-c", PEER, str(path), str(repeat)], capture_output=True, text=True, check=True)
    print(done.stderr, end="", file=sys.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def fits(table: dict[str, Any]) -> dict[str, Callable[[], Any]]:
    x, last, age, money = (table[name] for name in ("frequency", "recency", "age", "monetary"))
    return {
        "BG/NBD": lambda: fit_bg_nbd(x, last, age),
        "Pareto/NBD": lambda: fit_pareto_nbd(x, last, age),
        "Gamma-Gamma": lambda: fit_gamma_gamma(x, money),
    }


def predictions(table: dict[str, Any], models: dict[str, Any]) -> dict[str, Callable[[], Any]]:
    history = table["frequency"], table["recency"], table["age"]
    purchases, pareto, value = models.values()
    return {
        "expected purchases, BG/NBD": lambda: purchases.expected_purchases(52, *history),
        "probability alive, BG/NBD": lambda: purchases.probability_alive(*history),
        "expected purchases, Pareto/NBD": lambda: pareto.expected_purchases(52, *history),
        "probability alive, Pareto/NBD": lambda: pareto.probability_alive(*history),
        "lifetime value, BG/NBD, 12 periods": lambda: customer_lifetime_value(purchases, value, table),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--peer-python", default=None)
    args = parser.parse_args()

    histories = summary(cdnow(), end=dt.date(1997, 9, 30))
    table = {name: column for name, column in histories.to_dict().items() if name != "customer_id"}
    peer = {} if args.peer_python is None else peer_times(args.peer_python, table, args.repeat)
    print(f"CDNOW, {len(histories):,} customers")
    for name, job in fits(table).items():
        took, model = best(job, 4 * args.repeat)
        other = peer.get(name)
        beside = "" if other is None else f"   lifetimes {other * 1e3:9.1f} ms   {other / took:6.0f} x"
        print(f"  fit {name:12} {took * 1e3:8.1f} ms{beside}   log-likelihood {model.log_likelihood:,.2f}")

    for days in (True, False):
        made = made_up(args.customers, days=days)
        print(f"{args.customers:,} customers, times by the {'day' if days else 'microsecond'}")
        models = {}
        for name, job in fits(made).items():
            took, models[name] = best(job, 2)
            print(f"  {'fit ' + name:35} {took:8.2f} s")
        for name, job in predictions(made, models).items():
            print(f"  {name:35} {best(job, 1)[0]:8.2f} s")


if __name__ == "__main__":
    main()

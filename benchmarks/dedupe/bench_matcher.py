"""How fast a `Matcher` answers, adds, removes, saves and loads.

    python benchmarks/dedupe/bench_matcher.py FILE.csv [--model-rows 100000] [--asked OTHER.csv] [--checks 3000]

FILE is a CSV of customer records; columns rec_id, entity_id are left out. The model is estimated from the first
--model-rows records, then all are clustered by it. --asked is a file of the same columns with records that are asked
about, such as the same customers with fresh errors; without it every 997th record of FILE, slightly changed, is.
Prints percentiles in microseconds, by the wall clock and by the processor's time of the process (the difference is what
other processes take), and a yardstick: the seconds that ten million additions in a loop take here.
"""

from __future__ import annotations

import argparse
import csv
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--model-rows", type=int, default=100_000)
    parser.add_argument("--asked", type=Path)
    parser.add_argument("--checks", type=int, default=3000)
    args = parser.parse_args()
    from custinfo.dedupe import Matcher

    columns = read(args.file)
    rows = len(next(iter(columns.values())))
    print(f"{rows:,} records; yardstick {yardstick():.2f} s", flush=True)
    part = {name: values[: args.model_rows] for name, values in columns.items()}
    model = timed("estimate a model", lambda: Matcher.fit(part)).model
    print(f"  {model!r}; coverage of the keys {model.plan.coverage:.4f}")
    matcher = timed("cluster all by the model", lambda: Matcher.fit(columns, model=model))
    print(f"  {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB at most so far")
    asked = read(args.asked) if args.asked else columns
    count = len(next(iter(asked.values())))
    chosen = [(k * 997) % count for k in range(args.checks)]
    records = [changed({name: values[row] for name, values in asked.items()}, k) for k, row in enumerate(chosen)]
    for record in records[:100]:
        matcher.check(record)
    percentiles("check", [lambda record=record: matcher.check(record) for record in records])
    found = sum(bool(matcher.check(record, limit=1)) for record in records[:500])
    print(f"  {found} of 500 found somebody")
    percentiles("add one", [lambda record=record: matcher.add([record]) for record in records[:200]])
    timed("add 1,000", lambda: matcher.add(records[:1000]))
    timed("remove 10", lambda: matcher.remove(range(10)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "matcher"
        timed("save", lambda: matcher.save(path))
        print(f"  {path.stat().st_size / 1e6:,.0f} MB")
        timed("load", lambda: Matcher.load(path))


def read(file: Path) -> dict[str, list[str]]:
    with file.open(encoding="utf-8", newline="") as stream:
        rows = csv.reader(stream, skipinitialspace=True)
        names = next(rows)
        columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    for name in ("rec_id", "entity_id"):
        columns.pop(name, None)
    return columns


def changed(record: dict[str, str], number: int) -> dict[str, str]:
    """A letter less in one value, as somebody types who is in a hurry."""
    names = [name for name, value in record.items() if len(value) > 4]
    if names:
        name = names[number % len(names)]
        at = 1 + number % (len(record[name]) - 2)
        record = {**record, name: record[name][:at] + record[name][at + 1 :]}
    return record


def yardstick() -> float:
    start = time.process_time()
    total = 0
    for number in range(10_000_000):
        total += number
    return time.process_time() - start


def timed(name: str, call: Callable[[], object]) -> object:
    start, cpu = time.perf_counter(), time.process_time()
    result = call()
    print(f"{name}: {time.perf_counter() - start:.2f} s, {time.process_time() - cpu:.2f} s of processor", flush=True)
    return result


def percentiles(name: str, calls: list[Callable[[], object]]) -> None:
    wall, cpu = [], []
    for call in calls:
        start, own = time.perf_counter_ns(), time.process_time_ns()
        call()
        wall.append(time.perf_counter_ns() - start)
        cpu.append(time.process_time_ns() - own)
    for clock, times in (("wall", wall), ("processor", cpu)):
        p50, p90, p99 = np.percentile(times, [50, 90, 99]) / 1000
        print(f"{name}, {clock}: p50 {p50:,.0f}  p90 {p90:,.0f}  p99 {p99:,.0f}  max {max(times) / 1000:,.0f} us")


if __name__ == "__main__":
    sys.exit(main())

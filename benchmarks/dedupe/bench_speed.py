"""Seconds and peak memory of `find_duplicates` over a growing number of rows, and of a peer in the same run.

    python benchmarks/dedupe/bench_speed.py FILE [FILE ...] [--peer COMMAND]

FILE is a CSV with columns rec_id, entity_id (the truth, withheld from the library) and attributes, such as a generator
of customers makes. Each file runs in a process of its own; seconds are those of the call, not of reading the file, cpu
those of all its threads. MB is the peak of the process, ``of it read`` what it held before the call. ``slow`` is how
many times slower this machine was than an idle core that adds ten million numbers in .45 s: on a shared machine,
seconds mean little without it.

With --peer the command is run for each file, ``{}`` standing for its path; it prints one line of JSON with ``seconds``
and ``rss_peak_mb``, for example Splink's faster setting:

    --peer "/path/python peers.py splink synthetic --csv {} --max-pairs 1e6 --no-best"
"""

from __future__ import annotations

import argparse
import csv
import json
import resource
import shlex
import subprocess
import sys
import time
from pathlib import Path

HEAD = "rows             s     cpu   slow    MB  of it read     F1     peer s    MB   F1    times"
_IDLE_SECONDS = 0.45


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--peer", help="command of a peer, {} for the file")
    parser.add_argument("--one", action="store_true", help="run this one file here and print JSON")
    args = parser.parse_args()
    if args.one:
        print(json.dumps(measure(args.files[0])))
        return
    print(HEAD)
    for file in args.files:
        m = run([sys.executable, __file__, "--one", str(file)])
        line = f"{m['rows']:9,}{m['seconds']:9.1f}{m['cpu']:8.1f}{m['slow']:7.1f}{m['mb']:6.0f}"
        line += f"{m['read_mb']:12.0f}{m['f1']:7.3f}"
        if args.peer:
            p = run([part.replace("{}", str(file)) for part in shlex.split(args.peer)])
            times = p["seconds"] / m["seconds"]
            line += f"{p['seconds']:11.1f}{p['rss_peak_mb']:6.0f}{p.get('cluster_f1', 0):6.3f}{times:8.1f}"
        print(line, flush=True)


def run(command: list[str]) -> dict[str, float]:
    """The JSON that a process prints last."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{command[0]} failed: {done.stderr.strip()[-300:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def slow() -> float:
    """How many times slower a plain loop is than on an idle core."""
    start = time.process_time()
    total = 0
    for number in range(10**7):
        total += number
    return (time.process_time() - start) / _IDLE_SECONDS


def read(file: Path) -> dict[str, list[str]]:
    """Columns of a CSV, each distinct text of a column held once."""
    with file.open(encoding="utf-8", newline="") as stream:
        lines = csv.reader(stream)
        names = next(lines)
        columns: list[list[str]] = [[] for _ in names]
        known: list[dict[str, str]] = [{} for _ in names]
        for line in lines:
            for column, seen, text in zip(columns, known, line, strict=True):
                column.append(seen.setdefault(text, text))
    return dict(zip(names, columns, strict=True))


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def f1(labels: object, truth: list[str]) -> float:
    """F1 over pairs of records."""
    import numpy as np

    def pairs(groups: object) -> int:
        counts = np.unique(groups, return_counts=True)[1].astype(np.int64)
        return int((counts * (counts - 1) // 2).sum())

    persons = np.unique(truth, return_inverse=True)[1]
    hits = pairs(np.asarray(labels) * (persons.max() + 1) + persons)
    return 2 * hits / max(pairs(labels) + pairs(persons), 1)


def measure(file: Path) -> dict[str, float]:
    from custinfo.dedupe import find_duplicates

    find_duplicates({"given_name": ["Ann", "Bob"], "family_name": ["Lee", "Ray"]})
    columns = read(file)
    truth = columns.pop("entity_id", [])
    columns.pop("rec_id", None)
    read_mb = peak_mb()
    before = slow()
    start, cpu = time.perf_counter(), time.process_time()
    found = find_duplicates(columns)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    mb = peak_mb()
    return {
        "rows": len(found.labels),
        "seconds": seconds,
        "cpu": cpu,
        "slow": (before + slow()) / 2,
        "mb": mb,
        "read_mb": read_mb,
        "f1": f1(found.labels, truth) if truth else float("nan"),
    }


if __name__ == "__main__":
    main()

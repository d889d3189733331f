"""Whatever is handed over: a clear error or a sensible answer, soon, and never a traceback from NumPy."""

import datetime
import decimal
import time

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from custinfo.dedupe import Matcher, cluster_values, find_duplicates, link
from custinfo.dedupe._kinds import KINDS, TOKENS
from custinfo.errors import CustInfoError

CELLS = st.one_of(
    st.none(),
    st.just(float("nan")),
    st.just(float("inf")),
    st.just(np.datetime64("NaT")),
    st.just(np.timedelta64("NaT")),
    st.just(decimal.Decimal("NaN")),
    st.sampled_from(
        ["", " ", "N/A", "\x00", "\ud800", "é", "张伟", "𝒜", "\u200b", "1900-01-01", "x@", "@", "'", "1" * 400]
    ),
    st.text(max_size=6),
    st.binary(max_size=4),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.dates(),
    st.datetimes(timezones=st.just(datetime.UTC)),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=1), st.integers(), max_size=1),
)
SWEEP = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@SWEEP
@given(st.data())
def test_any_cells_of_any_kind_give_a_partition(data):
    kinds = data.draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=4))
    rows = data.draw(st.integers(0, 7))
    columns = {f"c{k}": data.draw(st.lists(CELLS, min_size=rows, max_size=rows)) for k in range(len(kinds))}
    found = find_duplicates(columns, fields={f"c{k}": kind for k, kind in enumerate(kinds)})
    assert len(found) == rows
    for labels in (found.labels, found.auto):
        assert all(labels[label] == label <= row for row, label in enumerate(labels.tolist()))
    assert np.isfinite(found.pairs.weight).all()


@SWEEP
@given(st.data())
def test_any_cells_give_a_partition_without_kinds_and_as_tokens(data):
    rows = data.draw(st.integers(1, 6))
    names = data.draw(st.lists(st.sampled_from(["email", "phone", "name", "dob", "x", "address", "id"]), unique=True))
    columns = {name: data.draw(st.lists(CELLS, min_size=rows, max_size=rows)) for name in names}
    assert len(find_duplicates(columns)) == (rows if names else 0)
    tokens = dict(zip(names, TOKENS, strict=False))
    assert len(find_duplicates(columns, fields=tokens)) == (rows if names else 0)
    half = rows // 2
    parts = [{name: cells[part] for name, cells in columns.items()} for part in (slice(half), slice(half, None))]
    assert len(link(*parts)) == (rows if names else 0)
    cluster_values(columns.get("x", []))


@pytest.mark.parametrize(
    "records",
    [
        "a,b",
        b"a,b",
        7,
        None,
        object(),
        {"a": "text"},
        {"a": 5},
        {"a": np.zeros((2, 2))},
        {"a": [1], "b": [1, 2]},
        [1, 2],
        [{"a": 1}, 5],
        np.zeros(3),
    ],
)
def test_what_is_no_table_is_refused_with_a_code(records):
    for call in (find_duplicates, Matcher.fit, lambda table: link(table, {}), lambda table: link({}, table)):
        with pytest.raises(CustInfoError) as caught:
            call(records)
        assert caught.value.code


@pytest.mark.parametrize(
    "records", [{}, [], {"email": []}, {"email": ["ann@example.com"]}, [{}, {}], {"email": [None] * 9}]
)
def test_empty_tables_one_row_and_nothing_but_gaps_have_no_duplicates(records):
    found = find_duplicates(records)
    assert found.clusters == []
    assert found.labels.tolist() == list(range(len(found)))
    assert found.review().weight.tolist() == []
    assert found.diagnostics.warnings


def test_huge_cells_cost_little():
    row = ["x" * 1_000_000, "é" * 1_000_000, "张" * 1_000_000, "a@" * 500_000, "1 " * 500_000, b"\xff" * 1_000_000]
    columns = dict.fromkeys(("name", "email", "phone", "birth_date", "address", "company", "note"), row + row)
    start = time.process_time()
    found = find_duplicates(columns)
    assert len(found) == 12
    assert time.process_time() - start < 20


def test_tens_of_thousands_of_junk_columns_are_passed_over_or_refused_soon():
    email = {"email": ["ann@example.com", "ann@example.com", "bob@example.com"]}
    start = time.process_time()
    numbers = {f"junk {k}": [f"a{k}", "b2", f"c{k}"] for k in range(20_000)}
    assert find_duplicates({**numbers, **email}).labels.tolist() == [0, 0, 2]
    assert find_duplicates({**numbers, **email}, fields={"email": "email"}).labels.tolist() == [0, 0, 2]
    words = {f"junk {k}": ["yes", "no", "yes"] for k in range(3_000)}
    with pytest.raises(CustInfoError) as caught:
        find_duplicates({**words, **email})
    assert caught.value.code == "dedupe.columns"
    assert time.process_time() - start < 60


def test_identical_rows_of_two_sources_end_soon():
    one = {"name": ["Ann Lee"] * 30_000, "email": ["ann@example.com"] * 30_000}
    start = time.process_time()
    found = link(one, one)
    assert len(found.links) in (0, 30_000)
    assert len(found.auto_links) == 0
    assert time.process_time() - start < 20


def test_one_giant_block_between_sources_keeps_to_the_budget():
    rows = 15_000
    left = {"family_name": ["Smith"] * rows, "given_name": [f"g{k % 97}" for k in range(rows)]}
    right = {"family_name": ["Smith"] * rows, "given_name": [f"g{k % 89}" for k in range(rows)]}
    start = time.process_time()
    found = link(left, right, rules=[])
    assert len(found) == 2 * rows
    assert time.process_time() - start < 60


def test_no_error_tells_a_value():
    secret = "zz-secret-zz"
    for call in (
        lambda: find_duplicates({"a": [secret]}, fields={"a": "nonsense"}),
        lambda: find_duplicates({"a": [secret, "x"]}, link="a", fields={"a": "email"}, ids=[1]),
        lambda: find_duplicates({"a": [secret, "x", "y"], "email": ["p@example.com"] * 3}, link="a"),
        lambda: find_duplicates({"email": [secret] * 3}, rules=["a"]),
    ):
        with pytest.raises(CustInfoError) as caught:
            call()
        assert secret not in repr(caught.value)
        assert secret not in str(caught.value)

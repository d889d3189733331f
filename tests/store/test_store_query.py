"""Queries over keys: SQLite's statement against plain look-ups, and its plan."""

from __future__ import annotations

import itertools
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custinfo.errors import InvalidFieldError
from custinfo.store import Key, MemoryStore, Record, SqliteStore
from custinfo.store._query import check_query, statement

NAMES = ["at", "tag", "city"]
VALUES = ["", "a", "A", "b", "\u5f20", "\U0001f600"]
KEYS = st.frozensets(st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES)), max_size=5)
RUNS = itertools.count()
ENDS = st.none() | st.sampled_from(VALUES)


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory):
    with closing(SqliteStore(tmp_path_factory.mktemp("query") / "a.db")) as store:
        yield store


def plain(rows, all_of, range, order, after, limit):
    def meets(keys):
        name, low, high = range or (None, None, None)
        return set(all_of) <= keys and (
            range is None
            or any(n == name and (low is None or v >= low) and (high is None or v < high) for n, v in keys)
        )

    def place(id):
        return (min((v for n, v in rows[id] if n == order), default=None) if order else "", id)

    ids = sorted(place(id) for id in rows if meets(rows[id]) and place(id)[0] is not None)
    if after:
        ids = [pair for pair in ids if pair > place(after)]
    return [id for _, id in ids][:limit]


@settings(deadline=None)
@given(
    rows=st.dictionaries(st.sampled_from("abcDEF"), KEYS, max_size=6),
    all_of=st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES)), max_size=2),
    range=st.none() | st.tuples(st.sampled_from(NAMES), ENDS, ENDS),
    order=st.none() | st.sampled_from(NAMES),
    limit=st.integers(0, 3),
)
def test_a_query_finds_in_every_backend_what_plain_python_finds(sqlite, rows, all_of, range, order, limit):
    kind = f"k{next(RUNS)}"
    for store in (MemoryStore(), sqlite):
        with store.unit() as unit:
            for id, keys in rows.items():
                unit.put(Record(kind, id, 0, b""), [Key(*pair) for pair in keys], 0)
            conditions = {"all_of": all_of, "range": range, "order": order}
            everyone = plain(rows, all_of, range, order, "", 99)
            assert unit.query(kind, **conditions, limit=99) == everyone
            for after in ["", *everyone]:
                expected = plain(rows, all_of, range, order, after, limit)
                assert unit.query(kind, **conditions, after=after, limit=limit) == expected


@pytest.mark.parametrize("after", ["a", "gone"])
def test_to_go_on_after_a_record_without_a_place_in_the_order_is_refused(sqlite, after):
    for store in (MemoryStore(), sqlite):
        with store.unit() as unit:
            if not unit.get("placeless", ["a"]):
                unit.put(Record("placeless", "a", 0, b""), [Key("tag", "t")], 0)
            with pytest.raises(InvalidFieldError) as caught:
                unit.query("placeless", order="at", after=after, limit=9)
            assert caught.value.code == "store.after"


@pytest.mark.parametrize(
    "conditions",
    [
        {"all_of": [("tag", "a\0")]},
        {"range": ("at", "x" * 2000, None)},
        {"range": ("", None, None)},
        {"order": ""},
        {"after": "\ud800"},
        {"limit": -1},
    ],
)
def test_a_condition_that_no_key_can_meet_is_refused(sqlite, conditions):
    for store in (MemoryStore(), sqlite):
        with store.unit() as unit, pytest.raises(InvalidFieldError):
            unit.query("thing", **{"limit": 1, **conditions})


@pytest.mark.parametrize("all_of", [[], [("tag", "vip")], [("tag", "vip"), ("country", "CN")]])
@pytest.mark.parametrize("range", [None, ("at", "2024", "2025")])
@pytest.mark.parametrize(("order", "place"), [(None, None), ("at", None), ("at", "2024")])
def test_the_plan_walks_an_index_and_sorts_nothing(sqlite, all_of, range, order, place):
    sql, values = statement(check_query("customer", all_of, range, order, "c1", 10), place)
    with sqlite.unit(write=False) as unit:
        plan = [row[3] for row in unit._link.rows(f"EXPLAIN QUERY PLAN {sql}", values)]
    assert not any(line.startswith("SCAN") for line in plan), plan
    if order or all_of or not range:
        assert not any("TEMP B-TREE" in line for line in plan), plan

"""Blocking keys chosen from data, and the index of who has them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custinfo.dedupe._keyhash import pair_of, slot_of, slots_of, together
from custinfo.dedupe._plan import choose_plan
from custinfo.dedupe._postings import Postings


def slots(rows, rng, *sizes):
    """Columns of slots, each with so many different values."""
    return slots_of(
        np.stack([rng.integers(1, size + 1, rows) + 1000 * k for k, size in enumerate(sizes)], 1).astype("u8")
    )


@pytest.mark.parametrize("joined", [30, 2_000])
def test_keys_that_are_too_broad_alone_are_used_together(joined):
    rng = np.random.default_rng(3)
    half = slots(8_000, rng, 20, 40, 60, 5_000)
    # Everybody twice; the narrow slot is misspelt in every other copy, so that only broad ones remain.
    copy = half.copy()
    copy[::2, 3] = slots(4_000, rng, 10**9)[:, 0]
    every = np.concatenate([half, copy])
    names = ["given_name sound", "birth_date year", "locality", "email"]
    owners = [frozenset({name.split()[0]}) for name in names]
    left = np.arange(joined)
    plan = choose_plan(every, names, owners, left, left + 8_000)
    assert plan.singles == ("email",)
    assert plan.cap >= 3
    if joined > 1_000:
        assert plan.coverage > 0.5
        assert {frozenset(pair) for pair in plan.pairs} <= {
            frozenset(pair) for pair in zip(names * 4, [n for n in names for _ in names], strict=True)
        }
    assert choose_plan(every, names, owners, left, left + 8_000) == plan


def test_slots_of_one_field_make_no_key_together():
    rng = np.random.default_rng(4)
    every = slots(3_000, rng, 9, 9)
    same = [frozenset({"birth_date"})] * 2
    left = np.arange(500)
    assert choose_plan(every, ["birth_date day", "birth_date year"], same, left, left + 500).pairs == ()


@given(st.lists(st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1)), min_size=1, max_size=20))
def test_one_number_is_mixed_as_many(pairs):
    one, other = (np.array(column, np.uint64) for column in zip(*pairs, strict=True))
    assert slots_of(one).tolist() == [slot_of(int(x)) for x in one]
    assert together(one, other).tolist() == [pair_of(int(x), int(y)) for x, y in pairs]


@settings(max_examples=40, deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["insert", "remove", "merge"]), st.lists(st.integers(1, 9), min_size=2, max_size=2)),
        max_size=12,
    )
)
def test_an_index_knows_what_a_dictionary_knows(steps):
    postings, known, count = Postings(), {}, 0
    for what, keys in steps:
        if what == "insert":
            own = np.array([sorted(set(keys)) + [0] * (2 - len(set(keys)))], np.uint64)
            postings.insert(own, np.array([count]))
            known[count] = set(keys)
            count += 1
        elif what == "remove" and known:
            gone = min(known)
            postings.remove(np.array([sorted(known.pop(gone))], np.uint64), np.array([gone]))
        else:
            postings.whole()
        asked = np.arange(10, dtype=np.uint64)
        expected = [sum(key in own for own in known.values()) for key in range(1, 10)]
        assert postings.sizes(asked).tolist() == [0, *expected]
        which, members = postings.members(asked)
        pairs = {(int(asked[w]), int(m)) for w, m in zip(which, members, strict=True)}
        assert pairs == {(key, record) for record, own in known.items() for key in own}
        found = postings.of_record([1, 2, 3], 2, 2, lambda records: False).tolist()
        few = [key for key in (1, 2, 3) if expected[key - 1] < 2]
        assert set(found) == {record for record, own in known.items() if own & set(few)}

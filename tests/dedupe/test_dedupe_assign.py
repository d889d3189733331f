"""Links of two sources: as heavy as any, the same in every order, and done soon."""

import itertools
import math
import random
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custinfo.dedupe import _assign
from custinfo.dedupe._assign import assign, exclusive, nearest


def arrays(edges):
    """Edges as (left, right, weight): rows 0 ... 9 are of one source, 10 ... of the other."""
    left = np.array([a for a, _, _ in edges], np.int64)
    right = np.array([10 + b for _, b, _ in edges], np.int64)
    return left, right, np.array([w for _, _, w in edges], np.float64)


def heaviest(edges, copies, threshold):
    """The highest sum of weight above the threshold, by trying everything."""
    useful = [(a, 10 + b, w - threshold) for a, b, w in edges if w > threshold]

    def best(place, room):
        if place == len(useful):
            return 0.0
        a, b, gain = useful[place]
        top = best(place + 1, room)
        for amount in range(1, min(room[a], room[b]) + 1):
            left = dict(room)
            left[a] -= amount
            left[b] -= amount
            top = max(top, amount * gain + best(place + 1, left))
        return top

    return best(0, dict(enumerate(copies)))


EDGES = st.dictionaries(
    st.tuples(st.integers(0, 3), st.integers(0, 3)), st.integers(-4, 12).map(float), max_size=9
).map(lambda found: [(a, b, w) for (a, b), w in sorted(found.items())])
COPIES = st.lists(st.sampled_from([1, 1, 1, 2, 3]), min_size=14, max_size=14)


@given(EDGES, COPIES, st.sampled_from([0.0, 2.0, -3.0]))
def test_no_other_choice_of_links_weighs_more(edges, copies, threshold):
    left, right, weight = arrays(edges)
    made = assign(left, right, weight, threshold=threshold, copies=np.array(copies))
    assert made.exact
    used = np.zeros(14, int)
    np.add.at(used, left[made.chosen], made.amount)
    np.add.at(used, right[made.chosen], made.amount)
    assert (used <= copies).all()
    assert (made.amount > 0).all()
    assert (weight[made.chosen] > threshold).all()
    total = float(((weight[made.chosen] - threshold) * made.amount).sum())
    assert total == pytest.approx(heaviest(edges, copies, threshold))


@given(st.lists(st.floats(0.01, 20), min_size=16, max_size=16))
def test_fractions_are_weighed_exactly_enough(weights):
    edges = [(a, b, weights[4 * a + b]) for a in range(4) for b in range(4)]
    made = assign(*arrays(edges), threshold=0.0, copies=np.ones(14, int))
    best = max(sum(weights[4 * a + b] for a, b in enumerate(order)) for order in itertools.permutations(range(4)))
    assert sum(arrays(edges)[2][made.chosen]) == pytest.approx(best)


@given(EDGES, st.randoms(use_true_random=False))
def test_the_order_of_the_pairs_changes_nothing(edges, shuffle):
    mixed = list(edges)
    shuffle.shuffle(mixed)
    results = []
    for order in (edges, mixed):
        left, right, weight = arrays(order)
        made = assign(left, right, weight, threshold=0.0, copies=np.ones(14, int))
        results.append(sorted(zip(left[made.chosen], right[made.chosen], made.amount, strict=True)))
    assert results[0] == results[1]


def test_many_rivals_end_soon():
    rng = random.Random(3)
    pairs = sorted({(rng.randrange(2000), 2000 + rng.randrange(2000)) for _ in range(16_000)})
    left, right = (np.array(side, np.int64) for side in zip(*pairs, strict=True))
    weight = np.array([rng.choice([1.0, 2.0, 3.0]) for _ in pairs])
    start = time.process_time()
    made = assign(left, right, weight, threshold=0.0, copies=np.ones(4000, int))
    assert time.process_time() - start < 60
    assert len(made.chosen) > 1950


def test_where_the_best_choice_takes_too_long_links_are_still_one_to_one(monkeypatch):
    monkeypatch.setattr(_assign, "_STEPS_FLOOR", 3)
    monkeypatch.setattr(_assign, "_STEPS_PER_PAIR", 0)
    edges = [(a, b, float(1 + (a * b) % 3)) for a in range(4) for b in range(4)]
    left, right, _ = columns = arrays(edges)
    made = assign(*columns, threshold=0.0, copies=np.ones(14, int))
    assert not made.exact
    assert len(set(left[made.chosen])) == len(set(right[made.chosen])) == len(made.chosen) == 4


def test_the_nearest_of_each_may_be_the_same():
    left, right, weight = arrays([(0, 0, 5.0), (0, 1, 6.0), (1, 1, 2.0), (2, 0, -1.0), (3, 0, 1.0), (3, 1, 1.0)])
    made = nearest(left, right, weight, threshold=0.0, copies=np.array([1, 3, 1, 1] + [1] * 10))
    assert list(zip(left[made.chosen], right[made.chosen], made.amount, strict=True)) == [
        (0, 11, 1),
        (1, 11, 3),
        (3, 10, 1),
    ]


@given(EDGES, COPIES, st.booleans())
def test_odds_against_rivals_are_those_of_a_plain_sum(edges, copies, one_to_one):
    left, right, odds = arrays(edges)
    found = exclusive(left, right, odds, copies=np.array(copies), one_to_one=one_to_one)
    for k, (a, b, w) in enumerate(edges):
        rivals = sum(math.exp(v) * copies[10 + d] for c, d, v in edges if c == a and d != b)
        rivals += math.exp(w) * (copies[10 + b] - 1)
        if one_to_one:
            rivals += sum(math.exp(v) * copies[c] for c, d, v in edges if d == b and c != a)
            rivals += math.exp(w) * (copies[a] - 1)
        assert found[k] == pytest.approx(w - math.log1p(rivals))


def test_a_weak_rival_takes_little_from_a_sure_link():
    left, right, odds = arrays([(0, 0, 55.0), (0, 1, 1.0)])
    found = exclusive(left, right, odds, copies=np.ones(14, int), one_to_one=True)
    assert found[0] == pytest.approx(55 - math.log1p(math.e))

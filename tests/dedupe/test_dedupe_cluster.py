"""Components of three rows are clustered at once as one by one."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from custinfo.dedupe._cluster import NEVER, _join, partition

WEIGHTS = st.sampled_from([-9.0, -3.0, -1.0, 0.5, 1.0, 2.0, 3.0, 8.0, 9.0, NEVER]) | st.floats(-8, 8)


def no_more(left, right):
    return np.full(len(left), -1.0)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(WEIGHTS, WEIGHTS, WEIGHTS), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_threes_are_joined_as_one_by_one(triples, shuffle):
    pairs = []
    for number, (a, b, c) in enumerate(triples):
        row = 3 * number
        pairs += [(row, row + 1, a), (row, row + 2, b), (row + 1, row + 2, c)]
    shuffle.shuffle(pairs)
    left, right, weight = (np.array(column) for column in zip(*pairs, strict=True))
    label, *_ = partition(3 * len(triples), left, right, weight, threshold=0.0, clip=8.0, weigh=no_more)
    for number, weights in enumerate(triples):
        row = 3 * number
        clipped = [w if w <= NEVER else min(max(w, -8.0), 8.0) for w in weights]
        strong = [(x, y) for x, y, w in zip((0, 0, 1), (1, 2, 2), weights, strict=True) if w > 0]
        expected = [0, 1, 2]
        if len(strong) == 1:
            expected[strong[0][1]] = strong[0][0]
        elif strong:
            heads = _join([0, 0, 1], [1, 2, 2], clipped, True, None)
            expected = [heads[k] for k in range(3)]
        assert (label[row : row + 3] - row).tolist() == expected

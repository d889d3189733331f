"""What the bounds rule out is far apart indeed: the same answers as when every pair is looked at."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import OSA, JaroWinkler

from custinfo.dedupe._near import Values

TEXTS = st.lists(
    st.one_of(
        st.text("abcdehi", max_size=8),
        st.text("0123456789", min_size=6, max_size=9),
        st.text(max_size=5),
        st.sampled_from(["", "a" * 300, "a" * 299 + "b", "martha", "marhta", "dixon", "dicksonx", "张伟", "张玮"]),
    ),
    min_size=2,
    max_size=12,
)


def every_pair(texts):
    return np.triu_indices(len(texts), 1)


@settings(max_examples=150, deadline=None)
@given(TEXTS, st.sampled_from([1, 2]))
def test_edits_are_those_of_every_pair(texts, cutoff):
    a, b = every_pair(texts)
    found = Values.of(texts).edits(a, b, cutoff, 1)
    assert found.tolist() == [
        min(OSA.distance(texts[i], texts[j]), cutoff + 1) for i, j in zip(a.tolist(), b.tolist(), strict=True)
    ]


@settings(max_examples=150, deadline=None)
@given(TEXTS, st.sampled_from([0.84, 0.88]))
def test_what_is_alike_is_so_among_every_pair(texts, least):
    a, b = every_pair(texts)
    found = Values.of(texts).alike(a, b, least, 1)
    assert found.tolist() == [
        JaroWinkler.similarity(texts[i], texts[j]) >= least for i, j in zip(a.tolist(), b.tolist(), strict=True)
    ]


@pytest.mark.parametrize("least", [0.84, 0.88])
def test_similarity_exactly_at_the_bound_is_kept(least):
    texts = [f"{head}{tail}" for head in ("abcd", "abxy", "a") for tail in ("", "e", "ef", "efghij")]
    a, b = every_pair(texts)
    found = Values.of(texts).alike(a, b, least, 1)
    expected = [
        JaroWinkler.similarity(texts[i], texts[j]) >= least for i, j in zip(a.tolist(), b.tolist(), strict=True)
    ]
    assert found.tolist() == expected


def test_chunks_of_texts_make_no_difference():
    texts = [f"name {number % 977}" for number in range(70_000)]
    whole, part = Values.of(texts), Values.of(texts[-100:])
    assert whole.bags[-100:].tolist() == part.bags.tolist()
    assert whole.heads[-100:].tolist() == part.heads.tolist()

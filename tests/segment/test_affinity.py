from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custinfo.errors import InvalidFieldError
from custinfo.segment import affinity

PAIRS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["x", "y", "z", None])), max_size=30)


def table_of(pairs: list[tuple[str, Any]]) -> dict[str, list[Any]]:
    return {
        "customer_id": [one for one, _ in pairs],
        "merchant": [other for _, other in pairs],
        "occurred_at": ["2026-01-31"] * len(pairs),
    }


@settings(max_examples=40, deadline=None)
@given(PAIRS, st.sampled_from([0, 0.5, 5, 100]))
def test_lift_is_that_of_the_formula(pairs: list[tuple[str, Any]], smoothing: float) -> None:
    table = affinity(table_of(pairs), smoothing=smoothing)
    known = [pair for pair in pairs if pair[1] is not None]
    assert table.skipped == len(pairs) - len(known)
    both, of_customer = Counter(known), Counter(one for one, _ in known)
    of_value = Counter(other for _, other in known)
    assert list(zip(table.customer_ids.tolist(), table.value.tolist(), strict=True)) == sorted(both)
    for i, (customer, value) in enumerate(sorted(both)):
        p = of_value[value] / len(known)
        n = of_customer[customer]
        want = (both[customer, value] + smoothing * p) / (n + smoothing) / p
        assert table.count[i] == both[customer, value]
        assert table.share[i] == both[customer, value] / n
        assert table.lift[i] == pytest.approx(want, rel=1e-12)
        assert smoothing / (n + smoothing) - 1e-9 <= table.lift[i] <= 1 / p + 1e-9
        explained = table.explain(customer, value)
        assert explained.lift == table.lift[i]
        assert explained.base_share == p


def test_one_is_like_everybody_and_few_choices_stay_near_it() -> None:
    alike = affinity(table_of([(who, what) for who in "abc" for what in "xyz"]))
    np.testing.assert_allclose(alike.lift, 1)
    data = table_of([("a", "x")] * 100 + [("b", "x")] + [("c", "y")] * 101)
    lift = dict(zip(affinity(data).customer_ids.tolist(), affinity(data).lift.tolist(), strict=True))
    assert 1 < lift["b"] < 1.2 < 1.9 < lift["a"] < 2


def test_what_was_never_chosen_has_a_lift_below_one() -> None:
    table = affinity(table_of([("a", "x")] * 5 + [("b", "y")] * 5))
    never = table.explain("a", "y")
    assert (never.count, never.total, never.lift) == (0, 5, 0.5)
    assert never.text() == "y: 0 of 5 times, 50.0 % among all; smoothed lift 0.50"
    assert never.text("zh") == "y:5 次中 0 次,全体占 50.0 %;平滑后的提升度 0.50"
    with pytest.raises(InvalidFieldError, match="nobody chose this value") as info:
        table.explain("a", "q")
    assert info.value.code == "affinity.value"
    with pytest.raises(InvalidFieldError, match="'en' or 'zh'"):
        never.text("fr")
    assert repr(table) == "<Affinity to merchant: 2 pairs, 2 values>"
    assert "Affinity to merchant: 2 pairs" in table._repr_html_()


def test_the_strongest_preferences_come_first() -> None:
    table = affinity(table_of([("a", "x"), ("a", "y"), ("a", "y"), ("b", "x"), ("b", "x"), ("b", "z")]), smoothing=0)
    assert [one.value for one in table.top("a")] == ["y", "x"]
    assert [one.value for one in table.top("b", limit=1)] == ["z"]


@pytest.mark.parametrize("smoothing", [-1, float("nan"), float("inf")])
def test_smoothing_is_a_number_of_at_least_0(smoothing: float) -> None:
    with pytest.raises(InvalidFieldError) as info:
        affinity(table_of([]), smoothing=smoothing)
    assert info.value.code == "affinity.smoothing"

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custinfo.errors import AmountOverflowError, InvalidFieldError
from custinfo.segment import contribution, lifecycle, rfm, spend_bands, tiers, value_by_segment
from custinfo.segment._contribution import gini_of


def payments(*amounts: int) -> dict[str, list[Any]]:
    size = len(amounts)
    return {"customer_id": list(range(size)), "occurred_at": ["2026-01-31"] * size, "cents": list(amounts)}


def plain_gini(amounts: list[int]) -> Fraction:
    """Mean absolute difference over twice the mean, pair by pair."""
    n = len(amounts)
    return Fraction(sum(abs(a - b) for a in amounts for b in amounts), 2 * n * sum(amounts))


@settings(deadline=None)
@given(
    st.lists(st.integers(-100, 1000) | st.integers(0, 2**57), max_size=20),
    st.sampled_from([(0.8, 0.95), (0.5, 1), (0.1, 0.2)]),
)
def test_shares_classes_and_gini_are_those_of_fractions(amounts: list[int], limits: tuple[float, float]) -> None:
    table = contribution(payments(*amounts), amount_minor="cents", limits=limits)
    ranked = sorted(enumerate(amounts), key=lambda pair: (-pair[1], pair[0]))
    assert table.customer_ids.tolist() == [who for who, _ in ranked]
    assert table.amount_minor.tolist() == [amount for _, amount in ranked]
    counted = [max(amount, 0) for _, amount in ranked]
    total = sum(counted)
    assert table.total_minor == total
    assert (table.negative_minor, table.negative_customers) == (
        sum(amount for amount in amounts if amount < 0),
        sum(amount < 0 for amount in amounts),
    )
    before, classes = 0, []
    end_a, end_b = (Fraction(str(limit)) for limit in limits)
    for amount in counted:
        part = Fraction(before, total) if total else 0
        classes.append("C" if not amount or part >= end_b else "B" if part >= end_a else "A")
        before += amount
    assert table.abc.tolist() == classes
    if not total:
        assert np.isnan(table.gini)
        assert (table.share == 0).all()
        return
    assert table.gini == pytest.approx(float(plain_gini(counted)), rel=1e-12)
    assert table.share.sum() == pytest.approx(1, rel=1e-12)
    assert table.cumulative_share[-1] == pytest.approx(1, rel=1e-15)
    np.testing.assert_allclose(table.share, [amount / total for amount in counted], rtol=1e-15)


def test_textbook_values_of_the_gini_coefficient() -> None:
    assert gini_of(np.array([1, 2, 3, 4, 5])) == pytest.approx(4 / 15)  # (n + 1) / 3n of 1 ... n less 1 / n: 4 / 15
    assert gini_of(np.array([0] * 99 + [7])) == 0.99
    assert gini_of(np.full(10, 2**59)) == 0


def test_cdnow_shares_add_up_to_100_per_cent(cdnow_payments: dict[str, list[Any]]) -> None:
    table = contribution(cdnow_payments)
    assert 100 * table.share.sum() == pytest.approx(100, abs=1e-9)
    assert table.total_minor == 24_409_194
    assert sum(table.counts().values()) == len(table) == 2357
    assert table.top_share(0.2) == pytest.approx(0.675, abs=0.0005)


def test_the_customer_who_crosses_the_line_is_in_the_better_class() -> None:
    table = contribution(payments(80, 15, 5), amount_minor="cents")
    assert table.abc.tolist() == ["A", "B", "C"]
    assert contribution(payments(79, 16, 5), amount_minor="cents").abc.tolist() == ["A", "A", "C"]
    assert table.counts() == {"A": 1, "B": 1, "C": 1}
    assert (table.top_share(0), table.top_share(0.34), table.top_share(1)) == (0.0, 0.95, 1.0)
    assert repr(table).startswith("<Contribution: 3 customers, 100 minor units, top 20 % bring 80.0 %, Gini 0.5")
    with pytest.raises(InvalidFieldError) as info:
        table.top_share(1.1)
    assert info.value.code == "contribution.part"


def test_negative_sums_are_stated_and_in_no_share() -> None:
    table = contribution(payments(50, 50, -30), amount_minor="cents")
    assert table.share.tolist() == [0.5, 0.5, 0.0]
    assert (table.negative_minor, table.negative_customers) == (-30, 1)
    assert "1 with negative sums not in the shares" in table._repr_html_()
    without = contribution(payments(50, 50, -30), amount_minor="cents", refunds="exclude")
    assert without.customer_ids.tolist() == [0, 1]


def test_the_lowest_integer_is_ranked_last() -> None:
    assert contribution(payments(-(2**63), 5, 0), amount_minor="cents").customer_ids.tolist() == [1, 2, 0]
    with pytest.raises(AmountOverflowError):
        contribution(payments(2**62, 2**62), amount_minor="cents")


@pytest.mark.parametrize("limits", [(0.9, 0.8), (0, 0.5), (0.5, 1.5), (0.5, 0.5), ("x", 1), 5])
def test_limits_must_ascend_between_0_and_1(limits: Any) -> None:
    with pytest.raises(InvalidFieldError) as info:
        contribution(payments(1), amount_minor="cents", limits=limits)
    assert info.value.code == "contribution.limits"


# ---- value by segment ----

SEGMENTS = st.lists(st.tuples(st.sampled_from(["new", "loyal", None]), st.integers(-50, 500)), max_size=15)


@settings(deadline=None)
@given(SEGMENTS)
def test_value_by_segment_is_that_of_a_plain_loop(rows: list[tuple[str | None, int]]) -> None:
    table = value_by_segment(
        {"customer_id": list(range(len(rows))), "segment": [r[0] for r in rows], "monetary_minor": [r[1] for r in rows]}
    )
    sums = {name: sum(money for other, money in rows if other == name) for name, _ in rows}
    order = sorted(sums, key=lambda name: (-sums[name], name is None, name or ""))
    assert table.segment.tolist() == order
    total = sum(sums.values())
    for i, name in enumerate(order):
        number = sum(other == name for other, _ in rows)
        assert (table.customers[i], table.amount_minor[i]) == (number, sums[name])
        assert table.mean_minor[i] == round(Fraction(sums[name], number))
        if total > 0:
            assert table.amount_share[i] == sums[name] / total
            assert table.index[i] == pytest.approx(sums[name] / total / (number / len(rows)))
        else:
            assert np.isnan(table.amount_share[i])
    if total > 0:
        assert table.amount_share.sum() == pytest.approx(1)


def test_segments_come_from_any_table_of_the_same_customers(cdnow_payments: dict[str, list[Any]]) -> None:
    scored = rfm(cdnow_payments)
    for by in (tiers(scored), spend_bands(cdnow_payments), lifecycle(cdnow_payments), contribution(cdnow_payments)):
        value = value_by_segment(scored, by)
        assert value.total_minor == 24_409_194
        assert value.customers.sum() == 2357
        assert None not in value.segment.tolist()
    named = value_by_segment(scored, "r")
    assert sorted(named.segment.tolist()) == [1, 2, 3, 4, 5]
    assert repr(value_by_segment(scored)).startswith("<SegmentValue: ")
    assert "Value by segment: 2,357 customers" in value_by_segment(scored)._repr_html_()


def test_customers_without_a_segment_are_a_group_of_their_own() -> None:
    table = {"customer_id": [1, 2], "monetary_minor": [5, 7]}
    value = value_by_segment(table, {"customer_id": [1], "region": ["north"]})
    assert value.segment.tolist() == [None, "north"]
    for by, code in (
        ({"customer_id": [1, 1], "region": ["a", "b"]}, "segment.twice"),
        ({"customer_id": [1]}, "columns.missing"),
        ({"region": ["a"], "x": [1]}, "columns.missing"),
    ):
        with pytest.raises(InvalidFieldError) as info:
            value_by_segment(table, by)
        assert info.value.code == code
    for amounts in ([1.5, 2.5], np.array([2**63, 1], np.uint64), [2**64, 1]):
        with pytest.raises(InvalidFieldError) as info:
            value_by_segment({"customer_id": [1, 2], "segment": ["a", "b"], "monetary_minor": amounts})
        assert info.value.code == "segment.amount"
    with pytest.raises(AmountOverflowError):
        value_by_segment({"customer_id": [1, 2], "segment": ["a", "b"], "monetary_minor": [2**62, 2**62]})

"""Special functions and the counting of histories against slow ones."""

from __future__ import annotations

import math
from collections import Counter
from decimal import Decimal, localcontext
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custinfo.segment import _distinct
from custinfo.segment._distinct import count_once, with_places
from custinfo.segment._histories import Histories, RisingSums
from custinfo.segment._optimise import maximise
from custinfo.segment._special import log_rising, mean_decay, trigamma


@settings(deadline=None)
@given(st.floats(-8, 8).map(lambda power: 10**power), st.integers(0, 400))
def test_the_logarithm_of_a_rising_factorial_is_the_sum_of_logarithms(start: float, count: int) -> None:
    value, slope, curve = (float(part) for part in log_rising(start, count))
    assert value == pytest.approx(math.fsum(math.log(start + i) for i in range(count)), rel=1e-13, abs=1e-13)
    assert slope == pytest.approx(math.fsum(1 / (start + i) for i in range(count)), rel=1e-13)
    assert curve == pytest.approx(-math.fsum((start + i) ** -2 for i in range(count)), rel=1e-13)


def test_a_rising_factorial_takes_any_count() -> None:
    assert float(log_rising(0.5, 0.25)[0]) == pytest.approx(math.lgamma(0.75) - math.lgamma(0.5), rel=1e-14)
    assert float(log_rising(2.0, 1e9)[0]) == pytest.approx(math.lgamma(1e9 + 2), rel=1e-14)


def test_trigamma_is_the_slope_of_the_slope_of_log_gamma() -> None:
    # Abramowitz and Stegun, 1964, 6.4.4 and 6.4.5
    want = [math.pi**2 / 2, math.pi**2 / 6, math.pi**2 / 6 - 1]
    assert trigamma(np.array([0.5, 1.0, 2.0])) == pytest.approx(want, rel=1e-14)


def test_sums_by_steps_and_by_gamma_functions_are_one() -> None:
    x = np.array([0, 1, 1, 7, 500])
    few = RisingSums(Histories.of(x, x, x + 1, None))(np.array([0.3, 4.0]))
    slow = [np.array([float(log_rising(start, x)[part].sum()) for start in (0.3, 4.0)]) for part in range(3)]
    for got, want in zip(few, slow, strict=True):
        assert got == pytest.approx(want, rel=1e-12)
    more = np.append(x, 501)
    by_gamma = RisingSums(Histories.of(more, more, more + 1, None))(np.array([0.3, 4.0]))
    for got, want, part in zip(by_gamma, slow, range(3), strict=True):
        assert got == pytest.approx(want + log_rising(np.array([0.3, 4.0]), 501)[part], rel=1e-12)


def slow_mean_decay(r: float, b: float, a: float, x: int, ratio: float) -> float:
    """The printed form, with its 2F1 summed in sixty digits."""
    with localcontext() as context:
        context.prec = 70
        r_, b_, a_, t = Decimal(r), Decimal(b), Decimal(a), Decimal(ratio)
        z, c = t / (1 + t), a_ + b_ + x - 1
        total = term = Decimal(1)
        k = 0
        while abs(term) > abs(total) * Decimal(10) ** -45 or k < 50:
            term = term * (r_ + x + k) * (b_ + x + k) / ((c + k) * (k + 1)) * z
            total += term
            k += 1
        return float(c / (a_ - 1) * (1 - (1 - z) ** (r_ + x) * total))


SIZE = st.floats(-1.5, 2).map(lambda power: float(10**power))


@settings(max_examples=60, deadline=None)
@given(SIZE, SIZE, SIZE, st.integers(0, 2000), st.sampled_from([1e-9, 1e-3, 0.3, 0.5, 1.9, 2.0, 2.1, 30.0]))
def test_the_expectation_of_a_living_customer_is_the_printed_2f1(
    r: float, b: float, a: float, x: int, ratio: float
) -> None:
    if a == 1 or a + b + x == 1:
        return
    got = float(mean_decay(r, b, a, np.array([float(x)]), np.array([ratio]))[0])
    assert got == pytest.approx(slow_mean_decay(r, b, a, x, ratio), rel=1e-9)


@pytest.mark.parametrize(("r", "b", "a", "x"), [(0.2, 2.4, 0.8, 0), (1.5, 0.4, 3.0, 2), (0.5, 0.5, 0.5, 0)])
def test_z_may_come_close_to_one(r: float, b: float, a: float, x: int) -> None:
    # the derivative by the ratio, 2F1 transformed to 1 - z, would need gamma functions; a fine sum needs none
    for ratio in (1e3, 1e6):
        y = np.linspace(-200, 60, 400_001)
        log_p, log_rest = -np.logaddexp(0, -y), -np.logaddexp(0, y)
        weight = np.exp(a * log_p + (b + x) * log_rest)
        p = np.exp(log_p)
        want = (weight * -np.expm1(-(r + x) * np.log1p(p * ratio)) / p).sum() / weight.sum()
        got = mean_decay(r, b, a, np.array([float(x)]), np.array([ratio]))
        assert float(got[0]) == pytest.approx(float(want), rel=1e-10)


def test_a_value_does_not_depend_on_the_other_rows() -> None:
    rng = np.random.default_rng(4)
    x, ratio = rng.integers(0, 1500, 60).astype(float), rng.random(60) * 4
    whole = mean_decay(0.2, 2.4, 0.8, x, ratio)
    alone = [float(mean_decay(0.2, 2.4, 0.8, x[i : i + 1], ratio[i : i + 1])[0]) for i in range(60)]
    assert whole == pytest.approx(alone, rel=1e-13)


ROW = st.tuples(st.sampled_from([0.0, -0.0, 1.0, 2.5, 1e-300]), st.sampled_from([0.0, 1.0, 3.0]))


@settings(deadline=None)
@given(st.lists(ROW, max_size=30), st.booleans(), st.booleans())
def test_rows_are_counted_once_each(rows: list[Any], weighted: bool, whole: bool) -> None:
    columns = [np.array([row[i] for row in rows], np.float64) + 0.0 for i in range(2)]
    weights: Any = np.arange(len(rows)) * (1.0 if whole else 0.1) if weighted else None
    got, weight = count_once(columns, weights)
    want: Counter[Any] = Counter()
    for i, row in enumerate(rows):
        want[row] += 1 if weights is None else weights[i]
    found = dict(zip(zip(*(column.tolist() for column in got), strict=True), weight.tolist(), strict=True))
    assert found == pytest.approx({row: total for row, total in want.items() if total > 0})
    distinct, places = with_places(columns)
    for column, unique in zip(columns, distinct, strict=True):
        assert unique[places].tolist() == column.tolist()


def test_two_rows_of_one_hash_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_distinct, "_grouped", lambda columns: None)
    columns = [np.array([2.0, 1.0, 2.0]), np.array([3.0, 3.0, 3.0])]
    rows, weight = count_once(columns, None)
    assert (rows[0].tolist(), weight.tolist()) == ([1.0, 2.0], [1.0, 2.0])
    assert with_places(columns)[1].tolist() == [1, 0, 1]


def test_a_real_collision_of_hashes_is_noticed() -> None:
    def mixed(column: Any) -> Any:  # the hash of one column, as one-to-one as each of its steps
        key = column.view(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        key ^= key >> np.uint64(32)
        key *= np.uint64(0xD6E8FEB86659FD93)
        return key ^ (key >> np.uint64(32))

    first, second = np.array([1.0, 2.0]), np.array([5.0, 5.0])
    assert _distinct._grouped([first, second]) is not None
    key = mixed(first)
    second.view(np.uint64)[1:] += key[:1] - key[1:]  # so that the sums are equal
    assert np.isfinite(second).all()
    assert _distinct._grouped([first, second]) is None
    rows, weight = count_once([first, second], None)
    assert sorted(rows[0].tolist()) == [1.0, 2.0]
    assert weight.tolist() == [1.0, 1.0]


def test_the_search_turns_round_where_the_function_is_not_concave() -> None:
    def hill(p: Any) -> Any:  # a bell over log p, convex at the start
        u = math.log(p[0]) - 3
        value = math.exp(-u * u / 2)
        slope = -u * value
        return value, np.array([slope / p[0]]), np.array([[((u * u - 1) * value - slope) / p[0] ** 2]])

    found = maximise(hill, np.array([1.0]))
    assert found.converged
    assert float(found.parameters[0]) == pytest.approx(math.exp(3), rel=1e-3)


def test_a_search_on_a_plain_ends_and_says_so() -> None:
    def plain(p: Any) -> Any:
        return 1.0, np.zeros(1), np.zeros((1, 1))

    found = maximise(plain, np.array([1.0]))
    assert not found.converged
    assert np.isnan(found.standard_errors).all()

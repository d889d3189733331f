"""CLV models on data of every kind: order, weights, units, and data that say little or nothing."""

from __future__ import annotations

import math
import pickle
import warnings
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custinfo.errors import InvalidFieldError
from custinfo.segment import (
    BgNbd,
    GammaGamma,
    ModelWarning,
    ParetoNbd,
    customer_lifetime_value,
    fit_bg_nbd,
    fit_gamma_gamma,
    fit_pareto_nbd,
)

FITS = pytest.mark.parametrize("fit", [fit_bg_nbd, fit_pareto_nbd])
MODELS = (
    BgNbd(r=0.243, alpha=4.414, a=0.793, b=2.426),
    ParetoNbd(r=0.5532, alpha=10.577, s=0.6062, beta=11.669),
)
PURCHASES = pytest.mark.parametrize("model", MODELS)
VALUE = GammaGamma(p=6.25, q=3.74, v=15.44)


def made_up(r: float, alpha: float, a: float, b: float, n: int, seed: int) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(seed)
    rate, chance, age = rng.gamma(r, 1 / alpha, n), rng.beta(a, b, n), rng.integers(100, 300, n) / 7
    count, last, alive = np.zeros(n), np.zeros(n), np.arange(n)
    while len(alive):
        then = last[alive] + rng.exponential(1 / np.maximum(rate[alive], 1e-12))
        alive, then = alive[then <= age[alive]], then[then <= age[alive]]
        count[alive] += 1
        last[alive] = then
        alive = alive[rng.random(len(alive)) >= chance[alive]]
    return count, last, age


@pytest.fixture(scope="module")
def histories() -> tuple[Any, Any, Any]:
    return made_up(0.4, 5, 0.9, 2.5, 3000, 0)


def parameters(model: Any) -> list[float]:
    return [getattr(model, name) for name in model.standard_errors]


@pytest.mark.parametrize("seed", range(6))
def test_known_parameters_are_found_within_their_standard_errors(seed: int) -> None:
    rng = np.random.default_rng(seed)
    true = {"r": rng.uniform(0.2, 1.5), "alpha": rng.uniform(2, 12), "a": rng.uniform(0.5, 1.5), "b": rng.uniform(1, 4)}
    found = fit_bg_nbd(*made_up(**true, n=6000, seed=seed))
    for name, error in found.standard_errors.items():
        distance = math.log(getattr(found, name) / true[name]) * getattr(found, name) / error
        assert abs(distance) < 4.5


@pytest.mark.parametrize("seed", range(4))
def test_known_values_of_purchases_are_found_within_their_standard_errors(seed: int) -> None:
    rng = np.random.default_rng(seed)
    true = {"p": rng.uniform(1, 8), "q": rng.uniform(2, 5), "v": rng.uniform(5, 50)}
    x = rng.integers(1, 12, 4000)
    mean = rng.gamma(true["p"] * x) / x / rng.gamma(true["q"], 1 / true["v"], 4000)
    found = fit_gamma_gamma(x, mean)
    for name, error in found.standard_errors.items():
        assert abs(math.log(getattr(found, name) / true[name])) * getattr(found, name) / error < 4.5


@FITS
def test_row_order_changes_no_bit(fit: Any, histories: Any) -> None:
    order = np.random.default_rng(1).permutation(len(histories[0]))
    weights = np.random.default_rng(2).random(len(order))
    shuffled = [column[order] for column in histories]
    assert fit(*histories) == fit(*shuffled)
    assert fit(*histories, weights=weights) == fit(*shuffled, weights=weights[order])
    one, other = fit(*histories), fit(*histories)
    assert one.probability_alive(*histories)[order].tolist() == other.probability_alive(*shuffled).tolist()
    assert one.expected_purchases(9, *histories)[order].tolist() == other.expected_purchases(9, *shuffled).tolist()


@FITS
def test_a_weight_of_two_is_the_row_twice_bit_for_bit(fit: Any, histories: Any) -> None:
    twice = [np.concatenate([column, column]) for column in histories]
    assert fit(*histories, weights=np.full(len(histories[0]), 2)) == fit(*twice)


def test_values_of_purchases_do_not_depend_on_row_order_either(histories: Any) -> None:
    x = histories[0][histories[0] > 0]
    mean = np.random.default_rng(3).gamma(3, 10, len(x)).round(2) + 0.01
    order = np.random.default_rng(4).permutation(len(x))
    assert fit_gamma_gamma(x, mean) == fit_gamma_gamma(x[order], mean[order])
    assert fit_gamma_gamma(x, mean, weights=np.full(len(x), 2)) == fit_gamma_gamma(np.tile(x, 2), np.tile(mean, 2))


@FITS
@pytest.mark.parametrize("unit", [7.0, 168.0, 604_800e6, 1 / 52.18, 1e-9])
def test_any_unit_of_time_gives_the_same_model(fit: Any, unit: float, histories: Any) -> None:
    plain, other = fit(*histories), fit(histories[0], histories[1] * unit, histories[2] * unit)
    for name in plain.standard_errors:
        scale = unit if name in {"alpha", "beta"} else 1.0
        assert getattr(other, name) == pytest.approx(getattr(plain, name) * scale, rel=1e-6)
        assert other.standard_errors[name] == pytest.approx(plain.standard_errors[name] * scale, rel=1e-5)
    moved = histories[0].sum() * math.log(unit)
    assert other.log_likelihood == pytest.approx(plain.log_likelihood - moved, rel=1e-9)


@FITS
def test_more_distinct_histories_than_a_sample_give_what_threads_or_not_say(
    fit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(7)
    count, last, age = made_up(0.4, 5, 0.9, 2.5, 18_000, 5)
    age = age + rng.random(len(age)) / 7  # now no two histories are alike
    monkeypatch.setenv("CUSTINFO_THREADS", "1")
    alone = fit(count, last, age)
    monkeypatch.setenv("CUSTINFO_THREADS", "3")
    assert fit(count, last, age) == alone
    monkeypatch.setattr("custinfo.segment._histories._SAMPLE", 10**9)
    assert parameters(fit(count, last, age)) == pytest.approx(parameters(alone), rel=1e-5)


# ---- data that say too little ----


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(InvalidFieldError) as info:
        call()
    return info.value.code


@FITS
@pytest.mark.parametrize(
    ("x", "last", "age", "code"),
    [([0, 0], [0, 0], [3, 3], "clv.no_repeat"), ([1], [1], [2], "clv.too_few"), ([], [], [], "clv.too_few"),
     ([0, 0], [0, 0], [0, 0], "clv.no_repeat"), ([1, 1], [0, 0], [0, 0], "clv.value"),
     ([1.5, 1], [1, 1], [2, 2], "clv.value"), ([-1, 1], [1, 1], [2, 2], "clv.value"),
     ([1, 1], [3, 1], [2, 2], "clv.value"), ([0, 1], [1, 1], [2, 2], "clv.value"),
     ([1, math.nan], [1, 1], [2, 2], "clv.value"), ([1, 1], [1, math.inf], [2, math.inf], "clv.value"),
     ([1, None], [1, 1], [2, 2], "clv.value"), (["a", 1], [1, 1], [2, 2], "clv.value"),
     ([1, 1], [1, 1, 1], [2, 2], "clv.shape"), ([1, 1], [1, 1], 2, "clv.shape"),
     ([1, 1], [-1, 1], [2, 2], "clv.value"), ([1, 1], [-2, -1], [-1, -1], "clv.value")],
)  # fmt: skip
def test_histories_that_cannot_be_fitted_say_why(fit: Any, x: Any, last: Any, age: Any, code: str) -> None:
    assert code_of(lambda: fit(x, last, age)) == code


def test_an_error_names_the_row() -> None:
    with pytest.raises(InvalidFieldError, match="recency must be between 0 and age; row 2 is not") as info:
        fit_bg_nbd([1, 1, 1], [1, 1, 5], [2, 2, 2])
    assert info.value.details["row"] == 2


@FITS
@pytest.mark.parametrize(
    "rows",
    [
        [(1, 5, 5)] * 3,
        [(3, 30, 39)] * 50,
        [(0, 0, 39)] * 500 + [(1, 3, 39)],
        [(100_000, 38, 39), (0, 0, 39), (2, 3, 39), (90_000, 39, 39)],
        [(1, 0, 39), (1, 0, 20), (0, 0, 3)],
        [(1, 1e-9, 39), (0, 0, 0), (5, 39, 39)],
    ],
)
def test_hard_data_give_a_model_and_perhaps_a_warning_but_no_nonsense(fit: Any, rows: Any) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = fit(*np.array(rows, np.float64).T)
    assert {type(warning.message) for warning in caught} <= {ModelWarning}
    assert {warning.message.code for warning in caught} <= {"clv.boundary"}  # type: ignore[union-attr]
    assert {warning.filename for warning in caught} <= {__file__}
    x, last, age = np.array(rows, np.float64).T
    for t in (0, 1e-6, 39, 1e6):
        expected = model.expected_purchases(t, x, last, age)
        assert np.isfinite(expected).all()
        assert (expected >= 0).all()
    alive = model.probability_alive(x, last, age)
    assert ((alive >= 0) & (alive <= 1)).all()


@FITS
def test_rows_of_weight_zero_do_not_count(fit: Any, histories: Any) -> None:
    more = [np.append(column, value) for column, value in zip(histories, (50, 1, 40), strict=True)]
    assert fit(*more, weights=np.append(np.ones(len(histories[0])), 0)) == fit(*histories)


def test_all_alike_is_a_warning_that_programs_can_read() -> None:
    with pytest.warns(ModelWarning, match="do not determine") as caught:
        fit_pareto_nbd([2, 2, 2], [5, 5, 5], [9, 9, 9])
    assert [warning.message.code for warning in caught] == ["clv.boundary"]  # type: ignore[union-attr]
    again = pickle.loads(pickle.dumps(caught[0].message))
    assert (again.code, str(again)) == (caught[0].message.code, str(caught[0].message))  # type: ignore[union-attr]


# ---- predictions ----

ANY = st.tuples(
    st.one_of(st.integers(0, 30), st.integers(0, 10**5)), st.floats(0, 1), st.floats(1e-6, 1e6), st.floats(0, 1e9)
)


@settings(max_examples=60, deadline=None)
@given(ANY, st.tuples(*[st.floats(-3, 3).map(lambda power: float(10**power))] * 4))
def test_no_prediction_is_ever_negative_or_not_a_number(history: Any, drawn: Any) -> None:
    x, share, age, t = history
    last = share * age if x else 0.0
    one, two, three, four = drawn
    for model in (BgNbd(r=one, alpha=two, a=three, b=four), ParetoNbd(r=one, alpha=two, s=three, beta=four)):
        alive = float(model.probability_alive(x, last, age))
        assert 0 <= alive <= 1
        soon, later = model.expected_purchases([t / 2, t], x, last, age).tolist()
        assert 0 <= soon <= later * (1 + 1e-9) + 1e-300
        assert math.isfinite(later)
        # nobody is expected to buy more often than at the posterior mean rate all the time
        assert later <= (one + x) / (two + age) * t * (1 + 1e-9) + 1e-300


@PURCHASES
def test_arguments_are_checked_and_broadcast(model: Any) -> None:
    assert code_of(lambda: model.expected_purchases(-1)) == "clv.value"
    assert code_of(lambda: model.expected_purchases(math.nan)) == "clv.value"
    assert code_of(lambda: model.expected_purchases(1, frequency=2)) == "clv.shape"
    assert code_of(lambda: model.expected_purchases([1, 2], [1, 1, 1], [1, 1, 1], [2, 2, 2])) == "clv.shape"
    assert code_of(lambda: model.probability_alive(1, 3, 2)) == "clv.value"
    for n, t in ((-1, 3), (1.5, 3), (1, -3), (1, math.inf), ([1, 2], 3)):
        assert code_of(lambda n=n, t=t: model.purchase_probability(n, t)) == "clv.value"  # type: ignore[misc]
    assert model.expected_purchases([[1], [2]], [1, 1, 0], [1, 2, 0], [3, 3, 3]).shape == (2, 3)
    assert model.expected_purchases(3).shape == ()
    assert model.expected_purchases(3, [], [], []).shape == (0,)
    assert float(model.expected_purchases(0, 2, 30, 38)) == 0.0
    assert 0 < model.purchase_probability(3, 39) < model.purchase_probability(0, 39) < 1


@PURCHASES
def test_a_model_shows_itself_as_a_table(model: Any, histories: Any) -> None:
    assert "standard error" in model._repr_html_()
    fitted = (fit_bg_nbd if isinstance(model, BgNbd) else fit_pareto_nbd)(*histories)
    assert "log-likelihood" in fitted._repr_html_()
    assert "Gamma-Gamma" in VALUE._repr_html_()


@PURCHASES
def test_a_lifetime_value_is_discounted_period_by_period(model: Any) -> None:
    history = {"frequency": [2, 2], "recency": [30.43, 30.43], "age": [38.86, 38.86], "monetary": [22.35, Decimal(30)]}
    one = float(model.expected_purchases(10, 2, 30.43, 38.86))
    two = float(model.expected_purchases(20, 2, 30.43, 38.86))
    count = one / 1.1 + (two - one) / 1.21
    want = count * VALUE.expected_value([2, 2], [22.35, 30]) / 2
    got = customer_lifetime_value(model, VALUE, history, periods=2, period_length=10, discount_rate=0.1, margin=0.5)
    assert got == pytest.approx(want)


def test_a_lifetime_value_takes_tables_and_checks_its_arguments() -> None:
    pandas = pytest.importorskip("pandas")
    history = {"frequency": [0, 2], "recency": [0, 3.0], "age": [3, 4.0], "monetary": [0, 12.5]}
    model = MODELS[1]
    want = customer_lifetime_value(model, VALUE, history).tolist()
    assert customer_lifetime_value(model, VALUE, pandas.DataFrame(history)).tolist() == want
    assert code_of(lambda: customer_lifetime_value(model, VALUE, {"frequency": [1]})) == "columns.missing"
    assert code_of(lambda: customer_lifetime_value(model, VALUE, {**history, "monetary": [5]})) == "columns.length"
    for wrong in ({"periods": 0}, {"periods": 1.5}, {"periods": math.nan}, {"period_length": 0}, {"margin": "x"},
                  {"discount_rate": -1}, {"margin": -1}, {"margin": math.inf}):  # fmt: skip
        assert code_of(lambda wrong=wrong: customer_lifetime_value(model, VALUE, history, **wrong)) == "clv.value"  # type: ignore[misc]


def test_a_mean_without_bound_makes_an_infinite_value_and_never_nan() -> None:
    wild = GammaGamma(p=2.0, q=0.6, v=10.0)
    history = {"frequency": [0, 3], "recency": [0, 3.0], "age": [3, 4.0], "monetary": [0, 12.5]}
    got = customer_lifetime_value(MODELS[0], wild, history)
    assert got[0] == math.inf
    assert 0 < got[1] < math.inf
    assert customer_lifetime_value(MODELS[0], wild, history, margin=0).tolist() == [0, 0]


@pytest.mark.parametrize(
    ("x", "mean", "code"),
    [([1, -1], [5, 5], "clv.value"), ([1, 1], [5, -5], "clv.value"), ([1, 1], [5, "x"], "clv.value"),
     ([0, 1], [0, 5], "clv.too_few"), ([1, 1], [0, 5], "clv.value")],
)  # fmt: skip
def test_values_that_cannot_be_fitted_say_why(x: Any, mean: Any, code: str) -> None:
    assert code_of(lambda: fit_gamma_gamma(x, mean)) == code
    assert code_of(lambda: VALUE.expected_value([1, 2], [1, 2, 3])) == "clv.shape"
    assert code_of(lambda: VALUE.expected_value([1, math.nan], [1, 2])) == "clv.value"

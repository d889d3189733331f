"""Pareto/NBD: published figures, the formula with 2F1 in sixty digits, recovery of known parameters."""

from __future__ import annotations

import datetime as dt
import math
import warnings
from decimal import Decimal, localcontext
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custinfo.segment import ParetoNbd, Summary, fit_bg_nbd, fit_pareto_nbd, summary
from custinfo.segment._pareto_integral import odds_of_stopped

# Fader and Hardie, A Note on Deriving the Pareto/NBD Model, 2005, and the vignette of the R package BTYD, 2014
PRINTED = ParetoNbd(r=0.5532, alpha=10.577, s=0.6062, beta=11.669)


@pytest.fixture(scope="module")
def calibration(cdnow_payments: dict[str, list[Any]]) -> Summary:
    return summary(cdnow_payments, end=dt.date(1997, 9, 30))


@pytest.fixture(scope="module")
def model(calibration: Summary) -> ParetoNbd:
    return fit_pareto_nbd(calibration.frequency, calibration.recency, calibration.age)


def test_cdnow_gives_the_published_parameters(model: ParetoNbd) -> None:
    # Fader, Hardie and Lee, 2005, table 2; the last digits are those of their search
    assert model.r == pytest.approx(0.5532, abs=2e-4)
    assert model.alpha == pytest.approx(10.577, abs=2e-3)
    assert model.s == pytest.approx(0.6062, abs=1e-4)
    assert model.beta == pytest.approx(11.669, abs=2e-3)
    assert round(model.log_likelihood, 2) == -9594.98


def test_published_expectation_and_probability_of_a_customer(model: ParetoNbd) -> None:
    # BTYD's vignette: the customer of CDNOW with 26 repeat purchases, the last in week 30.86 of 31
    for fitted in (model, PRINTED):
        assert round(float(fitted.expected_purchases(52, 26, 30.86, 31)), 2) == 25.46
        assert round(float(fitted.probability_alive(26, 30.86, 31)), 4) == 0.9979


def test_a_new_customer_s_published_expectation() -> None:
    # BTYD's vignette: pnbd.Expectation(params, t = 52) is 1.473434
    assert float(PRINTED.expected_purchases(52)) == pytest.approx(1.4734, abs=5e-4)


def test_weeks_40_to_78_of_cdnow_are_predicted_to_the_stated_figure(calibration: Summary, model: ParetoNbd) -> None:
    expected = model.expected_purchases(39, calibration.frequency, calibration.recency, calibration.age)
    assert float(expected.sum()) == pytest.approx(1666, abs=1)


# ---- against the formula, slowly ----


def hypergeometric(a: Decimal, b: Decimal, c: Decimal, z: Decimal) -> Decimal:
    total = term = Decimal(1)
    k = 0
    while abs(term) > abs(total) * Decimal(10) ** -50:
        term = term * (a + k) * (b + k) / ((c + k) * (k + 1)) * z
        total += term
        k += 1
    return total


def slow_odds(model: ParetoNbd, x: int, last: float, age: float) -> float:
    """Odds of having stopped by Fader and Hardie's equations for A0, with a 2F1 for each end of the interval."""
    with localcontext() as context:
        context.prec = 70
        r, alpha, s, beta = (Decimal(value) for value in (model.r, model.alpha, model.s, model.beta))
        power = r + s + x
        longer = max(alpha, beta)
        second = s + 1 if alpha >= beta else r + x

        def part(y: Decimal) -> Decimal:
            z = abs(alpha - beta) / (longer + y)
            return hypergeometric(power, second, power + 1, z) / (longer + y) ** power

        now = Decimal(age)
        difference = part(Decimal(last)) - part(now)
        return float(s / power * (alpha + now) ** (r + x) * (beta + now) ** s * difference)


POSITIVE = st.floats(-2, 2).map(lambda power: float(10**power))


@settings(max_examples=40, deadline=None)
@given(POSITIVE, POSITIVE, POSITIVE, POSITIVE, st.integers(0, 300), st.floats(0, 1), st.sampled_from([0.3, 5.0, 80.0]))
def test_the_probability_alive_is_that_of_the_formula_in_sixty_digits(
    r: float, alpha: float, s: float, beta: float, x: int, share: float, age: float
) -> None:
    if abs(alpha - beta) / (max(alpha, beta) + share * age * (x > 0)) > 0.995:
        return  # the series of the oracle would take too long
    model = ParetoNbd(r=r, alpha=alpha, s=s, beta=beta)
    last = share * age if x else 0.0
    want = slow_odds(model, x, last, age)
    parameters = (r, alpha, s, beta)
    got = float(odds_of_stopped(parameters, *(np.array([value]) for value in (float(x), last, age)))[0])
    assert got == pytest.approx(want, rel=1e-10, abs=1e-300)
    assert float(model.probability_alive(x, last, age)) == pytest.approx(1 / (1 + want), rel=1e-10)


HISTORY = st.tuples(st.integers(0, 12), st.floats(0, 1), st.integers(1, 60)).map(
    lambda drawn: (drawn[0], round(drawn[1] * drawn[2], 2) if drawn[0] else 0.0, float(drawn[2]))
)


def slow_likelihood(model: ParetoNbd, x: int, last: float, age: float) -> float:
    logs = math.lgamma(model.r + x) - math.lgamma(model.r) + model.r * math.log(model.alpha)
    logs += model.s * math.log(model.beta)
    logs -= (model.r + x) * math.log(model.alpha + age) + model.s * math.log(model.beta + age)
    return logs + math.log1p(slow_odds(model, x, last, age))


@settings(max_examples=8, deadline=None)
@given(st.lists(HISTORY, min_size=3, max_size=8), st.randoms(use_true_random=False))
def test_the_likelihood_is_the_paper_s_and_no_neighbour_is_higher(histories: list[Any], random: Any) -> None:
    if not any(x for x, _, _ in histories):
        return
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fitted = fit_pareto_nbd(*(np.array(column) for column in zip(*histories, strict=True)))
    if caught or max(fitted.alpha / fitted.beta, fitted.beta / fitted.alpha) > 100:
        return

    def slow(model: ParetoNbd) -> float:
        return sum(slow_likelihood(model, *history) for history in histories)

    assert fitted.log_likelihood == pytest.approx(slow(fitted), rel=1e-7)
    for _ in range(4):
        near = {
            name: getattr(fitted, name) * math.exp(random.uniform(-0.05, 0.05)) for name in ("r", "alpha", "s", "beta")
        }
        assert slow(ParetoNbd(**near)) <= fitted.log_likelihood + 1e-5


def simulated(model: ParetoNbd, n: int, seed: int) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(seed)
    rate, stop = rng.gamma(model.r, 1 / model.alpha, n), rng.gamma(model.s, 1 / model.beta, n)
    age = rng.uniform(30, 60, n)
    until = np.minimum(rng.exponential(1 / np.maximum(stop, 1e-12)), age)
    count = rng.poisson(rate * until)
    last = np.where(count > 0, until * rng.random(n) ** (1 / np.maximum(count, 1)), 0.0)
    return count, last, age


@pytest.mark.parametrize("seed", range(6))
def test_known_parameters_are_found_within_their_standard_errors(seed: int) -> None:
    rng = np.random.default_rng(100 + seed)
    r, s = rng.uniform(0.4, 2, 2)
    true = ParetoNbd(r=r, alpha=rng.uniform(3, 12), s=s, beta=rng.uniform(5, 20))
    found = fit_pareto_nbd(*simulated(true, 6000, seed))
    for name, error in found.standard_errors.items():
        assert 0 < error < 10 * getattr(true, name)
        # on the scale of logarithms, where the estimates are nearly normal
        distance = math.log(getattr(found, name) / getattr(true, name)) * getattr(found, name) / error
        assert abs(distance) < 4.5


def test_expectations_agree_with_a_simulation() -> None:
    true = ParetoNbd(r=0.6, alpha=8.0, s=1.0, beta=15.0)
    count, _, age = simulated(true, 60_000, 3)
    assert count.mean() == pytest.approx(float(true.expected_purchases(age).mean()), rel=0.03)
    chances = [true.purchase_probability(n, 45.0) for n in range(3)]
    rng = np.random.default_rng(8)
    until = np.minimum(rng.exponential(1 / rng.gamma(1.0, 1 / 15, 60_000)), 45.0)
    drawn = rng.poisson(rng.gamma(0.6, 1 / 8, 60_000) * until)
    assert [float((drawn == n).mean()) for n in range(3)] == pytest.approx(chances, abs=0.01)


@pytest.mark.parametrize("model", [PRINTED, ParetoNbd(r=2, alpha=300, s=1, beta=0.2)])
def test_purchase_probabilities_add_up_and_have_the_expected_mean(model: ParetoNbd) -> None:
    chances = [model.purchase_probability(n, 39.0) for n in range(500)]
    assert sum(chances) == pytest.approx(1, abs=1e-9)
    mean = sum(n * chance for n, chance in enumerate(chances))
    assert mean == pytest.approx(float(model.expected_purchases(39.0)), rel=1e-9)
    assert (model.purchase_probability(0, 0), model.purchase_probability(3, 0)) == (1.0, 0.0)


def test_an_s_of_one_is_nothing_special() -> None:
    at, beside = (ParetoNbd(r=0.5, alpha=10, s=s, beta=12) for s in (1.0, 1 + 1e-7))
    assert float(at.expected_purchases(52)) == pytest.approx(0.5 / 10 * 12 * math.log1p(52 / 12))
    assert float(beside.expected_purchases(52, 2, 20, 39)) == pytest.approx(
        float(at.expected_purchases(52, 2, 20, 39)), rel=1e-6
    )


def test_both_models_say_nearly_the_same_of_cdnow(calibration: Summary, model: ParetoNbd) -> None:
    other = fit_bg_nbd(calibration.frequency, calibration.recency, calibration.age)
    history = (calibration.frequency, calibration.recency, calibration.age)
    one, two = model.expected_purchases(39, *history), other.expected_purchases(39, *history)
    assert np.corrcoef(one, two)[0, 1] > 0.99

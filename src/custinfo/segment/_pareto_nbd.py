"""The Pareto/NBD model of repeat purchases: customers buy at a rate of their own, and stop at a time of their own."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial

import attrs
import numpy as np

from custinfo.segment._distinct import with_places
from custinfo.segment._histories import (
    Histories,
    RisingSums,
    count_and_time,
    fitted,
    histories,
    horizons,
    in_pieces,
    parameter_table,
    zipped,
)
from custinfo.segment._pareto_integral import RULES, odds_of_stopped, sum_over_times
from custinfo.segment._special import log_rising

TYPE_CHECKING = False
if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from custinfo.segment._histories import Part

    Vector = NDArray[np.float64]

__all__ = ["ParetoNbd", "fit_pareto_nbd"]

_NAMES = ("r", "alpha", "s", "beta")
_START = np.array([1.0, 0.5, 1.0, 0.5])


@attrs.frozen(kw_only=True)
class ParetoNbd:
    """A fitted Pareto/NBD model; times are in the unit that it was fitted in.

    Args:
        r: shape of the gamma distribution of purchase rates over customers.
        alpha: its rate, in units of time.
        s: shape of the gamma distribution of the rates at which customers stop.
        beta: its rate, in units of time.
        log_likelihood: at these parameters.
        standard_errors: by parameter name; NaN where the data give none.

    Source: Schmittlein, Morrison and Colombo, Counting Your Customers, Management Science 33(1), 1987; Fader and
        Hardie, A Note on Deriving the Pareto/NBD Model and Related Expressions, 2005.
    """

    r: float
    alpha: float
    s: float
    beta: float
    log_likelihood: float = math.nan
    standard_errors: Mapping[str, float] = attrs.field(factory=dict)

    def expected_purchases(
        self,
        t: ArrayLike,
        frequency: ArrayLike | None = None,
        recency: ArrayLike | None = None,
        age: ArrayLike | None = None,
    ) -> Vector:
        """Expected number of purchases in the next *t* units of time.

        Args:
            t: how far to look, >= 0; broadcasts with the others.
            frequency: repeat purchases of each customer; left out with *recency* and *age*: a new customer.
            recency: time of the last purchase, counted from the first.
            age: time since the first purchase.

        Returns:
            Shape of the arguments broadcast together, >= 0.

        Raises:
            InvalidFieldError: "clv.value", "clv.shape".

        >>> model = ParetoNbd(r=0.5532, alpha=10.577, s=0.6062, beta=11.669)
        >>> round(float(model.expected_purchases(52, 26, 30.86, 31)), 2)
        25.46
        """
        shape, (ahead, x, last, total) = horizons(t, frequency, recency, age)
        alive = self._alive(x, last, total)
        # (1 - (1 + t / (beta + age))**(1 - s)) / (s - 1), which has a value at s = 1 too
        logs = np.log1p(ahead / (self.beta + total))
        while_alive = _mean_of_exponential((1 - self.s) * logs) * logs
        rate = (self.r + x) / (self.alpha + total) * (self.beta + total)
        return (alive * rate * while_alive).reshape(shape)

    def probability_alive(self, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike) -> Vector:
        """Probability that each customer has not stopped buying.

        Args:
            frequency: repeat purchases.
            recency: time of the last purchase, counted from the first.
            age: time since the first purchase.

        Raises:
            InvalidFieldError: "clv.value", "clv.shape".

        >>> model = ParetoNbd(r=0.5532, alpha=10.577, s=0.6062, beta=11.669)
        >>> round(float(model.probability_alive(26, 30.86, 31)), 4)
        0.9979
        """
        x, last, total = np.broadcast_arrays(*histories(frequency, recency, age))
        flat = [np.ravel(item) for item in (x, last, total)]
        return self._alive(*flat).reshape(x.shape)

    def _alive(self, x: Vector, last: Vector, age: Vector) -> Vector:
        distinct, places = with_places([x, last, age])
        odds = partial(odds_of_stopped, (self.r, self.alpha, self.s, self.beta))
        return 1 / (1 + in_pieces(odds, distinct)[places])

    def purchase_probability(self, n: int, t: float) -> float:
        """Probability that a new customer makes exactly *n* repeat purchases within *t* units of time.

        Raises:
            InvalidFieldError: "clv.value".

        >>> model = ParetoNbd(r=0.5532, alpha=10.577, s=0.6062, beta=11.669)
        >>> round(model.purchase_probability(0, 39), 4)
        0.5936
        """
        n, t = count_and_time(n, t)
        if t == 0:
            return float(n == 0)
        r, alpha, s, beta = self.r, self.alpha, self.s, self.beta
        # a customer who stops at y buys n times before: in equal steps of log(1 + y / the shorter time scale)
        shorter = min(alpha, beta)
        ends = np.linspace(0, math.log1p(t / shorter), 1 + 64)
        points, weights = RULES[-1][0]
        steps = np.ravel(ends[:-1] + np.diff(ends) * (points[:, None] + 1) / 2)
        y = np.append(shorter * np.expm1(steps), t)
        made = n * np.log(y / (alpha + y)) - r * np.log1p(y / alpha) - s * np.log1p(y / beta)
        made += float(log_rising(r, n)[0] - log_rising(1.0, n)[0])
        stops = s / (beta + y[:-1]) * (shorter + y[:-1]) * np.repeat(weights, 64) * (ends[1] - ends[0]) / 2
        return float(np.exp(made[-1]) + (stops * np.exp(made[:-1])).sum())

    def _repr_html_(self) -> str:
        return parameter_table(self, _NAMES, "Pareto/NBD")


def _mean_of_exponential(power: Vector) -> Vector:
    """(exp(power) - 1) / power, 1 at 0."""
    safe = np.where(power == 0, 1.0, power)
    return np.where(power == 0, 1.0, np.expm1(safe) / safe)


def fit_pareto_nbd(
    frequency: ArrayLike, recency: ArrayLike, age: ArrayLike, *, weights: ArrayLike | None = None
) -> ParetoNbd:
    """Fit the model to purchase histories by maximum likelihood.

    Args:
        frequency: shape (n,), repeat purchases of each customer, whole numbers >= 0.
        recency: shape (n,), time of the last purchase counted from the first, in any unit; 0 where frequency is 0.
        age: shape (n,), time since the first purchase, same unit.
        weights: shape (n,), how many customers a row stands for, 1 by default.

    Raises:
        InvalidFieldError: "clv.value", "clv.shape", "clv.too_few" (fewer than two customers), "clv.no_repeat"
            (nobody came back: such data do not say how often people buy).

    Warns:
        ModelWarning: "clv.boundary" (the likelihood has no maximum inside: the data do not determine the parameters).

    Source: Fader and Hardie, 2005, equation 15 before the integral over the time of stopping is written as a
        difference of two 2F1; here that integral is taken by Gauss-Legendre's rule, and so are its derivatives.

    >>> customers = [500, 80, 50, 20, 300, 70]
    >>> model = fit_pareto_nbd([0, 1, 2, 6, 0, 1], [0, 5, 12, 30, 0, 1], [39, 39, 39, 38, 30, 30], weights=customers)
    >>> round(model.r, 3), round(model.alpha, 2)
    (3.613, 60.65)
    """
    rows = Histories.of(frequency, recency, age, weights)
    values, log_likelihood, errors = fitted(rows, _Likelihood, _START, np.array([0.0, 1.0, 0.0, 1.0]))
    return ParetoNbd(**zipped(_NAMES, values), log_likelihood=log_likelihood, standard_errors=zipped(_NAMES, errors))


class _Likelihood:
    """Log-likelihood, gradient and curvature by r, alpha, s and beta."""

    def __init__(self, rows: Histories) -> None:
        self._rows = rows
        self._rising = RisingSums(rows)
        self._all = float(rows.weight.sum())

    def __call__(self, parameters: Vector) -> Part:
        r, alpha, s, beta = parameters.tolist()
        value, slope, curve = self._rising(np.array([r]))
        total, gradient, curvature = self._rows.total(partial(sum_over_times, (r, alpha, s, beta)))
        log_alpha, log_beta, n = math.log(alpha), math.log(beta), self._all
        total += float(value[0]) + n * (r * log_alpha + s * log_beta)
        gradient = gradient + np.array([slope[0] + n * log_alpha, n * r / alpha, n * log_beta, n * s / beta])
        curvature = curvature + np.array(
            [
                [curve[0], n / alpha, 0, 0],
                [n / alpha, -n * r / alpha**2, 0, 0],
                [0, 0, 0, n / beta],
                [0, 0, n / beta, -n * s / beta**2],
            ]
        )
        return total, gradient, curvature

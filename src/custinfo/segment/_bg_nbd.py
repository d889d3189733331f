"""The BG/NBD model of repeat purchases: how often customers buy while they are customers, and when they stop."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import Any

import attrs
import numpy as np

from custinfo.errors import InvalidFieldError
from custinfo.segment._optimise import ModelWarning, maximise
from custinfo.segment._special import rising, rising_slope, scaled_hypergeometric

TYPE_CHECKING = False
if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Vector = NDArray[np.float64]

__all__ = ["BgNbd", "fit_bg_nbd"]

_STEP_ASIDE = 1e-6


@attrs.frozen(kw_only=True)
class BgNbd:
    """A fitted BG/NBD model; times are in the unit that it was fitted in.

    Args:
        r: shape of the gamma distribution of purchase rates over customers.
        alpha: its rate, in units of time.
        a: first parameter of the beta distribution of the chance to stop after a purchase.
        b: its second parameter.
        log_likelihood: at these parameters.
        standard_errors: by parameter name; NaN where the data give none.

    Source: Fader, Hardie and Lee, "Counting Your Customers" the Easy Way, Marketing Science 24(2), 2005.
    """

    r: float
    alpha: float
    a: float
    b: float
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

        >>> model = BgNbd(r=0.2426, alpha=4.4136, a=0.7929, b=2.4259)
        >>> round(float(model.expected_purchases(39, 2, 30.43, 38.86)), 3)
        1.226
        """
        given = [item is not None for item in (frequency, recency, age)]
        if any(given) and not all(given):
            raise InvalidFieldError("give frequency, recency and age, or none of them", code="clv.shape")
        x, last, total = histories(frequency, recency, age) if all(given) else histories(0, 0, 0)
        horizon = np.asarray(t, np.float64)
        if not (horizon >= 0).all() or not np.isfinite(horizon).all():
            raise InvalidFieldError("t must be finite and >= 0", code="clv.value", path="t")
        horizon, x, last, total = np.broadcast_arrays(horizon, x, last, total)
        shape = horizon.shape
        flat = [np.ravel(item) for item in (horizon, x, last, total)]
        return (self._while_alive(flat[0], flat[1], flat[3]) * self._alive(*flat[1:])).reshape(shape)

    def _while_alive(self, t: Vector, x: Vector, age: Vector) -> Vector:
        """Expected purchases of a customer who has not stopped yet."""
        if abs(self.a - 1) < _STEP_ASIDE:  # the formula divides by a - 1, the value itself is smooth there
            beside = [
                attrs.evolve(self, a=1 + step)._while_alive(t, x, age) for step in (-2 * _STEP_ASIDE, 2 * _STEP_ASIDE)
            ]
            mean: Vector = (beside[0] + beside[1]) / 2
            return mean
        z = t / (self.alpha + age + t)
        bracket = 1 - scaled_hypergeometric(self.r, self.b, self.a, x, z)
        return np.maximum((self.a + self.b + x - 1) / (self.a - 1) * bracket, 0.0)

    def probability_alive(self, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike) -> Vector:
        """Probability that each customer has not stopped buying.

        Args:
            frequency: repeat purchases.
            recency: time of the last purchase, counted from the first.
            age: time since the first purchase.

        Raises:
            InvalidFieldError: "clv.value", "clv.shape".

        >>> model = BgNbd(r=0.2426, alpha=4.4136, a=0.7929, b=2.4259)
        >>> round(float(model.probability_alive(2, 30.43, 38.86)), 4), float(model.probability_alive(0, 0, 38.86))
        (0.7266, 1.0)
        """
        x, last, total = np.broadcast_arrays(*histories(frequency, recency, age))
        return self._alive(np.ravel(x), np.ravel(last), np.ravel(total)).reshape(x.shape)

    def _alive(self, x: Vector, last: Vector, age: Vector) -> Vector:
        odds = math.log(self.a) - np.log(self.b + np.maximum(x, 1) - 1)
        odds = odds + (self.r + x) * (np.log(self.alpha + age) - np.log(self.alpha + last))
        return np.where(x > 0, np.exp(-np.logaddexp(0.0, odds)), 1.0)

    def purchase_probability(self, n: int, t: float) -> float:
        """Probability that a new customer makes exactly *n* repeat purchases within *t* units of time.

        Raises:
            InvalidFieldError: "clv.value".

        >>> model = BgNbd(r=0.2426, alpha=4.4136, a=0.7929, b=2.4259)
        >>> round(model.purchase_probability(0, 39), 4)
        0.5743
        """
        if n < 0 or not 0 <= t < math.inf:
            raise InvalidFieldError("n must be >= 0 and t finite and >= 0", code="clv.value")
        if t == 0:
            return float(n == 0)
        j = np.arange(n + 1)
        weights = rising(self.r, n) - rising(1.0, n) + j * math.log(t / (self.alpha + t))
        start = (self.alpha / (self.alpha + t)) ** self.r
        counts = start * np.exp(weights)
        stays = math.exp(float((rising(self.b, n) - rising(self.a + self.b, n))[n]))
        if n == 0:
            return float(counts[0])
        stops = stays * self.a / (self.b + n - 1)
        return float(stays * counts[n] + stops * max(0.0, 1 - float(counts[:n].sum())))


def histories(frequency: Any, recency: Any, age: Any) -> tuple[Vector, Vector, Vector]:
    """Purchase histories as float arrays, checked.

    Raises:
        InvalidFieldError: "clv.value", "clv.shape".
    """
    x, last, total = (np.asarray(item, np.float64) for item in (frequency, recency, age))
    try:
        np.broadcast_shapes(x.shape, last.shape, total.shape)
    except ValueError:
        raise InvalidFieldError("frequency, recency and age must have one shape", code="clv.shape") from None
    if not all(bool(np.isfinite(item).all()) for item in (x, last, total)):
        raise InvalidFieldError("frequency, recency and age must be finite numbers", code="clv.value")
    if (x < 0).any() or (x != np.rint(x)).any():
        raise InvalidFieldError("frequency must be whole numbers >= 0", code="clv.value", path="frequency")
    if (last < 0).any() or (last > total).any():
        raise InvalidFieldError("recency must be between 0 and age", code="clv.value", path="recency")
    if ((x == 0) & (last > 0)).any():
        raise InvalidFieldError("recency must be 0 where frequency is 0", code="clv.value", path="recency")
    return x, last, total


def fit_bg_nbd(frequency: ArrayLike, recency: ArrayLike, age: ArrayLike, *, weights: ArrayLike | None = None) -> BgNbd:
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

    Source: Fader, Hardie and Lee, 2005; gamma ratios of whole x are sums of logarithms.

    >>> customers = [500, 80, 50, 20, 300, 70]
    >>> model = fit_bg_nbd([0, 1, 2, 6, 0, 1], [0, 5, 12, 30, 0, 1], [39, 39, 39, 38, 30, 30], weights=customers)
    >>> round(model.r, 3), round(model.alpha, 2)
    (0.076, 1.41)
    """
    x, last, total = (np.ravel(item) for item in histories(frequency, recency, age))
    if not len(x) == len(last) == len(total):
        raise InvalidFieldError("frequency, recency and age must have one length", code="clv.shape")
    weight = np.ones(len(x)) if weights is None else np.ravel(np.asarray(weights, np.float64))
    if len(weight) != len(x) or not (weight >= 0).all() or not np.isfinite(weight).all():
        raise InvalidFieldError("weights must be one finite number >= 0 per customer", code="clv.shape", path="weights")
    if weight.sum() < 2:
        raise InvalidFieldError("a model needs at least two customers", code="clv.too_few")
    if not (weight[x > 0]).any():
        raise InvalidFieldError(
            "no customer bought again; take a longer period, or more customers", code="clv.no_repeat"
        )
    scale = float(total.max())
    found = maximise(_Likelihood(x, last / scale, total / scale, weight), np.array([1.0, 0.5, 1.0, 2.0]))
    values = found.parameters * np.array([1.0, scale, 1.0, 1.0])
    errors = found.standard_errors * np.array([1.0, scale, 1.0, 1.0])
    if not found.converged:
        warnings.warn(
            ModelWarning(
                "the data do not determine the parameters: the likelihood grows towards a boundary; "
                "take more customers or a longer period",
                code="clv.boundary",
            ),
            stacklevel=2,
        )
    names = ("r", "alpha", "a", "b")
    moved = float((weight * x).sum()) * math.log(scale)  # the density of times in the caller's unit
    return BgNbd(
        **dict(zip(names, values.tolist(), strict=True)),
        log_likelihood=found.log_likelihood - moved,
        standard_errors=dict(zip(names, errors.tolist(), strict=True)),
    )


class _Likelihood:
    """Log-likelihood and gradient; customers of one history are counted once."""

    def __init__(self, x: Vector, last: Vector, age: Vector, weight: Vector) -> None:
        self._most = int(x.max())
        self._by_count = np.bincount(x.astype(np.int64), weights=weight, minlength=self._most + 1)
        self._all = float(weight.sum())
        none = x == 0
        self._age_0, back = np.unique(age[none], return_inverse=True)
        self._weight_0 = np.bincount(back, weights=weight[none], minlength=len(self._age_0))
        self._x, self._last, self._age, self._weight = _distinct(x[~none], last[~none], age[~none], weight[~none])

    def __call__(self, parameters: Vector) -> tuple[float, Vector]:
        r, alpha, a, b = parameters.tolist()
        most, counts = self._most, self._by_count
        value = counts @ (rising(r, most) + rising(b, most) - rising(a + b, most)) + self._all * r * math.log(alpha)
        slope_ab = counts @ rising_slope(a + b, most)
        slopes = np.array(
            [
                counts @ rising_slope(r, most) + self._all * math.log(alpha),
                self._all * r / alpha,
                -slope_ab,
                counts @ rising_slope(b, most) - slope_ab,
            ]
        )
        log_0 = np.log(alpha + self._age_0)
        value -= r * (self._weight_0 @ log_0)
        slopes[0] -= self._weight_0 @ log_0
        slopes[1] -= r * (self._weight_0 @ (1 / (alpha + self._age_0)))
        x, weight = self._x, self._weight
        until_now, until_last = alpha + self._age, alpha + self._last
        log_now, log_last = np.log(until_now), np.log(until_last)
        alive = -(r + x) * log_now
        stopped = math.log(a) - np.log(b + x - 1) - (r + x) * log_last
        either = np.logaddexp(alive, stopped)
        share_alive = np.exp(alive - either)
        share_stopped = 1 - share_alive
        value += weight @ either
        slopes[0] -= weight @ (share_alive * log_now + share_stopped * log_last)
        slopes[1] -= weight @ ((r + x) * (share_alive / until_now + share_stopped / until_last))
        slopes[2] += weight @ share_stopped / a
        slopes[3] -= weight @ (share_stopped / (b + x - 1))
        return float(value), slopes


def _distinct(x: Vector, last: Vector, age: Vector, weight: Vector) -> tuple[Vector, Vector, Vector, Vector]:
    order = np.lexsort((age, last, x))
    x, last, age, weight = x[order], last[order], age[order], weight[order]
    new = np.concatenate(([True], (x[1:] != x[:-1]) | (last[1:] != last[:-1]) | (age[1:] != age[:-1])))
    starts = np.flatnonzero(new)
    return x[starts], last[starts], age[starts], np.add.reduceat(weight, starts)

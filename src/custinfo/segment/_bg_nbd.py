"""The BG/NBD model of repeat purchases: how often customers buy while they are customers, and when they stop."""

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
from custinfo.segment._special import log_rising, mean_decay

TYPE_CHECKING = False
if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from custinfo.segment._histories import Part

    Vector = NDArray[np.float64]

__all__ = ["BgNbd", "fit_bg_nbd"]

_NAMES = ("r", "alpha", "a", "b")
_START = np.array([1.0, 0.5, 1.0, 2.0])


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
        shape, (ahead, x, last, total) = horizons(t, frequency, recency, age)
        # many customers of one frequency and age look ahead alike, whenever they bought last
        pairs, places = with_places([x, ahead / (self.alpha + total)])
        while_alive = in_pieces(partial(mean_decay, self.r, self.b, self.a), pairs)[places]
        return (while_alive * self._alive(x, last, total)).reshape(shape)

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
        n, t = count_and_time(n, t)
        if t == 0:
            return float(n == 0)
        j = np.arange(n + 1.0)
        log_counts = log_rising(self.r, j)[0] - log_rising(1.0, j)[0] + j * math.log(t / (self.alpha + t))
        counts = np.exp(log_counts - self.r * math.log1p(t / self.alpha))
        stays = math.exp(float(log_rising(self.b, n)[0] - log_rising(self.a + self.b, n)[0]))
        if n == 0:
            return float(counts[0])
        stops = stays * self.a / (self.b + n - 1)
        return float(stays * counts[n] + stops * max(0.0, 1 - float(counts[:n].sum())))

    def _repr_html_(self) -> str:
        return parameter_table(self, _NAMES, "BG/NBD")


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

    Source: Fader, Hardie and Lee, 2005, equation 6. Each distinct history is counted once.

    >>> customers = [500, 80, 50, 20, 300, 70]
    >>> model = fit_bg_nbd([0, 1, 2, 6, 0, 1], [0, 5, 12, 30, 0, 1], [39, 39, 39, 38, 30, 30], weights=customers)
    >>> round(model.r, 3), round(model.alpha, 2)
    (0.076, 1.41)
    """
    rows = Histories.of(frequency, recency, age, weights)
    values, log_likelihood, errors = fitted(rows, _Likelihood, _START, np.array([0.0, 1.0, 0.0, 0.0]))
    return BgNbd(**zipped(_NAMES, values), log_likelihood=log_likelihood, standard_errors=zipped(_NAMES, errors))


class _Likelihood:
    """Log-likelihood, gradient and curvature by r, alpha, a and b."""

    def __init__(self, rows: Histories) -> None:
        self._rows = rows
        self._rising = RisingSums(rows)
        self._all = float(rows.weight.sum())

    def __call__(self, parameters: Vector) -> Part:
        r, alpha, a, b = parameters.tolist()
        at_r, at_b, at_both = np.transpose(self._rising(np.array([r, b, a + b])))
        total, gradient, curvature = self._rows.total(partial(_of_times, r, alpha, a, b))
        log_alpha = math.log(alpha)
        total += at_r[0] + at_b[0] - at_both[0] + self._all * r * log_alpha
        gradient = gradient + np.array(
            [at_r[1] + self._all * log_alpha, self._all * r / alpha, -at_both[1], at_b[1] - at_both[1]]
        )
        cross, both = self._all / alpha, -at_both[2]
        curvature = curvature + np.array(
            [
                [at_r[2], cross, 0, 0],
                [cross, -self._all * r / alpha**2, 0, 0],
                [0, 0, both, both],
                [0, 0, both, at_b[2] + both],
            ]
        )
        return float(total), gradient, curvature


def _of_times(r: float, alpha: float, a: float, b: float, x: Vector, last: Vector, age: Vector, weight: Vector) -> Part:
    """The part with the times: a customer with x > 0 is alive now, or stopped after the last purchase."""
    inverse_now, inverse_last = 1 / (alpha + age), 1 / (alpha + last)
    log_now, log_last = -np.log(inverse_now), -np.log(inverse_last)
    power, tries = r + x, b + np.maximum(x, 1) - 1
    alive = -power * log_now
    odds = np.where(x > 0, math.log(a) - np.log(tries) - power * log_last - alive, -np.inf)
    stopped = 1 / (1 + np.exp(-odds))
    value = float((weight * (alive + np.logaddexp(0.0, odds))).sum())
    # the slopes of both ways to be, then those of their mixture
    fate = stopped * weight
    gap_r, gap_alpha = log_now - log_last, power * (inverse_now - inverse_last)
    gaps = (gap_r, gap_alpha, 1 / a, -1 / tries)
    gradient = np.array([(fate * gap).sum() for gap in gaps])
    gradient[0] -= (weight * log_now).sum()
    gradient[1] -= (weight * power * inverse_now).sum()
    unsure = fate * (1 - stopped)
    curvature = np.zeros((4, 4))
    for i in range(4):
        for j in range(i, 4):
            curvature[i, j] = curvature[j, i] = (unsure * gaps[i] * gaps[j]).sum()
    cross = (fate * (inverse_now - inverse_last)).sum() - (weight * inverse_now).sum()
    curvature[0, 1] += cross
    curvature[1, 0] += cross
    curvature[1, 1] += (power * (weight * inverse_now**2 + fate * (inverse_last**2 - inverse_now**2))).sum()
    curvature[2, 2] -= fate.sum() / a**2
    curvature[3, 3] += (fate / tries**2).sum()
    return value, gradient, curvature

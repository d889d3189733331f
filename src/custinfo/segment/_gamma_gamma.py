"""The Gamma-Gamma model of what a purchase is worth."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping

import attrs
import numpy as np

from custinfo.errors import InvalidFieldError
from custinfo.segment._optimise import ModelWarning, maximise
from custinfo.segment._special import digamma, log_gamma

TYPE_CHECKING = False
if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Vector = NDArray[np.float64]

__all__ = ["GammaGamma", "fit_gamma_gamma"]


@attrs.frozen(kw_only=True)
class GammaGamma:
    """A fitted Gamma-Gamma model.

    Args:
        p: shape of the gamma distribution of one customer's purchases.
        q: shape of the gamma distribution of their rates over customers.
        v: its rate, in the unit of money.
        log_likelihood: at these parameters.
        standard_errors: by parameter name; NaN where the data give none.

    Source: Fader and Hardie, The Gamma-Gamma Model of Monetary Value, 2013.
    """

    p: float
    q: float
    v: float
    log_likelihood: float = math.nan
    standard_errors: Mapping[str, float] = attrs.field(factory=dict)

    def expected_value(self, frequency: ArrayLike, monetary: ArrayLike) -> Vector:
        """Expected value of a customer's purchase, given those seen.

        Args:
            frequency: purchases that *monetary* is the mean of; 0: the mean over all customers.
            monetary: their mean value.

        Returns:
            Shape of the arguments broadcast together; infinite where q <= 1 leaves the mean without bound.

        Raises:
            InvalidFieldError: "clv.value".

        >>> model = GammaGamma(p=6.25, q=3.74, v=15.44)
        >>> model.expected_value([0, 2], [0, 22.35]).round(2).tolist()
        [35.22, 24.66]
        """
        x, mean = np.broadcast_arrays(np.asarray(frequency, np.float64), np.asarray(monetary, np.float64))
        if not (np.isfinite(x).all() and np.isfinite(mean).all() and (x >= 0).all() and (mean >= 0).all()):
            raise InvalidFieldError("frequency and monetary must be finite and >= 0", code="clv.value")
        weight = self.p * x + self.q - 1
        with np.errstate(divide="ignore"):
            return np.where(weight > 0, self.p * (self.v + x * mean) / np.where(weight > 0, weight, 1.0), np.inf)


def fit_gamma_gamma(frequency: ArrayLike, monetary: ArrayLike, *, weights: ArrayLike | None = None) -> GammaGamma:
    """Fit the model by maximum likelihood to customers who bought again.

    Args:
        frequency: shape (n,), purchases per customer; rows with 0 say nothing and are left out.
        monetary: shape (n,), mean value of these purchases, > 0 where frequency is.
        weights: shape (n,), how many customers a row stands for, 1 by default.

    Raises:
        InvalidFieldError: "clv.value", "clv.shape", "clv.too_few" (fewer than two customers who bought again),
            "clv.same_value" (all of one value: nothing varies).

    Warns:
        ModelWarning: "clv.boundary" (the data do not determine the parameters), "gamma_gamma.infinite_mean" (q <= 1:
            the mean over customers has no bound).

    Source: Fader and Hardie, 2013, equation 1a.

    >>> model = fit_gamma_gamma([4, 6, 3, 5, 8], [5, 20, 80, 300, 12], weights=[10, 20, 10, 5, 10])
    >>> bool(20 < model.expected_value(6, 20) < 40)
    True
    """
    x, mean = np.ravel(np.asarray(frequency, np.float64)), np.ravel(np.asarray(monetary, np.float64))
    weight = np.ones(len(x)) if weights is None else np.ravel(np.asarray(weights, np.float64))
    if not len(x) == len(mean) == len(weight):
        raise InvalidFieldError("frequency, monetary and weights must have one length", code="clv.shape")
    if not (np.isfinite(x).all() and np.isfinite(mean).all() and np.isfinite(weight).all()):
        raise InvalidFieldError("frequency, monetary and weights must be finite", code="clv.value")
    seen = (x > 0) & (weight > 0)
    x, mean, weight = x[seen], mean[seen], weight[seen]
    if weight.sum() < 2:
        raise InvalidFieldError("the model needs two customers who bought again", code="clv.too_few")
    if not (mean > 0).all():
        raise InvalidFieldError("monetary must be > 0 where frequency is", code="clv.value", path="monetary")
    if (mean == mean[0]).all():
        raise InvalidFieldError("all customers have one mean value: nothing varies", code="clv.same_value")
    scale = float(weight @ mean / weight.sum())
    found = maximise(_Likelihood(x, mean / scale, weight), np.array([2.0, 3.0, 1.0]))
    p, q, v = found.parameters.tolist()
    if not found.converged:
        _warn("the data do not determine the parameters; take more customers", "clv.boundary")
    if q <= 1:
        _warn("q <= 1: the mean over all customers has no bound", "gamma_gamma.infinite_mean")
    errors = found.standard_errors * np.array([1.0, 1.0, scale])
    return GammaGamma(
        p=p,
        q=q,
        v=v * scale,
        log_likelihood=found.log_likelihood - float(weight.sum()) * math.log(scale),
        standard_errors=dict(zip(("p", "q", "v"), errors.tolist(), strict=True)),
    )


def _warn(message: str, code: str) -> None:
    warnings.warn(ModelWarning(message, code=code), stacklevel=3)


class _Likelihood:
    """Log-likelihood and gradient; gamma functions are taken once per distinct frequency."""

    def __init__(self, x: Vector, mean: Vector, weight: Vector) -> None:
        self._x, self._weight, self._sum = x, weight, x * mean
        self._distinct, back = np.unique(x, return_inverse=True)
        self._counts = np.bincount(back, weights=weight)
        self._all = float(weight.sum())
        self._logs = float(weight @ (x * np.log(self._sum)))
        self._log_mean = float(weight @ np.log(mean))

    def __call__(self, parameters: Vector) -> tuple[float, Vector]:
        p, q, v = parameters.tolist()
        shapes = p * self._distinct
        log_sum = np.log(self._sum + v)
        logs, weighted = float(self._weight @ log_sum), float((self._weight * self._x) @ log_sum)
        value = (
            self._counts @ (log_gamma(shapes + q) - log_gamma(shapes))
            + self._all * (q * math.log(v) - math.lgamma(q))
            + p * (self._logs - weighted)
            - self._log_mean
            - q * logs
        )
        both = digamma(shapes + q)
        slopes = np.array(
            [
                self._counts @ (self._distinct * (both - digamma(shapes))) + self._logs - weighted,
                self._counts @ both + self._all * (math.log(v) - float(digamma(np.array([q]))[0])) - logs,
                self._all * q / v - self._weight @ ((p * self._x + q) / (self._sum + v)),
            ]
        )
        return float(value), slopes

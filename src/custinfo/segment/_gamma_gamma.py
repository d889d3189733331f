"""The Gamma-Gamma model of what a purchase is worth."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping

import attrs
import numpy as np

from custinfo.errors import InvalidFieldError
from custinfo.segment._distinct import count_once
from custinfo.segment._histories import numbers, parameter_table, weights_of, zipped
from custinfo.segment._optimise import ModelWarning, maximise
from custinfo.segment._special import log_gamma, log_rising, trigamma

TYPE_CHECKING = False
if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Vector = NDArray[np.float64]

__all__ = ["GammaGamma", "fit_gamma_gamma"]

_NAMES = ("p", "q", "v")


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
            InvalidFieldError: "clv.value", "clv.shape".

        >>> model = GammaGamma(p=6.25, q=3.74, v=15.44)
        >>> model.expected_value([0, 2], [0, 22.35]).round(2).tolist()
        [35.22, 24.66]
        """
        x, mean = numbers(frequency, "frequency"), numbers(monetary, "monetary")
        try:
            x, mean = np.broadcast_arrays(x, mean)
        except ValueError:
            raise InvalidFieldError("frequency and monetary must have one shape", code="clv.shape") from None
        _refuse_negative(x, mean)
        weight = self.p * x + self.q - 1
        bounded = weight > 0
        return np.where(bounded, self.p * (self.v + x * mean) / np.where(bounded, weight, 1.0), np.inf)

    def _repr_html_(self) -> str:
        return parameter_table(self, _NAMES, "Gamma-Gamma")


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
    x, mean = np.ravel(numbers(frequency, "frequency")), np.ravel(numbers(monetary, "monetary"))
    if len(x) != len(mean):
        raise InvalidFieldError("frequency and monetary must have one length", code="clv.shape")
    weight = weights_of(weights, len(x))
    _refuse_negative(x, mean)
    seen = x > 0
    (x, mean), weight = count_once([x[seen], mean[seen]], None if weight is None else weight[seen])
    if weight.sum() < 2:
        raise InvalidFieldError("the model needs two customers who bought again", code="clv.too_few")
    if not (mean > 0).all():
        raise InvalidFieldError(
            "monetary must be > 0 where frequency is; leave customers out who paid nothing",
            code="clv.value",
            path="monetary",
        )
    if (mean == mean[0]).all():
        raise InvalidFieldError(
            "all customers have one mean value: nothing varies; take it as the value of each", code="clv.same_value"
        )
    scale = float((weight * mean).sum() / weight.sum())
    found = maximise(_Likelihood(x, mean / scale, weight), np.array([2.0, 3.0, 1.0]))
    p, q, v = found.parameters.tolist()
    if not found.converged:
        _warn("the data do not determine the parameters; take more customers", "clv.boundary")
    if q <= 1:
        _warn("q <= 1: the mean over all customers has no bound", "gamma_gamma.infinite_mean")
    return GammaGamma(
        p=p,
        q=q,
        v=v * scale,
        log_likelihood=found.log_likelihood - float(weight.sum()) * math.log(scale),
        standard_errors=zipped(_NAMES, found.standard_errors * np.array([1.0, 1.0, scale])),
    )


def _refuse_negative(x: Vector, mean: Vector) -> None:
    if (x < 0).any() or (mean < 0).any():
        raise InvalidFieldError("frequency and monetary must be >= 0", code="clv.value")


def _warn(message: str, code: str) -> None:
    warnings.warn(ModelWarning(message, code=code), stacklevel=3)


class _Likelihood:
    """Log-likelihood, gradient and curvature by p, q and v; gamma functions are taken once per frequency."""

    def __init__(self, x: Vector, mean: Vector, weight: Vector) -> None:
        self._x, self._weight, self._sum = x, weight, x * mean
        self._distinct, back = np.unique(x, return_inverse=True)
        self._counts = np.bincount(back, weights=weight)
        self._log_mean = float((weight * np.log(mean)).sum())

    def __call__(self, parameters: Vector) -> tuple[float, Vector, Vector]:
        p, q, v = parameters.tolist()
        x, counts, weight = self._distinct, self._counts, self._weight
        at_q, to_q = log_rising(q, p * x), log_rising(p * x, q)
        both = trigamma(p * x + q)
        # shares of the customer's sum and of v in both together, so that no large logarithms cancel
        log_share, log_rest = -np.log1p(v / self._sum), -np.log1p(self._sum / v)
        inverse, powers = 1 / (self._sum + v), p * self._x + q
        value = (counts * (at_q[0] - log_gamma(p * x))).sum() - self._log_mean
        value += (weight * (p * self._x * log_share + q * log_rest)).sum()
        slopes = (
            (counts * x * to_q[1]).sum() + (weight * self._x * log_share).sum(),
            (counts * at_q[1]).sum() + (weight * log_rest).sum(),
            (weight * (q / v - powers * inverse)).sum(),
        )
        pq = (counts * x * both).sum()
        pv = -(weight * self._x * inverse).sum()
        qv = (weight * (1 / v - inverse)).sum()
        vv = (weight * (powers * inverse**2 - q / v**2)).sum()
        curvature = np.array(
            [[(counts * x**2 * to_q[2]).sum(), pq, pv], [pq, (counts * at_q[2]).sum(), qv], [pv, qv, vv]]
        )
        return float(value), np.array(slopes), curvature

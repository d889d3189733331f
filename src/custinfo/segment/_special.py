"""The few special functions that purchase models need, on arrays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

TYPE_CHECKING = False
if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vector = NDArray[np.float64]

_SHIFT = 10  # from here on the asymptotic series below are exact to the last digit
_LOG_GAMMA = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360)
_DIGAMMA = (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760)
_TRIGAMMA = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730)

# a mean over a beta distribution
_JACOBI = ((16, 0.5), (24, 2.0))  # points, and up to which ratio they give 10 digits and more
_SHARED = 1000  # frequencies below which many rows share their points
_SPREAD = 256
_WIDEST = 2.0
_NOTHING = 40.0  # a share of exp(-40) is lost in rounding
_TINY = 1e-300


def log_rising(start: Any, count: Any) -> tuple[Vector, Vector, Vector]:
    """log(gamma(start + count) / gamma(start)) and its first and second derivative by *start*.

    Differences are taken before they can cancel: exact for a *start* of 1e-8 and of 1e8, and for a *count* of 1e9.

    Args:
        start: positive; broadcasts with *count*.
        count: >= 0, whole or not.

    Source: Abramowitz and Stegun, 1964, 6.1.40, 6.3.18 and 6.4.12 after shifting by 6.1.16.

    >>> [round(float(part[0]), 12) for part in log_rising(np.array([1.0]), np.array([3.0]))]
    [1.791759469228, 1.833333333333, -1.361111111111]
    """
    start, count = np.asarray(start, np.float64), np.asarray(count, np.float64)
    low, high = start + _SHIFT, start + count + _SHIFT
    steps = np.arange(_SHIFT).reshape(-1, *([1] * max(start.ndim, count.ndim)))
    below, above = start + steps, start + count + steps
    value = (low - 0.5) * np.log1p(count / low) + count * np.log(high) - count
    ends = 1 / np.stack(np.broadcast_arrays(low, high))
    value += _between(_tail(_LOG_GAMMA, ends, 1))
    value += np.log(np.prod(below / above, axis=0))
    slope = np.log1p(count / low) + 0.5 * count / (low * high)
    each = count / (below * above)
    slope += each.sum(axis=0) - _between(_tail(_DIGAMMA, ends, 2))
    curve = -count / (low * high) * (1 + 0.5 * (1 / low + 1 / high))
    curve += _between(_tail(_TRIGAMMA, ends, 3)) - (each * (1 / below + 1 / above)).sum(axis=0)
    return value, slope, curve


def _tail(factors: tuple[float, ...], inverse: Vector, power: int) -> Vector:
    square = inverse * inverse
    total: Vector = square * factors[-1]
    for factor in factors[-2:0:-1]:
        total += factor
        total *= square
    total += factors[0]
    total *= inverse**power
    return total


def _between(ends: Vector) -> Vector:
    return np.asarray(ends[1] - ends[0])


def trigamma(values: Vector) -> Vector:
    """The second derivative of the logarithm of gamma, for positive values.

    >>> round(float(trigamma(np.array([1.0]))[0]), 12) == round(math.pi**2 / 6, 12)
    True
    """
    high = values + _SHIFT
    steps = ((values[..., None] + np.arange(_SHIFT)) ** -2.0).sum(axis=-1)
    return np.asarray(1 / high + 0.5 / high**2 + _tail(_TRIGAMMA, 1 / high, 3) + steps)


def log_gamma(values: Vector) -> Vector:
    """The logarithm of gamma of a few positive values.

    >>> log_gamma(np.array([1.0, 5.0])).round(4).tolist()
    [0.0, 3.1781]
    """
    return np.array([math.lgamma(value) for value in values.tolist()])


def mean_decay(r: float, b: float, a: float, x: Vector, ratio: Vector) -> Vector:
    """The mean of (1 - (1 + p ratio)**-(r + x)) / p over p from the beta distribution with parameters a and b + x.

    This is (a + b + x - 1) / (a - 1) times (1 - (1 - z)**(r + x) 2F1(r + x, b + x; a + b + x - 1; z)) at
    z = ratio / (1 + ratio), the form in which papers print it: a difference of nearly equal numbers for small z, a
    series that converges ever slower as z nears 1, and a division by zero at a = 1 and at a + b + x = 1. The mean has
    none of that: all its terms are positive, and a sum over a few dozen points gives it to 11 digits.

    Args:
        r: positive.
        b: positive.
        a: positive.
        x: shape (n,), >= 0.
        ratio: shape (n,), >= 0.

    Returns:
        Shape (n,), >= 0.

    Source: Abramowitz and Stegun, 1964, 15.3.1 (Euler's integral).

    >>> round(float(mean_decay(1.0, 1.0, 1.0, np.zeros(1), np.ones(1))[0]), 12) == round(math.log(2), 12)
    True
    """
    result = np.empty(len(x))
    left = np.arange(len(x))
    for size, farthest in _JACOBI:
        enough = (ratio[left] <= farthest) & (x[left] < _SHARED)
        near, left = left[enough], left[~enough]
        counts, back = np.unique(x[near], return_inverse=True)
        points, weights = _jacobi_points(a, b + counts, size)
        result[near] = _sum_over(points[:, back], weights[:, back], r + x[near], ratio[near])
    power = r + x[left]
    points, weights = _spread_points(a, b + x[left], power * ratio[left])
    result[left] = _sum_over(points, weights, power, ratio[left])
    return result


def _sum_over(points: Vector, weights: Vector, power: Vector, ratio: Vector) -> Vector:
    total = np.zeros(len(power))
    for point, weight in zip(points, weights, strict=True):  # row by row: the sum does not depend on the memory layout
        total -= weight * np.expm1(-power * np.log1p(point * ratio))
    return total


def _jacobi_points(a: float, b: Vector, size: int) -> tuple[Vector, Vector]:
    """Points p, shape (k, m), and weights of a mean over the beta distributions (a, b), divided by p.

    Source: Golub and Welsch, Calculation of Gauss Quadrature Rules, 1969; Abramowitz and Stegun, 1964, 22.7.1.
    """
    k, low, high = np.arange(1, size)[:, None], a - 1, b - 1
    both = low + high
    matrices = np.zeros((len(b), size, size))
    diagonal, beside = np.arange(size), np.arange(size - 1)
    matrices[:, 0, 0] = (low - high) / (both + 2)
    matrices[:, diagonal[1:], diagonal[1:]] = ((low**2 - high**2) / ((2 * k + both) * (2 * k + both + 2))).T
    squares = 4 * k * (k + low) * (k + high) / ((2 * k + both) ** 2 * (2 * k + both + 1))
    squares[1:] *= (k[1:] + both) / (2 * k[1:] + both - 1)  # in the first row the two are equal, and may both be zero
    matrices[:, beside + 1, beside] = np.sqrt(squares).T
    found, vectors = np.linalg.eigh(matrices)
    p = np.maximum((1 + found.T) / 2, _TINY)
    return p, vectors[:, 0, :].T ** 2 / p


def _spread_points(a: float, b: Vector, steepness: Vector) -> tuple[Vector, Vector]:
    """The same for a function that changes at p = 1 / steepness, however small: equal steps of u, logit(p) = sinh(u).

    Source: Takahasi and Mori, Double Exponential Formulas for Numerical Integration, 1974.
    """
    middle = math.log(a) - np.log(b)
    gap = np.maximum(middle + np.log(np.maximum(steepness, _TINY)), 0)
    # the integrand has poles beside the real line, at a distance of pi: no step may be wider than they allow
    width = np.minimum(np.sqrt((a + b) / (a * b)), _WIDEST)
    first = -np.arcsinh((gap + _NOTHING / a) / width + 9)
    last = np.arcsinh(_NOTHING / (b * width) + 9)
    u = first + (last - first) * np.linspace(0, 1, _SPREAD)[:, None]
    logit = middle + width * np.sinh(u)
    log_p, log_rest = -np.logaddexp(0.0, -logit), -np.logaddexp(0.0, logit)
    logs = a * log_p + b * log_rest
    weight = np.exp(logs - logs.max(axis=0)) * np.cosh(u)
    p = np.maximum(np.exp(log_p), _TINY)
    return p, weight / (weight.sum(axis=0) * p)

"""The likelihood of a Pareto/NBD customer as an integral over the time of stopping, and its derivatives."""

from __future__ import annotations

import math

import numpy as np

TYPE_CHECKING = False
if TYPE_CHECKING:
    from numpy.typing import NDArray

    from custinfo.segment._histories import Part

    Vector = NDArray[np.float64]
    Parameters = tuple[float, float, float, float]

_NOTHING = 45.0  # a share of exp(-45) is lost in rounding
# points, and up to which fall of the logarithm of the integrand and which length of its interval they give 13 digits
RULES = tuple(
    (np.polynomial.legendre.leggauss(points), fall, length)
    for points, fall, length in ((8, 4.0, 1.0), (16, 8.0, 3.0), (32, math.inf, math.inf))
)


def sum_over_times(parameters: Parameters, x: Vector, last: Vector, age: Vector, weight: Vector) -> Part:
    """The part with the times: alive now, or stopped at some time since the last purchase."""
    value, gradient, curvature = 0.0, np.zeros(4), np.zeros((4, 4))
    for rows, times, steps in _groups(parameters, x, last, age):
        part = _mixture(parameters, times, steps, x[rows], last[rows], age[rows], weight[rows])
        value, gradient, curvature = value + part[0], gradient + part[1], curvature + part[2]
    return value, gradient, curvature


def _mixture(
    parameters: Parameters,
    times: Vector,
    steps: Vector,
    x: Vector,
    last: Vector,
    age: Vector,
    weight: Vector,
) -> Part:
    """Sum over rows of the logarithm of a sum over fates: stopped at each of some times (a step each), or alive."""
    r, alpha, s, beta = parameters
    until = np.concatenate([times, age[None]])
    stopped = np.ones((len(until), 1))
    stopped[-1] = 0
    inverse_a, inverse_b = 1 / (alpha + until), 1 / (beta + until)
    log_a, log_b = np.log(inverse_a), np.log(inverse_b)
    power_a, power_b = r + x, s + stopped
    logs = power_a * log_a + power_b * log_b
    highest = logs.max(axis=0)
    shares = np.exp(logs - highest)
    shares[:-1] *= s * steps
    whole = shares.sum(axis=0)
    shares *= weight / whole
    value = float((weight * (np.log(whole) + highest)).sum())
    slopes = (log_a, -power_a * inverse_a, stopped / s + log_b, -power_b * inverse_b)
    means = [np.einsum("kn,kn->n", shares, slope) for slope in slopes]
    gradient = np.array([mean.sum() for mean in means])
    curvature = np.zeros((4, 4))
    for i in range(4):
        weighted = shares * slopes[i]
        for j in range(i, 4):
            within = np.einsum("kn,kn->", weighted, slopes[j])
            curvature[i, j] = curvature[j, i] = within - (means[i] * means[j] / weight).sum()
    for i, inverse, power in ((0, inverse_a, power_a), (2, inverse_b, power_b)):
        once = shares * inverse
        curvature[i, i + 1] -= once.sum()
        curvature[i + 1, i] -= once.sum()
        curvature[i + 1, i + 1] += np.einsum("kn,kn,kn->", once, inverse, np.broadcast_to(power, once.shape))
    curvature[2, 2] -= (shares[:-1]).sum() / s**2
    return value, gradient, curvature


def odds_of_stopped(parameters: Parameters, x: Vector, last: Vector, age: Vector) -> Vector:
    """How much more likely each customer has stopped than not.

    >>> odds_of_stopped((0.5532, 10.577, 0.6062, 11.669), np.ones(1), np.ones(1), np.array([39.0])).round(2).tolist()
    [5.68]
    """
    r, alpha, s, beta = parameters
    odds = np.empty(len(x))
    for rows, times, steps in _groups(parameters, x, last, age):
        now = age[rows]
        logs = (r + x[rows]) * np.log((alpha + now) / (alpha + times)) + s * np.log((beta + now) / (beta + times))
        with np.errstate(over="ignore"):  # who is certainly gone has infinite odds
            odds[rows] = (np.exp(logs) * steps * s / (beta + times)).sum(axis=0)
    return odds


def _groups(
    parameters: Parameters, x: Vector, last: Vector, age: Vector
) -> list[tuple[NDArray[np.int64], Vector, Vector]]:
    """Points of Gauss and Legendre for integrals from *last* to *age* of (alpha + y)**-(r + x) (beta + y)**-(s + 1).

    In w = log((c + y) / (c + last)), c the smaller of alpha and beta, the integrand is analytic up to a distance of pi
    from the real line and its logarithm is concave: few points suffice, whatever the parameters, and the interval can
    be cut where what follows is lost in rounding.

    Returns:
        Groups of rows, their points y of shape (k, m), and the lengths that these stand for.
    """
    r, alpha, s, beta = parameters
    low, high = min(alpha, beta), max(alpha, beta)
    at_low, at_high = (r + x, s + 1) if alpha <= beta else (s + 1, r + x)
    ratio = (low + last) / (high + last)

    def drop(w: Vector) -> Vector:
        return np.asarray((at_low - 1) * w + at_high * np.log1p(ratio * np.expm1(w)))

    def slope(w: Vector) -> Vector:
        return np.asarray(at_low - 1 + at_high * ratio * np.exp(w) / (1 + ratio * np.expm1(w)))

    length = np.log1p((age - last) / (low + last))
    falling = at_low - 1 + at_high * ratio
    length = np.minimum(length, np.where(falling > 0, _NOTHING / np.where(falling > 0, falling, 1.0), np.inf))
    fall = drop(length)
    if (fall > _NOTHING).any():
        for _ in range(4):  # Newton's method from the far side of a convex function
            excess = drop(length) - _NOTHING
            length = np.where(excess > 0, length - excess / np.where(excess > 0, slope(length), 1.0), length)
        fall = drop(length)
    left, groups = np.arange(len(x)), []
    for (points, weights), most_fall, most_length in RULES:
        enough = (fall[left] < most_fall) & (length[left] < most_length)
        rows, left = left[enough], left[~enough]
        if len(rows):
            scale = low + last[rows]
            w = length[rows] * (points[:, None] + 1) / 2
            ahead = scale * np.exp(w)
            steps = (weights[:, None] / 2 * length[rows]) * ahead
            groups.append((rows, last[rows] + (ahead - scale), steps))
    return groups

"""The few special functions that purchase models need, on arrays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

TYPE_CHECKING = False
if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vector = NDArray[np.float64]

_TERMS = 200_000
_NEAR_ONE = 0.9
_FAST = 12.0  # the series' terms fall at least like k**-_FAST: it needs no help near one


def rising(start: float, upto: int) -> Vector:
    """Sums of log(start + i) over i < n for n = 0 ... *upto*: the logarithm of gamma(start + n) / gamma(start).

    >>> rising(1.0, 3).round(4).tolist()
    [0.0, 0.0, 0.6931, 1.7918]
    """
    return np.concatenate(([0.0], np.cumsum(np.log(start + np.arange(upto)))))


def rising_slope(start: float, upto: int) -> Vector:
    """The derivative of `rising` by *start*."""
    return np.concatenate(([0.0], np.cumsum(1.0 / (start + np.arange(upto)))))


def digamma(values: Vector) -> Vector:
    """The derivative of the logarithm of gamma, for positive values.

    Source: Abramowitz and Stegun, 1964, 6.3.18 after shifting by 6.3.5.

    >>> round(float(digamma(np.array([1.0]))[0]), 12)
    -0.577215664902
    """
    shifted = np.array(values, np.float64)
    result = np.zeros_like(shifted)
    while (small := shifted < 10).any():
        result[small] -= 1 / shifted[small]
        shifted[small] += 1
    inverse = 1 / (shifted * shifted)
    tail = inverse * (1 / 12 - inverse * (1 / 120 - inverse * (1 / 252 - inverse * (1 / 240 - inverse / 132))))
    total: Vector = result + np.log(shifted) - 0.5 / shifted - tail
    return total


def log_gamma(values: Vector) -> Vector:
    """The logarithm of gamma of positive values; distinct ones are few here."""
    distinct, back = np.unique(values, return_inverse=True)
    return np.array([math.lgamma(value) for value in distinct])[back]


def _signed_log_gamma(value: float) -> tuple[float, float]:
    """Logarithm of the absolute value of gamma, and its sign."""
    return math.lgamma(value), 1.0 if value > 0 or math.floor(value) % 2 == 0 else -1.0


def _series(a: Any, b: Any, c: Any, z: Vector) -> Vector:
    a, b, c, z = (np.ravel(item).astype(np.float64) for item in np.broadcast_arrays(a, b, c, z))
    total, term = np.ones(len(z)), np.ones(len(z))
    open_ = np.arange(len(z))
    part_total, part_term = total.copy(), term.copy()
    for k in range(_TERMS):
        part_term = part_term * ((a[open_] + k) * (b[open_] + k) / ((c[open_] + k) * (k + 1)) * z[open_])
        part_total = part_total + part_term
        # what is left is at most a geometric series of ratio z beyond the largest term
        left = np.abs(part_term) > 1e-16 * np.abs(part_total) * (1 - z[open_])
        if k % 16 == 15 or not left.any():
            done = ~left
            total[open_[done]] = part_total[done]
            open_, part_total, part_term = open_[left], part_total[left], part_term[left]
            if not len(open_):
                break
    total[open_] = part_total
    return total


def scaled_hypergeometric(r: float, b: float, a: float, x: Vector, z: Vector) -> Vector:
    """(1 - z)**(r + x) times 2F1(r + x, b + x; a + b + x - 1; z), for 0 <= z < 1, stable up to z near 1.

    Args:
        r: positive.
        b: positive.
        a: positive, not 1.
        x: shape (n,), purchases >= 0.
        z: shape (n,).

    Source: Abramowitz and Stegun, 1964, 15.3.3 (Euler) below 0.9, 15.3.6 (1 - z) above where the series is slow.
    """
    result = np.empty(len(z))
    slow = (z > _NEAR_ONE) & (x + r + 2 - a < _FAST)
    direct = ~slow
    if direct.any():
        series = _series(a + b - 1 - r, a - 1.0, a + b + x[direct] - 1, z[direct])
        result[direct] = (1 - z[direct]) ** (a - 1) * series
    for count in np.unique(x[slow]).tolist():
        at = slow & (x == count)
        result[at] = _near_one(r, b, a, count, 1 - z[at])
    return result


def _near_one(r: float, b: float, a: float, x: float, rest: Vector) -> Vector:
    """The same in powers of 1 - z; a whole number of a - 1 - r would divide by zero, so r steps aside there."""
    whole = abs((a - 1 - r) - round(a - 1 - r))
    if whole < 1e-3:
        inner = _near_one(r + 2e-3, b, a, x, rest) + _near_one(r - 2e-3, b, a, x, rest)
        outer = _near_one(r + 4e-3, b, a, x, rest) + _near_one(r - 4e-3, b, a, x, rest)
        return (4 * inner - outer) / 6  # Richardson: the error falls with the fourth power
    first, second, third = r + x, b + x, a + b + x - 1
    excess = third - first - second

    def factor(up: tuple[float, float], down: tuple[float, float]) -> float:
        logs = [_signed_log_gamma(value) for value in (*up, *down)]
        sign = math.prod(item[1] for item in logs)
        return sign * math.exp(logs[0][0] + logs[1][0] - logs[2][0] - logs[3][0])

    plain = factor((third, excess), (third - first, third - second))
    raised = factor((third, -excess), (first, second))
    return plain * rest**first * _series(first, second, 1 - excess, rest) + raised * rest ** (excess + first) * _series(
        third - first, third - second, 1 + excess, rest
    )

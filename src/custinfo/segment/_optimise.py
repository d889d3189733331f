"""Maximum likelihood for a handful of positive parameters, with an analytic gradient; no scipy needed."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import attrs
import numpy as np

TYPE_CHECKING = False
if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vector = NDArray[np.float64]

_TOLERANCE = 1e-8
_NOISE = 1e-15  # share of the value that a sum of floats cannot tell from nothing
_ROUNDS = 200
_FARTHEST = 14.0  # logarithm of a parameter beyond which the likelihood has no maximum worth the name
_LONGEST_STEP = 2.0


class ModelWarning(UserWarning):
    """A model could be fitted, but the data say little; ``code`` tells programs what is wrong.

    >>> ModelWarning("few data", code="clv.boundary").code
    'clv.boundary'
    """

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


@attrs.frozen(eq=False)
class Optimum:
    """Where the likelihood is largest.

    Args:
        parameters: shape (k,), positive.
        log_likelihood: at the parameters.
        standard_errors: shape (k,); NaN where the curvature gives none.
        converged: whether it is a maximum inside the region.
    """

    parameters: Vector
    log_likelihood: float
    standard_errors: Vector
    converged: bool


def maximise(likelihood: Callable[[Vector], tuple[float, Vector]], start: Vector) -> Optimum:
    """Climb from *start* by BFGS on the logarithms of the parameters.

    Args:
        likelihood: parameters -> log-likelihood and its gradient by the parameters.
        start: shape (k,), positive.

    Source: Nocedal and Wright, Numerical Optimization, 2006, algorithm 6.1 with backtracking, scaled by 6.20.

    >>> found = maximise(lambda p: (float(3 * np.log(p[0]) - p[0]), 3 / p - 1), np.array([1.0]))
    >>> round(float(found.parameters[0]), 6), round(float(found.standard_errors[0]), 4)
    (3.0, 1.7321)
    """

    def cost(place: Vector) -> tuple[float, Vector]:
        if np.abs(place).max() > _FARTHEST:
            return math.inf, np.zeros(len(place))
        with np.errstate(all="ignore"):
            value, gradient = likelihood(np.exp(place))
        return -value, -gradient * np.exp(place)

    place = np.log(start)
    value, gradient = cost(place)
    inverse = np.eye(len(place)) / max(1.0, float(np.linalg.norm(gradient)))
    fresh = True  # the scale of the curvature is not known yet
    converged = False
    for _ in range(_ROUNDS):
        if float(np.abs(gradient).max()) < _TOLERANCE * max(1.0, abs(value)):
            converged = True
            break
        direction = -inverse @ gradient
        if direction @ gradient >= 0:  # rounding made the step go up: forget the curvature
            inverse = np.eye(len(place)) / max(1.0, float(np.linalg.norm(gradient)))
            direction, fresh = -inverse @ gradient, True
        following = _backtrack(cost, place, value, gradient, direction)
        if following is None or value - following[1] <= _NOISE * max(1.0, abs(value)):
            # as low as the float's precision lets one see
            converged = float(np.abs(gradient).max()) < math.sqrt(_TOLERANCE) * max(1.0, abs(value))
            break
        step, change = following[0] - place, following[2] - gradient
        if fresh and step @ change > 0:
            inverse, fresh = np.eye(len(place)) * float(step @ change) / float(change @ change), False
        inverse = _updated(inverse, step, change)
        place, value, gradient = following
        if float(np.abs(place).max()) > _FARTHEST - _LONGEST_STEP:
            break
    converged = converged and float(np.abs(place).max()) < _FARTHEST - _LONGEST_STEP
    parameters = np.exp(place)
    return Optimum(parameters, -value, parameters * _errors(cost, place), converged)


def _backtrack(cost: Any, place: Vector, value: float, gradient: Vector, direction: Vector) -> Any:
    length = min(1.0, _LONGEST_STEP / float(np.abs(direction).max()))
    slope = float(direction @ gradient)
    while length > 1e-10:
        there = place + length * direction
        found, slopes = cost(there)
        if math.isfinite(found) and found <= value + 1e-4 * length * slope:
            return there, found, slopes
        length /= 2
    return None


def _updated(inverse: Vector, step: Vector, change: Vector) -> Vector:
    curvature = float(step @ change)
    if curvature <= 1e-14:
        return inverse
    left = np.eye(len(step)) - np.outer(step, change) / curvature
    updated: Vector = left @ inverse @ left.T + np.outer(step, step) / curvature
    return updated


def _errors(cost: Any, place: Vector) -> Vector:
    """Standard errors of the logarithms, from the curvature: central differences of the gradient."""
    width = 1e-5
    curvature = np.array(
        [(cost(place + unit)[1] - cost(place - unit)[1]) / (2 * width) for unit in width * np.eye(len(place))]
    )
    curvature = (curvature + curvature.T) / 2
    none = np.full(len(place), np.nan)
    if not np.isfinite(curvature).all() or np.linalg.eigvalsh(curvature)[0] <= 0:
        return none
    errors: Vector = np.sqrt(np.diag(np.linalg.inv(curvature)))
    return errors

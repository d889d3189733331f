"""Maximum likelihood for a handful of positive parameters by Newton's method; no scipy needed."""

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
    Likelihood = Callable[[Vector], tuple[float, Vector, Vector]]

_GAIN = 1e-7  # what the last step may still add to the log-likelihood: near the top its error is squared
_NOISE = 1e-13  # share of the value that a sum of floats cannot tell from nothing
_ROUNDS = 60
_FARTHEST = 12.0  # logarithm of a parameter beyond which the likelihood has no maximum worth the name
_VAGUEST = 20.0  # standard error of such a logarithm beyond which the data do not say the parameter's size at all
_LONGEST_STEP = 2.0


class ModelWarning(UserWarning):
    """A model could be fitted, but the data say little; ``code`` tells programs what is wrong.

    >>> ModelWarning("few data", code="clv.boundary").code
    'clv.boundary'
    """

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code

    def __reduce__(self) -> tuple[Any, ...]:
        return _warning_again, (str(self), self.code)


def _warning_again(message: str, code: str) -> ModelWarning:
    return ModelWarning(message, code=code)


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


def maximise(likelihood: Likelihood, start: Vector) -> Optimum:
    """Climb from *start* by Newton's method on the logarithms of the parameters.

    Where the likelihood is not concave, directions of the wrong curvature are turned round, so that every step goes up.

    Args:
        likelihood: parameters -> log-likelihood, its gradient and its second derivatives by the parameters.
        start: shape (k,), positive.

    Source: Nocedal and Wright, Numerical Optimization, 2006, section 3.4 (eigenvalue modification), with backtracking.

    >>> found = maximise(lambda p: (float(3 * np.log(p[0]) - p[0]), 3 / p - 1, -3 / np.outer(p, p)), np.array([1.0]))
    >>> round(float(found.parameters[0]), 6), round(float(found.standard_errors[0]), 4)
    (3.0, 1.7321)
    """

    def look(place: Vector) -> tuple[float, Vector, Vector]:
        parameters = np.exp(place)
        with np.errstate(all="ignore"):
            value, gradient, curvature = likelihood(parameters)
        gradient = gradient * parameters
        return value, gradient, curvature * np.outer(parameters, parameters) + np.diag(gradient)

    place = np.log(start)
    value, gradient, curvature = look(place)
    peaked = False
    for _ in range(_ROUNDS):
        steepness, axes = np.linalg.eigh(-curvature)
        turned = np.maximum(np.abs(steepness), 1e-12 * np.abs(steepness).max() + np.finfo(np.float64).tiny)
        step = axes @ ((axes.T @ gradient) / turned)
        peaked = bool(steepness[0] > 0) and float(gradient @ step) < 2 * _GAIN
        following = _upwards(look, place, value, float(gradient @ step), step)
        if following is None:
            break
        place, (value, gradient, curvature) = following
        if peaked or float(np.abs(place).max()) > _FARTHEST:
            break
    errors = _errors(curvature)
    inside = float(np.abs(place).max()) <= _FARTHEST and bool((errors < _VAGUEST).all())
    parameters = np.exp(place)
    return Optimum(parameters, value, parameters * errors, peaked and inside)


def _upwards(look: Any, place: Vector, value: float, slope: float, step: Vector) -> Any:
    """The first of ever shorter steps that does not go down; None: no step does."""
    length = min(1.0, _LONGEST_STEP / max(float(np.abs(step).max()), 1e-300))
    while length > 1e-10:
        there = place + length * step
        found = look(there)
        if math.isfinite(found[0]) and found[0] >= value + 1e-4 * length * slope - _NOISE * max(1.0, abs(value)):
            return there, found
        length /= 2
    return None


def _errors(curvature: Vector) -> Vector:
    """Standard errors of the logarithms, from the observed information."""
    none = np.full(len(curvature), np.nan)
    if not np.isfinite(curvature).all() or np.linalg.eigvalsh(-curvature)[0] <= 0:
        return none
    errors: Vector = np.sqrt(np.diag(np.linalg.inv(-curvature)))
    return errors

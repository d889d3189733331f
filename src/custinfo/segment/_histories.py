"""Purchase histories as the models of purchases take them: checked, and summed over in pieces."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import attrs
import numpy as np

from custinfo.errors import InvalidFieldError
from custinfo.segment._distinct import count_once
from custinfo.segment._optimise import ModelWarning, maximise
from custinfo.segment._special import log_rising
from custinfo.segment._threads import in_order, worker_count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Vector = NDArray[np.float64]
    Part = tuple[float, Vector, Vector]

_ROWS_PER_PIECE = 8192
_MOST = 1_000_000  # purchases that a probability is asked for
_SHORT = 500  # frequencies up to which plain sums are faster than gamma functions
_SAMPLE = 2 * _ROWS_PER_PIECE  # from here on a first fit to a part saves more time than it costs


def numbers(values: Any, path: str) -> Vector:
    """Values as finite floats.

    Raises:
        InvalidFieldError: "clv.value", naming the first row that is none.
    """
    try:
        column = np.asarray(values, np.float64)
    except (TypeError, ValueError):
        raise InvalidFieldError(f"{path} must be numbers", code="clv.value", path=path) from None
    _refuse(~np.isfinite(column), f"{path} must be finite numbers, without gaps", path)
    return column + 0.0  # no negative zero: it has the same value, but other bits


def _refuse(wrong: NDArray[np.bool_], rule: str, path: str) -> None:
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InvalidFieldError(f"{rule}; row {row} is not", code="clv.value", path=path, row=row)


def histories(frequency: Any, recency: Any, age: Any) -> tuple[Vector, Vector, Vector]:
    """Purchase histories as float arrays, checked; their shapes broadcast together.

    Raises:
        InvalidFieldError: "clv.value", "clv.shape".
    """
    x, last, total = numbers(frequency, "frequency"), numbers(recency, "recency"), numbers(age, "age")
    try:
        np.broadcast_shapes(x.shape, last.shape, total.shape)
    except ValueError:
        raise InvalidFieldError("frequency, recency and age must have one shape", code="clv.shape") from None
    _refuse((x < 0) | (x != np.rint(x)), "frequency must be whole numbers >= 0", "frequency")
    _refuse((last < 0) | (last > total), "recency must be between 0 and age", "recency")
    _refuse((x == 0) & (last > 0), "recency must be 0 where frequency is 0", "recency")
    return x, last, total


def horizons(t: Any, frequency: Any, recency: Any, age: Any) -> tuple[tuple[int, ...], list[Vector]]:
    """A common shape, and t, frequency, recency and age of it as flat arrays; without history: those of new customers.

    Raises:
        InvalidFieldError: "clv.value", "clv.shape".
    """
    given = [item is not None for item in (frequency, recency, age)]
    if any(given) and not all(given):
        raise InvalidFieldError("give frequency, recency and age, or none of them", code="clv.shape")
    history = histories(frequency, recency, age) if all(given) else histories(0, 0, 0)
    ahead = numbers(t, "t")
    _refuse(ahead < 0, "t must be >= 0", "t")
    try:
        columns = np.broadcast_arrays(ahead, *history)
    except ValueError:
        raise InvalidFieldError("t must have the shape of the histories, or be one number", code="clv.shape") from None
    return columns[0].shape, [np.ravel(column) for column in columns]


def count_and_time(n: Any, t: Any) -> tuple[int, float]:
    """A number of purchases and a time to make them in, checked.

    Raises:
        InvalidFieldError: "clv.value".
    """
    count, time = numbers(n, "n"), numbers(t, "t")
    if count.ndim or time.ndim or not 0 <= count <= _MOST or count != np.rint(count) or time < 0:
        raise InvalidFieldError(
            f"n must be one whole number from 0 to {_MOST:,} and t one number >= 0", code="clv.value"
        )
    return int(count), float(time)


def weights_of(weights: ArrayLike | None, n: int) -> Vector | None:
    """Weights, checked; None: every row counts once.

    Raises:
        InvalidFieldError: "clv.value", "clv.shape".
    """
    if weights is None:
        return None
    weight = np.ravel(numbers(weights, "weights"))
    if len(weight) != n:
        raise InvalidFieldError("weights must be one number per row", code="clv.shape", path="weights")
    _refuse(weight < 0, "weights must be >= 0", "weights")
    return weight


@attrs.frozen(eq=False)
class Histories:
    """Distinct purchase histories with times as shares of the longest age, so that no unit is odd."""

    x: Vector
    last: Vector
    age: Vector
    weight: Vector
    scale: float

    @classmethod
    def of(cls, frequency: Any, recency: Any, age: Any, weights: Any) -> Histories:
        """Check and count what a caller wants fitted.

        Raises:
            InvalidFieldError: "clv.value", "clv.shape", "clv.too_few", "clv.no_repeat".
        """
        columns = [np.ravel(item) for item in histories(frequency, recency, age)]
        if len({len(column) for column in columns}) > 1:
            raise InvalidFieldError("frequency, recency and age must have one length", code="clv.shape")
        (x, last, total), weight = count_once(columns, weights_of(weights, len(columns[0])))
        if weight.sum() < 2:
            raise InvalidFieldError("a model needs at least two customers", code="clv.too_few")
        if not (x > 0).any():
            raise InvalidFieldError(
                "no customer bought again; take a longer period, or more customers", code="clv.no_repeat"
            )
        scale = float(total.max())
        if not scale > 0:
            raise InvalidFieldError("the age of all customers is 0; take a longer period", code="clv.value", path="age")
        return cls(x, last / scale, total / scale, weight, scale)

    def sample(self) -> Histories:
        """The most frequent of them, and a part of the others, which counts for all of these."""
        often = np.argsort(-self.weight, kind="stable")[: _SAMPLE // 2]
        others = np.ones(len(self.x), np.bool_)
        others[often] = False
        rest = np.flatnonzero(others)  # in the order of a hash: any part is like another
        part = rest[: _SAMPLE // 6]
        weight = self.weight.copy()
        weight[part] *= weight[rest].sum() / weight[part].sum()
        chosen = np.append(often, part)
        return attrs.evolve(self, x=self.x[chosen], last=self.last[chosen], age=self.age[chosen], weight=weight[chosen])

    def total(self, part: Callable[[Vector, Vector, Vector, Vector], Part]) -> Part:
        """The sum of value, gradient and curvature over pieces, added in their order whatever thread was faster."""
        columns = (self.x, self.last, self.age, self.weight)
        pieces = range(0, len(self.x), _ROWS_PER_PIECE)
        parts: list[Any] = [None] * len(pieces)

        def work(_: int, task: int) -> None:
            with np.errstate(all="ignore"):  # the state is the thread's own
                parts[task] = part(*(column[pieces[task] : pieces[task] + _ROWS_PER_PIECE] for column in columns))

        in_order(work, tasks=len(pieces), workers=min(worker_count(), len(pieces)))
        value, gradient, curvature = parts[0]
        for more in parts[1:]:
            value, gradient, curvature = value + more[0], gradient + more[1], curvature + more[2]
        return value, gradient, curvature


def zipped(names: tuple[str, ...], values: Vector) -> dict[str, float]:
    """Values by parameter name."""
    return dict(zip(names, values.tolist(), strict=True))


class RisingSums:
    """Sums over customers of log(gamma(start + x) / gamma(start)), with derivatives by *start*; taken once per x.

    >>> rows = Histories.of([2, 0], [1, 0], [1, 1], None)
    >>> [part.round(6).tolist() for part in RisingSums(rows)(np.array([1.0, 3.0]))]
    [[0.693147, 2.484907], [1.5, 0.583333], [-1.25, -0.173611]]
    """

    def __init__(self, rows: Histories) -> None:
        distinct, back = np.unique(rows.x, return_inverse=True)
        weights = np.bincount(back, weights=rows.weight)
        self._short = bool(distinct[-1] <= _SHORT)
        if self._short:  # plain sums of logarithms: step i counts for all whose x is larger
            self._counts = np.arange(distinct[-1])
            more = np.cumsum(weights[::-1])[::-1]
            self._weights = more[np.searchsorted(distinct, self._counts, side="right")]
        else:
            self._counts, self._weights = distinct, weights

    def __call__(self, starts: Vector) -> tuple[Vector, Vector, Vector]:
        if self._short:
            steps = starts[:, None] + self._counts
            inverse = 1 / steps
            weighted = self._weights * inverse
            return (self._weights * np.log(steps)).sum(axis=1), weighted.sum(axis=1), -(weighted * inverse).sum(axis=1)
        value, slope, curve = ((self._weights * part).sum(axis=1) for part in log_rising(starts[:, None], self._counts))
        return value, slope, curve


def in_pieces(work: Callable[..., Vector], columns: list[Vector]) -> Vector:
    """`work` on pieces of equally long columns, put together again; spares memory, and uses the threads there are."""
    n = len(columns[0])
    result = np.empty(n)

    def one(_: int, task: int) -> None:
        piece = slice(task * _ROWS_PER_PIECE, (task + 1) * _ROWS_PER_PIECE)
        result[piece] = work(*(column[piece] for column in columns))

    tasks = -(-n // _ROWS_PER_PIECE)
    in_order(one, tasks=tasks, workers=min(worker_count(), max(tasks, 1)))
    return result


def fitted(
    rows: Histories,
    likelihood: Callable[[Histories], Callable[[Vector], Part]],
    start: Vector,
    times: Vector,
) -> tuple[Vector, float, Vector]:
    """Parameters, log-likelihood and standard errors in the caller's unit of time.

    Args:
        rows: what to fit to.
        likelihood: rows -> the function to maximise.
        start: where to begin.
        times: shape (k,), 1 where the parameter is a time, 0 elsewhere.

    Warns:
        ModelWarning: "clv.boundary"; it points at the caller of the caller.
    """
    if len(rows.x) > _SAMPLE:
        part = rows.sample()
        first = maximise(likelihood(part), start) if (part.x > 0).any() else None
        start = first.parameters if first is not None and first.converged else start
    found = maximise(likelihood(rows), start)
    if not found.converged:
        message = (
            "the data do not determine the parameters: the likelihood grows towards a boundary; "
            "take more customers or a longer period"
        )
        warnings.warn(ModelWarning(message, code="clv.boundary"), stacklevel=3)
    unit = rows.scale**times
    moved = float((rows.weight * rows.x).sum()) * math.log(rows.scale)  # the density of times in the caller's unit
    return found.parameters * unit, found.log_likelihood - moved, found.standard_errors * unit


def parameter_table(model: Any, names: tuple[str, ...], title: str) -> str:
    """A fitted model as a compact HTML table."""
    from custinfo._view import table

    return table(
        {
            "parameter": list(names),
            "estimate": [getattr(model, name) for name in names],
            "standard error": [model.standard_errors.get(name) for name in names],
        },
        title=f"{title}, log-likelihood {model.log_likelihood:,.2f}" if math.isfinite(model.log_likelihood) else title,
    )

"""Pure functions of arrays behind RFM: grouping, exact sums, last times, edges, scores."""

from __future__ import annotations

from typing import Any

import numpy as np

from custinfo.errors import AmountOverflowError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Column = NDArray[Any]
    Int64 = NDArray[np.int64]

_FLOAT_EXACT = 2**53
_LIMB_BITS = 32
_FEW_EDGES = 12  # compared one by one; more are searched


def group(ids: Column) -> tuple[Int64, Column]:
    """Number the distinct ids in sorted order.

    Args:
        ids: shape (n,), int64 or objects of one sortable type.

    Returns:
        The number of each row's id, shape (n,), and the distinct ids, ascending, shape (k,).

    >>> group(np.array(["b", "a", "b"], dtype=object))
    (array([1, 0, 1]), array(['a', 'b'], dtype=object))
    """
    if ids.dtype.kind != "O":
        unique, codes = np.unique(ids, return_inverse=True)
        return codes.astype(np.int64, copy=False), unique
    values = ids.tolist()
    distinct = sorted(set(values))
    number = {value: i for i, value in enumerate(distinct)}
    codes = np.fromiter(map(number.__getitem__, values), dtype=np.int64, count=len(values))
    unique = np.fromiter(distinct, dtype=object, count=len(distinct))
    return codes, unique


def exact_sums(codes: Int64, values: Column, size: int) -> Int64:
    """Sum of *values* per code, exact whatever the order of rows.

    Args:
        codes: shape (n,), 0 <= code < size.
        values: shape (n,), whole numbers as int64 or float64.
        size: number of codes.

    Raises:
        AmountOverflowError: a sum that does not fit in 64 bits.

    >>> exact_sums(np.array([0, 1, 0]), np.array([2**62, 5, -(2**62)]), 2).tolist()
    [0, 5]
    """
    if not len(values):
        return np.zeros(size, np.int64)
    if magnitude(values) * len(values) < _FLOAT_EXACT:
        # float64 adds integers below 2**53 without rounding
        return np.bincount(codes, weights=values, minlength=size).astype(np.int64)
    sums = np.zeros((2, size), np.int64)
    for total, limb in zip(sums, limbs(values.astype(np.int64, copy=False)), strict=True):
        add_at(total, codes, limb)
    return joined(*sums)


def magnitude(values: Column) -> int:
    """The largest absolute value, as an int; 0 of none.

    >>> magnitude(np.array([-3, 2]))
    3
    """
    return max(-int(values.min()), int(values.max())) if len(values) else 0


def add_at(sums: Int64, codes: Int64, values: Int64 | int) -> None:
    """Add each value at its code in place, wrapping round beyond 64 bits.

    >>> sums = np.zeros(2, np.int64)
    >>> add_at(sums, np.array([1, 1]), np.array([5, 7]))
    >>> sums.tolist()
    [0, 12]
    """
    np.add.at(sums, codes, values)


def limbs(values: Column) -> tuple[Int64, Int64]:
    """The upper bits of each value and the lower 32, whose sums cannot overflow below 2**31 rows.

    >>> [limb.tolist() for limb in limbs(np.array([2**32 + 5, -1]))]
    [[1, -1], [5, 4294967295]]
    """
    return values >> _LIMB_BITS, values & (2**_LIMB_BITS - 1)


def joined(high: Int64, low: Int64) -> Int64:
    """Sums out of their limbs.

    Raises:
        AmountOverflowError: a sum that does not fit in 64 bits.

    >>> joined(np.array([-1]), np.array([2**32 + 5])).tolist()
    [5]
    """
    carried = high + (low >> _LIMB_BITS)
    if len(carried) and (carried.min() < -(2**31) or carried.max() >= 2**31):
        raise AmountOverflowError(
            "the sum of a customer's payments does not fit in 64 bits of minor units; check their unit"
        )
    total: Int64 = (carried << _LIMB_BITS) | (low & (2**_LIMB_BITS - 1))
    return total


def counts(codes: Int64, size: int) -> Int64:
    """How often each code occurs.

    >>> counts(np.array([2, 0, 2]), 3).tolist()
    [1, 0, 2]
    """
    return np.bincount(codes, minlength=size).astype(np.int64, copy=False)


def in_time_order(moments: Int64) -> bool:
    """Whether each moment is at or after the one before.

    >>> in_time_order(np.array([3, 3, 4])), in_time_order(np.array([4, 3]))
    (True, False)
    """
    return bool((moments[1:] >= moments[:-1]).all())


def raise_to(result: Int64, codes: Int64, moments: Int64, *, ascending: bool) -> None:
    """Raise the largest moment per code in place.

    Args:
        result: shape (size,), the moments so far; a very small number stands for none.
        codes: shape (n,), 0 <= code < size.
        moments: shape (n,).
        ascending: whether moments of equal codes are known to ascend, from those so far on.

    >>> last = np.array([3, 4, 0])
    >>> raise_to(last, np.array([0, 0, 1]), np.array([7, 5, 2]), ascending=False)
    >>> last.tolist()
    [7, 4, 0]
    """
    if ascending:
        result[codes] = moments  # of repeated indices the last one stays
    else:
        np.maximum.at(result, codes, moments)


def order_edges(values: Int64, bins: int) -> tuple[int, ...]:
    """Edges between *bins* groups of equal size: edge k is the ceil(k n / bins)-th smallest value.

    Source: type 1 quantiles (inverse of the empirical distribution function), Hyndman and Fan, 1996.

    >>> order_edges(np.array([10, 40, 20, 30, 50]), 5)
    (10, 20, 30, 40)
    """
    if not len(values):
        return ()
    n = len(values)
    ranks = [-(-k * n // bins) - 1 for k in range(1, bins)]
    lowest, highest = int(values.min()), int(values.max())
    if highest - lowest < n:  # days and counts: counting costs less than sorting
        up_to = np.cumsum(np.bincount(values - lowest))
        return tuple((np.searchsorted(up_to, ranks, side="right") + lowest).tolist())
    ordered = np.sort(values)
    return tuple(ordered[ranks].tolist())


def edges_below(values: Int64, edges: Sequence[int]) -> NDArray[np.int8]:
    """How many edges lie strictly below each value: equal values always get equal counts.

    >>> edges_below(np.array([1, 2, 3]), (2, 2)).tolist()
    [0, 0, 2]
    """
    if len(edges) > _FEW_EDGES:
        return np.searchsorted(np.sort(np.array(edges, np.int64)), values, side="left").astype(np.int8)
    below = np.zeros(len(values), np.int8)
    for edge in edges:
        below += values > edge
    return below

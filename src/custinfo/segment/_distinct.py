"""The distinct rows of columns of floats, each once, with how often it occurs."""

from __future__ import annotations

import numpy as np

TYPE_CHECKING = False
if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vector = NDArray[np.float64]

_WHOLE = 2.0**53  # sums of whole floats below are exact in any order


def count_once(columns: list[Vector], weights: Vector | None) -> tuple[list[Vector], Vector]:
    """The distinct rows of some columns and the weight of each, in an order that depends on the rows alone.

    >>> rows, weight = count_once([np.array([1.0, 2.0, 1.0])], None)
    >>> sorted(zip(rows[0].tolist(), weight.tolist()))
    [(1.0, 2.0), (2.0, 1.0)]
    """
    if weights is not None:
        seen = weights > 0
        columns, weights = [column[seen] for column in columns], weights[seen]
    exact = weights is None or (bool((weights == np.rint(weights)).all()) and float(weights.sum()) < _WHOLE)
    order = _grouped(columns) if exact else None
    if order is None:  # weights are sorted too: a sum of floats depends on its order
        order = np.lexsort([*([] if weights is None else [weights]), *columns])
    new = _changes(columns, order)
    starts = np.flatnonzero(new)
    rows = [column[order[starts]] for column in columns]
    if weights is None or not len(starts):
        return rows, np.diff(np.append(starts, len(order))).astype(np.float64)
    return rows, np.add.reduceat(weights[order], starts)


def with_places(columns: list[Vector]) -> tuple[list[Vector], NDArray[np.int64]]:
    """The distinct rows of some columns, and for each row given the place of its like among them.

    >>> rows, places = with_places([np.array([3.0, 5.0, 3.0])])
    >>> rows[0][places].tolist()
    [3.0, 5.0, 3.0]
    """
    order = _grouped(columns)
    if order is None:
        order = np.lexsort(columns)
    new = _changes(columns, order)
    places = np.empty(len(order), np.int64)
    places[order] = np.cumsum(new) - 1
    return [column[order[new]] for column in columns], places


def _changes(columns: list[Vector], order: NDArray[np.int64]) -> NDArray[np.bool_]:
    new = np.zeros(len(order), np.bool_)
    new[:1] = True
    for column in columns:
        there = column[order]
        new[1:] |= there[1:] != there[:-1]
    return new


def _grouped(columns: list[Vector]) -> NDArray[np.int64] | None:
    """Rows in an order in which equal ones are neighbours, by hash: several times faster than sorting columns."""
    n = len(columns[0])
    bits = np.uint64(max(n - 1, 1).bit_length())
    key = np.zeros(n, np.uint64)
    for column in columns:
        key += column.view(np.uint64)
        key *= np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio: spreads neighbouring values
        key ^= key >> np.uint64(32)
        key *= np.uint64(0xD6E8FEB86659FD93)
        key ^= key >> np.uint64(32)
    key = key >> bits << bits
    key |= np.arange(n, dtype=np.uint64)  # the row rides along: a sort is faster than an argsort
    key.sort()
    order = (key & ((np.uint64(1) << bits) - np.uint64(1))).astype(np.int64)
    new = _changes(columns, order)
    key >>= bits
    if (new[1:] & (key[1:] == key[:-1])).any():  # two rows of one hash
        return None
    return order

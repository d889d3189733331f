"""Pure functions of arrays: medians, means, modes and pair counts per customer."""

from __future__ import annotations

import numpy as np

_INT64 = 2**63
_CELLS_PER_ROW = 8  # a grid of all pairs up to this size is faster than sorting the rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from numpy.typing import NDArray

    Int64 = NDArray[np.int64]
    Float = NDArray[np.float64]


def mean_half_even(sums: Int64, counts: Int64) -> Int64:
    """Sums divided by counts, rounded half even; 0 where nothing was counted.

    >>> mean_half_even(np.array([5, 7, -3, 0]), np.array([2, 2, 2, 0])).tolist()
    [2, 4, -2, 0]
    """
    divisor = np.maximum(counts, 1)
    whole = sums // divisor
    rest = sums - whole * divisor
    rounded: Int64 = whole + ((2 * rest > divisor) | ((2 * rest == divisor) & (whole & 1 == 1)))
    return rounded


def medians(codes: Int64, values: Int64, size: int) -> Int64:
    """The median of the values of each code; between two middle values their mean, rounded half even; 0 of none.

    Args:
        codes: shape (n,), 0 <= code < size.
        values: shape (n,).
        size: number of codes.

    >>> medians(np.array([0, 0, 1, 1, 1]), np.array([4, 1, 9, 5, 7]), 3).tolist()
    [2, 7, 0]
    """
    low, high = _middle(codes, values, size)
    floor = (low & high) + ((low ^ high) >> 1)  # half the sum, without the sum
    odd = (low ^ high) & 1
    rounded: Int64 = floor + (odd & floor & 1)
    return rounded


def float_medians(codes: Int64, values: Int64, size: int) -> Float:
    """As `medians`, but neither rounded nor 0: between two middle values their mean, NaN of none."""
    low, high = _middle(codes, values, size)
    result = (low + high) / 2
    result[np.bincount(codes, minlength=size) == 0] = np.nan
    return result


def _middle(codes: Int64, values: Int64, size: int) -> tuple[Int64, Int64]:
    counts = np.bincount(codes, minlength=size)
    starts = np.cumsum(counts) - counts
    if not len(values):
        return np.zeros(size, np.int64), np.zeros(size, np.int64)
    _, ordered = sorted_within(codes, values)
    last = len(ordered) - 1
    low = ordered[np.minimum(starts + np.maximum(counts - 1, 0) // 2, last)]
    high = ordered[np.minimum(starts + counts // 2, last)]
    return np.where(counts > 0, low, 0), np.where(counts > 0, high, 0)


def sorted_within(codes: Int64, values: Int64) -> tuple[Int64, Int64]:
    """Codes and values, ascending by code, then value.

    >>> [part.tolist() for part in sorted_within(np.array([1, 0, 1]), np.array([5, 9, -5]))]
    [[0, 1, 1], [9, -5, 5]]
    """
    if not len(codes):
        return codes, values
    lowest = int(values.min())
    span = int(values.max()) - lowest + 1
    if span * (int(codes.max()) + 1) < _INT64:  # one number for both sorts much faster than two columns
        keys = np.sort(codes * span + (values - lowest))
        ordered = keys // span
        return ordered, keys - ordered * span + lowest
    order = np.lexsort((values, codes))
    return codes[order], values[order]


def pair_counts(codes: Int64, labels: Int64, label_count: int) -> tuple[Int64, Int64, Int64]:
    """How often each pair of code and label occurs.

    Args:
        codes: shape (n,).
        labels: shape (n,), 0 <= label < label_count.
        label_count: number of labels.

    Returns:
        Code, label and count of each pair that occurs, ascending by code, then label; shape (p,) each.

    >>> [part.tolist() for part in pair_counts(np.array([1, 0, 1]), np.array([2, 0, 2]), 3)]
    [[0, 1], [0, 2], [1, 2]]
    """
    keys = np.sort(codes * max(label_count, 1) + labels)
    starts = run_starts(keys)
    counts = np.diff(np.append(starts, len(keys)))
    pairs = keys[starts]
    return pairs // max(label_count, 1), pairs % max(label_count, 1), counts


def run_starts(*ordered: Int64) -> Int64:
    """Where runs of equal values begin in columns that are sorted together.

    >>> run_starts(np.array([4, 4, 7]), np.array([1, 1, 1])).tolist()
    [0, 2]
    """
    if not len(ordered[0]):
        return np.empty(0, np.int64)
    changed = np.zeros(len(ordered[0]), np.bool_)
    changed[0] = True
    for column in ordered:
        changed[1:] |= column[1:] != column[:-1]
    return np.flatnonzero(changed)


def modes(codes: Int64, labels: Int64, label_count: int, size: int) -> tuple[Int64, Int64]:
    """The most frequent label of each code, of equally frequent ones the lowest, and how often it occurs.

    Args:
        codes: shape (n,), 0 <= code < size.
        labels: shape (n,), 0 <= label < label_count.
        label_count: number of labels.
        size: number of codes.

    Returns:
        Label (-1 of none) and count, shape (size,) each.

    >>> [part.tolist() for part in modes(np.array([0, 0, 0]), np.array([2, 1, 2]), 3, 2)]
    [[2, -1], [2, 0]]
    """
    label, often = np.full(size, -1, np.int64), np.zeros(size, np.int64)
    if not len(codes):
        return label, often
    if size * label_count <= _CELLS_PER_ROW * len(codes):
        grid = np.bincount(codes * label_count + labels, minlength=size * label_count).reshape(size, label_count)
        often[:] = grid.max(axis=1)
        return np.where(often > 0, grid.argmax(axis=1), label), often
    pair_code, pair_label, count = pair_counts(codes, labels, label_count)
    starts = run_starts(pair_code)
    most = np.repeat(np.maximum.reduceat(count, starts), np.diff(np.append(starts, len(count))))
    best = np.flatnonzero(count == most)
    first = best[run_starts(pair_code[best])]
    label[pair_code[first]] = pair_label[first]
    often[pair_code[first]] = count[first]
    return label, often


def firsts_and_lasts(codes: Int64, values: Int64, size: int) -> tuple[Int64, Int64]:
    """The smallest and the largest value of each code; every code must occur.

    >>> [part.tolist() for part in firsts_and_lasts(np.array([0, 1, 0]), np.array([5, 7, 3]), 2)]
    [[3, 7], [5, 7]]
    """
    first, last = np.full(size, np.iinfo(np.int64).max), np.full(size, np.iinfo(np.int64).min)
    np.minimum.at(first, codes, values)
    np.maximum.at(last, codes, values)
    return first, last


def shares(parts: Int64, wholes: Int64) -> Float:
    """Parts of wholes as fractions; NaN where the whole is 0.

    >>> shares(np.array([1, 0]), np.array([4, 0])).tolist()
    [0.25, nan]
    """
    result = np.full(len(parts), np.nan)
    np.divide(parts, wholes, out=result, where=wholes != 0)
    return result

"""Pairs of rows drawn at random, from all and from those that share a value."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["random_pairs", "same_value_pairs"]

Ints = np.ndarray[Any, np.dtype[np.int64]]


def random_pairs(rows: int, many: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Pairs of different rows, drawn with replacement; all of them where there are few."""
    if rows * (rows - 1) // 2 <= many:
        left, right = np.triu_indices(rows, 1)
        return left.astype(np.int64), right.astype(np.int64)
    left = rng.integers(0, rows, many)
    right = (left + 1 + rng.integers(0, rows - 1, many)) % rows
    return np.minimum(left, right), np.maximum(left, right)


def same_value_pairs(column: np.ndarray[Any, Any], many: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Up to *many* pairs of rows with the same code, each such pair equally probable; codes below 0 are missing."""
    present = np.flatnonzero(column >= 0)
    order = present[np.argsort(column[present], kind="stable")]
    codes = column[order]
    if len(codes) < 2:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    starts = np.flatnonzero(np.append(True, codes[1:] != codes[:-1]))
    sizes = np.diff(np.append(starts, len(codes)))
    pairs = sizes * (sizes - 1) // 2
    total = int(pairs.sum())
    if total == 0:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    chosen = np.arange(total) if total <= many else rng.integers(0, total, many)
    ends = np.cumsum(pairs)
    block = np.searchsorted(ends, chosen, side="right")
    rank = chosen - (ends[block] - pairs[block])
    # The rank-th pair (a, b), a < b, of a block in the order of b.
    b = ((1 + np.sqrt(1 + 8 * rank)) / 2).astype(np.int64)
    b -= b * (b - 1) // 2 > rank
    a = rank - b * (b - 1) // 2
    left, right = order[starts[block] + a], order[starts[block] + b]
    return np.minimum(left, right), np.maximum(left, right)

"""Rows with a number in common as blocks, and the pairs in them."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np

__all__ = ["Grouping", "group"]

Ints = np.ndarray[Any, np.dtype[np.int64]]
Hashes = np.ndarray[Any, np.dtype[np.uint64]]


@attrs.frozen(eq=False)
class Grouping:
    """Rows in blocks, one block after the other, those of one row left out.

    Attributes:
        members: int64 (m,), the rows, ascending within a block.
        starts: int64 (b,), place of each block's first row.
        sizes: int64 (b,), rows of each block.
    """

    members: Ints
    starts: Ints
    sizes: Ints

    def pairs(self, cap: int, rows: int) -> Ints:
        """All pairs of the blocks of up to *cap* rows, each ``smaller * rows + larger``."""
        small = self.sizes <= cap
        starts, sizes = self.starts[small], self.sizes[small]
        made = []
        for distance in range(1, int(sizes.max(initial=0))):
            starts, sizes = starts[sizes > distance], sizes[sizes > distance]
            many = sizes - distance
            ends = np.cumsum(many)
            first = np.arange(int(ends[-1])) + np.repeat(starts - (ends - many), many)
            made.append(self.members[first] * rows + self.members[first + distance])
        return np.concatenate(made) if made else np.zeros(0, np.int64)

    def over(self, cap: int) -> Ints:
        """The rows of blocks of more than *cap* rows."""
        large = self.sizes > cap
        starts, sizes = self.starts[large], self.sizes[large]
        places = np.arange(int(sizes.sum())) + np.repeat(starts - (np.cumsum(sizes) - sizes), sizes)
        return np.asarray(self.members[places])


def group(numbers: Hashes, members: Ints, rows: int) -> Grouping:
    """Blocks of the rows that have a number in common; 0 is none.

    Rows and the upper bits of numbers share 64 bits, so that one sort does it. That different numbers fall into one
    block is as improbable as it is harmless: the two rows are compared.
    """
    shift = np.uint64(max(rows, 2).bit_length())
    keep = numbers != 0
    packed = (numbers[keep] >> shift << shift) | members[keep].astype(np.uint64)
    packed.sort()
    if len(packed):
        packed = packed[np.append(True, packed[1:] != packed[:-1])]
    codes = packed >> shift
    ordered = (packed & ((np.uint64(1) << shift) - np.uint64(1))).astype(np.int64)
    starts = np.flatnonzero(np.append(True, codes[1:] != codes[:-1])) if len(codes) else np.zeros(0, np.int64)
    sizes = np.diff(np.append(starts, len(codes)))
    shared = sizes > 1
    return Grouping(ordered, starts[shared], sizes[shared])

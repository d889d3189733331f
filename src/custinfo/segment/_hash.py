"""Numbering of integer keys in an open hash table made of NumPy arrays, shared by threads.

`np.unique` sorts all rows, which takes seconds for ten million; here each block of rows is hashed, compared with the
table at once, and only rows that miss are looked at again. Keys get the number of their slot, so the numbers depend on
the order of rows; whoever uses them sorts the keys at the end.
"""

from __future__ import annotations

import threading

import numpy as np

from custinfo.segment._threads import in_order, worker_count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from numpy.typing import NDArray

    Int64 = NDArray[np.int64]
    UInt64 = NDArray[np.uint64]

BLOCK = 1 << 16  # rows whose temporary arrays stay in the cache
_SAMPLE = 1 << 19
_SPARSEST = 16
_PART = 1 << 18  # keys that are worth a thread
# Odd multipliers spread keys over the table: the golden ratio, and one of xxHash (Collet, 2012).
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xC2B2AE3D27D4EB4F)
_HALF = np.uint64(32)
_FULL = 0.75  # share of used slots in the second part above which look-ups get long
_LONGEST_PROBE = 200  # steps; a table that is not full takes some twenty, unless keys were made to collide


class TableFullError(Exception):
    """There are more distinct keys than the table was made for, or many were made to collide."""


def sample_step(rows: int) -> int:
    """Every how many rows a sample takes one: a sixteenth of many rows, or it would miss too many rare keys.

    >>> sample_step(100), sample_step(10_000_000), sample_step(10**9)
    (1, 16, 16)
    """
    return max(1, min(rows // _SAMPLE, _SPARSEST))


def estimated_distinct(keys: Int64, *, rows: int | None = None) -> int:
    """How many distinct keys there are, guessed from an evenly spaced sample.

    Args:
        keys: shape (n,).
        rows: how many there are, where *keys* are a sample already.

    Source: Chao, Nonparametric estimation of the number of classes, 1984, bias-corrected.

    >>> estimated_distinct(np.arange(100))
    100
    """
    n = len(keys)
    sample = np.sort(keys if rows else keys[:: sample_step(n)])
    starts = np.flatnonzero(np.concatenate(([True], sample[1:] != sample[:-1], [True])))
    times = np.diff(starts)
    once, twice = int((times == 1).sum()), int((times == 2).sum())
    return min(rows or n, len(times) + once * (once - 1) // (2 * (twice + 1)))


class KeyTable:
    """Slots of integer keys; `slots` may be called by several threads.

    A key has one slot in the first part of the table. Where another key came before, it lives in the second part, in
    the first free slot from its own on. So most keys are found by one look-up of whole arrays.

    Args:
        capacity: distinct keys it is made for.
        empty: an int64 that is none of the keys.
    """

    def __init__(self, capacity: int, *, empty: int) -> None:
        self._first = max(1 << 10, 2 * capacity)
        self._second = self._first // 4
        self.size = self._first + self._second
        self.keys = np.full(self.size, empty, np.int64)
        self._empty = np.int64(empty)
        self._winner = np.empty(self.size, np.int32)
        self._lock = threading.Lock()
        self._displaced = 0

    def slots(self, keys: Int64) -> Int64:
        """The slot of each key; new keys are put in.

        Raises:
            TableFullError: there are more keys than fit; start again with a larger table.

        >>> table = KeyTable(3, empty=-1)
        >>> slots = table.slots(np.array([7, 9, 7]))
        >>> table.keys[slots].tolist(), bool(slots[0] == slots[2])
        ([7, 9, 7], True)
        """
        result = np.empty(len(keys), np.int64)
        spare = np.empty(min(BLOCK, len(keys)), np.int64)
        displaced = []
        for start in range(0, len(keys), BLOCK):
            block = keys[start : start + BLOCK]
            slot = result[start : start + BLOCK]
            found = spare[: len(block)]
            _scaled(_mixed(block, slot.view(np.uint64), found.view(np.uint64)), self._first)
            displaced.append(self._settle(block, slot, np.take(self.keys, slot, out=found, mode="clip")) + start)
        self._probe(keys, result, np.concatenate(displaced) if displaced else np.empty(0, np.int64))
        return result

    def ascending(self, slots: Int64) -> tuple[Int64, Int64]:
        """The keys of some slots, ascending, and the slots in that order.

        >>> table = KeyTable(3, empty=-1)
        >>> table.ascending(table.slots(np.array([7, 9, 5])))[0].tolist()
        [5, 7, 9]
        """
        keys = np.sort(self.keys[slots])  # a look-up of each costs less than an argsort
        found = np.empty(len(keys), np.int64)
        step = max(_PART, -(-len(keys) // worker_count()))

        def look_up(_: int, i: int) -> None:
            part = slice(i * step, (i + 1) * step)
            found[part] = self.slots(keys[part])

        in_order(look_up, tasks=-(-len(keys) // step), workers=worker_count())
        return keys, found

    def _settle(self, keys: Int64, slots: Int64, found: Int64) -> Int64:
        """Put keys into slots that were found free; which keys found another key in theirs."""
        missed: Int64 = np.flatnonzero(found != keys)
        free = found[missed] == self._empty
        if not free.any():
            return missed
        wanted = missed[free]
        self._insert(keys[wanted], slots[wanted])
        late = wanted[self.keys[slots[wanted]] != keys[wanted]]
        return np.concatenate([missed[~free], late])

    def _probe(self, keys: Int64, slots: Int64, rows: Int64) -> None:
        """Linear probing in the second part: whoever finds another key in his slot looks at the next one."""
        key = keys[rows]
        hashed = _mixed(key, np.empty(len(key), np.uint64), np.empty(len(key), np.uint64))
        slot = _scaled(hashed << _HALF, self._second).view(np.int64) + self._first
        steps = 0
        while len(rows):
            steps += 1
            if steps > _LONGEST_PROBE:
                raise TableFullError
            wrong = self._settle(key, slot, self.keys[slot])
            slots[rows] = slot  # those that are wrong get another one in the next round
            rows, key, slot = rows[wrong], key[wrong], slot[wrong] + 1
            slot[slot == self.size] = self._first

    def _insert(self, keys: Int64, slots: Int64) -> None:
        with self._lock:
            free = np.flatnonzero(self.keys[slots] == self._empty)
            # One writer a slot: another thread must never see a key there that is replaced a moment later.
            wanted = slots[free]
            self._winner[wanted] = free
            first = free[self._winner[wanted] == free]
            self.keys[slots[first]] = keys[first]
            self._displaced += int((slots[first] >= self._first).sum())
            if self._displaced > _FULL * self._second:
                raise TableFullError


def _mixed(keys: Int64, out: UInt64, spare: UInt64) -> UInt64:
    """A hash of each key, in *out*."""
    np.multiply(keys.view(np.uint64), _SPREAD, out=out)
    np.right_shift(out, _HALF, out=spare)
    np.bitwise_xor(out, spare, out=out)
    return np.multiply(out, _MIX, out=out)


def _scaled(hashed: UInt64, size: int) -> UInt64:
    """The upper 32 bits of each hash as a slot below *size*, in place; a larger hash never gets a smaller slot."""
    np.right_shift(hashed, _HALF, out=hashed)
    np.multiply(hashed, np.uint64(size), out=hashed)
    return np.right_shift(hashed, _HALF, out=hashed)

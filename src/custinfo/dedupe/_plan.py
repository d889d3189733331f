"""Which keys to compare records by: chosen once from the data that a model is estimated from."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from custinfo.dedupe._keyhash import together
from custinfo.dedupe._keys import BOTH, Plan

__all__ = ["choose_plan"]

Ints = np.ndarray[Any, np.dtype[np.int64]]
Bools = np.ndarray[Any, np.dtype[np.bool_]]
Hashes = np.ndarray[Any, np.dtype[np.uint64]]

_CAPS = (100, 70, 50, 35, 25, 18, 12, 8, 5, 3)
_FLOOR, _PER_ROW = 100_000, 10
_MOST = 24
_SAMPLE = 40_000
# A record should meet its likes in so many keys: one may be misspelt in the next record.
_TWICE = 2
_FEW = 200
_BROAD, _RARELY = 0.5, 0.01
_SELECTIVE = 2e-4


def choose_plan(slots: Hashes, names: Sequence[str], owners: Sequence[frozenset[str]], left: Ints, right: Ints) -> Plan:
    """Keys that bring together the pairs that were joined, each as often as possible in small blocks.

    Args:
        slots: uint64 (n, slots) of distinct records.
        names: name of each slot.
        owners: the fields that each slot is made of.
        left: int64 (p,), rows of pairs that were joined.
        right: int64 (p,), the other rows.
    """
    rows = len(slots)
    step = max(1, len(left) // _SAMPLE)
    left, right = left[::step], right[::step]
    budget = (_FLOOR + _PER_ROW * rows) // 2
    firsts = [k for k, name in enumerate(names) if name not in names[:k]]
    columns = {k: np.sort(slots[:, k]) for k in firsts}
    # "name" holds both names, so that neither is a key of its own; what most records share with many is none either.
    beside = {"middle_name", *(("given_name", "family_name") if BOTH in names else ())}
    singles = {k: columns[k] for k in firsts if names[k] not in beside and _overflow(columns[k], _CAPS[0]) <= _BROAD}
    cap = _cap([_sizes(column) for column in singles.values()], budget)
    # Blocks grow with the records that will be added: what meets in small ones now will still meet then.
    small = max(3, cap // 4)
    covered = np.zeros(len(left), np.int64)
    for k, column in singles.items():
        covered += _meets(slots[:, k], column, left, right, small)
    broad = [k for k in firsts if names[k] != "name" and _overflow(columns[k], small) > _RARELY]
    found: dict[tuple[int, int], tuple[Bools, Ints, float]] = {}
    for a, b in itertools.combinations(broad, 2):
        if owners[a] & owners[b]:
            continue
        joint = together(slots[:, a], slots[:, b])
        column = np.sort(joint)
        sizes = _sizes(column)
        chance = float((sizes.astype(np.float64) ** 2).sum()) / max(float(sizes.sum()) ** 2, 1.0)
        found[a, b] = (_meets(joint, column, left, right, small), sizes, chance)
    if len(left) >= _FEW:
        chosen = _greedy({pair: meets for pair, (meets, _, _) in found.items()}, covered)
    else:
        usable = [
            (-chance, names[a], names[b], (a, b)) for (a, b), (_, _, chance) in found.items() if chance < _SELECTIVE
        ]
        chosen = [pair for *_, pair in sorted(usable)[:_MOST]]
    pair_cap = _cap([found[pair][1] for pair in chosen], budget)
    meets = np.zeros(len(left), bool)
    for k, column in singles.items():
        meets |= _meets(slots[:, k], column, left, right, cap)
    for a, b in chosen:
        joint = together(slots[:, a], slots[:, b])
        meets |= _meets(joint, np.sort(joint), left, right, pair_cap)
    return Plan(
        singles=tuple(names[k] for k in singles),
        pairs=tuple((names[a], names[b]) for a, b in chosen),
        cap=cap,
        pair_cap=pair_cap,
        coverage=float(meets.mean()) if len(meets) else 1.0,
    )


def _sizes(column: Hashes) -> Ints:
    """Block sizes of a sorted column, 0 being no key."""
    column = column[np.searchsorted(column, 1) :]
    starts = np.flatnonzero(np.append(True, column[1:] != column[:-1])) if len(column) else np.zeros(0, np.int64)
    return np.diff(np.append(starts, len(column)))


def _cap(blocks: Sequence[Ints], room: int) -> int:
    """The largest block size with which all blocks up to it make no more than *room* pairs."""
    sizes = np.concatenate([*blocks, np.zeros(0, np.int64)])
    for cap in _CAPS:
        small = sizes[sizes <= cap]
        if int((small * (small - 1) // 2).sum()) <= room:
            return cap
    return _CAPS[-1]


def _overflow(column: Hashes, cap: int) -> float:
    """Share of the records whose block is larger than *cap*."""
    sizes = _sizes(column)
    return float(sizes[sizes > cap].sum()) / max(float(sizes.sum()), 1.0)


def _meets(keys: Hashes, column: Hashes, left: Ints, right: Ints, cap: int) -> Bools:
    """Which pairs share a key in a block of no more than *cap*."""
    one = keys[left]
    size = np.searchsorted(column, one, "right") - np.searchsorted(column, one, "left")
    return np.asarray((one == keys[right]) & (one != 0) & (size <= cap), bool)


def _greedy(meets: dict[tuple[int, int], Bools], covered: Ints) -> list[tuple[int, int]]:
    """Pairs of slots, each the one that helps most where records meet in fewer than two keys."""
    chosen: list[tuple[int, int]] = []
    least = max(1, len(covered) // 2000)
    covered = covered.copy()
    while len(chosen) < _MOST and meets:
        lacking = covered < _TWICE
        gain, best = max((int(hits[lacking].sum()), (-a, -b)) for (a, b), hits in meets.items())
        if gain < least:
            break
        pair = (-best[0], -best[1])
        covered += meets.pop(pair)
        chosen.append(pair)
    return chosen

"""Candidate pairs within a budget that grows linearly with the rows; keys are chosen from the data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np

from custinfo.dedupe._atoms import Atom, atoms_of
from custinfo.dedupe._choose import Key, choose
from custinfo.dedupe._compare import compare
from custinfo.dedupe._fields import Field
from custinfo.dedupe._grouping import group
from custinfo.dedupe._guess import alike
from custinfo.dedupe._threads import in_threads

__all__ = ["Blocks", "candidates"]

Ints = np.ndarray[Any, np.dtype[np.int64]]

_WINDOW = 3
# So few pairs are all compared.
_ALL_PAIRS = 400_000


@attrs.frozen(kw_only=True, eq=False)
class Blocks:
    """Candidate pairs and where they came from.

    Attributes:
        left: int64 (p,), the smaller row.
        right: int64 (p,), the larger row.
        counts: pairs made by each key, before pairs that several keys made are counted once.
        dropped: thing in common -> rows of which every block was too large; they met only a few others.
    """

    left: Ints
    right: Ints
    counts: dict[str, int]
    dropped: dict[str, int]


def candidates(fields: Sequence[Field], *, workers: int = 1, per_row: int = 5, floor: int = 100_000) -> Blocks:
    """Pairs of rows that agree on some key, at most about ``floor + per_row * n`` of them."""
    rows = len(fields[0].codes)
    if rows * (rows - 1) // 2 <= _ALL_PAIRS:
        left, right = np.triu_indices(rows, 1)
        return Blocks(
            left=left.astype(np.int64), right=right.astype(np.int64), counts={"all pairs": len(left)}, dropped={}
        )

    def look_alike(left: Ints, right: Ints) -> np.ndarray[Any, np.dtype[np.bool_]]:
        return alike(fields, compare(list(fields), left, right, workers=workers))

    atoms = atoms_of(fields)
    keys = choose(atoms, rows, floor + per_row * rows, look_alike)
    looked_for = np.zeros(rows, bool)
    made: list[Ints] = [np.zeros(0, np.int64)] * len(keys)

    def fill(place: int) -> None:
        made[place], met = _of_key(keys[place], rows)
        looked_for[met] = True

    in_threads(fill, range(len(keys)), workers)
    counts = {key.name: len(pairs) for key, pairs in zip(keys, made, strict=True)}
    dropped, more = _left_over(atoms, np.flatnonzero(~looked_for), rows)
    packed = _merged([*made, more])
    left = packed // rows
    return Blocks(left=left, right=packed - left * rows, counts=counts, dropped=dropped)


def _left_over(atoms: Sequence[Atom], unmet: Ints, rows: int) -> tuple[dict[str, int], Ints]:
    """Rows whose every block was too large: how many for each thing in common, and pairs of neighbours in it."""
    dropped: dict[str, int] = {}
    made = [np.zeros(0, np.int64)]
    for atom in atoms:
        column = atom.columns(unmet)[0]
        here = column != 0
        if here.any():
            dropped[atom.name] = int(here.sum())
            order = unmet[here][np.argsort(column[here], kind="stable")]
            for distance in range(1, min(_WINDOW, len(order) - 1) + 1):
                a, b = order[:-distance], order[distance:]
                made.append(np.minimum(a, b) * rows + np.maximum(a, b))
            unmet = unmet[~here]
    return dropped, np.concatenate(made)


def _of_key(key: Key, rows: int) -> tuple[Ints, Ints]:
    """The pairs of a key, and the rows that have it in no block that is too large."""
    columns = key.columns()
    members = np.tile(np.arange(rows, dtype=np.int64), len(columns))
    blocks = group(np.concatenate(columns), members, rows)
    present = np.logical_or.reduce([column != 0 for column in columns])
    present[blocks.over(key.cap)] = False
    return blocks.pairs(key.cap, rows), np.flatnonzero(present)


def _merged(parts: Sequence[Ints]) -> Ints:
    """Sorted numbers, each once."""
    whole = np.concatenate(parts)
    whole.sort()
    return whole[np.append(True, whole[1:] != whole[:-1])] if len(whole) else whole

"""Which keys bring records together, chosen from the data: much found for few pairs.

Pairs that look like one person's are gathered from a sample of small blocks. What share of them agrees in a key, and
how many pairs the key's blocks make, is known before the key is used. The pairs that small blocks show agree in much;
those that are hard to find do not. So each seen pair is taken as if some of its fields had been misspelt.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import attrs
import numpy as np

from custinfo.dedupe._atoms import Atom, together
from custinfo.dedupe._grouping import group

__all__ = ["Key", "choose"]

Ints = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, np.dtype[np.float64]]
Bools = np.ndarray[Any, np.dtype[np.bool_]]
Hashes = np.ndarray[Any, np.dtype[np.uint64]]
Alike = Callable[[Ints, Ints], Bools]

_CAPS = (4, 8, 16, 32, 64, 128, 256)
_SAMPLED_ROWS = 60_000
_SAMPLED_PAIRS = 30_000
_SMALL = 10
# A thing in common is broad if it makes more than so many pairs for each record.
_BROAD = 0.4
_ENOUGH, _MOST = 50, 3000
# How probable it is that a field of a seen pair is left as it is.
_KEPT = 0.6
_LEAST_GAIN = 2e-4
_ALMOST_ALL = 0.999


@attrs.frozen(eq=False)
class Key:
    """One atom, or two together, up to a size of its blocks."""

    atoms: tuple[Atom, ...]
    cap: int = 0

    @property
    def name(self) -> str:
        """What diagnostics call it."""
        return " + ".join(atom.name for atom in self.atoms)

    def columns(self, rows: Any = slice(None)) -> list[Hashes]:
        """Numbers of rows, one array for each combination of alternatives."""
        if len(self.atoms) == 1:
            return self.atoms[0].columns(rows)
        one, other = (atom.columns(rows) for atom in self.atoms)
        return [together(a, b) for a, b in itertools.product(one, other)]


def choose(atoms: Sequence[Atom], rows: int, budget: float, alike: Alike) -> list[Key]:
    """Keys whose blocks make no more than about *budget* pairs in all, those first that find most for their pairs.

    Args:
        atoms: what keys can be made of.
        rows: number of rows.
        budget: how many pairs may be made.
        alike: which pairs look like one person's.
    """
    samples = [_Sample.of(atom, rows) for atom in atoms]
    left, right = _seen(samples, rows, alike)
    keys = list(_keys(samples))
    agree, found, cost = _prospects(keys, samples, rows, left, right)
    agree &= _kept(keys, len(left))
    enough = len(left) >= _ENOUGH
    missed = np.ones(len(left))
    chosen = np.full(len(keys), -1)
    now, paid = np.zeros(len(keys)), np.zeros(len(keys))
    # Without pairs to learn from, what counts is how many records meet another one.
    mass = np.ones(len(keys))
    while len(keys):
        if enough:
            mass = agree @ missed / len(left)
        gain = mass[:, None] * (found - now[:, None]) / (1 - now[:, None])
        price = cost - paid[:, None]
        open_ = (np.arange(len(_CAPS)) > chosen[:, None]) & (price <= budget - paid.sum()) & (gain > _LEAST_GAIN)
        ratio = np.where(open_, gain / (price + rows / 50), 0.0)
        best = int(ratio.argmax())
        number, place = divmod(best, len(_CAPS))
        if ratio[number, place] <= 0:
            break
        if enough:
            missed[agree[number]] *= (1 - found[number, place]) / (1 - now[number])
        chosen[number], now[number], paid[number] = place, found[number, place], cost[number, place]
    return [Key(keys[number], _CAPS[chosen[number]]) for number in np.flatnonzero(chosen >= 0).tolist()]


@attrs.frozen(eq=False)
class _Sample:
    """Whole blocks of an atom: the rows of every so-many-th number."""

    atom: Atom
    spread: int
    rows: tuple[Ints, ...]
    blocks: int
    broad: bool

    @classmethod
    def of(cls, atom: Atom, rows: int) -> _Sample:
        spread = max(0, (rows // _SAMPLED_ROWS).bit_length())
        chosen = tuple(np.flatnonzero(_picked(column, spread)) for column in atom.columns())
        sizes = np.concatenate(
            [_sizes(np.sort(column[part])) for column, part in zip(atom.columns(), chosen, strict=True)]
        )
        broad = bool((sizes * (sizes - 1)).sum() / 2 * 2.0**spread > _BROAD * rows)
        return cls(atom, spread, chosen, len(sizes), broad)


def _sizes(ordered: Hashes) -> Ints:
    """Block sizes of sorted numbers."""
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])) if len(ordered) else np.zeros(0, np.int64)
    return np.diff(np.append(starts, len(ordered)))


def _picked(column: Hashes, spread: int) -> Bools:
    if not spread:
        return np.asarray(column != 0)
    return np.asarray((column != 0) & (column >> np.uint64(64 - spread) == 0))


def _seen(samples: Sequence[_Sample], rows: int, alike: Alike) -> tuple[Ints, Ints]:
    """Pairs of small blocks that look like one person's."""
    made = []
    for sample in samples:
        for column, part in zip(sample.atom.columns(), sample.rows, strict=True):
            made.append(group(column[part], part, rows).pairs(_SMALL, rows))
    packed = np.unique(np.concatenate(made)) if made else np.zeros(0, np.int64)
    packed = packed[:: max(1, len(packed) // _SAMPLED_PAIRS)]
    left, right = packed // rows, packed % rows
    good = np.flatnonzero(alike(left, right))
    good = good[:: max(1, len(good) // _MOST)]
    return left[good], right[good]


def _keys(samples: Sequence[_Sample]) -> Iterator[tuple[Atom, ...]]:
    for sample in samples:
        yield (sample.atom,)
    # Blocks that are small already need no second thing in common.
    for one, other in itertools.combinations([sample for sample in samples if sample.broad], 2):
        if not one.atom.fields & other.atom.fields:
            # The atom of more different values first: its sample serves for both.
            first, second = (one, other) if one.blocks >= other.blocks else (other, one)
            yield first.atom, second.atom


def _prospects(
    keys: Sequence[tuple[Atom, ...]], samples: Sequence[_Sample], rows: int, left: Ints, right: Ints
) -> tuple[Bools, Floats, Floats]:
    """Of each key: which seen pairs agree, and for each cap the share of them that it finds and the pairs it makes."""
    by_atom = {id(sample.atom): sample for sample in samples}
    agree = np.zeros((len(keys), len(left)), bool)
    found, cost = np.zeros((len(keys), len(_CAPS))), np.zeros((len(keys), len(_CAPS)))
    caps = np.array(_CAPS)
    for number, atoms in enumerate(keys):
        sample = by_atom[id(atoms[0])]
        ordered = _sampled(sample, atoms[1:])
        ordered.sort()
        sizes = _sizes(ordered)
        sizes = sizes[sizes > 1]
        in_cap = sizes[None, :] <= caps[:, None]
        cost[number] = (in_cap * (sizes * (sizes - 1) // 2)).sum(1) * 2.0**sample.spread
        same = np.zeros(len(left), bool)
        known = np.zeros(0, np.int64)
        key = Key(atoms)
        for a, b in itertools.product(key.columns(left), key.columns(right)):
            hit = (a == b) & (a != 0)
            same |= hit
            of = a[hit]
            size = np.searchsorted(ordered, of, "right") - np.searchsorted(ordered, of, "left")
            known = np.append(known, size[size > 0])
        agree[number] = same
        share = (known[None, :] <= caps[:, None]).mean(1) if len(known) else np.zeros(len(caps))
        met = (in_cap * sizes).sum(1) * 2.0**sample.spread / rows
        found[number] = np.minimum(share if len(left) >= _ENOUGH else met, _ALMOST_ALL)
    return agree, found, cost


def _kept(keys: Sequence[tuple[Atom, ...]], many: int) -> Bools:
    """Of each key and seen pair: whether its fields are all left as they are."""
    rng = np.random.default_rng(0)
    names = sorted(set().union(*(atom.fields for atoms in keys for atom in atoms)))
    kept = {name: rng.random(many) < _KEPT for name in names}
    every = np.ones((len(keys), many), bool)
    for number, atoms in enumerate(keys):
        for name in frozenset().union(*(atom.fields for atom in atoms)):
            every[number] &= kept[name]
    return every


def _sampled(sample: _Sample, others: Sequence[Atom]) -> Hashes:
    """Numbers of the sampled rows, alone or together with another atom."""
    parts: list[Hashes] = []
    for column, part in zip(sample.atom.columns(), sample.rows, strict=True):
        mine = column[part]
        parts += [together(mine, other) for other in others[0].columns(part)] if others else [mine]
    whole = np.concatenate(parts)
    return np.asarray(whole[whole != 0])

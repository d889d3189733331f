"""Pairs to compare, their weights, and clusters of some entries, as a whole search would find them."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np

from custinfo.dedupe._cluster import CLIP, NEVER, components, partition
from custinfo.dedupe._compare import compare
from custinfo.dedupe._entries import Entries
from custinfo.dedupe._estimate import HOPELESS
from custinfo.dedupe._model import evidence
from custinfo.dedupe._postings import Postings
from custinfo.dedupe._rules import Conflicts

__all__ = ["Weighed", "cluster", "new_pairs", "pairs_among", "weigh"]

Ints = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, np.dtype[np.float64]]
Hashes = np.ndarray[Any, np.dtype[np.uint64]]
_CHUNK = 1 << 18
# Eight bits: beyond that a few answers of a person move no decision.
_DOUBT = 8 * float(np.log(2))


def weigh(entries: Entries, left: Ints, right: Ints, *, workers: int) -> Floats:
    """Natural log odds that pairs of entries are one person's; one pair weighs the same whatever it is weighed with."""
    odds = np.zeros(len(left))
    if not len(left):
        return odds
    model = entries.model
    used, inverse = np.unique(np.concatenate([left, right]), return_inverse=True)
    fields = entries.fields(used)
    chances = model.chances(fields)
    a, b = inverse[: len(left)].astype(np.int64), inverse[len(left) :].astype(np.int64)
    conflicts = Conflicts(model.rules, fields)
    for start in range(0, len(left), _CHUNK):
        part = slice(start, start + _CHUNK)
        levels = compare(fields, a[part], b[part], workers=workers)
        odds[part] = model.weights.log_odds(evidence(fields, levels, a[part], b[part], chances))
    if conflicts:
        likely = np.flatnonzero(odds > HOPELESS)
        odds[likely[conflicts.of(a[likely], b[likely])]] = NEVER
    return odds


def pairs_among(entries: Entries, postings: Postings, chosen: Ints) -> tuple[Ints, Ints]:
    """Pairs of the chosen entries (as places in *chosen*) that share a key which few enough entries have."""
    if 2 * len(chosen) > len(entries):
        flat, member = postings.whole()
        places = np.full(len(entries), -1, np.int64)
        places[chosen] = np.arange(len(chosen))
        size = np.diff(np.append(_starts(flat), len(flat)))
        place = places[member]
        small = (np.repeat(size, size) <= entries.maker.caps(flat)) & (place >= 0)
        return _block_pairs(flat[small], place[small], len(chosen))
    keys = entries.keys(chosen)
    flat = keys.ravel()
    place = np.repeat(np.arange(len(chosen), dtype=np.int64), keys.shape[1])
    order = np.argsort(flat, kind="stable")
    flat, place = flat[order], place[order]
    same = flat[1:] == flat[:-1]
    shared = (np.append(False, same) | np.append(same, False)) & (flat != 0)
    flat, place = flat[shared], place[shared]
    small = postings.sizes(flat) <= entries.maker.caps(flat)
    return _block_pairs(flat[small], place[small], len(chosen))


def _starts(flat: Hashes) -> Ints:
    return np.flatnonzero(np.append(True, flat[1:] != flat[:-1])) if len(flat) else np.zeros(0, np.int64)


def _block_pairs(flat: Hashes, place: Ints, many: int) -> tuple[Ints, Ints]:
    """All pairs inside blocks of sorted keys, each once, the smaller place left."""
    made = []
    todo = np.arange(len(flat) - 1)
    distance = 1
    while len(todo):
        todo = todo[todo + distance < len(flat)]
        todo = todo[flat[todo] == flat[todo + distance]]
        a, b = place[todo], place[todo + distance]
        made.append(np.minimum(a, b) * many + np.maximum(a, b))
        distance += 1
    packed = np.concatenate([*made, np.zeros(0, np.int64)])
    packed.sort()
    if len(packed):
        packed = packed[np.append(True, packed[1:] != packed[:-1])]
    left, right = packed // max(many, 1), packed % max(many, 1)
    real = left != right
    return left[real], right[real]


def new_pairs(entries: Entries, postings: Postings, fresh: Ints, keys: Hashes) -> tuple[Ints, Ints]:
    """Pairs with at least one of the *fresh* entries, which have these keys and are in the postings already."""
    flat = keys.ravel()
    owner = np.repeat(fresh, keys.shape[1])
    size = postings.sizes(flat)
    usable = (size > 1) & (size <= entries.maker.caps(flat))
    flat, owner = flat[usable], owner[usable]
    blocks, inverse = np.unique(flat, return_inverse=True)
    which, member = postings.members(blocks)
    order = np.argsort(which, kind="stable")
    which, member = which[order], member[order]
    starts = np.searchsorted(which, np.arange(len(blocks)))
    counts = np.bincount(which, minlength=len(blocks))
    many = counts[inverse]
    one = np.repeat(owner, many)
    offset = np.arange(len(one)) - np.repeat(np.cumsum(many) - many, many)
    other = member[np.repeat(starts[inverse], many) + offset]
    differ = one != other
    low, high = np.minimum(one[differ], other[differ]), np.maximum(one[differ], other[differ])
    packed = np.unique(low * np.int64(len(entries)) + high)
    return packed // len(entries), packed % len(entries)


@attrs.frozen(kw_only=True, eq=False)
class Weighed:
    """Pairs of entries and their natural log odds."""

    left: Ints
    right: Ints
    odds: Floats

    def near(self, threshold: float) -> Weighed:
        """Those of which it is doubtful on which side of the threshold they belong."""
        keep = np.abs(self.odds - threshold) <= _DOUBT
        return Weighed(left=self.left[keep], right=self.right[keep], odds=self.odds[keep])


def cluster(entries: Entries, postings: Postings, chosen: Ints, *, workers: int) -> tuple[Ints, Ints, Weighed]:
    """Component and cluster of each of the chosen entries, as some entry of it, and the pairs that were weighed.

    The chosen entries, ascending, are whole components: none of the others belongs to them. The answer depends on the
    contents alone, not on the numbers of the entries.
    """
    chosen = chosen[np.argsort(entries.content.view[chosen], kind="stable")]
    left, right = pairs_among(entries, postings, chosen)
    weight = weigh(entries, chosen[left], chosen[right], workers=workers)
    threshold = entries.model.threshold

    def weigh_places(a: Ints, b: Ints) -> Floats:
        return weigh(entries, chosen[a], chosen[b], workers=workers)

    conflicts = Conflicts(entries.model.rules, entries.fields(chosen))
    label, *_ = partition(
        len(chosen),
        left,
        right,
        weight,
        threshold=threshold,
        clip=CLIP,
        weigh=weigh_places,
        apart=conflicts or None,
    )
    strong = weight > threshold
    component = components(len(chosen), left[strong], right[strong])
    back = np.argsort(chosen, kind="stable")
    pairs = Weighed(left=chosen[left], right=chosen[right], odds=weight)
    return chosen[component][back], chosen[label][back], pairs

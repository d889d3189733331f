"""Comparison levels of pairs of rows, computed once per distinct pair of values."""

from __future__ import annotations

from typing import Any

import numpy as np
from rapidfuzz.distance import OSA
from rapidfuzz.process import cpdist

from custinfo.dedupe._fields import Field
from custinfo.dedupe._levels import DIFFERENT, EQUAL, MISSING, SIMILAR, SWAPPED
from custinfo.dedupe._scorers import SCORERS
from custinfo.dedupe._threads import in_threads

__all__ = ["compare"]

Pairs = np.ndarray[tuple[int], np.dtype[np.int64]]
Levels = np.ndarray[tuple[int], np.dtype[np.int8]]
_CHUNK = 1 << 19
# So few pairs are not worth a thread.
_ALONE = 10_000
# Of these kinds hardly two pairs of rows have the same two values: each is compared by itself.
_VARIED = frozenset({"email", "phone", "number"})


def compare(
    fields: list[Field], left: Pairs, right: Pairs, *, workers: int = 1
) -> np.ndarray[tuple[int, int], np.dtype[np.int8]]:
    """Level of each field for each pair of rows, int8 (fields, pairs).

    The level of (i, j) equals that of (j, i); alternatives count by their best level.
    """
    levels = np.empty((len(fields), len(left)), np.int8)

    def fill(position: int) -> None:
        for start in range(0, len(left), _CHUNK):
            part = slice(start, start + _CHUNK)
            levels[position, part] = _field_levels(fields[position], left[part], right[part], workers)

    in_threads(fill, range(len(fields)), workers if len(left) > _ALONE else 1)
    names = {field.name: position for position, field in enumerate(fields)}
    if "given_name" in names and "family_name" in names:
        given, family = names["given_name"], names["family_name"]
        _mark_swapped(fields[given], fields[family], left, right, levels, given, family)
    return levels


def _field_levels(field: Field, left: Pairs, right: Pairs, workers: int) -> Levels:
    width = field.codes.shape[1]
    best = np.zeros(len(left), np.int8)
    for one in range(width):
        for other in range(width):
            level = _code_levels(field, field.codes[left, one], field.codes[right, other], workers)
            best = np.where((best == 0) | ((level > 0) & (level < best)), level, best)
    return best


def _code_levels(field: Field, a: np.ndarray[Any, Any], b: np.ndarray[Any, Any], workers: int) -> Levels:
    present = (a >= 0) & (b >= 0)
    level = np.where(present, np.where(a == b, EQUAL, DIFFERENT), MISSING).astype(np.int8)
    if field.kind in ("flag", "token"):
        return level
    todo = np.flatnonzero(present & (a != b))
    if not len(todo):
        return level
    scorer = SCORERS[field.kind]
    low, high = np.minimum(a[todo], b[todo]).astype(np.int64), np.maximum(a[todo], b[todo]).astype(np.int64)
    if field.kind in _VARIED:
        level[todo] = scorer(field, low, high, workers)
        return level
    joint = low * len(field.texts) + high
    order = np.argsort(joint)
    ordered = joint[order]
    fresh = np.empty(len(ordered), bool)
    fresh[0] = True
    np.not_equal(ordered[1:], ordered[:-1], out=fresh[1:])
    distinct = ordered[fresh]
    result = scorer(field, distinct // len(field.texts), distinct % len(field.texts), workers)
    level[todo[order]] = result[np.cumsum(fresh) - 1]
    return level


def _mark_swapped(
    given: Field, family: Field, left: Pairs, right: Pairs, levels: np.ndarray[Any, Any], g: int, f: int
) -> None:
    """Where the names differ as they stand but agree crosswise, both fields are "swapped"."""
    shared = {text: code for code, text in enumerate(given.key_texts)}
    family_key = np.array([shared.get(text, -2 - code) for code, text in enumerate(family.key_texts)] + [-1], np.int64)
    given_key = np.append(given.keys, -1).astype(np.int64)
    family_of_value = np.append(family_key[family.keys], -1) if len(family.keys) else np.array([-1])
    candidates = np.flatnonzero((levels[g] >= SIMILAR) & (levels[f] >= SIMILAR))
    i, j = left[candidates], right[candidates]
    gi, gj = given_key[given.first[i]], given_key[given.first[j]]
    fi, fj = family_of_value[family.first[i]], family_of_value[family.first[j]]
    one, other = (gi == fj) & (gi != -1), (gj == fi) & (gj != -1)
    both = candidates[one & other]
    levels[g, both] = levels[f, both] = SWAPPED
    # One side equal crosswise, the other a typing error crosswise: still a swap.
    half = candidates[one ^ other]
    if len(half):
        i, j, straight = left[half], right[half], one[one ^ other]
        a = [
            family.texts[family.first[y]] if s else given.texts[given.first[y]]
            for y, s in zip(np.where(straight, i, j), np.ones(len(half), bool), strict=True)
        ]
        b = [given.texts[given.first[y]] for y in np.where(straight, j, i)]
        close = cpdist(a, b, scorer=OSA.distance, score_cutoff=2) <= 1
        levels[g, half[close]] = levels[f, half[close]] = SWAPPED

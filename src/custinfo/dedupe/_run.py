"""The steps of one search for duplicates, on arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs
import numpy as np

from custinfo.dedupe._block import Blocks, candidates
from custinfo.dedupe._chance import Chances, count_values, level_table
from custinfo.dedupe._cluster import CLIP, NEVER, assign, components, partition
from custinfo.dedupe._compare import compare
from custinfo.dedupe._decide import best_cut, sure_cut
from custinfo.dedupe._estimate import HOPELESS, fit
from custinfo.dedupe._fields import Field, row_hashes
from custinfo.dedupe._levels import DIFFERENT, EQUAL, VARIANT
from custinfo.dedupe._model import POOLED, SHAREABLE, Model, evidence
from custinfo.dedupe._sample import random_pairs, same_value_pairs

__all__ = ["Search", "canonical", "search"]

Ints = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, np.dtype[np.float64]]

_SAMPLE = 300_000
_POOL = 3_000
_TURNS = 4
_ROUNDS, _MORE_ROUNDS = 14, 6

_RANDOM = 120_000
_CHUNK = 1 << 20


@attrs.frozen(kw_only=True, eq=False)
class Search:
    """What a search found, in canonical rows; *never* and *linked* say how it was asked for."""

    fields: list[Field]
    blocks: Blocks
    levels: np.ndarray[Any, np.dtype[np.int8]]
    model: Model
    chances: Chances
    left: Ints
    right: Ints
    odds: Floats
    labels: Ints
    auto: Ints
    threshold: float
    auto_threshold: float
    never: tuple[int, ...]
    linked: bool


def canonical(fields: Sequence[Field], source: Ints | None = None) -> tuple[list[Field], Ints, Ints]:
    """Distinct rows in an order that depends on their content alone.

    Returns:
        The fields of the distinct rows, codes numbered in that order; for each distinct row the smallest row that has
        its content; for each row its distinct row, -1 where the row has no value at all.
    """
    rows = len(fields[0].codes)
    codes = np.concatenate([field.codes for field in fields], axis=1)
    present = np.flatnonzero((codes >= 0).any(1))
    hashes = row_hashes(fields)[present]
    if source is not None:
        codes = np.concatenate([codes, source[:, None].astype(np.int32)], axis=1)
        hashes = hashes ^ source[present].astype(np.uint64)
    order = present[np.lexsort((present, hashes))]
    sorted_hashes = np.sort(hashes)
    fresh = np.ones(len(order), bool)
    fresh[1:] = (sorted_hashes[1:] != sorted_hashes[:-1]) | (codes[order[1:]] != codes[order[:-1]]).any(1)
    first = order[fresh]
    distinct = np.full(rows, -1, np.int64)
    distinct[order] = np.cumsum(fresh) - 1
    return [_renumbered(field.take(first)) for field in fields], first, distinct


def _renumbered(field: Field) -> Field:
    """The field with its values numbered as they first appear, so that codes do not depend on the input's order."""
    flat = field.codes.ravel()
    first = np.full(len(field.texts) + 1, flat.size, np.int64)
    first[flat[::-1]] = np.arange(flat.size)[::-1]
    used = np.flatnonzero(first[:-1] < flat.size)
    used = used[np.argsort(first[used])]
    table = np.full(len(field.texts) + 1, -1, np.int32)
    table[used] = np.arange(len(used), dtype=np.int32)
    old_keys = field.keys[used]
    key_numbers: dict[int, int] = {}
    keys = np.fromiter(
        (key_numbers.setdefault(key, len(key_numbers)) for key in old_keys.tolist()), np.int32, len(used)
    )
    return attrs.evolve(
        field,
        codes=table[field.codes],
        texts=[field.texts[code] for code in used.tolist()],
        keys=keys,
        key_texts=[field.key_texts[key] for key in key_numbers],
        cache={},
    )


def search(
    fields: list[Field],
    *,
    seed: int = 0,
    workers: int = 1,
    threshold: float | None = None,
    source: Ints | None = None,
    never: tuple[int, ...] = (),
    copied: Ints | None = None,
    step: Callable[[int], None] = lambda done: None,
) -> Search:
    """Candidates, levels, model, clusters.

    Args:
        fields: as `canonical` gives them.
        seed: of the samples.
        workers: threads of the comparisons.
        threshold: natural log odds to join at, instead of the best by expected F1.
        source: int64 (n,), two sources without duplicates inside.
        never: positions of fields of which two different values never meet.
        copied: rows of which there are exact copies; each stands for one pair, so that copies count in the estimates
            without many copies of one row drowning all else.
        step: told how many steps of ten are done.
    """
    rows = len(fields[0].codes)
    blocks = candidates(fields)
    left, right = _across(blocks.left, blocks.right, source)
    step(2)
    levels = compare(fields, left, right, workers=workers)
    step(4)
    rng = np.random.default_rng([seed, 1])
    a, b = _across(*random_pairs(rows, _RANDOM, rng), source)
    random_levels = compare(fields, a, b, workers=workers)
    c, d, chosen_by = _pools(fields, rng)
    pool_levels = compare(fields, c, d, workers=workers)
    chosen = (
        np.arange(len(left)) if len(left) <= _SAMPLE else np.flatnonzero(rng.random(len(left)) < _SAMPLE / len(left))
    )
    share = max(len(chosen), 1) / max(len(left), 1)
    total = rows * (rows - 1) / 2 if source is None else float(source.sum()) * float((1 - source).sum())
    twin = np.zeros(0, np.int64) if copied is None else copied[rng.random(len(copied)) < share]
    twin_levels = compare(fields, twin, twin, workers=workers)
    person = _first_guess(fields, levels, left, right, rows)
    strata = _strata(fields)
    table = level_table(random_levels, np.ones(len(a)))
    model: Any = None
    for turn in range(_TURNS):
        chances = count_values(fields, person, table, strata)
        model, table = fit(
            fields,
            evidence(
                fields,
                np.concatenate([levels[:, chosen], twin_levels], axis=1),
                np.concatenate([left[chosen], twin]),
                np.concatenate([right[chosen], twin]),
                chances,
            ),
            evidence(fields, pool_levels, c, d, chances),
            evidence(fields, random_levels, a, b, chances),
            chosen_by=chosen_by,
            total=max(total, 1.0),
            share=share,
            start=model,
            same=np.append(person[left[chosen]] == person[right[chosen]], np.zeros(len(twin), bool)) if turn else None,
            pools_same=person[c] == person[d] if turn else None,
            rounds=_ROUNDS if turn == 0 else _MORE_ROUNDS,
        )
        chances = attrs.evolve(chances, table=table)
        weigh = _Weigher(fields=fields, model=model, chances=chances, never=never, workers=workers)
        odds = weigh.levels(levels, left, right)
        if turn == 0:
            # What is hopeless now stays so, and most candidates are.
            hope = odds > HOPELESS
            place = np.cumsum(hope) - 1
            chosen = place[chosen[hope[chosen]]]
            left, right, levels, odds = left[hope], right[hope], levels[:, hope], odds[hope]
        last = turn == _TURNS - 1
        cut = best_cut(odds) if threshold is None else threshold
        if source is not None:
            person = assign(rows, left, right, odds, threshold=cut if last else 0.0)
            continue
        person, x, y, z = partition(rows, left, right, odds, threshold=cut if last else 0.0, clip=CLIP, weigh=weigh)
        together = person[x] == person[y]
        x, y, z = x[together], y[together], z[together]
        left, right, odds = np.concatenate([left, x]), np.concatenate([right, y]), np.concatenate([odds, z])
        levels = np.concatenate([levels, compare(fields, x, y, workers=workers)], axis=1)
        chosen = np.concatenate([chosen, np.arange(len(left) - len(x), len(left))])
        step(5 + turn)
    sure = max(sure_cut(odds), cut)
    if source is not None:
        auto = assign(rows, left, right, odds, threshold=sure)
    else:
        auto, *_ = partition(rows, left, right, odds, threshold=sure, clip=4 * CLIP, weigh=weigh)
    return Search(
        fields=fields,
        blocks=blocks,
        model=model,
        chances=chances,
        left=left,
        right=right,
        odds=odds,
        levels=levels,
        labels=person,
        auto=auto,
        threshold=cut,
        auto_threshold=sure,
        never=never,
        linked=source is not None,
    )


@attrs.frozen(kw_only=True, eq=False)
class _Weigher:
    """Log odds of pairs by one model."""

    fields: list[Field]
    model: Model
    chances: Chances
    never: tuple[int, ...]
    workers: int

    def __call__(self, left: Ints, right: Ints) -> Floats:
        return self.levels(compare(self.fields, left, right, workers=self.workers), left, right)

    def levels(self, levels: np.ndarray[Any, np.dtype[np.int8]], left: Ints, right: Ints) -> Floats:
        odds = np.empty(len(left))
        for start in range(0, len(left), _CHUNK):
            part = slice(start, start + _CHUNK)
            odds[part] = self.model.log_odds(
                evidence(self.fields, levels[:, part], left[part], right[part], self.chances)
            )
        for position in self.never:
            odds[levels[position] > 1] = NEVER
        return odds


def _across(left: Ints, right: Ints, source: Ints | None) -> tuple[Ints, Ints]:
    """The pairs whose rows are of different sources."""
    if source is None:
        return left, right
    keep = source[left] != source[right]
    return left[keep], right[keep]


def _pools(fields: Sequence[Field], rng: np.random.Generator) -> tuple[Ints, Ints, Ints]:
    """Pairs that agree in one field, and the field: its position, or the number of fields for the residence."""
    columns: list[tuple[int, np.ndarray[Any, Any], int]] = [
        (f, field.first, _POOL) for f, field in enumerate(fields) if field.name in POOLED
    ]
    columns.append((len(fields), _residence(fields), 2 * _POOL))
    pairs = [(position, *same_value_pairs(column, many, rng)) for position, column, many in columns]
    return (
        np.concatenate([left for _, left, _ in pairs]),
        np.concatenate([right for _, _, right in pairs]),
        np.concatenate([np.full(len(left), position, np.int64) for position, left, _ in pairs]),
    )


_CONTACT = frozenset({"phone", "email", "account"})


def _first_guess(
    fields: Sequence[Field], levels: np.ndarray[Any, np.dtype[np.int8]], left: Ints, right: Ints, rows: int
) -> Ints:
    """Persons to count values by before there is a model: records that agree in two of what hardly two persons share.

    Counted by records instead, a phone number would look common where one person has several records.
    """
    same = (levels == EQUAL) | (levels == VARIANT)
    own = [f for f, field in enumerate(fields) if field.name not in SHAREABLE and field.kind != "flag"]
    contact = [f for f, field in enumerate(fields) if field.name in _CONTACT]
    clash = (levels[own] == DIFFERENT).any(0)
    alike = (same[own].sum(0) >= 1) & (same[[*own, *contact]].sum(0) >= 2) & ~clash
    return components(rows, left[alike], right[alike])


def _residence(fields: Sequence[Field]) -> Ints:
    """Street and house number as one code, -1 where either is missing."""
    parts = [field for field in fields if field.name in ("street", "house_number")]
    if len(parts) < 2:
        return np.full(len(fields[0].codes), -1)
    one, other = (field.first.astype(np.int64) for field in parts)
    return np.where((one < 0) | (other < 0), -1, one * (len(parts[1].texts) + 1) + other)


def _strata(fields: Sequence[Field]) -> Ints | None:
    """A field of few values (a country) within which frequencies are counted."""
    for field in fields:
        if field.name == "country" and len(field.texts) > 1:
            return np.where(field.first < 0, len(field.texts), field.first).astype(np.int64)
    return None

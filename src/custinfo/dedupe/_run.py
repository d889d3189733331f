"""The steps of one search for duplicates, on arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs
import numpy as np

from custinfo.dedupe._assign import Linked, assign, exclusive, nearest
from custinfo.dedupe._block import Blocks, candidates
from custinfo.dedupe._chance import Chances, count_values, level_table
from custinfo.dedupe._cluster import CLIP, NEVER, components, partition
from custinfo.dedupe._compare import compare
from custinfo.dedupe._decide import best_cut, probability, sure_cut
from custinfo.dedupe._estimate import HOPELESS, fit
from custinfo.dedupe._fields import Field
from custinfo.dedupe._guess import alike
from custinfo.dedupe._model import POOLED, Model, evidence
from custinfo.dedupe._rules import Conflicts, Rule
from custinfo.dedupe._sample import random_pairs, same_value_pairs
from custinfo.dedupe._threads import in_threads

__all__ = ["Search", "search"]

Ints = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, np.dtype[np.float64]]

_SAMPLE = 100_000
# Natural log odds at the first turn below which no pair was seen to come near the decision later.
_FAR = -10.0
_POOL = 3_000
_TURNS = 4
# The turns end when the expected number of pairs changes by no more than this share.
_STILL = 0.02
_ROUNDS, _MORE_ROUNDS = 14, 6

_RANDOM = 120_000
_CHUNK = 1 << 17


@attrs.frozen(kw_only=True, eq=False)
class Search:
    """What a search found, in canonical rows."""

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
    conflicts: Conflicts
    links: Links | None


@attrs.frozen(kw_only=True, eq=False)
class Links:
    """Links between two sources.

    Attributes:
        left: int64 (l,), rows of source 0.
        right: int64 (l,), rows of source 1.
        amount: int64 (l,), how many records with this content are linked.
        odds: float64 (l,), log odds against all other links of either row.
        rivals: float64 (p,), the same of all pairs that were weighed.
        auto: bool (l,), which are sure.
        sure: log odds from which they are.
        exact: whether no other choice weighs more.
        one_to_one: whether each record is in one link at most.
    """

    left: Ints
    right: Ints
    amount: Ints
    odds: Floats
    rivals: Floats
    auto: np.ndarray[Any, np.dtype[np.bool_]]
    sure: float
    exact: bool
    one_to_one: bool


def search(
    fields: list[Field],
    *,
    seed: int = 0,
    workers: int = 1,
    threshold: float | None = None,
    source: Ints | None = None,
    one_to_one: bool = True,
    rules: Sequence[Rule] = (),
    copies: Ints | None = None,
    step: Callable[[int], None] = lambda done: None,
) -> Search:
    """Candidates, levels, model, clusters.

    Args:
        fields: as `canonical` gives them.
        seed: of the samples.
        workers: threads of the comparisons.
        threshold: natural log odds to join at, instead of the best by expected F1.
        source: int64 (n,), two sources without duplicates inside, 0 and 1.
        one_to_one: whether a row of source 1 meets one of source 0 at most; else as many as it likes.
        rules: which rows never meet.
        copies: int64 (n,), how many records each row stands for. A row with copies stands for one pair of one source,
            so that copies count in the estimates without many copies of one row drowning all else.
        step: told how many steps of ten are done.
    """
    rows = len(fields[0].codes)
    blocks = candidates(fields, workers=workers)
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
    copies = np.ones(rows, np.int64) if copies is None else copies
    copied = np.flatnonzero(copies > 1) if source is None else np.zeros(0, np.int64)
    twin = copied[rng.random(len(copied)) < share]
    conflicts = Conflicts(rules, fields)
    apart = conflicts or None
    twin_levels = compare(fields, twin, twin, workers=workers)
    # Counted by records instead of persons, a phone number would look common where one person has several records.
    likely = alike(fields, levels)
    person = components(rows, left[likely], right[likely])
    strata = _strata(fields)
    table = level_table(random_levels, np.ones(len(a)))
    model: Any = None
    expected = 0.0
    for turn in range(_TURNS):
        chances = count_values(fields, person, table, strata, workers=workers)
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
        weigh = _Weigher(fields=fields, model=model, chances=chances, conflicts=conflicts, workers=workers)
        odds = weigh.levels(levels, left, right)
        if turn == 0:
            # What is far off now stays so, and most candidates are.
            hope = odds > _FAR
            place = np.cumsum(hope) - 1
            chosen = place[chosen[hope[chosen]]]
            left, right, levels, odds = left[hope], right[hope], levels[:, hope], odds[hope]
        before, expected = expected, float(probability(odds).sum())
        last = turn == _TURNS - 1 or abs(expected - before) <= _STILL * expected
        cut = best_cut(odds) if threshold is None else threshold
        if source is not None:
            ahead = source[left] < source[right]
            low, high = np.where(ahead, left, right), np.where(ahead, right, left)
            choose = assign if one_to_one else nearest
            linked = choose(low, high, odds, threshold=cut if last else 0.0, copies=copies)
            person = components(rows, low[linked.chosen], high[linked.chosen])
            if last:
                break
            continue
        person, x, y, z = partition(
            rows, left, right, odds, threshold=cut if last else 0.0, clip=CLIP, weigh=weigh, apart=apart
        )
        together = person[x] == person[y]
        x, y, z = x[together], y[together], z[together]
        left, right, odds = np.concatenate([left, x]), np.concatenate([right, y]), np.concatenate([odds, z])
        levels = np.concatenate([levels, compare(fields, x, y, workers=workers)], axis=1)
        chosen = np.concatenate([chosen, np.arange(len(left) - len(x), len(left))])
        step(5 + turn)
        if last:
            break
    if source is not None:
        alone = exclusive(low, high, odds, copies=copies, one_to_one=one_to_one)
        links = _links(linked, low, high, alone, cut, one_to_one=one_to_one)
        sure, auto = links.sure, components(rows, links.left[links.auto], links.right[links.auto])
    else:
        links = None
        sure = max(sure_cut(odds), cut)
        auto, *_ = partition(rows, left, right, odds, threshold=sure, clip=4 * CLIP, weigh=weigh, apart=apart)
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
        conflicts=conflicts,
        links=links,
    )


@attrs.frozen(kw_only=True, eq=False)
class _Weigher:
    """Log odds of pairs by one model."""

    fields: list[Field]
    model: Model
    chances: Chances
    conflicts: Conflicts
    workers: int

    def __call__(self, left: Ints, right: Ints) -> Floats:
        return self.levels(compare(self.fields, left, right, workers=self.workers), left, right)

    def levels(self, levels: np.ndarray[Any, np.dtype[np.int8]], left: Ints, right: Ints) -> Floats:
        odds = np.empty(len(left))

        def fill(start: int) -> None:
            part = slice(start, start + _CHUNK)
            odds[part] = self.model.log_odds(
                evidence(self.fields, levels[:, part], left[part], right[part], self.chances)
            )

        in_threads(fill, range(0, len(left), _CHUNK), self.workers)
        if self.conflicts:
            likely = np.flatnonzero(odds > HOPELESS)
            odds[likely[self.conflicts.of(left[likely], right[likely])]] = NEVER
        return odds


def _links(linked: Linked, left: Ints, right: Ints, alone: Floats, cut: float, *, one_to_one: bool) -> Links:
    """The links of a search; *alone* are log odds of all pairs against their rivals."""
    chosen = linked.chosen
    odds = alone[chosen]
    sure = max(sure_cut(odds), cut)
    return Links(
        left=left[chosen],
        right=right[chosen],
        amount=linked.amount,
        odds=odds,
        rivals=alone,
        auto=odds > sure,
        sure=sure,
        exact=linked.exact,
        one_to_one=one_to_one,
    )


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

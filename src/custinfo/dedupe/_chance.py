"""How probable it is that two different persons agree: value frequencies and random pairs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np

from custinfo.dedupe._compare import EQUAL, LEVELS, MISSING, SWAPPED, VARIANT
from custinfo.dedupe._fields import Field

__all__ = ["Chances", "count_values", "random_pairs", "same_value_pairs"]

Ints = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, np.dtype[np.float64]]


@attrs.frozen(kw_only=True, eq=False)
class Chances:
    """Value frequencies per field, among all records and among those of the same stratum.

    Attributes:
        equal: per field, counts of persons by code.
        key: per field, counts of persons by key.
        swapped: counts by given-name key of persons who have it as either name.
        totals: persons with a value, per field.
        usual: chance of equal values in customer data at large, per field; it decides where there are few records.
        table: float64 (fields, levels), chance of each level where no frequency says better.
        person: int64 (n,), the person whom each record is counted for.
    """

    equal: list[Floats]
    key: list[Floats]
    swapped: Floats | None
    totals: Floats
    usual: Floats
    table: Floats
    person: Ints
    strata: Ints | None
    stratum_equal: list[Floats | None]
    stratum_key: list[Floats | None]
    sizes: list[Floats] | None

    def of(
        self, position: int, field: Field, level: np.ndarray[Any, np.dtype[np.int8]], left: Ints, right: Ints
    ) -> Floats:
        """Chance that two persons agree as these pairs do, given the value of the left one."""
        chance = self.table[position][level]
        apart = (self.person[left] != self.person[right]).astype(np.float64)
        same = np.flatnonzero(level == EQUAL)
        if len(same):
            chance[same] = self._frequency(
                position, field.codes, self.equal, self.stratum_equal, left[same], right[same], apart[same]
            )
        if field.kind in ("name", "place", "tokens", "email", "house"):
            keys = np.append(field.keys, -1)[field.codes]
            other = np.flatnonzero(level == VARIANT)
            if len(other):
                value = self._frequency(
                    position, keys, self.key, self.stratum_key, left[other], right[other], apart[other]
                )
                chance[other] = np.where(np.isnan(value), chance[other], value)
        if self.swapped is not None and field.name in ("given_name", "family_name"):
            crossed = np.flatnonzero(level == SWAPPED)
            if len(crossed):
                chance[crossed] = np.maximum(self.swapped[left[crossed]], self.swapped[right[crossed]]) / max(
                    self.totals[position], 1
                )
        return np.asarray(chance, np.float64)

    def _frequency(
        self,
        position: int,
        codes: Any,
        counts: list[Floats],
        stratum_counts: list[Floats | None],
        left: Ints,
        right: Ints,
        apart: Floats,
    ) -> Floats:
        total = max(self.totals[position], 1.0)
        found = np.full(len(left), np.nan)
        for one in codes.T:
            for other in codes.T:
                a, b = one[left], other[right]
                hit = (a == b) & (a >= 0)
                others = counts[position][a] - apart
                share = np.where(others <= 1.0, _once(counts[position]), others)
                share = (share + _USUAL_WEIGHT * self.usual[position]) / (total + _USUAL_WEIGHT)
                found = np.where(hit & ~(found <= share), share, found)
        local = stratum_counts[position]
        if local is not None and self.strata is not None and self.sizes is not None and codes.shape[1] == 1:
            within = self.strata[left] == self.strata[right]
            # The share in the stratum, drawn towards the share in the whole where the stratum is small.
            others = np.maximum(local[left], local[right]) - apart
            here = np.where(others <= 1.0, _once(counts[position]), others)
            share = (here + _SHRINK * found) / (self.sizes[position][self.strata[left]] + _SHRINK)
            found = np.where(within & ~np.isnan(found), share, found)
        return found


# How often two persons agree in customer data at large, in orders of magnitude; as much as a hundred persons' worth.
_USUAL = {
    "given_name": 5e-3,
    "family_name": 2e-3,
    "middle_name": 1e-2,
    "organization": 3e-4,
    "email": 1e-5,
    "phone": 1e-5,
    "national_id": 1e-6,
    "account": 1e-6,
    "birth_date": 5e-5,
    "street": 2e-3,
    "house_number": 2e-2,
    "unit": 1e-2,
    "locality": 3e-2,
    "postal_code": 2e-3,
    "region": 0.1,
    "country": 0.5,
    "sex": 0.5,
}
_USUAL_WEIGHT = 100.0


def _usual(fields: Sequence[Field]) -> Floats:
    return np.array([_USUAL.get(field.name, 1e-3 if field.kind == "tokens" else 3e-2) for field in fields])


def _once(counts: Floats) -> float:
    """How many persons to expect for a value that was seen with one: Good and Turing's estimate, at most 1.

    Source: Good, The Population Frequencies of Species, Biometrika 40 (1953).
    """
    once, twice = float((counts == 1).sum()), float((counts == 2).sum())
    return float(np.clip((2 * twice + 1) / (once + 1), 0.01, 1.0))


def count_values(fields: Sequence[Field], person: Ints, table: Floats, strata: Ints | None) -> Chances:
    """Count, for each value, the persons who have it."""
    equal: list[Floats] = []
    key: list[Floats] = []
    totals: list[float] = []
    sizes: list[Floats] = []
    stratum_equal: list[Floats | None] = []
    stratum_key: list[Floats | None] = []
    for field in fields:
        for codes, size, into, into_stratum in (
            (field.codes, len(field.texts), equal, stratum_equal),
            (np.append(field.keys, -1)[field.codes], len(field.key_texts), key, stratum_key),
        ):
            code, who = _distinct(codes, person)
            into.append(np.bincount(code, minlength=size + 1).astype(np.float64))
            into_stratum.append(
                None if strata is None or codes.shape[1] > 1 else _by_stratum(codes[:, 0], code, who, person, strata)
            )
        if strata is not None:
            home = np.zeros(int(person.max()) + 1, np.int64)
            home[person] = strata
            with_value = np.unique(person[(field.codes >= 0).any(1)])
            sizes.append(np.bincount(home[with_value], minlength=int(strata.max()) + 1).astype(np.float64))
        totals.append(float(len(np.unique(person[(field.codes >= 0).any(1)]))))
    return Chances(
        equal=equal,
        key=key,
        swapped=_either_name(fields, person),
        totals=np.array(totals),
        usual=_usual(fields),
        table=table,
        person=person,
        strata=strata,
        stratum_equal=stratum_equal,
        stratum_key=stratum_key,
        sizes=None if strata is None else sizes,
    )


def _distinct(codes: np.ndarray[Any, Any], person: Ints) -> tuple[Ints, Ints]:
    """Each (value, person) once."""
    flat = codes.T.ravel().astype(np.int64)
    who = np.tile(person, codes.shape[1])
    keep = flat >= 0
    span = int(person.max()) + 1 if len(person) else 1
    packed = flat[keep] * span + who[keep]
    packed.sort()
    if len(packed):
        packed = packed[np.append(True, packed[1:] != packed[:-1])]
    return packed // span, packed % span


_SHRINK = 30.0


def _by_stratum(codes: np.ndarray[Any, Any], code: Ints, who: Ints, person: Ints, strata: Ints) -> Floats:
    """Persons in each row's stratum who have the row's value."""
    span = int(strata.max()) + 1
    home = np.zeros(int(person.max()) + 1, np.int64)
    home[person] = strata
    numbers, counts = np.unique(code * span + home[who], return_counts=True)
    if not len(numbers):
        return np.zeros(len(codes))
    mine = codes.astype(np.int64) * span + strata
    place = np.minimum(np.searchsorted(numbers, mine), len(numbers) - 1)
    return np.where(numbers[place] == mine, counts[place], 0).astype(np.float64)


def _either_name(fields: Sequence[Field], person: Ints) -> Floats | None:
    by_name = {field.name: field for field in fields}
    if "given_name" not in by_name or "family_name" not in by_name:
        return None
    given, family = by_name["given_name"], by_name["family_name"]
    ids = {text: code for code, text in enumerate(given.key_texts)}
    table = np.array([ids.setdefault(text, len(ids)) for text in family.key_texts], np.int64)
    g = np.append(given.keys, -1)[given.first].astype(np.int64)
    f = np.append(table[family.keys] if len(family.keys) else np.zeros(0, np.int64), -1)[family.first]
    counts = np.bincount(g[g >= 0], minlength=len(ids)) + np.bincount(f[f >= 0], minlength=len(ids))
    counts = np.append(counts, 1)
    return np.asarray(np.maximum(counts[g], counts[f]), np.float64)


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


_USUAL_LEVELS = 30.0 * np.array([0.0, 0.005, 0.001, 0.003, 0.004, 0.007, 0.0005, 0.9795])


def level_table(levels: np.ndarray[Any, np.dtype[np.int8]], weight: Floats) -> Floats:
    """Share of each level among pairs where the field is present, float64 (fields, levels)."""
    table = np.zeros((len(levels), LEVELS))
    for position, level in enumerate(levels):
        counts = np.bincount(level, weights=weight, minlength=LEVELS)[:LEVELS]
        counts[MISSING] = 0.0
        # A few usual pairs besides: the chance of a level that never occurred is small, not zero.
        table[position] = (counts + _USUAL_LEVELS) / (counts + _USUAL_LEVELS).sum()
    return table

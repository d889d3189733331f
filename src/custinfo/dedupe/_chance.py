"""How probable it is that two different persons agree: value frequencies and random pairs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np

from custinfo.dedupe._fields import Field
from custinfo.dedupe._levels import EQUAL, LEVELS, MISSING, SWAPPED, VARIANT
from custinfo.dedupe._threads import in_threads

__all__ = [
    "KEYED",
    "SHRINK",
    "USUAL_WEIGHT",
    "Chances",
    "Counts",
    "count_values",
    "either_name",
    "level_table",
    "usual_chances",
]

Ints = np.ndarray[Any, np.dtype[np.int64]]
Codes = np.ndarray[Any, np.dtype[np.int32]]
Floats = np.ndarray[Any, np.dtype[np.float64]]


@attrs.frozen(kw_only=True, eq=False)
class Counts:
    """How many persons have each value of one field.

    Attributes:
        by_code: float64 (codes + 1,), persons by code; the last is for a missing value.
        once: how many persons to expect for a value that hardly anybody else was seen with, see `_once`.
        pairs: int64, sorted ``code * strata + stratum`` of the values of three persons or more, or ``None``.
        local: float64, persons of each of *pairs*.
    """

    by_code: Floats
    once: float
    pairs: Ints | None
    local: Floats | None

    def others(self, codes: Any) -> Floats:
        """Persons to expect besides the one who is looked at."""
        others = self.by_code[codes] - 1.0
        return np.where(others <= 1.0, self.once, others)

    def others_within(self, codes: Any, strata: Any, span: int) -> Floats:
        """The same within the stratum."""
        if self.pairs is None or self.local is None or not len(self.pairs):
            return np.full(len(codes), self.once)
        # Within a stratum there are no more than in all.
        several = np.flatnonzero(self.by_code[codes] > 2)
        joint = codes[several].astype(np.int64) * span + strata[several]
        place = np.minimum(np.searchsorted(self.pairs, joint), len(self.pairs) - 1)
        others = np.where(self.pairs[place] == joint, self.local[place], 0.0) - 1.0
        result = np.full(len(codes), self.once)
        result[several] = np.where(others <= 1.0, self.once, others)
        return result


@attrs.frozen(kw_only=True, eq=False)
class Chances:
    """Value frequencies per field, among all records and among those of the same stratum.

    The chance of a pair follows from its values alone, so that it is the same in every set of records that a model is
    applied to.

    Attributes:
        equal: per field, persons by code.
        key: per field, persons by key.
        either: persons by given-name key, and by family-name key, who have that key as either name.
        totals: persons with a value, per field.
        usual: chance of equal values in customer data at large, per field; it decides where there are few records.
        table: float64 (fields, levels), chance of each level where no frequency says better.
        strata: int64 (n,), stratum of each row, or ``None``.
        span: number of strata.
        sizes: per field, persons with a value by stratum.
    """

    equal: list[Counts]
    key: list[Counts]
    either: tuple[Floats, Floats] | None
    totals: Floats
    usual: Floats
    table: Floats
    strata: Ints | None
    span: int
    sizes: list[Floats] | None

    def of(
        self,
        position: int,
        fields: Sequence[Field],
        level: np.ndarray[Any, np.dtype[np.int8]],
        left: Ints,
        right: Ints,
    ) -> Floats:
        """Chance that two persons agree as these pairs do."""
        field = fields[position]
        chance = self.table[position][level]
        same = np.flatnonzero(level == EQUAL)
        if len(same):
            a, b = left[same], right[same]
            chance[same] = self._frequency(position, field.codes[a], field.codes[b], self.equal[position], a, b)
        if field.kind in KEYED:
            other = np.flatnonzero(level == VARIANT)
            if len(other):
                keys = np.append(field.keys, np.int32(-1))
                a, b = left[other], right[other]
                counts = self.key[position]
                value = self._frequency(position, keys[field.codes[a]], keys[field.codes[b]], counts, a, b)
                chance[other] = np.where(np.isnan(value), chance[other], value)
        if self.either is not None and field.name in ("given_name", "family_name"):
            crossed = np.flatnonzero(level == SWAPPED)
            if len(crossed):
                one, two = (either_name(fields, self.either, rows[crossed]) for rows in (left, right))
                chance[crossed] = np.maximum(one, two) / max(self.totals[position], 1.0)
        return np.asarray(chance, np.float64)

    def _frequency(self, position: int, one: Codes, other: Codes, counts: Counts, left: Ints, right: Ints) -> Floats:
        """Share of persons with the value that the codes of both rows, int (pairs, alternatives), have in common."""
        total = max(self.totals[position], 1.0)
        found = np.full(len(left), np.nan)
        for a in one.T:
            for b in other.T:
                hit = (a == b) & (a >= 0)
                share = (counts.others(a) + USUAL_WEIGHT * self.usual[position]) / (total + USUAL_WEIGHT)
                found = np.where(hit & ~(found <= share), share, found)
        if self.strata is not None and self.sizes is not None and one.shape[1] == 1:
            stratum = self.strata[left]
            within = (stratum == self.strata[right]) & ~np.isnan(found)
            # The share in the stratum, drawn towards the share in the whole where the stratum is small.
            here = counts.others_within(one[:, 0], stratum, self.span)
            share = (here + SHRINK * found) / (self.sizes[position][stratum] + SHRINK)
            found = np.where(within, share, found)
        return found


def either_name(fields: Sequence[Field], either: tuple[Floats, Floats], rows: Any = slice(None)) -> Floats:
    """How many persons have one of a row's two names as either name, the larger number."""
    by_name = {field.name: field for field in fields}
    given, family = by_name["given_name"], by_name["family_name"]
    g = either[0][np.append(given.keys, -1)[given.first[rows]]]
    f = either[1][np.append(family.keys, -1)[family.first[rows]]]
    return np.asarray(np.maximum(g, f), np.float64)


# Kinds of which values have a coarser key: what agrees in it only has a frequency of its own.
KEYED = frozenset({"name", "place", "tokens", "email", "house"})

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
USUAL_WEIGHT = 100.0


def usual_chances(fields: Sequence[Any]) -> Floats:
    """Chance of equal values in customer data at large, of each field by its name and kind."""
    return np.array([_USUAL.get(field.name, 1e-3 if field.kind == "tokens" else 3e-2) for field in fields])


def _once(counts: Floats) -> float:
    """How many persons to expect for a value that was seen with one: Good and Turing's estimate, at most 1.

    Source: Good, The Population Frequencies of Species, Biometrika 40 (1953).
    """
    once, twice = float((counts == 1).sum()), float((counts == 2).sum())
    return float(np.clip((2 * twice + 1) / (once + 1), 0.01, 1.0))


def count_values(
    fields: Sequence[Field], person: Ints, table: Floats, strata: Ints | None, *, workers: int = 1
) -> Chances:
    """Count, for each value, the persons who have it."""
    span = 1 if strata is None else int(strata.max()) + 1
    home = np.zeros(int(person.max()) + 1, np.int64)
    if strata is not None:
        home[person] = strata
    counted: list[tuple[Counts, Counts, Floats]] = [None] * len(fields)  # type: ignore[list-item]

    def fill(position: int) -> None:
        field = fields[position]
        equal = key = _counts(field.codes, len(field.texts), person, home, span, strata is not None)
        if len(field.key_texts) < len(field.texts):
            keys = np.append(field.keys, np.int32(-1))[field.codes]
            key = _counts(keys, len(field.key_texts), person, home, span, strata is not None)
        with_value = np.zeros(len(home), bool)
        with_value[person[(field.codes >= 0).any(1)]] = True
        counted[position] = equal, key, np.bincount(home[with_value], minlength=span).astype(np.float64)

    in_threads(fill, range(len(fields)), workers)
    sizes = [size for _, _, size in counted]
    return Chances(
        equal=[equal for equal, _, _ in counted],
        key=[key for _, key, _ in counted],
        either=_count_either(fields),
        totals=np.array([float(size.sum()) for size in sizes]),
        usual=usual_chances(fields),
        table=table,
        strata=strata,
        span=span,
        sizes=None if strata is None else sizes,
    )


def _counts(codes: np.ndarray[Any, Any], size: int, person: Ints, home: Ints, span: int, stratified: bool) -> Counts:
    """Persons by code, and by code and stratum."""
    code, who = _distinct(codes, person)
    by_code = np.bincount(code, minlength=size + 1).astype(np.float64)
    pairs = local = None
    if stratified and codes.shape[1] == 1:
        several = by_code[code] > 2
        joint = code[several] * span + home[who[several]]
        joint.sort()
        starts = np.flatnonzero(np.append(True, joint[1:] != joint[:-1])) if len(joint) else np.zeros(0, np.int64)
        pairs, local = joint[starts], np.diff(np.append(starts, len(joint))).astype(np.float64)
    return Counts(by_code=by_code, once=_once(by_code), pairs=pairs, local=local)


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
    code = packed // span
    return code, packed - code * span


SHRINK = 30.0


def _count_either(fields: Sequence[Field]) -> tuple[Floats, Floats] | None:
    """Records by given-name key and by family-name key that have that text as either name; 1 for a missing name."""
    by_name = {field.name: field for field in fields}
    if "given_name" not in by_name or "family_name" not in by_name:
        return None
    given, family = by_name["given_name"], by_name["family_name"]
    ids = {text: code for code, text in enumerate(given.key_texts)}
    table = np.array([ids.setdefault(text, len(ids)) for text in family.key_texts], np.int64)
    g = np.append(given.keys, -1)[given.first].astype(np.int64)
    f = np.append(table[family.keys] if len(family.keys) else np.zeros(0, np.int64), -1)[family.first]
    counts = np.bincount(g[g >= 0], minlength=len(ids)) + np.bincount(f[f >= 0], minlength=len(ids))
    return (
        np.append(counts[: len(given.key_texts)], 1).astype(np.float64),
        np.append(counts[table], 1).astype(np.float64),
    )


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

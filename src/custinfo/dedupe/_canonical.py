"""Distinct rows in an order that follows from their content alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np

from custinfo.dedupe._fields import Field
from custinfo.dedupe._text import MAX_CHARS
from custinfo.dedupe._threads import in_threads

__all__ = ["canonical", "mixed", "text_hashes"]

Ints = np.ndarray[Any, np.dtype[np.int64]]
Hashes = np.ndarray[Any, np.dtype[np.uint64]]
_CHUNK = 1 << 16
_MULTIPLIER = 0x9E3779B97F4A7C15


def mixed(number: Hashes) -> Hashes:
    """A number whose every bit depends on every bit of the given one.

    Source: Steele, Lea, Flood, Fast Splittable Pseudorandom Number Generators (2014), the finaliser of SplitMix64.
    """
    with np.errstate(over="ignore"):
        number = (number ^ (number >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        number = (number ^ (number >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(number ^ (number >> np.uint64(31)), np.uint64)


def text_hashes(texts: Sequence[str]) -> Hashes:
    """A 64-bit number of each text, the same in every process; 0 for an empty one.

    Each character is mixed with its place, and the results are added up.
    """
    result = np.empty(len(texts), np.uint64)
    places = mixed(np.arange(1, 2 * MAX_CHARS, dtype=np.uint64)) | np.uint64(1)
    for start in range(0, len(texts), _CHUNK):
        part = texts[start : start + _CHUNK]
        lengths = np.fromiter(map(len, part), np.int64, len(part))
        ends = np.cumsum(lengths)
        characters = np.frombuffer("".join(part).encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
        place = np.arange(len(characters)) - np.repeat(ends - lengths, lengths)
        with np.errstate(over="ignore"):
            characters += np.uint64(1)
            characters *= places[place % len(places)]
            characters ^= characters >> np.uint64(32)
            characters *= np.uint64(_MULTIPLIER)
            total = np.append(np.uint64(0), np.cumsum(characters, dtype=np.uint64))
            result[start : start + _CHUNK] = total[ends] - total[ends - lengths]
    return mixed(result)


def _row_hashes(fields: Sequence[Field], workers: int) -> Hashes:
    """A 64-bit number of the normal forms of each row, the same in every process and for every row order."""
    tables: list[Hashes] = [np.zeros(0, np.uint64)] * len(fields)

    def fill(position: int) -> None:
        tables[position] = np.append(text_hashes(fields[position].texts), np.uint64(0))

    in_threads(fill, range(len(fields)), workers)
    total = np.zeros(len(fields[0].codes), np.uint64)
    for field, table in zip(fields, tables, strict=True):
        for alternative in field.codes.T:
            with np.errstate(over="ignore"):
                total *= np.uint64(_MULTIPLIER)
                total += table[alternative]
                total ^= total >> np.uint64(29)
    return total


def canonical(
    fields: Sequence[Field], source: Ints | None = None, *, workers: int = 1
) -> tuple[list[Field], Ints, Ints]:
    """Distinct rows in an order that depends on their content alone.

    Returns:
        The fields of the distinct rows, codes numbered in that order; for each distinct row the smallest row that has
        its content; for each row its distinct row, -1 where the row has no value at all.
    """
    rows = len(fields[0].codes)
    present = np.flatnonzero(np.logical_or.reduce([(field.codes >= 0).any(1) for field in fields]))
    hashes = _row_hashes(fields, workers)[present]
    if source is not None:
        hashes ^= source[present].astype(np.uint64)
    sorting = np.argsort(hashes, kind="stable")
    order, hashes = present[sorting], hashes[sorting]
    fresh = np.ones(len(order), bool)
    fresh[1:] = hashes[1:] != hashes[:-1]
    # Rows of one hash are one only if they are equal.
    again = np.flatnonzero(~fresh)
    one, other = order[again], order[again - 1]
    fresh[again] = np.logical_or.reduce([(field.codes[one] != field.codes[other]).any(1) for field in fields])
    if source is not None:
        fresh[again] |= source[one] != source[other]
    first = order[fresh]
    distinct = np.full(rows, -1, np.int64)
    distinct[order] = np.cumsum(fresh) - 1
    result = list(fields)

    def fill(position: int) -> None:
        result[position] = _renumbered(fields[position].take(first))

    in_threads(fill, range(len(fields)), workers)
    return result, first, distinct


def _renumbered(field: Field) -> Field:
    """The field with its values numbered as they first appear, so that codes do not depend on the input's order."""
    used, table = _by_appearance(field.codes.ravel(), len(field.texts))
    keys_used, key_table = _by_appearance(field.keys[used], len(field.key_texts))
    return attrs.evolve(
        field,
        codes=table[field.codes],
        texts=[field.texts[code] for code in used.tolist()],
        keys=key_table[field.keys[used]],
        key_texts=[field.key_texts[key] for key in keys_used.tolist()],
        cache={},
    )


def _by_appearance(codes: np.ndarray[Any, Any], size: int) -> tuple[Ints, np.ndarray[Any, np.dtype[np.int32]]]:
    """The codes that appear, in that order, and the new code of each old one; -1 stays."""
    first = np.full(size + 1, len(codes), np.int64)
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    used = np.flatnonzero(first[:-1] < len(codes))
    used = used[np.argsort(first[used])]
    table = np.full(size + 1, -1, np.int32)
    table[used] = np.arange(len(used), dtype=np.int32)
    return used, table

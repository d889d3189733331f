"""Edit distance and similarity of many pairs of texts, computed only where the letters allow them to be near.

How often each of eight groups of letters occurs in a text fits into one number. Where these counts are far apart, so
are the texts, and they need not be looked at: most pairs of values in a block have nothing to do with each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from rapidfuzz.distance import OSA, JaroWinkler
from rapidfuzz.process import cpdist

__all__ = ["Values"]

Codes = np.ndarray[Any, np.dtype[Any]]
Bools = np.ndarray[Any, np.dtype[np.bool_]]
_CHUNK = 1 << 16
_GROUPS = 8
_LONGEST = 255
# Jaro and Winkler count up to four letters at the beginning, a tenth of what lacks for each.
_PREFIX = 0.4
# Bounds are computed in another order than the similarity itself.
_SLACK = 1e-9


@attrs.frozen(eq=False)
class Values:
    """Texts that pairs of are compared.

    Attributes:
        texts: text by code.
        lengths: int32, characters by code.
        heads: int32, first character by code, 0 for none.
        bags: uint64, how often each group of letters occurs, by code.
    """

    texts: list[str]
    lengths: np.ndarray[Any, np.dtype[np.int32]]
    heads: np.ndarray[Any, np.dtype[np.int32]]
    bags: np.ndarray[Any, np.dtype[np.uint64]]

    @classmethod
    def of(cls, texts: list[str]) -> Values:
        """The texts with their counts."""
        lengths = np.fromiter(map(len, texts), np.int32, len(texts))
        heads, bags = np.zeros(len(texts), np.int32), np.zeros(len(texts), np.uint64)
        for start in range(0, len(texts), _CHUNK):
            part = slice(start, start + _CHUNK)
            heads[part], bags[part] = _heads_and_bags(texts[part], lengths[part])
        return cls(texts, lengths, heads, bags)

    def picked(self, codes: Codes) -> list[str]:
        """The texts of codes."""
        return [self.texts[code] for code in codes.tolist()]

    def edits(self, a: Codes, b: Codes, cutoff: int, workers: int) -> np.ndarray[Any, np.dtype[np.int32]]:
        """Optimal string alignment distance of each pair, ``cutoff + 1`` where it is larger than *cutoff*."""
        result = np.full(len(a), cutoff + 1, np.int32)
        x, y = self.lengths[a], self.lengths[b]
        # One edit changes the length by one, and two counts.
        near = (np.abs(x - y) <= cutoff) & ((self._apart(a, b) <= 2 * cutoff) | (np.maximum(x, y) > _LONGEST))
        rows = np.flatnonzero(near)
        if len(rows):
            result[rows] = cpdist(
                self.picked(a[rows]),
                self.picked(b[rows]),
                scorer=OSA.distance,
                score_cutoff=cutoff,
                dtype=np.int32,
                workers=workers,
            )
        return result

    def alike(self, a: Codes, b: Codes, least: float, workers: int) -> Bools:
        """Whether the similarity of Jaro and Winkler of each pair is at least *least*."""
        result = np.zeros(len(a), bool)
        x, y = self.lengths[a].astype(np.float64), self.lengths[b].astype(np.float64)
        common = (x + y - self._apart(a, b)) / 2
        bound = (common / np.maximum(x, 1) + common / np.maximum(y, 1) + 1) / 3
        bound = np.where(self.heads[a] == self.heads[b], bound + _PREFIX * (1 - bound), bound)
        rows = np.flatnonzero((bound >= least - _SLACK) | (np.maximum(x, y) > _LONGEST) | (x + y == 0))
        if len(rows):
            similarity = cpdist(
                self.picked(a[rows]),
                self.picked(b[rows]),
                scorer=JaroWinkler.similarity,
                dtype=np.float64,
                workers=workers,
            )
            result[rows] = similarity >= least
        return result

    def _apart(self, a: Codes, b: Codes) -> np.ndarray[Any, np.dtype[np.int64]]:
        """By how much the counts of each pair differ in all."""
        x, y = self.bags[a].view(np.uint8), self.bags[b].view(np.uint8)
        difference = (np.maximum(x, y) - np.minimum(x, y)).view(np.uint64)
        # Eight bytes are added up as four pairs, then by one multiplication.
        low = np.uint64(0x00FF00FF00FF00FF)
        pairs = (difference & low) + (difference >> np.uint64(8) & low)
        with np.errstate(over="ignore"):
            return (pairs * np.uint64(0x0001000100010001) >> np.uint64(48)).astype(np.int64)


def _heads_and_bags(texts: Sequence[str], lengths: np.ndarray[Any, Any]) -> tuple[Any, Any]:
    characters = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32)
    ends = np.cumsum(lengths, dtype=np.int64)
    starts = ends - lengths
    steps = np.uint64(1) << np.uint64(8) * np.arange(_GROUPS, dtype=np.uint64)
    with np.errstate(over="ignore"):
        total = np.append(np.uint64(0), np.cumsum(steps[characters % _GROUPS], dtype=np.uint64))
        bags = total[ends] - total[starts]
    heads = np.append(characters, np.uint32(0))[starts].astype(np.int32)
    return np.where(lengths > 0, heads, 0), bags

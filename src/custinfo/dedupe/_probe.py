"""What is asked about in one field of a record, compared with the values of known records, each once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs

from custinfo.dedupe._levels import EQUAL, LEVELS, MISSING, SIMILAR, SWAPPED, VARIANT
from custinfo.dedupe._single import LevelOf
from custinfo.dedupe._weight import Weights, float32

__all__ = ["NOTHING", "Probe", "Seen", "Several", "Value"]

# Code of a missing value.
NOTHING = -1

# Level of a field; what it changes the bound by, and the same where names may be swapped; its chance where both records
# are of one stratum, and where they are not.
Seen = tuple[int, float, float, float, float]


@attrs.frozen
class Value:
    """One value of the record asked about; *code* is below -1 where no known record has it."""

    text: str
    key: str
    code: int


_UNSEEN = (None,) * (LEVELS - 1)


class Probe:
    """A field of one value.

    Args:
        f: position of the field.
        values: the value asked about.
        known: texts and keys by code.
        scorer: makes the comparison with a value.
        weights: the model.
        most: the most that each level can add, where the value does not decide.
        stratum: that of the record, if the model has strata.
        swappable: whether the field is one of two names that may be swapped.
    """

    def __init__(
        self,
        f: int,
        values: Sequence[Value],
        known: Any,
        scorer: Callable[[str, str], LevelOf],
        weights: Weights,
        most: Sequence[float],
        stratum: str | None,
        swappable: bool,
    ) -> None:
        self.f = f
        self._values = values
        self._known = known
        self._scorer = scorer
        self._weights = weights
        self._swappable = swappable
        self._level_of: LevelOf | None = None
        self._equal = [weights.shares(f, value.text, stratum, key=False) for value in values]
        self._variant = (
            [weights.shares(f, value.key, stratum, key=True) for value in values] if weights.keyed[f] else []
        )
        self.most, self.top, self.rest = weights.bounds(f, most, self._equal, self._variant)
        self.memo: dict[Any, Seen] = {}
        self._by_level: list[Seen | None] = [(MISSING, -self.top, -self.top, 1.0, 1.0), *_UNSEEN]

    def look(self, code: Any) -> Seen:
        """Compare with the value of this code."""
        value = self._values[0]
        if code < 0:
            level = MISSING
        elif code == value.code:
            level = EQUAL
        else:
            level_of = self._level_of
            if level_of is None:
                level_of = self._level_of = self._scorer(value.text, value.key)
            level = level_of(self._known.texts[code], self._known.keys[code])
        seen = self._by_level[level]
        if seen is None:
            shares = self._equal if level == EQUAL else self._variant if level == VARIANT else []
            seen = self._by_level[level] = self._seen(level, shares[0] if shares else None)
        self.memo[code] = seen
        return seen

    def _seen(self, level: int, shares: tuple[float, float] | None) -> Seen:
        change = self.most[level] - self.top
        crossed = change
        if level >= SIMILAR and self._swappable:
            crossed = max(change, self.most[SWAPPED] - self.top)
        if shares is None:
            chance = self._weights.chance(self.f, level)
            return level, change, crossed, chance, chance
        return level, change, crossed, float32(shares[0]), float32(shares[1])


class Several(Probe):
    """A field of several alternatives: the best level counts, and the rarest value of it."""

    def look(self, code: Any) -> Seen:
        """Compare with the values of these codes."""
        best = MISSING
        found: list[int] = []
        texts, keys = self._known.texts, self._known.keys
        for place, value in enumerate(self._values):
            level_of = self._scorer(value.text, value.key)
            for one in code:
                if one < 0:
                    continue
                level = EQUAL if one == value.code else level_of(texts[one], keys[one])
                if best in (MISSING, level) or level < best:
                    found = found if level == best else []
                    best = level
                    found.append(place)
        if best == MISSING:
            seen = self.memo[code] = (MISSING, -self.top, -self.top, 1.0, 1.0)
            return seen
        shares = self._equal if best == EQUAL else self._variant if best == VARIANT else []
        chosen = [shares[place] for place in found] if shares else []
        rarest = (min(here for here, _ in chosen), min(there for _, there in chosen)) if chosen else None
        seen = self.memo[code] = self._seen(best, rarest)
        return seen

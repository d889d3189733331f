"""What is asked about in one field of a record, compared with the values of known records, each once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs

from custinfo.dedupe._levels import DIFFERENT, EQUAL, MISSING, SIMILAR, SWAPPED, VARIANT
from custinfo.dedupe._single import LevelOf
from custinfo.dedupe._weight import Weights, float32

__all__ = ["NOTHING", "Probe", "Seen", "Several", "Value"]

# Code of a missing value.
NOTHING = -1

# Level of a field, what it changes the bound by, and its chance where both records are of one stratum and where not.
Seen = tuple[int, float, float, float]


@attrs.frozen
class Value:
    """One value of the record asked about; *code* is below -1 where no known record has it."""

    text: str
    key: str
    code: int


class Probe:
    """A field of one value.

    Args:
        f: position of the field.
        span: columns of the codes of its alternatives.
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
        span: tuple[int, int],
        values: Sequence[Value | None],
        known: Any,
        scorer: Callable[[str, str], LevelOf],
        weights: Weights,
        most: Sequence[float],
        stratum: str | None,
        swappable: bool,
    ) -> None:
        self.f = f
        self.start, self.end = span
        self._values = [value for value in values if value is not None]
        self._known = known
        self._scorer = scorer
        self._weights = weights
        self._swappable = swappable
        self._level_of: LevelOf | None = None
        self._equal = [weights.shares(f, value.text, stratum, key=False) for value in self._values]
        self._variant = (
            [weights.shares(f, value.key, stratum, key=True) for value in self._values] if weights.keyed(f) else []
        )
        self.most = list(most)
        self.most[EQUAL] = weights.most(f, EQUAL, min(map(min, self._equal)))
        if self._variant:
            self.most[VARIANT] = weights.most(f, VARIANT, min(map(min, self._variant)))
        self.top = max(self.most)
        self.memo: dict[Any, Seen] = {}

    @property
    def spread(self) -> float:
        """How much the field can change at most."""
        return self.top - self.most[DIFFERENT]

    @property
    def rest(self) -> float:
        """The most that it adds where the value differs."""
        return max(self.most[VARIANT:])

    def look(self, code: Any) -> Seen:
        """Compare with the value of this code."""
        if code < 0:
            seen = self.memo[code] = (MISSING, -self.top, 1.0, 1.0)
            return seen
        value = self._values[0]
        if code == value.code:
            level = EQUAL
        else:
            if self._level_of is None:
                self._level_of = self._scorer(value.text, value.key)
            level = self._level_of(self._known.texts[code], self._known.keys[code])
        shares = self._equal[0] if level == EQUAL else self._variant[0] if level == VARIANT and self._variant else None
        return self._note(code, level, shares)

    def _note(self, code: Any, level: int, shares: tuple[float, float] | None) -> Seen:
        gain = self.most[level]
        if level >= SIMILAR and self._swappable:
            # Names that differ as they stand may yet prove to be swapped.
            gain = max(gain, self.most[SWAPPED])
        if shares is None:
            chance = self._weights.chance(self.f, level)
            seen = (level, gain - self.top, chance, chance)
        else:
            seen = (level, gain - self.top, float32(shares[0]), float32(shares[1]))
        self.memo[code] = seen
        return seen


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
            seen = self.memo[code] = (MISSING, -self.top, 1.0, 1.0)
            return seen
        shares = self._equal if best == EQUAL else self._variant if best == VARIANT else []
        if not shares:
            return self._note(code, best, None)
        chosen = [shares[place] for place in found]
        return self._note(code, best, (min(here for here, _ in chosen), min(there for _, there in chosen)))

"""One record against its candidates, each only as far as it can still reach the threshold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from rapidfuzz.distance import OSA

from custinfo.dedupe._entries import Entries
from custinfo.dedupe._frozen import MatchModel
from custinfo.dedupe._levels import EQUAL, MISSING, NEAR, SIMILAR, SWAPPED, VARIANT
from custinfo.dedupe._probe import NOTHING, Probe, Seen, Several, Value
from custinfo.dedupe._verified import verified
from custinfo.dedupe._weight import Weights, float32

__all__ = ["Comparison"]

# What rounding may add to a bound; far below any difference that decides.
_SLACK = 1e-6
_NEAR = tuple(bool(near) for near in NEAR)
# Of so many candidates most are left out by which values are equal, before any is compared.
_MANY = 60
# Of a rule: position of the field, places of the alternatives that it is about, the scheme of the numbers.
Term = tuple[int, Sequence[int], str]
# Of a field: position, columns of its codes, whether it has alternatives, what is known of a code, how to compare with
# it, the field that it depends on, and how much less it adds by the state of that.
Step = tuple[int, int, int, bool, Callable[[Any], Seen | None], Callable[[Any], Seen], int, list[list[float]]]


class Prepared(Protocol):
    """What stays the same from record to record: `Checker`."""

    model: MatchModel
    entries: Entries
    weights: Weights
    level: Any
    most: list[list[float]]
    names: tuple[int, int] | None
    order: list[int]
    rules: list[list[Term]]
    single_fields: list[int]
    single: np.ndarray[Any, np.dtype[np.int64]]


class Comparison:
    """One record; what is found out about a value serves for all candidates that have it.

    Args:
        checker: what stays the same.
        values: per field the alternatives, ``None`` where missing.
    """

    def __init__(self, checker: Prepared, values: Sequence[Sequence[Value | None]]) -> None:
        self._checker = checker
        self._values = values
        position = checker.model.stratum
        asked = values[position][0] if position >= 0 else None
        self._stratum = None if position < 0 else "" if asked is None else asked.text
        probes = {f: self._probe(f) for f in checker.order if any(values[f])}
        self._probes = probes
        self._start = checker.weights.prior + sum([probe.top for probe in probes.values()])
        spans, weights = checker.entries.spans, checker.weights
        self._order: list[Step] = [
            (f, *spans[f], len(values[f]) > 1, probe.memo.get, probe.look, weights.parents[f], weights.less[f])
            for f, probe in probes.items()
        ]
        self._asked_names = self._names_asked()

    def _order_of_swapped(self) -> list[Step]:
        """While it is open whether the names are swapped, neither says how near the other is."""
        names = self._checker.names or ()
        return [(*step[:6], -1, step[7]) if step[0] in names else step for step in self._order]

    def _names_asked(self) -> tuple[tuple[int, Value], tuple[int, Value]] | None:
        if self._checker.names is None:
            return None
        g, f = self._checker.names
        given, family = self._values[g][0], self._values[f][0]
        return None if given is None or family is None else ((g, given), (f, family))

    def _probe(self, f: int) -> Probe:
        checker, values = self._checker, self._values[f]
        kind = Probe if len(values) == 1 else Several
        return kind(
            f,
            [value for value in values if value is not None],
            checker.entries.values[f],
            checker.level[f],
            checker.weights,
            checker.most[f],
            self._stratum if len(values) == 1 else None,
            checker.names is not None and f in checker.names,
        )

    def weigh(self, found: np.ndarray[Any, np.dtype[np.int64]]) -> list[tuple[int, float]]:
        """Entries and natural log odds, at or above the threshold."""
        weights = self._checker.weights
        threshold = self._checker.model.threshold
        codes = self._checker.entries.codes.view[found]
        if len(found) > _MANY:
            near = self._bounds(codes) >= threshold - _SLACK
            found, codes = found[near], codes[near]
        entries, probabilities = [], []
        for entry, row in zip(found.tolist(), codes.tolist(), strict=True):
            pair = self._pair(row, threshold - _SLACK)
            if pair is not None and not self._clashes(row):
                entries.append(entry)
                probabilities.append(weights.of(*pair))
        if not entries:
            return []
        total = weights.total(probabilities)
        return [(entry, odds) for entry, odds in zip(entries, total, strict=True) if odds >= threshold]

    def _bounds(self, codes: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """The most that each candidate can weigh, by which values are equal."""
        alone = [
            (value.code, self._probes[f].most[EQUAL], self._probes[f].rest)
            if (value := self._values[f][0]) is not None
            else (NOTHING, 0.0, 0.0)
            for f in self._checker.single_fields
        ]
        asked, equal, rest = np.array(alone).reshape(-1, 3).T
        mine = codes[:, self._checker.single]
        bounds = np.where(mine == asked, equal, rest)
        bounds[mine < 0] = 0.0
        several = sum(probe.top for probe in self._probes.values() if isinstance(probe, Several))
        return np.asarray(bounds.sum(1) + (self._checker.weights.prior + several))

    def _pair(self, row: Sequence[int], least: float) -> tuple[list[int], list[float]] | None:
        """Levels and chances of all fields; None as soon as *least* is out of reach."""
        count = len(self._values)
        levels, chances = [MISSING] * count, [1.0] * count
        chance = 3 if self._is_of_stratum(row) else 4
        change = 2 if self._may_be_swapped(row) else 1
        order = self._order_of_swapped() if change == 2 else self._order
        bound = self._start
        for f, start, end, several, known, look, parent, less in order:
            code: Any = tuple(row[start:end]) if several else row[start]
            seen = known(code) or look(code)
            bound += seen[change]
            level = seen[0]
            if parent >= 0 and level > VARIANT:
                state = levels[parent]
                bound += less[0 if state == MISSING else 1 if _NEAR[state] else 2][level]
            if bound < least:
                return None
            levels[f] = level
            chances[f] = seen[chance]
        if change == 2:
            self._mark_swapped(levels, chances, row)
        return levels, chances

    def _may_be_swapped(self, row: Sequence[int]) -> bool:
        """Whether one name of either record is the other name of the other."""
        if self._asked_names is None:
            return False
        (g, given), (f, family) = self._asked_names
        return given.key == self._name(f, row)[1] or family.key == self._name(g, row)[1]

    def _is_of_stratum(self, row: Sequence[int]) -> bool:
        if self._stratum is None:
            return False
        entries, position = self._checker.entries, self._checker.model.stratum
        code = row[entries.spans[position][0]]
        return self._stratum == (entries.values[position].texts[code] if code >= 0 else "")

    def _mark_swapped(self, levels: list[int], chances: list[float], row: Sequence[int]) -> None:
        """Where the names differ as they stand but agree crosswise, both are "swapped"; as `compare` does it."""
        if self._asked_names is None:
            return
        (g, given), (f, family) = self._asked_names
        if levels[g] < SIMILAR or levels[f] < SIMILAR:
            return
        (other_given, other_given_key), (other_family, other_family_key) = self._name(g, row), self._name(f, row)
        one, other = given.key == other_family_key, other_given_key == family.key
        if one != other:
            a, b = (family.text, other_given) if one else (other_family, given.text)
            one = other = OSA.distance(a, b, score_cutoff=2) <= 1
        if one and other:
            keys = (given.key, family.key, other_given_key, other_family_key)
            for name in (g, f):
                levels[name] = SWAPPED
                chances[name] = float32(self._checker.weights.swapped(name, keys))

    def _name(self, f: int, row: Sequence[int]) -> tuple[str, str]:
        code = row[self._checker.entries.spans[f][0]]
        if code < 0:
            return "", ""
        known = self._checker.entries.values[f]
        return known.texts[code], known.keys[code]

    def _clashes(self, row: Sequence[int]) -> bool:
        """Whether a rule says that both never meet."""
        return any(all(self._differ(row, *term) for term in terms) for terms in self._checker.rules)

    def _differ(self, row: Sequence[int], f: int, places: Sequence[int], scheme: str) -> bool:
        """Whether both have values that count, and none in common."""
        if f < 0:
            return False
        known, start = self._checker.entries.values[f], self._checker.entries.spans[f][0]
        mine = {value.text for place in places if (value := self._values[f][place]) is not None}
        theirs = {known.texts[row[start + place]] for place in places if row[start + place] >= 0}
        if scheme:
            mine, theirs = ({text for text in texts if verified(scheme, [text])[0]} for texts in (mine, theirs))
        return bool(mine) and bool(theirs) and mine.isdisjoint(theirs)

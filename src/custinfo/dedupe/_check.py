"""Which known records one new record is probably of the same person as."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np
from rapidfuzz.distance import OSA

from custinfo.dedupe._entries import Entries
from custinfo.dedupe._form import record_reader
from custinfo.dedupe._levels import DIFFERENT, EQUAL, LEVELS, MISSING, SIMILAR, SWAPPED, VARIANT
from custinfo.dedupe._postings import Postings
from custinfo.dedupe._single import LevelOf, single_scorer
from custinfo.dedupe._text import content_hash
from custinfo.dedupe._verified import verified
from custinfo.dedupe._weight import Weights, float32

__all__ = ["Checker"]

Hashes = np.ndarray[Any, np.dtype[np.uint64]]
_MASK = (1 << 64) - 1
_MULTIPLIER = 0x9E3779B97F4A7C15
# What rounding may add to a bound; far below any difference that decides.
_SLACK = 1e-6
_NOTHING, _UNKNOWN = -1, -2
_NONE = [0.0] * LEVELS


@attrs.frozen
class _Value:
    """One value of the record asked about; *code* below 0 where no known record has it."""

    text: str
    key: str
    code: int


class Checker:
    """Compares one record with those of a matcher; made anew when the model changes."""

    def __init__(self, entries: Entries, postings: Postings) -> None:
        model = entries.model
        self.model = model
        self.entries = entries
        self._postings = postings
        self._read = record_reader(model.kinds, model.fields)
        self.weights = weights = Weights(model)
        self.rules = [[self._term(name, rule.scheme) for name in rule.fields] for rule in model.rules]
        words = model.word_counts()
        self.level = [single_scorer(spec.kind, words[f]) for f, spec in enumerate(model.fields)]
        fields = range(len(model.fields))
        self.most = [[0.0, *(weights.usual_most(f, level) for level in range(1, LEVELS))] for f in fields]
        names = [spec.name for spec in model.fields]
        both = {"given_name", "family_name"} <= set(names)
        self.names = (names.index("given_name"), names.index("family_name")) if both else None
        self.single = np.array(
            [entries.spans[f][0] for f, spec in enumerate(model.fields) if spec.width == 1], np.int64
        )
        self.single_fields = [f for f, spec in enumerate(model.fields) if spec.width == 1]
        self.several = [f for f, spec in enumerate(model.fields) if spec.width > 1]

    def _term(self, name: str, scheme: str) -> tuple[int, Sequence[int], str]:
        """Position and places of the alternatives that a rule is about; -1 where the model has no such field."""
        for f, spec in enumerate(self.model.fields):
            if spec.name == name:
                return f, range(spec.width), scheme
        for f, spec in enumerate(self.model.fields):
            if name in spec.columns:
                place = spec.columns.index(name) if spec.width == len(spec.columns) else 0
                return f, (place,), scheme
        return -1, (), scheme

    def __call__(self, record: Mapping[str, object]) -> list[tuple[int, float]]:
        """Entries and natural log odds, at or above the threshold."""
        values = [self._values(f, texts) for f, texts in enumerate(self._read(record))]
        if all(value is None for alternatives in values for value in alternatives):
            return []
        content = self._content(values)
        keys = self.entries.maker.of_records(content, self._slots(values))[0]
        caps = self.entries.maker.caps(keys)
        # A copy of a known record makes no block larger.
        caps = caps if self._is_known(keys[:1], content) else caps - 1
        found = self._postings.of_record(keys, caps)
        if not len(found):
            return []
        return _Comparison(self, values).weigh(found)

    def _values(self, f: int, texts: Sequence[str | None]) -> list[_Value | None]:
        known = self.entries.values[f]
        result: list[_Value | None] = []
        for text in texts:
            if text is None:
                result.append(None)
                continue
            code = known.codes.get(text, _UNKNOWN)
            result.append(_Value(text, known.keys[code] if code >= 0 else known.key(text), code))
        return result

    def _content(self, values: Sequence[Sequence[_Value | None]]) -> Hashes:
        total = 0
        for alternatives in values:
            for value in alternatives:
                total = (total * _MULTIPLIER + (0 if value is None else content_hash(value.text))) & _MASK
                total ^= total >> 29
        return np.array([total], np.uint64)

    def _slots(self, values: Sequence[Sequence[_Value | None]]) -> Hashes:
        parts = []
        for f, alternatives in enumerate(values):
            known = self.entries.values[f]
            for value in alternatives:
                if value is None:
                    parts.append(np.zeros(known.slots.view.shape[1], np.uint64))
                elif value.code >= 0:
                    parts.append(known.slots.view[value.code])
                else:
                    parts.append(self.entries.maker.of_value(f, (value.text,), (value.key,))[0])
        return np.concatenate(parts)[None]

    def _is_known(self, key: Hashes, content: Hashes) -> bool:
        _, entry = self._postings.members(key)
        return bool((self.entries.content.view[entry] == content).any())


# Level of a field, what it changes the bound by, and its chance where both records are of one stratum and where not.
_Seen = tuple[int, float, float, float]


class _Comparison:
    """One record against its candidates; what is found out about a value serves for all that have it."""

    def __init__(self, checker: Checker, values: Sequence[Sequence[_Value | None]]) -> None:
        self._checker = checker
        self._values = values
        stratum = checker.model.stratum
        asked = values[stratum][0] if stratum >= 0 else None
        self._stratum = None if stratum < 0 else "" if asked is None else asked.text
        self._most = [self._most_of(f) for f in range(len(values))]
        self._top = [max(most) for most in self._most]
        self._made: list[list[LevelOf | None] | None] = [None] * len(values)
        self._start = checker.weights.prior + sum(self._top)
        self._seen: list[dict[int | tuple[int, ...], _Seen]] = [
            {_NOTHING: (MISSING, -top, 1.0, 1.0)} for top in self._top
        ]
        # The fields that can differ most are looked at first; those that the record lacks need no look.
        active = [f for f, alternatives in enumerate(values) if any(value is not None for value in alternatives)]
        active.sort(key=lambda f: self._most[f][DIFFERENT] - self._top[f])
        spans = checker.entries.spans
        self._order = [(f, *spans[f]) for f in active]

    def _most_of(self, f: int) -> list[float]:
        """The most that each level can add, given the values asked about."""
        weights = self._checker.weights
        most = list(self._checker.most[f])
        equal = variant = 2.0
        for value in self._values[f]:
            if value is None:
                continue
            equal = min(equal, *self._shares(f, value.text, key=False))
            if weights.keyed(f):
                variant = min(variant, *self._shares(f, value.key, key=True))
        if equal > 1.0:
            return _NONE
        most[EQUAL] = weights.most(f, EQUAL, equal)
        if variant <= 1.0:
            most[VARIANT] = weights.most(f, VARIANT, variant)
        return most

    def _shares(self, f: int, text: str, *, key: bool) -> tuple[float, float]:
        """Chance of a value where both records are of one stratum, and where they are not."""
        return self._checker.weights.shares(f, text, self._stratum if len(self._values[f]) == 1 else None, key=key)

    def weigh(self, found: np.ndarray[Any, np.dtype[np.int64]]) -> list[tuple[int, float]]:
        """Entries and natural log odds, at or above the threshold."""
        checker = self._checker
        threshold = checker.model.threshold
        codes = checker.entries.codes.view[found]
        near = np.flatnonzero(self._bounds(codes) >= threshold - _SLACK)
        entries, probabilities = [], []
        for entry, row in zip(found[near].tolist(), codes[near].tolist(), strict=True):
            pair = self._pair(row, threshold)
            if pair is not None:
                if self._clashes(row):
                    continue
                entries.append(entry)
                probabilities.append(checker.weights.of(*pair))
        if not entries:
            return []
        total = checker.weights.total(probabilities)
        return [(entry, odds) for entry, odds in zip(entries, total, strict=True) if odds >= threshold]

    def _bounds(self, codes: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """The most that each candidate can weigh, by which values are equal."""
        checker = self._checker
        alone = checker.single_fields
        asked = np.array([_NOTHING if (value := self._values[f][0]) is None else value.code for f in alone])
        equal = np.array([self._most[f][EQUAL] for f in alone])
        rest = np.array([max(self._most[f][VARIANT:]) for f in alone])
        mine = codes[:, checker.single]
        bounds = np.where(mine == asked, equal, rest)
        bounds[(mine < 0) | (asked == _NOTHING)] = 0.0
        return np.asarray(bounds.sum(1) + (checker.weights.prior + sum(self._top[f] for f in checker.several)))

    def _pair(self, row: Sequence[int], threshold: float) -> tuple[list[int], list[float]] | None:
        """Levels and chances of all fields; None as soon as the threshold is out of reach."""
        checker = self._checker
        levels = [MISSING] * len(self._values)
        chances = [1.0] * len(self._values)
        same = self._is_of_stratum(row)
        bound, least = self._start, threshold - _SLACK
        for f, start, end in self._order:
            code = row[start] if end - start == 1 else tuple(row[start:end])
            seen = self._seen[f].get(code)
            if seen is None:
                seen = self._seen[f][code] = self._look(f, row[start:end])
            level, change, here, elsewhere = seen
            bound += change
            if bound < least:
                return None
            levels[f] = level
            chances[f] = here if same else elsewhere
        if checker.names is not None:
            g, f = checker.names
            if levels[g] >= SIMILAR and levels[f] >= SIMILAR:
                self._mark_swapped(levels, chances, row, g, f)
        return (levels, chances) if checker.weights.rest(levels, self._most) >= least else None

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

    def _is_of_stratum(self, row: Sequence[int]) -> bool:
        if self._stratum is None:
            return False
        entries, position = self._checker.entries, self._checker.model.stratum
        code = row[entries.spans[position][0]]
        return self._stratum == (entries.values[position].texts[code] if code >= 0 else "")

    def _look(self, f: int, codes: Sequence[int]) -> _Seen:
        checker = self._checker
        level = self._level(f, codes)
        most = self._most[f]
        if level == MISSING:
            return MISSING, -self._top[f], 1.0, 1.0
        gain = most[level]
        if level >= SIMILAR and checker.names and f in checker.names:
            # Names that differ as they stand may yet prove to be swapped.
            gain = max(gain, most[SWAPPED])
        here = elsewhere = checker.weights.chance(f, level)
        if level == EQUAL or (level == VARIANT and checker.weights.keyed(f)):
            here, elsewhere = self._frequency(f, level, codes)
        return level, gain - self._top[f], here, elsewhere

    def _level(self, f: int, codes: Sequence[int]) -> int:
        best = MISSING
        known = self._checker.entries.values[f]
        for value, level_of in zip(self._values[f], self._scorers(f), strict=True):
            for code in codes:
                if value is None or level_of is None or code < 0:
                    continue
                if value.code == code:
                    return EQUAL
                level = level_of(known.texts[code], known.keys[code])
                best = level if best == MISSING or level < best else best
        return best

    def _scorers(self, f: int) -> list[LevelOf | None]:
        made = self._made[f]
        if made is None:
            scorer = self._checker.level[f]
            made = self._made[f] = [
                None if value is None else scorer(value.text, value.key) for value in self._values[f]
            ]
        return made

    def _frequency(self, f: int, level: int, codes: Sequence[int]) -> tuple[float, float]:
        """Chance of the rarest value (or key) that both have in common, in one stratum and else."""
        known = self._checker.entries.values[f]
        here, elsewhere = [], []
        for value in self._values[f]:
            for code in codes:
                if value is None or code < 0:
                    continue
                if value.code == code if level == EQUAL else value.key == known.keys[code]:
                    shares = self._shares(f, value.text if level == EQUAL else value.key, key=level == VARIANT)
                    here.append(shares[0])
                    elsewhere.append(shares[1])
        return float32(min(here)), float32(min(elsewhere))

    def _mark_swapped(self, levels: list[int], chances: list[float], row: Sequence[int], g: int, f: int) -> None:
        given, family = self._values[g][0], self._values[f][0]
        if given is None or family is None:
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
        known = self._checker.entries.values[f]
        code = row[self._checker.entries.spans[f][0]]
        return known.texts[code], known.keys[code]

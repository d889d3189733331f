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
from custinfo.dedupe._single import single_scorer
from custinfo.dedupe._text import content_hash
from custinfo.dedupe._weight import Weights, float32

__all__ = ["Checker"]

Hashes = np.ndarray[Any, np.dtype[np.uint64]]
_MASK = (1 << 64) - 1
_MULTIPLIER = 0x9E3779B97F4A7C15
# What rounding may add to a bound; far below any difference that decides.
_SLACK = 1e-6
_NOTHING, _UNKNOWN = -1, -2


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
        self.never = model.never()
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


class _Comparison:
    """One record against its candidates."""

    def __init__(self, checker: Checker, values: Sequence[Sequence[_Value | None]]) -> None:
        self._checker = checker
        self._values = values
        self._fields = range(len(values))
        self._levels: list[dict[tuple[int, ...], int]] = [{} for _ in values]
        self._stratum = self._stratum_of(values[checker.model.stratum][0])
        self._most = list(map(self._most_of, self._fields))
        # The fields that can differ most are looked at first.
        spread = [max(most) - most[DIFFERENT] if values[f] else 0.0 for f, most in enumerate(self._most)]
        self._order = sorted(self._fields, key=lambda f: -spread[f])

    def _stratum_of(self, value: _Value | None) -> str | None:
        if self._checker.model.stratum < 0:
            return None
        return "" if value is None else value.text

    def _most_of(self, f: int) -> list[float]:
        """The most that each level can add, given the values asked about."""
        checker = self._checker
        most = list(checker.most[f])
        present = [value for value in self._values[f] if value is not None]
        if not present:
            return [0.0] * LEVELS
        most[EQUAL] = checker.weights.most(f, EQUAL, min(self._share(f, v.text, key=False) for v in present))
        if checker.weights.keyed(f):
            most[VARIANT] = checker.weights.most(f, VARIANT, min(self._share(f, v.key, key=True) for v in present))
        return most

    def _share(self, f: int, text: str, *, key: bool) -> float:
        everywhere = self._checker.weights.share(f, text, None, key=key)
        if self._stratum is None or len(self._values[f]) > 1:
            return everywhere
        return min(everywhere, self._checker.weights.share(f, text, self._stratum, key=key))

    def weigh(self, found: np.ndarray[Any, np.dtype[np.int64]]) -> list[tuple[int, float]]:
        """Entries and natural log odds, at or above the threshold."""
        checker = self._checker
        threshold = checker.model.threshold
        codes = checker.entries.codes.view[found]
        near = np.flatnonzero(self._bounds(codes) >= threshold - _SLACK)
        entries, probabilities = [], []
        for entry, row in zip(found[near].tolist(), codes[near].tolist(), strict=True):
            levels = self._levels_of(row, threshold)
            if levels is not None:
                entries.append(entry)
                probabilities.append(checker.weights.of(levels, self._chances(levels, row)))
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
        slack = checker.weights.prior + sum(max(0.0, *self._most[f]) for f in checker.several)
        return np.asarray(bounds.sum(1) + slack)

    def _levels_of(self, row: Sequence[int], threshold: float) -> list[int] | None:
        """Levels of all fields; None as soon as the threshold is out of reach."""
        checker = self._checker
        levels = [MISSING] * len(self._values)
        bound = checker.weights.prior + sum(max(0.0, *most) for most in self._most)
        for f in self._order:
            start, end = checker.entries.spans[f]
            codes = tuple(row[start:end])
            memo = self._levels[f]
            level = memo.get(codes)
            if level is None:
                level = memo[codes] = self._level(f, codes)
            levels[f] = level
            most = self._most[f]
            # Names that differ as they stand may yet prove to be swapped.
            gain = max(most[SWAPPED:]) if level >= SIMILAR and checker.names and f in checker.names else most[level]
            bound += max(gain, most[level]) - max(0.0, *most)
            if bound < threshold - _SLACK:
                return None
        if checker.names is not None:
            self._mark_swapped(levels, row, *checker.names)
        for f in checker.never:
            if levels[f] > EQUAL:
                return None
        return levels

    def _level(self, f: int, codes: Sequence[int]) -> int:
        best = MISSING
        known = self._checker.entries.values[f]
        for value in self._values[f]:
            for code in codes:
                if value is None or code < 0:
                    continue
                if value.code == code:
                    return EQUAL
                level = self._checker.level[f](value.text, value.key, known.texts[code], known.keys[code])
                best = level if best == MISSING or level < best else best
        return best

    def _mark_swapped(self, levels: list[int], row: Sequence[int], g: int, f: int) -> None:
        if levels[g] < SIMILAR or levels[f] < SIMILAR:
            return
        given, family = self._values[g][0], self._values[f][0]
        if given is None or family is None:
            return
        (other_given, other_given_key), (other_family, other_family_key) = self._name(g, row), self._name(f, row)
        one, other = given.key == other_family_key, other_given_key == family.key
        if one and other:
            levels[g] = levels[f] = SWAPPED
        elif one or other:
            a, b = (family.text, other_given) if one else (other_family, given.text)
            if OSA.distance(a, b, score_cutoff=2) <= 1:
                levels[g] = levels[f] = SWAPPED

    def _name(self, f: int, row: Sequence[int]) -> tuple[str, str]:
        known = self._checker.entries.values[f]
        code = row[self._checker.entries.spans[f][0]]
        return known.texts[code], known.keys[code]

    def _chances(self, levels: Sequence[int], row: Sequence[int]) -> list[float]:
        weights, entries = self._checker.weights, self._checker.entries
        stratum = self._stratum
        if stratum is not None:
            position = self._checker.model.stratum
            code = row[entries.spans[position][0]]
            stratum = stratum if stratum == (entries.values[position].texts[code] if code >= 0 else "") else None
        result = []
        for f, level in enumerate(levels):
            if level == EQUAL or (level == VARIANT and weights.keyed(f)):
                result.append(float32(self._frequency(f, level, row, stratum)))
            elif level == SWAPPED and self._checker.names is not None and f in self._checker.names:
                result.append(float32(weights.swapped(f, self._name_keys(row))))
            else:
                result.append(weights.chance(f, level))
        return result

    def _frequency(self, f: int, level: int, row: Sequence[int], stratum: str | None) -> float:
        """Chance of the rarest value (or key) that both have in common."""
        known = self._checker.entries.values[f]
        start, end = self._checker.entries.spans[f]
        shares = []
        for value in self._values[f]:
            for code in row[start:end]:
                if value is None or code < 0:
                    continue
                if level == EQUAL and value.code == code:
                    shares.append(self._checker.weights.share(f, value.text, stratum, key=False))
                elif level == VARIANT and value.key == known.keys[code]:
                    shares.append(self._checker.weights.share(f, value.key, stratum, key=True))
        return min(shares) if shares else self._checker.weights.chance(f, level)

    def _name_keys(self, row: Sequence[int]) -> list[str | None]:
        keys: list[str | None] = []
        for f in self._checker.names or ():
            value = self._values[f][0]
            keys += [None if value is None else value.key, self._name(f, row)[1]]
        return keys

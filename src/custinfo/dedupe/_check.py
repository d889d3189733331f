"""Which known records one new record is probably of the same person as."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from custinfo.dedupe._comparison import Comparison
from custinfo.dedupe._entries import Entries
from custinfo.dedupe._form import record_reader
from custinfo.dedupe._levels import DIFFERENT, LEVELS
from custinfo.dedupe._postings import Postings
from custinfo.dedupe._probe import Value
from custinfo.dedupe._single import single_scorer
from custinfo.dedupe._text import content_hash
from custinfo.dedupe._weight import Weights

__all__ = ["Checker"]

_MASK = (1 << 64) - 1
_MULTIPLIER = 0x9E3779B97F4A7C15
_UNKNOWN = -2


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
        self.order = self._order()
        self.single_fields = [f for f, spec in enumerate(model.fields) if spec.width == 1]
        self.several = [f for f, spec in enumerate(model.fields) if spec.width > 1]

    def _order(self) -> list[int]:
        """The fields that can change a weight most first, but none before the one that it depends on."""
        weights = self.weights
        rare = [weights.bounds(f, most, [(0.0, 0.0)], [])[1] - most[DIFFERENT] for f, most in enumerate(self.most)]
        order: list[int] = []
        for f in sorted(range(len(rare)), key=lambda f: -rare[f]):
            line = [f]
            while weights.parents[line[-1]] >= 0:
                line.append(weights.parents[line[-1]])
            order += [parent for parent in reversed(line) if parent not in order]
        return order

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
        maker = self.entries.maker
        found = self._postings.of_record(
            maker.keys_of(content, self._slots(values)),
            maker.cap,
            maker.pair_cap,
            lambda entries: any(int(self.entries.content.view[entry]) == content for entry in entries),
        )
        return Comparison(self, values).weigh(found) if len(found) else []

    def _values(self, f: int, texts: Sequence[str | None]) -> list[Value | None]:
        known = self.entries.values[f]
        result: list[Value | None] = []
        for text in texts:
            if text is None:
                result.append(None)
                continue
            code = known.codes.get(text, _UNKNOWN)
            result.append(Value(text, known.keys[code] if code >= 0 else known.key(text), code))
        return result

    def _content(self, values: Sequence[Sequence[Value | None]]) -> int:
        """As `Entries.content_of`."""
        total = 0
        for alternatives in values:
            for value in alternatives:
                total = (total * _MULTIPLIER + (0 if value is None else content_hash(value.text))) & _MASK
                total ^= total >> 29
        return total

    def _slots(self, values: Sequence[Sequence[Value | None]]) -> list[int]:
        slots: list[int] = []
        for f, alternatives in enumerate(values):
            known = self.entries.values[f]
            for value in alternatives:
                if value is None:
                    slots += [0] * known.slots.view.shape[1]
                elif value.code >= 0:
                    slots += known.slots.view[value.code].tolist()
                else:
                    slots += self.entries.maker.slots_of(f, value.text, value.key)
        return slots

"""A matcher: a model kept together with the records it was applied to, for questions and changes one at a time."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs
import numpy as np

from custinfo._view import Progress
from custinfo.dedupe._changes import Changes, Match, changes_of
from custinfo.dedupe._check import Checker
from custinfo.dedupe._duplicates import Duplicates, Pairs
from custinfo.dedupe._fields import build_fields
from custinfo.dedupe._find import find_duplicates, workers
from custinfo.dedupe._freeze import freeze
from custinfo.dedupe._frozen import MatchModel, need_pinyin
from custinfo.dedupe._learn import Answer, Learning, doubtful_pairs, read_answers, shift_of
from custinfo.dedupe._matcher_file import load, save
from custinfo.dedupe._matcher_state import GONE, MatcherState, Moved
from custinfo.dedupe._records import read_records
from custinfo.dedupe._regroup import weigh
from custinfo.errors import InvalidFieldError

__all__ = ["Matcher"]

Ints = np.ndarray[Any, np.dtype[np.int64]]
_BIT = float(np.log(2))


class Matcher:
    """Records in clusters, that can be asked about a new one, added to and removed from.

    Made by `Matcher.fit` or `Matcher.load`. The model is estimated once. Everything after that follows from the model
    and the set of records: the clusters after any adding and removing, in whatever order, are those of one run over
    the records that are there. An id is the row number of its cluster's oldest member.

    A matcher may be used from several threads; its calls wait for one another. It holds the normal forms of the
    records, which are personal data, until they are removed; see `remove` for what goes with them.

    >>> people = {"given_name": ["Ann", "Ann", "Bob"], "family_name": ["Lee", "Lee", "Ray"],
    ...           "email": ["ann@example.com", "ann@example.com", "ray@example.com"]}
    >>> matcher = Matcher.fit(people)
    >>> matcher.labels.tolist()
    [0, 0, 2]
    >>> [match.row for match in matcher.check({"given_name": "Bob", "family_name": "Ray", "email": "ray@example.com"})]
    [2]
    >>> matcher.add([{"given_name": "Robert", "family_name": "Ray", "email": "ray@example.com"}]).labels.tolist()
    [2]
    """

    def __init__(self, state: MatcherState) -> None:
        """Use `Matcher.fit` or `Matcher.load`."""
        self._state = state
        self._lock = threading.RLock()
        self._checker: Checker | None = None
        self._answers: list[Answer] = []

    @classmethod
    def fit(
        cls,
        records: object,
        *,
        fields: Mapping[str, str] | None = None,
        model: MatchModel | None = None,
        threshold: float | None = None,
        rules: Sequence[str] | None = None,
        seed: int = 0,
        progress: Progress = False,
    ) -> Matcher:
        """Estimate a model from records and cluster them; with *model* only the latter.

        Args:
            records: columns, as for `find_duplicates`.
            fields: column -> kind; inferred where left out. Not with *model*.
            model: of another matcher: then nothing is estimated, and *records* may be few, or none.
            threshold: match weight in bits from which records are joined, instead of the estimated one.
            rules: fields of which two different values never meet; not with *model*.
            seed: of the samples that the model is estimated from.
            progress: ``True`` shows a bar where tqdm is installed; a function is called with (done, total).

        Raises:
            InvalidFieldError: ``dedupe.thin`` (fewer than two records that can be compared, and no model),
                ``dedupe.model`` (a model together with what it holds already), ``dedupe.column`` (a column that the
                model does not know), and those of `find_duplicates`.
            MissingExtraError: the model compares Chinese names by pinyin, and extra ``zh`` is not installed.
        """
        columns, kinds = read_records(records)
        if model is None:
            found = find_duplicates(
                columns,
                fields=kinds if fields is None else fields,
                threshold=threshold,
                rules=rules,
                seed=seed,
                progress=progress,
            )
            model = freeze(found, tuple(map(str, columns)))
        elif fields is not None or rules is not None:
            raise InvalidFieldError(
                "fields and rules are part of the model; leave them out, or leave the model out to estimate another",
                code="dedupe.model",
            )
        elif threshold is not None:
            model = attrs.evolve(model, threshold=threshold * _BIT)
        matcher = cls.empty(model)
        if columns:
            matcher._take(columns if kinds is None else matcher._only_known(columns))
        return matcher

    @classmethod
    def empty(cls, model: MatchModel) -> Matcher:
        """A matcher without records, which may be added.

        Raises:
            MissingExtraError: the model compares Chinese names by pinyin, and extra ``zh`` is not installed.
        """
        need_pinyin(model.pinyin)
        return cls(MatcherState(model, workers()))

    @classmethod
    def of(cls, found: Duplicates) -> Matcher:
        """The records and the model of a search; the same as `Duplicates.matcher`."""
        model = freeze(found, tuple(found.diagnostics.kinds))
        matcher = cls.empty(model)
        if found.search is not None:
            fields = [field.take(found.distinct) for field in found.search.fields]
            for field in fields:
                field.codes[found.distinct < 0] = -1
            matcher._state.add(fields, len(found.distinct))
        return matcher

    @property
    def model(self) -> MatchModel:
        """All that was estimated; for `Matcher.fit` with ``model=``."""
        with self._lock:
            return self._state.model

    @property
    def labels(self) -> Ints:
        """Cluster of each row, int64 (n,): the row number of its oldest member; -1 for a row that was removed."""
        with self._lock:
            return np.array(self._state.label.view)

    def __len__(self) -> int:
        """Number of rows, removed ones too."""
        return len(self._state.label)

    def __repr__(self) -> str:
        return f"Matcher({len(self):,} rows, {self.model!r})"

    def add(self, records: object) -> Changes:
        """Add records, which get the next row numbers.

        Args:
            records: columns, as for `fit`. Columns that are lacking count as missing values.

        Returns:
            What changed. The clusters are those that one run over all records would give.

        Raises:
            InvalidFieldError: ``dedupe.column`` (a column that the model does not know), ``columns.*``. Nothing was
                changed then.
        """
        with self._lock:
            start = len(self)
            columns, kinds = read_records(records)
            moved = self._take(columns if kinds is None else self._only_known(columns))
            return self._changes(moved, start, self._state.label.view[start:].copy())

    def _take(self, columns: Mapping[str, np.ndarray[Any, Any]]) -> Moved:
        self._known(columns)
        model = self._state.model
        rows = min((len(column) for column in columns.values()), default=0)
        none = np.full(rows, None, object)
        wanted = {column: columns.get(column, none) for column, kind in model.kinds.items() if kind != "ignore"}
        built = build_fields(wanted, model.kinds_used(), pinyin=bool(model.pinyin))
        self._checker = None
        return self._state.add(built, rows)

    def _only_known(self, columns: Mapping[str, np.ndarray[Any, Any]]) -> dict[str, np.ndarray[Any, Any]]:
        """The columns of customers that the model has; other customers may hold more."""
        known = self._state.model.columns
        return {name: column for name, column in columns.items() if name in known}

    def _known(self, names: Iterable[object]) -> None:
        known = self._state.model.columns
        unknown = [str(name) for name in names if name not in known]
        if unknown:
            raise InvalidFieldError(
                f"the model does not know the column {unknown[0]!r}; it knows {', '.join(known)}",
                code="dedupe.column",
                path=unknown[0],
            )

    def _changes(self, moved: Moved, start: int, labels: Ints) -> Changes:
        return changes_of(self._state.label.view, moved, start, labels)

    def remove(self, rows: Iterable[int]) -> Changes:
        """Take records out; the others keep their row numbers.

        What nobody else has goes with them: their values, keys and index entries, and what the model knows of the
        frequency of those values. Values that remaining records have too stay, being theirs.

        Args:
            rows: row numbers, each of a record that is still there.

        Returns:
            What changed. The clusters are those that one run without these records would give.

        Raises:
            InvalidFieldError: ``dedupe.row`` (no such row, or one that was removed). Nothing was changed then.
        """
        with self._lock:
            chosen = self._rows(rows)
            gone = set(chosen.tolist())
            moved = self._state.remove(chosen)
            self._checker = None
            self._answers = [
                Answer(-1, -1, a.bits, a.match) if a.left in gone or a.right in gone else a for a in self._answers
            ]
            return self._changes(moved, len(self), np.full(len(chosen), -1, np.int64))

    def _rows(self, rows: Iterable[int]) -> Ints:
        chosen = np.unique(np.array([_row(row) for row in rows], np.int64))
        bad = chosen[(chosen < 0) | (chosen >= len(self))]
        if not len(bad):
            bad = chosen[self._state.entry.view[chosen] == GONE]
        if len(bad):
            raise InvalidFieldError(
                f"there is no row {bad[0]}; rows are whole numbers from 0 to {len(self) - 1}, without those removed",
                code="dedupe.row",
                row=int(bad[0]),
            )
        return chosen

    def check(self, record: Mapping[str, object], *, limit: int | None = None) -> list[Match]:
        """The known records that are probably of the same person as this one, which is not added.

        Args:
            record: column -> value. Columns that are lacking count as missing values.
            limit: give so many at most.

        Returns:
            The best first, at or above the threshold of the model; records of one content all have its weight. The
            weights are those that `find_duplicates` would give the pairs with this model.

        Raises:
            InvalidFieldError: ``dedupe.record`` (not a mapping), ``dedupe.column`` (a column that the model does not
                know).
        """
        if not isinstance(record, Mapping):
            raise InvalidFieldError(
                f"a record is a mapping of column -> value, not {type(record).__name__}", code="dedupe.record"
            )
        self._known(record)
        with self._lock:
            state = self._state
            if self._checker is None:
                self._checker = Checker(state.entries, state.postings)
            found = sorted(self._checker(record), key=lambda match: (-match[1], int(state.first.view[match[0]])))
            return self._matches(found, len(self) if limit is None else limit)

    def _matches(self, found: Iterable[tuple[int, float]], limit: int) -> list[Match]:
        state = self._state
        result: list[Match] = []
        for entry, odds in found:
            weight = odds / _BIT
            share = float(1 / (1 + np.exp2(-np.clip(weight, -1000, 1000))))
            for row in state.copies.get(entry) or [int(state.first.view[entry])]:
                if len(result) >= limit:
                    return result
                result.append(Match(row=row, cluster=int(state.label.view[row]), weight=weight, probability=share))
        return result

    def questions(self, count: int = 10) -> Pairs:
        """The pairs whose answer helps most: those nearest to the decision, each record in one, none asked before."""
        with self._lock:
            asked = {(answer.left, answer.right) for answer in self._answers}
            left, right, odds = doubtful_pairs(self._state, asked, count)
            return Pairs(left=left, right=right, weight=odds / _BIT)

    @property
    def learning(self) -> Learning:
        """What was learnt from answers, and whether to stop asking."""
        with self._lock:
            learnt = shift_of(self._answers)
            return learnt if learnt.finished or len(self.questions(1)) else attrs.evolve(learnt, finished=True)

    def learn(self, pairs: Iterable[Any], labels: Iterable[Any] | None = None) -> Changes:
        """Move all weights by what a person's answers say, and cluster anew.

        The weights of the model may be off as a whole, by so many bits that are normally distributed around 0 with a
        standard deviation of 3. Each answer is a coin that comes up "one person" with the probability of the shifted
        weight. The mean of the posterior is added to the prior of the model; thresholds and all else stay. An answer
        moves the decision for all pairs and binds none: a pair that was asked about is decided by its weight, too.

        Args:
            pairs: (row, row) of each pair, or (row, row, answer).
            labels: whether each pair is one person's, where *pairs* do not say so.

        Returns:
            What changed; `learning` tells whether more answers would help.

        Raises:
            InvalidFieldError: ``dedupe.row`` (no such row, twice the same, or one without any value),
                ``dedupe.labels``. Nothing was changed then.
        """
        answers = read_answers(pairs, labels)
        with self._lock:
            state = self._state
            rows = self._rows(row for a, b, _ in answers for row in (a, b))
            if any(a == b for a, b, _ in answers) or (state.entry.view[rows] < 0).any():
                raise InvalidFieldError(
                    "a pair to learn from holds two different rows, each with some value", code="dedupe.row"
                )
            left = state.entry.view[np.array([a for a, _, _ in answers], np.int64)]
            right = state.entry.view[np.array([b for _, b, _ in answers], np.int64)]
            before = shift_of(self._answers).shift
            bits = weigh(state.entries, left, right, workers=state.workers) / _BIT - before
            erased = [answer for answer in self._answers if answer.left < 0]
            kept = {(answer.left, answer.right): answer for answer in self._answers if answer.left >= 0}
            for (a, b, match), weight in zip(answers, bits.tolist(), strict=True):
                kept[min(a, b), max(a, b)] = Answer(min(a, b), max(a, b), weight, match)
            self._answers = [*erased, *kept.values()]
            weights = state.model.weights
            shifted = attrs.evolve(weights, prior=weights.prior + (shift_of(self._answers).shift - before) * _BIT)
            self._checker = None
            moved = state.again(attrs.evolve(state.model, weights=shifted))
            return self._changes(moved, len(self), np.zeros(0, np.int64))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the matcher to one file, which holds personal data: keep it as safe as the records.

        The file is a ZIP of JSON and NumPy arrays without pickled objects. It appears under its name only when it is
        whole; a former file of this name is replaced then. Only its owner may read it. Encrypt it with
        `custinfo.crypto.encrypt_stream` where it leaves the machine.

        Raises:
            OSError: the file cannot be written.
        """
        with self._lock:
            save(path, self._state, self._answers)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Matcher:
        """A matcher out of a file of `save`; nothing in the file is executed.

        Raises:
            SchemaVersionError: the file was written by a newer custinfo.
            CustInfoError: ``dedupe.file``: no file of a matcher, or one that was cut off or altered.
            MissingExtraError: the model compares Chinese names by pinyin, and extra ``zh`` is not installed.
            OSError: the file cannot be read.
        """
        state, answers = load(path, workers())
        matcher = cls(state)
        matcher._answers = answers
        return matcher


def _row(row: object) -> int:
    """A row number as it is, -1 for what is none."""
    return int(row) if isinstance(row, (int, np.integer)) and not isinstance(row, bool) and row < 1 << 60 else -1

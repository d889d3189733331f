"""A matcher: a model kept together with the records it was applied to, for questions and changes one at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs
import numpy as np

from custinfo._columns import read_columns
from custinfo._view import Progress
from custinfo.dedupe._check import Checker
from custinfo.dedupe._fields import build_fields
from custinfo.dedupe._find import find_duplicates, workers
from custinfo.dedupe._freeze import freeze
from custinfo.dedupe._frozen import MatchModel
from custinfo.dedupe._matcher_state import GONE, MatcherState, Moved
from custinfo.dedupe._text import han_support
from custinfo.errors import InvalidFieldError, MissingExtraError

__all__ = ["Changes", "Match", "Matcher"]

Ints = np.ndarray[Any, np.dtype[np.int64]]
_BIT = float(np.log(2))


@attrs.frozen(kw_only=True)
class Match:
    """A record that is probably the same person's as the one asked about.

    Attributes:
        row: its row number.
        cluster: the cluster it is in: the row number of its oldest member.
        weight: match weight in bits.
        probability: that both are one person's, ``1 / (1 + 2**-weight)``.
    """

    row: int
    cluster: int
    weight: float
    probability: float


@attrs.frozen(kw_only=True, eq=False)
class Changes:
    """What adding or removing records changed.

    Attributes:
        labels: int64, cluster of each record that was added, in input order; of those removed, -1.
        created: ids of clusters that were not there before.
        grown: ids of clusters that were there and got new records.
        merged: (kept, gone) ids of clusters that became one; the smaller id is kept.
        moved: (former, present) ids where records left a cluster without its becoming one with the other: new evidence
            showed them to be somebody else's, or the oldest record of their cluster was removed.
    """

    labels: Ints
    created: tuple[int, ...]
    grown: tuple[int, ...]
    merged: tuple[tuple[int, int], ...]
    moved: tuple[tuple[int, int], ...]


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

    def __init__(self, model: MatchModel, state: MatcherState) -> None:
        """Use `Matcher.fit` or `Matcher.load`."""
        self._state = state
        self._lock = threading.RLock()
        self._checker: Checker | None = None
        self._start = model

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
        columns = read_columns(records)
        if model is None:
            found = find_duplicates(
                columns, fields=fields, threshold=threshold, rules=rules, seed=seed, progress=progress
            )
            model = freeze(found, tuple(map(str, columns)), tuple(rules or ()))
        elif fields is not None or rules is not None:
            raise InvalidFieldError(
                "fields and rules are part of the model; leave them out, or leave the model out to estimate another",
                code="dedupe.model",
            )
        elif threshold is not None:
            model = attrs.evolve(model, threshold=threshold * _BIT)
        matcher = cls.empty(model)
        if columns:
            matcher._take(columns)
        return matcher

    @classmethod
    def empty(cls, model: MatchModel) -> Matcher:
        """A matcher without records, which may be added.

        Raises:
            MissingExtraError: the model compares Chinese names by pinyin, and extra ``zh`` is not installed.
        """
        need_pinyin(model)
        return cls(model, MatcherState(model, workers()))

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
            moved = self._take(read_columns(records))
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

    def _known(self, names: Iterable[object]) -> None:
        unknown = [str(name) for name in names if name not in self._start.columns]
        if unknown:
            raise InvalidFieldError(
                f"the model does not know the column {unknown[0]!r}; it knows {', '.join(self._start.columns)}",
                code="dedupe.column",
                path=unknown[0],
            )

    def _changes(self, moved: Moved, start: int, labels: Ints) -> Changes:
        state = self._state
        after = state.label.view[moved.rows]
        old = moved.before >= 0
        differ = old & (moved.before != after) & (after >= 0)
        steps = set(zip(moved.before[differ].tolist(), after[differ].tolist(), strict=True))
        merged = {(new, former) for former, new in steps if state.label.view[former] == new}
        heads = set(after[after >= 0].tolist())
        known = set(moved.before[old].tolist())
        fresh = moved.rows >= start
        return Changes(
            labels=labels,
            created=tuple(sorted(heads - known)),
            grown=tuple(sorted(set(after[fresh].tolist()) & known)),
            merged=tuple(sorted(merged)),
            moved=tuple(sorted((former, new) for former, new in steps if (new, former) not in merged)),
        )

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
            moved = self._state.remove(chosen)
            self._checker = None
            return self._changes(moved, len(self), np.full(len(chosen), -1, np.int64))

    def _rows(self, rows: Iterable[int]) -> Ints:
        chosen = np.unique(np.array([int(row) for row in rows], np.int64))
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


def need_pinyin(model: MatchModel) -> None:
    """Refuse a model whose normal forms need more than is installed.

    Raises:
        MissingExtraError: the model compares Chinese names by pinyin, and extra ``zh`` is not installed as it was then.
    """
    have = han_support()
    if model.pinyin and model.pinyin != have:
        package = "opencc" if have == "pinyin" else "pypinyin"
        raise MissingExtraError(
            f"the model compares Chinese names with extra zh ({model.pinyin}), here there is {have or 'none of it'}; "
            "run: pip install 'custinfo[zh]'",
            package=package,
            extra="zh",
        )

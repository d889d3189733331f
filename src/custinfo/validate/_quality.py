"""Data quality of many records in one pass: a score per field and dimension, and the rows that fail.

Dimensions as in ISO/IEC 25012:2008 and DAMA-UK, "The six primary dimensions for data quality assessment" (2013).
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections import Counter
from collections.abc import Callable, Iterator

from custinfo._view import reporting
from custinfo.errors import InvalidFieldError
from custinfo.validate._base import is_missing_object
from custinfo.validate._digests import Digests, count_digests
from custinfo.validate._paths import Block
from custinfo.validate._quality_column import Column
from custinfo.validate._quality_report import DIMENSIONS, QualityReport, Score, fingerprint
from custinfo.validate._quality_sample import Sample
from custinfo.validate._rows import blocks, row_count
from custinfo.validate._rule import Rule
from custinfo.validate._schema import Schema

__all__ = ["quality"]


def quality(
    data: object,
    schema: Schema,
    *,
    as_of: dt.date | dt.datetime | None = None,
    reference: object = None,
    max_failing_rows: int = 100,
    progress: bool | Callable[[int, int], None] = False,
) -> QualityReport:
    """Measure records against a schema.

    Args:
        data: rows (mappings, model objects) or columns, as everywhere in custinfo, or an iterable of frames, such as
            the parts of a large file. Rows are read once and not kept; of a unique field 16 bytes per value are.
        schema: fields with validators, rules, unique fields and ages.
        as_of: the day from which ages are counted; needed where the schema has any.
        reference: records known to be right, in the order of *data*, for accuracy; what it lacks is not measured.
        max_failing_rows: size of the sample of failing rows; their number is exact whatever it is.
        progress: True for a bar, or a function of (rows done, rows in all; 0 where that is not known).

    Returns:
        Scores by (field, dimension):

        - completeness: rows with a value that is no placeholder, of all rows;
        - validity: rows whose values pass the validator, of rows with a value;
        - uniqueness: distinct normal forms, of valid values, for fields that are ``unique``;
        - consistency: rows in which every rule about the field holds, of rows where one could be asked;
        - timeliness: dates at most ``max_age`` before *as_of*, of valid dates;
        - accuracy: rows equal to the reference in their normal form, of rows where both have one; without a reference
          the value is None.

    Raises:
        InvalidFieldError: ``"quality.as_of"`` where *as_of* is no date, or is missing and ages are to be measured;
            ``"option"`` where *max_failing_rows* is no number from 0; ``"schema"``, ``"columns.*"``.

    >>> from custinfo.validate import Schema, email
    >>> rows = [{"email": "a@example.com"}, {"email": "nobody"}, {"email": "N/A"}]
    >>> report = quality(rows, Schema({"email": email}))
    >>> report.scores["email", "completeness"].value, report.scores["email", "validity"].value
    (0.6666666666666666, 0.5)
    """
    if not isinstance(schema, Schema):
        raise InvalidFieldError("quality needs a custinfo.validate.Schema", code="schema")
    day = None if is_missing_object(as_of) else _day(as_of)
    if day is None and as_of is not None:
        raise InvalidFieldError("as_of must be a datetime.date", code="quality.as_of")
    if schema.max_age and day is None:
        raise InvalidFieldError("the schema has max_age: say as_of, the day to count from", code="quality.as_of")
    if type(max_failing_rows) is not int or max_failing_rows < 0:
        raise InvalidFieldError("max_failing_rows must be a number of rows, 0 or more", code="option")
    known = iter(()) if reference is None else _known(reference, schema)
    count = _Count(schema, day, max_failing_rows, known)
    with reporting(progress, total=row_count(data), label="quality") as step:
        for block in blocks(data, schema.paths):
            count.add(block)
            step(count.rows)
    return count.report()


def _known(reference: object, schema: Schema) -> Iterator[dict[str, object]]:
    """Path -> normal form, row by row of the reference."""
    for block in blocks(reference, tuple(schema.fields), optional=True):
        columns = {path: Column(block, path, schema, trusted=True).by_row() for path in schema.fields}
        for row in range(block.rows):
            yield {path: values[row] for path, values in columns.items() if row in values}


class _Count:
    """Numerators and denominators while records go by."""

    def __init__(self, schema: Schema, as_of: dt.date | None, limit: int, known: Iterator[dict[str, object]]) -> None:
        self.schema = schema
        self.as_of = as_of
        self.known = known
        self.rows = 0
        self.failing = 0
        self.tally: Counter[tuple[str, str, str]] = Counter()
        self.codes: Counter[tuple[str, str]] = Counter()
        self.digests = {path: Digests() for path in schema.unique}
        self.sample = Sample(schema, limit)
        self.failed: set[int] = set()

    def add(self, block: Block) -> None:
        """Count a block of records."""
        self.failed = set()
        by_row: dict[str, dict[int, object]] = {}
        known = list(itertools.islice(self.known, block.rows))
        asked = {path for rule in self.schema.rules if not rule.each for path in rule.fields}
        for path in self.schema.paths:
            column = Column(block, path, self.schema)
            if path in self.schema.fields:
                self._field(column, block.rows)
                self._accuracy(column, known)
            if path in asked:
                by_row[path] = column.by_row()
        self._rules(block, by_row)
        self.failing += len(self.failed)
        self.sample.settle(self.rows)
        self.rows += block.rows

    def _field(self, column: Column, rows: int) -> None:
        path = column.path
        present = column.present()
        self._score(path, "completeness", len(present), rows)
        self._note(path, "value.placeholder", column.stand_ins)
        if path in self.schema.required:
            missing = set(range(rows)).difference(present, (row for row, _ in column.stand_ins))
            self._note(path, "value.missing", [(row, None) for row in sorted(missing)])
        if self.schema.fields[path] is not None:
            self._score(path, "validity", len(present) - len(column.bad), len(present))
            by_code: dict[str, list[tuple[int, object]]] = {}
            for row, code, value in column.faults:
                by_code.setdefault(code, []).append((row, value))
            for code, found in by_code.items():
                self._note(path, code, found)
        if path in self.digests or path in self.schema.max_age:
            self._normal(path, column.good()[1])

    def _normal(self, path: str, normal: list[object]) -> None:
        if path in self.digests:
            self.digests[path].add(normal)
            self._score(path, "uniqueness", 0, len(normal))
        if path in self.schema.max_age and self.as_of is not None:
            days = [day for day in map(_day, normal) if day is not None]
            oldest = self.as_of.toordinal() - self.schema.max_age[path].days  # an ordinal cannot leave the calendar
            late = sum(day.toordinal() < oldest for day in days)
            self._score(path, "timeliness", len(days) - late, len(days))
            self._count(path, "rule.outdated", late)

    def _accuracy(self, column: Column, known: list[dict[str, object]]) -> None:
        if not known:
            return
        mine = column.by_row()
        both = [row for row in column.present() if row < len(known) and column.path in known[row]]
        right = sum(row in mine and _equal(mine[row], known[row][column.path]) for row in both)
        self._score(column.path, "accuracy", right, len(both))
        self._count(column.path, "rule.reference", len(both) - right)

    def _rules(self, block: Block, by_row: dict[str, dict[int, object]]) -> None:
        asked: dict[str, set[int]] = {}
        broken: dict[str, set[int]] = {}
        for rule in self.schema.rules:
            answers = self._members(rule, block) if rule.each else _answers(rule, by_row)
            wrong = [row for row, holds in answers if not holds]
            for path in rule.paths:
                asked.setdefault(path, set()).update(row for row, _ in answers)
                broken.setdefault(path, set()).update(wrong)
            if rule.severity == "error":
                self._note(", ".join(rule.paths), rule.code, [(row, None) for row in wrong])
            else:
                self._count(", ".join(rule.paths), rule.code, len(wrong))
        for path, rows in asked.items():
            self._score(path, "consistency", len(rows) - len(broken[path]), len(rows))

    def _members(self, rule: Rule, block: Block) -> list[tuple[int, bool]]:
        found = []
        for row, member in zip(*block.read(rule.each), strict=True):
            values = self.schema.member_values(rule, member)
            holds = None if values is None else rule.holds(values)
            if holds is not None:
                found.append((row, holds))
        return found

    def _note(self, field: str, code: str, found: list[tuple[int, object]]) -> None:
        """Things that make rows fail."""
        if found:
            self._count(field, code, len(found))
            self.failed.update(row for row, _ in found)
            self.sample.offer(field, code, found)

    def _count(self, field: str, code: str, number: int) -> None:
        if number:
            self.codes[field, code] += number

    def _score(self, path: str, dimension: str, numerator: int, denominator: int) -> None:
        self.tally[path, dimension, "numerator"] += numerator
        self.tally[path, dimension, "denominator"] += denominator

    def report(self) -> QualityReport:
        """What was counted."""
        distinct = {path: digests.sorted() for path, digests in self.digests.items()}
        scores = {}
        for path in self.schema.paths:
            for dimension in DIMENSIONS:
                numerator = self.tally[path, dimension, "numerator"]
                if dimension == "uniqueness" and path in distinct:
                    numerator = count_digests(distinct[path])
                scores[path, dimension] = Score(numerator, self.tally[path, dimension, "denominator"])
        return QualityReport(
            rows=self.rows,
            scores=scores,
            failing_rows=self.sample.rows(),
            failing_count=self.failing,
            codes=dict(sorted(self.codes.items())),
            signature=fingerprint(self.schema.signature),
            as_of=None if self.as_of is None else str(self.as_of),
            limit=self.sample.limit,
            distinct=distinct,
        )


def _answers(rule: Rule, by_row: dict[str, dict[int, object]]) -> list[tuple[int, bool]]:
    """(row, whether the rule holds) of each row where it could be asked."""
    first, *others = [by_row[path] for path in rule.fields]
    found = []
    for row, value in first.items():
        if all(row in values for values in others):
            holds = rule.holds([value, *(values[row] for values in others)])
            if holds is not None:
                found.append((row, holds))
    return found


def _equal(one: object, other: object) -> bool:
    """Whether two normal forms are equal; those of fields without a validator may be anything, arrays for example."""
    try:
        answer = one == other
        return bool(answer.all()) if hasattr(answer, "all") else bool(answer)
    except Exception:  # noqa: BLE001  what cannot be compared is not equal
        return False


def _day(value: object) -> dt.date | None:
    kind = type(value)
    try:
        if is_missing_object(value):  # NaT is a kind of time
            return None
        if issubclass(kind, dt.datetime):
            return value.date()  # type: ignore[attr-defined, no-any-return]
        return value if issubclass(kind, dt.date) else None  # type: ignore[return-value]
    except Exception:  # noqa: BLE001  a class of the caller's may do anything
        return None

"""Data quality of many records in one pass: a score per field and dimension, and the rows that fail.

Dimensions as in ISO/IEC 25012:2008 and DAMA-UK, "The six primary dimensions for data quality assessment" (2013).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from custinfo._columns import read_columns
from custinfo.errors import InvalidFieldError
from custinfo.validate._base import column
from custinfo.validate._paths import values_at
from custinfo.validate._placeholders import is_missing, is_placeholder
from custinfo.validate._quality_report import DIMENSIONS, FailingRow, QualityReport, Score, masked
from custinfo.validate._schema import Schema

__all__ = ["quality"]

_CHUNK_ROWS = 20_000
_FRAMES = ("dtype", "columns", "column_names", "__arrow_c_stream__")  # what data in columns has


def quality(
    data: object,
    schema: Schema,
    *,
    as_of: dt.date | dt.datetime | None = None,
    reference: object = None,
    max_failing_rows: int = 100,
) -> QualityReport:
    """Measure records against a schema.

    Args:
        data: rows (mappings, model objects) or columns, as everywhere in custinfo; rows are read once and not kept.
        schema: fields with validators, rules, unique fields and ages.
        as_of: the day from which ages are counted; needed where the schema has any.
        reference: records known to be right, in the order of *data*, for accuracy.
        max_failing_rows: size of the sample of failing rows; their number is exact whatever it is.

    Returns:
        Scores by (field, dimension):

        - completeness: rows with a value that is no placeholder, of all rows;
        - validity: rows whose values pass the validator, of rows with a value;
        - uniqueness: distinct normal forms, of valid rows, for fields that are ``unique``;
        - consistency: rows in which every rule about the field holds, of rows where one could be asked;
        - timeliness: dates within ``max_age``, of valid dates;
        - accuracy: values equal to the reference, of rows where both have one; without a reference the value is None.

    Raises:
        InvalidFieldError: ``"quality.as_of"`` where ages are to be measured and *as_of* is missing; ``"columns.*"``.

    >>> from custinfo.validate import Schema, email
    >>> rows = [{"email": "a@example.com"}, {"email": "nobody"}, {"email": "N/A"}]
    >>> report = quality(rows, Schema({"email": email}))
    >>> report.scores["email", "completeness"].value, report.scores["email", "validity"].value
    (0.6666666666666666, 0.5)
    """
    if schema.max_age and as_of is None:
        raise InvalidFieldError("the schema has max_age: say as_of, the day to count from", code="quality.as_of")
    count = _Count(schema, as_of, max_failing_rows)
    references = None if reference is None else _chunks(reference, schema)
    for chunk in _chunks(data, schema):
        count.add(chunk, None if references is None else next(references, []))
    return count.report()


def _chunks(data: object, schema: Schema) -> Iterator[list[Any]]:
    """Records in blocks; columns become mappings, which hold only what the schema reads."""
    if (
        isinstance(data, Iterable)
        and not isinstance(data, Mapping)
        and not any(hasattr(data, name) for name in _FRAMES)
    ):
        rows = iter(data)
        while block := list(itertools.islice(rows, _CHUNK_ROWS)):
            yield block
        return
    columns = read_columns(data)
    wanted = list(dict.fromkeys(path if path in columns else _top(path) for path in _paths(schema)))
    missing = [path for path in wanted if path not in columns]
    if missing:
        raise InvalidFieldError(
            f"no column {', '.join(map(repr, missing))}; there are: {', '.join(columns)}", code="columns.missing"
        )
    lists = [column(columns[name]) for name in wanted]
    total = len(next(iter(columns.values()), ()))
    for start in range(0, total, _CHUNK_ROWS):
        parts = [values[start : start + _CHUNK_ROWS] for values in lists]
        width = min(_CHUNK_ROWS, total - start)
        yield [dict(zip(wanted, row, strict=True)) for row in zip(*parts, strict=True)] if parts else [{}] * width


class _Count:
    """Numerators and denominators while records go by."""

    def __init__(self, schema: Schema, as_of: dt.date | None, max_failing_rows: int) -> None:
        self.schema = schema
        self.as_of = as_of
        self.limit = max_failing_rows
        self.rows = 0
        self.tally: Counter[tuple[str, str, str]] = Counter()
        self.codes: Counter[tuple[str, str]] = Counter()
        self.distinct: dict[str, set[bytes]] = {path: set() for path in schema.unique}
        self.sample: list[FailingRow] = []
        self.failing = 0
        self.referenced = False

    def add(self, records: list[Any], reference: list[Any] | None) -> None:
        """Count a block of records."""
        normal: dict[str, list[list[object]]] = {}
        found: dict[int, list[tuple[str, str, object]]] = {}
        for path in self.schema.fields:
            normal[path] = self._field(path, records, found)
            if reference is not None:
                self._accuracy(path, normal[path], reference)
        for row, record in enumerate(records):
            self._rules(row, record, {path: values[row] for path, values in normal.items()}, found)
        for row in sorted(found):
            self.failing += 1
            for path, code, value in found[row]:
                self.codes[path, code] += 1
                if len(self.sample) < self.limit:
                    self.sample.append(FailingRow(self.rows + row, path, code, masked(path, value)))
        self.rows += len(records)
        self.referenced = self.referenced or reference is not None

    def _field(
        self, path: str, records: list[Any], found: dict[int, list[tuple[str, str, object]]]
    ) -> list[list[object]]:
        """Normal forms by row, empty where there is none or one is wrong."""
        owners: list[int] = []
        values: list[object] = []
        stand_in: dict[int, object] = {}
        for row, record in enumerate(records):
            for _, value in values_at(record, path):
                if is_placeholder(value):
                    stand_in[row] = value
                elif not is_missing(value) and not (isinstance(value, (tuple, list)) and not value):
                    owners.append(row)
                    values.append(value)
        present = set(owners)
        for row, value in stand_in.items():
            found.setdefault(row, []).append((path, "value.placeholder", value))
        if path in self.schema.required:
            for row in range(len(records)):
                if row not in present and row not in stand_in:
                    found.setdefault(row, []).append((path, "value.missing", None))
        self._score(path, "completeness", len(present), len(records))
        return self._validity(path, owners, values, len(records), found)

    def _validity(
        self,
        path: str,
        owners: list[int],
        values: list[object],
        rows: int,
        found: dict[int, list[tuple[str, str, object]]],
    ) -> list[list[object]]:
        validator = self.schema.fields[path]
        normal: list[list[object]] = [[] for _ in range(rows)]
        bad: set[int] = set()
        answers = values
        if validator is not None:
            batch = validator.many(values)
            answers = batch.values
            for place, issue in batch.failures():
                bad.add(owners[place])
                found.setdefault(owners[place], []).append((path, issue.code, values[place]))
            self._score(path, "validity", len(set(owners) - bad), len(set(owners)))
        for row, answer in zip(owners, answers, strict=True):
            if row not in bad:
                normal[row].append(answer)
        if path in self.distinct:
            self.distinct[path].update(_digest(answer) for answers_of_row in normal for answer in answers_of_row)
            self._score(path, "uniqueness", 0, sum(map(len, normal)))
        if path in self.schema.max_age:
            dates = [day for answers_of_row in normal for day in map(_day, answers_of_row) if day is not None]
            oldest = (_day(self.as_of) or dt.date.min) - self.schema.max_age[path]
            self._score(path, "timeliness", sum(day >= oldest for day in dates), len(dates))
        return normal

    def _rules(
        self,
        row: int,
        record: object,
        normal: dict[str, list[object]],
        found: dict[int, list[tuple[str, str, object]]],
    ) -> None:
        held: dict[str, bool] = {}
        for rule in self.schema.rules:
            values = self.schema.rule_values(rule, record, normal)
            if values is None:
                continue
            holds = rule.holds(values)
            for path in rule.fields:
                held[path] = held.get(path, True) and holds
            if not holds and rule.severity == "error":
                found.setdefault(row, []).append((", ".join(rule.fields), rule.code, None))
        for path, good in held.items():
            self._score(path, "consistency", int(good), 1)

    def _accuracy(self, path: str, normal: list[list[object]], reference: list[Any]) -> None:
        validator = self.schema.fields[path]
        right = both = 0
        for mine, record in zip(normal, reference, strict=False):
            theirs = [value for _, value in values_at(record, path) if not is_missing(value)]
            if mine and theirs:
                wanted = theirs if validator is None else [validator(value).value for value in theirs]
                both += 1
                right += mine == wanted
        self._score(path, "accuracy", right, both)

    def _score(self, path: str, dimension: str, numerator: int, denominator: int) -> None:
        self.tally[path, dimension, "numerator"] += numerator
        self.tally[path, dimension, "denominator"] += denominator

    def report(self) -> QualityReport:
        """What was counted."""
        scores = {
            (path, dimension): Score(
                len(self.distinct[path])
                if dimension == "uniqueness" and path in self.distinct
                else self.tally[path, dimension, "numerator"],
                self.tally[path, dimension, "denominator"],
            )
            for path in _paths(self.schema)
            for dimension in DIMENSIONS
        }
        return QualityReport(
            rows=self.rows,
            scores=scores,
            failing_rows=tuple(self.sample),
            failing_count=self.failing,
            codes=dict(sorted(self.codes.items())),
            signature=(*self.schema.signature, None if self.as_of is None else str(self.as_of)),
            limit=self.limit,
            distinct={path: frozenset(found) for path, found in self.distinct.items()},
        )


def _paths(schema: Schema) -> list[str]:
    """All that the schema reads."""
    return list(dict.fromkeys([*schema.fields, *(path for rule in schema.rules for path in rule.fields)]))


def _top(path: str) -> str:
    return path.partition(".")[0].removesuffix("[]")


def _digest(value: object) -> bytes:
    return hashlib.blake2b(repr(value).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _day(value: object) -> dt.date | None:
    if isinstance(value, dt.datetime):
        return value.date()
    return value if isinstance(value, dt.date) else None

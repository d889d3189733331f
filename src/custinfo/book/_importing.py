"""Imports: rows in, whole batches committed, everything counted."""

from __future__ import annotations

import itertools
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import attrs

from custinfo._view import reporting
from custinfo.book._desk import Desk
from custinfo.book._intake import Finding, Intake
from custinfo.book._report import SURPLUS, ImportIssue, ImportReport, RejectedRow
from custinfo.errors import InvalidFieldError
from custinfo.exchange import ColumnMap, CsvRows, Row, TableRows, read_csv, rows_of
from custinfo.govern import Act, Work

Mapped = Mapping[str, "str | Iterable[str] | None"]
Progress = bool | Callable[[int, int], None]
BATCH = 500
OUTCOMES = ("created", "updated", "unchanged", "rejected", "review", "blocked")


@attrs.frozen
class Line:
    """One row of the source on its way into the book."""

    row: Row
    intake: Intake


@attrs.define
class Batch:
    """What became of the rows of one batch; counted only when its unit is committed."""

    counts: Counter[str] = attrs.field(factory=Counter)
    rejected: list[tuple[Line, Finding]] = attrs.field(factory=list)
    notes: list[tuple[Line, Finding]] = attrs.field(factory=list)

    def reject(self, line: Line, finding: Finding) -> None:
        """Put a row in quarantine."""
        self.counts["rejected"] += 1
        self.rejected.append((line, finding))

    def block(self, line: Line, finding: Finding) -> None:
        """Leave out a row about an erased customer."""
        self.counts["blocked"] += 1
        self.notes.append((line, finding))


@attrs.frozen(kw_only=True)
class Importer:
    """How rows of one kind get into the book.

    Args:
        act: the import, for the audit log.
        targets: names of the fields that columns may fill.
        read: values by field -> intake; pure.
        required: fields without which a row is no use.
        store: writes one batch of readable rows in a unit.
    """

    act: Act
    targets: Sequence[str]
    read: Callable[[Mapping[str, str]], Intake]
    required: Callable[[Intake], Finding | None]
    store: Callable[[list[Line], Work, Batch], None]


def open_source(source: Any, *, encoding: str | None) -> CsvRows | TableRows:
    """Rows of a CSV file (a path, bytes or an open file) or of a table in memory; open rows as they are."""
    if isinstance(source, CsvRows | TableRows):
        return source
    is_file = isinstance(source, str | bytes | os.PathLike) or hasattr(source, "read")
    return read_csv(source, encoding=encoding) if is_file else rows_of(source)


def run_import(
    desk: Desk,
    importer: Importer,
    source: Any,
    *,
    mapping: Mapped | None,
    encoding: str | None,
    progress: Progress,
    check: Callable[[ColumnMap], None],
) -> ImportReport:
    """Import all rows; each batch is one unit with one audit entry, and a closing entry has the counts."""
    tally = _Tally()
    # Whatever the source or a callback raises: the batches before it stay, and the log says where it ended.
    with ExitStack() as open_until_done, desk.noting_refusal(importer.act, tally.counted):
        rows = open_source(source, encoding=encoding)
        if isinstance(rows, CsvRows):
            open_until_done.enter_context(rows)
        columns = ColumnMap.of(mapping, columns=rows.columns, targets=importer.targets)
        if rows.columns:
            check(columns)
        total = len(source) if hasattr(source, "__len__") and not isinstance(source, str | bytes) else 0
        report = open_until_done.enter_context(reporting(progress, total=total, label=importer.act.entity))
        for some in _batches(rows):
            tally.rows += len(some)
            _run_batch(desk, importer, columns, some, tally)
            report(tally.rows)
    desk.note(importer.act, detail=tally.counted())
    return tally.report(rows.columns, columns)


def _batches(rows: Iterable[Row]) -> Iterable[list[Row]]:
    iterator = iter(rows)
    while some := list(itertools.islice(iterator, BATCH)):
        yield some


def _run_batch(desk: Desk, importer: Importer, columns: ColumnMap, rows: list[Row], tally: _Tally) -> None:
    batch = Batch()
    good: list[Line] = []
    for row in rows:
        line = Line(row, Intake())
        if row.issues:
            issue = row.issues[0]
            batch.reject(line, Finding(issue.field, issue.code))
            continue
        if row.values.get(SURPLUS):
            batch.reject(line, Finding("", "row.too_many_fields"))
            continue
        try:
            line = Line(row, importer.read(columns.apply(row)))
        except InvalidFieldError as error:
            batch.reject(line, Finding(error.path.partition("[")[0], error.code))
            continue
        missing = importer.required(line.intake)
        if missing is not None:
            batch.reject(line, missing)
        else:
            good.append(line)
    if good:
        act = attrs.evolve(importer.act, action=f"{importer.act.action}.batch")
        with desk.writing(act, note_refusal=False) as work:  # the closing entry tells of it
            importer.store(good, work, batch)
            work.silent = not (batch.counts["created"] or batch.counts["updated"] or batch.counts["review"])
            work.detail |= {name: count for name, count in batch.counts.items() if count}
    tally.add(batch, good, columns)


@attrs.define
class _Tally:
    """The counts and issues of the committed batches."""

    rows: int = 0
    counts: Counter[str] = attrs.field(factory=Counter)
    issues: list[ImportIssue] = attrs.field(factory=list)
    rejected: list[RejectedRow] = attrs.field(factory=list)

    def counted(self) -> dict[str, Any]:
        return {"rows": self.rows, **{name: self.counts[name] for name in OUTCOMES if self.counts[name]}}

    def add(self, batch: Batch, good: list[Line], columns: ColumnMap) -> None:
        self.counts += batch.counts
        refused = {line.row.line for line, _ in batch.rejected}
        found = [(line, finding) for line in good if line.row.line not in refused for finding in line.intake.findings]
        issues = [_issue(line, finding, columns) for line, finding in (*found, *batch.notes)]
        for line, finding in batch.rejected:
            why = [_issue(line, one, columns) for one in dict.fromkeys((finding, *line.intake.findings))]
            self.rejected.append(RejectedRow(line.row.line, dict(line.row.values), tuple(why), line.row.surplus))
            issues += why
        self.issues += sorted(issues, key=lambda issue: issue.line)
        self.rejected.sort(key=lambda row: row.line)

    def report(self, source_columns: Sequence[str], columns: ColumnMap) -> ImportReport:
        return ImportReport(
            rows=self.rows,
            **{name: self.counts[name] for name in OUTCOMES},
            issues=tuple(self.issues),
            rejected_rows=tuple(self.rejected),
            columns=tuple(source_columns),
            ignored=columns.ignored,
        )


def _issue(line: Line, finding: Finding, columns: ColumnMap) -> ImportIssue:
    field = line.intake.names.get(finding.field, finding.field)
    return ImportIssue(line.row.line, columns.column_of(field) or field, finding.code, finding.severity)

"""What an import did."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping

import attrs

from custinfo._view import table
from custinfo.exchange import write_csv

SURPLUS = "custinfo_surplus"
_NOTES = ("custinfo_line", "custinfo_issues", SURPLUS)


@attrs.frozen
class ImportIssue:
    """Something wrong with one cell or row of the source; never the value itself.

    Args:
        line: line of the file, or number of the row of a table, from 1.
        field: column of the source, or "" for the whole row.
        code: stable text for programs.
        severity: "error" or "warning".
    """

    line: int
    field: str
    code: str
    severity: str


@attrs.frozen
class RejectedRow:
    """A row that was not imported: its line, its cells as read, why, and the cells beyond the last column."""

    line: int
    values: Mapping[str, str] = attrs.field(repr=False)
    issues: tuple[ImportIssue, ...]
    surplus: tuple[str, ...] = attrs.field(default=(), repr=False)


@attrs.frozen(kw_only=True)
class ImportReport:
    """Counts of an import and what was wrong; created + ... + blocked = rows.

    Args:
        rows: rows read.
        created: new records.
        updated: stored records that the source changed.
        unchanged: rows that said nothing new.
        rejected: rows in quarantine, in `rejected_rows`.
        review: rows that a person must decide, in ``book.reviews``.
        blocked: rows about an erased customer.
        issues: cells that were left out of an accepted row, and what is wrong with rejected rows.
        rejected_rows: the quarantine.
        columns: of the source.
        ignored: columns of the source that fill no field.
    """

    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    review: int = 0
    blocked: int = 0
    issues: tuple[ImportIssue, ...] = attrs.field(default=(), repr=False)
    rejected_rows: tuple[RejectedRow, ...] = attrs.field(default=(), repr=False)
    columns: tuple[str, ...] = attrs.field(default=(), repr=False)
    ignored: tuple[str, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """The counts by name."""
        names = ("rows", "created", "updated", "unchanged", "rejected", "review", "blocked")
        return {name: getattr(self, name) for name in names}

    def codes(self) -> dict[str, int]:
        """How often each code occurred, the most frequent first."""
        return dict(Counter(issue.code for issue in self.issues).most_common())

    def write_rejected(self, path: str | os.PathLike[str]) -> int:
        """Write the quarantined rows as CSV, to be mended and imported again with the same mapping.

        The columns of the source come first, then the line and the codes, which a later import ignores, and surplus
        cells: a row is taken again when they have been moved where they belong and that column is empty.

        Returns:
            The number of rows written.
        """
        columns = [column for column in self.columns if column not in _NOTES]
        return write_csv(
            path,
            [*columns, *_NOTES],
            (
                {
                    **{column: row.values.get(column, "") for column in columns},
                    **dict(
                        zip(
                            _NOTES,
                            (
                                row.line,
                                " ".join(f"{issue.field}:{issue.code}" for issue in row.issues),
                                " | ".join(row.surplus),
                            ),
                            strict=True,
                        )
                    ),
                }
                for row in self.rejected_rows
            ),
        )

    def to_csv(self, path: str | os.PathLike[str]) -> int:
        """Write the issues as CSV: line, field, code, severity; gives their number."""
        return write_csv(path, ["line", "field", "code", "severity"], (attrs.asdict(issue) for issue in self.issues))

    def _repr_html_(self) -> str:
        return table({name: [count] for name, count in self.counts.items()})

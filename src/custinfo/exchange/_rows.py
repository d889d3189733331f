"""Rows of a table that is already in memory, in the form in which a CSV file gives them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping

from custinfo._columns import read_columns
from custinfo.errors import InvalidFieldError
from custinfo.exchange._cell import to_text
from custinfo.exchange._csv import Row, RowIssue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Arrays become Python values in slices, not as a second copy of the whole table.
_SLICE = 10_000


class TableRows:
    """The rows of a table, read once and in order; made by `rows_of`.

    Attributes:
        columns: the names of the columns; of an iterator, the keys of its first row.
        rows_read: how many rows were read so far, bad ones too.
    """

    def __init__(self, columns: tuple[str, ...], rows: Iterator[object]) -> None:
        self.columns = columns
        self.rows_read = 0
        self._rows = rows

    def __iter__(self) -> TableRows:
        return self

    def __next__(self) -> Row:
        row = next(self._rows)
        self.rows_read += 1
        return self._row(row, self.rows_read)

    def __repr__(self) -> str:
        return f"TableRows(columns={self.columns!r}, rows_read={self.rows_read})"

    def _row(self, row: object, line: int) -> Row:
        values = dict.fromkeys(self.columns, "")
        if not isinstance(row, Mapping):
            return Row(line=line, values=values, issues=(RowIssue("row.not_a_mapping", "", line),))
        issues = []
        for name, value in row.items():
            text = to_text(value)
            if name not in values:
                issues.append(RowIssue("row.unknown_field", str(name), line))
            elif text is None:
                issues.append(RowIssue("cell.not_scalar", name, line))
            else:
                values[name] = text
                if "\0" in text:
                    issues.append(RowIssue("cell.nul", name, line))
        return Row(line=line, values=values, issues=tuple(issues))


def rows_of(source: object) -> TableRows:
    """The rows of a table in memory, as `read_csv` gives those of a file.

    Args:
        source: a mapping of name -> values; a pandas, polars, pyarrow or duckdb table; or an iterable of mappings,
            which may be endless. In a list the columns are all keys; of an iterator, the keys of the first mapping.

    Returns:
        An iterator of `Row` whose ``line`` is the number of the row, from 1. Values are text: missing ones (None, NaN)
        are "", whole floats lose their ".0", times are ISO 8601. Codes of issues: "row.not_a_mapping",
        "row.unknown_field" (a key that the first mapping lacks; left out), "cell.not_scalar" (left empty), "cell.nul".

    Raises:
        InvalidFieldError: "columns.input" or "columns.length" if it is no table; "rows.column" if a name is no text.

    >>> [(row.line, row.values) for row in rows_of({"id": ["a", "b"], "spent": [2.0, None]})]
    [(1, {'id': 'a', 'spent': '2'}), (2, {'id': 'b', 'spent': ''})]
    """
    if isinstance(source, list | tuple) and source and isinstance(source[0], Mapping):
        names = dict.fromkeys(itertools.chain.from_iterable(row for row in source if isinstance(row, Mapping)))
        return TableRows(_checked(names), iter(source))
    if isinstance(source, Iterator):
        first = next(source, None)
        if first is None:
            return TableRows((), iter(()))
        if not isinstance(first, Mapping):
            message = f"the first row is a {type(first).__name__}; each row must be a mapping of column name -> value"
            raise InvalidFieldError(message, code="rows.input", path="source")
        return TableRows(_checked(first), itertools.chain((first,), source))
    columns = read_columns(source)
    return TableRows(_checked(columns), _table_rows(columns))


def _checked(names: Iterable[Any]) -> tuple[str, ...]:
    checked = tuple(names)
    if wrong := sorted({type(name).__name__ for name in checked if not isinstance(name, str)}):
        message = f"column names must be text, not {', '.join(wrong)}; rename the columns"
        raise InvalidFieldError(message, code="rows.column", path="source")
    return checked


def _table_rows(columns: Mapping[str, Any]) -> Iterator[dict[str, object]]:
    length = len(next(iter(columns.values()), ()))
    for start in range(0, length, _SLICE):
        parts = [_plain(column[start : start + _SLICE]) for column in columns.values()]
        for values in zip(*parts, strict=True):
            yield dict(zip(columns, values, strict=True))


def _plain(array: Any) -> list[object]:
    # Nanoseconds would come as bare integers.
    plain: list[object] = (array.astype("datetime64[us]") if array.dtype.kind == "M" else array).tolist()
    return plain

"""Read a CSV file row by row; whatever is wrong with a row is noted on it and never stops the reading."""

from __future__ import annotations

import io
import itertools
import os
from contextlib import ExitStack
from pathlib import Path

import attrs

from custinfo.errors import InvalidFieldError
from custinfo.exchange._decode import open_bytes, open_text
from custinfo.exchange._formula import restore
from custinfo.exchange._split import Record, records

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType
    from typing import BinaryIO, TextIO, TypeAlias

    CsvSource: TypeAlias = str | os.PathLike[str] | bytes | BinaryIO | TextIO

# Ties are decided in this order.
DELIMITERS = ",;\t|"
MAX_CELL = 1 << 16


@attrs.frozen
class RowIssue:
    """What is wrong with one row: a code, the column's name (or ``""``) and the line.

    >>> RowIssue("row.too_few_fields", "", 7).code
    'row.too_few_fields'
    """

    code: str
    field: str
    line: int


@attrs.frozen(kw_only=True)
class Row:
    """One row of a table: text by column name, what is wrong with it, and cells beyond the last column.

    >>> Row(line=2, values={"email": "ann@example.com"}).issues
    ()
    """

    line: int
    values: Mapping[str, str] = attrs.field(repr=False)
    issues: tuple[RowIssue, ...] = ()
    surplus: tuple[str, ...] = attrs.field(default=(), repr=False)


class CsvRows:
    r"""The rows of an open CSV file, read once and in order; made by `read_csv`.

    Attributes:
        columns: the names in the header, without space around them.
        encoding: the encoding that was found or given; "" for a text file.
        delimiter: the character between two cells.
        source_name: the name given, or the file's.
        rows_read: how many rows were read so far, bad ones too.

    >>> with read_csv(b"id,email\n1,ann@example.com\n") as rows:
    ...     [dict(row.values) for row in rows]
    [{'id': '1', 'email': 'ann@example.com'}]
    """

    def __init__(
        self,
        columns: tuple[str, ...],
        records: Iterator[Record],
        closing: ExitStack,
        *,
        encoding: str,
        delimiter: str,
        source_name: str,
    ) -> None:
        self.columns = columns
        self.encoding = encoding
        self.delimiter = delimiter
        self.source_name = source_name
        self.rows_read = 0
        self._records = records
        self._closing = closing

    def __iter__(self) -> CsvRows:
        return self

    def __next__(self) -> Row:
        record = next(self._records, None)
        if record is None:
            self.close()
            raise StopIteration
        self.rows_read += 1
        return _row(record, self.columns)

    def __enter__(self) -> CsvRows:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"CsvRows({self.source_name!r}, columns={self.columns!r}, rows_read={self.rows_read})"

    def close(self) -> None:
        """Close the file where `read_csv` opened it; the end of the rows does so too."""
        self._records = iter(())
        self._closing.close()


def read_csv(
    source: CsvSource,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    max_cell: int = MAX_CELL,
    source_name: str | None = None,
) -> CsvRows:
    r"""Read CSV with a header, in bounded memory.

    Encoding, where none is given: a byte order mark of UTF-8 or UTF-16 decides; else UTF-8, if the whole file fits it;
    else gb18030, if the whole file fits it and looks Chinese. Of a stream that cannot go back the first MiB decides.
    The delimiter, where none is given, is the one of ``, ; tab |`` that gives the header the most columns, the first of
    these where two give the same number.

    A cell that `write_csv` made harmless for spreadsheets (``'=1+1``) gets its former text back.

    Args:
        source: a path, an open binary or text file, or the bytes themselves. A file that the caller opened stays open.
        encoding: the name of a text encoding.
        delimiter: one character.
        max_cell: the longest cell to keep, in characters.
        source_name: a name for reports; the file's own name where left out.

    Returns:
        An iterator of `Row`. Codes of the issues on a row: "row.too_many_fields" (the cells behind the last column are
        in ``surplus``), "row.too_few_fields" (the missing ones are ""), "row.unclosed_quote" (only the record's first
        line is in the row, cut at each delimiter; reading goes on with the next line), "cell.nul" (a NUL character),
        "cell.too_long" (longer than *max_cell*; the value is left empty) and "cell.stray_quote" (text behind a closing
        quote). Line numbers are those of the file, of the first line of each record.

    Raises:
        InvalidFieldError: "csv.encoding" for an unknown encoding or, with the ``offset`` of the byte, for bytes that do
            not fit it (a stream that cannot go back: possibly while reading); "csv.empty" without a header;
            "csv.header" if names are missing or repeated; "csv.delimiter", "csv.source".

    Source: RFC 4180 (October 2005); header required, any line ends, lenient about stray quotes.

    >>> rows = read_csv("name;city\nAnn;Oslo\nBob\n".encode())
    >>> [(row.line, row.values["name"], [issue.code for issue in row.issues]) for row in rows]
    [(2, 'Ann', []), (3, 'Bob', ['row.too_few_fields'])]
    """
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n\0'):
        message = "the delimiter must be one character, other than a quote or a line end; use ',' or ';' or '\\t'"
        raise InvalidFieldError(message, code="csv.delimiter", path="delimiter")
    with ExitStack() as closing:
        name, found, chunks = _open(source, encoding, closing)
        beginning = next(chunks, "")
        delimiter = delimiter or _sniff(beginning, max_cell)
        rest = records(itertools.chain((beginning,), chunks), delimiter=delimiter, max_cell=max_cell)
        columns = _columns(next(rest, None))
        return CsvRows(
            columns,
            rest,
            closing.pop_all(),
            encoding=found,
            delimiter=delimiter,
            source_name=name if source_name is None else source_name,
        )


def _open(source: CsvSource, encoding: str | None, closing: ExitStack) -> tuple[str, str, Iterator[str]]:
    if isinstance(source, bytes):
        return "", *open_bytes(io.BytesIO(source), encoding)
    if isinstance(source, str) and ("\n" in source or "\r" in source):
        # Opening it would show its content as the name of a missing file.
        message = "this text is no path; to read CSV out of text, pass it as bytes: text.encode()"
        raise InvalidFieldError(message, code="csv.source", path="source")
    if isinstance(source, str | os.PathLike):
        stream = closing.enter_context(Path(source).open("rb"))  # noqa: SIM115  the caller's stack closes it
        return Path(source).name, *open_bytes(stream, encoding)
    if not hasattr(source, "read"):
        message = (
            f"cannot read CSV from {type(source).__name__}; give a path, an open file or bytes (rows_of takes tables)"
        )
        raise InvalidFieldError(message, code="csv.source", path="source")
    name = getattr(source, "name", "")
    name = Path(name).name if isinstance(name, str) else ""
    if isinstance(source.read(0), bytes):
        return name, *open_bytes(source, encoding)  # type: ignore[arg-type]  # read(0) told bytes from text
    if encoding is not None:
        message = "a text file is decoded already; open it in binary mode, or leave encoding= out"
        raise InvalidFieldError(message, code="csv.encoding", path="encoding")
    return name, "", open_text(source)  # type: ignore[arg-type]


def _sniff(beginning: str, max_cell: int) -> str:
    def width(delimiter: str) -> int:
        header = next(records([beginning], delimiter=delimiter, max_cell=max_cell), None)
        return len(header.cells) if header else 0

    return max(DELIMITERS, key=width)


def _columns(header: Record | None) -> tuple[str, ...]:
    if header is None:
        message = "the file is empty; its first line must name the columns"
        raise InvalidFieldError(message, code="csv.empty")
    names = tuple(restore(cell.strip()) for cell in header.cells)
    # Positions only: in a file without a header these would be somebody's data.
    empty = [i + 1 for i, name in enumerate(names) if not name]
    repeated = [i + 1 for i, name in enumerate(names) if name and name in names[:i]]
    damaged = header.unclosed or header.too_long or any("\0" in name for name in names)
    if not (empty or repeated or damaged):
        return names
    if damaged:
        wrong = (
            "it has an unclosed quote, a NUL character or a name that is too long (UTF-16 without a mark? then name it)"
        )
    elif empty:
        wrong = f"column {_numbers(empty)} has no name"
    else:
        wrong = f"column {_numbers(repeated)} repeats an earlier name"
    message = f"the header in line {header.line} is not usable: {wrong}; each column needs a name of its own"
    raise InvalidFieldError(message, code="csv.header", line=header.line, empty=empty, repeated=repeated)


def _numbers(positions: list[int]) -> str:
    return ", ".join(map(str, positions[:10])) + (", ..." if len(positions) > 10 else "")


def _row(record: Record, columns: tuple[str, ...]) -> Row:
    line, cells = record.line, record.cells
    text = "".join(cells)  # one look at a whole row is cheaper than one at each cell
    if len(cells) == len(columns) and record.is_sound and "\0" not in text and "'" not in text:
        return Row(line=line, values=dict(zip(columns, cells, strict=True)))
    issues = []
    if len(cells) > len(columns):
        issues.append(RowIssue("row.too_many_fields", "", line))
    elif len(cells) < len(columns):
        issues.append(RowIssue("row.too_few_fields", "", line))
    if record.unclosed:
        issues.append(RowIssue("row.unclosed_quote", "", line))
    for code, positions in (
        ("cell.nul", [i for i, cell in enumerate(cells) if "\0" in cell]),
        ("cell.too_long", record.too_long),
        ("cell.stray_quote", record.stray_quotes),
    ):
        issues += [RowIssue(code, columns[i] if i < len(columns) else "", line) for i in positions]
    cells = [restore(cell) for cell in cells]
    surplus = tuple(cells[len(columns) :])
    values = dict(zip(columns, itertools.chain(cells, itertools.repeat("")), strict=False))
    return Row(line=line, values=values, issues=tuple(issues), surplus=surplus)

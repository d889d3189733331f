"""Write a CSV file that a spreadsheet can open without running anything in it."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from custinfo.errors import InvalidFieldError
from custinfo.exchange._cell import to_text
from custinfo.exchange._csv import Row
from custinfo.exchange._decode import check_encoding
from custinfo.exchange._formula import neutralise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO, TextIO


def write_csv(
    target: str | os.PathLike[str] | BinaryIO | TextIO,
    columns: Sequence[str],
    rows: Iterable[Row | Mapping[str, object] | Sequence[object]],
    *,
    encoding: str = "utf-8-sig",
) -> int:
    r"""Write rows as CSV (comma, CRLF, quotes where needed), with a header.

    Text that a spreadsheet would run as a formula gets an apostrophe before it, which `read_csv` takes away again;
    numbers, also as text with a minus, are left alone. On a path the file appears only when it is complete, in place of
    a former one, and readable by its owner only: customer data are in it.

    Args:
        target: a path, or an open binary or text file, which stays open.
        columns: the names of the columns.
        rows: mappings (a column left out is empty), sequences of as many values as columns, or `Row` objects, whose
            surplus cells are written behind the last column. None is empty, times are ISO 8601.
        encoding: for a path or a binary file; "utf-8-sig" is what spreadsheet programs recognise.

    Returns:
        The number of rows written.

    Raises:
        InvalidFieldError: "csv.columns" if a row has other columns; "csv.value" if a value is no scalar;
            "csv.encoding" if the encoding lacks a character; each names the row.

    Source: RFC 4180 (October 2005); for formulas see OWASP ASVS 5.0 (May 2025), requirement 1.2.10.

    >>> target = io.StringIO()
    >>> write_csv(target, ["name", "spent"], [{"name": "=1+1", "spent": -5}])
    1
    >>> target.getvalue()
    "name,spent\r\n'=1+1,-5\r\n"
    """
    check_encoding(encoding)
    lines = _lines(tuple(columns), rows)
    if isinstance(target, str | os.PathLike):
        with _replacing(Path(target)) as stream:
            return _write_bytes(stream, lines, encoding)
    if isinstance(target, io.TextIOBase):
        return _write(target, lines)
    return _write_bytes(target, lines, encoding)  # type: ignore[arg-type]  # not a text file, so a binary one


def _write_bytes(stream: BinaryIO, lines: Iterator[list[str]], encoding: str) -> int:
    text = io.TextIOWrapper(stream, encoding=encoding, newline="", write_through=True)
    try:
        return _write(text, lines)
    finally:
        with contextlib.suppress(UnicodeError):
            text.detach()


def _write(stream: io.TextIOBase | TextIO, lines: Iterator[list[str]]) -> int:
    writer = csv.writer(stream)
    number = -1
    for number, line in enumerate(lines):
        try:
            writer.writerow(line)
        except UnicodeEncodeError as exc:
            where = f"row {number}" if number else "the header"
            message = f"{where} has a character that {exc.encoding} lacks; write utf-8-sig or gb18030"
            raise InvalidFieldError(message, code="csv.encoding", row=number) from None
    return number


def _lines(
    columns: tuple[str, ...], rows: Iterable[Row | Mapping[str, object] | Sequence[object]]
) -> Iterator[list[str]]:
    yield [neutralise(name) for name in columns]
    known = set(columns)
    for number, row in enumerate(rows, start=1):
        values, surplus = (row.values, row.surplus) if isinstance(row, Row) else (row, ())
        if isinstance(values, Mapping):
            fits = known.issuperset(values)
            cells = [values.get(name) for name in columns]
        else:
            fits = len(values) == len(columns)
            cells = list(values)
        if not fits:
            message = f"row {number} has other columns than the {len(columns)} of the header; name all columns first"
            raise InvalidFieldError(message, code="csv.columns", row=number)
        yield [_cell(cell, number) for cell in (*cells, *surplus)]


def _cell(value: object, number: int) -> str:
    text = to_text(value)
    if text is None:
        message = f"row {number} holds a {type(value).__name__}; a cell must be text, a number, a time or None"
        raise InvalidFieldError(message, code="csv.value", row=number)
    return neutralise(text) if isinstance(value, str) else text


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise

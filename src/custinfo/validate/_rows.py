"""Records in blocks, out of rows or columns, each read once."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from custinfo._columns import read_columns
from custinfo.validate._base import column
from custinfo.validate._paths import Block

__all__ = ["blocks", "is_columns", "row_count", "rows_of"]

_BLOCK_ROWS = 20_000
_FRAMES = ("dtype", "columns", "column_names", "__arrow_c_stream__")  # what data in columns has


def is_columns(data: object) -> bool:
    """Whether *data* holds columns rather than rows."""
    if isinstance(data, (Mapping, str, bytes)) or not isinstance(data, Iterable):
        return True
    return any(hasattr(data, name) for name in _FRAMES) and not hasattr(data, "read_next_batch")


def _is_frame(row: object) -> bool:
    """Whether what should be a row is a frame, as where a file is read in parts."""
    return hasattr(row, "__arrow_c_stream__") and hasattr(row, "__getitem__")


def row_count(data: object) -> int:
    """Number of rows where it is known beforehand, else 0."""
    if isinstance(data, Mapping):
        return max((operator.length_hint(values) for values in data.values()), default=0)
    return operator.length_hint(data)


def blocks(data: object, paths: Sequence[str], *, optional: bool = False) -> Iterator[Block]:
    """Blocks of records that hold what *paths* read.

    Args:
        data: rows, read once and not kept, or columns, or an iterable of frames.
        paths: what will be read.
        optional: columns may be missing.

    Raises:
        InvalidFieldError: ``"columns.missing"``, ``"columns.length"``, ``"columns.input"``.
    """
    if not is_columns(data):
        rows = iter(data)  # type: ignore[call-overload]
        for first in rows:
            if _is_frame(first):
                yield from blocks(first, paths, optional=optional)
            else:
                yield Block([first, *itertools.islice(rows, _BLOCK_ROWS - 1)])
        return
    columns = _read(data, paths, optional)
    total = len(next(iter(columns.values()), ()))
    for start in range(0, total, _BLOCK_ROWS):
        width = min(_BLOCK_ROWS, total - start)
        yield Block(
            columns={name: column(values[start : start + width]) for name, values in columns.items()}, rows=width
        )


def rows_of(data: object, paths: Sequence[str]) -> Iterator[object]:
    """One record after the other; those of columns are mappings of what *paths* read."""
    if not is_columns(data):
        for row in data:  # type: ignore[attr-defined]
            if _is_frame(row):
                yield from rows_of(row, paths)
            else:
                yield row
        return
    columns = _read(data, paths, False)
    names = list(columns)
    total = len(next(iter(columns.values()), ()))
    for start in range(0, total, _BLOCK_ROWS):
        parts = [column(values[start : start + _BLOCK_ROWS]) for values in columns.values()]
        for values in zip(*parts, strict=True):
            yield dict(zip(names, values, strict=True))


def _read(data: Any, paths: Sequence[str], optional: bool) -> dict[str, Any]:
    """The columns that *paths* need, or any one where they need none, so that rows can be counted."""
    available = list(data) if isinstance(data, Mapping) else _names(data)
    if available is None:
        data = read_columns(data)
        available = list(data)
    wanted = dict.fromkeys(path if path in available else path.partition(".")[0].removesuffix("[]") for path in paths)
    if optional:
        wanted = dict.fromkeys(name for name in wanted if name in available)
    return read_columns(data, list(wanted) or available[:1])


def _names(data: Any) -> list[str] | None:
    names = getattr(getattr(data, "dtype", None), "names", None)
    if names is None:
        names = getattr(data, "column_names", None)
    if names is None:
        names = getattr(data, "columns", None)
    return list(names) if isinstance(names, Iterable) and not hasattr(names, "to_pylist") else None

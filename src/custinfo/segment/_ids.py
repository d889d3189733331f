"""Columns of customer ids as they come: categories and Arrow text are not turned into a Python object per row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import attrs
import numpy as np

from custinfo._columns import read_columns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from numpy.typing import NDArray

    Column = NDArray[Any]
    Int64 = NDArray[np.int64]
    Mask = NDArray[np.bool_]

_ARROW_TEXT = ("string", "large_string")


@attrs.frozen(kw_only=True, eq=False)
class CodedIds:
    """Ids of which each row holds a number, as in a categorical or dictionary column.

    Args:
        codes: shape (n,), integers; anything where there is no id.
        values: the ids by number, in any order; unused ones may be among them.
    """

    codes: Column
    values: Column

    def __len__(self) -> int:
        return len(self.codes)


@attrs.frozen(kw_only=True, eq=False)
class ArrowText:
    """Ids in chunks of an Arrow text column.

    Args:
        column: a pyarrow array or chunked array of text.
        of_one_form: whether they may all have the form of a sample of them.
    """

    column: Any
    of_one_form: bool = True

    def __len__(self) -> int:
        return len(self.column)

    def parts(self, start: int, stop: int) -> Iterator[tuple[Column, NDArray[np.uint8]]]:
        """Offsets and bytes of a range of rows, chunk by chunk."""
        part = self.column.slice(start, stop - start)
        for chunk in getattr(part, "chunks", [part]):
            yield _buffers(chunk)

    def sample(self, step: int) -> tuple[Column, NDArray[np.uint8]]:
        """Offsets and bytes of each *step*-th row."""
        part = self.column.take(np.arange(0, len(self.column), step))
        return _buffers(part.combine_chunks() if hasattr(part, "combine_chunks") else part)

    def slower(self) -> ArrowText | CodedIds:
        """The same ids, to be numbered by a way that takes more ids: by hash, then by pyarrow."""
        return attrs.evolve(self, of_one_form=False) if self.of_one_form else self.encoded()

    def encoded(self) -> CodedIds:
        """The same ids, numbered by pyarrow."""
        ids, _ = _of_dictionary(self.column.dictionary_encode())
        return ids


def _buffers(array: Any) -> tuple[Column, NDArray[np.uint8]]:
    _, offsets, data = array.buffers()
    if offsets is None or not len(array):
        return np.zeros(len(array) + 1, np.int64), np.zeros(0, np.uint8)
    dtype = np.int64 if str(array.type) == "large_string" else np.int32
    where = np.frombuffer(offsets, dtype)[array.offset : array.offset + len(array) + 1]
    return where, np.zeros(0, np.uint8) if data is None else np.frombuffer(data, np.uint8)


def ids_of(data: Any, name: str) -> tuple[CodedIds | ArrowText, Mask | None] | None:
    """The ids of a column that holds numbers of ids or Arrow text, and where there is none.

    Args:
        data: a table that `read_columns` takes.
        name: the column of ids.

    Returns:
        None for any other column; `read_columns` reads it.
    """
    column = _column_of(data, name)
    kind = type(column).__module__.partition(".")[0]
    if kind == "pandas":
        return _of_pandas(column)
    if kind == "polars":
        return _of_polars(column)
    if kind == "pyarrow":
        return _of_arrow(column)
    return None


def arrow_of(data: Any, names: list[str]) -> Any:
    """A duckdb relation as Arrow where pyarrow is installed; anything else as it is."""
    if not (hasattr(data, "fetchnumpy") and hasattr(data, "to_arrow_table") and set(names) <= set(data.columns)):
        return data
    chosen = data.project(", ".join('"' + name.replace('"', '""') + '"' for name in dict.fromkeys(names)))
    try:
        return chosen.to_arrow_table()
    except ImportError:
        return data


def _column_of(data: Any, name: str) -> Any:
    if isinstance(data, Mapping):
        return data.get(name)
    available = getattr(data, "column_names", None) or getattr(data, "columns", None)
    if available is None or not hasattr(data, "__getitem__") or name not in list(available):
        return None
    return data[name]


def _of_pandas(column: Any) -> tuple[CodedIds | ArrowText, Mask | None] | None:
    categorical = column.cat if hasattr(column, "cat") else column
    if hasattr(categorical, "codes") and hasattr(categorical, "categories"):
        codes = np.asarray(categorical.codes)
        return _coded(codes, categorical.categories, codes < 0)
    if getattr(getattr(column, "dtype", None), "storage", None) == "pyarrow":
        return _of_arrow(getattr(column, "array", column).__arrow_array__())
    return None


def _of_polars(column: Any) -> tuple[CodedIds | ArrowText, Mask | None] | None:
    if not str(getattr(column, "dtype", "")).startswith(("Categorical", "Enum", "String")):
        return None
    try:
        return _of_arrow(column.to_arrow())
    except ImportError:
        return None


def _of_arrow(column: Any) -> tuple[CodedIds | ArrowText, Mask | None] | None:
    kind = str(column.type)
    if kind.startswith("dictionary<"):
        return _of_dictionary(column)
    if kind == "string_view":  # pyarrow cannot take rows of views
        column, kind = column.cast("large_string"), "large_string"
    if kind not in _ARROW_TEXT:
        return None
    return ArrowText(column=column), _nulls(column)


def _of_dictionary(column: Any) -> tuple[CodedIds, Mask | None]:
    chunks = getattr(column, "chunks", [column])
    lost = [_nulls(chunk.indices) for chunk in chunks]
    codes = [
        (chunk.indices if absent is None else chunk.indices.fill_null(0)).to_numpy(zero_copy_only=False)
        for chunk, absent in zip(chunks, lost, strict=True)
    ]
    missing = np.concatenate(
        [np.zeros(len(row), np.bool_) if absent is None else absent for row, absent in zip(codes, lost, strict=True)]
        or [np.zeros(0, np.bool_)]
    )
    if len(chunks) == 1 and not chunks[0].dictionary.null_count and len(chunks[0].dictionary):
        values = chunks[0].dictionary.to_numpy(zero_copy_only=False)
        if len(set(values.tolist())) == len(values):
            return _coded(codes[0], values, missing)
    return _coded(*_united(chunks, codes), missing)


def _united(chunks: list[Any], codes: list[Column]) -> tuple[Int64, list[Any]]:
    """One numbering, where chunks have dictionaries of their own, with nulls and repeated values."""
    number: dict[Any, int] = {None: 0}  # also of rows without an index where a dictionary is empty
    rows = [np.zeros(0, np.int64)]
    for chunk, row in zip(chunks, codes, strict=True):
        values = chunk.dictionary.to_pylist() or [None]
        numbers = np.fromiter((number.setdefault(value, len(number)) for value in values), np.int64, len(values))
        rows.append(numbers[row])
    return np.concatenate(rows), list(number)


def _coded(codes: Column, values: Any, absent: Mask | None) -> tuple[CodedIds, Mask | None]:
    read = read_columns({"values": values}, ["values"])["values"]
    lost = np.zeros(len(read), np.bool_)
    if read.dtype == object and set(map(type, read)) != {str}:
        lost[:] = [value is None or value != value for value in read]
    elif read.dtype.kind == "f":
        lost = np.isnan(read)
    missing = absent if absent is not None and absent.any() else None
    if lost.any():
        of_value = lost[codes]
        missing = of_value if missing is None else missing | of_value
        missing = missing if missing.any() else None
    return CodedIds(codes=codes, values=read), missing


def _nulls(column: Any) -> Mask | None:
    return column.is_null().to_numpy(zero_copy_only=False) if column.null_count else None

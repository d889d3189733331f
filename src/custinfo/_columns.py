"""Columns in, columns out: one reader for dicts of arrays, frames, Arrow streams and model objects."""

from __future__ import annotations

import abc
import enum
import itertools
import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from custinfo._view import table
from custinfo.errors import InvalidFieldError, MissingExtraError, missing_extra

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ColumnResult", "frozen", "lasting", "read_columns"]

Column = np.ndarray[tuple[int], np.dtype[Any]]


def read_columns(data: object, names: Sequence[str] | None = None) -> dict[str, Column]:
    """Read columns out of whatever a caller has them in.

    Args:
        data: a mapping of name -> array-like; a NumPy structured array; a pandas, polars or pyarrow frame; a duckdb
            relation; any object with ``__arrow_c_stream__``; an iterable of mappings or of objects with attributes
            (``"amount.currency"`` reaches into them).
        names: the columns to read, in this order; all of them when left out.

    Returns:
        Name -> 1-D array, all of one length. Numbers and times keep their type, text is an object array of ``str``,
        a missing value stays what it is: ``None``, NaN or NaT.

    Raises:
        InvalidFieldError: ``columns.missing`` (a name that is not there; the message lists those that are),
            ``columns.length`` (columns of different length), ``columns.input`` (not readable as columns).
        MissingExtraError: an Arrow stream, and neither pyarrow nor polars to read it with.

    >>> read_columns({"id": ["a", "b"], "n": [1, 2]}, ["n"])
    {'n': array([1, 2])}
    >>> read_columns([{"id": "a"}, {"id": "b"}])
    {'id': array(['a', 'b'], dtype=object)}
    """
    columns = _dispatch(data, None if names is None else list(dict.fromkeys(names)))
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        text = ", ".join(f"{name}: {length}" for name, length in lengths.items())
        raise InvalidFieldError(
            f"columns must have one length, but have {text}", code="columns.length", lengths=lengths
        )
    return columns


def _dispatch(data: Any, names: list[str] | None) -> dict[str, Column]:
    if isinstance(data, (str, bytes, bytearray, memoryview)):
        raise _unreadable(f"{type(data).__name__}; to read a file, open it with custinfo.exchange or a frame library")
    if isinstance(data, Mapping):
        return {name: _column(data[name], name) for name in _pick(names, list(data))}
    if isinstance(data, np.ndarray):
        if data.dtype.names is None:
            raise _unreadable("an array without named fields; pass a mapping of name -> array")
        return {name: _column(data[name], name) for name in _pick(names, list(data.dtype.names))}
    if hasattr(data, "fetchnumpy") and hasattr(data, "columns"):
        return _from_duckdb(data, names)
    if hasattr(data, "collect"):
        raise _unreadable(f"a lazy {type(data).__name__}; call .collect() first")
    available = getattr(data, "column_names", None) or getattr(data, "columns", None)
    if available is not None and hasattr(data, "__getitem__"):
        return {name: _column(data[name], name) for name in _pick(names, list(available))}
    if hasattr(data, "__arrow_c_stream__"):
        return _from_stream(data, names)
    if isinstance(data, Iterable):
        return _from_rows(data, names)
    raise _unreadable(f"{type(data).__name__}")


def lasting(data: object) -> object:
    """The same data, but such that it can be read more than once: an iterator as a list, an Arrow stream as columns.

    >>> lasting(iter([{"id": 1}]))
    [{'id': 1}]
    """
    if not isinstance(data, Iterator):
        return data
    return read_columns(data) if hasattr(data, "__arrow_c_stream__") else list(data)


def _unreadable(what: str) -> InvalidFieldError:
    return InvalidFieldError(
        f"cannot read columns from {what}; expected a mapping of name -> array, a structured array, "
        "a pandas, polars, pyarrow or duckdb table, or an iterable of records",
        code="columns.input",
    )


def _pick(names: list[str] | None, available: list[str]) -> list[str]:
    if names is None:
        return available
    missing = [name for name in names if name not in available]
    if missing:
        raise _missing(missing, available)
    return names


def _missing(missing: list[str], available: Iterable[str]) -> InvalidFieldError:
    there = [str(name) for name in available]
    wanted = ", ".join(map(repr, missing))
    return InvalidFieldError(
        f"no column {wanted}; there are: {', '.join(there) or 'none'}",
        code="columns.missing",
        missing=tuple(missing),
        available=tuple(there),
    )


# ---- one column ---------------------------------------------------------------------------------


def _column(values: Any, name: str) -> Column:
    if isinstance(values, np.ndarray):
        return _from_array(values, name)
    if isinstance(values, (str, bytes, bytearray, Mapping)):
        raise _unreadable(f"column {name!r}: it is {type(values).__name__}, not a sequence of values")
    if hasattr(values, "to_numpy"):
        return _from_array(_from_series(values), name)
    if hasattr(values, "__array__"):
        return _from_array(np.asarray(values), name)
    if isinstance(values, Iterable):
        return _from_list(values if isinstance(values, (list, tuple)) else list(values))
    raise _unreadable(f"column {name!r}: it is {type(values).__name__}, not a sequence of values")


def _from_array(array: np.ndarray[Any, np.dtype[Any]], name: str) -> Column:
    if array.ndim != 1:
        raise _unreadable(f"column {name!r}: it has {array.ndim} dimensions instead of 1")
    if isinstance(array, np.ma.MaskedArray):
        if not np.ma.getmaskarray(array).any():
            return _from_array(array.data, name)
        objects = array.data.astype(object)
        objects[np.ma.getmaskarray(array)] = None
        return objects
    if array.dtype.kind in "UT":
        return array.astype(object)
    if array.dtype.kind == "O" and len(array):
        kinds = set(map(type, array))
        if any(issubclass(kind, enum.Enum) for kind in kinds) or any(kind.__name__ == "NAType" for kind in kinds):
            return _objects(array)
    return array


def _from_series(series: Any) -> np.ndarray[Any, np.dtype[Any]]:
    dtype = getattr(series, "dtype", getattr(series, "type", None))
    unit = getattr(dtype, "unit", None)
    if getattr(dtype, "tz", None) is not None and unit is not None and hasattr(series, "dt"):
        # pandas would give a million Timestamp objects; the same instants as datetime64 are UTC
        return np.asarray(series.to_numpy(dtype=f"datetime64[{unit}]"))
    nulls = getattr(series, "null_count", getattr(series, "hasnans", 0))
    if (nulls() if callable(nulls) else nulls) and "int" in str(dtype).lower():
        # frame libraries turn integers with gaps into floats, which are wrong above 2**53
        values = series.to_pylist() if hasattr(series, "to_pylist") else series.to_list()
        return _objects(values)
    if getattr(dtype, "is_nested", bool)():
        # polars would make a table of each cell with records in it, and lose their names
        return _objects(series.to_list())
    try:
        return np.asarray(series.to_numpy())
    except ValueError:  # a single pyarrow array refuses a copy unless asked
        return np.asarray(series.to_numpy(zero_copy_only=False))


def _objects(values: Iterable[Any]) -> Column:
    values = values if isinstance(values, (list, tuple)) else list(values)
    if not any(issubclass(kind, enum.Enum) or kind.__name__ == "NAType" for kind in set(map(type, values))):
        return np.fromiter(values, dtype=object, count=len(values))
    plain = (
        None if type(value).__name__ == "NAType" else value.value if isinstance(value, enum.Enum) else value
        for value in values
    )
    return np.fromiter(plain, dtype=object, count=len(values))


def _from_list(values: Sequence[Any]) -> Column:
    """Values of one plain type become that type's array; everything else stays as it is, in an object array."""
    kinds = set(map(type, values))
    if len(kinds) == 1:
        kind = next(iter(kinds))
        if kind in (bool, float) or (issubclass(kind, np.generic) and not issubclass(kind, np.str_)):
            return np.array(values)
        if kind is int:
            try:
                return np.array(values, dtype=np.int64)
            except OverflowError:
                return np.fromiter(values, dtype=object)
    if kinds == {int, float} and all(-(2**53) <= value <= 2**53 for value in values if type(value) is int):
        return np.array(values, dtype=np.float64)
    return _objects(values)


# ---- containers of columns ----------------------------------------------------------------------


def _from_duckdb(relation: Any, names: list[str] | None) -> dict[str, Column]:
    wanted = _pick(names, list(relation.columns))
    quoted = ", ".join('"' + name.replace('"', '""') + '"' for name in wanted)
    chosen = relation.project(quoted) if wanted else relation
    try:
        import pyarrow  # noqa: F401
    except ModuleNotFoundError:
        # fetchnumpy would make floats of decimals
        rows = chosen.fetchall()
        return {name: _from_list([row[i] for row in rows]) for i, name in enumerate(wanted)}
    arrow = chosen.to_arrow_table() if hasattr(chosen, "to_arrow_table") else chosen.fetch_arrow_table()
    return {name: _column(arrow[name], name) for name in wanted}


def _from_stream(data: Any, names: list[str] | None) -> dict[str, Column]:
    frame: Any
    try:
        import pyarrow

        try:
            frame = pyarrow.table(data)
        except pyarrow.ArrowInvalid:
            raise _unreadable(f"{type(data).__name__}, an Arrow stream without named columns") from None
    except ModuleNotFoundError as no_pyarrow:
        try:
            import polars
        except ModuleNotFoundError:
            raise missing_extra("pyarrow", extra="parquet", cause=no_pyarrow) from None
        frame = polars.DataFrame(data)
    return _dispatch(frame, names)


def _from_rows(data: Iterable[Any], names: list[str] | None) -> dict[str, Column]:
    rows = data if isinstance(data, (list, tuple)) else list(data)
    if not rows:
        return {name: np.empty(0, dtype=object) for name in names or ()}
    if all(isinstance(row, Mapping) for row in rows):
        return _from_mappings(rows, names)
    first = rows[0]
    fields = getattr(type(first), "__attrs_attrs__", None)
    if fields is None or any(type(row) is not type(first) for row in rows):
        kinds = sorted({type(row).__name__ for row in rows})
        raise _unreadable(f"rows of {', '.join(kinds[:5])}; rows must all be mappings or all of one attrs class")
    there = [field.name for field in fields]
    columns = {}
    for name in there if names is None else names:
        try:
            columns[name] = _from_list(_values(rows, operator.attrgetter(name)))
        except AttributeError:
            raise _missing([name], there) from None
    return columns


def _values(rows: Sequence[Any], get: Callable[[Any], Any]) -> list[Any]:
    return [get(row) for row in rows]


def _from_mappings(rows: Sequence[Mapping[str, Any]], names: list[str] | None) -> dict[str, Column]:
    there = dict.fromkeys(itertools.chain.from_iterable(rows))
    return {name: _from_list([row.get(name) for row in rows]) for name in _pick(names, list(there))}


# ---- columns out --------------------------------------------------------------------------------


def frozen(array: Column) -> Column:
    """The same values, read-only: results cannot be changed behind their own back.

    >>> frozen(np.arange(3)).flags.writeable
    False
    """
    view = array.view()
    view.flags.writeable = False
    return view


class ColumnResult(abc.ABC):
    """What results that hold columns have in common; a subclass gives `to_dict` and maybe a title.

    >>> import attrs
    >>> @attrs.frozen
    ... class Ranks(ColumnResult):
    ...     rank: np.ndarray
    ...     def to_dict(self):
    ...         return {"rank": self.rank}
    >>> len(Ranks(np.array([3, 1, 2])))
    3
    """

    __slots__ = ()

    @abc.abstractmethod
    def to_dict(self) -> dict[str, Column]:
        """Name -> array."""

    def _title(self) -> str:
        return f"{type(self).__name__}: {len(self):,} rows"

    def __len__(self) -> int:
        return min((len(column) for column in self.to_dict().values()), default=0)

    def to_pandas(self) -> Any:
        """A pandas DataFrame; needs pandas.

        Raises:
            InvalidFieldError: ``columns.output``.
        """
        try:
            import pandas
        except ModuleNotFoundError:
            raise _not_installed("pandas") from None
        return pandas.DataFrame(_each(self.to_dict(), lambda column: pandas.Series(column.copy())))

    def to_polars(self) -> Any:
        """A polars DataFrame; needs polars.

        Raises:
            InvalidFieldError: ``columns.output`` (text with half a character, integers beyond 64 bits).
        """
        try:
            import polars
        except ModuleNotFoundError:
            raise _not_installed("polars") from None
        return polars.DataFrame(_each(self.to_dict(), lambda column: polars.Series(_plain(column))))

    def to_arrow(self) -> Any:
        """A pyarrow Table; needs pyarrow.

        Raises:
            InvalidFieldError: ``columns.output`` (text with half a character, integers beyond 64 bits).
        """
        try:
            import pyarrow
        except ModuleNotFoundError as exc:
            raise missing_extra("pyarrow", extra="parquet", cause=exc) from None
        return pyarrow.table(_each(self.to_dict(), lambda column: pyarrow.array(_plain(column))))

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The Arrow PyCapsule interface, so that frame libraries take the result as it is; needs pyarrow."""
        return self.to_arrow().__arrow_c_stream__(requested_schema)

    def _repr_html_(self) -> str:
        return table(self.to_dict(), title=self._title())


def _each(columns: Mapping[str, Column], convert: Callable[[Column], Any]) -> dict[str, Any]:
    converted = {}
    for name, column in columns.items():
        try:
            converted[name] = convert(column)
        except (TypeError, ValueError, OverflowError):  # of many kinds, whose messages may carry the value
            raise InvalidFieldError(
                f"column {name!r} has a value that frame libraries cannot hold, such as text with half a character (a "
                "lone surrogate) or an integer beyond 64 bits; to_dict() gives it as it is",
                code="columns.output",
                path=name,
            ) from None
    return converted


def _plain(column: Column) -> Any:
    return column.tolist() if column.dtype.kind == "O" else column


def _not_installed(package: str) -> MissingExtraError:
    return MissingExtraError(f"{package!r} is not installed; run: pip install {package}", package=package)

"""Rows of typed columns, as a driver gives them, as NumPy arrays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from custinfo.store._typed_columns import TypedColumn

_NAT = -(2**63)  # what datetime64 has for "not a time"


def arrays_of_rows(columns: Sequence[TypedColumn], chunks: Iterable[Sequence[Sequence[Any]]]) -> dict[str, np.ndarray]:
    """Arrays of rows as a driver gives them.

    Args:
        columns: of the rows, in order.
        chunks: rows, some thousands at a time.

    Returns:
        Path -> array of shape (n,): int64, datetime64[us] in UTC (NaT for NULL), objects (text or None).
    """
    parts: list[list[np.ndarray]] = [[] for _ in columns]
    shared: list[dict[Any, Any]] = [{} for _ in columns]
    for rows in chunks:
        for column, values, into, seen in zip(columns, zip(*rows, strict=True), parts, shared, strict=False):
            into.append(_array(column, values, seen))
    arrays = {}
    for column, into in zip(columns, parts, strict=True):
        arrays[column.path] = np.concatenate(into) if into else _array(column, (), {})
        into.clear()
    return arrays


def _array(column: TypedColumn, values: Sequence[Any], seen: dict[Any, Any]) -> np.ndarray:
    if column.type == "text":
        array = np.empty(len(values), object)
        array[:] = list(map(seen.setdefault, values, values)) if column.repeats else values
        return array
    try:
        numbers = np.array(values, np.int64)
    except TypeError:
        numbers = np.array([_NAT if value is None else value for value in values], np.int64)
    return numbers.view("datetime64[us]") if column.type == "time" else numbers

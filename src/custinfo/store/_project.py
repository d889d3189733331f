"""Clear fields of stored records as NumPy arrays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs
import numpy as np

from custinfo.errors import InvalidFieldError


def project(
    rows: Iterable[Mapping[str, Any]], names: Sequence[str], *, cls: type, clear: frozenset[str]
) -> dict[str, np.ndarray]:
    """Columns of stored JSON.

    Args:
        rows: the clear fields of each record; fields at their default are absent.
        names: field names, dotted for parts of a field.
        cls: the model class, for defaults and types.
        clear: names of the fields that are stored in clear.

    Raises:
        InvalidFieldError: "columns.missing", "columns.personal".
    """
    attributes = attrs.fields_dict(cls)
    for name in names:
        top = name.partition(".")[0]
        if top not in attributes:
            raise InvalidFieldError(
                f"no field {top!r}; there are {', '.join(sorted(clear - {'$v'}))}", code="columns.missing", path=name
            )
        if top not in clear:
            raise InvalidFieldError(
                f"{top!r} is personal and encrypted; read the objects instead", code="columns.personal", path=name
            )
    paths = [(name.split("."), _default(attributes[name.partition(".")[0]])) for name in names]
    values: list[list[Any]] = [[] for _ in names]
    for row in rows:
        for column, (path, default) in zip(values, paths, strict=True):
            value: Any = row
            for step in path:
                value = value.get(step, default) if isinstance(value, Mapping) else None
            column.append(value)
    return {
        name: _array(column, attributes[name.partition(".")[0]].type)
        for name, column in zip(names, values, strict=True)
    }


def _default(attribute: attrs.Attribute[Any]) -> Any:
    default = attribute.default
    if default is attrs.NOTHING or not isinstance(default, str | int):
        return None
    return default


def _array(values: list[Any], kind: Any) -> np.ndarray:
    if kind is datetime or datetime in getattr(kind, "__args__", ()):
        # NumPy has no zones: the stored times are UTC, whose offset is cut off.
        return np.array([None if v is None else v.removesuffix("+00:00") for v in values], dtype="datetime64[us]")
    if values and all(type(value) is int for value in values):
        return np.array(values, dtype=np.int64)
    return np.array([None if v is None else str(v) for v in values], dtype=object)

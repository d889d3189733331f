"""Clear fields of stored records as NumPy arrays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import attrs
import numpy as np

from custinfo.errors import AmountOverflowError, InvalidFieldError, StoreError


class _Column(NamedTuple):
    """One column to be read: the steps to its values, what a missing one is, and the type in the model."""

    name: str
    steps: tuple[str, ...]
    default: Any
    kind: Any


def project(
    rows: Iterable[Mapping[str, Any]], names: Sequence[str], *, cls: type, clear: frozenset[str]
) -> dict[str, np.ndarray]:
    """Columns of stored JSON.

    Args:
        rows: the clear fields of each record; fields at their default are absent.
        names: field names, dotted for parts of a field.
        cls: the model class, for defaults and types.
        clear: names of the fields that are stored in clear.

    Returns:
        Name -> array of shape (n,): int64, datetime64[us] in UTC (NaT where missing), else objects: text, None or other
        JSON values.

    Raises:
        InvalidFieldError: "columns.missing", "columns.personal".
        StoreError: "payload.broken" where a stored value is not of the field's type.
    """
    columns = [_column(name, cls, clear) for name in dict.fromkeys(names)]
    values: list[list[Any]] = [[] for _ in columns]
    for row in rows:
        for column, into in zip(columns, values, strict=True):
            value: Any = row
            for step in column.steps:
                value = value.get(step) if isinstance(value, Mapping) else None
            into.append(column.default if value is None else value)
    return {column.name: _array(into, column.kind) for column, into in zip(columns, values, strict=True)}


def check_names(names: Sequence[str], *, cls: type, clear: frozenset[str]) -> None:
    """Refuse names that no column can have; see `project`."""
    for name in names:
        _column(name, cls, clear)


def _column(name: str, cls: type, clear: frozenset[str]) -> _Column:
    steps = tuple(name.split("."))
    kind: Any = cls
    default: Any = None
    for depth, step in enumerate(steps):
        attributes = attrs.fields_dict(kind) if isinstance(kind, type) and attrs.has(kind) else {}
        if step not in attributes or (depth == 0 and step == "version"):
            there = ", ".join(sorted(attributes if depth else clear - {"$v"}))
            raise InvalidFieldError(f"no field {name!r}; there are {there}", code="columns.missing", path=name)
        if depth == 0 and step not in clear:
            raise InvalidFieldError(
                f"{step!r} is personal and encrypted; read the objects instead", code="columns.personal", path=name
            )
        kind, default = attributes[step].type, attributes[step].default
    # Enum members are text; anything else but numbers is left out of the JSON only where it is None or empty.
    plain = default if isinstance(default, int) else str(default) if isinstance(default, str) else None
    return _Column(name, steps, plain, kind)


def _array(values: list[Any], kind: Any) -> np.ndarray:
    try:
        if kind is datetime or datetime in getattr(kind, "__args__", ()):
            # NumPy has no zones: the stored times are UTC, whose offset is cut off.
            return np.array([None if v is None else v.removesuffix("+00:00") for v in values], dtype="datetime64[us]")
        if kind is int:
            if not all(type(value) is int for value in values):
                raise _broken()
            return np.array(values, dtype=np.int64)
    except OverflowError:
        raise AmountOverflowError(
            "a stored number does not fit in 64 bits; read the objects instead", code="columns.overflow"
        ) from None
    except (AttributeError, ValueError):
        raise _broken() from None
    return np.fromiter(values, dtype=object, count=len(values))


def _broken() -> StoreError:
    return StoreError("a stored value is not of its field's type; restore it from a backup", code="payload.broken")

"""Writing of model objects as JSON values; fields at their default are left out.

Most fields of most objects are at their default. The functions here are compiled for each class, as those of `_reading`
are, and see that by identity before they compare. The cattrs converter of `_convert` uses them too.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any

import attrs

from custinfo.model._field import is_tuple, value_object


def write_iso(value: date | None) -> str | None:
    """A date or time in ISO 8601."""
    return None if value is None else value.isoformat()


def _write_time(value: datetime | None) -> str | None:
    if value is None or value.tzinfo is not UTC:
        return write_iso(value)
    # The same text as `isoformat`, which asks the time zone for its offset and takes half as long again.
    return f"{value.date().isoformat()}T{value.time().isoformat()}+00:00"


def _write_enum(member: Enum) -> Any:
    return member._value_


def _write_enums(members: Iterable[Enum]) -> list[Any]:
    return [member._value_ for member in members]


def _hook(kind: Any) -> Callable[[Any], Any] | None:
    """How a value that is no value object is written; None where it is JSON as it is."""
    kinds = getattr(kind, "__args__", (kind,))
    if is_tuple(kind):
        return _write_enums if issubclass(kinds[0], Enum) else list
    if datetime in kinds or date in kinds:
        return _write_time if datetime in kinds else write_iso
    return _write_enum if issubclass(kinds[0], Enum) else None


@functools.cache
def quick_writer(cls: type) -> Callable[[Any, dict[str, Any]], dict[str, Any]]:
    """A function that adds the fields of an object to a dict, all but `extra`, and gives it back."""
    names: dict[str, Any] = {}
    lines: list[str] = []
    # What is always there comes first: the order of the keys is part of the form.
    for field in sorted(attrs.fields(cls), key=lambda field: not _is_always_written(field)):
        if field.name != "extra":
            lines += _lines(field, names)
    source = "\n ".join(["def write(obj, out):", *lines, "return out"])
    exec(compile(source, f"<writing of {cls.__name__}>", "exec"), names)  # noqa: S102 - made of names of our own fields
    write: Callable[[Any, dict[str, Any]], dict[str, Any]] = names["write"]
    return write


def _is_always_written(field: attrs.Attribute[Any]) -> bool:
    return field.default is attrs.NOTHING or field.name == "id"


def _lines(field: attrs.Attribute[Any], names: dict[str, Any]) -> list[str]:
    name, default = field.name, field.default
    put = f"out[{name!r}] = {_form(field, names)}"
    if _is_always_written(field):
        return [f"value = obj.{name}", put]
    if default is None:
        differs = "value is not None"
    elif hasattr(default, "factory"):
        names[f"default_{name}"] = default.factory
        differs = f"value != default_{name}()"
    else:
        names[f"default_{name}"] = default
        differs = f"value is not default_{name} and value != default_{name}"
    return [f"value = obj.{name}", f"if {differs}: {put}"]


def _form(field: attrs.Attribute[Any], names: dict[str, Any]) -> str:
    """The expression of a value that is not at its default."""
    inner = value_object(field.type)
    if inner is None:
        write = _hook(field.type)
        if write is None:
            return "value"
        names[f"write_{field.name}"] = write
        return f"write_{field.name}(value)"
    names[f"write_{field.name}"] = quick_writer(inner)
    one = f"write_{field.name}"
    if is_tuple(field.type):
        return f"[{one}(item, {{}}) for item in value]"
    return f"{one}(value, {{}})"

"""The cattrs converter behind the codec, and what it finds wrong as errors of ours.

It reads model objects thoroughly: each field is checked by itself, and all faults are reported. `_reading` reads good
data more quickly, and `_writing` is how it writes.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from typing import Any

import attrs
import cattrs
from cattrs.gen import make_dict_structure_fn

from custinfo.errors import InvalidFieldError, InvalidRecordError
from custinfo.model._check import json_copy
from custinfo.model._entities import ENTITIES, VALUES, kind_of
from custinfo.model._field import is_tuple, value_object
from custinfo.model._rules import checked
from custinfo.model._writing import quick_writer, write_iso

_NAMED = 5  # faults that the message of a record names

# What a field is in JSON. Text, numbers and enums go as they are: the validators and converters of the classes check.


def _read_time(value: Any, _: object) -> datetime | None:
    try:
        return None if value is None else datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise InvalidFieldError(
            "not a time of ISO 8601, such as 2026-01-31T09:30:00+00:00", code="time.format"
        ) from None


def _read_date(value: Any, _: object) -> date | None:
    try:
        return None if value is None else date.fromisoformat(value)
    except (TypeError, ValueError):
        raise InvalidFieldError("not a date of ISO 8601, such as 2026-01-31", code="date.format") from None


def _object(value: Any) -> Any:
    if not isinstance(value, Mapping):
        raise InvalidFieldError("not a JSON object", code="codec.type")
    return value


def _list(value: Any) -> Any:
    if type(value) is not list and not isinstance(value, tuple):
        raise InvalidFieldError("not a JSON list", code="codec.type")
    return value


def _reading(kind: Any, converter: cattrs.Converter) -> Callable[[Any, Any], Any]:
    """How a field of this type is read from JSON."""
    if value_object(kind) is not None:
        read = converter.get_structure_hook(kind)
        return _noting_places(read, kind) if is_tuple(kind) else read
    if is_tuple(kind):
        return _read_list
    kinds = getattr(kind, "__args__", (kind,))
    if datetime in kinds:
        return _read_time
    return _read_date if date in kinds else _raw


def _noting_places(read: Callable[[Any, Any], Any], kind: Any) -> Callable[[Any, Any], Any]:
    """Cattrs' own reading of a tuple notes the place of each fault."""
    return lambda value, _: read(_list(value), kind)


def _read_list(value: Any, _: object) -> Any:
    return _list(value)


def _raw(value: Any, _: object) -> Any:
    return value


@functools.cache
def converter() -> cattrs.Converter:
    """Reads and writes the classes of the model; made when it is first needed."""
    made = cattrs.Converter(detailed_validation=True)
    made.register_unstructure_hook(date, write_iso)
    made.register_unstructure_hook(tuple, lambda items: [made.unstructure(item) for item in items])
    for cls in (*VALUES, *ENTITIES.values()):
        # Any: mypy takes the overrides for the other options.
        overrides: dict[str, Any] = {}
        for field in attrs.fields(cls):
            read = _checked(_reading(field.type, made), field)
            overrides[field.name] = cattrs.override(omit=field.name == "extra", struct_hook=read)
        structure: Any = make_dict_structure_fn(cls, made, _cattrs_forbid_extra_keys=cls in VALUES, **overrides)
        made.register_structure_hook(cls, _only_objects(structure))
        made.register_unstructure_hook(cls, functools.partial(_written, quick_writer(cls)))
    return made


def _written(write: Callable[[Any, dict[str, Any]], dict[str, Any]], obj: Any) -> dict[str, Any]:
    return write(obj, {})


def _checked(read: Callable[[Any, Any], Any], field: Any) -> Callable[[Any, Any], Any]:
    return lambda value, kind: checked(field, read(value, kind))


def _only_objects(structure: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda value, kind: structure(_object(value), kind)


def read_thoroughly(data: Mapping[str, Any], cls: type) -> Any:
    """The object of the data, or one error with every fault in them.

    Raises:
        InvalidRecordError: its members name path and code.
    """
    known = attrs.fields_dict(cls).keys() - {"extra"} | {"$v"}
    extra = {key: data[key] for key in data if key not in known}
    faults: list[InvalidFieldError] = []
    try:
        extra = json_copy(extra, "extra")
    except InvalidFieldError as error:
        faults.append(error)
    try:
        obj: Any = converter().structure(data, cls)
        if not faults:
            return attrs.evolve(obj, extra=extra)
    except cattrs.BaseValidationError as error:
        faults[:0] = _leaves(error, "")
    named = ", ".join(f"{fault.path} ({fault.code})" for fault in faults[:_NAMED])
    more = f" and {len(faults) - _NAMED} more" if len(faults) > _NAMED else ""
    raise InvalidRecordError(f"the data are no valid {kind_of(cls)}; mend {named}{more}", faults)


def _leaves(error: BaseException, path: str, step: str = "") -> Iterator[InvalidFieldError]:
    """The leaves of a cattrs error group: ours with their path, others with a code of ours and none of their text."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner, _joined(path, step), _step(inner))
    elif isinstance(error, InvalidFieldError):
        yield InvalidFieldError(error.message, code=error.code, path=_joined(path, error.path or step))
    elif isinstance(error, KeyError):
        yield InvalidFieldError("the field is missing; give it a value", code="codec.missing", path=_joined(path, step))
    else:
        yield InvalidFieldError(
            "the object has keys that this release does not know; upgrade, or take them out",
            code="codec.unknown_key",
            path=_joined(path, step),
        )


def _step(error: BaseException) -> str:
    """The field name or ``[index]`` that cattrs noted on an error."""
    note = next(iter(getattr(error, "__notes__", ())), None)
    if isinstance(note, cattrs.AttributeValidationNote):
        return note.name
    return f"[{note.index}]" if isinstance(note, cattrs.IterableValidationNote) else ""


def _joined(path: str, step: str) -> str:
    return f"{path}{step}" if step.startswith("[") else f"{path}.{step}".strip(".")

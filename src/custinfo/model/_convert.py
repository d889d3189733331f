"""The cattrs converter behind the codec, and what it finds wrong as errors of ours.

It writes model objects as JSON values, and reads them thoroughly: each field is checked by itself, and all faults are
reported. `_reading` reads good data more quickly.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any

import attrs
import cattrs
from cattrs.fns import identity
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn_from_attrs

from custinfo.errors import InvalidFieldError, InvalidRecordError
from custinfo.model._check import json_copy
from custinfo.model._entities import ENTITIES, VALUES, kind_of
from custinfo.model._field import is_tuple, value_object

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


def _write_iso(value: date | None) -> str | None:
    return None if value is None else value.isoformat()


def _write_time(value: datetime | None) -> str | None:
    if value is None or value.tzinfo is not UTC:
        return _write_iso(value)
    # The same text as `isoformat`, which asks the time zone for its offset and takes half as long again.
    return f"{value.date().isoformat()}T{value.time().isoformat()}+00:00"


def _object(value: Any) -> Any:
    if not isinstance(value, Mapping):
        raise InvalidFieldError("not a JSON object", code="codec.type")
    return value


def _list(value: Any) -> Any:
    if type(value) is not list and not isinstance(value, tuple):
        raise InvalidFieldError("not a JSON list", code="codec.type")
    return value


def _hooks(kind: Any, converter: cattrs.Converter) -> tuple[Callable[[Any, Any], Any], Callable[[Any], Any]]:
    """How a field of this type is read from JSON, and written to it."""
    inner = value_object(kind)
    if inner is not None:
        write = converter.get_unstructure_hook(inner)
        read = converter.get_structure_hook(kind)
        if not is_tuple(kind):
            return read, write
        return _noting_places(read, kind), lambda items: list(map(write, items))
    if is_tuple(kind):
        return _read_list, list
    kinds = getattr(kind, "__args__", (kind,))
    if datetime in kinds or date in kinds:
        return (_read_time, _write_time) if datetime in kinds else (_read_date, _write_iso)
    if issubclass(kinds[0], Enum):
        return _raw, _write_enum
    return _raw, identity


def _noting_places(read: Callable[[Any, Any], Any], kind: Any) -> Callable[[Any, Any], Any]:
    """Cattrs' own reading of a tuple notes the place of each fault."""
    return lambda value, _: read(_list(value), kind)


def _read_list(value: Any, _: object) -> Any:
    return _list(value)


def _raw(value: Any, _: object) -> Any:
    return value


def _write_enum(member: Enum) -> Any:
    return member._value_


@functools.cache
def converter() -> cattrs.Converter:
    """Reads and writes the classes of the model; made when it is first needed."""
    made = cattrs.Converter(detailed_validation=True)
    made.register_unstructure_hook(date, _write_iso)
    made.register_unstructure_hook(tuple, lambda items: [made.unstructure(item) for item in items])
    for cls in (*VALUES, *ENTITIES.values()):
        # Any: mypy takes the overrides for the other options.
        overrides: dict[str, Any] = {}
        for field in attrs.fields(cls):
            read, write = _hooks(field.type, made)
            overrides[field.name] = cattrs.override(
                omit=field.name == "extra",
                omit_if_default=field.name != "id",
                struct_hook=_checked(read, field),
                unstruct_hook=write,
            )
        structure: Any = make_dict_structure_fn(cls, made, _cattrs_forbid_extra_keys=cls in VALUES, **overrides)
        made.register_structure_hook(cls, _only_objects(structure))
        # Without their converters, so that defaults are compared as they are and not converted each time.
        fields = [field.evolve(converter=None) for field in attrs.fields(cls)]
        made.register_unstructure_hook(cls, make_dict_unstructure_fn_from_attrs(fields, cls, made, **overrides))
    return made


@functools.cache
def writer(cls: type) -> Callable[[Any], dict[str, Any]]:
    """The writing of a class, all but its `extra`."""
    hook: Callable[[Any], dict[str, Any]] = converter().get_unstructure_hook(cls)
    return hook


def _checked(read: Callable[[Any, Any], Any], field: Any) -> Callable[[Any, Any], Any]:
    def run(value: Any, kind: Any) -> Any:
        found = read(value, kind)
        if field.converter is not None:
            found = field.converter(found, None, field)
        if field.validator is not None:
            field.validator(None, field, found)
        return found

    return run


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
        yield InvalidFieldError("the field is missing", code="codec.missing", path=_joined(path, step))
    else:
        yield InvalidFieldError(
            "the object has keys that this release does not know", code="codec.unknown_key", path=_joined(path, step)
        )


def _step(error: BaseException) -> str:
    """The field name or ``[index]`` that cattrs noted on an error."""
    note = next(iter(getattr(error, "__notes__", ())), None)
    if isinstance(note, cattrs.AttributeValidationNote):
        return note.name
    return f"[{note.index}]" if isinstance(note, cattrs.IterableValidationNote) else ""


def _joined(path: str, step: str) -> str:
    return f"{path}{step}" if step.startswith("[") else f"{path}.{step}".strip(".")

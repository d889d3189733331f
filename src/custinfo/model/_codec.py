"""Model objects as JSON and back, with a version tag.

``{"$v": "customer/1", "id": ...}``: keys are the field names, fields at their default are left out, unknown top-level
keys are kept in `extra` and come back on the way out. Value objects are closed: an unknown key in one is a fault, since
it would be lost. The form is experimental until custinfo 1.0.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from enum import Enum
from typing import Any

import attrs
import cattrs
from cattrs.fns import identity
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn

from custinfo.errors import InvalidFieldError, InvalidRecordError, SchemaVersionError
from custinfo.model._account import Account, Transaction
from custinfo.model._check import json_copy
from custinfo.model._consent import Consent
from custinfo.model._contact import Address, Email, Identifier, Phone, Tag
from custinfo.model._customer import Customer
from custinfo.model._field import FieldInfo, fields_of, is_tuple, value_object
from custinfo.model._interaction import Interaction
from custinfo.model._merge import Merge
from custinfo.model._money import Money
from custinfo.model._name import PersonName
from custinfo.model._review import ReviewTask

ENTITIES: dict[str, type] = {
    "customer": Customer,
    "account": Account,
    "transaction": Transaction,
    "interaction": Interaction,
    "consent": Consent,
    "merge": Merge,
    "reviewtask": ReviewTask,
}
VALUES: tuple[type, ...] = (Money, PersonName, Email, Phone, Address, Identifier, Tag)
VERSION = 1
_TAGS = {cls: f"{kind}/{VERSION}" for kind, cls in ENTITIES.items()}
_KNOWN = {cls: frozenset(attrs.fields_dict(cls)) - {"extra"} | {"$v"} for cls in ENTITIES.values()}
_TAG = re.compile(r"([a-z]+)/([1-9][0-9]{0,8})").fullmatch
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False, check_circular=False)


def kind_of(cls: type) -> str:
    """The kind under which objects of a class are stored: its name in lower case.

    >>> kind_of(Customer)
    'customer'
    """
    return cls.__name__.lower()


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


def _object(value: Any) -> Any:
    if not isinstance(value, Mapping):
        raise InvalidFieldError("not a JSON object", code="codec.type")
    return value


def _list(value: Any) -> Any:
    if not isinstance(value, list | tuple):
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
        return lambda value, _: read(_list(value), kind), lambda items: [write(item) for item in items]
    if is_tuple(kind):
        return _raw, list
    kinds = getattr(kind, "__args__", (kind,))
    if datetime in kinds or date in kinds:
        return _read_time if datetime in kinds else _read_date, _write_iso
    if issubclass(kinds[0], Enum):
        return _raw, _write_enum
    return _raw, identity


def _raw(value: Any, _: object) -> Any:
    return value


def _write_enum(member: Enum) -> Any:
    return member._value_


@functools.cache
def _converter(*, detailed: bool) -> cattrs.Converter:
    """The fast converter stops at the first fault; the detailed one checks each field by itself and reports all."""
    converter = cattrs.Converter(detailed_validation=detailed)
    converter.register_unstructure_hook(date, _write_iso)
    converter.register_unstructure_hook(tuple, lambda items: [converter.unstructure(item) for item in items])
    for cls in (*VALUES, *ENTITIES.values()):
        # Any: mypy takes the overrides for the other options.
        overrides: dict[str, Any] = {}
        for field in attrs.fields(cls):
            read, write = _hooks(field.type, converter)
            overrides[field.name] = cattrs.override(
                omit=field.name == "extra",
                omit_if_default=field.name != "id",
                struct_hook=_checked(read, field) if detailed else read,
                unstruct_hook=write,
            )
        structure: Any = make_dict_structure_fn(cls, converter, _cattrs_forbid_extra_keys=cls in VALUES, **overrides)
        converter.register_structure_hook(cls, _only_objects(structure) if detailed else structure)
        converter.register_unstructure_hook(cls, make_dict_unstructure_fn(cls, converter, **overrides))
    return converter


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


def to_dict(obj: Any) -> dict[str, Any]:
    """A model object as a dict of JSON values, with ``$v`` first.

    Raises:
        InvalidFieldError: "codec.class" where *obj* is not of a stored class.

    >>> to_dict(Account(id="a1", customer_id="c1", currency="CNY"))
    {'$v': 'account/1', 'id': 'a1', 'customer_id': 'c1', 'currency': 'CNY'}
    """
    tag = _TAGS.get(type(obj))
    if tag is None:
        raise InvalidFieldError(f"not a stored model class; there are {', '.join(ENTITIES)}", code="codec.class")
    return {"$v": tag, **_converter(detailed=False).unstructure(obj), **obj.extra}


def plain_value(value: Any) -> Any:
    """Any value of a model field as JSON values.

    >>> from custinfo.model import Phone
    >>> plain_value((Phone("+8613800138000"),))
    [{'value': '+8613800138000'}]
    """
    return _converter(detailed=False).unstructure(value)


def from_dict(data: Mapping[str, Any]) -> Any:
    """The model object of a dict made by `to_dict`.

    Raises:
        SchemaVersionError: written by a newer release.
        InvalidFieldError: "codec.type" (no mapping), "codec.tag" (``$v`` names no stored class).
        InvalidRecordError: one or more fields are missing or break a rule; its members name path and code.

    >>> from_dict({"$v": "account/1", "id": "a1", "customer_id": "c1", "currency": "CNY"}).currency
    'CNY'
    """
    if not isinstance(data, Mapping):
        raise InvalidFieldError(f"the data must be a mapping, not {type(data).__name__}", code="codec.type")
    tag = data.get("$v")
    match = _TAG(tag) if isinstance(tag, str) else None
    if match is None or match[1] not in ENTITIES:
        raise InvalidFieldError(
            f"the '$v' of the data names no stored class; there are {', '.join(ENTITIES)}", code="codec.tag", path="$v"
        )
    kind = match[1]
    if int(match[2]) > VERSION:
        raise SchemaVersionError(f"{kind}/{match[2]} was written by a newer custinfo; upgrade to read it")
    cls = ENTITIES[kind]
    known = _KNOWN[cls]
    extra = {key: value for key, value in data.items() if key not in known}
    try:
        obj: Any = _converter(detailed=False).structure(data, cls)
        return attrs.evolve(obj, extra=extra) if extra else obj
    except (cattrs.ForbiddenExtraKeysError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        faults = list(_faults_of(data, cls, extra))
    named = ", ".join(f"{fault.path} ({fault.code})" for fault in faults)
    raise InvalidRecordError(f"the data are no valid {kind}; mend {named}", faults)


def _faults_of(data: Mapping[str, Any], cls: type, extra: dict[str, Any]) -> Iterator[InvalidFieldError]:
    """Every fault at once: the fast converter stops at the first, so the detailed one reads again."""
    try:
        _converter(detailed=True).structure(data, cls)
    except cattrs.BaseValidationError as error:
        yield from _leaves(error, "")
    try:
        json_copy(extra, "extra")
    except InvalidFieldError as error:
        yield error


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
    for note in getattr(error, "__notes__", ()):
        if isinstance(note, cattrs.AttributeValidationNote):
            return note.name
        if isinstance(note, cattrs.IterableValidationNote):
            return f"[{note.index}]"
    return ""


def _joined(path: str, step: str) -> str:
    return f"{path}{step}" if step.startswith("[") else f"{path}.{step}".strip(".")


def dumps(obj: Any) -> bytes:
    """A model object as JSON, UTF-8; the same object always gives the same bytes.

    Raises:
        InvalidFieldError: "codec.class" where *obj* is not of a stored class.

    >>> dumps(Account(id="a1", customer_id="c1", currency="CNY"))
    b'{"$v":"account/1","id":"a1","customer_id":"c1","currency":"CNY"}'
    """
    return _ENCODER.encode(to_dict(obj)).encode()


def loads(data: bytes | str) -> Any:
    """The model object of JSON made by `dumps`; see `from_dict` for further errors.

    Raises:
        InvalidFieldError: "codec.json".

    >>> loads(b'{"$v":"account/1","id":"a1","customer_id":"c1","currency":"CNY"}').id
    'a1'
    """
    try:
        parsed = json.loads(data)
    except (RecursionError, TypeError, ValueError):
        raise InvalidFieldError("the data are no JSON, or nested too deep", code="codec.json") from None
    if not isinstance(parsed, dict):
        raise InvalidFieldError("the data are no JSON object", code="codec.json")
    return from_dict(parsed)


def catalogue() -> dict[str, tuple[FieldInfo, ...]]:
    """The field catalogue of every stored class, by kind.

    >>> sorted(catalogue())[:2]
    ['account', 'consent']
    """
    return {kind: fields_of(cls) for kind, cls in ENTITIES.items()}

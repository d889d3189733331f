"""Model objects as JSON and back, with a version tag.

``{"$v": "customer/1", "id": ...}``: keys are the field names, fields at their default are left out, unknown top-level
keys are kept in `extra` and come back on the way out. Value objects are closed: an unknown key in one is a fault, since
it would be lost. The form is experimental until custinfo 1.0.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Hashable, Mapping
from datetime import date, datetime
from enum import Enum
from types import NoneType
from typing import Any

import attrs

from custinfo.errors import InvalidFieldError
from custinfo.model._convert import converter, read_thoroughly
from custinfo.model._entities import ENTITIES
from custinfo.model._json import decoded, encoded
from custinfo.model._reading import quick_reader
from custinfo.model._rules import checked
from custinfo.model._upcast import upcast, version_of
from custinfo.model._writing import quick_writer

_TAGS = {cls: f"{kind}/{version_of(kind)}" for kind, cls in ENTITIES.items()}
_TAGGED = {tag: cls for cls, tag in _TAGS.items()}
_WITHOUT_FLOATS = (str, int, bool, date, datetime, Enum, NoneType)
_TAG = re.compile(r"([a-z]+)/([1-9][0-9]{0,8})").fullmatch


def to_dict(obj: Any) -> dict[str, Any]:
    """A model object as a dict of JSON values, with ``$v`` first.

    Raises:
        InvalidFieldError: "codec.class" where *obj* is not of a stored class.

    >>> from custinfo.model import Account
    >>> to_dict(Account(id="a1", customer_id="c1", currency="CNY"))
    {'$v': 'account/1', 'id': 'a1', 'customer_id': 'c1', 'currency': 'CNY'}
    """
    cls: Any = type(obj)
    tag = _TAGS.get(cls)
    if tag is None:
        raise InvalidFieldError(f"not a stored model class; there are {', '.join(ENTITIES)}", code="codec.class")
    values = quick_writer(cls)(obj, {"$v": tag})
    if not obj.extra:
        return values
    # A mapping can be changed in place; what is in it must still not stand for the object's own fields.
    field = attrs.fields_dict(cls)["extra"]
    checked(field, obj.extra, instance=obj)
    return {**values, **obj.extra}


def plain_value(value: Any) -> Any:
    """Any value of a model field as JSON values.

    >>> from custinfo.model import Phone
    >>> plain_value((Phone("+8613800138000"),))
    [{'value': '+8613800138000'}]
    """
    return converter().unstructure(value)


def from_dict(data: Mapping[str, Any]) -> Any:
    """The model object of a dict made by `to_dict`.

    Raises:
        SchemaVersionError: written by a newer release; what an older one wrote is read.
        InvalidFieldError: "codec.type" (no mapping), "codec.tag" (``$v`` names no stored class).
        InvalidRecordError: one or more fields are missing or break a rule; its members name path and code,
            "codec.upcast" where the data are not what their older version is.

    >>> from_dict({"$v": "account/1", "id": "a1", "customer_id": "c1", "currency": "CNY"}).currency
    'CNY'
    """
    if not isinstance(data, Mapping):
        raise InvalidFieldError(f"the data must be a mapping, not {type(data).__name__}", code="codec.type")
    tag = data.get("$v")
    cls = _TAGGED.get(tag) if isinstance(tag, str) else None
    if cls is None:
        kind, version = _kind_and_version(tag)
        cls, data = ENTITIES[kind], upcast(data, kind, version)
    try:
        return quick_reader(cls)(data)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        pass  # outside of the handler, so that no error with a value in it hangs on ours
    return read_thoroughly(data, cls)


def _kind_and_version(tag: object) -> tuple[str, int]:
    match = _TAG(tag) if isinstance(tag, str) else None
    if match is None or match[1] not in ENTITIES:
        raise InvalidFieldError(
            f"the '$v' of the data names no stored class; there are {', '.join(ENTITIES)}", code="codec.tag", path="$v"
        )
    return match[1], int(match[2])


def dumps(obj: Any) -> bytes:
    """A model object as JSON, UTF-8; the same object always gives the same bytes.

    Raises:
        InvalidFieldError: "codec.class" where *obj* is not of a stored class; "codec.value" where a mapping in it was
            changed in place and holds what JSON cannot carry.

    >>> from custinfo.model import Account
    >>> dumps(Account(id="a1", customer_id="c1", currency="CNY"))
    b'{"$v":"account/1","id":"a1","customer_id":"c1","currency":"CNY"}'
    """
    values = to_dict(obj)
    cls: Any = type(obj)
    try:
        return encoded(values, without_floats=not any(getattr(obj, name) for name in _loose_fields(cls)))
    except (RecursionError, TypeError, ValueError):
        pass  # outside of the handler, so that no error with a value in it hangs on ours
    raise InvalidFieldError(
        "a mapping of the object was changed and holds what JSON cannot carry; change it by attrs.evolve",
        code="codec.value",
    )


@functools.cache
def _loose_fields(cls: Any) -> tuple[str, ...]:
    """The fields whose values may hold a float, `extra` among them."""
    return tuple(field.name for field in attrs.fields(cls) if not _has_no_floats(field.type))


@functools.cache
def _has_no_floats(kind: Hashable) -> bool:
    """Whether no value of a type of the model is a float, or JSON of any kind."""
    inner: tuple[Any, ...] = getattr(kind, "__args__", ())
    if isinstance(kind, type) and attrs.has(kind):
        inner = tuple(field.type for field in attrs.fields(kind))
    if inner:
        return all(map(_has_no_floats, inner))
    return kind is ... or (isinstance(kind, type) and issubclass(kind, _WITHOUT_FLOATS))


def loads(data: bytes | str) -> Any:
    """The model object of JSON made by `dumps`; see `from_dict` for further errors.

    Raises:
        InvalidFieldError: "codec.json".

    >>> loads(b'{"$v":"account/1","id":"a1","customer_id":"c1","currency":"CNY"}').id
    'a1'
    """
    try:
        parsed = decoded(data)
    except (RecursionError, TypeError, ValueError):
        raise InvalidFieldError(
            "the data are no JSON, or nested too deep; pass what dumps() gave", code="codec.json"
        ) from None
    if not isinstance(parsed, dict):
        raise InvalidFieldError("the data are no JSON object; pass what dumps() gave", code="codec.json")
    return from_dict(parsed)

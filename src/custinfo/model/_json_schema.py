"""JSON Schemas of the stored classes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from enum import Enum
from types import NoneType
from typing import Any

import attrs

from custinfo.errors import InvalidFieldError
from custinfo.model._check import INT64, KEY_LIMIT, MAX_MEMBERS, TEXT_LIMIT, key_text, optional_key
from custinfo.model._entities import ENTITIES, VALUES, kind_of
from custinfo.model._field import declaration, is_tuple, value_object
from custinfo.model._iso4217 import MINOR_DIGITS
from custinfo.model._rules import Whole
from custinfo.model._upcast import version_of


def json_schema(cls: type | str) -> dict[str, Any]:
    """The JSON Schema of what `dumps` writes for a stored class.

    It says what form the data have. Rules across fields, such as a name that needs one part, are the classes' own.

    Args:
        cls: a stored class, such as `Customer`, or its tag in the present version, such as ``"customer/1"``.

    Raises:
        InvalidFieldError: "codec.class".

    Source: JSON Schema, draft 2020-12.

    >>> from custinfo.model import Account
    >>> schema = json_schema(Account)
    >>> schema["required"], schema["properties"]["status"]["enum"]
    (['$v', 'id', 'customer_id', 'currency'], ['open', 'suspended', 'closed'])
    """
    if isinstance(cls, str):
        kind, _, version_text = cls.partition("/")
        cls = ENTITIES.get(kind, object) if version_text == str(version_of(kind)) else object
    if cls not in ENTITIES.values():
        raise InvalidFieldError(f"not a stored model class; there are {', '.join(ENTITIES)}", code="codec.class")
    kind = kind_of(cls)
    version = version_of(kind)
    schema = _object(cls)
    inner = set(_inner(cls))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:custinfo:{kind}:{version}",
        "title": cls.__name__,
        **schema,
        "properties": {"$v": {"const": f"{kind}/{version}"}, **schema["properties"]},
        "required": ["$v", *schema["required"]],
        "$defs": {one.__name__: {**_object(one), "additionalProperties": False} for one in VALUES if one in inner},
    }


def _inner(cls: Any) -> Iterator[type]:
    """The value classes in a class, those in them included."""
    for field in attrs.fields(cls):
        if (one := value_object(field.type)) is not None:
            yield one
            yield from _inner(one)


def _object(cls: type) -> dict[str, Any]:
    """Fields that have no default are required, and the id, which is always written."""
    fields = [field for field in attrs.fields(cls) if field.name != "extra"]
    return {
        "type": "object",
        "properties": {field.name: _property(field) for field in fields},
        "required": [field.name for field in fields if field.default is attrs.NOTHING or field.name == "id"],
    }


def _property(field: attrs.Attribute[Any]) -> dict[str, Any]:
    return {**_schema_of(field.type, field), "description": declaration(field).info.description}


def _schema_of(kind: Any, field: attrs.Attribute[Any]) -> dict[str, Any]:
    arguments: tuple[Any, ...] = getattr(kind, "__args__", ())
    if NoneType in arguments:
        (one,) = (argument for argument in arguments if argument is not NoneType)
        schema = _schema_of(one, field)
        if "$ref" in schema:
            return {"anyOf": [schema, {"type": "null"}]}
        choices = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
        return {**schema, "type": [schema["type"], "null"], **choices}
    if is_tuple(kind):
        if arguments[0] is int:  # the two ends of a scale
            ends = {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1}
            return {"type": "array", "items": ends, "minItems": 2, "maxItems": 2}
        return {"type": "array", "items": _schema_of(arguments[0], field), "maxItems": MAX_MEMBERS}
    if attrs.has(kind):
        return {"$ref": f"#/$defs/{kind.__name__}"}
    if field.name == "currency":
        return {"type": "string", "enum": sorted(MINOR_DIGITS)}
    if field.name == "minor":
        return {"type": "integer", "minimum": -INT64, "maximum": INT64 - 1}
    return _scalar(kind, field)


def _scalar(kind: Any, field: attrs.Attribute[Any]) -> dict[str, Any]:
    if kind is bool:
        return {"type": "boolean"}
    if kind is int:
        whole = field.validator
        low, high = (whole.low, whole.high) if isinstance(whole, Whole) else (0, INT64 - 1)
        return {"type": "integer", "minimum": low, "maximum": high}
    if kind is float:
        return {"type": "number", "minimum": 0, "maximum": 1}  # a share, such as how sure a value is
    if kind is str:
        # JSON Schema counts characters, a store the bytes of an id; no id has fewer bytes than characters.
        is_key = field.validator in {key_text, optional_key}
        return (
            {"type": "string", "maxLength": KEY_LIMIT, "minLength": 1}
            if is_key
            else {
                "type": "string",
                "maxLength": TEXT_LIMIT,
            }
        )
    if kind in {date, datetime}:
        return {"type": "string", "format": "date-time" if kind is datetime else "date"}
    if issubclass(kind, Enum):
        return {"type": "string", "enum": [member.value for member in kind]}
    values = getattr(kind, "__args__", ())
    return {"type": "object", **({"additionalProperties": _scalar(int, field)} if int in values else {})}

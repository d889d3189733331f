"""Model objects as JSON and back, with a version tag.

``{"$v": "customer/1", "id": ...}``: keys are the field names, fields at their default are left out, unknown top-level
keys are kept in `extra` and come back on the way out. Value objects are closed: an unknown key in one is a fault, since
it would be lost. The form is experimental until custinfo 1.0.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import attrs
import cattrs

from custinfo.errors import InvalidFieldError, InvalidRecordError, SchemaVersionError
from custinfo.model._convert import converter_of, faults_of, reader, writer
from custinfo.model._entities import ENTITIES, VERSION, kind_of

_TAGS = {cls: f"{kind}/{VERSION}" for kind, cls in ENTITIES.items()}
_TAGGED = {tag: cls for cls, tag in _TAGS.items()}
_KNOWN = {cls: frozenset(attrs.fields_dict(cls)) - {"extra"} | {"$v"} for cls in ENTITIES.values()}
_TAG = re.compile(r"([a-z]+)/([1-9][0-9]{0,8})").fullmatch
_NAMED = 5  # faults that the message of a record names
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False, check_circular=False)


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
    return {"$v": tag, **writer(cls)(obj), **obj.extra}


def plain_value(value: Any) -> Any:
    """Any value of a model field as JSON values.

    >>> from custinfo.model import Phone
    >>> plain_value((Phone("+8613800138000"),))
    [{'value': '+8613800138000'}]
    """
    return converter_of(detailed=False).unstructure(value)


def from_dict(data: Mapping[str, Any]) -> Any:
    """The model object of a dict made by `to_dict`.

    Raises:
        SchemaVersionError: written by a newer release.
        InvalidFieldError: "codec.type" (no mapping), "codec.tag" (``$v`` names no stored class).
        InvalidRecordError: one or more fields are missing or break a rule; its members name path and code.

    >>> from_dict({"$v": "account/1", "id": "a1", "customer_id": "c1", "currency": "CNY"}).currency
    'CNY'
    """
    cls = _class_of(data)
    known = _KNOWN[cls]
    extra = {} if data.keys() <= known else {key: value for key, value in data.items() if key not in known}
    try:
        obj: Any = reader(cls)(data, cls)
        return attrs.evolve(obj, extra=extra) if extra else obj
    except (cattrs.ForbiddenExtraKeysError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        faults = list(faults_of(data, cls, extra))
    named = ", ".join(f"{fault.path} ({fault.code})" for fault in faults[:_NAMED])
    more = f" and {len(faults) - _NAMED} more" if len(faults) > _NAMED else ""
    raise InvalidRecordError(f"the data are no valid {kind_of(cls)}; mend {named}{more}", faults)


def _class_of(data: Mapping[str, Any]) -> type:
    if not isinstance(data, Mapping):
        raise InvalidFieldError(f"the data must be a mapping, not {type(data).__name__}", code="codec.type")
    tag = data.get("$v")
    if not isinstance(tag, str):
        tag = ""
    if tag in _TAGGED:
        return _TAGGED[tag]
    match = _TAG(tag)
    if match is None or match[1] not in ENTITIES:
        raise InvalidFieldError(
            f"the '$v' of the data names no stored class; there are {', '.join(ENTITIES)}", code="codec.tag", path="$v"
        )
    raise SchemaVersionError(f"{tag} was written by a newer custinfo, which reads it; this one reads {VERSION}")


def dumps(obj: Any) -> bytes:
    """A model object as JSON, UTF-8; the same object always gives the same bytes.

    Raises:
        InvalidFieldError: "codec.class" where *obj* is not of a stored class.

    >>> from custinfo.model import Account
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

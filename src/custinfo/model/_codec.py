"""Model objects as JSON and back, with a version tag.

``{"$v": "customer/1", "id": ...}``: keys are the field names, fields at their default are left out, unknown top-level
keys are kept in `extra` and come back on the way out.
"""

from __future__ import annotations

import functools
import json
from datetime import date, datetime
from typing import Any

import attrs
import cattrs
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn

from custinfo.errors import InvalidFieldError, InvalidRecordError, SchemaVersionError
from custinfo.model._account import Account, Transaction
from custinfo.model._customer import Customer
from custinfo.model._field import fields_of
from custinfo.model._merge import Merge
from custinfo.model._review import ReviewTask

ENTITIES: dict[str, type] = {
    "customer": Customer,
    "account": Account,
    "transaction": Transaction,
    "merge": Merge,
    "reviewtask": ReviewTask,
}
VERSION = 1


def kind_of(cls: type) -> str:
    """The kind under which objects of a class are stored: its name in lower case.

    >>> kind_of(Customer)
    'customer'
    """
    return cls.__name__.lower()


@functools.cache
def _converter(*, detailed: bool) -> cattrs.Converter:
    converter = cattrs.Converter(omit_if_default=True, detailed_validation=detailed)
    converter.register_unstructure_hook(datetime, lambda value: value.isoformat())
    converter.register_structure_hook(datetime, lambda value, _: datetime.fromisoformat(value))
    converter.register_unstructure_hook(date, lambda value: value.isoformat())
    converter.register_structure_hook(date, lambda value, _: date.fromisoformat(value))
    for cls in ENTITIES.values():
        extra = cattrs.override(omit=True)
        converter.register_unstructure_hook(
            cls, make_dict_unstructure_fn(cls, converter, _cattrs_omit_if_default=True, extra=extra)
        )
        converter.register_structure_hook(cls, make_dict_structure_fn(cls, converter, extra=extra))
    return converter


def to_dict(obj: Any) -> dict[str, Any]:
    """A model object as a dict of JSON values, with ``$v`` first.

    >>> to_dict(Account(id="a1", customer_id="c1", currency="CNY"))
    {'$v': 'account/1', 'id': 'a1', 'customer_id': 'c1', 'currency': 'CNY'}
    """
    cls: Any = type(obj)
    kind = kind_of(cls)
    if ENTITIES.get(kind) is not cls:
        raise InvalidFieldError(f"not a stored model class; there are {', '.join(ENTITIES)}", code="codec.class")
    return {"$v": f"{kind}/{VERSION}", **_converter(detailed=False).unstructure(obj), **obj.extra}


def plain_value(value: Any) -> Any:
    """Any value of a model field as JSON values.

    >>> from custinfo.model import Phone
    >>> plain_value((Phone("+8613800138000"),))
    [{'value': '+8613800138000'}]
    """
    return _converter(detailed=False).unstructure(list(value) if isinstance(value, tuple) else value)


def from_dict(data: dict[str, Any]) -> Any:
    """The model object of a dict made by `to_dict`.

    Raises:
        SchemaVersionError: written by a newer release.
        InvalidFieldError: "codec.tag", "codec.keys".
        InvalidRecordError: a field that is missing or breaks a rule; its members name the fields.

    >>> from_dict({"$v": "account/1", "id": "a1", "customer_id": "c1", "currency": "CNY"}).currency
    'CNY'
    """
    kind, _, version = str(data.get("$v", "")).partition("/")
    if kind not in ENTITIES or not version.isdigit():
        raise InvalidFieldError(
            f"the '$v' of the data names no stored class; there are {', '.join(ENTITIES)}", code="codec.tag", path="$v"
        )
    if int(version) > VERSION:
        raise SchemaVersionError(f"{kind}/{int(version)} was written by a newer custinfo; upgrade to read it")
    cls = ENTITIES[kind]
    known = attrs.fields_dict(cls)
    extra = {key: value for key, value in data.items() if key not in known and key != "$v"}
    fields = {key: value for key, value in data.items() if key in known}
    try:
        obj: Any = _converter(detailed=False).structure(fields, cls)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        raise InvalidRecordError(f"the data are no valid {kind}", _faults_of(fields, cls)) from None
    return attrs.evolve(obj, extra=extra) if extra else obj


def _faults_of(fields: dict[str, Any], cls: type) -> list[InvalidFieldError]:
    """Every fault at once: the fast converter stops at the first, so the slow one reads again."""
    try:
        _converter(detailed=True).structure(fields, cls)
    except (cattrs.BaseValidationError, InvalidFieldError) as error:
        return _faults(error)
    raise AssertionError("the two converters disagree")  # pragma: no cover - both run the same hooks


def _faults(error: BaseException, path: str = "") -> list[InvalidFieldError]:
    """The leaves of a cattrs error group: ours with their path, others by the name of their class only."""
    if isinstance(error, BaseExceptionGroup):
        leaves: list[InvalidFieldError] = []
        for inner in error.exceptions:
            notes = getattr(inner, "__notes__", ())
            step = next((getattr(note, "name", getattr(note, "index", "")) for note in notes), "")
            leaves += _faults(inner, f"{path}.{step}".strip("."))
        return leaves
    if isinstance(error, InvalidFieldError):
        return [InvalidFieldError(error.message, code=error.code, path=path or error.path)]
    return [InvalidFieldError("missing or of the wrong type", code="codec.field", path=path)]


def dumps(obj: Any) -> bytes:
    """A model object as JSON, UTF-8; the same object always gives the same bytes.

    >>> dumps(Account(id="a1", customer_id="c1", currency="CNY"))
    b'{"$v":"account/1","id":"a1","customer_id":"c1","currency":"CNY"}'
    """
    return json.dumps(to_dict(obj), ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def loads(data: bytes | str) -> Any:
    """The model object of JSON made by `dumps`; see `from_dict` for the errors.

    >>> loads(b'{"$v":"account/1","id":"a1","customer_id":"c1","currency":"CNY"}').id
    'a1'
    """
    try:
        parsed = json.loads(data)
    except ValueError:
        raise InvalidFieldError("the data are no JSON", code="codec.json") from None
    if not isinstance(parsed, dict):
        raise InvalidFieldError("the data are no JSON object", code="codec.json")
    return from_dict(parsed)


def catalogue() -> dict[str, tuple[Any, ...]]:
    """The field catalogue of every stored class, by kind.

    >>> sorted(catalogue())[:2]
    ['account', 'customer']
    """
    return {kind: fields_of(cls) for kind, cls in ENTITIES.items()}

"""The fields that every stored class has, declared once."""

from __future__ import annotations

from typing import Any

import attrs

from custinfo.errors import InvalidFieldError
from custinfo.model._check import count, json_object, key_text, optional_utc
from custinfo.model._field import Index, personal, plain
from custinfo.model._ids import new_id

_CUSTOMER_ID = Index(name="customer_id", text=lambda record: record.customer_id, blind=False)


def record_id() -> Any:
    """`id`: text that the caller may choose, a UUID version 7 when left out."""
    return plain("id of the record", "记录编号", pii="pseudonym", factory=new_id, validator=key_text)


def record_version() -> Any:
    """`version`: of the stored record, 0 = not stored yet."""
    return plain("version of the stored record", "版本", default=0, validator=count)


def owner_id() -> Any:
    """`customer_id`: the customer that the record belongs to, by which it is found."""
    return plain("id of the customer", "客户编号", pii="pseudonym", index=_CUSTOMER_ID, validator=key_text)


def created(index: Index | None = None) -> Any:
    """`created_at`: set by the collection that stores the record."""
    return plain("when created", "创建时间", index=index, default=None, repr=False, converter=optional_utc)


def updated() -> Any:
    """`updated_at`: set by the collection that stores the record."""
    return plain("when changed", "更新时间", default=None, repr=False, converter=optional_utc)


def unknown_keys() -> Any:
    """`extra`: top-level keys that this release does not know; kept, and treated as personal."""
    return personal(
        "content",
        "keys unknown to this release",
        "其他字段",
        factory=dict,
        hash=False,
        converter=json_object,
        validator=_unreserved,
    )


def _unreserved(instance: Any, field: attrs.Attribute[Any], value: dict[str, Any]) -> None:
    if value and (taken := sorted(value.keys() & ({"$v", *attrs.fields_dict(type(instance))} - {field.name}))):
        raise InvalidFieldError(
            f"extra holds {', '.join(taken)}, which the class has itself; set that field",
            code="extra.reserved",
            path=field.name,
        )

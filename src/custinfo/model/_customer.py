"""The customer."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any, cast

import attrs

from custinfo.errors import InvalidFieldError
from custinfo.model._contact import Address, Email, Identifier, PersonName, Phone, Tag, _optional_utc
from custinfo.model._field import Index, optional_text, personal, plain, required_text
from custinfo.model._ids import new_id

MERGED_INTO = Index(name="merged_into", text=lambda customer: customer.merged_into, blind=False)


class CustomerKind(StrEnum):
    """Person or organisation."""

    PERSON = "person"
    ORGANIZATION = "organization"


class CustomerStatus(StrEnum):
    """Where a customer record stands."""

    ACTIVE = "active"
    MERGED = "merged"
    ERASED = "erased"


def tuple_of(kind: type) -> Any:
    """Converter of attrs fields: a tuple of one value class."""

    def convert(value: object) -> tuple[Any, ...]:
        items = (value,) if isinstance(value, kind) else tuple(cast("Iterable[object]", value))
        if not all(isinstance(item, kind) for item in items):
            raise InvalidFieldError(f"every member must be a {kind.__name__}", code="field.type")
        return items

    return convert


def _date(_: object, attribute: Any, value: object) -> None:
    if value is not None and type(value) is not date:
        raise InvalidFieldError(f"{attribute.name} must be a date", code="date.type", path=attribute.name)


def _many(kind: type, pii: str, english: str, chinese: str, *, mask: str) -> Any:
    return personal(pii, english, chinese, mask=mask, default=(), converter=tuple_of(kind))


@attrs.frozen(kw_only=True)
class Customer:
    """A customer: a person or an organisation.

    Args:
        id: text that the caller may choose; a UUID version 7 when left out.
        version: of the stored record; 0 = not stored yet.
        extra: top-level keys that this release does not know; kept, and treated as personal.

    >>> customer = Customer(id="c1", names=[PersonName(given="Rosa", family="Prar")], emails=[Email("r@example.com")])
    >>> customer
    Customer(id='c1', version=0, kind=<CustomerKind.PERSON: 'person'>, status=<CustomerStatus.ACTIVE: 'active'>)
    """

    id: str = plain("id of the record", "记录编号", pii="pseudonym", factory=new_id, validator=required_text)
    version: int = plain("version of the stored record", "版本", default=0)
    kind: CustomerKind = plain("person or organization", "类型", default=CustomerKind.PERSON, converter=CustomerKind)
    status: CustomerStatus = plain("status", "状态", default=CustomerStatus.ACTIVE, converter=CustomerStatus)
    names: tuple[PersonName, ...] = _many(PersonName, "identity", "names", "姓名", mask="name")
    organization: str | None = personal(
        "identity", "name of the organisation", "单位名称", mask="first", default=None, validator=optional_text
    )
    emails: tuple[Email, ...] = _many(Email, "contact", "e-mail addresses", "电子邮箱", mask="email")
    phones: tuple[Phone, ...] = _many(Phone, "contact", "phone numbers", "电话号码", mask="phone")
    addresses: tuple[Address, ...] = _many(Address, "contact", "addresses", "地址", mask="hide")
    identifiers: tuple[Identifier, ...] = _many(Identifier, "identity", "identifiers", "证件", mask="last4")
    birth_date: date | None = personal(
        "demographic", "date of birth", "出生日期", mask="year", default=None, validator=_date
    )
    sex: str | None = personal("demographic", "sex", "性别", default=None, validator=optional_text)
    notes: tuple[str, ...] = personal(
        "content", "notes: preferences, special needs", "备注", default=(), converter=tuple_of(str)
    )
    tags: tuple[Tag, ...] = plain("tags", "标签", default=(), converter=tuple_of(Tag), repr=False)
    merged_into: str | None = plain(
        "id of the customer that this one was merged into",
        "合并到",
        pii="pseudonym",
        index=MERGED_INTO,
        default=None,
        repr=False,
        validator=optional_text,
    )
    created_at: datetime | None = plain("when created", "创建时间", default=None, repr=False, converter=_optional_utc)
    updated_at: datetime | None = plain("when changed", "更新时间", default=None, repr=False, converter=_optional_utc)
    extra: Mapping[str, Any] = personal("content", "keys unknown to this release", "其他字段", factory=dict)

"""The customer."""

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import attrs

from custinfo.errors import InvalidFieldError
from custinfo.model._check import choice, many, optional_date, optional_key, optional_text
from custinfo.model._contact import Address, Email, Identifier, Phone, Tag
from custinfo.model._field import Index, personal, plain
from custinfo.model._keys import time_key
from custinfo.model._name import PersonName
from custinfo.model._record import created, record_id, record_version, unknown_keys, updated

CREATED_AT = Index(name="created_at", text=lambda customer: time_key(customer.created_at), blind=False)
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


def _many(kind: type, pii: str, english: str, chinese: str, *, mask: str) -> Any:
    return personal(pii, english, chinese, mask=mask, default=(), converter=many(kind))


@attrs.frozen(kw_only=True)
class Customer:
    """A customer: a person or an organisation.

    Args:
        id: text that the caller may choose; a UUID version 7 when left out.
        version: of the stored record; 0 = not stored yet.
        extra: top-level keys that this release does not know, JSON values; kept, and treated as personal.

    Raises:
        InvalidFieldError: "customer.merged" where it is merged into itself or into nobody; those of the fields:
            "text.*", "int.*", "date.type", "time.*", "enum.unknown", "field.type", "json.*", "extra.reserved".

    >>> customer = Customer(id="c1", names=[PersonName(given="Rosa", family="Prar")], emails=[Email("r@example.com")])
    >>> customer
    Customer(id='c1', version=0, kind=<CustomerKind.PERSON: 'person'>, status=<CustomerStatus.ACTIVE: 'active'>)
    """

    id: str = record_id()
    version: int = record_version()
    kind: CustomerKind = plain(
        "person or organization", "类型", default=CustomerKind.PERSON, converter=choice(CustomerKind)
    )
    status: CustomerStatus = plain("status", "状态", default=CustomerStatus.ACTIVE, converter=choice(CustomerStatus))
    names: tuple[PersonName, ...] = _many(PersonName, "identity", "names", "姓名", mask="name")
    organization: str | None = personal(
        "identity", "name of the organisation", "单位名称", mask="first", default=None, validator=optional_text
    )
    emails: tuple[Email, ...] = _many(Email, "contact", "e-mail addresses", "电子邮箱", mask="email")
    phones: tuple[Phone, ...] = _many(Phone, "contact", "phone numbers", "电话号码", mask="phone")
    addresses: tuple[Address, ...] = _many(Address, "contact", "addresses", "地址", mask="hide")
    identifiers: tuple[Identifier, ...] = _many(Identifier, "identity", "identifiers", "证件", mask="last4")
    birth_date: date | None = personal(
        "demographic", "date of birth", "出生日期", mask="year", default=None, validator=optional_date
    )
    sex: str | None = personal("demographic", "sex", "性别", default=None, validator=optional_text)
    notes: tuple[str, ...] = personal(
        "content", "notes: preferences, special needs", "备注", default=(), converter=many(str)
    )
    tags: tuple[Tag, ...] = plain("tags", "标签", default=(), converter=many(Tag), repr=False)
    merged_into: str | None = plain(
        "id of the customer that this one was merged into",
        "合并到",
        pii="pseudonym",
        index=MERGED_INTO,
        default=None,
        repr=False,
        validator=optional_key,
    )
    created_at: datetime | None = created(CREATED_AT)
    updated_at: datetime | None = updated()
    extra: Mapping[str, Any] = unknown_keys()

    def __attrs_post_init__(self) -> None:
        if self.merged_into == self.id or (self.status is CustomerStatus.MERGED and self.merged_into is None):
            raise InvalidFieldError(
                "a merged customer names another one as merged_into", code="customer.merged", path="merged_into"
            )

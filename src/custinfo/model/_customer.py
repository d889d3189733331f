"""The customer."""

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Self

import attrs

from custinfo.errors import InvalidFieldError
from custinfo.model._address import Address
from custinfo.model._check import choice, json_object, many, optional_date, optional_key, optional_text
from custinfo.model._contact import Email, Identifier, Phone, Tag
from custinfo.model._field import Index, personal, plain
from custinfo.model._keys import time_key
from custinfo.model._lifecycle import LifecycleChange, LifecycleStage, check_lifecycle
from custinfo.model._name import PersonName
from custinfo.model._preference import Preference
from custinfo.model._record import created, record_id, record_version, unknown_keys, updated
from custinfo.model._relation import Relationship, Role
from custinfo.model._rules import choices, fault
from custinfo.model._social import SocialHandle
from custinfo.model._stamp import Stamp, stamp_of

CREATED_AT = Index(name="created_at", text=lambda customer: time_key(customer.created_at), blind=False)
MERGED_INTO = Index(name="merged_into", text=lambda customer: customer.merged_into, blind=False)
ROLE = Index(name="role", text=lambda _: None, texts=lambda customer: customer.roles, blind=False)
STAGE = Index(name="stage", text=lambda customer: customer.stage, blind=False)


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
        names: of a person, or of a contact person; one for each script or use, the first is shown.
        organization: name of an organisation.
        roles: what the customer is to us: payer, consignor, merchant, contact.
        relationships: what other customers are to this one.
        preferences: the first is liked best.
        lifecycle: stages with the time of each change, the oldest first; see `stage` and `moved_to`.
        provenance: where the values of fields came from, one stamp a path; see `stamp`.
        custom: values of fields of your own, JSON values; personal, encrypted. See `CustomFields`.
        custom_plain: those of fields that are declared not personal; stored in clear.
        extra: top-level keys that this release does not know, JSON values; kept, and treated as personal.

    Raises:
        InvalidFieldError: "customer.merged" where it is merged into itself or into nobody; "customer.relationship"
            (with itself), "lifecycle.order", "lifecycle.transition", "provenance.repeated" and "provenance.path" (no
            field of a customer); those of the fields: "text.*", "int.*", "date.type", "time.*", "enum.unknown",
            "field.*", "json.*", "extra.reserved".

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
    handles: tuple[SocialHandle, ...] = _many(
        SocialHandle, "contact", "names in social networks", "社交账号", mask="first"
    )
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
    roles: tuple[Role, ...] = plain(
        "what the customer is to us", "角色", index=ROLE, default=(), converter=choices(Role), repr=False
    )
    relationships: tuple[Relationship, ...] = _many(
        Relationship, "demographic", "relationships to other customers", "客户关系", mask="hide"
    )
    preferences: tuple[Preference, ...] = _many(Preference, "content", "preferences", "偏好", mask="hide")
    lifecycle: tuple[LifecycleChange, ...] = plain(
        "stages and when they were reached",
        "生命周期",
        index=STAGE,
        default=(),
        converter=many(LifecycleChange),
        repr=False,
    )
    provenance: tuple[Stamp, ...] = plain(
        "where the values came from", "数据来源", default=(), converter=many(Stamp), repr=False
    )
    custom: Mapping[str, Any] = personal(
        "content",
        "fields of your own, personal",
        "自定义字段（个人信息）",
        factory=dict,
        hash=False,
        converter=json_object,
    )
    custom_plain: Mapping[str, Any] = plain(
        "fields of your own, not personal",
        "自定义字段（非个人信息）",
        factory=dict,
        hash=False,
        repr=False,
        converter=json_object,
    )
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
        if self.relationships or self.lifecycle or self.provenance:
            self._check_more()

    def _check_more(self) -> None:
        if any(one.other_id == self.id for one in self.relationships):
            raise fault(
                "customer.relationship",
                "relationships",
                "a customer has no relationship with himself; name another one",
            )
        check_lifecycle(self.lifecycle, "lifecycle")
        paths = [stamp.path for stamp in self.provenance]
        if len(set(paths)) < len(paths):
            raise fault("provenance.repeated", "provenance", "a path has two stamps; keep the one that counts")
        known = attrs.fields_dict(type(self))
        if any(path.partition(".")[0].partition("[")[0] not in known for path in paths):
            raise fault(
                "provenance.path",
                "provenance",
                "a path begins with no field of a customer; write it as in emails[0].value",
            )

    @property
    def stage(self) -> LifecycleStage | None:
        """The stage that the customer is in, by `lifecycle`; None where that is not kept."""
        return self.lifecycle[-1].stage if self.lifecycle else None

    def moved_to(self, stage: LifecycleStage | str, *, at: datetime, reason: str | None = None) -> Self:
        """The customer after a change of stage.

        Args:
            stage: the new one.
            at: when; aware.
            reason: code of why.

        Raises:
            InvalidFieldError: "lifecycle.transition", "lifecycle.order" (before the last change), "enum.unknown",
                "time.*".

        >>> from datetime import UTC, datetime
        >>> customer = Customer(id="c1").moved_to("prospect", at=datetime(2026, 1, 31, tzinfo=UTC))
        >>> customer.moved_to("active", at=datetime(2026, 2, 1, tzinfo=UTC)).stage
        <LifecycleStage.ACTIVE: 'active'>
        """
        given: Any = stage  # mypy does not know that the field takes text too
        change = LifecycleChange(stage=given, at=at, reason=reason)
        return attrs.evolve(self, lifecycle=(*self.lifecycle, change))

    def stamp(self, path: str) -> Stamp | None:
        """Where the value of a field came from: the stamp of the path, else that of what it is part of.

        >>> from datetime import UTC, datetime
        >>> when = datetime(2026, 1, 31, tzinfo=UTC)
        >>> Customer(provenance=[Stamp(path="emails", source="pos", at=when)]).stamp("emails[0].value").source
        'pos'
        """
        return stamp_of(self.provenance, path)

"""What customers are to us and to each other."""

from enum import StrEnum

import attrs

from custinfo.model._check import choice, key_text, optional_text
from custinfo.model._field import Index, personal, plain
from custinfo.model._range import DateRange
from custinfo.model._rules import one_of

RELATED = Index(name="related", text=lambda relationship: relationship.other_id)


class Role(StrEnum):
    """What a customer is to us; one may be several."""

    PAYER = "payer"
    CONSIGNOR = "consignor"
    MERCHANT = "merchant"
    CONTACT = "contact"


class RelationshipKind(StrEnum):
    """What the other customer is to this one."""

    SPOUSE = "spouse"
    PARENT = "parent"
    CHILD = "child"
    SIBLING = "sibling"
    GUARDIAN = "guardian"
    HOUSEHOLD = "household"
    EMPLOYER = "employer"
    EMPLOYEE = "employee"
    CONTACT = "contact"
    AGENT = "agent"
    PARENT_ORGANIZATION = "parent_organization"
    SUBSIDIARY = "subsidiary"
    REFERRER = "referrer"
    OTHER = "other"


@attrs.frozen(kw_only=True)
class Relationship:
    """What another customer is to this one: ``kind="parent"`` says that the other is the parent.

    Args:
        other_id: id of the other customer.
        label: in words, such as the kind where it is "other".
        valid: days on which it holds.

    Raises:
        InvalidFieldError: "enum.unknown", "field.type", "text.*".

    Source: the kinds are those of vCard's RELATED (RFC 6350, August 2011) and of schema.org that concern payments.

    >>> Relationship(kind="employer", other_id="c9").other_id
    'c9'
    """

    kind: RelationshipKind = personal(
        "demographic", "what the other is", "关系", default=RelationshipKind.OTHER, converter=choice(RelationshipKind)
    )
    other_id: str = personal("demographic", "id of the other customer", "对方编号", index=RELATED, validator=key_text)
    label: str | None = personal("demographic", "in words", "说明", default=None, validator=optional_text)
    valid: DateRange | None = plain("days on which it holds", "有效期", default=None, validator=one_of(DateRange))

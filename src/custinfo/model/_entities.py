"""The stored classes by kind, and the value classes inside them."""

from __future__ import annotations

from custinfo.model._account import Account, Transaction
from custinfo.model._consent import Consent
from custinfo.model._contact import Address, Email, Identifier, Phone, Tag
from custinfo.model._coupon import Coupon
from custinfo.model._customer import Customer
from custinfo.model._field import FieldInfo, fields_of
from custinfo.model._interaction import Interaction
from custinfo.model._merge import Merge
from custinfo.model._money import Money
from custinfo.model._name import PersonName
from custinfo.model._points import LoyaltyEntry
from custinfo.model._review import ReviewTask

ENTITIES: dict[str, type] = {
    "customer": Customer,
    "account": Account,
    "transaction": Transaction,
    "interaction": Interaction,
    "consent": Consent,
    "merge": Merge,
    "reviewtask": ReviewTask,
    "loyaltyentry": LoyaltyEntry,
    "coupon": Coupon,
}
VALUES: tuple[type, ...] = (Money, PersonName, Email, Phone, Address, Identifier, Tag)


def kind_of(cls: type) -> str:
    """The kind under which objects of a class are stored: its name in lower case.

    >>> kind_of(Customer)
    'customer'
    """
    return cls.__name__.lower()


def catalogue() -> dict[str, tuple[FieldInfo, ...]]:
    """The field catalogue of every stored class, by kind.

    >>> sorted(catalogue())[:2]
    ['account', 'consent']
    """
    return {kind: fields_of(cls) for kind, cls in ENTITIES.items()}

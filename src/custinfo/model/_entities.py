"""The stored classes by kind, and the value classes inside them."""

from __future__ import annotations

from custinfo.model._account import Account, Transaction
from custinfo.model._address import Address
from custinfo.model._change_request import ChangeRequest
from custinfo.model._consent import Consent
from custinfo.model._contact import Email, Identifier, Phone, Tag
from custinfo.model._coupon import Coupon
from custinfo.model._customer import Customer
from custinfo.model._feedback import Feedback
from custinfo.model._field import FieldInfo, fields_of
from custinfo.model._interaction import Interaction
from custinfo.model._lifecycle import LifecycleChange
from custinfo.model._merge import Merge
from custinfo.model._money import Money
from custinfo.model._name import PersonName
from custinfo.model._payment_method import PaymentMethod
from custinfo.model._points import LoyaltyEntry
from custinfo.model._preference import Preference
from custinfo.model._range import DateRange
from custinfo.model._relation import Relationship
from custinfo.model._review import ReviewTask
from custinfo.model._social import SocialHandle
from custinfo.model._stamp import Stamp

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
    "paymentmethod": PaymentMethod,
    "feedback": Feedback,
    "changerequest": ChangeRequest,
}
# Those that others hold come first.
VALUES: tuple[type, ...] = (
    Money,
    DateRange,
    PersonName,
    Email,
    Phone,
    SocialHandle,
    Address,
    Identifier,
    Tag,
    Relationship,
    Preference,
    LifecycleChange,
    Stamp,
)


def kind_of(cls: type) -> str:
    """The kind under which objects of a class are stored: its name in lower case.

    >>> kind_of(Customer)
    'customer'
    """
    return cls.__name__.lower()


def catalogue() -> dict[str, tuple[FieldInfo, ...]]:
    """The field catalogue of every stored class, by kind.

    >>> sorted(catalogue())[:2]
    ['account', 'changerequest']
    """
    return {kind: fields_of(cls) for kind, cls in ENTITIES.items()}

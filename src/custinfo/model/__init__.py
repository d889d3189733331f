"""Customers, accounts and money: value objects, entities, the field catalogue and their JSON form."""

from custinfo._lazy import lazy_exports

TYPE_CHECKING = False
if TYPE_CHECKING:
    from custinfo.model._account import Account, AccountStatus, Transaction, TransactionKind, TransactionStatus
    from custinfo.model._address import Address
    from custinfo.model._aging import Aging, AgingBucket, OpenItem, aging
    from custinfo.model._change_request import ChangeRequest, ChangeRequestStatus, check_change_request
    from custinfo.model._codec import dumps, from_dict, loads, plain_value, to_dict
    from custinfo.model._consent import Consent, ConsentStatus
    from custinfo.model._contact import Email, Identifier, Phone, Tag
    from custinfo.model._coupon import Coupon, CouponStatus
    from custinfo.model._custom_field import CustomField
    from custinfo.model._custom_fields import CustomFields
    from custinfo.model._customer import Customer, CustomerKind, CustomerStatus
    from custinfo.model._discount import CouponUse, apply_coupon, apply_coupons
    from custinfo.model._entities import catalogue, kind_of
    from custinfo.model._feedback import Feedback, FeedbackKind, FeedbackStatus
    from custinfo.model._field import FieldInfo, Index, fields_of, personal_fields
    from custinfo.model._ids import new_id
    from custinfo.model._interaction import Channel, Direction, Interaction
    from custinfo.model._iso4217 import is_currency, minor_digits
    from custinfo.model._json_schema import json_schema
    from custinfo.model._keys import email_key, handle_key, identifier_key, name_key, phone_key
    from custinfo.model._ledger import balance, by_currency, check_transition
    from custinfo.model._lifecycle import LifecycleChange, LifecycleStage, next_stages
    from custinfo.model._lookup import Term, indexes_of, lookup_terms
    from custinfo.model._lots import LoyaltyLot, LoyaltyState, LoyaltyUse
    from custinfo.model._loyalty import loyalty_balance, loyalty_state, loyalty_tier
    from custinfo.model._mask import mask
    from custinfo.model._masked import masked
    from custinfo.model._merge import Merge
    from custinfo.model._money import Money
    from custinfo.model._name import NameUse, PersonName
    from custinfo.model._payment_method import PaymentMethod, PaymentMethodKind, PaymentMethodStatus, holds_pan
    from custinfo.model._points import LoyaltyEntry, LoyaltyKind
    from custinfo.model._preference import Preference
    from custinfo.model._range import DateRange
    from custinfo.model._refund import check_ledger, check_refund
    from custinfo.model._relation import Relationship, RelationshipKind, Role
    from custinfo.model._review import ReviewStatus, ReviewTask
    from custinfo.model._social import SocialHandle
    from custinfo.model._stamp import Stamp
    from custinfo.model._statement import AccountStatement, StatementLine, statement
    from custinfo.model._zone import zone_of

_MODULES = {
    "_account": (
        "Account",
        "AccountStatus",
        "Transaction",
        "TransactionKind",
        "TransactionStatus",
    ),
    "_address": ("Address",),
    "_aging": (
        "Aging",
        "AgingBucket",
        "OpenItem",
        "aging",
    ),
    "_change_request": (
        "ChangeRequest",
        "ChangeRequestStatus",
        "check_change_request",
    ),
    "_codec": (
        "dumps",
        "from_dict",
        "loads",
        "plain_value",
        "to_dict",
    ),
    "_consent": (
        "Consent",
        "ConsentStatus",
    ),
    "_contact": (
        "Email",
        "Identifier",
        "Phone",
        "Tag",
    ),
    "_coupon": (
        "Coupon",
        "CouponStatus",
    ),
    "_custom_field": ("CustomField",),
    "_custom_fields": ("CustomFields",),
    "_customer": (
        "Customer",
        "CustomerKind",
        "CustomerStatus",
    ),
    "_discount": (
        "CouponUse",
        "apply_coupon",
        "apply_coupons",
    ),
    "_entities": (
        "catalogue",
        "kind_of",
    ),
    "_feedback": (
        "Feedback",
        "FeedbackKind",
        "FeedbackStatus",
    ),
    "_field": (
        "FieldInfo",
        "Index",
        "fields_of",
        "personal_fields",
    ),
    "_ids": ("new_id",),
    "_interaction": (
        "Channel",
        "Direction",
        "Interaction",
    ),
    "_iso4217": (
        "is_currency",
        "minor_digits",
    ),
    "_json_schema": ("json_schema",),
    "_keys": (
        "email_key",
        "handle_key",
        "identifier_key",
        "name_key",
        "phone_key",
    ),
    "_ledger": (
        "balance",
        "by_currency",
        "check_transition",
    ),
    "_lifecycle": (
        "LifecycleChange",
        "LifecycleStage",
        "next_stages",
    ),
    "_lookup": (
        "Term",
        "indexes_of",
        "lookup_terms",
    ),
    "_lots": (
        "LoyaltyLot",
        "LoyaltyState",
        "LoyaltyUse",
    ),
    "_loyalty": (
        "loyalty_balance",
        "loyalty_state",
        "loyalty_tier",
    ),
    "_mask": ("mask",),
    "_masked": ("masked",),
    "_merge": ("Merge",),
    "_money": ("Money",),
    "_name": (
        "NameUse",
        "PersonName",
    ),
    "_payment_method": (
        "PaymentMethod",
        "PaymentMethodKind",
        "PaymentMethodStatus",
        "holds_pan",
    ),
    "_points": (
        "LoyaltyEntry",
        "LoyaltyKind",
    ),
    "_preference": ("Preference",),
    "_range": ("DateRange",),
    "_refund": (
        "check_ledger",
        "check_refund",
    ),
    "_relation": (
        "Relationship",
        "RelationshipKind",
        "Role",
    ),
    "_review": (
        "ReviewStatus",
        "ReviewTask",
    ),
    "_social": ("SocialHandle",),
    "_stamp": ("Stamp",),
    "_statement": (
        "AccountStatement",
        "StatementLine",
        "statement",
    ),
    "_zone": ("zone_of",),
}
__all__ = [
    "Account",
    "AccountStatement",
    "AccountStatus",
    "Address",
    "Aging",
    "AgingBucket",
    "ChangeRequest",
    "ChangeRequestStatus",
    "Channel",
    "Consent",
    "ConsentStatus",
    "Coupon",
    "CouponStatus",
    "CouponUse",
    "CustomField",
    "CustomFields",
    "Customer",
    "CustomerKind",
    "CustomerStatus",
    "DateRange",
    "Direction",
    "Email",
    "Feedback",
    "FeedbackKind",
    "FeedbackStatus",
    "FieldInfo",
    "Identifier",
    "Index",
    "Interaction",
    "LifecycleChange",
    "LifecycleStage",
    "LoyaltyEntry",
    "LoyaltyKind",
    "LoyaltyLot",
    "LoyaltyState",
    "LoyaltyUse",
    "Merge",
    "Money",
    "NameUse",
    "OpenItem",
    "PaymentMethod",
    "PaymentMethodKind",
    "PaymentMethodStatus",
    "PersonName",
    "Phone",
    "Preference",
    "Relationship",
    "RelationshipKind",
    "ReviewStatus",
    "ReviewTask",
    "Role",
    "SocialHandle",
    "Stamp",
    "StatementLine",
    "Tag",
    "Term",
    "Transaction",
    "TransactionKind",
    "TransactionStatus",
    "aging",
    "apply_coupon",
    "apply_coupons",
    "balance",
    "by_currency",
    "catalogue",
    "check_change_request",
    "check_ledger",
    "check_refund",
    "check_transition",
    "dumps",
    "email_key",
    "fields_of",
    "from_dict",
    "handle_key",
    "holds_pan",
    "identifier_key",
    "indexes_of",
    "is_currency",
    "json_schema",
    "kind_of",
    "loads",
    "lookup_terms",
    "loyalty_balance",
    "loyalty_state",
    "loyalty_tier",
    "mask",
    "masked",
    "minor_digits",
    "name_key",
    "new_id",
    "next_stages",
    "personal_fields",
    "phone_key",
    "plain_value",
    "statement",
    "to_dict",
    "zone_of",
]

__getattr__, __dir__ = lazy_exports(
    __name__, {name: f"{__name__}.{module}" for module, names in _MODULES.items() for name in names}
)

"""What the engines read: columns of customers for duplicates, columns of payments for segments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from custinfo.book._desk import Desk
from custinfo.model import Address, Customer, PersonName, TransactionKind, TransactionStatus

_NAME = {"given_name": "given", "family_name": "family", "middle_name": "middle", "full_name": "full"}
_ADDRESS = {
    "house_number": "building_number",
    "street": "street_name",
    "unit": "unit",
    "locality": "locality",
    "region": "administrative_area",
    "postal_code": "postal_code",
    "country": "region_code",
}
_RECEIVED = [TransactionKind.PAYMENT.value, TransactionKind.ADJUSTMENT.value]
_DERIVED = ("customer_id", "amount_minor", "currency")
_NEEDED = ("account_id", "status", "kind", "amount.minor", "amount.currency")


def duplicate_columns(customers: list[Customer]) -> tuple[dict[str, list[Any]], dict[str, str]]:
    """Columns for `find_duplicates` and their kinds; columns with nothing in them are left out.

    The first two e-mails and phones are alternatives of one field; external ids are no evidence, since each source
    numbers its own records.
    """
    columns: dict[str, list[Any]] = {}
    kinds: dict[str, str] = {}

    def add(name: str, kind: str, values: list[Any]) -> None:
        if any(value is not None for value in values):
            columns[name], kinds[name] = values, kind

    names = [customer.names[0] if customer.names else None for customer in customers]
    addresses = [customer.addresses[0] if customer.addresses else None for customer in customers]
    for name, part in _NAME.items():
        add(name, name, [_part(value, part) for value in names])
    add("organization", "organization", [customer.organization for customer in customers])
    for number in range(2):
        add(f"email_{number + 1}", "email", [_nth(customer.emails, number) for customer in customers])
        add(f"phone_{number + 1}", "phone", [_nth(customer.phones, number) for customer in customers])
    add("birth_date", "birth_date", [c.birth_date.isoformat() if c.birth_date else None for c in customers])
    add("sex", "sex", [customer.sex for customer in customers])
    add("address", "address", [", ".join(a.address_lines) or None if a else None for a in addresses])
    for name, part in _ADDRESS.items():
        add(name, name, [_part(value, part) for value in addresses])
    add("national_id", "national_id", [_national_id(customer) for customer in customers])
    return columns, kinds


def _part(value: PersonName | Address | None, name: str) -> Any:
    return getattr(value, name) if value is not None else None


def _nth(values: tuple[Any, ...], number: int) -> str | None:
    return values[number].value if len(values) > number else None


def _national_id(customer: Customer) -> str | None:
    return next((one.value for one in customer.identifiers if one.scheme != "external"), None)


def payment_columns(desk: Desk, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Posted payments and refunds as columns, without building objects.

    Args:
        desk: the book's inside.
        names: ``customer_id``, ``amount_minor`` (int64; refunds and chargebacks negative), ``currency`` or any field of
            a transaction that is not personal.

    Returns:
        Name -> array of shape (n,), in code-point order of the ids.
    """
    direct = [name for name in names if name not in _DERIVED]
    raw = desk.transactions.columns(list(dict.fromkeys([*direct, *_NEEDED])))
    counted = (raw["status"] == TransactionStatus.POSTED.value) & (raw["kind"] != TransactionKind.PAYOUT.value)
    raw = {name: values[counted] for name, values in raw.items()}
    amount = raw["amount.minor"].astype(np.int64)
    derived = {
        "amount_minor": np.where(np.isin(raw["kind"].astype(str), _RECEIVED), amount, -amount),
        "currency": raw["amount.currency"],
    }
    if "customer_id" in names:
        accounts = desk.accounts.columns(["id", "customer_id"])
        owner = dict(zip(accounts["id"], accounts["customer_id"], strict=True))
        derived["customer_id"] = np.array([owner.get(id) for id in raw["account_id"]], dtype=object)
    return {name: derived[name] if name in _DERIVED else raw[name] for name in names}

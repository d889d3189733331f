"""Customers as the columns that duplicate detection reads."""

from __future__ import annotations

from typing import Any

from custinfo.model import Address, Customer, PersonName

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

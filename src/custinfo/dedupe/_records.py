"""Records as the columns that are searched: those of a table, or of customers unfolded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from custinfo._columns import lasting, read_columns
from custinfo.model import Address, Customer, Identifier, PersonName

__all__ = ["read_records"]

Column = np.ndarray[Any, np.dtype[Any]]

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
_VERIFIED_SCHEMES = 8


def read_records(records: object) -> tuple[dict[str, Column], dict[str, str] | None]:
    """Columns of records and, for customers, their kinds; None for a table, whose kinds follow from its content.

    Raises:
        InvalidFieldError: ``columns.*``, as `custinfo._columns.read_columns`.
    """
    records = lasting(records)
    if isinstance(records, Iterable) and not isinstance(records, Mapping) and not hasattr(records, "columns"):
        first = next(iter(records), None)
        if isinstance(first, Customer):
            rows = list(records)
            if all(isinstance(row, Customer) for row in rows):
                columns, kinds = _unfold(rows)
                return read_columns(columns), kinds
    return read_columns(records), None


def _unfold(customers: Sequence[Customer]) -> tuple[dict[str, list[Any]], dict[str, str]]:
    """Columns of customers and their kinds; columns with nothing in them are left out.

    The first two e-mails and phones are alternatives of one field; external ids are no evidence, since each source
    numbers its own records. Identifiers that were verified have a column for each scheme and country, since only those
    of one scheme can be two persons' because they differ.
    """
    columns: dict[str, list[Any]] = {"id": [customer.id for customer in customers]}
    kinds: dict[str, str] = {"id": "ignore"}

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
    schemes = _verified_schemes(customers)
    add("national_id", "national_id", [_number(customer, None, schemes) for customer in customers])
    for scheme in schemes:
        name = ":".join(("verified_id", *filter(None, scheme)))
        add(name, "verified_id", [_number(customer, scheme, schemes) for customer in customers])
    return columns, kinds


def _verified_schemes(customers: Sequence[Customer]) -> list[tuple[str, str]]:
    """(scheme, country) of the identifiers that were verified, the most frequent ones."""
    counts = Counter(
        _scheme(one) for customer in customers for one in customer.identifiers if one.verified_at and _is_evidence(one)
    )
    return sorted(sorted(counts, key=lambda scheme: (-counts[scheme], scheme))[:_VERIFIED_SCHEMES])


def _number(customer: Customer, verified: tuple[str, str] | None, schemes: Sequence[tuple[str, str]]) -> str | None:
    """The first verified number of one scheme; for None the first one that has no column of its own."""
    for one in customer.identifiers:
        own = _scheme(one) if one.verified_at and _scheme(one) in schemes else None
        if _is_evidence(one) and own == verified:
            return one.value
    return None


def _is_evidence(identifier: Identifier) -> bool:
    return identifier.scheme != "external"


def _scheme(identifier: Identifier) -> tuple[str, str]:
    return identifier.scheme, identifier.country or ""


def _part(value: PersonName | Address | None, name: str) -> Any:
    return getattr(value, name) if value is not None else None


def _nth(values: tuple[Any, ...], number: int) -> str | None:
    return values[number].value if len(values) > number else None

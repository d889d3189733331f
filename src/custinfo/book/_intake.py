"""Rows of a source file as customers and transactions: pure, no store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any

import attrs

from custinfo import validate
from custinfo.errors import InvalidFieldError
from custinfo.model import (
    Address,
    Email,
    Identifier,
    Money,
    PersonName,
    Phone,
    Tag,
    TransactionKind,
    TransactionStatus,
)

_NAME = {"given_name": "given", "family_name": "family", "middle_name": "middle", "full_name": "full"}
_ADDRESS = {
    "street": "street_name",
    "house_number": "building_number",
    "unit": "unit",
    "sublocality": "sublocality",
    "locality": "locality",
    "region": "administrative_area",
    "postal_code": "postal_code",
    "country": "region_code",
}
_PLAIN = ("organization", "sex")
CUSTOMER_FIELDS = (
    "external_id",
    "national_id",
    *_NAME,
    *_PLAIN,
    "email",
    "phone",
    "birth_date",
    "address",
    *_ADDRESS,
    "note",
    "tag",
)
# Transactions come from many systems; each line: our name first, then other usual names of the same thing.
_TRANSACTION_NAMES = (
    ("id", "transaction_id", "external_id"),
    ("customer", "customer_external_id"),
    ("customer_id",),
    ("account_id",),
    ("occurred_at", "date"),
    ("amount",),
    ("amount_minor",),
    ("currency",),
    ("kind",),
    ("status",),
    ("channel",),
    ("method",),
    ("merchant",),
    ("description",),
    ("related_id",),
)
# What becomes an id or a look-up key must fit in one: 1,024 bytes with what is put around it.
_KEYS = frozenset({"external_id", "national_id", "tag", "id", "customer", "customer_id", "account_id"})
_KEY_BYTES = 800
TRANSACTION_FIELDS = tuple(name for names in _TRANSACTION_NAMES for name in names)
TRANSACTION_ALIASES = {name: names[0] for names in _TRANSACTION_NAMES for name in names}


@attrs.frozen
class Finding:
    """Something wrong with one field of a row: its name, a code and how bad it is."""

    field: str
    code: str
    severity: str = "error"


@attrs.define
class Intake:
    """What a row gives: values by model field, what was found on the way, and by which names the row calls fields."""

    values: dict[str, Any] = attrs.field(factory=dict, repr=False)
    findings: list[Finding] = attrs.field(factory=list)
    names: dict[str, str] = attrs.field(factory=dict)

    def check(self, field: str, result: Any) -> Any:
        """The normal form of a checked cell, or None; its issues are noted."""
        self.findings += [
            Finding(field, issue.code, issue.severity) for issue in result.issues if issue.severity != "info"
        ]
        return result.value if result.ok else None


def read_customer(row: Mapping[str, str], *, source_name: str, region: str | None) -> Intake:
    """The fields of a customer that a row gives; empty cells give nothing, bad ones only a finding.

    Args:
        row: text by the names of `CUSTOMER_FIELDS`.
        source_name: issuer of the external id.
        region: country of phone numbers without a country code, ISO 3166-1 alpha-2.
    """
    intake = Intake()
    cells = {name: text.strip() for name, text in row.items() if text.strip()}
    country = intake.check("country", validate.country(cells["country"])) if "country" in cells else None
    checks: dict[str, Callable[[str], Any]] = {
        "email": validate.email,
        "birth_date": validate.date,
        "phone": lambda text: validate.phone(text, region=country or region),
        "postal_code": lambda text: validate.postal_code(text, country=country),
        **dict.fromkeys(_NAME, validate.person_name),
    }
    good = {"country": country} if country else {}
    for name, text in cells.items():
        if name != "country":
            value = intake.check(name, checks.get(name, validate.text)(text))
            if name in _KEYS and value is not None and len(value.encode("utf-8", "replace")) > _KEY_BYTES:
                intake.findings.append(Finding(name, "text.too_long"))
            elif value is not None:
                good[name] = value
    intake.values = _customer_values(good, source_name)
    return intake


def _customer_values(good: Mapping[str, Any], source_name: str) -> dict[str, Any]:
    values: dict[str, Any] = {name: good[name] for name in (*_PLAIN, "birth_date") if name in good}
    if name := {part: good[cell] for cell, part in _NAME.items() if cell in good}:
        values["names"] = (PersonName(**name),)
    address = {part: good[cell] for cell, part in _ADDRESS.items() if cell in good}
    if "address" in good:
        address["address_lines"] = (good["address"],)
    if address:
        values["addresses"] = (Address(**address),)
    single = {"email": ("emails", Email), "phone": ("phones", Phone), "note": ("notes", str), "tag": ("tags", Tag)}
    values |= {field: (make(good[cell]),) for cell, (field, make) in single.items() if cell in good}
    identifiers = []
    if "external_id" in good:
        identifiers.append(Identifier(scheme="external", issuer=source_name, value=good["external_id"]))
    if "national_id" in good:
        identifiers.append(Identifier(scheme="national_id", value=good["national_id"], country=good.get("country")))
    if identifiers:
        values["identifiers"] = tuple(identifiers)
    return values


def read_transaction(row: Mapping[str, str], *, source_name: str, currency: str, time_zone: tzinfo) -> Intake:
    """The fields of a transaction that a row gives; `customer` stays the customer's external id.

    Args:
        row: text by the names of `TRANSACTION_FIELDS`.
        source_name: made part of the id, so that two sources may count from 1.
        currency: of rows that name none.
        time_zone: of times without an offset.
    """
    intake = Intake(names={TRANSACTION_ALIASES[name]: name for name in row})
    cells = {TRANSACTION_ALIASES[name]: text.strip() for name, text in row.items() if text.strip()}
    values = intake.values
    for name in ("id", "amount" if "amount_minor" not in cells else "amount_minor", "occurred_at"):
        if name not in cells:
            intake.findings.append(Finding(name, f"transaction.no_{name}"))
    for name in cells.keys() - {"amount", "amount_minor", "occurred_at", "currency", "kind", "status"}:
        values[name] = intake.check(name, validate.text(cells[name]))
    for name in _KEYS & values.keys():
        if len(str(values[name]).encode("utf-8", "replace")) > _KEY_BYTES:
            values[name] = None
            intake.findings.append(Finding(name, "text.too_long"))
    if values.get("id"):
        # Escaped, so that no two sources make one id.
        values["id"] = f"{source_name.replace('%', '%25').replace(':', '%3A')}:{values['id']}"
    currency = cells.get("currency", currency).upper()
    _keep(intake, "occurred_at", lambda: _time(cells["occurred_at"], time_zone), cells)
    _keep(intake, "kind", lambda: _choice(TransactionKind, cells["kind"], "kind"), cells)
    _keep(intake, "status", lambda: _choice(TransactionStatus, cells["status"], "status"), cells)
    if "amount_minor" in cells:
        _keep(intake, "amount_minor", lambda: _minor(cells["amount_minor"], currency), cells)
        values["amount"] = values.pop("amount_minor", None)
    else:
        _keep(intake, "amount", lambda: Money.of(cells["amount"], currency), cells)
    amount = values.get("amount")
    if amount is not None and amount.minor == -(2**63):
        intake.findings.append(Finding("amount", "money.range"))
    elif amount is not None and amount.minor < 0 and values.get("kind") in {None, TransactionKind.PAYMENT}:
        values |= {"kind": TransactionKind.REFUND, "amount": -amount}
    return intake


def _keep(intake: Intake, name: str, read: Callable[[], Any], cells: Mapping[str, str]) -> None:
    if name in cells:
        try:
            intake.values[name] = read()
        except InvalidFieldError as error:
            field = "currency" if error.code.startswith("currency.") else name
            intake.findings.append(Finding(field, error.code))


def _time(text: str, time_zone: tzinfo) -> datetime:
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        day = validate.date(text).unwrap()
        when = datetime(day.year, day.month, day.day)
    try:
        return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=time_zone).astimezone(UTC)
    except OverflowError:
        raise InvalidFieldError(
            "the time lies outside the years 1 to 9999; correct the year", code="time.range"
        ) from None


def _choice(kind: Any, text: str, name: str) -> Any:
    try:
        return kind(text.lower())
    except ValueError:
        raise InvalidFieldError(
            f"{name} must be one of {', '.join(kind)}", code=f"transaction.{name}", path=name
        ) from None


def _minor(text: str, currency: str) -> Money:
    try:
        return Money(int(text), currency)
    except ValueError:
        raise InvalidFieldError("amount_minor must be a whole number", code="money.minor") from None

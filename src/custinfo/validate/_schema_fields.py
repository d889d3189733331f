"""Validators and rules for classes of records, found by the names of their fields."""

from __future__ import annotations

import datetime as dt
import types
from typing import Any, Union, get_args

import attrs

from custinfo.errors import InvalidFieldError
from custinfo.validate import _bic, _cn_id, _country, _currency, _date, _hkid, _iban, _luhn, _name, _url, _uscc
from custinfo.validate._email import email
from custinfo.validate._phone import phone
from custinfo.validate._postal import postal_code
from custinfo.validate._protocol import Validator
from custinfo.validate._schema import Rule
from custinfo.validate._text import text

__all__ = ["fields_by_name", "own_rules"]

_BY_NAME: dict[str, Validator[Any]] = {
    "email": email,
    "email_address": email,
    "phone": phone,
    "mobile": phone,
    "telephone": phone,
    "phone_number": phone,
    "given": _name.person_name,
    "family": _name.person_name,
    "given_name": _name.person_name,
    "family_name": _name.person_name,
    "full_name": _name.person_name,
    "surname": _name.person_name,
    "postal_code": postal_code,
    "postcode": postal_code,
    "zip_code": postal_code,
    "country": _country.country,
    "country_code": _country.country,
    "region_code": _country.country,
    "currency": _currency.currency,
    "iban": _iban.iban,
    "bic": _bic.bic,
    "lei": _bic.lei,
    "cn_resident_id": _cn_id.cn_resident_id,
    "cn_uscc": _uscc.cn_uscc,
    "hkid": _hkid.hkid,
    "card_number": _luhn.card,
    "url": _url.url,
    "website": _url.url,
}
_TEXT_KINDS = frozenset({str, tuple, list, type(None), types.UnionType, Union})
_BY_CLASS = {("Email", "value"): email, ("Phone", "value"): phone}
_IDENTIFIERS: dict[str, Validator[Any]] = {
    name: _BY_NAME[name] for name in ("cn_resident_id", "cn_uscc", "hkid", "iban", "bic", "lei")
}


def fields_by_name(model: type[Any]) -> dict[str, Validator[Any] | None]:
    """Path -> validator of the fields of an attrs class and of the attrs classes in it.

    >>> from custinfo.model import Customer
    >>> [path for path, validator in fields_by_name(Customer).items() if validator is email]
    ['emails[].value']
    """
    if not attrs.has(model):
        raise InvalidFieldError("a class made with attrs is needed, such as custinfo.model.Customer", code="schema")
    found: dict[str, Validator[Any] | None] = {}
    _collect(attrs.resolve_types(model), "", found, {model})
    return found


def _collect(model: type[Any], prefix: str, found: dict[str, Validator[Any] | None], above: set[type]) -> None:
    for attribute in attrs.fields(model):
        path = f"{prefix}{attribute.name}"
        kinds = _kinds(attribute.type)
        inner = next((kind for kind in kinds if isinstance(kind, type) and attrs.has(kind)), None)
        each = "[]" if any(kind in (tuple, list) for kind in kinds) else ""
        if inner is not None:
            if inner not in above:
                _collect(attrs.resolve_types(inner), f"{path}{each}.", found, above | {inner})
            continue
        validator: Validator[Any] | None = _BY_CLASS.get((model.__name__, attribute.name))
        validator = validator or _BY_NAME.get(attribute.name)
        if validator is None and dt.date in kinds:
            validator = _date.date
        if validator is None and str in kinds and _TEXT_KINDS.issuperset(kinds) and not attribute.name.endswith("id"):
            validator = text.with_options(multiline=True)
        if validator is not None:
            found[path + each] = validator


def _kinds(annotation: Any) -> list[object]:
    """The plain types in an annotation: ``tuple[Email, ...] | None`` has tuple and Email."""
    arguments = [argument for argument in get_args(annotation) if argument is not Ellipsis]
    origin = getattr(annotation, "__origin__", None)
    found = [annotation if origin is None else origin]
    for argument in arguments:
        found += _kinds(argument)
    return found


def own_rules(model: type) -> tuple[Rule, ...]:
    """The rules that records of `custinfo.model` bring along."""
    if model.__module__.partition(".")[0] != "custinfo":
        return ()
    names = {attribute.name for attribute in attrs.fields(model)}
    rules = []
    if "identifiers" in names:
        rules.append(Rule("rule.identifier", ("identifiers[]",), _identifiers_are_valid))
        rules.append(Rule("rule.birth_date_of_id", ("birth_date", "identifiers[]"), _birth_date_fits))
    if {"phones", "addresses"} <= names:
        rules.append(
            Rule(
                "rule.phone_country",
                ("phones[].value", "addresses[].region_code"),
                _one_phone_is_of_a_country,
                severity="warning",
            )
        )
    if {"opened_at", "closed_at"} <= names:
        rules.append(Rule("rule.closed_before_opened", ("opened_at", "closed_at"), _in_order))
    return tuple(rules)


def _identifiers_are_valid(identifiers: tuple[Any, ...]) -> bool:
    known = [(_IDENTIFIERS.get(identifier.scheme), identifier.value) for identifier in identifiers]
    return all(validator(value).ok for validator, value in known if validator is not None)


def _birth_date_fits(birth_date: dt.date, identifiers: tuple[Any, ...]) -> bool:
    results = [_cn_id.cn_resident_id(one.value) for one in identifiers if one.scheme == "cn_resident_id"]
    return all(result.meta["birth_date"] == birth_date for result in results if result)


def _one_phone_is_of_a_country(phones: tuple[str, ...], countries: tuple[str, ...]) -> bool:
    return bool({phone(number).meta["region"] for number in phones} & {*countries})


def _in_order(opened: Any, closed: Any) -> bool:
    return bool(closed >= opened)

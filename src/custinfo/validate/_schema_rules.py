"""The rules that a class of records brings along, found by the names of its fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from custinfo.validate import _bic, _hkid, _uscc, rules
from custinfo.validate._cn_id import cn_resident_id
from custinfo.validate._country import country
from custinfo.validate._iban import iban
from custinfo.validate._paths import common_list
from custinfo.validate._phone import phone
from custinfo.validate._protocol import Validator
from custinfo.validate._rule import Rule
from custinfo.validate._schema_fields import all_paths

__all__ = ["rules_by_name"]

_BIRTH = frozenset({"birth_date", "date_of_birth", "birthday", "dob"})
_SEX = frozenset({"sex", "gender"})
_OPENED = {
    "opened": "closed",
    "opened_at": "closed_at",
    "opened_on": "closed_on",
    "open_date": "close_date",
    "opened_date": "closed_date",
    "opening_date": "closing_date",
}
_SCHEMES: dict[str, Validator[Any]] = {
    "cn_resident_id": cn_resident_id,
    "cn_uscc": _uscc.cn_uscc,
    "hkid": _hkid.hkid,
    "iban": iban,
    "bic": _bic.bic,
    "lei": _bic.lei,
}


def rules_by_name(model: type[Any], fields: Mapping[str, Validator[Any] | None]) -> tuple[Rule, ...]:
    """The rules that fit the paths of an attrs class.

    Args:
        model: the class.
        fields: path -> validator, as `fields_by_name` finds them.

    >>> from custinfo.model import Customer
    >>> [rule.code.partition(".")[2] for rule in rules_by_name(Customer, {})]
    ['identifier', 'birth_date_of_id', 'sex_of_id']
    """
    paths = all_paths(model)
    schemed = [path for path in paths if f"{path}.scheme" in paths and f"{path}.value" in paths]
    countries = _countries(fields)
    found = [Rule("rule.identifier", (path,), _identifiers_are_valid) for path in schemed]
    ids = [*_with(fields, cn_resident_id), *schemed]
    for path, other in _pairs([path for path in paths if _last(path) in _BIRTH], ids):
        found.append(rules.birth_date_of_id(path, other))
    for path, other in _pairs([path for path in paths if _last(path) in _SEX], ids):
        found.append(rules.sex_of_id(path, other))
    for path, other in _pairs(_with(fields, phone), countries):
        found.append(rules.phone_country(path, other))
    for path, other in _pairs([*_with(fields, iban), *schemed], countries):
        found.append(rules.iban_country(path, other))
    for path in paths:
        closed = path.removesuffix(_last(path)) + _OPENED.get(_last(path), "?")
        if closed in paths:
            found.append(rules.in_order(path, closed))
    return tuple(found)


def _last(path: str) -> str:
    return path.rpartition(".")[2]


def _with(fields: Mapping[str, Validator[Any] | None], validator: Validator[Any]) -> list[str]:
    return [path for path, found in fields.items() if found is validator]


def _countries(fields: Mapping[str, Validator[Any] | None]) -> list[str]:
    """Countries of addresses, or else of the records themselves; never those of identifiers and the like."""
    known = _with(fields, country)
    of_addresses = [path for path in known if "address" in path.lower()]
    return of_addresses or [path for path in known if "." not in path]


def _pairs(paths: list[str], others: list[str]) -> Iterator[tuple[str, str]]:
    """Each path with the other one that lies nearest; none where two are equally near."""
    for path in paths:
        near = sorted(others, key=lambda other: -len(common_list(path, other)))
        if near and (len(near) == 1 or len(common_list(path, near[0])) > len(common_list(path, near[1]))):
            yield path, near[0]


def _identifiers_are_valid(identifiers: object) -> Any:
    members = identifiers if isinstance(identifiers, tuple) else (identifiers,)
    known = [(_SCHEMES.get(one.scheme), one.value) for one in members]
    asked = [(validator, value) for validator, value in known if validator is not None]
    return all(validator(value).ok for validator, value in asked) if asked else NotImplemented

"""Validators for classes of records, found by the names of their fields."""

from __future__ import annotations

import collections.abc
import datetime as dt
import types
from collections.abc import Iterable, Iterator
from typing import Any, Union, get_args, get_origin

import attrs

from custinfo.errors import InvalidFieldError
from custinfo.validate import _bic, _card, _cn_id, _country, _currency, _date, _hkid, _iban, _name, _url, _uscc
from custinfo.validate._email import email
from custinfo.validate._phone import phone
from custinfo.validate._postal import postal_code
from custinfo.validate._protocol import Validator
from custinfo.validate._text import text

__all__ = ["all_paths", "check_paths", "fields_by_name"]

_BY_NAME: dict[str, Validator[Any]] = {
    "email": email,
    "email_address": email,
    "phone": phone,
    "mobile": phone,
    "telephone": phone,
    "phone_number": phone,
    "given": _name.person_name,
    "family": _name.person_name,
    "middle": _name.person_name,
    "full": _name.person_name,
    "given_name": _name.person_name,
    "middle_name": _name.person_name,
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
    "card_number": _card.card,
    "url": _url.url,
    "website": _url.url,
}
_TEXT_KINDS = frozenset({str, tuple, list, type(None), types.UnionType, Union})
_BY_CLASS = {("Email", "value"): email, ("Phone", "value"): phone}
_SEQUENCES = frozenset({tuple, list, collections.abc.Sequence, collections.abc.Iterable, object})


def fields_by_name(model: type[Any]) -> dict[str, Validator[Any] | None]:
    """Path -> validator of the fields of an attrs class and of the attrs classes in it.

    >>> from custinfo.model import Customer
    >>> [path for path, validator in fields_by_name(Customer).items() if validator is email]
    ['emails[].value']
    """
    if not attrs.has(model):
        raise InvalidFieldError("a class made with attrs is needed, such as custinfo.model.Customer", code="schema")
    found: dict[str, Validator[Any] | None] = {}
    for path, owner, attribute, kinds in _walk(model, "", (model,)):
        validator = _validator(owner, attribute.name, kinds)
        if validator is not None:
            found[path] = validator
    return found


def all_paths(model: type[Any]) -> list[str]:
    """Paths of all fields of an attrs class, those of nested classes behind their own.

    >>> from custinfo.model import Customer
    >>> [path for path in all_paths(Customer) if path.startswith("tags")]
    ['tags[]', 'tags[].name']
    """
    return [path for path, *_ in _walk(model, "", (model,))]


def _walk(
    model: type[Any], prefix: str, above: tuple[type[Any], ...]
) -> Iterator[tuple[str, type[Any], Any, list[object]]]:
    """(path, class, attribute, its plain types) of each field, down into other attrs classes."""
    for attribute in attrs.fields(attrs.resolve_types(model)):
        kinds = _kinds(attribute.type)
        each = "[]" if any(kind in (tuple, list) for kind in kinds) else ""
        path = f"{prefix}{attribute.name}{each}"
        yield path, model, attribute, kinds
        inner = _attrs_class(kinds)
        if inner is not None and inner not in above:
            yield from _walk(inner, f"{path}.", (*above, inner))


def _attrs_class(kinds: list[object]) -> type[Any] | None:
    return next((kind for kind in kinds if isinstance(kind, type) and attrs.has(kind)), None)


def _validator(owner: type[Any], name: str, kinds: list[object]) -> Validator[Any] | None:
    if _attrs_class(kinds) is not None:
        return None
    found: Validator[Any] | None = _BY_CLASS.get((owner.__name__, name)) or _BY_NAME.get(name)
    if found is None and dt.date in kinds:
        return _date.date
    if found is None and str in kinds and _TEXT_KINDS.issuperset(kinds) and not name.endswith("id"):
        return text.with_options(multiline=True)
    return found


def _kinds(annotation: Any) -> list[object]:
    """The plain types in an annotation: ``tuple[Email, ...] | None`` has tuple and Email."""
    arguments = [argument for argument in get_args(annotation) if argument is not Ellipsis]
    origin = get_origin(annotation)
    found = [annotation if origin is None else origin]
    for argument in arguments:
        found += _kinds(argument)
    return found


def check_paths(model: type[Any], paths: Iterable[str]) -> None:
    """Refuse paths that no object of *model* can have.

    >>> from custinfo.model import Customer
    >>> check_paths(Customer, ("emails[].value", "extra.anything"))
    """
    for path in paths:
        if not _exists(model, path.split(".")):
            raise InvalidFieldError(f"{model.__name__} has nothing at {path!r}; see its fields", code="schema")


def _exists(model: type[Any], names: list[str]) -> bool:
    name = names[0].removesuffix("[]")
    attribute = next((one for one in attrs.fields(attrs.resolve_types(model)) if one.name == name), None)
    if attribute is None:
        return hasattr(model, name)  # a property
    kinds = _kinds(attribute.type)
    if names[0] != name and not _SEQUENCES.intersection(kind for kind in kinds if isinstance(kind, type)):
        return False
    inner = _attrs_class(kinds)
    return len(names) == 1 or inner is None or _exists(inner, names[1:])

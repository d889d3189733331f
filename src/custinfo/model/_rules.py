"""More of what a field accepts: whole numbers of a range, optional members and value objects, codes of standards.

Beside `_check`, which has text, times and lists.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Set
from enum import StrEnum
from typing import Any

import attrs

from custinfo.errors import InvalidFieldError
from custinfo.model._check import MAX_MEMBERS, Field, check_text, choice

# Source: BCP 47 (RFC 5646, September 2009), section 2.1: subtags of at most 8 letters or digits, the first of letters.
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*|x(-[A-Za-z0-9]{1,8})+").fullmatch
_LANGUAGE_LIMIT = 100
# Source: ISO 15924:2022: four letters, the first a capital.
_SCRIPT = re.compile(r"[A-Z][a-z]{3}").fullmatch


def fault(code: str, path: str, message: str) -> InvalidFieldError:
    """An error of one field."""
    return InvalidFieldError(message, code=code, path=path)


@attrs.frozen
class Whole:
    """Validator: an int from *low* to *high*; None too where *optional*.

    Raises:
        InvalidFieldError: "int.type", "int.range".
    """

    low: int
    high: int
    optional: bool = attrs.field(default=True, kw_only=True)

    def __call__(self, _: object, field: Field[Any], value: object) -> None:
        """Check the value of a field."""
        if value is None and self.optional:
            return
        if type(value) is not int:
            raise fault("int.type", field.name, f"{field.name} must be an int, not {type(value).__name__}")
        if not self.low <= value <= self.high:
            raise fault("int.range", field.name, f"{field.name} must be from {self.low} to {self.high}")


def one_of(kind: type) -> Callable[[Any, Field[Any], object], None]:
    """Validator: an object of a value class, or None; code "field.type"."""

    def check(_: object, field: Field[Any], value: object) -> None:
        if value is not None and not isinstance(value, kind):
            message = f"{field.name} must be {kind.__name__}, not {type(value).__name__}"
            raise fault("field.type", field.name, message)

    return check


def optional_choice(kind: type[StrEnum]) -> Any:
    """Converter: a member of an enum, given as itself or as text, or None; code "enum.unknown"."""
    convert = choice(kind).converter
    return attrs.Converter(lambda value, field: None if value is None else convert(value, field), takes_field=True)


def choices(kind: type[StrEnum]) -> Any:
    """Converter: a tuple of different members of an enum, given as one or as a list; codes "enum.unknown", "field.*".

    Each member is kept once, at its first place.
    """
    convert = choice(kind).converter

    def run(value: object, field: Field[Any]) -> tuple[Any, ...]:
        if value == ():
            return ()
        if isinstance(value, str):
            return (convert(value, field),)
        # The order of a set is another in each process.
        if isinstance(value, bytes | Mapping | Set) or not isinstance(value, Iterable):
            message = f"{field.name} must be a list of {kind.__name__}, not {type(value).__name__}"
            raise fault("field.type", field.name, message)
        members = dict[Any, None]()
        for place, item in enumerate(value):
            if place == MAX_MEMBERS:
                raise fault("field.too_many", field.name, f"{field.name} must have at most {MAX_MEMBERS:,} members")
            members[convert(item, field)] = None
        return tuple(members)

    return attrs.Converter(run, takes_field=True)


def checked(field: Field[Any], value: Any, *, instance: object = None) -> Any:
    """What a class makes of a value of one of its fields: its converter, then its validator."""
    if field.converter is not None:
        converter: Any = field.converter
        value = converter(value, instance, field)
    if field.validator is not None:
        field.validator(instance, field, value)
    return value


def language_tag(_: object, field: Field[Any], value: object) -> None:
    """Validator: None, or a well-formed language tag of BCP 47 such as ``zh-Hant``; code "language.format"."""
    if value is not None and (len(check_text(value, field.name)) > _LANGUAGE_LIMIT or not _LANGUAGE(str(value))):
        raise fault("language.format", field.name, f"{field.name} must be a language tag of BCP 47, such as zh-Hans")


def script_code(_: object, field: Field[Any], value: object) -> None:
    """Validator: None, or a script code of ISO 15924 such as ``Hans``; code "script.format"."""
    if value is not None and not _SCRIPT(check_text(value, field.name)):
        raise fault("script.format", field.name, f"{field.name} must be a script code of ISO 15924, such as Hans")


def must_be(kind: type, value: object, path: str) -> None:
    """Refuse what is no object of a class; code "field.type"."""
    if not isinstance(value, kind):
        raise fault("field.type", path, f"{path} must be {kind.__name__}, not {type(value).__name__}")


def list_of(kind: type, values: object, path: str) -> list[Any]:
    """What a function is given as objects of one class, as a list; code "field.type"."""
    if not isinstance(values, Iterable):
        raise fault("field.type", path, f"{path} must be a list of {kind.__name__}, not {type(values).__name__}")
    found = list(values)
    for one in found:
        if not isinstance(one, kind):
            raise fault("field.type", path, f"{path} must hold objects of {kind.__name__}, not {type(one).__name__}")
    return found


def other_than_itself(obj: Any, *names: str) -> None:
    """Refuse an object that names itself where it must name another; code "reference.self"."""
    for name in names:
        if getattr(obj, name) == obj.id:
            raise fault("reference.self", name, f"{name} must name another record than this one")


def in_order(code: str, **times: Any) -> None:
    """Refuse times or dates that are not in the order in which they are given; those that are None are left out."""
    earlier = None
    for name, value in times.items():
        if value is None:
            continue
        if earlier is not None and value < earlier[1]:
            raise fault(code, name, f"{name} is before {earlier[0]}; it must be at that time or later")
        earlier = (name, value)

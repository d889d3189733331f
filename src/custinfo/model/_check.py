"""What a field accepts: validators and converters of the model, each with codes and the path of the field.

Text is any Unicode text without NUL (PostgreSQL text, C libraries and CSV readers stop at it) and without lone
surrogates (half a character: UTF-8 cannot hold it), so that whatever a model object holds can be stored and written.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Set
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

import attrs

from custinfo.errors import InvalidFieldError

TEXT_LIMIT = 100_000  # characters of free text
KEY_LIMIT = 1_000  # bytes of UTF-8 of an id or a look-up value; stores take 1,024 and history adds the version to an id
JSON_DEPTH = 32
MAX_MEMBERS = 10_000  # of one field of one record
INT64 = 2**63  # whole numbers are from -INT64 to INT64 - 1
_JSON_BITS = 1_024  # as far as a double reaches; Python itself refuses to write integers of over 4,300 digits

Field = attrs.Attribute  # what attrs passes to validators and converters


def _fault(code: str, path: str, message: str) -> InvalidFieldError:
    return InvalidFieldError(f"{path} {message}", code=code, path=path)


def check_text(value: object, path: str) -> str:
    """Text that can be stored.

    Raises:
        InvalidFieldError: "text.type", "text.nul", "text.surrogate", "text.too_long".
    """
    if not isinstance(value, str):
        raise _fault("text.type", path, f"must be text, not {type(value).__name__}")
    if len(value) > TEXT_LIMIT:
        raise _fault("text.too_long", path, f"has {len(value):,} characters; {TEXT_LIMIT:,} are allowed")
    if "\0" in value:
        raise _fault("text.nul", path, "holds a NUL character; remove it")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise _fault("text.surrogate", path, "holds a lone surrogate; decode its source as what it is") from None
    return value


def optional_text(_: object, field: Field[Any], value: object) -> None:
    """Validator: text or None; see `check_text`."""
    if value is not None:
        check_text(value, field.name)


def key_text(_: object, field: Field[Any], value: object) -> None:
    """Validator: an id or a look-up value, text of at most `KEY_LIMIT` bytes that is not blank.

    Raises:
        InvalidFieldError: "text.empty", "text.too_long" and those of `check_text`.
    """
    text = check_text(value, field.name)
    if not text.strip():
        raise _fault("text.empty", field.name, "must not be empty")
    if len(text) * 4 > KEY_LIMIT and len(text.encode()) > KEY_LIMIT:
        raise _fault("text.too_long", field.name, f"must not be longer than {KEY_LIMIT:,} bytes of UTF-8")


def optional_key(instance: object, field: Field[Any], value: object) -> None:
    """Validator: None, or what `key_text` accepts."""
    if value is not None:
        key_text(instance, field, value)


def count(_: object, field: Field[Any], value: object) -> None:
    """Validator: an int >= 0 of at most 64 bits.

    Raises:
        InvalidFieldError: "int.type", "int.range".
    """
    if type(value) is not int:
        raise _fault("int.type", field.name, f"must be an int, not {type(value).__name__}")
    if not 0 <= value < INT64:
        raise _fault("int.range", field.name, "must be >= 0 and fit in 64 bits")


def flag(_: object, field: Field[Any], value: object) -> None:
    """Validator: True or False.

    Raises:
        InvalidFieldError: "bool.type".
    """
    if value is not True and value is not False:
        raise _fault("bool.type", field.name, f"must be True or False, not {type(value).__name__}")


def optional_date(_: object, field: Field[Any], value: object) -> None:
    """Validator: a date without a time, or None.

    Raises:
        InvalidFieldError: "date.type".
    """
    if value is not None and type(value) is not date:
        raise _fault("date.type", field.name, f"must be a date, not {type(value).__name__}")


def _utc(value: object, field: Field[Any]) -> datetime:
    if type(value) is datetime and value.tzinfo is UTC:
        return value
    if not isinstance(value, datetime):
        raise _fault("time.type", field.name, f"must be a datetime with a time zone, not {type(value).__name__}")
    if value.tzinfo is None or value.utcoffset() is None:
        raise _fault("time.naive", field.name, "has no time zone; say which, for instance tzinfo=UTC")
    try:
        moved = value.astimezone(UTC)
    except OverflowError:
        raise _fault("time.range", field.name, "is outside the years 1 to 9999 in UTC; give a time within") from None
    # A subclass, such as the Timestamp of pandas, would come back from storage as something else.
    return moved if type(moved) is datetime else datetime.combine(moved.date(), moved.time(), UTC)


def _optional_utc(value: object, field: Field[Any]) -> datetime | None:
    return None if value is None else _utc(value, field)


# Converters: an aware datetime in UTC; codes "time.type", "time.naive", "time.range".
utc = attrs.Converter(_utc, takes_field=True)
optional_utc = attrs.Converter(_optional_utc, takes_field=True)


def choice(kind: type[StrEnum], **aliases: StrEnum) -> Any:
    """Converter: a member of an enum, given as itself or as text; code "enum.unknown"."""
    members: dict[str, StrEnum] = {**{member.value: member for member in kind}, **aliases}

    def convert(value: object, field: Field[Any]) -> StrEnum:
        member = members.get(value) if isinstance(value, str) else None
        if member is None:
            raise _fault("enum.unknown", field.name, f"must be one of {', '.join(kind)}")
        return member

    return attrs.Converter(convert, takes_field=True)


def many(kind: type, *, blank: bool = True) -> Any:
    """Converter: a tuple of one class, given as one of it or as a list.

    Args:
        kind: a value class, or str.
        blank: whether texts may be empty.

    Raises:
        InvalidFieldError: "field.type", "field.too_many" and the codes of text.
    """

    def convert(value: object, field: Field[Any]) -> tuple[Any, ...]:
        if type(value) is tuple and len(value) <= MAX_MEMBERS and kind is not str:
            for item in value:
                if type(item) is not kind:
                    break
            else:
                return value
        items = []
        # One by one, since an iterable may be endless.
        for place, item in enumerate(value if type(value) is tuple else _members(value, kind, field.name)):
            if place == MAX_MEMBERS:
                raise _fault("field.too_many", field.name, f"must have at most {MAX_MEMBERS:,} members")
            if kind is str:
                text = check_text(item, f"{field.name}[{place}]")
                if not blank and not text.strip():
                    raise _fault("text.empty", f"{field.name}[{place}]", "must not be empty")
            elif not isinstance(item, kind):
                raise _fault(
                    "field.type", f"{field.name}[{place}]", f"must be {kind.__name__}, not {type(item).__name__}"
                )
            items.append(item)
        return tuple(items)

    return attrs.Converter(convert, takes_field=True)


def _members(value: object, kind: type, path: str) -> Iterable[Any]:
    if isinstance(value, kind):
        return (value,)
    # The order of a set is another in each process.
    if isinstance(value, str | bytes | Mapping | Set) or not isinstance(value, Iterable):
        raise _fault("field.type", path, f"must be a list of {kind.__name__}, not {type(value).__name__}")
    return value


def _versions(value: object, field: Field[Any]) -> dict[str, int]:
    if not isinstance(value, Mapping):
        raise _fault("field.type", field.name, f"must be a mapping, not {type(value).__name__}")
    for key, number in value.items():
        check_text(key, field.name)
        count(None, field, number)
    return dict(value)


def _json_object(value: object, field: Field[Any]) -> dict[str, Any]:
    if type(value) is dict and not value:
        return {}
    if not isinstance(value, Mapping):
        raise _fault("json.type", field.name, f"must be a mapping, not {type(value).__name__}")
    copy: dict[str, Any] = json_copy(value, field.name)
    return copy


# Converters: a copy of a mapping of versions, and of a mapping of JSON values.
versions = attrs.Converter(_versions, takes_field=True)
json_object = attrs.Converter(_json_object, takes_field=True)


def json_copy(value: object, path: str, depth: int = JSON_DEPTH) -> Any:
    """A copy of a JSON value: text, finite numbers, True, False, None, lists and mappings of them.

    Paths name the field only: keys that the model does not know are personal data.
    """
    if isinstance(value, str):
        return check_text(value, path)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        if math.isfinite(value) if isinstance(value, float) else value.bit_length() <= _JSON_BITS:
            return value
        raise _fault(
            "json.number", path, "holds a number that JSON cannot carry: NaN, infinite or too large; give None or text"
        )
    if not isinstance(value, Mapping | list | tuple):
        raise _fault("json.type", path, f"holds a {type(value).__name__}; JSON has text, numbers, lists and objects")
    if depth == 0:
        raise _fault("json.depth", path, f"is nested deeper than {JSON_DEPTH} levels; make it flatter")
    if isinstance(value, Mapping):
        return {check_text(key, path): json_copy(item, path, depth - 1) for key, item in value.items()}
    return [json_copy(item, path, depth - 1) for item in value]

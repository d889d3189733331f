"""The declaration of one field of your own."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, DecimalException
from typing import Any

import attrs

from custinfo.errors import InvalidFieldError, SchemaVersionError
from custinfo.model._check import INT64, check_text, flag
from custinfo.model._rules import fault

_NAME = re.compile("[a-z][a-z0-9_]{0,63}").fullmatch


def _as_it_is(value: Any) -> Any:
    return value


def _whole(value: Any) -> Any:
    if not -INT64 <= value < INT64:
        raise ValueError
    return value


def _time(value: Any) -> Any:
    if value.tzinfo is None:
        raise ValueError
    return value.astimezone(UTC).isoformat()


def _decimal(value: Any) -> Any:
    if not value.is_finite():
        raise ValueError
    return str(value)


@attrs.frozen
class _Kind:
    """How a type is written as JSON and read again."""

    name: str
    write: Callable[[Any], Any]
    json: type
    read: Callable[[Any], Any]


_KINDS: Mapping[type, _Kind] = {
    str: _Kind("text", _as_it_is, str, _as_it_is),
    int: _Kind("int", _whole, int, _whole),
    bool: _Kind("bool", _as_it_is, bool, _as_it_is),
    Decimal: _Kind("decimal", _decimal, str, Decimal),
    date: _Kind("date", date.isoformat, str, date.fromisoformat),
    datetime: _Kind("time", _time, str, datetime.fromisoformat),
}
_BY_NAME = {kind.name: type_ for type_, kind in _KINDS.items()}


def _choices(value: object) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise fault("custom.choices", "choices", f"choices must be a list or tuple, not {type(value).__name__}")
    return tuple(value)


@attrs.frozen
class CustomField:
    """One field of your own.

    Args:
        name: lower-case letters, digits and underscores, a letter first; at most 64.
        type: str, int, bool, Decimal, date or datetime (aware); a float has no exact value and is none of them.
        pii: whether it is personal data, and so encrypted, masked and erased. False: stored in clear.
        description: in words.
        required: whether `CustomFields.check` wants a value.
        choices: the values that are allowed, a list or tuple; all when empty.

    Raises:
        InvalidFieldError: "custom.name", "custom.type", "custom.choices", "bool.type", "text.*".

    >>> CustomField("fleet_size", int, pii=False, description="cars that the firm has").pii
    False
    """

    name: str
    type: type[Any]
    pii: bool = attrs.field(default=True, validator=flag, kw_only=True)
    description: str = attrs.field(default="", kw_only=True)
    required: bool = attrs.field(default=False, validator=flag, kw_only=True)
    choices: tuple[Any, ...] = attrs.field(default=(), converter=_choices, kw_only=True)

    def __attrs_post_init__(self) -> None:
        given: object = self.name
        if not isinstance(given, str) or not _NAME(given):
            raise fault("custom.name", "name", "the name must be lower-case letters, digits and underscores")
        if not isinstance(self.type, Hashable) or self.type not in _KINDS:
            known = ", ".join(one.__name__ for one in _KINDS)
            raise fault("custom.type", "type", f"the type of {self.name} must be one of {known}")
        check_text(self.description, "description")
        try:
            for one in self.choices:
                self.write(one)
        except InvalidFieldError:
            raise fault(
                "custom.choices", "choices", f"a choice of {self.name} is no {self.type.__name__}; give all in its type"
            ) from None

    def write(self, value: Any) -> Any:
        """A value as JSON.

        Raises:
            InvalidFieldError: "custom.value", with the name as path; "text.*".
        """
        kind = _KINDS[self.type]
        # The classes themselves: True is no number here, and a datetime no date.
        if type(value) is not self.type:
            raise self._misfit()
        if self.type is str:
            check_text(value, self.name)
        try:
            return kind.write(value)
        except (ArithmeticError, ValueError):
            raise self._misfit() from None

    def read(self, value: Any) -> Any:
        """The value of JSON that `write` made.

        Raises:
            InvalidFieldError: "custom.value", with the name as path.
        """
        kind = _KINDS[self.type]
        try:
            if type(value) is kind.json:
                found = kind.read(value)
                self.write(found)
                return found
        except (DecimalException, ValueError):
            pass
        raise self._misfit()

    def _misfit(self) -> InvalidFieldError:
        return fault("custom.value", self.name, f"{self.name} must be {_KINDS[self.type].name} ({self.type.__name__})")

    def allows(self, value: Any) -> bool:
        """Whether a value is one of the choices."""
        return not self.choices or value in self.choices


_OPTIONS = {field.name for field in attrs.fields(CustomField)}


def declared(field: CustomField) -> dict[str, Any]:
    """A declaration as JSON values, what is usual left out."""
    shown = {"name": field.name, "type": _KINDS[field.type].name}
    options = {
        "pii": field.pii,
        "description": field.description,
        "required": field.required,
        "choices": [field.write(one) for one in field.choices],
    }
    usual = {"pii": True, "description": "", "required": False, "choices": []}
    return {**shown, **{name: value for name, value in options.items() if value != usual[name]}}


def read_declared(data: Mapping[str, Any]) -> CustomField:
    """The declaration of JSON values that `declared` made.

    Raises:
        InvalidFieldError: "custom.json", and what the declaration breaks.
        SchemaVersionError: it has a type or a key that this release does not know.
    """
    if str(data.get("type")) not in _BY_NAME or not data.keys() <= _OPTIONS:
        raise SchemaVersionError("a custom field has a type or key of a newer custinfo, which reads it")
    options: dict[str, Any] = dict(data)
    field = CustomField(
        options.pop("name", None),
        _BY_NAME[options.pop("type")],
        pii=options.pop("pii", True),
        required=options.pop("required", False),
        description=options.pop("description", ""),
    )
    return attrs.evolve(field, choices=tuple(field.read(one) for one in _choices(options.pop("choices", []))))

"""Model objects with their personal parts masked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from custinfo.errors import InvalidFieldError
from custinfo.model._field import declaration, personal_fields
from custinfo.model._mask import mask
from custinfo.model._rules import checked


def masked(value: Any, how: str, *, own: str = "") -> Any:
    """A value with every personal part masked.

    Value objects keep their class and their parts that are not personal, tuples their length, text stays text; a
    mapping is hidden whole, everything else becomes text. A value object without personal parts, such as `Money`, is
    masked as text by a named mask.

    Args:
        value: of a model field, or a model object.
        how: a mask of `mask`; ``clear`` gives the value whole; ``own`` uses the mask that each part declares.
        own: with ``own``, the mask that its field declares; "" where that is not known: then a value object without
            personal parts stays, and any other value is hidden.

    Raises:
        InvalidFieldError: "mask.unknown".

    >>> from custinfo.model import Phone
    >>> masked((Phone("+8613800138000"),), "last4")[0].value
    '***8000'
    """
    if how == "clear" or value is None:
        return value
    if isinstance(value, tuple):
        return tuple(masked(item, how, own=own) for item in value)
    cls: Any = type(value)
    if attrs.has(cls):
        if personal_fields(cls):
            return attrs.evolve(value, **_masked_parts(value, how))
        return value if how == "own" and own in {"", "clear"} else mask(value, own if how == "own" else how)
    named = (own or "hide") if how == "own" else how
    if named == "clear":
        return value
    return mask(value, "hide" if isinstance(value, Mapping) else named)


def _masked_parts(obj: Any, how: str) -> dict[str, Any]:
    parts: dict[str, Any] = {}
    for attribute in attrs.fields(type(obj)):
        info = declaration(attribute).info
        part = getattr(obj, attribute.name)
        if info.personal and part is not None:
            parts[attribute.name] = _masked_part(part, how, attribute)
    return parts


def _masked_part(part: Any, how: str, attribute: attrs.Attribute[Any]) -> Any:
    """What an object holds instead of a part: its mask where that may stand there, else what it is when left out."""
    if not isinstance(part, Mapping):
        shown = masked(part, how, own=declaration(attribute).info.mask)
        try:
            return checked(attribute, shown)
        except InvalidFieldError:
            pass
    default: Any = attribute.default
    return default.factory() if hasattr(default, "factory") else default

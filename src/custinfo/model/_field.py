"""Declaration of fields: personal data is declared once, here, and everything else reads it."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import attrs

from custinfo.errors import InvalidFieldError
from custinfo.model._mask import mask

_KEY = "custinfo"
PII_CLASSES = ("none", "pseudonym", "identity", "contact", "demographic", "financial", "content")


@attrs.frozen(kw_only=True)
class Index:
    """How a field can be looked up.

    Args:
        name: name of the look-up, as in ``find(email=...)``.
        text: the owning value object -> text to index, or None.
        normalize: text of a query -> the same normal form.
        unique: the owning object -> whether no other record may hold the same text.
        blind: whether the store sees only a keyed hash of the text.
    """

    name: str
    text: Callable[[Any], str | None]
    normalize: Callable[[str], str] = str.strip
    unique: Callable[[Any], bool] = lambda _: False
    blind: bool = True


@attrs.frozen(kw_only=True)
class FieldInfo:
    """One line of the field catalogue.

    Args:
        path: such as ``emails[].value``.
        type: type as written in the model.
        pii: class of personal data: none, pseudonym, identity, contact, demographic, financial or content.
        level: C1-C3 of JR/T 0171-2020 (personal financial information protection), C3 the most sensitive; "" where
            the field is not personal.
        mask: how it is masked for display.
        index: name of the look-up, or "".
        retention: what bounds its storage: ``customer`` (as long as the relation) or ``ledger`` (statutory).
        description: in English.
        description_zh: in Chinese.
    """

    path: str
    type: str = ""
    pii: str
    level: str
    mask: str
    index: str
    retention: str
    description: str
    description_zh: str

    @property
    def personal(self) -> bool:
        """Whether the field is personal data and therefore encrypted."""
        return self.pii not in {"none", "pseudonym"}


@attrs.frozen
class _Declaration:
    info: FieldInfo
    index: Index | None


def plain(
    english: str,
    chinese: str,
    *,
    pii: str = "none",
    index: Index | None = None,
    retention: str = "customer",
    **options: Any,
) -> Any:
    """An attrs field that is not personal data (or only a pseudonym, such as an id)."""
    info = FieldInfo(
        path="",
        pii=pii,
        level="",
        mask="clear",
        index=index.name if index else "",
        retention=retention,
        description=english,
        description_zh=chinese,
    )
    return attrs.field(metadata={_KEY: _Declaration(info, index)}, **options)


def personal(
    pii: str,
    english: str,
    chinese: str,
    *,
    level: str = "C2",
    mask: str = "hide",
    index: Index | None = None,
    retention: str = "customer",
    **options: Any,
) -> Any:
    """An attrs field with personal data: kept out of `repr`, encrypted, masked and erasable.

    Source of the levels: JR/T 0171-2020, section 4.2.
    """
    if pii not in PII_CLASSES:
        raise InvalidFieldError(f"pii must be one of {', '.join(PII_CLASSES)}", code="catalogue.pii")
    info = FieldInfo(
        path="",
        pii=pii,
        level=level,
        mask=mask,
        index=index.name if index else "",
        retention=retention,
        description=english,
        description_zh=chinese,
    )
    return attrs.field(metadata={_KEY: _Declaration(info, index)}, repr=False, **options)


def declaration(attribute: attrs.Attribute[Any]) -> _Declaration:
    """The declaration of one attrs attribute."""
    found = attribute.metadata.get(_KEY)
    if not isinstance(found, _Declaration):
        raise InvalidFieldError(
            f"the model field {attribute.name!r} has no catalogue entry; declare it with personal() or plain()",
            code="catalogue.missing",
        )
    return found


@functools.cache
def fields_of(cls: type[Any]) -> tuple[FieldInfo, ...]:
    """The field catalogue of a model class, nested value objects included.

    Raises:
        InvalidFieldError: "catalogue.missing" for a field that was not declared.

    >>> from custinfo.model import Customer
    >>> [(info.path, info.pii, info.mask) for info in fields_of(Customer) if info.index == "email"]
    [('emails[].value', 'contact', 'email')]
    """
    return tuple(_catalogue(cls))


def _catalogue(cls: type) -> Iterator[FieldInfo]:
    for attribute in attrs.fields(cls):
        info = declaration(attribute).info
        kind = attribute.type
        yield attrs.evolve(info, path=attribute.name, type=_type_name(kind))
        inner = _value_object(kind)
        if inner is not None:
            many = "[]" if _is_tuple(kind) else ""
            for nested in fields_of(inner):
                yield attrs.evolve(nested, path=f"{attribute.name}{many}.{nested.path}")


def _type_name(kind: Any) -> str:
    return (
        kind.__name__
        if isinstance(kind, type) and not _is_tuple(kind)
        else re.sub(r"\b(custinfo\.model\._\w+|collections\.abc|datetime|typing)\.", "", str(kind))
    )


def _is_tuple(kind: Any) -> bool:
    return getattr(kind, "__origin__", None) is tuple


def _value_object(kind: Any) -> type | None:
    candidates = getattr(kind, "__args__", ()) or (kind,)
    return next((candidate for candidate in candidates if isinstance(candidate, type) and attrs.has(candidate)), None)


@functools.cache
def personal_fields(cls: type[Any]) -> frozenset[str]:
    """Names of the top-level fields of a model class that are personal data.

    >>> from custinfo.model import Customer
    >>> sorted(personal_fields(Customer))[:2]
    ['addresses', 'birth_date']
    """
    return frozenset(attribute.name for attribute in attrs.fields(cls) if declaration(attribute).info.personal)


@attrs.frozen
class Term:
    """One look-up text of an object: the name of the look-up, the text, whether unique, whether hashed."""

    name: str
    text: str = attrs.field(repr=False)
    unique: bool
    blind: bool


@functools.cache
def indexes_of(cls: type[Any]) -> dict[str, Index]:
    """The look-ups of a model class by name, those of its value objects included."""
    found: dict[str, Index] = {}
    for attribute in attrs.fields(cls):
        index = declaration(attribute).index
        if index is not None:
            found[index.name] = index
        inner = _value_object(attribute.type)
        if inner is not None:
            found.update(indexes_of(inner))
    return found


def lookup_terms(obj: Any) -> list[Term]:
    """All look-up texts of a model object, without repeats, its own first, then those of its fields.

    >>> from custinfo.model import Customer, Email
    >>> [(term.name, term.blind) for term in lookup_terms(Customer(emails=[Email("Rosa@Example.com")]))]
    [('email', True)]
    """
    return list(dict.fromkeys(_terms(obj)))


@functools.cache
def _looked_up(cls: type[Any]) -> tuple[tuple[Index, ...], tuple[str, ...]]:
    """The look-ups that a class itself declares, and the names of its fields that hold value objects with some."""
    own = [declaration(attribute).index for attribute in attrs.fields(cls)]
    inner = [
        attribute.name
        for attribute in attrs.fields(cls)
        if (nested := _value_object(attribute.type)) is not None and indexes_of(nested)
    ]
    return tuple(index for index in own if index is not None), tuple(inner)


def _terms(obj: Any) -> Iterator[Term]:
    own, inner = _looked_up(type(obj))
    for index in own:
        text = index.text(obj)
        if text:
            yield Term(index.name, index.normalize(text), index.unique(obj), index.blind)
    for name in inner:
        value = getattr(obj, name)
        for item in value if isinstance(value, tuple) else () if value is None else (value,):
            yield from _terms(item)


def masked(value: Any, how: str) -> Any:
    """A value with every personal part masked; ``clear`` gives it whole, ``own`` uses each field's declared mask.

    Value objects keep their class, text stays text, everything else becomes text.

    >>> from custinfo.model import Phone
    >>> masked((Phone("+8613800138000"),), "last4")[0].value
    '***8000'
    """
    if how == "clear" or value is None:
        return value
    if isinstance(value, tuple):
        return tuple(masked(item, how) for item in value)
    if attrs.has(type(value)):
        changes: dict[str, Any] = {}
        for attribute in attrs.fields(type(value)):
            info = declaration(attribute).info
            part = getattr(value, attribute.name)
            if info.personal and part is not None:
                whole = how == "own" and _value_object(attribute.type) is None
                changes[attribute.name] = _masked_part(part, info.mask if whole else how)
        return attrs.evolve(value, **changes)
    return mask(value, "hide" if how == "own" else how)


def _masked_part(part: Any, how: str) -> Any:
    if isinstance(part, tuple):
        return tuple(_masked_part(item, how) for item in part)
    if attrs.has(type(part)):
        return masked(part, how)
    if isinstance(part, Mapping):
        return {}
    return mask(part, how) if isinstance(part, str) else None


def utc(value: object) -> datetime:
    """Converter of attrs fields: an aware datetime in UTC.

    Raises:
        InvalidFieldError: "time.type", "time.naive".
    """
    if not isinstance(value, datetime):
        raise InvalidFieldError("a time must be a datetime with a time zone", code="time.type")
    if value.tzinfo is None:
        raise InvalidFieldError("the time has no zone; say which, for instance tzinfo=UTC", code="time.naive")
    return value.astimezone(UTC)


def required_text(instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    """Validator of attrs fields: text that is not empty.

    Raises:
        InvalidFieldError: "text.type", "text.empty".
    """
    optional_text(instance, attribute, value)
    if not value:
        raise InvalidFieldError(f"{attribute.name} must not be empty", code="text.empty", path=attribute.name)


def optional_text(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    """Validator of attrs fields: text or None.

    Raises:
        InvalidFieldError: "text.type".
    """
    if value is not None and not isinstance(value, str):
        raise InvalidFieldError(f"{attribute.name} must be text", code="text.type", path=attribute.name)

"""Declaration of fields: personal data is declared once, here, and everything else reads it."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import attrs

from custinfo.errors import InvalidFieldError
from custinfo.model._mask import MASKS

_KEY = "custinfo"
PII_CLASSES = ("identity", "contact", "demographic", "financial", "content")
_NOT_PERSONAL = ("none", "pseudonym")
LEVELS = ("C1", "C2", "C3")
RETENTIONS = ("customer", "ledger")


@attrs.frozen(kw_only=True)
class Index:
    """How a field can be looked up.

    Args:
        name: name of the look-up, as in ``find(email=...)``.
        text: the owning value object -> text to index, or None.
        normalize: text of a value or a query -> the form under which it is found; as it is when left out.
        texts: the owning object -> several texts to index; instead of *text* where it is given.
        unique: the owning object -> whether no other record may hold the same text.
        blind: whether the store sees only a keyed hash of the text.
    """

    name: str
    text: Callable[[Any], str | None]
    normalize: Callable[[str], str] = lambda text: text
    texts: Callable[[Any], Iterable[str]] | None = None
    unique: Callable[[Any], bool] = lambda _: False
    blind: bool = True


@attrs.frozen(kw_only=True)
class FieldInfo:
    """One line of the field catalogue.

    Args:
        path: such as ``emails[].value``.
        type: type as written in the model.
        pii: class of personal data: none, pseudonym, identity, contact, demographic, financial or content.
        level: C1-C3 of JR/T 0171-2020 (personal financial information protection): C1 for internal use, C2 tells who
            somebody is or how he stands financially, C3 can authenticate him: of that the model has the expiry of a
            card only.
        mask: how it is masked for display; ``clear`` where it is not personal.
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
        return self.pii not in _NOT_PERSONAL


@attrs.frozen
class _Declaration:
    info: FieldInfo
    index: Index | None


def plain(
    english: str,
    chinese: str,
    *,
    pii: str = "none",
    level: str = "C1",
    index: Index | None = None,
    retention: str = "customer",
    **options: Any,
) -> Any:
    """An attrs field that is not personal data (or only a pseudonym, such as an id).

    Raises:
        InvalidFieldError: "catalogue.pii", "catalogue.level", "catalogue.retention", "catalogue.description".
    """
    _check("pii", pii, _NOT_PERSONAL)
    return _field(english, chinese, pii, level, "clear", index, retention, options)


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

    Source of the levels: JR/T 0171-2020 (2020-02-13), section 4.2.

    Raises:
        InvalidFieldError: "catalogue.pii", "catalogue.level", "catalogue.mask", "catalogue.retention",
            "catalogue.description".
    """
    _check("pii", pii, PII_CLASSES)
    _check("mask", mask, tuple(MASKS))
    return _field(english, chinese, pii, level, mask, index, retention, {**options, "repr": False})


def _check(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise InvalidFieldError(f"{name} must be one of {', '.join(allowed)}", code=f"catalogue.{name}")


def _field(
    english: str,
    chinese: str,
    pii: str,
    level: str,
    mask: str,
    index: Index | None,
    retention: str,
    options: dict[str, Any],
) -> Any:
    _check("level", level, LEVELS)
    _check("retention", retention, RETENTIONS)
    if not english or not chinese:
        raise InvalidFieldError("describe the field in English and in Chinese", code="catalogue.description")
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
    return attrs.field(metadata={_KEY: _Declaration(info, index)}, **options)


def declaration(attribute: attrs.Attribute[Any]) -> _Declaration:
    """The declaration of one attrs attribute."""
    found = attribute.metadata.get(_KEY)
    if not isinstance(found, _Declaration):
        raise InvalidFieldError(
            f"the model field {attribute.name!r} has no catalogue entry; declare it with personal() or plain()",
            code="catalogue.missing",
        )
    return found


def fields_of(cls: type[Any]) -> tuple[FieldInfo, ...]:
    """The field catalogue of a model class, nested value objects included.

    Raises:
        InvalidFieldError: "catalogue.missing" for a field that was not declared; "catalogue.class" where *cls* is no
            model class.

    >>> from custinfo.model import Customer
    >>> [(info.path, info.pii, info.mask) for info in fields_of(Customer) if info.index == "email"]
    [('emails[].value', 'contact', 'email')]
    """
    attributes(cls)  # what is no class cannot be looked up in a cache either
    known: Any = cls
    return _fields_of(known)


@functools.cache
def _fields_of(cls: Any) -> tuple[FieldInfo, ...]:
    return tuple(_catalogue(cls))


def _catalogue(cls: type) -> Iterator[FieldInfo]:
    for attribute in attributes(cls):
        info = declaration(attribute).info
        kind = attribute.type
        yield attrs.evolve(info, path=attribute.name, type=_type_name(kind))
        inner = value_object(kind)
        if inner is not None:
            members = "[]" if is_tuple(kind) else ""
            for nested in fields_of(inner):
                yield attrs.evolve(nested, path=f"{attribute.name}{members}.{nested.path}")


def attributes(cls: Any) -> tuple[attrs.Attribute[Any], ...]:
    """The attrs attributes of a model class.

    Raises:
        InvalidFieldError: "catalogue.class".
    """
    if not (isinstance(cls, type) and attrs.has(cls)):
        raise InvalidFieldError("not a model class, such as custinfo.model.Customer", code="catalogue.class")
    found: tuple[attrs.Attribute[Any], ...] = attrs.fields(cls)
    return found


def _type_name(kind: Any) -> str:
    return (
        kind.__name__
        if isinstance(kind, type) and not is_tuple(kind)
        else re.sub(r"\b(custinfo\.model\._\w+|collections\.abc|datetime|typing)\.", "", str(kind))
    )


def is_tuple(kind: Any) -> bool:
    """Whether the type of a field is ``tuple[..., ...]``."""
    return getattr(kind, "__origin__", None) is tuple


def value_object(kind: Any) -> type | None:
    """The model class in the type of a field: that of its value, or of each member of its tuple."""
    candidates = getattr(kind, "__args__", ()) or (kind,)
    return next((candidate for candidate in candidates if isinstance(candidate, type) and attrs.has(candidate)), None)


@functools.cache
def personal_fields(cls: type[Any]) -> frozenset[str]:
    """Names of the top-level fields of a model class that are personal data.

    >>> from custinfo.model import Customer
    >>> sorted(personal_fields(Customer))[:2]
    ['addresses', 'birth_date']
    """
    return frozenset(attribute.name for attribute in attributes(cls) if declaration(attribute).info.personal)

"""Look-ups: which texts of a model object find it again."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import attrs

from custinfo.model._field import Index, attributes, declaration, value_object

_DEFAULTS = {field.name: field.default for field in attrs.fields(Index)}


class Term(NamedTuple):
    """One look-up text of an object: the name of the look-up, the text, whether unique, whether hashed.

    A named tuple, since an import makes several for each record; its repr has no text.
    """

    name: str
    text: str
    unique: bool
    blind: bool

    def __repr__(self) -> str:
        return f"Term(name={self.name!r}, unique={self.unique!r}, blind={self.blind!r})"


@functools.cache
def indexes_of(cls: type[Any]) -> Mapping[str, Index]:
    """The look-ups of a model class by name, those of its value objects included.

    >>> from custinfo.model import Customer
    >>> sorted(indexes_of(Customer))[:5]
    ['country', 'created_at', 'email', 'handle', 'identifier']
    """
    found: dict[str, Index] = {}
    for attribute in attributes(cls):
        index = declaration(attribute).index
        if index is not None:
            found[index.name] = index
        inner = value_object(attribute.type)
        if inner is not None:
            found.update(indexes_of(inner))
    return MappingProxyType(found)


def lookup_terms(obj: Any) -> list[Term]:
    """All look-up texts of a model object, without repeats, its own first, then those of its fields.

    A value whose look-up form is empty, such as a phone number without a digit, has none.

    >>> from custinfo.model import Customer, Email
    >>> [(term.name, term.blind) for term in lookup_terms(Customer(emails=[Email("Rosa@Example.com")]))]
    [('email', True)]
    """
    terms: list[Term] = []
    cls: Any = type(obj)
    _collect(obj, _looked_up(cls), terms)
    return list(dict.fromkeys(terms))


class _LookedUp(NamedTuple):
    """Where the look-ups of a class are: those it declares itself, of one text or of several, and fields with more."""

    single: tuple[tuple[Any, ...], ...]
    several: tuple[tuple[Any, ...], ...]
    inner: tuple[tuple[str, Any], ...]


@functools.cache
def _looked_up(cls: type[Any]) -> _LookedUp:
    own = [index for attribute in attributes(cls) if (index := declaration(attribute).index) is not None]
    inner = [
        (attribute.name, _looked_up(nested))
        for attribute in attributes(cls)
        if (nested := value_object(attribute.type)) is not None and indexes_of(nested)
    ]
    # Taken apart once, since an import comes here for each value of each record; what does nothing is not called.
    single = [
        (
            one.name,
            one.text,
            None if one.normalize is _DEFAULTS["normalize"] else one.normalize,
            None if one.unique is _DEFAULTS["unique"] else one.unique,
            one.blind,
        )
        for one in own
        if one.texts is None
    ]
    several = [(one.name, one.texts, one.normalize, one.unique, one.blind) for one in own if one.texts is not None]
    return _LookedUp(tuple(single), tuple(several), tuple(inner))


def _collect(obj: Any, looked_up: _LookedUp, terms: list[Term]) -> None:
    single, several, inner = looked_up
    for name, text_of, normalize, unique, blind in single:
        text = text_of(obj)
        if text and (key := text if normalize is None else normalize(text)):
            terms.append(Term(name, key, unique is not None and unique(obj), blind))
    for name, texts_of, normalize, unique, blind in several:
        keys = (normalize(text) for text in texts_of(obj) if text)
        terms += [Term(name, key, unique(obj), blind) for key in keys if key]
    for name, nested in inner:
        for item in getattr(obj, name):
            _collect(item, nested, terms)

"""Look-ups: which texts of a model object find it again."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from custinfo.model._field import Index, attributes, declaration, value_object


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
    _collect(obj, terms)
    return list(dict.fromkeys(terms))


@functools.cache
def _looked_up(cls: type[Any]) -> tuple[tuple[tuple[Any, ...], ...], tuple[str, ...]]:
    """The look-ups that a class itself declares, and the names of its fields that hold value objects with some."""
    own = [declaration(attribute).index for attribute in attributes(cls)]
    inner = [
        attribute.name
        for attribute in attributes(cls)
        if (nested := value_object(attribute.type)) is not None and indexes_of(nested)
    ]
    # Taken apart once, since an import comes here for each value of each record.
    parts = [(one.name, one.text, one.texts, one.normalize, one.unique, one.blind) for one in own if one is not None]
    return tuple(parts), tuple(inner)


def _collect(obj: Any, terms: list[Term]) -> None:
    cls: Any = type(obj)
    own, inner = _looked_up(cls)
    for name, text_of, texts_of, normalize, unique, blind in own:
        for text in (text_of(obj),) if texts_of is None else texts_of(obj):
            if text:
                key = normalize(text)
                if key:
                    terms.append(Term(name, key, unique(obj), blind))
    for name in inner:
        for item in getattr(obj, name):
            _collect(item, terms)

"""Conditions on look-ups: ``Q.tag("vip") & Q.country("CN")``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NoReturn

import attrs

from custinfo.errors import InvalidFieldError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from custinfo.model import Index
    from custinfo.store._codec import EntityCodec

Pair = tuple[str, str]
Range = tuple[str, str | None, str | None]


class Where:
    """A condition on the look-ups of a record; made by `Q`, joined with ``&``, ``|`` and ``~``."""

    __slots__ = ()

    def __and__(self, other: object) -> Where:
        return Both(self, other) if isinstance(other, Where) else NotImplemented

    def __or__(self, other: object) -> Where:
        return Either(self, other) if isinstance(other, Where) else NotImplemented

    def __invert__(self) -> Where:
        return Not(self)

    def __bool__(self) -> NoReturn:
        raise InvalidFieldError("join conditions with & | ~, in brackets; not with and, or, not", code="find.bool")

    def lookups(self) -> Iterator[str]:
        """Names of the look-ups in it."""
        return iter(())

    def ranges(self) -> Iterator[str]:
        """Names of the look-ups that it compares for order."""
        return iter(())


@attrs.frozen(eq=False)
class Is(Where):
    """The record holds this value; a value may be personal, so none is shown."""

    name: str
    value: object = attrs.field(repr=False)

    def lookups(self) -> Iterator[str]:
        yield self.name


@attrs.frozen(eq=False)
class Between(Where):
    """The record holds a value with low <= value < high."""

    name: str
    low: object = attrs.field(repr=False)
    high: object = attrs.field(repr=False)

    def lookups(self) -> Iterator[str]:
        yield self.name

    def ranges(self) -> Iterator[str]:
        yield self.name


@attrs.frozen(eq=False)
class _Pair(Where):
    one: Where
    other: Where

    def lookups(self) -> Iterator[str]:
        yield from self.one.lookups()
        yield from self.other.lookups()

    def ranges(self) -> Iterator[str]:
        yield from self.one.ranges()
        yield from self.other.ranges()


@attrs.frozen(eq=False)
class Both(_Pair):
    """Both conditions hold."""


@attrs.frozen(eq=False)
class Either(_Pair):
    """One of two conditions holds, or both."""


@attrs.frozen(eq=False)
class Not(Where):
    """The condition does not hold."""

    one: Where

    def lookups(self) -> Iterator[str]:
        return self.one.lookups()

    def ranges(self) -> Iterator[str]:
        return self.one.ranges()


@attrs.frozen
class Lookup:
    """One look-up of a class of records; call it with the value that records must hold."""

    name: str

    def __call__(self, value: object) -> Where:
        """Records that hold *value*: text, or the value object that holds it."""
        return Is(self.name, value)

    def between(self, low: str | datetime | None = None, high: str | datetime | None = None) -> Where:
        """Records with low <= value < high, in code-point order of texts; None leaves an end open.

        Only look-ups that are stored in clear have an order. A time is compared as text of ISO 8601 in UTC, so
        ``"2024"`` is the start of that year.
        """
        return Between(self.name, low, high)


class _Lookups:
    """Conditions by the name of a look-up, as in ``find(email=...)``: ``Q.tag("vip")``, ``Q.created_at.between(...)``.

    Join them with ``&`` (and), ``|`` (or) and ``~`` (not). Which look-ups a class of records has is in the field
    catalogue (`custinfo.model.fields_of`); `Collection.find` refuses others.

    >>> Q.tag("vip") & Q.created_at.between("2024", "2025")
    Both(one=Is(name='tag'), other=Between(name='created_at'))
    """

    def __getattr__(self, name: str) -> Lookup:
        if name.startswith("_"):
            raise AttributeError(name)
        return Lookup(name)

    def __repr__(self) -> str:
        return "Q"


Q = _Lookups()
"""Conditions for `Collection.find`."""


@attrs.frozen
class Conjunct:
    """Keys and ranges that a record must all hold, and what it must not meet.

    Args:
        pairs: (name, value) of keys.
        ranges: (name, low, high) of keys.
        without: conjuncts without further ones, none of which it may meet.
    """

    pairs: tuple[Pair, ...] = ()
    ranges: tuple[Range, ...] = ()
    without: tuple[Conjunct, ...] = ()


_MOST = 256


def conjuncts(where: Where, codec: EntityCodec[Any]) -> tuple[Conjunct, ...]:
    """A condition as alternatives of which a record must meet one.

    Raises:
        InvalidFieldError: "find.unknown", "find.value", "find.range", "find.complex".
    """
    found = _expand(where, codec, negated=False)
    return tuple(dict.fromkeys(found))


def _expand(where: Where, codec: EntityCodec[Any], *, negated: bool) -> list[Conjunct]:
    match where:
        case Not(one):
            return _expand(one, codec, negated=not negated)
        case Both(one, other) | Either(one, other):
            first, second = (_expand(part, codec, negated=negated) for part in (one, other))
            if isinstance(where, Both) is not negated:
                found = [_joined(left, right) for left in first for right in second]
            else:
                found = first + second
            if len(found) > _MOST:
                raise InvalidFieldError(
                    f"the query has more than {_MOST} alternatives; ask in several queries", code="find.complex"
                )
            return found
        case Is(name, value):
            single = [Conjunct(pairs=((key.name, key.value),)) for key in codec.query(name, value)]
        case Between(name, low, high):
            single = [Conjunct(ranges=(_range(codec, name, low, high),))]
        case _:
            raise InvalidFieldError("a query is made of Q, as in Q.tag('vip')", code="find.value")
    return [Conjunct(without=tuple(single))] if negated else single


def _joined(one: Conjunct, other: Conjunct) -> Conjunct:
    return Conjunct(
        pairs=tuple(dict.fromkeys(one.pairs + other.pairs)),
        ranges=tuple(dict.fromkeys(one.ranges + other.ranges)),
        without=tuple(dict.fromkeys(one.without + other.without)),
    )


def _range(codec: EntityCodec[Any], name: str, low: object, high: object) -> Range:
    index = ordered(codec, name)
    return (name, _end(index, low), _end(index, high))


def ordered(codec: EntityCodec[Any], name: str) -> Index:
    """A look-up that has an order, because it is stored in clear.

    Raises:
        InvalidFieldError: "find.unknown", "find.range".
    """
    index = codec.index(name)
    if name in codec.blind:
        plain = ", ".join(sorted(codec.indexes.keys() - codec.blind)) or "none"
        raise InvalidFieldError(
            f"{name} is stored as a keyed hash, which has no order; there are {plain}", code="find.range", path=name
        )
    return index


def _end(index: Index, value: object) -> str | None:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if value is None:
        return None
    if not isinstance(value, str):
        raise InvalidFieldError(
            f"the ends of a range of {index.name} are text, aware times or None", code="find.value", path=index.name
        )
    return index.normalize(value)

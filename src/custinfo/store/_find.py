"""Pages of records that meet a condition: by the backend's own queries, else by its look-ups."""

from __future__ import annotations

import base64
import heapq
import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import attrs

from custinfo.errors import InvalidFieldError
from custinfo.store._protocol import SupportsQuery, Unit
from custinfo.store._where import Conjunct, Pair, Range, Where, conjuncts, ordered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from custinfo.store._codec import EntityCodec

T = TypeVar("T")
_CHUNK = 500
_MOST = 10_000
HIDDEN = frozenset({"merged", "erased"})
"""Status of the customers that a page leaves out."""


@attrs.frozen
class Page(Generic[T]):
    """A page of what was found, in order.

    Args:
        items: the objects.
        cursor: pass it to the same `find` for the next page; None after the last one.
    """

    items: tuple[T, ...] = attrs.field(repr=False)
    cursor: str | None

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __getitem__(self, place: int) -> T:
        return self.items[place]


class Place(NamedTuple):
    """Where the last page ended: the value under the order, "" without one, and the id."""

    value: str
    id: str


class Source(Protocol):
    """Ids of the records that hold all of some keys, in order."""

    def ids(
        self, pairs: Sequence[Pair], within: Range | None, *, order: str | None = None, after: str = ""
    ) -> Iterator[str]:
        """Ids after *after*; in order of the id, or of the smallest value under *order* and then the id."""
        ...


def find_page(
    unit: Unit,
    codec: EntityCodec[T],
    where: Where,
    *,
    order: str | None,
    cursor: str | None,
    limit: int,
    fields: Iterable[str] | None,
) -> Page[T]:
    """See `Collection.find`."""
    _check_limit(limit)
    if order is not None:
        ordered(codec, order)
    after = None if cursor is None else _read(cursor, order)
    source: Source = (
        _Queried(unit, codec.kind, min(limit + 1, _CHUNK))
        if isinstance(unit, SupportsQuery)
        else _LookedUp(unit, codec)
    )
    alternatives = conjuncts(where, codec)
    if order is None:
        ids = _any_of(source, alternatives, after=after.id if after else "")
    else:
        ids = _in_order(unit, codec, source, alternatives, order, after)
    items: list[T] = []
    wanted = None if fields is None else frozenset(fields)
    last = ""
    while len(items) < limit and (chunk := list(islice(ids, limit - len(items)))):
        for record in unit.get(codec.kind, chunk):
            payload = codec.read(record)
            if payload.clear.get("status") not in HIDDEN:
                items.append(codec.build(record, payload, fields=wanted))
        last = chunk[-1]
    if not last or next(ids, None) is None:
        return Page(tuple(items), None)
    value = "" if order is None else _value(unit, codec, last, order)
    return Page(tuple(items), _write(order, Place(value or "", last)))


def _check_limit(limit: object) -> None:
    if not isinstance(limit, int) or not 1 <= limit <= _MOST:
        raise InvalidFieldError(f"limit must be an int from 1 to {_MOST:,}", code="find.limit", path="limit")


def _any_of(source: Source, alternatives: Sequence[Conjunct], *, after: str) -> Iterator[str]:
    """Ids that meet one of the alternatives, in code-point order, each once."""
    last = ""
    for id in heapq.merge(*(_all_of(source, each, after=after) for each in alternatives)):
        if id != last:
            yield id
            last = id


def _all_of(source: Source, each: Conjunct, *, after: str, order: str | None = None) -> Iterator[str]:
    """Ids that meet a conjunct; in an *order*, it may have one range at most, together with each that it excludes."""
    if len(each.ranges) > 1:
        ids = _common([source.ids(each.pairs, within, after=after) for within in each.ranges])
    else:
        ids = source.ids(each.pairs, next(iter(each.ranges), None), order=order, after=after)
    both = [Conjunct(each.pairs + one.pairs, each.ranges + one.ranges) for one in each.without]
    return _without(ids, [_all_of(source, one, after=after, order=order) for one in both])


def _common(streams: Sequence[Iterator[str]]) -> Iterator[str]:
    """What all of some streams in code-point order have."""
    first, *others = streams
    heads = [next(stream, None) for stream in others]
    for id in first:
        for place, stream in enumerate(others):
            while (head := heads[place]) is not None and head < id:
                heads[place] = next(stream, None)
        if None in heads:
            return
        if all(head == id for head in heads):
            yield id


def _without(ids: Iterator[str], excluded: Sequence[Iterator[str]]) -> Iterator[str]:
    """A stream without what others have, each of which is a part of it in the same order."""
    heads = [next(stream, None) for stream in excluded]
    for id in ids:
        keep = True
        for place, stream in enumerate(excluded):
            if heads[place] == id:
                heads[place] = next(stream, None)
                keep = False
        if keep:
            yield id


def _in_order(
    unit: Unit,
    codec: EntityCodec[Any],
    source: Source,
    alternatives: Sequence[Conjunct],
    order: str,
    after: Place | None,
) -> Iterator[str]:
    """Ids in order of their values; straight from an index, or by walking it for those that meet the condition."""
    in_place = after is None or _value(unit, codec, after.id, order) == after.value
    if in_place and len(alternatives) == 1:
        each = alternatives[0]
        if all(len(each.ranges) + len(excluded.ranges) <= 1 for excluded in (Conjunct(), *each.without)):
            return _all_of(source, each, after=after.id if after else "", order=order)
    hits = set(_any_of(source, alternatives, after=""))
    if after is None or in_place:
        walk = source.ids((), None, order=order, after=after.id if after else "")
        return (id for id in walk if id in hits)
    # The last record of the former page has moved or is gone: on from the place that it had.
    walk = source.ids((), (order, after.value, None), order=order)
    return (id for id in walk if id in hits and ((_value(unit, codec, id, order) or ""), id) > after)


def _value(unit: Unit, codec: EntityCodec[Any], id: str, order: str) -> str | None:
    """The smallest value that a record holds under a look-up in clear."""
    for record in unit.get(codec.kind, [id]):
        return min((value for name, value in codec.clear_terms(record) if name == order), default=None)
    return None


class _Queried:
    """By the queries of the backend, some ids at a time."""

    def __init__(self, unit: SupportsQuery, kind: str, chunk: int) -> None:
        self._unit = unit
        self._kind = kind
        self._chunk = chunk

    def ids(
        self, pairs: Sequence[Pair], within: Range | None, *, order: str | None = None, after: str = ""
    ) -> Iterator[str]:
        size = self._chunk
        while True:
            ids = self._unit.query(self._kind, all_of=pairs, range=within, order=order, after=after, limit=size)
            yield from ids
            if len(ids) < size:
                return
            after, size = ids[-1], _CHUNK


class _LookedUp:
    """By look-ups of single keys; an order, a range or no key at all takes a walk over the records of the kind."""

    def __init__(self, unit: Unit, codec: EntityCodec[Any]) -> None:
        self._unit = unit
        self._codec = codec
        self._all: dict[str, frozenset[Pair]] | None = None

    def ids(
        self, pairs: Sequence[Pair], within: Range | None, *, order: str | None = None, after: str = ""
    ) -> Iterator[str]:
        kind = self._codec.kind
        found = [frozenset(self._unit.lookup(kind, name, value)) for name, value in pairs]
        ids = set(frozenset.intersection(*found) if found else self._held())
        if within is not None:
            ids = {id for id in ids if any(_is_within(pair, within) for pair in self._held()[id])}
        if order is None:
            return iter(sorted(id for id in ids if id > after))
        places = sorted((value, id) for id in ids if (value := self._place(id, order)) is not None)
        last = (self._place(after, order) or "", after)
        return (id for value, id in places if not after or (value, id) > last)

    def _place(self, id: str, order: str) -> str | None:
        return min((value for name, value in self._held().get(id, ()) if name == order), default=None)

    def _held(self) -> dict[str, frozenset[Pair]]:
        """The look-ups in clear of all records."""
        if self._all is None:
            self._all = {}
            after = ""
            while page := self._unit.page(self._codec.kind, after, _CHUNK):
                for record in page:
                    self._all[record.id] = self._codec.clear_terms(record)
                after = page[-1].id
        return self._all


def _is_within(pair: Pair, within: Range) -> bool:
    name, low, high = within
    return pair[0] == name and (low is None or low <= pair[1]) and (high is None or pair[1] < high)


def _write(order: str | None, place: Place) -> str:
    return base64.urlsafe_b64encode(json.dumps([order, *place]).encode()).decode()


def _read(cursor: str, order: str | None) -> Place:
    try:
        found, value, id = json.loads(base64.b64decode(cursor, b"-_", validate=True))
        if found == order and isinstance(value, str) and isinstance(id, str):
            return Place(value, id)
    except (AttributeError, TypeError, ValueError, RecursionError):
        pass
    raise InvalidFieldError(
        "this is not a cursor of this order; pass that of a page, with the query it came from, or None for the start",
        code="find.cursor",
        path="cursor",
    )

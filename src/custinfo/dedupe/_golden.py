"""One record out of several of one person: which value survives, field by field, and where it came from."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import attrs

from custinfo.errors import InvalidFieldError

__all__ = [
    "GoldenRecord",
    "Strategy",
    "golden_record",
    "longest",
    "most_complete",
    "most_frequent",
    "most_recent",
    "most_trusted",
    "oldest",
    "union",
]


@attrs.frozen(kw_only=True)
class GoldenRecord:
    """What is known of one person.

    Attributes:
        values: field -> surviving value; ``None`` where no record has one.
        sources: field -> index of the record that the value came from, or the indices of all records whose parts were
            united; fields without a value are left out.

    >>> golden_record([{"city": "Ulm"}, {"city": ""}]).sources
    {'city': 0}
    """

    values: dict[str, Any] = attrs.field(repr=False)
    sources: dict[str, int | tuple[int, ...]]


@attrs.frozen(kw_only=True, eq=False)
class _Candidates:
    """The records that have a value for one field, and what is known of them."""

    rows: list[int]
    values: list[Hashable]
    filled: Sequence[int]
    times: Sequence[float] | None
    provenance: Sequence[str] | None

    def best(self, score: Callable[[int], Any]) -> int:
        """Position with the highest score; ties go to the more frequent value, then to its text, then to the first."""
        counts: dict[Hashable, int] = {}
        for value in self.values:
            counts[value] = counts.get(value, 0) + 1

        def key(position: int) -> tuple[Any, ...]:
            value = self.values[position]
            return (score(position), counts[value], _Descending(str(value)), -self.rows[position])

        return max(range(len(self.rows)), key=key)


@attrs.frozen(order=False)
class _Descending:
    text: str

    def __lt__(self, other: _Descending) -> bool:
        return self.text > other.text


@attrs.frozen
class Strategy:
    """How one field survives.

    Attributes:
        name: ``most_recent``, ``oldest``, ``most_complete``, ``most_frequent``, ``most_trusted``, ``longest`` or
            ``union``.
        trust: names of sources, the most trusted first; for ``most_trusted`` alone.

    >>> most_trusted.over("crm", "web").trust
    ('crm', 'web')
    """

    name: str
    trust: tuple[str, ...] = ()

    def over(self, *sources: str) -> Strategy:
        """The same strategy for sources ranked in this order."""
        return attrs.evolve(self, trust=sources)


most_recent = Strategy("most_recent")
oldest = Strategy("oldest")
most_complete = Strategy("most_complete")
most_frequent = Strategy("most_frequent")
most_trusted = Strategy("most_trusted")
longest = Strategy("longest")
union = Strategy("union")


def golden_record(
    records: Sequence[Mapping[str, object]],
    *,
    survivorship: str | Strategy | Mapping[str, str | Strategy] = "most_complete",
    provenance: Sequence[str] | None = None,
    updated_at: Sequence[datetime.datetime | datetime.date | float] | None = None,
) -> GoldenRecord:
    """Merge records of one person into one, value by value.

    Args:
        records: mappings field -> hashable value, at least one; ``None``, ``""``, ``()`` and NaN are missing.
        survivorship: a strategy, its name, or field -> strategy (other fields: ``most_complete``).
            ``most_complete`` prefers the record with the most values; ``most_recent`` and ``oldest`` go by
            *updated_at*;
            ``most_frequent`` and ``longest`` look at the values; ``most_trusted`` at *provenance*, in the order given
            by ``most_trusted.over(...)`` (unranked sources last); ``union`` unites tuples (a single value counts as
            a tuple of one) in the order of the records, each value once.
        provenance: source of each record, such as ``"crm"``.
        updated_at: time of each record, all aware or all naive.

    Returns:
        The values and, for each, the record it came from. Ties are decided by frequency, then by the value's text, so
        that the order of records decides only between values that look the same.

    Raises:
        InvalidFieldError: ``golden.empty`` (no records), ``golden.strategy`` (unknown name), ``golden.length``
            (*provenance* or *updated_at* of another length), ``golden.needs`` (a strategy without what it goes by),
            ``golden.value``
            (a value that is not hashable).

    >>> two = [{"given": "Bob", "phone": None}, {"given": "Robert", "phone": "0161 496 0000"}]
    >>> golden_record(two, survivorship={"given": "longest"}).values
    {'given': 'Robert', 'phone': '0161 496 0000'}
    """
    if not records:
        raise InvalidFieldError("there are no records to merge; pass at least one", code="golden.empty")
    for label, given in (("provenance", provenance), ("updated_at", updated_at)):
        if given is not None and len(given) != len(records):
            raise InvalidFieldError(
                f"{label} has {len(given)} entries for {len(records)} records; give one for each",
                code="golden.length",
                path=label,
            )
    names = list(dict.fromkeys(name for record in records for name in record))
    by_field = survivorship if isinstance(survivorship, Mapping) else dict.fromkeys(names, survivorship)
    strategies = {name: _strategy(by_field.get(name, most_complete), name) for name in names}
    times = None if updated_at is None else _times(updated_at)
    filled = [sum(1 for value in record.values() if not _missing(value)) for record in records]
    values: dict[str, Any] = {}
    sources: dict[str, int | tuple[int, ...]] = {}
    for name in names:
        rows = [row for row, record in enumerate(records) if not _missing(record.get(name))]
        if not rows:
            values[name] = next((record[name] for record in records if record.get(name) == ()), None)
            continue
        found = _Candidates(
            rows=rows,
            values=[_hashable(records[row][name], name) for row in rows],
            filled=[filled[row] for row in rows],
            times=None if times is None else [times[row] for row in rows],
            provenance=None if provenance is None else [provenance[row] for row in rows],
        )
        if strategies[name].name == "union":
            values[name], sources[name] = _united(found)
        else:
            winner = found.best(_score(strategies[name], found, name))
            values[name], sources[name] = found.values[winner], rows[winner]
    return GoldenRecord(values=values, sources=sources)


_BY_NAME = {
    strategy.name: strategy
    for strategy in (most_recent, oldest, most_complete, most_frequent, most_trusted, longest, union)
}


def _strategy(given: str | Strategy, field: str) -> Strategy:
    name = given.name if isinstance(given, Strategy) else given
    if name not in _BY_NAME:
        raise InvalidFieldError(
            f"field {field!r}: there is no survivorship strategy {name!r}; use one of {', '.join(sorted(_BY_NAME))}",
            code="golden.strategy",
            path=field,
        )
    return given if isinstance(given, Strategy) else _BY_NAME[name]


def _missing(value: object) -> bool:
    return value is None or value in ("", ()) or (isinstance(value, float) and value != value)


def _hashable(value: object, field: str) -> Hashable:
    try:
        hash(value)
    except TypeError:
        raise InvalidFieldError(
            f"field {field!r} holds a {type(value).__name__}, which is not hashable; pass a tuple or text",
            code="golden.value",
            path=field,
        ) from None
    return value


def _times(given: Sequence[datetime.datetime | datetime.date | float]) -> list[float]:
    """Seconds since 1970; a date counts as its start in UTC, and so does a naive time."""
    seconds = []
    for moment in given:
        if isinstance(moment, datetime.datetime):
            aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=datetime.UTC)
            seconds.append(aware.timestamp())
        elif isinstance(moment, datetime.date):
            seconds.append(datetime.datetime(moment.year, moment.month, moment.day, tzinfo=datetime.UTC).timestamp())
        else:
            seconds.append(float(moment))
    return seconds


def _score(strategy: Strategy, found: _Candidates, field: str) -> Callable[[int], Any]:
    if strategy.name in ("most_recent", "oldest"):
        times = found.times
        if times is None:
            raise InvalidFieldError(
                f"field {field!r}: {strategy.name} needs the time of each record; pass updated_at=",
                code="golden.needs",
                path=field,
            )
        sign = 1 if strategy.name == "most_recent" else -1
        return lambda position: sign * times[position]
    if strategy.name == "most_trusted":
        provenance = found.provenance
        if provenance is None or not strategy.trust:
            raise InvalidFieldError(
                f"field {field!r}: most_trusted needs provenance= and an order of trust: "
                "most_trusted.over('first', 'second')",
                code="golden.needs",
                path=field,
            )
        rank = {source: -place for place, source in enumerate(strategy.trust)}
        return lambda position: (rank.get(provenance[position], -len(rank)), found.filled[position])
    if strategy.name == "most_frequent":
        return lambda position: 0
    if strategy.name == "longest":
        return lambda position: len(str(found.values[position]))
    return lambda position: found.filled[position]


def _united(found: _Candidates) -> tuple[tuple[Hashable, ...], tuple[int, ...]]:
    parts: dict[Hashable, int] = {}
    for row, value in zip(found.rows, found.values, strict=True):
        for part in value if isinstance(value, tuple) else (value,):
            parts.setdefault(part, row)
    return tuple(parts), tuple(sorted(set(parts.values())))

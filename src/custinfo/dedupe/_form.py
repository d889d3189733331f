"""The normal forms of one record, the same as `_fields.build_fields` makes of whole columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import attrs

from custinfo.dedupe import _values as value_of
from custinfo.dedupe._fields import ALIKE, APART, SIMPLE
from custinfo.dedupe._opaque import opaque
from custinfo.dedupe._text import plain

__all__ = ["FieldSpec", "record_reader"]

Texts = tuple[str | None, ...]
Record = Mapping[str, object]
_Read = Callable[[Record], Texts]


@attrs.frozen(kw_only=True)
class FieldSpec:
    """What a field of a model is made of.

    Attributes:
        name: how explanations call it.
        kind: how values are compared.
        columns: the columns that it is made of.
        width: number of alternatives.
    """

    name: str
    kind: str
    columns: tuple[str, ...]
    width: int


def record_reader(kinds: Mapping[str, str], specs: Sequence[FieldSpec]) -> Callable[[Record], list[Texts]]:
    """A function that gives the normal forms of each field of a record, ``None`` where missing."""
    by_kind: dict[str, list[str]] = {}
    for column, kind in kinds.items():
        by_kind.setdefault(ALIKE.get(kind, kind), []).append(column)
    readers: dict[tuple[str, str], _Read] = {**_names(by_kind), **_places(by_kind), **_birth(by_kind)}
    for kind, compared, form in SIMPLE:
        if kind in by_kind:
            readers[kind, compared] = _alternatives(by_kind[kind], form)
    chosen = []
    for spec in specs:
        apart = next((form for kind, compared, form in APART if kinds.get(spec.columns[0]) == kind), None)
        if spec.kind == "token":
            chosen.append(_tokens(spec.columns))
        else:
            chosen.append(_alternatives(spec.columns, apart) if apart is not None else readers[spec.name, spec.kind])

    def read(record: Record) -> list[Texts]:
        return [one(record) for one in chosen]

    return read


def _alternatives(columns: Sequence[str], form: Callable[[str], object | None]) -> _Read:
    names = tuple(columns)

    def read(record: Record) -> Texts:
        return tuple(_text(form, plain(record.get(name))) for name in names)

    return read


def _tokens(columns: Sequence[str]) -> _Read:
    names = tuple(columns)

    def read(record: Record) -> Texts:
        return tuple(plain(opaque(record.get(name))) or None for name in names)

    return read


def _text(form: Callable[[str], object | None], text: str) -> str | None:
    value = form(text) if text else None
    return None if value is None else str(value)


def _joined(record: Record, names: Sequence[str]) -> str:
    if len(names) == 1:
        return plain(record.get(names[0]))
    return plain(" ".join(filter(None, (plain(record.get(name)) for name in names))))


def _names(by_kind: Mapping[str, list[str]]) -> dict[tuple[str, str], _Read]:
    full_columns, middle = by_kind.get("full_name", []), by_kind.get("middle_name", [])

    def part(own: list[str], place: int) -> _Read:
        def read(record: Record) -> Texts:
            found = _text(value_of.person, _joined(record, own)) if own else None
            for column in full_columns:
                if found is not None:
                    break
                text = plain(record.get(column))
                whole = value_of.full_name(text) if text else None
                found = None if whole is None else whole[place]
            return (found,)

        return read

    return {
        ("given_name", "name"): part(by_kind.get("given_name", []), 0),
        ("family_name", "name"): part(by_kind.get("family_name", []), 1),
        ("middle_name", "name"): lambda record: (_text(value_of.person, _joined(record, middle)),),
    }


def _places(by_kind: Mapping[str, list[str]]) -> dict[tuple[str, str], _Read]:
    streets, addresses, units = by_kind.get("street", []), by_kind.get("address", []), by_kind.get("unit", [])
    houses = by_kind.get("house_number", [])
    main, rest = (streets, [*addresses, *units]) if streets else (addresses, units)

    def part(own: list[str], form: Callable[[str], str | None], place: int) -> _Read:
        def read(record: Record) -> Texts:
            found = _text(form, _joined(record, own)) if own else None
            if found is None and main:
                text = _joined(record, main)
                found = value_of.address(text)[place] if text else None
            return (found,)

        return read

    return {
        ("street", "place"): part([], value_of.place, 0),
        ("house_number", "house"): part(houses, value_of.token, 1),
        ("unit", "place"): part(rest, value_of.place, 2),
    }


def _birth(by_kind: Mapping[str, list[str]]) -> dict[tuple[str, str], _Read]:
    if "birth_date" in by_kind:
        return {("birth_date", "date"): _alternatives(by_kind["birth_date"], value_of.birth_date)}
    if "birth_year" not in by_kind:
        return {}
    kinds = ("birth_year", "birth_month", "birth_day") if "birth_month" in by_kind else ("birth_year",)
    names = [by_kind[kind][0] for kind in kinds if kind in by_kind]

    def read(record: Record) -> Texts:
        texts = (plain(record.get(name)) for name in names)
        year, month, day = ([(value_of.small_number(text) or 0) if text else 0 for text in texts] + [0, 0])[:3]
        if not 1850 <= year <= 2100:
            return (None,)
        whole = month * 100 + day if 1 <= month <= 12 and 1 <= day <= 31 else 0
        return (str(year * 10000 + whole),)

    return {("birth_date", "date"): read}

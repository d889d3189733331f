"""Columns to fields of evidence: normal forms as codes, computed once per distinct value."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
import numpy as np

from custinfo.dedupe import _values as value_of
from custinfo.dedupe._addresses import addresses
from custinfo.dedupe._bulk import Coded, coded, emails, phones
from custinfo.dedupe._opaque import opaque_column, token_fields
from custinfo.dedupe._text import (
    Codes,
    as_list,
    factorize,
    han_to_pinyin,
    is_han,
    mostly_distinct,
    plain,
    word_set,
    words,
)

__all__ = ["ALIKE", "APART", "SIMPLE", "Field", "build_fields", "key_of"]

_MISSING = np.int32(-1)


@attrs.frozen(kw_only=True, eq=False)
class Field:
    """One piece of evidence about each record.

    Attributes:
        name: how explanations call it.
        kind: how values are compared: name, date, email, number, place, postal, tokens, flag, amount.
        codes: int32 (n, k), code of the normal form of each alternative; -1 where missing.
        texts: normal form by code.
        keys: int32, coarser code by code: equal keys mean another writing of one value.
        key_texts: text by key.
        columns: the columns that it was made of.
        words: how many values hold each word, and the number of values; counted from *texts* where it is ``None``.
    """

    name: str
    kind: str
    codes: np.ndarray[tuple[int, int], np.dtype[np.int32]]
    texts: list[str]
    keys: Codes
    key_texts: list[str]
    columns: tuple[str, ...]
    words: tuple[Mapping[str, int], int] | None = None
    cache: dict[str, Any] = attrs.field(factory=dict)

    @property
    def first(self) -> Codes:
        """Codes of the first alternative, shape (n,)."""
        return self.codes[:, 0]

    def take(self, rows: np.ndarray[Any, np.dtype[np.int64]]) -> Field:
        """The same field for other rows."""
        return attrs.evolve(self, codes=self.codes[rows])


# Of what nearly every row has differently a whole column is read at once.
_WHOLE: dict[Callable[[str], object | None], Callable[[Sequence[str]], Coded]] = {
    value_of.email: emails,
    value_of.phone: phones,
}


def _normal(column: Sequence[Any] | np.ndarray[Any, Any], form: Callable[[str], object | None]) -> Coded:
    """Codes of normal forms; *form* sees each distinct text once, or a column of mostly different ones as a whole."""
    if form in _WHOLE and mostly_distinct(column):
        return _WHOLE[form](as_list(column))
    raw, distinct = factorize(column)
    inner = coded([form(text) if (text := plain(value)) else None for value in distinct])
    return Coded(inner.codes[raw] if len(distinct) else raw, inner.values)


def _field(name: str, kind: str, parts: list[Coded], columns: Sequence[str], *, pinyin: bool = True) -> Field:
    """Field of alternatives that share one set of codes."""
    key = key_of(name, kind, pinyin=pinyin)
    if len(parts) == 1:
        whole = parts[0]
        known = list(map(str, whole.values))
        aligned = [whole.codes]
    else:
        texts: dict[str, int] = {}
        aligned = []
        for part in parts:
            numbers = (texts.setdefault(str(value), len(texts)) for value in part.values)
            table = np.fromiter(numbers, np.int32, len(part.values))
            aligned.append(np.append(table, _MISSING)[part.codes])
        known = list(texts)
    if key is None:
        keys, key_texts = np.arange(len(known), dtype=np.int32), known
    elif len(parts) == 1 and whole.keys is not None and whole.key_texts is not None:
        keys, key_texts = whole.keys, whole.key_texts
    else:
        keys, key_texts = factorize(list(map(key, known)))
    return Field(
        name=name,
        kind=kind,
        codes=np.stack(aligned, 1),
        texts=known,
        keys=keys,
        key_texts=key_texts,
        columns=tuple(columns),
    )


def key_of(name: str, kind: str, *, pinyin: bool = True) -> Callable[[str], str] | None:
    """The coarser form of a field's normal forms, of which equal ones are another writing of one value."""
    if kind == "tokens":
        return _words_key
    if kind == "email":
        return _user_part
    if kind == "house":
        return _house_key
    if kind == "name" or name == "locality":
        return name_key if pinyin else _name_key_without_pinyin
    return {"street": _street_key, "unit": _unit_key}.get(name) if kind == "place" else None


def name_key(text: str) -> str:
    """What the writings of one name have in common: pinyin of Hanzi, one letter for an umlaut as two, no spaces."""
    return han_to_pinyin(text) if is_han(text) else _name_key_without_pinyin(text)


def _name_key_without_pinyin(text: str) -> str:
    if is_han(text):
        return text
    joined = text.replace(" ", "")
    return re.sub(r"([aou])e", r"\1", joined) if len(joined) > 3 else joined


def _street_key(text: str) -> str:
    parts = [part for part in text.split() if part not in _TYPES] or text.split()
    return " ".join(sorted(parts))


_TYPES = word_set(
    """
    street road avenue lane drive court place boulevard crescent close circuit square terrace calle rue de la
    del des du
    """
)


def _user_part(text: str) -> str:
    return text.partition("@")[0]


def _house_key(text: str) -> str:
    return "".join(c for c in text if c.isdigit())


def _unit_key(text: str) -> str:
    return "".join(sorted(words(text)))


def _words_key(text: str) -> str:
    return text if is_han(text) else "".join(sorted(text.split()))


# Fields of one column or several alternative ones: kind, how values compare, normal form.
SIMPLE: tuple[tuple[str, str, Callable[[str], object | None]], ...] = (
    ("organization", "tokens", value_of.organization),
    ("email", "email", value_of.email),
    ("phone", "phone", value_of.phone),
    ("national_id", "number", value_of.digits),
    ("account", "number", value_of.digits),
    ("postal_code", "postal", value_of.token),
    ("locality", "place", value_of.place),
    ("region", "flag", value_of.place),
    ("country", "flag", value_of.token),
    ("sex", "flag", value_of.initial),
)
# Several columns of these kinds say different things; each is a field of its own.
APART: tuple[tuple[str, str, Callable[[str], object | None]], ...] = (
    ("date", "date", value_of.birth_date),
    ("category", "flag", value_of.place),
    ("amount", "flag", value_of.token),
    ("text", "tokens", value_of.organization),
)


# Kinds that are evidence alike; what sets them apart are the conflict rules.
ALIKE = {"verified_id": "national_id"}


def build_fields(
    columns: Mapping[str, np.ndarray[Any, Any]], kinds: Mapping[str, str], *, pinyin: bool = True
) -> list[Field]:
    """Fields of evidence out of columns of known kinds; without *pinyin* Chinese names keep to their characters."""
    by_kind: dict[str, list[str]] = {}
    for column, kind in kinds.items():
        by_kind.setdefault(ALIKE.get(kind, kind), []).append(column)
    fields = [*_name_fields(columns, by_kind, pinyin), *_place_fields(columns, by_kind)]
    for kind, compared, form in SIMPLE:
        names = by_kind.get(kind, [])
        if names:
            fields.append(_field(kind, compared, [_normal(columns[c], form) for c in names], names, pinyin=pinyin))
    for kind, compared, form in APART:
        fields.extend(
            _field(column, compared, [_normal(columns[column], form)], [column]) for column in by_kind.get(kind, [])
        )
    fields.extend(
        _field(name, "token", [_normal(opaque_column(columns[column]), str) for column in names], names)
        for name, names in token_fields(kinds).items()
    )
    birth = _birth_field(columns, by_kind)
    if birth is not None:
        fields.append(birth)
    return [field for field in fields if (field.codes >= 0).any()]


def _joined(columns: Mapping[str, np.ndarray[Any, Any]], names: Sequence[str]) -> list[str] | np.ndarray[Any, Any]:
    """One column as it is, several as their texts side by side."""
    if len(names) == 1:
        return columns[names[0]]
    texts = []
    for name in names:
        codes, distinct = factorize(columns[name])
        plains = [plain(value) for value in distinct]
        texts.append([plains[code] for code in codes.tolist()])
    return [" ".join(filter(None, parts)) for parts in zip(*texts, strict=True)]


def _name_fields(
    columns: Mapping[str, np.ndarray[Any, Any]], by_kind: Mapping[str, list[str]], pinyin: bool
) -> list[Field]:
    given_columns, family_columns = by_kind.get("given_name", []), by_kind.get("family_name", [])
    full_columns, middle_columns = by_kind.get("full_name", []), by_kind.get("middle_name", [])
    given = _normal(_joined(columns, given_columns), value_of.person) if given_columns else None
    family = _normal(_joined(columns, family_columns), value_of.person) if family_columns else None
    for column in full_columns:
        full = _normal(columns[column], value_of.full_name)
        given = _filled(given, _picked(full, 0))
        family = _filled(family, _picked(full, 1))
    fields = []
    if given is not None:
        fields.append(_field("given_name", "name", [given], given_columns or full_columns, pinyin=pinyin))
    if family is not None:
        fields.append(_field("family_name", "name", [family], family_columns or full_columns, pinyin=pinyin))
    if middle_columns:
        middle = _normal(_joined(columns, middle_columns), value_of.person)
        fields.append(_field("middle_name", "name", [middle], middle_columns, pinyin=pinyin))
    return fields


def _picked(whole: Coded, place: int) -> Coded:
    """One element of the tuples of a column."""
    part = coded([value[place] for value in whole.values])
    return Coded(np.append(part.codes, _MISSING)[whole.codes], part.values)


def _filled(have: Coded | None, more: Coded) -> Coded:
    """The values of *have*, and where they are missing those of a second source."""
    if have is None:
        return more
    beyond = np.where(more.codes < 0, _MISSING, more.codes + len(have.values))
    return Coded(np.where(have.codes < 0, beyond, have.codes).astype(np.int32), [*have.values, *more.values])


def _place_fields(columns: Mapping[str, np.ndarray[Any, Any]], by_kind: Mapping[str, list[str]]) -> list[Field]:
    streets, addresses, units = by_kind.get("street", []), by_kind.get("address", []), by_kind.get("unit", [])
    houses = by_kind.get("house_number", [])
    main, rest = (streets, [*addresses, *units]) if streets else (addresses, units)
    fields = []
    house = _normal(_joined(columns, houses), value_of.token) if houses else None
    unit: Coded | None = _normal(_joined(columns, rest), value_of.place) if rest else None
    if main:
        street, its_house, its_unit = _addresses(_joined(columns, main))
        fields.append(_field("street", "place", [street], main))
        house, unit = _filled(house, its_house), _filled(unit, its_unit)
    if house is not None:
        fields.append(_field("house_number", "house", [house], houses or main))
    if unit is not None:
        fields.append(_field("unit", "place", [unit], rest or main))
    return fields


def _addresses(column: Sequence[Any] | np.ndarray[Any, Any]) -> tuple[Coded, Coded, Coded]:
    """Street, house number and unit of addresses in one line."""
    if mostly_distinct(column):
        raw, distinct = factorize(column)
        street, house, unit = (Coded(part.codes[raw], part.values) for part in addresses(distinct))
        return street, house, unit
    whole = _normal(column, value_of.address)
    return _picked(whole, 0), _picked(whole, 1), _picked(whole, 2)


def _birth_field(columns: Mapping[str, np.ndarray[Any, Any]], by_kind: Mapping[str, list[str]]) -> Field | None:
    names = by_kind.get("birth_date", [])
    if names:
        return _field("birth_date", "date", [_normal(columns[c], value_of.birth_date) for c in names], names)
    parts = [by_kind[kind][0] for kind in ("birth_year", "birth_month", "birth_day") if kind in by_kind]
    if "birth_year" not in by_kind:
        return None
    numbers = []
    for column in parts:
        part = _normal(columns[column], value_of.small_number)
        numbers.append(np.array([*part.values, 0], np.int64)[part.codes])
    year, month, day = (
        (numbers + [np.zeros_like(numbers[0])] * 3)[:3]
        if "birth_month" in by_kind
        else (numbers[0], 0 * numbers[0], 0 * numbers[0])
    )
    whole = np.where((month >= 1) & (month <= 12) & (day >= 1) & (day <= 31), month * 100 + day, 0)
    value = np.where((year >= 1850) & (year <= 2100), year * 10000 + whole, 0)
    return _field("birth_date", "date", [_normal(value, lambda text: None if text == "0" else text)], parts)

"""Records that must never meet, whatever else agrees: conflict rules as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np

from custinfo.dedupe._fields import Field
from custinfo.dedupe._verified import schemes_of, verified
from custinfo.errors import InvalidFieldError

__all__ = ["VERIFIED", "Conflicts", "Rule", "resolve"]

Ints = np.ndarray[Any, np.dtype[np.int64]]
Bools = np.ndarray[Any, np.dtype[np.bool_]]
Codes = np.ndarray[Any, np.dtype[np.int32]]

# The rule that holds unless others are given: two different verified national ids never meet.
VERIFIED = "verified national_id"


@attrs.frozen(kw_only=True)
class Rule:
    """Two records conflict where they differ in all of some fields, and lack none of them.

    Attributes:
        fields: names of fields, or of columns where only that column of a field counts.
        scheme: only values that this validator passes count; ``""`` for all values.

    >>> Rule(fields=("sex", "birth_date")).text()
    'different sex and birth_date'
    """

    fields: tuple[str, ...]
    scheme: str = ""

    def text(self) -> str:
        """The rule in words."""
        names = " and ".join(self.fields)
        return f"different {names} verified as {self.scheme}" if self.scheme else f"different {names}"


def resolve(
    fields: Sequence[Field], kinds: Mapping[str, str], rules: Sequence[str | Sequence[str]] | None
) -> tuple[Rule, ...]:
    """The rules of a search.

    Args:
        fields: of all records; which schemes of numbers are in use follows from their values.
        kinds: column -> kind.
        rules: each a field or column, several that must all differ, or `VERIFIED`; ``None`` for the default.

    Raises:
        InvalidFieldError: ``dedupe.rules``: no such field or column.
    """
    found: list[Rule] = []
    for rule in (VERIFIED,) if rules is None else rules:
        if rule == VERIFIED:
            found += _verified_rules(fields, kinds)
            continue
        names = (rule,) if isinstance(rule, str) else tuple(rule)
        known = list(dict.fromkeys(name for field in fields for name in (field.name, *field.columns)))
        unknown = [name for name in names if name not in known]
        # A column without any value makes no field, and a rule about it no conflict.
        empty = [name for name in unknown if kinds.get(str(name), "ignore") != "ignore"]
        if len(unknown) > len(empty) or not names:
            wrong = next((name for name in unknown if name not in empty), "")
            raise InvalidFieldError(
                f"there is no field or column {wrong!r} for a rule; there are {', '.join(known)}, and the rule "
                f"{VERIFIED!r}",
                code="dedupe.rules",
            )
        if not empty:
            found.append(Rule(fields=names))
    return tuple(dict.fromkeys(found))


def _verified_rules(fields: Sequence[Field], kinds: Mapping[str, str]) -> list[Rule]:
    found = []
    for field in fields:
        if field.name == "national_id" and field.kind == "number":
            found += [Rule(fields=(field.name,), scheme=scheme) for scheme in schemes_of(field.texts)]
            found += [Rule(fields=(column,)) for column in field.columns if kinds.get(column) == "verified_id"]
    return found


class _Term:
    """The values of one field that count in a rule; whether a number passes is looked at when it is first needed."""

    def __init__(self, codes: Codes, texts: Sequence[str], scheme: str) -> None:
        self._codes, self._texts, self._scheme = codes, texts, scheme
        # By code: 1 counts, 0 does not, 2 not looked at; the last is for a missing value.
        self._state = np.append(np.full(len(texts), 2 if scheme else 1, np.int8), np.int8(0))

    def values(self, rows: Any) -> Any:
        """Codes of the rows that count, -1 where there is none."""
        codes = self._codes[rows]
        state = self._state[codes]
        if (state == 2).any():
            new = np.unique(codes[state == 2])
            self._state[new] = verified(self._scheme, [self._texts[code] for code in new.tolist()])
            state = self._state[codes]
        return np.where(state == 1, codes, -1)

    def differ(self, left: Any, right: Any) -> Bools:
        """Which pairs have values, and none in common."""
        found = (self._codes[left] >= 0).any(1) & (self._codes[right] >= 0).any(1)
        if self._codes.shape[1] == 1:
            found &= self._codes[left, 0] != self._codes[right, 0]
        some = np.flatnonzero(found)
        a, b = self.values(left[some]), self.values(right[some])
        both = (a >= 0).any(1) & (b >= 0).any(1)
        for one in a.T:
            for other in b.T:
                both &= (one != other) | (one < 0)
        found[some] = both
        return np.asarray(found, bool)


class Conflicts:
    """Rules applied to the rows of some fields."""

    def __init__(self, rules: Sequence[Rule], fields: Sequence[Field]) -> None:
        self.rules = tuple(rules)
        self._terms = [[_term(name, rule.scheme, fields) for name in rule.fields] for rule in rules]

    def __bool__(self) -> bool:
        return bool(self._terms)

    def of(self, left: Ints, right: Ints) -> Bools:
        """Which pairs of rows must not meet."""
        found = np.zeros(len(left), bool)
        for terms in self._terms:
            found |= np.logical_and.reduce([term.differ(left, right) for term in terms])
        return found

    def broken(self, left: int, right: int) -> tuple[Rule, ...]:
        """The rules by which two rows must not meet."""
        a, b = np.array([left]), np.array([right])
        return tuple(
            rule
            for rule, terms in zip(self.rules, self._terms, strict=True)
            if all(term.differ(a, b)[0] for term in terms)
        )

    def concerned(self, rows: Sequence[int]) -> dict[int, int]:
        """Those of the rows that any rule says something about, and for each the first with the same values."""
        chosen = np.asarray(rows, np.int64)
        values = [[term.values(chosen) for term in terms] for terms in self._terms]
        some = np.zeros(len(chosen), bool)
        for parts in values:
            some |= np.logical_and.reduce([(part >= 0).any(1) for part in parts])
        kept = chosen[some]
        if not len(kept):
            return {}
        joint = np.concatenate([part[some] for parts in values for part in parts], axis=1)
        _, first, kind = np.unique(joint, axis=0, return_index=True, return_inverse=True)
        return dict(zip(kept.tolist(), kept[first][kind.ravel()].tolist(), strict=True))

    def apart(self, one: Sequence[int], other: Sequence[int]) -> bool:
        """Whether any row of one group must not meet one of the other."""
        a, b = np.asarray(one, np.int64), np.asarray(other, np.int64)
        return bool(self.of(np.repeat(a, len(b)), np.tile(b, len(a))).any())


def _term(name: str, scheme: str, fields: Sequence[Field]) -> _Term:
    position, places = _place(name, [(field.name, field.columns, field.codes.shape[1]) for field in fields])
    if position < 0:
        return _Term(np.full((len(fields[0].codes), 1), -1, np.int32), (), "")
    field = fields[position]
    return _Term(field.codes[:, places], field.texts, scheme)


def _place(name: str, fields: Sequence[tuple[str, tuple[str, ...], int]]) -> tuple[int, slice]:
    """Position of a field and which of its alternatives count, by the name of the field or of one column; -1 for none.

    Columns that are parts of one value, such as names, make one alternative together.
    """
    for position, (field, _, _) in enumerate(fields):
        if field == name:
            return position, slice(None)
    for position, (_, columns, width) in enumerate(fields):
        if name in columns:
            place = columns.index(name) if width == len(columns) else 0
            return position, slice(place, place + 1)
    return -1, slice(None)

"""The sample of failing rows in a quality report: bounded, masked, and with something of every kind of fault."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from typing import Any

import attrs

from custinfo.model import mask
from custinfo.validate._base import BaseValidator, plain_text
from custinfo.validate._protocol import Validator
from custinfo.validate._schema import Schema

__all__ = ["FailingRow", "Sample", "choose"]

_LONGEST = 64
_LONGEST_BITS = 256  # of an integer; longer ones are no value of a customer
_BY_VALIDATOR = {"email": "email", "phone": "phone", "person_name": "name", "date": "year"}
_NUMBERS = frozenset("iban card luhn cn_resident_id cn_uscc hkid vat other_id".split())
_BY_NAME = (
    ("email", "email"),
    ("phone", "phone"),
    ("mobile", "phone"),
    ("birth", "year"),
    ("identifier", "last4"),
)


@attrs.frozen
class FailingRow:
    """One thing that is wrong in one row.

    Args:
        row: place of the row, from 0.
        field: path of the field, or the paths of a rule.
        code: what is wrong.
        masked: what may be shown of the value.
    """

    row: int
    field: str
    code: str
    masked: str


class Sample:
    """Collects failing rows, block by block."""

    def __init__(self, schema: Schema, limit: int) -> None:
        self.limit = limit
        self._masks = {path: _mask_of(path, validator) for path, validator in schema.fields.items()}
        order = dict.fromkeys((*schema.fields, *(", ".join(rule.paths) for rule in schema.rules)))
        self._order = {path: place for place, path in enumerate(order)}
        self._kept: list[FailingRow] = []
        self._offered: list[tuple[int, int, str, str, object]] = []

    def offer(self, field: str, code: str, found: list[tuple[int, object]]) -> None:
        """What was found of one kind in this block: (row in the block, value), by row."""
        place = self._order[field]
        self._offered += [(row, place, code, field, value) for row, value in found[: self.limit]]

    def settle(self, start: int) -> None:
        """End of a block, whose first row is row *start* of all."""
        self._offered.sort(key=lambda one: one[:3])
        new = [
            FailingRow(start + row, field, code, _masked(self._masks.get(field, "hide"), value))
            for row, _, code, field, value in self._offered
        ]
        self._kept = choose((*self._kept, *new), self.limit)
        self._offered = []

    def rows(self) -> tuple[FailingRow, ...]:
        """The sample, by row."""
        return tuple(self._kept)


def choose(rows: Iterable[FailingRow], limit: int) -> list[FailingRow]:
    """At most *limit* of the rows: the first of each (field, code), then the second of each, and so on.

    The choice from chosen parts, joined in order, is the choice from the whole.

    >>> found = [FailingRow(row, "email", "email.no_at", "") for row in range(9)] + [FailingRow(9, "name", "x", "")]
    >>> [one.row for one in choose(found, 3)]
    [0, 1, 9]
    """
    rows = list(rows)
    if len(rows) <= limit:
        return rows
    sizes = sorted(Counter((one.field, one.code) for one in rows).values())
    level, left = 0, limit
    while left >= (more := sum(size > level for size in sizes)):
        level, left = level + 1, left - more
    seen: Counter[tuple[str, str]] = Counter()
    chosen = []
    for one in rows:
        key = (one.field, one.code)
        seen[key] += 1
        if seen[key] <= level:
            chosen.append(one)
        elif seen[key] == level + 1 and left:
            left -= 1
            chosen.append(one)
    return chosen


def _mask_of(path: str, validator: Validator[Any] | None) -> str:
    name = validator.name if isinstance(validator, BaseValidator) else ""
    if name in _NUMBERS:
        return "last4"
    words = path.lower()
    return _BY_VALIDATOR.get(name) or next((how for word, how in _BY_NAME if word in words), "first")


def _masked(how: str, value: object) -> str:
    if value is None:
        return ""
    text = _shown(value)
    if not text:
        return mask("", "hide")
    return mask("".join(char if char.isprintable() else "·" for char in text[:_LONGEST]), how)


def _shown(value: object) -> str:
    text = plain_text(value)
    if text is not None:
        return text
    kind = type(value)
    try:
        if issubclass(kind, int) and int.bit_length(value) > _LONGEST_BITS:  # type: ignore[arg-type]
            return ""
        return str(value) if issubclass(kind, (int, float, dt.date)) else ""
    except Exception:  # noqa: BLE001  a class of the caller's may do anything
        return ""

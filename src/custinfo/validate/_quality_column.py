"""One path of a block of records, as the quality report looks at it."""

from __future__ import annotations

from custinfo.validate._paths import Block
from custinfo.validate._placeholders import is_missing
from custinfo.validate._schema import Schema

__all__ = ["Column"]

_GOOD, _MISSING, _STANDS_IN = range(3)


class Column:
    """The values of one path in a block of records, sorted into good, wrong and stand-ins."""

    def __init__(self, block: Block, path: str, schema: Schema, *, trusted: bool = False) -> None:
        self.path = path
        self.owners: list[int] = []
        self.values: list[object] = []
        self.stand_ins: list[tuple[int, object]] = []
        self._sort(block, schema, trusted)
        self.normal: list[object] = self.values
        self.faults: list[tuple[int, str, object]] = []
        self.bad: set[int] = set()
        validator = schema.fields.get(path)
        if validator is not None and self.values:
            batch = validator.many(self.values)
            self.normal = batch.values
            self.faults = [(self.owners[at], issue.code, self.values[at]) for at, issue in batch.failures()]
            self.bad = {row for row, _, _ in self.faults}

    def _sort(self, block: Block, schema: Schema, trusted: bool) -> None:
        known: dict[str, int] = {}
        for row, value in zip(*block.read(self.path), strict=True):
            if value is None:
                continue
            if type(value) is str:
                kind = known.get(value)
                if kind is None:
                    kind = known[value] = _kind(value, schema, trusted)
            else:
                kind = _kind(value, schema, trusted)
            if kind == _GOOD:
                self.owners.append(row)
                self.values.append(value)
            elif kind == _STANDS_IN:
                self.stand_ins.append((row, value))

    def present(self) -> set[int]:
        """Rows that have a value."""
        return set(self.owners)

    def good(self) -> tuple[list[int], list[object]]:
        """(row, normal form) of the values of rows in which none is wrong."""
        if not self.bad:
            return self.owners, self.normal
        kept = [at for at, row in enumerate(self.owners) if row not in self.bad]
        return [self.owners[at] for at in kept], [self.normal[at] for at in kept]

    def by_row(self) -> dict[int, object]:
        """Row -> its normal form, or a tuple of them where the path goes through a sequence."""
        owners, normal = self.good()
        if "[]" not in self.path:
            return dict(zip(owners, normal, strict=True))
        found: dict[int, list[object]] = {}
        for row, value in zip(owners, normal, strict=True):
            found.setdefault(row, []).append(value)
        return {row: tuple(values) for row, values in found.items()}


def _kind(value: object, schema: Schema, trusted: bool) -> int:
    if is_missing(value):
        return _MISSING
    return _STANDS_IN if not trusted and schema.is_placeholder(value) else _GOOD

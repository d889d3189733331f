"""Which column of a file is which field of the record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

from custinfo.errors import InvalidFieldError
from custinfo.exchange._csv import Row


@attrs.frozen
class ColumnMap:
    """Source columns and the standard fields that each of them fills; made by `ColumnMap.of`.

    Attributes:
        pairs: (source column, field), in the order of the columns.
        ignored: the columns that fill no field.

    >>> columns = ColumnMap.of({"Mail": "email"}, columns=["id", "Mail", "shoe size"], targets=["id", "email"])
    >>> columns.apply({"id": "7", "Mail": "ann@example.com", "shoe size": "41"})
    {'id': '7', 'email': 'ann@example.com'}
    >>> columns.ignored
    ('shoe size',)
    """

    pairs: tuple[tuple[str, str], ...]
    ignored: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        mapping: Mapping[str, str | Iterable[str] | None] | None = None,
        *,
        columns: Iterable[str],
        targets: Iterable[str],
    ) -> ColumnMap:
        """Check a mapping against the columns of a file and the fields there are.

        A column that is not mapped and bears a field's own name fills that field, unless another one is mapped to it.

        Args:
            mapping: source column -> the field or fields that it fills; None leaves the column out.
            columns: the columns of the file.
            targets: the names of the fields.

        Raises:
            InvalidFieldError: "map.target" for an unknown field, "map.missing_column" for a column that the file does
                not have, "map.repeated_target" for two columns that fill one field.
        """
        mapping = {} if mapping is None else mapping
        columns, known = tuple(columns), sorted(targets)
        wanted = {source: _names(fields) for source, fields in mapping.items()}
        if unknown := sorted({field for fields in wanted.values() for field in fields} - set(known)):
            message = f"unknown field {_listed(unknown)} in the column map; fields are {_listed(known)}"
            raise InvalidFieldError(message, code="map.target", path="mapping", unknown=unknown, known=known)
        if missing := [source for source in wanted if source not in columns]:
            message = f"no column {_listed(missing)} in the file; its columns are {_listed(columns)}"
            raise InvalidFieldError(
                message, code="map.missing_column", path="mapping", missing=missing, columns=columns
            )
        filled = [field for fields in wanted.values() for field in fields]
        if repeated := sorted({field for field in filled if filled.count(field) > 1}):
            message = f"more than one column fills {_listed(repeated)}; map one of them, and the others to None"
            raise InvalidFieldError(message, code="map.repeated_target", path="mapping", repeated=repeated)
        pairs = []
        for column in columns:
            own = (column,) if column in known and column not in filled else ()
            pairs += [(column, field) for field in wanted.get(column, own)]
        used = {column for column, _ in pairs}
        return cls(tuple(pairs), tuple(column for column in columns if column not in used))

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that are filled, in the order of the columns."""
        return tuple(field for _, field in self.pairs)

    def column_of(self, field: str) -> str | None:
        """The column that fills a field, to say in a report where a bad value stands."""
        return next((column for column, filled in self.pairs if filled == field), None)

    def apply(self, row: Row | Mapping[str, str]) -> dict[str, str]:
        """The values of a row by field; a column that the row lacks gives ``""``."""
        values = row.values if isinstance(row, Row) else row
        return {field: values.get(column, "") for column, field in self.pairs}


def _names(fields: str | Iterable[str] | None) -> tuple[str, ...]:
    if fields is None:
        return ()
    return (fields,) if isinstance(fields, str) else tuple(fields)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names))

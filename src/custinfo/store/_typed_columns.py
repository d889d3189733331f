"""Typed columns: the fields in clear that SQL backends keep beside the data of a record, for big reads.

What is kept is declared here once, for every backend. The columns hold nothing that the data of the record do not: a
backend asks `typed_row` for them with each record that it stores, whoever wrote it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple

from custinfo.store._payload import clear_json
from custinfo.store._protocol import Record

Value = str | int | None

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_UTC = "+00:00"
_INT64 = 2**63


class TypedColumn(NamedTuple):
    """One column that SQL backends keep.

    Args:
        path: of the field, dotted for parts, as `Collection.columns` names it.
        type: ``"text"``; ``"integer"``, of 64 bits; ``"time"``, an integer of microseconds since 1970 in UTC.
        default: of a record whose data do not name the field.
        repeats: whether rows share values, so that one object for each is enough.
    """

    path: str
    type: Literal["text", "integer", "time"]
    default: str | None = None
    repeats: bool = True

    @property
    def name(self) -> str:
        """Name in SQL."""
        return self.path.replace(".", "_")

    @property
    def is_number(self) -> bool:
        """Whether SQL holds it as an integer of 64 bits."""
        return self.type != "text"

    @property
    def required(self) -> bool:
        """Whether SQL holds no NULL in it."""
        return self.path == "id" or self.type == "integer"


# A released list is part of the schema: a change of it is a new migration.
_COLUMNS: Mapping[str, tuple[TypedColumn, ...]] = {
    "transaction": (
        TypedColumn("id", "text", repeats=False),
        TypedColumn("account_id", "text"),
        TypedColumn("kind", "text", default="payment"),
        TypedColumn("status", "text", default="posted"),
        TypedColumn("amount.minor", "integer"),
        TypedColumn("amount.currency", "text"),
        TypedColumn("occurred_at", "time"),
        TypedColumn("channel", "text"),
        TypedColumn("method", "text"),
        TypedColumn("merchant", "text"),
        TypedColumn("related_id", "text", repeats=False),
        TypedColumn("payment_method_id", "text"),
        TypedColumn("reason", "text"),
        TypedColumn("due_on", "text"),
        TypedColumn("created_at", "time"),
        TypedColumn("updated_at", "time"),
    )
}

_STEPS = {kind: [(column, column.path.split(".")) for column in columns] for kind, columns in _COLUMNS.items()}

TYPED_KINDS = tuple(_COLUMNS)
"""The kinds that have typed columns."""


def typed_columns(kind: str) -> tuple[TypedColumn, ...]:
    """The columns of a kind, the id first; none for most kinds.

    >>> [column.name for column in typed_columns("transaction")][:5]
    ['id', 'account_id', 'kind', 'status', 'amount_minor']
    >>> typed_columns("customer")
    ()
    """
    return _COLUMNS.get(kind, ())


def typed_row(record: Record) -> tuple[Value, ...] | None:
    """The values of a record's columns, in the order of `typed_columns`.

    Returns:
        None where they do not hold what decoding the data would give: the data are not of this library, or a value is
        not of its field's type. A backend keeps such a record as a gap and gives no columns while there is one.

    >>> data = b'{"id":"t1","account_id":"a1","amount":{"minor":990,"currency":"CNY"}}'
    >>> typed_row(Record("transaction", "t1", 0, data))[:6]
    ('t1', 'a1', 'payment', 'posted', 990, 'CNY')
    >>> typed_row(Record("transaction", "t1", 0, b"anything")) is None
    True
    """
    columns = _STEPS.get(record.kind)
    if columns is None:
        return None
    try:
        clear = json.loads(clear_json(record.data).decode())
        if clear["id"] != record.id:
            return None
        return tuple([_value(column, _reach(clear, steps)) for column, steps in columns])
    except (ArithmeticError, KeyError, RecursionError, TypeError, ValueError):
        return None


def _reach(value: Any, steps: Sequence[str]) -> Any:
    for step in steps:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _value(column: TypedColumn, value: Any) -> Value:
    """What a column holds of a JSON value.

    Raises:
        ValueError: it has no place in the column; the caller takes no text of it.
    """
    if column.type == "integer":
        if type(value) is not int or not -_INT64 <= value < _INT64:
            raise ValueError
        return value
    if value is None:
        return column.default
    if not isinstance(value, str) or "\0" in value:  # PostgreSQL's text has no NUL
        raise ValueError
    if column.type == "text":
        value.encode()  # no lone surrogates
        return value
    if not value.endswith(_UTC):
        raise ValueError
    return (datetime.fromisoformat(value) - _EPOCH) // _MICROSECOND

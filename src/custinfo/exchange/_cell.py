"""One value of a table as text, the same for every kind of table."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import math

_MIDNIGHT = dt.time()
_MAX_BITS = 4096


def to_text(value: object) -> str | None:
    """The text of a scalar; ``""`` for a missing one, None for what is no scalar.

    A whole number in a column of floats loses its ``.0`` (frames make floats of integers with gaps), and a naive
    midnight in a column of times becomes a date (frames have no dates).

    >>> [to_text(value) for value in ("a", None, float("nan"), 3000.0, 2.5, True, dt.datetime(2024, 2, 29))]
    ['a', '', '', '3000', '2.5', 'true', '2024-02-29']
    """
    if isinstance(value, str) and not isinstance(value, enum.Enum):
        return str(value)
    if value is None or type(value).__name__ in {"NAType", "NaTType"}:
        return ""
    if isinstance(value, enum.Enum):
        return to_text(value.value)
    if hasattr(value, "dtype") and hasattr(value, "item"):
        if getattr(value, "size", 1) != 1:
            return None
        value = value.item()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _float_text(value)
    if isinstance(value, decimal.Decimal):
        return "" if value.is_nan() else format(value, "f")
    if isinstance(value, dt.datetime):
        is_date = value.tzinfo is None and value.time() == _MIDNIGHT
        return value.date().isoformat() if is_date else value.isoformat()
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, int) and value.bit_length() > _MAX_BITS:
        return None  # Python itself refuses to write it out
    return str(value) if isinstance(value, int | str) else None


def _float_text(value: float) -> str:
    if math.isnan(value):
        return ""
    return str(int(value)) if value.is_integer() else repr(value)

"""What is remembered of a customer's payments: the last few, and how many there were since when."""

from __future__ import annotations

import bisect
import json
from typing import Any

import attrs

from custinfo.errors import InvalidFieldError, SchemaVersionError
from custinfo.segment._risk_payment import INT64, LABEL_LENGTH, Label, Payment, size_of
from custinfo.segment._risk_rules import LABELS

__all__ = ["History"]

MAX_WINDOW = 200
_FORMAT, _VERSION = "risk_history", 1
_MAX_BYTES = 1 << 20
_KEYS = {"$v", "payments", "first", "moments", "minor", "hours", *LABELS}


@attrs.frozen(kw_only=True, repr=False)
class History:
    """The latest payments of one customer, in order of time; frozen, made and extended by `Monitor.observe`.

    It holds personal data, as payments do: store it encrypted. Its `repr` shows counts only.

    Args:
        payments: how many payments there were.
        first: the earliest, in microseconds since 1970; 0 of none.
        moments: of the kept ones, microseconds since 1970 in UTC, ascending.
        minor: their amounts, minor units of their own currencies.
        hours: their hours of the day, one byte each.
        labels: of each of currency, method, merchant, channel and country, the values of the kept payments.
        sizes: logarithms of *minor*; made from it.

    >>> History().payments, History.from_bytes(History().to_bytes()) == History()
    (0, True)
    """

    payments: int = 0
    first: int = 0
    moments: tuple[int, ...] = ()
    minor: tuple[int, ...] = ()
    hours: bytes = b""
    labels: tuple[tuple[Label, ...], ...] = ((),) * len(LABELS)
    sizes: tuple[float, ...] = attrs.field(
        eq=False, default=attrs.Factory(lambda self: tuple(map(size_of, self.minor)), takes_self=True)
    )

    def __repr__(self) -> str:
        return f"<History: {self.payments:,} payments, {len(self.moments)} of them kept>"

    def __len__(self) -> int:
        return len(self.moments)

    def updated(self, payment: Payment, window: int) -> History:
        """The history with one payment more, as the monitor has read it; the latest *window* are kept.

        The order of arrival does not matter: a late payment goes to its place, or is only counted where that is before
        those that are kept.
        """
        at = bisect.bisect_right(self.moments, payment.moment)
        drop = max(len(self.moments) + 1 - window, 0)
        first = min(self.first, payment.moment) if self.payments else payment.moment
        full = self.payments > len(self.moments)  # some were dropped, all of them earlier than those that are kept
        if at < drop or (at == 0 and full):
            return attrs.evolve(self, payments=self.payments + 1, first=first)
        return History(
            payments=self.payments + 1,
            first=first,
            moments=(*self.moments[drop:at], payment.moment, *self.moments[at:]),
            minor=(*self.minor[drop:at], payment.minor, *self.minor[at:]),
            sizes=(*self.sizes[drop:at], size_of(payment.minor), *self.sizes[at:]),
            hours=self.hours[drop:at] + bytes((payment.hour,)) + self.hours[at:],
            labels=tuple(
                [(*kept[drop:at], new, *kept[at:]) for kept, new in zip(self.labels, payment.labels, strict=True)]
            ),
        )

    def until(self, moment: int, window: int) -> History:
        """What was known at a moment: nothing later, and the last *window* payments."""
        stop = len(self.moments)
        if stop and moment < self.moments[-1]:
            stop = bisect.bisect_right(self.moments, moment)
        start = max(stop - window, 0)
        if not start and stop == len(self.moments):
            return self
        if not stop:
            return History()
        return History(
            payments=self.payments - (len(self.moments) - stop),
            first=self.first,
            moments=self.moments[start:stop],
            minor=self.minor[start:stop],
            sizes=self.sizes[start:stop],
            hours=self.hours[start:stop],
            labels=tuple([kept[start:stop] for kept in self.labels]),
        )

    def to_bytes(self) -> bytes:
        """The history as JSON, the same bytes for the same history; its format has a version.

        >>> History().to_bytes()[:24]
        b'{"$v":"risk_history/1","'
        """
        state: dict[str, Any] = {
            "$v": f"{_FORMAT}/{_VERSION}",
            "payments": self.payments,
            "first": self.first,
            "moments": self.moments,
            "minor": self.minor,
            "hours": list(self.hours),
        }
        for name, kept in zip(LABELS, self.labels, strict=True):
            values = list(dict.fromkeys(value for value in kept if value is not None))
            number = {value: i for i, value in enumerate(values)}
            state[name] = [values, [-1 if value is None else number[value] for value in kept]]
        return json.dumps(state, separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, data: bytes | bytearray | memoryview) -> History:
        """Read what `to_bytes` wrote.

        Raises:
            InvalidFieldError: "risk.history" (not such bytes).
            SchemaVersionError: written by a newer custinfo.
        """
        try:
            state = json.loads(_checked(data))
            version = _version_of(state)
            if version > _VERSION:
                raise SchemaVersionError(
                    f"a risk history of version {version}; this custinfo reads up to {_VERSION}: upgrade to read it"
                )
            return _read(state)
        except (ValueError, TypeError, KeyError, RecursionError):
            raise InvalidFieldError(
                "not a risk history: expected the bytes of History.to_bytes", code="risk.history"
            ) from None


def _checked(data: Any) -> bytes:
    _need(isinstance(data, bytes | bytearray | memoryview) and len(data) <= _MAX_BYTES)
    return bytes(data)


def _version_of(state: Any) -> int:
    name, _, version = state["$v"].partition("/") if type(state) is dict and type(state.get("$v")) is str else ("",) * 3
    if name != _FORMAT or not version.isascii() or not version.isdigit() or len(version) > 9:
        raise ValueError
    return int(version)


def _read(state: dict[str, Any]) -> History:
    _need(state.keys() == _KEYS)
    moments, minor, hours = (_integers(state[name]) for name in ("moments", "minor", "hours"))
    size = len(moments)
    payments, first = _integers([state["payments"], state["first"]])
    _need(size <= MAX_WINDOW and len(minor) == size and len(hours) == size)
    _need(size <= payments and (size > 0) == (payments > 0) and (size > 0 or first == 0))
    _need(all(a <= b for a, b in zip((first, *moments), moments, strict=False)))
    _need(all(value >= 0 for value in minor) and all(0 <= hour < 24 for hour in hours))
    return History(
        payments=payments,
        first=first,
        moments=moments,
        minor=minor,
        hours=bytes(hours),
        labels=tuple(_labels(state[name], size) for name in LABELS),
    )


def _integers(values: Any) -> tuple[int, ...]:
    _need(type(values) is list and all(type(value) is int and -INT64 <= value < INT64 for value in values))
    return tuple(values)


def _labels(stored: Any, size: int) -> tuple[Label, ...]:
    values, codes = stored
    numbers = _integers(codes)
    _need(type(values) is list and len(numbers) == size and all(-1 <= code < len(values) for code in numbers))
    for value in values:
        _need(0 < len(value) <= LABEL_LENGTH if type(value) is str else type(value) is int and -INT64 <= value < INT64)
    return tuple(None if code < 0 else values[code] for code in numbers)


def _need(fine: bool) -> None:
    if not fine:
        raise ValueError

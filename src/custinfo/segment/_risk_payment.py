"""One payment in: a Transaction or a mapping, read as numbers and labels, without numpy where it can be."""

from __future__ import annotations

import datetime as dt
import math
import operator
from collections.abc import Mapping
from enum import Enum
from typing import Any

import attrs

from custinfo.errors import AmountOverflowError, InvalidFieldError
from custinfo.model import Money, Transaction, minor_digits
from custinfo.segment._risk_rules import LABELS

INT64 = 2**63
LABEL_LENGTH = 100
"""Labels are told apart by so many characters, so that a history stays small."""
Label = str | int | None
_DEFAULT_DIGITS = 2
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_ABSENT = object()
_RECEIVED = {"payment", "adjustment"}


@attrs.frozen
class Payment:
    """What the rules look at.

    Args:
        moment: microseconds since 1970 in UTC.
        minor: minor units of its currency; negative: a refund.
        hour: 0 to 23, of the clock in the monitor's zone.
        labels: in the order of `LABELS`.
    """

    moment: int
    minor: int
    hour: int
    labels: tuple[Label, ...]


def size_of(minor: int) -> float:
    """How large an amount is, on a scale where ratios are distances and 0 has a place.

    >>> size_of(0)
    0.0
    """
    return math.log(minor + 1)


def read_payment(source: Any, zone: dt.tzinfo) -> Payment:
    """Read a Transaction, or a mapping with the names of its fields.

    Args:
        source: a `Transaction` of any status (the country, where there is one, in its *extra*), or a mapping with
            ``occurred_at``, ``amount`` (major units) or ``amount_minor``, and maybe ``currency``, ``method``,
            ``merchant``, ``channel``, ``country``. Other keys are not looked at.
        zone: the zone whose clock says the hour, and in which plain dates are meant.

    Raises:
        InvalidFieldError: "risk.payment" (neither of the two), "columns.missing", "payments.missing", "time.value",
            "amount.value", "amount.minor", "currency.unknown", "currency.mixed", "risk.label".
        AmountOverflowError: an amount beyond 64 bits.
    """
    if isinstance(source, Transaction):
        money = source.amount
        minor = money.minor if source.kind in _RECEIVED else -money.minor
        moment, hour = _time(source.occurred_at, zone)
        country = source.extra.get("country") if source.extra else None
        given = (money.currency, source.method, source.merchant, source.channel, country)
    elif isinstance(source, Mapping):
        minor, currency = _money(source)
        moment, hour = _time(_value(source, "occurred_at"), zone)
        given = (currency, *(source.get(name) for name in LABELS[1:]))
    else:
        raise InvalidFieldError(
            "a payment must be a Transaction, or a mapping with 'occurred_at' and 'amount' or 'amount_minor'; "
            f"this is {type(source).__name__}",
            code="risk.payment",
        )
    labels = tuple(
        [value if value is None else label_of(value, name) for value, name in zip(given, LABELS, strict=True)]
    )
    return Payment(moment, minor, hour, labels)


def label_of(value: Any, name: str) -> Label:
    """Text or whole numbers as they are, cut to 100 characters; None where there is nothing.

    Raises:
        InvalidFieldError: "risk.label".

    >>> label_of("card", "method"), label_of("", "method"), label_of(float("nan"), "method"), label_of(5.0, "merchant")
    ('card', None, None, 5)
    """
    if value is None:
        return None
    if type(value) is str:
        return value[:LABEL_LENGTH] or None
    if isinstance(value, Enum):
        return label_of(value.value, name)
    try:
        if isinstance(value, str):
            return str(value)[:LABEL_LENGTH] or None
        if value != value:  # NaN and NaT are not equal to themselves
            return None
        if type(value) is not bool:
            whole = int(value) if isinstance(value, float) and value == int(value) else operator.index(value)
            if -INT64 <= whole < INT64:
                return whole
    except (TypeError, ValueError, ArithmeticError):  # of decimals too, which are not compared with themselves quietly
        pass
    raise InvalidFieldError(
        f"{name!r} must be text or a whole number, not {type(value).__name__}", code="risk.label", path=name
    ) from None


# ---- time -----------------------------------------------------------------------------------------


def _time(when: Any, zone: dt.tzinfo) -> tuple[int, int]:
    """The instant, and the hour that the clock in *zone* shows."""
    if type(when) is dt.datetime:
        if when.tzinfo is None:
            when = when.replace(tzinfo=dt.UTC)
        moment, local = instant_of(when), when
    else:
        moment = _other_instant(when, zone)
        local = _EPOCH + dt.timedelta(microseconds=moment)
    if local.tzinfo is not zone:
        try:
            local = local.astimezone(zone)
        except OverflowError:
            raise InvalidFieldError(
                "'occurred_at' must be a time of the years 1 to 9999", code="time.value", path="occurred_at"
            ) from None
    return moment, local.hour


def instant_of(moment: dt.datetime) -> int:
    """Microseconds since 1970 in UTC; a naive time is UTC."""
    span = (moment if moment.tzinfo is not None else moment.replace(tzinfo=dt.UTC)) - _EPOCH
    return (span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds


def _other_instant(when: Any, zone: dt.tzinfo) -> int:
    """Dates, text, datetime64: read as in tables, which loads numpy."""
    from custinfo.segment._time import NAT, _instant

    moment = _instant(when, zone, "occurred_at")
    if moment == NAT:
        raise _missing("occurred_at")
    return moment


# ---- money ----------------------------------------------------------------------------------------


def _money(source: Mapping[Any, Any]) -> tuple[int, Any]:
    currency = source.get("currency")
    digits = _DEFAULT_DIGITS if currency is None else minor_digits(currency)
    minor = source.get("amount_minor", _ABSENT)
    if minor is not _ABSENT:
        return _whole(minor), currency
    amount = _value(source, "amount")
    if isinstance(amount, Money):
        if currency not in (None, amount.currency):
            raise InvalidFieldError(
                "'amount' and 'currency' differ in currency; leave 'currency' out", code="currency.mixed", path="amount"
            )
        return amount.minor, amount.currency
    if type(amount) is int:
        return _in_range(amount * 10**digits, "amount"), currency
    if _absent(amount):
        raise _missing("amount")
    from custinfo.segment._money import _exact  # text, Decimal and floats, read as in tables, which loads numpy

    return _exact(amount, digits, "amount"), currency


def _whole(value: Any) -> int:
    if _absent(value):
        raise _missing("amount_minor")
    try:
        if isinstance(value, bool):
            raise TypeError
        return _in_range(operator.index(value), "amount_minor")
    except TypeError:
        raise InvalidFieldError(
            "'amount_minor' must be an integer, minor units such as cents; use 'amount' for major units",
            code="amount.minor",
            path="amount_minor",
        ) from None


def _in_range(minor: int, name: str) -> int:
    if not -INT64 <= minor < INT64:
        raise AmountOverflowError(f"{name!r} does not fit in 64 bits of minor units; check its unit", path=name)
    return minor


def _value(source: Mapping[Any, Any], name: str) -> Any:
    if name not in source:
        there = sorted(str(key) for key in source)
        raise InvalidFieldError(
            f"no {name!r} in the payment; there are: {', '.join(there) or 'none'}",
            code="columns.missing",
            missing=(name,),
            available=tuple(there),
        )
    return source[name]


def _absent(value: Any) -> bool:
    try:
        return value is None or bool(value != value)
    except (ArithmeticError, ValueError):  # a signaling decimal, an array: no number, which others refuse
        return False


def _missing(name: str) -> InvalidFieldError:
    message = f"{name!r} is missing; a payment without it cannot be judged"
    return InvalidFieldError(message, code="payments.missing", path=name)

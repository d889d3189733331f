"""Amounts as integer minor units, and their conversion into one currency."""

from __future__ import annotations

import datetime as dt
import decimal
import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs
import numpy as np

from custinfo.errors import AmountOverflowError, InvalidFieldError
from custinfo.model import minor_digits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from numpy.typing import NDArray

    Column = NDArray[Any]
    Int64 = NDArray[np.int64]

INT64_MAX = 2**63 - 1
_BLOCK = 1 << 15  # rows whose temporary arrays stay in the cache
_USUAL = 2.0**43  # minor units that leave room for a decimal more within the 15 digits that a float keeps
_EPOCH_DAY = dt.date(1970, 1, 1).toordinal()
# enough for any amount that fits in 64 bits; an inexact step would be a silent second rounding, so it raises
_CONTEXT = decimal.Context(prec=400, rounding=decimal.ROUND_HALF_EVEN, traps=[decimal.InvalidOperation])
RateTable = Mapping[str, object]


def to_minor(amounts: Column, digits: int, *, name: str = "amount") -> Column:
    """Amounts in major units as minor units, each rounded half even.

    Args:
        amounts: shape (n,), none missing: integers, floats (each means its shortest decimal), or objects that are
            Decimal, int, float or text such as ``"12.30"``.
        digits: decimal digits of the minor unit.
        name: the column's name, for errors.

    Returns:
        Whole numbers, as int64, or as float64 where all are below 2**43.

    Raises:
        InvalidFieldError: "amount.value" (no finite number).
        AmountOverflowError: an amount that does not fit in 64 bits.

    >>> to_minor(np.array(["0.125", Decimal("0.135"), 3, 0.1], dtype=object), 2).tolist()
    [12, 14, 300, 10]
    """
    kind = amounts.dtype.kind
    factor = 10**digits
    if kind in "iu":
        if len(amounts) and max(abs(int(amounts.min())), abs(int(amounts.max()))) * factor > INT64_MAX:
            raise _overflow(name)
        minor: Int64 = amounts.astype(np.int64) * factor
        return minor
    if kind == "f":
        rounded = _from_doubles(amounts, factor) if amounts.dtype == np.float64 else None
        return _from_floats(amounts, factor, name) if rounded is None else rounded
    if kind == "O":
        return np.fromiter((_exact(value, digits, name) for value in amounts), dtype=np.int64, count=len(amounts))
    raise _no_amount(name)


def _from_doubles(amounts: Column, factor: int) -> Column | None:
    """Amounts of usual size, without a look at single values; None where one is larger, or not finite."""
    result = np.empty(len(amounts), np.float64)
    for start in range(0, len(amounts), _BLOCK):
        major = amounts[start : start + _BLOCK]
        scaled = major * factor
        top = max(-float(scaled.min()), float(scaled.max()))
        if not top < _USUAL:
            return None
        rounded = np.rint(scaled, out=result[start : start + _BLOCK])
        off = np.subtract(scaled, rounded, out=scaled)
        near_half = 0.5 - max(top, 1.0) * 2.0**-50  # a product is off by less than that
        if max(-float(off.min()), float(off.max())) >= near_half:
            rows = np.flatnonzero(np.abs(off) >= near_half)
            rounded[rows] = _halves(major[rows], factor)
    return result


def _halves(major: Column, factor: int) -> Column:
    """Rounding where the decimal that a float stands for lies at a half, or next to it.

    A decimal of at most 15 digits is the only one of its float. So the float nearest to the half itself is compared:
    one that is equal stands for the half, any other for a decimal on its own side.
    """
    below = np.floor(major * factor)
    half = (2 * below + 1) / (2 * factor)
    up = (major > half) | ((major == half) & (below % 2 != 0))
    rounded: Column = below + up
    return rounded


def _from_floats(amounts: Column, factor: int, name: str) -> Int64:
    if not np.isfinite(amounts).all():
        raise _no_amount(name)
    scaled = amounts.astype(np.float64) * factor
    rounded = np.rint(scaled)
    # The product is off by at most one unit in the last place of the decimal that the float stands for. Only where
    # that could change the rounding, near a half and above 2**52, the decimal itself decides.
    doubt = np.spacing(np.abs(amounts)).astype(np.float64) * factor * 2 + np.spacing(np.abs(scaled)) * 2
    near = np.flatnonzero((np.abs(np.abs(scaled - rounded) - 0.5) <= doubt) | (np.abs(scaled) >= 2.0**52))
    rounded[near] = 0
    minor = rounded.astype(np.int64)
    digits = round(math.log10(factor))
    for row in near.tolist():
        minor[row] = _exact(Decimal(str(amounts[row])), digits, name)
    return minor


def _exact(value: object, digits: int, name: str) -> int:
    try:
        if isinstance(value, bool):
            raise _no_amount(name)
        if isinstance(value, float | np.floating):
            number = Decimal(str(value))
        elif isinstance(value, str):
            text = value.strip()
            if not text.isascii() or "_" in text or len(text) > 100:
                raise _no_amount(name)
            number = Decimal(text)
        else:
            number = value if isinstance(value, Decimal) else Decimal(int(value))  # type: ignore[call-overload]
        if not number.is_finite():
            raise _no_amount(name)
        if number.adjusted() + digits > 20:
            raise _overflow(name)
        minor = int(_CONTEXT.to_integral_value(_CONTEXT.scaleb(number, digits)))
    except (decimal.InvalidOperation, TypeError, ValueError):
        raise _no_amount(name) from None
    if not -INT64_MAX - 1 <= minor <= INT64_MAX:
        raise _overflow(name)
    return minor


def _no_amount(name: str) -> InvalidFieldError:
    return InvalidFieldError(
        f"column {name!r} must hold amounts in major units: finite numbers, Decimal, or text with a point and no "
        "grouping such as '1234.56'",
        code="amount.value",
        path=name,
    )


def _overflow(name: str) -> AmountOverflowError:
    return AmountOverflowError(
        f"an amount in column {name!r} does not fit in 64 bits of minor units; check its unit", path=name
    )


# ---- conversion ---------------------------------------------------------------------------------


@attrs.frozen
class Rates:
    """Exchange rates into one base currency, each valid from a local date on."""

    base: str
    steps: Mapping[str, tuple[tuple[int, Decimal], ...]]

    @classmethod
    def of(cls, table: RateTable) -> Rates:
        """Read the mapping that callers write.

        Raises:
            InvalidFieldError: "rates.base" (not exactly one currency is 1), "rates.value", "currency.unknown".

        >>> Rates.of({"CNY": 1, "USD": [(dt.date(2026, 1, 1), Decimal("7.1"))]}).base
        'CNY'
        """
        steps = {}
        for currency, given in table.items():
            minor_digits(currency)
            steps[currency] = _steps(currency, given)
        bases = [currency for currency, given in table.items() if not _is_dated(given) and steps[currency][0][1] == 1]
        if len(bases) != 1:
            raise InvalidFieldError(
                "rates must give exactly one currency, the base, as 1, such as {'CNY': 1, 'USD': [(date, rate)]}",
                code="rates.base",
                path="rates",
            )
        return cls(bases[0], steps)

    def convert(self, minor: Int64, currency: str, days: Int64) -> Int64:
        """Amounts of one currency in minor units of the base, each rounded half even.

        Args:
            minor: shape (n,), minor units of *currency*.
            currency: code of ISO 4217.
            days: shape (n,), local date of each row in days since 1970.

        Raises:
            InvalidFieldError: "rates.missing", naming currency and date.
            AmountOverflowError: a converted amount that does not fit in 64 bits.
        """
        steps = self.steps.get(currency, ())
        starts = np.array([start for start, _ in steps], np.int64)
        step = np.searchsorted(starts, days, side="right") - 1
        if len(step) and step.min() < 0:
            first = dt.date.fromordinal(int(days[step < 0].min()) + _EPOCH_DAY)
            raise InvalidFieldError(
                f"no rate for {currency} on {first.isoformat()}; add one that is valid from that date or earlier",
                code="rates.missing",
                path="rates",
                currency=currency,
                date=first,
            )
        result = np.empty(len(minor), np.int64)
        shift = minor_digits(self.base) - minor_digits(currency)
        for i in np.unique(step).tolist():
            at = step == i
            factor, divisor = (steps[i][1].scaleb(shift, _CONTEXT)).as_integer_ratio()
            result[at] = _scaled(minor[at], factor, divisor)
        return result


def _is_dated(given: object) -> bool:
    return isinstance(given, Sequence) and not isinstance(given, str)


def _steps(currency: str, given: object) -> tuple[tuple[int, Decimal], ...]:
    try:
        if not _is_dated(given):
            return ((-_EPOCH_DAY, _rate(given)),)
        steps = []
        for start, rate in given:  # type: ignore[attr-defined]
            day = dt.date.fromisoformat(start) if isinstance(start, str) else start
            if isinstance(day, np.datetime64):
                day = day.astype("M8[D]").item()
            day = day.date() if isinstance(day, dt.datetime) else day
            steps.append((day.toordinal() - _EPOCH_DAY, _rate(rate)))
    except (decimal.InvalidOperation, AttributeError, TypeError, ValueError):
        raise InvalidFieldError(
            f"rates of {currency} must be 1 or a list of (date, positive Decimal)", code="rates.value", path="rates"
        ) from None
    if len({day for day, _ in steps}) < len(steps):
        raise InvalidFieldError(f"two rates of {currency} start on one date", code="rates.value", path="rates")
    return tuple(sorted(steps))


def _rate(value: Any) -> Decimal:
    rate = Decimal(str(value)) if isinstance(value, float) else Decimal(value)
    if not rate.is_finite() or rate <= 0:
        raise ValueError
    return rate


def _scaled(minor: Int64, factor: int, divisor: int) -> Int64:
    """The product minor * factor / divisor, rounded half even."""
    if factor == divisor or not len(minor):
        return minor
    bound = max(abs(int(minor.min())), abs(int(minor.max())))
    if bound * factor <= INT64_MAX and divisor <= INT64_MAX // 2:
        whole, rest = np.divmod(minor * factor, divisor)
        rounded: Int64 = whole + ((2 * rest > divisor) | ((2 * rest == divisor) & (whole & 1 == 1)))
        return rounded
    exact = [_half_even(value * factor, divisor) for value in minor.tolist()]
    if min(exact) < -INT64_MAX - 1 or max(exact) > INT64_MAX:
        raise AmountOverflowError(
            "a converted amount does not fit in 64 bits of minor units; check amounts and rates", path="rates"
        )
    return np.array(exact, np.int64)


def _half_even(numerator: int, divisor: int) -> int:
    whole, rest = divmod(numerator, divisor)
    return whole + (2 * rest > divisor or (2 * rest == divisor and whole % 2 == 1))

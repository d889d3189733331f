"""Payments in: columns of any origin as customer, instant and exact minor units of one currency."""

from __future__ import annotations

import datetime as dt
import decimal
from collections.abc import Iterator
from typing import Any

import attrs
import numpy as np

from custinfo._columns import read_columns
from custinfo.errors import AmountOverflowError, InvalidFieldError
from custinfo.model import Money, Transaction, minor_digits
from custinfo.segment._money import INT64_MAX, Rates, to_minor
from custinfo.segment._time import NAT, instants, local_days

TYPE_CHECKING = False
if TYPE_CHECKING:
    from numpy.typing import NDArray

    Column = NDArray[Any]
    Int64 = NDArray[np.int64]

_DEFAULT_DIGITS = 2


@attrs.frozen(kw_only=True)
class PaymentColumns:
    """Where payments stand in the caller's table, and how they are to be read."""

    customer: str
    when: str
    amount: str
    amount_minor: str | None
    currency: str | None
    rates: Rates | None
    zone: dt.tzinfo
    skip_missing: bool


@attrs.frozen(kw_only=True, eq=False)
class Payments:
    """Payments that count, in input order.

    Args:
        customers: shape (n,), int64 or objects.
        moments: shape (n,), microseconds since 1970 in UTC.
        minor: shape (n,), minor units of *currency*, negative for refunds.
        refund: shape (n,), whether the row is a refund, decided before conversion.
        currency: code, or None where the table has none.
        skipped: rows left out because a value was missing.
    """

    customers: Column
    moments: Int64
    minor: Int64
    refund: NDArray[np.bool_]
    currency: str | None
    skipped: int


def read_payments(data: object, spec: PaymentColumns, *, until: int | None) -> Payments:
    """Read, check and convert.

    Args:
        data: anything that `read_columns` takes, or an iterable of `Transaction`.
        spec: which columns, and how.
        until: the last instant that counts; None: all.

    Raises:
        InvalidFieldError: "columns.*", "payments.missing", "payments.customer", "amount.*", "time.*", "currency.*",
            "rates.*".
        AmountOverflowError: an amount beyond 64 bits.
    """
    data, columns, spec = _columns_of(data, spec)
    customers, amounts = columns[spec.customer], columns[spec.amount_minor or spec.amount]
    moments = instants(columns[spec.when], spec.zone, name=spec.when)
    currencies = columns[spec.currency] if spec.currency is not None else None
    if spec.amount_minor is None and spec.currency is None:
        amounts, currencies = _of_money(amounts, currencies)
    parts = [(spec.customer, _absent(customers)), (spec.when, moments == NAT), (spec.amount, _absent(amounts))]
    if currencies is not None:
        parts.append((spec.currency or spec.amount, _absent(currencies)))
    missing = _missing_rows(parts, skip=spec.skip_missing)
    counted = ~missing if until is None else ~missing & (moments <= until)
    if not counted.all():
        customers, moments, amounts = customers[counted], moments[counted], amounts[counted]
        currencies = None if currencies is None else currencies[counted]
    minor, refund, currency = _in_one_currency(amounts, currencies, moments, spec)
    return Payments(
        customers=_plain_ids(customers, spec.customer),
        moments=moments,
        minor=minor,
        refund=refund,
        currency=currency,
        skipped=int(missing.sum()),
    )


def _columns_of(data: Any, spec: PaymentColumns) -> tuple[Any, dict[str, Column], PaymentColumns]:
    if isinstance(data, Iterator):
        data = list(data)
    if isinstance(data, list | tuple) and data and all(isinstance(row, Transaction) for row in data):
        # a Transaction says by kind and status what it adds; an unposted one is no payment yet
        customer = "account_id" if spec.customer == "customer_id" else spec.customer
        spec = attrs.evolve(spec, customer=customer, amount_minor="signed_minor", currency="amount.currency")
        data = [row for row in data if row.status == "posted"]
    names = [spec.customer, spec.when, spec.amount_minor or spec.amount]
    return data, read_columns(data, names if spec.currency is None else [*names, spec.currency]), spec


def _of_money(amounts: Column, currencies: Column | None) -> tuple[Column, Column | None]:
    if amounts.dtype.kind != "O" or not any(isinstance(value, Money) for value in amounts[:1000]):
        return amounts, currencies
    money = [value if isinstance(value, Money) else None for value in amounts]
    major = np.fromiter((None if value is None else value.amount for value in money), dtype=object, count=len(money))
    return major, np.fromiter((None if value is None else value.currency for value in money), object, len(money))


def _absent(column: Column) -> NDArray[np.bool_]:
    if column.dtype.kind == "f":
        return np.isnan(column)
    if column.dtype.kind in "mM":
        return np.isnat(column)
    if column.dtype.kind != "O":
        return np.zeros(len(column), np.bool_)
    try:
        # what is not equal to itself is NaN or NaT
        return np.fromiter((value is None or value != value for value in column), np.bool_, len(column))
    except (decimal.InvalidOperation, TypeError, ValueError):
        raise InvalidFieldError("a column holds values that cannot be compared", code="payments.value") from None


def _missing_rows(parts: list[tuple[str, NDArray[np.bool_]]], *, skip: bool) -> NDArray[np.bool_]:
    missing = np.zeros(len(parts[0][1]), np.bool_)
    for name, absent in parts:
        if absent.any():
            if not skip:
                count, first = int(absent.sum()), int(absent.argmax())
                raise InvalidFieldError(
                    f"column {name!r} has {count:,} missing values, the first in row {first}; fill them in, or pass "
                    "missing='skip' to leave such rows out and count them",
                    code="payments.missing",
                    path=name,
                    rows=count,
                    first_row=first,
                )
            missing |= absent
    return missing


def _in_one_currency(
    amounts: Column, currencies: Column | None, moments: Int64, spec: PaymentColumns
) -> tuple[Int64, NDArray[np.bool_], str | None]:
    if currencies is None:
        minor = _minor(amounts, _DEFAULT_DIGITS, spec)
        if spec.rates is not None:
            raise InvalidFieldError("rates need a currency column; name it with currency=", code="rates.currency")
        return minor, minor < 0, None
    codes = currencies.tolist()
    present = sorted(set(codes), key=str)
    for code in present:
        minor_digits(code)
    if len(present) > 1 and spec.rates is None:
        raise InvalidFieldError(
            f"the payments are in {len(present)} currencies ({', '.join(present[:5])}); give rates=, or take one",
            code="currency.mixed",
            path=spec.currency or spec.amount,
        )
    if spec.rates is None:
        minor = _minor(amounts, minor_digits(present[0]) if present else _DEFAULT_DIGITS, spec)
        return minor, minor < 0, present[0] if present else None
    days = local_days(moments, spec.zone)
    number = {code: i for i, code in enumerate(present)}
    which = np.fromiter(map(number.__getitem__, codes), np.int64, len(codes))
    result, refund = np.empty(len(amounts), np.int64), np.empty(len(amounts), np.bool_)
    for code, i in number.items():
        rows = np.flatnonzero(which == i)
        minor = _minor(amounts[rows], minor_digits(code), spec)
        refund[rows] = minor < 0
        result[rows] = spec.rates.convert(minor, code, days[rows])
    return result, refund, spec.rates.base


def _minor(amounts: Column, digits: int, spec: PaymentColumns) -> Int64:
    name = spec.amount_minor
    if name is None:
        return to_minor(amounts, digits, name=spec.amount)
    if amounts.dtype.kind == "O" and all(type(value) is int for value in amounts):
        values = amounts.tolist()
        if values and not -INT64_MAX - 1 <= min(values) <= max(values) <= INT64_MAX:
            raise AmountOverflowError(f"an amount in column {name!r} does not fit in 64 bits", path=name)
        return amounts.astype(np.int64)
    if amounts.dtype.kind not in "iu":
        raise InvalidFieldError(
            f"column {name!r} must hold integers, minor units such as cents; use amount= for major units",
            code="amount.minor",
            path=name,
        )
    if len(amounts) and int(amounts.max()) > INT64_MAX:
        raise AmountOverflowError(f"an amount in column {name!r} does not fit in 64 bits", path=name)
    return amounts.astype(np.int64, copy=False)


def _plain_ids(ids: Column, name: str) -> Column:
    """Integers as int64 whatever they came as, so that the same ids from any source are the same."""
    kind = ids.dtype.kind
    if kind == "i" or (kind == "u" and (not len(ids) or int(ids.max()) <= INT64_MAX)):
        return ids.astype(np.int64, copy=False)
    if kind == "f" and bool(((np.abs(ids) < 2.0**53) & (ids == np.rint(ids))).all()):
        return ids.astype(np.int64)  # pandas makes floats of integers beside a gap
    if kind != "O":
        return ids.astype(object)
    kinds = set(map(type, ids))
    if kinds <= {int}:
        values = ids.tolist()
        if not values:
            return ids
        return ids.astype(np.int64) if -INT64_MAX - 1 <= min(values) <= max(values) <= INT64_MAX else ids
    if len(kinds) > 1 or any(kind.__hash__ is None for kind in kinds):
        raise InvalidFieldError(
            f"column {name!r} must hold ids of one type, text or integers; it has "
            f"{', '.join(sorted(kind.__name__ for kind in kinds))}",
            code="payments.customer",
            path=name,
        )
    return ids

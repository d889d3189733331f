"""Payments in: columns of any origin, read piece by piece as instants and exact minor units of one currency."""

from __future__ import annotations

import datetime as dt
import decimal
from typing import Any

import attrs
import numpy as np

from custinfo._columns import lasting, read_columns
from custinfo.errors import AmountOverflowError, InvalidFieldError
from custinfo.model import Money, Transaction, minor_digits
from custinfo.segment._ids import CodedIds, arrow_of, ids_of
from custinfo.segment._money import INT64_MAX, Rates, to_minor
from custinfo.segment._time import NAT, instants, local_days

TYPE_CHECKING = False
if TYPE_CHECKING:
    from numpy.typing import NDArray

    Column = NDArray[Any]
    Int64 = NDArray[np.int64]
    Mask = NDArray[np.bool_]

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
class Piece:
    """Rows that count, of a range of rows.

    Args:
        rows: which rows of the range these are; None: all.
        moments: shape (n,), microseconds since 1970 in UTC.
        minor: shape (n,), whole numbers: minor units of the table's currency, negative for refunds.
        refund: shape (n,), whether the row is a refund, decided before conversion; None: none is.
        currencies: codes that occur.
        skipped: rows left out because a value was missing.
    """

    rows: Int64 | None
    moments: Int64
    minor: Column
    refund: Mask | None
    currencies: frozenset[str]
    skipped: int


@attrs.frozen(kw_only=True, eq=False)
class PaymentTable:
    """The columns of a table of payments, not yet converted.

    Args:
        customers: shape (n,), int64 or objects of one type, or ids that are not read one by one where `read_payments`
            was asked for them; without meaning where *no_customer*.
        no_customer: rows without customer; None: there are none.
        when: shape (n,).
        amounts: shape (n,).
        currencies: shape (n,), or None.
        spec: how to read them.
        until: the last instant that counts; None: all.
    """

    customers: Any
    no_customer: Mask | None
    when: Column
    amounts: Column
    currencies: Column | None
    spec: PaymentColumns
    until: int | None

    def piece(self, start: int, stop: int) -> Piece:
        """Check and convert some rows, at least one.

        Raises:
            InvalidFieldError: "payments.missing", "payments.value", "amount.*", "time.value", "currency.unknown",
                "rates.missing".
            AmountOverflowError: an amount beyond 64 bits.
        """
        spec = self.spec
        moments = instants(self.when[start:stop], spec.zone, name=spec.when)
        amounts = self.amounts[start:stop]
        currencies = None if self.currencies is None else self.currencies[start:stop]
        missing = _any_of(
            None if self.no_customer is None else self.no_customer[start:stop],
            moments == NAT if int(moments.min()) == NAT else None,
            _absent(amounts),
            None if currencies is None else _absent(currencies),
        )
        if missing is not None and not spec.skip_missing:
            raise self._missing_error()
        late = moments > self.until if self.until is not None and int(moments.max()) > self.until else None
        left_out = _any_of(missing, late)
        rows = None if left_out is None else np.flatnonzero(~left_out)
        if rows is not None:
            moments, amounts = moments[rows], amounts[rows]
            currencies = None if currencies is None else currencies[rows]
        minor, refund, present = _converted(amounts, currencies, moments, spec)
        skipped = 0 if missing is None else int(missing.sum())
        return Piece(rows=rows, moments=moments, minor=minor, refund=refund, currencies=present, skipped=skipped)

    def _missing_error(self) -> InvalidFieldError:
        """Count over the whole table, so that the message does not depend on how it was cut."""
        spec = self.spec
        parts = [
            (spec.customer, self.no_customer),
            (spec.when, instants(self.when, spec.zone, name=spec.when) == NAT),
            (spec.amount_minor or spec.amount, _absent(self.amounts)),
            (spec.currency or spec.amount, None if self.currencies is None else _absent(self.currencies)),
        ]
        name, absent = next((name, absent) for name, absent in parts if absent is not None and absent.any())
        count, first = int(absent.sum()), int(absent.argmax())
        return InvalidFieldError(
            f"column {name!r} has {count:,} missing values, the first in row {first}; fill them in, or pass "
            "missing='skip' to leave such rows out and count them",
            code="payments.missing",
            path=name,
            rows=count,
            first_row=first,
        )

    def one_currency(self, present: frozenset[str]) -> str | None:
        """The currency of the converted amounts, where these currencies occur.

        Raises:
            InvalidFieldError: "currency.mixed".
        """
        if self.spec.rates is not None:
            return self.spec.rates.base
        if len(present) > 1:
            raise InvalidFieldError(
                f"the payments are in {len(present)} currencies ({', '.join(sorted(present)[:5])}); "
                "give rates=, or take one",
                code="currency.mixed",
                path=self.spec.currency or self.spec.amount,
            )
        return next(iter(present), None)


def _any_of(*masks: Mask | None) -> Mask | None:
    found = [mask for mask in masks if mask is not None]
    if len(found) < 2:
        return found[0] if found else None
    together: Mask = np.logical_or.reduce(found)
    return together


def read_payments(data: Any, spec: PaymentColumns, *, until: int | None, any_ids: bool = False) -> PaymentTable:
    """Find the columns.

    Args:
        data: anything that `read_columns` takes, or an iterable of `Transaction`.
        spec: which columns, and how.
        until: the last instant that counts; None: all.
        any_ids: whether customers may stay categories or Arrow text, which `grouping_of` numbers fast.

    Raises:
        InvalidFieldError: "columns.*", "payments.customer", "rates.currency".
    """
    data = lasting(data)
    if isinstance(data, list | tuple) and data and all(isinstance(row, Transaction) for row in data):
        # a Transaction says by kind and status what it adds; an unposted one is no payment yet
        customer = "account_id" if spec.customer == "customer_id" else spec.customer
        spec = attrs.evolve(spec, customer=customer, amount_minor="signed_minor", currency="amount.currency")
        data = [row for row in data if row.status == "posted"]
    names = [spec.customer, spec.when, spec.amount_minor or spec.amount]
    names += [] if spec.currency is None else [spec.currency]
    data = arrow_of(data, names) if any_ids else data
    customers: Any
    customers, no_customer = (ids_of(data, spec.customer) if any_ids else None) or (None, None)
    columns = read_columns(data, names if customers is None else names[1:])
    if customers is None or len(customers) != len(columns[spec.when]):  # lengths that differ are for read_columns
        customers, no_customer = _plain_ids(read_columns(data, names)[spec.customer], spec.customer)
    elif isinstance(customers, CodedIds):
        customers = _typed_values(customers, no_customer, spec.customer)
    amounts = columns[spec.amount_minor or spec.amount]
    currencies = columns[spec.currency] if spec.currency is not None else None
    if spec.amount_minor is None and spec.currency is None:
        amounts, currencies = _of_money(amounts)
    if currencies is None and spec.rates is not None:
        raise InvalidFieldError("rates need a currency column; name it with currency=", code="rates.currency")
    return PaymentTable(
        customers=customers,
        no_customer=no_customer,
        when=columns[spec.when],
        amounts=amounts,
        currencies=currencies,
        spec=spec,
        until=until,
    )


def _of_money(amounts: Column) -> tuple[Column, Column | None]:
    if amounts.dtype.kind != "O" or not any(isinstance(value, Money) for value in amounts[:1000]):
        return amounts, None
    money = [value if isinstance(value, Money) else None for value in amounts]
    major = np.fromiter((None if value is None else value.amount for value in money), dtype=object, count=len(money))
    return major, np.fromiter((None if value is None else value.currency for value in money), object, len(money))


def _absent(column: Column) -> Mask | None:
    """Which values are missing; None where none is."""
    if column.dtype.kind == "f":
        absent = np.isnan(column)
    elif column.dtype.kind == "O":
        try:
            # what is not equal to itself is NaN or NaT
            absent = np.fromiter((value is None or value != value for value in column), np.bool_, len(column))
        except (decimal.InvalidOperation, TypeError, ValueError):
            raise InvalidFieldError(
                "a column holds values that cannot be compared; give plain numbers, texts or times",
                code="payments.value",
            ) from None
    elif column.dtype.kind in "mM":
        absent = np.isnat(column)
    else:
        return None
    return absent if absent.any() else None


def _converted(
    amounts: Column, currencies: Column | None, moments: Int64, spec: PaymentColumns
) -> tuple[Column, Mask | None, frozenset[str]]:
    if currencies is None:
        minor = _minor(amounts, _DEFAULT_DIGITS, spec)
        return minor, _negative(minor), frozenset()
    codes = currencies.tolist()
    try:
        present = sorted(set(codes), key=str)
    except TypeError:  # lists and the like
        present = codes
    digits = [minor_digits(code) for code in present]
    if len(present) == 1 and spec.rates is None:
        minor = _minor(amounts, digits[0], spec)
        return minor, _negative(minor), frozenset(present)
    days = local_days(moments, spec.zone)
    number = {code: i for i, code in enumerate(present)}
    which = np.fromiter(map(number.__getitem__, codes), np.int64, len(codes))
    result, refund = np.zeros(len(amounts), np.int64), np.zeros(len(amounts), np.bool_)
    for code, i in number.items():
        rows = np.flatnonzero(which == i)
        minor = _minor(amounts[rows], digits[i], spec).astype(np.int64, copy=False)
        refund[rows] = minor < 0
        result[rows] = minor if spec.rates is None else spec.rates.convert(minor, code, days[rows])
    return result, refund if refund.any() else None, frozenset(present)


def _negative(minor: Column) -> Mask | None:
    return minor < 0 if len(minor) and minor.min() < 0 else None


def _minor(amounts: Column, digits: int, spec: PaymentColumns) -> Column:
    name = spec.amount_minor
    if name is None:
        return to_minor(amounts, digits, name=spec.amount)
    if amounts.dtype.kind == "O" and all(type(value) is int for value in amounts):
        values = amounts.tolist()
        if values and not -INT64_MAX - 1 <= min(values) <= max(values) <= INT64_MAX:
            raise AmountOverflowError(
                f"an amount in column {name!r} does not fit in 64 bits; check its unit", path=name
            )
        return amounts.astype(np.int64)
    if amounts.dtype.kind not in "iu":
        raise InvalidFieldError(
            f"column {name!r} must hold integers, minor units such as cents; use amount= for major units",
            code="amount.minor",
            path=name,
        )
    if len(amounts) and int(amounts.max()) > INT64_MAX:
        raise AmountOverflowError(f"an amount in column {name!r} does not fit in 64 bits; check its unit", path=name)
    return amounts.astype(np.int64, copy=False)


def _plain_ids(ids: Column, name: str) -> tuple[Column, Mask | None]:
    """Integers as int64 whatever they came as, so that the same ids from any source are the same."""
    missing = _absent(ids)
    if missing is None:
        return _typed(ids, name), None
    there = np.flatnonzero(~missing)
    known = _typed(ids[there], name)
    filler = known[0] if len(known) else None  # an id, so that those without meaning can be hashed like the others
    result = np.zeros(len(ids), known.dtype) if known.dtype != object else np.full(len(ids), filler, dtype=object)
    result[there] = known
    return result, missing


def _typed_values(ids: CodedIds, missing: Mask | None, name: str) -> CodedIds:
    """Of all values only those that rows have need to be ids of one type."""
    values = ids.values
    if values.dtype == np.int64 or (values.dtype == object and set(map(type, values)) == {str}):
        return ids
    used = np.zeros(len(values), np.bool_)
    used[ids.codes if missing is None else ids.codes[~missing]] = True
    known = _typed(values[used], name)
    typed = np.zeros(len(values), known.dtype)
    typed[used] = known
    return CodedIds(codes=ids.codes, values=typed)


def _typed(ids: Column, name: str) -> Column:
    kind = ids.dtype.kind
    if kind == "i" or (kind == "u" and (not len(ids) or int(ids.max()) <= INT64_MAX)):
        return ids.astype(np.int64, copy=False)
    if kind == "f" and bool(((np.abs(ids).astype(np.float64) < 2.0**53) & (ids == np.rint(ids))).all()):
        return ids.astype(np.int64)  # pandas makes floats of integers beside a gap
    if kind != "O":
        return ids.astype(object)
    kinds = set(map(type, ids))
    if kinds == {int}:
        values = ids.tolist()
        return ids.astype(np.int64) if -INT64_MAX - 1 <= min(values) <= max(values) <= INT64_MAX else ids
    if len(kinds) > 1 or any(kind.__hash__ is None for kind in kinds):
        raise InvalidFieldError(
            f"column {name!r} must hold ids of one type, text or integers; it has "
            f"{', '.join(sorted(kind.__name__ for kind in kinds))}",
            code="payments.customer",
            path=name,
        )
    return ids

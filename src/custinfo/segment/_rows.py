"""Payments and events read whole, for functions that look at single rows: numbered customers, instants, labels."""

from __future__ import annotations

import bisect
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np

from custinfo._columns import Column, lasting, read_columns
from custinfo.errors import InvalidFieldError, RecordNotFoundError
from custinfo.model import Transaction, zone_of
from custinfo.segment._grouping import grouping_of
from custinfo.segment._hash import TableFullError
from custinfo.segment._money import Rates
from custinfo.segment._payments import PaymentColumns, _absent, _plain_ids, read_payments
from custinfo.segment._time import NAT, as_of_instant, instants

TYPE_CHECKING = False
if TYPE_CHECKING:
    from numpy.typing import NDArray

    Int64 = NDArray[np.int64]
    Mask = NDArray[np.bool_]

_NO_COLUMN = "\0"  # a name that no table has
AsOf = dt.datetime | dt.date | np.datetime64 | str | None


@attrs.frozen(kw_only=True, eq=False)
class Rows:
    """Rows that count, each with the number of its customer.

    Args:
        customers: shape (k,), distinct ids, ascending.
        codes: shape (n,), number of the row's customer, 0 ... k-1.
        moments: shape (n,), microseconds since 1970 in UTC.
        minor: shape (n,), whole minor units, negative for refunds; zeros for events.
        refund: shape (n,), whether the row is a refund.
        extra: name -> further column, shape (n,).
        currency: of the money; None: unknown.
        skipped: rows left out because a value was missing.
        zone: the zone of the table.
        until: the last instant that counts; `NAT` where none was given and there is no row.
    """

    customers: Column
    codes: Int64
    moments: Int64
    minor: Int64
    refund: Mask
    extra: Mapping[str, Column]
    currency: str | None
    skipped: int
    zone: dt.tzinfo
    until: int

    def __len__(self) -> int:
        return len(self.codes)

    def only(self, kept: Mask) -> Rows:
        """The same table with some of its rows; the customers stay."""
        return attrs.evolve(
            self,
            codes=self.codes[kept],
            moments=self.moments[kept],
            minor=self.minor[kept],
            refund=self.refund[kept],
            extra={name: column[kept] for name, column in self.extra.items()},
        )


def payment_rows(
    data: Any,
    *,
    customer: str | None,
    when: str,
    amount: str,
    amount_minor: str | None,
    currency: str | None,
    rates: Mapping[str, object] | None,
    as_of: AsOf,
    time_zone: str | dt.tzinfo,
    missing: str,
    extra: Sequence[str] = (),
    optional: Sequence[str] = (),
    one_currency: bool = True,
) -> Rows:
    """Read payments as `rfm` does, all rows at once.

    Args:
        data: payments in any form that `rfm` takes.
        customer: column of customer ids; None: all rows are of one customer.
        when: column of times.
        amount: column of amounts in major units.
        amount_minor: column of integers in minor units, instead of *amount*.
        currency: column of currency codes.
        rates: rates into one currency.
        as_of: rows after it do not count.
        time_zone: zone of dates and days.
        missing: "raise" or "skip".
        extra: further columns that must be there.
        optional: further columns, read where they are there.
        one_currency: False where only the signs of amounts matter, so that several currencies are allowed.

    Raises:
        InvalidFieldError: as `rfm`.
        AmountOverflowError: an amount beyond 64 bits.
    """
    data, zone = _settled(data), zone_of(time_zone)
    until = None if as_of is None else as_of_instant(as_of, zone)
    if _of_transactions(data):
        # a Transaction says by kind and status what it adds
        customer = "account_id" if customer == "customer_id" else customer
        amount_minor, currency = "signed_minor", "amount.currency"
    needed = [when, amount_minor or amount, *(name for name in (customer, currency) if name is not None), *extra]
    columns = columns_at_once(data, needed, optional)
    if customer is None:
        customer = _NO_COLUMN
        columns[customer] = np.zeros(len(columns[when]), np.int64)
    spec = PaymentColumns(
        customer=customer,
        when=when,
        amount=amount,
        amount_minor=amount_minor,
        currency=currency,
        rates=None if rates is None else Rates.of(rates),
        zone=zone,
        skip_missing=skips(missing),
    )
    table = read_payments(columns, spec, until=until)
    more = {name: columns[name] for name in (*extra, *optional) if name in columns}
    size = len(table.customers)
    if not size:
        return _rows(table.customers, np.empty(0, np.int64), zone=zone, until=until, extra=more)
    piece = table.piece(0, size)
    kept = slice(None) if piece.rows is None else piece.rows
    return _rows(
        table.customers[kept],
        piece.moments,
        minor=piece.minor.astype(np.int64, copy=False),
        refund=piece.refund,
        extra={name: column[kept] for name, column in more.items()},
        currency=table.one_currency(piece.currencies) if one_currency else None,
        skipped=piece.skipped,
        zone=zone,
        until=until,
    )


def event_rows(
    data: Any,
    *,
    customer: str,
    when: str,
    as_of: AsOf,
    time_zone: str | dt.tzinfo,
    missing: str,
    extra: Sequence[str] = (),
    optional: Sequence[str] = (),
) -> Rows:
    """Read rows that have a customer and a time, such as payments, visits or contacts; amounts are not looked at.

    Args:
        data: rows in any form that `rfm` takes, or an iterable of `Interaction`.
        customer: column of customer ids.
        when: column of times.
        as_of: rows after it do not count.
        time_zone: zone of dates and days.
        missing: "raise" or "skip".
        extra: further columns that must be there.
        optional: further columns, read where they are there.

    Raises:
        InvalidFieldError: "columns.*", "time.*", "payments.customer", "payments.missing", "segment.missing".
    """
    data, zone, skip = _settled(data), zone_of(time_zone), skips(missing)
    until = None if as_of is None else as_of_instant(as_of, zone)
    if _of_transactions(data) and customer == "customer_id":
        customer = "account_id"
    columns = columns_at_once(data, [customer, when, *extra], optional)
    more = {name: columns[name] for name in (*extra, *optional) if name in columns}
    ids, no_id = _plain_ids(columns[customer], customer)
    moments = instants(columns[when], zone, name=when)
    lost = moments == NAT if no_id is None else (moments == NAT) | no_id
    if lost.any() and not skip:
        name, absent = (when, moments == NAT) if no_id is None or not no_id.any() else (customer, no_id)
        raise _missing_error(name, int(absent.sum()), int(absent.argmax()))
    kept = ~lost if until is None else ~lost & (moments <= until)
    return _rows(
        ids[kept],
        moments[kept],
        extra={name: column[kept] for name, column in more.items()},
        skipped=int(lost.sum()),
        zone=zone,
        until=until,
    )


def _rows(
    ids: Column,
    moments: Int64,
    *,
    zone: dt.tzinfo,
    until: int | None,
    extra: Mapping[str, Column],
    minor: Int64 | None = None,
    refund: Mask | None = None,
    currency: str | None = None,
    skipped: int = 0,
) -> Rows:
    codes, customers = numbered(ids)
    return Rows(
        customers=customers,
        codes=codes,
        moments=moments,
        minor=np.zeros(len(codes), np.int64) if minor is None else minor,
        refund=np.zeros(len(codes), np.bool_) if refund is None else refund,
        extra=extra,
        currency=currency,
        skipped=skipped,
        zone=zone,
        until=until if until is not None else int(moments.max()) if len(moments) else NAT,
    )


def numbered(ids: Column) -> tuple[Int64, Column]:
    """Number the distinct ids in ascending order, without gaps.

    Args:
        ids: shape (n,), int64 or objects of one sortable type.

    Returns:
        The number of each row's id, shape (n,), and the distinct ids, ascending, shape (k,).

    Raises:
        InvalidFieldError: "payments.customer".

    >>> codes, customers = numbered(np.array([9, 7, 9]))
    >>> codes.tolist(), customers.tolist()
    ([1, 0, 1], [7, 9])
    """
    growth = 1
    while True:
        try:
            grouping = grouping_of(ids, growth=growth)
            codes = grouping.codes(0, len(ids))
            break
        except TableFullError:
            growth *= 4  # the sample that the estimate saw was not like the rest
        except TypeError:
            raise InvalidFieldError(
                "customer ids must be of one type that can be sorted, such as text or integers",
                code="payments.customer",
            ) from None
    customers, used = grouping.customers(np.flatnonzero(np.bincount(codes, minlength=grouping.size)))
    number = np.zeros(grouping.size, np.int64)
    number[used] = np.arange(len(used))
    return number[codes], customers


def row_of(customers: Column, wanted: object) -> int:
    """Where a customer stands among ascending ids.

    Raises:
        RecordNotFoundError: no such customer.

    >>> row_of(np.array([3, 5]), 5)
    1
    """
    try:
        row = bisect.bisect_left(customers, wanted)
        if row < len(customers) and customers[row] == wanted:
            return row
    except (TypeError, ValueError):  # an id of another type is not here either, nor a table
        pass
    raise RecordNotFoundError("no such customer in this table; ids are those of its customer column")


def _settled(data: Any) -> Any:
    """Rows that can be read twice; of transactions the posted ones."""
    data = lasting(data)
    return [row for row in data if row.status == "posted"] if _of_transactions(data) else data


def _of_transactions(data: Any) -> bool:
    return isinstance(data, list | tuple) and bool(data) and all(isinstance(row, Transaction) for row in data)


def columns_at_once(data: Any, needed: Sequence[str], optional: Sequence[str]) -> dict[str, Column]:
    """Columns by one reading: two readings of a query need not give the rows in one order.

    Args:
        data: a table that `read_columns` takes.
        needed: columns that must be there.
        optional: columns that are left out where they are not there.

    Raises:
        InvalidFieldError: "columns.*".

    >>> list(columns_at_once({"id": [1], "n": [2]}, ["id"], ["n", "m"]))
    ['id', 'n']
    """
    wanted = list(optional)
    while True:
        try:
            return read_columns(data, [*needed, *wanted])
        except InvalidFieldError as exc:
            absent: Any = exc.details.get("missing", ())
            if not set(absent) & set(wanted) or set(absent) & set(needed):
                raise
            wanted = [name for name in wanted if name not in absent]


def skips(missing: str) -> bool:
    """Whether ``missing=`` asks for rows to be left out.

    Raises:
        InvalidFieldError: "segment.missing".
    """
    if missing not in {"raise", "skip"}:
        raise InvalidFieldError("missing must be 'raise' or 'skip'", code="segment.missing", path="missing")
    return missing == "skip"


def _missing_error(name: str, count: int, first: int) -> InvalidFieldError:
    return InvalidFieldError(
        f"column {name!r} has {count:,} missing values, the first in row {first}; fill them in, or pass "
        "missing='skip' to leave such rows out and count them",
        code="payments.missing",
        path=name,
        rows=count,
        first_row=first,
    )


def missing_in(column: Column) -> Mask | None:
    """Which values are None, NaN or NaT; None where none is.

    >>> missing_in(np.array([1.0, np.nan])).tolist()
    [False, True]
    """
    return _absent(column)

"""The table that `anomalies` takes, as ordered payments for the kernel."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np

from custinfo._columns import Column, lasting, read_columns
from custinfo.model import Transaction
from custinfo.segment._labels import HOUR_US, labelled, objects
from custinfo.segment._payments import PaymentColumns, read_payments
from custinfo.segment._risk_kernel import Payments, with_windows
from custinfo.segment._risk_payment import label_of, size_of
from custinfo.segment._risk_rules import LABELS
from custinfo.segment._rows import columns_at_once, numbered
from custinfo.segment._time import DAY_US, local_moments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from numpy.typing import NDArray

    Int64 = NDArray[np.int64]


@attrs.frozen(kw_only=True, eq=False)
class RiskRows:
    """Rows that count, in the order of the table.

    Args:
        rows: shape (n,), the row's number in the table, ascending.
        customers: shape (k,), distinct ids, ascending.
        codes: shape (n,), number of the row's customer.
        moments: shape (n,), microseconds since 1970 in UTC.
        minor: shape (n,), minor units of the row's currency, negative for refunds.
        labels: in the order of `LABELS`, numbers of shape (n,), -1 for none; None: there is no such column.
        skipped: rows left out because a value was missing.
    """

    rows: Int64
    customers: Column
    codes: Int64
    moments: Int64
    minor: Int64
    labels: tuple[Int64 | None, ...]
    skipped: int

    def ordered(self, *, zone: dt.tzinfo, window: int) -> tuple[Int64, Payments]:
        """The payments without refunds by customer and time, and where in this table each stands.

        Of payments at one time the smaller comes first, then the one of the lower labels: the order of rows is no
        matter.
        """
        paid = np.flatnonzero(self.minor >= 0)
        codes, moments = self.codes[paid], self.moments[paid]
        order = np.lexsort((moments, codes))
        tied = np.zeros(len(order), np.bool_)
        equal = (np.diff(codes[order]) == 0) & (np.diff(moments[order]) == 0)
        tied[1:] |= equal
        tied[:-1] |= equal
        places = order[tied]  # at their places in the order stand the same customers and times again
        keys = [self.minor[paid[places]], *(labels[paid[places]] for labels in self.labels if labels is not None)]
        order[tied] = places[np.lexsort((*reversed(keys), moments[places], codes[places]))]
        chosen = paid[order]
        local = local_moments(self.moments[chosen], zone)
        return chosen, with_windows(
            self.codes[chosen],
            self.moments[chosen],
            np.fromiter(map(size_of, self.minor[chosen].tolist()), np.float64, len(chosen)),
            local % DAY_US // HOUR_US,
            tuple(None if labels is None else labels[chosen] for labels in self.labels),
            window=window,
        )


def read_risk_rows(
    data: Any,
    *,
    customer: str,
    when: str,
    amount: str,
    amount_minor: str | None,
    labels: Mapping[str, str | None],
    zone: dt.tzinfo,
    until: int | None,
    skip_missing: bool,
) -> RiskRows:
    """Read a table once, check and convert it.

    Args:
        data: anything that `read_columns` takes, or an iterable of `Transaction`.
        customer: column of customer ids.
        when: column of times.
        amount: column of amounts in major units.
        amount_minor: column of integers in minor units, instead of *amount*.
        labels: for each of `LABELS` its column; None: the column of that name where there is one.
        zone: in which plain dates are meant.
        until: the last instant that counts; None: all.
        skip_missing: leave rows without customer, time, amount or currency out.

    Raises:
        InvalidFieldError: as `anomalies`.
        AmountOverflowError: an amount beyond 64 bits.
    """
    names = {name: column or name for name, column in labels.items()}
    data = lasting(data)
    numbers = None
    if isinstance(data, list | tuple) and data and all(isinstance(row, Transaction) for row in data):
        numbers = np.array([number for number, row in enumerate(data) if row.status == "posted"], np.int64)
        customer = "account_id" if customer == "customer_id" else customer
        amount_minor, names["currency"] = "signed_minor", "amount.currency"
        data = _of_transactions([data[number] for number in numbers], customer, names)
    needed = [customer, when, amount_minor or amount, *(column for column in labels.values() if column is not None)]
    columns = columns_at_once(data, needed, [names[name] for name, column in labels.items() if column is None])
    spec = PaymentColumns(
        customer=customer,
        when=when,
        amount=amount,
        amount_minor=amount_minor,
        currency=names["currency"] if names["currency"] in columns else None,
        rates=None,
        zone=zone,
        skip_missing=skip_missing,
    )
    table = read_payments(columns, spec, until=until)
    size = len(table.when)
    if not size:
        nothing = np.empty(0, np.int64)
        return RiskRows(
            rows=nothing,
            customers=objects([]),
            codes=nothing,
            moments=nothing,
            minor=nothing,
            labels=(None,) * len(LABELS),
            skipped=0,
        )
    piece = table.piece(0, size)
    kept = np.arange(size) if piece.rows is None else piece.rows
    currencies = {"currency": table.currencies} if table.currencies is not None else {}
    there = {name: columns[column] for name, column in names.items() if column in columns} | currencies
    codes, customers = numbered(table.customers[kept])
    return RiskRows(
        rows=kept if numbers is None else numbers[kept],
        customers=customers,
        codes=codes,
        moments=piece.moments,
        minor=piece.minor.astype(np.int64, copy=False),
        labels=tuple(_numbers(there[name][kept], name) if name in there else None for name in LABELS),
        skipped=piece.skipped,
    )


def _of_transactions(rows: Sequence[Transaction], customer: str, names: Mapping[str, str]) -> dict[str, Column]:
    fields = [customer, "occurred_at", "signed_minor", *(names[name] for name in LABELS if name != "country")]
    country = objects([row.extra.get(names["country"]) for row in rows])
    return {**read_columns(rows, fields), names["country"]: country}


def _numbers(column: Column, name: str) -> Int64 | None:
    """Numbers of the labels as the monitor tells them apart; None where there is none."""
    codes, labels = labelled(column, name=name)
    number: dict[Any, int] = {None: -1}
    of_label = [number.setdefault(label_of(label, name), len(number) - 1) for label in labels.tolist()]
    if len(number) == 1:
        return None
    numbers: Int64 = np.array(of_label, np.int64)[codes]
    return numbers

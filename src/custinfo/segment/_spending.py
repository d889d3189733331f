"""What customers spent, by month, method, merchant or any other column."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Literal

import attrs
import numpy as np

from custinfo._columns import Column, ColumnResult, frozen
from custinfo.errors import InvalidFieldError
from custinfo.segment._kernel import counts, exact_sums
from custinfo.segment._labels import CALENDAR, calendar_labels, labelled, objects
from custinfo.segment._per_customer import run_starts, shares
from custinfo.segment._rows import AsOf, Rows, payment_rows, row_of
from custinfo.segment._time import local_moments

__all__ = ["Spending", "spending"]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Spending(ColumnResult):
    """Money by customer and key, ascending by both, a missing key last; made by `spending`.

    Args:
        customer_ids: shape (n,); None where customers were not told apart.
        key: shape (n,), objects: the month, merchant or whatever it is counted by; None where it is missing.
        purchases: shape (n,), int64, rows that are no refunds.
        refunds: shape (n,), int64.
        amount_minor: shape (n,), int64, exact sums of minor units.
        share: shape (n,), part of the customer's total (of all money where customers were not told apart); NaN of a
            total of 0.
        by: what *key* is.
        currency: of the money; None: unknown.
        skipped: rows left out because a value was missing.
    """

    customer_ids: Column | None
    key: Column
    purchases: Column
    refunds: Column
    amount_minor: Column
    share: Column
    by: str
    currency: str | None
    skipped: int

    def to_dict(self) -> dict[str, Column]:
        """Name -> array of shape (n,)."""
        who = {} if self.customer_ids is None else {"customer_id": self.customer_ids}
        return {
            **who,
            "key": self.key,
            "purchases": self.purchases,
            "refunds": self.refunds,
            "amount_minor": self.amount_minor,
            "share": self.share,
        }

    def of(self, customer_id: object) -> Spending:
        """The rows of one customer.

        Raises:
            RecordNotFoundError: no payment of this customer.
            InvalidFieldError: "spending.customer" (customers were not told apart).
        """
        if self.customer_ids is None:
            raise InvalidFieldError(
                "this table does not tell customers apart; ask for spending(..., customer=...)",
                code="spending.customer",
            )
        first = row_of(self.customer_ids, customer_id)
        mine = slice(first, first + int((self.customer_ids[first:] == customer_id).sum()))
        return attrs.evolve(
            self,
            customer_ids=self.customer_ids[mine],
            key=self.key[mine],
            purchases=self.purchases[mine],
            refunds=self.refunds[mine],
            amount_minor=self.amount_minor[mine],
            share=self.share[mine],
        )

    def __repr__(self) -> str:
        money = sum(self.amount_minor.tolist())
        return f"<Spending by {self.by}: {len(self):,} rows, {money:,} minor units>"

    def _title(self) -> str:
        return f"Spending by {self.by}{'' if self.currency is None else f', {self.currency}'}: {len(self):,} rows"


def spending(
    data: object,
    *,
    by: str = "month",
    customer: str | None = "customer_id",
    when: str = "occurred_at",
    amount: str = "amount",
    amount_minor: str | None = None,
    currency: str | None = None,
    rates: Mapping[str, object] | None = None,
    as_of: AsOf = None,
    refunds: Literal["net", "exclude"] = "net",
    time_zone: str | dt.tzinfo = "UTC",
    missing: Literal["raise", "skip"] = "raise",
) -> Spending:
    """Add up payments per customer and month, method, merchant, category or any other column.

    Only keys that occur have a row. The sums are exact and do not depend on the order of rows.

    Args:
        data: payments in any form that `rfm` takes.
        by: "day", "week", "month", "quarter" or "year" of the calendar in *time_zone* (ISO 8601; quarters
            ``2026-Q1``), "weekday" (1 is Monday), "hour" (0 to 23), or the name of a column.
        customer: column of customer ids; None: all payments together.
        when: column of times.
        amount: column of amounts in major units.
        amount_minor: column of integers in minor units, instead of *amount*.
        currency: column of currency codes.
        rates: rates into one currency, as for `rfm`.
        as_of: rows after it do not count.
        refunds: "net" (negative amounts are subtracted) or "exclude" (they do not exist).
        time_zone: zone of the calendar.
        missing: rows without customer, time, amount or currency: "raise", or "skip" and count them. A missing key is
            a group of its own, None.

    Raises:
        InvalidFieldError: as `rfm`; "columns.missing" (*by* is no column; the message lists those there are),
            "segment.labels", "segment.refunds".
        AmountOverflowError: a sum that does not fit in 64 bits.

    >>> payments = {
    ...     "customer_id": ["ann", "ann", "ann", "bob"],
    ...     "occurred_at": ["2026-01-02", "2026-01-20", "2026-02-01", "2026-01-31"],
    ...     "amount": ["19.90", "0.10", "5", "7"],
    ...     "method": ["card", "wallet", "card", None],
    ... }
    >>> table = spending(payments)
    >>> list(zip(table.customer_ids.tolist(), table.key.tolist(), table.amount_minor.tolist()))
    [('ann', '2026-01', 2000), ('ann', '2026-02', 500), ('bob', '2026-01', 700)]
    >>> spending(payments, by="method").of("ann").to_dict()["amount_minor"].tolist()
    [2490, 10]
    """
    rows = payment_rows(
        data,
        customer=customer,
        when=when,
        amount=amount,
        amount_minor=amount_minor,
        currency=currency,
        rates=rates,
        as_of=as_of,
        time_zone=time_zone,
        missing=missing,
        extra=() if by in CALENDAR else (by,),
    )
    rows = without_refunds(rows, refunds)
    keys, labels = keys_of(rows, by)
    pairs = rows.codes * max(len(labels), 1) + keys
    order = np.argsort(pairs, kind="stable")
    starts = run_starts(pairs[order])
    number = np.zeros(len(rows), np.int64)
    number[order] = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(rows))))
    first = order[starts]
    sums = exact_sums(number, rows.minor, len(starts))
    totals = exact_sums(rows.codes, rows.minor, len(rows.customers))
    return Spending(
        customer_ids=None if customer is None else frozen(rows.customers[rows.codes[first]]),
        key=frozen(labels[keys[first]] if len(rows) else objects([])),
        purchases=frozen(counts(number[~rows.refund], len(starts))),
        refunds=frozen(counts(number[rows.refund], len(starts))),
        amount_minor=frozen(sums),
        share=frozen(shares(sums, totals[rows.codes[first]])),
        by=by,
        currency=rows.currency,
        skipped=rows.skipped,
    )


def without_refunds(rows: Rows, refunds: str) -> Rows:
    """The rows that count under ``refunds=``.

    Raises:
        InvalidFieldError: "segment.refunds".
    """
    if refunds not in {"net", "exclude"}:
        raise InvalidFieldError("refunds must be 'net' or 'exclude'", code="segment.refunds", path="refunds")
    return rows if refunds == "net" else rows.only(~rows.refund)


def keys_of(rows: Rows, by: str) -> tuple[Column, Column]:
    """Number and label of what each row is counted by: a part of the calendar, or a column read as *extra*."""
    if by in CALENDAR:
        return calendar_labels(local_moments(rows.moments, rows.zone), by)
    return labelled(rows.extra[by], name=by)

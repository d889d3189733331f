"""Retention: of those who first bought in one period, how many buy in later ones."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

import attrs
import numpy as np

from custinfo._columns import Column, ColumnResult, frozen
from custinfo.errors import InvalidFieldError
from custinfo.segment._kernel import counts
from custinfo.segment._labels import PERIODS, last_day, objects, period_label, periods_of
from custinfo.segment._per_customer import firsts_and_lasts, pair_counts
from custinfo.segment._rows import AsOf, payment_rows
from custinfo.segment._time import local_days
from custinfo.segment._words import date_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Cohorts", "cohorts"]

_MOST_CELLS = 10_000_000


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Cohorts(ColumnResult):
    """Customers by the period of their first purchase and the period since, made by `cohorts`.

    Row i of the grid is a cohort, column j the j-th period after its first one; column 0 is the first period itself.

    Args:
        cohort: shape (k,), objects: the first period of each cohort, ascending; cohorts without customers are left out.
        size: shape (k,), int64, customers in the cohort.
        counts: shape (k, p), int64, customers of the cohort who bought in the period; 0 where not observed.
        rates: shape (k, p), float64, *counts* divided by *size*; NaN where not observed.
        observed: shape (k, p), bool, whether the period had begun by *as_of*.
        complete: shape (k, p), bool, whether the period had ended by *as_of*.
        by: "day", "week", "month", "quarter" or "year".
        as_of: the last day that counts; None without rows.
        skipped: rows left out because a value was missing.
    """

    cohort: Column
    size: Column
    counts: NDArray[np.int64]
    rates: NDArray[np.float64]
    observed: NDArray[np.bool_]
    complete: NDArray[np.bool_]
    by: str
    as_of: dt.date | None
    skipped: int

    def to_dict(self) -> dict[str, Column]:
        """The observed cells as rows, name -> array: cohort, period, size, customers, rate, complete."""
        row, period = np.nonzero(self.observed)
        return {
            "cohort": self.cohort[row],
            "period": period.astype(np.int64, copy=False),
            "size": self.size[row],
            "customers": self.counts[row, period],
            "rate": self.rates[row, period],
            "complete": self.complete[row, period],
        }

    def retention(self) -> Column:
        """Rate of each period over all cohorts for which it is complete, shape (p,); NaN where it is for none."""
        sizes = np.where(self.complete, self.size[:, None], 0).sum(axis=0)
        bought = np.where(self.complete, self.counts, 0).sum(axis=0)
        result = np.full(self.counts.shape[1], np.nan)
        np.divide(bought, sizes, out=result, where=sizes > 0)
        return result

    def __repr__(self) -> str:
        return f"<Cohorts by {self.by}: {len(self.cohort):,} cohorts, {int(self.size.sum()):,} customers>"

    def _title(self) -> str:
        until = "" if self.as_of is None else f" as of {self.as_of.isoformat()}"
        return f"Retention by {self.by}{until}: {int(self.size.sum()):,} customers"

    def _repr_html_(self) -> str:
        from custinfo._view import table

        width = min(self.counts.shape[1], 13)
        columns: dict[str, list[Any]] = {"cohort": self.cohort.tolist(), "customers": self.size.tolist()}
        for j in range(width):
            columns[f"+{j}"] = [
                "" if not seen else f"{100 * rate:.1f} %{'' if done else ' *'}"
                for seen, rate, done in zip(self.observed[:, j], self.rates[:, j], self.complete[:, j], strict=True)
            ]
        return table(columns, title=f"{self._title()} (* period not over)", max_rows=24)

    def plot(self) -> Any:
        """The grid of rates as a picture, periods that are not over hatched; needs ``custinfo[plot]``.

        Returns:
            The matplotlib figure.
        """
        from custinfo.segment._plot import cohort_grid

        return cohort_grid(self)


def cohorts(
    data: object,
    *,
    by: Literal["day", "week", "month", "quarter", "year"] = "month",
    customer: str = "customer_id",
    when: str = "occurred_at",
    amount: str = "amount",
    amount_minor: str | None = None,
    currency: str | None = None,
    as_of: AsOf = None,
    time_zone: str | dt.tzinfo = "UTC",
    missing: Literal["raise", "skip"] = "raise",
) -> Cohorts:
    """Count, for the customers who first bought in each period, how many bought in each later period.

    Refunds (negative amounts) are no purchases. A period is complete when *as_of* lies on its last day or later.

    Args:
        data: payments in any form that `rfm` takes.
        by: period of the calendar in *time_zone*; weeks begin on Monday.
        customer: column of customer ids.
        when: column of times.
        amount: column of amounts in major units; only the sign counts.
        amount_minor: column of integers in minor units, instead of *amount*.
        currency: column of currency codes, where there is one.
        as_of: rows after it do not count; the latest time by default.
        time_zone: zone of the calendar.
        missing: rows without customer, time or amount: "raise", or "skip" and count them.

    Raises:
        InvalidFieldError: as `rfm`; "cohorts.by", "cohorts.size" (more than ten million cells).

    >>> payments = {"customer_id": ["ann", "ann", "bob", "eve"], "amount": [5, 5, 5, 5],
    ...             "occurred_at": ["2026-01-05", "2026-02-05", "2026-01-20", "2026-02-10"]}
    >>> table = cohorts(payments)
    >>> table.cohort.tolist(), table.size.tolist()
    (['2026-01', '2026-02'], [2, 1])
    >>> table.counts.tolist(), table.rates.tolist(), table.complete.tolist()
    ([[2, 1], [1, 0]], [[1.0, 0.5], [1.0, nan]], [[True, False], [False, False]])
    """
    if by not in PERIODS:
        raise InvalidFieldError(f"by must be one of {', '.join(PERIODS)}", code="cohorts.by", path="by")
    paid = payment_rows(
        data,
        customer=customer,
        when=when,
        amount=amount,
        amount_minor=amount_minor,
        currency=currency,
        rates=None,
        as_of=as_of,
        time_zone=time_zone,
        missing=missing,
        one_currency=False,
    )
    rows = paid.only(~paid.refund)
    if not len(rows):
        return _empty(by, paid.skipped)
    period = periods_of(local_days(rows.moments, rows.zone), by)
    until_day = int(local_days(np.array([paid.until]), rows.zone)[0])
    until = int(periods_of(np.array([until_day]), by)[0])
    buyers = counts(rows.codes, len(rows.customers)) > 0
    first, _ = firsts_and_lasts(rows.codes, period, len(rows.customers))
    earliest = int(period.min())
    if (until - earliest + 1) ** 2 > _MOST_CELLS:
        raise InvalidFieldError(
            f"{until - earliest + 1:,} periods make too large a grid; count by a longer period",
            code="cohorts.size",
            path="by",
        )
    width = until - earliest + 1
    size = counts(first[buyers] - earliest, width)
    who, later, _ = pair_counts(rows.codes, period - first[rows.codes], width)
    grid = counts((first[who] - earliest) * width + later, width * width).reshape(width, width)
    used = np.flatnonzero(size)
    span = used[:, None] + np.arange(width - used[0])[None, :]
    observed = span < width
    complete = span < width - (until_day < last_day(until, by))
    grid, size = grid[used, : width - used[0]], size[used]
    rates = np.where(observed, grid / size[:, None], np.nan)
    for array in (grid, rates, observed, complete):
        array.flags.writeable = False
    return Cohorts(
        cohort=frozen(objects([period_label(earliest + i, by) for i in used.tolist()])),
        size=frozen(size),
        counts=grid,
        rates=rates,
        observed=observed,
        complete=complete,
        by=by,
        as_of=date_of(until_day),
        skipped=paid.skipped,
    )


def _empty(by: str, skipped: int) -> Cohorts:
    none = np.zeros((0, 0), np.int64)
    return Cohorts(
        cohort=objects([]),
        size=np.empty(0, np.int64),
        counts=none,
        rates=none.astype(np.float64),
        observed=none.astype(np.bool_),
        complete=none.astype(np.bool_),
        by=by,
        as_of=None,
        skipped=skipped,
    )

"""A model of purchases held against what the customers did afterwards."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np

from custinfo._columns import Column, ColumnResult, frozen
from custinfo.errors import InvalidFieldError
from custinfo.segment._bg_nbd import BgNbd
from custinfo.segment._clv import Summary
from custinfo.segment._pareto_nbd import ParetoNbd

__all__ = ["Calibration", "calibration"]

_MOST_ROWS = 10_000


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Calibration(ColumnResult):
    """Predicted and actual purchases of the hold-out period, by purchases before it; made by `calibration`.

    Args:
        frequency: shape (k,), int64, repeat purchases before; the last row holds all customers with that many or more.
        customers: shape (k,), int64, how many customers have them.
        predicted: shape (k,), their mean number of purchases afterwards as the model expects it; NaN without customers.
        actual: shape (k,), their mean number of purchases afterwards; NaN without customers.
        predicted_total: purchases of all customers that the model expects.
        actual_total: purchases of all customers.
        length: length of the hold-out period, of the customer with the longest.
        unit: unit of time.
    """

    frequency: Column
    customers: Column
    predicted: Column
    actual: Column
    predicted_total: float
    actual_total: int
    length: float
    unit: str

    def to_dict(self) -> dict[str, Column]:
        """Name -> array of shape (k,)."""
        return {
            "frequency": self.frequency,
            "customers": self.customers,
            "predicted": self.predicted,
            "actual": self.actual,
        }

    @property
    def error(self) -> float:
        """How far the predicted total is off, as a share of the actual one; NaN where nobody bought."""
        return self.predicted_total / self.actual_total - 1 if self.actual_total else float("nan")

    def plot(self) -> Any:
        """Predicted beside actual means as a picture; needs ``custinfo[plot]``.

        Returns:
            The matplotlib figure.
        """
        from custinfo.segment._plot import calibration_bars

        return calibration_bars(self)

    def _title(self) -> str:
        return (
            f"Next {self.length:,.4g} {self.unit}s of {int(self.customers.sum()):,} customers: "
            f"{self.predicted_total:,.0f} purchases predicted, {self.actual_total:,} made"
        )

    def __repr__(self) -> str:
        return f"<Calibration: {self._title()}>"


def calibration(model: BgNbd | ParetoNbd, before: Summary, after: Summary, *, most: int = 7) -> Calibration:
    """Hold a model against a period that it has not seen.

    Args:
        model: fitted to *before*, or to other customers.
        before: `summary` of the payments up to a day.
        after: `summary` of the payments up to a later day, in the same unit. Customers who came between count nowhere.
        most: customers with this many repeat purchases or more are one group, >= 1.

    Raises:
        InvalidFieldError: "clv.value", "clv.unit" (two units of time), "clv.customers" (a customer of *before* is not
            in *after*, or has fewer purchases there), "clv.period" (*after* does not end later).

    Source: Fader, Hardie and Lee, 2005, section 5 (conditional expectations by frequency class).

    >>> from custinfo.segment import summary
    >>> days = ["2026-01-01", "2026-01-15", "2026-03-10", "2026-01-01", "2026-03-01"]
    >>> payments = {"customer_id": [1, 1, 1, 2, 3], "occurred_at": days, "amount": [5, 5, 5, 5, 5]}
    >>> seen, later = summary(payments, end="2026-02-01"), summary(payments, end="2026-04-01")
    >>> held_out = calibration(BgNbd(r=0.2426, alpha=4.4136, a=0.7929, b=2.4259), seen, later, most=1)
    >>> held_out.customers.tolist(), held_out.actual.tolist(), held_out.predicted.round(2).tolist()
    ([1, 1], [0.0, 1.0], [0.2, 0.68])
    """
    if most not in range(1, _MOST_ROWS + 1):
        raise InvalidFieldError(f"most must be a whole number from 1 to {_MOST_ROWS:,}", code="clv.value", path="most")
    if before.unit != after.unit:
        raise InvalidFieldError(
            f"both summaries must have one unit of time, but have {before.unit} and {after.unit}", code="clv.unit"
        )
    at = _places(before.customer_ids, after.customer_ids)
    made = after.frequency[at] - before.frequency
    ahead = after.age[at] - before.age
    if (made < 0).any():
        raise InvalidFieldError(
            "a customer has fewer purchases in after than in before; summarise the same payments up to a later day",
            code="clv.customers",
        )
    if len(ahead) and not (ahead > 0).all():
        raise InvalidFieldError("after must end later than before", code="clv.period")
    expected = model.expected_purchases(ahead, before.frequency, before.recency, before.age)
    group = np.minimum(before.frequency, most)
    customers = np.bincount(group, minlength=most + 1)

    def mean(values: Any) -> Column:
        total = np.bincount(group, weights=values, minlength=most + 1)
        return frozen(np.where(customers > 0, total / np.maximum(customers, 1), np.nan))

    return Calibration(
        frequency=frozen(np.arange(most + 1)),
        customers=frozen(customers),
        predicted=mean(expected),
        actual=mean(made),
        predicted_total=float(expected.sum()),
        actual_total=int(made.sum()),
        length=float(ahead.max(initial=0.0)),
        unit=before.unit,
    )


def _places(wanted: Column, there: Column) -> Any:
    """Where each id stands among ascending ids."""
    if not len(wanted):
        return np.empty(0, np.int64)
    if len(there) and (wanted.dtype.kind in "iu") == (there.dtype.kind in "iu"):
        at = np.minimum(np.searchsorted(there, wanted), len(there) - 1)
        if bool((there[at] == wanted).all()):
            return at
    raise InvalidFieldError(
        "each customer of before must be in after; summarise the same payments up to a later day", code="clv.customers"
    )

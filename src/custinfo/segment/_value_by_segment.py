"""What each segment of customers is worth: the ground for sharing out money and attention."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np

from custinfo._columns import Column, ColumnResult, frozen, read_columns
from custinfo.errors import InvalidFieldError
from custinfo.segment._contribution import total_of
from custinfo.segment._kernel import counts, exact_sums
from custinfo.segment._labels import labelled, objects
from custinfo.segment._money import INT64_MAX
from custinfo.segment._per_customer import mean_half_even

__all__ = ["SegmentValue", "value_by_segment"]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class SegmentValue(ColumnResult):
    """Customers and money of each segment, the most valuable first, then by name; made by `value_by_segment`.

    Args:
        segment: shape (s,), objects; None: customers without one.
        customers: shape (s,), int64.
        customer_share: shape (s,), part of all customers.
        amount_minor: shape (s,), int64, sum of minor units.
        amount_share: shape (s,), part of the total, negative sums included: the shares add up to 1, and one may be
            negative. NaN where the total is not positive.
        mean_minor: shape (s,), int64, amount of one customer, rounded half even.
        index: shape (s,), *amount_share* divided by *customer_share*: 2 is twice the money of an average customer.
        total_minor: sum of all segments.
    """

    segment: Column
    customers: Column
    customer_share: Column
    amount_minor: Column
    amount_share: Column
    mean_minor: Column
    index: Column
    total_minor: int

    def to_dict(self) -> dict[str, Column]:
        """Name -> array of shape (s,)."""
        return {field.name: getattr(self, field.name) for field in attrs.fields(SegmentValue)[:-1]}

    def __repr__(self) -> str:
        return f"<SegmentValue: {len(self)} segments, {int(self.customers.sum()):,} customers>"

    def _title(self) -> str:
        return f"Value by segment: {int(self.customers.sum()):,} customers, {self.total_minor:,} minor units"

    def plot(self) -> Any:
        """Shares of customers and of money as bars, side by side; needs ``custinfo[plot]``.

        Returns:
            The matplotlib figure.
        """
        from custinfo.segment._plot import segment_bars

        return segment_bars(self)


def value_by_segment(
    table: object,
    by: object = None,
    *,
    customer: str = "customer_id",
    amount_minor: str = "monetary_minor",
) -> SegmentValue:
    """Add up customers and money per segment.

    Args:
        table: an `Rfm`, or any columns with one row per customer.
        by: which segments: the name of a column of *table* ("segment" where left out), or another table with the
            same customers, such as `Tiers`, `SpendBands` or `Lifecycle`: its second column is taken, or the one
            named ``tier``, ``band``, ``state``, ``abc`` or ``segment``. Customers it lacks have no segment.
        customer: the column of customer ids.
        amount_minor: the column of integers in minor units.

    Raises:
        InvalidFieldError: "columns.*", "segment.labels", "segment.amount", "segment.twice" (a customer has two rows).
        AmountOverflowError: a sum that does not fit in 64 bits.

    >>> table = {"customer_id": [1, 2, 3], "segment": ["new", "loyal", "new"], "monetary_minor": [100, 900, 200]}
    >>> value = value_by_segment(table)
    >>> value.segment.tolist(), value.amount_share.tolist(), value.index.tolist()
    (['loyal', 'new'], [0.75, 0.25], [2.25, 0.375])
    """
    source = table.to_dict() if isinstance(table, ColumnResult) else table
    if by is None or isinstance(by, str):
        name = "segment" if by is None else by
        columns = read_columns(source, [amount_minor, name])
        labels_of = columns[name]
    else:
        columns = read_columns(source, [customer, amount_minor])
        name, labels_of = _joined(columns[customer], by, customer)
    amounts = columns[amount_minor]
    if len(amounts) and (amounts.dtype.kind not in "iu" or int(amounts.max()) > INT64_MAX):
        raise InvalidFieldError(
            f"column {amount_minor!r} must hold integers of 64 bits, minor units such as cents",
            code="segment.amount",
            path=amount_minor,
        )
    codes, labels = labelled(labels_of, name=name)
    number = counts(codes, len(labels))
    sums = exact_sums(codes, amounts.astype(np.int64), len(labels))
    total = total_of(sums)
    order = np.argsort(np.invert(sums), kind="stable")  # the largest first, without changing the sign of the lowest
    customer_share = number / max(len(codes), 1)
    amount_share = sums / total if total > 0 else np.full(len(sums), np.nan)
    return SegmentValue(
        segment=frozen(labels[order] if len(labels) else objects([])),
        customers=frozen(number[order]),
        customer_share=frozen(customer_share[order]),
        amount_minor=frozen(sums[order]),
        amount_share=frozen(amount_share[order]),
        mean_minor=frozen(mean_half_even(sums, number)[order]),
        index=frozen((amount_share / customer_share)[order]),
        total_minor=total,
    )


def _joined(customers: Column, by: object, customer: str) -> tuple[str, Column]:
    columns = read_columns(by.to_dict() if isinstance(by, ColumnResult) else by)
    others = [name for name in columns if name != customer]
    if customer not in columns or not others:
        raise InvalidFieldError(
            f"by must have column {customer!r} and one of segments; it has: {', '.join(map(str, columns)) or 'none'}",
            code="columns.missing",
            path="by",
        )
    name = next((known for known in ("tier", "band", "state", "abc", "segment") if known in others), others[0])
    ids = columns[customer].tolist()
    try:
        of_customer = dict(zip(ids, columns[name].tolist(), strict=True))
        found = [of_customer.get(one) for one in customers.tolist()]
    except TypeError:
        raise InvalidFieldError(
            f"column {customer!r} must hold ids, such as text or integers", code="payments.customer", path=customer
        ) from None
    if len(of_customer) < len(ids):
        raise InvalidFieldError(
            "a customer has two rows in the table of segments; leave one", code="segment.twice", path="by"
        )
    return name, objects(found)

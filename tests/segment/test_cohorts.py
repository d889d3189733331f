from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custinfo.errors import InvalidFieldError
from custinfo.segment import cohorts

ROWS = st.lists(
    st.tuples(st.integers(1, 6), st.dates(dt.date(2023, 10, 1), dt.date(2025, 3, 31)), st.integers(-1, 5)), max_size=30
)


def index_of(day: dt.date, by: str) -> int:
    if by == "month":
        return 12 * day.year + day.month
    if by == "quarter":
        return 4 * day.year + (day.month - 1) // 3
    return day.year if by == "year" else (day - dt.date(1, 1, 1)).days // (7 if by == "week" else 1)


@settings(max_examples=40, deadline=None)
@given(
    ROWS,
    st.sampled_from(["day", "week", "month", "quarter", "year"]),
    st.dates(dt.date(2024, 1, 1), dt.date(2025, 4, 5)),
)
def test_the_grid_is_that_of_a_plain_loop(rows: list[tuple[int, dt.date, int]], by: Any, until: dt.date) -> None:
    data = {"customer_id": [r[0] for r in rows], "occurred_at": [r[1] for r in rows], "amount": [r[2] for r in rows]}
    table = cohorts(data, by=by, as_of=until)
    bought: dict[int, set[int]] = {}
    for customer, day, amount in rows:
        if amount >= 0 and day <= until:
            bought.setdefault(customer, set()).add(index_of(day, by))
    first = {customer: min(periods) for customer, periods in bought.items()}
    last = index_of(until, by)
    over = index_of(until + dt.timedelta(days=1), by) != last
    want = []
    for start in sorted(set(first.values())):
        members = [customer for customer in first if first[customer] == start]
        for j in range(last - start + 1):
            active = sum(start + j in bought[customer] for customer in members)
            want.append((j, len(members), active, active / len(members), start + j < last or over))
    got = [column.tolist() for name, column in table.to_dict().items() if name != "cohort"]
    assert list(zip(*got, strict=True)) == want
    assert len(table.cohort) == len(set(first.values()))


def test_cdnow_equals_pandas(cdnow_payments: dict[str, list[Any]]) -> None:
    table = cohorts(cdnow_payments)
    frame = pd.DataFrame(cdnow_payments)
    frame["month"] = pd.PeriodIndex(frame["occurred_at"], freq="M")
    first = frame.groupby("customer_id")["month"].transform("min")
    frame["later"] = (frame["month"] - first).map(lambda step: step.n)
    want = frame.groupby([first.astype(str), "later"])["customer_id"].nunique()
    grid = {(row.cohort, row.period): row.customers for row in table.to_pandas().itertuples() if row.customers}
    assert grid == want.to_dict()
    assert table.size.tolist() == [781, 857, 719]
    assert table.complete[0, -1]  # the last payment is of the last day of June


def test_periods_that_are_not_over_are_marked() -> None:
    data = {"customer_id": [1, 2, 1], "occurred_at": ["2026-01-05", "2026-02-05", "2026-03-05"], "amount": [1] * 3}
    table = cohorts(data, as_of="2026-03-30")
    assert table.complete.tolist() == [[True, True, False], [True, False, False]]
    assert table.observed.tolist() == [[True, True, True], [True, True, False]]
    assert cohorts(data, as_of="2026-03-31").complete.tolist() == table.observed.tolist()
    np.testing.assert_array_equal(table.retention(), [1.0, 0.0, np.nan])
    np.testing.assert_array_equal(cohorts(data, as_of="2026-03-31").retention(), [1.0, 0.0, 1.0])
    html = table._repr_html_()
    assert "100.0 % *" in html
    assert "Retention by month as of 2026-03-30: 2 customers" in html
    assert repr(table) == "<Cohorts by month: 2 cohorts, 2 customers>"


def test_cohorts_without_customers_are_left_out() -> None:
    data = {"customer_id": [1, 2], "occurred_at": ["2024-02-29", "2026-02-28"], "amount": [0, 0]}
    table = cohorts(data, by="quarter")
    assert table.cohort.tolist() == ["2024-Q1", "2026-Q1"]
    assert table.counts.shape == (2, 9)
    assert len(cohorts({"customer_id": [1], "occurred_at": ["2024-02-29"], "amount": [-1]})) == 0


def test_too_large_a_grid_and_an_unknown_period_are_refused() -> None:
    data = {"customer_id": [1, 2], "occurred_at": ["1900-01-01", "2026-02-28"], "amount": [0, 0]}
    with pytest.raises(InvalidFieldError, match="46,080 periods make too large a grid") as info:
        cohorts(data, by="day")
    assert info.value.code == "cohorts.size"
    with pytest.raises(InvalidFieldError) as info:
        cohorts(data, by="hour")  # type: ignore[arg-type]
    assert info.value.code == "cohorts.by"

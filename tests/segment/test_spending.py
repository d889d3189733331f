from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custinfo.errors import InvalidFieldError
from custinfo.segment import Spending, spending

ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "customer_id": st.sampled_from(["a", "b", "é"]),
            "occurred_at": st.datetimes(dt.datetime(2023, 12, 20), dt.datetime(2025, 1, 10), timezones=st.just(dt.UTC)),
            "cents": st.integers(-1000, 5000),
            "merchant": st.sampled_from(["tea", "books", None]),
        }
    ),
    max_size=30,
)


def key_of(row: dict[str, Any], by: str, zone: ZoneInfo) -> Any:
    local = row["occurred_at"].astimezone(zone)
    year, week, weekday = local.isocalendar()
    return {
        "day": local.date().isoformat(),
        "week": f"{year}-W{week:02d}",
        "month": f"{local:%Y-%m}",
        "quarter": f"{local.year}-Q{(local.month + 2) // 3}",
        "year": f"{local.year}",
        "weekday": weekday,
        "hour": local.hour,
        "merchant": row["merchant"],
    }[by]


def as_mapping(table: Spending) -> dict[Any, tuple[int, int, int]]:
    who = [None] * len(table) if table.customer_ids is None else table.customer_ids.tolist()
    values = zip(table.purchases.tolist(), table.refunds.tolist(), table.amount_minor.tolist(), strict=True)
    return dict(zip(zip(who, table.key.tolist(), strict=True), values, strict=True))


@settings(max_examples=40, deadline=None)
@given(
    ROWS,
    st.sampled_from(["day", "week", "month", "quarter", "year", "weekday", "hour", "merchant"]),
    st.sampled_from(["UTC", "Asia/Shanghai", "America/St_Johns"]),
    st.booleans(),
    st.booleans(),
)
def test_sums_are_those_of_a_plain_loop(
    rows: list[dict[str, Any]], by: str, zone: str, together: bool, exclude: bool
) -> None:
    want: dict[Any, list[int]] = defaultdict(lambda: [0, 0, 0])
    for row in rows:
        refund = row["cents"] < 0
        if refund and exclude:
            continue
        found = want[None if together else row["customer_id"], key_of(row, by, ZoneInfo(zone))]
        found[refund] += 1
        found[2] += row["cents"]
    data = {name: [row[name] for row in rows] for name in ("customer_id", "occurred_at", "cents", "merchant")}
    table = spending(
        data,
        by=by,
        customer=None if together else "customer_id",
        amount_minor="cents",
        time_zone=zone,
        refunds="exclude" if exclude else "net",
    )
    found = as_mapping(table)
    assert {key: list(value) for key, value in found.items()} == want
    order = [(who or "", key is None, "" if key is None else key) for who, key in found]
    assert order == sorted(order)


def test_months_of_cdnow_are_those_of_pandas(cdnow_payments: dict[str, list[Any]]) -> None:
    table = spending(cdnow_payments)
    frame = pd.DataFrame(cdnow_payments)
    frame["cents"] = [int(amount.replace(".", "")) for amount in frame["amount"]]
    frame["key"] = frame["occurred_at"].str[:7]
    want = frame.groupby(["customer_id", "key"])["cents"].agg(["size", "sum"])
    got = table.to_pandas().set_index(["customer_id", "key"])
    assert got.index.tolist() == want.index.tolist()
    assert got["purchases"].tolist() == want["size"].tolist()
    assert got["amount_minor"].tolist() == want["sum"].tolist()
    assert table.amount_minor.sum() == frame["cents"].sum() == 24_409_194


def test_shares_add_up_for_each_customer() -> None:
    data = {
        "customer_id": [1, 1, 1, 2, 3],
        "occurred_at": ["2026-01-31"] * 5,
        "amount": [30, 60, 10, 5, 0],
        "method": ["card", "wallet", None, "card", "card"],
    }
    table = spending(data, by="method")
    assert table.key.tolist() == ["card", "wallet", None, "card", "card"]
    assert table.share[:4].tolist() == [0.3, 0.6, 0.1, 1.0]
    assert np.isnan(table.share[4])
    assert table.of(1).key.tolist() == ["card", "wallet", None]
    assert table.of(1).share.sum() == pytest.approx(1)
    assert repr(table) == "<Spending by method: 5 rows, 10,500 minor units>"
    assert "Spending by method: 5 rows" in table._repr_html_()
    together = spending(data, by="method", customer=None)
    assert together.amount_minor.tolist() == [3500, 6000, 1000]
    assert next(iter(together.to_dict())) == "key"
    with pytest.raises(InvalidFieldError, match="does not tell customers apart") as info:
        together.of(1)
    assert info.value.code == "spending.customer"


def test_customers_are_not_needed_where_all_is_added_up() -> None:
    data = {"occurred_at": ["2026-01-31", dt.date(2026, 2, 1)], "amount": [3, "4.50"], "currency": ["CNY"] * 2}
    table = spending(data, customer=None, currency="currency")
    assert (table.key.tolist(), table.amount_minor.tolist(), table.currency) == (
        ["2026-01", "2026-02"],
        [300, 450],
        "CNY",
    )
    assert "Spending by month, CNY" in table._repr_html_()


def test_keys_may_be_numbers_dates_or_flags() -> None:
    data = {"customer_id": [1, 1], "occurred_at": ["2026-01-31"] * 2, "amount": [1, 2]}
    day = dt.datetime(2026, 1, 5)
    for keys in (
        [4, 3],
        [True, False],
        [2.5, 1.5],
        [day, day.replace(day=4)],
        np.array([day, day.replace(day=4)], "M8[ns]"),
    ):
        assert spending({**data, "k": keys}, by="k").key.tolist() == sorted(list_of(keys))
    with pytest.raises(
        InvalidFieldError, match="labels of one type that can be sorted, such as text; it has int, str"
    ) as info:
        spending({**data, "k": [1, "x"]}, by="k")
    assert info.value.code == "segment.labels"


def list_of(keys: Any) -> list[Any]:
    return keys.astype("M8[us]").tolist() if isinstance(keys, np.ndarray) else keys


def test_unknown_options_are_refused() -> None:
    data = {"customer_id": [1], "occurred_at": ["2026-01-31"], "amount": [1]}
    with pytest.raises(InvalidFieldError, match="'net' or 'exclude'") as info:
        spending(data, refunds="gross")  # type: ignore[arg-type]
    assert info.value.code == "segment.refunds"


def test_years_before_1970_have_their_periods() -> None:
    data = {"customer_id": [1] * 3, "occurred_at": ["1969-12-31", "0001-01-03", "1969-12-28"], "amount": [1, 2, 4]}
    for by, keys in {
        "week": ["0001-W01", "1969-W52", "1970-W01"],
        "quarter": ["0001-Q1", "1969-Q4"],
        "month": ["0001-01", "1969-12"],
        "year": ["0001", "1969"],
        "weekday": [3, 7],
    }.items():
        assert spending(data, by=by).key.tolist() == keys

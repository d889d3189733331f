from __future__ import annotations

import datetime as dt
import statistics
from collections import Counter, defaultdict
from fractions import Fraction
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custinfo.segment import behaviour
from custinfo.segment._per_customer import medians

ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "customer_id": st.integers(1, 3),
            "occurred_at": st.datetimes(
                dt.datetime(2024, 10, 20), dt.datetime(2024, 11, 20), timezones=st.just(dt.UTC)
            ),
            "cents": st.integers(-300, 900),
            "method": st.sampled_from(["card", "wallet", None]),
        }
    ),
    max_size=25,
)
ZONES = {1: "America/New_York", 2: "Asia/Shanghai"}


def half_even(value: Fraction) -> int:
    return round(value)


def first_mode(values: list[Any]) -> tuple[Any, int]:
    found = Counter(values)
    return min(found.items(), key=lambda item: (-item[1], item[0]))


@settings(max_examples=40, deadline=None)
@given(ROWS)
def test_habits_are_those_of_a_plain_loop(rows: list[dict[str, Any]]) -> None:
    data = {name: [row[name] for row in rows] for name in ("customer_id", "occurred_at", "cents", "method")}
    table = behaviour(data, amount_minor="cents", zones=ZONES)
    of_customer = defaultdict(list)
    for row in rows:
        of_customer[row["customer_id"]].append(row)
    assert table.customer_ids.tolist() == sorted(of_customer)
    for i, (customer, mine) in enumerate(sorted(of_customer.items())):
        zone = ZoneInfo(ZONES.get(customer, "UTC"))
        bought = [row for row in mine if row["cents"] >= 0]
        cents = [row["cents"] for row in bought]
        local = [row["occurred_at"].astimezone(zone) for row in bought]
        days = sorted({moment.date() for moment in local})
        gaps = [(later - earlier).days for earlier, later in pairwise(days)]
        got = {name: column[i] for name, column in table.to_dict().items()}
        assert got["frequency"] == len(bought)
        assert got["refunds"] == len(mine) - len(bought)
        assert got["spent_minor"] == sum(cents)
        assert got["refunded_minor"] == sum(row["cents"] for row in mine) - sum(cents)
        assert got["purchase_days"] == len(days)
        if not bought:
            assert (got["mean_minor"], got["median_minor"], got["best_hour"], got["best_weekday"]) == (0, 0, -1, -1)
            assert np.isnat(got["first"])
            assert np.isnan(got["best_hour_share"])
            assert got["method"] is None
            continue
        assert got["mean_minor"] == half_even(Fraction(sum(cents), len(cents)))
        assert got["median_minor"] == half_even(statistics.median(map(Fraction, cents)))
        assert got["first"].item() == min(row["occurred_at"] for row in bought).replace(tzinfo=None)
        assert got["last"].item() == max(row["occurred_at"] for row in bought).replace(tzinfo=None)
        hour, in_hour = first_mode([moment.hour for moment in local])
        weekday, on_weekday = first_mode([moment.isoweekday() for moment in local])
        assert (got["best_hour"], got["best_weekday"]) == (hour, weekday)
        assert got["best_hour_share"] == in_hour / len(bought)
        assert got["best_weekday_share"] == on_weekday / len(bought)
        if gaps:
            assert got["interval_days"] == sum(gaps) / len(gaps)
            assert got["median_interval_days"] == statistics.median(gaps)
        else:
            assert np.isnan(got["interval_days"])
            assert np.isnan(got["median_interval_days"])
        named = [row["method"] for row in bought if row["method"] is not None]
        if named:
            method, often = first_mode(named)
            assert (got["method"], got["method_share"]) == (method, often / len(named))
        else:
            assert got["method"] is None
            assert np.isnan(got["method_share"])


def test_cdnow_equals_pandas(cdnow_payments: dict[str, list[Any]]) -> None:
    table = behaviour(cdnow_payments)
    frame = pd.DataFrame(cdnow_payments)
    frame["cents"] = [int(amount.replace(".", "")) for amount in frame["amount"]]
    frame["day"] = pd.to_datetime(frame["occurred_at"])
    grouped = frame.groupby("customer_id")
    assert table.customer_ids.tolist() == list(grouped.groups)
    assert table.frequency.tolist() == grouped.size().tolist()
    assert table.spent_minor.tolist() == grouped["cents"].sum().tolist()
    assert table.mean_minor.tolist() == grouped["cents"].mean().round().astype(int).tolist()
    assert table.median_minor.tolist() == grouped["cents"].median().round().astype(int).tolist()
    assert (table.first == grouped["day"].min().to_numpy()).all()
    assert (table.last == grouped["day"].max().to_numpy()).all()
    days = frame.drop_duplicates(["customer_id", "day"]).sort_values(["customer_id", "day"])
    gap = days.groupby("customer_id")["day"].diff().dt.days
    want = gap.groupby(days["customer_id"]).mean()
    np.testing.assert_allclose(table.interval_days, want.to_numpy(), rtol=1e-15)


def test_columns_for_method_and_merchant_are_there_where_the_table_has_them() -> None:
    data: dict[str, Any] = {"customer_id": [1, 1], "occurred_at": ["2026-01-31"] * 2, "amount": [1, 2]}
    plain = behaviour(data)
    assert plain.method is None
    assert "method" not in plain.to_dict()
    assert behaviour({**data, "merchant": ["b", "a"]}).merchant.tolist() == ["a"]  # type: ignore[union-attr]
    renamed = behaviour({**data, "shop": ["b", "b"], "how": ["x", "y"]}, merchant="shop", method="how")
    assert renamed.to_dict()["merchant"].tolist() == ["b"]
    assert renamed.to_dict()["method_share"].tolist() == [0.5]
    assert repr(renamed) == "<Behaviour: 1 customers, 2 purchases>"
    assert "Behaviour: 1 customers" in renamed._repr_html_()
    in_yuan = behaviour({**data, "currency": ["CNY"] * 2}, currency="currency")
    assert "Behaviour (CNY)" in in_yuan._repr_html_()


@settings(deadline=None)
@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=9))
def test_medians_of_extreme_values_do_not_overflow(values: list[int]) -> None:
    found = medians(np.zeros(len(values), np.int64), np.array(values, np.int64), 2)
    assert found.tolist() == [round(statistics.median(map(Fraction, values))), 0]


def test_bad_neighbour_columns_are_not_hidden() -> None:
    data = {"customer_id": [1], "occurred_at": ["2026-01-31"], "amount": [1], "method": [["a", "b"]]}
    from custinfo.errors import InvalidFieldError

    with pytest.raises(InvalidFieldError) as info:
        behaviour(data)
    assert info.value.code == "segment.labels"

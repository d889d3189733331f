from __future__ import annotations

import datetime as dt
from collections import defaultdict
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custinfo.errors import InvalidFieldError
from custinfo.segment import interactions, response_times

START = dt.datetime(2026, 1, 31, 23, 50, tzinfo=dt.UTC)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "customer_id": st.sampled_from("ab"),
            "channel": st.sampled_from(["chat", "email"]),
            "direction": st.sampled_from(["inbound", "outbound"]),
            "occurred_at": st.integers(0, 40).map(lambda minutes: START + dt.timedelta(minutes=minutes)),
            "outcome": st.sampled_from(["solved", None]),
        }
    ),
    max_size=20,
)


def columns(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    names = ("customer_id", "channel", "direction", "occurred_at", "outcome")
    return {name: [row[name] for row in rows] for name in names}


@settings(max_examples=40, deadline=None)
@given(ROWS, st.sampled_from(["channel", "outcome", "month", "hour"]))
def test_counts_are_those_of_a_plain_loop(rows: list[dict[str, Any]], by: str) -> None:
    groups = defaultdict(list)
    for row in rows:
        when = row["occurred_at"]
        groups[{"month": f"{when:%Y-%m}", "hour": when.hour}.get(by) if by in ("month", "hour") else row[by]].append(
            row
        )
    table = interactions(columns(rows), by=by)
    assert table.key.tolist() == sorted(groups, key=lambda key: (key is None, key or 0))
    for i, key in enumerate(table.key):
        mine = groups[key]
        assert table.interactions[i] == len(mine)
        assert table.customers[i] == len({row["customer_id"] for row in mine})
        assert table.to_dict()["inbound"][i] == sum(row["direction"] == "inbound" for row in mine)
        assert table.to_dict()["outbound"][i] == sum(row["direction"] == "outbound" for row in mine)
        assert table.share[i] == len(mine) / len(rows)


def test_a_table_without_direction_is_counted_too() -> None:
    table = interactions({"customer_id": [1, 1], "occurred_at": ["2026-01-31"] * 2, "channel": ["a", None]})
    assert table.inbound is None
    assert list(table.to_dict()) == ["key", "interactions", "customers", "share"]
    assert table.key.tolist() == ["a", None]
    assert repr(table) == "<Interactions by channel: 2 in 2 rows>"
    assert "Interactions by channel: 2" in table._repr_html_()


@pytest.mark.parametrize("direction", ["both", None, ""])
def test_a_direction_is_in_or_out(direction: Any) -> None:
    data = {"customer_id": [1], "occurred_at": ["2026-01-31"], "channel": ["a"], "direction": [direction]}
    for count in (interactions, response_times):
        with pytest.raises(InvalidFieldError, match=r"'inbound'.* or 'outbound'") as info:
            count(data)  # type: ignore[operator]
        assert info.value.code == "interactions.direction"


# ---- response times ----


def plain_waits(rows: list[dict[str, Any]]) -> list[tuple[dict[str, Any], dt.timedelta | None]]:
    threads = defaultdict(list)
    for row in rows:
        threads[row["customer_id"], row["channel"]].append(row)
    waits = []
    for mine in threads.values():
        waiting = None
        for row in sorted(mine, key=lambda row: (row["occurred_at"], row["direction"])):  # inbound first
            if row["direction"] == "inbound":
                waiting = waiting or row
            elif waiting is not None:
                waits.append((waiting, row["occurred_at"] - waiting["occurred_at"]))
                waiting = None
        if waiting is not None:
            waits.append((waiting, None))
    return waits


@settings(max_examples=40, deadline=None)
@given(ROWS, st.sampled_from(["channel", "month"]))
def test_waits_are_those_of_a_plain_loop(rows: list[dict[str, Any]], by: str) -> None:
    table = response_times(columns(rows), by=by, percentiles=(1, 50, 99.5, 100))
    groups = defaultdict(list)
    for request, wait in plain_waits(rows):
        groups[f"{request['occurred_at']:%Y-%m}" if by == "month" else request["channel"]].append(wait)
    for i, key in enumerate(table.key):
        waits = sorted(wait.total_seconds() for wait in groups[key] if wait is not None)
        assert (table.requests[i], table.answered[i]) == (len(groups[key]), len(waits))
        assert table.unanswered[i] == len(groups[key]) - len(waits)
        for percentile, column in table.seconds.items():
            if waits:
                rank = -(-Fraction(str(percentile)) * len(waits) // 100)
                assert column[i] == waits[rank - 1]
            else:
                assert np.isnan(column[i])
    assert table.requests.sum() == sum(map(len, groups.values()))


def at(minute: int, direction: str, channel: str = "chat", case: int = 1) -> dict[str, Any]:
    when = START + dt.timedelta(minutes=minute)
    return {"customer_id": "a", "occurred_at": when, "direction": direction, "channel": channel, "case": case}


def test_a_hand_computed_sample() -> None:
    rows = [
        at(0, "out"),  # we call first: no answer to anything
        at(1, "in"),
        at(3, "in"),  # still the same request
        at(6, "out"),  # after 5 minutes
        at(7, "out"),
        at(9, "in"),
        at(9, "out"),  # at once
        at(20, "in"),
        at(2, "in", "email"),
        at(62, "out", "email"),  # after an hour
    ]
    table = response_times(rows, percentiles=[50, 90])
    assert table.key.tolist() == ["chat", "email"]
    assert table.requests.tolist() == [3, 1]
    assert table.unanswered.tolist() == [1, 0]
    assert table.seconds[50].tolist() == [0, 3600]
    assert table.seconds[90].tolist() == [300, 3600]
    assert list(table.to_dict()) == ["key", "requests", "answered", "unanswered", "p50_s", "p90_s"]
    assert repr(table) == "<ResponseTimes by channel: 4 requests in 2 rows>"
    assert "First response by channel: 3 of 4 answered" in table._repr_html_()


def test_an_answer_on_another_channel_counts_within_a_thread() -> None:
    rows = [at(0, "in", "email", case=7), at(5, "out", "phone", case=7), at(6, "out", "phone", case=8)]
    assert response_times(rows).answered.tolist() == [0, 0]
    table = response_times(rows, thread="case")
    assert dict(zip(table.key, table.answered, strict=True)) == {"email": 1, "phone": 0}
    assert table.seconds[50][0] == 300


@pytest.mark.parametrize("percentiles", [(), (0,), (101,), (-5,)])
def test_percentiles_lie_above_0_and_up_to_100(percentiles: Any) -> None:
    with pytest.raises(InvalidFieldError) as info:
        response_times([], percentiles=percentiles)
    assert info.value.code == "responses.percentiles"

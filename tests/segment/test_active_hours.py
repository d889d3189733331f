from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custinfo.errors import InvalidFieldError
from custinfo.segment import active_hours

NAMES = ["America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Europe/London", "Pacific/Apia", None]
TIMES = st.datetimes(dt.datetime(2011, 10, 1), dt.datetime(2012, 4, 30), timezones=st.just(dt.UTC))  # Apia skips a day


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 4), TIMES, st.sampled_from(NAMES)), min_size=1, max_size=25), st.booleans())
def test_hours_are_those_of_zoneinfo(rows: list[tuple[int, dt.datetime, str | None]], per_row: bool) -> None:
    of_customer = {customer: NAMES[customer] for customer in (1, 2, 3)}
    data = {
        "customer_id": [row[0] for row in rows],
        "occurred_at": [row[1] for row in rows],
        "zone": [row[2] for row in rows],
    }
    table = active_hours(data, zones="zone" if per_row else of_customer, time_zone="Asia/Shanghai")
    want = np.zeros((len(set(data["customer_id"])), 24), np.int64)
    ids = sorted(set(data["customer_id"]))
    for customer, moment, zone in rows:
        name = zone if per_row else of_customer.get(customer)
        want[ids.index(customer), moment.astimezone(ZoneInfo(name or "Asia/Shanghai")).hour] += 1
    assert (table.counts == want).all()
    assert table.events.tolist() == want.sum(axis=1).tolist()


def at(*times: str, zone: str = "Europe/Berlin") -> list[int]:
    table = active_hours({"customer_id": [1] * len(times), "occurred_at": list(times)}, zones={1: zone})
    return np.flatnonzero(table.counts[0]).tolist()


def test_summer_time_moves_the_hour() -> None:
    assert at("2026-01-15T08:30Z") == [9]
    assert at("2026-07-15T08:30Z") == [10]


def test_the_hour_that_comes_twice_is_one_and_the_one_left_out_is_empty() -> None:
    # 2026-10-25: 02:00-03:00 comes twice in Berlin; 2026-03-29: 02:00-03:00 does not come
    assert at("2026-10-25T00:30Z", "2026-10-25T01:30Z") == [2]
    assert at("2026-03-29T00:30Z", "2026-03-29T01:30Z") == [1, 3]
    assert at("2026-01-01T00:00Z", zone="Asia/Kolkata") == [5]


def hours(*given: int) -> Any:
    return active_hours({"customer_id": ["a"] * len(given), "occurred_at": [f"2026-01-31T{h:02d}:10Z" for h in given]})


def test_the_best_window_may_run_over_midnight() -> None:
    table = hours(23, 23, 0, 0, 12)
    assert table.best_hours(2)[0].tolist() == [23]
    assert table.best_hours(2)[1].tolist() == [0.8]
    explained = table.explain("a", width_hours=2)
    assert explained.text() == "most active 23:00-01:00 local time: 4 of 5 times (80.0 %)"
    assert explained.text("zh") == "当地时间 23:00-01:00 最活跃:5 次中有 4 次(80.0 %)"
    with pytest.raises(InvalidFieldError, match="'en' or 'zh'"):
        explained.text("de")


def test_of_equal_windows_the_one_that_begins_with_most_events_is_best() -> None:
    assert hours(12, 12).best_hours(3)[0].tolist() == [12]
    assert hours(5, 9).best_hours(1)[0].tolist() == [5]
    assert hours(5, 9).best_hours(24)[1].tolist() == [1.0]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 23), min_size=1, max_size=12), st.integers(1, 24))
def test_the_best_window_is_that_of_a_plain_search(given_hours: list[int], width: int) -> None:
    def inside(start: int) -> tuple[int, int, int]:
        window = [(start + i) % 24 for i in range(width)]
        return (sum(hour in window for hour in given_hours), given_hours.count(start), -start)

    best = max(range(24), key=inside)
    start, share = hours(*given_hours).best_hours(width)
    assert (start.tolist(), share.tolist()) == ([best], [inside(best)[0] / len(given_hours)])


def test_columns_name_the_hours() -> None:
    table = hours(9, 10, 10)
    columns = table.to_dict()
    assert list(columns)[:4] == ["customer_id", "events", "best_hour", "best_share"]
    assert (columns["h09"].tolist(), columns["h10"].tolist(), columns["best_hour"].tolist()) == ([1], [2], [10])
    assert repr(table) == "<ActiveHours: 1 customers, 3 events>"


@pytest.mark.parametrize("width", [0, 25, -1, 1.5])
def test_a_window_has_1_to_24_hours(width: Any) -> None:
    with pytest.raises(InvalidFieldError, match="1 to 24") as info:
        hours(1).best_hours(width)
    assert info.value.code == "active_hours.width"


def test_a_bad_zone_is_refused_without_repeating_it() -> None:
    data = {"customer_id": [1], "occurred_at": ["2026-01-31"], "zone": ["someone@example.com"]}
    for zones in ("zone", {1: "someone@example.com"}, {1: 5}, ["Asia/Shanghai"]):
        with pytest.raises(InvalidFieldError) as info:
            active_hours(data, zones=zones)  # type: ignore[arg-type]
        assert info.value.code == "time.zone"
        assert "someone" not in str(info.value)
    assert active_hours(data, zones={1: dt.timezone(dt.timedelta(hours=3))}).best_hours()[0].tolist() == [3]


class Odd(dt.tzinfo):
    """A zone of somebody's own, which cannot be hashed."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return self is other

    def utcoffset(self, moment: dt.datetime | None) -> dt.timedelta:
        return dt.timedelta(hours=5)

    def dst(self, moment: dt.datetime | None) -> dt.timedelta:
        return dt.timedelta()


def test_zones_of_ones_own_and_the_first_and_last_days_of_the_calendar_are_read() -> None:
    data = {"customer_id": [1, 2], "occurred_at": ["0001-01-02T00:30Z", "9999-12-29T23:30Z"]}
    assert active_hours(data, time_zone=Odd()).best_hours()[0].tolist() == [5, 4]
    for zone in ("Pacific/Kiritimati", "America/Los_Angeles"):
        table = active_hours(data, time_zone=zone)
        want = [dt.datetime.fromisoformat(when).astimezone(ZoneInfo(zone)).hour for when in data["occurred_at"]]
        assert table.best_hours()[0].tolist() == want

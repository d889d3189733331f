from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custinfo.errors import InvalidFieldError, RecordNotFoundError
from custinfo.segment import LIFECYCLE, check_lifecycle, lifecycle

START = dt.date(2025, 1, 1)
DAYS = st.integers(0, 120)


def simulate(bought: set[int], known: int | None, until: int, dormant: int, churned: int) -> list[tuple[int, str]]:
    """Day by day, as one would by hand."""
    state, last, history = None, None, []

    def become(day: int, new: str) -> None:
        nonlocal state
        state = check_lifecycle(state, new)  # raises on what is not possible
        history.append((day, new))

    for day in range(until + 1):
        if day == known and state is None:
            become(day, "prospect")
        if day in bought:
            if state == "churned":
                become(day, "won_back")
            elif state != "active":
                become(day, "active")
            last = day
        if last is not None and day - last == dormant:
            become(day, "dormant")
        if last is not None and day - last == churned:
            become(day, "churned")
    return history


@settings(deadline=None)
@given(
    st.dictionaries(st.integers(1, 4), st.tuples(st.sets(DAYS, max_size=8), st.none() | DAYS), max_size=4),
    st.integers(1, 20),
    st.integers(1, 30),
    DAYS,
)
def test_histories_are_those_of_a_day_by_day_simulation(
    people: dict[int, tuple[set[int], int | None]], dormant: int, more: int, until: int
) -> None:
    paid = [(who, day) for who, (days, _) in people.items() for day in days]
    known = [(who, day) for who, (_, day) in people.items() if day is not None]
    table = lifecycle(
        {
            "customer_id": [who for who, _ in paid],
            "occurred_at": [START + dt.timedelta(days=day) for _, day in paid],
            "amount": [1] * len(paid),
        },
        prospects={
            "customer_id": [who for who, _ in known],
            "occurred_at": [START + dt.timedelta(days=day) for _, day in known],
        },
        dormant_after_days=dormant,
        churned_after_days=dormant + more,
        as_of=START + dt.timedelta(days=until),
    )
    want = {}
    for who, (days, day) in people.items():
        history = simulate(days, day, until, dormant, dormant + more)
        if history:
            want[who] = tuple((START + dt.timedelta(days=at), state) for at, state in history)
    assert table.customer_ids.tolist() == sorted(want)
    for who, state, since in zip(*(column.tolist() for column in table.to_dict().values()), strict=True):
        explained = table.explain(who)
        assert explained.history == want[who]
        assert (since, state) == want[who][-1] == (explained.since, explained.state)
    changes = table.transitions
    for old, new in zip(changes.old.tolist(), changes.new.tolist(), strict=True):
        assert (old, new) in LIFECYCLE
    assert sum(table.counts().values()) == len(want)


def test_a_purchase_on_the_very_day_keeps_a_customer_awake() -> None:
    data = {"customer_id": [1, 1], "occurred_at": ["2025-01-01", "2025-01-11"], "amount": [1, 1]}
    awake = lifecycle(data, dormant_after_days=10, churned_after_days=20)
    assert awake.explain(1).history == ((dt.date(2025, 1, 1), "active"),)
    asleep = lifecycle(data, dormant_after_days=9, churned_after_days=20)
    assert [state for _, state in asleep.explain(1).history] == ["active", "dormant", "active"]
    assert lifecycle(data, dormant_after_days=10, churned_after_days=20, as_of="2025-01-21").state.tolist() == [
        "dormant"
    ]
    assert lifecycle(data, dormant_after_days=10, churned_after_days=20, as_of="2025-01-20").state.tolist() == [
        "active"
    ]


def test_the_zone_decides_the_day() -> None:
    data = {"customer_id": [1], "occurred_at": ["2025-01-01T20:00Z"], "amount": [1]}
    assert lifecycle(data, time_zone="Asia/Shanghai").since.tolist() == [dt.date(2025, 1, 2)]


def test_refunds_are_no_purchases_and_prospects_after_a_purchase_are_customers() -> None:
    data = {"customer_id": [1, 1, 2], "occurred_at": ["2025-01-01", "2025-06-01", "2025-01-01"], "amount": [5, -5, -1]}
    table = lifecycle(data, prospects={"customer_id": [1, 3], "occurred_at": ["2025-02-01", "2025-03-01"]})
    assert table.customer_ids.tolist() == [1, 3]
    assert table.state.tolist() == ["dormant", "prospect"]
    assert table.as_of == dt.date(2025, 6, 1)
    with pytest.raises(RecordNotFoundError):
        table.explain(2)


def test_explanations_tell_the_story() -> None:
    data = {"customer_id": [1, 1], "occurred_at": ["2025-01-01", "2026-03-01"], "amount": [1, 1]}
    explained = lifecycle(data).explain(1)
    assert explained.text() == (
        "won back since 2026-03-01; history: active 2025-01-01, dormant 2025-04-01, churned 2026-01-01, won back "
        "2026-03-01 (dormant after 90 days without purchase, churned after 365)"
    )
    assert explained.text("zh") == (
        "挽回,自 2026-03-01 起;经过:2025-01-01 活跃、2025-04-01 沉睡、2026-01-01 流失、2026-03-01 挽回"
        "(90 天未购买为沉睡,365 天为流失)"
    )
    with pytest.raises(InvalidFieldError, match="'en' or 'zh'"):
        explained.text("fr")


def test_tables_show_states_and_changes() -> None:
    table = lifecycle({"customer_id": ["a"], "occurred_at": ["2025-01-01"], "amount": [1]}, as_of="2025-12-31")
    assert repr(table) == "<Lifecycle: prospect 0, active 0, dormant 1, churned 0, won_back 0>"
    assert "Life cycle as of 2025-12-31: 1 customers" in table._repr_html_()
    changes = table.transitions.to_dict()
    assert changes["old"].tolist() == [None, "active"]
    assert changes["on"].dtype == np.dtype("M8[D]")
    assert len(table.transitions.to_pandas()) == 2


@pytest.mark.parametrize(
    ("state", "to"), [("prospect", "dormant"), ("active", "churned"), ("churned", "active"), (None, "churned")]
)
def test_a_change_that_is_not_possible_is_refused(state: str | None, to: str) -> None:
    with pytest.raises(InvalidFieldError, match=f"cannot become {to}; possible: ") as info:
        check_lifecycle(state, to)
    assert info.value.code == "lifecycle.transition"
    with pytest.raises(InvalidFieldError, match="a state is one of") as info:
        check_lifecycle(state, "gone")
    assert info.value.code == "lifecycle.state"


@pytest.mark.parametrize("days", [(0, 5), (5, 5), (9, 5), (1.5, 5), (True, 5), (1, 10**7)])
def test_thresholds_must_make_sense(days: tuple[Any, Any]) -> None:
    with pytest.raises(InvalidFieldError) as info:
        lifecycle([], dormant_after_days=days[0], churned_after_days=days[1])
    assert info.value.code == "lifecycle.days"


def test_prospects_must_have_ids_of_the_same_type() -> None:
    data = {"customer_id": [1], "occurred_at": ["2025-01-01"], "amount": [1]}
    with pytest.raises(InvalidFieldError, match="another type") as info:
        lifecycle(data, prospects={"customer_id": ["a"], "occurred_at": ["2025-01-01"]})
    assert info.value.code == "payments.customer"

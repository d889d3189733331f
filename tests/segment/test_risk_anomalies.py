"""Anomalies of a table: the monitor itself, row by row, is the oracle; forms of input, and planted oddities."""

from __future__ import annotations

import datetime as dt
import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custinfo.errors import InvalidFieldError, RecordNotFoundError
from custinfo.model import Money, Transaction
from custinfo.segment import risk

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
TIGHT = risk.Monitor(
    window=4,
    time_zone="America/New_York",
    rules=[
        risk.Rule(code="a", measure="amount", start=0, full=1, weight=3),
        risk.Rule(code="v", measure="velocity", window_s=7200, start=0, full=1, weight=30),
        *(
            risk.Rule(code=f"n.{label}", measure="new", label=label, start=0.5, full=2, weight=20)
            for label in ("currency", "method", "merchant", "channel", "country")
        ),
        risk.Rule(code="h", measure="hour", start=0.1, full=2, weight=7),
    ],
)


def by_monitor(monitor: risk.Monitor, columns: dict[str, list[Any]]) -> list[risk.Decision]:
    """What `assess` says about each row, fed in order of time; of one time the smaller amount, then labels."""
    labels = [name for name in ("currency", "method", "merchant", "channel", "country") if name in columns]
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    amount = "amount_minor" if "amount_minor" in columns else "amount"

    def place(i: int) -> tuple[Any, ...]:
        return (
            rows[i]["occurred_at"],
            rows[i][amount],
            *((rows[i][label] is not None, rows[i][label] or "") for label in labels),
        )

    histories: dict[Any, risk.History] = {}
    found: dict[int, risk.Decision] = {}
    for i in sorted(range(len(rows)), key=place):
        history = histories.get(rows[i]["customer_id"], risk.History())
        found[i] = monitor.assess(rows[i], history)
        histories[rows[i]["customer_id"]] = monitor.observe(rows[i], history)
    return [found[i] for i in range(len(rows))]


def assert_same(table: risk.Anomalies, decisions: list[risk.Decision]) -> None:
    for row, decision in enumerate(decisions):
        explained = table.explain(row)
        if table.reasons[row] or decision.score:
            assert explained == decision  # every figure behind it, to the last bit
        assert (table.score[row], table.action[row]) == (decision.score, decision.action)
        assert set(table.reasons[row].split()) == set(decision.codes)


def tables(labels: bool) -> st.SearchStrategy[dict[str, list[Any]]]:
    row = {
        "customer_id": st.sampled_from(["ann", "bob"]),
        "occurred_at": st.integers(0, 400).map(lambda n: START + dt.timedelta(minutes=37 * n)),
        "amount_minor": st.one_of(st.integers(-5, 30), st.integers(0, 10**12), st.just(2**63 - 1)),
    }
    if labels:
        for name in ("method", "merchant", "channel", "country"):
            row[name] = st.sampled_from([None, "a", "b", "c"])
        row["currency"] = st.sampled_from(["CNY", "USD", "JPY"])
    return st.lists(st.fixed_dictionaries(row), min_size=1, max_size=40).map(
        lambda rows: {name: [each[name] for each in rows] for name in row}
    )


@settings(max_examples=60, deadline=None)
@given(st.booleans().flatmap(tables), st.sampled_from([TIGHT, risk.Monitor(), risk.Monitor(window=2)]))
def test_a_table_gives_to_the_bit_what_the_monitor_gives_row_by_row(
    columns: dict[str, list[Any]], monitor: risk.Monitor
) -> None:
    table = risk.anomalies(columns, monitor=monitor, amount_minor="amount_minor")
    assert_same(table, by_monitor(monitor, columns))

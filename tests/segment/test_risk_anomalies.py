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
        assert table.explain(row) == decision  # every figure behind it, to the last bit
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


# ---- forms of input ----


def some_columns() -> dict[str, list[Any]]:
    rng = np.random.default_rng(7)
    size = 120
    return {
        "customer_id": [f"c{number}" for number in rng.integers(0, 3, size)],
        "occurred_at": [START + dt.timedelta(hours=int(hours)) for hours in rng.integers(0, 900, size)],
        "amount": [f"{amount:.2f}" for amount in np.exp(rng.normal(3, 1, size))],
        "currency": [["CNY", "JPY"][number] for number in rng.integers(0, 2, size)],
        "method": [[None, "card", "cash"][number] for number in rng.integers(0, 3, size)],
    }


def as_transactions(columns: dict[str, list[Any]]) -> list[Transaction]:
    return [
        Transaction(
            id=f"t{number}",
            account_id=row["customer_id"],
            amount=Money(int(float(row["amount"]) * 100), "CNY"),
            occurred_at=row["occurred_at"],
            method=row["method"],
            extra={"country": "CN"} if row["method"] else {},
        )
        for number, row in enumerate(
            dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
        )
    ]


def test_frames_and_rows_give_what_columns_give() -> None:
    columns = some_columns()
    expected = risk.anomalies(columns)
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    forms: list[Any] = [rows, iter(rows)]
    for name, make in (("pandas", "DataFrame"), ("polars", "DataFrame"), ("pyarrow", "table")):
        if importlib.util.find_spec(name) is not None:
            forms.append(getattr(pytest.importorskip(name), make)(columns))
    for form in forms:
        table = risk.anomalies(form)
        assert table.score.tolist() == expected.score.tolist()
        assert table.reasons.tolist() == expected.reasons.tolist()


def test_transactions_are_those_that_are_posted_with_the_country_of_their_extra() -> None:
    posted = as_transactions(some_columns())
    voided = Transaction(
        id="v", account_id="c0", amount=Money(10**9, "CNY"), occurred_at=START, status="voided", method="x"
    )
    table = risk.anomalies([voided, *posted], monitor=TIGHT)
    assert table.row.tolist() == list(range(1, len(posted) + 1))
    columns = {
        "customer_id": [each.account_id for each in posted],
        "occurred_at": [each.occurred_at for each in posted],
        "amount_minor": [each.amount.minor for each in posted],
        "currency": ["CNY"] * len(posted),
        "method": [each.method for each in posted],
        "country": [each.extra.get("country") for each in posted],
    }
    assert_same(risk.anomalies(posted, monitor=TIGHT), by_monitor(TIGHT, columns))
    assert table.score.tolist() == risk.anomalies(columns, monitor=TIGHT, amount_minor="amount_minor").score.tolist()


def test_columns_may_have_other_names_and_those_that_are_named_must_be_there() -> None:
    columns = some_columns()
    expected = risk.anomalies(columns, monitor=TIGHT)
    other = {f"x_{name}": column for name, column in columns.items()}
    named = risk.anomalies(
        other,
        monitor=TIGHT,
        customer="x_customer_id",
        when="x_occurred_at",
        amount="x_amount",
        currency="x_currency",
        method="x_method",
    )
    assert named.score.tolist() == expected.score.tolist()
    for wrong in ({"method": "way"}, {"customer": "who"}, {"amount_minor": "cents"}):
        with pytest.raises(InvalidFieldError, match="there are: customer_id, occurred_at, amount, currency, method"):
            risk.anomalies(columns, **wrong)


def test_labels_that_the_monitor_takes_for_one_are_one_in_a_table() -> None:
    methods = ["x" * 150, "x" * 120 + "y" * 30, "", None, "x" * 100]
    columns: dict[str, list[Any]] = {
        "customer_id": [1] * 5,
        "occurred_at": [START + dt.timedelta(days=day) for day in range(5)],
        "amount": [5] * 5,
        "method": methods,
    }
    assert_same(risk.anomalies(columns, monitor=TIGHT), by_monitor(TIGHT, columns))
    numbers = columns | {"method": np.array([7.0, np.nan, 7.0, 8.0, 9.0])}
    assert_same(risk.anomalies(numbers, monitor=TIGHT), by_monitor(TIGHT, numbers))
    with pytest.raises(InvalidFieldError) as caught:
        risk.anomalies(columns | {"method": [True] * 5})
    assert caught.value.code == "risk.label"


# ---- what comes out ----


def test_the_order_of_rows_does_not_matter_even_at_one_time() -> None:
    columns = some_columns()
    columns["occurred_at"] = [when.replace(hour=0) for when in columns["occurred_at"]]
    expected = risk.anomalies(columns, monitor=TIGHT)
    shuffled = np.random.default_rng(3).permutation(len(expected))
    table = risk.anomalies({name: [column[i] for i in shuffled] for name, column in columns.items()}, monitor=TIGHT)
    assert table.score.tolist() == expected.score[shuffled].tolist()
    assert table.reasons.tolist() == expected.reasons[shuffled].tolist()


def test_later_rows_change_nothing() -> None:
    columns = some_columns()
    until = START + dt.timedelta(days=20)
    table = risk.anomalies(columns, monitor=TIGHT)
    early = risk.anomalies(columns, monitor=TIGHT, as_of=until)
    assert 0 < len(early) < len(table)
    assert early.row.tolist() == [i for i, when in enumerate(columns["occurred_at"]) if when <= until]
    assert early.score.tolist() == table.score[early.row].tolist()


def test_a_row_that_misses_something_is_an_error_or_left_out_and_counted() -> None:
    columns = some_columns()
    columns["amount"][5] = None
    columns["occurred_at"][7] = None
    with pytest.raises(InvalidFieldError) as caught:
        risk.anomalies(columns)
    assert caught.value.code == "payments.missing"
    table = risk.anomalies(columns, missing="skip")
    assert (table.skipped, len(table)) == (2, 118)
    with pytest.raises(RecordNotFoundError):
        table.explain(5)
    with pytest.raises(RecordNotFoundError):
        table.explain(500)
    with pytest.raises(InvalidFieldError) as caught:
        risk.anomalies(columns, missing="ignore")  # type: ignore[arg-type]
    assert caught.value.code == "segment.missing"


@pytest.mark.parametrize("size", [0, 1])
def test_no_row_and_one_row_are_no_special_case(size: int) -> None:
    columns = {"customer_id": [1] * size, "occurred_at": [START] * size, "amount": [5] * size}
    table = risk.anomalies(columns)
    assert (len(table), table.flagged.tolist(), table.counts()["allow"]) == (size, [], size)
    assert repr(table) == f"<Anomalies: {size} payments, allow {size}, review 0, block 0>"
    assert "<table" in table._repr_html_()


def test_a_table_of_refunds_only_has_no_score() -> None:
    table = risk.anomalies({"customer_id": [1, 1], "occurred_at": [START] * 2, "amount": [-5, -900]})
    assert (table.score.tolist(), table.known_payments.tolist()) == ([0, 0], [0, 0])


def test_the_result_is_frozen_shows_the_flagged_rows_and_goes_into_frames() -> None:
    days = [START + dt.timedelta(days=day) for day in range(30)]
    amounts = [20] * 20 + [5000] + [20] * 8 + [90_000]
    table = risk.anomalies({"customer_id": ["ann"] * 30, "occurred_at": days, "amount": amounts})
    assert set(table.flagged.tolist()) == {20, 29}
    assert table.counts() == {"allow": 28, "review": 2, "block": 0}
    assert table.explain(29).text().startswith("review (score 70): the amount is about 4,498 times")
    assert table.explain(3).text() == "allow (score 0): nothing unusual"
    with pytest.raises(ValueError, match="read-only"):
        table.score[0] = 5
    assert table._repr_html_().count("<tr") == 3
    assert table.to_pandas()["reasons"][20] == "amount"
    assert table.to_polars()["action"].to_list()[29] == "review"
    assert table.to_arrow().num_rows == 30


# ---- planted oddities ----


@pytest.fixture(scope="module")
def bench() -> Any:
    path = Path(__file__).parents[2] / "benchmarks" / "segment" / "bench_risk.py"
    spec = importlib.util.spec_from_file_location("bench_risk", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["bench_risk"] = module
    spec.loader.exec_module(module)
    return module


def assert_found(bench: Any, payments: dict[str, np.ndarray], *, seed: int, floors: dict[str, float]) -> None:
    found = bench.trial(payments, seed, history=3)
    _, rate, recall = found["at 1.0%"]
    assert rate <= 0.01
    assert {kind: share for kind, share in zip(bench.KINDS, recall, strict=True) if share < floors[kind]} == {}
    assert found["review (30)"][1] <= 0.012  # the share of other payments that the default thresholds stop


@pytest.mark.parametrize("seed", [101, 102])
def test_oddities_planted_in_cdnow_are_found_at_one_false_alarm_in_a_hundred_payments(bench: Any, seed: int) -> None:
    if importlib.util.find_spec("lifetimes") is None:
        pytest.skip("the data of the PyPI package lifetimes==0.11.3 are not installed (pip install --no-deps)")
    floors = {"amount x 5": 0.3, "amount x 10": 0.55, "amount x 20": 0.75, "burst": 0.95, "theft": 0.2}
    assert_found(bench, bench.cdnow(), seed=seed, floors=floors)


def test_oddities_planted_in_other_payments_are_found_too(bench: Any) -> None:
    rng = np.random.default_rng(11)
    customers = rng.integers(0, 600, 9000)
    usual = rng.normal(4, 1, 600)[customers]
    days = 20_000 + rng.integers(0, 500, 9000)
    payments = {
        "customer_id": customers,
        "occurred_at": (days * bench.DAY_US).view("M8[us]"),
        "amount": np.round(np.exp(usual + rng.normal(0, 0.5, 9000)), 2),
    }
    floors = {"amount x 5": 0.5, "amount x 10": 0.8, "amount x 20": 0.95, "burst": 0.95, "theft": 0.6}
    assert_found(bench, payments, seed=5, floors=floors)

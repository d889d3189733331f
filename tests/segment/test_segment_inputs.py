"""What every function that reads rows does with odd input: the same everywhere."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import attrs
import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from custinfo._columns import ColumnResult
from custinfo.errors import AmountOverflowError, InvalidFieldError, RecordNotFoundError
from custinfo.model import Interaction, Money, Transaction
from custinfo.segment import (
    _grouping,
    active_hours,
    affinity,
    behaviour,
    cohorts,
    contribution,
    interactions,
    lifecycle,
    loyalty_report,
    portraits,
    response_times,
    rfm,
    spend_bands,
    spending,
)

PAYMENTS: dict[str, Callable[..., ColumnResult]] = {
    "spending": spending,
    "behaviour": behaviour,
    "spend_bands": spend_bands,
    "lifecycle": lifecycle,
    "cohorts": cohorts,
    "contribution": contribution,
}
MONEY = ("spending", "behaviour", "spend_bands", "contribution")
EVENTS: dict[str, Callable[..., ColumnResult]] = {
    "active_hours": active_hours,
    "affinity": affinity,
    "interactions": interactions,
    "response_times": response_times,
    "loyalty_report": loyalty_report,
}
ALL = {**PAYMENTS, **EVENTS}


def sample(rows: int = 60, seed: int = 3) -> list[dict[str, Any]]:
    draw = random.Random(seed)
    return [
        {
            "customer_id": draw.choice(["ann", "bob", "eve", "dan", "zoé"]),
            "occurred_at": dt.datetime(2025, 1, 1) + dt.timedelta(minutes=draw.randrange(700_000)),
            "amount": round(draw.uniform(-20, 200), 2),
            "merchant": draw.choice(["tea", "books", None]),
            "method": draw.choice(["card", "wallet"]),
            "channel": draw.choice(["phone", "email"]),
            "direction": draw.choice(["inbound", "outbound"]),
            "kind": draw.choice(["earn", "redeem", "expire"]),
            "points": draw.randrange(100),
        }
        for _ in range(rows)
    ]


def columns(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in rows[0]}


def same(one: ColumnResult, other: ColumnResult) -> None:
    left, right = one.to_dict(), other.to_dict()
    assert list(left) == list(right)
    for name in left:
        assert left[name].dtype == right[name].dtype
        np.testing.assert_array_equal(left[name], right[name], err_msg=name)


@pytest.mark.parametrize("name", ALL)
def test_every_kind_of_table_gives_the_same(name: str) -> None:
    rows = sample()
    want = ALL[name](columns(rows))
    frame = pd.DataFrame(rows)
    arrow = pa.Table.from_pylist(rows)
    for data in (rows, iter(rows), frame, pl.DataFrame(rows), arrow, duckdb.from_arrow(arrow)):
        same(ALL[name](data), want)


@pytest.mark.parametrize("name", ALL)
def test_the_order_of_rows_does_not_matter(name: str) -> None:
    rows = sample(80)
    want = ALL[name](columns(rows))
    for seed in range(3):
        random.Random(seed).shuffle(rows)
        same(ALL[name](columns(rows)), want)


@pytest.mark.parametrize("name", ALL)
def test_an_empty_table_gives_an_empty_result(name: str) -> None:
    empty = {column: [] for column in sample(1)[0]}
    result = ALL[name](empty)
    assert len(result) == 0
    assert "<table" in result._repr_html_()
    assert repr(result)
    assert len(result.to_pandas()) == 0


@pytest.mark.parametrize("name", ALL)
def test_one_row_and_one_customer_are_enough(name: str) -> None:
    row = {**sample(1)[0], "amount": 5, "direction": "inbound", "kind": "earn", "merchant": "tea"}
    assert len(ALL[name]([row])) == 1
    for other in ([row] * 3, [{**row, "occurred_at": row["occurred_at"] + dt.timedelta(hours=i)} for i in range(3)]):
        result = ALL[name](other)
        assert len(result) >= 1
        assert repr(result)
        assert "<table" in result._repr_html_()


@pytest.mark.parametrize("absent", [None, float("nan"), pd.NaT])
@pytest.mark.parametrize("name", ALL)
def test_a_missing_value_raises_or_is_skipped_and_counted(name: str, absent: Any) -> None:
    rows = sample()
    want = ALL[name](rows)
    for column in ("customer_id", "occurred_at", *(["amount"] if name in PAYMENTS else [])):
        broken = [*rows, {**rows[0], column: absent}]
        with pytest.raises(InvalidFieldError, match=f"'{column}' has 1 missing values, the first in row 60") as info:
            ALL[name](broken)
        assert info.value.code == "payments.missing"
        result = ALL[name](broken, missing="skip")
        same(result, want)
        assert result.skipped == want.skipped + 1  # type: ignore[attr-defined]
    with pytest.raises(InvalidFieldError, match="'raise' or 'skip'") as info:
        ALL[name](rows, missing="drop")
    assert info.value.code == "segment.missing"


@pytest.mark.parametrize("name", ALL)
def test_rows_after_as_of_do_not_count(name: str) -> None:
    rows = sample()
    until = dt.datetime(2025, 9, 1)
    early = [row for row in rows if row["occurred_at"] <= until]
    same(ALL[name](rows, as_of=until), ALL[name](early, as_of=until))
    assert len(ALL[name](rows, as_of=dt.date(1990, 1, 1))) == 0


@pytest.mark.parametrize("name", ALL)
def test_an_unknown_column_is_named_beside_those_there_are(name: str) -> None:
    for option in ("customer", "when"):
        with pytest.raises(
            InvalidFieldError, match=r"no column 'nowhere'; there are: .*customer_id.*occurred_at"
        ) as info:
            ALL[name](sample(), **{option: "nowhere"})
        assert info.value.code == "columns.missing"


@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("spending", "by"),
        ("affinity", "dimension"),
        ("behaviour", "method"),
        ("behaviour", "zones"),
        ("active_hours", "zones"),
        ("interactions", "by"),
        ("interactions", "direction"),
        ("response_times", "thread"),
        ("loyalty_report", "points"),
        ("contribution", "amount"),
        ("cohorts", "currency"),
    ],
)
def test_an_unknown_further_column_is_named_too(name: str, option: str) -> None:
    with pytest.raises(InvalidFieldError, match="no column 'nowhere'; there are: ") as info:
        ALL[name](sample(), **{option: "nowhere"})
    assert info.value.code == "columns.missing"


@pytest.mark.parametrize("name", ALL)
def test_times_of_several_zones_are_instants(name: str) -> None:
    rows = sample()
    aware = [
        {
            **row,
            "occurred_at": row["occurred_at"]
            .replace(tzinfo=dt.UTC)
            .astimezone(dt.timezone(dt.timedelta(hours=i % 20 - 9))),
        }
        for i, row in enumerate(rows)
    ]
    same(ALL[name](aware), ALL[name](rows))


@pytest.mark.parametrize("name", MONEY)
def test_a_sum_beyond_64_bits_is_an_overflow(name: str) -> None:
    row = {"customer_id": 1, "occurred_at": "2025-01-01", "cents": 2**62}
    with pytest.raises(AmountOverflowError):
        ALL[name]([row, row], amount_minor="cents")
    with pytest.raises(AmountOverflowError):
        ALL[name]([{**row, "cents": 2**63}], amount_minor="cents")
    back = [row, {**row, "cents": -(2**62)}, {**row, "cents": 2**62 - 1}]
    assert len(ALL[name](back, amount_minor="cents")) == 1


@pytest.mark.parametrize("name", MONEY)
def test_money_of_several_currencies_needs_rates(name: str) -> None:
    rows = [
        {"customer_id": 1, "occurred_at": "2025-01-01", "amount": "10", "currency": "USD"},
        {"customer_id": 1, "occurred_at": "2025-01-02", "amount": "100", "currency": "CNY"},
    ]
    with pytest.raises(InvalidFieldError) as info:
        ALL[name](rows, currency="currency")
    assert info.value.code == "currency.mixed"
    rates = {"CNY": 1, "USD": Decimal("7.1")}
    assert ALL[name](rows, currency="currency", rates=rates).currency == "CNY"  # type: ignore[attr-defined]
    with pytest.raises(InvalidFieldError, match="no rate for USD on 2025-01-01"):
        ALL[name](rows, currency="currency", rates={"CNY": 1, "USD": [("2025-06-01", 7)]})


@pytest.mark.parametrize("name", ["lifecycle", "cohorts"])
def test_where_only_the_sign_counts_currencies_may_differ(name: str) -> None:
    rows = [
        {"customer_id": 1, "occurred_at": "2025-01-01", "amount": "10", "currency": "USD"},
        {"customer_id": 2, "occurred_at": "2025-01-02", "amount": "100", "currency": "CNY"},
    ]
    assert len(ALL[name](rows, currency="currency")) >= 1


def test_ids_beside_a_missing_one_are_not_cut_to_the_length_of_the_first() -> None:
    ids = ["a", "charlotte", None, "charlie"]
    data = {"customer_id": ids, "occurred_at": ["2026-01-01"] * 4, "amount": [1, 2, 3, 4]}
    assert rfm(data, missing="skip").customer_ids.tolist() == ["a", "charlie", "charlotte"]
    assert spending(data, missing="skip").customer_ids.tolist() == ["a", "charlie", "charlotte"]  # type: ignore[union-attr]
    assert len(rfm({name: column[2:3] for name, column in data.items()}, missing="skip")) == 0


def test_more_ids_than_the_sample_promised_are_numbered_too(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = np.arange(5000) * 10**12
    data = {"customer_id": ids, "occurred_at": np.full(5000, np.datetime64("2026-01-31")), "amount": np.ones(5000)}
    monkeypatch.setattr(_grouping, "estimated_distinct", lambda _: 1)
    assert spending(data).customer_ids.tolist() == ids.tolist()  # type: ignore[union-attr]


def transactions() -> list[Transaction]:
    rows = sample(20)
    statuses = ["posted", "pending", "failed", "posted"]
    return [
        Transaction(
            id=f"t{i}",
            account_id=row["customer_id"],
            kind="payment" if i % 5 else "refund",
            status=statuses[i % 4],
            amount=Money.of("12.30", "CNY"),
            occurred_at=row["occurred_at"].replace(tzinfo=dt.UTC),
            method=row["method"],
            merchant=row["merchant"],
        )
        for i, row in enumerate(rows)
    ]


@pytest.mark.parametrize("name", [*PAYMENTS, "active_hours", "affinity"])
def test_posted_transactions_are_read_by_account(name: str) -> None:
    given = transactions()
    plain = [
        {
            "customer_id": one.account_id,
            "occurred_at": one.occurred_at,
            "amount": one.amount.amount * (-1 if one.kind == "refund" else 1),
            "currency": "CNY",
            "method": one.method,
            "merchant": one.merchant,
        }
        for one in given
        if one.status == "posted"
    ]
    options = {"currency": "currency"} if name in PAYMENTS else {}
    same(ALL[name](given), ALL[name](plain, **options))
    same(ALL[name](iter(given)), ALL[name](plain, **options))


def test_spending_of_transactions_together_is_read_too() -> None:
    given = transactions()
    total = spending(given, by="year", customer=None)
    assert total.amount_minor.tolist() == [
        sum(one.signed_minor for one in given if one.status == "posted" and one.occurred_at.year == year)
        for year in sorted({one.occurred_at.year for one in given if one.status == "posted"})
    ]


@pytest.mark.parametrize("name", ["interactions", "response_times", "active_hours"])
def test_model_objects_of_contacts_are_read(name: str) -> None:
    rows = sample(20)
    given = [
        Interaction(
            customer_id=row["customer_id"],
            channel=row["channel"],
            direction=row["direction"],
            occurred_at=row["occurred_at"].replace(tzinfo=dt.UTC),
        )
        for row in rows
    ]
    same(ALL[name](given), ALL[name](rows))


@pytest.mark.parametrize("name", ALL)
def test_ids_must_be_of_one_type(name: str) -> None:
    rows = sample(2)
    rows[1]["customer_id"] = 5
    with pytest.raises(InvalidFieldError) as info:
        ALL[name](rows)
    assert info.value.code == "payments.customer"
    rows = [{**row, "customer_id": complex(1, i)} for i, row in enumerate(rows)]
    with pytest.raises(InvalidFieldError) as info:
        ALL[name](rows)
    assert info.value.code == "payments.customer"


@pytest.mark.parametrize("name", ["behaviour", "spend_bands", "lifecycle", "active_hours", "affinity", "spending"])
def test_an_unknown_customer_is_not_found(name: str) -> None:
    result: Any = ALL[name](sample())
    ask = {
        "behaviour": lambda who: portraits(sample()).of(who),
        "spending": lambda who: result.of(who),
        "affinity": lambda who: result.top(who),
    }.get(name, lambda who: result.explain(who))
    for who in ("nobody", 5, None):
        with pytest.raises(RecordNotFoundError, match="no such customer"):
            ask(who)


@pytest.mark.parametrize("name", ALL)
def test_results_cannot_be_changed(name: str) -> None:
    result = ALL[name](sample())
    arrays = [
        value for field in attrs.fields(type(result)) if isinstance(value := getattr(result, field.name), np.ndarray)
    ]
    assert arrays
    assert not any(array.flags.writeable for array in arrays)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        result.skipped = 5  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ALL)
def test_sparse_ids_are_numbered_like_dense_ones(name: str) -> None:
    rows = sample()
    order = {who: i for i, who in enumerate(sorted({row["customer_id"] for row in rows}))}
    dense = ALL[name]([{**row, "customer_id": order[row["customer_id"]]} for row in rows]).to_dict()
    sparse = ALL[name]([{**row, "customer_id": order[row["customer_id"]] * 10**17 - 5} for row in rows]).to_dict()
    for column in dense:
        want = dense[column] * 10**17 - 5 if column == "customer_id" else dense[column]
        np.testing.assert_array_equal(sparse[column], want)

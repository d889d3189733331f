"""Columns of clear fields: typed by the model, whatever the rows hold."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from custinfo.errors import AmountOverflowError, InvalidFieldError, StoreError
from custinfo.model import Account, Customer, Email, Money, Tag, Transaction
from custinfo.store import Collection, MemoryStore

NOON = datetime(2024, 5, 6, 12, 30, 0, 250, tzinfo=UTC)


def payments(count: int) -> Collection[Transaction]:
    made = Collection(MemoryStore(), Transaction, clock=lambda: NOON)
    made.put_many(
        [
            Transaction(
                id=f"t{n:03d}",
                account_id="a1",
                amount=Money(n * 10**12, "USD"),
                occurred_at=NOON,
                channel="pos" if n % 2 else None,
                status="posted" if n else "pending",
            )
            for n in range(count)
        ]
    )
    return made


def test_columns_have_the_types_of_the_model() -> None:
    found = payments(3).columns(["id", "amount.minor", "amount.currency", "occurred_at", "channel", "status", "kind"])
    assert found["id"].tolist() == ["t000", "t001", "t002"]
    assert (found["amount.minor"].dtype, found["amount.minor"].tolist()) == (np.int64, [0, 10**12, 2 * 10**12])
    assert found["amount.currency"].tolist() == ["USD"] * 3
    assert found["occurred_at"].dtype == np.dtype("datetime64[us]")
    assert found["occurred_at"][0] == np.datetime64("2024-05-06T12:30:00.000250")
    assert found["channel"].tolist() == [None, "pos", None]
    assert found["status"].tolist() == ["pending", "posted", "posted"]
    assert {type(value) for value in found["kind"]} == {str}


def test_columns_without_rows_have_the_same_types() -> None:
    names = ["id", "amount.minor", "occurred_at", "channel"]
    full, empty = payments(2).columns(names), payments(0).columns(names)
    assert {name: values.dtype for name, values in full.items()} == {name: v.dtype for name, v in empty.items()}
    assert {len(values) for values in empty.values()} == {0}


def test_missing_times_are_nat_and_nested_values_stay_json() -> None:
    customers = Collection(MemoryStore(), Customer)
    customers.put_many([Customer(id="c1", tags=[Tag("vip"), Tag("new")]), Customer(id="c2")])
    found = customers.columns(["tags", "created_at", "tags", "merged_into"])
    assert list(found) == ["tags", "created_at", "merged_into"]
    assert found["tags"][0] == [{"name": "vip"}, {"name": "new"}]
    assert found["merged_into"].tolist() == [None, None]
    accounts = Collection(MemoryStore(), Account)
    with accounts.store.unit() as unit:
        from custinfo.store import Record

        unit.put(Record("account", "a1", 0, b'{"$v":"account/1","id":"a1","customer_id":"c","currency":"USD"}'), (), 0)
    assert np.isnat(accounts.columns(["created_at"])["created_at"]).tolist() == [True]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("nmae", "columns.missing"),
        ("version", "columns.missing"),
        ("", "columns.missing"),
        ("amount.", "columns.missing"),
        ("amount.cents", "columns.missing"),
        ("status.x", "columns.missing"),
        ("description", "columns.personal"),
        ("extra", "columns.personal"),
        ("description.x", "columns.personal"),
    ],
)
def test_what_is_no_column_is_refused(name: str, code: str) -> None:
    with pytest.raises(InvalidFieldError) as caught:
        payments(1).columns(["id", name])
    assert caught.value.code == code


def test_the_refusal_lists_what_there_is() -> None:
    with pytest.raises(InvalidFieldError, match="currency, minor"):
        payments(1).columns(["amount.cents"])
    with pytest.raises(InvalidFieldError, match="account_id, amount"):
        payments(1).columns(["amuont"])


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"amount": {"minor": 2**63, "currency": "USD"}}, AmountOverflowError),
        ({"amount": {"minor": 1.5, "currency": "USD"}}, StoreError),
        ({"amount": {"minor": True, "currency": "USD"}}, StoreError),
        ({"amount": "lots"}, StoreError),
        ({"amount": None}, StoreError),
        ({"occurred_at": "yesterday"}, StoreError),
        ({"occurred_at": 7}, StoreError),
    ],
)
def test_damaged_values_are_noticed(change: dict[str, Any], error: type[Exception]) -> None:
    import json

    made = payments(2)
    with made.store.unit() as unit:
        record = unit.get("transaction", ["t001"])[0]
        unit.put(record._replace(data=json.dumps(json.loads(record.data) | change).encode()), (), record.version)
    with pytest.raises(error):
        made.columns(["amount.minor", "occurred_at"])


def test_columns_need_no_personal_value() -> None:
    customers = Collection(MemoryStore(), Customer)
    customers.put(Customer(id="c1", emails=[Email("rosa@example.com")]))
    assert customers.columns(["id", "kind"])["kind"].tolist() == ["person"]

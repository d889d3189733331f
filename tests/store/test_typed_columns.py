"""Typed columns beside the data: the same values as decoding gives, and never other ones."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from custinfo.crypto import FieldCipher, Keyring, LocalKeyProvider, MemoryKeyStore
from custinfo.errors import AmountOverflowError, CustInfoError, DecryptionError, InvalidFieldError, StoreError
from custinfo.model import Account, Money, Transaction, fields_of
from custinfo.store import Collection, MemoryStore, Record, SqliteStore, SupportsColumns, payment_columns
from custinfo.store import _column_reads as reads
from custinfo.store._typed_arrays import arrays_of_rows
from custinfo.store._typed_columns import TYPED_KINDS, typed_columns, typed_row

NOON = datetime(2024, 5, 6, 12, 30, 0, 250, tzinfo=UTC)
NAMES = [column.path for column in typed_columns("transaction")]


def payment(n: int, **changes: Any) -> Transaction:
    made = {"id": f"t{n:03d}", "account_id": f"a{n % 3}", "amount": Money(n * 10**9, "USD"), "occurred_at": NOON}
    return Transaction(**{**made, **changes})


def decoded(collection: Collection[Any], names: list[str], monkeypatch: pytest.MonkeyPatch) -> dict[str, np.ndarray]:
    """The columns as a backend without the capability gives them."""
    with monkeypatch.context() as patch:
        patch.setattr(reads, "_kept", lambda *_: {})
        return collection.columns(names)


def kept(store: SqliteStore, *names: str) -> dict[str, np.ndarray]:
    with store.unit(write=False) as unit:
        assert isinstance(unit, SupportsColumns)
        return unit.columns("transaction", names or NAMES)


def raw(store: SqliteStore, sql: str, *values: object) -> list[Any]:
    with closing(sqlite3.connect(store.path)) as con, con:
        return con.execute(sql, values).fetchall()


@pytest.fixture
def store(tmp_path: Path) -> Any:
    with closing(SqliteStore(tmp_path / "shop.db")) as made:
        yield made


def test_the_columns_are_the_scalar_fields_of_the_model_that_are_not_personal() -> None:
    scalars = {
        "str",
        "int",
        "datetime",
        "str | None",
        "date | None",
        "datetime | None",
        "TransactionKind",
        "TransactionStatus",
    }
    catalogue = [
        info.path
        for info in fields_of(Transaction)
        if not info.personal and info.type in scalars and "[]" not in info.path and info.path != "version"
    ]
    assert sorted(catalogue) == sorted(NAMES)
    defaults = {column.path: column.default for column in typed_columns("transaction")}
    for name, attribute in attrs.fields_dict(Transaction).items():
        if (
            name in defaults
            and attribute.default is not attrs.NOTHING
            and not isinstance(attribute.default, attrs.Factory)
        ):
            assert defaults[name] == attribute.default
    assert TYPED_KINDS == ("transaction",)


TEXTS = st.none() | st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]), max_size=4)
TIMES = st.datetimes(timezones=st.just(UTC))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from("abcde"),
            st.integers(0, 2**63 - 1),
            st.sampled_from(["USD", "CNY"]),
            TIMES,
            TEXTS,
            st.none() | st.sampled_from(["pos", "app"]),
            st.sampled_from(["payment", "refund"]),
            st.sampled_from(["posted", "voided"]),
        ),
        max_size=6,
    )
)
def test_kept_columns_equal_decoded_ones(rows: list[Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "shop.db").unlink(missing_ok=True)
    with closing(SqliteStore(tmp_path / "shop.db")) as store:
        payments = Collection(store, Transaction)
        for id, minor, currency, when, merchant, channel, kind, status in rows:
            former = {payment.id: payment.version for payment in payments.scan()}
            payments.put(
                Transaction(
                    id=id,
                    version=former.get(id, 0),
                    account_id="a" + id,
                    amount=Money(minor, currency),
                    occurred_at=when,
                    merchant=merchant,
                    channel=channel,
                    kind=kind,
                    status=status,
                )
            )
        found, expected = payments.columns(NAMES), decoded(payments, NAMES, monkeypatch)
        assert list(found) == list(expected) == NAMES
        for name in NAMES:
            assert found[name].dtype == expected[name].dtype
            assert found[name].tolist() == expected[name].tolist()
        assert payments.check_columns() == []


def test_an_encrypted_collection_keeps_what_it_has_in_clear(store: SqliteStore, monkeypatch: Any) -> None:
    payments = Collection(store, Transaction, FieldCipher(Keyring(LocalKeyProvider.generate(), MemoryKeyStore())))
    payments.put_many([payment(n, description="for the Zephyrhills parcel") for n in range(4)])
    payments.update("t001", {"status": "voided"})
    payments.delete("t002")
    found, expected = kept(store), decoded(payments, NAMES, monkeypatch)
    assert {name: values.tolist() for name, values in found.items()} == {
        name: values.tolist() for name, values in expected.items()
    }
    assert found["status"].tolist() == ["posted", "voided", "posted"]
    with pytest.raises(InvalidFieldError, match="personal"):
        payments.columns(["id", "description"])
    assert b"Zephyrhills" not in store.path.read_bytes()


def test_whoever_has_not_the_key_gets_no_columns_either(store: SqliteStore) -> None:
    def cipher() -> FieldCipher:
        return FieldCipher(Keyring(LocalKeyProvider.generate(), MemoryKeyStore()))

    Collection(store, Transaction, cipher()).put(payment(1))
    with pytest.raises(DecryptionError):
        Collection(store, Transaction, cipher()).columns(["amount.minor"])
    with pytest.raises(InvalidFieldError, match="no cipher"):
        Collection(store, Transaction).columns(["amount.minor"])


def test_fields_without_a_column_are_decoded(store: SqliteStore) -> None:
    payments = Collection(store, Transaction)
    payments.put(payment(1))
    assert payments.columns(["id", "amount"])["amount"].tolist() == [{"minor": 10**9, "currency": "USD"}]
    accounts = Collection(store, Account)
    accounts.put(Account(id="a1", customer_id="c1", currency="USD"))
    assert accounts.columns(["customer_id"])["customer_id"].tolist() == ["c1"]
    assert accounts.check_columns() == []
    assert kept(store, "id", "amount", "nonsense").keys() == {"id"}


GOOD = {"id": "t9", "account_id": "a1", "amount": {"minor": 1, "currency": "USD"}, "occurred_at": NOON.isoformat()}


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"amount": {"minor": 2**63, "currency": "USD"}}, AmountOverflowError),
        ({"amount": {"minor": True, "currency": "USD"}}, StoreError),
        ({"amount": "lots"}, StoreError),
        ({"occurred_at": "yesterday"}, StoreError),
        ({"occurred_at": "yesterday+00:00"}, StoreError),
        ({"occurred_at": 7}, StoreError),
        ({"merchant": 7}, None),
        ({"merchant": "a\0b"}, None),
        ({"merchant": "\ud800"}, None),
        ({"merchant": None, "kind": None}, None),
        ({"id": "another"}, None),
        ({"occurred_at": None}, None),
    ],
)
def test_what_no_column_can_hold_is_as_if_there_were_none(
    store: SqliteStore, monkeypatch: Any, change: dict[str, Any], error: type[CustInfoError] | None
) -> None:
    payments = Collection(store, Transaction)
    payments.put(payment(1))
    with store.unit() as unit:
        unit.put(Record("transaction", "t9", 0, json.dumps(GOOD | change).encode()), (), 0)
    if error is not None:
        with pytest.raises(error):
            payments.columns(NAMES)
        return
    found, expected = payments.columns(NAMES), decoded(payments, NAMES, monkeypatch)
    assert {name: values.tolist() for name, values in found.items()} == {
        name: values.tolist() for name, values in expected.items()
    }


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b"\xc2\x01", b"\xc2\x01" + b"\xff" * 40, b"[" * 100_000, b'"\xff"']
)
def test_data_of_others_are_a_gap_until_they_are_replaced_or_deleted(store: SqliteStore, data: bytes) -> None:
    record = Record("transaction", "t9", 0, data)
    assert typed_row(record) is None
    payments = Collection(store, Transaction)
    payments.put_many([payment(n) for n in range(2)])
    with store.unit() as unit:
        unit.put_many([(record, (), 0), (record._replace(id="t8"), (), 0)])
        assert unit.columns("transaction", NAMES) == {}
    with store.unit() as unit:
        unit.put(record._replace(data=json.dumps(GOOD).encode()), (), 1)
        assert unit.columns("transaction", NAMES) == {}
        unit.delete("transaction", "t8", 1)
        assert unit.columns("transaction", ["id"])["id"].tolist() == ["t000", "t001", "t9"]
        unit.put_many([(record, (), 2)])
        assert unit.columns("transaction", NAMES) == {}
    assert raw(store, "SELECT id FROM ci_transaction ORDER BY id") == [("t000",), ("t001",)]


def test_a_unit_that_is_undone_leaves_the_columns_as_they_were(store: SqliteStore) -> None:
    payments = Collection(store, Transaction)
    payments.put_many([payment(n) for n in range(2)])
    with pytest.raises(ZeroDivisionError), store.unit() as unit:  # noqa: PT012 - what is undone
        payments.put(payment(5), unit=unit)
        payments.delete("t000", unit=unit)
        assert unit.columns("transaction", ["id"])["id"].tolist() == ["t001", "t005"]
        raise ZeroDivisionError
    assert kept(store, "id")["id"].tolist() == ["t000", "t001"]


def test_a_column_that_somebody_changed_is_found(store: SqliteStore) -> None:
    payments = Collection(store, Transaction, FieldCipher(Keyring(LocalKeyProvider.generate(), MemoryKeyStore())))
    payments.put_many([payment(n) for n in range(6)])
    raw(store, "UPDATE ci_transaction SET amount_minor = 1 WHERE id = 't003'")
    raw(store, "UPDATE ci_transaction SET occurred_at = NULL WHERE id = 't004'")
    raw(store, "UPDATE ci_transaction SET status = NULL WHERE id = 't001'")
    assert payments.check_columns() == ["t001", "t003", "t004"]
    raw(store, "DELETE FROM ci_transaction WHERE id = 't002'")
    raw(store, "UPDATE ci_transaction SET id = 't999' WHERE id = 't005'")
    assert payments.check_columns() == ["t001", "t002", "t003", "t004", "t005", "t999"]
    for id in ("t001", "t002", "t003", "t004", "t005"):
        payments.update(id, {"channel": "pos"})
    assert payments.check_columns() == ["t999"]


def test_arrays_share_one_text_object_and_hold_nat_for_null() -> None:
    columns = [column for column in typed_columns("transaction") if column.path in ("account_id", "occurred_at")]
    us = (NOON - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    chunks = [[("a" * n, us), ("b", None)] for n in (1, 1, 2)]
    found = arrays_of_rows(columns, iter(chunks))
    assert found["account_id"].tolist() == ["a", "b", "a", "b", "aa", "b"]
    assert found["account_id"][1] is found["account_id"][3]
    assert np.isnat(found["occurred_at"]).tolist() == [False, True] * 3
    assert found["occurred_at"][0] == np.datetime64("2024-05-06T12:30:00.000250")
    empty = arrays_of_rows(columns, [])
    assert {name: values.dtype for name, values in empty.items()} == {name: v.dtype for name, v in found.items()}


def test_a_store_without_the_capability_has_nothing_to_check() -> None:
    payments = Collection(MemoryStore(), Transaction)
    payments.put(payment(1))
    assert payments.check_columns() == []


@pytest.mark.parametrize("keeps_columns", [True, False])
def test_payments_are_posted_with_their_customers_and_signs(tmp_path: Path, keeps_columns: bool) -> None:
    with closing(SqliteStore(tmp_path / "shop.db") if keeps_columns else MemoryStore()) as store:
        payments, accounts = Collection(store, Transaction), Collection(store, Account)
        accounts.put_many([Account(id=f"a{n}", customer_id=f"c{n}", currency="USD") for n in range(2)])
        kinds = ["payment", "refund", "chargeback", "adjustment", "payout", "payment"]
        payments.put_many([payment(n, kind=kind) for n, kind in enumerate(kinds)])
        names = ["customer_id", "amount_minor", "currency", "kind"]
        found = payment_columns(payments, accounts, names)
        assert list(found) == names
        assert found["amount_minor"].tolist() == [0, -(10**9), -2 * 10**9, 3 * 10**9, 5 * 10**9]
        assert found["customer_id"].tolist() == ["c0", "c1", None, "c0", None]
        assert found["kind"].tolist() == [*kinds[:4], "payment"]
        payments.update("t005", {"status": "pending"})
        assert payment_columns(payments, accounts, ["currency"])["currency"].tolist() == ["USD"] * 4

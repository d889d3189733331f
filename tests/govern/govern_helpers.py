"""Fixtures of the govern tests: books, their files, and plain SQL on them."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from custinfo.book import Book
from custinfo.crypto import Keyring, LocalKeyProvider, MemoryKeyStore
from custinfo.govern import AuditLog
from custinfo.store import MemoryStore, RecordStore, SqliteStore

KEY = bytes(range(32))
PEOPLE = [
    {
        "external_id": "K-0001",
        "given_name": "Quintessa",
        "family_name": "Vanterpool",
        "email": "quintessa.vanterpool@example.com",
        "phone": "+12025550147",
        "birth_date": "1931-02-03",
        "street": "Zephyrhills Lane",
        "note": "allergic to marzipan",
    },
    {
        "external_id": "K-0002",
        "given_name": "Quintessa",
        "family_name": "Wanterpool",
        "email": "q.wanterpool@example.org",
        "phone": "+12025550148",
    },
    {"external_id": "K-0003", "given_name": "Ottoline", "family_name": "Marchbanks", "email": "otto@example.net"},
]
PERSONAL = (
    b"Quintessa",
    b"Vanterpool",
    b"vanterpool",
    b"Wanterpool",
    b"wanterpool",
    b"12025550147",
    b"12025550148",
    b"1931-02-03",
    b"Zephyrhills",
    b"marzipan",
    b"K-0001",
    b"K-0002",
    b"lace curtains",
)


def keyring(**options: Any) -> Keyring:
    return Keyring(LocalKeyProvider.generate(), MemoryKeyStore(), **options)


def shop(store: RecordStore, ring: Keyring | None, **options: Any) -> Book:
    """A book of three people, the first two of whom are one, with a payment each."""
    book = Book(store, ring, plaintext=ring is None, actor="tests", currency="USD", **options)
    book.import_customers(PEOPLE, source_name="till")
    book.import_transactions(
        [
            {"id": f"t{n}", "customer": f"K-000{n}", "occurred_at": "2024-01-02", "amount": f"{n}.25"}
            | {"description": "lace curtains" if n < 3 else "wool"}
            for n in (1, 2, 3)
        ],
        source_name="till",
    )
    return book


def id_of(book: Book, number: int) -> str:
    """Id of the customer with an external id, whoever it was merged into."""
    for found in book.desk.customers.scan(hidden=True):
        if found.merged_into is None and any(one.value == f"K-000{number}" for one in found.identifiers):
            return found.id
    raise AssertionError("no such customer")


def total(book: Book) -> int:
    return int(book.transactions.columns(["amount_minor"])["amount_minor"].sum())


@contextlib.contextmanager
def sql(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection of the attacker, committed at the end."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


def rows(path: Path, kind: str = "audit") -> list[tuple[str, bytes]]:
    with sql(path) as connection:
        return connection.execute("SELECT id, data FROM ci_record WHERE kind = ? ORDER BY id", (kind,)).fetchall()


def overwrite(path: Path, id: str, data: bytes, kind: str = "audit") -> None:
    with sql(path) as connection:
        connection.execute("UPDATE ci_record SET data = ? WHERE kind = ? AND id = ?", (data, kind, id))


def remove(path: Path, id: str, kind: str = "audit") -> None:
    """Delete a record with its keys."""
    with sql(path) as connection:
        connection.execute("DELETE FROM ci_record WHERE kind = ? AND id = ?", (kind, id))
        connection.execute("DELETE FROM ci_key WHERE kind = ? AND id = ?", (kind, id))


def stored(data: bytes) -> dict[str, Any]:
    found = json.loads(data)
    assert isinstance(found, dict)
    return found


def log_of(path: Path, entries: int = 0, *, key: bytes = KEY) -> tuple[SqliteStore, AuditLog]:
    store = SqliteStore(path, synchronous="NORMAL")
    log = AuditLog(store, key=key)
    for number in range(entries):
        log.append(actor="desk-7", action="customer.get", entity="customer", subject=f"c{number}", detail={"n": number})
    return store, log


def stores(tmp_path: Path) -> list[RecordStore]:
    return [MemoryStore(), SqliteStore(tmp_path / "store.db", synchronous="NORMAL")]

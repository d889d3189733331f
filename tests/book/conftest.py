"""Fixtures of the tests of the book: one book, plain or encrypted, in memory or in a file."""

from __future__ import annotations

import pytest

from custinfo.book import Book
from custinfo.crypto import Keyring, LocalKeyProvider, MemoryKeyStore
from custinfo.govern import Grant, Policy
from custinfo.store import MemoryStore, SqliteStore

POLICY = Policy(
    [
        Grant("sales", "service", {"customer.names": "clear", "customer.phones": "mask:last4"}),
        Grant("sales", "service", {"customer.names": "clear"}, actions=("write",)),
        Grant("clerk", "billing", ["transaction.amount", "transaction.occurred_at", "customer.emails"]),
    ]
)


@pytest.fixture(params=["memory", "sqlite"])
def store(request, tmp_path):
    made = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "book.db", synchronous="NORMAL")
    yield made
    made.close()


@pytest.fixture
def keyring():
    with Keyring(LocalKeyProvider.generate(), MemoryKeyStore()) as made:
        yield made


@pytest.fixture
def book(store, keyring):
    return Book(store, keyring, POLICY, actor="tests", currency="USD")

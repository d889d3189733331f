"""The PostgreSQL store keeps the contract that third parties must keep."""

from __future__ import annotations

import postgres_server
import pytest

from custinfo.store import PostgresStore, RecordKeyStore, RecordStore
from custinfo.testing import KeyStoreContract, RecordStoreContract

pytestmark = pytest.mark.postgres


class TestPostgresStore(RecordStoreContract):
    def make_store(self):
        schema = postgres_server.fresh_schema()
        store = PostgresStore(postgres_server.shared(), schema=schema)
        store.schema = schema
        return store

    def reopen(self, store):
        return PostgresStore(postgres_server.shared(), schema=store.schema)


class TestRecordKeyStoreOnPostgres(KeyStoreContract):
    @pytest.fixture(autouse=True)
    def _stores(self):
        self._stores = []
        yield
        for store in self._stores:
            store.close()

    def make_store(self):
        self._schema = postgres_server.fresh_schema()
        return self._opened()

    def reopen(self, store):
        return self._opened()

    def _opened(self):
        self._stores.append(PostgresStore(postgres_server.shared(), schema=self._schema))
        return RecordKeyStore(self._stores[-1])


def test_the_backend_is_a_record_store():
    store = PostgresStore(postgres_server.shared(), schema=postgres_server.fresh_schema())
    assert isinstance(store, RecordStore)
    store.close()

"""The PostgreSQL store keeps the contract that third parties must keep."""

from __future__ import annotations

import postgres_server
import pytest

from custinfo.store import PostgresStore, RecordKeyStore, RecordStore
from custinfo.testing import KeyStoreContract, RecordStoreContract

pytestmark = pytest.mark.postgres


class TestPostgresStore(RecordStoreContract):
    @pytest.fixture(autouse=True)
    def _given_back(self):
        self._schemas = []
        yield
        for schema in self._schemas:
            postgres_server.give_back(schema)

    def make_store(self):
        schema = postgres_server.empty_schema()
        store = PostgresStore(postgres_server.shared(), schema=schema)
        self._schemas.append(schema)
        store.schema = schema
        return store

    def reopen(self, store):
        return PostgresStore(postgres_server.shared(), schema=store.schema)


class TestRecordKeyStoreOnPostgres(KeyStoreContract):
    @pytest.fixture(autouse=True)
    def _stores(self):
        self._stores = []
        self._schema = postgres_server.empty_schema()
        yield
        for store in self._stores:
            store.close()
        if self._stores:
            postgres_server.give_back(self._schema)

    def make_store(self):
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

"""The PostgreSQL store keeps the contract that third parties must keep."""

from __future__ import annotations

import postgres_server
import pytest

from custinfo.store import PostgresStore, RecordStore
from custinfo.testing import RecordStoreContract

pytestmark = pytest.mark.postgres


class TestPostgresStore(RecordStoreContract):
    def make_store(self):
        schema = postgres_server.fresh_schema()
        store = PostgresStore(postgres_server.shared(), schema=schema)
        store.schema = schema
        return store

    def reopen(self, store):
        return PostgresStore(postgres_server.shared(), schema=store.schema)


def test_the_backend_is_a_record_store():
    store = PostgresStore(postgres_server.shared(), schema=postgres_server.fresh_schema())
    assert isinstance(store, RecordStore)
    store.close()

"""The store behind SQLAlchemy keeps the contract that third parties must keep, on each database."""

from __future__ import annotations

import pytest
from sql_engines import Places

from custinfo.store import RecordStore, SqlAlchemyStore
from custinfo.testing import RecordStoreContract


class OnADatabase(RecordStoreContract):
    database = ""

    @pytest.fixture(autouse=True)
    def _places(self, tmp_path):
        self._made = Places(self.database, tmp_path)
        yield
        self._made.clear()

    def make_store(self):
        engine = self._made.engine()
        store = SqlAlchemyStore(engine)
        store.engine = engine
        return store

    def reopen(self, store):
        return SqlAlchemyStore(store.engine)


class TestOnSqlite(OnADatabase):
    database = "sqlite"

    def test_the_backend_is_a_record_store(self):
        with self.fresh() as store:
            assert isinstance(store, RecordStore)


@pytest.mark.postgres
class TestOnPostgres(OnADatabase):
    database = "postgres"


@pytest.mark.mysql
class TestOnMysql(OnADatabase):
    database = "mysql"

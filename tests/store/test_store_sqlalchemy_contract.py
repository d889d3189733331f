"""The store behind SQLAlchemy keeps the contract that third parties must keep, on each database."""

from __future__ import annotations

import postgres_server
import pytest
import sqlalchemy as sa
from hypothesis import settings
from sql_engines import Places, url_of

from custinfo.store import RecordStore, SqlAlchemyStore
from custinfo.testing import RecordStoreContract, _store_model


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


@pytest.fixture(scope="module")
def postgres():
    engine = sa.create_engine(url_of("postgres"))
    yield engine
    engine.dispose()


@pytest.mark.postgres
class TestOnPostgres(OnADatabase):
    """In a schema that is named; other tests use the one of the search path."""

    @pytest.fixture(autouse=True)
    def _places(self, postgres, monkeypatch):
        # SQLite runs all of them on the same code, PostgresStore on the same tables.
        monkeypatch.setattr(_store_model, "SETTINGS", settings(_store_model.SETTINGS, max_examples=5))
        self._engine = postgres
        self._schemas = []
        yield
        for schema in self._schemas:
            postgres_server.give_back(schema)

    def make_store(self):
        schema = postgres_server.empty_schema()
        store = SqlAlchemyStore(self._engine, schema=schema)
        self._schemas.append(schema)
        store.schema = schema
        return store

    def reopen(self, store):
        return SqlAlchemyStore(sa.create_engine(self._engine.url, poolclass=sa.NullPool), schema=store.schema)


@pytest.mark.mysql
class TestOnMysql(OnADatabase):
    database = "mysql"

"""Our own backends keep the contract that third parties must keep."""

import itertools

import pytest

from custinfo.store import MemoryStore, RecordStore, SqliteStore
from custinfo.testing import RecordStoreContract


class TestMemoryStore(RecordStoreContract):
    def make_store(self):
        return MemoryStore()


class TestSqliteStore(RecordStoreContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path):
        self._paths = (tmp_path / f"{number}.db" for number in itertools.count())

    def make_store(self):
        return SqliteStore(next(self._paths))

    def reopen(self, store):
        return SqliteStore(store.path)


def test_the_backends_are_record_stores(tmp_path):
    for store in (MemoryStore(), SqliteStore(tmp_path / "a.db")):
        assert isinstance(store, RecordStore)
        store.close()

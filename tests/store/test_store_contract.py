"""Our own backends keep the contract that third parties must keep."""

import itertools
import re
from pathlib import Path

import pytest

from custinfo.store import MemoryStore, RecordStore, SqliteStore
from custinfo.testing import RecordStoreContract


def the_page():
    """What the code of docs/how-to/write-a-backend.md defines."""
    text = (Path(__file__).parents[2] / "docs/how-to/write-a-backend.md").read_text(encoding="utf-8")
    names = {}
    for code in re.findall(r"^```python\n(?!>>>)(.*?)^```", text, re.MULTILINE | re.DOTALL):
        exec(code, names)  # noqa: S102 - our own page
    Path(names["FOLDER"]).rmdir()
    return names


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


PAGE = the_page()


class TestThePageHowToWriteABackend(PAGE["TestPickleStore"]):
    """The backend that the page shows."""

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path, monkeypatch):
        monkeypatch.setitem(PAGE, "FOLDER", str(tmp_path))


def test_the_backends_are_record_stores(tmp_path):
    for store in (MemoryStore(), SqliteStore(tmp_path / "a.db")):
        assert isinstance(store, RecordStore)
        store.close()

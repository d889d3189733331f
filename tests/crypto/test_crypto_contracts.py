"""The contract suite of key stores over our own, and over sabotaged ones that it must catch."""

from __future__ import annotations

import pytest
from crypto_helpers import failures

from custinfo.crypto import MemoryKeyStore
from custinfo.testing import KeyStoreContract


class TestMemoryKeyStore(KeyStoreContract):
    def make_store(self):
        return MemoryKeyStore()


class LastWriterWins(MemoryKeyStore):
    def put(self, items):
        items = [(name, row, (self.get(name) or (None, 0))[1]) for name, row, _ in items]
        super().put(items)


class ReplacesTombstones(MemoryKeyStore):
    def put(self, items):
        for name, _, _ in items:
            if (self.get(name) or (b"", 0))[0] is None:
                del self._rows[name]
        super().put([(name, row, (self.get(name) or (b"", 0))[1] and expected) for name, row, expected in items])


class WritesHalf(MemoryKeyStore):
    def put(self, items):
        for item in items:
            super().put([item])


class StandsStill(MemoryKeyStore):
    def generation(self):
        return 0


class ListsTombstones(MemoryKeyStore):
    def names(self, prefix="", after="", limit=1000):
        return sorted(name for name in self._rows if name.startswith(prefix) and name > after)[:limit]


class FoldsCase(MemoryKeyStore):
    def get(self, name):
        return super().get(name.lower())

    def put(self, items):
        super().put([(name.lower(), row, expected) for name, row, expected in items])


class SortsLikeALocale(MemoryKeyStore):
    def names(self, prefix="", after="", limit=1000):
        names = sorted(super().names(prefix, "", 10**6), key=str.casefold)
        return [name for name in names if name.casefold() > after.casefold()][:limit]


BAD_STORES = [LastWriterWins, ReplacesTombstones, WritesHalf, StandsStill, ListsTombstones, FoldsCase, SortsLikeALocale]


@pytest.mark.parametrize("store", BAD_STORES, ids=lambda cls: cls.__name__)
def test_the_store_contract_catches_a_sabotaged_store(store):
    class Contract(KeyStoreContract):
        def make_store(self):
            return store()

    assert failures(Contract())


def test_the_store_contract_says_what_a_subclass_must_give():
    with pytest.raises(NotImplementedError, match="give a"):
        KeyStoreContract().make_store()

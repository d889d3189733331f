"""The contract suite of key stores over our own, and over sabotaged ones that it must catch."""

from __future__ import annotations

import pytest
from crypto_helpers import failures

from custinfo.crypto import MemoryKeyStore
from custinfo.testing import KeyStoreContract


class TestMemoryKeyStore(KeyStoreContract):
    def make_store(self):
        return MemoryKeyStore()


class WithoutGetMany:
    """A store of the bare protocol."""

    def __init__(self):
        self.inner = MemoryKeyStore()

    def get(self, name):
        return self.inner.get(name)

    def put(self, items):
        self.inner.put(items)

    def names(self, prefix="", after="", limit=1000):
        return self.inner.names(prefix, after, limit)

    def generation(self):
        return self.inner.generation()


class TestStoreOfTheBareProtocol(KeyStoreContract):
    def make_store(self):
        return WithoutGetMany()


class LastWriterWins(MemoryKeyStore):
    caught_by = "test_another_revision_conflicts"

    def put(self, items):
        items = [(name, row, (self.get(name) or (None, 0))[1]) for name, row, _ in items]
        super().put(items)


class ReplacesTombstones(MemoryKeyStore):
    caught_by = "test_nothing_replaces_a_tombstone"

    def put(self, items):
        for name, _, _ in items:
            if (self.get(name) or (b"", 0))[0] is None:
                del self._rows[name]
        super().put([(name, row, (self.get(name) or (b"", 0))[1] and expected) for name, row, expected in items])


class WritesHalf(MemoryKeyStore):
    caught_by = "test_a_put_is_all_or_none"

    def put(self, items):
        for item in items:
            super().put([item])


class TakesTheLastOfTwo(MemoryKeyStore):
    caught_by = "test_a_name_given_twice_conflicts"

    def put(self, items):
        super().put(list({name: (name, row, expected) for name, row, expected in items}.values()))


class StandsStill(MemoryKeyStore):
    caught_by = "test_every_write_changes_the_generation"

    def generation(self):
        return 0


class CountsReads(MemoryKeyStore):
    caught_by = "test_reading_leaves_the_generation_alone"

    def get(self, name):
        self._generation += 1
        return super().get(name)


class ListsTombstones(MemoryKeyStore):
    caught_by = "test_names_come_in_code_point_order"

    def names(self, prefix="", after="", limit=1000):
        return sorted(name for name in self._rows if name.startswith(prefix) and name > after)[:limit]


class ListsAll(MemoryKeyStore):
    caught_by = "test_a_page_of_names_has_a_thousand_unless_told"

    def names(self, prefix="", after="", limit=10**6):
        return super().names(prefix, after, limit)


class ForgetsTombstones(MemoryKeyStore):
    caught_by = "test_a_tombstone_has_a_revision_and_no_row"

    def get(self, name):
        found = super().get(name)
        return None if found is None or found[0] is None else found


class LooksUpInAnyOrder(MemoryKeyStore):
    caught_by = "test_many_rows_read_in_one_look_are_those_read_alone"

    def get_many(self, names):
        return super().get_many(sorted(names))


class FoldsCase(MemoryKeyStore):
    caught_by = "test_names_are_kept_exactly"

    def get(self, name):
        return super().get(name.lower())

    def put(self, items):
        super().put([(name.lower(), row, expected) for name, row, expected in items])


class SortsLikeALocale(MemoryKeyStore):
    caught_by = "test_names_come_in_code_point_order"

    def names(self, prefix="", after="", limit=1000):
        names = sorted(super().names(prefix, "", 10**6), key=str.casefold)
        return [name for name in names if name.casefold() > after.casefold()][:limit]


class SeesOnlyItsOwnWrites(MemoryKeyStore):
    """Two handles over the same rows, each of which counts its own writes."""

    caught_by = "test_a_write_through_another_handle_is_seen"

    def other(self):
        other = SeesOnlyItsOwnWrites()
        other._rows, other._sorted, other._generation = self._rows, None, self._generation
        return other


BAD_STORES = [store for store in vars().copy().values() if hasattr(store, "caught_by")]


@pytest.mark.parametrize("store", BAD_STORES, ids=lambda cls: cls.__name__)
def test_the_store_contract_catches_a_sabotaged_store(store):
    class Contract(KeyStoreContract):
        def make_store(self):
            return store()

        def reopen(self, one):
            return one.other() if hasattr(one, "other") else one

    assert store.caught_by in failures(Contract())


def test_the_store_contract_says_what_a_subclass_must_give():
    with pytest.raises(NotImplementedError, match="give a"):
        KeyStoreContract().make_store()

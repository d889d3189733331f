"""The contract suite for key stores: subclass it, say how to make yours, and let pytest run it."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

from custinfo.crypto import SupportsGetMany
from custinfo.errors import ConflictError, KeyDestroyedError, missing_extra

try:
    import pytest
except ModuleNotFoundError as exc:  # pragma: no cover - the tests of this module run in pytest
    raise missing_extra("pytest", extra="testing", cause=exc) from None

TYPE_CHECKING = False
if TYPE_CHECKING:
    from custinfo.crypto import KeyStore

NAMES = ("a", "A", "B", "a/b", "a%", "a_b", "ab", "b'\"\\", "kunde/é", "客户/1", "\U0001f511", "z" * 200)


class KeyStoreContract:
    """What every `KeyStore` promises. Subclass it as ``class TestMyStore(KeyStoreContract)``.

    >>> from custinfo.crypto import MemoryKeyStore
    >>> class TestMemory(KeyStoreContract):
    ...     def make_store(self):
    ...         return MemoryKeyStore()
    >>> TestMemory().test_an_unknown_name_gives_none()
    """

    def make_store(self) -> KeyStore:
        """A fresh, empty store."""
        raise NotImplementedError("give a fresh, empty KeyStore")

    def reopen(self, store: KeyStore) -> KeyStore:
        """The same store opened again, where that can be done; else the store itself."""
        return store

    def test_an_unknown_name_gives_none(self) -> None:
        """`get` of a name never written."""
        assert self.make_store().get("nothing") is None

    @pytest.mark.parametrize("row", [b"", b"\x00", b"row", bytes(range(256)), os.urandom(1 << 20)], ids=len)
    def test_a_row_comes_back_unchanged(self, row: bytes) -> None:
        """Rows are bytes: empty ones, NUL and a megabyte included."""
        store = self.make_store()
        store.put([("a", row, 0)])
        # Not the rows themselves: pytest would take minutes over the difference of two megabytes.
        intact = self._row(store, "a") == row and self._row(self.reopen(store), "a") == row
        assert intact, f"a row of {len(row)} bytes came back altered"

    def test_names_are_kept_exactly(self) -> None:
        """Case, separators, quotes, wildcards of SQL and letters beyond ASCII matter."""
        store = self.make_store()
        store.put([(name, name.encode(), 0) for name in NAMES])
        assert {name: self._row(store, name) for name in NAMES} == {name: name.encode() for name in NAMES}

    def test_a_row_is_replaced_at_its_revision(self) -> None:
        """The revision that `get` gives is the one that `put` expects."""
        store = self.make_store()
        store.put([("a", b"1", 0)])
        store.put([("a", b"2", self._revision(store, "a"))])
        assert self._row(store, "a") == b"2"

    def test_a_new_row_conflicts_with_an_old_one(self) -> None:
        """Expected revision 0 means that the name must be new."""
        store = self.make_store()
        store.put([("a", b"1", 0)])
        with pytest.raises(ConflictError):
            store.put([("a", b"2", 0)])
        assert self._row(store, "a") == b"1"

    def test_another_revision_conflicts(self) -> None:
        """A revision of before, one of the future, and one of a name that does not exist."""
        store = self.make_store()
        store.put([("a", b"1", 0)])
        first = self._revision(store, "a")
        store.put([("a", b"2", first)])
        for name, expected in (("a", first), ("a", self._revision(store, "a") + 1), ("b", 1)):
            with pytest.raises(ConflictError):
                store.put([(name, b"3", expected)])
        assert self._row(store, "a") == b"2"
        assert store.get("b") is None

    def test_a_put_is_all_or_none(self) -> None:
        """One conflict or tombstone in a put undoes all of it, wherever it stands."""
        store = self.make_store()
        store.put([("old", b"1", 0), ("dead", b"1", 0)])
        store.put([("dead", None, self._revision(store, "dead"))])
        for bad, error in ((("old", b"2", 0), ConflictError), (("dead", b"2", 0), KeyDestroyedError)):
            for items in ([("new", b"1", 0), bad], [bad, ("new", b"1", 0)]):
                with pytest.raises(error):
                    store.put(items)
                assert store.get("new") is None
        assert self._row(store, "old") == b"1"

    def test_a_name_given_twice_conflicts(self) -> None:
        """Two rows for one name in one put: neither is written."""
        store = self.make_store()
        with pytest.raises(ConflictError):
            store.put([("a", b"1", 0), ("a", b"2", 0)])
        assert store.get("a") is None

    def test_a_put_of_nothing_changes_nothing(self) -> None:
        """No items, no rows, no error."""
        store = self.make_store()
        store.put([])
        assert store.names() == []

    def test_many_rows_read_in_one_look_are_those_read_alone(self) -> None:
        """`get_many`, where the store has it: in the order asked, tombstones and unknown names included."""
        store = self.make_store()
        if not isinstance(store, SupportsGetMany):
            pytest.skip("the store has no get_many()")
        store.put([(name, name.encode(), 0) for name in NAMES])
        store.put([(NAMES[0], None, self._revision(store, NAMES[0]))])
        for names in (NAMES, NAMES[::-1], ["nothing", *NAMES, "nothing"], []):
            assert store.get_many(names) == [store.get(name) for name in names]

    def test_a_tombstone_has_a_revision_and_no_row(self) -> None:
        """Nothing of the row is left, and the tombstone outlives the process."""
        store = self.make_store()
        store.put([("a", b"1", 0)])
        store.put([("a", None, self._revision(store, "a"))])
        for one in (store, self.reopen(store)):
            found = one.get("a")
            assert found is not None
            assert found[0] is None
            assert found[1] > 0

    def test_a_tombstone_can_be_put_where_nothing_was(self) -> None:
        """Shredding a subject without a key keeps anybody from making one."""
        store = self.make_store()
        store.put([("a", None, 0)])
        with pytest.raises(KeyDestroyedError):
            store.put([("a", b"1", 0)])

    def test_nothing_replaces_a_tombstone(self) -> None:
        """Whatever revision is expected; another tombstone neither."""
        store = self.make_store()
        store.put([("a", b"1", 0)])
        store.put([("a", None, self._revision(store, "a"))])
        for row in (b"2", None):
            for expected in (0, 1, self._revision(store, "a"), self._revision(store, "a") + 1):
                with pytest.raises(KeyDestroyedError):
                    store.put([("a", row, expected)])
        found = store.get("a")
        assert found is not None
        assert found[0] is None

    def test_names_come_in_code_point_order(self) -> None:
        """Not in the order of a locale, and without tombstones."""
        store = self.make_store()
        store.put([(name, b"1", 0) for name in reversed(NAMES)])
        store.put([("ab", None, self._revision(store, "ab"))])
        assert store.names() == sorted(name for name in NAMES if name != "ab")

    def test_names_of_a_prefix_are_exact(self) -> None:
        """A prefix is text: case matters, and % and _ are letters like others."""
        store = self.make_store()
        store.put([(name, b"1", 0) for name in NAMES])
        for prefix in ("a", "A", "a%", "a_", "客户/", "nothing"):
            assert store.names(prefix) == sorted(name for name in NAMES if name.startswith(prefix))

    def test_pages_of_names_give_each_name_once(self) -> None:
        """`after` is the last name of the page before."""
        store = self.make_store()
        names = [f"k/{number:03}" for number in range(25)]
        store.put([(name, b"1", 0) for name in [*names, "j/1", "l/1"]])
        pages = [store.names("k/", limit=10)]
        while pages[-1]:
            pages.append(store.names("k/", pages[-1][-1], 10))
        assert [len(page) for page in pages] == [10, 10, 5, 0]
        assert [name for page in pages for name in page] == names

    def test_a_page_of_names_has_a_thousand_unless_told(self) -> None:
        """And the rest comes behind its last name."""
        store = self.make_store()
        names = [f"k/{number:04}" for number in range(1003)]
        store.put([(name, b"1", 0) for name in names])
        assert store.names() == names[:1000]
        assert store.names("k/", names[999]) == names[1000:]

    def test_a_write_through_another_handle_is_seen(self) -> None:
        """Row, tombstone and generation: how a process learns of a shredding by another."""
        store = self.make_store()
        store.put([("a", b"1", 0)])
        other = self.reopen(store)
        before = store.generation()
        assert other.generation() == before
        other.put([("a", None, self._revision(other, "a"))])
        assert store.generation() != before
        found = store.get("a")
        assert found is not None
        assert found[0] is None

    def test_every_write_changes_the_generation(self) -> None:
        """New rows, replaced ones and tombstones; a value is not used twice."""
        store = self.make_store()
        seen = [store.generation()]
        for row in (b"1", b"2", None):
            found = store.get("a")
            store.put([("a", row, found[1] if found else 0)])
            seen.append(store.generation())
        assert len(set(seen)) == len(seen)

    def test_reading_leaves_the_generation_alone(self) -> None:
        """A generation that changed by itself would empty every cache ten times a second."""
        store = self.make_store()
        store.put([("a", b"1", 0)])
        before = store.generation()
        store.get("a")
        store.names()
        assert store.generation() == before

    def test_threads_lose_no_update(self) -> None:
        """Of two writers that expect the same revision one gets a conflict."""
        store = self.make_store()
        store.put([("counter", b"0", 0)])

        def add(times: int) -> None:
            while times:
                found = store.get("counter")
                assert found is not None
                assert found[0] is not None
                try:
                    store.put([("counter", b"%d" % (int(found[0]) + 1), found[1])])
                except ConflictError:  # pragma: no cover - only where two threads happen to meet
                    continue
                times -= 1

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(add, [10] * 4))
        assert self._row(store, "counter") == b"40"

    def _row(self, store: KeyStore, name: str) -> bytes:
        found = store.get(name)
        assert found is not None
        assert found[0] is not None
        return bytes(found[0])

    def _revision(self, store: KeyStore, name: str) -> int:
        found = store.get(name)
        assert found is not None
        return found[1]

"""Keys on a record store behave as the key store in memory does, and tombstones survive."""

from __future__ import annotations

import itertools
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_stores import OptimisticStore

from custinfo.crypto import FieldCipher, Keyring, KeyStore, LocalKeyProvider, MemoryKeyStore, SupportsGetMany, _watch
from custinfo.errors import ConflictError, InvalidFieldError, KeyDestroyedError, StoreError
from custinfo.store import MemoryStore, Record, RecordKeyStore, SqliteStore
from custinfo.testing import KeyStoreContract

NAMES = ["a", "a/1", "a/2", "b", "\u5f20"]
SWAPS = st.lists(
    st.tuples(st.sampled_from(NAMES), st.sampled_from([b"", b"\0\xff", None]), st.integers(0, 3)),
    min_size=1,
    max_size=3,
)


def outcome(call):
    try:
        return call()
    except (ConflictError, KeyDestroyedError) as exc:
        return type(exc), exc.code


@settings(deadline=None)
@given(st.lists(SWAPS, max_size=8))
def test_it_does_what_the_key_store_in_memory_does(swaps):
    peer, keys = MemoryKeyStore(), RecordKeyStore(MemoryStore())
    assert isinstance(keys, KeyStore)
    assert isinstance(keys, SupportsGetMany)
    for items in swaps:
        before = keys.generation()
        result = outcome(lambda items=items: keys.put(items))
        assert result == outcome(lambda items=items: peer.put(items))
        assert (keys.generation() != before) == (result is None)
        assert [keys.get(name) for name in NAMES] == [peer.get(name) for name in NAMES]
        assert keys.get_many([*NAMES, "a"]) == peer.get_many([*NAMES, "a"])
        for prefix in ("", "a", "a/", "c"):
            for after in ("", "a", "a/1", "z"):
                for limit in (0, 1, 1000):
                    assert keys.names(prefix, after, limit) == peer.names(prefix, after, limit)


def test_names_are_found_behind_thousands_of_tombstones():
    keys = RecordKeyStore(MemoryStore())
    names = [f"k/{number:04}" for number in range(2500)]
    keys.put([(name, b"row", 0) for name in [*names, "z"]])
    keys.put([(name, None, 1) for name in names[:-1]])
    assert keys.names("k/") == ["k/2499"]
    assert keys.names() == ["k/2499", "z"]


def test_keys_and_tombstones_survive_and_other_processes_see_the_generation(tmp_path):
    path = tmp_path / "keys.db"
    one, other = SqliteStore(path), SqliteStore(path)
    RecordKeyStore(one).put([("a", b"wrapped", 0), ("b", b"wrapped", 0)])
    seen = RecordKeyStore(other).generation()
    RecordKeyStore(one).put([("a", None, 1)])
    assert RecordKeyStore(other).generation() != seen
    with pytest.raises(KeyDestroyedError) as caught:
        RecordKeyStore(other).put([("b", b"new", 1), ("a", b"back", 2)])
    assert "a" not in str(caught.value).split()
    assert RecordKeyStore(other).get("b") == (b"wrapped", 1)
    one.close()
    other.close()
    again = SqliteStore(path)
    assert RecordKeyStore(again).get("a") == (None, 2)
    assert RecordKeyStore(again).names() == ["b"]
    again.close()


def test_nothing_of_a_destroyed_key_is_left_in_the_files(tmp_path):
    store = SqliteStore(tmp_path / "keys.db")
    keys = RecordKeyStore(store)
    secret = b"the wrapped key of one person, 48 bytes of it .."
    keys.put([("subject/1", secret, 0), ("subject/2", b"another", 0)])
    assert any(secret in file.read_bytes() for file in tmp_path.iterdir())
    keys.put([("subject/1", None, 1)])
    assert not any(secret in file.read_bytes() for file in tmp_path.iterdir())
    store.close()


def test_writers_that_overlap_repeat_until_they_get_through():
    keys = RecordKeyStore(OptimisticStore())

    def write(number):
        for turn in range(10):
            keys.put([(f"{number}/{turn}", b"row", 0)])

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys.names()) == keys.generation() == 40


def test_a_store_that_always_conflicts_ends_in_a_conflict():
    class Restless(OptimisticStore):
        def merge(self, unit):
            raise ConflictError("again")

    with pytest.raises(ConflictError):
        RecordKeyStore(Restless()).put([("a", b"row", 0)])


def test_a_name_that_no_store_can_keep_is_refused():
    with pytest.raises(InvalidFieldError):
        RecordKeyStore(MemoryStore()).put([("a\0b", b"row", 0)])


def test_a_new_key_inside_a_unit_on_the_same_store_is_refused_not_awaited():
    store = MemoryStore()
    with store.unit() as unit:
        unit.put(Record("thing", "a", 0, b""), (), 0)
        with pytest.raises(StoreError) as caught:
            RecordKeyStore(store).put([("a", b"row", 0)])
    assert caught.value.code == "store.nested"


class TestRecordKeyStoreInMemory(KeyStoreContract):
    def make_store(self):
        return RecordKeyStore(MemoryStore())


class TestRecordKeyStoreOnSqlite(KeyStoreContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path):
        self._paths = (tmp_path / f"{number}.db" for number in itertools.count())

    def make_store(self):
        self._path = next(self._paths)
        return RecordKeyStore(SqliteStore(self._path))

    def reopen(self, store):
        return RecordKeyStore(SqliteStore(self._path))


def keyring_on(path, provider):
    return Keyring(provider, RecordKeyStore(SqliteStore(path)))


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 1000.0

        def __call__(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(_watch, "monotonic", clock)
    return clock


def test_a_shredding_through_another_connection_is_seen_within_a_tenth_of_a_second(tmp_path, clock):
    provider, place = LocalKeyProvider.generate(), {"entity": "customer", "record": "17", "field": "email"}
    warm, other = (keyring_on(tmp_path / "keys.db", provider) for _ in range(2))
    token = FieldCipher(warm).encrypt("x", **place)
    assert FieldCipher(warm).decrypt(token, **place) == "x"
    other.shred("17")
    clock.now += 0.1
    for keyring in (warm, keyring_on(tmp_path / "keys.db", provider)):
        with pytest.raises(KeyDestroyedError):
            FieldCipher(keyring).decrypt(token, **place)
    for keyring in (warm, other):
        keyring.key_store.store.close()


def test_the_keys_of_many_new_subjects_are_one_write_and_few_reads(tmp_path, clock):
    class Counting(RecordKeyStore):
        def __init__(self, store):
            super().__init__(store)
            self.calls = []

        def get(self, name):
            self.calls.append("get")
            return super().get(name)

        def get_many(self, names):
            self.calls.append("get_many")
            return super().get_many(names)

        def put(self, items):
            self.calls.append(len(items))
            super().put(items)

    provider, store = LocalKeyProvider.generate(), SqliteStore(tmp_path / "keys.db")
    keys = Counting(store)
    rows = [(str(number), None, {"name": "x"}) for number in range(1000)]
    tokens = FieldCipher(Keyring(provider, keys)).encrypt_records(rows, entity="customer")
    assert [call for call in keys.calls if isinstance(call, int)] == [1, 1000]  # the root, and all data keys
    assert keys.calls.count("get") < 10
    keys.calls.clear()
    sealed = [(record, None, token) for (record, _, _), token in zip(rows, tokens, strict=True)]
    assert FieldCipher(Keyring(provider, keys)).decrypt_records(sealed, entity="customer") == [{"name": "x"}] * 1000
    assert keys.calls.count("get") < 10
    assert keys.calls.count("get_many") == 4
    store.close()

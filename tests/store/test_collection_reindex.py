"""Collections index their records anew while a key of a blind index is rotated."""

from __future__ import annotations

import pytest
from plain_stores import PlainStore

from custinfo.crypto import BlindIndex, FieldCipher, Keyring, LocalKeyProvider, MemoryKeyStore
from custinfo.errors import DuplicateKeyError
from custinfo.model import Customer, Email, Identifier
from custinfo.store import Collection, Key, MemoryStore, SqliteStore, _reindex


@pytest.fixture(params=["memory", "sqlite", "plain"])
def store(request, tmp_path):
    if request.param == "plain":
        yield PlainStore()
        return
    store = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "a.db")
    yield store
    store.close()


@pytest.fixture
def keyring():
    return Keyring(LocalKeyProvider(bytes(32)), MemoryKeyStore())


@pytest.fixture
def customers(store, keyring):
    return Collection(store, Customer, FieldCipher(keyring))


def index_of(keyring, look_up):
    return BlindIndex(keyring, f"customer.{look_up}", normalize=str, bits=256)


def rosa(number, **more):
    identifier = Identifier(scheme="external", issuer="till", value=f"K-{number}")
    return Customer(id=f"c{number}", emails=[Email(f"rosa{number}@example.com")], identifiers=[identifier], **more)


def test_what_was_indexed_anew_is_found_when_the_old_key_is_gone(customers, keyring, monkeypatch):
    monkeypatch.setattr(_reindex, "_PAGE", 2)
    customers.put_many([rosa(number) for number in range(5)])
    index = index_of(keyring, "email")
    index.rotate()
    assert customers.reindex() == 5
    index.finish_rotation()
    assert [one.id for one in customers.find(email="rosa4@example.com")] == ["c4"]
    assert [one.id for one in customers.find(email="rosa0@example.com")] == ["c0"]


def test_what_was_not_indexed_anew_is_lost_with_the_old_key(customers, keyring):
    customers.put(rosa(1))
    index = index_of(keyring, "email")
    index.rotate()
    index.finish_rotation()
    assert customers.find(email="rosa1@example.com") == []
    assert customers.reindex() == 1
    assert [one.id for one in customers.find(email="rosa1@example.com")] == ["c1"]


def test_objects_history_and_feed_stay_as_they_are(customers, keyring, store):
    before = customers.put(rosa(1))
    index_of(keyring, "email").rotate()
    with store.unit() as unit:
        events = unit.feed("", 10)
    customers.reindex()
    after = customers.get("c1")
    assert (after.version, before.version) == (2, 1)
    assert (after.emails, after.updated_at) == (before.emails, before.updated_at)
    assert [one.version for one in customers.history("c1")] == [2]
    with store.unit() as unit:
        assert unit.feed("", 10) == events


def test_a_unique_value_is_held_under_both_keys_until_the_rotation_ends(customers, keyring, store):
    customers.put(rosa(1))
    index = index_of(keyring, "identifier")
    index.rotate()
    customers.reindex()
    for step in (lambda: None, index.finish_rotation, customers.reindex):
        step()
        with pytest.raises(DuplicateKeyError):
            customers.put(Customer(id="other", identifiers=rosa(1).identifiers))


def test_records_that_are_as_they_should_be_are_not_written(keyring):
    customers = Collection(MemoryStore(), Customer, FieldCipher(keyring))
    customers.put_many([rosa(1), rosa(2)])
    assert customers.reindex() == 0
    index = index_of(keyring, "identifier")
    index.rotate()
    assert (customers.reindex(), customers.reindex()) == (2, 0)
    index.finish_rotation()
    assert (customers.reindex(), customers.reindex()) == (2, 0)  # the former tokens go
    with customers.store.unit() as unit:
        assert len([key for key in unit.keys("customer", "c1") if key.name == "identifier"]) == 1


def test_the_stub_of_an_erased_customer_keeps_its_tokens(customers, keyring, store):
    stub = Customer(id="c1", status="erased")
    customers.put(stub, extra_keys=[Key("identifier", "BLOCKED", unique=True)])
    index_of(keyring, "identifier").rotate()
    assert customers.reindex() == 0
    with store.unit() as unit:
        assert unit.lookup("customer", "identifier", "BLOCKED") == ["c1"]


def test_a_shredded_subject_is_no_obstacle_and_loses_its_tokens(customers, keyring, store):
    customers.put_many([rosa(1), rosa(2)])
    index = index_of(keyring, "email")
    token = index.token("rosa1@example.com")
    keyring.shred("c1")
    customers.reindex()
    assert [one.id for one in customers.find(email="rosa2@example.com")] == ["c2"]
    with store.unit() as unit:
        assert unit.lookup("customer", "email", token) == []


def test_an_empty_collection_and_one_in_clear_are_indexed_too(customers):
    assert customers.reindex() == 0
    clear = Collection(MemoryStore(), Customer)
    clear.put(rosa(1))
    assert clear.reindex() == 0

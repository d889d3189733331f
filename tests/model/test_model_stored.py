"""Every class in an encrypted collection: whole, in part, and after its key is gone."""

from __future__ import annotations

import attrs
import pytest
from model_examples import FILLED

from custinfo.crypto import FieldCipher, Keyring, LocalKeyProvider, MemoryKeyStore
from custinfo.model import lookup_terms, personal_fields
from custinfo.store import Collection, MemoryStore

STAMPED = {"version": 0, "created_at": None, "updated_at": None}


@pytest.fixture(scope="module")
def keyring():
    return Keyring(LocalKeyProvider(b"k" * 32), MemoryKeyStore())


def stored(name, keyring):
    obj = attrs.evolve(FILLED[name], version=0)
    collection = Collection(MemoryStore(), type(obj), FieldCipher(keyring))
    collection.put(obj, subject=name)
    return obj, collection


@pytest.mark.parametrize("name", FILLED)
def test_every_class_is_stored_and_found(name, keyring):
    obj, collection = stored(name, keyring)
    wanted = attrs.evolve(obj, **STAMPED)
    if getattr(obj, "merged_into", None) is None:
        assert attrs.evolve(collection.get(obj.id), **STAMPED) == wanted
        for term in lookup_terms(obj):
            assert [found.id for found in collection.find(**{term.name: term.text})] == [obj.id], term.name
    (found,) = collection.scan(hidden=True)
    assert attrs.evolve(found, **STAMPED) == wanted


@pytest.mark.parametrize("name", FILLED)
def test_any_part_of_the_personal_fields_makes_an_object(name, keyring):
    """No rule may need two personal fields at once: a view decrypts only what is granted."""
    obj, collection = stored(name, keyring)
    (record,) = collection.records()
    for field in personal_fields(type(obj)):
        assert getattr(collection.codec.open(record, fields=[field]), field) == getattr(obj, field)
        others = personal_fields(type(obj)) - {field}
        part = collection.codec.open(record, fields=others)
        assert not getattr(part, field)
        assert all(getattr(part, other) == getattr(obj, other) for other in others)


def test_an_object_whose_key_is_gone_keeps_what_is_not_personal():
    keyring = Keyring(LocalKeyProvider(b"k" * 32), MemoryKeyStore())
    for name in FILLED:
        obj, collection = stored(name, keyring)
        keyring.shred(name)
        (record,) = collection.records()
        left = collection.codec.open(record)
        for field in attrs.fields(type(obj)):
            if field.name in personal_fields(type(obj)):
                assert not getattr(left, field.name)
            elif field.name not in STAMPED:
                assert getattr(left, field.name) == getattr(obj, field.name)

"""Keyrings that write and cannot read."""

from __future__ import annotations

import pytest
from crypto_helpers import HERE, WriteOnly, filled, reads, ring_over, still_reads

from custinfo.crypto import FieldCipher, MemoryKeyStore
from custinfo.errors import (
    AccessDeniedError,
    DecryptionError,
    KeyDestroyedError,
)


def test_a_write_only_keyring_writes_what_readers_read(provider, store):
    ingest = ring_over(WriteOnly(provider), store)
    assert not ingest.can_read
    token = FieldCipher(ingest).encrypt("x", **HERE)
    again = FieldCipher(ingest).encrypt("y", **HERE)
    assert token[:34] == again[:34]
    assert reads(ring_over(provider, store), token)
    assert reads(ring_over(provider, store), again, "y")


def test_a_write_only_keyring_reads_nothing_of_others(provider, store):
    token = FieldCipher(ring_over(provider, store)).encrypt("x", **HERE)
    ingest = ring_over(WriteOnly(provider), store)
    with pytest.raises(DecryptionError):
        reads(ingest, token)
    for use in (lambda: ingest.secret("audit"), ingest.rotate_root, ingest.rotate_kek):
        with pytest.raises(AccessDeniedError) as caught:
            use()
        assert caught.value.code == "keyring.write_only"


def test_a_write_only_keyring_adds_its_key_beside_the_subjects_own(provider, store):
    reader = ring_over(provider, store)
    own = FieldCipher(reader).encrypt("x", **HERE)
    tokens = [FieldCipher(ring_over(WriteOnly(provider), store)).encrypt("y", **HERE) for _ in range(2)]
    fresh = ring_over(provider, store)
    assert reads(fresh, own)
    assert all(reads(fresh, token, "y") for token in tokens)
    assert len({token[:34] for token in [own, *tokens]}) == 3
    assert len(fresh.shred("17").kids) == 3


def test_a_write_only_keyring_does_not_expire(provider, store, clock):
    ingest = FieldCipher(ring_over(WriteOnly(provider), store, cache_ttl_s=1, max_uses=1))
    tokens = []
    for number in range(4):
        clock.now += 10
        tokens.append(ingest.encrypt("x", entity="e", record=str(number), field="a"))
    assert provider.wraps == 1


def test_a_rotation_takes_over_the_keys_of_write_only_keyrings(provider, store, clock):
    content = filled(provider, store)
    ingest = FieldCipher(ring_over(WriteOnly(provider), store))
    tokens = [ingest.encrypt("x", **HERE)]
    for _ in range(3):
        content[0].rotate_root()
        clock.now += 1
        tokens.append(ingest.encrypt("x", **HERE))
    assert all(reads(ring_over(provider, store), token) for token in tokens)
    assert still_reads(provider, store, content)


def test_a_rotation_between_the_write_of_a_write_only_keyring_and_its_look_is_no_trouble(provider, store):
    content = filled(provider, store)
    ingest = FieldCipher(ring_over(WriteOnly(provider), store))
    ingest.encrypt("x", entity="e", record="a", field="a")
    store.before_put = lambda: (content[0].rotate_root(), content[0].rotate_root())
    token = ingest.encrypt("x", **HERE)
    assert reads(ring_over(provider, store), token)


def test_a_write_only_keyring_in_tenant_mode_makes_a_key_of_its_own(provider, store, clock):
    ingest = FieldCipher(ring_over(WriteOnly(provider), store, mode="tenant"))
    token = ingest.encrypt("x", **HERE)
    ring_over(provider, store).rotate_root()
    clock.now += 1
    later = ingest.encrypt("x", **HERE)
    assert later[:34] != token[:34]  # it cannot read its key under the readers' root any more
    assert all(reads(ring_over(provider, store, mode="tenant"), one) for one in (token, later))


def test_a_shredded_subject_is_dead_for_a_write_only_keyring(provider, store):
    ingest = ring_over(WriteOnly(provider), store)
    ring_over(provider, store).shred("17")
    with pytest.raises(KeyDestroyedError):
        FieldCipher(ingest).encrypt("x", **HERE)
    FieldCipher(ring_over(provider, store)).encrypt("x", entity="e", record="18", field="a")
    store.before_put = lambda: ring_over(provider, store).shred("18")
    with pytest.raises(KeyDestroyedError):
        FieldCipher(ingest).encrypt("x", entity="e", record="18", field="a")


def test_a_shredding_between_two_looks_of_a_write_only_keyring_wins(provider, store, monkeypatch):
    FieldCipher(ring_over(provider, store)).encrypt("x", **HERE)
    ingest = FieldCipher(ring_over(WriteOnly(provider), store))
    ingest.encrypt("x", entity="e", record="warm", field="a")
    real, looks = MemoryKeyStore.get, []

    def get(self, name):
        if name == "subject/default/17":
            looks.append(name)
            if len(looks) == 2:
                real_put(self, [(name, None, 1)])
        return real(self, name)

    real_put = MemoryKeyStore.put
    monkeypatch.setattr(MemoryKeyStore, "get", get)
    with pytest.raises(KeyDestroyedError):
        ingest.encrypt("x", **HERE)
    assert len(looks) == 3

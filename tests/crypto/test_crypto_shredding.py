"""Shredding: at once here, soon elsewhere, and before every writer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from crypto_helpers import HERE, ring_over

from custinfo.crypto import FieldCipher, MemoryKeyStore
from custinfo.errors import (
    InvalidFieldError,
    KeyDestroyedError,
)


def test_a_receipt_names_kids_and_times(provider, store):
    keyring = ring_over(provider, store, backup_retention_days=14)
    token = FieldCipher(keyring).encrypt("x", **HERE)
    before = datetime.now(UTC)
    receipt = keyring.shred("17")
    assert receipt.subject == "17"
    assert receipt.kids == (token[2:34].hex(),)
    assert before <= receipt.at <= datetime.now(UTC)
    assert receipt.final_at - receipt.at == timedelta(days=14)
    assert keyring.shred("17").kids == ()
    assert keyring.is_shredded("17")
    assert not keyring.is_shredded("18")


def test_shredding_needs_a_key_per_subject(provider, store):
    with pytest.raises(InvalidFieldError) as caught:
        ring_over(provider, store, mode="tenant").shred("17")
    assert caught.value.code == "shred.mode"


def test_a_shredding_by_another_process_is_seen_within_a_tenth_of_a_second(provider, store, clock):
    cipher = FieldCipher(ring_over(provider, store))
    token = cipher.encrypt("x", **HERE)
    assert cipher.decrypt(token, **HERE) == "x"
    store.put([("subject/default/17", None, 1)])  # as another process would, behind the back of this one
    clock.now += 0.1
    for use in (lambda: cipher.decrypt(token, **HERE), lambda: cipher.encrypt("x", **HERE)):
        with pytest.raises(KeyDestroyedError):
            use()


def test_the_generation_is_asked_ten_times_a_second_at_most(provider, clock):
    asked = []

    class Asked(MemoryKeyStore):
        def generation(self):
            asked.append(clock.now)
            return super().generation()

    store = Asked()
    ciphers = [FieldCipher(ring_over(provider, store)) for _ in range(2)]
    for _ in range(100):
        clock.now += 0.01
        for cipher in ciphers:
            cipher.encrypt("x", **HERE)
    assert len(asked) <= 11
    assert all(later - sooner >= 0.0999 for sooner, later in pairwise(asked))


def test_a_write_elsewhere_costs_a_look_and_no_unwrapping(provider, store, clock):
    cipher = FieldCipher(ring_over(provider, store))
    token = cipher.encrypt("x", **HERE)
    held = cipher._keys._held["subject/default/17"]
    store.put([("subject/default/other", b"", 0)])
    clock.now += 1
    assert cipher.decrypt(token, **HERE) == "x"
    assert cipher._keys._held["subject/default/17"] is held


def test_a_shredding_wins_over_a_writer_that_makes_a_key(provider, store):
    keyring = ring_over(provider, store)
    FieldCipher(keyring).encrypt("x", entity="e", record="1", field="a")
    store.before_put = lambda: ring_over(provider, store).shred("17")
    with pytest.raises(KeyDestroyedError):
        FieldCipher(keyring).encrypt("x", **HERE)


def test_a_shredding_that_meets_a_writer_tries_again(provider, store):
    keyring = ring_over(provider, store)
    store.before_put = lambda: FieldCipher(ring_over(provider, store)).encrypt("x", **HERE)
    assert len(keyring.shred("17").kids) == 1


def test_two_shreddings_at_once_both_succeed(provider, store):
    keyring = ring_over(provider, store)
    FieldCipher(keyring).encrypt("x", **HERE)
    receipts = []
    store.before_put = lambda: receipts.append(ring_over(provider, store).shred("17"))
    receipts.append(keyring.shred("17"))
    assert sorted(len(receipt.kids) for receipt in receipts) == [0, 1]


def test_a_damaged_row_can_be_shredded(provider, store):
    store.put([("subject/default/17", b"damaged", 0)])
    keyring = ring_over(provider, store)
    assert keyring.shred("17").kids == ()
    assert keyring.is_shredded("17")

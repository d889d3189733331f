"""Rows of the key store at their edges: flags, damaged rows among good entries, bulk writes under given subjects."""

from __future__ import annotations

import os

import attrs
import pytest
from crypto_helpers import HERE, WriteOnly, filled, reads, ring_over, still_reads

from custinfo.crypto import FieldCipher, MemoryKeyStore, WrappedKey
from custinfo.crypto._rows import DATA_KEY_MAGIC, RootEntry, pack_keys, pack_roots, unpack_keys, unpack_roots
from custinfo.errors import ConflictError, DecryptionError, InvalidFieldError

ENTRY = RootEntry(bytes(range(32)), 0, WrappedKey("local:0", 7, b"blob"))
FIELD_ROW = "subject/default/17"


@pytest.mark.parametrize("flags", range(16))
def test_a_root_row_comes_back_with_every_flag(flags):
    entries = (attrs.evolve(ENTRY, flags=flags), attrs.evolve(ENTRY, root_id=bytes(32)))
    assert unpack_roots(pack_roots(entries)) == entries


@pytest.mark.parametrize("flags", [16, 17, 128, 255])
def test_a_root_row_with_an_unknown_flag_is_refused(flags):
    with pytest.raises(DecryptionError):
        unpack_roots(pack_roots((attrs.evolve(ENTRY, flags=flags),)))


def damaged(row):
    """Rows that are nearly right: another magic, no entry at all, an entry cut or lengthened."""
    return [b"\xc4\x01" + row[2:], DATA_KEY_MAGIC, DATA_KEY_MAGIC + b"x", b"", row[:-1], row + b"\x00"]


@pytest.mark.parametrize("kind", range(6))
def test_a_row_that_is_nearly_right_is_refused_alone_and_among_many(provider, store, kind):
    token = FieldCipher(ring_over(provider, store)).encrypt("x", **HERE)
    row, revision = store.get(FIELD_ROW)
    store.put([(FIELD_ROW, damaged(row)[kind], revision)])
    with pytest.raises(DecryptionError):
        reads(ring_over(provider, store), token)
    with pytest.raises(DecryptionError):
        FieldCipher(ring_over(provider, store)).decrypt_records([("17", None, {"email": token})], entity="customer")


@pytest.mark.parametrize("bulk", [False, True])
def test_an_entry_that_cannot_be_opened_hides_none_behind_it(provider, store, bulk):
    token = FieldCipher(ring_over(provider, store)).encrypt("x", **HERE)
    row, revision = store.get(FIELD_ROW)
    (own,) = unpack_keys(row, magic=DATA_KEY_MAGIC)
    torn = own._replace(kid=os.urandom(32))  # its wrapping names another kid
    foreign = own._replace(root_id=os.urandom(32))  # of a root that is not there
    store.put([(FIELD_ROW, pack_keys((torn, foreign, own), magic=DATA_KEY_MAGIC), revision)])
    reader = FieldCipher(ring_over(provider, store))
    if bulk:
        assert reader.decrypt_records([("17", None, {"email": token})], entity="customer") == [{"email": "x"}]
    else:
        assert reader.decrypt(token, **HERE) == "x"


def test_a_write_only_keyring_reads_past_the_keys_of_others(provider, store):
    FieldCipher(ring_over(provider, store)).encrypt("x", **HERE)
    ingest = FieldCipher(ring_over(WriteOnly(provider), store))
    first = ingest.encrypt("y", **HERE)
    assert ingest.decrypt(first, **HERE) == "y"


def test_the_keys_of_many_records_are_made_for_the_subjects_that_are_given(provider, store):
    cipher = FieldCipher(ring_over(provider, store))
    cipher.encrypt("x", **HERE)
    before = len(store.puts)
    cipher.encrypt_records([(f"r{n}", f"s{n // 2}", {"a": n}) for n in range(6)], entity="e")
    assert store.puts[before:] == [[f"subject/default/s{n}" for n in range(3)]]


def test_a_row_shredded_between_the_two_looks_of_a_rotation_is_not_counted(provider, store, monkeypatch):
    content, real = filled(provider, store), MemoryKeyStore.put
    held_up = []

    def put(self, items):
        names = [name for name, _, _ in items]
        if len(names) > 2 and not held_up:
            held_up.append(names)
            raise ConflictError("a row of the page was written meanwhile")
        if names == ["subject/default/3"]:
            monkeypatch.setattr(MemoryKeyStore, "put", real)
            ring_over(provider, store).shred("3")
        real(self, items)

    monkeypatch.setattr(MemoryKeyStore, "put", put)
    assert content[0].rotate_root() == 8
    assert held_up
    del content[1][3:]
    assert still_reads(provider, store, content)


@pytest.mark.parametrize(
    ("value", "code"),
    [("\ud800", "cipher.text"), ({"a": "\ud800"}, "cipher.json"), (10**5000, "cipher.int"), ({1}, "cipher.type")],
    ids=["text", "json", "int", "type"],
)
def test_a_value_that_a_codec_cannot_hold_is_refused_by_its_code(value, code):
    with pytest.raises(InvalidFieldError) as caught:
        FieldCipher.from_dek(bytes(32), tenant="t").encrypt(value, **HERE)
    assert caught.value.code == code

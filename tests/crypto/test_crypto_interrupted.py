"""Writes that meet other writes: what a rotation, a secret and a shredding do when the key store changes under them."""

from __future__ import annotations

import pytest
from crypto_helpers import HERE, Counting, WriteOnly, filled, reads, ring_over, root_ids, still_reads, under

from custinfo.crypto import BlindIndex, FieldCipher
from custinfo.crypto import _access as access_module
from custinfo.crypto import _rotation as rotation_module
from custinfo.errors import DecryptionError, KeyDestroyedError


@pytest.fixture
def small_pages(monkeypatch):
    monkeypatch.setattr(rotation_module, "PAGE_ROWS", 2)


def at_each_put(store, monkeypatch, hooks):
    """Run one of *hooks* before each put of *store* (None: nothing), in their order."""
    real, left = store.put, list(hooks)

    def put(items):
        hook = left.pop(0) if left else None
        if hook:
            hook()
        real(items)

    monkeypatch.setattr(store, "put", put)
    return left


# Rotations of the root


def test_a_root_rotation_counts_the_rows_of_all_pages(provider, store, small_pages):
    content, seen = filled(provider, store), []
    assert content[0].rotate_root(progress=lambda done, total: seen.append((done, total))) == 9
    assert seen == [(2, 9), (4, 9), (6, 9), (8, 9), (9, 9)]


def test_damaged_rows_of_all_pages_are_counted(provider, store, small_pages):
    content = filled(provider, store)
    for number in (0, 6):
        name = f"subject/default/{number}"
        row, revision = store.get(name)
        store.put([(name, row[:-1] + bytes([row[-1] ^ 1]), revision)])
    with pytest.raises(DecryptionError) as caught:
        content[0].rotate_root()
    assert caught.value.details["rows"] == 2


def test_a_root_rotation_that_meets_a_kek_rotation_at_its_beginning_begins_again(provider, store):
    content, new = filled(provider, store), Counting(b"\x02" * 32)
    (old,) = root_ids(store)
    other = ring_over(provider, store)
    store.before_put = other.rotate_kek  # another revision, and no rotation of the root
    assert content[0].rotate_root() == 9
    assert root_ids(store)[1:] == [old]
    assert still_reads(provider, store, content)
    content[0].rotate_kek(new)
    assert still_reads(new, store, content)


def test_a_root_rotation_that_meets_a_kek_rotation_at_its_end_ends_all_the_same(provider, store, monkeypatch):
    content = filled(provider, store)
    content[0].rotate_root()
    left = at_each_put(store, monkeypatch, [None, None, ring_over(provider, store).rotate_kek])
    content[0].rotate_root()
    assert left == []
    assert len(root_ids(store)) == 2  # the one that was going is gone
    assert content[0].rotate_root() == 9  # and the next call is a new rotation
    assert still_reads(provider, store, content)


def test_a_row_shredded_before_its_page_is_read_leaves_the_rest_of_the_page_to_be_moved(provider, store, monkeypatch):
    content = filled(provider, store)
    all_names = rotation_module._all_names

    def listed(guarded, prefix):
        names = list(all_names(guarded, prefix))
        if "subject/default/3" in names:
            ring_over(provider, store).shred("3")
        return names

    monkeypatch.setattr(rotation_module, "_all_names", listed)
    assert content[0].rotate_root() == 8
    ((_, rows),) = under(store).items()
    assert rows == 8


def test_a_row_under_the_new_root_already_is_not_written_again(provider, store):
    content = filled(provider, store)
    late = FieldCipher(ring_over(provider, store))  # writes when the new root was named, before the rows are listed
    store.after_put = lambda: late.encrypt("x", entity="e", record="late", field="a")
    assert content[0].rotate_root() == 9
    assert store.get("subject/default/late")[1] == 1


@pytest.mark.parametrize("moment", ["before_put", "after_put"])
def test_the_key_that_a_write_only_keyring_adds_during_a_rotation_is_moved_alone(provider, store, moment):
    reader = ring_over(provider, store)
    own = FieldCipher(reader).encrypt("x", **HERE)
    ingest = FieldCipher(ring_over(WriteOnly(provider), store))
    ingest.encrypt("x", entity="e", record="a", field="a")
    before = set(root_ids(store))

    def rotate_twice():
        reader.rotate_root()
        reader.rotate_root()

    setattr(store, moment, rotate_twice)
    token = ingest.encrypt("y", **HERE)
    assert not before & set(root_ids(store))
    fresh = ring_over(provider, store)
    assert reads(fresh, own)
    assert reads(fresh, token, "y")


def test_keys_that_were_opened_together_are_not_asked_for_again(provider, store, monkeypatch):
    rows = [(str(n), None, {"a": n}) for n in range(5)]
    tokens = FieldCipher(ring_over(provider, store)).encrypt_records(rows, entity="e")
    sealed = [(record, None, made) for (record, _, _), made in zip(rows, tokens, strict=True)]
    reader = FieldCipher(ring_over(provider, store))
    assert reader.decrypt_records(sealed, entity="e") == [values for _, _, values in rows]
    asked, real = [], store.get
    monkeypatch.setattr(store, "get", lambda name: asked.append(name) or real(name))
    assert [reader.decrypt_record(made, entity="e", record=record) for record, _, made in sealed] == [
        values for _, _, values in rows
    ]
    assert asked == []


@pytest.mark.parametrize("mode", ["subject", "tenant"])
def test_keys_that_were_just_made_are_not_asked_for(provider, store, monkeypatch, mode):
    cipher = FieldCipher(ring_over(provider, store, mode=mode))
    rows = [(str(n), None, {"a": n}) for n in range(3)]
    cipher.encrypt_records(rows, entity="e")
    cipher.encrypt("x", entity="e", record="3", field="a")
    asked, real = [], store.get
    monkeypatch.setattr(store, "get", lambda name: asked.append(name) or real(name))
    cipher.encrypt("y", entity="e", record="3", field="a")
    cipher.encrypt("y", entity="e", record="2", field="a")
    assert asked == []


@pytest.mark.parametrize("rotations", [1, 2])
def test_many_keys_made_while_whole_rotations_pass_are_all_under_the_new_root(provider, store, rotations):
    other = ring_over(provider, store)
    other.secret("audit")

    def rotate():
        for _ in range(rotations):
            other.rotate_root()

    cipher = FieldCipher(ring_over(provider, store))
    cipher.encrypt("x", entity="e", record="first", field="a")
    store.after_put = rotate
    rows = [(str(n), None, {"a": n}) for n in range(5)]
    tokens = cipher.encrypt_records(rows, entity="e")
    ((_, count),) = under(store).items()
    assert count == 7
    fresh = FieldCipher(ring_over(provider, store))
    sealed = [(record, None, made) for (record, _, _), made in zip(rows, tokens, strict=True)]
    assert fresh.decrypt_records(sealed, entity="e") == [values for _, _, values in rows]


# Secrets and index keys


def test_beginning_an_index_rotation_that_meets_a_root_rotation_is_not_lost(provider, store):
    index = BlindIndex(ring_over(provider, store), "email", normalize=str, bits=256)
    before = index.token("x")
    store.before_put = ring_over(provider, store).rotate_root
    index.rotate()
    assert len(index.tokens("x")) == 2
    assert index.tokens("x")[1] == before


def test_ending_an_index_rotation_that_meets_a_root_rotation_is_not_lost(provider, store):
    index = BlindIndex(ring_over(provider, store), "email", normalize=str, bits=256)
    index.rotate()
    index.rotate()
    new = index.token("x")
    store.before_put = ring_over(provider, store).rotate_root
    index.finish_rotation()
    assert index.tokens("x") == (new,)


def test_a_secret_made_while_a_whole_rotation_passes_is_the_same_afterwards(provider, store):
    keyring, other = ring_over(provider, store), ring_over(provider, store)
    keyring.secret("audit")

    def rotate_and_add():
        other.rotate_root()  # finds the new row and moves it: the maker has nothing left to move
        BlindIndex(other, "email", normalize=str, bits=256).rotate()

    store.after_put = rotate_and_add
    index = BlindIndex(keyring, "email", normalize=str, bits=256)
    first = index.token("x")
    fresh = BlindIndex(ring_over(provider, store), "email", normalize=str, bits=256)
    assert len(fresh.tokens("x")) == 2
    assert index.tokens("x") == fresh.tokens("x")
    assert first in fresh.tokens("x")
    ((_, rows),) = under(store).items()
    assert rows == 2


# Forks


def test_a_child_process_has_locks_that_work(provider, store, clock):
    """What a forked child runs, here in the parent, where coverage can see it."""
    keyring = ring_over(provider, store, cache_ttl_s=60)
    token = FieldCipher(keyring).encrypt("x", **HERE)
    access_module._after_fork()
    clock.now += 61  # drops the root, under its lock
    assert reads(keyring, token)
    FieldCipher(keyring).encrypt("x", entity="e", record="new", field="a")
    keyring.shred("17")  # touches the watch, under its lock
    with pytest.raises(KeyDestroyedError):
        reads(keyring, token)

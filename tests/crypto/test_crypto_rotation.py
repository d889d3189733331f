"""Rotations: nothing is lost, whatever happens meanwhile."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor

import pytest
from crypto_helpers import HERE, Counting, Recording, WriteOnly, filled, reads, ring_over, root_ids, still_reads, under

from custinfo.crypto import FieldCipher, MemoryKeyStore
from custinfo.crypto import _rotation as rotation_module
from custinfo.errors import (
    DecryptionError,
    InvalidFieldError,
    KeyDestroyedError,
    KeyUnavailableError,
)

ALL_NAMES = rotation_module._all_names

# Rotation of the key-encryption key


def test_rotating_the_kek_rewraps_the_root_only_and_the_old_key_can_go(provider, store):
    keyring = ring_over(provider, store)
    token = FieldCipher(keyring).encrypt("x", **HERE)
    secret = keyring.secret("audit")
    before = {name: store.get(name) for name in store.names()}
    new = Counting(b"\x02" * 32)
    keyring.rotate_kek(new)
    changed = {name for name in store.names() if store.get(name) != before[name]}
    assert changed == {"root/default"}
    provider.failure = ConnectionError()  # the old key is gone
    for ring in (keyring, ring_over(new, store)):
        assert reads(ring, token)
        assert ring.secret("audit") == secret
    with pytest.raises(DecryptionError):
        reads(ring_over(Counting(), store), token)


def test_rotating_the_kek_again_finishes_it(provider, store):
    token = FieldCipher(ring_over(provider, store)).encrypt("x", **HERE)
    new = Counting(b"\x02" * 32)
    for _ in range(2):  # the second time as after a kill: the old provider in hand, the work done
        keyring = ring_over(provider, store)
        keyring.rotate_kek(new)
    assert reads(keyring, token)
    with pytest.raises(DecryptionError):
        ring_over(Counting(b"\x03" * 32), store).rotate_kek(Counting(b"\x04" * 32))
    assert reads(ring_over(new, store), token)


@pytest.mark.parametrize("written", [False, True], ids=["before its write", "after its write"])
def test_a_killed_kek_rotation_leaves_a_whole_root_row_and_can_be_run_again(provider, store, written):
    content = filled(provider, store)
    content[0].rotate_root()  # so that there are two roots to wrap
    new = Counting(b"\x02" * 32)

    class Killed(BaseException):
        pass

    def kill():
        raise Killed

    setattr(store, "after_put" if written else "before_put", kill)
    with pytest.raises(Killed):
        content[0].rotate_kek(new)
    assert still_reads(new if written else provider, store, content)
    ring_over(provider, store).rotate_kek(new)
    provider.failure = ConnectionError()  # the old key is gone
    assert still_reads(new, store, content)


def test_a_provider_that_fails_between_two_roots_leaves_both_as_they_were(provider, store):
    content = filled(provider, store)
    content[0].rotate_root()
    before = store.get("root/default")

    class FailsAtTheSecond(Counting):
        def wrap(self, key, context):
            if self.wraps:
                raise ConnectionError
            return super().wrap(key, context)

    with pytest.raises(KeyUnavailableError):
        content[0].rotate_kek(FailsAtTheSecond(b"\x02" * 32))
    assert store.get("root/default") == before
    assert still_reads(provider, store, content)


def test_the_kek_cannot_move_to_a_provider_that_only_wraps(provider, store):
    keyring = ring_over(provider, store)
    secret = keyring.secret("audit")
    with pytest.raises(InvalidFieldError) as caught:
        keyring.rotate_kek(WriteOnly(Counting(b"\x02" * 32)))
    assert caught.value.code == "keyring.provider"
    assert ring_over(provider, store).secret("audit") == secret


def test_rotating_the_kek_of_an_empty_store_does_nothing(provider, store):
    ring_over(provider, store).rotate_kek()
    assert store.puts == []


def test_rotating_the_kek_without_a_provider_wraps_anew(provider, store):
    keyring = ring_over(provider, store)
    secret = keyring.secret("audit")
    before = store.get("root/default")[0]
    keyring.rotate_kek()
    assert store.get("root/default")[0] != before
    assert ring_over(provider, store).secret("audit") == secret


def test_a_rewrapper_is_asked_to_rewrap_and_shows_no_key(store):
    class Rewrapping(Counting):
        def rewrap(self, wrapped, context):
            return self.inner.wrap(self.inner.unwrap(wrapped, context), context)

    provider = Rewrapping()
    keyring = ring_over(provider, store)
    secret = keyring.secret("audit")
    before, calls = store.get("root/default")[0], (provider.wraps, provider.unwraps)
    keyring.rotate_kek()
    assert (provider.wraps, provider.unwraps) == calls
    assert store.get("root/default")[0] != before
    assert ring_over(provider, store).secret("audit") == secret


def test_a_kek_rotation_that_meets_a_root_rotation_tries_again(provider, store):
    keyring = ring_over(provider, store)
    secret = keyring.secret("audit")
    store.before_put = lambda: ring_over(provider, store).rotate_root()
    new = Counting(b"\x02" * 32)
    keyring.rotate_kek(new)
    assert ring_over(new, store).secret("audit") == secret


def with_a_second_root(provider, store):
    """A token under a root that the keyring knows of and has not opened yet."""
    token = FieldCipher(ring_over(WriteOnly(provider), store)).encrypt("x", **HERE)
    keyring = ring_over(provider, store)
    keyring.secret("audit")
    assert len(root_ids(store)) == 2
    return keyring, token


def test_a_root_that_was_not_opened_yet_is_opened_by_the_new_provider(provider, store):
    keyring, token = with_a_second_root(provider, store)
    keyring.rotate_kek(Counting(b"\x02" * 32))
    provider.failure = ConnectionError()  # the old key is gone
    assert reads(keyring, token)


def test_a_thread_that_opens_a_root_while_the_kek_moves_waits_for_the_new_provider(provider, store):
    token = FieldCipher(ring_over(provider, store)).encrypt("x", **HERE)
    keyring = ring_over(provider, store)  # has opened no root yet
    with ThreadPoolExecutor(1) as pool:
        reading = []

        def read():
            reading.append(pool.submit(reads, keyring, token))
            with contextlib.suppress(TimeoutError):
                reading[0].result(0.1)  # the root row is written, and the keyring still has the old provider

        store.after_put = read
        keyring.rotate_kek(Counting(b"\x02" * 32))
        assert reading[0].result(60)


# Rotation of the root


@pytest.mark.parametrize("meets", [False, True], ids=["before", "meanwhile"])
def test_no_root_is_named_under_a_kek_that_was_left(provider, store, meets):
    """A process that still has the old provider would put all under a key that is about to go."""
    content = filled(provider, store)
    late, new = ring_over(provider, store), Counting(b"\x02" * 32)
    late.secret("index/email")

    def move():
        ring_over(provider, store).rotate_kek(new)

    if meets:
        store.before_put = move
    else:
        move()
    with pytest.raises(DecryptionError) as caught:
        late.rotate_root()
    assert caught.value.code == "key.unwrap"
    assert len(root_ids(store)) == 1
    provider.failure = ConnectionError()  # the old key is gone
    assert still_reads(new, store, content)
    assert ring_over(new, store).rotate_root() > 0


def test_a_root_of_another_kek_with_nothing_under_it_holds_no_rotation_up(provider, store):
    """As that of an ingest service whose public key was given up."""
    content = filled(provider, store)
    FieldCipher(ring_over(WriteOnly(Counting(b"\x02" * 32)), store)).encrypt("x", **HERE | {"record": "none"})
    content[0].shred("none")
    assert content[0].rotate_root() > 0
    assert still_reads(provider, store, content)


def test_keys_under_a_kek_that_the_provider_is_not_are_named_and_not_counted_as_damage(provider, store):
    content = filled(provider, store)
    ingest = Counting(b"\x02" * 32)
    token = FieldCipher(ring_over(WriteOnly(ingest), store)).encrypt("x", **HERE | {"record": "new"})
    with pytest.raises(DecryptionError, match="open with the other key") as caught:
        content[0].rotate_root()
    assert caught.value.code == "key.unwrap"
    assert still_reads(provider, store, content)
    assert FieldCipher(ring_over(ingest, store)).decrypt(token, **HERE | {"record": "new"}) == "x"


def test_rotating_the_root_rewraps_every_key_and_changes_no_token_or_secret(provider, store):
    content = filled(provider, store)
    (old,) = under(store)
    seen = []
    assert content[0].rotate_root(progress=lambda done, total: seen.append((done, total))) == 9
    assert seen == [(9, 9)]
    ((new, rows),) = under(store).items()
    assert new != old
    assert rows == 9
    assert still_reads(provider, store, content)
    assert reads(content[0], content[2])


def test_the_root_before_stays_for_one_more_rotation(provider, store):
    content = filled(provider, store)
    generations = [root_ids(store)]
    for _ in range(3):
        content[0].rotate_root()
        generations.append(root_ids(store))
    first, second, third, fourth = (ids[0] for ids in generations)
    assert generations == [[first], [second, first], [third, second], [fourth, third]]
    assert still_reads(provider, store, content)


@pytest.mark.parametrize("killed_at", range(8))
def test_a_killed_root_rotation_goes_on_where_it_stopped(provider, store, monkeypatch, killed_at):
    monkeypatch.setattr(rotation_module, "PAGE_ROWS", 2)
    content = filled(provider, store)
    puts_before = len(store.puts)

    class Killed(BaseException):
        pass

    real = MemoryKeyStore.put

    def put(self, items):
        if len(store.puts) - puts_before == killed_at:
            raise Killed
        real(self, items)
        store.puts.append([name for name, _, _ in items])

    monkeypatch.setattr(Recording, "put", put)
    if killed_at < 7:
        with pytest.raises(Killed):
            content[0].rotate_root()
    else:
        content[0].rotate_root()
    monkeypatch.setattr(Recording, "put", real)
    assert still_reads(provider, store, content)
    roots = set(root_ids(store))
    content[0].rotate_root()
    assert len(under(store)) == 1
    if 0 < killed_at < 7:
        assert set(root_ids(store)) == roots  # no third root: it went on with the one it had
    assert still_reads(provider, store, content)


def test_a_shredding_during_a_rotation_wins(provider, store, monkeypatch):
    content = filled(provider, store)
    shredder = ring_over(provider, store)
    real, hooked = MemoryKeyStore.put, []

    def put(self, items):
        if len(items) > 2 and not hooked:
            hooked.append(True)
            shredder.shred("3")
        real(self, items)

    monkeypatch.setattr(Recording, "put", put)
    assert content[0].rotate_root() == 8
    assert hooked
    assert shredder.is_shredded("3")
    with pytest.raises(KeyDestroyedError):
        FieldCipher(content[0]).decrypt(content[1][3]["email"], entity="e", record="3", field="email")
    assert len(under(store)) == 1


def test_a_shredding_between_two_looks_of_a_rotation_wins(provider, store, monkeypatch):
    """Row by row as well: the tombstone comes after the read and before the write."""
    monkeypatch.setattr(rotation_module, "PAGE_ROWS", 1)
    content = filled(provider, store)
    shredder = ring_over(provider, store)
    real = MemoryKeyStore.put

    def put(self, items):
        if items[0][0] == "subject/default/3" and items[0][1] is not None:
            shredder.shred("3")
        if items[0][0] == "subject/default/5" and items[0][2] < 3:  # twice: in its page, and alone
            real(self, [("subject/default/5", self.get("subject/default/5")[0], items[0][2])])
        if items[0][0] == "subject/default/4" and items[0][2] < 2:
            real(self, [("subject/default/4", self.get("subject/default/4")[0], 1)])
        elif items[0][0] == "subject/default/4" and items[0][1] is not None:
            shredder.shred("4")
        real(self, items)

    monkeypatch.setattr(Recording, "put", put)
    content[0].rotate_root()
    assert shredder.is_shredded("3")
    assert shredder.is_shredded("4")
    assert len(under(store)) == 1


def test_the_end_of_a_rotation_that_meets_another_write_tries_again(provider, store, monkeypatch):
    content = filled(provider, store)
    real = MemoryKeyStore.put
    met = []

    def put(self, items):
        if items[0][0] == "root/default" and items[0][2] == 2 and not met:
            met.append(True)
            real(self, [("root/default", self.get("root/default")[0], 2)])
        real(self, items)

    monkeypatch.setattr(Recording, "put", put)
    content[0].rotate_root()
    assert met
    assert still_reads(provider, store, content)


def test_a_key_made_during_a_rotation_lands_under_the_new_root(provider, store):
    """The writer read the old root; the rotation names a new one, sweeps and ends before the writer writes."""
    content = filled(provider, store)
    rotator = ring_over(provider, store)
    store.before_put = rotator.rotate_root
    token = FieldCipher(content[0]).encrypt("late", entity="e", record="late", field="email")
    assert len(under(store)) == 1
    store.before_put = lambda: (rotator.rotate_root(), rotator.rotate_root())
    secret = content[0].secret("late")
    assert len(under(store)) == 1
    store.before_put = lambda: (rotator.rotate_root(), rotator.rotate_root(), rotator.rotate_root())
    tokens = FieldCipher(content[0]).encrypt_records([(f"l{n}", None, {"a": n}) for n in range(3)], entity="e")
    assert len(under(store)) == 1
    fresh = ring_over(provider, store)
    assert FieldCipher(fresh).decrypt(token, entity="e", record="late", field="email") == "late"
    assert FieldCipher(fresh).decrypt(tokens[2]["a"], entity="e", record="l2", field="a") == 2
    assert fresh.secret("late") == secret


def twice_rotated(keyring, *also):
    def hook():
        keyring.rotate_root()
        keyring.rotate_root()
        for action in also:
            action()

    return hook


def sweep_only_what_is_there_now(store, monkeypatch):
    """Later rows are missed by every sweep, as if each came just behind it."""
    known = set(store.names())
    monkeypatch.setattr(rotation_module, "_all_names", lambda *args: (n for n in ALL_NAMES(*args) if n in known))


def test_keys_whose_root_was_retired_right_after_their_write_are_moved(provider, store, monkeypatch):
    content = filled(provider, store)
    rotator = ring_over(provider, store)
    FieldCipher(content[0]).encrypt("x", entity="e", record="warm", field="a")
    sweep_only_what_is_there_now(store, monkeypatch)
    store.after_put = twice_rotated(rotator)
    tokens = FieldCipher(content[0]).encrypt_records([("l1", None, {"a": 1}), ("l2", None, {"a": 2})], entity="e")
    sweep_only_what_is_there_now(store, monkeypatch)
    store.after_put = twice_rotated(rotator)
    secret = content[0].secret("late")
    sweep_only_what_is_there_now(store, monkeypatch)
    store.after_put = twice_rotated(rotator)
    tenant_ring = ring_over(provider, store, mode="tenant")
    token = FieldCipher(tenant_ring).encrypt("x", **HERE)
    fresh = ring_over(provider, store)
    assert FieldCipher(fresh).decrypt(tokens[1]["a"], entity="e", record="l2", field="a") == 2
    assert fresh.secret("late") == secret
    assert reads(fresh, token)


def test_a_key_that_is_moved_and_shredded_at_once_stays_dead(provider, store, monkeypatch):
    content = filled(provider, store)
    rotator = ring_over(provider, store)
    sweep_only_what_is_there_now(store, monkeypatch)
    store.after_put = twice_rotated(rotator, lambda: rotator.shred("late"))
    with pytest.raises(KeyDestroyedError):
        FieldCipher(content[0]).encrypt("x", entity="e", record="late", field="a")
    store.after_put = twice_rotated(rotator, lambda: rotator.shred("l2"))
    with pytest.raises(KeyDestroyedError):
        FieldCipher(content[0]).encrypt_records([("l1", None, {}), ("l2", None, {})], entity="e")
    store.after_put = twice_rotated(rotator, lambda: store.put([("secret/default/late", None, 1)]))
    with pytest.raises(DecryptionError):
        content[0].secret("late")


def test_a_key_that_is_moved_by_two_at_once_is_moved_once(provider, store, monkeypatch):
    content = filled(provider, store)
    rotator = ring_over(provider, store)

    def rewrite(name):
        def hook():
            row, revision = store.get(name)
            MemoryKeyStore.put(store, [(name, row, revision)])

        return hook

    for name, write in (
        ("subject/default/late", lambda: FieldCipher(content[0]).encrypt("x", entity="e", record="late", field="a")),
        ("secret/default/late", lambda: content[0].secret("late")),
    ):
        sweep_only_what_is_there_now(store, monkeypatch)
        # Set after the rotations' own puts, so that it meets the move itself.
        store.after_put = twice_rotated(rotator, lambda name=name: setattr(store, "before_put", rewrite(name)))
        write()
    monkeypatch.undo()
    rotator.rotate_root()
    assert ring_over(provider, store).secret("late") == content[0].secret("late")


def test_a_rotation_by_another_process_is_no_trouble_for_a_warm_keyring(provider, store):
    content = filled(provider, store)
    for _ in range(2):
        ring_over(provider, store).rotate_root()
    assert reads(content[0], content[2])
    FieldCipher(content[0]).encrypt("x", entity="e", record="new", field="a")
    assert len(under(store)) == 1


def test_two_rotations_at_once_end_with_one_root_in_use(provider, store):
    content = filled(provider, store)
    store.before_put = ring_over(provider, store).rotate_root
    content[0].rotate_root()
    assert len(under(store)) == 1
    assert still_reads(provider, store, content)


def test_another_process_may_end_the_rotation(provider, store, monkeypatch):
    content = filled(provider, store)
    other = ring_over(provider, store)
    real = rotation_module._end

    def late(*args):
        monkeypatch.setattr(rotation_module, "_end", real)
        other.rotate_root()
        real(*args)

    monkeypatch.setattr(rotation_module, "_end", late)
    content[0].rotate_root()
    assert len(root_ids(store)) == 2
    assert still_reads(provider, store, content)


def test_damaged_rows_are_counted_left_alone_and_keep_every_root(provider, store):
    content = filled(provider, store)
    good = store.get("subject/default/2")[0]
    store.put([("subject/default/2", good[:-1] + b"\x00", 1), ("subject/default/none", b"junk", 0)])
    for _ in range(2):
        with pytest.raises(DecryptionError) as caught:
            content[0].rotate_root()
        assert caught.value.code == "rotate.damaged"
        assert caught.value.details["rows"] == 2
    assert len(root_ids(store)) == 2
    store.put([("subject/default/2", good, store.get("subject/default/2")[1])])  # from a backup
    store.put([("subject/default/none", None, 1)])
    assert content[0].rotate_root() == 1
    assert still_reads(provider, store, content)


def test_a_provider_that_goes_away_during_a_rotation_is_named(provider, store):
    content = filled(provider, store)
    provider.failure = ConnectionError()
    with pytest.raises(KeyUnavailableError):
        content[0].rotate_root()
    provider.failure = None
    assert still_reads(provider, store, content)

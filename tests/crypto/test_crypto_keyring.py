"""The key hierarchy: caching and expiry, rotations, shredding, several writers, providers that fail."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from custinfo.crypto import FieldCipher, Keyring, LocalKeyProvider, MemoryKeyStore, WrappedKey
from custinfo.crypto import _access as access_module
from custinfo.crypto import _rotation as rotation_module
from custinfo.crypto import _watch as watch_module
from custinfo.crypto._rows import unpack_roots
from custinfo.errors import (
    AccessDeniedError,
    ConflictError,
    DecryptionError,
    InvalidFieldError,
    KeyDestroyedError,
    KeyUnavailableError,
    StoreError,
)

ALL_NAMES = rotation_module._all_names
HERE = {"entity": "customer", "record": "17", "field": "email"}


class Counting:
    """A provider that counts and can be switched off."""

    def __init__(self, key=b"\x01" * 32):
        self.inner = LocalKeyProvider(key)
        self.wraps = self.unwraps = 0
        self.failure: Exception | None = None

    def wrap(self, key, context):
        self.wraps += 1
        if self.failure:
            raise self.failure
        return self.inner.wrap(key, context)

    def unwrap(self, wrapped, context):
        self.unwraps += 1
        if self.failure:
            raise self.failure
        return self.inner.unwrap(wrapped, context)


class WriteOnly:
    """The half of a provider that cannot unwrap."""

    def __init__(self, provider):
        self._provider = provider

    def wrap(self, key, context):
        return self._provider.wrap(key, context)


class Recording(MemoryKeyStore):
    """A key store that notes its puts, and runs *before_put* and *after_put* once, around the next of them."""

    def __init__(self):
        super().__init__()
        self.puts = []
        self.before_put = self.after_put = None

    def put(self, items):
        if self.before_put:
            hook, self.before_put = self.before_put, None
            hook()
        super().put(items)
        self.puts.append([name for name, _, _ in items])
        if self.after_put:
            hook, self.after_put = self.after_put, None
            hook()


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until it is told to go."""

    class Clock:
        now = 1000.0

        def __call__(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(watch_module, "monotonic", clock)
    return clock


@pytest.fixture
def store():
    return Recording()


@pytest.fixture
def provider():
    return Counting()


def ring_over(provider, store, **options):
    return Keyring(provider, store, **options)


def reads(keyring, token, value="x"):
    return FieldCipher(keyring).decrypt(token, **HERE) == value


# Names and limits


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"tenant": ""}, "keyring.tenant"),
        ({"tenant": "\ud800"}, "cipher.name"),
        ({"tenant": 5}, "cipher.name"),
        ({"mode": "record"}, "keyring.mode"),
        ({"cache_ttl_s": 0}, "keyring.limit"),
        ({"cache_ttl_s": float("nan")}, "keyring.limit"),
        ({"max_uses": 0}, "keyring.limit"),
        ({"cache_size": 0}, "keyring.limit"),
        ({"backup_retention_days": -1}, "keyring.limit"),
    ],
    ids=repr,
)
def test_a_setting_that_makes_no_sense_is_refused(options, code):
    with pytest.raises(InvalidFieldError) as caught:
        Keyring(LocalKeyProvider.generate(), MemoryKeyStore(), **options)
    assert caught.value.code == code


@pytest.mark.parametrize("subject", ["", 5, b"17", "\ud800"], ids=repr)
def test_what_cannot_name_a_subject_is_refused(provider, store, subject):
    keyring = ring_over(provider, store)
    cipher = FieldCipher(keyring)
    token = cipher.encrypt("x", **HERE)
    for use in (
        lambda: cipher.encrypt("x", **HERE, subject=subject),
        lambda: cipher.decrypt(token, **HERE, subject=subject),
        lambda: cipher.encrypt_records([("1", subject, {"a": 1})], entity="customer"),
        lambda: keyring.shred(subject),
        lambda: keyring.is_shredded(subject),
    ):
        with pytest.raises(InvalidFieldError):
            use()


@pytest.mark.parametrize("name", ["", "\ud800", 5], ids=repr)
def test_what_cannot_name_a_secret_is_refused(provider, store, name):
    with pytest.raises(InvalidFieldError):
        ring_over(provider, store).secret(name)


def test_row_names_hold_ids_only_and_no_tenant_reaches_into_another(provider, store):
    for tenant, subject in (("a", "b/c"), ("a/b", "c")):
        FieldCipher(ring_over(provider, store, tenant=tenant)).encrypt("anna@example.com", **HERE, subject=subject)
    assert store.names() == ["root/a", "root/a%2Fb", "subject/a%2Fb/c", "subject/a/b/c"]
    rows = b"".join(store.get(name)[0] for name in store.names())
    assert b"anna" not in rows


# Data keys


def test_nothing_is_asked_of_the_provider_before_it_is_needed(provider, store):
    keyring = ring_over(provider, store)
    FieldCipher(keyring)
    assert (provider.wraps, provider.unwraps, store.puts) == (0, 0, [])


def test_a_subject_keeps_its_data_key(provider, store):
    tokens = [
        FieldCipher(keyring).encrypt(number, entity="note", record=str(number), field="text", subject="anna")
        for keyring in (ring_over(provider, store), ring_over(provider, store))
        for number in range(3)
    ]
    assert len({token[:34] for token in tokens}) == 1


def test_many_new_subjects_become_durable_in_one_put(provider, store):
    cipher = FieldCipher(ring_over(provider, store))
    rows = [(str(number), None, {"a": number, "b": "x"}) for number in range(50)]
    cipher.encrypt("x", **HERE)
    store.puts.clear()
    tokens = cipher.encrypt_records(rows, entity="customer")
    assert [len(put) for put in store.puts] == [49]  # 17 had one
    fresh = FieldCipher(ring_over(provider, store))
    read = fresh.decrypt_records([(r, s, t) for (r, s, _), t in zip(rows, tokens, strict=True)], entity="customer")
    assert read == [values for _, _, values in rows]
    assert fresh.decrypt_records([("nobody", None, {})], entity="customer") == [{}]
    with pytest.raises(InvalidFieldError):
        fresh.decrypt_records([("", None, tokens[0])], entity="customer")
    with pytest.raises(DecryptionError):
        fresh.decrypt_records([("nobody", None, tokens[0])], entity="customer")
    assert fresh.encrypt_records(rows, entity="customer")[7]["a"][:34] == tokens[7]["a"][:34]
    assert len(store.puts) == 1
    assert cipher.encrypt_records([], entity="customer") == []


def test_rows_of_one_subject_share_its_new_key(provider, store):
    cipher = FieldCipher(ring_over(provider, store))
    first, second = cipher.encrypt_records([("1", "anna", {"a": 1}), ("2", "anna", {"a": 2})], entity="note")
    assert first["a"][:34] == second["a"][:34]
    assert store.puts[-1] == ["subject/default/anna"]


def test_a_bad_subject_among_many_rows_leaves_no_key_behind(provider, store):
    cipher = FieldCipher(ring_over(provider, store))
    with pytest.raises(InvalidFieldError):
        cipher.encrypt_records([("1", None, {"a": 1}), ("", None, {"a": 2})], entity="note")
    assert store.puts == []


def test_a_shredded_subject_among_many_rows_leaves_no_key_behind(provider, store):
    keyring = ring_over(provider, store)
    keyring.shred("2")
    store.puts.clear()
    for rows in ([("1", None, {}), ("2", None, {})], [("2", None, {}), ("1", None, {})]):
        with pytest.raises(KeyDestroyedError):
            FieldCipher(keyring).encrypt_records(rows, entity="note")
    assert [name for put in store.puts for name in put if name.startswith("subject/")] == []


def test_writers_that_race_for_a_new_subject_end_with_one_key(provider, store):
    tokens = {}

    def other():
        tokens["other"] = FieldCipher(ring_over(provider, store)).encrypt("x", **HERE)

    one = FieldCipher(ring_over(provider, store))
    one.encrypt("x", entity="customer", record="1", field="a")
    store.before_put = other
    tokens["one"] = one.encrypt("x", **HERE)
    assert tokens["one"][:34] == tokens["other"][:34]


def test_writers_that_race_for_many_new_subjects_end_with_one_key_each(provider, store):
    rows = [(str(number), None, {"a": number}) for number in range(5)]
    tokens = {}

    def other():
        tokens["other"] = FieldCipher(ring_over(provider, store)).encrypt_records(rows[1:3], entity="customer")

    one = FieldCipher(ring_over(provider, store))
    one.encrypt("x", entity="customer", record="0", field="a")
    store.before_put = other
    tokens["one"] = one.encrypt_records(rows, entity="customer")
    assert [t["a"][:34] for t in tokens["one"][1:3]] == [t["a"][:34] for t in tokens["other"]]


def test_threads_that_race_for_new_subjects_end_with_one_key_each(provider, store):
    ciphers = [FieldCipher(ring_over(provider, store)) for _ in range(2)]

    def write(number):
        return ciphers[number % 2].encrypt(number, entity="n", record=str(number // 8), field="a")

    with ThreadPoolExecutor(8) as pool:
        tokens = list(pool.map(write, range(160)))
    assert len({token[:34] for token in tokens}) == 20
    assert [ciphers[0].decrypt(t, entity="n", record=str(n // 8), field="a") for n, t in enumerate(tokens)] == list(
        range(160)
    )


def test_a_small_cache_forgets_the_oldest_and_finds_it_again(provider, store):
    cipher = FieldCipher(ring_over(provider, store, cache_size=3))
    tokens = cipher.encrypt_records([(str(n), None, {"a": n}) for n in range(9)], entity="e")
    assert [cipher.decrypt(t["a"], entity="e", record=str(n), field="a") for n, t in enumerate(tokens)] == list(
        range(9)
    )
    assert len(cipher._keys._held) == 3


def test_tenant_mode_has_one_key_per_process_and_a_new_one_after_so_many_messages(provider, store, monkeypatch):
    monkeypatch.setattr(access_module, "MESSAGES_PER_KEY", 10)
    cipher = FieldCipher(ring_over(provider, store, mode="tenant"))
    tokens = [cipher.encrypt_record({"a": 1, "b": 2}, entity="e", record=str(n)) for n in range(20)]
    kids = [token["a"][2:34] for token in tokens]
    assert [kids.index(kid) for kid in kids] == [n // 5 * 5 for n in range(20)]
    reader = FieldCipher(ring_over(provider, store, mode="tenant"))
    assert all(reader.decrypt_record(t, entity="e", record=str(n)) == {"a": 1, "b": 2} for n, t in enumerate(tokens))
    assert len(store.names("process/")) == 4


def test_tokens_of_tenant_mode_are_read_in_subject_mode_and_the_other_way_not(provider, store):
    tenant, subject = (FieldCipher(ring_over(provider, store, mode=mode)) for mode in ("tenant", "subject"))
    token = tenant.encrypt("x", **HERE)
    assert subject.decrypt(token, **HERE) == "x"
    with pytest.raises(DecryptionError):
        tenant.decrypt(subject.encrypt("x", **HERE), **HERE)


def test_a_reader_finds_a_key_that_another_process_added_just_now(provider, store):
    reader = FieldCipher(ring_over(provider, store))
    token = reader.encrypt("x", **HERE)
    ingest = FieldCipher(ring_over(WriteOnly(provider), store))
    fresh = ingest.encrypt("y", **HERE)
    assert fresh[:34] != token[:34]
    assert reader.decrypt_record({"email": fresh}, entity="customer", record="17") == {"email": "y"}
    assert reader.decrypt(token, **HERE) == "x"


def test_many_rows_in_tenant_mode_share_the_key_of_the_process(provider, store):
    cipher = FieldCipher(ring_over(provider, store, mode="tenant"))
    tokens = cipher.encrypt_records([("1", None, {"a": 1}), ("2", None, {"a": 2})], entity="e")
    assert tokens[0]["a"][:34] == tokens[1]["a"][:34]


def test_a_fork_takes_a_new_process_key_and_new_locks(provider, store):
    """What a forked child runs, here in the parent, where coverage can see it."""
    keyring = ring_over(provider, store, mode="tenant")
    before = FieldCipher(keyring).encrypt("x", **HERE)
    access_module._after_fork()
    after = FieldCipher(keyring).encrypt("x", **HERE)
    assert before[:34] != after[:34]
    assert reads(keyring, before)


def test_a_writer_of_many_that_meets_a_shredding_says_so(provider, store):
    cipher = FieldCipher(ring_over(provider, store))
    cipher.encrypt("x", entity="e", record="1", field="a")
    store.before_put = lambda: ring_over(provider, store).shred("2")
    with pytest.raises(KeyDestroyedError):
        cipher.encrypt_records([("1", None, {}), ("2", None, {}), ("3", None, {})], entity="e")
    stale = FieldCipher(ring_over(provider, store))
    store.before_put = lambda: cipher.encrypt("x", entity="e", record="4", field="a")
    stale.encrypt_records([("1", None, {}), ("3", None, {}), ("4", None, {})], entity="e")


# The cache


def test_ten_thousand_records_cost_one_unwrap(provider, store):
    rows = [(str(n), None, {"a": n}) for n in range(10_000)]
    tokens = FieldCipher(ring_over(provider, store)).encrypt_records(rows, entity="e")
    assert (provider.wraps, provider.unwraps) == (1, 0)
    reader = FieldCipher(ring_over(provider, store))
    for (record, _, values), token in zip(rows, tokens, strict=True):
        assert reader.decrypt_record(token, entity="e", record=record) == values
    assert (provider.wraps, provider.unwraps) == (1, 1)


@pytest.mark.parametrize("mode", ["subject", "tenant"])
def test_after_its_time_every_key_is_dropped_and_the_provider_asked_again(provider, store, clock, mode):
    cipher = FieldCipher(ring_over(provider, store, mode=mode, cache_ttl_s=60))
    token = cipher.encrypt("x", **HERE)
    provider.failure = KeyUnavailableError("the key customers-1 is disabled")
    clock.now += 59
    assert cipher.decrypt(token, **HERE) == "x"
    clock.now += 1.1
    for use in (lambda: cipher.decrypt(token, **HERE), lambda: cipher.encrypt("x", **HERE)):
        with pytest.raises(KeyUnavailableError, match="customers-1 is disabled"):
            use()
    provider.failure = None
    assert cipher.decrypt(token, **HERE) == "x"
    assert cipher.encrypt("x", **HERE)[:34] == token[:34]  # in tenant mode too: no new row per expiry


def test_the_root_is_dropped_after_so_many_uses(provider, store, clock):
    FieldCipher(ring_over(provider, store)).encrypt_records([(str(n), None, {}) for n in range(20)], entity="e")
    cipher = FieldCipher(ring_over(provider, store, max_uses=5))
    for number in range(20):
        cipher.encrypt("x", entity="e", record=str(number), field="a")
    assert provider.unwraps == 4


def test_secrets_expire_with_the_root(provider, store, clock):
    keyring = ring_over(provider, store, cache_ttl_s=60)
    secret = keyring.secret("audit")
    clock.now += 61
    assert keyring.secret("audit") == secret
    assert provider.unwraps == 1


def test_a_closed_keyring_does_nothing_more(provider, store):
    with ring_over(provider, store) as keyring:
        cipher = FieldCipher(keyring)
        token = cipher.encrypt("x", **HERE)
    keyring.close()
    assert "closed" in repr(keyring)
    for use in (
        lambda: cipher.decrypt(token, **HERE),
        lambda: cipher.encrypt("x", **HERE),
        lambda: keyring.secret("audit"),
        lambda: keyring.shred("17"),
        keyring.rotate_root,
        keyring.rotate_kek,
    ):
        with pytest.raises(KeyUnavailableError) as caught:
            use()
        assert caught.value.code == "keyring.closed"


def test_a_keyring_closed_in_the_middle_of_making_a_key_keeps_nothing(provider, store):
    keyring = ring_over(provider, store)
    FieldCipher(keyring).encrypt("x", **HERE)
    store.before_put = keyring.close
    with pytest.raises(KeyUnavailableError):
        FieldCipher(keyring).encrypt("x", entity="e", record="other", field="a")
    assert keyring._access._held == {}
    assert keyring._access.ring._open == {}


# Providers and stores that fail


@pytest.mark.parametrize("failure", [ConnectionError("10.0.0.5"), RuntimeError("anna"), TimeoutError()], ids=repr)
def test_whatever_a_provider_raises_closes_the_door_and_says_which(provider, store, failure):
    provider.failure = failure
    keyring = ring_over(provider, store)
    with pytest.raises(KeyUnavailableError, match=f"Counting.wrap failed with {type(failure).__name__}") as caught:
        FieldCipher(keyring).encrypt("x", **HERE)
    assert caught.value.code == "key_unavailable"
    assert caught.value.__suppress_context__
    assert store.puts == []


@pytest.mark.parametrize("method", ["get", "put", "names", "generation"])
@pytest.mark.parametrize("failure", [OSError("disk"), StoreError("locked; try again")], ids=["foreign", "own"])
def test_a_key_store_that_fails_closes_the_door(provider, store, method, failure, clock):
    keyring = ring_over(provider, store)
    FieldCipher(keyring).encrypt("x", **HERE)

    def fail(*_):
        raise failure

    broken = MemoryKeyStore()
    broken._rows = store._rows
    broken._sorted = None
    setattr(broken, method, fail)
    keyring = ring_over(provider, broken)
    expected = StoreError if isinstance(failure, StoreError) else KeyUnavailableError

    def use():
        FieldCipher(keyring).encrypt("x", entity="e", record="new", field="a")
        keyring.rotate_root()

    with pytest.raises(expected):
        use()


def test_a_lost_root_row_is_not_replaced_by_a_new_root_when_reading(provider, store):
    token = FieldCipher(ring_over(provider, store)).encrypt("x", **HERE)
    del store._rows["root/default"]
    with pytest.raises(DecryptionError):
        FieldCipher(ring_over(provider, store)).decrypt(token, **HERE)
    with pytest.raises(DecryptionError):
        FieldCipher(ring_over(provider, store)).encrypt("x", **HERE)
    assert store.get("root/default") is None


def test_a_tombstone_in_place_of_the_root_is_refused(provider, store):
    token = FieldCipher(ring_over(provider, store)).encrypt("x", **HERE)
    store.put([("root/default", None, 1)])
    with pytest.raises(DecryptionError):
        FieldCipher(ring_over(provider, store)).decrypt(token, **HERE)


def test_a_tombstone_in_place_of_a_secret_is_refused(provider, store):
    ring_over(provider, store).secret("audit")
    store.put([("secret/default/audit", None, 1)])
    with pytest.raises(DecryptionError):
        ring_over(provider, store).secret("audit")


def test_keyrings_that_race_for_the_first_root_end_with_one(provider, store):
    secrets = {}

    def other():
        secrets["other"] = ring_over(provider, store).secret("audit")

    store.before_put = other
    secrets["one"] = ring_over(provider, store).secret("audit")
    assert secrets["one"] == secrets["other"]
    assert len(store.names("root/")) == 1


# Shredding


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


# Rotation of the root


def filled(provider, store, count=7):
    keyring = ring_over(provider, store)
    rows = [(str(n), None, {"email": n}) for n in range(count)]
    tokens = FieldCipher(keyring).encrypt_records(rows, entity="e")
    token = FieldCipher(ring_over(provider, store, mode="tenant")).encrypt("x", **HERE)
    return keyring, tokens, token, keyring.secret("index/email")


def still_reads(provider, store, filled_with):
    _, tokens, token, secret = filled_with
    keyring = ring_over(provider, store)
    assert [
        FieldCipher(keyring).decrypt(t["email"], entity="e", record=str(n), field="email") for n, t in enumerate(tokens)
    ] == list(range(len(tokens)))
    assert reads(keyring, token)
    assert keyring.secret("index/email") == secret
    return True


def root_ids(store, name="root/default"):
    return [entry.root_id for entry in unpack_roots(store.get(name)[0])]


def under(store):
    """Root id -> how many rows lie under it."""
    counts = {}
    for name in store.names():
        if not name.startswith("root/") and not name.startswith("subject/default/none"):
            root_id = store.get(name)[0][2:34]
            counts[root_id] = counts.get(root_id, 0) + 1
    return counts


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


# Write-only keyrings


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


def test_a_wrapped_key_keeps_the_kind_of_its_version(store):
    class Versioned(Counting):
        def __init__(self, version):
            super().__init__()
            self.version, self.seen = version, []

        def wrap(self, key, context):
            wrapped = super().wrap(key, context)
            return WrappedKey(wrapped.key_uri, self.version, wrapped.blob)

        def unwrap(self, wrapped, context):
            self.seen.append(wrapped.version)
            return super().unwrap(wrapped, context)

    for version in (7, "7", "v7-é"):
        provider, store = Versioned(version), MemoryKeyStore()
        ring_over(provider, store).secret("audit")
        ring_over(provider, store).secret("audit")
        assert provider.seen == [version]


def test_the_store_in_memory_reports_only_its_size():
    store = MemoryKeyStore()
    store.put([("a", os.urandom(8), 0)])
    assert repr(store) == "MemoryKeyStore(1 rows)"
    with pytest.raises(ConflictError):
        store.put([("b", b"", 0), ("b", b"", 0)])

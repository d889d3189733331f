"""The keyring: names, data keys, caching and expiry, what fails around it."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from crypto_helpers import HERE, Counting, WriteOnly, reads, ring_over

from custinfo.crypto import FieldCipher, Keyring, LocalKeyProvider, MemoryKeyStore, WrappedKey
from custinfo.crypto import _access as access_module
from custinfo.errors import (
    ConflictError,
    DecryptionError,
    InvalidFieldError,
    KeyDestroyedError,
    KeyUnavailableError,
    StoreError,
)

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
        ({"backup_retention_days": float("inf")}, "keyring.limit"),
        ({"backup_retention_days": 3e6}, "keyring.limit"),  # its receipts could not be written
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


def test_known_subjects_among_many_rows_are_found_and_not_made_again(provider, store):
    class Bare:
        """A key store that reads row by row."""

        get, put, names, generation = store.get, store.put, store.names, store.generation

    rows = [(str(number), None, {"a": number}) for number in range(20)]
    before = FieldCipher(ring_over(provider, store)).encrypt_records(rows, entity="e")
    puts = len(store.puts)
    for key_store in (store, Bare()):
        cipher = FieldCipher(ring_over(provider, key_store))
        again = cipher.encrypt_records(rows, entity="e")
        assert [token["a"][:34] for token in again] == [token["a"][:34] for token in before]
        sealed = [(record, None, token) for (record, _, _), token in zip(rows, before, strict=True)]
        assert cipher.decrypt_records(sealed, entity="e") == [values for _, _, values in rows]
    assert len(store.puts) == puts


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

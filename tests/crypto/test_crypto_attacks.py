"""What an attacker with write access to tokens or key rows can try; each of it must be refused alike."""

from __future__ import annotations

import json
import multiprocessing
import os
import pickle
import traceback
from concurrent.futures import ThreadPoolExecutor
from copy import copy, deepcopy

import pytest
from crypto_helpers import STARTS, needs_sm4

from custinfo.crypto import FieldCipher, Keyring, LocalKeyProvider, MemoryKeyStore, WrappedKey
from custinfo.crypto._format import field_key
from custinfo.crypto._suites import suite_of
from custinfo.errors import CustInfoError, DecryptionError, InvalidFieldError, KeyDestroyedError

VALUES = {"given_name": "Anna Example", "email": "anna@example.com", "born": 1980}
HERE = {"entity": "customer", "record": "17"}


@pytest.fixture(params=["subject", "tenant"])
def mode(request):
    return request.param


@pytest.fixture
def ring(mode, suite):
    return Keyring(LocalKeyProvider.generate(), MemoryKeyStore(), mode=mode, suite=suite)


@pytest.fixture
def one_key(suite):
    """A cipher under the data key of 32 zeros."""
    return FieldCipher.from_dek(bytes(32), tenant="t", suite=suite)


@pytest.fixture
def cipher(ring):
    return FieldCipher(ring)


def refusal(cipher, token, *, entity="customer", record="17", field="given_name", subject=None):
    """The error of a token that must not open."""
    with pytest.raises(DecryptionError) as caught:
        cipher.decrypt(token, entity=entity, record=record, field=field, subject=subject)
    return caught.value


@pytest.fixture
def token(cipher):
    return cipher.encrypt("Anna Example", **HERE, field="given_name")


def test_every_flipped_bit_is_refused_with_one_error(cipher, token):
    errors = set()
    for bit in range(8 * len(token)):
        altered = bytearray(token)
        altered[bit // 8] ^= 1 << bit % 8
        error = refusal(cipher, bytes(altered))
        errors.add((type(error), str(error), error.code, tuple(error.details)))
    assert errors == {(DecryptionError, str(error), "decryption", ())}


def test_every_truncation_is_refused(cipher, token):
    for length in range(len(token)):
        refusal(cipher, token[:length])
        refusal(cipher, token[length + 1 :])


@pytest.mark.parametrize("tail", [b"\x00", b"\x80", bytes(16), bytes(1 << 20)], ids=len)
def test_every_extension_is_refused(cipher, token, tail):
    refusal(cipher, token + tail)
    refusal(cipher, tail + token)


@pytest.mark.parametrize("token", ["ci1.AAAA", None, 5, [], b"", bytes(78), b"\xc1\x01" + bytes(100)], ids=repr)
def test_what_is_no_token_is_refused(cipher, token):
    refusal(cipher, token)


def test_a_token_in_other_kinds_of_bytes_opens(cipher, token):
    for kind in (bytearray, memoryview):
        assert cipher.decrypt(kind(token), **HERE, field="given_name") == "Anna Example"


def test_a_token_in_memory_that_was_given_back_is_refused(cipher, token):
    gone = memoryview(token)
    gone.release()
    refusal(cipher, gone)


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"field": "family_name"},
        {"record": "18"},
        {"record": "17 "},
        {"entity": "account"},
        {"entity": ""},
        {"field": ""},
        {"entity": "custome", "record": "r17"},
        {"record": "1", "field": "7given_name"},
    ],
    ids=repr,
)
def test_a_token_moved_elsewhere_is_refused(cipher, token, elsewhere):
    refusal(cipher, token, **({"subject": "17"} | elsewhere))


def test_framing_keeps_neighbouring_names_apart(one_key, suite):
    token = one_key.encrypt("x", entity="e", record="a", field="bc")
    with pytest.raises(DecryptionError):
        one_key.decrypt(token, entity="e", record="ab", field="c")
    with pytest.raises(DecryptionError):
        FieldCipher.from_dek(bytes(32), tenant="te", suite=suite).decrypt(token, entity="", record="a", field="bc")


def test_tokens_of_one_record_cannot_be_swapped(cipher):
    tokens = cipher.encrypt_record(VALUES, **HERE)
    for field in VALUES:
        for other in VALUES:
            if field != other:
                refusal(cipher, tokens[other], field=field)


def test_a_token_of_another_tenant_is_refused(token, ring, mode, suite):
    provider, store = ring._access.ring.provider, ring.key_store
    other = FieldCipher(Keyring(provider, store, tenant="other", mode=mode, suite=suite))
    refusal(other, token)
    other.encrypt("x", **HERE, field="given_name")
    refusal(other, token)


def test_a_token_of_another_tenant_with_its_key_row_moved_along_is_refused(ring, mode, suite, token):
    provider, store = ring._access.ring.provider, ring.key_store
    for name in store.names():
        store.put([(name.replace("/default", "/other"), store.get(name)[0], 0)])
    # The root opens nowhere else already; with it every key below.
    refusal(FieldCipher(Keyring(provider, store, tenant="other", mode=mode, suite=suite)), token)


def test_a_subject_swap_is_refused_warm_and_cold(suite):
    provider, store = LocalKeyProvider.generate(), MemoryKeyStore()
    cipher = FieldCipher(Keyring(provider, store, suite=suite))
    token = cipher.encrypt("x", entity="note", record="n", field="text", subject="anna")
    cipher.encrypt("x", entity="note", record="n", field="text", subject="bert")
    for one in (cipher, FieldCipher(Keyring(provider, store, suite=suite))):
        refusal(one, token, entity="note", record="n", field="text", subject="bert")
        refusal(one, token, entity="note", record="n", field="text", subject="nobody")
        refusal(one, token, entity="note", record="n", field="text")


def test_a_data_key_row_moved_to_another_subject_is_refused():
    provider, store = LocalKeyProvider.generate(), MemoryKeyStore()
    token = FieldCipher(Keyring(provider, store)).encrypt("x", **HERE, field="given_name", subject="anna")
    store.put([("subject/default/bert", store.get("subject/default/anna")[0], 0)])
    refusal(FieldCipher(Keyring(provider, store)), token, subject="bert")
    with pytest.raises(DecryptionError):
        FieldCipher(Keyring(provider, store)).encrypt("x", **HERE, field="given_name", subject="bert")


def test_a_subject_row_cannot_be_passed_off_as_a_process_row(ring):
    provider, store = LocalKeyProvider.generate(), MemoryKeyStore()
    token = FieldCipher(Keyring(provider, store)).encrypt("x", **HERE, field="given_name")
    store.put([(f"process/default/{token[2:34].hex()}", store.get("subject/default/17")[0], 0)])
    refusal(FieldCipher(Keyring(provider, store, mode="tenant")), token)


def test_every_altered_byte_of_a_key_row_is_refused(mode):
    provider, store = LocalKeyProvider.generate(), MemoryKeyStore()
    token = FieldCipher(Keyring(provider, store, mode=mode)).encrypt("x", **HERE, field="given_name")
    (name,) = [name for name in store.names() if not name.startswith("root/")]
    row = store.get(name)[0]
    for bit in range(0, 8 * len(row), 3):  # every byte, each of its bits somewhere
        altered = bytearray(row)
        altered[bit // 8] ^= 1 << bit % 8
        store.put([(name, bytes(altered), store.get(name)[1])])
        refusal(FieldCipher(Keyring(provider, store, mode=mode)), token)
    for altered in (b"", row[:1], row[:2], row[:-1], row + b"\x00"):
        store.put([(name, altered, store.get(name)[1])])
        refusal(FieldCipher(Keyring(provider, store, mode=mode)), token)


def test_every_altered_byte_of_the_root_row_is_refused():
    provider, store = LocalKeyProvider.generate(), MemoryKeyStore()
    token = FieldCipher(Keyring(provider, store)).encrypt("x", **HERE, field="given_name")
    row = store.get("root/default")[0]
    harmless = 34  # the flags: a reader opens keys under a retired root too
    for at in set(range(len(row))) - {harmless}:
        altered = bytearray(row)
        altered[at] ^= 0x81
        store.put([("root/default", bytes(altered), store.get("root/default")[1])])
        with pytest.raises(DecryptionError):
            FieldCipher(Keyring(provider, store)).decrypt(token, **HERE, field="given_name")
    for altered in (b"", row[:1], row[:-1], row + b"\x00"):
        store.put([("root/default", altered, store.get("root/default")[1])])
        with pytest.raises(DecryptionError):
            FieldCipher(Keyring(provider, store)).decrypt(token, **HERE, field="given_name")


@pytest.mark.parametrize("number", [0, 1, 2, 3, 0xFF])
def test_another_suite_is_refused(one_key, suite, number):
    token = one_key.encrypt("x", **HERE, field="given_name")
    if number != STARTS[suite][1]:
        refusal(one_key, token[:1] + bytes([number]) + token[2:])


@needs_sm4
def test_a_token_of_a_suite_that_the_keyring_does_not_allow_is_refused(mode):
    provider, store = LocalKeyProvider.generate(), MemoryKeyStore()
    aes, sm4 = (
        FieldCipher(Keyring(provider, store, mode=mode, suite=name)).encrypt("x", **HERE, field="given_name")
        for name in STARTS
    )
    for name, token, other in (("AES-256-GCM", aes, sm4), ("SM4-GCM", sm4, aes)):
        strict = FieldCipher(Keyring(provider, store, mode=mode, suite=name))
        assert strict.decrypt(token, **HERE, field="given_name") == "x"
        refusal(strict, other)
        lenient = FieldCipher(Keyring(provider, store, mode=mode, suite=name, suites=list(STARTS)))
        assert [lenient.decrypt(one, **HERE, field="given_name") for one in (aes, sm4, aes)] == ["x"] * 3
        assert lenient.encrypt("x", **HERE, field="given_name")[:2] == STARTS[name]


@needs_sm4
def test_a_downgraded_token_is_refused_where_both_suites_are_allowed(mode):
    ring = Keyring(LocalKeyProvider.generate(), MemoryKeyStore(), mode=mode, suites=["SM4-GCM"])
    token = FieldCipher(ring).encrypt("x", **HERE, field="given_name")
    refusal(FieldCipher(ring), b"\xc1\x02" + token[2:])


class Lying:
    """A provider that gives something else than the root."""

    def __init__(self, inner, answer):
        self.inner, self.answer = inner, answer

    def wrap(self, key, context):
        return self.inner.wrap(key, context)

    def unwrap(self, wrapped, context):
        return self.answer(self.inner.unwrap(wrapped, context))


@pytest.mark.parametrize(
    "answer",
    [
        lambda key: key[:31],
        lambda key: key + b"\x00",
        lambda _: os.urandom(32),
        lambda _: bytes(32),
        lambda _: b"",
        lambda _: None,
        lambda key: key.hex(),
    ],
    ids=["31 bytes", "33 bytes", "random", "zeros", "nothing", "None", "text"],
)
def test_a_provider_that_gives_another_key_is_caught(answer):
    provider, store = LocalKeyProvider.generate(), MemoryKeyStore()
    token = FieldCipher(Keyring(provider, store)).encrypt("x", **HERE, field="given_name")
    keyring = Keyring(Lying(provider, answer), store)
    for use in (
        lambda: FieldCipher(keyring).decrypt(token, **HERE, field="given_name"),
        lambda: FieldCipher(keyring).encrypt("x", entity="customer", record="18", field="given_name"),
        lambda: keyring.secret("audit"),
        keyring.rotate_root,
        keyring.rotate_kek,
    ):
        with pytest.raises(DecryptionError) as caught:
            use()
        assert caught.value.code == "key.unwrap"


def test_the_wrong_local_key_says_so():
    store = MemoryKeyStore()
    token = FieldCipher(Keyring(LocalKeyProvider(bytes(32)), store)).encrypt("x", **HERE, field="a")
    with pytest.raises(DecryptionError, match="wrapped by local:e06d83547eda2dbc") as caught:
        FieldCipher(Keyring(LocalKeyProvider.generate(), store)).decrypt(token, **HERE, field="a")
    assert caught.value.code == "key.unwrap"


def test_a_field_put_back_to_its_own_older_token_is_not_seen(cipher, token):
    """Documented: the seal of a token cannot know that a newer one exists; the audit log binds versions."""
    cipher.encrypt("Bertha", **HERE, field="given_name")
    assert cipher.decrypt(token, **HERE, field="given_name") == "Anna Example"


def test_equal_values_give_different_tokens(cipher):
    tokens = cipher.encrypt_record(dict.fromkeys("abcdef", "same"), **HERE)
    assert len({token[46:] for token in tokens.values()}) == 6
    assert len({token[34:46] for token in tokens.values()}) == 6


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_million_nonces_of_forks_and_threads_under_one_key_are_unique():
    cipher = FieldCipher(Keyring(LocalKeyProvider.generate(), MemoryKeyStore()))
    values = dict.fromkeys(map(str, range(1000)), b"")
    first = cipher.encrypt("x", entity="e", record="r", field="f")

    def nonces(turns):
        parts = []
        for _ in range(turns):
            tokens = cipher.encrypt_record(values, entity="e", record="r").values()
            parts += [token[34:46] for token in tokens if token[:34] == first[:34]]
        return b"".join(parts)

    def of_threads(turns):
        with ThreadPoolExecutor(8) as pool:
            return b"".join(pool.map(nonces, [turns] * 8))

    forks = [Forked(lambda: of_threads(25)) for _ in range(4)]
    seen = of_threads(25) + b"".join(fork.result() for fork in forks)
    assert len({seen[at : at + 12] for at in range(0, len(seen), 12)}) == 1_000_000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_forked_processes_repeat_no_nonce_and_share_no_key_in_tenant_mode(ring, mode):
    cipher = FieldCipher(ring)
    cipher.encrypt("x", **HERE, field="a")
    forks = [Forked(lambda: b"".join(cipher.encrypt("x", **HERE, field="a") for _ in range(50))) for _ in range(3)]
    parts = [fork.result() for fork in forks]
    tokens = [[part[at : at + 78] for at in range(0, len(part), 78)] for part in parts]
    tokens.append([cipher.encrypt("x", **HERE, field="a") for _ in range(50)])
    assert len({token[34:46] for part in tokens for token in part}) == 200
    assert len({token[:34] for part in tokens for token in part}) == (4 if mode == "tenant" else 1)


class Forked:
    """Runs *work* in a forked child; `result` gives the bytes that it gave."""

    def __init__(self, work):
        self.here, there = multiprocessing.Pipe(duplex=False)
        self.child = os.fork()
        if self.child == 0:
            try:
                there.send_bytes(work())
            finally:
                os._exit(0)
        there.close()

    def result(self):
        data = self.here.recv_bytes()
        os.waitpid(self.child, 0)
        return data


@pytest.mark.parametrize("duplicate", [copy, deepcopy, pickle.dumps], ids=lambda function: function.__name__)
def test_what_holds_a_key_can_be_neither_pickled_nor_copied(ring, cipher, duplicate):
    for holder in (ring, cipher, LocalKeyProvider.generate(), FieldCipher.from_dek(bytes(32), tenant="t")):
        with pytest.raises(TypeError, match="cannot be pickled or copied"):
            duplicate(holder)


def test_no_repr_shows_a_key():
    key, store = os.urandom(32), MemoryKeyStore()
    provider = LocalKeyProvider(key)
    keyring = Keyring(provider, store)
    secret = keyring.secret("audit")
    shown = "".join(map(repr, (provider, keyring, FieldCipher(keyring), store, FieldCipher.from_dek(key, tenant="t"))))
    shown += repr(provider.wrap(key, b"")) + repr(WrappedKey("u", "1", key))
    for hidden in (key, secret):
        assert hidden.hex() not in shown
        assert repr(hidden)[2:-1] not in shown


def told(error):
    """All that an error report could show of an error: messages, tracebacks, and every error behind it in full."""
    parts = traceback.format_exception(error)
    while error is not None:
        parts += [repr(error), repr(vars(error)), repr(error.args), repr(getattr(error, "object", None))]
        error = error.__cause__ or error.__context__
    return "".join(parts)


@pytest.mark.parametrize(
    "value",
    ["secret\ud800", {"secret": {1}}, ["secret", float("nan")], {1: "secret"}, ("secret",), {"a": "secret\ud800"}],
    ids=["surrogate", "set", "nan", "int key", "tuple", "surrogate in JSON"],
)
def test_a_value_that_cannot_be_encrypted_shows_in_no_error_and_in_none_behind_it(cipher, value):
    with pytest.raises(InvalidFieldError) as caught:
        cipher.encrypt(value, **HERE, field="a")
    assert "secret" not in told(caught.value)


def test_an_int_too_long_to_print_shows_in_no_error(cipher):
    with pytest.raises(InvalidFieldError) as caught:
        cipher.encrypt(int("7" * 4000) ** 2, **HERE, field="a")
    assert "777" not in told(caught.value)


@pytest.mark.parametrize("name", ["entity", "record", "field", "subject"])
def test_a_name_that_is_refused_shows_in_no_error(cipher, name):
    place = {"entity": "e", "record": "r", "field": "f", "subject": None} | {name: "anna@example.com\ud800"}
    for use in (lambda: cipher.encrypt("x", **place), lambda: cipher.decrypt(bytes(78), **place)):
        with pytest.raises(CustInfoError) as caught:
            use()
        assert "anna" not in told(caught.value)


@pytest.mark.parametrize("codec", range(8))
def test_a_plaintext_that_is_refused_shows_in_no_error_nor_does_its_token_or_key(one_key, suite, codec):
    token = forged(suite, codec, b"secret\xff\x80")
    if codec != 1:
        error = refusal(one_key, token, field="a")
        key, kid = field_key(bytes(32))
        for hidden in (b"secret", key, kid, token):
            assert repr(hidden)[2:-1] not in told(error)
            assert hidden.hex() not in told(error)


def test_nothing_is_logged(cipher, ring, mode, caplog):
    caplog.set_level(0)
    tokens = cipher.encrypt_record(VALUES, **HERE)
    cipher.decrypt_record(tokens, **HERE)
    refusal(cipher, tokens["email"])
    ring.secret("audit")
    ring.rotate_root()
    ring.rotate_kek(LocalKeyProvider.generate())
    if mode == "subject":
        ring.shred("17")
    ring.close()
    assert caplog.records == []


@pytest.mark.parametrize("value", [float("inf"), {"a": (1,)}, {"a": b"x"}, {"a": 2j}], ids=repr)
def test_json_that_would_come_back_different_is_refused(cipher, value):
    with pytest.raises(InvalidFieldError) as caught:
        cipher.encrypt(value, **HERE, field="a")
    assert caught.value.code == "cipher.json"


def test_nesting_without_end_is_refused_both_ways(one_key, suite):
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(InvalidFieldError):
        one_key.encrypt(deep, **HERE, field="a")
    refusal(one_key, forged(suite, 6, b"[" * 100_000 + b"]" * 100_000), field="a")


def forged(suite, codec, value, *, padding=None):
    """A token whose seal is right and whose plaintext no honest writer makes."""
    plain = bytes([codec]) + value
    return sealed(suite, plain + (b"\x80" + bytes(-(len(plain) + 1) % 16) if padding is None else padding))


def sealed(suite, plain):
    key, kid = field_key(bytes(32))
    header = STARTS[suite] + kid
    aad = header + b"".join(len(x).to_bytes(4, "big") + x for x in (b"t", b"customer", b"17", b"a"))
    return header + bytes(12) + suite_of(suite).seal(key).encrypt(bytes(12), plain, aad)


BAD_PLAINTEXTS = [
    (7, b""),
    (0x80, b"x"),
    (0, b"x"),
    (2, b"\xff"),
    (2, b"\xed\xa0\x80"),
    *[(3, text) for text in (b"", b"+1", b"01", b"-0", b"1_0", b" 1", b"1.0", b"0x1", "١".encode(), b"9" * 5000)],
    *[(4, text) for text in (b"", b"2026-1-2", b"20260102", b"2026-02-30", b"2026-01-02T00:00:00", b"2026-W01-5")],
    *[(5, text) for text in (b"", b"2026-01-02", b"2026-01-02 03:04:05", b"2026-01-02T03:04:05Z")],
    *[(6, text) for text in (b"", b"{", b"NaN", b"[Infinity]", b'"text"', b"1", b"null", b'{"a":1,"a":2}', b"\xff")],
]


@pytest.mark.parametrize(("codec", "value"), BAD_PLAINTEXTS, ids=repr)
def test_a_sealed_value_that_is_not_in_canonical_form_is_refused(one_key, suite, codec, value):
    refusal(one_key, forged(suite, codec, value), field="a")


@pytest.mark.parametrize(
    "padding",
    [bytes(14), b"\x80" + bytes(29), b"\x80" + bytes(12), b"\x80" + bytes(14), b"\x81" + bytes(13), b"\x80" * 2],
    ids=lambda padding: padding.hex(),
)
def test_wrong_padding_is_refused(one_key, suite, padding):
    refusal(one_key, forged(suite, 2, b"x", padding=padding), field="a")


def test_a_sealed_empty_plaintext_is_refused(one_key, suite):
    for plain in (b"", b"\x80" + bytes(15), bytes(16), b"\x00\x80", b"\x02x\x80", b"\x02x" + bytes(14)):
        refusal(one_key, sealed(suite, plain), field="a")


def test_a_shredded_subject_is_dead_for_every_instance_and_old_copy(suite):
    provider, store = LocalKeyProvider.generate(), MemoryKeyStore()
    warm, writer = FieldCipher(Keyring(provider, store, suite=suite)), Keyring(provider, store, suite=suite)
    tokens = FieldCipher(writer).encrypt_record(VALUES, **HERE)
    old_copy = json.loads(json.dumps({field: token.hex() for field, token in tokens.items()}))
    assert warm.decrypt_record(tokens, **HERE) == VALUES
    receipt = writer.shred("17")
    assert receipt.kids == (tokens["email"][2:34].hex(),)
    for one in (warm, FieldCipher(writer), FieldCipher(Keyring(provider, store, suite=suite))):
        for use in (
            lambda one=one: one.decrypt_record(tokens, **HERE),
            lambda one=one: one.decrypt(bytes.fromhex(old_copy["email"]), **HERE, field="email"),
            lambda one=one: one.encrypt("x", **HERE, field="email"),
            lambda one=one: one.encrypt_records([("1", "new", VALUES), ("2", "17", VALUES)], entity="customer"),
        ):
            with pytest.raises(KeyDestroyedError) as caught:
                use()
            assert isinstance(caught.value, DecryptionError)
            assert isinstance(caught.value, CustInfoError)

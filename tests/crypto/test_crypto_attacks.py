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
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from custinfo.crypto import FieldCipher, Keyring, LocalKeyProvider, MemoryKeyStore, WrappedKey
from custinfo.crypto._format import field_key
from custinfo.errors import CustInfoError, DecryptionError, InvalidFieldError, KeyDestroyedError

VALUES = {"given_name": "Anna Example", "email": "anna@example.com", "born": 1980}
HERE = {"entity": "customer", "record": "17"}


@pytest.fixture(params=["subject", "tenant"])
def mode(request):
    return request.param


@pytest.fixture
def ring(mode):
    return Keyring(LocalKeyProvider.generate(), MemoryKeyStore(), mode=mode)


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


def test_framing_keeps_neighbouring_names_apart():
    cipher = FieldCipher.from_dek(bytes(32), tenant="t")
    token = cipher.encrypt("x", entity="e", record="a", field="bc")
    with pytest.raises(DecryptionError):
        cipher.decrypt(token, entity="e", record="ab", field="c")
    with pytest.raises(DecryptionError):
        FieldCipher.from_dek(bytes(32), tenant="te").decrypt(token, entity="", record="a", field="bc")


def test_tokens_of_one_record_cannot_be_swapped(cipher):
    tokens = cipher.encrypt_record(VALUES, **HERE)
    for field in VALUES:
        for other in VALUES:
            if field != other:
                refusal(cipher, tokens[other], field=field)


def test_a_token_of_another_tenant_is_refused(token, ring, mode):
    provider, store = ring._access.ring.provider, ring.key_store
    other = FieldCipher(Keyring(provider, store, tenant="other", mode=mode))
    refusal(other, token)
    other.encrypt("x", **HERE, field="given_name")
    refusal(other, token)


def test_a_token_of_another_tenant_with_its_key_row_moved_along_is_refused(ring, mode, token):
    provider, store = ring._access.ring.provider, ring.key_store
    for name in store.names():
        store.put([(name.replace("/default", "/other"), store.get(name)[0], 0)])
    # The root opens nowhere else already; with it every key below.
    refusal(FieldCipher(Keyring(provider, store, tenant="other", mode=mode)), token)


def test_a_subject_swap_is_refused_warm_and_cold():
    provider, store = LocalKeyProvider.generate(), MemoryKeyStore()
    cipher = FieldCipher(Keyring(provider, store))
    token = cipher.encrypt("x", entity="note", record="n", field="text", subject="anna")
    cipher.encrypt("x", entity="note", record="n", field="text", subject="bert")
    for one in (cipher, FieldCipher(Keyring(provider, store))):
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


@pytest.mark.parametrize("suite", [0, 2, 3, 0xFF])
def test_another_suite_is_refused(suite):
    cipher = FieldCipher.from_dek(bytes(32), tenant="t")
    token = cipher.encrypt("x", **HERE, field="given_name")
    refusal(cipher, token[:1] + bytes([suite]) + token[2:])


def test_a_ciphertext_valid_under_two_keys_opens_under_one_at_most():
    """GCM does not commit to its key: such a ciphertext can be built (Dodis et al., CRYPTO 2018). The key id does."""
    place = {"entity": "e", "record": "r", "field": "f"}
    deks = [b"\x01" * 32, b"\x02" * 32]
    for target in deks:
        header = b"\xc1\x01" + field_key(target)[1]
        aad = header + b"".join(len(x).to_bytes(4, "big") + x for x in (b"t", b"e", b"r", b"f"))
        keys = [field_key(dek)[0] for dek in deks]
        nonce = bytes(12)
        body = two_key_ciphertext(keys, nonce, aad)
        plain = [AESGCM(key).decrypt(nonce, body, aad) for key in keys]  # it is valid under both
        assert plain[0] != plain[1]
        token = header + nonce + body
        for dek in deks:
            if dek != target:
                with pytest.raises(DecryptionError):
                    FieldCipher.from_dek(dek, tenant="t").decrypt(token, **place)


def two_key_ciphertext(keys, nonce, aad):
    """One ciphertext and tag that AES-GCM accepts under both keys: solve for one block so that the tags meet."""
    hashes, masks = [], []
    for key in keys:
        ecb = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 - the block cipher itself
        hashes.append(int.from_bytes(ecb.update(bytes(16)), "big"))
        masks.append(int.from_bytes(ecb.update(nonce + b"\x00\x00\x00\x01"), "big"))
    blocks = [aad[at : at + 16].ljust(16, b"\x00") for at in range(0, len(aad), 16)]
    blocks = [int.from_bytes(block, "big") for block in blocks]
    lengths = 8 * len(aad) << 64 | 8 * 32
    first = int.from_bytes(b"any first block!", "big")
    # Tag_k = sum of blocks times powers of H_k, plus mask: with the second block unknown this is linear in it.
    constants = []
    for h, mask in zip(hashes, masks, strict=True):
        y = 0
        for block in [*blocks, first, 0, lengths]:
            y = multiply(y ^ block, h)
        constants.append(y ^ mask)
    squares = [multiply(h, h) for h in hashes]
    second = multiply(constants[0] ^ constants[1], inverse(squares[0] ^ squares[1]))
    tag = constants[0] ^ multiply(second, squares[0])
    return b"".join(part.to_bytes(16, "big") for part in (first, second, tag))


def multiply(x, y):
    """GF(2^128) as in NIST SP 800-38D, section 6.3."""
    z = 0
    for bit in range(127, -1, -1):
        if x >> bit & 1:
            z ^= y
        y = y >> 1 ^ (0xE1 << 120 if y & 1 else 0)
    return z


def inverse(x):
    result, power = 1 << 127, x
    for _ in range(127):
        power = multiply(power, power)
        result = multiply(result, power)
    return result


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


def test_threads_never_repeat_a_nonce(ring):
    cipher = FieldCipher(ring)
    values = dict.fromkeys(map(str, range(100)), 0)

    def nonces(_):
        return [
            token[34:46] for _ in range(25) for token in cipher.encrypt_record(values, entity="e", record="r").values()
        ]

    with ThreadPoolExecutor(8) as pool:
        seen = [nonce for part in pool.map(nonces, range(16)) for nonce in part]
    assert len(set(seen)) == len(seen) == 40_000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_forked_processes_repeat_no_nonce_and_share_no_key_in_tenant_mode(ring, mode):
    cipher = FieldCipher(ring)
    cipher.encrypt("x", **HERE, field="a")
    tokens = [forked(lambda: [cipher.encrypt("x", **HERE, field="a") for _ in range(50)]) for _ in range(3)]
    tokens.append([cipher.encrypt("x", **HERE, field="a") for _ in range(50)])
    assert len({token[34:46] for part in tokens for token in part}) == 200
    assert len({token[:34] for part in tokens for token in part}) == (4 if mode == "tenant" else 1)


def forked(work):
    """What *work* gives in a forked child, as tokens."""
    here, there = multiprocessing.Pipe(duplex=False)
    child = os.fork()
    if child == 0:
        try:
            there.send([token.hex() for token in work()])
        finally:
            os._exit(0)
    there.close()
    tokens = [bytes.fromhex(token) for token in here.recv()]
    os.waitpid(child, 0)
    return tokens


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


@pytest.mark.parametrize(
    "value",
    ["secret\ud800", {"secret": {1}}, ["secret", float("nan")], {1: "secret"}, ("secret",), int("7" * 4000) ** 2],
    ids=["surrogate", "set", "nan", "int key", "tuple", "long int"],
)
def test_a_value_that_cannot_be_encrypted_shows_in_no_message_or_traceback(cipher, value):
    with pytest.raises(InvalidFieldError) as caught:
        cipher.encrypt(value, **HERE, field="a")
    assert "secret" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("value", [float("inf"), {"a": (1,)}, {"a": b"x"}, {"a": 2j}], ids=repr)
def test_json_that_would_come_back_different_is_refused(cipher, value):
    with pytest.raises(InvalidFieldError) as caught:
        cipher.encrypt(value, **HERE, field="a")
    assert caught.value.code == "cipher.json"


def test_nesting_without_end_is_refused_both_ways():
    cipher = FieldCipher.from_dek(bytes(32), tenant="t")
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(InvalidFieldError):
        cipher.encrypt(deep, **HERE, field="a")
    refusal(cipher, forged(6, b"[" * 100_000 + b"]" * 100_000), field="a")


def forged(codec, value, *, padding=None):
    """A token whose seal is right and whose plaintext no honest writer makes."""
    key, kid = field_key(bytes(32))
    header = b"\xc1\x01" + kid
    plain = bytes([codec]) + value
    plain += b"\x80" + bytes(-(len(plain) + 1) % 16) if padding is None else padding
    aad = header + b"".join(len(x).to_bytes(4, "big") + x for x in (b"t", b"customer", b"17", b"a"))
    return header + bytes(12) + AESGCM(key).encrypt(bytes(12), plain, aad)


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
def test_a_sealed_value_that_is_not_in_canonical_form_is_refused(codec, value):
    refusal(FieldCipher.from_dek(bytes(32), tenant="t"), forged(codec, value), field="a")


@pytest.mark.parametrize(
    "padding",
    [bytes(14), b"\x80" + bytes(29), b"\x80" + bytes(12), b"\x80" + bytes(14), b"\x81" + bytes(13), b"\x80" * 2],
    ids=lambda padding: padding.hex(),
)
def test_wrong_padding_is_refused(padding):
    refusal(FieldCipher.from_dek(bytes(32), tenant="t"), forged(2, b"x", padding=padding), field="a")


def test_a_sealed_empty_plaintext_is_refused():
    key, kid = field_key(bytes(32))
    header = b"\xc1\x01" + kid
    aad = header + b"".join(len(x).to_bytes(4, "big") + x for x in (b"t", b"customer", b"17", b"a"))
    for plain in (b"", b"\x80" + bytes(15), bytes(16), b"\x00\x80"):
        token = header + bytes(12) + AESGCM(key).encrypt(bytes(12), plain, aad)
        refusal(FieldCipher.from_dek(bytes(32), tenant="t"), token, field="a")


def test_a_shredded_subject_is_dead_for_every_instance_and_old_copy():
    provider, store = LocalKeyProvider.generate(), MemoryKeyStore()
    warm, writer = FieldCipher(Keyring(provider, store)), Keyring(provider, store)
    tokens = FieldCipher(writer).encrypt_record(VALUES, **HERE)
    old_copy = json.loads(json.dumps({field: token.hex() for field, token in tokens.items()}))
    assert warm.decrypt_record(tokens, **HERE) == VALUES
    receipt = writer.shred("17")
    assert receipt.kids == (tokens["email"][2:34].hex(),)
    for one in (warm, FieldCipher(writer), FieldCipher(Keyring(provider, store))):
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

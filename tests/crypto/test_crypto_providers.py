"""Passphrase, RSA and HPKE providers: the contract, the bytes, and write-only ingest."""

from __future__ import annotations

import hashlib
import shutil
import struct
import subprocess

import attrs
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from custinfo.crypto import (
    BlindIndex,
    FieldCipher,
    HpkeKeyProvider,
    KeyProvider,
    Keyring,
    KeyWrapper,
    LocalKeyProvider,
    MemoryKeyStore,
    PassphraseKeyProvider,
    RsaKeyProvider,
    WrappedKey,
)
from custinfo.crypto._rows import pack_roots, root_context, unpack_roots
from custinfo.errors import AccessDeniedError, DecryptionError, InvalidFieldError
from custinfo.testing import KeyProviderContract

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
X25519 = X25519PrivateKey.generate()
P256 = ec.generate_private_key(ec.SECP256R1())
CHEAP = {"memory_kib": 8, "iterations": 1, "lanes": 1}
HERE = {"entity": "customer", "record": "17", "field": "email"}


class TestPassphrase(KeyProviderContract):
    def make_provider(self):
        return PassphraseKeyProvider("correct horse battery staple", **CHEAP)

    def reopen(self, provider):
        return PassphraseKeyProvider(b"correct horse battery staple", memory_kib=16, iterations=2, lanes=2)


class TestRsa(KeyProviderContract):
    def make_provider(self):
        return RsaKeyProvider(RSA)


class TestHpkeX25519(KeyProviderContract):
    def make_provider(self):
        return HpkeKeyProvider(X25519)


class TestHpkeP256(KeyProviderContract):
    def make_provider(self):
        return HpkeKeyProvider(P256)


@pytest.mark.parametrize("curve", [ec.SECP384R1(), ec.SECP521R1()], ids=lambda curve: curve.name)
def test_hpke_takes_the_larger_curves(curve):
    provider = HpkeKeyProvider(ec.generate_private_key(curve))
    assert provider.unwrap(provider.wrap(b"k" * 32, b"c"), b"c") == b"k" * 32


PAIRS = [
    (RsaKeyProvider, RSA, RSA.public_key()),
    (HpkeKeyProvider, X25519, X25519.public_key()),
    (HpkeKeyProvider, P256, P256.public_key()),
]


@pytest.mark.parametrize(("cls", "private", "public"), PAIRS, ids=["rsa", "x25519", "p256"])
def test_a_public_key_alone_writes_and_does_not_read(cls, private, public):
    ingest, reader = cls(public), cls(private)
    assert isinstance(ingest, KeyWrapper)
    assert not isinstance(ingest, KeyProvider)
    assert isinstance(reader, KeyProvider)
    assert ingest.key_uri == reader.key_uri
    store = MemoryKeyStore()
    keyring = Keyring(ingest, store)
    token = FieldCipher(keyring).encrypt("x", **HERE)
    assert FieldCipher(Keyring(reader, store)).decrypt(token, **HERE) == "x"
    own = FieldCipher(Keyring(reader, store)).encrypt("y", entity="customer", record="18", field="email")
    with pytest.raises(DecryptionError):
        FieldCipher(keyring).decrypt(own, entity="customer", record="18", field="email")
    with pytest.raises(AccessDeniedError):
        BlindIndex(keyring, "email", normalize=str, bits=256)


@pytest.mark.parametrize(("cls", "private", "public"), PAIRS, ids=["rsa", "x25519", "p256"])
def test_another_key_pair_is_named_in_the_refusal(cls, private, public):
    wrapped = cls(public).wrap(bytes(32), b"c")
    foreign = WrappedKey("local:0000", "", wrapped.blob)
    with pytest.raises(DecryptionError, match="wrapped by local:0000"):
        cls(private).unwrap(foreign, b"c")


@pytest.mark.parametrize("key", [b"", None, Ed25519PrivateKey.generate(), X25519], ids=["bytes", "None", "ed", "x"])
def test_rsa_refuses_another_kind_of_key(key):
    with pytest.raises(InvalidFieldError) as caught:
        RsaKeyProvider(key)
    assert caught.value.code == "key.rsa"


def test_rsa_refuses_a_short_key():
    class Short(rsa.RSAPublicKey):
        """As short as cryptography itself no longer makes them."""

        key_size = 1024

    Short.__abstractmethods__ = frozenset()
    with pytest.raises(InvalidFieldError) as caught:
        RsaKeyProvider(Short())
    assert caught.value.code == "key.rsa"


@pytest.mark.parametrize(
    "key",
    [b"", None, Ed25519PrivateKey.generate(), RSA, ec.generate_private_key(ec.SECP256K1())],
    ids=["bytes", "None", "ed", "rsa", "secp256k1"],
)
def test_hpke_refuses_another_kind_of_key(key):
    with pytest.raises(InvalidFieldError) as caught:
        HpkeKeyProvider(key)
    assert caught.value.code == "key.hpke"


def test_an_rsa_blob_is_plain_oaep():
    wrapped = RsaKeyProvider(RSA).wrap(b"k" * 32, b"context")
    oaep = padding.OAEP(mgf=padding.MGF1(SHA256()), algorithm=SHA256(), label=b"context")
    assert RSA.decrypt(wrapped.blob, oaep) == b"k" * 32


def test_a_passphrase_blob_is_what_the_format_page_says():
    wrapped = PassphraseKeyProvider("pässword", memory_kib=32, iterations=2, lanes=3).wrap(b"k" * 32, b"context")
    head, blob = wrapped.blob[:28], wrapped.blob[28:]
    salt, memory, iterations, lanes = struct.unpack(">16sIII", head)
    assert (memory, iterations, lanes) == (32, 2, 3)
    kdf = Argon2id(salt=salt, length=32, iterations=2, lanes=3, memory_cost=32)
    assert AESGCM(kdf.derive("pässword".encode())).decrypt(blob[:12], blob[12:], head + b"context") == b"k" * 32


def test_a_passphrase_counts_however_its_accents_were_typed():
    wrapped = PassphraseKeyProvider("pa\u0308ssword", **CHEAP).wrap(b"k" * 32, b"")
    assert PassphraseKeyProvider("p\u00e4ssword", **CHEAP).unwrap(wrapped, b"") == b"k" * 32
    with pytest.raises(DecryptionError, match="does not open") as caught:
        PassphraseKeyProvider("password", **CHEAP).unwrap(wrapped, b"")
    assert caught.value.code == "key.unwrap"


def test_the_default_costs_are_those_of_the_rfc():
    assert repr(PassphraseKeyProvider("secret words")) == (
        "PassphraseKeyProvider(memory_kib=65536, iterations=3, lanes=4)"
    )
    provider = PassphraseKeyProvider("secret words")
    assert provider.unwrap(provider.wrap(b"k" * 32, b""), b"") == b"k" * 32


@pytest.mark.parametrize("passphrase", ["", b"", "\ud800", 5, None, bytearray(b"secret words")], ids=repr)
def test_a_passphrase_must_be_something(passphrase):
    with pytest.raises(InvalidFieldError) as caught:
        PassphraseKeyProvider(passphrase)
    assert caught.value.code == "key.passphrase"


@pytest.mark.parametrize(
    "costs",
    [
        {"lanes": 0},
        {"iterations": 0},
        {"memory_kib": 31, "lanes": 4},
        {"memory_kib": 2**32},
        {"lanes": 2**24, "memory_kib": 2**31},
        {"iterations": 1.5},
        {"memory_kib": "65536"},
        {"lanes": True},
    ],
    ids=repr,
)
def test_impossible_costs_are_refused(costs):
    with pytest.raises(InvalidFieldError) as caught:
        PassphraseKeyProvider("secret words", **costs)
    assert caught.value.code == "key.argon2"


@pytest.mark.parametrize(
    "costs", [(2**32 - 1, 1, 1), (512 * 1024, 1, 1), (8, 17, 1), (256, 1, 17), (8, 0, 1), (1, 1, 9)]
)
def test_a_blob_cannot_make_the_reader_spend_what_it_likes(costs):
    provider = PassphraseKeyProvider("secret words", **CHEAP)
    wrapped = provider.wrap(bytes(32), b"")
    blob = wrapped.blob[:16] + struct.pack(">III", *costs) + wrapped.blob[28:]
    with pytest.raises(DecryptionError):
        provider.unwrap(WrappedKey(wrapped.key_uri, "", blob), b"")


def test_a_wrapped_key_of_another_kind_of_provider_is_refused():
    with pytest.raises(DecryptionError):
        PassphraseKeyProvider("secret words", **CHEAP).unwrap(LocalKeyProvider(bytes(32)).wrap(bytes(32), b""), b"")


def test_no_repr_shows_a_passphrase_or_key():
    shown = repr(PassphraseKeyProvider("secret words")) + repr(RsaKeyProvider(RSA)) + repr(HpkeKeyProvider(X25519))
    assert "secret" not in shown
    assert X25519.private_bytes_raw().hex() not in shown


@pytest.mark.parametrize(
    "provider",
    [PassphraseKeyProvider("secret words"), RsaKeyProvider(RSA), HpkeKeyProvider(X25519)],
    ids=lambda each: type(each).__name__,
)
def test_providers_cannot_be_copied(provider):
    with pytest.raises(TypeError, match="cannot be pickled or copied"):
        provider.__reduce_ex__(4)


def test_the_kek_can_move_from_a_passphrase_to_a_key_pair():
    store, old, new = MemoryKeyStore(), PassphraseKeyProvider("secret words", **CHEAP), HpkeKeyProvider(X25519)
    keyring = Keyring(old, store)
    token = FieldCipher(keyring).encrypt("x", **HERE)
    keyring.rotate_kek(new)
    assert FieldCipher(Keyring(new, store)).decrypt(token, **HERE) == "x"


def test_a_passphrase_cannot_be_found_in_the_key_store_and_each_wrap_has_its_own_salt():
    provider = PassphraseKeyProvider("secret words", **CHEAP)
    blobs = [provider.wrap(b"k" * 32, b"").blob for _ in range(2)]
    assert blobs[0][:16] != blobs[1][:16]
    assert b"secret" not in blobs[0]


def test_costs_that_this_machine_was_made_with_are_no_denial_of_service():
    costs = {"memory_kib": 8 * 20, "iterations": 20, "lanes": 20}  # beyond what is taken without being told
    wrapped = PassphraseKeyProvider("secret words", **costs).wrap(b"k" * 32, b"")
    assert PassphraseKeyProvider("secret words", **costs).unwrap(wrapped, b"") == b"k" * 32
    with pytest.raises(DecryptionError, match="higher costs"):
        PassphraseKeyProvider("secret words", **CHEAP).unwrap(wrapped, b"")


def openssl(*arguments, stdin):
    run = subprocess.run(["openssl", *arguments], input=stdin, capture_output=True, check=False)
    assert run.returncode == 0, run.stderr.decode()
    return run.stdout


@pytest.mark.skipif(
    shutil.which("openssl") is None, reason="the openssl command is not there to check RSA-OAEP against"
)
def test_openssl_opens_what_the_rsa_provider_wrapped_and_the_other_way_round(tmp_path):
    pem = RSA.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key.pem").write_bytes(pem)
    options = ["-inkey", str(tmp_path / "key.pem")]
    for option in ("rsa_padding_mode:oaep", "rsa_oaep_md:sha256", "rsa_mgf1_md:sha256"):
        options += ["-pkeyopt", option]
    options += ["-pkeyopt", f"rsa_oaep_label:{b'root of shop-1'.hex()}"]
    provider = RsaKeyProvider(RSA)
    wrapped = provider.wrap(bytes(range(32)), b"root of shop-1")
    assert openssl("pkeyutl", "-decrypt", *options, stdin=wrapped.blob) == bytes(range(32))
    theirs = openssl("pkeyutl", "-encrypt", *options, stdin=bytes(range(32)))
    assert provider.unwrap(WrappedKey(provider.key_uri, "", theirs), b"root of shop-1") == bytes(range(32))


def test_the_uri_of_a_key_pair_is_the_fingerprint_that_the_format_page_names():
    der = RSA.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert RsaKeyProvider(RSA).key_uri == f"rsa:{hashlib.sha256(der).digest()[:16].hex()}"
    der = X25519.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert HpkeKeyProvider(X25519).key_uri == f"hpke:{hashlib.sha256(der).digest()[:16].hex()}"


def test_an_hpke_blob_is_what_the_format_page_says():
    wrapped = HpkeKeyProvider(X25519.public_key()).wrap(b"k" * 32, b"context")
    assert len(wrapped.blob) == 32 + 32 + 16
    suite = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
    assert suite.decrypt(wrapped.blob, X25519, b"context") == b"k" * 32


@pytest.mark.parametrize(("cls", "private"), [(RsaKeyProvider, RSA), (HpkeKeyProvider, X25519)], ids=["rsa", "hpke"])
def test_only_keys_of_32_bytes_come_out_of_a_key_pair(cls, private):
    """Anybody can wrap under a public key, so a keyring must not take what is no key."""
    store, provider = MemoryKeyStore(), cls(private)
    Keyring(provider, store).secret("audit")
    row, revision = store.get("root/default")
    [entry] = unpack_roots(row)
    short = provider.wrap(b"k" * 31, root_context("default", entry.root_id))
    store.put([("root/default", pack_roots((attrs.evolve(entry, wrapped=short),)), revision)])
    with pytest.raises(DecryptionError) as caught:
        Keyring(provider, store).secret("audit")
    assert caught.value.code == "key.unwrap"

"""Signatures, with the published vectors of RFC 8032."""

from __future__ import annotations

import pickle

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from custinfo.crypto import Keyring, LocalKeyProvider, MemoryKeyStore, Signer
from custinfo.errors import AccessDeniedError, InvalidFieldError

# RFC 8032, section 7.1, tests 1 to 3: secret key, public key, message, signature.
RFC_8032 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
            "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
            "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
        ),
    ),
]


@pytest.mark.parametrize(("secret", "public", "message", "signature"), RFC_8032)
def test_published_vectors(secret, public, message, signature):
    signer = Signer(bytes.fromhex(secret))
    assert signer.public_bytes().hex() == public
    assert signer.sign(bytes.fromhex(message)).hex() == signature
    assert signer.verify(bytes.fromhex(message), bytes.fromhex(signature))


def test_every_altered_byte_is_seen():
    signer = Signer.generate()
    signature = signer.sign(b"checkpoint")
    for at in range(64):
        altered = bytearray(signature)
        altered[at] ^= 1
        assert not signer.verify(b"checkpoint", bytes(altered))
    assert not signer.verify(b"Checkpoint", signature)
    for none in (signature[:-1], b"", signature.hex(), None, 5):
        assert signer.verify(b"checkpoint", none) is False
    assert not Signer.generate().verify(b"checkpoint", signature)


def test_a_public_key_verifies_and_does_not_sign():
    private = Ed25519PrivateKey.generate()
    signature = Signer(private).sign(b"x")
    public = Signer(private.public_key())
    assert public.verify(b"x", signature)
    assert "verifies only" in repr(public)
    with pytest.raises(AccessDeniedError) as caught:
        public.sign(b"x")
    assert caught.value.code == "signer.public"


def test_a_keyring_keeps_a_signing_key():
    provider, store = LocalKeyProvider.generate(), MemoryKeyStore()
    signature = Signer(Keyring(provider, store).secret("signer")).sign(b"x")
    assert Signer(Keyring(provider, store).secret("signer")).verify(b"x", signature)


@pytest.mark.parametrize("password", [None, b"secret"])
def test_pem_files_go_both_ways(password):
    private = Ed25519PrivateKey.generate()
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
    signer = Signer.from_pem(pem, password=password)
    assert signer.public_pem() == private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert Signer.from_pem(signer.public_pem()).verify(b"x", signer.sign(b"x"))
    for wrong in (b"other", None if password else b"needless"):
        with pytest.raises(InvalidFieldError):
            Signer.from_pem(pem, password=wrong)


RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.mark.parametrize("key", [b"", bytes(31), "0" * 32, None, RSA], ids=["empty", "31", "text", "None", "RSA"])
def test_another_kind_of_key_is_refused(key):
    with pytest.raises(InvalidFieldError) as caught:
        Signer(key)
    assert caught.value.code == "signer.key"


@pytest.mark.parametrize(
    "pem",
    [
        b"",
        b"-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----",
        RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        RSA.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    ],
    ids=["nothing", "empty", "RSA public", "RSA private"],
)
def test_another_kind_of_pem_is_refused(pem):
    with pytest.raises(InvalidFieldError) as caught:
        Signer.from_pem(pem)
    assert caught.value.code == "signer.key"


def test_a_signer_shows_no_key_and_is_not_copied():
    secret = bytes(range(32))
    assert secret.hex()[:16] not in repr(Signer(secret))
    with pytest.raises(TypeError):
        pickle.dumps(Signer(secret))

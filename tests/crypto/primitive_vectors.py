"""Published vectors of the primitives that crypto stands on, from the PyPI package cryptography-vectors.

The name keeps the file out of the ordinary run: `nox -s vectors` installs the vectors of the installed cryptography's
own release and runs it. Primitives are called the way the library calls them, through its own functions where it has
some. Sources: NIST CAVP (AES-GCM), RFC 5297 by OpenSSL (AES-SIV), RFC 9180 (HPKE), RFC 5869 (HKDF), RFC 9106 (Argon2),
C2SP chunked-encryption, RFC 8998 (SM4-GCM), RFC 4231 (HMAC), RFC 8032 (Ed25519), OAEP with SHA-2 by pyca.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import zlib
from functools import cache

import cryptography
import cryptography_vectors
import pytest
from cryptography.cobblestone import Cobblestone256Decryptor, Cobblestone256Encryptor
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.bindings._rust import openssl as rust_openssl
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from custinfo.crypto import Signer
from custinfo.crypto._asymmetric import _oaep
from custinfo.crypto._format import expand
from custinfo.crypto._suites import Sm4Gcm

CHUNK = 16 * 1024
KEY_256 = bytes(range(32))


def read(path):
    with cryptography_vectors.open_vector_file(path, "rb") as file:
        return file.read().decode()


@cache
def blocks(path, first):
    """The vectors of a NIST file as mappings: ``name = value`` lines, a new one at each *first*."""
    found = []
    for line in read(path).splitlines():
        name, equals, value = (part.strip() for part in line.partition("="))
        if line.startswith(("#", "[")) or not (equals or name == "FAIL"):
            continue
        if name.lower() == first:
            found.append({})
        if found:
            found[-1][name.lower()] = value
    return found


def octets(vector, *names):
    return [bytes.fromhex(vector[name]) for name in names]


def test_the_vectors_are_those_of_the_installed_release():
    assert cryptography_vectors.__version__ == cryptography.__version__


# AES-256-GCM: the seal of fields and local keys, with nonces of 96 and tags of 128 bits


def gcm(path):
    """The vectors of the sizes that the library uses."""
    return [one for one in blocks(path, "count") if (len(one["iv"]), len(one["tag"])) == (2 * 12, 2 * 16)]


def test_aes_gcm_encrypts_as_published():
    vectors = gcm("ciphers/AES/GCM/gcmEncryptExtIV256.rsp")
    assert len(vectors) == 375
    for vector in vectors:
        key, nonce, plain, bound, sealed, tag = octets(vector, "key", "iv", "pt", "aad", "ct", "tag")
        assert AESGCM(key).encrypt(nonce, plain, bound) == sealed + tag


def test_aes_gcm_opens_and_refuses_as_published():
    vectors = gcm("ciphers/AES/GCM/gcmDecrypt256.rsp")
    assert len(vectors) == 375
    assert 100 < sum("fail" in vector for vector in vectors) < 275
    for vector in vectors:
        key, nonce, bound, sealed, tag = octets(vector, "key", "iv", "aad", "ct", "tag")
        if "fail" in vector:
            with pytest.raises(InvalidTag):
                AESGCM(key).decrypt(nonce, sealed + tag, bound)
        else:
            assert AESGCM(key).decrypt(nonce, sealed + tag, bound) == bytes.fromhex(vector["pt"])


# AES-SIV: the wrapping of data keys and secrets


def test_aes_siv_wraps_as_published():
    vectors = blocks("ciphers/AES/SIV/openssl.txt", "count")
    assert len(vectors) == 4
    for vector in vectors:
        key, plain, sealed, tag = octets(vector, "key", "plaintext", "ciphertext", "tag")
        bound = octets(vector, *[name for name in ("aad", "aad2", "aad3") if name in vector])
        assert AESSIV(key).encrypt(plain, bound) == tag + sealed
        assert AESSIV(key).decrypt(tag + sealed, bound) == plain
        with pytest.raises(InvalidTag):
            AESSIV(key).decrypt(tag + sealed, [*bound, b""])


# HKDF: field keys, root keys, local keys. The library only expands


def test_hkdf_expands_as_published():
    vectors = [
        *blocks("KDF/rfc-5869-HKDF-SHA256.txt", "count"),
        *blocks("KDF/hkdf-generated.txt", "count"),
    ]
    assert len(vectors) == 4
    for vector in vectors:
        material, salt, info, okm = octets(vector, "ikm", "salt", "info", "okm")
        prk = hmac.digest(salt or bytes(32), material, "sha256")
        assert prk.hex() == vector.get("prk", prk.hex())
        assert expand(prk, info=info, length=int(vector["l"])) == okm


# Argon2id, of passphrases


def test_argon2id_derives_as_published():
    vectors = blocks("KDF/argon2id.txt", "count")
    assert len(vectors) == 6
    for vector in vectors:
        made = Argon2id(
            salt=bytes.fromhex(vector["salt"]),
            length=int(vector["length"]),
            iterations=int(vector["iter"]),
            lanes=int(vector["lanes"]),
            memory_cost=int(vector["memcost"]),
            ad=bytes.fromhex(vector["ad"]) if "ad" in vector else None,
            secret=bytes.fromhex(vector["secret"]) if "secret" in vector else None,
        ).derive(bytes.fromhex(vector["pass"]))
        assert made.hex() == vector["output"]


# HPKE: write-only ingest, with the suites that HpkeKeyProvider makes


@pytest.mark.parametrize(
    ("kem_id", "kem", "curve"), [(16, KEM.P256, ec.SECP256R1()), (18, KEM.P521, ec.SECP521R1()), (32, KEM.X25519, None)]
)
def test_hpke_opens_what_was_published(kem_id, kem, curve):
    wanted = {"mode": 0, "kem_id": kem_id, "kdf_id": 1, "aead_id": 2}  # base, HKDF-SHA256, AES-256-GCM
    (vector,) = [one for one in json.loads(read("HPKE/test-vectors.json")) if wanted.items() <= one.items()]
    number = bytes.fromhex(vector["skRm"])
    if curve is None:
        private = X25519PrivateKey.from_private_bytes(number)
    else:
        private = ec.derive_private_key(int.from_bytes(number, "big"), curve)
    suite = Suite(kem, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
    first = vector["encryptions"][0]
    info, sealed, bound, plain = bytes.fromhex(vector["info"]), *octets(first, "ct", "aad", "pt")
    sealed = bytes.fromhex(vector["enc"]) + sealed
    # The vectors have additional data, which the public single-shot call does not take.
    assert rust_openssl.hpke._decrypt_with_aad(suite, sealed, private, info, bound) == plain
    with pytest.raises(InvalidTag):
        rust_openssl.hpke._decrypt_with_aad(suite, sealed, private, info + b"x", bound)
    # And the public call does the same without any: it opens what the other seals, both ways.
    public = private.public_key()
    assert suite.decrypt(rust_openssl.hpke._encrypt_with_aad(suite, plain, public, info, b""), private, info) == plain
    assert rust_openssl.hpke._decrypt_with_aad(suite, suite.encrypt(plain, public, info), private, info, b"") == plain


# Chunked encryption: streams. The published vectors take SHA-256 where Cobblestone-256 takes SHA-512, and differ in
# nothing else. So a reference over both is held to the vectors first, and Cobblestone-256 to the reference after.


def chunked_keys(key, salt, context, digest):
    info, okm, block = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\x00" + salt + context, b"", b""
    while len(okm) < 76:
        counter = len(okm) // hashlib.new(digest).digest_size + 1
        block = hmac.digest(key, block + info + bytes([counter]), digest)
        okm += block
    return AESGCM(okm[:32]), int.from_bytes(okm[32:44], "big"), okm[44:76]


def chunked_encrypt(key, salt, context, message, digest):
    gcm_of_message, base, commitment = chunked_keys(key, salt, context, digest)
    pieces = [message[at : at + CHUNK] for at in range(0, len(message) + 1, CHUNK)]
    sealed = [gcm_of_message.encrypt((base ^ n).to_bytes(12, "big"), piece, b"") for n, piece in enumerate(pieces)]
    return salt + commitment + b"".join(sealed)


def chunked_decrypt(key, context, sealed, digest):
    if len(key) != 32 or len(sealed) < 56:
        raise InvalidTag
    gcm_of_message, base, commitment = chunked_keys(key, sealed[:24], context, digest)
    if sealed[24:56] != commitment:
        raise InvalidTag
    size = CHUNK + 16
    pieces = [sealed[at : at + size] for at in range(56, len(sealed), size)]
    if not pieces or len(pieces[-1]) == size:
        raise InvalidTag
    return b"".join(gcm_of_message.decrypt((base ^ n).to_bytes(12, "big"), one, b"") for n, one in enumerate(pieces))


CHUNKED = [
    one for one in json.loads(read("chunked-encryption/vectors.json"))["vectors"] if one["aead"] == "AEAD_AES_256_GCM"
]


@pytest.mark.parametrize("vector", CHUNKED, ids=lambda vector: vector["name"])
def test_the_chunked_reference_does_as_published(vector):
    key, context = bytes.fromhex(vector["key"]), vector["context"].encode()
    sealed = base64.b64decode(vector["ciphertext"] or "")
    if vector.get("compressed"):
        sealed = zlib.decompress(sealed)
    if vector["expect"] != "success":
        with pytest.raises((InvalidTag, ValueError)):
            chunked_decrypt(key, context, sealed, "sha256")
        return
    plain = chunked_decrypt(key, context, sealed, "sha256")
    assert (len(plain), hashlib.sha256(plain).hexdigest()) == (vector["payload_length"], vector["payload_sha256"])
    assert chunked_encrypt(key, sealed[:24], context, plain, "sha256") == sealed


@pytest.mark.parametrize("length", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 5 * CHUNK, 257 * CHUNK + 3])
def test_cobblestone_256_is_the_chunked_reference_with_sha_512(length):
    plain = bytes(range(256)) * (length // 256) + bytes(length % 256)
    encryptor = Cobblestone256Encryptor(KEY_256, b"context")
    sealed = encryptor.update(plain) + encryptor.finalize()
    assert chunked_encrypt(KEY_256, sealed[:24], b"context", plain, "sha512") == sealed
    other = chunked_encrypt(KEY_256, bytes(24), b"context", plain, "sha512")
    decryptor = Cobblestone256Decryptor(KEY_256, b"context")
    assert decryptor.update(other) + decryptor.finalize() == plain


# SM4-GCM: suite 2, where OpenSSL has it


def test_sm4_gcm_seals_as_published():
    (vector,) = blocks("ciphers/SM4/rfc8998.txt", "count")
    key, nonce, bound, plain, sealed, tag = octets(vector, "key", "iv", "aad", "plaintext", "ciphertext", "tag")
    seal = Sm4Gcm(key + bytes(16))  # it takes the first half of a field key
    assert seal.encrypt(nonce, plain, bound) == sealed + tag
    assert seal.decrypt(nonce, sealed + tag, bound) == plain


# HMAC-SHA256: blind indexes


def test_hmac_is_as_published():
    vectors = blocks("HMAC/rfc-4231-sha256.txt", "len")
    assert len(vectors) >= 5
    for vector in vectors:
        assert hmac.digest(*octets(vector, "key", "msg"), "sha256").hex() == vector["md"]


# Ed25519, of signatures


def test_signatures_are_as_published():
    lines = read("asymmetric/Ed25519/sign.input").splitlines()
    assert len(lines) == 1024
    for line in lines:
        secret, public, message, signed = (bytes.fromhex(part) for part in line.split(":")[:4])
        signer = Signer(secret[:32])
        assert signer.public_bytes() == public
        assert signer.sign(message) + message == signed
        assert signer.verify(message, signed[:64])


# RSA-OAEP with SHA-256


def oaep():
    """(key, message, ciphertext) each: a comment names the hexadecimal line after it; keys and messages alternate."""
    name, part, key = "", {}, None
    for line in read("asymmetric/RSA/oaep-custom/oaep-sha256-sha256.txt").splitlines():
        if line.startswith("#"):
            name = line.strip("# :").lower()
        elif line.strip():
            part[name] = line.strip()
            if name == "coefficient":
                p, q, d, e, n, dmp1, dmq1, iqmp = (
                    int(part[one], 16)
                    for one in (
                        "prime 1",
                        "prime 2",
                        "exponent",
                        "public exponent",
                        "modulus",
                        "prime exponent 1",
                        "prime exponent 2",
                        "coefficient",
                    )
                )
                numbers = rsa.RSAPrivateNumbers(p, q, d, dmp1, dmq1, iqmp, rsa.RSAPublicNumbers(e, n))
                key = numbers.private_key(unsafe_skip_rsa_key_validation=True)
            elif name == "encryption":
                yield key, bytes.fromhex(part["message"]), bytes.fromhex(part["encryption"])


def test_oaep_opens_as_published():
    vectors = list(oaep())
    assert len(vectors) > 50
    for key, message, sealed in vectors:
        assert key.decrypt(sealed, _oaep(b"")) == message
        with pytest.raises(ValueError, match="Decryption failed"):
            key.decrypt(sealed, _oaep(b"another label"))

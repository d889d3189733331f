"""Field format version 1 written a second time, from docs/crypto-format.md alone, sharing only AES, SM4, HMAC, Argon2id
and X25519.

Slow and plain on purpose: the tests hold the library against it, and `python crypto_oracle.py` prints the frozen
vectors that tests/crypto/vectors.json was made from.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def hkdf_expand(secret: bytes, info: bytes, length: int) -> bytes:
    """RFC 5869, section 2.3."""
    out, block, number = b"", b"", 1
    while len(out) < length:
        block = hmac.new(secret, block + info + bytes([number]), hashlib.sha256).digest()
        out, number = out + block, number + 1
    return out[:length]


def framed(text: str) -> bytes:
    data = text.encode("utf-8")
    return len(data).to_bytes(4, "big") + data


def pad(data: bytes) -> bytes:
    data += b"\x80"
    while len(data) % 16:
        data += b"\x00"
    return data


def sealed(suite, key, nonce, plaintext, aad):
    if suite == 1:
        return AESGCM(key).encrypt(nonce, plaintext, aad)
    encryptor = Cipher(algorithms.SM4(key[:16]), modes.GCM(nonce)).encryptor()
    encryptor.authenticate_additional_data(aad)
    return encryptor.update(plaintext) + encryptor.finalize() + encryptor.tag


def token(dek, nonce, codec, value, *, tenant, entity, record, field, suite=1):
    okm = hkdf_expand(dek, b"custinfo/v1/field", 64)
    key, kid = okm[:32], okm[32:]
    header = b"\xc1" + bytes([suite]) + kid
    aad = header + framed(tenant) + framed(entity) + framed(record) + framed(field)
    return header + nonce + sealed(suite, key, nonce, pad(bytes([codec]) + value), aad)


def text(data: bytes) -> str:
    return "ci1." + base64.urlsafe_b64encode(data).decode().rstrip("=")


def root(secret: bytes):
    okm = hkdf_expand(secret, b"custinfo/v1/root", 96)
    return okm[:64], okm[64:]


def root_context(secret: bytes, *, tenant: str) -> bytes:
    return framed("custinfo/v1/root") + framed(tenant) + root(secret)[1]


def root_row(entries) -> bytes:
    row = b"\xc2\x01"
    for root_id, flags, key_uri, version, blob in entries:
        row += root_id + bytes([flags]) + framed(key_uri) + framed(json.dumps(version))
        row += len(blob).to_bytes(4, "big") + blob
    return row


def data_key_row(root_secret: bytes, dek: bytes, *, tenant: str, subject: str) -> bytes:
    siv, root_id = root(root_secret)
    kid = hkdf_expand(dek, b"custinfo/v1/field", 64)[32:]
    aad = [b"custinfo/v1/data-key", tenant.encode(), subject.encode(), kid]
    return b"\xc3\x01" + root_id + kid + AESSIV(siv).encrypt(dek, aad)


def secret_row(root_secret: bytes, secrets, *, tenant: str, name: str) -> bytes:
    siv, root_id = root(root_secret)
    row = b"\xc4\x01"
    for secret in secrets:
        row += root_id + AESSIV(siv).encrypt(secret, [b"custinfo/v1/secret", tenant.encode(), name.encode(), b""])
    return row


def local_blob(kek: bytes, nonce: bytes, root_secret: bytes, *, tenant: str):
    okm = hkdf_expand(kek, b"custinfo/v1/local", 40)
    blob = nonce + AESGCM(okm[:32]).encrypt(nonce, root_secret, root_context(root_secret, tenant=tenant))
    return f"local:{okm[32:].hex()}", blob


def passphrase_blob(passphrase: str, salt: bytes, nonce: bytes, costs, secret: bytes, context: bytes) -> bytes:
    memory, iterations, lanes = costs
    head = salt + b"".join(cost.to_bytes(4, "big") for cost in costs)
    kdf = Argon2id(salt=salt, length=32, iterations=iterations, lanes=lanes, memory_cost=memory)
    return head + nonce + AESGCM(kdf.derive(passphrase.encode())).encrypt(nonce, secret, head + context)


def mgf1(seed: bytes, length: int) -> bytes:
    blocks = [hashlib.sha256(seed + number.to_bytes(4, "big")).digest() for number in range(length // 32 + 1)]
    return b"".join(blocks)[:length]


def xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def oaep_blob(modulus: int, seed: bytes, secret: bytes, context: bytes) -> bytes:
    """RFC 8017, section 7.1.1, with SHA-256 and the public exponent 65537."""
    size = (modulus.bit_length() + 7) // 8
    block = hashlib.sha256(context).digest() + bytes(size - len(secret) - 66) + b"\x01" + secret
    masked = xor(block, mgf1(seed, len(block)))
    encoded = b"\x00" + xor(seed, mgf1(masked, 32)) + masked
    return pow(int.from_bytes(encoded, "big"), 65537, modulus).to_bytes(size, "big")


def hpke_blob(ephemeral: bytes, public: bytes, secret: bytes, context: bytes) -> bytes:
    """RFC 9180, sections 4.1 and 5.1: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM, base mode."""

    def extract(suite, salt, label, secret):
        return hmac.new(salt, b"HPKE-v1" + suite + label + secret, hashlib.sha256).digest()

    def expand(suite, secret, label, info, length):
        return hkdf_expand(secret, length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info, length)

    own = X25519PrivateKey.from_private_bytes(ephemeral)
    sent = own.public_key().public_bytes_raw()
    kem, suite = b"KEM\x00\x20", b"HPKE\x00\x20\x00\x01\x00\x02"
    shared = extract(kem, b"", b"eae_prk", own.exchange(X25519PublicKey.from_public_bytes(public)))
    shared = expand(kem, shared, b"shared_secret", sent + public, 32)
    schedule = b"\x00" + extract(suite, b"", b"psk_id_hash", b"") + extract(suite, b"", b"info_hash", context)
    prk = extract(suite, shared, b"secret", b"")
    key, nonce = expand(suite, prk, b"key", schedule, 32), expand(suite, prk, b"base_nonce", schedule, 12)
    return sent + AESGCM(key).encrypt(nonce, secret, b"")


RSA_PRIMES = (
    (
        "e1a7756f5f206efc350ddb71dd997918fcfdac9dddf0de49f78750e78f6608a6824f350ffe08b08fb993d734398e128b"
        "0d5fa75e1cdd8ca1322d5e7ef8ce186650df94fc5bb05671ac7373ffc060d6d9f4710c3dfa35a30e31ff1142d15e0a1b"
        "98386f5fcc68e1c2b00d930446fa3e0d3eee9a1a861b5425ae63726ee06f04cd"
    ),
    (
        "dda9e69dea02072095a312d4e98f1d161c149eab68783769472964339f5b7d166006d3b1e9a4c3f9e7a06f3f6ec3278b"
        "3b654b837d4f64ee1bdf9ba954c76c0eab847a572ca835cc8e73a7e8f04db75004a7147fc303fa81d2a3c31d16060add"
        "6d1d876d75b5ab4ca5237bddf8aed1605592c4642cec0b025d1538d9211be94b"
    ),
)
"""Of a key made for these vectors alone."""


def index_token(secret: bytes, normal: bytes, bits: int) -> str:
    digest = hmac.new(secret, normal, hashlib.sha256).digest()[: (bits + 7) // 8]
    whole = int.from_bytes(digest, "big")
    spare = 8 * len(digest) - bits
    return base64.b32encode((whole - whole % 2**spare).to_bytes(len(digest), "big")).decode().rstrip("=")


CODECS = {
    "none": (0, b""),
    "bytes empty": (1, b""),
    "bytes": (1, bytes.fromhex("00ff80000080")),
    "text empty": (2, b""),
    "text": (2, b"Anna"),
    "text of 15 bytes": (2, b"fifteen letters"),
    "text Chinese": (2, "\u5f20\u4f1f".encode()),
    "int": (3, b"-42"),
    "int large": (3, str(2**80).encode()),
    "date": (4, b"1980-02-29"),
    "datetime naive": (5, b"2026-01-02T03:04:05"),
    "datetime UTC": (5, b"2026-01-02T03:04:05.000006+00:00"),
    "JSON object": (6, '{"city":"M\u00fcnchen","n":[1,2.5,true,null]}'.encode()),
    "JSON list": (6, b"[]"),
    "JSON bool": (6, b"false"),
    "JSON number": (6, b"0.1"),
}


def fingerprint(public) -> str:
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()[:32]


def wrapped(secret: bytes, key) -> dict[str, object]:
    """The root, wrapped for the tenant shop-1 by each provider that has no service."""
    context = root_context(secret, tenant="shop-1")
    costs, passphrase = (64, 2, 2), "p\u00e4ssword of these vectors"
    p, q = (int(prime, 16) for prime in RSA_PRIMES)
    modulus = p * q
    private = X25519PrivateKey.from_private_bytes(key("hpke"))
    return {
        "context": context.hex(),
        "passphrase": {
            "passphrase": passphrase,
            "key_uri": "passphrase:argon2id",
            "blob": passphrase_blob(passphrase, key("salt")[:16], key("nonce")[:12], costs, secret, context).hex(),
        },
        "rsa": {
            "p": RSA_PRIMES[0],
            "q": RSA_PRIMES[1],
            "key_uri": f"rsa:{fingerprint(rsa.RSAPublicNumbers(65537, modulus).public_key())}",
            "blob": oaep_blob(modulus, key("oaep seed"), secret, context).hex(),
        },
        "hpke": {
            "private": key("hpke").hex(),
            "key_uri": f"hpke:{fingerprint(private.public_key())}",
            "blob": hpke_blob(key("ephemeral"), private.public_key().public_bytes_raw(), secret, context).hex(),
        },
    }


def vectors() -> dict[str, object]:
    def key(label: str) -> bytes:
        return hashlib.sha256(b"custinfo test key: " + label.encode()).digest()

    dek, root_secret, kek = key("dek"), key("root"), key("kek")
    place = {"tenant": "shop-1", "entity": "customer", "record": "c-17", "field": "given_name"}
    fields, fields_sm4 = [], []
    for number, (name, (codec, value)) in enumerate(CODECS.items()):
        nonce = key(f"nonce {number}")[:12]
        made = token(dek, nonce, codec, value, **place)
        fields.append(
            {"name": name, **place, "nonce": nonce.hex(), "codec": codec, "value": value.hex(), "token": made.hex()}
            | {"text": text(made)}
        )
        made = token(dek, nonce, codec, value, **place, suite=2)
        fields_sm4.append(fields[-1] | {"token": made.hex(), "text": text(made)})
    elsewhere = {"tenant": "\u5e97", "entity": "account", "record": "", "field": "\u00e9"}
    made = token(dek, bytes(12), 2, b"x", **elsewhere)
    fields.append(
        {"name": "names beyond ASCII, empty record", **elsewhere, "nonce": bytes(12).hex(), "codec": 2}
        | {"value": b"x".hex(), "token": made.hex(), "text": text(made)}
    )
    key_uri, blob = local_blob(kek, key("kek nonce")[:12], root_secret, tenant="shop-1")
    secrets = [key("new secret"), key("old secret")]
    kid = hkdf_expand(dek, b"custinfo/v1/field", 64)[32:]
    return {
        "about": "custinfo crypto format, version 1; see docs/crypto-format.md. All bytes are hexadecimal.",
        "dek": dek.hex(),
        "field_key": hkdf_expand(dek, b"custinfo/v1/field", 64)[:32].hex(),
        "kid": kid.hex(),
        "fields": fields,
        "fields_sm4": fields_sm4,
        "keys": {
            "tenant": "shop-1",
            "subject": "c-17",
            "kek": kek.hex(),
            "root": root_secret.hex(),
            "root_siv_key": root(root_secret)[0].hex(),
            "root_id": root(root_secret)[1].hex(),
            "rows": {
                "root/shop-1": root_row([(root(root_secret)[1], 0, key_uri, "", blob)]).hex(),
                "subject/shop-1/c-17": data_key_row(root_secret, dek, tenant="shop-1", subject="c-17").hex(),
                f"process/shop-1/{kid.hex()}": data_key_row(root_secret, dek, tenant="shop-1", subject="").hex(),
                "secret/shop-1/index/email": secret_row(
                    root_secret, secrets, tenant="shop-1", name="index/email"
                ).hex(),
            },
            "secrets": [secret.hex() for secret in secrets],
        },
        "wrapped": wrapped(root_secret, key),
        "index": [
            {"secret": secrets[0].hex(), "normal": normal.encode().hex(), "bits": bits, "token": made}
            for normal in ("anna@example.com", "\u5f20\u4f1f")
            for bits in (256, 32, 13, 1)
            for made in [index_token(secrets[0], normal.encode(), bits)]
        ],
    }


if __name__ == "__main__":
    print(json.dumps(vectors(), indent=1, ensure_ascii=True))  # noqa: T201 - a tool, and this is its output

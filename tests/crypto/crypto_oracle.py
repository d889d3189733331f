"""Field format version 1 written a second time, from docs/crypto-format.md alone, sharing only AES, SM4 and HMAC.

Slow and plain on purpose: the tests hold the library against it, and `python crypto_oracle.py` prints the frozen
vectors that tests/crypto/vectors.json was made from.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV


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
        "index": [
            {"secret": secrets[0].hex(), "normal": normal.encode().hex(), "bits": bits, "token": made}
            for normal in ("anna@example.com", "\u5f20\u4f1f")
            for bits in (256, 32, 13, 1)
            for made in [index_token(secrets[0], normal.encode(), bits)]
        ],
    }


if __name__ == "__main__":
    print(json.dumps(vectors(), indent=1, ensure_ascii=True))  # noqa: T201 - a tool, and this is its output

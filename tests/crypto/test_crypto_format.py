"""The format to the byte: frozen vectors, and a second implementation of docs/crypto-format.md."""

from __future__ import annotations

import json
import string
from datetime import UTC, date, datetime
from pathlib import Path

import crypto_oracle
import pytest
from crypto_helpers import SUITES, needs_sm4
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from custinfo.crypto import (
    BlindIndex,
    FieldCipher,
    HpkeKeyProvider,
    Keyring,
    LocalKeyProvider,
    MemoryKeyStore,
    PassphraseKeyProvider,
    RsaKeyProvider,
    WrappedKey,
    from_text,
    to_text,
)
from custinfo.crypto import _cipher as cipher_module
from custinfo.crypto._rows import unpack_roots
from custinfo.errors import DecryptionError

VECTORS = json.loads(Path(__file__).with_name("vectors.json").read_text())
VALUES = {
    "none": None,
    "bytes empty": b"",
    "bytes": b"\x00\xff\x80\x00\x00\x80",
    "text empty": "",
    "text": "Anna",
    "text of 15 bytes": "fifteen letters",
    "text Chinese": "张伟",
    "int": -42,
    "int large": 2**80,
    "date": date(1980, 2, 29),
    "datetime naive": datetime(2026, 1, 2, 3, 4, 5),
    "datetime UTC": datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
    "JSON object": {"city": "München", "n": [1, 2.5, True, None]},
    "JSON list": [],
    "JSON bool": False,
    "JSON number": 0.1,
    "names beyond ASCII, empty record": "x",
}


def place(vector):
    return {name: vector[name] for name in ("entity", "record", "field")}


def cipher_of(vector):
    suite = {"c101": "AES-256-GCM", "c102": "SM4-GCM"}[vector["token"][:4]]
    return FieldCipher.from_dek(bytes.fromhex(VECTORS["dek"]), tenant=vector["tenant"], suite=suite)


def of_both_suites():
    cases = [pytest.param(vector, id=vector["name"]) for vector in VECTORS["fields"]]
    cases += [pytest.param(vector, id=f"SM4 {vector['name']}", marks=needs_sm4) for vector in VECTORS["fields_sm4"]]
    return pytest.mark.parametrize("vector", cases)


def with_nonce(monkeypatch, nonce):
    """Make the cipher draw this nonce, and nothing else."""

    class Drawn:
        @staticmethod
        def urandom(count):
            assert count == len(nonce)
            return nonce

    monkeypatch.setattr(cipher_module, "os", Drawn)


@needs_sm4
def test_the_vectors_are_those_of_the_second_implementation():
    assert crypto_oracle.vectors() == VECTORS


def test_every_codec_has_a_vector():
    assert {vector["codec"] for vector in VECTORS["fields_sm4"]} == set(range(7))
    assert {vector["codec"] for vector in VECTORS["fields"]} == set(range(7))
    assert {vector["name"] for vector in VECTORS["fields"]} == set(VALUES)


@of_both_suites()
def test_a_frozen_token_decrypts(vector):
    value = cipher_of(vector).decrypt(bytes.fromhex(vector["token"]), **place(vector))
    assert (type(value), value) == (type(VALUES[vector["name"]]), VALUES[vector["name"]])


@of_both_suites()
def test_encrypting_with_the_frozen_nonce_gives_the_frozen_token(vector, monkeypatch):
    with_nonce(monkeypatch, bytes.fromhex(vector["nonce"]))
    token = cipher_of(vector).encrypt(VALUES[vector["name"]], **place(vector))
    assert token.hex() == vector["token"]
    assert to_text(token) == vector["text"]
    assert from_text(vector["text"]) == token


@pytest.mark.parametrize("mode", ["subject", "tenant"])
def test_a_keyring_opens_the_frozen_rows(mode):
    keys, store = VECTORS["keys"], MemoryKeyStore()
    store.put([(name, bytes.fromhex(row), 0) for name, row in keys["rows"].items()])
    keyring = Keyring(LocalKeyProvider(bytes.fromhex(keys["kek"])), store, tenant=keys["tenant"], mode=mode)
    vector = VECTORS["fields"][4]
    assert vector["record"] == keys["subject"]
    assert FieldCipher(keyring).decrypt(bytes.fromhex(vector["token"]), **place(vector)) == "Anna"
    assert keyring.secret("index/email").hex() == keys["secrets"][0]
    index = BlindIndex(keyring, "email", normalize=str, bits=256)
    assert index.tokens("anna@example.com") == tuple(
        crypto_oracle.index_token(bytes.fromhex(secret), b"anna@example.com", 256) for secret in keys["secrets"]
    )


def provider_of(kind):
    vector = VECTORS["wrapped"][kind]
    if kind == "passphrase":
        return PassphraseKeyProvider(vector["passphrase"], memory_kib=64, iterations=1, lanes=1)
    if kind == "hpke":
        return HpkeKeyProvider(X25519PrivateKey.from_private_bytes(bytes.fromhex(vector["private"])))
    p, q = (int(vector[name], 16) for name in "pq")
    private = pow(65537, -1, (p - 1) * (q - 1))
    shortcuts = rsa.rsa_crt_dmp1(private, p), rsa.rsa_crt_dmq1(private, q), rsa.rsa_crt_iqmp(p, q)
    public = rsa.RSAPublicNumbers(65537, p * q)
    return RsaKeyProvider(rsa.RSAPrivateNumbers(p, q, private, *shortcuts, public).private_key())


@pytest.mark.parametrize("kind", ["passphrase", "rsa", "hpke"])
def test_a_frozen_wrapped_key_opens(kind):
    vector, provider = VECTORS["wrapped"][kind], provider_of(kind)
    frozen = WrappedKey(vector["key_uri"], "", bytes.fromhex(vector["blob"]))
    context = bytes.fromhex(VECTORS["wrapped"]["context"])
    assert provider.unwrap(frozen, context).hex() == VECTORS["keys"]["root"]
    assert provider.wrap(bytes(32), context).key_uri == vector["key_uri"]


@pytest.mark.parametrize("vector", VECTORS["index"], ids=lambda vector: f"{vector['bits']} bits")
def test_a_frozen_index_token_comes_out_again(vector):
    keys, store = VECTORS["keys"], MemoryKeyStore()
    store.put([(name, bytes.fromhex(row), 0) for name, row in keys["rows"].items()])
    keyring = Keyring(LocalKeyProvider(bytes.fromhex(keys["kek"])), store, tenant=keys["tenant"])
    index = BlindIndex(keyring, "email", normalize=str, bits=vector["bits"])
    assert index.token(bytes.fromhex(vector["normal"]).decode()) == vector["token"]


@given(
    dek=st.binary(min_size=32, max_size=32),
    names=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=9), min_size=4, max_size=4),
    value=st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
)
@pytest.mark.parametrize("suite", SUITES)
def test_each_implementation_reads_and_writes_what_the_other_does(suite, dek, names, value):
    tenant, entity, record, field = names
    cipher = FieldCipher.from_dek(dek, tenant=tenant, suite=suite)
    token = cipher.encrypt(value, entity=entity, record=record, field=field)
    place = {"tenant": tenant, "entity": entity, "record": record, "field": field}
    assert token == crypto_oracle.token(dek, token[34:46], 2, value.encode(), **place, suite=token[1])


@pytest.mark.parametrize("tenant", ["default", "a/b", "a%2Fb", "店", " "])
def test_rows_written_by_the_library_are_those_of_the_second_implementation(tenant):
    kek, store = b"\x05" * 32, MemoryKeyStore()
    keyring = Keyring(LocalKeyProvider(kek), store, tenant=tenant)
    token = FieldCipher(keyring).encrypt("x", entity="customer", record="r/1", field="a")
    secret = keyring.secret("index/email")
    rows = {name: store.get(name)[0] for name in store.names()}
    part = "".join(c if c in string.ascii_letters + string.digits + "_.-~" else quoted(c) for c in tenant)
    assert set(rows) == {f"root/{part}", f"subject/{part}/r/1", f"secret/{part}/index/email"}
    root_row = rows[f"root/{part}"]
    uri = keyring._access.ring.provider.key_uri
    wrapped = root_row[-60:]
    context = crypto_oracle.framed("custinfo/v1/root") + crypto_oracle.framed(tenant) + root_row[2:34]
    root = crypto_oracle.AESGCM(crypto_oracle.hkdf_expand(kek, b"custinfo/v1/local", 40)[:32]).decrypt(
        wrapped[:12], wrapped[12:], context
    )
    assert root_row == crypto_oracle.root_row([(crypto_oracle.root(root)[1], 0, uri, "", wrapped)])
    row = rows[f"subject/{part}/r/1"]
    siv = crypto_oracle.AESSIV(crypto_oracle.root(root)[0])
    aad = [b"custinfo/v1/data-key", tenant.encode(), b"r/1", token[2:34]]
    dek = siv.decrypt(row[66:], aad)
    assert row == crypto_oracle.data_key_row(root, dek, tenant=tenant, subject="r/1")
    assert rows[f"secret/{part}/index/email"] == crypto_oracle.secret_row(
        root, [secret], tenant=tenant, name="index/email"
    )


def quoted(letter):
    return "".join(f"%{byte:02X}" for byte in letter.encode())


def test_a_root_row_of_impossible_content_is_refused():
    whole = bytes.fromhex(VECTORS["keys"]["rows"]["root/shop-1"])
    assert unpack_roots(whole)
    framed = crypto_oracle.framed
    for row in (
        whole[:34] + b"\x10" + whole[35:],
        b"\xc2\x01" + bytes(33) + framed("u") + framed("[1]") + framed("b"),
        b"\xc2\x01" + bytes(33) + framed("u") + framed("[" * 100_000) + framed("b"),
        b"\xc2\x01" + bytes(33) + framed("u")[:4] + b"\xff" + framed('""') + framed("b"),
    ):
        with pytest.raises(DecryptionError):
            unpack_roots(row)


@given(st.binary(max_size=80))
def test_the_text_form_gives_the_token_back(token):
    text = to_text(token)
    assert from_text(text) == token
    assert text == crypto_oracle.text(token)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ci1",
        "ci2.AAAA",
        "CI1.AAAA",
        " ci1.AAAA",
        "ci1.AAAA\n",
        "ci1.AA==",
        "ci1.A",
        "ci1.AAAAA",
        "ci1.AB",  # spare bits are not zero
        "ci1.AAB",
        "ci1.AA+A",
        "ci1.AA/A",
        "ci1.AA A",
        "ci1.ＡＡＡＡ",
        b"ci1.AAAA",
        None,
    ],
    ids=repr,
)
def test_a_text_that_to_text_would_not_write_is_refused(text):
    with pytest.raises(DecryptionError):
        from_text(text)

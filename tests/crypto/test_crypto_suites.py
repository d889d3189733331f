"""The suites: SM4-GCM by its published vector, names that are refused, and a machine without SM4."""

from __future__ import annotations

import pytest
from crypto_helpers import STARTS, needs_sm4
from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm

from custinfo.crypto import FieldCipher, Keyring, LocalKeyProvider, MemoryKeyStore
from custinfo.crypto import _suites as suites_module
from custinfo.crypto._suites import Sm4Gcm
from custinfo.errors import InvalidFieldError

HERE = {"entity": "customer", "record": "17", "field": "email"}

RFC_8998_A1 = {
    "key": "0123456789ABCDEFFEDCBA9876543210",
    "nonce": "00001234567800000000ABCD",
    "aad": "FEEDFACEDEADBEEFFEEDFACEDEADBEEFABADDAD2",
    "plaintext": "AAAAAAAAAAAAAAAABBBBBBBBBBBBBBBBCCCCCCCCCCCCCCCCDDDDDDDDDDDDDDDD"
    "EEEEEEEEEEEEEEEEFFFFFFFFFFFFFFFFEEEEEEEEEEEEEEEEAAAAAAAAAAAAAAAA",
    "ciphertext": "17F399F08C67D5EE19D0DC9969C4BB7D5FD46FD3756489069157B282BB200735"
    "D82710CA5C22F0CCFA7CBF93D496AC15A56834CBCF98C397B4024A2691233B8D",
    "tag": "83DE3541E4C2B58177E065A9BF7B62EC",
}
"""RFC 8998 (March 2021), appendix A.1, all in hexadecimal."""


@needs_sm4
def test_sm4_gcm_gives_the_published_vector():
    vector = {name: bytes.fromhex(value) for name, value in RFC_8998_A1.items()}
    seal = Sm4Gcm(vector["key"] + b"what follows the first 16 bytes is not used")
    sealed = vector["ciphertext"] + vector["tag"]
    assert seal.encrypt(vector["nonce"], vector["plaintext"], vector["aad"]) == sealed
    assert seal.decrypt(vector["nonce"], sealed, vector["aad"]) == vector["plaintext"]


@needs_sm4
def test_sm4_gcm_gives_nothing_out_before_its_tag_is_right():
    seal = Sm4Gcm(bytes(16))
    sealed = seal.encrypt(bytes(12), b"x" * 40, b"bound")
    for data, bound in ((sealed[:-1] + bytes([sealed[-1] ^ 1]), b"bound"), (sealed, b"other"), (sealed[1:], b"bound")):
        with pytest.raises(InvalidTag):
            seal.decrypt(bytes(12), data, bound)
    with pytest.raises(ValueError, match="tag"):
        seal.decrypt(bytes(12), sealed[:15], b"bound")


def test_a_keyring_writes_the_suite_it_was_told(suite):
    keyring = Keyring(LocalKeyProvider.generate(), MemoryKeyStore(), suite=suite)
    token = FieldCipher(keyring).encrypt("x", **HERE)
    assert token[:2] == STARTS[suite]
    assert len(token) == 78
    assert keyring.suite == suite


def test_sm4_is_off_by_default():
    keyring = Keyring(LocalKeyProvider.generate(), MemoryKeyStore())
    assert keyring.suite == "AES-256-GCM"
    assert list(keyring._access._reads) == [b"\xc1\x01"]
    assert FieldCipher.from_dek(bytes(32), tenant="t").encrypt("x", **HERE)[:2] == b"\xc1\x01"


@needs_sm4
@pytest.mark.parametrize("mode", ["subject", "tenant"])
def test_a_tenant_moves_from_one_suite_to_the_other_without_new_keys(mode):
    provider, store = LocalKeyProvider.generate(), MemoryKeyStore()
    before = FieldCipher(Keyring(provider, store, mode=mode)).encrypt_record({"a": 1, "b": "x"}, entity="e", record="r")
    rows = store.names("subject/")
    moved = FieldCipher(Keyring(provider, store, mode=mode, suite="SM4-GCM", suites=["AES-256-GCM"]))
    after = moved.encrypt_record({"c": 2}, entity="e", record="r")
    assert moved.decrypt_record(before | after, entity="e", record="r") == {"a": 1, "b": "x", "c": 2}
    assert moved.decrypt_records([("r", None, before), ("r", None, after)], entity="e") == [
        {"a": 1, "b": "x"},
        {"c": 2},
    ]
    assert store.names("subject/") == rows


@pytest.mark.parametrize("name", ["", "AES", "aes-256-gcm", "SM4", None, 1, b"SM4-GCM"], ids=repr)
def test_an_unknown_suite_is_refused(name):
    for make in (
        lambda: Keyring(LocalKeyProvider.generate(), MemoryKeyStore(), suite=name),
        lambda: Keyring(LocalKeyProvider.generate(), MemoryKeyStore(), suites=[name]),
        lambda: FieldCipher.from_dek(bytes(32), tenant="t", suite=name),
    ):
        with pytest.raises(InvalidFieldError, match="AES-256-GCM and SM4-GCM") as caught:
            make()
        assert caught.value.code == "suite.unknown"


def test_a_text_is_no_list_of_suites():
    with pytest.raises(InvalidFieldError) as caught:
        Keyring(LocalKeyProvider.generate(), MemoryKeyStore(), suites="SM4-GCM")
    assert caught.value.code == "suite.unknown"


def test_a_machine_whose_openssl_has_no_sm4_says_so(monkeypatch):
    def without(*_):
        raise UnsupportedAlgorithm("no SM4")

    monkeypatch.setattr(suites_module, "Cipher", without)
    for options in ({"suite": "SM4-GCM"}, {"suites": ["SM4-GCM"]}):
        with pytest.raises(InvalidFieldError, match="has no SM4-GCM; use a build that has it") as caught:
            Keyring(LocalKeyProvider.generate(), MemoryKeyStore(), **options)
        assert caught.value.code == "suite.unavailable"
    Keyring(LocalKeyProvider.generate(), MemoryKeyStore())

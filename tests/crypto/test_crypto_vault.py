"""Vault's transit engine, against a stand-in on loopback that is spoken to by hvac."""

from __future__ import annotations

import base64
import json
import os
import socket
import sys

import hvac
import pytest
from crypto_helpers import HERE
from fake_transit import TOKEN, FakeTransit, Key

from custinfo.crypto import (
    FieldCipher,
    KeyProvider,
    Keyring,
    LocalKeyProvider,
    MemoryKeyStore,
    Rewrapper,
    VaultKeyProvider,
    WrappedKey,
    _vault,
    decrypt_stream,
    encrypt_stream,
)
from custinfo.errors import DecryptionError, InvalidFieldError, KeyUnavailableError, MissingExtraError
from custinfo.testing import KeyProviderContract
from custinfo.testing._provider_base import said_by

KEY = b"k" * 32
URI = "vault://transit/customers"


@pytest.fixture(autouse=True)
def pauses(monkeypatch):
    """No pause takes time; their lengths are noted."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    pauses = []
    monkeypatch.setattr(_vault, "sleep", pauses.append)
    return pauses


@pytest.fixture
def transit():
    fake = FakeTransit()
    yield fake
    fake.stop()


@pytest.fixture
def client(transit):
    client = hvac.Client(url=transit.url, token=TOKEN, timeout=10)
    yield client
    client.adapter.close()


@pytest.fixture
def vault(client):
    return VaultKeyProvider("customers", client=client)


class TestVault(KeyProviderContract):
    @pytest.fixture(autouse=True)
    def _server(self, transit, client):
        self.transit, self.client = transit, client

    def make_provider(self):
        name = f"key-{len(self.transit.keys)}"
        self.transit.keys[name] = Key()
        return VaultKeyProvider(name, client=self.client)

    def reopen(self, provider):
        return VaultKeyProvider(provider.key_uri.rpartition("/")[2], client=self.client)

    def revoke(self, provider):
        self.transit.sealed = True
        return True

    def secrets(self, provider):
        return [TOKEN.encode()]


def refused(use, *args):
    """The code of the refusal, which shows neither key nor token and names the transit key."""
    with pytest.raises(KeyUnavailableError) as caught:
        use(*args)
    assert URI in str(caught.value)
    assert caught.value.details["key_uri"] == URI
    for secret in (TOKEN, KEY.decode(), base64.b64encode(KEY).decode()):
        assert secret not in said_by(caught.value)
    assert caught.value.__context__ is None
    return caught.value.code


def test_it_is_a_provider_and_no_rewrapper(vault):
    assert isinstance(vault, KeyProvider)
    assert not isinstance(vault, Rewrapper)


def test_the_wrapped_key_is_what_transit_wrote(vault, transit):
    transit.keys["customers"].rotate()
    wrapped = vault.wrap(KEY, b"c")
    assert (wrapped.key_uri, wrapped.version) == (URI, 2)
    assert wrapped.blob.startswith(b"vault:v2:")


def test_the_associated_data_are_what_the_format_page_says(vault, client):
    wrapped = vault.wrap(KEY, b"context")
    bound = base64.b64encode(b"\x00\x00\x00\x11custinfo/v1/vaultcontext").decode()
    answer = client.secrets.transit.decrypt_data("customers", ciphertext=wrapped.blob.decode(), associated_data=bound)
    assert base64.b64decode(answer["data"]["plaintext"]) == KEY


def test_a_rotated_key_opens_what_its_older_versions_wrapped(vault, transit):
    store = MemoryKeyStore()
    token = FieldCipher(Keyring(vault, store)).encrypt("Anna", **HERE)
    transit.keys["customers"].rotate()
    keyring = Keyring(vault, store)
    assert FieldCipher(keyring).decrypt(token, **HERE) == "Anna"
    keyring.rotate_kek()
    transit.keys["customers"].min_decryption_version = 2
    assert FieldCipher(Keyring(vault, store)).decrypt(token, **HERE) == "Anna"


def test_a_version_that_was_withdrawn_is_named(vault, transit):
    wrapped = vault.wrap(KEY, b"c")
    transit.keys["customers"].rotate()
    transit.keys["customers"].min_decryption_version = 2
    assert refused(vault.unwrap, wrapped, b"c") == "key.disabled"


def test_the_key_moves_from_a_local_one_and_the_local_one_can_go(vault):
    store = MemoryKeyStore()
    keyring = Keyring(LocalKeyProvider.generate(), store)
    token = FieldCipher(keyring).encrypt("Anna", **HERE)
    keyring.rotate_kek(vault)
    assert FieldCipher(Keyring(vault, store)).decrypt(token, **HERE) == "Anna"


def test_a_stream_is_sealed_and_opened(vault, tmp_path):
    (tmp_path / "clear").write_bytes(b"id,name")
    encrypt_stream(tmp_path / "clear", tmp_path / "sealed", vault, context="export")
    decrypt_stream(tmp_path / "sealed", tmp_path / "again", vault, context="export")
    assert (tmp_path / "again").read_bytes() == b"id,name"


def test_many_records_cost_one_unwrap(vault, transit):
    store = MemoryKeyStore()
    rows = [(str(n), None, {"email": n}) for n in range(500)]
    tokens = FieldCipher(Keyring(vault, store)).encrypt_records(rows, entity="e")
    transit.requests.clear()
    again = [(str(n), None, token) for n, token in enumerate(tokens)]
    assert FieldCipher(Keyring(vault, store)).decrypt_records(again, entity="e")[-1] == {"email": 499}
    assert transit.requests == ["/v1/transit/decrypt/customers"]


def test_a_sealed_vault_says_so(vault, transit):
    wrapped = vault.wrap(KEY, b"c")
    transit.sealed = True
    assert refused(vault.unwrap, wrapped, b"c") == "key_unavailable"
    with pytest.raises(KeyUnavailableError, match="sealed"):
        vault.wrap(KEY, b"c")


@pytest.mark.parametrize(
    ("take", "give", "code"),
    [
        (lambda t: setattr(t, "sealed", True), lambda t: setattr(t, "sealed", False), "key_unavailable"),
        (lambda t: t.may.remove("decrypt"), lambda t: t.may.add("decrypt"), "key.denied"),
        (
            lambda t: setattr(t.keys["customers"], "min_decryption_version", 2),
            lambda t: setattr(t.keys["customers"], "min_decryption_version", 1),
            "key.disabled",
        ),
        (
            lambda t: t.keys.update(gone=t.keys.pop("customers")),
            lambda t: t.keys.update(customers=t.keys["gone"]),
            "key.missing",
        ),
    ],
    ids=["sealed", "denied", "withdrawn", "deleted"],
)
def test_a_key_taken_away_closes_a_warm_keyring_when_its_root_expires(vault, transit, clock, take, give, code):
    cipher = FieldCipher(Keyring(vault, MemoryKeyStore(), cache_ttl_s=60))
    token = cipher.encrypt("Anna", **HERE)
    take(transit)
    clock.now += 59
    assert cipher.decrypt(token, **HERE) == "Anna"  # what it has in memory it may use that long
    clock.now += 1
    assert refused(lambda: cipher.decrypt(token, **HERE)) == code
    assert refused(lambda: cipher.encrypt("Bert", **HERE)) == code
    give(transit)
    assert cipher.decrypt(token, **HERE) == "Anna"


def test_a_token_that_may_not_is_told_from_an_outage(vault, transit, client):
    wrapped = vault.wrap(KEY, b"c")
    transit.may.remove("decrypt")
    assert refused(vault.unwrap, wrapped, b"c") == "key.denied"
    client.token = "expired"
    assert refused(vault.wrap, KEY, b"c") == "key.denied"


def test_a_key_that_was_deleted_is_told_from_an_outage(vault, transit):
    wrapped = vault.wrap(KEY, b"c")
    del transit.keys["customers"]
    assert refused(vault.unwrap, wrapped, b"c") == "key.missing"
    assert refused(vault.wrap, KEY, b"c") == "key.denied"  # with the right to make keys it would make one


def test_a_mount_that_is_not_there_is_named(client):
    with pytest.raises(KeyUnavailableError, match="vault://elsewhere/customers") as caught:
        VaultKeyProvider("customers", mount="elsewhere", client=client).wrap(KEY, b"c")
    assert caught.value.code == "key.missing"


@pytest.mark.parametrize("key", [Key("rsa-4096"), Key(derived=True)], ids=["rsa", "derived"])
def test_a_key_of_another_kind_is_refused(vault, transit, key):
    transit.keys["customers"] = key
    assert refused(vault.wrap, KEY, b"c") == "key.unusable"


def test_a_server_that_drops_associated_data_is_refused(vault, transit):
    transit.knows_associated_data = False
    assert refused(vault.wrap, KEY, b"c") == "key.unusable"


def test_binding_is_tried_once_for_each_provider(vault, transit):
    vault.wrap(KEY, b"c")
    assert len(transit.requests) == 2
    vault.wrap(KEY, b"c")
    assert len(transit.requests) == 3


def test_an_outage_while_binding_is_tried_is_an_outage(vault, transit):
    transit.may.remove("decrypt")
    assert refused(vault.wrap, KEY, b"c") == "key.denied"


@pytest.mark.parametrize(
    "fault",
    [
        (429, '{"errors": ["request path rate limit quota exceeded"]}'),
        (500, '{"errors": ["internal error"]}'),
        (502, "<html>bad gateway</html>"),
        (472, "{}"),
        "hang up",
        (200, "<html>hello</html>"),
        (200, "[]"),
        (200, '{"data": null}'),
    ],
    ids=["limit", "error", "gateway", "standby", "hang up", "no JSON", "list", "no data"],
)
def test_a_passing_fault_is_tried_again_and_a_lasting_one_gives_up(vault, transit, fault, pauses):
    wrapped = vault.wrap(KEY, b"c")
    transit.faults = [fault] * 2
    assert vault.unwrap(wrapped, b"c") == KEY
    transit.faults = [fault] * 3
    transit.requests.clear()
    assert refused(vault.unwrap, wrapped, b"c") == "key_unavailable"
    assert len(transit.requests) == 3
    assert pauses == [0.1, 0.2] * 2


def test_what_will_not_pass_is_not_tried_again(vault, transit):
    wrapped = vault.wrap(KEY, b"c")
    transit.requests.clear()
    with pytest.raises(DecryptionError):
        vault.unwrap(wrapped, b"other")
    assert len(transit.requests) == 1


def test_old_servers_call_a_failed_authentication_an_internal_error(vault, transit):
    wrapped = vault.wrap(KEY, b"c")
    transit.faults = [(500, '{"errors": ["cipher: message authentication failed"]}')]
    with pytest.raises(DecryptionError):
        vault.unwrap(wrapped, b"c")


def test_a_server_that_never_answers_is_given_up():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        vault = VaultKeyProvider("customers", url=url, token=TOKEN, timeout_s=0.05, attempts=2)
        assert refused(vault.wrap, KEY, b"c") == "key_unavailable"
        vault.close()


def test_a_server_that_is_not_there_is_given_up(transit):
    vault = VaultKeyProvider("customers", url=transit.url, token=TOKEN, timeout_s=0.5, attempts=1)
    wrapped = vault.wrap(KEY, b"c")
    vault.close()
    transit.stop()
    vault = VaultKeyProvider("customers", url=transit.url, token=TOKEN, timeout_s=0.5, attempts=1)
    assert refused(vault.unwrap, wrapped, b"c") == "key_unavailable"
    vault.close()


def test_url_and_token_come_from_the_environment(transit, monkeypatch):
    monkeypatch.setenv("VAULT_ADDR", transit.url)
    monkeypatch.setenv("VAULT_TOKEN", TOKEN)
    vault = VaultKeyProvider("customers")
    assert vault.unwrap(vault.wrap(KEY, b"c"), b"c") == KEY
    vault.close()


def test_a_closed_provider_refuses_and_leaves_a_given_client_open(client, transit):
    given, made = (
        VaultKeyProvider("customers", client=client),
        VaultKeyProvider("customers", url=transit.url, token=TOKEN),
    )
    wrapped = made.wrap(KEY, b"c")
    for vault in (given, made):
        vault.close()
        vault.close()
        assert refused(vault.unwrap, wrapped, b"c") == "key.closed"
    assert VaultKeyProvider("customers", client=client).unwrap(wrapped, b"c") == KEY


def test_a_forked_child_makes_a_client_of_its_own(transit, monkeypatch):
    vault = VaultKeyProvider("customers", url=transit.url, token=TOKEN)
    wrapped = vault.wrap(KEY, b"c")
    mine = vault._clients.get(URI)
    monkeypatch.setattr(os, "getpid", lambda: -1)  # as if in a child
    theirs = vault._clients.get(URI)
    assert theirs is not mine
    assert vault._clients.get(URI) is theirs
    assert vault.unwrap(wrapped, b"c") == KEY
    vault.close()
    mine.adapter.close()


def test_a_child_does_not_close_the_connections_of_its_parent(transit, monkeypatch):
    vault = VaultKeyProvider("customers", url=transit.url, token=TOKEN)
    mine = vault._clients.get(URI)
    closed = []
    monkeypatch.setattr(mine.adapter, "close", lambda: closed.append(True))
    monkeypatch.setattr(os, "getpid", lambda: -1)
    vault.close()
    assert not closed


@pytest.mark.parametrize(
    "blob",
    [
        b"vault:v0:{}",
        b"vault:v01:{}",
        b"vault:v+1:{}",
        b"vault:v1:{}\n",
        b"vault:v1:{}=",
        b"vault:v1: {}",
        b"vault:v2:{}",
        b"VAULT:v1:{}",
        b"vault:v1:A",
        b"vault:v1:QR==",  # spare bits
        b"vault:v1:",
        b"vault:v1:\xff",
        b"",
    ],
    ids=repr,
)
def test_one_wrapped_key_has_one_form(vault, transit, blob):
    wrapped = vault.wrap(KEY, b"c")
    transit.requests.clear()
    written = blob.replace(b"{}", wrapped.blob.rpartition(b":")[2])
    with pytest.raises(DecryptionError):
        vault.unwrap(WrappedKey(URI, 1, written), b"c")
    assert not transit.requests  # although the server's own reader would have taken some of them


@pytest.mark.parametrize("answer", ["vault:v0:QQ==", "hello", "", "vault:v1:QQ"], ids=repr)
def test_an_answer_that_is_no_ciphertext_is_refused(vault, transit, answer):
    transit.faults = [(200, json.dumps({"data": {"ciphertext": answer}}))]
    assert refused(vault.wrap, KEY, b"c") == "key_unavailable"


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_key_of_another_length_is_refused(vault, transit, size):
    wrapped = vault.wrap(KEY, b"c")
    transit.faults = [(200, json.dumps({"data": {"plaintext": base64.b64encode(bytes(size)).decode()}}))]
    with pytest.raises(DecryptionError):
        vault.unwrap(wrapped, b"c")
    with pytest.raises(InvalidFieldError) as caught:
        vault.wrap(bytes(size), b"c")
    assert caught.value.code == "key.length"


def test_an_answer_that_is_no_base64_is_refused(vault, transit):
    wrapped = vault.wrap(KEY, b"c")
    transit.faults = [(200, json.dumps({"data": {"plaintext": "a" * 43 + "!"}}))]
    with pytest.raises(DecryptionError):
        vault.unwrap(wrapped, b"c")


@pytest.mark.parametrize("foreign", ["!", "\n", " ", "\u00e9", "=", "-"], ids=repr)
def test_an_answer_with_foreign_letters_in_its_base64_is_refused(vault, transit, foreign):
    """A lenient reader would leave those out, and find 32 bytes in what is left."""
    wrapped = vault.wrap(KEY, b"c")
    whole = base64.b64encode(KEY).decode()
    transit.faults = [(200, json.dumps({"data": {"plaintext": whole[:20] + foreign + whole[20:]}}))]
    with pytest.raises(DecryptionError):
        vault.unwrap(wrapped, b"c")


def test_a_provider_closes_its_connections_once(transit, monkeypatch):
    vault = VaultKeyProvider("customers", url=transit.url, token=TOKEN)
    adapter = vault._clients.get(URI).adapter
    closed, close = [], adapter.close
    monkeypatch.setattr(adapter, "close", lambda: closed.append(close()))
    vault.close()
    vault.close()
    assert closed == [None]


@pytest.mark.parametrize("name", ["", "a/b", "a b", "../x", "a?b", "-a", "a.", "ключ", None], ids=repr)
def test_a_name_that_would_be_another_path_is_refused(name):
    with pytest.raises(InvalidFieldError) as caught:
        VaultKeyProvider(name, client=object())
    assert caught.value.code == "key.name"


@pytest.mark.parametrize("mount", ["", "/transit", "transit/", "a//b", "..", "a/../b", "a b"], ids=repr)
def test_a_mount_that_would_be_another_path_is_refused(mount):
    with pytest.raises(InvalidFieldError) as caught:
        VaultKeyProvider("customers", mount=mount, client=object())
    assert caught.value.code == "key.name"


def test_a_mount_may_lie_deeper():
    assert VaultKeyProvider("k", mount="teams/billing", client=object()).key_uri == "vault://teams/billing/k"


@pytest.mark.parametrize(
    "limits",
    [{"timeout_s": 0}, {"timeout_s": float("inf")}, {"timeout_s": float("nan")}, {"attempts": 0}, {"attempts": 11}],
)
def test_waiting_is_bounded(limits):
    with pytest.raises(InvalidFieldError) as caught:
        VaultKeyProvider("customers", client=object(), **limits)
    assert caught.value.code == "key.limit"


def test_without_hvac_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "hvac", None)
    with pytest.raises(MissingExtraError, match=r"custinfo\[vault\]"):
        VaultKeyProvider("customers")
    VaultKeyProvider("customers", client=object())

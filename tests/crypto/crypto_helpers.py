"""Providers, stores and questions that the tests of the keyring share."""

from __future__ import annotations

import pytest

from custinfo.crypto import FieldCipher, Keyring, LocalKeyProvider, MemoryKeyStore
from custinfo.crypto._rows import unpack_roots
from custinfo.crypto._suites import suite_of
from custinfo.errors import InvalidFieldError

HERE = {"entity": "customer", "record": "17", "field": "email"}


def _has_sm4():
    try:
        return bool(suite_of("SM4-GCM"))
    except InvalidFieldError:
        return False


needs_sm4 = pytest.mark.skipif(not _has_sm4(), reason="the OpenSSL of cryptography has no SM4 here")
SUITES = ["AES-256-GCM", pytest.param("SM4-GCM", marks=needs_sm4)]
STARTS = {"AES-256-GCM": b"\xc1\x01", "SM4-GCM": b"\xc1\x02"}


class Counting:
    """A provider that counts and can be switched off."""

    def __init__(self, key=b"\x01" * 32):
        self.inner = LocalKeyProvider(key)
        self.wraps = self.unwraps = 0
        self.failure: Exception | None = None

    def wrap(self, key, context):
        self.wraps += 1
        if self.failure:
            raise self.failure
        return self.inner.wrap(key, context)

    def unwrap(self, wrapped, context):
        self.unwraps += 1
        if self.failure:
            raise self.failure
        return self.inner.unwrap(wrapped, context)


class WriteOnly:
    """The half of a provider that cannot unwrap."""

    def __init__(self, provider):
        self._provider = provider

    def wrap(self, key, context):
        return self._provider.wrap(key, context)


class Recording(MemoryKeyStore):
    """A key store that notes its puts, and runs *before_put* and *after_put* once, around the next of them."""

    def __init__(self):
        super().__init__()
        self.puts = []
        self.before_put = self.after_put = None

    def put(self, items):
        if self.before_put:
            hook, self.before_put = self.before_put, None
            hook()
        super().put(items)
        self.puts.append([name for name, _, _ in items])
        if self.after_put:
            hook, self.after_put = self.after_put, None
            hook()


def ring_over(provider, store, **options):
    return Keyring(provider, store, **options)


def reads(keyring, token, value="x"):
    return FieldCipher(keyring).decrypt(token, **HERE) == value


def filled(provider, store, count=7):
    keyring = ring_over(provider, store)
    rows = [(str(n), None, {"email": n}) for n in range(count)]
    tokens = FieldCipher(keyring).encrypt_records(rows, entity="e")
    token = FieldCipher(ring_over(provider, store, mode="tenant")).encrypt("x", **HERE)
    return keyring, tokens, token, keyring.secret("index/email")


def still_reads(provider, store, filled_with):
    _, tokens, token, secret = filled_with
    keyring = ring_over(provider, store)
    assert [
        FieldCipher(keyring).decrypt(t["email"], entity="e", record=str(n), field="email") for n, t in enumerate(tokens)
    ] == list(range(len(tokens)))
    assert reads(keyring, token)
    assert keyring.secret("index/email") == secret
    return True


def root_ids(store, name="root/default"):
    return [entry.root_id for entry in unpack_roots(store.get(name)[0])]


def under(store):
    """Root id -> how many rows lie under it."""
    counts = {}
    for name in store.names():
        if not name.startswith("root/") and not name.startswith("subject/default/none"):
            root_id = store.get(name)[0][2:34]
            counts[root_id] = counts.get(root_id, 0) + 1
    return counts


def failures(contract):
    """Names of the tests of a contract suite that fail on this instance."""
    failed = set()
    for name in dir(contract):
        if not name.startswith("test_"):
            continue
        test = getattr(contract, name)
        cases = [
            tuple(case) if "," in str(mark.args[0]) else (case,)
            for mark in getattr(test, "pytestmark", ())
            for case in mark.args[1]
        ]
        for case in cases or [()]:
            try:
                test(*case)
            except pytest.skip.Exception:
                continue
            except (Exception, pytest.fail.Exception):  # noqa: BLE001 - any failure counts
                failed.add(name)
    return failed

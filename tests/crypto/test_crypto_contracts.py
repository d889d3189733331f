"""The contract suites over our own key store and providers, and over sabotaged ones that they must catch."""

from __future__ import annotations

import os

import pytest

from custinfo.crypto import LocalKeyProvider, MemoryKeyStore, WrappedKey
from custinfo.errors import DecryptionError
from custinfo.testing._keys import KeyProviderContract, KeyStoreContract


class TestMemoryKeyStore(KeyStoreContract):
    def make_store(self):
        return MemoryKeyStore()


class TestLocalKeyProvider(KeyProviderContract):
    def make_provider(self):
        return LocalKeyProvider(b"\x07" * 32)

    def reopen(self, provider):
        return LocalKeyProvider(b"\x07" * 32)


def failures(contract):
    """Names of the tests of a contract that fail on this instance."""
    failed = set()
    for name in dir(contract):
        if not name.startswith("test_"):
            continue
        test = getattr(contract, name)
        cases = [
            case.values if hasattr(case, "values") else (case,)
            for mark in getattr(test, "pytestmark", ())
            for case in mark.args[1]
        ]
        for case in cases or [()]:
            try:
                test(*case)
            except (Exception, pytest.fail.Exception):  # noqa: BLE001 - any failure counts
                failed.add(name)
    return failed


class Bare:
    """A provider without cryptography, to be sabotaged further."""

    def __init__(self):
        self.inner = LocalKeyProvider.generate()

    def wrap(self, key, context):
        return self.inner.wrap(key, context)

    def unwrap(self, wrapped, context):
        return self.inner.unwrap(wrapped, context)


class IgnoresContext(Bare):
    def wrap(self, key, context):
        return self.inner.wrap(key, b"")

    def unwrap(self, wrapped, context):
        return self.inner.unwrap(wrapped, b"")


class WrapsNothing(Bare):
    def wrap(self, key, context):
        return WrappedKey("none:", "1", key)

    def unwrap(self, wrapped, context):
        return wrapped.blob


class CutsTheKey(Bare):
    def unwrap(self, wrapped, context):
        return self.inner.unwrap(wrapped, context)[:31]


class GivesAConstant(Bare):
    def unwrap(self, wrapped, context):
        self.inner.unwrap(wrapped, context)
        return bytes(32)


class GivesTheLastKey(Bare):
    def wrap(self, key, context):
        self.last = key
        return self.inner.wrap(key, context)

    def unwrap(self, wrapped, context):
        self.inner.unwrap(wrapped, context)
        return self.last


class DoesNotAuthenticate(Bare):
    def unwrap(self, wrapped, context):
        try:
            return self.inner.unwrap(wrapped, context)
        except DecryptionError:
            return os.urandom(32)


class LetsForeignErrorsOut(Bare):
    def unwrap(self, wrapped, context):
        try:
            return self.inner.unwrap(wrapped, context)
        except DecryptionError:
            raise ValueError("bad blob") from None


class HasNoUri(Bare):
    def wrap(self, key, context):
        wrapped = self.inner.wrap(key, context)
        return WrappedKey("", wrapped.version, wrapped.blob)

    def unwrap(self, wrapped, context):
        return self.inner.unwrap(WrappedKey(self.inner.key_uri, "", wrapped.blob), context)


SABOTEURS = [
    IgnoresContext,
    WrapsNothing,
    CutsTheKey,
    GivesAConstant,
    GivesTheLastKey,
    DoesNotAuthenticate,
    LetsForeignErrorsOut,
    HasNoUri,
]


@pytest.mark.parametrize("saboteur", SABOTEURS, ids=lambda cls: cls.__name__)
def test_the_provider_contract_catches_a_sabotaged_provider(saboteur):
    class Contract(KeyProviderContract):
        def make_provider(self):
            return saboteur()

    assert failures(Contract())


def test_the_provider_contract_passes_an_honest_provider():
    class Contract(KeyProviderContract):
        def make_provider(self):
            return Bare()

    assert failures(Contract()) == set()


class LastWriterWins(MemoryKeyStore):
    def put(self, items):
        items = [(name, row, (self.get(name) or (None, 0))[1]) for name, row, _ in items]
        super().put(items)


class ReplacesTombstones(MemoryKeyStore):
    def put(self, items):
        for name, _, _ in items:
            if (self.get(name) or (b"", 0))[0] is None:
                del self._rows[name]
        super().put([(name, row, (self.get(name) or (b"", 0))[1] and expected) for name, row, expected in items])


class WritesHalf(MemoryKeyStore):
    def put(self, items):
        for item in items:
            super().put([item])


class StandsStill(MemoryKeyStore):
    def generation(self):
        return 0


class ListsTombstones(MemoryKeyStore):
    def names(self, prefix="", after="", limit=1000):
        return sorted(name for name in self._rows if name.startswith(prefix) and name > after)[:limit]


class FoldsCase(MemoryKeyStore):
    def get(self, name):
        return super().get(name.lower())

    def put(self, items):
        super().put([(name.lower(), row, expected) for name, row, expected in items])


class SortsLikeALocale(MemoryKeyStore):
    def names(self, prefix="", after="", limit=1000):
        names = sorted(super().names(prefix, "", 10**6), key=str.casefold)
        return [name for name in names if name.casefold() > after.casefold()][:limit]


BAD_STORES = [LastWriterWins, ReplacesTombstones, WritesHalf, StandsStill, ListsTombstones, FoldsCase, SortsLikeALocale]


@pytest.mark.parametrize("store", BAD_STORES, ids=lambda cls: cls.__name__)
def test_the_store_contract_catches_a_sabotaged_store(store):
    class Contract(KeyStoreContract):
        def make_store(self):
            return store()

    assert failures(Contract())


@pytest.mark.parametrize("contract", [KeyStoreContract().make_store, KeyProviderContract().make_provider])
def test_a_contract_says_what_a_subclass_must_give(contract):
    with pytest.raises(NotImplementedError, match="give a"):
        contract()

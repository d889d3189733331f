"""The contract suite of key providers over an honest one, and over sabotaged ones that it must catch."""

from __future__ import annotations

import os
import threading

import pytest
from crypto_helpers import failures
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from custinfo.crypto import LocalKeyProvider, WrappedKey
from custinfo.crypto._provider import refuse_copy
from custinfo.errors import DecryptionError, KeyUnavailableError
from custinfo.testing import KeyProviderContract


class TestLocalKeyProvider(KeyProviderContract):
    def make_provider(self):
        return LocalKeyProvider(b"\x07" * 32)

    def reopen(self, provider):
        return LocalKeyProvider(b"\x07" * 32)

    def secrets(self, provider):
        return [b"\x07" * 32]


class Bare:
    """An honest provider that can be revoked and closed, and that rewraps; to be sabotaged further."""

    def __init__(self, key=None):
        self.key = key or os.urandom(32)
        self.inner = LocalKeyProvider(self.key)
        self.key_uri = self.inner.key_uri
        self.gone = False

    __reduce_ex__ = refuse_copy

    def __repr__(self):
        return f"{type(self).__name__}({self.key_uri})"

    def check(self):
        if self.gone:
            raise KeyUnavailableError(f"{self.key_uri}: the key is disabled")

    def wrap(self, key, context):
        self.check()
        return self.inner.wrap(key, context)

    def unwrap(self, wrapped, context):
        self.check()
        return self.inner.unwrap(wrapped, context)

    def rewrap(self, wrapped, context):
        self.check()
        return self.inner.wrap(self.inner.unwrap(wrapped, context), context)

    def close(self):
        self.gone = True


class Contract(KeyProviderContract):
    def __init__(self, cls):
        self.cls = cls

    def make_provider(self):
        return self.cls()

    def reopen(self, provider):
        return self.cls(provider.key)

    def revoke(self, provider):
        provider.gone = True
        return True

    def secrets(self, provider):
        return [provider.key]


def test_the_provider_contract_passes_an_honest_provider():
    assert failures(Contract(Bare)) == set()


class IgnoresContext(Bare):
    caught_by = "test_another_context_is_refused"

    def wrap(self, key, context):
        return super().wrap(key, b"")

    def unwrap(self, wrapped, context):
        return super().unwrap(wrapped, b"")


class ChangesContext(Bare):
    caught_by = "test_the_whole_context_is_bound"

    def wrap(self, key, context):
        return super().wrap(key, self.lossy(context))

    def unwrap(self, wrapped, context):
        return super().unwrap(wrapped, self.lossy(context))


class CutsContext(ChangesContext):
    def lossy(self, context):
        return context[:64]


class DecodesContext(ChangesContext):
    def lossy(self, context):
        return context.decode(errors="replace").encode()


class StripsContext(ChangesContext):
    def lossy(self, context):
        return context.strip()


class FoldsCaseOfContext(ChangesContext):
    caught_by = "test_another_context_is_refused"

    def lossy(self, context):
        return context.lower()


class TakesTextAsContext(Bare):
    caught_by = "test_a_context_of_any_bytes_is_taken"

    def wrap(self, key, context):
        return super().wrap(key, context.decode().encode())


class WrapsNothing(Bare):
    caught_by = "test_the_blob_hides_the_key"

    def wrap(self, key, context):
        return WrappedKey(self.key_uri, "1", key)

    def unwrap(self, wrapped, context):
        return wrapped.blob


class ShowsTheKeyInVersion(Bare):
    caught_by = "test_the_blob_hides_the_key"

    def wrap(self, key, context):
        wrapped = super().wrap(key, context)
        return WrappedKey(wrapped.key_uri, key.hex(), wrapped.blob)


class CutsTheKey(Bare):
    caught_by = "test_a_key_comes_back"

    def unwrap(self, wrapped, context):
        return super().unwrap(wrapped, context)[:31]


class GivesAByteArray(Bare):
    caught_by = "test_a_key_comes_back"

    def unwrap(self, wrapped, context):
        return bytearray(super().unwrap(wrapped, context))


class KeepsInsteadOfWrapping(Bare):
    """Its blob is a handle that only this object knows."""

    caught_by = "test_a_key_comes_back"

    def __init__(self, key=None):
        super().__init__(key)
        self.kept = {}

    def wrap(self, key, context):
        handle = os.urandom(60)
        self.kept[handle] = key, context
        return WrappedKey(self.key_uri, "", handle)

    def unwrap(self, wrapped, context):
        key, bound = self.kept.get(wrapped.blob, (None, None))
        if key is None or bound != context or wrapped.key_uri != self.key_uri:
            raise DecryptionError("no such handle")
        return key


class StripsZeros(Bare):
    caught_by = "test_a_key_of_any_bytes_comes_back"

    def unwrap(self, wrapped, context):
        return super().unwrap(wrapped, context).rstrip(b"\x00")


class GivesAConstant(Bare):
    caught_by = "test_each_key_comes_back_as_itself"

    def unwrap(self, wrapped, context):
        super().unwrap(wrapped, context)
        return bytes(32)


class GivesTheLastKey(Bare):
    caught_by = "test_each_key_comes_back_as_itself"

    def wrap(self, key, context):
        self.last = key
        return super().wrap(key, context)

    def unwrap(self, wrapped, context):
        super().unwrap(wrapped, context)
        return self.last


class RepeatsItsNonce(Bare):
    caught_by = "test_no_two_keys_share_a_key_stream"

    def wrap(self, key, context):
        return WrappedKey(self.key_uri, "", AESGCM(self.key).encrypt(bytes(12), key, context))

    def unwrap(self, wrapped, context):
        try:
            if wrapped.key_uri != self.key_uri:
                raise InvalidTag
            return AESGCM(self.key).decrypt(bytes(12), wrapped.blob, context)
        except (InvalidTag, ValueError):
            raise DecryptionError("cannot be opened") from None

    def rewrap(self, wrapped, context):
        return self.wrap(self.unwrap(wrapped, context), context)


class SharesState(Bare):
    """Keeps its argument in an attribute while another thread comes along."""

    caught_by = "test_threads_get_their_own_keys"

    def __init__(self, key=None):
        super().__init__(key)
        self.meeting = threading.Barrier(4)

    def wrap(self, key, context):
        self.key_now = key
        if threading.current_thread() is not threading.main_thread():
            self.meeting.wait(timeout=30)
        return super().wrap(self.key_now, context)


class DoesNotAuthenticate(Bare):
    caught_by = "test_an_altered_blob_is_refused"

    def unwrap(self, wrapped, context):
        try:
            return super().unwrap(wrapped, context)
        except DecryptionError:
            return os.urandom(32)


class LetsForeignErrorsOut(Bare):
    caught_by = "test_an_altered_blob_is_refused"

    def unwrap(self, wrapped, context):
        try:
            return super().unwrap(wrapped, context)
        except DecryptionError:
            raise ValueError("bad blob") from None


class CallsItAnOutage(Bare):
    caught_by = "test_another_context_is_refused"

    def unwrap(self, wrapped, context):
        try:
            return super().unwrap(wrapped, context)
        except DecryptionError:
            raise KeyUnavailableError("try again") from None


class IgnoresTheTail(Bare):
    caught_by = "test_a_blob_of_another_length_is_refused"

    def unwrap(self, wrapped, context):
        return super().unwrap(WrappedKey(wrapped.key_uri, "", wrapped.blob[:60]), context)


class BreaksOnAShortBlob(Bare):
    caught_by = "test_a_blob_of_another_length_is_refused"

    def unwrap(self, wrapped, context):
        wrapped.blob[30]
        return super().unwrap(wrapped, context)


class HasNoUri(Bare):
    caught_by = "test_the_wrapped_key_says_who_wrapped_it"

    def wrap(self, key, context):
        return WrappedKey("", "", super().wrap(key, context).blob)

    def unwrap(self, wrapped, context):
        return super().unwrap(WrappedKey(self.key_uri, "", wrapped.blob), context)


class HasNoVersion(Bare):
    caught_by = "test_the_wrapped_key_says_who_wrapped_it"

    def wrap(self, key, context):
        return WrappedKey(self.key_uri, None, super().wrap(key, context).blob)


class OpensWhatNamesAnother(Bare):
    caught_by = "test_a_wrapped_key_that_names_another_key_is_refused"

    def unwrap(self, wrapped, context):
        return super().unwrap(WrappedKey(self.key_uri, "", wrapped.blob), context)


class GoesOnFromMemory(Bare):
    caught_by = "test_a_revoked_key_fails_closed_and_says_so"

    def unwrap(self, wrapped, context):
        return self.inner.unwrap(wrapped, context)


class WrapsWhenRevoked(Bare):
    caught_by = "test_a_revoked_key_fails_closed_and_says_so"

    def wrap(self, key, context):
        return self.inner.wrap(key, context)


class DoesNotSayWhichKeyIsGone(Bare):
    caught_by = "test_a_revoked_key_fails_closed_and_says_so"

    def check(self):
        if self.gone:
            raise KeyUnavailableError("something went wrong")


class LetsConnectionErrorsOut(Bare):
    caught_by = "test_a_revoked_key_fails_closed_and_says_so"

    def check(self):
        if self.gone:
            raise ConnectionError(self.key_uri)


class CallsRevocationTampering(Bare):
    caught_by = "test_a_keyring_over_a_revoked_key_neither_reads_nor_writes"

    def check(self):
        if self.gone:
            raise DecryptionError(self.key_uri)


class BreaksWhenClosed(Bare):
    caught_by = "test_a_closed_provider_refuses_with_an_error_of_the_library"

    def close(self):
        self.inner = None


class BreaksWhenClosedTwice(Bare):
    caught_by = "test_a_closed_provider_refuses_with_an_error_of_the_library"

    def close(self):
        del self.inner
        self.gone = True


class SaysTheKey(Bare):
    caught_by = "test_no_refusal_shows_a_secret"

    def unwrap(self, wrapped, context):
        try:
            return super().unwrap(wrapped, context)
        except DecryptionError:
            raise DecryptionError("cannot be opened", key=self.key) from None


class ChainsTheKey(Bare):
    caught_by = "test_no_refusal_shows_a_secret"

    def unwrap(self, wrapped, context):
        try:
            return super().unwrap(wrapped, context)
        except DecryptionError:
            raise DecryptionError("cannot be opened") from ValueError(self.key.hex())


class ShowsItsKey(Bare):
    caught_by = "test_no_repr_shows_a_secret"

    def __repr__(self):
        return f"ShowsItsKey({self.key!r})"


class ShowsTheLastKey(Bare):
    caught_by = "test_no_repr_shows_a_secret"
    last = b""

    def unwrap(self, wrapped, context):
        self.last = super().unwrap(wrapped, context)
        return self.last

    def __repr__(self):
        return f"ShowsTheLastKey({self.last.hex()})"


class IsPickledWithItsKey(Bare):
    caught_by = "test_no_pickle_or_copy_holds_a_secret"

    def __reduce_ex__(self, protocol):
        return type(self), (self.key,)


class IsCopied(Bare):
    caught_by = "test_no_pickle_or_copy_holds_a_secret"

    __reduce_ex__ = object.__reduce_ex__  # its pickle is refused by what it holds; a shallow copy is not


class OpensInOneObjectOnly(Bare):
    caught_by = "test_a_keyring_over_it_is_read_by_another_one"

    def __init__(self, key=None):
        super().__init__(key)
        self.salt = os.urandom(8)

    def wrap(self, key, context):
        return super().wrap(key, self.salt + context)

    def unwrap(self, wrapped, context):
        return super().unwrap(wrapped, self.salt + context)

    def rewrap(self, wrapped, context):
        return self.wrap(self.unwrap(wrapped, context), context)


class ForgetsWhatWasWrappedBefore(Bare):
    """Its rewrap is a new key each time."""

    caught_by = "test_the_key_moves_here_and_away_again"

    def rewrap(self, wrapped, context):
        return self.inner.wrap(os.urandom(32), context)


class RewrapsAnotherKey(ForgetsWhatWasWrappedBefore):
    caught_by = "test_a_rewrapped_key_is_the_same_key"


class RewrapsInTheClear(Bare):
    caught_by = "test_a_rewrapped_key_is_the_same_key"

    def rewrap(self, wrapped, context):
        return WrappedKey(self.key_uri, "", self.inner.unwrap(wrapped, context) + bytes(28))


class RewrapLosesTheContext(Bare):
    caught_by = "test_a_rewrapped_key_stays_bound_to_its_context"

    def rewrap(self, wrapped, context):
        return WrappedKey(self.key_uri, "free", self.inner.wrap(self.inner.unwrap(wrapped, context), b"").blob)

    def unwrap(self, wrapped, context):
        return super().unwrap(wrapped, b"" if wrapped.version == "free" else context)


class RewrapChecksNothing(Bare):
    caught_by = "test_rewrap_refuses_what_unwrap_refuses"

    def rewrap(self, wrapped, context):
        return wrapped


SABOTEURS = [cls for cls in globals().values() if isinstance(cls, type) and hasattr(cls, "caught_by")]
SABOTEURS.remove(ChangesContext)


@pytest.mark.parametrize("saboteur", SABOTEURS, ids=lambda cls: cls.__name__)
def test_the_provider_contract_catches_a_sabotaged_provider(saboteur):
    assert saboteur.caught_by in failures(Contract(saboteur))


def test_each_test_of_the_provider_contract_catches_somebody():
    tests = {name for name in dir(KeyProviderContract) if name.startswith("test_")}
    assert {saboteur.caught_by for saboteur in SABOTEURS} == tests


def test_the_provider_contract_leaves_out_what_a_provider_has_not():
    class Plain(KeyProviderContract):
        def make_provider(self):
            return LocalKeyProvider.generate()

    assert failures(Plain()) == set()
    for test, why in (
        (Plain().test_a_revoked_key_fails_closed_and_says_so, "revoke"),
        (Plain().test_a_rewrapped_key_is_the_same_key, "rewrap"),
        (Plain().test_a_closed_provider_refuses_with_an_error_of_the_library, "close"),
    ):
        with pytest.raises(pytest.skip.Exception, match=why):
            test()


def test_the_provider_contract_says_what_a_subclass_must_give():
    with pytest.raises(NotImplementedError, match="give a KeyProvider"):
        KeyProviderContract().make_provider()

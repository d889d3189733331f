"""Contract of a key provider: what it refuses, with which error, and that no refusal shows a secret."""

from __future__ import annotations

import contextlib
import copy
import pickle

import pytest

from custinfo.crypto import FieldCipher, KeyProvider, Keyring, MemoryKeyStore, WrappedKey
from custinfo.errors import CustInfoError, DecryptionError, KeyUnavailableError
from custinfo.testing._provider_base import CONTEXT, ProviderContract, changed, flipped, new_key, said_by, shows

HERE = {"entity": "customer", "record": "17", "field": "email"}


class RefusalsContract(ProviderContract):
    """Other contexts, other keys, altered blobs, a key that was taken away."""

    @pytest.mark.parametrize("context", [b"", CONTEXT[:-1], CONTEXT + b"\x00", b"custinfo/c0ntract", CONTEXT.upper()])
    def test_another_context_is_refused(self, context: bytes) -> None:
        """Or one tenant's root could be put in place of another's."""
        provider = self.make_provider()
        wrapped = provider.wrap(new_key(), CONTEXT)
        with pytest.raises(DecryptionError):
            provider.unwrap(wrapped, context)

    @pytest.mark.parametrize(
        ("wrote", "read"),
        [(b"\xff", b"\xfe"), (CONTEXT * 64, CONTEXT * 63 + CONTEXT[:-1] + b"!"), (b" a", b"a"), (b"", b"\x00")],
        ids=["no UTF-8", "the end of a long one", "a space", "NUL"],
    )
    def test_the_whole_context_is_bound(self, wrote: bytes, read: bytes) -> None:
        """A context holds random bytes and the tenant's name: decoded with loss, cut or stripped it binds nothing."""
        provider = self.make_provider()
        wrapped = provider.wrap(new_key(), wrote)
        with pytest.raises(DecryptionError):
            provider.unwrap(wrapped, read)

    def test_an_altered_blob_is_refused(self) -> None:
        """One bit in each byte; where a blob begins with a key's name, the service may say that it has no such key."""
        provider = self.make_provider()
        wrapped = provider.wrap(new_key(), CONTEXT)
        last = len(wrapped.blob) - 1
        for at in range(last):
            with pytest.raises((DecryptionError, KeyUnavailableError)):
                provider.unwrap(changed(wrapped, flipped(wrapped.blob, at)), CONTEXT)
        with pytest.raises(DecryptionError):
            provider.unwrap(changed(wrapped, flipped(wrapped.blob, last)), CONTEXT)

    def test_a_blob_of_another_length_is_refused(self) -> None:
        """Cut to nothing, to one byte, to half, by one byte, and with one byte more."""
        provider = self.make_provider()
        wrapped = provider.wrap(new_key(), CONTEXT)
        blob = wrapped.blob
        for wrong in (b"", blob[:1], blob[: len(blob) // 2], blob[:-1], blob + b"\x00", blob * 200):
            with pytest.raises(DecryptionError):
                provider.unwrap(changed(wrapped, wrong), CONTEXT)

    def test_a_wrapped_key_that_names_another_key_is_refused(self) -> None:
        """The name is what operators go by: a key must not open what is said to lie under another."""
        provider, other = self.make_provider(), self.make_provider()
        wrapped, foreign = provider.wrap(new_key(), CONTEXT), other.wrap(new_key(), CONTEXT)
        names = [WrappedKey("other:key", wrapped.version, wrapped.blob)]
        if foreign.key_uri != wrapped.key_uri:
            names += [foreign, WrappedKey(foreign.key_uri, wrapped.version, wrapped.blob)]
        for named in names:
            with pytest.raises(DecryptionError):
                provider.unwrap(named, CONTEXT)

    def test_a_revoked_key_fails_closed_and_says_so(self) -> None:
        """`KeyUnavailableError`, which names the key, both to wrap and to unwrap."""
        provider = self.make_provider()
        wrapped = provider.wrap(new_key(), CONTEXT)
        self._revoke(provider)
        for use in (lambda: provider.unwrap(wrapped, CONTEXT), lambda: provider.wrap(new_key(), CONTEXT)):
            with pytest.raises(KeyUnavailableError) as caught:
                use()
            assert wrapped.key_uri in str(caught.value), "the message must say which key is unavailable"

    def test_a_keyring_over_a_revoked_key_neither_reads_nor_writes(self) -> None:
        """Once what it has in memory may not be used any longer."""
        provider = self.make_provider()
        cipher = FieldCipher(Keyring(provider, MemoryKeyStore(), max_uses=1))
        token = cipher.encrypt("Anna", **HERE)
        self._revoke(provider)
        with pytest.raises(KeyUnavailableError):
            cipher.decrypt(token, **HERE)
        with pytest.raises(KeyUnavailableError):
            cipher.encrypt("Anna", entity="customer", record="18", field="email")

    def test_a_closed_provider_refuses_with_an_error_of_the_library(self) -> None:
        """Where there is a `close`: twice is allowed, and afterwards `unwrap` works or raises `CustInfoError`."""
        provider, key = self.make_provider(), new_key()
        wrapped = provider.wrap(key, CONTEXT)
        if not hasattr(provider, "close"):
            pytest.skip("the provider has no close()")
        provider.close()
        provider.close()
        with contextlib.suppress(CustInfoError):
            assert provider.unwrap(wrapped, CONTEXT) == key

    def test_no_refusal_shows_a_secret(self) -> None:
        """Neither the wrapped key nor the provider's own, in message, attributes or traceback."""
        provider, key = self.make_provider(), new_key()
        wrapped = provider.wrap(key, CONTEXT)
        provider.unwrap(wrapped, CONTEXT)
        secrets = [key, *self.secrets(provider)]
        for bad, context in (
            (wrapped, b"another"),
            (changed(wrapped, flipped(wrapped.blob, len(wrapped.blob) - 1)), CONTEXT),
            (WrappedKey("other:key", wrapped.version, wrapped.blob), CONTEXT),
        ):
            with pytest.raises(DecryptionError) as caught:
                provider.unwrap(bad, context)
            assert not any(shows(said_by(caught.value), secret) for secret in secrets), "the error shows a secret"

    def test_no_repr_shows_a_secret(self) -> None:
        """Nor does `str`."""
        provider, key = self.make_provider(), new_key()
        provider.unwrap(provider.wrap(key, CONTEXT), CONTEXT)
        text = f"{provider!r}{provider}"
        assert not any(shows(text, secret) for secret in (key, *self.secrets(provider))), "the repr shows a secret"

    def test_no_pickle_or_copy_holds_a_secret(self) -> None:
        """A provider that holds one refuses both: a pickle or copy would be a key that nobody knows of."""
        provider, key = self.make_provider(), new_key()
        provider.unwrap(provider.wrap(key, CONTEXT), CONTEXT)
        try:
            pickled = pickle.dumps(provider)
        except Exception:  # noqa: BLE001 - however it refuses
            pickled = b""
        assert not any(shows(pickled, secret) for secret in (key, *self.secrets(provider))), "the pickle has a secret"
        if self.secrets(provider):
            with pytest.raises(TypeError):
                copy.copy(provider)

    def _revoke(self, provider: KeyProvider) -> None:
        if not self.revoke(provider):
            pytest.skip("the key cannot be revoked: revoke() gives False")

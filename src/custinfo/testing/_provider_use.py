"""Contract of a key provider: a keyring over it works, its key can be rotated, and rewrapping keeps the key."""

from __future__ import annotations

import pytest

from custinfo.crypto import FieldCipher, KeyProvider, Keyring, LocalKeyProvider, MemoryKeyStore, Rewrapper, WrappedKey
from custinfo.errors import DecryptionError
from custinfo.testing._provider_base import CONTEXT, ProviderContract, changed, flipped, new_key, shows

HERE = {"entity": "customer", "record": "17", "field": "email"}


class UseContract(ProviderContract):
    """The provider at work."""

    def test_a_keyring_over_it_is_read_by_another_one(self) -> None:
        """As after a restart."""
        provider, store = self.make_provider(), MemoryKeyStore()
        token = FieldCipher(Keyring(provider, store, tenant="shop-1")).encrypt("Anna", **HERE)
        assert FieldCipher(Keyring(self.reopen(provider), store, tenant="shop-1")).decrypt(token, **HERE) == "Anna"

    def test_the_key_moves_here_and_away_again(self) -> None:
        """`rotate_kek` from a local key to this provider, to itself, and on to another local key."""
        first, here, last = LocalKeyProvider.generate(), self.make_provider(), LocalKeyProvider.generate()
        store = MemoryKeyStore()
        keyring = Keyring(first, store)
        token = FieldCipher(keyring).encrypt("Anna", **HERE)
        for provider in (here, None, last):
            keyring.rotate_kek(provider)
            reader = self.reopen(here) if provider is None else provider
            assert FieldCipher(Keyring(reader, store)).decrypt(token, **HERE) == "Anna"

    def test_a_rewrapped_key_is_the_same_key(self) -> None:
        """And it is hidden as well, and names the key."""
        provider, key = self.make_provider(), new_key()
        moved = _rewrapper(provider).rewrap(provider.wrap(key, CONTEXT), CONTEXT)
        assert moved.key_uri
        assert type(moved.version) in (str, int)
        assert not any(shows(bytes(moved.blob), key[at : at + 8]) for at in range(25)), "the wrapped key shows the key"
        assert self.reopen(provider).unwrap(moved, CONTEXT) == key

    def test_a_rewrapped_key_stays_bound_to_its_context(self) -> None:
        """`rewrap` must not be the way to another tenant."""
        provider = self.make_provider()
        moved = _rewrapper(provider).rewrap(provider.wrap(new_key(), CONTEXT), CONTEXT)
        with pytest.raises(DecryptionError):
            provider.unwrap(moved, b"another")

    def test_rewrap_refuses_what_unwrap_refuses(self) -> None:
        """Another context, an altered blob, another key."""
        provider = self.make_provider()
        wrapped = provider.wrap(new_key(), CONTEXT)
        rewrapper = _rewrapper(provider)
        for bad, context in (
            (wrapped, b"another"),
            (changed(wrapped, flipped(wrapped.blob, len(wrapped.blob) - 1)), CONTEXT),
            (changed(wrapped, b""), CONTEXT),
            (WrappedKey("other:key", wrapped.version, wrapped.blob), CONTEXT),
        ):
            with pytest.raises(DecryptionError):
                rewrapper.rewrap(bad, context)


def _rewrapper(provider: KeyProvider) -> Rewrapper:
    if not isinstance(provider, Rewrapper):
        pytest.skip("the provider has no rewrap()")
    return provider

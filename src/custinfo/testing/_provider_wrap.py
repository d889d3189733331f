"""Contract of a key provider: what was wrapped comes back, and nothing else does."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from custinfo.crypto import WrappedKey
from custinfo.testing._provider_base import CONTEXT, ProviderContract, new_key, shows

_THREADS = 4


class WrapContract(ProviderContract):
    """Keys that go in and come out."""

    def test_a_key_comes_back(self) -> None:
        """`unwrap` gives the bytes that `wrap` took, also after the wrapped key was stored and read."""
        provider, key = self.make_provider(), new_key()
        wrapped = provider.wrap(key, CONTEXT)
        stored = WrappedKey(str(wrapped.key_uri), wrapped.version, bytes(wrapped.blob))
        got = self.reopen(provider).unwrap(stored, CONTEXT)
        assert type(got) is bytes, f"unwrap must give bytes, not {type(got).__name__}"
        assert len(got) == len(key)
        assert got == key

    def test_each_key_comes_back_as_itself(self) -> None:
        """A provider that gives a constant, or the last key it saw, is caught here."""
        provider = self.make_provider()
        keys = [new_key() for _ in range(3)]
        wrapped = [provider.wrap(key, CONTEXT) for key in keys]
        assert [provider.unwrap(one, CONTEXT) for one in reversed(wrapped)] == keys[::-1]

    def test_a_key_of_any_bytes_comes_back(self) -> None:
        """Zeros at the ends and bytes that are no text are kept."""
        provider = self.make_provider()
        for key in (bytes(32), b"\xff" * 32, b" " * 31 + b"\n", bytes(range(224, 256))):
            assert provider.unwrap(provider.wrap(key, CONTEXT), CONTEXT) == key

    def test_a_context_of_any_bytes_is_taken(self) -> None:
        """None, NUL, what is no UTF-8, and a kilobyte."""
        provider, key = self.make_provider(), new_key()
        for context in (b"", b"\x00", bytes(range(256)), CONTEXT * 64):
            assert provider.unwrap(provider.wrap(key, context), context) == key

    def test_the_wrapped_key_says_who_wrapped_it(self) -> None:
        """`key_uri` names the key; `version` is text or an int; `blob` is bytes."""
        wrapped = self.make_provider().wrap(new_key(), CONTEXT)
        assert isinstance(wrapped.key_uri, str)
        assert wrapped.key_uri, "key_uri must name the key, or nobody knows which key to keep"
        assert type(wrapped.version) in (str, int)
        assert type(wrapped.blob) is bytes

    def test_the_blob_hides_the_key(self) -> None:
        """No eight bytes of the key, nor of its hexadecimal or reversed form, can be found in the wrapped key."""
        key = new_key()
        wrapped = self.make_provider().wrap(key, CONTEXT)
        text = wrapped.blob + f"{wrapped!r}{wrapped.key_uri}{wrapped.version}".encode()
        # Not the text itself: pytest would print it.
        assert not any(shows(text, key[at : at + 8]) for at in range(25)), "the wrapped key shows the key"

    def test_no_two_keys_share_a_key_stream(self) -> None:
        """With a nonce used twice the difference of two blobs is the difference of the keys."""
        provider = self.make_provider()
        keys = new_key(), new_key()
        blobs = [provider.wrap(key, CONTEXT).blob for key in keys]
        assert blobs[0] != blobs[1]
        assert _xor(*keys) not in _xor(*blobs), "a nonce was used twice"

    def test_threads_get_their_own_keys(self) -> None:
        """A provider is shared by threads."""
        provider = self.make_provider()
        together = threading.Barrier(_THREADS, timeout=30)

        def once(_: int) -> bool:
            key = new_key()
            together.wait()
            return provider.unwrap(provider.wrap(key, CONTEXT), CONTEXT) == key

        with ThreadPoolExecutor(_THREADS) as pool:
            assert all(pool.map(once, range(2 * _THREADS)))


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=False))

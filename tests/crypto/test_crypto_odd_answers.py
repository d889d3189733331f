"""Providers and key stores that answer oddly: nothing is written that could not be read again, no key gets out."""

from __future__ import annotations

import contextlib
import io
import itertools

import pytest
from crypto_helpers import HERE, Counting, Recording, filled, ring_over, still_reads

from custinfo.crypto import (
    FieldCipher,
    Keyring,
    LocalKeyProvider,
    MemoryKeyStore,
    WrappedKey,
    decrypt_stream,
    encrypt_stream,
)
from custinfo.crypto._rows import unpack_roots
from custinfo.errors import DecryptionError, KeyDestroyedError, KeyUnavailableError

ODD_WRAPPED = {
    "none": lambda _: None,
    "a tuple": lambda w: (w.key_uri, w.version, w.blob),
    "no name": lambda w: WrappedKey("", "", w.blob),
    "a name that is no text": lambda w: WrappedKey(None, "", w.blob),
    "a name beyond UTF-8": lambda w: WrappedKey("\ud800", "", w.blob),
    "a name without end": lambda w: WrappedKey("k" * 2049, "", w.blob),
    "no version": lambda w: WrappedKey(w.key_uri, None, w.blob),
    "a fraction for a version": lambda w: WrappedKey(w.key_uri, 1.0, w.blob),
    "a truth for a version": lambda w: WrappedKey(w.key_uri, True, w.blob),
    "an object for a version": lambda w: WrappedKey(w.key_uri, object(), w.blob),
    "a version beyond printing": lambda w: WrappedKey(w.key_uri, 10**5000, w.blob),
    "a negative version without end": lambda w: WrappedKey(w.key_uri, -(2**63), w.blob),
    "text for a blob": lambda w: WrappedKey(w.key_uri, "", w.blob.hex()),
    "no blob": lambda w: WrappedKey(w.key_uri, "", None),
    "an empty blob": lambda w: WrappedKey(w.key_uri, "", b""),
    "a blob without end": lambda w: WrappedKey(w.key_uri, "", w.blob + bytes(1 << 16)),
}
ODD_KEYS = {"none": lambda _: None, "31 bytes": lambda key: key[:31], "another key": lambda _: bytes(32)}


class Odd:
    """A provider that changes what it wrapped or unwrapped."""

    def __init__(self, *, wrapped=lambda w: w, unwrapped=lambda key: key, key=b"\x02" * 32):
        self.inner = LocalKeyProvider(key)
        self._wrapped, self._unwrapped = wrapped, unwrapped

    def wrap(self, key, context):
        return self._wrapped(self.inner.wrap(key, context))

    def unwrap(self, wrapped, context):
        return self._unwrapped(self.inner.unwrap(wrapped, context))


class OddRewrapper(Counting):
    """A provider that rewraps, and changes what comes of it."""

    def __init__(self, wrapped):
        super().__init__()
        self._wrapped = wrapped

    def rewrap(self, wrapped, context):
        return self._wrapped(self.wrap(self.unwrap(wrapped, context), context))


@pytest.mark.parametrize("odd", ODD_WRAPPED.values(), ids=ODD_WRAPPED)
def test_a_wrapped_key_that_could_not_be_read_again_is_never_stored(store, odd):
    with pytest.raises(KeyUnavailableError, match="Odd gave no wrapped key"):
        FieldCipher(ring_over(Odd(wrapped=odd), store)).encrypt("x", **HERE)
    assert store.names() == []
    target = io.BytesIO()
    with pytest.raises(KeyUnavailableError):
        encrypt_stream(io.BytesIO(b"x"), target, Odd(wrapped=odd))
    assert target.getvalue() == b""


@pytest.mark.parametrize("odd", ODD_WRAPPED.values(), ids=ODD_WRAPPED)
def test_a_kek_rotation_to_a_provider_of_odd_wrapped_keys_leaves_all_as_it_was(provider, store, odd):
    before = filled(provider, store, count=2)
    with pytest.raises(KeyUnavailableError):
        before[0].rotate_kek(Odd(wrapped=odd))
    assert still_reads(provider, store, before)


@pytest.mark.parametrize("odd", ODD_WRAPPED.values(), ids=ODD_WRAPPED)
def test_an_odd_rewrapped_key_is_never_stored(store, odd):
    before = filled(Counting(), store, count=2)
    with pytest.raises(KeyUnavailableError):
        ring_over(OddRewrapper(odd), store).rotate_kek()
    assert still_reads(Counting(), store, before)


@pytest.mark.parametrize("odd", ODD_KEYS.values(), ids=ODD_KEYS)
def test_the_kek_does_not_move_to_a_provider_that_cannot_open_what_it_wraps(provider, store, odd):
    before = filled(provider, store, count=2)
    with pytest.raises(DecryptionError) as caught:
        before[0].rotate_kek(Odd(unwrapped=odd))
    assert caught.value.code == "key.unwrap"
    assert still_reads(provider, store, before)


def test_no_root_is_named_that_its_provider_cannot_open(store):
    before = filled(Counting(), store, count=2)

    class Forgetful(Counting):
        """Wraps another key than it was given."""

        def wrap(self, key, context):
            return super().wrap(bytes(32), context)

    with pytest.raises(DecryptionError) as caught:
        ring_over(Forgetful(), store).rotate_root()
    assert caught.value.code == "key.unwrap"
    assert len(unpack_roots(store.get("root/default")[0])) == 1
    assert still_reads(Counting(), store, before)


def test_a_truth_in_place_of_a_version_is_refused_in_rows_and_streams():
    wrapped = LocalKeyProvider(bytes(32)).wrap(bytes(32), b"")
    parts = [part.to_bytes(4, "big") for part in (len(wrapped.key_uri), 4, len(wrapped.blob))]
    tail = parts[0] + wrapped.key_uri.encode() + parts[1] + b"true" + parts[2] + wrapped.blob
    with pytest.raises(DecryptionError):
        unpack_roots(b"\xc2\x01" + bytes(33) + tail)
    provider = Counting()
    with pytest.raises(DecryptionError):
        decrypt_stream(io.BytesIO(b"\xc5\x01" + tail), io.BytesIO(), provider)
    assert provider.unwraps == 0


def test_what_a_third_party_raised_is_not_behind_the_error():
    """It may hold the request, and with it the key: trackers of errors walk the whole chain."""

    class Talkative:
        def __init__(self, *arguments):
            self.arguments = arguments

        def wrap(self, key, context):
            raise RuntimeError(key, context)

        unwrap = wrap

    class TalkativeStore(MemoryKeyStore):
        talks = ()

        def get(self, name):
            if "get" in self.talks:
                raise RuntimeError(name)
            return super().get(name)

        def put(self, items):
            raise RuntimeError(items)

    def of_store(*talks):
        store = TalkativeStore()
        store.talks = talks
        return Keyring(LocalKeyProvider(bytes(32)), store)

    for use in (
        lambda: Keyring(Talkative(), MemoryKeyStore()).secret("audit"),
        lambda: of_store().secret("audit"),
        lambda: of_store("get").secret("audit"),
        lambda: encrypt_stream(io.BytesIO(), io.BytesIO(), Talkative()),
    ):
        with pytest.raises(KeyUnavailableError, match="RuntimeError") as caught:
            use()
        assert caught.value.__context__ is None
        assert caught.value.__cause__ is None


class Faulty(Recording):
    """Fails at one call, before or after it was done, as a database does whose answer was lost."""

    def __init__(self):
        super().__init__()
        self.left = None
        self.after = False

    def _call(self, call, *arguments):
        if self.left is None:
            return call(*arguments)
        self.left -= 1
        if self.left == -1 and not self.after:
            raise TimeoutError
        answer = call(*arguments)
        if self.left == -1:
            raise TimeoutError
        return answer

    def get(self, name):
        return self._call(super().get, name)

    def get_many(self, names):
        return self._call(super().get_many, names)

    def put(self, items):
        return self._call(super().put, items)

    def names(self, prefix="", after="", limit=1000):
        return self._call(super().names, prefix, after, limit)

    def generation(self):
        return self._call(super().generation)


OTHER = b"\x03" * 32
OPERATIONS = {
    "a new subject": lambda ring: FieldCipher(ring).encrypt("x", **HERE | {"record": "new"}),
    "many new subjects": lambda ring: FieldCipher(ring).encrypt_records(
        [("n1", None, {}), ("n2", None, {})], entity="e"
    ),
    "a process": lambda ring: FieldCipher(ring_over(Counting(), ring.key_store, mode="tenant")).encrypt("x", **HERE),
    "shredding": lambda ring: ring.shred("1"),
    "the KEK": lambda ring: ring.rotate_kek(Counting(OTHER)),
    "the root": lambda ring: ring.rotate_root(),
    "a secret": lambda ring: ring.secret("new"),
    "an index": lambda ring: ring._access.rotate_secret("index/email", finish=False),
}


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_a_key_store_that_fails_at_any_call_leaves_nothing_half_done(operation, after):
    for call in itertools.count():
        store = Faulty()
        ring, tokens, token, secret = filled(Counting(), store, count=3)
        ring.shred("0")
        other = ring_over(Counting(), store)
        for keyring in (ring, other):  # warm
            FieldCipher(keyring).decrypt(tokens[1]["email"], entity="e", record="1", field="email")
        store.left, store.after = call, after
        with contextlib.suppress(KeyUnavailableError):
            operation(ring)
        done, store.left = store.left >= 0, None
        _check_whole((other, ring), store, tokens, token, secret)
        operation(ring)
        _check_whole((other, ring), store, tokens, token, secret)
        if done:
            assert call >= 2
            return


def _check_whole(warm, store, tokens, token, secret):
    """Warm keyrings and a cold one read everything but what is shredded, which none reads."""
    cold = ring_over(Counting(), store)
    try:
        cold.secret("index/email")
    except DecryptionError:  # the KEK moved
        cold = ring_over(Counting(OTHER), store)
    for number, made in enumerate(tokens):
        for keyring in (*warm, cold):
            if keyring.is_shredded(str(number)):
                with pytest.raises(KeyDestroyedError):
                    FieldCipher(keyring).decrypt(made["email"], entity="e", record=str(number), field="email")
            else:
                got = FieldCipher(keyring).decrypt(made["email"], entity="e", record=str(number), field="email")
                assert got == number
    assert cold.is_shredded("0")
    assert FieldCipher(cold).decrypt(token, **HERE) == "x"
    assert secret in cold._access.secrets("index/email")

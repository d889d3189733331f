"""Small promises that nothing else holds: codes, limits to the byte, what a repr says."""

from __future__ import annotations

import io
import os
import re

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from custinfo.crypto import (
    BlindIndex,
    FieldCipher,
    HpkeKeyProvider,
    Keyring,
    LocalKeyProvider,
    MemoryKeyStore,
    PassphraseKeyProvider,
    RsaKeyProvider,
    Signer,
    WrappedKey,
    _service,
    decrypt_stream,
    encrypt_stream,
    plan_index_bits,
)
from custinfo.crypto import _passphrase as passphrase_module
from custinfo.crypto import _stream as stream_module
from custinfo.errors import ConflictError, DecryptionError, InvalidFieldError

KEY = bytes(range(32))
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PAIRS = [(RsaKeyProvider, RSA, "rsa"), (HpkeKeyProvider, X25519PrivateKey.generate(), "hpke")]


# Providers


@pytest.mark.parametrize(("cls", "private", "scheme"), PAIRS, ids=["rsa", "hpke"])
def test_a_key_pair_names_itself_and_refuses_with_one_code(cls, private, scheme):
    provider = cls(private)
    wrapped = provider.wrap(KEY, b"c")
    assert re.fullmatch(rf"{scheme}:[0-9a-f]{{32}}", provider.key_uri)
    assert (wrapped.key_uri, wrapped.version) == (provider.key_uri, "")
    altered = wrapped.blob[:-1] + bytes([wrapped.blob[-1] ^ 1])
    for bad in (WrappedKey("local:0", "", wrapped.blob), WrappedKey(wrapped.key_uri, "", altered)):
        with pytest.raises(DecryptionError) as caught:
            provider.unwrap(bad, b"c")
        assert caught.value.code == "key.unwrap"
    with pytest.raises(DecryptionError) as caught:
        provider.unwrap(wrapped, b"another")
    assert caught.value.code == "key.unwrap"


def test_local_and_passphrase_keys_have_no_version():
    for provider in (LocalKeyProvider(KEY), PassphraseKeyProvider("x" * 20, memory_kib=64, iterations=1, lanes=1)):
        assert provider.wrap(KEY, b"c").version == ""


@pytest.mark.parametrize(
    "end", [b" ", b"\t\n", b" \n", b"X", b"X\n", b"\r", b"\n\n", b"\n\r", b"\r\nX", b"\r\n\r\n", b"\n" + KEY, b"\0"]
)
def test_a_key_file_ends_with_its_key_and_a_line_end(tmp_path, end):
    path = tmp_path / "kek"
    path.touch(0o600)
    path.write_bytes(KEY.hex().encode() + end)
    with pytest.raises(InvalidFieldError) as caught:
        LocalKeyProvider.from_file(path)
    assert caught.value.code == "key.file_format"


@pytest.mark.parametrize(
    ("costs", "opens"),
    [((64, 2, 2), True), ((65, 2, 2), False), ((64, 3, 2), False), ((64, 2, 3), False)],
)
def test_a_blob_may_ask_for_the_limits_and_no_more(monkeypatch, costs, opens):
    memory_kib, iterations, lanes = costs
    dear = PassphraseKeyProvider("x" * 20, memory_kib=memory_kib, iterations=iterations, lanes=lanes)
    wrapped = dear.wrap(KEY, b"c")
    for name, most in (("_MOST_MEMORY_KIB", 64), ("_MOST_ITERATIONS", 2), ("_MOST_LANES", 2)):
        monkeypatch.setattr(passphrase_module, name, most)
    assert dear.unwrap(wrapped, b"c") == KEY  # its own costs are no surprise
    cheap = PassphraseKeyProvider("x" * 20, memory_kib=8, iterations=1, lanes=1)
    if opens:
        assert cheap.unwrap(wrapped, b"c") == KEY
    else:
        with pytest.raises(DecryptionError):
            cheap.unwrap(wrapped, b"c")


def test_a_row_of_the_store_in_memory_that_changed_is_a_conflict_by_name():
    store = MemoryKeyStore()
    store.put([("a", b"1", 0)])
    for items in ([("a", b"2", 0)], [("b", b"1", 0), ("b", b"2", 0)]):
        with pytest.raises(ConflictError) as caught:
            store.put(items)
        assert caught.value.code == "key_store.conflict"


def test_a_key_of_another_service_key_is_refused_with_the_code_of_all_providers():
    error = _service.other_key("kms:one", "kms:two")
    assert (type(error), error.code) == (DecryptionError, "key.unwrap")
    assert "kms:one" in str(error)
    assert "kms:two" in str(error)


# Fields and indexes


def test_many_records_are_read_under_the_subjects_that_are_given():
    cipher = FieldCipher(Keyring(LocalKeyProvider(KEY), MemoryKeyStore()))
    rows = [(f"r{n}", None if n % 3 == 0 else f"s{n % 7}", {"a": n}) for n in range(600)]
    tokens = cipher.encrypt_records(rows, entity="e")
    fresh = [(record, subject, made) for (record, subject, _), made in zip(rows, tokens, strict=True)]
    assert cipher.decrypt_records(fresh, entity="e") == [values for _, _, values in rows]
    with pytest.raises(DecryptionError):
        cipher.decrypt_records([("r1", None, tokens[1])], entity="e")


def test_the_refusal_of_a_low_entropy_field_says_how_many_values_it_saw():
    with pytest.raises(InvalidFieldError) as caught:
        BlindIndex(Keyring(LocalKeyProvider(KEY), MemoryKeyStore()), "sex", normalize=str, bits=256, distinct=2)
    assert caught.value.details["distinct"] == 2


# Signatures


def test_a_signer_says_what_it_can_do_and_whose_key_it_has():
    signer = Signer(KEY)
    start = signer.public_bytes()[:8].hex()
    assert repr(signer) == f"<Signer {start}>"
    assert repr(Signer.from_pem(signer.public_pem())) == f"<Signer (verifies only) {start}>"


# Streams


class Versioned:
    """A provider whose keys have versions and which holds on to them."""

    def __init__(self, version, uri="kms:one"):
        self.version, self.uri, self.seen = version, uri, []
        self.inner = LocalKeyProvider(KEY)

    def wrap(self, key, context):
        return WrappedKey(self.uri, self.version, self.inner.wrap(key, context).blob)

    def unwrap(self, wrapped, context):
        self.seen.append((wrapped.key_uri, wrapped.version))
        return self.inner.unwrap(WrappedKey(self.inner.key_uri, "", wrapped.blob), context)


def seal(data, provider, **options):
    out = io.BytesIO()
    encrypt_stream(io.BytesIO(data), out, provider, **options)
    return out.getvalue()


def unseal(data, provider, **options):
    out = io.BytesIO()
    decrypt_stream(data if hasattr(data, "read") else io.BytesIO(data), out, provider, **options)
    return out.getvalue()


@pytest.mark.parametrize("version", [7, "v7"])
def test_a_stream_tells_its_provider_which_key_wrapped_it(version):
    provider = Versioned(version)
    assert unseal(seal(b"data", provider), provider) == b"data"
    assert provider.seen == [("kms:one", version)]


def test_a_context_as_text_is_the_same_as_its_bytes():
    provider = LocalKeyProvider(KEY)
    assert unseal(seal(b"data", provider, context="füllung"), provider, context="füllung".encode()) == b"data"


def test_a_part_of_the_head_may_have_65536_bytes_and_no_more():
    provider = Versioned(1)
    behind = seal(b"data", provider)[2 + 4 + len(provider.uri) :]
    for size, right in ((1 << 16, True), ((1 << 16) + 1, False)):
        sealed = b"\xc5\x01" + size.to_bytes(4, "big") + b"k" * size + behind
        if right:
            assert unseal(sealed, provider) == b"data"
        else:
            with pytest.raises(DecryptionError):
                unseal(sealed, provider)


def test_a_source_that_gives_less_or_more_than_it_was_asked_for_is_read_exactly():
    class Odd(io.RawIOBase):
        """One byte at a time, and no way back."""

        def __init__(self, data):
            self._file = io.BytesIO(data)

        def readable(self):
            return True

        def seekable(self):
            return False

        def read(self, size=-1):
            assert size >= 1, "a stream is read in pieces"
            return self._file.read(1)

    provider = LocalKeyProvider(KEY)
    assert unseal(Odd(seal(b"some data", provider)), provider) == b"some data"


def test_a_file_is_read_in_pieces_of_a_bounded_size(tmp_path, monkeypatch):
    monkeypatch.setattr(stream_module, "_READ", 1000)
    asked = []

    class Watching(io.BytesIO):
        def read(self, size=-1):
            asked.append(size)
            return super().read(size)

    provider, data = LocalKeyProvider(KEY), os.urandom(10_000)
    out = io.BytesIO()
    encrypt_stream(Watching(data), out, provider)
    decrypt_stream(Watching(out.getvalue()), tmp_path / "open", provider)
    assert (tmp_path / "open").read_bytes() == data
    assert all(size is not None and 1 <= size <= 1000 for size in asked)


def test_a_stream_in_place_is_opened_where_it_lies():
    """A seekable file that yields one byte a time is still read from where its message starts."""

    class Slow(io.BytesIO):
        def read(self, size=-1):
            return super().read(min(size, 3))

    provider = LocalKeyProvider(KEY)
    assert unseal(Slow(seal(b"some data", provider)), provider) == b"some data"


@pytest.mark.parametrize("entropy_bits", [10, 10.5, 14, 20.0, 255.9])
def test_a_plan_by_entropy_is_the_plan_for_so_many_equally_common_values(entropy_bits):
    even = int(2**entropy_bits)
    bits = plan_index_bits(10**80, entropy_bits=entropy_bits)
    assert bits == plan_index_bits(10**80, distinct=even)
    assert 2 <= even / 2**bits < 4


def test_of_values_and_entropy_the_smaller_one_counts():
    assert plan_index_bits(10**6, distinct=2000, entropy_bits=14) == plan_index_bits(10**6, distinct=2000)
    assert plan_index_bits(10**6, distinct=50_000, entropy_bits=11) == plan_index_bits(10**6, distinct=2**11)


@pytest.mark.parametrize("entropy_bits", [0, 1.5, 9.99])
def test_a_field_of_few_common_values_is_refused_however_many_rare_ones_it_has(entropy_bits):
    with pytest.raises(InvalidFieldError) as caught:
        plan_index_bits(10**6, distinct=50_000, entropy_bits=entropy_bits)
    assert caught.value.code == "index.low_entropy"
    assert plan_index_bits(10**6, distinct=50_000, entropy_bits=entropy_bits, allow_low_entropy=True) >= 1


@pytest.mark.parametrize("options", [{}, {"entropy_bits": -1}, {"entropy_bits": 256}, {"entropy_bits": float("nan")}])
def test_a_plan_needs_to_know_the_field(options):
    with pytest.raises(InvalidFieldError) as caught:
        plan_index_bits(1000, **options)
    assert caught.value.code == "index.distinct"


def test_a_plan_for_one_row_and_for_rows_without_end_stays_in_range():
    assert plan_index_bits(1, distinct=10**6) == 1
    assert plan_index_bits(2**300, distinct=2**300) == 255

"""Streams: round trips, every kind of damage, and targets that stay as they were."""

from __future__ import annotations

import errno
import io
import os
import stat

import pytest
from cryptography.cobblestone import Cobblestone256Decryptor
from hypothesis import given
from hypothesis import strategies as st

from custinfo.crypto import LocalKeyProvider, WrappedKey, decrypt_stream, encrypt_stream
from custinfo.errors import AccessDeniedError, DecryptionError, KeyUnavailableError

PROVIDER = LocalKeyProvider(b"\x03" * 32)


def seal(data, **options):
    out = io.BytesIO()
    encrypt_stream(io.BytesIO(data), out, PROVIDER, **options)
    return out.getvalue()


def unseal(data, provider=PROVIDER, **options):
    out = io.BytesIO()
    try:
        decrypt_stream(io.BytesIO(data), out, provider, **options)
    except BaseException:
        assert out.getvalue() == b""  # nothing is released before the end is verified
        raise
    return out.getvalue()


class Pipe(io.RawIOBase):
    """Gives a few bytes at a time and cannot be read twice."""

    def __init__(self, data, step=1000):
        self._file, self._step = io.BytesIO(data), step

    def readable(self):
        return True

    def read(self, size=-1):
        return self._file.read(min(size, self._step) if size > 0 else self._step)


@given(st.binary(max_size=300), st.text(st.characters(codec="utf-8"), max_size=20) | st.binary(max_size=20))
def test_a_stream_comes_back(data, context):
    assert unseal(seal(data, context=context), context=context) == data


@pytest.mark.parametrize("size", [0, 1, 16_383, 16_384, 16_385, (1 << 18) - 1, 1 << 18, (1 << 18) + 1, 3_000_000])
def test_a_stream_of_any_length_comes_back(size):
    data = os.urandom(size)
    sealed = seal(data)
    assert size < 8 or data[:64] not in sealed
    assert unseal(sealed) == data


def test_pipes_are_read_and_files_written(tmp_path):
    data = os.urandom(100_000)
    encrypt_stream(Pipe(data), tmp_path / "sealed", PROVIDER)
    decrypt_stream(str(tmp_path / "sealed"), tmp_path / "open", PROVIDER)
    assert (tmp_path / "open").read_bytes() == data
    out = io.BytesIO()
    decrypt_stream(Pipe((tmp_path / "sealed").read_bytes(), step=7), out, PROVIDER)
    assert out.getvalue() == data
    assert sorted(path.name for path in tmp_path.iterdir()) == ["open", "sealed"]


def test_a_stream_in_the_middle_of_a_file_is_read_from_there():
    file = io.BytesIO(b"before" + seal(b"data"))
    file.seek(6)
    out = io.BytesIO()
    decrypt_stream(file, out, PROVIDER)
    assert out.getvalue() == b"data"


def test_every_altered_byte_is_refused():
    sealed = seal(b"some data", context="c")
    for at in range(len(sealed)):
        altered = bytearray(sealed)
        altered[at] ^= 1 << at % 8
        with pytest.raises(DecryptionError):
            unseal(bytes(altered), context="c")


def test_every_truncation_and_extension_is_refused():
    sealed = seal(b"some data")
    for length in range(len(sealed)):
        with pytest.raises(DecryptionError):
            unseal(sealed[:length])
    for tail in (b"\x00", sealed, bytes(1 << 19)):
        with pytest.raises(DecryptionError):
            unseal(sealed + tail)


def test_chunks_cannot_be_cut_out_swapped_or_dropped_from_the_end():
    data = os.urandom(100_000)
    sealed = seal(data)
    start = sealed.index(b"local:") + 22 + 4 + 2 + 4 + 60  # the head: key_uri, version, blob
    chunk = 16_384 + 16
    body = start + 56 - 16
    assert len(sealed) > body + 5 * chunk
    one, two = slice(body, body + chunk), slice(body + chunk, body + 2 * chunk)
    for altered in (
        sealed[: one.start] + sealed[two] + sealed[one] + sealed[two.stop :],
        sealed[: one.start] + sealed[two.start :],
        sealed[: body + 3 * chunk],
        sealed[: one.stop] + sealed[one] + sealed[one.stop :],
    ):
        with pytest.raises(DecryptionError):
            unseal(altered)


@pytest.mark.parametrize(("made", "given"), [("a", "b"), ("a", b""), ("", "a"), ("a", "a\x00")])
def test_another_context_is_refused(made, given):
    with pytest.raises(DecryptionError):
        unseal(seal(b"x", context=made), context=given)


def test_another_provider_is_refused_by_name():
    with pytest.raises(DecryptionError, match="wrapped by local:"):
        unseal(seal(b"x"), LocalKeyProvider.generate())


def test_the_bytes_are_what_the_format_page_says():
    sealed = seal(b"data", context="backup 1")

    def part(rest):
        size = int.from_bytes(rest[:4], "big")
        return rest[4 : 4 + size], rest[4 + size :]

    assert sealed[:2] == b"\xc5\x01"
    key_uri, rest = part(sealed[2:])
    version, rest = part(rest)
    blob, message = part(rest)
    assert (key_uri.decode(), version) == (PROVIDER.key_uri, b'""')
    bound = b"\x00\x00\x00\x12custinfo/v1/stream\x00\x00\x00\x08backup 1"
    key = PROVIDER.unwrap(WrappedKey(PROVIDER.key_uri, "", blob), bound)
    decryptor = Cobblestone256Decryptor(key, bound)
    assert decryptor.update(message) + decryptor.finalize() == b"data"


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\xc5",
        b"\xc5\x02",
        b"\xc5\x01\xff\xff\xff\xff",
        b"\xc5\x01\x00\x00\x00\x01\xff" + b"\x00\x00\x00\x02\x22\x22",
        b"\xc5\x01\x00\x00\x00\x00" + b"\x00\x00\x00\x02{}",
        b"\xc5\x01\x00\x00\x00\x00" + b"\x00\x00\x00\x01{",
    ],
    ids=lambda head: head.hex(),
)
def test_a_head_that_is_none_is_refused(head):
    with pytest.raises(DecryptionError, match="stream cannot be decrypted"):
        unseal(head + bytes(100))


def test_a_provider_that_gives_no_key_is_refused():
    class Lying:
        def unwrap(self, wrapped, context):
            return bytes(31)

    with pytest.raises(DecryptionError):
        unseal(seal(b"x"), Lying())


def test_a_provider_that_is_down_leaves_the_target_alone(tmp_path):
    class Down:
        def wrap(self, key, context):
            raise ConnectionError

    (tmp_path / "target").write_bytes(b"before")
    with pytest.raises(KeyUnavailableError):
        encrypt_stream(io.BytesIO(b"x"), tmp_path / "target", Down())
    assert (tmp_path / "target").read_bytes() == b"before"


def test_a_failure_leaves_a_target_file_as_it_was_and_nothing_beside_it(tmp_path):
    sealed = seal(os.urandom(100_000))
    (tmp_path / "target").write_bytes(b"before")
    for target in ("target", "new"):
        with pytest.raises(DecryptionError):
            decrypt_stream(io.BytesIO(sealed[:-1]), tmp_path / target, PROVIDER)

    class Broken(io.BytesIO):
        def read(self, size=-1):
            if self.tell() > 300_000:
                raise OSError("disk")
            return super().read(size)

    with pytest.raises(OSError, match="disk"):
        encrypt_stream(Broken(bytes(600_000)), tmp_path / "target", PROVIDER)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("target", b"before")]


def test_a_provider_that_only_wraps_is_refused_before_anything_is_read_or_made(tmp_path):
    class Wrapper:
        """A write-only provider."""

        wrap = PROVIDER.wrap

    sealed = tmp_path / "sealed"
    encrypt_stream(io.BytesIO(b"x"), sealed, Wrapper())
    for source, target in ((sealed, tmp_path / "open"), (sealed, io.BytesIO()), (tmp_path / "missing", io.BytesIO())):
        with pytest.raises(AccessDeniedError, match="only wraps keys") as caught:
            decrypt_stream(source, target, Wrapper())
        assert caught.value.code == "stream.write_only"
    assert [path.name for path in tmp_path.iterdir()] == ["sealed"]


def test_a_target_is_replaced_when_all_is_well(tmp_path):
    (tmp_path / "target").write_bytes(b"before")
    decrypt_stream(io.BytesIO(seal(b"after")), tmp_path / "target", PROVIDER)
    assert (tmp_path / "target").read_bytes() == b"after"


def test_the_name_of_a_target_is_made_durable_where_the_file_system_can(tmp_path, monkeypatch):
    synced, sync = [], os.fsync

    def fsync(descriptor):
        synced.append(stat.S_ISDIR(os.fstat(descriptor).st_mode))
        if synced[-1]:
            raise OSError(errno.EINVAL, "this file system syncs no folders")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    encrypt_stream(io.BytesIO(b"x"), tmp_path / "target", PROVIDER)
    assert synced == ([False, True] if os.name == "posix" else [False])
    assert unseal((tmp_path / "target").read_bytes()) == b"x"

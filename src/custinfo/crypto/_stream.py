"""Streams: files and backups, encrypted in chunks, of which nothing shows before the end is verified."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from pathlib import Path

from cryptography.cobblestone import Cobblestone256Decryptor, Cobblestone256Encryptor
from cryptography.exceptions import InvalidTag

from custinfo.crypto._format import KEY_LEN, framed
from custinfo.crypto._guard import LONGEST_PART, ask, ask_wrapped
from custinfo.crypto._local import sync_folder
from custinfo.crypto._provider import WrappedKey
from custinfo.errors import AccessDeniedError, DecryptionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO, TypeAlias

    from custinfo.crypto._provider import KeyProvider, KeyWrapper

    Source: TypeAlias = str | os.PathLike[str] | BinaryIO

_MAGIC = b"\xc5\x01"
_LABEL = "custinfo/v1/stream"
_READ = 1 << 18


def encrypt_stream(
    src: Source, dst: Source, key_provider: KeyProvider | KeyWrapper, *, context: str | bytes = b""
) -> None:
    """Encrypt a stream of any length under a fresh key, wrapped by the provider.

    A file named by *dst* appears, durable and complete, at the end; after a failure it is as it was.

    Args:
        src: a path, or a binary file to read.
        dst: a path, or a binary file to write.
        key_provider: wraps the stream's key; one that cannot unwrap will do.
        context: what the stream is, such as ``"backup of shop-1"``; `decrypt_stream` must be given the same.

    Raises:
        KeyUnavailableError: the provider does not answer.
        OSError: *src* or *dst* cannot be read or written.

    Source: C2SP chunked-encryption, Cobblestone-256 (2026), as of cryptography 50; docs/crypto-format.md.

    >>> import io
    >>> from custinfo.crypto import LocalKeyProvider
    >>> provider, sealed = LocalKeyProvider.generate(), io.BytesIO()
    >>> encrypt_stream(io.BytesIO(b"a backup"), sealed, provider, context="backup 1")
    >>> opened = io.BytesIO()
    >>> _ = sealed.seek(0)
    >>> decrypt_stream(sealed, opened, provider, context="backup 1")
    >>> opened.getvalue()
    b'a backup'
    """
    bound = _bound(context)
    key = os.urandom(KEY_LEN)
    wrapped = ask_wrapped(key_provider.wrap, key, bound)
    head = _MAGIC + framed(wrapped.key_uri) + framed(json.dumps(wrapped.version))
    head += len(wrapped.blob).to_bytes(4, "big") + wrapped.blob
    encryptor = Cobblestone256Encryptor(key, bound)
    with _reading(src) as source, _writing(dst) as target:
        target.write(head)
        while piece := source.read(_READ):
            target.write(encryptor.update(piece))
        target.write(encryptor.finalize())


def decrypt_stream(src: Source, dst: Source, key_provider: KeyProvider, *, context: str | bytes = b"") -> None:
    """Decrypt what `encrypt_stream` wrote; *dst* gets nothing before the last byte was verified.

    A file named by *dst* appears at the end, complete; after a failure it is as it was. An open file is written in a
    second pass over *src*, which is copied to a temporary file, still encrypted, where it cannot be read twice.

    Args:
        src: a path, or a binary file to read.
        dst: a path, or a binary file to write.
        key_provider: unwraps the stream's key.
        context: what `encrypt_stream` was given.

    Raises:
        DecryptionError: another provider or context, or the stream was altered, cut, or has something behind its end.
        KeyUnavailableError: the provider does not answer.
        AccessDeniedError: "stream.write_only" for a provider that only wraps.
        OSError: *src* or *dst* cannot be read or written.

    Source: C2SP chunked-encryption, Cobblestone-256 (2026), as of cryptography 50; docs/crypto-format.md.

    >>> import io
    >>> from custinfo.crypto import LocalKeyProvider
    >>> provider, sealed = LocalKeyProvider.generate(), io.BytesIO()
    >>> encrypt_stream(io.BytesIO(b"a backup"), sealed, provider)
    >>> cut, opened = io.BytesIO(sealed.getvalue()[:-1]), io.BytesIO()
    >>> decrypt_stream(cut, opened, provider)
    Traceback (most recent call last):
    custinfo.errors.DecryptionError: the stream cannot be decrypted; it was altered or cut, or is another one
    """
    bound = _bound(context)
    if not hasattr(key_provider, "unwrap"):
        raise AccessDeniedError(
            "this provider only wraps keys, so it cannot decrypt the stream; pass the one with the private key",
            code="stream.write_only",
        )
    if isinstance(dst, str | os.PathLike):
        with _reading(src) as source, _writing(dst) as target:
            _decrypt(source, target, _key_of(source, key_provider, bound), bound)
        return
    with contextlib.ExitStack() as stack:
        source = stack.enter_context(_reading(src))
        if not source.seekable():
            spooled = stack.enter_context(tempfile.TemporaryFile())
            shutil.copyfileobj(source, spooled, _READ)
            spooled.seek(0)
            source = spooled
        key = _key_of(source, key_provider, bound)
        start = source.tell()
        _decrypt(source, None, key, bound)
        source.seek(start)
        _decrypt(source, dst, key, bound)


def _decrypt(source: BinaryIO, target: BinaryIO | None, key: bytes, bound: bytes) -> None:
    decryptor = Cobblestone256Decryptor(key, bound)
    try:
        while piece := source.read(_READ):
            plain = decryptor.update(piece)
            if target is not None:
                target.write(plain)
        plain = decryptor.finalize()
    except InvalidTag:
        raise _bad_stream() from None
    if target is not None:
        target.write(plain)


def _key_of(source: BinaryIO, key_provider: KeyProvider, bound: bytes) -> bytes:
    if _exactly(source, len(_MAGIC)) != _MAGIC:
        raise _bad_stream()
    try:
        key_uri, version = _part(source).decode(), json.loads(_part(source))
    except (ValueError, RecursionError):
        raise _bad_stream() from None
    if type(version) not in (str, int):
        raise _bad_stream()
    key = ask(key_provider.unwrap, WrappedKey(key_uri, version, _part(source)), bound)
    if type(key) is not bytes or len(key) != KEY_LEN:
        raise _bad_stream()
    return key


def _part(source: BinaryIO) -> bytes:
    size = int.from_bytes(_exactly(source, 4), "big")
    if size > LONGEST_PART:
        raise _bad_stream()
    return _exactly(source, size)


def _exactly(source: BinaryIO, size: int) -> bytes:
    data = b""
    while len(data) < size:  # a pipe may give less than it was asked for
        piece = source.read(size - len(data))
        if not piece:
            raise _bad_stream()
        data += piece
    return data


def _bound(context: str | bytes) -> bytes:
    if isinstance(context, str):
        return framed(_LABEL) + framed(context)
    return framed(_LABEL) + len(context).to_bytes(4, "big") + context


@contextlib.contextmanager
def _reading(src: Source) -> Iterator[BinaryIO]:
    if isinstance(src, str | os.PathLike):
        with Path(src).open("rb") as file:
            yield file
    else:
        yield src


@contextlib.contextmanager
def _writing(dst: Source) -> Iterator[BinaryIO]:
    if not isinstance(dst, str | os.PathLike):
        yield dst
        return
    path = Path(dst)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".partial")
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
        with contextlib.suppress(OSError):  # some file systems sync no folders; the file itself is complete
            sync_folder(path.resolve().parent)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _bad_stream() -> DecryptionError:
    return DecryptionError("the stream cannot be decrypted; it was altered or cut, or is another one")

"""A key-encryption key in this process: from bytes or from a file that only its owner reads."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from custinfo.crypto._format import KEY_LEN, NONCE_LEN, expand
from custinfo.crypto._provider import WrappedKey, refuse_copy
from custinfo.errors import DecryptionError, InvalidFieldError, KeyUnavailableError

_LONGEST_FILE = 2 * KEY_LEN + len(b"\r\n")


class LocalKeyProvider:
    """Wraps keys with AES-256-GCM under a key that the caller holds.

    For tests, single machines, and hosts that fetch a key from their own secret manager. Whoever reads the key
    reads everything: for more, use a provider whose key stays in a KMS.

    Args:
        key: 32 random bytes.

    Raises:
        InvalidFieldError: "key.length" if the key is not 32 bytes.

    Source: NIST SP 800-38D (November 2007) for AES-GCM; blob = nonce (12) | ciphertext (32) | tag (16).

    >>> LocalKeyProvider(bytes(32))
    LocalKeyProvider(key_uri='local:e06d83547eda2dbc')
    """

    __slots__ = ("_gcm", "key_uri")

    def __init__(self, key: bytes) -> None:
        if type(key) is not bytes or len(key) != KEY_LEN:
            raise InvalidFieldError("a local key must be 32 bytes; use LocalKeyProvider.generate()", code="key.length")
        derived = expand(key, info=b"custinfo/v1/local", length=KEY_LEN + 8)
        self._gcm = AESGCM(derived[:KEY_LEN])
        self.key_uri = f"local:{derived[KEY_LEN:].hex()}"

    __reduce_ex__ = refuse_copy

    def __repr__(self) -> str:
        return f"LocalKeyProvider(key_uri={self.key_uri!r})"

    @classmethod
    def generate(cls) -> LocalKeyProvider:
        """A provider with a fresh random key, which is lost with the process.

        >>> LocalKeyProvider.generate().key_uri[:6]
        'local:'
        """
        return cls(os.urandom(KEY_LEN))

    @classmethod
    def create_file(cls, path: str | os.PathLike[str]) -> LocalKeyProvider:
        """Write a fresh random key to a new file of mode 0600, durably, and give its provider.

        Args:
            path: where no file is yet; an existing one is never overwritten.

        Raises:
            InvalidFieldError: "key.file_exists".
            KeyUnavailableError: "key.file_write" if the file cannot be written; nothing of it is left.

        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     made = LocalKeyProvider.create_file(f"{folder}/kek")
        ...     LocalKeyProvider.from_file(f"{folder}/kek").key_uri == made.key_uri
        True
        """
        key = os.urandom(KEY_LEN)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise InvalidFieldError(
                "there is a file of this name already; read it with from_file or choose another name",
                code="key.file_exists",
            ) from None
        except (OSError, ValueError) as exc:  # ValueError: a path that no file can have
            raise _not_written(exc) from None
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(key.hex().encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
            sync_folder(Path(path).resolve().parent)
        except OSError as exc:
            with contextlib.suppress(OSError):
                Path(path).unlink()
            raise _not_written(exc) from None
        return cls(key)

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> LocalKeyProvider:
        """Read the key of `create_file`: 64 hexadecimal digits and a line feed.

        Args:
            path: a file that neither group nor others may read, write or execute (checked on POSIX systems).

        Raises:
            KeyUnavailableError: "key.file_missing" if it cannot be opened.
            InvalidFieldError: "key.file_mode" if others have access; "key.file_format" if it holds something else.

        >>> import tempfile, os
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = LocalKeyProvider.create_file(f"{folder}/kek")
        ...     os.chmod(f"{folder}/kek", 0o640)
        ...     LocalKeyProvider.from_file(f"{folder}/kek")
        Traceback (most recent call last):
        custinfo.errors.InvalidFieldError: the key file is open to others than its owner; run: chmod 600 on it
        """
        try:
            with Path(path).open("rb") as file:
                # The open file is asked, not the path, which somebody could point elsewhere between two looks.
                mode = os.fstat(file.fileno()).st_mode
                text = file.read(_LONGEST_FILE + 1)
        except (OSError, ValueError) as exc:  # ValueError: a path that no file can have
            why = exc.strerror if isinstance(exc, OSError) else "no path"
            raise KeyUnavailableError(
                f"the key file cannot be opened ({why}); check its path and owner", code="key.file_missing"
            ) from None
        if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
            raise InvalidFieldError(
                "the key file is open to others than its owner; run: chmod 600 on it", code="key.file_mode"
            )
        digits, end = text[: 2 * KEY_LEN], text[2 * KEY_LEN :]
        try:
            key = bytes.fromhex(digits.decode("ascii"))
        except ValueError:
            key = b""
        if len(key) != KEY_LEN or end not in (b"", b"\n", b"\r\n"):
            raise InvalidFieldError(
                "the key file must hold 64 hexadecimal digits and a line feed; make one with create_file",
                code="key.file_format",
            )
        return cls(key)

    def wrap(self, key: bytes, context: bytes) -> WrappedKey:
        """Encrypt *key*, bound to *context*.

        Args:
            key: the key to wrap.
            context: what `unwrap` must be given again.

        >>> LocalKeyProvider(bytes(32)).wrap(bytes(32), b"root").key_uri
        'local:e06d83547eda2dbc'
        """
        nonce = os.urandom(NONCE_LEN)
        return WrappedKey(self.key_uri, "", nonce + self._gcm.encrypt(nonce, key, context))

    def unwrap(self, wrapped: WrappedKey, context: bytes) -> bytes:
        """The key of `wrap`.

        Args:
            wrapped: a key wrapped by a provider with the same key.
            context: the context of `wrap`.

        Raises:
            DecryptionError: "key.unwrap" for another key, another context, or an altered blob.

        >>> provider = LocalKeyProvider(bytes(32))
        >>> provider.unwrap(provider.wrap(b"k" * 32, b"root"), b"root") == b"k" * 32
        True
        """
        if wrapped.key_uri != self.key_uri:
            raise DecryptionError(
                f"the key was wrapped by {wrapped.key_uri}, this provider is {self.key_uri}; open with the other key",
                code="key.unwrap",
            )
        try:
            return self._gcm.decrypt(wrapped.blob[:NONCE_LEN], wrapped.blob[NONCE_LEN:], context)
        except (InvalidTag, ValueError):
            raise DecryptionError(
                "the wrapped key was altered, or belongs to another tenant; restore it from a backup", code="key.unwrap"
            ) from None


def _not_written(exc: OSError | ValueError) -> KeyUnavailableError:
    why = exc.strerror if isinstance(exc, OSError) else "no path"
    return KeyUnavailableError(
        f"the key file cannot be written ({why}); check its folder and the space there", code="key.file_write"
    )


def sync_folder(folder: Path) -> None:
    """Make the name of a new file durable: without it a power cut may lose it, and a key with it."""
    # Windows cannot open a folder.
    if os.name == "posix":  # pragma: no branch - tested on POSIX systems
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

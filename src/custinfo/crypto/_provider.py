"""What keeps the key-encryption key (KEK): protocols, and the wrapped key that they exchange."""

from __future__ import annotations

from typing import NoReturn, Protocol, runtime_checkable

import attrs


@attrs.frozen
class WrappedKey:
    """A key encrypted by a key-encryption key.

    The three attributes may be given by position, because third-party providers make these objects and the
    order is part of the specification.

    Args:
        key_uri: which key wrapped it, such as ``"local:1f0c..."`` or a KMS key's ARN; printable, at most 2,048
            characters; no secret.
        version: which version of that key, such text or an int of 64 bits; ``""`` where the provider has none.
        blob: the encrypted key, 1 to 65,536 bytes; only the provider reads it.

    >>> WrappedKey(key_uri="vault:transit/customers", version="3", blob=b"vault:v3:...").version
    '3'
    """

    key_uri: str
    version: str | int
    blob: bytes = attrs.field(repr=False)


@runtime_checkable
class KeyWrapper(Protocol):
    """Encrypts keys; with nothing more a service can write and not read.

    >>> import os
    >>> from custinfo.crypto import LocalKeyProvider
    >>> isinstance(LocalKeyProvider(os.urandom(32)), KeyWrapper)
    True
    """

    def wrap(self, key: bytes, context: bytes) -> WrappedKey:
        """Encrypt *key* so that it opens only with the same *context*.

        Args:
            key: 32 bytes.
            context: any bytes; not secret, not stored in the result.

        Raises:
            KeyUnavailableError: the service does not answer, or the key is disabled; the message says which.
        """
        ...


@runtime_checkable
class KeyProvider(KeyWrapper, Protocol):
    """Encrypts and decrypts keys: a KMS, an HSM, a passphrase, a file.

    >>> import os
    >>> from custinfo.crypto import LocalKeyProvider
    >>> provider: KeyProvider = LocalKeyProvider(bytes(32))
    >>> provider.unwrap(provider.wrap(b"k" * 32, b"root of shop-1"), b"root of shop-1") == b"k" * 32
    True
    """

    def unwrap(self, wrapped: WrappedKey, context: bytes) -> bytes:
        """The key that `wrap` was given.

        Args:
            wrapped: what `wrap` returned, perhaps in another process.
            context: the context that `wrap` was given.

        Raises:
            DecryptionError: another context, another key, or an altered blob.
            KeyUnavailableError: the service does not answer, or the key is disabled; the message says which.
        """
        ...


@runtime_checkable
class Rewrapper(Protocol):
    """A provider that moves a wrapped key to its newest version without showing the key to this process.

    >>> isinstance(WrappedKey, Rewrapper)
    False
    """

    def rewrap(self, wrapped: WrappedKey, context: bytes) -> WrappedKey:
        """The same key under the provider's newest version.

        Args:
            wrapped: what `wrap` or `rewrap` returned.
            context: the context that `wrap` was given.

        Raises:
            DecryptionError: another context, another key, or an altered blob.
            KeyUnavailableError: the service does not answer, or the key is disabled; the message says which.
        """
        ...


def refuse_copy(self: object, _protocol: object = None) -> NoReturn:
    """`__reduce_ex__` of objects that hold a key: a pickle or a copy would be a key nobody knows of."""
    raise TypeError(f"a {type(self).__name__} holds a key and cannot be pickled or copied; make a new one where needed")

"""A key-encryption key out of a passphrase."""

from __future__ import annotations

import os
import struct
import unicodedata

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from custinfo.crypto._format import KEY_LEN, NONCE_LEN, TAG_LEN
from custinfo.crypto._provider import WrappedKey, refuse_copy
from custinfo.errors import DecryptionError, InvalidFieldError

_KEY_URI = "passphrase:argon2id"
_SALT_LEN = 16
_HEAD = struct.Struct(f">{_SALT_LEN}sIII")  # salt, memory in KiB, iterations, lanes
# What a wrapped key may ask for without being told: a written-over row must not take the machine's memory.
_MOST_MEMORY_KIB, _MOST_ITERATIONS, _MOST_LANES = 256 * 1024, 16, 16


class PassphraseKeyProvider:
    """Wraps keys with AES-256-GCM under a key that Argon2id makes of a passphrase.

    For backups and single machines that a person opens. Whoever gets the key store can try passphrases as fast as the
    costs let them: take a long random one.

    Args:
        passphrase: text (put into Unicode's NFC, so that it does not matter how it was typed) or bytes.
        memory_kib: memory of one derivation in KiB; at least 8 per lane.
        iterations: passes over that memory.
        lanes: how many threads' worth of work.

    Raises:
        InvalidFieldError: "key.passphrase" if it is empty; "key.argon2" for impossible costs.

    Source: RFC 9106 (September 2021), section 4: the defaults are its second recommended option.
        Blob = salt (16) | memory_kib (4) | iterations (4) | lanes (4) | nonce (12) | ciphertext | tag (16).

    >>> provider = PassphraseKeyProvider("correct horse battery staple", memory_kib=64, iterations=1, lanes=1)
    >>> provider.unwrap(provider.wrap(b"k" * 32, b"root"), b"root") == b"k" * 32
    True
    """

    __slots__ = ("_costs", "_passphrase")

    def __init__(
        self, passphrase: str | bytes, *, memory_kib: int = 65_536, iterations: int = 3, lanes: int = 4
    ) -> None:
        if isinstance(passphrase, str):
            try:
                passphrase = unicodedata.normalize("NFC", passphrase).encode()
            except UnicodeEncodeError:
                passphrase = b""
        if type(passphrase) is not bytes or not passphrase:
            raise InvalidFieldError("the passphrase must be text or bytes and not empty", code="key.passphrase")
        if {type(cost) for cost in (memory_kib, iterations, lanes)} != {int} or not (
            1 <= lanes < 2**24 and 8 * lanes <= memory_kib < 2**32 and 1 <= iterations < 2**32
        ):
            raise InvalidFieldError(
                "Argon2id needs lanes >= 1, iterations >= 1 and memory_kib >= 8 per lane", code="key.argon2"
            )
        self._passphrase = passphrase
        self._costs = (memory_kib, iterations, lanes)

    __reduce_ex__ = refuse_copy

    def __repr__(self) -> str:
        memory_kib, iterations, lanes = self._costs
        return f"PassphraseKeyProvider(memory_kib={memory_kib}, iterations={iterations}, lanes={lanes})"

    def wrap(self, key: bytes, context: bytes) -> WrappedKey:
        """Encrypt *key*, bound to *context*, under a fresh salt.

        Args:
            key: the key to wrap.
            context: what `unwrap` must be given again.

        >>> provider = PassphraseKeyProvider("correct horse battery staple", memory_kib=64, iterations=1, lanes=1)
        >>> provider.wrap(bytes(32), b"root").key_uri
        'passphrase:argon2id'
        """
        head = _HEAD.pack(os.urandom(_SALT_LEN), *self._costs)
        nonce = os.urandom(NONCE_LEN)
        return WrappedKey(_KEY_URI, "", head + nonce + self._gcm(head).encrypt(nonce, key, head + context))

    def unwrap(self, wrapped: WrappedKey, context: bytes) -> bytes:
        """The key of `wrap`.

        Args:
            wrapped: a key wrapped with the same passphrase, whatever the costs were.
            context: the context of `wrap`.

        Raises:
            DecryptionError: "key.unwrap" for another passphrase, another context, an altered blob, or costs beyond what
                this provider was made with (or 256 MiB, 16 iterations, 16 lanes).

        >>> provider = PassphraseKeyProvider("correct horse battery staple", memory_kib=64, iterations=1, lanes=1)
        >>> provider.unwrap(provider.wrap(b"k" * 32, b"root"), b"root") == b"k" * 32
        True
        """
        blob = wrapped.blob
        head, nonce = blob[: _HEAD.size], blob[_HEAD.size : _HEAD.size + NONCE_LEN]
        try:
            if wrapped.key_uri != _KEY_URI or len(blob) < _HEAD.size + NONCE_LEN + TAG_LEN:
                raise InvalidTag
            return self._gcm(head).decrypt(nonce, blob[_HEAD.size + NONCE_LEN :], head + context)
        except InvalidTag:
            raise DecryptionError(
                "the passphrase does not open this key; it is another one, or the key was altered or belongs to "
                "another tenant, or was made with higher costs: then give this provider the same ones",
                code="key.unwrap",
            ) from None

    def _gcm(self, head: bytes) -> AESGCM:
        salt, memory_kib, iterations, lanes = _HEAD.unpack(head)
        most = (_MOST_MEMORY_KIB, _MOST_ITERATIONS, _MOST_LANES)
        if any(
            asked > max(own, limit)
            for asked, own, limit in zip((memory_kib, iterations, lanes), self._costs, most, strict=True)
        ):
            raise InvalidTag
        try:
            derivation = Argon2id(salt=salt, length=KEY_LEN, iterations=iterations, lanes=lanes, memory_cost=memory_kib)
        except ValueError:  # costs that Argon2 does not know
            raise InvalidTag from None
        return AESGCM(derivation.derive(self._passphrase))

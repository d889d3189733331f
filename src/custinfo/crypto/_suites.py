"""The ciphers that a token may be sealed with, and the list of those that a reader allows."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from custinfo.crypto._format import FIELD_MAGIC, NONCE_LEN, TAG_LEN
from custinfo.errors import InvalidFieldError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_SM4_KEY_LEN = 16


class Seal(Protocol):
    """Authenticated encryption under one key; both raise `InvalidTag` or `ValueError` for what does not open."""

    def encrypt(self, nonce: bytes, data: bytes, bound: bytes, /) -> bytes:
        """Ciphertext and tag."""
        ...

    def decrypt(self, nonce: bytes, data: bytes, bound: bytes, /) -> bytes:
        """The plaintext of a ciphertext and tag."""
        ...


class Sm4Gcm:
    """SM4-GCM (GB/T 32907-2016; RFC 8998, March 2021) with the first 16 bytes of a field key."""

    __slots__ = ("_algorithm",)

    def __init__(self, key: bytes) -> None:
        self._algorithm = algorithms.SM4(key[:_SM4_KEY_LEN])

    def encrypt(self, nonce: bytes, data: bytes, bound: bytes, /) -> bytes:
        """Ciphertext and tag."""
        encryptor = Cipher(self._algorithm, modes.GCM(nonce)).encryptor()
        encryptor.authenticate_additional_data(bound)
        return encryptor.update(data) + encryptor.finalize() + encryptor.tag

    def decrypt(self, nonce: bytes, data: bytes, bound: bytes, /) -> bytes:
        """The plaintext; given out only after its tag was found right."""
        decryptor = Cipher(self._algorithm, modes.GCM(nonce, data[-TAG_LEN:])).decryptor()
        decryptor.authenticate_additional_data(bound)
        return decryptor.update(data[:-TAG_LEN]) + decryptor.finalize()


class Suite(NamedTuple):
    """A cipher by name, the two bytes that tokens of it start with, and its seal under a 32-byte field key."""

    name: str
    start: bytes
    seal: Callable[[bytes], Seal]


_SUITES = {
    suite.name: suite
    for suite in (
        Suite("AES-256-GCM", FIELD_MAGIC + b"\x01", AESGCM),
        Suite("SM4-GCM", FIELD_MAGIC + b"\x02", Sm4Gcm),
    )
}


def suite_of(name: object) -> Suite:
    """The suite of that name, if this machine has its cipher.

    Raises:
        InvalidFieldError: "suite.unknown", or "suite.unavailable" where OpenSSL was built without the cipher.
    """
    suite = _SUITES.get(name) if isinstance(name, str) else None
    if suite is None:
        raise InvalidFieldError(f"the suites are {' and '.join(_SUITES)}; pass one of these", code="suite.unknown")
    try:
        suite.seal(bytes(32)).encrypt(bytes(NONCE_LEN), b"", b"")
    except UnsupportedAlgorithm:
        raise InvalidFieldError(
            f"the OpenSSL that cryptography uses here has no {name}; use a build that has it, or AES-256-GCM",
            code="suite.unavailable",
        ) from None
    return suite


def allowed(writes: Suite, names: Iterable[object] | None) -> dict[bytes, Suite]:
    """The suites that a reader takes, by the start of a token: what it writes itself, and those of *names*.

    Raises:
        InvalidFieldError: as `suite_of`; "suite.unknown" also for a text in place of a list of texts.
    """
    if isinstance(names, str):
        raise InvalidFieldError("suites must be a list of names, such as ['SM4-GCM']", code="suite.unknown")
    return {suite.start: suite for suite in (writes, *map(suite_of, names or ()))}

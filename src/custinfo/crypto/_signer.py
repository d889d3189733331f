"""Signer: Ed25519 signatures of checkpoints and receipts."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from custinfo.crypto._provider import refuse_copy
from custinfo.errors import AccessDeniedError, InvalidFieldError


class Signer:
    """Signs with an Ed25519 private key; with a public key alone it only verifies.

    Keep the private key away from whoever can change what is signed: a signature by the same hands proves little.

    Args:
        key: an `Ed25519PrivateKey` or `Ed25519PublicKey` of cryptography, or the private key's 32 bytes, such as
            ``keyring.secret("signer")``.

    Raises:
        InvalidFieldError: "signer.key" for another kind of key.

    Source: RFC 8032 (January 2017).

    >>> signer = Signer(bytes(32))
    >>> signature = signer.sign(b"checkpoint 17")
    >>> signer.verify(b"checkpoint 17", signature), signer.verify(b"checkpoint 18", signature)
    (True, False)
    """

    __slots__ = ("_private", "_public")

    def __init__(self, key: Ed25519PrivateKey | Ed25519PublicKey | bytes) -> None:
        if type(key) is bytes and len(key) == 32:
            key = Ed25519PrivateKey.from_private_bytes(key)
        if isinstance(key, Ed25519PrivateKey):
            self._private: Ed25519PrivateKey | None = key
            self._public = key.public_key()
        elif isinstance(key, Ed25519PublicKey):
            self._private = None
            self._public = key
        else:
            raise InvalidFieldError(
                "a signer takes an Ed25519 private or public key, or the 32 bytes of a private one", code="signer.key"
            )

    __reduce_ex__ = refuse_copy

    def __repr__(self) -> str:
        kind = "Signer" if self._private else "Signer (verifies only)"
        return f"<{kind} {self.public_bytes()[:8].hex()}>"

    @classmethod
    def generate(cls) -> Signer:
        """A signer with a fresh key, which is lost with the process.

        >>> len(Signer.generate().sign(b"x"))
        64
        """
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_pem(cls, pem: bytes, *, password: bytes | None = None) -> Signer:
        """The signer of a PEM file: a private key (PKCS 8) or a public one (SubjectPublicKeyInfo).

        Args:
            pem: the file's content.
            password: of an encrypted private key.

        Raises:
            InvalidFieldError: "signer.key" if it is no such file, holds another kind of key, or the password is wrong.

        >>> signer = Signer(bytes(32))
        >>> Signer.from_pem(signer.public_pem()).verify(b"x", signer.sign(b"x"))
        True
        """
        try:
            if b"PUBLIC KEY" in pem:
                return cls(load_pem_public_key(pem))  # type: ignore[arg-type]  # __init__ refuses other kinds
            return cls(load_pem_private_key(pem, password))  # type: ignore[arg-type]
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise InvalidFieldError(
                "the PEM holds no Ed25519 key that opens with this password; "
                "make one with: openssl genpkey -algorithm ed25519",
                code="signer.key",
            ) from None

    def sign(self, message: bytes) -> bytes:
        """The signature of a message.

        Args:
            message: any bytes.

        Returns:
            64 bytes; the same message gives the same signature.

        Raises:
            AccessDeniedError: "signer.public" if there is a public key only.

        >>> Signer(bytes(32)).sign(b"")[:4].hex()
        '8f895b3c'
        """
        if self._private is None:
            raise AccessDeniedError(
                "this signer has a public key and only verifies; sign with one that has the private key",
                code="signer.public",
            )
        return self._private.sign(message)

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Whether the signature is this key's for this message.

        Args:
            message: the bytes that were signed.
            signature: 64 bytes; anything else is False.

        >>> Signer(bytes(32)).verify(b"", bytes(64))
        False
        """
        try:
            self._public.verify(signature, message)
        except (InvalidSignature, TypeError):
            return False
        return True

    def public_bytes(self) -> bytes:
        """The public key, 32 bytes.

        >>> Signer(bytes(32)).public_bytes()[:4].hex()
        '3b6a27bc'
        """
        return self._public.public_bytes_raw()

    def public_pem(self) -> bytes:
        """The public key as PEM, for those who verify.

        >>> Signer(bytes(32)).public_pem().splitlines()[0]
        b'-----BEGIN PUBLIC KEY-----'
        """
        return self._public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

"""Providers over a key pair: whoever has the public key alone can write and not read."""

from __future__ import annotations

import hashlib

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from custinfo.crypto._provider import WrappedKey, refuse_copy
from custinfo.errors import DecryptionError, InvalidFieldError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_LEAST_RSA_BITS = 2048


class RsaKeyProvider:
    """Wraps keys with RSA-OAEP.

    Prefer `HpkeKeyProvider` where no other system asks for RSA.

    Args:
        key: an RSA private key of cryptography; or a public one, and then there is no ``unwrap``: the provider is a
            `KeyWrapper`, and a keyring over it writes only.

    Raises:
        InvalidFieldError: "key.rsa" for another kind of key, or one under 2,048 bits.

    Source: RFC 8017 (November 2016), section 7.1: OAEP with SHA-256 and MGF1 with SHA-256; label = context.

    >>> from cryptography.hazmat.primitives.asymmetric import rsa
    >>> private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    >>> provider = RsaKeyProvider(private)
    >>> wrapped = RsaKeyProvider(private.public_key()).wrap(b"k" * 32, b"root")
    >>> provider.unwrap(wrapped, b"root") == b"k" * 32
    True
    """

    unwrap: Callable[[WrappedKey, bytes], bytes]
    """The key of `wrap`; only there with a private key. Raises `DecryptionError` with code "key.unwrap"."""

    def __init__(self, key: rsa.RSAPrivateKey | rsa.RSAPublicKey) -> None:
        if isinstance(key, rsa.RSAPrivateKey):
            self._private = key
            self._public = key.public_key()
            self.unwrap = self._unwrap
        elif isinstance(key, rsa.RSAPublicKey):
            self._public = key
        else:
            raise _no_rsa_key()
        if self._public.key_size < _LEAST_RSA_BITS:
            raise _no_rsa_key()
        self.key_uri = f"rsa:{_fingerprint(self._public)}"

    __reduce_ex__ = refuse_copy

    def __repr__(self) -> str:
        return f"RsaKeyProvider(key_uri={self.key_uri!r})"

    def wrap(self, key: bytes, context: bytes) -> WrappedKey:
        """Encrypt *key*, bound to *context*.

        Args:
            key: the key to wrap.
            context: what ``unwrap`` must be given again.

        >>> from cryptography.hazmat.primitives.asymmetric import rsa
        >>> public = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
        >>> len(RsaKeyProvider(public).wrap(bytes(32), b"root").blob)
        256
        """
        return WrappedKey(self.key_uri, "", self._public.encrypt(key, _oaep(context)))

    def _unwrap(self, wrapped: WrappedKey, context: bytes) -> bytes:
        _check_uri(wrapped, self.key_uri)
        try:
            return self._private.decrypt(wrapped.blob, _oaep(context))
        except ValueError:
            raise _altered() from None


class HpkeKeyProvider:
    """Wraps keys with HPKE, for write-only ingest: a service that encrypts and cannot decrypt.

    Anybody can wrap under a public key. So whoever can also write to the key store can bring in a root of their own;
    what such a service wrote is as trustworthy as its access to the store.

    Args:
        key: an X25519 private key of cryptography, or one on P-256, P-384 or P-521; or a public one, and then there
            is no ``unwrap``: the provider is a `KeyWrapper`, and a keyring over it writes only.

    Raises:
        InvalidFieldError: "key.hpke" for another kind of key.

    Source: RFC 9180 (February 2022), base mode, single shot: DHKEM of the key's curve, HKDF-SHA256, AES-256-GCM;
        info = context, no further associated data. Blob = encapsulated key | ciphertext | tag.

    >>> from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
    >>> private = X25519PrivateKey.generate()
    >>> ingest, reader = HpkeKeyProvider(private.public_key()), HpkeKeyProvider(private)
    >>> hasattr(ingest, "unwrap")
    False
    >>> reader.unwrap(ingest.wrap(b"k" * 32, b"root"), b"root") == b"k" * 32
    True
    """

    unwrap: Callable[[WrappedKey, bytes], bytes]
    """The key of `wrap`; only there with a private key. Raises `DecryptionError` with code "key.unwrap"."""

    def __init__(
        self, key: X25519PrivateKey | X25519PublicKey | ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey
    ) -> None:
        if isinstance(key, X25519PrivateKey | ec.EllipticCurvePrivateKey):
            self._private = key
            self._public = key.public_key()
            self.unwrap = self._unwrap
        elif isinstance(key, X25519PublicKey | ec.EllipticCurvePublicKey):
            self._public = key
        else:
            raise _no_hpke_key()
        self._suite = Suite(_kem_of(self._public), KDF.HKDF_SHA256, AEAD.AES_256_GCM)
        self.key_uri = f"hpke:{_fingerprint(self._public)}"

    __reduce_ex__ = refuse_copy

    def __repr__(self) -> str:
        return f"HpkeKeyProvider(key_uri={self.key_uri!r})"

    def wrap(self, key: bytes, context: bytes) -> WrappedKey:
        """Encrypt *key*, bound to *context*.

        Args:
            key: the key to wrap.
            context: what ``unwrap`` must be given again.

        >>> from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
        >>> len(HpkeKeyProvider(X25519PrivateKey.generate()).wrap(bytes(32), b"root").blob)
        80
        """
        return WrappedKey(self.key_uri, "", self._suite.encrypt(key, self._public, context))

    def _unwrap(self, wrapped: WrappedKey, context: bytes) -> bytes:
        _check_uri(wrapped, self.key_uri)
        try:
            return self._suite.decrypt(wrapped.blob, self._private, context)
        except (InvalidTag, ValueError):
            raise _altered() from None


def _oaep(context: bytes) -> padding.OAEP:
    return padding.OAEP(mgf=padding.MGF1(SHA256()), algorithm=SHA256(), label=context)


def _kem_of(public: X25519PublicKey | ec.EllipticCurvePublicKey) -> KEM:
    if isinstance(public, X25519PublicKey):
        return KEM.X25519
    kems = {"secp256r1": KEM.P256, "secp384r1": KEM.P384, "secp521r1": KEM.P521}
    try:
        return kems[public.curve.name]
    except KeyError:
        raise _no_hpke_key() from None


def _no_rsa_key() -> InvalidFieldError:
    return InvalidFieldError(
        f"RsaKeyProvider takes an RSA private or public key of at least {_LEAST_RSA_BITS} bits", code="key.rsa"
    )


def _no_hpke_key() -> InvalidFieldError:
    return InvalidFieldError(
        "HpkeKeyProvider takes a private or public key of X25519, P-256, P-384 or P-521", code="key.hpke"
    )


def _fingerprint(public: rsa.RSAPublicKey | X25519PublicKey | ec.EllipticCurvePublicKey) -> str:
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()[:32]


def _check_uri(wrapped: WrappedKey, key_uri: str) -> None:
    if wrapped.key_uri != key_uri:
        raise DecryptionError(
            f"the key was wrapped by {wrapped.key_uri}, this provider is {key_uri}; open with the other key",
            code="key.unwrap",
        )


def _altered() -> DecryptionError:
    return DecryptionError(
        "the wrapped key was altered, or belongs to another tenant; restore it from a backup", code="key.unwrap"
    )

"""The transit engine of HashiCorp Vault or OpenBao: the key-encryption key never leaves the service."""

from __future__ import annotations

import base64
import re
from time import sleep

from custinfo.crypto import _service
from custinfo.crypto._format import KEY_LEN, framed
from custinfo.crypto._provider import WrappedKey, refuse_copy
from custinfo.errors import CustInfoError, DecryptionError, InvalidFieldError, missing_extra

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SCHEME = "vault://"
_KEY_NAME = re.compile(r"\w(?:[\w.-]*\w)?", re.ASCII)
_MOUNT = re.compile(r"\w[\w.-]*(?:/\w[\w.-]*)*", re.ASCII)
_CIPHERTEXT = re.compile(rb"vault:v([1-9][0-9]{0,8}):([A-Za-z0-9+/]+={0,2})")
_BOUND = framed("custinfo/v1/vault")
_FIRST_PAUSE_S = 0.1

_CODES = {
    "Forbidden": _service.DENIED,
    "Unauthorized": _service.DENIED,
    "InvalidPath": _service.MISSING,
    "UnsupportedOperation": _service.MISSING,
}


class VaultKeyProvider:
    """Wraps keys with a key of Vault's transit engine, which never leaves the service.

    The service is asked once per root and cache lifetime of a keyring. The key must be of an authenticated kind
    (``aes256-gcm96``, ``aes128-gcm96``, ``chacha20-poly1305``) and not ``derived``. A rotated key opens what its older
    versions wrapped, down to its ``min_decryption_version``.

    It is no `Rewrapper`, because transit's rewrap takes no associated data: ``rotate_kek()`` unwraps and wraps.

    Args:
        key_name: the name of the transit key, which must exist.
        mount: where the transit engine is mounted.
        client: a client of hvac, which the caller authenticates, looks after, and does not share with a forked child.
            Without it one is made.
        url: for the made client; None for ``VAULT_ADDR``.
        token: for the made client; None for ``VAULT_TOKEN`` or the token helper's file.
        timeout_s: how long one attempt of the made client waits for a connection, and then for an answer, in seconds.
        attempts: how often a request is sent at most when the service fails, with a client that was given as well.

    Raises:
        InvalidFieldError: "key.name"; "key.limit".
        MissingExtraError: hvac is needed to make a client and is not installed.

    Source: Vault API, transit secrets engine (1.13 or later, OpenBao 2), encrypt and decrypt. The associated data are
        L("custinfo/v1/vault") and the context; see the page of the bytes. Blob = the ciphertext, ``vault:v1:...``.

    >>> VaultKeyProvider("customers", client=object())
    VaultKeyProvider(key_uri='vault://transit/customers')
    """

    __slots__ = ("_attempts", "_binds", "_clients", "_key_name", "_mount", "key_uri")

    def __init__(
        self,
        key_name: str,
        *,
        mount: str = "transit",
        client: Any = None,
        url: str | None = None,
        token: str | None = None,
        timeout_s: float = 5.0,
        attempts: int = 3,
    ) -> None:
        for text, form in ((key_name, _KEY_NAME), (mount, _MOUNT)):
            if type(text) is not str or not form.fullmatch(text):
                raise InvalidFieldError(
                    "key_name and mount must be made of letters, digits, '_', '-' and '.'; a mount may have '/' inside",
                    code="key.name",
                )
        _service.check_limits(timeout_s, attempts)
        self._key_name = key_name
        self._mount = mount
        self._attempts = attempts
        self._binds = False
        self.key_uri = f"{_SCHEME}{mount}/{key_name}"
        self._clients = _service.Clients(client, lambda: _make_client(url, token, timeout_s))

    __reduce_ex__ = refuse_copy

    def __repr__(self) -> str:
        return f"VaultKeyProvider(key_uri={self.key_uri!r})"

    def wrap(self, key: bytes, context: bytes) -> WrappedKey:
        """Encrypt *key* under the newest version of the transit key, bound to *context*.

        Args:
            key: 32 bytes.
            context: what `unwrap` must be given again.

        Raises:
            KeyUnavailableError: the code says what is wrong with the service, the key, or the access to it;
                "key.unusable" for a key, or a server too old, that does not bind the context.
            InvalidFieldError: "key.length".
        """
        _service.check_key(key)
        plaintext = base64.b64encode(key).decode()
        text = self._ask("encrypt_data", "ciphertext", plaintext=plaintext, associated_data=_bound(context))
        blob = text.encode()
        version = _version(blob)
        if version is None:
            raise _service.unavailable(self.key_uri, _service.DOWN, why="an answer of another form")
        wrapped = WrappedKey(self.key_uri, version, blob)
        self._check_binding(wrapped, context)
        return wrapped

    def unwrap(self, wrapped: WrappedKey, context: bytes) -> bytes:
        """The key of `wrap`.

        Args:
            wrapped: a key wrapped under the same transit key, by whatever version of it.
            context: the context of `wrap`.

        Raises:
            DecryptionError: "key.unwrap" for another key, another context, or an altered blob.
            KeyUnavailableError: the code says what is wrong with the service, the key, or the access to it;
                "key.disabled" if the version is below the key's ``min_decryption_version``.
        """
        if wrapped.key_uri != self.key_uri:
            raise _service.other_key(wrapped.key_uri, self.key_uri)
        if _version(wrapped.blob) != wrapped.version:
            raise _service.not_opened(self.key_uri)
        ciphertext = wrapped.blob.decode("ascii")
        text = self._ask("decrypt_data", "plaintext", ciphertext=ciphertext, associated_data=_bound(context))
        try:
            key = base64.b64decode(text, validate=True)
        except ValueError:
            key = b""
        if len(key) != KEY_LEN:
            raise _service.not_opened(self.key_uri)
        return key

    def close(self) -> None:
        """Close the connections of the client that was made here; the provider cannot be used any more.

        >>> provider = VaultKeyProvider("customers", client=object())
        >>> provider.close()
        """
        self._clients.close(lambda client: client.adapter.close())

    def _check_binding(self, wrapped: WrappedKey, context: bytes) -> None:
        # A server of before 1.13 does not know associated data and drops them without a word.
        if self._binds:
            return
        try:
            self.unwrap(wrapped, context + b"\x00")
        except DecryptionError:
            self._binds = True
            return
        raise _service.unavailable(self.key_uri, _service.UNUSABLE, why="associated data are not authenticated")

    def _ask(self, call: str, wanted: str, **request: str) -> str:
        client = self._clients.get(self.key_uri)
        attempt = 1
        while True:
            try:
                answer = getattr(client.secrets.transit, call)(self._key_name, mount_point=self._mount, **request)
                return str(answer["data"][wanted])
            except Exception as exc:  # noqa: BLE001 - errors of hvac and of requests, and each must close the door
                error = _error_of(exc, self.key_uri, reading=call == "decrypt_data")
            if attempt == self._attempts or error.code != _service.DOWN:
                raise error  # outside of the handler: the exception of requests holds the request, and so the key
            sleep(_FIRST_PAUSE_S * 2 ** (attempt - 1))
            attempt += 1


def _bound(context: bytes) -> str:
    return base64.b64encode(_BOUND + context).decode()


def _version(blob: bytes) -> int | None:
    """The key version of a ciphertext; None for what transit would not have written, though its reader takes it."""
    found = _CIPHERTEXT.fullmatch(blob)
    if found is None:
        return None
    try:
        canonical = base64.b64encode(base64.b64decode(found[2], validate=True)) == found[2]
    except ValueError:
        return None
    return int(found[1]) if canonical else None


def _error_of(exc: Exception, key_uri: str, *, reading: bool) -> CustInfoError:
    # By names and not by classes, so that a client that was given needs no hvac of ours.
    name = type(exc).__name__
    text = str(getattr(exc, "errors", None) or "")
    if "encryption key not found" in text:
        return _service.unavailable(key_uri, _service.MISSING, why=name)
    if "disallowed by policy (too old)" in text:
        return _service.unavailable(key_uri, _service.DISABLED, why="min_decryption_version")
    if reading and (name == "InvalidRequest" or "message authentication failed" in text):
        return _service.not_opened(key_uri)
    if name == "InvalidRequest":
        return _service.unavailable(key_uri, _service.UNUSABLE, why=name)
    if isinstance(exc, KeyError | TypeError):
        why = "an answer of another form"
    else:
        why = "sealed" if "sealed" in text.lower() else name
    return _service.unavailable(key_uri, _CODES.get(name, _service.DOWN), why=why)


def _make_client(url: str | None, token: str | None, timeout_s: float) -> Any:
    try:
        import hvac  # loaded when a client has to be made: a client that was given needs none
    except ModuleNotFoundError as exc:
        raise missing_extra("hvac", extra="vault", cause=exc) from None
    return hvac.Client(url=url, token=token, timeout=timeout_s)

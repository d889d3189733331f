"""AWS KMS: the key-encryption key never leaves the service."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from custinfo.crypto import _service
from custinfo.crypto._format import KEY_LEN
from custinfo.crypto._provider import WrappedKey, refuse_copy
from custinfo.errors import CustInfoError, InvalidFieldError, missing_extra

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    class KmsClient(Protocol):
        """The three calls of boto3's KMS client that are used."""

        def encrypt(self, **request: Any) -> Mapping[str, Any]: ...
        def decrypt(self, **request: Any) -> Mapping[str, Any]: ...
        def re_encrypt(self, **request: Any) -> Mapping[str, Any]: ...


_SCHEME = "aws-kms://"
_ARN = re.compile(r"arn:aws(?:-[a-z-]+)?:kms:([a-z0-9-]+):\d{12}:key/[0-9A-Za-z-]{1,128}", re.ASCII)
_LONGEST_BLOB = 6144  # what Decrypt and ReEncrypt take
_CONTEXT_NAME = "custinfo-context"

_NOT_OPENED = frozenset({"InvalidCiphertextException", "IncorrectKeyException"})
_CODES = {
    "DisabledException": _service.DISABLED,
    "KMSInvalidStateException": _service.DISABLED,
    "NotFoundException": _service.MISSING,
    "InvalidArnException": _service.MISSING,
    "InvalidKeyUsageException": _service.UNUSABLE,
    "UnsupportedOperationException": _service.UNUSABLE,
    "ValidationException": _service.UNUSABLE,
    "AccessDenied": _service.DENIED,
    "AccessDeniedException": _service.DENIED,
    "ExpiredToken": _service.DENIED,
    "ExpiredTokenException": _service.DENIED,
    "IncompleteSignature": _service.DENIED,
    "InvalidClientTokenId": _service.DENIED,
    "InvalidGrantTokenException": _service.DENIED,
    "InvalidSignatureException": _service.DENIED,
    "MissingAuthenticationToken": _service.DENIED,
    "MissingAuthenticationTokenException": _service.DENIED,
    "NotAuthorized": _service.DENIED,
    "OptInRequired": _service.DENIED,
    "SignatureDoesNotMatch": _service.DENIED,
    "UnrecognizedClientException": _service.DENIED,
    # Of botocore itself, before anything was sent:
    "CredentialRetrievalError": _service.DENIED,
    "NoAuthTokenError": _service.DENIED,
    "NoCredentialsError": _service.DENIED,
    "PartialCredentialsError": _service.DENIED,
    "SSOTokenLoadError": _service.DENIED,
    "TokenRetrievalError": _service.DENIED,
    "UnauthorizedSSOTokenError": _service.DENIED,
}


class AwsKmsKeyProvider:
    """Wraps keys with a symmetric key of AWS KMS, which never leaves the service.

    The service is asked once per root and cache lifetime of a keyring. KMS may rotate the key: it opens what older
    material wrapped. A replica of a multi-Region key (``mrk-``) opens what the other replicas wrapped.

    Args:
        key_arn: ``arn:aws:kms:REGION:ACCOUNT:key/ID``. An alias is refused, since it can be pointed at another key.
        client: a KMS client of boto3 for the key's region, which the caller looks after and does not share with a
            forked child. Without it one is made, with the credentials that boto3 finds.
        timeout_s: how long one attempt waits for a connection, and then for an answer, in seconds; for the made client.
        attempts: how often a request is sent at most when the service fails; for the made client.

    Raises:
        InvalidFieldError: "key.arn"; "key.limit".
        MissingExtraError: boto3 is needed to make a client and is not installed.

    Source: AWS KMS API reference, Encrypt, Decrypt and ReEncrypt (API version 2014-11-01). The encryption context is
        ``custinfo-context`` = SHA-256 of the context in hexadecimal: it is not secret at AWS and stands in CloudTrail,
        so no tenant's name is in it. Blob = the service's ciphertext.

    >>> import boto3, moto
    >>> with moto.mock_aws():                                  # a stand-in for AWS
    ...     kms = boto3.client("kms", region_name="eu-central-1")
    ...     provider = AwsKmsKeyProvider(kms.create_key()["KeyMetadata"]["Arn"], client=kms)
    ...     provider.unwrap(provider.wrap(b"k" * 32, b"root"), b"root") == b"k" * 32
    True
    """

    __slots__ = ("_clients", "_key_arn", "key_uri")

    def __init__(
        self, key_arn: str, *, client: KmsClient | None = None, timeout_s: float = 5.0, attempts: int = 3
    ) -> None:
        found = _ARN.fullmatch(str(key_arn))
        if found is None:
            raise InvalidFieldError(
                "key_arn must be the ARN of a KMS key, arn:aws:kms:REGION:ACCOUNT:key/ID, not an alias or a bare id",
                code="key.arn",
            )
        _service.check_limits(timeout_s, attempts)
        region = found[1]
        self._key_arn = key_arn
        self.key_uri = _SCHEME + key_arn
        self._clients = _service.Clients(client, lambda: _make_client(region, timeout_s, attempts))

    __reduce_ex__ = refuse_copy

    def __repr__(self) -> str:
        return f"AwsKmsKeyProvider(key_uri={self.key_uri!r})"

    def wrap(self, key: bytes, context: bytes) -> WrappedKey:
        """Encrypt *key*, bound to *context*.

        Args:
            key: 32 bytes.
            context: what `unwrap` must be given again.

        Raises:
            KeyUnavailableError: the code says what is wrong with the service, the key, or the access to it.
            InvalidFieldError: "key.length".

        >>> import boto3, moto
        >>> with moto.mock_aws():
        ...     kms = boto3.client("kms", region_name="eu-central-1")
        ...     provider = AwsKmsKeyProvider(kms.create_key()["KeyMetadata"]["Arn"], client=kms)
        ...     provider.wrap(bytes(32), b"root").key_uri[:32]
        'aws-kms://arn:aws:kms:eu-central'
        """
        _service.check_key(key)
        answer = self._ask("encrypt", KeyId=self._key_arn, Plaintext=key, EncryptionContext=_bound(context))
        return self._wrapped(answer)

    def unwrap(self, wrapped: WrappedKey, context: bytes) -> bytes:
        """The key of `wrap`.

        Args:
            wrapped: a key wrapped under the same KMS key.
            context: the context of `wrap`.

        Raises:
            DecryptionError: "key.unwrap" for another key, another context, or an altered blob.
            KeyUnavailableError: the code says what is wrong with the service, the key, or the access to it.

        >>> import boto3, moto
        >>> with moto.mock_aws():
        ...     kms = boto3.client("kms", region_name="eu-central-1")
        ...     provider = AwsKmsKeyProvider(kms.create_key()["KeyMetadata"]["Arn"], client=kms)
        ...     provider.unwrap(provider.wrap(b"k" * 32, b"root of shop-1"), b"root of shop-2")
        Traceback (most recent call last):
        custinfo.errors.DecryptionError: aws-kms://...: the wrapped key was altered, or belongs to another tenant; ...
        """
        # KeyId is said, although KMS finds it in the blob: else a blob of another key that these credentials may use
        # would be opened as well.
        answer = self._ask(
            "decrypt", KeyId=self._key_arn, CiphertextBlob=self._blob(wrapped), EncryptionContext=_bound(context)
        )
        key, key_arn = answer.get("Plaintext"), answer.get("KeyId")
        if type(key) is not bytes or len(key) != KEY_LEN or _identity(str(key_arn)) != _identity(self._key_arn):
            raise _service.not_opened(self.key_uri)
        return key

    def rewrap(self, wrapped: WrappedKey, context: bytes) -> WrappedKey:
        """The same key under the newest material of the KMS key, without showing it to this process.

        Args:
            wrapped: what `wrap` or `rewrap` returned.
            context: the context of `wrap`.

        Raises:
            DecryptionError: "key.unwrap" for another key, another context, or an altered blob.
            KeyUnavailableError: the code says what is wrong with the service, the key, or the access to it.

        >>> import boto3, moto
        >>> with moto.mock_aws():
        ...     kms = boto3.client("kms", region_name="eu-central-1")
        ...     provider = AwsKmsKeyProvider(kms.create_key()["KeyMetadata"]["Arn"], client=kms)
        ...     moved = provider.rewrap(provider.wrap(b"k" * 32, b"root"), b"root")
        ...     provider.unwrap(moved, b"root") == b"k" * 32
        True
        """
        answer = self._ask(
            "re_encrypt",
            SourceKeyId=self._key_arn,
            DestinationKeyId=self._key_arn,
            CiphertextBlob=self._blob(wrapped),
            SourceEncryptionContext=_bound(context),
            DestinationEncryptionContext=_bound(context),
        )
        if _identity(str(answer.get("SourceKeyId"))) != _identity(self._key_arn):
            raise _service.not_opened(self.key_uri)
        return self._wrapped(answer)

    def close(self) -> None:
        """Close the connections of the client that was made here; the provider cannot be used any more.

        >>> provider = AwsKmsKeyProvider("arn:aws:kms:eu-central-1:111122223333:key/example", client=object())
        >>> provider.close()
        """
        self._clients.close(lambda client: client.close())

    def _blob(self, wrapped: WrappedKey) -> bytes:
        if _identity(wrapped.key_uri.removeprefix(_SCHEME)) != _identity(self._key_arn):
            raise _service.other_key(wrapped.key_uri, self.key_uri)
        if wrapped.version != "" or not 0 < len(wrapped.blob) <= _LONGEST_BLOB:
            raise _service.not_opened(self.key_uri)
        return wrapped.blob

    def _wrapped(self, answer: Mapping[str, Any]) -> WrappedKey:
        blob, key_arn = answer.get("CiphertextBlob"), answer.get("KeyId")
        if type(blob) is not bytes or not blob or _identity(str(key_arn)) != _identity(self._key_arn):
            raise _service.unavailable(self.key_uri, _service.DOWN, why="an answer for another key")
        return WrappedKey(self.key_uri, "", blob)

    def _ask(self, call: str, **request: object) -> Mapping[str, Any]:
        client = self._clients.get(self.key_uri)
        try:
            answer: Mapping[str, Any] = getattr(client, call)(**request)
        except Exception as exc:  # noqa: BLE001 - botocore's errors have no common base, and each must close the door
            error = _error_of(exc, self.key_uri)
        else:
            if isinstance(answer, Mapping):
                return answer
            error = _service.unavailable(self.key_uri, _service.DOWN, why="an answer of another form")
        raise error  # outside of the handler: botocore's exception holds the request, and with it the key


def _bound(context: bytes) -> dict[str, str]:
    return {_CONTEXT_NAME: hashlib.sha256(context).hexdigest()}


def _identity(key_arn: str) -> str:
    """The ARN, for a multi-Region key without its region: replicas are one key."""
    if ":key/mrk-" not in key_arn:
        return key_arn
    parts = key_arn.split(":")
    return ":".join(parts[:3] + parts[4:])


def _error_of(exc: Exception, key_uri: str) -> CustInfoError:
    # By names and not by classes, so that a client that was given needs no botocore of ours.
    response = getattr(exc, "response", None)
    details = response.get("Error") if isinstance(response, dict) else None
    details = details if isinstance(details, dict) else {}
    name = str(details.get("Code") or type(exc).__name__)
    if name in _NOT_OPENED:
        return _service.not_opened(key_uri)
    code = _CODES.get(name, _service.DOWN)
    if name == "KMSInvalidStateException" and "pending deletion" in str(details.get("Message", "")).lower():
        code = _service.DYING
    return _service.unavailable(key_uri, code, why=name if name.isidentifier() else "")


def _make_client(region: str, timeout_s: float, attempts: int) -> KmsClient:
    try:
        import boto3  # loaded when a client has to be made: a client that was given needs none
        from botocore.config import Config
    except ModuleNotFoundError as exc:
        raise missing_extra("boto3", extra="aws", cause=exc) from None
    config = Config(
        connect_timeout=timeout_s,
        read_timeout=timeout_s,
        retries={"total_max_attempts": attempts, "mode": "standard"},
    )
    # A session of its own: boto3's default one is not safe among threads.
    client: KmsClient = boto3.session.Session().client("kms", region_name=region, config=config)
    return client

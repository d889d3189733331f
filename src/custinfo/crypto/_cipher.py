"""FieldCipher: one token per field, bound to tenant, entity, record and field."""

from __future__ import annotations

import contextlib
import os
from functools import lru_cache
from itertools import islice

from cryptography.exceptions import InvalidTag

from custinfo.crypto._codec import PADDING, decode, encode
from custinfo.crypto._format import (
    HEADER_LEN,
    KEY_LEN,
    NONCE_LEN,
    SHORTEST_TOKEN,
    Frames,
    bad_token,
    field_key,
    framed,
)
from custinfo.crypto._provider import refuse_copy
from custinfo.crypto._suites import suite_of
from custinfo.errors import InvalidFieldError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Literal

    from custinfo.crypto._access import KeyAccess
    from custinfo.crypto._keyring import Keyring
    from custinfo.crypto._suites import Seal, Suite

_ROWS_AT_ONCE = 256
_PREFIX_LEN = HEADER_LEN + NONCE_LEN


class FieldCipher:
    """Encrypts single fields so that a token opens only where it belongs.

    A token moved to another field, record, entity or tenant, or altered by one bit, raises `DecryptionError`; so
    does one whose subject is another. Values come back by type: str, bytes, int, date, datetime, None, and JSON
    (dict, list, bool, float). Lengths show in steps of 16 bytes. What it cannot see is a field that was put back
    to an older token of its own; the audit log binds versions.

    Args:
        keyring: whose keys to use.

    Source: NIST SP 800-38D (November 2007) for AES-GCM; docs/crypto-format.md, version 1, for the bytes.

    >>> from custinfo.crypto import Keyring, LocalKeyProvider, MemoryKeyStore
    >>> cipher = FieldCipher(Keyring(LocalKeyProvider.generate(), MemoryKeyStore()))
    >>> tokens = cipher.encrypt_record({"given_name": "Anna", "born": 1980}, entity="customer", record="17")
    >>> cipher.decrypt_record(tokens, entity="customer", record="17")
    {'given_name': 'Anna', 'born': 1980}
    """

    __slots__ = ("_frames", "_keys", "_name", "_scope", "keyring")

    keyring: Keyring | None

    def __init__(self, keyring: Keyring) -> None:
        self.keyring = keyring
        self._set_up(keyring._access, keyring.tenant, repr(keyring))

    def _set_up(self, keys: KeyAccess | _OneKey, tenant: str, name: str) -> None:
        self._keys = keys
        self._name = name
        self._frames = Frames()
        tenant_frame = framed(tenant)
        # L(tenant) | L(entity), once per entity: both are names, and repeat in every call.
        self._scope = lru_cache(maxsize=256)(lambda entity: tenant_frame + framed(entity))

    __reduce_ex__ = refuse_copy

    def __repr__(self) -> str:
        return f"FieldCipher({self._name})"

    @classmethod
    def from_dek(
        cls, dek: bytes, *, tenant: str, suite: Literal["AES-256-GCM", "SM4-GCM"] = "AES-256-GCM"
    ) -> FieldCipher:
        """A cipher under one given data key, for test vectors: no key store, no shredding.

        Args:
            dek: 32 bytes.
            tenant: part of the authenticated data.
            suite: what tokens are sealed with, and the only one read.

        Raises:
            InvalidFieldError: "key.length"; "suite.unknown" and "suite.unavailable" as `Keyring`.

        >>> cipher = FieldCipher.from_dek(bytes(32), tenant="shop-1")
        >>> cipher.encrypt("Anna", entity="customer", record="17", field="given_name")[:4].hex()
        'c101868b'
        """
        if type(dek) is not bytes or len(dek) != KEY_LEN:
            raise InvalidFieldError("a data key must be 32 bytes", code="key.length")
        cipher = cls.__new__(cls)
        cipher.keyring = None
        cipher._set_up(_OneKey(dek, suite_of(suite)), tenant, "one data key")
        return cipher

    def encrypt(self, value: object, *, entity: str, record: str, field: str, subject: str | None = None) -> bytes:
        """The token of one value.

        Args:
            value: str, bytes, int, date, datetime, None, dict, list, bool or float.
            entity: which kind of record, such as ``"customer"``.
            record: the record's id.
            field: the field's name.
            subject: whose data key; None means the record's id.

        Returns:
            62 bytes and the padded value; see docs/crypto-format.md.

        Raises:
            InvalidFieldError: "cipher.type" and others for a value or name that cannot be encrypted.
            KeyDestroyedError: the subject was shredded.
            KeyUnavailableError: provider or key store does not answer.

        >>> cipher = FieldCipher.from_dek(bytes(32), tenant="shop-1")
        >>> len(cipher.encrypt("Anna", entity="customer", record="17", field="given_name"))
        78
        """
        return self.encrypt_record({field: value}, entity=entity, record=record, subject=subject)[field]

    def encrypt_record(
        self, values: Mapping[str, object], *, entity: str, record: str, subject: str | None = None
    ) -> dict[str, bytes]:
        """The tokens of a record's fields.

        Args:
            values: field name -> value.
            entity: which kind of record.
            record: the record's id.
            subject: whose data key; None means the record's id.

        Returns:
            Field name -> token, in the order of *values*.

        Raises:
            InvalidFieldError, KeyDestroyedError, KeyUnavailableError: as `encrypt`.

        >>> cipher = FieldCipher.from_dek(bytes(32), tenant="shop-1")
        >>> list(cipher.encrypt_record({"a": "1", "b": 2}, entity="customer", record="17"))
        ['a', 'b']
        """
        scope = self._scope(entity) + framed(record)
        count = len(values)
        if subject is None:
            subject = record
        else:
            framed(subject)  # refuses what is not text
        header, seal = self._keys.writer(subject, count)
        scope = header + scope
        encrypt, frames = seal.encrypt, self._frames
        # Drawn for this record alone: a buffer kept for later would repeat its nonces after a fork.
        nonces = os.urandom(NONCE_LEN * count)
        tokens: dict[str, bytes] = {}
        at = 0
        for field, value in values.items():
            kind = type(value)
            if kind is str and value.isascii():  # type: ignore[attr-defined]  # the common cases, without a call
                data = b"\x02" + value.encode()  # type: ignore[attr-defined]
                data += PADDING[len(data) & 15]
            elif kind is bytes:
                data = b"\x01" + value  # type: ignore[operator]
                data += PADDING[len(data) & 15]
            else:
                data = encode(value)
            nonce = nonces[at : at + NONCE_LEN]
            at += NONCE_LEN
            tokens[field] = header + nonce + encrypt(nonce, data, scope + frames[field])
        return tokens

    def encrypt_records(
        self, rows: Iterable[tuple[str, str | None, Mapping[str, object]]], *, entity: str
    ) -> list[dict[str, bytes]]:
        """The tokens of many records; the data keys of all new subjects become durable in one write.

        Args:
            rows: (record id, subject or None for the record's id, field name -> value) each.
            entity: which kind of records.

        Returns:
            A mapping of field name -> token for each row, in the order of *rows*.

        Raises:
            InvalidFieldError, KeyDestroyedError, KeyUnavailableError: as `encrypt`.

        >>> from custinfo.crypto import Keyring, LocalKeyProvider, MemoryKeyStore
        >>> cipher = FieldCipher(Keyring(LocalKeyProvider.generate(), MemoryKeyStore()))
        >>> tokens = cipher.encrypt_records([("17", None, {"a": "x"}), ("18", "17", {"a": "y"})], entity="customer")
        >>> cipher.decrypt(tokens[1]["a"], entity="customer", record="18", field="a", subject="17")
        'y'
        """
        rows = list(rows)
        subjects = [record if subject is None else subject for record, subject, _ in rows]
        for subject in subjects:
            framed(subject)  # refuses what is not text, before any key is made
        self._keys.writers(subjects)
        encrypt_record = self.encrypt_record
        tokens: list[dict[str, bytes]] = []
        for at in range(0, len(rows), _ROWS_AT_ONCE):
            # Making those keys changed the key store, so they are looked at once more: many in one look.
            self._keys.readers(subjects[at : at + _ROWS_AT_ONCE])
            tokens += [
                encrypt_record(values, entity=entity, record=record, subject=subject)
                for record, subject, values in rows[at : at + _ROWS_AT_ONCE]
            ]
        return tokens

    def decrypt(self, token: bytes, *, entity: str, record: str, field: str, subject: str | None = None) -> object:
        """The value of a token.

        Args:
            token: what `encrypt` gave.
            entity: which kind of record.
            record: the record's id.
            field: the field's name.
            subject: whose data key; None means the record's id.

        Raises:
            DecryptionError: one error for every fault: altered, cut, moved, of another subject, unknown suite.
            KeyDestroyedError: the subject was shredded.
            KeyUnavailableError: provider or key store does not answer.

        >>> cipher = FieldCipher.from_dek(bytes(32), tenant="shop-1")
        >>> token = cipher.encrypt("Anna", entity="customer", record="17", field="given_name")
        >>> cipher.decrypt(token, entity="customer", record="18", field="given_name")
        Traceback (most recent call last):
        custinfo.errors.DecryptionError: the token cannot be decrypted; it was altered, belongs to another field, \
record or subject, or was made under another key
        """
        return self.decrypt_record({field: token}, entity=entity, record=record, subject=subject)[field]

    def decrypt_record(
        self,
        tokens: Mapping[str, bytes],
        *,
        entity: str,
        record: str,
        subject: str | None = None,
        fields: Iterable[str] | None = None,
    ) -> dict[str, object]:
        """The values of a record's tokens.

        Args:
            tokens: field name -> token.
            entity: which kind of record.
            record: the record's id.
            subject: whose data key; None means the record's id.
            fields: which of *tokens* to decrypt; None means all.

        Returns:
            Field name -> value.

        Raises:
            DecryptionError, KeyDestroyedError, KeyUnavailableError: as `decrypt`.
            InvalidFieldError: "cipher.no_token" for a field of *fields* that *tokens* does not have.

        >>> cipher = FieldCipher.from_dek(bytes(32), tenant="shop-1")
        >>> tokens = cipher.encrypt_record({"a": "1", "b": 2}, entity="customer", record="17")
        >>> cipher.decrypt_record(tokens, entity="customer", record="17", fields=["b"])
        {'b': 2}
        """
        if fields is not None:
            tokens = _only(tokens, fields)
        scope = self._scope(entity) + framed(record)
        if subject is None:
            subject = record
        else:
            framed(subject)  # refuses what is not text
        values: dict[str, object] = {}
        frames = self._frames
        last: bytes | None = None
        for field, token in tokens.items():
            if type(token) is not bytes:
                token = _as_bytes(token)
            header = token[:HEADER_LEN]
            if header != last:
                if len(token) < SHORTEST_TOKEN:
                    raise bad_token()
                decrypt = self._keys.reader(subject, header).decrypt
                bound = header + scope
                last = header
            try:
                data = decrypt(token[HEADER_LEN:_PREFIX_LEN], token[_PREFIX_LEN:], bound + frames[field])
            except (InvalidTag, ValueError):
                raise bad_token() from None
            values[field] = decode(data)
        return values

    def decrypt_records(
        self, rows: Iterable[tuple[str, str | None, Mapping[str, bytes]]], *, entity: str
    ) -> list[dict[str, object]]:
        """The values of many records.

        Args:
            rows: (record id, subject or None for the record's id, field name -> token) each.
            entity: which kind of records.

        Returns:
            A mapping of field name -> value for each row, in the order of *rows*.

        Raises:
            DecryptionError, KeyDestroyedError, KeyUnavailableError: as `decrypt`.

        >>> cipher = FieldCipher.from_dek(bytes(32), tenant="shop-1")
        >>> tokens = cipher.encrypt_records([("17", None, {"a": "x"})], entity="customer")
        >>> cipher.decrypt_records([("17", None, tokens[0])], entity="customer")
        [{'a': 'x'}]
        """
        decrypt_record = self.decrypt_record
        values = []
        remaining = iter(rows)
        # Opening keys in one go and decrypting in another is faster than by turns: each stays in the CPU's caches.
        while part := list(islice(remaining, _ROWS_AT_ONCE)):
            subjects = [record if subject is None else subject for record, subject, tokens in part if tokens]
            for subject in subjects:
                framed(subject)  # refuses what is not text
            self._keys.readers(subjects)
            values += [decrypt_record(tokens, entity=entity, record=rec, subject=sub) for rec, sub, tokens in part]
        return values


class _OneKey:
    """What `FieldCipher` asks for keys, over one fixed data key."""

    __slots__ = ("_header", "_seal")

    def __init__(self, dek: bytes, suite: Suite) -> None:
        key, kid = field_key(dek)
        self._header = suite.start + kid
        self._seal = suite.seal(key)

    def writer(self, _subject: str, _messages: int) -> tuple[bytes, Seal]:
        return self._header, self._seal

    def writers(self, _subjects: object) -> None:
        pass

    def readers(self, _subjects: object) -> None:
        pass

    def reader(self, _subject: str, header: bytes) -> Seal:
        if header != self._header:
            raise bad_token()
        return self._seal


def _only(tokens: Mapping[str, bytes], fields: Iterable[str]) -> dict[str, bytes]:
    try:
        return {field: tokens[field] for field in fields}
    except KeyError:
        raise InvalidFieldError(
            "a field was asked for that has no token; ask for fields that were encrypted", code="cipher.no_token"
        ) from None


def _as_bytes(token: object) -> bytes:
    if isinstance(token, bytearray | memoryview):
        with contextlib.suppress(ValueError):  # a view whose memory was given back
            return bytes(token)
    raise bad_token()

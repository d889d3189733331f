"""The bytes of a stored object: clear fields as JSON, one encrypted token for each personal field.

In a plaintext collection the payload is the JSON itself. In an encrypted one, version 1 (experimental until 1.0):

    0xC2 | 0x01 | mac 32 | L | JSON | L | token | L | token ...        L = uint32, big-endian
    mac = HMAC-SHA256(key, 0xC2 | 0x01 | L | kind | L | id | everything behind the mac)        kind, id in UTF-8

``$sealed`` in the JSON names the fields of the tokens in order, ``$subject`` the data subject under whose key the
personal fields are, or were, encrypted. The MAC binds the clear fields, the set of tokens and the record to each other;
its key is the tenant's, not the subject's, so that it outlives an erasure.
"""

from __future__ import annotations

import hmac
import json
import struct
from collections.abc import Mapping
from typing import Any, NamedTuple

from custinfo.errors import DecryptionError, InvalidFieldError, SchemaVersionError, StoreError

_MAGIC = b"\xc2\x01"
_MAC_LEN = 32
_START = len(_MAGIC) + _MAC_LEN
_LENGTH = struct.Struct(">I")
_HEAD = _START + _LENGTH.size
_RESERVED = frozenset({"$sealed", "$subject"})
_write = json.JSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":")).encode


class Payload(NamedTuple):
    """What a payload holds.

    Args:
        clear: fields in clear, as JSON values; fields at their default are absent.
        tokens: field name -> token.
        subject: under whose key the tokens are, or were.
    """

    clear: dict[str, Any]
    tokens: dict[str, bytes]
    subject: str | None


def pack(clear: Mapping[str, Any]) -> bytes:
    """The payload of an object in a plaintext collection.

    Raises:
        InvalidFieldError: "payload.json", "payload.reserved".

    >>> pack({"id": "c1"})
    b'{"id":"c1"}'
    """
    if not _RESERVED.isdisjoint(clear):
        raise InvalidFieldError("extra keys may not be named $sealed or $subject; rename them", code="payload.reserved")
    return _json(clear)


def pack_sealed(payload: Payload, *, kind: str, id: str, key: bytes) -> bytes:
    """The payload of an object in an encrypted collection.

    Raises:
        InvalidFieldError: "payload.json".
    """
    head: dict[str, Any] = dict(payload.clear)
    if payload.tokens:
        head["$sealed"] = list(payload.tokens)
    if payload.subject is not None:
        head["$subject"] = payload.subject
    parts = (_json(head), *payload.tokens.values())
    rest = b"".join([_LENGTH.pack(len(part)) + part for part in parts])
    return _MAGIC + _mac(key, kind, id, rest) + rest


def unpack(data: bytes, *, kind: str, id: str, key: bytes | None) -> Payload:
    """What a payload holds.

    Args:
        data: the payload.
        kind: of the record.
        id: of the record.
        key: of the MAC; None in a plaintext collection.

    Raises:
        StoreError: "payload.broken".
        DecryptionError: it was changed, belongs to another record, or was written in clear or under another key.
        InvalidFieldError: "store.cipher" for an encrypted payload without a key.
        SchemaVersionError: a payload of a newer release.

    >>> unpack(b'{"id":"c1"}', kind="customer", id="c1", key=None).clear
    {'id': 'c1'}
    """
    if data[:1] == _MAGIC[:1] and data[1:2] > _MAGIC[1:]:
        raise SchemaVersionError("the record was written by a newer custinfo; upgrade to read it")
    if data[:2] != _MAGIC:
        if key is not None:
            raise _altered()
        return Payload(_parsed(data), {}, None)
    if key is None:
        raise InvalidFieldError(
            "the record is encrypted and this collection has no cipher; give it the keyring", code="store.cipher"
        )
    if not hmac.compare_digest(_mac(key, kind, id, data[_START:]), data[2:_START]):
        raise _altered()
    try:
        head, *parts = _parts(data)
        clear = _parsed(head)
        tokens = dict(zip(clear.pop("$sealed", ()), parts, strict=True))
    except (TypeError, ValueError, struct.error):  # written by something else that has the key
        raise _broken() from None
    return Payload(clear, tokens, clear.pop("$subject", None))


def is_sealed(data: bytes) -> bool:
    """Whether it is a payload of an encrypted collection.

    >>> is_sealed(b'{"id":"c1"}')
    False
    """
    return data[:1] == _MAGIC[:1]


def clear_json(data: bytes) -> bytes:
    """The JSON of a payload, its MAC not checked.

    Raises:
        ValueError: it is not whole.
    """
    if data[:2] != _MAGIC:
        return data
    (length,) = _LENGTH.unpack_from(data.ljust(_HEAD), _START)
    if _HEAD + length > len(data):
        raise ValueError
    return data[_HEAD : _HEAD + length]


def _mac(key: bytes, kind: str, id: str, rest: bytes) -> bytes:
    named = b"".join([_LENGTH.pack(len(part)) + part for part in (kind.encode(), id.encode("utf-8", "surrogatepass"))])
    return hmac.digest(key, _MAGIC + named + rest, "sha256")


def _parts(data: bytes) -> list[bytes]:
    parts, place = [], _START
    while place < len(data):
        (length,) = _LENGTH.unpack_from(data, place)
        place += _LENGTH.size
        if place + length > len(data):
            raise ValueError
        parts.append(data[place : place + length])
        place += length
    return parts


def _parsed(data: bytes) -> dict[str, Any]:
    try:
        clear = json.loads(data.decode())  # from bytes, json looks for other encodings first
    except (ValueError, RecursionError):
        clear = None
    if not isinstance(clear, dict):
        raise _broken()
    return clear


def _json(data: Mapping[str, Any]) -> bytes:
    try:
        return _write(data).encode("utf-8")
    except (TypeError, ValueError, RecursionError):
        # A lone surrogate, a float that is no number, an object of another type in extra: the cause holds the value.
        raise InvalidFieldError(
            "a value has no JSON form: text must be Unicode, extra keys hold JSON values only", code="payload.json"
        ) from None


def _broken() -> StoreError:
    return StoreError("the stored record is damaged; restore it from a backup", code="payload.broken")


def _altered() -> DecryptionError:
    return DecryptionError(
        "the stored record was changed, belongs to another record, or was written under another keyring; "
        "give the right keyring, or restore the record",
        code="payload.altered",
    )

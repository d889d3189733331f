"""The bytes of a stored object: clear fields as JSON, one encrypted token for each personal field.

Without tokens the payload is the JSON itself. With tokens, version 1 (experimental until 1.0):

    0xC2 | 0x01 | L | JSON | L | token | L | token ...        L = uint32, big-endian

``$sealed`` in the JSON names the fields of the tokens in order, ``$subject`` the data subject whose key they have.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any

from custinfo.errors import SchemaVersionError, StoreError

_MAGIC = b"\xc2\x01"
_LENGTH = struct.Struct(">I")


def pack(clear: Mapping[str, Any], tokens: Mapping[str, bytes], *, subject: str | None) -> bytes:
    """The payload of clear fields and tokens.

    >>> pack({"id": "c1"}, {}, subject=None)
    b'{"id":"c1"}'
    """
    if not tokens:
        return _json(clear)
    head = _json({**clear, "$sealed": list(tokens), "$subject": subject})
    parts = [head, *tokens.values()]
    return _MAGIC + b"".join(_LENGTH.pack(len(part)) + part for part in parts)


def unpack(data: bytes) -> tuple[dict[str, Any], dict[str, bytes], str | None]:
    """Clear fields, tokens and subject of a payload.

    Raises:
        StoreError: "payload.broken".
        SchemaVersionError: a payload of a newer release.

    >>> unpack(pack({"id": "c1"}, {"names": b"token"}, subject="c1"))
    ({'id': 'c1'}, {'names': b'token'}, 'c1')
    """
    if data[:1] == _MAGIC[:1] and data[1:2] > _MAGIC[1:]:
        raise SchemaVersionError("the record was written by a newer custinfo; upgrade to read it")
    try:
        if data[:1] == b"{":
            return json.loads(data), {}, None
        parts = _parts(data)
        clear = json.loads(parts[0])
        tokens = dict(zip(clear.pop("$sealed"), parts[1:], strict=True))
        return clear, tokens, clear.pop("$subject")
    except (AttributeError, KeyError, TypeError, ValueError, struct.error, IndexError):
        raise StoreError("the stored record is damaged; restore it from a backup", code="payload.broken") from None


def _parts(data: bytes) -> list[bytes]:
    if data[:2] != _MAGIC:
        raise ValueError
    parts, place = [], 2
    while place < len(data):
        (length,) = _LENGTH.unpack_from(data, place)
        place += _LENGTH.size
        if place + length > len(data):
            raise ValueError
        parts.append(data[place : place + length])
        place += length
    return parts


def _json(data: Mapping[str, Any]) -> bytes:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode("utf-8")

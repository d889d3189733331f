"""The bytes of a backup inside its encrypted stream; docs/backup-format.md specifies them.

A frame is ``type 1 | length 8 | body``. A section is a frame that names a kind, then a frame for each of its records;
the events follow, then the manifest, then a signature where there is one, and nothing else.
"""

from __future__ import annotations

import itertools
import struct

from custinfo.store import _checks
from custinfo.store._backup_report import damaged
from custinfo.store._protocol import Key, Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

MAGIC = b"\xc6\x01"
CONTEXT = "custinfo/v1/backup"
"""What the encrypted stream is bound to."""

KIND, RECORD, EVENT, MANIFEST, SIGNATURE = b"K", b"R", b"E", b"M", b"S"

HEAD = struct.Struct(">cQ")
_LENGTH = struct.Struct(">I")
_VERSION = struct.Struct(">Q")


def frame(type: bytes, body: bytes) -> bytes:
    """One frame."""
    return HEAD.pack(type, len(body)) + body


def record_frame(record: Record, keys: Sequence[Key]) -> bytes:
    """The frame of a record: id, version, keys, data."""
    parts = [_text(record.id), _VERSION.pack(record.version), _LENGTH.pack(len(keys))]
    for name, value, unique in keys:
        parts += [b"\x01" if unique else b"\x00", _text(name), _text(value)]
    parts.append(record.data)
    return frame(RECORD, b"".join(parts))


def event_frame(type: str, subject: str, data: bytes) -> bytes:
    """The frame of an event."""
    return frame(EVENT, _text(type) + _text(subject) + data)


def read_kind(body: bytes) -> str:
    """The kind that a frame names.

    Raises:
        StoreError: "backup.damaged".
    """
    try:
        kind = body.decode()
        _checks.check_kind(kind)
    except ValueError:
        raise damaged() from None
    return kind


def read_record(kind: str, body: bytes) -> tuple[Record, list[Key]]:
    """The record and the keys of a frame, checked as for a store, the keys in code-point order.

    Raises:
        StoreError: "backup.damaged".
    """
    try:
        id, place = _read_text(body, 0)
        (version,) = _VERSION.unpack_from(body, place)
        (count,) = _LENGTH.unpack_from(body, place + _VERSION.size)
        place += _VERSION.size + _LENGTH.size
        keys = []
        for _ in range(count):
            unique = (False, True)[body[place]]
            name, place = _read_text(body, place + 1)
            value, place = _read_text(body, place)
            keys.append(Key(name, value, unique))
        record = Record(kind, id, version, body[place:])
        _checks.check_loaded(record, keys)
    except (LookupError, ValueError, struct.error):
        raise damaged() from None
    if any(one[:2] >= other[:2] for one, other in itertools.pairwise(keys)):
        raise damaged()
    return record, keys


def read_event(body: bytes) -> tuple[str, str, bytes]:
    """Type, subject and data of the event in a frame.

    Raises:
        StoreError: "backup.damaged".
    """
    try:
        type, place = _read_text(body, 0)
        subject, place = _read_text(body, place)
        event = (type, subject, body[place:])
        _checks.check_event(*event)
    except (ValueError, struct.error):
        raise damaged() from None
    return event


def _text(text: str) -> bytes:
    data = text.encode()
    return _LENGTH.pack(len(data)) + data


def _read_text(body: bytes, place: int) -> tuple[str, int]:
    (length,) = _LENGTH.unpack_from(body, place)
    place += _LENGTH.size
    end = place + length
    if end > len(body):
        raise damaged()
    return body[place:end].decode(), end

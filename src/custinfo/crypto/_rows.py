"""Names and bytes of the rows in the key store.

A row holds entries, so that several keys of one kind can live side by side: roots before and after a rotation,
data keys of several writers, index keys before and after. No name holds more than tenant, subject and key ids.
"""

from __future__ import annotations

import json
from typing import NamedTuple
from urllib.parse import quote

import attrs

from custinfo.crypto._format import ID_LEN, bad_token, framed
from custinfo.crypto._provider import WrappedKey

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT_MAGIC = b"\xc2\x01"
DATA_KEY_MAGIC = b"\xc3\x01"
SECRET_MAGIC = b"\xc4\x01"

RETIRED = 1
"""Flag of a root: it still opens keys, and no key is wrapped under it any more."""
WRITER = 2
"""Flag of a root: made by a write-only keyring, which cannot read other roots."""
SWEEPING = 4
"""Flag of the current root: the rotation that named it has not wrapped every row under it yet."""
GOING = 8
"""Flag of a retired root: it is removed when the rotation in progress ends."""

_SIV_LEN = 16 + 32
DATA_KEY_ENTRY_LEN = 2 * ID_LEN + _SIV_LEN


@attrs.frozen
class Names:
    """The row names of one tenant; the tenant is percent-encoded, so that no tenant reaches into another's names."""

    root: str
    subject: str
    process: str
    secret: str

    @classmethod
    def of(cls, tenant: str) -> Names:
        """The names of *tenant*."""
        part = quote(tenant, safe="")
        return cls(f"root/{part}", f"subject/{part}/", f"process/{part}/", f"secret/{part}/")


@attrs.frozen
class RootEntry:
    """A wrapped root, its id (a commitment to it) and flags."""

    root_id: bytes
    flags: int
    wrapped: WrappedKey

    @property
    def current(self) -> bool:
        """Whether a reading keyring wraps new keys under it."""
        return not self.flags & (RETIRED | WRITER)


class KeyEntry(NamedTuple):
    """A data key or secret, wrapped with AES-SIV under the root *root_id*; *kid* is empty for a secret.

    A tuple and no attrs class, because one is made with each data key.
    """

    root_id: bytes
    kid: bytes
    blob: bytes


def root_context(tenant: str, root_id: bytes) -> bytes:
    """What a provider binds a wrapped root to."""
    return framed("custinfo/v1/root") + framed(tenant) + root_id


def pack_roots(entries: tuple[RootEntry, ...]) -> bytes:
    """The root row: magic, then each root as id (32) | flags (1) | L(key_uri) | L(JSON of version) | L(blob)."""
    parts = [ROOT_MAGIC]
    for entry in entries:
        wrapped = entry.wrapped
        parts += [entry.root_id, bytes([entry.flags]), framed(wrapped.key_uri), framed(json.dumps(wrapped.version))]
        parts += [len(wrapped.blob).to_bytes(4, "big"), wrapped.blob]
    return b"".join(parts)


def unpack_roots(row: bytes) -> tuple[RootEntry, ...]:
    """The entries of a root row.

    Raises:
        DecryptionError: the row is damaged.
    """
    entries = []
    reader = _Reader(row)
    while reader.more():
        root_id, flags = reader.take(ID_LEN), reader.take(1)[0]
        try:
            key_uri, version = reader.framed().decode(), json.loads(reader.framed())
        except (ValueError, RecursionError):
            raise bad_token() from None
        if flags > RETIRED | WRITER | SWEEPING | GOING or type(version) not in (str, int):
            raise bad_token()
        entries.append(RootEntry(root_id, flags, WrappedKey(key_uri, version, reader.framed())))
    return tuple(entries)


def pack_keys(entries: Sequence[KeyEntry], *, magic: bytes) -> bytes:
    """A row of data keys (root id 32 | kid 32 | SIV blob 48 each) or of secrets (the same without kid)."""
    return magic + b"".join([entry.root_id + entry.kid + entry.blob for entry in entries])


def unpack_keys(row: bytes, *, magic: bytes) -> tuple[KeyEntry, ...]:
    """The entries of a row of data keys or secrets, newest first.

    Raises:
        DecryptionError: the row is damaged.
    """
    kid_end = ID_LEN + (ID_LEN if magic == DATA_KEY_MAGIC else 0)
    size = kid_end + _SIV_LEN
    if row[:2] != magic or len(row) < 2 + size or (len(row) - 2) % size:
        raise bad_token()
    return tuple(
        KeyEntry(row[at : at + ID_LEN], row[at + ID_LEN : at + kid_end], row[at + kid_end : at + size])
        for at in range(2, len(row), size)
    )


class _Reader:
    """Takes bytes off the front of a root row and refuses to run over its end."""

    __slots__ = ("_at", "_row")

    def __init__(self, row: bytes) -> None:
        self._row = row
        self._at = 0
        if self.take(len(ROOT_MAGIC)) != ROOT_MAGIC:
            raise bad_token()

    def more(self) -> bool:
        return self._at < len(self._row)

    def take(self, count: int) -> bytes:
        piece = self._row[self._at : self._at + count]
        if len(piece) != count:
            raise bad_token()
        self._at += count
        return piece

    def framed(self) -> bytes:
        return self.take(int.from_bytes(self.take(4), "big"))

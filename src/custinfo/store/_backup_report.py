"""What a backup says of itself: the manifest inside it, and the report of whoever wrote or read it."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

import attrs

from custinfo._view import table
from custinfo.errors import StoreError

FORMAT = 1
"""Version of the layout inside the encrypted stream."""

_LABEL = b"custinfo/v1/backup\n"
_write = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False).encode


@attrs.frozen(kw_only=True)
class BackupSection:
    """The records of one kind in a backup.

    Args:
        kind: of the records.
        records: how many there are.
        keys: how many look-up keys they have.
        sha256: of the section's bytes, in hex.

    >>> BackupSection(kind="customer", records=2, keys=3, sha256="00" * 32).records
    2
    """

    kind: str
    records: int
    keys: int
    sha256: str


@attrs.frozen(kw_only=True)
class BackupManifest:
    """What is in a backup; it lies inside the encrypted stream, behind everything that it describes.

    Args:
        format: version of the layout.
        content: ``"data"``, or ``"keys"`` for a backup of a key store.
        created_at: when it was begun, UTC.
        custinfo: version of the library that wrote it.
        kinds: a section for each kind, in code-point order.
        events: how many events were in the outbox; they are given again by the feed of the restored store.
        events_sha256: of their section's bytes, in hex.
        cursor: of the last of them, which names the incarnation of the source; "" where there was none.

    >>> manifest = BackupManifest(
    ...     format=1, content="data", created_at=datetime.fromisoformat("2026-01-31T02:00:00+00:00"), custinfo="0.1.0",
    ...     kinds=(BackupSection(kind="customer", records=2, keys=3, sha256="00" * 32),),
    ...     events=0, events_sha256="00" * 32, cursor="")
    >>> manifest.counts, manifest.to_dict()["content"]
    ({'customer': 2}, 'data')
    """

    format: int
    content: str
    created_at: datetime
    custinfo: str
    kinds: tuple[BackupSection, ...]
    events: int
    events_sha256: str
    cursor: str

    @property
    def counts(self) -> dict[str, int]:
        """Kind -> number of records."""
        return {section.kind: section.records for section in self.kinds}

    @property
    def digest(self) -> str:
        """SHA-256 of the manifest in hex; note it elsewhere to know this very backup again."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return attrs.asdict(self) | {
            "created_at": self.created_at.isoformat(),
            "kinds": [attrs.asdict(section) for section in self.kinds],
        }

    def _repr_html_(self) -> str:
        columns = {name: [getattr(section, name) for section in self.kinds] for name in ("kind", "records", "keys")}
        return table(columns, title=f"backup of {self.created_at:%Y-%m-%d %H:%M} UTC, {self.events:,} events")

    def to_bytes(self) -> bytes:
        """The one form in which it is stored: JSON in ASCII, keys sorted, no blanks."""
        return _write(self.to_dict()).encode()

    def signed_bytes(self) -> bytes:
        """What a signature covers."""
        return _LABEL + self.to_bytes()


@attrs.frozen(kw_only=True)
class BackupReport:
    """A backup that was written, or read to its end.

    Args:
        path: of the file.
        size_bytes: of the file.
        manifest: what is in it.
        signed: whether the manifest is signed.
        verified: whether the signature was checked against a key that the caller gave.
        seconds: how long it took.

    >>> import tempfile
    >>> from custinfo.crypto import LocalKeyProvider
    >>> from custinfo.store import MemoryStore, Record, backup
    >>> store = MemoryStore()
    >>> with store.unit() as unit:
    ...     version = unit.put(Record("customer", "c1", 0, b"data"), [], 0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     report = backup(store, f"{folder}/shop.backup", LocalKeyProvider.generate())
    >>> report.counts, report.signed, sorted(report.to_dict())
    ({'customer': 1}, False, ['manifest', 'path', 'seconds', 'signed', 'size_bytes', 'verified'])
    """

    path: str
    size_bytes: int
    manifest: BackupManifest
    signed: bool
    verified: bool
    seconds: float

    @property
    def counts(self) -> dict[str, int]:
        """Kind -> number of records."""
        return self.manifest.counts

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return attrs.asdict(self, recurse=False) | {"manifest": self.manifest.to_dict()}

    def _repr_html_(self) -> str:
        return self.manifest._repr_html_()


def parse_manifest(data: bytes) -> BackupManifest:
    """The manifest of its stored form.

    Raises:
        StoreError: "backup.damaged".
    """
    try:
        stored = json.loads(data)
        sections = tuple(BackupSection(**section) for section in stored.pop("kinds"))
        created_at = datetime.fromisoformat(stored.pop("created_at"))
        manifest = BackupManifest(created_at=created_at, kinds=sections, **stored)
        whole = manifest.to_bytes() == data
    except (AttributeError, LookupError, TypeError, ValueError, RecursionError):
        whole = False
    if not whole:
        raise damaged()
    return manifest


def damaged() -> StoreError:
    """The error for a backup that decrypts and is not what `backup` writes."""
    return StoreError("the backup is damaged, or something else wrote it; use another one", code="backup.damaged")

"""Reading a backup: the decrypted stream comes in pieces and leaves in batches, counted and hashed on the way."""

from __future__ import annotations

import hashlib
import os
from datetime import UTC
from pathlib import Path

from custinfo._view import reporting
from custinfo.crypto import decrypt_stream
from custinfo.errors import AccessDeniedError, CustInfoError, SchemaVersionError, StoreError
from custinfo.store import _backup_format as form
from custinfo.store._backup_report import FORMAT, BackupManifest, BackupSection, damaged, parse_manifest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Protocol

    from custinfo._view import Progress
    from custinfo.crypto import KeyProvider
    from custinfo.store._protocol import Key, Record

    class Target(Protocol):
        """Who wants what a backup holds."""

        def records(self, batch: Sequence[tuple[Record, Sequence[Key]]]) -> None: ...

        def events(self, batch: Sequence[tuple[str, str, bytes]]) -> None: ...

    class BackupVerifier(Protocol):
        """What checks a signature: a `custinfo.crypto.Signer`, with the public key alone."""

        def verify(self, message: bytes, signature: bytes) -> bool: ...


BATCH_RECORDS = 1000
BATCH_BYTES = 4_000_000
LARGEST_FRAME = 1 << 40


class Nothing:
    """The target of who only verifies."""

    def records(self, batch: Sequence[tuple[Record, Sequence[Key]]]) -> None:
        """Forget them."""

    def events(self, batch: Sequence[tuple[str, str, bytes]]) -> None:
        """Forget them."""


class BackupReader:
    """Takes the decrypted stream by `write`; `finish` says what it was."""

    def __init__(self, target: Target, step: Callable[[int], None] = lambda done: None) -> None:
        self._target = target
        self._step = step
        self._done = 0
        self._buffer = bytearray()
        self._begun = False
        self._kind: str | None = None
        self._last_id = ""
        self._records: list[tuple[Record, Sequence[Key]]] = []
        self._events: list[tuple[str, str, bytes]] = []
        self._size = 0
        self._sections: list[BackupSection] = []
        self._count = self._keys = self._event_count = 0
        self._hash = hashlib.sha256()
        self._event_hash = hashlib.sha256()
        self._manifest: BackupManifest | None = None
        self._signature: bytes | None = None

    def write(self, piece: bytes) -> int:
        """Take the next bytes."""
        buffer = self._buffer
        buffer += piece
        place = 0
        if not self._begun and len(buffer) >= len(form.MAGIC):
            place = len(form.MAGIC)
            _check_magic(bytes(buffer[:place]))
            self._begun = True
        while self._begun and place + form.HEAD.size <= len(buffer):
            type, length = form.HEAD.unpack_from(buffer, place)
            if length > LARGEST_FRAME:
                raise damaged()
            end = place + form.HEAD.size + length
            if end > len(buffer):
                break
            self._frame(type, bytes(buffer[place:end]))
            place = end
        del buffer[:place]
        return len(piece)

    def finish(self, verify_key: BackupVerifier | None) -> tuple[BackupManifest, bool]:
        """The manifest, once the stream has ended, and whether it is signed.

        Raises:
            StoreError: "backup.damaged", "backup.signature".
        """
        manifest = self._manifest
        if manifest is None or self._buffer:
            raise damaged()
        if verify_key is not None and (
            self._signature is None or not verify_key.verify(manifest.signed_bytes(), self._signature)
        ):
            problem = "is not signed" if self._signature is None else "was not signed by this key"
            raise StoreError(f"the backup {problem}; use one that is, or ask who made it", code="backup.signature")
        return manifest, self._signature is not None

    def _frame(self, type: bytes, whole: bytes) -> None:
        if self._manifest is not None:
            if type != form.SIGNATURE or self._signature is not None:
                raise damaged()
            self._signature = whole[form.HEAD.size :]
        elif type == form.RECORD and self._kind is not None:
            self._record(self._kind, whole)
        elif type == form.KIND and not self._event_count:
            self._begin_section(whole)
        elif type == form.EVENT:
            self._event(whole)
        elif type == form.MANIFEST:
            self._end(whole[form.HEAD.size :])
        else:
            raise damaged()

    def _begin_section(self, whole: bytes) -> None:
        kind = form.read_kind(whole[form.HEAD.size :])
        if self._kind is not None and kind <= self._kind:
            raise damaged()
        self._end_section()
        self._kind = kind
        self._hash.update(whole)

    def _end_section(self) -> None:
        self._flush()
        if self._kind is not None and self._count == 0:
            raise damaged()
        if self._kind is not None:
            self._sections.append(
                BackupSection(kind=self._kind, records=self._count, keys=self._keys, sha256=self._hash.hexdigest())
            )
        self._last_id, self._count, self._keys, self._hash = "", 0, 0, hashlib.sha256()

    def _record(self, kind: str, whole: bytes) -> None:
        record, keys = form.read_record(kind, whole[form.HEAD.size :])
        if record.id <= self._last_id:
            raise damaged()
        self._hash.update(whole)
        self._last_id = record.id
        self._count += 1
        self._keys += len(keys)
        self._records.append((record, keys))
        self._grow(len(whole))

    def _event(self, whole: bytes) -> None:
        if not self._event_count:
            self._end_section()
            self._kind = None
        self._events.append(form.read_event(whole[form.HEAD.size :]))
        self._event_hash.update(whole)
        self._event_count += 1
        self._grow(len(whole))

    def _grow(self, size: int) -> None:
        self._size += size
        if self._size > BATCH_BYTES or len(self._records) + len(self._events) >= BATCH_RECORDS:
            self._flush()

    def _flush(self) -> None:
        if self._records:
            self._target.records(self._records)
            self._done += len(self._records)
            self._step(self._done)
        if self._events:
            self._target.events(self._events)
        self._records, self._events, self._size = [], [], 0

    def _end(self, body: bytes) -> None:
        self._end_section()
        manifest = parse_manifest(body)
        found = (tuple(self._sections), self._event_count, self._event_hash.hexdigest())
        if (
            found != (manifest.kinds, manifest.events, manifest.events_sha256)
            or manifest.format != FORMAT
            or manifest.created_at.tzinfo is not UTC
            or manifest.content not in ("data", "keys")
        ):
            raise damaged()
        self._manifest = manifest


def read_backup(
    path: str | os.PathLike[str],
    provider: KeyProvider,
    target: Target,
    *,
    verify_key: BackupVerifier | None,
    progress: Progress,
) -> tuple[BackupManifest, bool]:
    """Read a backup to its end, twice: nothing reaches *target* before the whole stream was authenticated.

    Raises:
        DecryptionError, KeyUnavailableError: as `decrypt_stream`.
        AccessDeniedError: "backup.write_only".
        StoreError: "backup.damaged", "backup.signature", "backup.read"; and what *target* raises.
        SchemaVersionError: a newer custinfo wrote it.
    """
    if not hasattr(provider, "unwrap"):
        raise AccessDeniedError(
            "this provider only wraps keys, so it cannot read the backup; pass the one with the private key",
            code="backup.write_only",
        )
    try:
        with reporting(progress, total=0, label="records") as step:
            reader = BackupReader(target, step)
            decrypt_stream(checked_path(path), reader, provider, context=form.CONTEXT)  # type: ignore[arg-type]  # it only writes
    except CustInfoError:
        raise
    except OSError as exc:
        message = f"the backup {str(path)!r} cannot be read: {exc.strerror}; check path, rights and disk"
        raise StoreError(message, code="backup.read") from None
    return reader.finish(verify_key)


def checked_path(path: str | os.PathLike[str]) -> Path:
    """A path that a file can have.

    Raises:
        StoreError: "backup.path".
    """
    if not os.fspath(path) or "\0" in os.fspath(path):
        raise StoreError("path must name a file: text without NUL, not empty", code="backup.path")
    return Path(path)


def _check_magic(found: bytes) -> None:
    if found[:1] == form.MAGIC[:1] and found[1:] > form.MAGIC[1:]:
        raise SchemaVersionError("the backup was written by a newer custinfo; upgrade to read it", known=FORMAT)
    if found != form.MAGIC:
        raise damaged()

"""Backups: one consistent state of a store in an encrypted file, and the check of such a file."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from custinfo._view import reporting
from custinfo.crypto import encrypt_stream
from custinfo.errors import CustInfoError, StoreError
from custinfo.store._backup_format import CONTEXT
from custinfo.store._backup_read import Nothing, checked_path, read_backup
from custinfo.store._backup_report import BackupReport
from custinfo.store._backup_write import BackupWriter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from custinfo._view import Progress
    from custinfo.crypto import KeyProvider, KeyWrapper
    from custinfo.store._backup_read import BackupVerifier
    from custinfo.store._backup_write import BackupSigner
    from custinfo.store._protocol import RecordStore


def _now() -> datetime:
    return datetime.now(UTC)


def backup(
    store: RecordStore,
    path: str | os.PathLike[str],
    provider: KeyProvider | KeyWrapper,
    *,
    signer: BackupSigner | None = None,
    keys: bool = False,
    clock: Callable[[], datetime] = _now,
    progress: Progress = False,
) -> BackupReport:
    """Write one consistent state of a store, its pending events included, to a new encrypted file.

    It is read in one unit, while others go on writing (in memory they wait for the end), in constant memory. The file
    appears under its name complete and durable, with mode 0600, or not at all; a process that is killed leaves a hidden
    ``.partial`` file beside it, encrypted too.

    Args:
        store: of any backend; its units need `SupportsBackup`.
        path: of the file, which must not be there.
        provider: wraps the key of the file; with a `KeyWrapper`, such as an HPKE public key, the one who makes backups
            cannot read them.
        signer: signs the manifest, a `custinfo.crypto.Signer`.
        keys: True for the store of a `RecordKeyStore`, which is refused otherwise, and holds nothing else.
        clock: gives the time of the manifest, aware.
        progress: a bar, or a function of (records done, 0): how many there are is not known before.

    Returns:
        What was written.

    Raises:
        StoreError: "backup.exists", "backup.path", "backup.write" (folder, rights, no room), "backup.keys",
            "backup.unsupported"; else as the store says.
        KeyUnavailableError: the provider does not answer.

    >>> import tempfile
    >>> from custinfo.crypto import LocalKeyProvider
    >>> from custinfo.store import Key, MemoryStore, Record
    >>> store, provider = MemoryStore(), LocalKeyProvider.generate()
    >>> with store.unit() as unit:
    ...     version = unit.put(Record("customer", "c1", 0, b"data"), [Key("tag", "vip")], 0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     backup(store, f"{folder}/shop.backup", provider).counts
    ...     verify_backup(f"{folder}/shop.backup", provider).counts
    {'customer': 1}
    {'customer': 1}
    """
    begun = time.perf_counter()
    target = checked_path(path)
    with (
        _new_file(target) as file,
        store.unit(write=False) as unit,
        reporting(progress, total=0, label="records") as step,
    ):
        writer = BackupWriter(
            unit,
            content="keys" if keys else "data",
            created_at=clock().astimezone(UTC),
            custinfo=version("custinfo"),
            signer=signer,
            step=step,
        )
        encrypt_stream(writer, file, provider, context=CONTEXT)  # type: ignore[arg-type]  # it is only read
        manifest = writer.manifest
        size = file.tell()
    return BackupReport(
        path=str(target),
        size_bytes=size,
        manifest=manifest,
        signed=signer is not None,
        verified=False,
        seconds=time.perf_counter() - begun,
    )


def verify_backup(
    path: str | os.PathLike[str],
    provider: KeyProvider,
    *,
    verify_key: BackupVerifier | None = None,
    progress: Progress = False,
) -> BackupReport:
    """Read a backup to its end without restoring it: decrypt, parse every record, count, compare every hash.

    Args:
        path: of the file.
        provider: unwraps its key.
        verify_key: checks the signature, a `custinfo.crypto.Signer` with the public key; without one the signature
            is not looked at.
        progress: see `backup`.

    Returns:
        What is in it.

    Raises:
        DecryptionError: another provider; or the file was altered, cut, or has something behind its end.
        StoreError: "backup.damaged" for a stream that decrypts and is no backup; "backup.signature"; "backup.read";
            "backup.path".
        AccessDeniedError: "backup.write_only" for a provider that only wraps.
        SchemaVersionError: a newer custinfo wrote it.
        KeyUnavailableError: the provider does not answer.

    >>> from custinfo.crypto import LocalKeyProvider
    >>> verify_backup("nowhere/shop.backup", LocalKeyProvider.generate())
    Traceback (most recent call last):
    custinfo.errors.StoreError: the backup 'nowhere/shop.backup' cannot be read: No such file or directory; check \
path, rights and disk
    """
    begun = time.perf_counter()
    manifest, signed = read_backup(path, provider, Nothing(), verify_key=verify_key, progress=progress)
    return BackupReport(
        path=os.fspath(path),
        size_bytes=Path(path).stat().st_size,
        manifest=manifest,
        signed=signed,
        verified=verify_key is not None,
        seconds=time.perf_counter() - begun,
    )


@contextlib.contextmanager
def _new_file(path: Path) -> Iterator[BinaryIO]:
    """A file that appears under its name at the end, durable, and replaces nothing; none after an exception."""
    temporary = None
    try:
        if path.exists():
            raise _exists(path)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".partial")
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        _publish(Path(temporary), path)
    except CustInfoError:
        raise
    except OSError as exc:
        message = f"the backup {str(path)!r} cannot be written: {exc.strerror}; check folder, rights and room"
        raise StoreError(message, code="backup.write") from None
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                Path(temporary).unlink(missing_ok=True)


def _publish(temporary: Path, path: Path) -> None:
    try:
        # A link, unlike a rename, never replaces what somebody put there meanwhile.
        path.hardlink_to(temporary)
    except FileExistsError:
        raise _exists(path) from None
    except OSError:
        # File systems without links: the name was free when the backup was begun.
        temporary.replace(path)
    with contextlib.suppress(OSError):  # some file systems sync no folders; the file itself is complete
        folder = os.open(path.resolve().parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _exists(path: Path) -> StoreError:
    return StoreError(f"{str(path)!r} is there already; give each backup a name of its own", code="backup.exists")

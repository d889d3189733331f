"""Restoring a backup into an empty store of any backend, without those who were erased since."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import attrs

from custinfo._view import table
from custinfo.errors import StoreError
from custinfo.store._backup_read import read_backup
from custinfo.store._backup_report import BackupManifest
from custinfo.store._backup_write import readable
from custinfo.store._protocol import START, RecordStore, SupportsPurge, SupportsRestore, Unit
from custinfo.store._restore_erased import Erasures

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from custinfo._view import Progress
    from custinfo.crypto import KeyProvider, Keyring
    from custinfo.store._backup_read import BackupVerifier
    from custinfo.store._protocol import Key, Record


def _now() -> datetime:
    return datetime.now(UTC)


@attrs.frozen(kw_only=True)
class RestoreReport:
    """What a restore brought back, and what it did not.

    Args:
        manifest: of the backup.
        erased: ids of the customers who were erased after the backup was made: stubs in the restored store.
        changed: how many records were written without the personal values that they have in the backup.
        left_out: how many records, former states for the most part, were not brought back.
        replayed: whether erasures were replayed at all: a keyring was given, with a key for each subject.
        verified: whether the signature was checked.
        seconds: how long it took.

    >>> import tempfile
    >>> from custinfo.crypto import LocalKeyProvider
    >>> from custinfo.store import MemoryStore, backup
    >>> provider = LocalKeyProvider.generate()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = backup(MemoryStore(), f"{folder}/empty.backup", provider)
    ...     report = restore(f"{folder}/empty.backup", MemoryStore(), provider)
    >>> report.counts, report.erased, report.replayed
    ({}, (), False)
    """

    manifest: BackupManifest
    erased: tuple[str, ...]
    changed: int
    left_out: int
    replayed: bool
    verified: bool
    seconds: float

    @property
    def counts(self) -> dict[str, int]:
        """Kind -> number of records in the backup."""
        return self.manifest.counts

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return attrs.asdict(self, recurse=False) | {"manifest": self.manifest.to_dict(), "erased": list(self.erased)}

    def _repr_html_(self) -> str:
        names = ("changed", "left_out", "replayed", "verified", "seconds")
        return table({"erased": [len(self.erased)]} | {name: [getattr(self, name)] for name in names}, title="restore")


def restore(
    path: str | os.PathLike[str],
    store: RecordStore,
    provider: KeyProvider,
    *,
    keyring: Keyring | None = None,
    verify_key: BackupVerifier | None = None,
    clock: Callable[[], datetime] = _now,
    progress: Progress = False,
) -> RestoreReport:
    """Restore a backup into an empty store, in one unit: all of it, or nothing, also after a kill.

    Records keep their versions, keys and data. The pending events are given again by the feed of the new store, whose
    cursors are its own: readers begin at the start, since a cursor of the old store is refused. Nobody else may write
    to the store meanwhile.

    Args:
        path: of the backup.
        store: an empty store of any backend.
        provider: unwraps the backup's key.
        keyring: of the book. Who was shredded in its key store since the backup was made is not brought back: a
            customer becomes the stub that an erasure leaves, former states and reviews are left out, and accounts and
            payments lose their personal values. Leave it out for a store without encryption or without erasures.
        verify_key: checks the signature; see `verify_backup`.
        clock: gives the time of the stubs, aware.
        progress: see `backup`.

    Raises:
        StoreError: "backup.target_not_empty", "backup.damaged", "backup.signature", "backup.read",
            "backup.unsupported"; else as the store says.
        ConflictError: "restore.merge" where a merge in the backup was undone later and a part of its members erased.
        DecryptionError: as for `verify_backup`; "payload.altered" if the records are not this keyring's.
        KeyUnavailableError: the provider or the key store does not answer.
        SchemaVersionError: a newer custinfo wrote it.

    >>> import tempfile
    >>> from custinfo.crypto import LocalKeyProvider
    >>> from custinfo.store import Key, MemoryStore, Record, backup
    >>> source, target, provider = MemoryStore(), MemoryStore(), LocalKeyProvider.generate()
    >>> with source.unit() as unit:
    ...     version = unit.put(Record("customer", "c1", 0, b"data"), [Key("tag", "vip")], 0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = backup(source, f"{folder}/shop.backup", provider)
    ...     restore(f"{folder}/shop.backup", target, provider).counts
    {'customer': 1}
    >>> with target.unit(write=False) as unit:
    ...     unit.lookup("customer", "tag", "vip")
    ['c1']
    """
    begun = time.perf_counter()
    erasures = Erasures(keyring, clock()) if keyring is not None and keyring.mode == "subject" else None
    with store.unit() as unit:
        _check_empty(unit)
        loader = _Loader(unit, erasures)
        manifest, _ = read_backup(path, provider, loader, verify_key=verify_key, progress=progress)
        if erasures is not None:
            erasures.finish(unit)
    if erasures is not None and isinstance(store, SupportsPurge):
        store.purge()
    return RestoreReport(
        manifest=manifest,
        erased=tuple(sorted(erasures.customers)) if erasures else (),
        changed=erasures.changed if erasures else 0,
        left_out=erasures.left_out if erasures else 0,
        replayed=erasures is not None,
        verified=verify_key is not None,
        seconds=time.perf_counter() - begun,
    )


class _Loader:
    """Puts what a backup holds into a unit."""

    def __init__(self, unit: Unit, erasures: Erasures | None) -> None:
        self._unit = unit
        self._erasures = erasures

    def records(self, batch: Sequence[tuple[Record, Sequence[Key]]]) -> None:
        if self._erasures is not None:
            batch = self._erasures.apply(batch)
        if isinstance(self._unit, SupportsRestore):
            self._unit.load(batch)
            return
        for record, keys in batch:
            # A backend of a third party counts versions itself, so that they are gone through one by one.
            for version in range(record.version):
                self._unit.put(record, keys, version)

    def events(self, batch: Sequence[tuple[str, str, bytes]]) -> None:
        if isinstance(self._unit, SupportsRestore):
            self._unit.load_events(batch)
            return
        for event in batch:
            self._unit.emit(*event)


def _check_empty(unit: Unit) -> None:
    if readable(unit).kinds() or unit.feed(START, 1):
        raise StoreError(
            "the store is not empty, and a restore would mix two states; give it a new one",
            code="backup.target_not_empty",
        )

"""A drill: restore a backup for trial, compare, and say how long it took."""

from __future__ import annotations

import time
from typing import Any, Literal

import attrs

from custinfo._view import table
from custinfo.store._backup_report import BackupManifest
from custinfo.store._backup_write import BackupWriter, pages, readable
from custinfo.store._memory import MemoryStore
from custinfo.store._protocol import Record, RecordStore, Unit
from custinfo.store._restore import restore

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from custinfo._view import Progress
    from custinfo.crypto import KeyProvider
    from custinfo.store._backup_read import BackupVerifier
    from custinfo.store._backup_write import Readable
    from custinfo.store._protocol import Key

    Item = tuple[Record, list[Key]]

MOST_DIFFERENCES = 1000


@attrs.frozen(kw_only=True)
class Difference:
    """One record that is not as it should be; ids only, no values.

    Args:
        kind: of the record.
        id: of the record; "" for a whole section.
        what: "section" (counts or hashes are not those of the manifest), "data" or "keys" (other than in the source
            under the same version), "older" (the source has an earlier version than the backup).

    >>> Difference(kind="customer", id="c1", what="data").what
    'data'
    """

    kind: str
    id: str
    what: Literal["section", "data", "keys", "older"]


@attrs.frozen(kw_only=True)
class DrillReport:
    """How a drill went.

    Args:
        ok: nothing is different.
        manifest: of the backup.
        seconds: how long the restore took, which a real one takes at least.
        compared: records that are in the source under the same version, and were compared.
        newer: records that the source has changed since the backup.
        gone: records that the source has no more.
        added: records that the source has since.
        differences: what is wrong; the first 1,000.

    >>> import tempfile
    >>> from custinfo.crypto import LocalKeyProvider
    >>> from custinfo.store import Record, backup
    >>> store, provider = MemoryStore(), LocalKeyProvider.generate()
    >>> with store.unit() as unit:
    ...     version = unit.put(Record("customer", "c1", 0, b"data"), [], 0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = backup(store, f"{folder}/shop.backup", provider)
    ...     report = drill(f"{folder}/shop.backup", provider, against=store)
    >>> report.ok, report.compared, report.newer, report.differences
    (True, 1, 0, ())
    """

    ok: bool
    manifest: BackupManifest
    seconds: float
    compared: int
    newer: int
    gone: int
    added: int
    differences: tuple[Difference, ...]

    def __str__(self) -> str:
        outcome = "the backup is good" if self.ok else f"the backup is NOT good: {len(self.differences)} differences"
        records = sum(self.manifest.counts.values())
        return f"{outcome}; {records:,} records and {self.manifest.events:,} events restored in {self.seconds:.1f} s"

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        differences = [attrs.asdict(difference) for difference in self.differences]
        return attrs.asdict(self, recurse=False) | {"manifest": self.manifest.to_dict(), "differences": differences}

    def _repr_html_(self) -> str:
        names = ("kind", "id", "what")
        columns = {name: [getattr(difference, name) for difference in self.differences] for name in names}
        return table(columns, title=str(self))


def drill(
    path: str | os.PathLike[str],
    provider: KeyProvider,
    *,
    against: RecordStore | None = None,
    into: RecordStore | None = None,
    verify_key: BackupVerifier | None = None,
    progress: Progress = False,
) -> DrillReport:
    """Restore a backup for trial, and compare every record with the manifest and with the source.

    Args:
        path: of the backup.
        provider: unwraps its key.
        against: the store that the backup was made of, which may have gone on since.
        into: an empty store to restore into, of the backend that a real restore would use; in memory when left out.
        verify_key: checks the signature; see `verify_backup`.
        progress: of the restore; see `backup`.

    Raises:
        CustInfoError: as `restore`: a backup that cannot be restored has no report.

    >>> import tempfile
    >>> from custinfo.crypto import LocalKeyProvider
    >>> from custinfo.store import backup
    >>> provider = LocalKeyProvider.generate()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = backup(MemoryStore(), f"{folder}/empty.backup", provider)
    ...     str(drill(f"{folder}/empty.backup", provider)).partition(" in ")[0]
    'the backup is good; 0 records and 0 events restored'
    """
    target = MemoryStore() if into is None else into
    begun = time.perf_counter()
    manifest = restore(path, target, provider, verify_key=verify_key, progress=progress).manifest
    seconds = time.perf_counter() - begun
    comparison = _Comparison()
    with target.unit(write=False) as restored:
        comparison.sections(manifest, restored)
        if against is not None:
            with against.unit(write=False) as source:
                comparison.stores(restored, source)
    if into is None:
        target.close()
    return DrillReport(
        ok=not comparison.differences,
        manifest=manifest,
        seconds=seconds,
        compared=comparison.compared,
        newer=comparison.newer,
        gone=comparison.gone,
        added=comparison.added,
        differences=tuple(comparison.differences[:MOST_DIFFERENCES]),
    )


class _Comparison:
    """Counts what is alike, and notes what is not."""

    def __init__(self) -> None:
        self.compared = self.newer = self.gone = self.added = 0
        self.differences: list[Difference] = []

    def sections(self, manifest: BackupManifest, unit: Unit) -> None:
        """Read the restored store as a backup would, and compare with the manifest."""
        found = BackupWriter(
            unit, content=manifest.content, created_at=manifest.created_at, custinfo=manifest.custinfo
        ).drain()
        wanted = {section.kind: section for section in manifest.kinds}
        held = {section.kind: section for section in found.kinds}
        for kind in sorted(wanted.keys() | held.keys()):
            if wanted.get(kind) != held.get(kind):
                self._note(kind, "", "section")
        if (found.events, found.events_sha256) != (manifest.events, manifest.events_sha256):
            self._note("", "", "section")

    def stores(self, restored: Unit, source: Unit) -> None:
        """Compare two stores record by record, both in order."""
        one, other = readable(restored), readable(source)
        for kind in sorted({*one.kinds(), *other.kinds()}):
            self._kind(_items(one, kind), _items(other, kind))

    def _kind(self, restored: Iterator[Item], source: Iterator[Item]) -> None:
        one, other = next(restored, None), next(source, None)
        while one is not None or other is not None:
            if other is None or (one is not None and one[0].id < other[0].id):
                self.gone += 1
                one = next(restored, None)
            elif one is None or other[0].id < one[0].id:
                self.added += 1
                other = next(source, None)
            else:
                self._record(one, other)
                one, other = next(restored, None), next(source, None)

    def _record(self, restored: Item, source: Item) -> None:
        (one, keys), (other, source_keys) = restored, source
        if one.version < other.version:
            self.newer += 1
            return
        if one.version > other.version:
            self._note(one.kind, one.id, "older")
            return
        self.compared += 1
        if one.data != other.data:
            self._note(one.kind, one.id, "data")
        if keys != source_keys:
            self._note(one.kind, one.id, "keys")

    def _note(self, kind: str, id: str, what: Literal["section", "data", "keys", "older"]) -> None:
        self.differences.append(Difference(kind=kind, id=id, what=what))


def _items(unit: Readable, kind: str) -> Iterator[Item]:
    for page in pages(unit, kind):
        yield from page

"""The state that a unit reads, as the bytes of a backup, page by page."""

from __future__ import annotations

import hashlib
from datetime import datetime

from custinfo.errors import StoreError
from custinfo.store import _backup_format as form
from custinfo.store._backup_report import FORMAT, BackupManifest, BackupSection
from custinfo.store._keystore import COUNTER_KIND, KIND
from custinfo.store._protocol import (
    START,
    Cursor,
    Event,
    Key,
    Record,
    SupportsBackup,
    SupportsKeyRange,
    SupportsPending,
    Unit,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from typing import Protocol

    class Readable(Unit, SupportsBackup, Protocol):
        """A unit that a backup can read."""

    class BackupSigner(Protocol):
        """What signs: a `custinfo.crypto.Signer`."""

        def sign(self, message: bytes) -> bytes: ...


PAGE_BYTES = 2_000_000
PAGE_RECORDS = 1000
PAGE_EVENTS = 1000
KEY_KINDS = frozenset({KIND, COUNTER_KIND})


class BackupWriter:
    """The bytes of a backup of what *unit* reads; `read` gives them, then `manifest` says what they were."""

    def __init__(
        self,
        unit: Unit,
        *,
        content: str,
        created_at: datetime,
        custinfo: str,
        signer: BackupSigner | None = None,
        step: Callable[[int], None] = lambda done: None,
    ) -> None:
        self.manifest: BackupManifest
        self._unit = readable(unit)
        self._kinds = self._unit.kinds()
        _check_content(self._kinds, content)
        self._content = content
        self._created_at = created_at
        self._custinfo = custinfo
        self._signer = signer
        self._step = step
        self._done = 0
        self._pieces = self._all()
        self._left = bytearray()

    def read(self, size: int) -> bytes:
        """The next bytes, as of a file; all but the last piece have this size."""
        left = self._left
        while len(left) < size and (piece := next(self._pieces, b"")):
            left += piece
        found = bytes(left[:size])
        del left[:size]
        return found

    def drain(self) -> BackupManifest:
        """Read to the end for the manifest alone."""
        for _ in self._pieces:
            pass
        return self.manifest

    def _all(self) -> Iterator[bytes]:
        yield form.MAGIC
        sections: list[BackupSection] = []
        for kind in self._kinds:
            section = yield from self._section(kind)
            if section.records:
                sections.append(section)
        digest, count, cursor = hashlib.sha256(), 0, START
        while page := _events(self._unit, cursor):
            piece = b"".join([form.event_frame(*event[1:]) for event in page])
            digest.update(piece)
            count, cursor = count + len(page), page[-1].cursor
            yield piece
        self.manifest = BackupManifest(
            format=FORMAT,
            content=self._content,
            created_at=self._created_at,
            custinfo=self._custinfo,
            kinds=tuple(sections),
            events=count,
            events_sha256=digest.hexdigest(),
            cursor=cursor,
        )
        yield form.frame(form.MANIFEST, self.manifest.to_bytes())
        if self._signer is not None:
            yield form.frame(form.SIGNATURE, self._signer.sign(self.manifest.signed_bytes()))

    def _section(self, kind: str) -> Generator[bytes, None, BackupSection]:
        digest, records, keys = hashlib.sha256(), 0, 0
        piece = form.frame(form.KIND, kind.encode())
        for page in pages(self._unit, kind):
            piece += b"".join([form.record_frame(record, held) for record, held in page])
            digest.update(piece)
            records += len(page)
            keys += sum(len(held) for _, held in page)
            self._done += len(page)
            self._step(self._done)
            yield piece
            piece = b""
        return BackupSection(kind=kind, records=records, keys=keys, sha256=digest.hexdigest())


def readable(unit: Unit) -> Readable:
    """A unit that can say what its store holds.

    Raises:
        StoreError: "backup.unsupported".
    """
    if not isinstance(unit, SupportsBackup):
        raise StoreError(
            "the store cannot say what it holds, which backups need: its units lack kinds() and keys()",
            code="backup.unsupported",
        )
    return unit


def pages(unit: Readable, kind: str) -> Iterator[list[tuple[Record, list[Key]]]]:
    """The records of a kind with their keys; the larger the records, the fewer at once."""
    after, limit = "", 64
    while page := unit.page(kind, after, limit):
        if isinstance(unit, SupportsKeyRange):
            held = unit.keys_between(kind, after, page[-1].id)
            yield [(record, held.get(record.id, [])) for record in page]
        else:
            yield [(record, unit.keys(kind, record.id)) for record in page]
        after = page[-1].id
        size = sum(len(record.data) for record in page) // len(page) + 1
        limit = max(1, min(PAGE_RECORDS, PAGE_BYTES // size))


def _events(unit: Unit, after: Cursor) -> list[Event]:
    if isinstance(unit, SupportsPending):
        return unit.pending(after, PAGE_EVENTS)
    return unit.feed(after, PAGE_EVENTS)


def _check_content(kinds: list[str], content: str) -> None:
    if content == "data" and not KEY_KINDS.isdisjoint(kinds):
        raise StoreError(
            "keys lie in this store, and a backup of data must not hold them; keep keys in a store of their own, "
            "and back that up with keys=True",
            code="backup.keys",
        )
    if content == "keys" and not KEY_KINDS.issuperset(kinds):
        raise StoreError("keys=True is for a store that holds keys and nothing else", code="backup.keys")

"""The audit log: entries are appended without a shared lock, then sealed into one chain."""

from __future__ import annotations

import hmac
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any, Protocol

import attrs

from custinfo.errors import ConflictError, CustInfoError, InvalidFieldError, StoreError
from custinfo.govern._entry import AuditEntry, body_mac, canonical, chain_mac, is_sealed, parse, to_entry
from custinfo.model import new_id
from custinfo.store import Key, Record, RecordStore, Unit

KIND = "audit"
_OPEN = Key("open", "1")
_HEAD = Key("head", "1")
_PAGE = 1000
_ATTEMPTS = 5


class CheckpointSigner(Protocol):
    """What a checkpoint needs of `custinfo.crypto.Signer`."""

    def sign(self, message: bytes) -> bytes:
        """The signature of *message*."""
        ...


@attrs.frozen
class _Writer:
    """One writer's own chain: its id, its process, the number and MAC of its last entry."""

    id: str
    pid: int
    number: int
    mac: str


class Recorder:
    """Appends entries to the chain of one writer, inside units of work; see `AuditLog.recording`."""

    def __init__(self, log: AuditLog, writer: _Writer) -> None:
        self._log = log
        self.writer = writer

    def append(
        self,
        unit: Unit,
        *,
        actor: str,
        action: str,
        outcome: str = "ok",
        purpose: str = "operation",
        entity: str = "",
        subject: str | None = None,
        detail: dict[str, Any] | None = None,
    ) -> None:
        """Append one entry in *unit*; see `AuditEntry` for the fields."""
        if outcome not in {"ok", "denied"}:
            raise InvalidFieldError("outcome must be 'ok' or 'denied'", code="audit.outcome")
        stored: dict[str, Any] = {
            "writer": self.writer.id,
            "number": self.writer.number + 1,
            "previous": self.writer.mac,
            "at": self._log.now().isoformat(),
            "actor": actor,
            "action": action,
            "outcome": outcome,
            "purpose": purpose,
            "entity": entity,
            "subject": subject,
            "detail": detail or {},
        }
        stored["mac"] = body_mac(self._log.key, stored)
        unit.put(Record(KIND, new_id(), 0, canonical(stored)), (_OPEN,), 0)
        self.writer = attrs.evolve(self.writer, number=stored["number"], mac=stored["mac"])


class AuditLog:
    """An append-only log whose every change, removal or reordering shows.

    Each entry has a MAC and follows the last one of its writer; `seal` then gives the committed entries their sequence
    and ties them into one chain. What no log can show by itself is the removal of its newest entries: keep a
    `checkpoint` elsewhere, and `verify` against it.

    Args:
        store: where the entries live, as records of kind ``audit``.
        key: 32 bytes for the MACs, from ``keyring.secret("audit")``; empty = tamper evidence against mistakes only.
        signer: signs checkpoints.
        clock: gives the time of entries, aware.

    >>> from custinfo.store import MemoryStore
    >>> log = AuditLog(MemoryStore())
    >>> log.append(actor="desk-7", action="customer.get", entity="customer", subject="c1")
    >>> [(entry.sequence, entry.action) for entry in log.entries()], log.verify()
    ([(1, 'customer.get')], None)
    """

    def __init__(
        self,
        store: RecordStore,
        signer: CheckpointSigner | None = None,
        *,
        key: bytes = b"",
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        self._store = store
        self._signer = signer
        self._local = threading.local()
        self.key = key
        self.now = clock or (lambda: datetime.now(UTC))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._store!r})"

    @contextmanager
    def recording(self) -> Iterator[Recorder]:
        """A recorder for the units opened inside; after an exception the thread goes on with a new chain.

        An exception may have undone the last entry or not, so no later one may rely on it.
        """
        writer: _Writer | None = getattr(self._local, "writer", None)
        self._local.writer = None
        if writer is None or writer.pid != os.getpid():
            writer = _Writer(new_id(), os.getpid(), 0, "")
        recorder = Recorder(self, writer)
        yield recorder
        self._local.writer = recorder.writer

    def append(self, **entry: Any) -> None:
        """Append one entry in a unit of its own; arguments as `Recorder.append`."""
        with self.recording() as recorder, self._store.unit() as unit:
            recorder.append(unit, **entry)

    def seal(self) -> None:
        """Give all committed entries their sequence and chain them, in the order of their ids.

        Sealing stops before the first entry whose MAC does not fit; `verify` names it.

        Raises:
            ConflictError: other processes seal all the time.
        """
        for attempt in range(_ATTEMPTS):
            try:
                while self._seal_some():
                    pass
            except ConflictError:
                if attempt == _ATTEMPTS - 1:
                    raise
            else:
                return

    def _seal_some(self) -> bool:
        with self._store.unit() as unit:
            waiting = unit.lookup(KIND, *_OPEN[:2])[:_PAGE]
            if not waiting:
                return False
            head = self._head(unit)
            sequence, chain = (head[1]["sequence"], head[1]["chain"]) if head else (0, "")
            last: tuple[Record, dict[str, Any]] | None = None
            for record in unit.get(KIND, waiting):
                stored = parse(record.data)
                if stored is None or not self._fits(stored):
                    break
                sequence += 1
                chain = chain_mac(self.key, chain, sequence, stored["mac"])
                stored |= {"sequence": sequence, "chain": chain}
                sealed = record._replace(data=canonical(stored))
                version = unit.put(sealed, (_sequence_key(sequence),), record.version)
                last = (sealed._replace(version=version), stored)
            if last is None:
                return False
            if head:
                unit.put(head[0], (_sequence_key(head[1]["sequence"]),), head[0].version)
            unit.put(last[0], (_sequence_key(sequence), _HEAD), last[0].version)
            return last[0].id == waiting[-1]

    def _head(self, unit: Unit) -> tuple[Record, dict[str, Any]] | None:
        ids = unit.lookup(KIND, *_HEAD[:2])
        records = unit.get(KIND, ids)
        stored = parse(records[0].data) if records else None
        if ids and (stored is None or not is_sealed(stored)):
            raise StoreError("the head of the audit log is broken; run verify()", code="audit.broken")
        return (records[0], stored) if stored else None

    def _fits(self, stored: dict[str, Any]) -> bool:
        return hmac.compare_digest(body_mac(self.key, stored).encode(), str(stored["mac"]).encode())

    def entries(self, after: int = 0) -> list[AuditEntry]:
        """The sealed entries with a sequence above *after*, in order; seals first.

        Raises:
            StoreError: "audit.broken" where an entry cannot be read; `verify` names it.
        """
        self.seal()
        rows = [stored for stored in self._rows() if stored and is_sealed(stored) and stored["sequence"] > after]
        return [to_entry(stored) for stored in sorted(rows, key=lambda stored: stored["sequence"])]

    def _rows(self) -> Iterator[dict[str, Any] | None]:
        after = ""
        while True:
            with self._store.unit(write=False) as unit:
                page = unit.page(KIND, after, _PAGE)
            yield from (parse(record.data) for record in page)
            if len(page) < _PAGE:
                return
            after = page[-1].id

    def verify(self, since: str | None = None) -> int | None:
        """The first sequence that does not fit, or None where the whole log fits.

        Args:
            since: a checkpoint taken earlier and kept elsewhere: the log must still contain it.

        Raises:
            InvalidFieldError: "audit.checkpoint" where *since* is none.
        """
        with suppress(CustInfoError):  # a broken log cannot be sealed; the walk below says where it breaks
            self.seal()
        by_sequence: dict[int, dict[str, Any]] = {}
        odd = 0
        for stored in self._rows():
            if stored is None or not is_sealed(stored) or stored["sequence"] in by_sequence:
                odd += 1
            else:
                by_sequence[stored["sequence"]] = stored
        chain, number, last_of = "", 1, dict[str, tuple[int, str]]()
        marks = {0: ""}
        while (stored := by_sequence.get(number)) is not None and self._follows(stored, chain, last_of):
            chain = stored["chain"]
            marks[number] = chain
            number += 1
        if since is not None:
            sequence, mark = _read_checkpoint(since)
            if marks.get(sequence) != mark:
                return min(number, sequence)
        intact = not odd and len(by_sequence) == number - 1 and self._head_sequence() == number - 1
        return None if intact else number

    def _follows(self, stored: dict[str, Any], chain: str, last_of: dict[str, tuple[int, str]]) -> bool:
        """Whether a sealed entry has a right MAC and follows the one before it and the last of its writer."""
        writer = str(stored["writer"])
        number, mac = last_of.get(writer, (0, ""))
        if (
            not self._fits(stored)
            or stored.get("chain") != chain_mac(self.key, chain, stored["sequence"], stored["mac"])
            or (stored["number"], stored["previous"]) != (number + 1, mac)
        ):
            return False
        last_of[writer] = (stored["number"], stored["mac"])
        return True

    def _head_sequence(self) -> int:
        with self._store.unit(write=False) as unit:
            try:
                head = self._head(unit)
            except StoreError:
                return -1
        return head[1]["sequence"] if head else 0

    def checkpoint(self) -> str:
        """The state of the log as one line to keep elsewhere: ``sequence:chain``, and the signature where signed."""
        self.seal()
        with self._store.unit(write=False) as unit:
            head = self._head(unit)
        line = f"{head[1]['sequence']}:{head[1]['chain']}" if head else "0:"
        return f"{line}:{self._signer.sign(line.encode()).hex()}" if self._signer else line


def _sequence_key(sequence: int) -> Key:
    return Key("sequence", f"{sequence:012d}", unique=True)


def _read_checkpoint(text: str) -> tuple[int, str]:
    sequence, _, rest = text.partition(":")
    if not sequence.isdigit():
        raise InvalidFieldError("not a checkpoint of an audit log", code="audit.checkpoint")
    return int(sequence), rest.partition(":")[0]

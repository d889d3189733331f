"""The audit log: entries are appended without a shared lock, then sealed into one chain."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from datetime import UTC, datetime
from typing import Any, Protocol

from custinfo.errors import ConflictError, CustInfoError, InvalidFieldError
from custinfo.govern._chain import BLOCK, Walk, broken, read_head, seal_some, sealed_entries
from custinfo.govern._entry import KIND, AuditEntry, Macs, parse
from custinfo.govern._recorder import OPEN, Recorder, Writers
from custinfo.store import RecordStore

_ATTEMPTS = 20
_LONGEST_NUMBER = 15


class CheckpointSigner(Protocol):
    """What a checkpoint needs of `custinfo.crypto.Signer`."""

    def sign(self, message: bytes) -> bytes:
        """The signature of *message*."""
        ...


class AuditLog:
    """An append-only log whose every change, removal or reordering shows.

    Each entry has a MAC and follows the last one of its writer; `seal` then gives the committed entries their sequence
    and ties them into one chain. What no log can show by itself is that the whole store was put back to an earlier
    state, or that entries were removed before they were sealed: keep a `checkpoint` elsewhere, and `verify` against it.

    Args:
        store: where the entries live, as records of kind ``audit``.
        key: secret for the MACs, ``keyring.secret("audit")``; empty = evidence against mistakes only.
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
        self._macs = Macs(key)
        self._clock = clock or (lambda: datetime.now(UTC))
        self._writers = Writers()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._store!r})"

    def recording(self) -> AbstractContextManager[Recorder]:
        """A recorder for the units opened inside; after an exception the thread goes on with a new chain."""
        return self._writers.recording(self._macs, self._clock)

    def append(self, **entry: Any) -> None:
        """Append one entry in a unit of its own; arguments as `Recorder.append`."""
        with self.recording() as recorder, self._store.unit() as unit:
            recorder.append(unit, **entry)

    def seal(self) -> None:
        """Give all committed entries their sequence and chain them, in the order of their ids, which is that of time.

        Sealing stops before the first entry that was changed; `verify` names it.

        Raises:
            StoreError: "audit.broken" where the end of the chain is damaged.
            ConflictError: other processes seal all the time.
        """
        for _ in range(_ATTEMPTS):
            with suppress(ConflictError):  # somebody else sealed; go on with what is left
                self._seal()
                return
        self._seal()

    def _seal(self) -> None:
        with self._store.unit(write=False) as unit:
            waiting = unit.lookup(KIND, *OPEN[:2])
        for start in range(0, len(waiting), BLOCK):
            with self._store.unit() as unit:
                if not seal_some(unit, self._macs, waiting[start : start + BLOCK]):
                    return

    def entries(self, after: int = 0, *, until: int | None = None) -> list[AuditEntry]:
        """The sealed entries with after < sequence <= until, in order; seals first.

        Args:
            after: sequence to begin after.
            until: last sequence; the end of the log when left out.

        Raises:
            StoreError: "audit.broken" where one of them is missing or was changed; its ``details["at"]`` says which.
            InvalidFieldError: "audit.range".
        """
        if type(after) is not int or after < 0 or not (until is None or type(until) is int):
            raise InvalidFieldError("after and until are sequences: whole numbers from 0", code="audit.range")
        self.seal()
        with self._store.unit(write=False) as unit:
            head = read_head(unit, self._macs)
            last = head.sequence if until is None else min(until, head.sequence)
            found = list(sealed_entries(unit, self._macs, after=after, last=last))
            if found and last == head.sequence and found[-1].chain != head.chain:
                raise broken("the last entry of the audit log does not fit its head", sequence=last)
            # What is still open was appended meanwhile, or cannot be sealed.
            for record in unit.get(KIND, unit.lookup(KIND, *OPEN[:2])) if until is None else ():
                stored = parse(record)
                if stored is None or not self._macs.fits(record, stored):
                    raise broken("an entry of the audit log was changed", sequence=last + 1)
        return [stored.entry() for stored in found]

    def verify(self, since: str | None = None) -> int | None:
        """The first sequence that does not fit, or None where the whole log fits.

        Args:
            since: a checkpoint taken earlier and kept elsewhere: the log must still contain it.

        Raises:
            InvalidFieldError: "audit.checkpoint" where *since* is none.
        """
        mark = (0, "") if since is None else _read_checkpoint(since)
        with suppress(CustInfoError):  # a broken log cannot be sealed; the walk says where it breaks
            self.seal()
        with self._store.unit(write=False) as unit:
            return Walk(unit, self._macs).first_bad(mark)

    def checkpoint(self) -> str:
        """The state of the log as one line to keep elsewhere: ``sequence:chain``, and the signature where signed.

        Raises:
            StoreError: "audit.broken".
        """
        self.seal()
        with self._store.unit(write=False) as unit:
            head = read_head(unit, self._macs)
        line = f"{head.sequence}:{head.chain}"
        return f"{line}:{self._signer.sign(line.encode()).hex()}" if self._signer else line


def _read_checkpoint(text: object) -> tuple[int, str]:
    sequence, colon, rest = text.partition(":") if isinstance(text, str) else ("", "", "")
    if not colon or not (sequence.isascii() and sequence.isdecimal()) or len(sequence) > _LONGEST_NUMBER:
        raise InvalidFieldError(
            "not a checkpoint of an audit log; pass the line that checkpoint() gave", code="audit.checkpoint"
        )
    return int(sequence), rest.partition(":")[0]

"""Appending to the audit log: each writer goes on with a chain of its own, without a shared lock."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import attrs

from custinfo.errors import InvalidFieldError
from custinfo.govern._entry import KIND, OUTCOMES, Macs, Stored, to_json
from custinfo.model import new_id
from custinfo.store import Key, Record, Unit

OPEN = Key("open", "1")
LONGEST_TEXT = 1024
"""Characters of a name or an id; a longer one is cut, since nothing that long is either."""


@attrs.frozen
class Writer:
    """One writer's chain: its id, its process, the number and MAC of its last entry."""

    id: str
    pid: int
    number: int
    mac: str


class Recorder:
    """Appends entries to the chain of one writer, inside units of work; see `AuditLog.recording`."""

    def __init__(self, writer: Writer, macs: Macs, clock: Callable[[], datetime]) -> None:
        self.writer = writer
        self._macs = macs
        self._clock = clock

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
        """Append one entry in *unit*; see `AuditEntry` for the fields.

        Raises:
            InvalidFieldError: "audit.outcome"; "audit.detail" for what has no JSON form; "time.naive".
        """
        if outcome not in OUTCOMES:
            raise InvalidFieldError("outcome must be 'ok' or 'denied'", code="audit.outcome")
        at = self._clock()
        if at.tzinfo is None:
            raise InvalidFieldError("the clock gives a time without a zone; use datetime.now(UTC)", code="time.naive")
        number = self.writer.number + 1
        body = {
            "writer": self.writer.id,
            "number": number,
            "previous": self.writer.mac,
            "at": at.astimezone(UTC).isoformat(),
            "actor": _text(actor),
            "action": _text(action),
            "outcome": outcome,
            "purpose": _text(purpose),
            "entity": _text(entity),
            "subject": None if subject is None else _text(subject),
            "detail": _plain(detail) if detail else {},
        }
        id, text = new_id(), to_json(body)
        stored = Stored(body, text, self._macs.entry(id, text))
        unit.put(Record(KIND, id, 0, stored.data()), (OPEN,), 0)
        self.writer = Writer(self.writer.id, self.writer.pid, number, stored.mac)


def _text(value: object) -> str:
    # A call with an id of another type is refused elsewhere, and that refusal is recorded here.
    return value[:LONGEST_TEXT] if isinstance(value, str) else f"<{type(value).__name__}>"


def _plain(detail: object) -> dict[str, Any]:
    """A detail as it will be read: what is no text as a key becomes text before the MAC covers it."""
    try:
        plain = json.loads(to_json(detail))
    except (TypeError, ValueError, RecursionError):
        plain = None
    if not isinstance(plain, dict):
        raise InvalidFieldError("detail must be a mapping of JSON values", code="audit.detail")
    return plain


class Writers:
    """The chain of each thread."""

    def __init__(self) -> None:
        self._local = threading.local()

    @contextmanager
    def recording(self, macs: Macs, clock: Callable[[], datetime]) -> Iterator[Recorder]:
        """A recorder that goes on with this thread's chain; after an exception or a fork a new one is begun.

        An exception may have undone the last entry or not, so no later one may rely on it.
        """
        writer: Writer | None = getattr(self._local, "writer", None)
        self._local.writer = None
        if writer is None or writer.pid != os.getpid():
            writer = Writer(new_id(), os.getpid(), 0, "")
        recorder = Recorder(writer, macs, clock)
        yield recorder
        self._local.writer = recorder.writer

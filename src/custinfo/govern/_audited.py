"""Units of work and reads that make exactly one audit entry each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import attrs

from custinfo.errors import AccessDeniedError, CustInfoError
from custinfo.govern._audit import AuditLog
from custinfo.store import RecordStore, Unit

R = TypeVar("R")
OPERATION = "operation"


@attrs.frozen(kw_only=True)
class Act:
    """One public call, as the audit log will know it; an empty actor is the book's own."""

    action: str
    entity: str = ""
    subject: str | None = None
    actor: str = ""
    purpose: str = OPERATION


@attrs.define
class Work:
    """The unit of one call and what its audit entry will say besides; silent = it turned out to do nothing."""

    unit: Unit
    detail: dict[str, Any] = attrs.field(factory=dict)
    silent: bool = False


class Auditor:
    """Runs calls so that each makes exactly one audit entry.

    Args:
        store: of the data and the entries.
        log: the audit log in the same store.
        actor: who acts where an `Act` names nobody.
    """

    def __init__(self, store: RecordStore, log: AuditLog, *, actor: str) -> None:
        self._store = store
        self._log = log
        self._actor = actor

    @contextmanager
    def writing(self, act: Act, *, note_refusal: bool = True) -> Iterator[Work]:
        """A unit that commits together with one audit entry; an error undoes it and leaves one entry of its own.

        What interrupts the process (Ctrl-C) leaves neither.

        Args:
            act: the call.
            note_refusal: false where the caller writes the entry of an error himself.
        """
        try:
            with self._log.recording() as recorder, self._store.unit() as unit:
                work = Work(unit)
                yield work
                if not work.silent:
                    recorder.append(unit, **self._entry(act, detail=work.detail))
        except Exception as error:
            if note_refusal:
                self.note(act, outcome="denied", detail={"code": _code(error)})
            raise

    @contextmanager
    def noting_refusal(self, act: Act, detail: Callable[[], dict[str, Any]] = dict) -> Iterator[None]:
        """One audit entry for an error inside, and none otherwise.

        Args:
            act: the call.
            detail: what the entry says besides the code, asked for when the error comes.
        """
        try:
            yield
        except Exception as error:
            self.note(act, outcome="denied", detail={"code": _code(error), **detail()})
            raise

    def reading(self, act: Act, read: Callable[[], R]) -> R:
        """The answer of *read*; its audit entry is committed before the answer or the error is given."""
        try:
            answer = read()
        except Exception as error:
            outcome = "denied" if isinstance(error, AccessDeniedError) else "ok"
            self.note(act, outcome=outcome, detail={"code": _code(error)})
            raise
        self.note(act)
        return answer

    def note(self, act: Act, *, outcome: str = "ok", detail: dict[str, Any] | None = None) -> None:
        """One audit entry in a unit of its own."""
        self._log.append(**self._entry(act, outcome=outcome, detail=detail or {}))

    def _entry(self, act: Act, **more: Any) -> dict[str, Any]:
        return {
            "actor": act.actor or self._actor,
            "action": act.action,
            "purpose": act.purpose,
            "entity": act.entity,
            "subject": act.subject,
            **more,
        }


def _code(error: Exception) -> str:
    """What the log says of an error: its code; of one that is not ours the class only, for its text may be personal."""
    return error.code if isinstance(error, CustInfoError) else type(error).__name__

"""Who may use a unit, and when: the same rules and errors from every backend."""

from __future__ import annotations

from threading import get_ident
from typing import Generic, Protocol, TypeVar

from custinfo.errors import StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

ENDED = 0
"""Owner of a unit that has ended; thread identifiers are never 0."""

FORKED = -1
"""Owner of a unit whose process forked: the copy in the child is nobody's."""


class Owned(Protocol):
    """A unit that knows the thread it belongs to."""

    owner: int


UnitT = TypeVar("UnitT", bound=Owned)


class Turns(Protocol[UnitT]):
    """A store that begins and ends units."""

    def _begin(self, *, write: bool) -> UnitT: ...

    def _end(self, unit: UnitT, *, commit: bool) -> None: ...


class Turn(Generic[UnitT]):
    """The ``with`` block of a unit."""

    __slots__ = ("_store", "_unit", "_write")

    def __init__(self, store: Turns[UnitT], *, write: bool) -> None:
        self._store = store
        self._write = write
        self._unit: UnitT | None = None

    def __enter__(self) -> UnitT:
        if self._unit is not None:
            raise misused(self._unit.owner)
        self._unit = self._store._begin(write=self._write)
        return self._unit

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        unit = self._unit
        if unit is None:
            return
        if unit.owner == get_ident():
            self._store._end(unit, commit=kind is None)
        elif kind is None:
            raise misused(unit.owner)

    def __del__(self) -> None:
        # A with block that Ctrl-C left before its exit ran would block this thread's later units.
        unit = self._unit
        if unit is not None and unit.owner == get_ident():
            self._store._end(unit, commit=False)


def closed() -> StoreError:
    """The error for a store after `close`."""
    return StoreError("the store is closed; open it again", code="store.closed")


def nested() -> StoreError:
    """The error for a second unit of a thread inside its first."""
    message = "this thread already has a unit open on this store; use that unit, or end it first"
    return StoreError(message, code="store.nested")


def failed() -> StoreError:
    """The error for a unit that is used on, or left without an exception, after something failed in it."""
    message = "an earlier call in this unit failed, so it was undone; let the error of that call pass on"
    return StoreError(message, code="store.unit_failed")


def misused(owner: int) -> StoreError:
    """The error for a call on a unit by a thread that is not *owner*."""
    if owner == ENDED:
        return StoreError("the unit has ended; open another with store.unit()", code="store.unit_ended")
    if owner == FORKED:
        message = "the unit was opened before this process forked; end units before a fork"
        return StoreError(message, code="store.forked")
    if owner == get_ident():
        return nested()
    message = "the unit belongs to the thread that opened it; open one in this thread with store.unit()"
    return StoreError(message, code="store.unit_thread")


def not_writable() -> StoreError:
    """The error for a write in a unit that only reads."""
    message = "this unit only reads; open it with store.unit(), without write=False"
    return StoreError(message, code="store.unit_reads")


def locked(timeout_s: float) -> StoreError:
    """The error for a unit that could not get its turn."""
    message = (
        f"another user of the store has held it for more than timeout_s = {timeout_s:g} s; "
        "keep units short, or open the store with a larger timeout_s"
    )
    return StoreError(message, code="store.locked", timeout_s=timeout_s)

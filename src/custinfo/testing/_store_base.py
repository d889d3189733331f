"""What the parts of the store contract share."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager

from custinfo.store import START, Record
from custinfo.testing._deps import pytest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import NoReturn

    from custinfo.store import Cursor, Event, Key, RecordStore

BRIEF_S = 0.15
"""How long a test waits for something that a store whose units take turns cannot do yet."""

LONG_S = 9.0
"""How long a test waits for threads that must end."""


class StoreMaker:
    """What the author of a backend gives."""

    def make_store(self) -> RecordStore:
        """A fresh, empty store."""
        raise NotImplementedError("give make_store(self), which returns a fresh, empty store")

    def reopen(self, store: RecordStore) -> RecordStore | None:
        """The same store opened again, after *store* was closed; None where it keeps nothing."""
        return None

    @contextmanager
    def fresh(self) -> Iterator[RecordStore]:
        """A fresh store that is closed afterwards."""
        store = self.make_store()
        try:
            yield store
        finally:
            store.close()

    @contextmanager
    def reopened(self, store: RecordStore) -> Iterator[RecordStore]:
        """The same store, closed and opened again; the test is left out where it keeps nothing."""
        store.close()
        again = self.reopen(store)
        if again is None:
            pytest.skip("the store cannot be opened again: reopen() gives None")
        try:
            yield again
        finally:
            again.close()


def leave_out(capability: str) -> NoReturn:
    """Leave the test out."""
    pytest.skip(f"the unit has no {capability}")


def put(
    store: RecordStore, id: str, data: bytes = b"", *, keys: Sequence[Key] = (), version: int = 0, kind: str = "thing"
) -> int:
    """Store one record in a unit of its own."""
    with store.unit() as unit:
        return unit.put(Record(kind, id, version, data), keys, version)


def read(store: RecordStore, *ids: str, kind: str = "thing") -> list[tuple[str, int, bytes]]:
    """(id, version, data) of the records that exist."""
    with store.unit(write=False) as unit:
        return [(record.id, record.version, record.data) for record in unit.get(kind, ids)]


def look_up(store: RecordStore, name: str, value: str, *, kind: str = "thing") -> list[str]:
    """Ids that hold the key."""
    with store.unit(write=False) as unit:
        return unit.lookup(kind, name, value)


def emit(store: RecordStore, *subjects: str) -> None:
    """One event for each subject, in one unit."""
    with store.unit() as unit:
        for subject in subjects:
            unit.emit("thing.changed", subject, b"")


def read_feed(store: RecordStore, after: Cursor = START, *, limit: int = 100) -> list[Event]:
    """All events after a cursor, page by page."""
    events: list[Event] = []
    while True:
        with store.unit(write=False) as unit:
            page = unit.feed(after, limit)
        if not page:
            return events
        assert len(page) <= limit, f"asked for {limit} events, the feed gave {len(page)}"
        known = {event.cursor for event in events}
        assert known.isdisjoint(event.cursor for event in page), "the feed gives an event twice"
        events += page
        after = page[-1].cursor


def run_threads(*jobs: Callable[[], object]) -> None:
    """Run the jobs at the same time and raise the first error of one of them."""
    errors: list[BaseException] = []

    def run(job: Callable[[], object]) -> None:
        try:
            job()
        except BaseException as exc:  # noqa: BLE001 - handed to the test's own thread
            errors.append(exc)

    threads = [threading.Thread(target=run, args=(job,), daemon=True) for job in jobs]
    deadline = time.monotonic() + LONG_S
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    if errors:
        raise errors[0]
    assert not any(thread.is_alive() for thread in threads), "the threads do not come to an end"

"""What a backup reads from the SQLite store and a restore writes to it, in statements of many rows."""

from __future__ import annotations

from itertools import islice

from custinfo.store import _checks
from custinfo.store._protocol import Key, Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any, Protocol

    class Reads(Protocol):
        """Run a query; gives its rows."""

        def __call__(self, sql: str, values: Sequence[object], /) -> list[tuple[Any, ...]]: ...

    class Changes(Protocol):
        """Run a statement with each of some values; gives the number of changed rows."""

        def __call__(self, sql: str, values: Sequence[Sequence[object]], /) -> int: ...


KEYS_BETWEEN = "SELECT id, name, value, uniq FROM ci_key WHERE kind = ? AND id > ? AND id <= ? ORDER BY id, name, value"
SET_VERSION = "UPDATE ci_record SET version = ? WHERE kind = ? AND id = ?"
LOAD_EVENT = "INSERT INTO ci_outbox(type, subject, data) VALUES(?, ?, ?)"

RECORDS_PER_RUN = 1000
BYTES_PER_RUN = 4_000_000


def keys_between(rows: Reads, kind: str, after: str, last: str) -> dict[str, list[Key]]:
    """The keys of a page of records; see `SupportsKeyRange.keys_between`."""
    _checks.check_kind(kind)
    _checks.check_after(after)
    _checks.check_id(last)
    found: dict[str, list[Key]] = {}
    for id, name, value, unique in rows(KEYS_BETWEEN, (kind, after, last)):
        found.setdefault(id, []).append(Key(name, value, unique == 1))
    return found


def load(
    put_run: Callable[[list[tuple[Record, Sequence[Key], int]]], None],
    change_many: Changes,
    items: Iterable[tuple[Record, Sequence[Key]]],
) -> int:
    """Store records under the versions that they have; see `SupportsRestore.load`."""
    count = 0
    for run in _runs(items):
        put_run([(record, keys, 0) for record, keys in run])
        if later := [(record.version, record.kind, record.id) for record, _ in run if record.version != 1]:
            change_many(SET_VERSION, later)
        count += len(run)
    return count


def load_events(change_many: Changes, events: Iterable[tuple[str, str, bytes]]) -> int:
    """Add many events; see `SupportsRestore.load_events`."""
    count, rest = 0, iter(events)
    while run := list(islice(rest, RECORDS_PER_RUN)):
        for event in run:
            _checks.check_event(*event)
        count += change_many(LOAD_EVENT, run)
    return count


def _runs(items: Iterable[tuple[Record, Sequence[Key]]]) -> Iterator[list[tuple[Record, Sequence[Key]]]]:
    run: list[tuple[Record, Sequence[Key]]] = []
    size = 0
    for record, keys in items:
        _checks.check_loaded(record, keys)
        run.append((record, keys))
        size += len(record.data)
        if len(run) == RECORDS_PER_RUN or size > BYTES_PER_RUN:
            yield run
            run, size = [], 0
    if run:
        yield run

"""Small stores that are right, without and with capabilities: the ground that the sabotaged ones are built on."""

from __future__ import annotations

import secrets
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field

from custinfo.errors import ConflictError, DuplicateKeyError, StoreError
from custinfo.store import Cursor, Event, Record
from custinfo.store._typed_arrays import arrays_of_rows
from custinfo.store._typed_columns import typed_columns, typed_row


@dataclass
class State:
    """Rows (version, data, keys), events (number, type, subject, data) and the last event's number."""

    rows: dict = field(default_factory=dict)
    events: list = field(default_factory=list)
    last: int = 0

    def copy(self):
        return State(dict(self.rows), list(self.events), self.last)


class PlainUnit:
    def __init__(self, store, state):
        self.store = store
        self.state = state
        self.emitted = []
        self.base = {}

    def get(self, kind, ids):
        return [self.record(kind, id) for id in ids if (kind, id) in self.state.rows]

    def record(self, kind, id):
        version, data, _ = self.state.rows[kind, id]
        return Record(kind, id, version, data)

    def version(self, kind, id):
        return self.state.rows.get((kind, id), (0,))[0]

    def expect(self, kind, id, version):
        if self.version(kind, id) != version:
            raise ConflictError("another version")
        self.base.setdefault((kind, id), version)

    def put(self, record, keys, expected_version):
        self.expect(record.kind, record.id, expected_version)
        self.check_unique(record, keys)
        self.write(record, keys, expected_version + 1)
        return expected_version + 1

    def check_unique(self, record, keys):
        wanted = {(key.name, key.value) for key in keys if key.unique}
        if not wanted:
            return
        for (kind, id), (_, _, held) in self.state.rows.items():
            if kind == record.kind and id != record.id:
                for key in held:
                    if key.unique and (key.name, key.value) in wanted:
                        raise DuplicateKeyError("another record holds it")

    def write(self, record, keys, version):
        self.state.rows[record.kind, record.id] = (version, record.data, tuple(keys))

    def delete(self, kind, id, expected_version):
        if not self.version(kind, id):
            raise ConflictError("nothing to delete")
        self.expect(kind, id, expected_version)
        del self.state.rows[kind, id]

    def lookup(self, kind, name, value):
        return sorted(id for id in self.ids(kind) if any(key[:2] == (name, value) for key in self.keys_of(kind, id)))

    def keys_of(self, kind, id):
        return self.state.rows[kind, id][2]

    def ids(self, kind):
        return [id for held, id in self.state.rows if held == kind]

    def page(self, kind, after, limit):
        return [self.record(kind, id) for id in sorted(self.ids(kind)) if id > after][:limit]

    def emit(self, type, subject, data):
        self.emitted.append((type, subject, data))

    def feed(self, after, limit):
        name, _, seq = after.rpartition(".") if after else (self.store.name, ".", "0")
        if name != self.store.name:
            raise StoreError("a cursor of another store")
        events = [event for event in self.state.events if event[0] > int(seq)][:limit]
        return [Event(Cursor(f"{name}.{number}"), *rest) for number, *rest in events]


class PlainStore:
    """A writer works on a copy of the state and puts it in place; writers take turns, readers never wait."""

    unit_class = PlainUnit

    def __init__(self):
        self.name = secrets.token_hex(4)
        self.state = State()
        self.lock = threading.Lock()
        self.closed = False

    @contextmanager
    def unit(self, *, write=True):
        self.check_open()
        if not write:
            yield self.unit_class(self, self.state)
            return
        with self.lock:
            unit = self.unit_class(self, self.state.copy())
            yield unit
            self.commit(unit)

    def commit(self, unit):
        for row in unit.emitted:
            unit.state.last += 1
            unit.state.events.append((unit.state.last, *row))
        self.state = unit.state

    def check_open(self):
        if self.closed:
            raise StoreError("closed")

    def close(self):
        self.closed = True


class OptimisticStore(PlainStore):
    """Writers overlap; the second of two that touched the same record fails at the end of its unit."""

    @contextmanager
    def unit(self, *, write=True):
        self.check_open()
        unit = self.unit_class(self, self.state.copy())
        yield unit
        if write:
            with self.lock:
                self.merge(unit)

    def merge(self, unit):
        now = self.unit_class(self, self.state.copy())
        for (kind, id), version in unit.base.items():
            now.expect(kind, id, version)
            now.state.rows.pop((kind, id), None)
        for kind, id in unit.base:
            if (kind, id) in unit.state.rows:
                version, data, keys = unit.state.rows[kind, id]
                self.check_again(now, Record(kind, id, 0, data), keys)
                now.state.rows[kind, id] = (version, data, keys)
        now.emitted = unit.emitted
        self.commit(now)

    def check_again(self, unit, record, keys):
        unit.check_unique(record, keys)


class FullUnit(PlainUnit):
    """All capabilities, each as plainly as can be."""

    def put_many(self, items):
        return [self.put(*item) for item in items]

    def trim(self, cursor):
        kept = {event.cursor for event in self.feed(cursor, 10**9)}
        dropped = [event for event in self.state.events if f"{self.store.name}.{event[0]}" not in kept]
        self.state.events = [event for event in self.state.events if event not in dropped]
        return len(dropped)

    def query(self, kind, *, all_of=(), range=None, order=None, after="", limit):
        found = [(self.place(kind, id, order), id) for id in self.ids(kind) if self.meets(kind, id, all_of, range)]
        found = sorted((place, id) for place, id in found if place is not None)
        behind = (self.place(kind, after, order), after) if after else ("", "")
        return [id for place, id in found if not after or (place, id) > behind][:limit]

    def place(self, kind, id, order):
        if order is None:
            return ""
        return min((key.value for key in self.keys_of(kind, id) if key.name == order), default=None)

    def meets(self, kind, id, all_of, range):
        keys = [key[:2] for key in self.keys_of(kind, id)]
        return set(all_of) <= set(keys) and (range is None or any(self.within(*key, *range) for key in keys))

    def within(self, key, value, name, low, high):
        return key == name and (low is None or low <= value) and (high is None or value < high)

    def kinds(self):
        return sorted({kind for kind, _ in self.state.rows})

    def keys(self, kind, id):
        return sorted(self.keys_of(kind, id)) if (kind, id) in self.state.rows else []

    def keys_between(self, kind, after, last):
        found = {id: self.keys(kind, id) for id in sorted(self.ids(kind)) if after < id <= last}
        return {id: keys for id, keys in found.items() if keys}

    def pending(self, after, limit):
        return self.feed(after, limit)

    def load(self, items):
        number = 0
        for number, (record, keys) in enumerate(items, 1):  # noqa: B007 - the last one is the count
            self.expect(record.kind, record.id, 0)
            self.check_unique(record, keys)
            self.write(record, keys, record.version)
        return number

    def load_events(self, events):
        before = len(self.emitted)
        self.emitted.extend(events)
        return len(self.emitted) - before

    def columns(self, kind, names):
        rows = [typed_row(record) for record in self.page(kind, "", 10**9)]
        wanted = [(number, column) for number, column in enumerate(typed_columns(kind)) if column.path in names]
        if None in rows or not wanted:
            return {}
        values = [tuple(row[number] for number, _ in wanted) for row in rows]
        return arrays_of_rows([column for _, column in wanted], [values] if values else [])


class FullStore(PlainStore):
    unit_class = FullUnit

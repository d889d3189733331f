"""The tables of the memory store: changed in place, taken back by an undo list."""

from __future__ import annotations

from typing import NamedTuple

from custinfo.store._cursor import new_incarnation
from custinfo.store._protocol import Record

Keys = dict[tuple[str, str], bool]
"""(name, value) -> unique."""

Held = tuple[Record, Keys]
"""A stored record and its keys."""


class State(NamedTuple):
    """What one assignment commits: nothing to undo any more, and how far the outbox goes."""

    undo: list[tuple[str, str, Held | None, Keys]]
    events: list[tuple[str, str, bytes]]
    trimmed: int
    last: int


class Tables:
    """What is stored, and how to take back what the current unit did, wherever Ctrl-C cut it short."""

    def __init__(self) -> None:
        self.incarnation = new_incarnation()
        self.held: dict[str, dict[str, Held]] = {}
        self.index: dict[tuple[str, str, str], dict[str, bool]] = {}
        self.order: dict[str, list[str]] = {}
        self.state = State([], [], 0, 0)

    def change(self, kind: str, id: str, new: Held | None) -> None:
        """Replace a record and its keys; the undo entry comes before the first change."""
        old = self.held.setdefault(kind, {}).get(id)
        self.state.undo.append((kind, id, old, {} if new is None else new[1]))
        self._set(kind, id, {} if old is None else old[1], new)

    def commit(self, emitted: list[tuple[str, str, bytes]], trim_to: int) -> None:
        """Make the changes of the unit permanent by one assignment."""
        _, events, trimmed, last = self.state
        if trim_to > trimmed:
            events = events[trim_to - trimmed :] + emitted
            trimmed = trim_to
        else:
            events.extend(emitted)
        self.state = State([], events, trimmed, last + len(emitted))

    def roll_back(self) -> None:
        """Take back what is not committed; may be called again after it was cut short."""
        undo, events, trimmed, last = self.state
        while undo:
            kind, id, old, keys = undo[-1]
            self._set(kind, id, keys, old)
            undo.pop()
        del events[last - trimmed :]

    def sorted_ids(self, kind: str) -> list[str]:
        """The ids of *kind* in code-point order."""
        ids = self.order.get(kind)
        if ids is None:
            ids = self.order[kind] = sorted(self.held.get(kind, ()))
        return ids

    def _set(self, kind: str, id: str, gone: Keys, new: Held | None) -> None:
        rows = self.held.setdefault(kind, {})
        if (id in rows) is (new is None):
            self.order.pop(kind, None)
        for name, value in gone:
            holders = self.index.get((kind, name, value))
            if holders is not None:
                holders.pop(id, None)
                if not holders:
                    del self.index[kind, name, value]
        if new is None:
            rows.pop(id, None)
            return
        for (name, value), unique in new[1].items():
            self.index.setdefault((kind, name, value), {})[id] = unique
        rows[id] = new

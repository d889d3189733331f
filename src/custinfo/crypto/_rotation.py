"""Rotations: wrap the roots anew, or everything that lies under them. No data key changes, so no token does."""

from __future__ import annotations

import attrs

from custinfo._view import reporting
from custinfo.crypto._root import DATA_KEY, SECRET, RootRing
from custinfo.crypto._rows import (
    DATA_KEY_MAGIC,
    GOING,
    RETIRED,
    SECRET_MAGIC,
    SWEEPING,
    Names,
    pack_keys,
    pack_roots,
    unpack_keys,
)
from custinfo.errors import ConflictError, DecryptionError, KeyDestroyedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from custinfo._view import Progress
    from custinfo.crypto._guard import GuardedStore
    from custinfo.crypto._provider import KeyProvider

PAGE_ROWS = 500


def rotate_kek(ring: RootRing, store: GuardedStore, names: Names, provider: KeyProvider | None) -> None:
    """Wrap every root of the root row by *provider* (None: anew by the ring's own), in one write."""
    while True:
        entries, revision = ring.read()
        if not entries:
            return
        row = pack_roots(tuple(ring.rewrapped(entry, provider) for entry in entries))
        try:
            store.put([(names.root, row, revision)])
        except ConflictError:
            continue
        return


def rotate_root(ring: RootRing, store: GuardedStore, names: Names, progress: Progress) -> int:
    """Name a new root, or find the one that an earlier call named; sweep all rows; end the rotation."""
    _begin(ring, store, names)
    rows = [
        _Row(name, magic, label, "" if prefix == names.process else name[len(prefix) :])
        for prefix, magic, label in (
            (names.subject, DATA_KEY_MAGIC, DATA_KEY),
            (names.process, DATA_KEY_MAGIC, DATA_KEY),
            (names.secret, SECRET_MAGIC, SECRET),
        )
        for name in _all_names(store, prefix)
    ]
    moved = damaged = 0
    with reporting(progress, total=len(rows), label="rows") as step:
        for at in range(0, len(rows), PAGE_ROWS):
            page = rows[at : at + PAGE_ROWS]
            try:
                done = _move(ring, store, page)
            except (ConflictError, KeyDestroyedError):
                # A row changed under our hands: one by one, so that the others are not held up by it.
                done = [_move_one(ring, store, row) for row in page]
            moved += done.count(True)
            damaged += done.count(None)
            step(at + len(page))
    if damaged:
        raise DecryptionError(
            f"{damaged} rows of the key store cannot be opened and were left as they are; restore them from a backup "
            "of the key store and run this again",
            code="rotate.damaged",
            rows=damaged,
        )
    _end(ring, store, names)
    return moved


@attrs.frozen
class _Row:
    name: str
    magic: bytes
    label: bytes
    subject: str


def _begin(ring: RootRing, store: GuardedStore, names: Names) -> None:
    while True:
        ring.load()
        entries, revision = ring.read()
        if any(entry.current and entry.flags & SWEEPING for entry in entries):
            return
        # What the rotation before retired goes after this sweep: one more rotation of grace for a writer that was
        # killed between writing a row and seeing that its root had been retired.
        retired = [
            attrs.evolve(entry, flags=entry.flags | RETIRED | (GOING if entry.flags & RETIRED else 0))
            for entry in entries
        ]
        reader: KeyProvider = ring.provider  # type: ignore[assignment]
        for entry in entries:
            if entry.current:
                ring.open_wrapped(reader, entry)  # else the KEK moved, and the new root would lie under the old one
        fresh = ring.new_root(flags=SWEEPING)
        ring.open_wrapped(reader, fresh)  # everything will lie under it, so it must be seen to open first
        try:
            store.put([(names.root, pack_roots((fresh, *retired)), revision)])
        except ConflictError:
            continue


def _end(ring: RootRing, store: GuardedStore, names: Names) -> None:
    swept = ring.current_id()
    while True:
        entries, revision = ring.read()
        if not any(entry.root_id == swept and entry.flags & SWEEPING for entry in entries):
            return  # another process ended it first
        kept = [attrs.evolve(entry, flags=entry.flags & ~SWEEPING) for entry in entries if not entry.flags & GOING]
        try:
            store.put([(names.root, pack_roots(tuple(kept)), revision)])
        except ConflictError:
            continue
        return


def _all_names(store: GuardedStore, prefix: str) -> Iterator[str]:
    after = ""
    while page := store.names(prefix, after):
        yield from page
        after = page[-1]


def _move(ring: RootRing, store: GuardedStore, rows: list[_Row]) -> list[bool | None]:
    """Wrap rows under the current root in one put: True = moved, False = nothing to do, None = damaged."""
    root_id = ring.current_id()
    items, done = [], list[bool | None]()
    for row, found in zip(rows, store.get_many([row.name for row in rows]), strict=True):
        if found is None or found[0] is None:
            done.append(False)
            continue
        subject = row.subject.encode()
        try:
            entries = unpack_keys(found[0], magic=row.magic)
            moved = tuple(
                entry
                if entry.root_id == root_id
                else ring.wrap(
                    ring.unwrap(entry, label=row.label, subject=subject),
                    label=row.label,
                    subject=subject,
                    kid=entry.kid,
                )
                for entry in entries
            )
        except DecryptionError as exc:
            if exc.code != DecryptionError.code:
                raise
            done.append(None)
            continue
        done.append(moved != entries)
        if moved != entries:
            items.append((row.name, pack_keys(moved, magic=row.magic), found[1]))
    if items:
        store.put(items)
    return done


def _move_one(ring: RootRing, store: GuardedStore, row: _Row) -> bool | None:
    while True:
        try:
            return _move(ring, store, [row])[0]
        except KeyDestroyedError:
            return False
        except ConflictError:
            continue

"""Data keys: one per subject, or one per process; durable in the key store before the first token needs them."""

from __future__ import annotations

import contextlib
import os

from cryptography.exceptions import InvalidTag

from custinfo.crypto._format import ID_LEN, KEY_LEN, bad_token, destroyed, field_key
from custinfo.crypto._root import DATA_KEY, RootRing
from custinfo.crypto._rows import DATA_KEY_ENTRY_LEN, DATA_KEY_MAGIC, KeyEntry, Names, pack_keys, unpack_keys
from custinfo.errors import ConflictError, DecryptionError, KeyDestroyedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from custinfo.crypto._watch import Watch


class Held:
    """The keys of one row, as they were when the watch had *stamp*.

    ``header`` (of new tokens) and ``key`` are for writing, and mostly the only ones; ``more`` has the further keys of
    the row by key id, for reading. A keyring that can open none of a row's keys holds an empty header.
    """

    __slots__ = ("header", "key", "more", "revision", "stamp")

    def __init__(self, stamp: int, revision: int, header: bytes, key: bytes, more: dict[bytes, bytes] | None) -> None:
        self.stamp = stamp
        self.revision = revision
        self.header = header
        self.key = key
        self.more = more

    def find(self, kid: bytes) -> bytes | None:
        """The key of that id."""
        if kid == self.header[2:]:
            return self.key
        return self.more.get(kid) if self.more else None


class DataKeys:
    """The data keys of one tenant, with a bounded cache of plain 32-byte keys.

    Shared by threads without a lock: the key store's compare-and-swap decides who made a key, and two threads that
    open the same row at once only do it twice.

    Attributes:
        held: row name -> keys; an entry is good while its stamp is the watch's.
    """

    def __init__(self, ring: RootRing, watch: Watch, names: Names, *, start: bytes, cache_size: int) -> None:
        self.held: dict[str, Held] = {}
        self._ring = ring
        self._watch = watch
        self._names = names
        self._start = start
        self._cache_size = cache_size

    def load(self, name: str, subject: str) -> Held | None:
        """The keys of the row *name*, or None where there is no row.

        Raises:
            KeyDestroyedError: the row is a tombstone.
            DecryptionError: the row is damaged.
        """
        stamp = self._watch.stamp  # before the look: what changes after it makes the stamp an old one
        found = self._watch.store.get(name)
        if found is None:
            self.held.pop(name, None)
            return None
        held = self._known(stamp, name, found)
        if held is None:
            held = self._keep(name, self._opened(stamp, found[1], self._unwrapped(found[0], subject)))
        return held

    def load_many(self, subjects: dict[str, str]) -> dict[str, str]:
        """Open the rows of those *subjects* (row name -> subject) in one look; gives the subjects that have no row.

        Raises:
            KeyDestroyedError: a row is a tombstone.
            DecryptionError: a row is damaged.
        """
        stamp = self._watch.stamp
        rows, absent = [], {}
        for (name, subject), found in zip(subjects.items(), self._watch.store.get_many(list(subjects)), strict=True):
            if found is None:
                self.held.pop(name, None)
                absent[name] = subject
            elif self._known(stamp, name, found) is None:
                rows.append((name, found[1], found[0], subject))
        # One kind of work after the other: each stays in the CPU's caches.
        deks = [self._unwrapped(row, subject) for _, _, row, subject in rows]
        for (name, revision, _, _), found_deks in zip(rows, deks, strict=True):
            self._keep(name, self._opened(stamp, revision, found_deks))
        return absent

    def make(self, name: str, subject: str) -> Held:
        """Make the data key of one subject, durable when it returns.

        Written out, since an import record by record pays it each time; `make_many` is for all else.

        Raises:
            ConflictError: the row exists already; nothing was written.
            KeyDestroyedError: the row is a tombstone; nothing was written.
        """
        stamp = self._watch.stamp
        ring = self._ring
        root_id, siv = ring.for_wrapping(1)
        dek = os.urandom(KEY_LEN)
        key, kid = field_key(dek)
        blob = siv.encrypt(dek, [DATA_KEY, ring.tenant_aad, subject.encode(), kid])
        self._watch.store.put([(name, DATA_KEY_MAGIC + root_id + kid + blob, 0)])
        if ring.moved_from(root_id):
            self._confirm(root_id, {name: subject}, [dek])
        return self._keep(name, Held(stamp, 1, self._start + kid, key, None))

    def make_many(self, subjects: dict[str, str]) -> None:
        """Make a data key for each of *subjects* (row name -> subject), durable in one put.

        Raises:
            ConflictError: a row exists already; nothing was written.
            KeyDestroyedError: a row is a tombstone; nothing was written.
        """
        stamp = self._watch.stamp
        ring = self._ring
        root_id, siv = ring.for_wrapping(len(subjects))
        # Drawn for these alone and used up here: a buffer kept for later would repeat its keys after a fork.
        drawn = os.urandom(KEY_LEN * len(subjects))
        deks = [drawn[at : at + KEY_LEN] for at in range(0, len(drawn), KEY_LEN)]
        keys = [field_key(dek) for dek in deks]
        wrap, tenant, start = siv.encrypt, ring.tenant_aad, DATA_KEY_MAGIC + root_id
        items: list[tuple[str, bytes | None, int]] = [
            (name, start + kid + wrap(dek, [DATA_KEY, tenant, subject.encode(), kid]), 0)
            for (name, subject), dek, (_, kid) in zip(subjects.items(), deks, keys, strict=True)
        ]
        self._watch.store.put(items)
        self._confirm(root_id, subjects, deks)
        for name, (key, kid) in zip(subjects, keys, strict=True):
            self._keep(name, Held(stamp, 1, self._start + kid, key, None))

    def make_missing(self, subjects: dict[str, str]) -> None:
        """Make the data keys of those *subjects* (row name -> subject) that have none, durable in one put.

        Raises:
            KeyDestroyedError: one of the subjects was shredded; nothing was written.
        """
        first = next(iter(subjects.items()))
        try:
            # In a first import no subject has a key, and asking for each would cost more than the put.
            if self.load(*first) is None:
                self.make_many(subjects)
                return
        except (ConflictError, KeyDestroyedError):
            pass
        while True:
            missing = self.load_many(subjects)
            try:
                if missing:
                    self.make_many(missing)
                return
            except (ConflictError, KeyDestroyedError):
                continue

    def make_for_process(self) -> tuple[str, Held]:
        """A data key of no subject, in a row named by its id: (row name, keys)."""
        dek = os.urandom(KEY_LEN)
        key, kid = field_key(dek)
        name = self._names.process + kid.hex()
        stamp = self._watch.stamp
        entry = self._ring.wrap(dek, label=DATA_KEY, subject=b"", kid=kid)
        self._watch.store.put([(name, pack_keys((entry,), magic=DATA_KEY_MAGIC), 0)])
        self._confirm(entry.root_id, {name: ""}, [dek])
        return name, self._keep(name, Held(stamp, 1, self._start + kid, key, None))

    def writable(self, name: str, subject: str) -> Held:
        """The keys of a subject, made now where it has none that this keyring can use.

        Raises:
            KeyDestroyedError: the subject was shredded.
            DecryptionError: the row is damaged.
        """
        while True:
            held = self.load(name, subject)
            if held is not None and held.header:
                return held
            try:
                if held is None:
                    return self.make(name, subject)
                self._append(name, subject)
            except (ConflictError, KeyDestroyedError):
                continue  # somebody else was first; the next load says what is there now

    def _append(self, name: str, subject: str) -> None:
        # A reading keyring makes no second key beside one that it cannot open: that would hide the damage.
        if self._ring.can_read:
            raise bad_token()
        found = self._watch.store.get(name)
        row, revision = found or (None, 0)
        if row is None:
            raise ConflictError("the row was destroyed meanwhile; read it again")
        dek = os.urandom(KEY_LEN)
        kid = field_key(dek)[1]
        entry = self._ring.wrap(dek, label=DATA_KEY, subject=subject.encode(), kid=kid)
        entries = (entry, *unpack_keys(row, magic=DATA_KEY_MAGIC))
        self._watch.store.put([(name, pack_keys(entries, magic=DATA_KEY_MAGIC), revision)])
        self._confirm(entry.root_id, {name: subject}, [dek])

    def _confirm(self, root_id: bytes, subjects: dict[str, str], deks: Sequence[bytes]) -> None:
        """Move keys that were wrapped under a root which a rotation retired meanwhile.

        A rotation names its new root first and sweeps afterwards. So a key written before that is found by the
        sweep, and one written later finds the new root here: none stays behind under a root that will go.
        """
        while self._ring.moved_from(root_id):
            root_id = self._ring.current_id()
            for (name, subject), dek in zip(subjects.items(), deks, strict=True):
                kid = field_key(dek)[1]
                self._move(name, self._ring.wrap(dek, label=DATA_KEY, subject=subject.encode(), kid=kid))

    def _move(self, name: str, fresh: KeyEntry) -> None:
        store = self._watch.store
        while True:
            found = store.get(name)
            row, revision = found or (None, 0)
            if row is None:
                raise destroyed()
            entries = unpack_keys(row, magic=DATA_KEY_MAGIC)
            moved = tuple(fresh if e.kid == fresh.kid and e.root_id != fresh.root_id else e for e in entries)
            try:
                if moved != entries:
                    store.put([(name, pack_keys(moved, magic=DATA_KEY_MAGIC), revision)])
                return
            except ConflictError:
                continue

    def _known(self, stamp: int, name: str, found: tuple[bytes | None, int]) -> Held | None:
        """What memory holds of a row, if the row is still the one that was opened."""
        row, revision = found
        if row is None:
            self.held.pop(name, None)
            raise destroyed()
        held = self.held.get(name)
        if held is None or held.revision != revision:
            return None
        held.stamp = stamp
        return held

    def _unwrapped(self, row: bytes | None, subject: str) -> list[bytes]:
        # By hand and not by unpack_keys and RootRing.unwrap: a cold read pays this for each of its subjects.
        if row is None or row[:2] != DATA_KEY_MAGIC or len(row) == 2 or (len(row) - 2) % DATA_KEY_ENTRY_LEN:
            raise bad_token()
        ring, owner, deks = self._ring, subject.encode(), []
        for at in range(2, len(row), DATA_KEY_ENTRY_LEN):
            kid_at, blob_at = at + ID_LEN, at + 2 * ID_LEN
            aad = [DATA_KEY, ring.tenant_aad, owner, row[kid_at:blob_at]]
            try:
                deks.append(ring.for_unwrapping(row[at:kid_at]).decrypt(row[blob_at : at + DATA_KEY_ENTRY_LEN], aad))
            except InvalidTag:
                continue  # damaged, or of another subject: the rest still serves
            except DecryptionError as exc:
                if exc.code != DecryptionError.code:
                    raise  # the provider's word, not the row's
                continue  # another writer's key that this keyring cannot open
        return deks

    def _opened(self, stamp: int, revision: int, deks: list[bytes]) -> Held:
        if len(deks) == 1:
            key, kid = field_key(deks[0])
            return Held(stamp, revision, self._start + kid, key, None)
        keys = {kid: key for key, kid in map(field_key, deks)}
        kid = next(iter(keys), b"")
        return Held(stamp, revision, kid and self._start + kid, keys.pop(kid, b""), keys)

    def _keep(self, name: str, held: Held) -> Held:
        if len(self.held) >= self._cache_size and name not in self.held:
            with contextlib.suppress(RuntimeError, StopIteration):  # another thread makes room already
                self.held.pop(next(iter(self.held)), None)
        self.held[name] = held
        return held

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

    ``header`` and ``key`` are for writing, and mostly the only ones; ``more`` has further keys by header, for
    reading. A keyring that can open none of a row's keys holds an empty header.
    """

    __slots__ = ("header", "key", "more", "revision", "stamp")

    def __init__(
        self, stamp: int, revision: int, header: bytes, key: bytes, more: dict[bytes, bytes] | None = None
    ) -> None:
        self.stamp = stamp
        self.revision = revision
        self.header = header
        self.key = key
        self.more = more

    def find(self, header: bytes) -> bytes | None:
        """The key for a header."""
        if header == self.header:
            return self.key
        return self.more.get(header) if self.more else None


class DataKeys:
    """The data keys of one tenant, with a bounded cache of plain 32-byte keys.

    Shared by threads without a lock: the key store's compare-and-swap decides who made a key, and two threads that
    open the same row at once only do it twice.

    Attributes:
        held: row name -> keys; an entry is good while its stamp is the watch's.
    """

    def __init__(self, ring: RootRing, watch: Watch, names: Names, *, cache_size: int) -> None:
        self.held: dict[str, Held] = {}
        self._ring = ring
        self._watch = watch
        self._names = names
        self._cache_size = cache_size

    def load(self, name: str, subject: str) -> Held | None:
        """The keys of the row *name*, or None where there is no row.

        Raises:
            KeyDestroyedError: the row is a tombstone.
            DecryptionError: the row is damaged.
        """
        stamp = self._watch.stamp  # before the look: what changes after it makes the stamp an old one
        found = self._watch.store.get(name)
        held = self.held.get(name)
        row, revision = found or (None, 0)
        if row is None:
            self.held.pop(name, None)
            if found is None:
                return None
            raise destroyed()
        if held is not None and held.revision == revision:
            held.stamp = stamp
            return held
        # By hand and not by unpack_keys and RootRing.unwrap: a cold read pays this for each of its subjects.
        if row[:2] != DATA_KEY_MAGIC or len(row) < 2 + DATA_KEY_ENTRY_LEN or (len(row) - 2) % DATA_KEY_ENTRY_LEN:
            raise bad_token()
        ring, owner = self._ring, subject.encode()
        held = Held(stamp, revision, b"", b"")
        for at in range(2, len(row), DATA_KEY_ENTRY_LEN):
            kid_at, blob_at = at + ID_LEN, at + 2 * ID_LEN
            try:
                siv = ring.for_unwrapping(row[at:kid_at])
                aad = [DATA_KEY, ring.tenant_aad, owner, row[kid_at:blob_at]]
                key, header = field_key(siv.decrypt(row[blob_at : at + DATA_KEY_ENTRY_LEN], aad))
            except InvalidTag:
                continue  # damaged, or of another subject: the rest still serves
            except DecryptionError as exc:
                if exc.code != DecryptionError.code:
                    raise  # the provider's word, not the row's
                continue  # another writer's key that this keyring cannot open
            if not held.header:
                held.header, held.key = header, key
            else:
                held.more = {**(held.more or {}), header: key}
        return self._keep(name, held)

    def make(self, subjects: Sequence[tuple[str, str]]) -> Held:
        """Make a data key for each (row name, subject), durable in one put; gives the last one.

        Raises:
            ConflictError: a row exists already; nothing was written.
            KeyDestroyedError: a row is a tombstone; nothing was written.
        """
        stamp = self._watch.stamp
        ring = self._ring
        root_id, siv = ring.for_wrapping(len(subjects))
        wrap, tenant, start = siv.encrypt, ring.tenant_aad, DATA_KEY_MAGIC + root_id
        items, made, helds = [], [], []
        # Written out, without a call per step: a first import pays this for each of its subjects.
        for name, subject in subjects:
            dek = os.urandom(KEY_LEN)
            key, header = field_key(dek)
            kid = header[2:]
            items.append((name, start + kid + wrap(dek, [DATA_KEY, tenant, subject.encode(), kid]), 0))
            made.append((name, subject, dek, kid))
            helds.append(Held(stamp, 1, header, key))
        self._watch.store.put(items)
        self._confirm(root_id, made)
        for item, held in zip(items, helds, strict=True):
            self._keep(item[0], held)
        return helds[-1]

    def make_missing(self, subjects: dict[str, str]) -> None:
        """Make the data keys of those *subjects* (row name -> subject) that have none, durable in one put.

        Raises:
            KeyDestroyedError: one of the subjects was shredded; nothing was written.
        """
        first = next(iter(subjects.items()))
        try:
            # In a first import no subject has a key, and asking for each would cost more than the put.
            if self.load(*first) is None:
                self.make(list(subjects.items()))
                return
        except (ConflictError, KeyDestroyedError):
            pass
        while True:
            missing = [(name, subject) for name, subject in subjects.items() if self.load(name, subject) is None]
            try:
                if missing:
                    self.make(missing)
                return
            except (ConflictError, KeyDestroyedError):
                continue

    def make_for_process(self) -> tuple[str, Held]:
        """A data key of no subject, in a row named by its id: (row name, keys)."""
        dek = os.urandom(KEY_LEN)
        key, header = field_key(dek)
        kid = header[2:]
        name = self._names.process + kid.hex()
        stamp = self._watch.stamp
        entry = self._ring.wrap(dek, label=DATA_KEY, subject=b"", kid=kid)
        self._watch.store.put([(name, pack_keys((entry,), magic=DATA_KEY_MAGIC), 0)])
        self._confirm(entry.root_id, [(name, "", dek, kid)])
        return name, self._keep(name, Held(stamp, 1, header, key))

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
                    return self.make([(name, subject)])
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
        kid = field_key(dek)[1][2:]
        entry = self._ring.wrap(dek, label=DATA_KEY, subject=subject.encode(), kid=kid)
        entries = (entry, *unpack_keys(row, magic=DATA_KEY_MAGIC))
        self._watch.store.put([(name, pack_keys(entries, magic=DATA_KEY_MAGIC), revision)])
        self._confirm(entry.root_id, [(name, subject, dek, kid)])

    def _confirm(self, root_id: bytes, made: Sequence[tuple[str, str, bytes, bytes]]) -> None:
        """Move keys that were wrapped under a root which a rotation retired meanwhile.

        A rotation names its new root first and sweeps afterwards. So a key written before that is found by the
        sweep, and one written later finds the new root here: none stays behind under a root that will go.
        """
        while self._ring.moved_from(root_id):
            root_id = self._ring.current_id()
            for name, subject, dek, kid in made:
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

    def _keep(self, name: str, held: Held) -> Held:
        if len(self.held) >= self._cache_size and name not in self.held:
            with contextlib.suppress(RuntimeError, StopIteration):  # another thread makes room already
                self.held.pop(next(iter(self.held)), None)
        self.held[name] = held
        return held

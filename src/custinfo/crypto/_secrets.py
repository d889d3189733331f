"""Named random secrets (index, audit and pseudonym keys), wrapped by the root: rotating the root changes none."""

from __future__ import annotations

import contextlib
import os

from custinfo.crypto._format import KEY_LEN, bad_token, framed
from custinfo.crypto._root import SECRET, RootRing
from custinfo.crypto._rows import SECRET_MAGIC, KeyEntry, Names, pack_keys, unpack_keys
from custinfo.errors import AccessDeniedError, ConflictError, InvalidFieldError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from custinfo.crypto._watch import Watch


class Secrets:
    """The named secrets of one tenant: the current one first, behind it the one before while a rotation is open.

    The caller holds the keyring's lock around every method here.

    Attributes:
        held: name -> (stamp, secrets); good while the stamp is the watch's.
    """

    def __init__(self, ring: RootRing, watch: Watch, names: Names) -> None:
        self.held: dict[str, tuple[int, tuple[bytes, ...]]] = {}
        self._ring = ring
        self._watch = watch
        self._prefix = names.secret

    def load(self, name: str) -> tuple[bytes, ...]:
        """The secrets of *name*, made now where there are none."""
        while True:
            stamp = self._watch.stamp
            found = self._read(name)
            if found is None:
                with contextlib.suppress(ConflictError):  # then another process made it
                    self._write(name, (os.urandom(KEY_LEN),), 0)
                continue
            self.held[name] = (stamp, found[0])
            return found[0]

    def rotate(self, name: str) -> None:
        """Put a new secret before the present one; an open rotation goes on as it is."""
        while True:
            found = self._read(name)
            secrets, revision = found or ((), 0)
            if len(secrets) > 1:
                return
            try:
                self._write(name, (os.urandom(KEY_LEN), *secrets), revision)
            except ConflictError:
                continue
            return

    def finish(self, name: str) -> None:
        """Forget the secret before the present one."""
        while True:
            found = self._read(name)
            if found is None or len(found[0]) == 1:
                return
            try:
                self._write(name, found[0][:1], found[1])
            except ConflictError:
                continue
            return

    def _read(self, name: str) -> tuple[tuple[bytes, ...], int] | None:
        framed(name)  # refuses what is not text
        if not name:
            raise InvalidFieldError("a secret needs a name, such as 'audit' or 'index/email'", code="secret.name")
        if not self._ring.can_read:
            raise AccessDeniedError(
                "a write-only keyring holds no secrets; use a keyring whose provider can unwrap",
                code="keyring.write_only",
            )
        found = self._watch.store.get(self._prefix + name)
        if found is None:
            return None
        row, revision = found
        if row is None:
            raise bad_token()
        entries = unpack_keys(row, magic=SECRET_MAGIC)
        return tuple(self._ring.unwrap(e, label=SECRET, subject=name.encode()) for e in entries), revision

    def _write(self, name: str, secrets: tuple[bytes, ...], revision: int) -> None:
        entries = [self._wrap(name, secret) for secret in secrets]
        self._watch.store.put([(self._prefix + name, pack_keys(entries, magic=SECRET_MAGIC), revision)])
        # As for data keys: what a rotation of the root may have missed goes under the new root here.
        while self._ring.moved_from(entries[0].root_id):
            fresh = [self._wrap(name, secret) for secret in secrets]
            self._replace(name, {old.blob: new for old, new in zip(entries, fresh, strict=True)})
            entries = fresh

    def _wrap(self, name: str, secret: bytes) -> KeyEntry:
        return self._ring.wrap(secret, label=SECRET, subject=name.encode(), kid=b"")

    def _replace(self, name: str, fresh: dict[bytes, KeyEntry]) -> None:
        while True:
            row, revision = self._watch.store.get(self._prefix + name) or (None, 0)
            if row is None:
                raise bad_token()
            entries = unpack_keys(row, magic=SECRET_MAGIC)
            moved = [fresh.get(entry.blob, entry) for entry in entries]
            try:
                self._watch.store.put([(self._prefix + name, pack_keys(moved, magic=SECRET_MAGIC), revision)])
            except ConflictError:
                continue
            return

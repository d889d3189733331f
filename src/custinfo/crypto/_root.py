"""The roots of a tenant: wrapped by the provider, cached for a while, wrapping everything else."""

from __future__ import annotations

import contextlib
import os
from threading import RLock

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from custinfo.crypto import _watch
from custinfo.crypto._format import ID_LEN, KEY_LEN, bad_token, expand
from custinfo.crypto._guard import ask, ask_wrapped
from custinfo.crypto._provider import Rewrapper
from custinfo.crypto._rows import RETIRED, WRITER, KeyEntry, Names, RootEntry, pack_roots, root_context, unpack_roots
from custinfo.errors import ConflictError, DecryptionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from custinfo.crypto._guard import GuardedStore
    from custinfo.crypto._provider import KeyProvider, KeyWrapper

DATA_KEY = b"custinfo/v1/data-key"
SECRET = b"custinfo/v1/secret"
NEVER = float("inf")


def siv_of(root: bytes) -> tuple[AESSIV, bytes]:
    """The wrapping cipher of a root (AES-256-SIV, RFC 5297) and the root's id, which commits to it."""
    okm = expand(root, info=b"custinfo/v1/root", length=2 * KEY_LEN + ID_LEN)
    return AESSIV(okm[: 2 * KEY_LEN]), okm[2 * KEY_LEN :]


class RootRing:
    """Opens and makes the roots of one tenant; shared by threads.

    Only *one* root wraps new keys: the first entry of the root row without a flag, or for a write-only keyring the
    one it made itself. Others open keys that were wrapped before a rotation.
    """

    def __init__(
        self, provider: KeyWrapper, store: GuardedStore, *, tenant: str, names: Names, ttl_s: float, max_uses: int
    ) -> None:
        self.provider = provider
        self.can_read = hasattr(provider, "unwrap")
        self.expires_at = NEVER
        self._store = store
        self._tenant = tenant
        self.tenant_aad = tenant.encode()
        self._names = names
        self._ttl_s = ttl_s
        self._max_uses = max_uses
        self._uses_left = max_uses
        self._open: dict[bytes, AESSIV] = {}
        self._entries: dict[bytes, RootEntry] = {}
        self._own_id = b""
        self._current_id = b""
        self._lock = RLock()
        self.revision = -1

    def after_fork(self) -> None:
        """In a child process: another thread of the parent may have held the lock."""
        self._lock = RLock()

    def drop(self) -> None:
        """Forget every root, so that the next use asks the provider."""
        with self._lock:
            self._open.clear()
            self._entries.clear()
            self._current_id = self._own_id = b""
            self.revision = -1
            self.expires_at = NEVER

    @contextlib.contextmanager
    def moving_to(self, provider: KeyProvider | None) -> Iterator[None]:
        """No root is opened while the body moves them to *provider*, which opens them afterwards."""
        with self._lock:
            yield
            self.provider = provider or self.provider
            self._entries.clear()  # as wrapped by the provider before, which may be gone

    def wrap(self, key: bytes, *, label: bytes, subject: bytes, kid: bytes) -> KeyEntry:
        """Wrap a data key (with its kid) or a secret (kid empty) under the current root."""
        root_id, siv = self.for_wrapping(1)
        return KeyEntry(root_id, kid, siv.encrypt(key, [label, self.tenant_aad, subject, kid]))

    def for_wrapping(self, keys: int) -> tuple[bytes, AESSIV]:
        """The id and cipher of the current root, for that many keys to wrap by hand as `wrap` does."""
        root_id = self._current_id
        siv = self._open.get(root_id)
        if siv is None:
            with self._lock:
                root_id = self.current_id()
                siv = self._open.get(root_id) or self._unwrap_root(root_id)
        self._count_uses(keys)
        return root_id, siv

    def for_unwrapping(self, root_id: bytes) -> AESSIV:
        """The cipher of a root, for one key to unwrap by hand as `unwrap` does.

        Raises:
            DecryptionError: the tenant has no such root, or this keyring only writes.
        """
        self._uses_left -= 1
        siv = self._open.get(root_id)
        if siv is None or self._uses_left <= 0:
            with self._lock:
                siv = self._open.get(root_id) or self._unwrap_root(root_id)
                self._count_uses(0)
        return siv

    def unwrap(self, entry: KeyEntry, *, label: bytes, subject: bytes) -> bytes:
        """The key of an entry.

        Raises:
            DecryptionError: its root is unknown, or the entry belongs to another row.
        """
        siv = self.for_unwrapping(entry.root_id)
        try:
            return siv.decrypt(entry.blob, [label, self.tenant_aad, subject, entry.kid])
        except InvalidTag:
            raise bad_token() from None

    def current_id(self) -> bytes:
        """The id of the root that wraps new keys; the tenant's first root is made here."""
        with self._lock:
            if not self._current_id:
                self.load()
            return self._current_id

    def moved_from(self, root_id: bytes) -> bool:
        """Whether new keys belong under another root by now than *root_id*; looks at the root row."""
        found = self._store.get(self._names.root)
        if found is None or found[1] != self.revision:
            self.load()
        return (self._current_id or self.current_id()) != root_id

    def load(self) -> None:
        """Read the root row again, and make a root where there is none to wrap under."""
        with self._lock:
            while not self._refresh():
                entries, revision = self.read()
                entry = self.new_root(flags=0 if self.can_read else WRITER)
                try:
                    self._store.put([(self._names.root, pack_roots((entry, *entries)), revision)])
                except ConflictError:
                    continue
                self._own_id = entry.root_id

    def read(self) -> tuple[tuple[RootEntry, ...], int]:
        """The entries of the root row and its revision."""
        found = self._store.get(self._names.root)
        if found is None:
            return (), 0
        row, revision = found
        if row is None:
            raise bad_token()
        return unpack_roots(row), revision

    def new_root(self, *, flags: int) -> RootEntry:
        """A random root, wrapped by the provider and open in this ring; the caller writes the row."""
        root = os.urandom(KEY_LEN)
        siv, root_id = siv_of(root)
        wrapped = ask_wrapped(self.provider.wrap, root, root_context(self._tenant, root_id))
        self._keep(root_id, siv)
        return RootEntry(root_id, flags, wrapped)

    def open_wrapped(self, provider: KeyProvider, entry: RootEntry) -> bytes:
        """The root of an entry, checked against its id.

        Raises:
            DecryptionError: "key.unwrap" where the provider gives something else than the root.
        """
        return self._checked(ask(provider.unwrap, entry.wrapped, root_context(self._tenant, entry.root_id)), entry)[0]

    def rewrapped(self, entry: RootEntry, provider: KeyProvider | None) -> RootEntry:
        """The entry with its root wrapped by *provider*, or anew by the present one.

        Raises:
            DecryptionError: "key.unwrap" where the root cannot be opened, or not once it was wrapped anew.
        """
        context = root_context(self._tenant, entry.root_id)
        reader: KeyProvider = self.provider  # type: ignore[assignment]
        if provider is None and isinstance(reader, Rewrapper):
            return RootEntry(entry.root_id, entry.flags, ask_wrapped(reader.rewrap, entry.wrapped, context))
        try:
            root = self.open_wrapped(reader, entry)
        except DecryptionError:
            # An earlier call may have moved this root already; then the new provider opens it.
            if provider is None:
                raise
            root = self.open_wrapped(provider, entry)
        writer = provider or reader
        fresh = RootEntry(entry.root_id, entry.flags, ask_wrapped(writer.wrap, root, context))
        self.open_wrapped(writer, fresh)  # before it takes the place of what does open
        return fresh

    def _refresh(self) -> bool:
        """Read the root row; whether there is a root to wrap new keys under."""
        entries, revision = self.read()
        self._entries = {entry.root_id: entry for entry in entries}
        self.revision = revision
        for root_id in [root_id for root_id in self._open if root_id not in self._entries]:
            del self._open[root_id]
        self._current_id = self._usable(entries) or b""
        return bool(self._current_id)

    def _usable(self, entries: tuple[RootEntry, ...]) -> bytes | None:
        for entry in entries:
            if entry.current if self.can_read else entry.root_id == self._own_id and not entry.flags & RETIRED:
                return entry.root_id
        return None

    def _count_uses(self, uses: int) -> None:
        self._uses_left -= uses
        if self._uses_left <= 0 and self.can_read:
            self.expires_at = 0.0

    def _unwrap_root(self, root_id: bytes) -> AESSIV:
        if root_id not in self._entries:
            self._refresh()  # and no more: a reader that misses a root must not put another in its place
        entry = self._entries.get(root_id)
        if entry is None or not self.can_read:
            raise bad_token()
        reader: KeyProvider = self.provider  # type: ignore[assignment]
        root = ask(reader.unwrap, entry.wrapped, root_context(self._tenant, root_id))
        siv = self._checked(root, entry)[1]
        self._keep(root_id, siv)
        return siv

    def _checked(self, root: object, entry: RootEntry) -> tuple[bytes, AESSIV]:
        if isinstance(root, bytes) and len(root) == KEY_LEN:
            siv, root_id = siv_of(root)
            if root_id == entry.root_id:
                return root, siv
        raise DecryptionError(
            f"the key provider gave another key than the root wrapped by {entry.wrapped.key_uri}; "
            "check that it is the provider of this tenant",
            code="key.unwrap",
        )

    def _keep(self, root_id: bytes, siv: AESSIV) -> None:
        # A public key cannot be revoked, and dropping the root of a write-only keyring would only make another one.
        if not self._open and self.can_read:
            self.expires_at = _watch.monotonic() + self._ttl_s
            self._uses_left = self._max_uses
        self._open[root_id] = siv

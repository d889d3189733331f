"""How ciphers and indexes get at keys: cached for as long as nothing says otherwise, looked up when it does."""

from __future__ import annotations

import os
from threading import RLock
from weakref import WeakSet

from custinfo.crypto import _watch
from custinfo.crypto._data_keys import DataKeys
from custinfo.crypto._format import bad_token, framed
from custinfo.crypto._root import RootRing
from custinfo.crypto._rows import DATA_KEY_MAGIC, Names, unpack_keys
from custinfo.crypto._secrets import Secrets
from custinfo.errors import (
    ConflictError,
    DecryptionError,
    InvalidFieldError,
    KeyDestroyedError,
    KeyUnavailableError,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from custinfo.crypto._key_store import KeyStore
    from custinfo.crypto._provider import KeyProvider, KeyWrapper
    from custinfo.crypto._suites import Seal, Suite

MESSAGES_PER_KEY = 2**31
"""Half of what NIST SP 800-38D, section 8.3, allows for random 96-bit nonces under one key."""

_alive: WeakSet[KeyAccess] = WeakSet()


class KeyAccess:
    """The keys of one tenant in memory, shared by threads.

    `writer` and `reader` are the fast paths: no lock, no call but the clock's while the key is known and neither
    the key store nor the provider is due for a look. Nor does a cold subject wait for a lock; secrets, process keys and
    what empties the caches do.
    """

    def __init__(
        self,
        provider: KeyProvider | KeyWrapper,
        key_store: KeyStore,
        *,
        tenant: str,
        per_subject: bool,
        ttl_s: float,
        max_uses: int,
        cache_size: int,
        writes: Suite,
        reads: dict[bytes, Suite],
    ) -> None:
        self.tenant = tenant
        self.per_subject = per_subject
        self.names = Names.of(tenant)
        self.closed = False
        self._ttl_s = ttl_s
        self._max_uses = max_uses
        self._watch = _watch.watch(key_store)
        self.store = self._watch.store
        self.ring = self.new_ring(provider)
        self._data = DataKeys(self.ring, self._watch, self.names, start=writes.start, cache_size=cache_size)
        self._secrets = Secrets(self.ring, self._watch, self.names)
        self._held = self._data.held
        self._prefix = self.names.subject
        self._seal = writes.seal
        self._reads = reads
        # Two seals are kept, of the process keys in use: they are large, so of all others only keys are.
        self._process: tuple[int, bytes, Seal] | None = None
        self._last_read: tuple[int, bytes, Seal] | None = None
        self._process_name = ""
        self._messages_left = MESSAGES_PER_KEY
        self._look_at = 0.0
        self._lock = RLock()
        _alive.add(self)

    def writer(self, subject: str, messages: int) -> tuple[bytes, Seal]:
        """Header and seal for that many new tokens of a subject."""
        now = _watch.monotonic()
        if now >= self._look_at:
            self.look(now)
        if self.per_subject:
            name = self._prefix + subject
            held = self._held.get(name)
            if held is None or held.stamp != self._watch.stamp or not held.header:
                if not subject:
                    check_subject(subject)
                held = self._data.writable(name, subject)
                self._mind_expiry()
            return held.header, self._seal(held.key)
        self._messages_left -= messages
        process = self._process
        if process is None or process[0] != self._watch.stamp or self._messages_left < 0:
            process = self._process_key(messages)
        return process[1], process[2]

    def writers(self, subjects: Sequence[str]) -> None:
        """Make the data keys of all new *subjects* durable in one put."""
        if not self.per_subject:
            return
        self.look(_watch.monotonic())
        stamp = self._watch.stamp
        missing: dict[str, str] = {}
        for subject in subjects:
            held = self._held.get(self._prefix + subject)
            if held is None or held.stamp != stamp:
                check_subject(subject)
                missing[self._prefix + subject] = subject
        if missing:
            self._data.make_missing(missing)
            self._mind_expiry()

    def readers(self, subjects: Sequence[str]) -> None:
        """Open the data keys of *subjects* that are not in memory, ahead of `reader`.

        Raises:
            KeyDestroyedError: one of them was shredded.
        """
        if not self.per_subject:
            return
        self.look(_watch.monotonic())
        stamp = self._watch.stamp
        cold: dict[str, str] = {}
        for subject in subjects:
            name = self._prefix + subject
            held = self._held.get(name)
            if held is None or held.stamp != stamp:
                check_subject(subject)
                cold[name] = subject
        if cold:
            self._data.load_many(cold)
            self._mind_expiry()

    def reader(self, subject: str, header: bytes) -> Seal:
        """The seal of a token of *subject* by its first 34 bytes.

        Raises:
            DecryptionError: the suite is not allowed, or this subject has no such key.
            KeyDestroyedError: the subject was shredded.
        """
        now = _watch.monotonic()
        if now >= self._look_at:
            self.look(now)
        if self.per_subject:
            name = self._prefix + subject
            held = self._held.get(name)
            if held is None or held.header != header or held.stamp != self._watch.stamp:
                return self._other_reader(name, subject, header)
            return self._seal(held.key)
        last = self._last_read
        if last is not None and last[1] == header and last[0] == self._watch.stamp:
            return last[2]
        return self._process_reader(header)

    def _other_reader(self, name: str, subject: str, header: bytes) -> Seal:
        """What `reader` gives for a key that is cold, or not the one that new tokens of the subject are made with."""
        suite = self._allowed(header)
        if not subject:
            check_subject(subject)
        kid = header[2:]
        held = self._held.get(name)
        key = held.find(kid) if held is not None and held.stamp == self._watch.stamp else None
        if key is None:
            held = self._data.load(name, subject)
            self._mind_expiry()
            if held is None or (key := held.find(kid)) is None:
                return self._process_reader(header)  # it may date from before the keyring's mode was changed
        return suite.seal(key)

    def _process_reader(self, header: bytes) -> Seal:
        suite, kid = self._allowed(header), header[2:]
        name, stamp = self.names.process + kid.hex(), self._watch.stamp
        held = self._held.get(name)
        if held is None or held.stamp != stamp:
            held = self._data.load(name, "")
        key = held.find(kid) if held is not None else None
        if key is None:
            self._mind_expiry()
            raise bad_token()
        seal = suite.seal(key)
        self._last_read = stamp, header, seal
        self._mind_expiry()
        return seal

    def _allowed(self, header: bytes) -> Suite:
        suite = self._reads.get(header[:2])
        if suite is None:
            raise bad_token()
        return suite

    def secrets(self, name: str) -> tuple[bytes, ...]:
        """The secrets of a name: the current one and, while a rotation is open, the one before."""
        now = _watch.monotonic()
        if now >= self._look_at:
            self.look(now)
        held = self._secrets.held.get(name)
        if held is not None and held[0] == self._watch.stamp:
            return held[1]
        with self._lock:
            self.check_open()
            secrets = self._secrets.load(name)
            self._mind_expiry()
            return secrets

    def rotate_secret(self, name: str, *, finish: bool) -> None:
        """Begin or end the rotation of a secret."""
        with self._lock:
            self.look(_watch.monotonic())
            (self._secrets.finish if finish else self._secrets.rotate)(name)
            self._watch.touch()

    def bury(self, subject: str) -> tuple[str, ...]:
        """Put a tombstone in place of a subject's data keys: their ids, or nothing if there were none."""
        framed(subject)
        check_subject(subject)
        name = self._prefix + subject
        with self._lock:
            self.look(_watch.monotonic())
            try:
                return self._entomb(name)
            finally:  # a put that failed may have been written all the same
                self._held.pop(name, None)
                self._watch.touch()

    def look(self, now: float) -> None:
        """Notice a close, an expiry and changes of the key store, when it is time."""
        with self._lock:
            self.check_open()
            if now >= self.ring.expires_at:
                self._forget()
            self._watch.look(now)
            self._look_at = min(self._watch.next_look, self.ring.expires_at)

    def check_open(self) -> None:
        """Refuse to work after `close`."""
        if self.closed:
            raise KeyUnavailableError("the keyring is closed; make a new one", code="keyring.closed")

    def close(self) -> None:
        """Forget all keys for good."""
        with self._lock:
            self.closed = True
            self._look_at = 0.0
            self._forget()

    def new_ring(self, provider: KeyProvider | KeyWrapper) -> RootRing:
        """Another ring over the same roots, for work that should not make threads wait for the lock."""
        return RootRing(
            provider,
            self.store,
            tenant=self.tenant,
            names=self.names,
            ttl_s=self._ttl_s,
            max_uses=self._max_uses,
        )

    def after_fork(self) -> None:
        """In a child process: another thread may have held the lock, and each process has a data key of its own."""
        self._lock = RLock()
        self.ring.after_fork()
        self._process = None
        self._process_name = ""

    def _forget(self) -> None:
        self.ring.drop()
        self._held.clear()
        self._secrets.held.clear()
        self._process = self._last_read = None

    def _mind_expiry(self) -> None:
        # Opening a root sets its expiry, and using it up brings it forward. A close may have come in between.
        if self.closed:
            self._forget()
            self.check_open()
        if self.ring.expires_at < self._look_at:
            self._look_at = self.ring.expires_at

    def _process_key(self, messages: int) -> tuple[int, bytes, Seal]:
        with self._lock:
            self.check_open()
            stamp = self._watch.stamp
            held = self._data.load(self._process_name, "") if self._process_name else None
            if held is None or not held.header or self._messages_left < 0:
                self._process_name, held = self._data.make_for_process()
                self._messages_left = MESSAGES_PER_KEY - messages
            self._process = stamp, held.header, self._seal(held.key)
            self._mind_expiry()
            return self._process

    def is_buried(self, subject: str) -> bool:
        """Whether a tombstone stands where the keys of a subject were."""
        framed(subject)
        check_subject(subject)
        found = self.store.get(self._prefix + subject)
        return found is not None and found[0] is None

    def _entomb(self, name: str) -> tuple[str, ...]:
        while True:
            row, revision = self.store.get(name) or (b"", 0)
            if row is None:
                return ()
            try:
                entries = unpack_keys(row, magic=DATA_KEY_MAGIC) if row else ()
            except DecryptionError:
                entries = ()  # a damaged row is destroyed like any other
            try:
                self.store.put([(name, None, revision)])
            except (ConflictError, KeyDestroyedError):
                continue  # written or destroyed by somebody else meanwhile
            return tuple(entry.kid.hex() for entry in entries)


def check_subject(subject: str) -> None:
    """Refuse what cannot name a subject.

    Raises:
        InvalidFieldError: "cipher.subject" if it is empty.
    """
    if not subject:
        raise InvalidFieldError("a subject needs an id; pass subject= or a record id", code="cipher.subject")


def _after_fork() -> None:
    _watch.after_fork()
    for access in list(_alive):
        access.after_fork()


if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows has no fork
    os.register_at_fork(after_in_child=_after_fork)

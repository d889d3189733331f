"""Keyring: the keys of one tenant, from the provider's key down to the data keys of its subjects."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from threading import RLock
from weakref import WeakSet

import attrs
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from custinfo.crypto import _rotation, _watch
from custinfo.crypto._data_keys import DataKeys, Held
from custinfo.crypto._format import bad_token, framed
from custinfo.crypto._provider import refuse_copy
from custinfo.crypto._root import RootRing, ask
from custinfo.crypto._rows import DATA_KEY_MAGIC, Names, unpack_keys
from custinfo.crypto._secrets import Secrets
from custinfo.errors import (
    AccessDeniedError,
    ConflictError,
    DecryptionError,
    InvalidFieldError,
    KeyDestroyedError,
    KeyUnavailableError,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal

    from custinfo._view import Progress
    from custinfo.crypto._key_store import KeyStore
    from custinfo.crypto._provider import KeyProvider, KeyWrapper

MESSAGES_PER_KEY = 2**31
"""Half of what NIST SP 800-38D, section 8.3, allows for random 96-bit nonces under one key."""

_CACHED_PROCESS_KEYS = 1024

_keyrings: WeakSet[Keyring] = WeakSet()


@attrs.frozen(kw_only=True)
class Receipt:
    """Proof of a shredding, without personal values.

    Args:
        subject: the id whose keys were destroyed.
        kids: hexadecimal ids of the data keys destroyed by this call; empty if an earlier call did it.
        at: when, UTC.
        final_at: when the last backup of the key store that still holds the keys expires, UTC.

    >>> from custinfo.crypto import Keyring, LocalKeyProvider, MemoryKeyStore
    >>> keyring = Keyring(LocalKeyProvider.generate(), MemoryKeyStore(), backup_retention_days=7)
    >>> receipt = keyring.shred("customer-17")
    >>> receipt.subject, receipt.kids, (receipt.final_at - receipt.at).days
    ('customer-17', (), 7)
    """

    subject: str
    kids: tuple[str, ...]
    at: datetime
    final_at: datetime


class Keyring:
    """The keys of one tenant.

    The provider's key wraps the tenant's root; the root wraps a data key per subject (or per process) and named
    secrets. Wrapped keys lie in the key store, which is kept apart from the data. Keyrings are shared by threads.

    Args:
        provider: wraps and unwraps the root; with a `KeyWrapper` alone the keyring can write and not read.
        key_store: where wrapped keys lie.
        tenant: whose keys; part of every token's authenticated data.
        mode: "subject" gives each data subject a key of its own, which `shred` destroys; "tenant" uses one key per
            process, for data that are never erased alone, and is faster.
        cache_ttl_s: how long keys are used before the provider is asked again, in seconds; after a revocation
            nothing is read or written any longer than that.
        max_uses: how many keys the cached root may wrap or unwrap before the provider is asked again.
        cache_size: how many subjects' keys are kept in memory.
        backup_retention_days: how long backups of the key store are kept; see `Receipt.final_at`.

    Raises:
        InvalidFieldError: "keyring.tenant", "keyring.mode" or "keyring.limit".

    Source: NIST SP 800-57 part 1 rev. 5 (May 2020) for the hierarchy; docs/crypto-format.md for the bytes.

    >>> from custinfo.crypto import FieldCipher, LocalKeyProvider, MemoryKeyStore
    >>> keyring = Keyring(LocalKeyProvider.generate(), MemoryKeyStore(), tenant="shop-1")
    >>> cipher = FieldCipher(keyring)
    >>> token = cipher.encrypt("Anna", entity="customer", record="17", field="given_name")
    >>> cipher.decrypt(token, entity="customer", record="17", field="given_name")
    'Anna'
    """

    def __init__(
        self,
        provider: KeyProvider | KeyWrapper,
        key_store: KeyStore,
        *,
        tenant: str = "default",
        mode: Literal["subject", "tenant"] = "subject",
        cache_ttl_s: float = 300.0,
        max_uses: int = 1_000_000,
        cache_size: int = 65_536,
        backup_retention_days: float = 30.0,
    ) -> None:
        framed(tenant)
        if not tenant:
            raise InvalidFieldError("the tenant needs a name; leave it out for 'default'", code="keyring.tenant")
        if mode not in ("subject", "tenant"):
            raise InvalidFieldError("mode must be 'subject' or 'tenant'", code="keyring.mode")
        if not cache_ttl_s > 0 or max_uses < 1 or cache_size < 1 or not backup_retention_days >= 0:
            raise InvalidFieldError(
                "cache_ttl_s must be > 0, max_uses and cache_size >= 1, backup_retention_days >= 0",
                code="keyring.limit",
            )
        self.tenant = tenant
        self.mode = mode
        self._retention = timedelta(days=backup_retention_days)
        self._watch = _watch.watch(key_store)
        self._names = Names.of(tenant)
        self._ttl_s = cache_ttl_s
        self._max_uses = max_uses
        self._ring = self._new_ring(provider)
        self._data = DataKeys(self._ring, self._watch, self._names, cache_size=cache_size)
        self._secrets = Secrets(self._ring, self._watch, self._names)
        self._held = self._data.held
        self._process: tuple[int, bytes, AESGCM] | None = None
        self._process_name = ""
        self._process_keys: dict[bytes, tuple[int, AESGCM]] = {}
        self._messages_left = MESSAGES_PER_KEY
        self._lock = RLock()
        self._look_at = 0.0
        self._closed = False
        _keyrings.add(self)

    __reduce_ex__ = refuse_copy

    def __repr__(self) -> str:
        return f"Keyring(tenant={self.tenant!r}, mode={self.mode!r}{', closed' if self._closed else ''})"

    def __enter__(self) -> Keyring:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def can_read(self) -> bool:
        """Whether the provider can unwrap; without that the keyring writes only."""
        return self._ring.can_read

    def secret(self, name: str) -> bytes:
        """A random secret of this tenant by name, made at the first call and the same ever after.

        Args:
            name: such as ``"audit"``; no personal value.

        Returns:
            32 bytes.

        Raises:
            AccessDeniedError: "keyring.write_only".
            KeyUnavailableError: the provider or key store does not answer.

        >>> from custinfo.crypto import LocalKeyProvider, MemoryKeyStore
        >>> keyring = Keyring(LocalKeyProvider.generate(), MemoryKeyStore())
        >>> keyring.secret("audit") == keyring.secret("audit") != keyring.secret("pseudonym")
        True
        """
        return self._secrets_of(name)[0]

    def rotate_kek(self, provider: KeyProvider | None = None) -> None:
        """Wrap the tenant's roots anew; nothing else is touched, and all of it is one write.

        Running it again after a kill finishes it. Other processes go on until their cached root expires, and need
        the new provider by then; afterwards the old key can be removed.

        Args:
            provider: the new provider; None asks the present one to wrap again, with its newest key version.

        Raises:
            KeyUnavailableError: a provider does not answer; nothing was changed.
            DecryptionError: "key.unwrap" if neither provider opens the roots; nothing was changed.

        >>> from custinfo.crypto import LocalKeyProvider, MemoryKeyStore
        >>> keyring = Keyring(LocalKeyProvider.generate(), MemoryKeyStore())
        >>> before = keyring.secret("audit")
        >>> keyring.rotate_kek(LocalKeyProvider.generate())
        >>> keyring.secret("audit") == before
        True
        """
        self._check_reading()
        ring = self._new_ring(self._ring.provider)
        _rotation.rotate_kek(ring, self._watch.key_store, self._names, provider)
        with self._lock:
            self._ring.provider = provider or self._ring.provider

    def rotate_root(self, *, progress: Progress = False) -> int:
        """Make a new root and wrap every data key and secret under it; no token changes.

        Running it again after a kill goes on where it stopped. Keys that are shredded or made meanwhile are safe.
        The root before stays wrapped in the key store, with nothing under it, until the next rotation.

        Args:
            progress: True for a bar, or a function of (rows done, rows in all).

        Returns:
            How many rows were wrapped anew.

        Raises:
            KeyUnavailableError: provider or key store does not answer; run it again.
            DecryptionError: "rotate.damaged" if rows could not be opened; the others are done and no root is removed.

        >>> from custinfo.crypto import LocalKeyProvider, MemoryKeyStore
        >>> keyring = Keyring(LocalKeyProvider.generate(), MemoryKeyStore())
        >>> before = keyring.secret("audit")
        >>> keyring.rotate_root()
        1
        >>> keyring.secret("audit") == before
        True
        """
        self._check_reading()
        # A ring of its own: threads that encrypt meanwhile do not wait for the sweep.
        ring = self._new_ring(self._ring.provider)
        return _rotation.rotate_root(ring, self._watch.key_store, self._names, progress)

    def shred(self, subject: str) -> Receipt:
        """Destroy the keys of one subject: nobody can read its data any more, wherever copies of them lie.

        Keyrings over the same key-store object see it at once, other processes within 0.1 s. The tombstone stays:
        nothing can be encrypted for this subject again. A second call gives a receipt without kids.

        Args:
            subject: the id that the data were encrypted for.

        Raises:
            InvalidFieldError: "shred.mode" in tenant mode, where subjects share keys; "cipher.subject".
            KeyUnavailableError: the key store does not answer; run it again.

        >>> from custinfo.crypto import FieldCipher, LocalKeyProvider, MemoryKeyStore
        >>> keyring = Keyring(LocalKeyProvider.generate(), MemoryKeyStore())
        >>> cipher = FieldCipher(keyring)
        >>> token = cipher.encrypt("Anna", entity="customer", record="17", field="given_name")
        >>> len(keyring.shred("17").kids)
        1
        >>> cipher.decrypt(token, entity="customer", record="17", field="given_name")
        Traceback (most recent call last):
        custinfo.errors.KeyDestroyedError: the key of this subject was destroyed; its data cannot be read or \
written any more
        """
        if self.mode != "subject":
            raise InvalidFieldError(
                "in tenant mode subjects share keys and cannot be shredded; delete the records, or use mode='subject'",
                code="shred.mode",
            )
        _check_subject(subject)
        with self._lock:
            self._look(_watch.monotonic())
            kids = self._bury(self._names.subject + subject)
            self._held.pop(self._names.subject + subject, None)
            self._watch.touch()
        at = datetime.now(UTC)
        return Receipt(subject=subject, kids=kids, at=at, final_at=at + self._retention)

    def close(self) -> None:
        """Forget all keys. Python may keep copies in memory that it has not reused; the docs say more.

        >>> from custinfo.crypto import LocalKeyProvider, MemoryKeyStore
        >>> keyring = Keyring(LocalKeyProvider.generate(), MemoryKeyStore())
        >>> keyring.close()
        >>> keyring
        Keyring(tenant='default', mode='subject', closed)
        """
        with self._lock:
            self._closed = True
            self._look_at = 0.0
            self._forget()

    # For FieldCipher and BlindIndex ---------------------------------------------------------------------------

    def _writer(self, subject: str, messages: int) -> tuple[bytes, AESGCM]:
        """Header and cipher for that many new tokens of a subject."""
        now = _watch.monotonic()
        if now >= self._look_at:
            self._look(now)
        if self.mode == "tenant":
            self._messages_left -= messages
            process = self._process
            if process is None or process[0] != self._watch.stamp or self._messages_left < 0:
                process = self._process_key(messages)
            return process[1], process[2]
        held = self._held.get(self._names.subject + subject)
        if held is None or held.stamp != self._watch.stamp or not held.keys:
            held = self._writable(subject)
        return held.header, AESGCM(held.key)

    def _writers(self, subjects: Sequence[str]) -> None:
        """Make the data keys of all new *subjects* durable in one put."""
        if self.mode == "tenant":
            return
        prefix = self._names.subject
        with self._lock:
            self._look(_watch.monotonic())
            stamp = self._watch.stamp
            missing: dict[str, str] = {}
            for subject in subjects:
                held = self._held.get(prefix + subject)
                if held is None or held.stamp != stamp:
                    _check_subject(subject)
                    missing[prefix + subject] = subject
            if missing:
                self._data.make_missing(missing)
                self._look_at = min(self._look_at, self._ring.expires_at)

    def _reader(self, subject: str, header: bytes) -> AESGCM:
        """The cipher of a token of *subject* by its first 34 bytes."""
        now = _watch.monotonic()
        if now >= self._look_at:
            self._look(now)
        stamp = self._watch.stamp
        if self.mode == "subject":
            held = self._held.get(self._names.subject + subject)
            if held is not None and held.stamp == stamp:
                key = held.keys.get(header)
                if key is not None:
                    return AESGCM(key)
        else:
            known = self._process_keys.get(header)
            if known is not None and known[0] == stamp:
                return known[1]
        return self._find(subject, header)

    def _secrets_of(self, name: str) -> tuple[bytes, ...]:
        now = _watch.monotonic()
        if now >= self._look_at:
            self._look(now)
        held = self._secrets.held.get(name)
        if held is not None and held[0] == self._watch.stamp:
            return held[1]
        with self._lock:
            secrets = self._secrets.load(name)
            self._look_at = min(self._look_at, self._ring.expires_at)
            return secrets

    def _rotate_secret(self, name: str, *, finish: bool) -> None:
        with self._lock:
            self._look(_watch.monotonic())
            (self._secrets.finish if finish else self._secrets.rotate)(name)
            self._watch.touch()

    # Slow paths -----------------------------------------------------------------------------------------------

    def _look(self, now: float) -> None:
        """Notice a close, an expiry and changes of the key store; called when `_look_at` has come."""
        with self._lock:
            if self._closed:
                raise KeyUnavailableError("the keyring is closed; make a new one", code="keyring.closed")
            if now >= self._ring.expires_at:
                self._forget()
            ask(self._watch.look, now)
            self._look_at = min(self._watch.next_look, self._ring.expires_at)

    def _check_reading(self) -> None:
        self._look(_watch.monotonic())
        if not self.can_read:
            raise AccessDeniedError(
                "a write-only keyring cannot rotate keys; use a keyring whose provider can unwrap",
                code="keyring.write_only",
            )

    def _new_ring(self, provider: KeyProvider | KeyWrapper) -> RootRing:
        return RootRing(
            provider,
            self._watch.key_store,
            tenant=self.tenant,
            names=self._names,
            ttl_s=self._ttl_s,
            max_uses=self._max_uses,
        )

    def _forget(self) -> None:
        self._ring.drop()
        self._held.clear()
        self._secrets.held.clear()
        self._process_keys.clear()
        self._process = None

    def _writable(self, subject: str) -> Held:
        _check_subject(subject)
        with self._lock:
            held = self._data.writable(self._names.subject + subject, subject)
            self._look_at = min(self._look_at, self._ring.expires_at)
            return held

    def _process_key(self, messages: int) -> tuple[int, bytes, AESGCM]:
        """The data key of this process in tenant mode; a new one after 2^31 messages, and after a fork."""
        with self._lock:
            stamp = self._watch.stamp
            held = self._data.load(self._process_name, "") if self._process_name else None
            if held is None or not held.keys or self._messages_left < 0:
                self._process_name, held = self._data.make_for_process()
                self._messages_left = MESSAGES_PER_KEY - messages
            self._process = stamp, held.header, AESGCM(held.key)
            self._look_at = min(self._look_at, self._ring.expires_at)
            return self._process

    def _find(self, subject: str, header: bytes) -> AESGCM:
        with self._lock:
            key = None
            if self.mode == "subject":
                _check_subject(subject)
                held = self._data.load(self._names.subject + subject, subject)
                key = held.keys.get(header) if held is not None else None
            if key is None:
                stamp = self._watch.stamp
                held = self._data.load(self._names.process + header[2:].hex(), "")
                key = held.keys.get(header) if held is not None else None
                if key is None:
                    raise bad_token()
                if len(self._process_keys) >= _CACHED_PROCESS_KEYS:
                    self._process_keys.clear()
                self._process_keys[header] = stamp, AESGCM(key)
            self._look_at = min(self._look_at, self._ring.expires_at)
            return AESGCM(key)

    def _bury(self, name: str) -> tuple[str, ...]:
        store = self._watch.key_store
        while True:
            row, revision = ask(store.get, name) or (b"", 0)
            if row is None:
                return ()
            try:
                entries = unpack_keys(row, magic=DATA_KEY_MAGIC) if row else ()
            except DecryptionError:
                entries = ()  # a damaged row is destroyed like any other
            try:
                ask(store.put, [(name, None, revision)])
            except ConflictError:
                continue
            except KeyDestroyedError:
                return ()
            return tuple(entry.kid.hex() for entry in entries)

    def _after_fork(self) -> None:
        # Another thread of the parent may have held the lock; and each process encrypts under a key of its own.
        self._lock = RLock()
        self._process = None
        self._process_name = ""


def _check_subject(subject: str) -> None:
    framed(subject)
    if not subject:
        raise InvalidFieldError("a subject needs an id; pass subject= or a record id", code="cipher.subject")


def _after_fork() -> None:
    _watch.after_fork()
    for keyring in list(_keyrings):
        keyring._after_fork()


if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows has no fork
    os.register_at_fork(after_in_child=_after_fork)

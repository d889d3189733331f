"""Keyring: the keys of one tenant, from the provider's key down to the data keys of its subjects."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import attrs

from custinfo.crypto import _rotation
from custinfo.crypto._access import KeyAccess
from custinfo.crypto._format import framed
from custinfo.crypto._provider import refuse_copy
from custinfo.crypto._suites import allowed, suite_of
from custinfo.errors import AccessDeniedError, InvalidFieldError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Literal

    from custinfo._view import Progress
    from custinfo.crypto._key_store import KeyStore
    from custinfo.crypto._provider import KeyProvider, KeyWrapper

_MOST_DAYS = 36_525
"""A century. A receipt is written after the keys are gone, so its dates must be possible ones."""


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
            nothing is read or written any longer than that. A keyring that only writes keeps its own keys.
        max_uses: how many keys the cached root may wrap or unwrap before the provider is asked again.
        cache_size: how many subjects' keys are kept in memory.
        backup_retention_days: how long backups of the key store are kept, 0 to 36,525; see `Receipt.final_at`.
        suite: what new tokens are sealed with: "AES-256-GCM", or "SM4-GCM" where Chinese commercial cryptography
            is asked for.
        suites: further suites that may be read, for tokens from before the suite was changed; tokens of any other
            are refused.

    Raises:
        InvalidFieldError: "keyring.tenant", "keyring.mode" or "keyring.limit"; "suite.unknown", or
            "suite.unavailable" where OpenSSL was built without the cipher.

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
        suite: Literal["AES-256-GCM", "SM4-GCM"] = "AES-256-GCM",
        suites: Iterable[Literal["AES-256-GCM", "SM4-GCM"]] | None = None,
    ) -> None:
        framed(tenant)
        if not tenant:
            raise InvalidFieldError("the tenant needs a name; leave it out for 'default'", code="keyring.tenant")
        if mode not in ("subject", "tenant"):
            raise InvalidFieldError("mode must be 'subject' or 'tenant'", code="keyring.mode")
        if not cache_ttl_s > 0 or max_uses < 1 or cache_size < 1 or not 0 <= backup_retention_days <= _MOST_DAYS:
            raise InvalidFieldError(
                f"cache_ttl_s must be > 0, max_uses and cache_size >= 1, backup_retention_days 0 to {_MOST_DAYS:,}",
                code="keyring.limit",
            )
        self.tenant = tenant
        self.mode = mode
        self.suite = suite
        writes = suite_of(suite)
        self._retention = timedelta(days=backup_retention_days)
        self._access = KeyAccess(
            provider,
            key_store,
            tenant=tenant,
            per_subject=mode == "subject",
            ttl_s=cache_ttl_s,
            max_uses=max_uses,
            cache_size=cache_size,
            writes=writes,
            reads=allowed(writes, suites),
        )

    __reduce_ex__ = refuse_copy

    def __repr__(self) -> str:
        return f"Keyring(tenant={self.tenant!r}, mode={self.mode!r}{', closed' if self._access.closed else ''})"

    def __enter__(self) -> Keyring:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def can_read(self) -> bool:
        """Whether the provider can unwrap; without that the keyring writes only."""
        return self._access.ring.can_read

    @property
    def key_store(self) -> KeyStore:
        """Where the wrapped keys lie."""
        return self._access.store.key_store

    def is_shredded(self, subject: str) -> bool:
        """Whether the keys of a subject were destroyed; looks into the key store, never makes a key.

        >>> from custinfo.crypto import LocalKeyProvider, MemoryKeyStore
        >>> keyring = Keyring(LocalKeyProvider.generate(), MemoryKeyStore())
        >>> _ = keyring.shred("17")
        >>> keyring.is_shredded("17"), keyring.is_shredded("18")
        (True, False)
        """
        return self._access.is_buried(subject)

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
        return self._access.secrets(name)[0]

    def rotate_kek(self, provider: KeyProvider | None = None) -> None:
        """Wrap the tenant's roots anew; nothing else is touched, and all of it is one write.

        Running it again after a kill finishes it. Other processes go on until their cached root expires, and need
        the new provider by then; afterwards the old key can be removed.

        Args:
            provider: the new provider; None asks the present one to wrap again, with its newest key version.

        Raises:
            KeyUnavailableError: a provider does not answer, or with something that is no wrapped key; nothing was
                changed.
            DecryptionError: "key.unwrap" if neither provider opens the roots, or the new one does not open what it
                wrapped; nothing was changed.
            InvalidFieldError: "keyring.provider" if the new provider cannot unwrap.
            AccessDeniedError: "keyring.write_only".

        >>> from custinfo.crypto import LocalKeyProvider, MemoryKeyStore
        >>> keyring = Keyring(LocalKeyProvider.generate(), MemoryKeyStore())
        >>> before = keyring.secret("audit")
        >>> keyring.rotate_kek(LocalKeyProvider.generate())
        >>> keyring.secret("audit") == before
        True
        """
        access = self._reading()
        if provider is not None and not hasattr(provider, "unwrap"):
            raise InvalidFieldError(
                "the new provider cannot unwrap, so nobody could check the roots that it wraps; "
                "pass the one with the private key",
                code="keyring.provider",
            )
        with access.ring.moving_to(provider):
            _rotation.rotate_kek(access.new_ring(access.ring.provider), access.store, access.names, provider)

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
            AccessDeniedError: "keyring.write_only".
            DecryptionError: "rotate.damaged" if rows could not be opened; the others are done and no root is removed.
                "key.unwrap" if the provider does not open the present root, or the new one that it wrapped: then no
                root was named. So it is where the KEK moved meanwhile; run it again with the new provider.

        >>> from custinfo.crypto import LocalKeyProvider, MemoryKeyStore
        >>> keyring = Keyring(LocalKeyProvider.generate(), MemoryKeyStore())
        >>> before = keyring.secret("audit")
        >>> keyring.rotate_root()
        1
        >>> keyring.secret("audit") == before
        True
        """
        access = self._reading()
        # A ring of its own: threads that encrypt meanwhile do not wait for the sweep.
        ring = access.new_ring(access.ring.provider)
        return _rotation.rotate_root(ring, access.store, access.names, progress)

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
        kids = self._access.bury(subject)
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
        self._access.close()

    def _reading(self) -> KeyAccess:
        self._access.check_open()
        if not self.can_read:
            raise AccessDeniedError(
                "a write-only keyring cannot rotate keys; use a keyring whose provider can unwrap",
                code="keyring.write_only",
            )
        return self._access

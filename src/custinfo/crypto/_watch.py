"""One look-out per key-store object: when did it change?"""

from __future__ import annotations

import time
from threading import Lock
from weakref import WeakValueDictionary

from custinfo.crypto._guard import GuardedStore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from custinfo.crypto._key_store import KeyStore

LOOK_EVERY_S = 0.1
"""Asking for the generation may cost as much as encrypting a field, so it is asked ten times a second at most."""

monotonic = time.monotonic

_watches: WeakValueDictionary[int, Watch] = WeakValueDictionary()
_lock = Lock()


class Watch:
    """A stamp that changes when the key store does; keyrings over the same key-store object share it.

    A key is used without a look into the key store only while its stamp is the watch's. `touch` makes a shredding
    in this process visible at once; `look` notices those of other processes.
    """

    __slots__ = ("__weakref__", "_generation", "next_look", "stamp", "store")

    def __init__(self, key_store: KeyStore) -> None:
        self.store = GuardedStore(key_store)
        self.stamp = 0
        self.next_look = 0.0
        self._generation = -1

    def look(self, now: float) -> None:
        """Ask the key store whether it changed, unless that was asked less than 0.1 s ago."""
        if now < self.next_look:
            return
        generation = self.store.generation()
        with _lock:
            # Counted from before the question, so that no answer is trusted longer than 0.1 s.
            self.next_look = now + LOOK_EVERY_S
            if generation != self._generation:
                self._generation = generation
                self.stamp += 1

    def touch(self) -> None:
        """Make every keyring over this key-store object look at its rows again."""
        with _lock:
            self.stamp += 1


def watch(key_store: KeyStore) -> Watch:
    """The watch of this key-store object."""
    with _lock:
        # A watch holds its key store, so the id cannot pass to another object while the watch lives.
        found = _watches.get(id(key_store))
        if found is None:
            found = _watches[id(key_store)] = Watch(key_store)
        return found


def after_fork() -> None:
    """In a child process: another thread of the parent may have held the lock when it forked."""
    global _lock
    _lock = Lock()

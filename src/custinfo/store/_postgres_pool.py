"""Where a unit gets its connection: of our own, or from the caller's pool."""

from __future__ import annotations

import threading
import weakref
from typing import Any, Protocol

from custinfo.errors import StoreError
from custinfo.store import _lifecycle
from custinfo.store._postgres import PostgresLink, guarded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

IDLE = 8  # as many connections wait for their next unit; any number may be in use


class ConnectionPool(Protocol):
    """What is used of a pool that the caller gives, such as `psycopg_pool.ConnectionPool`."""

    def getconn(self, timeout: float | None = None) -> Any:
        """Lend a connection of psycopg."""
        ...

    def putconn(self, conn: Any) -> None:
        """Take it back, and drop it if it is broken."""
        ...


class OwnPool:
    """Connections that the store makes itself, one for each unit that is open."""

    gives_stale = False

    def __init__(self, make: Callable[[], Any], timeout_s: float) -> None:
        self._make = make
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._idle: list[PostgresLink] = []
        self._busy: set[PostgresLink] = set()
        self._closed = False

    def take(self) -> PostgresLink:
        """A connection for one unit, the last used first."""
        with self._lock:
            if self._idle:
                link = self._idle.pop()
                self._busy.add(link)
                return link
        con = guarded(self._make)
        try:
            link = PostgresLink(con, self._timeout_s)
        except BaseException:
            con.close()
            raise
        with self._lock:
            self._busy.add(link)
        return link

    def give(self, link: PostgresLink) -> None:
        """Take a connection back."""
        with self._lock:
            self._busy.discard(link)
            keep = not self._closed and not link.lost and len(self._idle) < IDLE
            if keep:
                self._idle.append(link)
        if not keep:
            link.close()

    def close(self) -> None:
        """Close what is idle, and the rest when it is given back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for link in idle:
            link.close()

    def __del__(self) -> None:
        # A store that is forgotten without a close; psycopg would warn of each connection.
        for link in self._idle:
            link.close()

    def before_fork(self) -> None:
        """Let no other thread change anything meanwhile."""
        self._lock.acquire()

    def after_fork(self, *, child: bool) -> None:
        """Go on in the parent; the child makes connections of its own."""
        if not child:
            self._lock.release()
            return
        self._lock = threading.Lock()
        for link in self._idle:
            link.leave(idle=True)
        for link in self._busy:
            link.leave(idle=False)
        self._idle, self._busy = [], set()


class GivenPool:
    """The caller's pool; it is never closed here."""

    gives_stale = True  # what the store has not seen yet may be old and broken

    def __init__(self, pool: ConnectionPool, timeout_s: float) -> None:
        self._pool = pool
        self._timeout_s = timeout_s
        self._known: weakref.WeakSet[Any] = weakref.WeakSet()
        self._lent: dict[PostgresLink, tuple[Any, bool]] = {}
        self._forked = False

    def take(self) -> PostgresLink:
        """A connection for one unit."""
        if self._forked:
            message = "the pool was given before this process forked; make pool and store after the fork"
            raise StoreError(message, code="store.forked")
        con = guarded(lambda: self._pool.getconn(timeout=self._timeout_s))
        before = con.autocommit
        try:
            link = PostgresLink(con, self._timeout_s)
        except BaseException:
            self._pool.putconn(con)
            raise
        link.known = con in self._known
        self._lent[link] = (con, before)
        return link

    def give(self, link: PostgresLink) -> None:
        """Give a connection back as it came."""
        con, autocommit = self._lent.pop(link)
        if link.known:
            self._known.add(con)
        else:
            self._known.discard(con)
        try:
            if not link.lost:
                con.autocommit = autocommit
        finally:
            self._pool.putconn(con)

    def close(self) -> None:
        """Nothing: the pool is the caller's."""

    def before_fork(self) -> None:
        """Nothing: the pool is the caller's."""

    def after_fork(self, *, child: bool) -> None:
        """Use the pool no more in the child."""
        if child:
            self._forked = True
            for link in list(self._lent):
                if link.unit is not None:
                    link.unit.owner = _lifecycle.FORKED

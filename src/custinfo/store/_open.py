"""One text that says where a store is."""

from __future__ import annotations

import importlib
import os

from custinfo.errors import StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from custinfo.store._protocol import RecordStore

BACKENDS = {
    "memory": ("custinfo.store._memory", "open_memory"),
    "postgres": ("custinfo.store._postgres_store", "open_postgres"),
    "postgresql": ("custinfo.store._postgres_store", "open_postgres"),
    "sqlite": ("custinfo.store._sqlite_store", "open_sqlite"),
}
"""Scheme -> module and function that opens what follows the colon; imported when it is asked for."""


def open_store(url: str | os.PathLike[str]) -> RecordStore:
    """Open the store that *url* names.

    Args:
        url: ``"memory:"``; ``"sqlite:///shop.db"`` (relative) or ``"sqlite:////srv/shop.db"`` (absolute); or the
            plain path of an SQLite file.

    Raises:
        StoreError: "store.url" for an unknown scheme; else as the backend says.

    >>> with open_store("memory:").unit(write=False) as unit:
    ...     unit.lookup("customer", "email", "kJ8s0a")
    []
    """
    text = os.fspath(url)
    scheme, colon, rest = text.partition(":")
    # A letter and a colon begin a path on Windows, not a URL.
    if isinstance(url, os.PathLike) or not colon or len(scheme) < 2 or not scheme.replace("+", "").isalnum():
        scheme, rest = "sqlite", f"///{text}"
    if scheme.lower() not in BACKENDS:
        known = ", ".join(f"{name}:" for name in sorted(BACKENDS))
        # What follows the scheme may hold a password.
        message = f"there is no backend for {scheme + ':'!r}; there are {known}, or give the path of an SQLite file"
        raise StoreError(message, code="store.url")
    module, name = BACKENDS[scheme.lower()]
    opener: Callable[[str], RecordStore] = getattr(importlib.import_module(module), name)
    return opener(rest)

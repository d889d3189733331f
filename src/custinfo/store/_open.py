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
    "sqlalchemy": ("custinfo.store._sqlalchemy_store", "open_sqlalchemy"),
    "sqlite": ("custinfo.store._sqlite_store", "open_sqlite"),
}
"""Scheme -> module and function that opens what follows the colon; imported when it is asked for."""

SQL = ("mariadb", "mysql", "postgresql", "sqlite")
"""Databases that SQLAlchemy opens: the last two only where the scheme names a driver, as in ``"sqlite+pysqlite://"``."""


def open_store(url: str | os.PathLike[str]) -> RecordStore:
    """Open the store that *url* names.

    Args:
        url: ``"memory:"``; ``"sqlite:///shop.db"`` (relative) or ``"sqlite:////srv/shop.db"`` (absolute); or the
            plain path of an SQLite file; or a URL of SQLAlchemy that names database and driver, such as
            ``"mariadb+pymysql://user@host/shop"``.

    Raises:
        StoreError: "store.url" for an unknown scheme; else as the backend says.

    >>> with open_store("memory:").unit(write=False) as unit:
    ...     unit.lookup("customer", "email", "kJ8s0a")
    []
    """
    text = os.fspath(url)
    scheme, colon, rest = text.partition(":")
    sql, plus, _ = scheme.lower().partition("+")
    if sql in SQL and (plus or sql not in BACKENDS) and not isinstance(url, os.PathLike):
        scheme, rest = "sqlalchemy", text
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

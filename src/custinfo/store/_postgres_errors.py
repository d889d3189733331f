"""What PostgreSQL's SQLSTATE codes mean for who uses the store; no message of the server is passed on."""

from __future__ import annotations

from custinfo.errors import ConflictError, CustInfoError, DuplicateKeyError, StoreError
from custinfo.store import _lifecycle

_PROBLEMS = {
    "25006": ("store.read_only", "the database only reads (a standby, or set so); connect to the primary"),
    "42501": ("store.rights", "the role may not do this; grant it the rights that docs/postgres-format.md names"),
    "22P05": ("store.encoding", "the database cannot hold this text; use a database with ENCODING 'UTF8'"),
    "53100": ("store.full", "the server's disk is full; make room and repeat"),
    "53200": ("store.resources", "the server is out of memory; give it more, or store less in one unit"),
    "54000": ("store.too_big", "the server cannot hold a value of this size; its limit is 1 GB"),
    "57014": ("store.cancelled", "the server cancelled the statement (statement_timeout or an administrator); repeat"),
    "58030": ("store.io", "the server cannot read or write its files; check its disk"),
    "XX001": ("store.corrupt", "the server found damaged data; restore the database from a backup"),
    "XX002": ("store.corrupt", "the server found a damaged index; REINDEX it, or restore the database from a backup"),
}

# libpq gives no SQLSTATE for a connection that is refused; servers of other languages fall to the general text.
_REFUSALS = (
    ("too many", "store.connection", "the server has no connection free; raise max_connections or use a smaller pool"),
    ("remaining connection slots", "store.connection", "the server has no connection free; raise max_connections"),
    ("password", "store.login", "the server refused the password; check user, password and ~/.pgpass"),
    ("authentication failed", "store.login", "the server refused the login; check the user and its way of login"),
    ("no pg_hba.conf entry", "store.login", "the server lets this user in from elsewhere only; change its pg_hba.conf"),
    ("role ", "store.login", "the server knows no such user, or does not let it log in; create the role"),
    ("database ", "store.database", "the server has no such database, or does not let the user in; create it or grant"),
    ("certificate", "store.tls", "the server's certificate was not accepted; check sslrootcert and the host's name"),
    ("SSL", "store.tls", "no TLS connection could be made; check sslmode and the server's ssl settings"),
)


def statement_failed(state: str | None, constraint: str | None, timeout_s: float) -> CustInfoError:
    """The error for a statement that the server refused.

    Args:
        state: its SQLSTATE.
        constraint: the constraint that was broken.
        timeout_s: how long the store waits for a lock.
    """
    state = state or "unknown"
    if state == "23505" and constraint == "ci_key_uniq":
        return DuplicateKeyError("another record of the kind already holds one of the unique keys; change one of them")
    if state in ("23505", "40001", "40P01"):
        message = "another unit changed the same at the same time; read it again and repeat the change in a new unit"
        return ConflictError(message, sqlstate=state)
    if state == "55P03":
        return _lifecycle.locked(timeout_s)
    code, text = _PROBLEMS.get(state, ("store.postgres", f"the server refused a statement with SQLSTATE {state}"))
    return StoreError(text, code=code, sqlstate=state)


def connection_refused(text: str) -> StoreError:
    """The error for a connection that was not made; what libpq says is looked at and not shown."""
    text = text.rpartition("failed: ")[2]  # before it are host, port and path
    for part, code, problem in _REFUSALS:
        if part in text:
            return StoreError(problem, code=code)
    message = "the server cannot be reached, or it refused the connection; check host and port, and that it runs"
    return StoreError(message, code="store.connection")


def connection_lost() -> StoreError:
    """The error for a connection that broke inside a unit."""
    message = "the connection to the server broke, and nothing of the unit is kept; repeat it in a new unit"
    return StoreError(message, code="store.connection")


def commit_unknown() -> StoreError:
    """The error for a connection that broke while the unit was being committed."""
    message = (
        "the connection to the server broke during the commit: all of the unit is kept, or nothing; "
        "read what it should have changed before you repeat it"
    )
    return StoreError(message, code="store.commit_unknown")


def bad_dsn() -> StoreError:
    """The error for a DSN that libpq does not take; it may hold a password, so nothing of it is shown."""
    message = (
        "the DSN (or what PG... variables and the service file add to it) is not one that libpq takes; "
        "write postgresql://user@host/database?sslmode=verify-full, or host=... dbname=..."
    )
    return StoreError(message, code="store.dsn")


def pool_empty() -> StoreError:
    """The error for a pool of the caller that gives no connection."""
    message = "the pool has no connection free within timeout_s; enlarge it, keep units short, see that the server runs"
    return StoreError(message, code="store.pool")


def pool_unclean() -> StoreError:
    """The error for a pool of the caller that gives a connection in a transaction."""
    message = "the pool gave a connection that is inside a transaction; a unit begins and ends its own"
    return StoreError(message, code="store.pool")

"""What the providers over a key service share: one client per process, and errors that say what is wrong there."""

from __future__ import annotations

import math
import os

from custinfo.crypto._format import KEY_LEN
from custinfo.errors import DecryptionError, InvalidFieldError, KeyUnavailableError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

DOWN = KeyUnavailableError.code
DISABLED = "key.disabled"
DYING = "key.pending_deletion"
DENIED = "key.denied"
MISSING = "key.missing"
UNUSABLE = "key.unusable"
CLOSED = "key.closed"

_MOST_ATTEMPTS = 10
_SENTENCES = {
    DOWN: "the key service gives no answer; try again, and check that it runs and can be reached",
    DISABLED: "this key, or the version of it that wrapped this, is disabled; enable it and all can be read again",
    DYING: "this key waits for its deletion; cancel that while there is time, or nothing can be read ever again",
    DENIED: "the key service refuses access; check the credentials, and what they may do with this key",
    MISSING: "the key service has no such key; it was deleted, or its name or region is wrong",
    UNUSABLE: "this key cannot wrap keys bound to a context; use one of the kind that the provider's page names",
    CLOSED: "the provider is closed; make a new one",
}


class Clients:
    """The client that was given, or one made for each process: a connection must not be shared with a forked child.

    Args:
        given: a client that the caller made and looks after, or None.
        make: makes a client where none was given.
    """

    __slots__ = ("_closed", "_given", "_made", "_make")

    def __init__(self, given: Any, make: Callable[[], Any]) -> None:
        self._given = given
        self._make = make
        self._made = None if given is not None else (os.getpid(), make())
        self._closed = False

    def get(self, key_uri: str) -> Any:
        """The client of this process.

        Raises:
            KeyUnavailableError: "key.closed".
        """
        if self._closed:
            raise unavailable(key_uri, CLOSED)
        made = self._made
        if made is None:
            return self._given
        if made[0] != os.getpid():
            made = self._made = (os.getpid(), self._make())
        return made[1]

    def close(self, close_client: Callable[[Any], object]) -> None:
        """Refuse further use, and close the client that was made here; a given one is its giver's."""
        closed, self._closed = self._closed, True
        if not closed and self._made is not None and self._made[0] == os.getpid():
            close_client(self._made[1])


def check_limits(timeout_s: float, attempts: int) -> None:
    """Refuse a service that would be waited for without end.

    Raises:
        InvalidFieldError: "key.limit".
    """
    if not (0 < timeout_s < math.inf and 1 <= attempts <= _MOST_ATTEMPTS):
        raise InvalidFieldError(
            f"timeout_s must be finite and > 0, attempts from 1 to {_MOST_ATTEMPTS}", code="key.limit"
        )


def check_key(key: bytes) -> None:
    """Refuse to wrap what `unwrap` would not give back.

    Raises:
        InvalidFieldError: "key.length".
    """
    if type(key) is not bytes or len(key) != KEY_LEN:
        raise InvalidFieldError(f"the key to wrap must be {KEY_LEN} bytes", code="key.length")


def unavailable(key_uri: str, code: str, *, why: str = "") -> KeyUnavailableError:
    """The error for one of the codes above; *why* is a name out of the service's own list of errors, never its text."""
    note = f" ({why})" if why else ""
    return KeyUnavailableError(f"{key_uri}: {_SENTENCES[code]}{note}", code=code, key_uri=key_uri)


def other_key(wrapped_by: str, key_uri: str) -> DecryptionError:
    """The error for a wrapped key that names another key than the provider's."""
    return DecryptionError(
        f"the key was wrapped by {wrapped_by}, this provider is {key_uri}; open with the other key", code="key.unwrap"
    )


def not_opened(key_uri: str) -> DecryptionError:
    """The error for a wrapped key that the service does not open under this context, or opens to something else."""
    return DecryptionError(
        f"{key_uri}: the wrapped key was altered, or belongs to another tenant; restore it from a backup",
        code="key.unwrap",
    )

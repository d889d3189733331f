"""Calls into key services and key stores that others wrote: whatever fails there closes the door, with one error."""

from __future__ import annotations

from custinfo.crypto._key_store import SupportsGetMany
from custinfo.crypto._provider import WrappedKey
from custinfo.errors import CustInfoError, KeyUnavailableError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import ParamSpec, TypeVar

    from custinfo.crypto._key_store import KeyStore

    P = ParamSpec("P")
    T = TypeVar("T")

LONGEST_PART = 1 << 16
"""The most bytes that a wrapped key may have, and each of its names as they are stored."""
_LONGEST_NAME = 2048


def ask(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a method of a third party; what it raises on its own becomes `KeyUnavailableError`."""
    try:
        return call(*args, **kwargs)
    except CustInfoError:
        raise
    except Exception as exc:  # noqa: BLE001 - whatever a third party's client raises, the answer is to fail closed
        error = _unavailable(call, exc)
    raise error from None  # outside of the handler: the exception may hold the request, and with it the key


def ask_wrapped(make: Callable[[T, bytes], WrappedKey], what: T, context: bytes) -> WrappedKey:
    """Call a provider's `wrap` or `rewrap`.

    Raises:
        KeyUnavailableError: also for an answer that would not be read again as it is: a row with it would be lost.
    """
    wrapped: object = ask(make, what, context)
    if isinstance(wrapped, WrappedKey) and _is_storable(wrapped):
        return wrapped
    owner = type(getattr(make, "__self__", None)).__name__
    raise KeyUnavailableError(
        f"{owner} gave no wrapped key; key_uri must be printable text, version text or an int, "
        f"blob 1 to {LONGEST_PART} bytes: see custinfo.testing.KeyProviderContract"
    )


def _is_storable(wrapped: WrappedKey) -> bool:
    # Not what the annotations say but what the provider of somebody else gave.
    key_uri, version, blob = wrapped.key_uri, wrapped.version, wrapped.blob
    return (
        _is_name(key_uri)
        and bool(key_uri)
        and (_is_name(version) if type(version) is not int else abs(version) < 2**63)
        and type(blob) is bytes
        and 0 < len(blob) <= LONGEST_PART
    )


def _is_name(name: object) -> bool:
    return isinstance(name, str) and name.isprintable() and len(name) <= _LONGEST_NAME


class GuardedStore:
    """A key store whose own exceptions become `KeyUnavailableError`; the methods on the hot path guard by hand."""

    __slots__ = ("_bulk", "key_store")

    def __init__(self, key_store: KeyStore) -> None:
        self.key_store = key_store
        self._bulk = key_store if isinstance(key_store, SupportsGetMany) else None

    def get(self, name: str) -> tuple[bytes | None, int] | None:
        """As `KeyStore.get`."""
        try:
            return self.key_store.get(name)
        except CustInfoError:
            raise
        except Exception as exc:  # noqa: BLE001 - as in `ask`
            error = _unavailable(self.key_store.get, exc)
        raise error from None

    def get_many(self, names: Sequence[str]) -> Sequence[tuple[bytes | None, int] | None]:
        """As `SupportsGetMany.get_many`; one by one where the key store cannot."""
        if self._bulk is None:
            return [self.get(name) for name in names]
        return ask(self._bulk.get_many, names)

    def put(self, items: Sequence[tuple[str, bytes | None, int]]) -> None:
        """As `KeyStore.put`."""
        try:
            return self.key_store.put(items)
        except CustInfoError:
            raise
        except Exception as exc:  # noqa: BLE001 - as in `ask`
            error = _unavailable(self.key_store.put, exc)
        raise error from None

    def names(self, prefix: str, after: str) -> list[str]:
        """As `KeyStore.names`."""
        return ask(self.key_store.names, prefix, after)

    def generation(self) -> int:
        """As `KeyStore.generation`."""
        return ask(self.key_store.generation)


def _unavailable(call: Callable[..., object], exc: Exception) -> KeyUnavailableError:
    owner = type(getattr(call, "__self__", None)).__name__
    return KeyUnavailableError(
        f"{owner}.{getattr(call, '__name__', 'call')} failed with {type(exc).__name__}; "
        "check that the key service is reachable and the key enabled"
    )

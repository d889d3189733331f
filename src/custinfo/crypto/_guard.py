"""Calls into key services and key stores that others wrote: whatever fails there closes the door, with one error."""

from __future__ import annotations

from custinfo.crypto._key_store import SupportsGetMany
from custinfo.errors import CustInfoError, KeyUnavailableError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import ParamSpec, TypeVar

    from custinfo.crypto._key_store import KeyStore

    P = ParamSpec("P")
    T = TypeVar("T")


def ask(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a method of a third party; what it raises on its own becomes `KeyUnavailableError`."""
    try:
        return call(*args, **kwargs)
    except CustInfoError:
        raise
    except Exception as exc:  # noqa: BLE001 - whatever a third party's client raises, the answer is to fail closed
        raise _unavailable(call, exc) from None


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
            raise _unavailable(self.key_store.get, exc) from None

    def get_many(self, names: Sequence[str]) -> Sequence[tuple[bytes | None, int] | None]:
        """As `SupportsGetMany.get_many`; one by one where the key store cannot."""
        if self._bulk is None:
            return [self.get(name) for name in names]
        return ask(self._bulk.get_many, names)

    def put(self, items: Sequence[tuple[str, bytes | None, int]]) -> None:
        """As `KeyStore.put`."""
        try:
            self.key_store.put(items)
        except CustInfoError:
            raise
        except Exception as exc:  # noqa: BLE001 - as in `ask`
            raise _unavailable(self.key_store.put, exc) from None

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

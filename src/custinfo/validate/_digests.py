"""Sets of values as sorted digests, 16 bytes each: exact distinct counts that can be joined over parts of the data."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np

__all__ = ["Digests", "count_digests", "join_digests"]

_BYTES = 16  # two of 10^9 different values share one with a chance of 10^-21
_FOLD_AT = 50_000


class Digests:
    """Digests of the values that were added.

    >>> digests = Digests()
    >>> digests.add(["a", "b", "a"])
    >>> count_digests(digests.sorted())
    2
    """

    __slots__ = ("_folded", "_new")

    def __init__(self) -> None:
        self._folded = b""
        self._new: set[bytes] = set()

    def add(self, values: Iterable[object]) -> None:
        """Add values; equal ``repr`` is equal value."""
        new = self._new
        blake2b = hashlib.blake2b
        values = list(values)
        try:
            texts = set(map(repr, values))
        except Exception:  # noqa: BLE001  see _spelled, which is slower
            texts = set(map(_spelled, values))
        for text in texts:
            new.add(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_BYTES).digest())
        if len(new) > max(_FOLD_AT, count_digests(self._folded) // 8):
            self._fold()

    def _fold(self) -> None:
        self._folded = join_digests(self._folded, b"".join(self._new))
        self._new = set()

    def sorted(self) -> bytes:
        """All digests, each once, in order."""
        self._fold()
        return self._folded


def _spelled(value: object) -> str:
    try:
        return repr(value)
    except Exception:  # noqa: BLE001  an integer of more than 4,300 digits, or a class of the caller's
        return hex(value) if type(value) is int else type(value).__qualname__


def join_digests(one: bytes, other: bytes) -> bytes:
    """The union of two sets, sorted.

    >>> join_digests(b"b" * 16, b"a" * 16 + b"b" * 16)
    b'aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbb'
    """
    return np.unique(np.frombuffer(one + other, dtype=f"S{_BYTES}")).tobytes()


def count_digests(digests: bytes) -> int:
    """Number of digests."""
    return len(digests) // _BYTES

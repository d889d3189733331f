"""Blocking keys as 64-bit numbers, for many at once and for one: both give the same."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["content_key", "content_keys", "is_pair", "mixed", "pair_of", "slot_of", "slots_of", "together"]

Hashes = np.ndarray[Any, np.dtype[np.uint64]]

# The lowest two bits of a key say whether it is one slot or two; no key is 0.
_SINGLE, _PAIR = 1, 3
_MASK = (1 << 64) - 1
_CLASS = _MASK - 3
# The finaliser of SplitMix64 (Steele, Lea, Flood, Fast Splittable Pseudorandom Number Generators, 2014).
_ONE, _TWO = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_MULTIPLIER = 0x9E3779B97F4A7C15


def mixed(numbers: Any) -> Any:
    """Numbers whose every bit depends on every bit of the given ones, uint64."""
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(_ONE)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(_TWO)
    return numbers ^ (numbers >> np.uint64(31))


def _mixed_one(number: int) -> int:
    number = (number ^ (number >> 30)) * _ONE & _MASK
    number = (number ^ (number >> 27)) * _TWO & _MASK
    return number ^ (number >> 31)


def slots_of(numbers: Hashes) -> Hashes:
    """Slots of values."""
    return np.asarray(mixed(numbers) & np.uint64(_CLASS) | np.uint64(_SINGLE), np.uint64)


def slot_of(number: int) -> int:
    """Slot of one value."""
    return _mixed_one(number) & _CLASS | _SINGLE


def content_keys(content: Hashes) -> Hashes:
    """Keys of whole contents."""
    return np.asarray(content & np.uint64(_CLASS) | np.uint64(_SINGLE), np.uint64)


def content_key(content: int) -> int:
    """Key of one whole content."""
    return content & _CLASS | _SINGLE


def together(one: Hashes, other: Hashes) -> Hashes:
    """Two slots as one; 0 where either is 0."""
    joint = mixed(one * np.uint64(_MULTIPLIER) + other) & np.uint64(_CLASS) | np.uint64(_PAIR)
    return np.where((one == 0) | (other == 0), np.uint64(0), joint)


def pair_of(one: int, other: int) -> int:
    """Two slots of one record as one; 0 where either is 0."""
    return _mixed_one((one * _MULTIPLIER + other) & _MASK) & _CLASS | _PAIR if one and other else 0


def is_pair(keys: Any) -> Any:
    """Whether keys are of two slots."""
    return (keys & np.uint64(_PAIR)) == np.uint64(_PAIR)

"""Check digits of many numbers at once: pure functions of arrays of characters."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Bytes",
    "Verdicts",
    "alphabet",
    "as_bytes",
    "digits",
    "is_day",
    "luhn",
    "number",
    "remainder97",
    "spans",
    "weighted",
]

Bytes = NDArray[np.uint8]
Verdicts = NDArray[np.uint8]

_OTHER = 255  # value of a character that is not in the alphabet


def as_bytes(texts: list[str]) -> Bytes:
    """Texts of one length as an array of shape (n, length), each character that is not ASCII as ``?``.

    >>> as_bytes(["12", "3\u00e9"]).tolist()
    [[49, 50], [51, 63]]
    """
    return np.frombuffer("".join(texts).encode("ascii", "replace"), dtype=np.uint8).reshape(len(texts), -1)


def alphabet(characters: str) -> NDArray[np.uint8]:
    """Shape (256,): place of each byte in *characters*, 255 for all others."""
    table = np.full(256, _OTHER, dtype=np.uint8)
    table[np.frombuffer(characters.encode("ascii"), dtype=np.uint8)] = np.arange(len(characters), dtype=np.uint8)
    return table


_DIGITS = alphabet("0123456789")
_ALPHANUMERIC = alphabet("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def digits(block: Bytes) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Values of the digits, shape (n, width), and whether a row has digits only, shape (n,)."""
    values = _DIGITS[block]
    return values, (values != _OTHER).all(axis=1)


def weighted(values: NDArray[np.uint8], weights: list[int], modulus: int) -> NDArray[np.int64]:
    """Sum of value x weight of each row, modulo *modulus*; shape (n,).

    >>> weighted(np.array([[1, 2, 3]], dtype=np.uint8), [7, 9, 10], 11).tolist()
    [0]
    """
    result: NDArray[np.int64] = (values.astype(np.int64) @ np.array(weights, dtype=np.int64)) % modulus
    return result


def luhn(values: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Whether each row of digits satisfies the Luhn check; shape (n,).

    >>> luhn(np.array([[7, 9, 9, 2, 7, 3, 9, 8, 7, 1, 3]], dtype=np.uint8)).tolist()
    [True]
    """
    doubled = values[:, -2::-2].astype(np.int64) * 2
    total = (doubled - 9 * (doubled > 9)).sum(axis=1) + values[:, -1::-2].sum(axis=1, dtype=np.int64)
    result: NDArray[np.bool_] = total % 10 == 0
    return result


def remainder97(block: Bytes) -> NDArray[np.int64]:
    """Digits and capitals of each row as one number, letters as 10 to 35, modulo 97; shape (n,).

    >>> remainder97(as_bytes(["98", "1A"])).tolist()
    [1, 13]
    """
    remainder = np.zeros(len(block), dtype=np.int64)
    for column in _ALPHANUMERIC[block].T.astype(np.int64):
        remainder = (remainder * np.where(column > 9, 100, 10) + column) % 97
    return remainder


def number(values: NDArray[np.uint8], first: int, last: int) -> NDArray[np.int64]:
    """The digits of columns *first* to *last* (not included) as one number each; shape (n,)."""
    powers = 10 ** np.arange(last - first - 1, -1, -1, dtype=np.int64)
    result: NDArray[np.int64] = values[:, first:last].astype(np.int64) @ powers
    return result


def is_day(year: NDArray[np.int64], month: NDArray[np.int64], day: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each is a day of the Gregorian calendar from 1800 on; shape (n,).

    >>> is_day(np.array([2000, 1900]), np.array([2, 2]), np.array([29, 29])).tolist()
    [True, False]
    """
    in_range = (month >= 1) & (month <= 12)
    days = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], dtype=np.int64)[np.where(in_range, month - 1, 0)]
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    result: NDArray[np.bool_] = in_range & (year >= 1800) & (day >= 1) & (day <= days + (leap & (month == 2)))
    return result


def spans(block: Bytes, kinds: str) -> NDArray[np.bool_]:
    """Whether each row has a digit, capital or either where *kinds* has ``n``, ``a`` or ``c``; shape (n,).

    >>> spans(as_bytes(["A1", "11"]), "an").tolist()
    [True, False]
    """
    values = _ALPHANUMERIC[block]
    low = np.array([10 if kind == "a" else 0 for kind in kinds], dtype=np.uint8)
    high = np.array([9 if kind == "n" else 35 for kind in kinds], dtype=np.uint8)
    return np.asarray(np.logical_and(values >= low, values <= high).all(axis=1))

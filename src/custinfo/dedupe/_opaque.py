"""Opaque tokens, such as those of a blind index: equal or not, and nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = ["opaque", "opaque_column", "token_fields"]

_LONGEST = 128


def opaque(value: object) -> object:
    r"""A token as text: bytes in hexadecimal digits, what is very long by its digest; others as they are.

    >>> opaque(b"\x01\xff"), opaque("Ab=="), opaque(None)
    ('01ff', 'Ab==', None)
    """
    if isinstance(value, (bytes, bytearray, memoryview)):
        value = bytes(value).hex()
    if isinstance(value, str) and len(value) > _LONGEST:
        return hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()
    return value


def opaque_column(column: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """A column of tokens as text."""
    if column.dtype.kind not in "OS":
        return column
    return np.fromiter(map(opaque, column.tolist()), dtype=object, count=len(column))


def token_fields(kinds: Mapping[str, str]) -> dict[str, list[str]]:
    """Columns of tokens by the name of their field: of a known kind that, else their own."""
    found: dict[str, list[str]] = {}
    for column, kind in kinds.items():
        if kind == "token":
            found[column] = [column]
        elif kind.startswith("token:"):
            found.setdefault(kind.removeprefix("token:"), []).append(column)
    return found

"""Which records are one person's, guessed before there is a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from custinfo.dedupe._fields import Field
from custinfo.dedupe._levels import DIFFERENT, EQUAL, VARIANT
from custinfo.dedupe._model import SHAREABLE

__all__ = ["alike"]

_CONTACT = frozenset({"phone", "email", "account"})


def alike(fields: Sequence[Field], levels: np.ndarray[Any, np.dtype[np.int8]]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Pairs that agree in two of what hardly two persons share, and clash in nothing that is a person's own."""
    same = (levels == EQUAL) | (levels == VARIANT)
    own = [f for f, field in enumerate(fields) if field.name not in SHAREABLE and field.kind != "flag"]
    contact = [f for f, field in enumerate(fields) if field.name in _CONTACT]
    clash = (levels[own] == DIFFERENT).any(0)
    return np.asarray((same[own].sum(0) >= 1) & (same[[*own, *contact]].sum(0) >= 2) & ~clash, bool)

"""The levels of agreement of two values, and what each means by kind."""

from __future__ import annotations

import numpy as np

__all__ = [
    "DIFFERENT",
    "EQUAL",
    "LEVELS",
    "MISSING",
    "NEAR",
    "RELATED",
    "RELATIONS",
    "SIMILAR",
    "SWAPPED",
    "TYPO",
    "VARIANT",
]

# Levels are the same for every kind, from best to worst; what a level means for a kind stands in RELATIONS.
MISSING, EQUAL, VARIANT, RELATED, TYPO, SIMILAR, SWAPPED, DIFFERENT = range(8)
LEVELS = 8
NEAR = np.array([False, True, True, True, True, False, True, False])

RELATIONS: dict[str, tuple[str, ...]] = {
    "name": (
        "missing",
        "equal",
        "same name written otherwise",
        "short form or part",
        "one typing error",
        "similar",
        "given and family name swapped",
        "different",
    ),
    "date": (
        "missing",
        "equal",
        "day and month swapped",
        "same year, rest unknown",
        "one typing error",
        "two of three parts equal",
        "",
        "different",
    ),
    "email": (
        "missing",
        "equal",
        "same user part",
        "same user letters",
        "one typing error",
        "similar",
        "",
        "different",
    ),
    "default": (
        "missing",
        "equal",
        "same words",
        "one contains the other",
        "one typing error",
        "similar",
        "",
        "different",
    ),
}

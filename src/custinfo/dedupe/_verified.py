"""Which identity numbers are certain to be what they look like: their scheme has a check digit, and it fits."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from custinfo.validate import cn_resident_id, cn_uscc, hkid, lei

__all__ = ["SCHEMES", "schemes_of", "verified"]

Bools = np.ndarray[Any, np.dtype[np.bool_]]

# Validator and form (in lower case) of the numbers by scheme. Numbers of the first generation of resident ids (15
# digits) have no check digit; those of vat differ by country, and some have none.
SCHEMES: dict[str, tuple[Any, re.Pattern[str]]] = {
    "cn_resident_id": (cn_resident_id, re.compile(r"[0-9]{17}[0-9x]")),
    "cn_uscc": (cn_uscc, re.compile(r"[0-9a-y]{2}[0-9]{6}[0-9a-y]{10}")),
    "hkid": (hkid, re.compile(r"[a-z]{1,2}[0-9]{6}[0-9a]")),
    "lei": (lei, re.compile(r"[0-9a-z]{18}[0-9]{2}")),
}
# A scheme is in use where so many of the numbers that look like its own have a check digit that fits: of other
# numbers one in eleven does by chance.
_IN_USE = 0.5
_BULK = 16
_SAMPLE = 2_000


def _checked(scheme: str, texts: Sequence[str]) -> tuple[Bools, Bools]:
    """Which texts pass, and which have the form of the scheme and fail."""
    validator, form = SCHEMES[scheme]
    passed, failed = np.zeros(len(texts), bool), np.zeros(len(texts), bool)
    places = [place for place, text in enumerate(texts) if 8 <= len(text) <= 20 and form.fullmatch(text)]
    if not places:
        return passed, failed
    numbers = [texts[place].upper() for place in places]
    if len(numbers) < _BULK:
        results = [validator(number) for number in numbers]
        passed[places] = [result.ok for result in results]
        failed[places] = [not result.ok and _is_mistake(result.issues[0].code) for result in results]
        return passed, failed
    batch = validator.many(numbers)
    mistake = np.array([_is_mistake(name) for name in batch.code_names], bool)
    passed[places] = batch.ok
    failed[places] = mistake[batch.codes] & ~batch.ok
    return passed, failed


def _is_mistake(code: str) -> bool:
    return code.endswith((".checksum", ".date", ".province"))


def verified(scheme: str, texts: Sequence[str]) -> Bools:
    """Which normal forms of numbers have a check digit that fits, bool (n,).

    >>> verified("hkid", ["a1234563", "a1234564", ""]).tolist()
    [True, False, False]
    """
    return _checked(scheme, texts)[0]


def schemes_of(texts: Sequence[str]) -> list[str]:
    """The schemes that most of the numbers that look like theirs keep to.

    >>> schemes_of(["a1234563", "a1234563", "x9999999"])
    ['hkid']
    """
    texts = texts[:: max(1, len(texts) // _SAMPLE)]
    found = {scheme: _checked(scheme, texts) for scheme in SCHEMES}
    in_use = []
    # A number that passes by the scheme of most numbers is no evidence for another, which it passes by chance.
    claimed = np.zeros(len(texts), bool)
    for scheme in sorted(SCHEMES, key=lambda scheme: (-int(found[scheme][0].sum()), scheme)):
        passed, failed = found[scheme]
        good, bad = int((passed & ~claimed).sum()), int((failed & ~claimed).sum())
        if good and good >= _IN_USE * (good + bad):
            in_use.append(scheme)
            claimed |= passed
    return sorted(in_use)

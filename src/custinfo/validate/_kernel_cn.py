"""Identity numbers and credit codes of China, many at once: pure functions of arrays of characters."""

from __future__ import annotations

from functools import cache

import numpy as np

from custinfo.validate import _uscc
from custinfo.validate._cn_id import CHECK, LAST_YEAR, PERMITS, WEIGHTS
from custinfo.validate._gb2260 import PROVINCES, bygone, in_force
from custinfo.validate._iso3166 import NUMERIC
from custinfo.validate._kernel import Bytes, Verdicts, alphabet, digits, is_day, number, weighted

__all__ = ["credit_codes", "resident_ids"]

_DIGIT_OR_X = alphabet(CHECK)


def resident_ids(block: Bytes) -> Verdicts:
    """Verdicts on 18 characters each, shape (n, 18).

    Returns:
            Shape (n,): 1 good, 2 good with a bygone county, 3 good with an unknown one, 4 only the check character is
            wrong, 0 anything else.

    >>> from custinfo.validate._kernel import as_bytes
        >>> resident_ids(as_bytes(["11010519491231002X", "110105194912310021"])).tolist()
        [1, 4]
    """
    values, plain = digits(block[:, :17])
    good = plain & is_day(number(values, 6, 10), number(values, 10, 12), number(values, 12, 14))
    good &= number(values, 6, 10) <= LAST_YEAR
    county = _counties()[np.where(good, number(values, 0, 6), 0)]
    last = block[:, 17]
    good &= (_DIGIT_OR_X[last] < len(CHECK)) & (county > 0)
    checked = last == np.frombuffer(CHECK.encode(), dtype=np.uint8)[weighted(values, WEIGHTS, 11)]
    verdicts: Verdicts = np.where(good, np.where(checked, county, 4), 0).astype(np.uint8)
    return verdicts


@cache
def _counties() -> Verdicts:
    """Shape (1,000,000,): the verdict by county code."""
    table = np.zeros(1_000_000, dtype=np.uint8)
    for province in PROVINCES:
        table[int(province) * 10_000 : (int(province) + 1) * 10_000] = 3
    table[[int(code) for code in bygone()]] = 2
    table[[int(code) for code in (*in_force(), *PERMITS)]] = 1
    table[[int(f"9{province}{nationality}") for province in PROVINCES for nationality in NUMERIC]] = 1  # foreigners
    return table


def credit_codes(block: Bytes) -> Verdicts:
    """Verdicts on 18 characters each, shape (n, 18).

    Returns:
            Shape (n,): 1 good, 2 good with an unknown region, 3 good with a wrong organisation code, 4 with both, 5 the
            check character is wrong, 0 anything else.

    >>> from custinfo.validate._kernel import as_bytes
        >>> credit_codes(as_bytes(["91350100M000100Y43", "91350100M000100Y44"])).tolist()
        [1, 5]
    """
    values = alphabet(_uscc.ALPHABET)[block]
    good = (values < len(_uscc.ALPHABET)).all(axis=1) & (values[:, 2:8] < 10).all(axis=1)
    values[~good] = 0
    checked = (-weighted(values[:, :17], _uscc.WEIGHTS, 31)) % 31 == values[:, 17]
    known = np.zeros(100, dtype=bool)
    known[[int(region) for region in _uscc.REGIONS]] = True
    region = np.where(known[number(values, 2, 4)], 0, 1)
    body = alphabet(_uscc.ORGANISATION)[block[:, 8:17]]
    body[~good] = 0
    wanted = (11 - weighted(body[:, :8], _uscc.ORGANISATION_WEIGHTS, 11)) % 11
    fits = np.where(wanted == 10, block[:, 16] == ord("X"), body[:, 8] == wanted)
    verdicts: Verdicts = np.where(good, np.where(checked, 1 + region + np.where(fits, 0, 2), 5), 0).astype(np.uint8)
    return verdicts

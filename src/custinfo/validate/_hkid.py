"""Identity card numbers of Hong Kong."""

from __future__ import annotations

import re

from custinfo.validate._base import fail
from custinfo.validate._numbers import VALUE_CODES, NumberValidator
from custinfo.validate._result import Result

__all__ = ["HkidValidator", "hkid"]

_FORM = re.compile(r"([A-Z]{1,2})([0-9]{6})\(?([0-9A])\)?").fullmatch
_BLANK = 36  # an absent first letter counts like this


class HkidValidator(NumberValidator):
    """An identity card number of Hong Kong; see `hkid`."""

    name = "hkid"
    codes = VALUE_CODES | {"hkid.format", "hkid.checksum"}

    def __call__(self, value: object) -> Result[str]:
        """Check one number of a Hong Kong identity card.

        Args:
            value: one or two letters, six digits and the check character, which may stand in brackets.

        Returns:
            The number as it is printed, the check character in brackets.

        Source: Immigration Department of Hong Kong, form of the number on the identity card; check character: sum of
        places weighted 9 to 1, modulo 11.

        >>> hkid("g1234560").issues[0].code, hkid("A123456(3)").value
        ('hkid.checksum', 'A123456(3)')
        """
        return super().__call__(value)

    def _check(self, number: str) -> Result[str]:
        match = _FORM(number)
        if match is None or number.count("(") != number.count(")"):
            return fail("hkid.format")
        letters, body, check = match.groups()
        places = [_BLANK] * (2 - len(letters)) + [ord(letter) - 55 for letter in letters] + [int(d) for d in body]
        total = sum(place * weight for place, weight in zip(places, range(9, 1, -1), strict=True))
        if (total + int(check, 16)) % 11:
            return fail("hkid.checksum")
        return Result(f"{letters}{body}({check})")


hkid = HkidValidator()

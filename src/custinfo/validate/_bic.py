"""Business identifier codes and legal entity identifiers."""

from __future__ import annotations

import re

from custinfo.validate._base import fail
from custinfo.validate._iban import remainder97
from custinfo.validate._iso3166 import ALPHA2
from custinfo.validate._numbers import VALUE_CODES, NumberValidator
from custinfo.validate._result import Result

__all__ = ["BicValidator", "LeiValidator", "bic", "lei"]

_BIC = re.compile(r"[A-Z0-9]{4}([A-Z]{2})[A-Z0-9]{2}(?:[A-Z0-9]{3})?").fullmatch
_COUNTRIES = ALPHA2 | {"XK"}  # Kosovo's code is in use though not in the standard
_LEI = re.compile(r"[A-Z0-9]{18}[0-9]{2}").fullmatch


class BicValidator(NumberValidator):
    """A business identifier code; see `bic`."""

    name = "bic"
    codes = VALUE_CODES | {"bic.format", "bic.country"}

    def __call__(self, value: object) -> Result[str]:
        """Check the form of one BIC (SWIFT code).

        Args:
            value: 8 or 11 characters in any case.

        Returns:
            The code in capitals; ``meta["country"]`` is its country. Whether it is assigned is not looked up.

        Source: ISO 9362:2022.

        >>> bic("deutdeff").value, bic("DEUTXXFF").issues[0].code
        ('DEUTDEFF', 'bic.country')
        """
        return super().__call__(value)

    def _check(self, number: str) -> Result[str]:
        match = _BIC(number)
        if match is None:
            return fail("bic.format")
        return Result(number, (), {"country": match[1]}) if match[1] in _COUNTRIES else fail("bic.country")


class LeiValidator(NumberValidator):
    """A legal entity identifier; see `lei`."""

    name = "lei"
    codes = VALUE_CODES | {"lei.format", "lei.checksum"}

    def __call__(self, value: object) -> Result[str]:
        """Check one LEI.

        Args:
            value: 20 characters in any case; spaces and hyphens are left out.

        Returns:
            The identifier in capitals.

        Source: ISO 17442-1:2020; check digits ISO 7064 MOD 97-10.

        >>> lei("5493001kjtiigc8y1r12").value, lei("5493001KJTIIGC8Y1R13").issues[0].code
        ('5493001KJTIIGC8Y1R12', 'lei.checksum')
        """
        return super().__call__(value)

    def _check(self, number: str) -> Result[str]:
        if _LEI(number) is None:
            return fail("lei.format")
        return Result(number) if remainder97(number) == 1 else fail("lei.checksum")


bic = BicValidator()
lei = LeiValidator()

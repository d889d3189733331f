"""Unified social credit codes of organisations in China."""

from __future__ import annotations

from custinfo.validate._base import fail, issue
from custinfo.validate._gb2260 import PROVINCES
from custinfo.validate._numbers import VALUE_CODES, NumberValidator
from custinfo.validate._result import Issue, Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from custinfo.validate._kernel import Bytes, Verdicts

__all__ = [
    "ALPHABET",
    "ORGANISATION",
    "ORGANISATION_WEIGHTS",
    "REGIONS",
    "WEIGHTS",
    "CreditCodeValidator",
    "cn_uscc",
    "organisation_check",
]

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_PLACE = {char: place for place, char in enumerate(ALPHABET)}
WEIGHTS = [3**place % 31 for place in range(17)]
ORGANISATION = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ORGANISATION_WEIGHTS = [3, 7, 9, 10, 5, 8, 4, 2]
REGIONS = PROVINCES | {"10"}  # 100000 stands for registration with the State


class CreditCodeValidator(NumberValidator):
    """A unified social credit code; see `cn_uscc`."""

    name = "cn_uscc"
    codes = VALUE_CODES | {"cn_uscc.format", "cn_uscc.checksum", "cn_uscc.region", "cn_uscc.organisation_code"}
    width = 18

    def __call__(self, value: object) -> Result[str]:
        """Check one unified social credit code.

        Args:
            value: 18 characters; spaces and hyphens are left out.

        Returns:
            The code in capitals. An unknown province and an organisation code whose own check digit does not fit are
            warnings: codes with such errors are in use. ``meta``: ``region`` (six digits of GB/T 2260),
            ``organisation_code`` (nine characters of GB 11714).

        Source: GB 32100-2015; organisation code: GB 11714-1997.

        >>> cn_uscc("91350100m000100y43").meta["organisation_code"]
        'M000100Y4'
        >>> cn_uscc("91350100M000100Y44").issues[0].code
        'cn_uscc.checksum'
        """
        return super().__call__(value)

    def _check(self, number: str) -> Result[str]:
        if len(number) != 18 or not all(map(_PLACE.__contains__, number)) or not number[2:8].isdigit():
            return fail("cn_uscc.format")
        total = sum(_PLACE[char] * weight for char, weight in zip(number, WEIGHTS, strict=False))
        if ALPHABET[-total % 31] != number[17]:
            return fail("cn_uscc.checksum")
        issues = []
        if number[2:4] not in REGIONS:
            issues.append(issue("cn_uscc.region"))
        if organisation_check(number[8:16]) != number[16]:
            issues.append(issue("cn_uscc.organisation_code"))
        return Result(number, issues, {"region": number[2:8], "organisation_code": number[8:17]})

    def _notes(self) -> tuple[tuple[Issue, ...], ...]:
        region, organisation = issue("cn_uscc.region"), issue("cn_uscc.organisation_code")
        return ((region,), (organisation,), (region, organisation), (issue("cn_uscc.checksum"),))

    def _kernel(self, block: Bytes, group: int | str) -> Verdicts:
        from custinfo.validate._kernel_cn import credit_codes

        return credit_codes(block)


def organisation_check(body: str) -> str:
    """The check character of the eight characters of an organisation code.

    >>> organisation_check("M000100Y")
    '4'
    """
    total = sum(ORGANISATION.index(char) * weight for char, weight in zip(body, ORGANISATION_WEIGHTS, strict=True))
    check = 11 - total % 11
    return "X" if check == 10 else "0" if check == 11 else str(check)


cn_uscc = CreditCodeValidator()

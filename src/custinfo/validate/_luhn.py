"""The Luhn check on any number."""

from __future__ import annotations

from custinfo.validate._base import fail, issue
from custinfo.validate._numbers import VALUE_CODES, NumberValidator
from custinfo.validate._result import Issue, Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from custinfo.validate._kernel import Bytes, Verdicts

__all__ = ["LuhnValidator", "luhn", "luhn_holds"]

_MAX_BULK_WIDTH = 64
_DOUBLED = {str(digit): digit * 2 - 9 * (digit > 4) for digit in range(10)}


def luhn_holds(digits: str) -> bool:
    """Whether a text of digits satisfies the Luhn check.

    >>> luhn_holds("79927398713"), luhn_holds("79927398710")
    (True, False)
    """
    return (sum(map(int, digits[-1::-2])) + sum(_DOUBLED[digit] for digit in digits[-2::-2])) % 10 == 0


class LuhnValidator(NumberValidator):
    """A number with a Luhn check digit; see `luhn`."""

    name = "luhn"
    codes = VALUE_CODES | {"luhn.format", "luhn.checksum"}
    max_length = 256

    def __call__(self, value: object) -> Result[str]:
        """Check one number whose last digit is a Luhn check digit.

        Args:
            value: at least two digits; spaces and hyphens are left out.

        Returns:
            The digits.

        Source: ISO/IEC 7812-1:2017, annex B.

        >>> luhn("7992 7398 713").value
        '79927398713'
        >>> luhn("79927398710").issues[0].code
        'luhn.checksum'
        """
        return super().__call__(value)

    def _check(self, number: str) -> Result[str]:
        if len(number) < 2 or not (number.isascii() and number.isdigit()):
            return fail("luhn.format")
        return Result(number) if luhn_holds(number) else fail("luhn.checksum")

    def _in_bulk(self, group: int | str) -> bool:
        return isinstance(group, int) and 2 <= group <= _MAX_BULK_WIDTH

    def _kernel(self, block: Bytes, group: int | str) -> Verdicts:
        from custinfo.validate._kernel import digits, luhn

        values, plain = digits(block)
        verdicts: Verdicts = plain.view("u1") * (2 - luhn(values).view("u1"))
        return verdicts

    def _notes(self) -> tuple[tuple[Issue, ...], ...]:
        return ((issue("luhn.checksum"),),)


luhn = LuhnValidator()

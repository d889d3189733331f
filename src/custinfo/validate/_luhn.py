"""The Luhn check on any number, and payment cards."""

from __future__ import annotations

from custinfo.validate._base import BaseValidator, fail, issue, text_or_issue
from custinfo.validate._numbers import VALUE_CODES, NumberValidator
from custinfo.validate._result import Issue, Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from custinfo.validate._kernel import Bytes, Verdicts

__all__ = ["CardInfo", "CardValidator", "LuhnValidator", "card", "luhn", "luhn_holds"]

_MAX_BULK_WIDTH = 64
_DOUBLED = {str(digit): digit * 2 - 9 * (digit > 4) for digit in range(10)}
_SEPARATORS = str.maketrans("", "", " \t\u00a0-")


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


class CardInfo:
    """What may be kept of a payment card's number.

    >>> card("4242 4242 4242 4242").value
    CardInfo(brand='visa', bin='424242', last4='4242', masked='424242******4242')
    """

    __slots__ = ("_bin", "_brand", "_last4", "_length")

    def __init__(self, brand: str, bin: str, last4: str, length: int) -> None:  # noqa: A002  the field's own word
        self._brand = brand
        self._bin = bin
        self._last4 = last4
        self._length = length

    @property
    def brand(self) -> str:
        """The card scheme, such as ``"unionpay"``; ``"unknown"`` where no range fits."""
        return self._brand

    @property
    def bin(self) -> str:
        """The first six digits, which name the issuer."""
        return self._bin

    @property
    def last4(self) -> str:
        """The last four digits."""
        return self._last4

    @property
    def masked(self) -> str:
        """The number with all but the first six and last four digits as ``*``."""
        return f"{self._bin}{'*' * (self._length - 10)}{self._last4}"

    def _key(self) -> tuple[str, str, str, int]:
        return (self._brand, self._bin, self._last4, self._length)

    def __eq__(self, other: object) -> bool:
        return self._key() == other._key() if isinstance(other, CardInfo) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        return f"CardInfo(brand={self.brand!r}, bin={self.bin!r}, last4={self.last4!r}, masked={self.masked!r})"

    def __reduce__(self) -> tuple[object, ...]:
        return (CardInfo, self._key())


# brand, first and last number of a range of leading digits, lengths; the first that fits counts
_RANGES = (
    ("amex", "34", "34", (15,)),
    ("amex", "37", "37", (15,)),
    ("jcb", "3528", "3589", (16, 17, 18, 19)),
    ("diners", "300", "305", (14, 15, 16, 17, 18, 19)),
    ("diners", "3095", "3095", (14, 15, 16, 17, 18, 19)),
    ("diners", "36", "36", (14, 15, 16, 17, 18, 19)),
    ("diners", "38", "39", (14, 15, 16, 17, 18, 19)),
    ("visa", "4", "4", (13, 16, 19)),
    ("mir", "2200", "2204", (16, 17, 18, 19)),
    ("mastercard", "2221", "2720", (16,)),
    ("mastercard", "51", "55", (16,)),
    ("discover", "6011", "6011", (16, 17, 18, 19)),
    ("discover", "644", "649", (16, 17, 18, 19)),
    ("discover", "65", "65", (16, 17, 18, 19)),
    ("unionpay", "62", "62", (16, 17, 18, 19)),
    ("unionpay", "81", "81", (16, 17, 18, 19)),
    ("maestro", "50", "50", tuple(range(12, 20))),
    ("maestro", "56", "58", tuple(range(12, 20))),
    ("maestro", "6", "6", tuple(range(12, 20))),
)


class CardValidator(BaseValidator[CardInfo]):
    """The number of a payment card; see `card`."""

    name = "card"
    codes = frozenset(
        "value.missing value.type value.too_long value.surrogate card.format card.length card.checksum "
        "card.brand_unknown".split()
    )

    def __call__(self, value: object) -> Result[CardInfo]:
        """Check the number of one payment card and forget it.

        Args:
            value: 12 to 19 digits; spaces and hyphens are left out.

        Returns:
            A `CardInfo` with brand, first six and last four digits. The number itself is in no field, repr, pickle,
            issue or message.

        Source: ISO/IEC 7812-1:2017; ranges as the schemes publish them, state of 2025; what may be shown: PCI DSS
        4.0, 3.4.1.

        >>> card("4242424242424242").value.masked
        '424242******4242'
        >>> card("4242424242424241").issues[0].code
        'card.checksum'
        """
        found = text_or_issue(value, max_length=64)
        if not isinstance(found, str):
            return Result(None, (found,))
        number = found.translate(_SEPARATORS)
        if not (number.isascii() and number.isdigit()):
            return fail("card.format")
        if not 12 <= len(number) <= 19:
            return fail("card.length")
        if not luhn_holds(number):
            return fail("card.checksum")
        brand = next((name for name, first, last, sizes in _RANGES if _in_range(number, first, last, sizes)), "unknown")
        info = CardInfo(brand, number[:6], number[-4:], len(number))
        return Result(info, (issue("card.brand_unknown"),) if brand == "unknown" else ())


def _in_range(number: str, first: str, last: str, lengths: tuple[int, ...]) -> bool:
    return first <= number[: len(first)] <= last and len(number) in lengths


card = CardValidator()
luhn = LuhnValidator()

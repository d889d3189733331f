"""Payment cards: what may be kept of their numbers."""

from __future__ import annotations

import unicodedata

from custinfo.validate._base import BaseValidator, fail, issue, text_or_issue
from custinfo.validate._card_ranges import brand_of
from custinfo.validate._luhn import luhn_holds
from custinfo.validate._result import Result

__all__ = ["CardInfo", "CardValidator", "card"]

_SEPARATORS = str.maketrans("", "", " \t\u00a0-")


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


class CardValidator(BaseValidator[CardInfo]):
    """The number of a payment card; see `card`."""

    name = "card"
    codes = frozenset(
        "value.missing value.type value.too_long value.surrogate value.fullwidth card.format card.length card.checksum "
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
            # no suggestion: it would be the number
            wide = not number.isascii() and unicodedata.normalize("NFKC", number).isdecimal()
            return Result(None, (issue("card.format"), issue("value.fullwidth")) if wide else (issue("card.format"),))
        if not 12 <= len(number) <= 19:
            return fail("card.length")
        if not luhn_holds(number):
            return fail("card.checksum")
        brand = brand_of(number)
        info = CardInfo(brand, number[:6], number[-4:], len(number))
        return Result(info, (issue("card.brand_unknown"),) if brand == "unknown" else ())


card = CardValidator()

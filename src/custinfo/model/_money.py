"""Money in integer minor units."""

import functools
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

import attrs

from custinfo.errors import InvalidFieldError
from custinfo.model._field import plain
from custinfo.model._iso4217 import minor_digits

_INT64 = 2**63


def _fault(code: str, message: str) -> InvalidFieldError:
    return InvalidFieldError(message, code=code, path="amount")


@functools.total_ordering
@attrs.frozen(order=False)
class Money:
    """An amount in the minor units of one currency; never a float.

    Args:
        minor: integer minor units (cents, fen; yen for JPY) that fit in 64 bits.
        currency: code of ISO 4217.

    Raises:
        InvalidFieldError: "money.minor", "money.range", "currency.unknown".

    >>> Money(1230, "CNY").amount, str(Money(500, "JPY"))
    (Decimal('12.30'), '500 JPY')
    """

    minor: int = plain("minor units", "最小货币单位金额", retention="ledger")
    currency: str = plain("currency, ISO 4217", "币种", retention="ledger")

    def __attrs_post_init__(self) -> None:
        if type(self.minor) is not int:
            raise _fault("money.minor", "minor must be an int of minor units; use Money.of for major units")
        if not -_INT64 <= self.minor < _INT64:
            raise _fault("money.range", "the amount does not fit in 64 bits of minor units")
        minor_digits(self.currency)

    @classmethod
    def of(cls, amount: str | int | Decimal, currency: str) -> "Money":
        """Money from an exact amount in major units.

        Args:
            amount: text such as ``"12.30"`` (a point, no grouping), an int or a Decimal; a float is refused.
            currency: code of ISO 4217.

        Raises:
            InvalidFieldError: "money.float", "money.format", "money.fraction" (more digits than the currency has).

        >>> Money.of("12.30", "USD"), Money.of(5, "KWD").minor
        (Money(minor=1230, currency='USD'), 5000)
        """
        if isinstance(amount, float | bool) or not isinstance(amount, str | int | Decimal):
            raise _fault("money.float", "an amount must be text, int or Decimal: a float has lost its exact value")
        text = amount.strip() if isinstance(amount, str) else amount
        if isinstance(text, str) and not (text.isascii() and len(text) <= 40 and text.strip("+-.0123456789") == ""):
            raise _fault("money.format", "not an amount; write digits with a point and no grouping, such as 1234.56")
        try:
            scaled = Decimal(text).scaleb(minor_digits(currency))
            whole = scaled.to_integral_value()
        except InvalidOperation:
            raise _fault(
                "money.format", "not an amount; write digits with a point and no grouping, such as 1234.56"
            ) from None
        if not scaled.is_finite() or abs(scaled) > _INT64:
            raise _fault("money.range", "the amount does not fit in 64 bits of minor units")
        if scaled != whole:
            raise _fault("money.fraction", f"the amount has more decimals than {currency} has")
        return cls(int(whole), currency)

    @property
    def amount(self) -> Decimal:
        """The amount in major units, with the currency's number of decimals."""
        return Decimal(self.minor).scaleb(-minor_digits(self.currency))

    def _same(self, other: "Money") -> int:
        if self.currency != other.currency:
            raise _fault("money.currency", "amounts of two currencies; convert one first")
        return other.minor

    def __add__(self, other: object) -> "Money":
        return Money(self.minor + self._same(other), self.currency) if isinstance(other, Money) else NotImplemented

    def __sub__(self, other: object) -> "Money":
        return Money(self.minor - self._same(other), self.currency) if isinstance(other, Money) else NotImplemented

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __lt__(self, other: object) -> bool:
        return self.minor < self._same(other) if isinstance(other, Money) else NotImplemented

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"

    def allocate(self, ratios: Sequence[int]) -> tuple["Money", ...]:
        """Split by integer ratios so that the parts sum to the whole exactly.

        Remainders go to the largest fractions, then to the earlier parts (largest remainder method, Hamilton 1792).

        Args:
            ratios: shape (n,), integers >= 0 with a sum > 0.

        Raises:
            InvalidFieldError: "money.ratios".

        >>> [part.minor for part in Money(100, "USD").allocate([1, 1, 1])]
        [34, 33, 33]
        """
        if not ratios or any(type(ratio) is not int or ratio < 0 for ratio in ratios) or not sum(ratios):
            raise _fault("money.ratios", "ratios must be integers >= 0 with a sum > 0")
        total = sum(ratios)
        parts = [divmod(self.minor * ratio, total) for ratio in ratios]
        left = self.minor - sum(whole for whole, _ in parts)
        first = sorted(range(len(parts)), key=lambda index: (-parts[index][1], index))[:left]
        return tuple(Money(whole + (index in first), self.currency) for index, (whole, _) in enumerate(parts))

"""Money in integer minor units."""

import functools
import re
from collections.abc import Iterable
from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation, Overflow

import attrs

from custinfo.errors import AmountOverflowError, InvalidFieldError
from custinfo.model._check import INT64
from custinfo.model._field import plain
from custinfo.model._iso4217 import minor_digits

_DIGITS = 40  # an amount of 64 bits has 19 digits
_AMOUNT = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)").fullmatch
# The context of the host may round or trap; this one does neither for any amount that fits.
_EXACT = Context(prec=2 * _DIGITS, traps=[InvalidOperation, Inexact, Overflow])


def _fault(code: str, message: str, path: str = "amount") -> InvalidFieldError:
    return InvalidFieldError(message, code=code, path=path)


@functools.total_ordering
@attrs.frozen(order=False)
class Money:
    """An amount in the minor units of one currency; never a float.

    Args:
        minor: integer minor units (cents, fen; yen for JPY) that fit in 64 bits.
        currency: code of ISO 4217.

    Raises:
        InvalidFieldError: "money.minor", "money.range", "currency.unknown".
        AmountOverflowError: "amount.overflow" where a sum or difference does not fit.

    >>> Money(1230, "CNY").amount, str(Money(500, "JPY"))
    (Decimal('12.30'), '500 JPY')
    """

    minor: int = plain("minor units", "最小货币单位金额", level="C2", retention="ledger")
    currency: str = plain("currency, ISO 4217", "币种", level="C2", retention="ledger")

    def __attrs_post_init__(self) -> None:
        if type(self.minor) is not int:
            raise _fault("money.minor", "minor must be an int of minor units; use Money.of for major units", "minor")
        if not -INT64 <= self.minor < INT64:
            raise _fault("money.range", "the amount does not fit in 64 bits of minor units; check its unit", "minor")
        minor_digits(self.currency)

    @classmethod
    def of(cls, amount: str | int | Decimal, currency: str) -> "Money":
        """Money from an exact amount in major units.

        Args:
            amount: text such as ``"12.30"`` (a point, no grouping), an int or a Decimal; a float is refused.
            currency: code of ISO 4217.

        Raises:
            InvalidFieldError: "money.float", "money.format", "money.fraction" (more digits than the currency has),
                "money.range", "currency.unknown".

        >>> Money.of("12.30", "USD"), Money.of(5, "KWD").minor
        (Money(minor=1230, currency='USD'), 5000)
        """
        if isinstance(amount, bool) or not isinstance(amount, str | int | Decimal):
            raise _fault("money.float", "an amount must be text, int or Decimal: a float has lost its exact value")
        digits = minor_digits(currency)
        if isinstance(amount, int):
            return cls(amount * 10**digits, currency)
        value = _decimal(amount)
        # Far off numbers first: what follows would be slow for them.
        if value and value.adjusted() >= _DIGITS:
            raise _fault("money.range", "the amount does not fit in 64 bits of minor units; check its unit")
        try:
            scaled = value.scaleb(digits, context=_EXACT)
            whole = int(scaled.to_integral_exact(context=_EXACT))
        except DecimalException:
            raise _fault(
                "money.fraction", f"the amount has more decimals than {currency} has; round it first"
            ) from None
        return cls(whole, currency)

    @property
    def amount(self) -> Decimal:
        """The amount in major units, with the currency's number of decimals."""
        return Decimal(self.minor).scaleb(-minor_digits(self.currency), context=_EXACT)

    def _same(self, other: "Money") -> int:
        if self.currency != other.currency:
            raise _fault("money.currency", "amounts of two currencies; convert one first", "currency")
        return other.minor

    def _sum(self, minor: int) -> "Money":
        if not -INT64 <= minor < INT64:
            raise AmountOverflowError("the result does not fit in 64 bits of minor units; nothing was cut")
        return Money(minor, self.currency)

    def __add__(self, other: object) -> "Money":
        return self._sum(self.minor + self._same(other)) if isinstance(other, Money) else NotImplemented

    def __sub__(self, other: object) -> "Money":
        return self._sum(self.minor - self._same(other)) if isinstance(other, Money) else NotImplemented

    def __neg__(self) -> "Money":
        return self._sum(-self.minor)

    def __lt__(self, other: object) -> bool:
        return self.minor < self._same(other) if isinstance(other, Money) else NotImplemented

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"

    def allocate(self, ratios: Iterable[int]) -> tuple["Money", ...]:
        """Split by integer ratios so that the parts sum to the whole exactly.

        Remainders go to the largest fractions, then to the earlier parts (largest remainder method, Hamilton 1792). A
        negative amount splits as the positive one, so that a refund mirrors its payment part by part.

        Args:
            ratios: shape (n,), integers >= 0 with a sum > 0; one a part.

        Raises:
            InvalidFieldError: "money.ratios".

        >>> [part.minor for part in Money(100, "USD").allocate([1, 1, 1])]
        [34, 33, 33]
        """
        given: object = ratios
        shares = tuple(given) if isinstance(given, Iterable) else ()
        if any(type(share) is not int or share < 0 for share in shares) or not (total := sum(shares)):
            raise _fault("money.ratios", "ratios must be a list of integers >= 0 with a sum > 0", "ratios")
        sign = -1 if self.minor < 0 else 1
        parts = [divmod(abs(self.minor) * share, total) for share in shares]
        left = abs(self.minor) - sum(whole for whole, _ in parts)
        first = set(sorted(range(len(parts)), key=lambda place: (-parts[place][1], place))[:left])
        return tuple(Money(sign * (whole + (place in first)), self.currency) for place, (whole, _) in enumerate(parts))


def _decimal(amount: str | Decimal) -> Decimal:
    if isinstance(amount, str):
        text = amount.strip()
        if len(text) > _DIGITS or not _AMOUNT(text):
            raise _fault("money.format", "not an amount; write digits with a point and no grouping, such as 1234.56")
        return Decimal(text)
    if not amount.is_finite():
        raise _fault("money.format", "not an amount, but NaN or infinite; give a finite number")
    return amount

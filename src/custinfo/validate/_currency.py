"""Currency codes."""

from __future__ import annotations

from custinfo.validate._base import BaseValidator, fail, issue, text_or_issue
from custinfo.validate._result import Result

__all__ = ["CurrencyValidator", "currency"]

_MAX_LENGTH = 32
_OFTEN_MEANT = {
    "RMB": "CNY", "CNH": "CNY", "人民币": "CNY", "元": "CNY", "NTD": "TWD", "新台币": "TWD", "港币": "HKD",
    "港元": "HKD",
    "美元": "USD", "US$": "USD", "HK$": "HKD", "欧元": "EUR", "€": "EUR", "英镑": "GBP", "£": "GBP", "日元": "JPY",
    "STG": "GBP", "EURO": "EUR", "RUR": "RUB",
}  # fmt: skip


class CurrencyValidator(BaseValidator[str]):
    """A currency code; see `currency`."""

    name = "currency"
    codes = frozenset(
        "value.missing value.type value.too_long value.surrogate currency.format currency.unknown "
        "currency.did_you_mean".split()
    )

    def __call__(self, value: object) -> Result[str]:
        """Check one currency code.

        Args:
            value: an alphabetic code of ISO 4217 in any case, white space around it allowed.

        Returns:
            The code in capitals; ``meta["minor_digits"]`` is the number of digits of its minor unit.

        Source: ISO 4217, list one, as `custinfo.model` has it.

        >>> currency("cny").value, currency("JPY").meta["minor_digits"]
        ('CNY', 0)
        >>> [issue.code for issue in currency("RMB").issues]
        ['currency.unknown', 'currency.did_you_mean']
        """
        from custinfo.model import is_currency, minor_digits

        found = text_or_issue(value, max_length=_MAX_LENGTH)
        if not isinstance(found, str):
            return Result(None, (found,))
        code = found.strip().upper()
        if is_currency(code):
            return Result(code, (), {"minor_digits": minor_digits(code)})
        kind = "currency.unknown" if len(code) == 3 and code.isascii() and code.isalpha() else "currency.format"
        meant = _OFTEN_MEANT.get(code)
        if meant is None or not is_currency(meant):
            return fail(kind)
        return Result(None, (issue(kind), issue("currency.did_you_mean", currency=meant)), {"suggestion": meant})


currency = CurrencyValidator()

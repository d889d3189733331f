"""Currency codes."""

from __future__ import annotations

from custinfo.validate._base import BaseValidator, fail, issue, narrowed, text_or_issue
from custinfo.validate._result import Result

__all__ = ["WITHDRAWN", "CurrencyValidator", "currency"]

_MAX_LENGTH = 32
_OFTEN_MEANT = {
    "RMB": "CNY", "CNH": "CNY", "人民币": "CNY", "元": "CNY", "NTD": "TWD", "新台币": "TWD", "港币": "HKD",
    "港元": "HKD",
    "美元": "USD", "US$": "USD", "HK$": "HKD", "欧元": "EUR", "€": "EUR", "英镑": "GBP", "£": "GBP", "日元": "JPY",
    "STG": "GBP", "EURO": "EUR", "RUR": "RUB",
}  # fmt: skip

# successors; what a ledger of this century may still carry
WITHDRAWN = {
    "ANG": "XCG", "BGN": "EUR", "BYR": "BYN", "CUC": "CUP", "EEK": "EUR", "HRK": "EUR", "LTL": "EUR", "LVL": "EUR",
    "MRO": "MRU", "MTL": "EUR", "SKK": "EUR", "SLL": "SLE", "STD": "STN", "VEF": "VES", "ZMK": "ZMW", "ZWL": "ZWG",
}  # fmt: skip


class CurrencyValidator(BaseValidator[str]):
    """A currency code; see `currency`."""

    name = "currency"
    codes = frozenset(
        "value.missing value.type value.too_long value.surrogate value.fullwidth currency.format currency.unknown "
        "currency.did_you_mean currency.withdrawn".split()
    )

    def __call__(self, value: object) -> Result[str]:
        """Check one currency code.

        Args:
            value: an alphabetic code of ISO 4217 in any case, white space around it allowed.

        Returns:
            The code in capitals; ``meta["minor_digits"]`` is the number of digits of its minor unit. A code that was
            withdrawn, such as ``HRK``, is good with a warning that names its successor. Metals, funds for testing and
            the like (``XAU``, ``XXX``), which have no minor unit, are errors.

        Source: ISO 4217, list one, as `custinfo.model` has it, published 2026-01-01; withdrawn codes: list three.

        >>> currency("cny").value, currency("JPY").meta["minor_digits"]
        ('CNY', 0)
        >>> [issue.code for issue in currency("RMB").issues]
        ['currency.unknown', 'currency.did_you_mean']
        """
        found = text_or_issue(value, max_length=_MAX_LENGTH)
        if not isinstance(found, str):
            return Result(None, (found,))
        result = _judge(found)
        return result if result or found.isascii() else narrowed(found, result, _judge)


def _judge(text: str) -> Result[str]:
    from custinfo.model import is_currency, minor_digits

    bare = text.strip()
    code = bare.upper()
    if bare.isascii() and is_currency(code):  # not the letters of other alphabets whose capitals are ASCII
        notes = (issue("currency.withdrawn", currency=WITHDRAWN[code]),) if code in WITHDRAWN else ()
        return Result(code, notes, {"minor_digits": minor_digits(code)})
    kind = "currency.unknown" if len(code) == 3 and bare.isascii() and code.isalpha() else "currency.format"
    meant = _OFTEN_MEANT.get(code)
    if meant is None:
        return fail(kind)
    return Result(None, (issue(kind), issue("currency.did_you_mean", currency=meant)), {"suggestion": meant})


currency = CurrencyValidator()

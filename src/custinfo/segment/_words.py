"""Numbers and dates in the sentences of explanations, in English and Chinese."""

from __future__ import annotations

import datetime as dt

from custinfo.errors import InvalidFieldError
from custinfo.model import minor_digits

_DEFAULT_DIGITS = 2
_EPOCH = dt.date(1970, 1, 1)


def check_locale(locale: str) -> str:
    """The language, if it is one of those there are.

    Raises:
        InvalidFieldError: "locale.unknown".
    """
    if locale not in {"en", "zh"}:
        raise InvalidFieldError("locale must be 'en' or 'zh'", code="locale.unknown", path="locale")
    return locale


def money_text(minor: int, currency: str | None) -> str:
    """An amount with its currency; two digits where none is known.

    >>> money_text(-123456, "CNY"), money_text(500, "JPY"), money_text(5, None)
    ('-1,234.56 CNY', '500 JPY', '0.05')
    """
    digits = _DEFAULT_DIGITS if currency is None else minor_digits(currency)
    sign, units = ("-" if minor < 0 else ""), abs(minor)
    whole = f"{sign}{units // 10**digits:,}"
    text = f"{whole}.{units % 10**digits:0{digits}d}" if digits else whole
    return text if currency is None else f"{text} {currency}"


def percent(share: float) -> str:
    """A fraction in per cent with one digit.

    >>> percent(0.1234)
    '12.3 %'
    """
    return f"{100 * share:.1f} %"


def date_of(day: int) -> dt.date:
    """The date of a number of days since 1970.

    >>> date_of(31)
    datetime.date(1970, 2, 1)
    """
    return _EPOCH + dt.timedelta(days=day)

"""Currency codes and their minor units.

Source: ISO 4217, list one, published 2026-01-01 by the maintenance agency; withdrawn codes from list three, as far as
ledgers of this century still carry them.
"""

from __future__ import annotations

from custinfo.errors import InvalidFieldError

_ACTIVE = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: """AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW
    CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS
    INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN
    NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC
    SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG""",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
_WITHDRAWN = {
    0: "BYR",
    2: "ANG BGN CUC EEK HRK LTL LVL MRO MTL SKK SLL STD VEF ZMK ZWL",
}

MINOR_DIGITS: dict[str, int] = {
    code: digits for table in (_ACTIVE, _WITHDRAWN) for digits, codes in table.items() for code in codes.split()
}


def is_currency(code: object) -> bool:
    """Whether *code* is a currency of ISO 4217 that has minor units.

    >>> is_currency("CNY"), is_currency("cny"), is_currency("XAU")
    (True, False, False)
    """
    return isinstance(code, str) and code in MINOR_DIGITS


def minor_digits(code: str) -> int:
    """Decimal digits of the minor unit of a currency.

    Raises:
        InvalidFieldError: "currency.unknown".

    >>> minor_digits("USD"), minor_digits("JPY"), minor_digits("KWD")
    (2, 0, 3)
    """
    if not is_currency(code):
        raise InvalidFieldError(
            "not a currency code of ISO 4217; give three capital letters such as 'CNY'",
            code="currency.unknown",
            path="currency",
        )
    return MINOR_DIGITS[code]

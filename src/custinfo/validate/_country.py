"""Countries."""

from __future__ import annotations

from custinfo.validate._base import BaseValidator, fail, issue, text_or_issue
from custinfo.validate._iso3166 import ALPHA2, ALPHA3, NUMERIC
from custinfo.validate._result import Result

__all__ = ["CountryValidator", "country"]

_MAX_LENGTH = 64
_OFTEN_MEANT = {
    "UK": "GB", "EL": "GR", "英国": "GB", "ENGLAND": "GB", "UNITED KINGDOM": "GB", "GREAT BRITAIN": "GB",
    "UNITED STATES": "US", "UNITED STATES OF AMERICA": "US", "U.S.A.": "US", "美国": "US", "CHINA": "CN", "中国": "CN",
    "中华人民共和国": "CN", "PRC": "CN", "香港": "HK", "中国香港": "HK", "HONG KONG": "HK",
    "澳门": "MO", "中国澳门": "MO",
    "MACAU": "MO", "MACAO": "MO", "台湾": "TW", "中国台湾": "TW", "TAIWAN": "TW", "日本": "JP", "JAPAN": "JP",
    "韩国": "KR",
    "SOUTH KOREA": "KR", "新加坡": "SG", "SINGAPORE": "SG", "德国": "DE", "GERMANY": "DE", "法国": "FR", "FRANCE": "FR",
    "AUSTRALIA": "AU", "澳大利亚": "AU", "CANADA": "CA", "加拿大": "CA", "INDIA": "IN", "印度": "IN", "SPAIN": "ES",
    "ITALY": "IT", "NETHERLANDS": "NL", "HOLLAND": "NL", "SWITZERLAND": "CH", "RUSSIA": "RU", "俄罗斯": "RU",
    "UAE": "AE",
    "马来西亚": "MY", "MALAYSIA": "MY", "泰国": "TH", "THAILAND": "TH", "越南": "VN", "VIETNAM": "VN",
    "BRAZIL": "BR", "巴西": "BR", "MEXICO": "MX", "NEW ZEALAND": "NZ", "新西兰": "NZ",
    "IRELAND": "IE", "意大利": "IT",
    "西班牙": "ES", "荷兰": "NL", "瑞士": "CH", "INDONESIA": "ID", "印度尼西亚": "ID",
    "PHILIPPINES": "PH", "菲律宾": "PH",
}  # fmt: skip


class CountryValidator(BaseValidator[str]):
    """A country code; see `country`."""

    name = "country"
    codes = frozenset(
        "value.missing value.type value.too_long value.surrogate country.unknown country.did_you_mean".split()
    )

    def __call__(self, value: object) -> Result[str]:
        """Check one country code.

        Args:
            value: an alpha-2, alpha-3 or numeric code of ISO 3166-1, letters in any case. Names and codes that are
                not in the standard (``UK``) are errors; for the frequent ones ``meta["suggestion"]`` has the code.

        Returns:
            The alpha-2 code.

        Source: ISO 3166-1, state of 2025-12-31.

        >>> country("chn").value, country("840").value
        ('CN', 'US')
        >>> country("UK").meta["suggestion"]
        'GB'
        """
        found = text_or_issue(value, max_length=_MAX_LENGTH)
        if not isinstance(found, str):
            return Result(None, (found,))
        code = found.strip().upper()
        if code in ALPHA2:
            return Result(code)
        normal = ALPHA3.get(code) or NUMERIC.get(code)
        if normal is not None:
            return Result(normal)
        meant = _OFTEN_MEANT.get(code)
        if meant is None:
            return fail("country.unknown")
        return Result(
            None, (issue("country.unknown"), issue("country.did_you_mean", country=meant)), {"suggestion": meant}
        )


country = CountryValidator()

"""Countries."""

from __future__ import annotations

from custinfo.validate._base import BaseValidator, fail, issue, narrowed, text_or_issue
from custinfo.validate._iso3166 import ALPHA2, ALPHA3, NUMERIC
from custinfo.validate._result import Result

__all__ = ["CountryValidator", "country"]

_MAX_LENGTH = 64
_SHORTEST_NAME = 5  # Iran and Iraq, Mali and Malta are too close for a guess at a slip


class CountryValidator(BaseValidator[str]):
    """A country code; see `country`."""

    name = "country"
    codes = frozenset(
        "value.missing value.type value.too_long value.surrogate value.fullwidth country.unknown "
        "country.did_you_mean".split()
    )

    def __call__(self, value: object) -> Result[str]:
        """Check one country code.

        Args:
            value: an alpha-2, alpha-3 or numeric code of ISO 3166-1, letters in any case. Names and codes that are
                not in the standard (``UK``) are errors; for an English or Chinese name that is known, or one slip away
                from a known one, ``meta["suggestion"]`` has the code.

        Returns:
            The alpha-2 code.

        Source: ISO 3166-1, state of 2025-12-31.

        >>> country("chn").value, country("840").value
        ('CN', 'US')
        >>> country("UK").meta["suggestion"], country("Chian").issues[1].message()
        ('GB', 'Did you mean CN?')
        """
        found = text_or_issue(value, max_length=_MAX_LENGTH)
        if not isinstance(found, str):
            return Result(None, (found,))
        result = _judge(found)
        return result if result or found.isascii() else narrowed(found, result, _judge)


def _judge(text: str) -> Result[str]:
    bare = text.strip()
    code = bare.upper()
    if bare.isascii():  # not the letters of other alphabets whose capitals are ASCII
        normal = code if code in ALPHA2 else ALPHA3.get(code) or NUMERIC.get(code)
        if normal is not None:
            return Result(normal)
    from custinfo.validate._country_names import NAMES
    from custinfo.validate._slips import meant

    words = " ".join(code.replace("&", " AND ").replace("’", "'").split())
    name = meant(words.replace("ST. ", "SAINT "), NAMES, shortest=_SHORTEST_NAME)
    if name is None:
        return fail("country.unknown")
    return Result(None, (issue("country.unknown"), issue("country.did_you_mean", country=name)), {"suggestion": name})


country = CountryValidator()

"""Resident identity numbers of China."""

from __future__ import annotations

import datetime as dt

from custinfo.errors import InvalidFieldError
from custinfo.validate._base import fail, issue
from custinfo.validate._gb2260 import PROVINCES, bygone, in_force
from custinfo.validate._numbers import VALUE_CODES, NumberValidator
from custinfo.validate._result import Issue, Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from custinfo.validate._kernel import Bytes, Verdicts

__all__ = [
    "CHECK",
    "FIRST_YEAR",
    "LAST_YEAR",
    "PERMITS",
    "WEIGHTS",
    "ResidentIdValidator",
    "check_character",
    "cn_resident_id",
]

WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
CHECK = "10X98765432"
# the last numbers of a day were kept for people over a hundred years old when they got their number
_CENTENARIANS = frozenset({"996", "997", "998", "999"})

# residence permits of people from Hong Kong, Macao and Taiwan, since 2018
PERMITS = frozenset({"810000", "820000", "830000"})
FIRST_YEAR, LAST_YEAR = 1800, 2099
_FOREIGNER = "9"  # then the province that issued the permanent residence card and the nationality of ISO 3166-1


class ResidentIdValidator(NumberValidator):
    """A resident identity number of China; see `cn_resident_id`."""

    name = "cn_resident_id"
    codes = VALUE_CODES | {
        "cn_id.format",
        "cn_id.checksum",
        "cn_id.date",
        "cn_id.province",
        "cn_id.county_bygone",
        "cn_id.county_unknown",
    }
    width = 18
    option_names = ("as_of",)

    def _check_options(self) -> None:
        as_of = self._options.get("as_of")
        if isinstance(as_of, dt.datetime):
            self._options["as_of"] = as_of.date()
        elif as_of is not None and not isinstance(as_of, dt.date):
            raise InvalidFieldError("as_of must be a datetime.date", code="option")

    def __call__(self, value: object, *, as_of: dt.date | None = None) -> Result[str]:
        """Check one resident identity number.

        Args:
            value: 17 digits and a check character, or the 15 digits of the first generation; spaces and hyphens are
                left out. Numbers of the same form are those of residence permits for people from Hong Kong, Macao and
                Taiwan (810000, 820000, 830000) and of permanent residence cards for foreigners (first digit 9).
            as_of: a day; who was born later has code ``cn_id.date``. Without it births up to 2099 pass, since the
                answer does not depend on a clock.

        Returns:
            The 18 characters. A county that is not or no longer in the list is a warning, since numbers keep the
            county of their first issue for life. ``meta``: ``birth_date`` (`datetime.date`), ``sex`` (``"male"`` or
            ``"female"``), ``region`` (six digits of GB/T 2260), ``kind`` (``"resident"``, ``"permit"`` or
            ``"foreigner"``), and for foreigners ``nationality`` (alpha-2).

        Raises:
            InvalidFieldError: ``"option"`` where *as_of* is no date.

        Source: GB 11643-1999; 15 digits: GB 11643-1989; counties: GB/T 2260, lists up to 2020; permits: State Council
        2018 No. 81; foreigners: National Immigration Administration, card of 2023.

        >>> result = cn_resident_id("11010519491231002x")
        >>> result.value, result.meta["birth_date"], result.meta["sex"]
        ('11010519491231002X', datetime.date(1949, 12, 31), 'female')
        >>> cn_resident_id("110105194912310021").issues[0].code
        'cn_id.checksum'
        """
        if as_of is not None:
            return self.with_options(as_of=as_of)(value)
        return super().__call__(value)

    def _check(self, number: str) -> Result[str]:
        if not number.isascii() or not number[:-1].isdigit() or len(number) not in (15, 18):
            return fail("cn_id.format")
        if len(number) == 15:
            if not number.isdigit():
                return fail("cn_id.format")
            century = "18" if number[12:] in _CENTENARIANS else "19"
            body = f"{number[:6]}{century}{number[6:]}"
            number = body + check_character(body)
        elif number[17] not in CHECK:
            return fail("cn_id.format")
        nationality = _nationality(number) if number[0] == _FOREIGNER else ""
        if number[:2] not in PROVINCES and not nationality:
            return fail("cn_id.province")
        try:
            birth = dt.date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
        except ValueError:
            return fail("cn_id.date")
        latest: dt.date = self._options.get("as_of") or dt.date(LAST_YEAR, 12, 31)  # type: ignore[assignment]
        if birth.year < FIRST_YEAR or birth > latest:
            return fail("cn_id.date")
        if check_character(number[:17]) != number[17]:
            return fail("cn_id.checksum")
        meta: dict[str, object] = {"birth_date": birth, "sex": "male" if int(number[16]) % 2 else "female"}
        if nationality:
            return Result(
                number, (), meta | {"region": f"{number[1:3]}0000", "kind": "foreigner", "nationality": nationality}
            )
        meta |= {"region": number[:6], "kind": "permit" if number[:6] in PERMITS else "resident"}
        return Result(number, _county(number[:6]), meta)

    def _in_bulk(self, group: int | str) -> bool:
        return super()._in_bulk(group) and "as_of" not in self._options

    def _notes(self) -> tuple[tuple[Issue, ...], ...]:
        return ((issue("cn_id.county_bygone"),), (issue("cn_id.county_unknown"),), (issue("cn_id.checksum"),))

    def _kernel(self, block: Bytes, group: int | str) -> Verdicts:
        from custinfo.validate._kernel_cn import resident_ids

        return resident_ids(block)


def _nationality(number: str) -> str:
    """Alpha-2 code of a foreigner's number, "" where its first six digits are none of one."""
    from custinfo.validate._iso3166 import NUMERIC

    return NUMERIC.get(number[3:6], "") if number[1:3] in PROVINCES else ""


def _county(code: str) -> tuple[Issue, ...]:
    if code in in_force() or code in PERMITS:
        return ()
    return (issue("cn_id.county_bygone" if code in bygone() else "cn_id.county_unknown"),)


def check_character(body: str) -> str:
    """The check character of 17 digits (ISO 7064, MOD 11-2).

    >>> check_character("11010519491231002")
    'X'
    """
    return CHECK[sum(int(digit) * weight for digit, weight in zip(body, WEIGHTS, strict=True)) % 11]


cn_resident_id = ResidentIdValidator()

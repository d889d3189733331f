"""International bank account numbers."""

from __future__ import annotations

import re

from custinfo.validate._base import fail, issue
from custinfo.validate._iban_forms import FORMS, UNREGISTERED
from custinfo.validate._numbers import VALUE_CODES, NumberValidator
from custinfo.validate._result import Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from custinfo.validate._kernel import Bytes, Verdicts

__all__ = ["IbanValidator", "iban", "remainder97"]

_CAPITALS = str.maketrans({chr(code): str(code - 55) for code in range(65, 91)})
_KINDS = {"n": "[0-9]", "a": "[A-Z]", "c": "[0-9A-Z]"}
_START = re.compile(r"[A-Z]{2}[0-9]{2}[0-9A-Z]+").fullmatch
_groups_of_four = re.compile(".{1,4}").findall
_LENGTHS = {country: 4 + sum(map(int, re.findall("[0-9]+", form))) for country, form in FORMS.items()}
_patterns: dict[str, re.Pattern[str]] = {}


def remainder97(text: str) -> int:
    """Digits and capitals as one number, letters as 10 to 35, modulo 97 (ISO 7064).

    >>> remainder97("3214282912345698765432161182")
    1
    """
    return int(text.translate(_CAPITALS)) % 97


class IbanValidator(NumberValidator):
    """An international bank account number; see `iban`."""

    name = "iban"
    codes = VALUE_CODES | {
        "iban.format",
        "iban.country",
        "iban.length",
        "iban.structure",
        "iban.checksum",
        "iban.unregistered",
    }

    def __call__(self, value: object) -> Result[str]:
        """Check one IBAN: country, length, structure and check digits.

        Args:
            value: the number in any case; spaces and hyphens are left out.

        Returns:
            The number in capitals without spaces. Countries that use IBANs without being in the registry give a
            warning. ``meta``: ``country``, ``printed`` (in groups of four).

        Source: ISO 13616-1:2020, IBAN Registry release 101 (Brazil: 2026); check digits ISO 7064 MOD 97-10.

        >>> iban("gb82 west 1234 5698 7654 32").value
        'GB82WEST12345698765432'
        >>> iban("GB82 WEST 1234 5698 7654 33").issues[0].code
        'iban.checksum'
        """
        return super().__call__(value)

    def _check(self, number: str) -> Result[str]:
        country = number[:2]
        form = FORMS.get(country) or UNREGISTERED.get(country)
        if form is None or not number.isascii():
            return fail("iban.country" if _START(number) else "iban.format")
        pattern = _patterns.get(country)
        if pattern is None:
            pattern = _patterns[country] = _pattern(form)
        if pattern.fullmatch(number, 2) is None:
            return fail(_why(number, form))
        # 00, 01 and 99 leave the same remainder as 97, 98 and 02, which are the ones that are given
        if remainder97(number[4:] + number[:4]) != 1 or number[2:4] in ("00", "01", "99"):
            return fail("iban.checksum")
        notes = () if country in FORMS else (issue("iban.unregistered"),)
        return Result(number, notes, {"country": country, "printed": " ".join(_groups_of_four(number))})

    def _groups(self, texts: list[str]) -> list[int | str]:
        return [text[:2] if len(text) == _LENGTHS.get(text[:2]) else 0 for text in texts]

    def _in_bulk(self, group: int | str) -> bool:
        return group != 0

    def _kernel(self, block: Bytes, group: int | str) -> Verdicts:
        from custinfo.validate._kernel import number, remainder97, spans

        kinds = "aann" + "".join(kind * count for count, kind in _parts(FORMS[str(group)]))
        good = spans(block, kinds)
        check = number(block[:, 2:4] - 48, 0, 2)
        good &= (check >= 2) & (check <= 98) & (remainder97(block[:, [*range(4, block.shape[1]), 0, 1, 2, 3]]) == 1)
        return good.view("u1")


def _parts(form: str) -> list[tuple[int, str]]:
    return [(int(count), kind) for count, kind in re.findall(r"([0-9]+)([nac])", form)]


def _pattern(form: str) -> re.Pattern[str]:
    return re.compile("[0-9]{2}" + "".join(f"{_KINDS[kind]}{{{count}}}" for count, kind in _parts(form)))


def _why(number: str, form: str) -> str:
    if not number.isalnum() or not number[2:4].isdigit():
        return "iban.format"
    return "iban.structure" if len(number) == 4 + sum(count for count, _ in _parts(form)) else "iban.length"


iban = IbanValidator()

"""Identification numbers of many countries through python-stdnum (extra ``ids``)."""

from __future__ import annotations

import importlib
import re
import unicodedata
from typing import Any

from custinfo.errors import InvalidFieldError, missing_extra
from custinfo.validate._base import BaseValidator, fail, narrowed, text_or_issue
from custinfo.validate._iso3166 import ALPHA2
from custinfo.validate._result import Result

__all__ = ["OtherIdValidator", "VatValidator", "other_id", "vat"]

_MAX_LENGTH = 64
_NAME = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*").fullmatch
# what stands before a VAT number where it is not the alpha-2 code of the country, XI for Northern Ireland
_COUNTRIES = {"EL": "GR", "UK": "GB", "XI": "GB"}
_PREFIXES = {"GR": "EL", "MC": "FR"}
_FAULTS = {
    "InvalidFormat": "format",
    "InvalidLength": "length",
    "InvalidChecksum": "checksum",
    "InvalidComponent": "component",
}
_ID_CODES = frozenset(
    "value.missing value.type value.too_long value.surrogate value.fullwidth id.format id.length "
    "id.checksum id.component".split()
)


def _stdnum() -> Any:
    try:
        import stdnum
    except ModuleNotFoundError as exc:
        raise missing_extra("stdnum", extra="ids", cause=exc) from None
    return stdnum


def _judge(module: Any, text: str) -> Result[str]:
    """python-stdnum's answer; its sentences may carry the value and are dropped."""
    try:
        return Result(str(module.validate(text)))
    except Exception as exc:  # noqa: BLE001  a checker of many formats; whatever one of them raises is a bad value
        return fail(f"id.{_FAULTS.get(type(exc).__name__, 'format')}")


def _is_dressed_up(text: str) -> bool:
    """Whether letters or digits stand in another form, which python-stdnum reads in part as the ordinary one."""
    return not text.isascii() and any(
        char.isalnum() and unicodedata.normalize("NFKC", char) != char for char in set(text)
    )


class OtherIdValidator(BaseValidator[str]):
    """A number of any format that python-stdnum knows; see `other_id`."""

    name = "other_id"
    codes = _ID_CODES
    option_names = ("format",)

    def __call__(self, value: object, *, format: str | None = None) -> Result[str]:  # noqa: A002
        """Check one number of the format that python-stdnum calls *format*.

        Args:
            value: the number as written.
            format: its module, such as ``"us.ssn"`` or ``"isin"``.

        Returns:
            The compact number.

        Raises:
            MissingExtraError: python-stdnum is not installed.
            InvalidFieldError: ``"option"`` where it has no such format.

        Source: python-stdnum, which names the source of each format.

        >>> other_id("978-0-471-11709-4", format="isbn").value  # doctest: +SKIP
        '9780471117094'
        """
        wanted = self._options.get("format") if format is None else format
        if not isinstance(wanted, str) or len(wanted) > _MAX_LENGTH or not _NAME(wanted):
            raise InvalidFieldError("format must name a module of python-stdnum, such as 'us.ssn'", code="option")
        _stdnum()
        try:
            module = importlib.import_module(f"stdnum.{wanted}")
        except ModuleNotFoundError:
            raise InvalidFieldError(
                f"python-stdnum has no format {wanted!r}; name one of its modules, such as 'us.ssn'", code="option"
            ) from None
        if not hasattr(module, "validate"):
            raise InvalidFieldError(
                f"python-stdnum has no format {wanted!r}; name one of its modules, such as 'us.ssn'", code="option"
            )
        found = text_or_issue(value, max_length=_MAX_LENGTH)
        if not isinstance(found, str):
            return Result(None, (found,))
        if _is_dressed_up(found):
            # what was meant is suggested, not taken
            return narrowed(found, fail("id.format"), lambda narrow: _judge(module, narrow))
        return _judge(module, found)


class VatValidator(BaseValidator[str]):
    """A value-added-tax number; see `vat`."""

    name = "vat"
    codes = _ID_CODES | {"vat.no_country", "vat.country"}
    option_names = ("country",)
    row_option = "country"

    def __call__(self, value: object, *, country: str | None = None) -> Result[str]:
        """Check one VAT number by the rules of its country.

        Args:
            value: the number as written, with its country in front or without.
            country: ISO 3166-1 alpha-2 code; left out, the number must begin with it. For `many` also one per row.

        Returns:
            The country's prefix (``EL`` for Greece, ``XI`` where the number says Northern Ireland) and the number as
            python-stdnum writes it; ``meta["country"]`` has the alpha-2 code.

        Raises:
            MissingExtraError: python-stdnum is not installed.

        Source: python-stdnum, which names the source of each country's format; prefixes: Directive 2006/112/EC,
        article 215.

        >>> vat("DE 136 695 976").value, vat("136695976", country="DE").value  # doctest: +SKIP
        ('DE136695976', 'DE136695976')
        """
        _stdnum()
        found = text_or_issue(value, max_length=_MAX_LENGTH)
        if not isinstance(found, str):
            return Result(None, (found,))
        where = self._options.get("country") if country is None else country
        said = _capitals(where[:_MAX_LENGTH]) if isinstance(where, str) else None
        if _is_dressed_up(found):
            return narrowed(found, fail("id.format"), lambda narrow: _vat(narrow, said))
        return _vat(found, said)


def _capitals(text: str) -> str:
    return text.strip().upper() if text.isascii() else ""


def _vat(text: str, said: str | None) -> Result[str]:
    """The verdict on a number of the country *said*, or of the one that it begins with."""
    from stdnum.util import get_cc_module

    text = text.strip()
    begins = _capitals(text[:2])
    written = begins if said is None else said
    country = _COUNTRIES.get(written, written)
    if country not in ALPHA2:
        return fail("vat.no_country")
    module = get_cc_module(country.lower(), "vat")
    if module is None:
        return fail("vat.country", country=country)
    northern = country == "GB" and "XI" in (begins, written)
    prefix = "XI" if northern else _PREFIXES.get(country, country)
    answer = _judge(module, text)
    rest = text[2:]
    # python-stdnum knows the prefixes of the European Union; those of others are taken off here
    if not answer and _COUNTRIES.get(begins, begins) == country and _capitals(rest[:2]) != begins:
        again = _judge(module, rest)
        if again or answer.issues[0].code != "id.checksum":
            answer = again
    number = answer.value
    if number is None:
        return Result(None, answer.issues, {"country": country})
    # a number may begin with the letters of the prefix and still need it: its key may be any two letters in France
    whole = number.startswith(prefix) and _judge(module, number).value == number
    return Result(number if whole else prefix + number, (), {"country": country})


other_id = OtherIdValidator()
vat = VatValidator()

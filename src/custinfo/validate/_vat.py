"""Identification numbers of many countries through python-stdnum (extra ``ids``)."""

from __future__ import annotations

import importlib
import re
from typing import Any

from custinfo.errors import InvalidFieldError, missing_extra
from custinfo.validate._base import BaseValidator, fail, narrowed, text_or_issue
from custinfo.validate._iso3166 import ALPHA2
from custinfo.validate._result import Result

__all__ = ["OtherIdValidator", "VatValidator", "other_id", "vat"]

_MAX_LENGTH = 64
_NAME = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*").fullmatch
_full_width = re.compile("[\uff01-\uff5e]").search
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
    if not text.isascii() and _full_width(text):
        # python-stdnum reads some of these as the ordinary ones; what was meant is suggested, not taken
        return narrowed(text, fail("id.format"), lambda narrow: _judge(module, narrow))
    try:
        return Result(str(module.validate(text)))
    except Exception as exc:  # noqa: BLE001  a checker of many formats; whatever one of them raises is a bad value
        return fail(f"id.{_FAULTS.get(type(exc).__name__, 'format')}")


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
            raise InvalidFieldError(f"python-stdnum has no format {wanted!r}", code="option") from None
        if not hasattr(module, "validate"):
            raise InvalidFieldError(f"python-stdnum has no format {wanted!r}", code="option")
        found = text_or_issue(value, max_length=_MAX_LENGTH)
        return _judge(module, found) if isinstance(found, str) else Result(None, (found,))


class VatValidator(BaseValidator[str]):
    """A value-added-tax number; see `vat`."""

    name = "vat"
    codes = _ID_CODES | {"vat.no_country", "vat.country"}
    option_names = ("country",)
    row_option = "country"

    def __call__(self, value: object, *, country: str | None = None) -> Result[str]:
        """Check one VAT number by the rules of its country.

        Args:
            value: the number as written.
            country: ISO 3166-1 alpha-2 code; left out, the number must begin with it. For `many` also one per row.

        Returns:
            The compact number as python-stdnum writes it for the country; ``meta["country"]`` says which.

        Raises:
            MissingExtraError: python-stdnum is not installed.

        Source: python-stdnum, which names the source of each country's format.

        >>> vat("DE 136 695 976").value  # doctest: +SKIP
        '136695976'
        """
        _stdnum()
        from stdnum.util import get_cc_module

        found = text_or_issue(value, max_length=_MAX_LENGTH)
        if not isinstance(found, str):
            return Result(None, (found,))
        where = self._options.get("country") if country is None else country
        code = (where[:_MAX_LENGTH] if isinstance(where, str) else found.strip()[:2]).strip().upper()
        code = {"EL": "GR", "UK": "GB"}.get(code, code)
        if code not in ALPHA2:
            return fail("vat.no_country")
        module = get_cc_module(code.lower(), "vat")
        if module is None:
            return fail("vat.country", country=code)
        answer = _judge(module, found)
        return Result(answer.value, answer.issues, {**answer.meta, "country": code})


other_id = OtherIdValidator()
vat = VatValidator()

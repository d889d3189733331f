"""Masks for display: what remains of a value that a reader may not see whole."""

from __future__ import annotations

import re
from collections.abc import Callable

from custinfo.errors import InvalidFieldError

_HIDDEN = "***"


# Country codes: 1 and 7, those of two digits, all others of three. Source: ITU-T E.164, list of codes (2016-12).
_COUNTRY_CODE = re.compile("[17]|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|[0-9]{1,3}|").match


def _last4(text: str) -> str:
    return _HIDDEN + text[-4:] if len(text) > 8 else _HIDDEN


def _email(text: str) -> str:
    local, at, domain = text.rpartition("@")
    shown = at and len(local) > 1 and domain and not any(c.isspace() for c in domain)
    return f"{local[0]}{_HIDDEN}@{domain}" if shown else _HIDDEN


def _phone(text: str) -> str:
    digits = "".join(c for c in text if "0" <= c <= "9")
    found = _COUNTRY_CODE(digits) if text.startswith("+") else None
    country = found[0] if found else ""
    hidden = len(digits) - len(country) - 4
    return f"{country and '+' + country}{_HIDDEN}{digits[-4:]}" if hidden >= 4 else _HIDDEN


def _name(text: str) -> str:
    """The first character of each word: 'Rosa Prar' -> 'R*** P***', '张伟' -> '张***'."""
    return " ".join(map(_first, text.split())) or _HIDDEN


def _first(text: str) -> str:
    return text[:1] + _HIDDEN if len(text) > 1 else _HIDDEN


def _year(text: str) -> str:
    return text[:4] + "-**-**" if re.match(r"[0-9]{4}-", text) else _HIDDEN


MASKS: dict[str, Callable[[str], str]] = {
    "email": _email,
    "first": _first,
    "hide": lambda _: _HIDDEN,
    "last4": _last4,
    "name": _name,
    "phone": _phone,
    "year": _year,
}


def mask(value: object, how: str) -> str:
    """What may be shown of a value.

    Args:
        value: anything with a text form; None gives "".
        how: ``hide``: nothing; ``last4``: the last 4 characters of more than 8; ``email``: the first character and the
            domain; ``phone``: the country code of an international number and the last 4 digits, where 4 more stay
            hidden; ``name``: the first character of each word; ``first``: the first character; ``year``: the year of
            an ISO date. A value or word too short to hide anything of is hidden whole.

    Raises:
        InvalidFieldError: "mask.unknown", listing the masks there are.

    >>> mask("+8613800138000", "phone"), mask("rosa@example.com", "email"), mask("张伟", "name")
    ('+86***8000', 'r***@example.com', '张***')
    """
    given: object = how
    show = MASKS.get(how) if isinstance(given, str) else None
    if show is None:
        raise InvalidFieldError(f"no such mask; there are {', '.join(sorted(MASKS))}", code="mask.unknown")
    return "" if value is None else show(str(value))

"""Masks for display: what remains of a value that a reader may not see whole."""

from __future__ import annotations

import re
from collections.abc import Callable

from custinfo.errors import InvalidFieldError

_HIDDEN = "***"


def _last4(text: str) -> str:
    return _HIDDEN + text[-4:] if len(text) > 8 else _HIDDEN


def _email(text: str) -> str:
    local, at, domain = text.rpartition("@")
    return f"{local[:1]}{_HIDDEN}@{domain}" if at and len(local) > 1 else _HIDDEN


def _phone(text: str) -> str:
    digits = re.sub(r"[^0-9]", "", text)
    return f"{text[:3] if text.startswith('+') else ''}{_HIDDEN}{digits[-4:]}" if len(digits) > 8 else _HIDDEN


def _name(text: str) -> str:
    """The first character of each word: 'Rosa Prar' -> 'R*** P***', '张伟' -> '张***'."""
    return " ".join(word[0] + _HIDDEN for word in text.split()) or _HIDDEN


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
        how: ``hide``, ``last4``, ``email``, ``phone``, ``name``, ``first`` or ``year`` (of an ISO date). A value too
            short to keep anything of is hidden whole.

    Raises:
        InvalidFieldError: "mask.unknown", listing the masks there are.

    >>> mask("+8613800138000", "phone"), mask("rosa@example.com", "email"), mask("张伟", "name")
    ('+86***8000', 'r***@example.com', '张***')
    """
    try:
        show = MASKS[how]
    except KeyError:
        raise InvalidFieldError(f"no such mask; there are {', '.join(sorted(MASKS))}", code="mask.unknown") from None
    return "" if value is None else show(str(value))

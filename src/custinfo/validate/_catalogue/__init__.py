"""The append-only catalogue of codes: severity, a sentence in each language, a line of documentation.

A code's number is its place in the list, so that columns of numbers from different batches and releases agree.
"""

from __future__ import annotations

from collections.abc import Mapping

from custinfo.errors import InvalidFieldError
from custinfo.validate._catalogue._codes import CODES

__all__ = ["CODE_NAMES", "LOCALES", "code_number", "message", "severity_of"]

LOCALES = ("en", "zh")
CODE_NAMES: tuple[str, ...] = ("", *(code for code, _ in CODES))
_SEVERITY = dict(CODES)
_NUMBER = {name: number for number, name in enumerate(CODE_NAMES)}


def severity_of(code: str) -> str:
    """Severity of *code* by the catalogue; a code of a rule of your own is an error."""
    return _SEVERITY.get(code, "error")


def code_number(code: str) -> int:
    """Place of *code* in the catalogue, from 1."""
    return _NUMBER[code]


def message(code: str, locale: object, params: Mapping[str, object]) -> str:
    """The sentence of *code* in *locale*, with the figures of *params*."""
    language = locale.replace("_", "-").split("-")[0].lower() if isinstance(locale, str) else ""
    if language == "en":
        from custinfo.validate._catalogue._en import MESSAGES
    elif language == "zh":
        from custinfo.validate._catalogue._zh import MESSAGES
    else:
        raise InvalidFieldError(f"no messages in this language; known are {', '.join(LOCALES)}", code="locale")
    template = MESSAGES.get(code) or MESSAGES["rule"]
    return template.format_map({"code": code, **params})

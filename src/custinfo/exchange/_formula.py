"""Text that a spreadsheet would run as a formula, made harmless and brought back.

Source: OWASP Application Security Verification Standard 5.0 (May 2025), requirement 1.2.10 (= + - @ tab NUL, an
apostrophe before them); carriage return and line feed besides, which spreadsheets pass over.
"""

from __future__ import annotations

_TRIGGERS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")


def neutralise(text: str) -> str:
    """Put an apostrophe before text that would be a formula; `restore` takes it away again.

    A plain negative number is left alone: it is no formula, and an amount should stay one.
    """
    if text.lstrip("'").startswith(_TRIGGERS) and not _is_negative_number(text):
        return "'" + text
    return text


def restore(text: str) -> str:
    """The text before `neutralise`."""
    if text.startswith("'") and text.lstrip("'").startswith(_TRIGGERS):
        return text[1:]
    return text


def _is_negative_number(text: str) -> bool:
    digits = text[1:].replace(".", "", 1)
    return text[0] == "-" and digits.isascii() and digits.isdecimal()

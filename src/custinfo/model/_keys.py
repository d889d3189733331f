"""Look-up forms: two values that are meant to be found by each other have the same one.

Each is idempotent: the look-up form of a look-up form is itself.
"""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime

_BLANKS = {code: " " for code in range(128) if not chr(code).isalnum()}
_NOT_DIALLED = {code: None for code in range(128) if chr(code) not in "0123456789+"}


def name_key(text: str) -> str:
    """Look-up form of a name: case, accents, width and the order of its words do not matter.

    >>> name_key("PRAR, Rósa") == name_key("rosa prar")
    True
    """
    if text.isascii():
        return " ".join(sorted(text.lower().translate(_BLANKS).split()))
    bare = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    folded = unicodedata.normalize("NFKD", bare.casefold())
    # Vowel signs of Indic scripts are marks (M) and no letters, but part of the word.
    words = "".join(c if c.isalnum() or unicodedata.category(c)[0] == "M" else " " for c in folded).split()
    return " ".join(sorted(words))


def email_key(text: str) -> str:
    """Look-up form of an e-mail address: case does not matter.

    >>> email_key(" Rosa@Example.com")
    'rosa@example.com'
    """
    if text.isascii():
        return text.strip().lower()
    # Folding after decomposing, and composing last, is the canonical caseless match of Unicode (D145).
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text.strip()).casefold())


def phone_key(text: str) -> str:
    """Look-up form of a phone number: its digits, and the plus sign where it begins with one.

    >>> phone_key("+86 138-0013-8000"), phone_key("(021) 5550 0100")
    ('+8613800138000', '02155500100')
    """
    if text.isascii():
        dialled = text.translate(_NOT_DIALLED)
        digits = dialled.replace("+", "")
        return "+" + digits if digits and dialled[0] == "+" else digits
    digits = "".join(str(unicodedata.decimal(c)) for c in text if c.isdecimal())
    return "+" + digits if digits and _has_plus(text) else digits


def _has_plus(text: str) -> bool:
    first = next(c for c in text if c.isdecimal() or c in "+＋")
    return first in "+＋"


def identifier_key(*, scheme: str, value: str, issuer: str | None = None, country: str | None = None) -> str:
    """Look-up form of an identifier: its scheme, whoever issued it, and its value.

    >>> identifier_key(scheme="external", issuer="shop", value="C1")
    'external|shop|C1'
    """
    parts = (scheme, issuer or country or "", value)
    text = "|".join(parts)
    if text.count("|") == 2 and "\\" not in text:
        return text
    return "|".join([part.replace("\\", "\\\\").replace("|", "\\|") for part in parts])


def handle_key(network: str, handle: str) -> str:
    """Look-up form of a name in a social network: case, width and an @ before it do not matter.

    >>> handle_key("WeChat", "@ZhangWei_example")
    'wechat|zhangwei_example'
    """
    first, second = (_folded(part).replace("\\", "\\\\").replace("|", "\\|") for part in (network, handle))
    return f"{first}|{second.removeprefix('@')}"


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text.strip()).casefold())


def time_key(when: datetime | None) -> str | None:
    """Look-up form of an aware time, in UTC: its text sorts as times do.

    >>> from datetime import UTC, datetime
    >>> time_key(datetime(2024, 5, 6, 12, 30, tzinfo=UTC))
    '2024-05-06T12:30:00.000000+00:00'
    """
    if when is None:
        return None
    if when.tzinfo is not UTC:
        when = when.astimezone(UTC)
    return when.isoformat(timespec="microseconds")

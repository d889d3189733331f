"""Tokens as text, for columns and protocols that hold no bytes."""

from __future__ import annotations

import base64
import re

from custinfo.crypto._format import bad_token

_PREFIX = "ci1."
_ALPHABET = re.compile(r"ci1\.[A-Za-z0-9_-]*", re.ASCII)


def to_text(token: bytes) -> str:
    """A token as ``ci1.`` and unpadded base64url.

    Args:
        token: the bytes of `FieldCipher.encrypt`.

    Source: RFC 4648, section 5 (October 2006).

    >>> to_text(bytes([0xC1, 0x01, 0xFF]))
    'ci1.wQH_'
    """
    return _PREFIX + base64.urlsafe_b64encode(token).rstrip(b"=").decode()


def from_text(text: str) -> bytes:
    """The token of its text form; only what `to_text` writes is taken, so that one token has one text.

    Args:
        text: ``ci1.`` and base64url without padding.

    Raises:
        DecryptionError: another prefix, padding, white space, a foreign letter, or spare bits that are not zero.

    Source: RFC 4648, sections 3.5 and 5 (October 2006).

    >>> from_text("ci1.wQH_").hex()
    'c101ff'
    """
    if type(text) is str and _ALPHABET.fullmatch(text) and len(text) % 4 != 1:
        body = text[len(_PREFIX) :]
        token = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
        if to_text(token) == text:
            return token
    raise bad_token()

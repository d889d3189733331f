"""Values to padded plaintext and back, kept by type (codecs 0 to 6 of field format version 1)."""

from __future__ import annotations

import contextlib
import json
from datetime import date, datetime
from typing import Any

from custinfo.crypto._format import BLOCK_LEN, bad_token
from custinfo.errors import InvalidFieldError

NONE, BYTES, TEXT, INT, DATE, DATETIME, JSON = range(7)

PADDING = tuple(b"\x80" + bytes(BLOCK_LEN - 1 - used) for used in range(BLOCK_LEN))
"""Padding by the length before it, modulo 16: one bit, then zeros (ISO/IEC 7816-4)."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_JSON_TYPES = frozenset({dict, list, bool, float})
_JSON_SCALARS = frozenset({str, int, float, bool})
_write_scalar = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
_quoted = json.encoder.encode_basestring


def encode(value: object) -> bytes:
    """The padded plaintext of a value.

    Raises:
        InvalidFieldError: "cipher.type" for another type or a subclass, which would not come back as itself;
            "cipher.text", "cipher.int", "cipher.json" for a value that the codec of its type cannot hold.
    """
    kind = type(value)
    if value is None:
        data = b"\x00"
    elif kind is str:
        data = b"\x02" + _utf8(value)  # type: ignore[arg-type]
    elif kind is bytes:
        data = b"\x01" + value  # type: ignore[operator]
    elif kind is int:
        data = b"\x03" + _decimal(value)  # type: ignore[arg-type]
    elif kind is date:
        data = b"\x04" + value.isoformat().encode()  # type: ignore[attr-defined]
    elif kind is datetime:
        data = b"\x05" + value.isoformat().encode()  # type: ignore[attr-defined]
    elif kind in _JSON_TYPES:
        data = b"\x06" + _json(value)
    else:
        raise InvalidFieldError(
            f"a value of type {kind.__name__} cannot be encrypted; "
            "convert it to str, bytes, int, date, datetime, None, or JSON (dict, list, bool, float)",
            code="cipher.type",
        )
    return data + PADDING[len(data) % BLOCK_LEN]


def decode(padded: bytes) -> object:
    """The value of a padded plaintext; what `encode` would not have written is refused.

    Raises:
        DecryptionError: bad padding, an unknown codec, or a value that is not in its canonical form.
    """
    end = padded.rfind(b"\x80")
    # At most 15 zeros behind the mark, up to the next multiple of 16: anything else another writer padded.
    if end < 1 or padded[end:] != PADDING[end % BLOCK_LEN]:
        raise bad_token()
    codec = padded[0]
    try:
        if codec == TEXT:
            return padded[1:end].decode()
        if codec == BYTES:
            return padded[1:end]
        if codec == NONE and end == 1:
            return None
        if codec in _CANONICAL:
            text = str(padded[1:end], "ascii")
            parse, write = _CANONICAL[codec]
            value = parse(text)
            if write(value) == text:
                return value
        if codec == JSON:
            value = json.loads(padded[1:end].decode(), parse_constant=_no_constant, object_pairs_hook=_distinct)
            if type(value) in _JSON_TYPES:
                return value
    except (ValueError, RecursionError):
        pass
    raise bad_token()


_CANONICAL: dict[int, tuple[Callable[[str], Any], Callable[[Any], str]]] = {
    INT: (int, str),
    DATE: (date.fromisoformat, date.isoformat),
    DATETIME: (datetime.fromisoformat, datetime.isoformat),
}


def _utf8(value: str) -> bytes:
    # Raised outside the handler: a UnicodeEncodeError carries the whole text, and `from None` would only hide it.
    with contextlib.suppress(UnicodeEncodeError):
        return value.encode()
    raise InvalidFieldError(
        "the text holds a lone surrogate, which UTF-8 cannot hold; decode its source properly", code="cipher.text"
    )


def _decimal(value: int) -> bytes:
    try:
        return str(value).encode()
    except ValueError:
        raise InvalidFieldError(
            "the int has too many digits for Python to print; store it as bytes", code="cipher.int"
        ) from None


def _json(value: object) -> bytes:
    try:
        parts: list[str] = []
        _write_json(value, parts)
        return "".join(parts).encode()
    except (ValueError, RecursionError):
        pass  # raised outside the handler, since the cause may carry the value
    raise InvalidFieldError(
        "the value is not JSON that comes back as itself: allowed are dict with str keys, list, str, int, "
        "finite float, bool and None, nested at most a few hundred deep",
        code="cipher.json",
    )


def _write_json(value: Any, parts: list[str]) -> None:
    """What json writes without spaces, and only of what comes back as itself: checked and written in one pass."""
    kind = type(value)
    if kind is dict:
        before = "{"
        for key, item in value.items():
            if type(key) is not str:
                raise ValueError
            parts.append(f"{before}{_quoted(key)}:")
            before = ","
            if type(item) is str:
                parts.append(_quoted(item))
            else:
                _write_json(item, parts)
        parts.append("}" if value else "{}")
    elif kind is list:
        before = "["
        for item in value:
            parts.append(before)
            before = ","
            if type(item) is str:
                parts.append(_quoted(item))
            else:
                _write_json(item, parts)
        parts.append("]" if value else "[]")
    elif value is None or kind in _JSON_SCALARS:
        parts.append(_write_scalar(value))
    else:
        raise ValueError


def _no_constant(_: str) -> object:
    raise ValueError


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError
    return value

"""Text of JSON: the standard module, and msgspec where it is installed and gives the same.

The standard module decides what is JSON: whatever msgspec refuses (NaN, lone surrogates, a byte order mark) is read
again by it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple


class _Msgspec(NamedTuple):
    write: Callable[[Any], bytes]
    read: Callable[[bytes | str], Any]


def _msgspec() -> _Msgspec | None:
    try:
        import msgspec
    except ModuleNotFoundError:  # the extra "fast"
        return None
    return _Msgspec(msgspec.json.Encoder().encode, msgspec.json.Decoder().decode)


_FAST = _msgspec()
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False, check_circular=False)
_DECODER = json.JSONDecoder()


def encoded(values: dict[str, Any], *, without_floats: bool) -> bytes:
    """JSON values as UTF-8, without spaces.

    Args:
        values: text, finite numbers, True, False, None, lists and dicts of them.
        without_floats: whether no float is among them; msgspec writes some in another way (1e16 for 1e+16).
    """
    if _FAST is not None and without_floats:
        try:
            return _FAST.write(values)
        except (RecursionError, TypeError, ValueError):
            pass  # such as a subclass of str, which the standard module writes
    return _ENCODER.encode(values).encode()


def decoded(data: bytes | str) -> Any:
    """What a JSON text holds.

    Raises:
        TypeError, ValueError, RecursionError: it is no JSON.
    """
    try:
        if _FAST is not None:
            return _FAST.read(data)
        if isinstance(data, bytes):
            # As `json.loads` does it, less its search for other encodings and for white space.
            text = data.decode()
            parsed, end = _DECODER.raw_decode(text)
            if end == len(text):
                return parsed
    except (RecursionError, TypeError, ValueError):
        pass
    return json.loads(data)

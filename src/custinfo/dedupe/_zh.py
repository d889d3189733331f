"""Chinese characters to simplified form and pinyin (extra ``zh``); loaded only where that is installed."""

from __future__ import annotations

import functools

import pypinyin

__all__ = ["CAN_SIMPLIFY", "pinyin", "simplify"]

try:
    import opencc
except ModuleNotFoundError:  # pragma: no cover - both packages come with the extra; pinyin alone still helps
    _CONVERTER = None
else:
    _CONVERTER = opencc.OpenCC("t2s")


CAN_SIMPLIFY = _CONVERTER is not None


@functools.lru_cache(maxsize=65536)
def simplify(text: str) -> str:
    """Traditional characters as simplified ones."""
    return text if _CONVERTER is None else str(_CONVERTER.convert(text))


@functools.lru_cache(maxsize=65536)
def pinyin(text: str) -> str:
    """Toneless pinyin without spaces, ü as v: the spelling that people type.

    >>> pinyin("欧阳建国")
    'ouyangjianguo'
    """
    text = simplify(text)
    readings = [_reading(character) for character in text]
    if None not in readings:
        return "".join(filter(None, readings))
    return "".join(pypinyin.lazy_pinyin(text, v_to_u=False)).lower()


@functools.cache
def _reading(character: str) -> str | None:
    """The one reading of a character, whatever stands beside it; ``None`` where it has several."""
    readings = {
        reading.lower()
        for found in pypinyin.pinyin(character, style=pypinyin.Style.NORMAL, heteronym=True, v_to_u=False)
        for reading in found
    }
    return readings.pop() if len(readings) == 1 else None

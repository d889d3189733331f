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
    return "".join(pypinyin.lazy_pinyin(simplify(text), v_to_u=False)).lower()

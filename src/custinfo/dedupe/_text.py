"""Folding of text: one spelling for what differs only in case, accents, width or script variant."""

from __future__ import annotations

import datetime
import functools
import re
import unicodedata
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

__all__ = [
    "Codes",
    "Texts",
    "content_hash",
    "factorize",
    "fold",
    "han_support",
    "han_to_pinyin",
    "has_pinyin",
    "is_han",
    "plain",
    "word_set",
    "words",
]

Codes = np.ndarray[tuple[int], np.dtype[np.int32]]
Texts = Sequence[str]


def word_set(text: str) -> frozenset[str]:
    """The words of a text, for tables.

    >>> sorted(word_set("inc ltd"))
    ['inc', 'ltd']
    """
    return frozenset(text.split())


# Longer than any real name or address; a 1 MB cell must not cost more than this many characters.
_MAX_CHARS = 256

# Letters that Unicode does not decompose into a base letter and a mark (Unicode 16, NFKD).
_LETTERS = str.maketrans({"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ı": "i"})

_EMPTY = word_set(
    """
    n/a n.a. n.a n/k #n/a none nil unknown unbekannt inconnu desconocido undefined - -- --- ? ?? . .. x xx xxx
    xxxx tbd (null) <na> 未知 无 无名 不详 暂无 空
    """
) | {"not available", "not provided", "not known", "no name", "not applicable"}

_HAN = re.compile(r"[㐀-䶿一-鿿豈-﫿]")
_WORD = re.compile(r"[^\W_]+")


def plain(value: object) -> str:
    """Text of one cell; empty where the cell is missing (None, NaN, NaT, blank, "N/A" and the like)."""
    if value is None:
        return ""
    if isinstance(value, str):
        text = value[:_MAX_CHARS].strip()
    elif isinstance(value, (bool, np.bool_)):
        text = "true" if value else "false"
    elif isinstance(value, (float, np.floating)):
        if not np.isfinite(value):
            return ""
        text = str(int(value)) if value == int(value) else str(float(value))
    elif isinstance(value, (bytes, bytearray)):
        text = bytes(value[: 4 * _MAX_CHARS]).decode("utf-8", "replace")[:_MAX_CHARS].strip()
    elif isinstance(value, np.datetime64):
        text = "" if np.isnat(value) else str(value.astype("datetime64[D]"))
    elif isinstance(value, datetime.date):
        text = "" if value != value else value.isoformat()[:10]
    else:
        text = "" if value != value else str(value)[:_MAX_CHARS].strip()
    return "" if text.lower() in _EMPTY else text


@functools.lru_cache(maxsize=65536)
def fold(text: str) -> str:
    """Lower case without accents, full-width forms and letter variants.

    >>> fold("  Müller-LÜDENSCHEIDT ")
    'muller-ludenscheidt'
    """
    text = text.strip().lower()
    if text.isascii():
        return text
    text = unicodedata.normalize("NFKC", text).lower().translate(_LETTERS)
    parts = unicodedata.normalize("NFKD", text)
    return unicodedata.normalize("NFC", "".join(c for c in parts if not unicodedata.combining(c))).strip()


def words(text: str) -> list[str]:
    """The words of folded text, apostrophes closed up.

    >>> words("o'brien & sons")
    ['obrien', 'sons']
    """
    return _WORD.findall(text.replace("'", "").replace("’", ""))


def is_han(text: str) -> bool:
    """Whether the text holds a Chinese character."""
    return not text.isascii() and _HAN.search(text) is not None


@functools.cache
def _pinyin() -> Callable[[str], str] | None:
    try:
        from custinfo.dedupe import _zh
    except ImportError:
        return None
    return _zh.pinyin


def han_to_pinyin(text: str) -> str:
    """Toneless pinyin without spaces where extra ``zh`` is installed; else the text itself."""
    convert = _pinyin()
    return text if convert is None else convert(text)


def has_pinyin() -> bool:
    """Whether extra ``zh`` is installed."""
    return _pinyin() is not None


def han_support() -> str:
    """What extra ``zh`` can do here: nothing, "pinyin", or "pinyin+simplified"."""
    if not has_pinyin():
        return ""
    from custinfo.dedupe import _zh

    return "pinyin+simplified" if _zh.CAN_SIMPLIFY else "pinyin"


class _Numbering(dict[Any, int]):
    """Numbers values in the order of their first look-up."""

    def __missing__(self, key: object) -> int:
        self[key] = number = len(self)
        return number


def factorize(values: Sequence[Any] | np.ndarray[Any, Any]) -> tuple[Codes, list[Any]]:
    """Code of each value and the distinct values, numbered as they first appear.

    >>> codes, distinct = factorize(["b", "a", "b"])
    >>> codes.tolist(), distinct
    ([0, 1, 0], ['b', 'a'])
    """
    numbering = _Numbering()
    items = values.tolist() if isinstance(values, np.ndarray) and values.dtype.kind not in "OMm" else values
    try:
        codes = np.fromiter(map(numbering.__getitem__, items), np.int32, len(items))
    except TypeError:  # unhashable cells (lists, dicts) compare as their text
        numbering.clear()
        codes = np.fromiter((numbering[str(item)] for item in items), np.int32, len(items))
    return codes, list(numbering)


def content_hash(text: str) -> int:
    """The same 64-bit number for the same text in every process."""
    data = text.encode("utf-8", "surrogatepass")
    # A second checksum with another start value would follow from the first; one of the reversed text does not.
    return zlib.crc32(data) << 32 | zlib.crc32(data[::-1])

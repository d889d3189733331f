"""Folding of text: one spelling for what differs only in case, accents, width or script variant."""

from __future__ import annotations

import datetime
import functools
import operator
import re
import unicodedata
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

__all__ = [
    "EMPTY",
    "MAX_CHARS",
    "Codes",
    "Texts",
    "as_list",
    "content_hash",
    "factorize",
    "fold",
    "han_support",
    "han_to_pinyin",
    "has_pinyin",
    "is_han",
    "mostly_distinct",
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
MAX_CHARS = 256

# Letters that Unicode does not decompose into a base letter and a mark (Unicode 16, NFKD).
_LETTERS = {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ı": "i"}

EMPTY = word_set(
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
        text = value[:MAX_CHARS].strip()
    elif isinstance(value, (bool, np.bool_)):
        text = "true" if value else "false"
    elif isinstance(value, (float, np.floating)):
        if not np.isfinite(value):
            return ""
        text = str(int(value)) if value == int(value) else str(float(value))
    elif isinstance(value, (bytes, bytearray)):
        text = bytes(value[: 4 * MAX_CHARS]).decode("utf-8", "replace")[:MAX_CHARS].strip()
    elif isinstance(value, np.datetime64):
        text = "" if np.isnat(value) else str(value.astype("datetime64[D]"))
    elif isinstance(value, datetime.date):
        text = "" if value != value else value.isoformat()[:10]
    else:
        text = "" if value != value else str(value)[:MAX_CHARS].strip()
    return "" if text.lower() in EMPTY else text


@functools.lru_cache(maxsize=65536)
def fold(text: str) -> str:
    """Lower case without accents, full-width forms and letter variants.

    >>> fold("  Müller-LÜDENSCHEIDT ")
    'muller-ludenscheidt'
    """
    text = text.strip().lower()
    if text.isascii():
        return text
    return unaccented(text).strip()


def unaccented(text: str) -> str:
    """Lower-case text, of one value or of many lines, without accents, full-width forms and letter variants."""
    text = unicodedata.normalize("NFKC", text).lower()
    for letter, plain_letter in _LETTERS.items():
        text = text.replace(letter, plain_letter)
    if text.isascii():
        return text
    text = unicodedata.normalize("NFKD", text)
    for mark in [c for c in set(text) if unicodedata.combining(c)]:
        text = text.replace(mark, "")
    return unicodedata.normalize("NFC", text)


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


def as_list(values: Sequence[Any] | np.ndarray[Any, Any]) -> Sequence[Any]:
    """A column as something that is fast to iterate over."""
    if isinstance(values, np.ndarray):
        return list(values) if values.dtype.kind in "Mm" else values.tolist()
    return values


def mostly_distinct(values: Sequence[Any] | np.ndarray[Any, Any]) -> bool:
    """Whether more than a third of the values seem to differ from all others."""
    step = max(1, len(values) // _LOOKED_AT)
    sample = list(map(plain, as_list(values[::step])))
    present = [text for text in sample if text]
    return len(set(present)) > len(present) / 3


_LOOKED_AT = 3000
_MANY = 100_000


def factorize(values: Sequence[Any] | np.ndarray[Any, Any]) -> tuple[Codes, list[Any]]:
    """Code of each value and the distinct values, numbered as they first appear.

    >>> codes, distinct = factorize(["b", "a", "b"])
    >>> codes.tolist(), distinct
    ([0, 1, 0], ['b', 'a'])
    """
    items = as_list(values)
    found = _by_hash(items) if len(items) > _MANY and mostly_distinct(items) else None
    if found is not None:
        return found
    numbering = _Numbering()
    try:
        codes = np.fromiter(map(numbering.__getitem__, items), np.int32, len(items))
    except TypeError:  # unhashable cells (lists, dicts) compare as their text
        numbering.clear()
        codes = np.fromiter((numbering[str(item)] for item in items), np.int32, len(items))
    return codes, list(numbering)


def _by_hash(items: Sequence[Any]) -> tuple[Codes, list[Any]] | None:
    """The same for many different texts, by sorting their hashes: a large dictionary is slow.

    The hashes differ from process to process, what comes out does not.
    """
    many = len(items)
    if set(map(type, items)) - {str, type(None)}:
        return None
    hashes = np.fromiter(map(hash, items), np.int64, many)
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    fresh = np.append(True, ordered[1:] != ordered[:-1])
    group = np.empty(many, np.int64)
    group[order] = np.cumsum(fresh) - 1
    first = order[fresh]
    again = np.flatnonzero(first[group] != np.arange(many))
    item = items.__getitem__
    if not all(map(operator.eq, map(item, again.tolist()), map(item, first[group[again]].tolist()))):
        return None  # two texts of one hash
    appearing = np.argsort(first)
    number = np.empty(len(first), np.int32)
    number[appearing] = np.arange(len(first), dtype=np.int32)
    return number[group], [items[row] for row in first[appearing].tolist()]


def content_hash(text: str) -> int:
    """The same 64-bit number for the same text in every process."""
    data = text.encode("utf-8", "surrogatepass")
    # A second checksum with another start value would follow from the first; one of the reversed text does not.
    return zlib.crc32(data) << 32 | zlib.crc32(data[::-1])

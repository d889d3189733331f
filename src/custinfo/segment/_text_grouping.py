"""Numbering of customers whose ids are Arrow text, by the hash of each and a comparison of every byte."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from custinfo.segment._hash import KeyTable, estimated_distinct, sample_step
from custinfo.segment._ids import ArrowText
from custinfo.segment._text import TextNotTakenError, ascending, hashes, texts, words_of
from custinfo.segment._text_code import TextCode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from numpy.typing import NDArray

    Column = NDArray[Any]
    Int64 = NDArray[np.int64]
    UInt64 = NDArray[np.uint64]

_BLOCK = 1 << 14  # rows whose words stay in the cache


class CodedTextGrouping:
    """Text ids of a common form: the number is the slot of the integer that a text is packed into.

    Args:
        ids: shape (n,).
        code: how they are packed.
        distinct: how many distinct ids are expected.
    """

    def __init__(self, ids: ArrowText, code: TextCode, *, distinct: int) -> None:
        self._ids = ids
        self._code = code
        self._table = KeyTable(distinct, empty=-1)
        self.size = self._table.size

    def codes(self, start: int, stop: int) -> Int64:
        """Number of the customer of each row, shape (stop - start,).

        Raises:
            TextNotTakenError: an id has another form than those of the sample.
            TableFullError: there are more ids than the table was made for.
        """
        keys = [
            self._code.packed(words_of(*part), len(part[0]) - 1)
            for at in range(start, stop, _BLOCK)
            for part in self._ids.parts(at, min(at + _BLOCK, stop))
        ]
        return self._table.slots(np.concatenate(keys))

    def customers(self, codes: Int64) -> tuple[Column, Int64]:
        """The ids of some numbers, ascending, and the numbers in that order."""
        keys, slots = self._table.ascending(codes)
        return texts(self._code.words(keys), len(keys)), slots


class TextGrouping:
    """Text ids: the number is the slot of the text's hash; each row's text is compared with the one kept there.

    Args:
        ids: shape (n,), n > 0.
        distinct: how many distinct ids are expected.
    """

    def __init__(self, ids: ArrowText, *, distinct: int) -> None:
        self._ids = ids
        self._table = KeyTable(distinct, empty=0)
        self.size = self._table.size
        self._words: list[UInt64] = []  # of the text in each slot; zero: none yet, or the empty text
        self._lock = threading.Lock()

    def codes(self, start: int, stop: int) -> Int64:
        """Number of the customer of each row, shape (stop - start,).

        Raises:
            TextNotTakenError: an id is too long, has a zero byte, or shares its hash with another.
            TableFullError: there are more ids than the table was made for.
        """
        found = []
        for offsets, data in self._ids.parts(start, stop):
            words = words_of(offsets, data)
            slots = self._table.slots(hashes(words, len(offsets) - 1))
            self._compare(slots, words)
            found.append(slots)
        return np.concatenate(found)

    def _compare(self, slots: Int64, words: list[UInt64]) -> None:
        if len(self._words) < len(words):
            with self._lock:
                while len(self._words) < len(words):
                    self._words.append(np.zeros(self.size, np.uint64))
        kept = list(self._words)
        words = words + [np.zeros(len(slots), np.uint64)] * (len(kept) - len(words))
        different = self._different(slots, words, kept)
        if not len(different):
            return
        slots, words = slots[different], [word[different] for word in words]
        with self._lock:
            new = np.flatnonzero(kept[0][slots] == 0)
            for table, word in zip(kept[::-1], words[::-1], strict=True):  # the first word, which shows it, last
                table[slots[new]] = word[new]
            if len(self._different(slots, words, kept)):
                raise TextNotTakenError

    def _different(self, slots: Int64, words: list[UInt64], kept: list[UInt64]) -> Int64:
        different = np.zeros(len(slots), np.bool_)
        for table, word in zip(kept, words, strict=True):
            different |= table[slots] != word
        return np.flatnonzero(different)

    def customers(self, codes: Int64) -> tuple[Column, Int64]:
        """The ids of some numbers, ascending, and the numbers in that order."""
        words = [table[codes] for table in self._words]
        order = ascending(words, len(codes))
        return texts([word[order] for word in words], len(codes)), codes[order]


def text_grouping(ids: ArrowText, *, growth: int = 1) -> CodedTextGrouping | TextGrouping:
    """The way of numbering that suits a sample of the ids.

    Args:
        ids: shape (n,), n > 0.
        growth: factor on the estimated number of distinct ids.

    Raises:
        TextNotTakenError: an id of the sample is too long or has a zero byte.
    """
    offsets, data = ids.sample(sample_step(len(ids)))
    words, rows = words_of(offsets, data), len(offsets) - 1
    code = TextCode.of(words) if ids.of_one_form and words else None
    keys = hashes(words, rows) if code is None else code.packed(words, rows)
    distinct = growth * estimated_distinct(keys, rows=len(ids))
    return TextGrouping(ids, distinct=distinct) if code is None else CodedTextGrouping(ids, code, distinct=distinct)

"""Short ids as integers: only the bits in which ids differ are kept, so each id has an integer of its own."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np

from custinfo.segment._text import TextNotTakenError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from numpy.typing import NDArray

    Int64 = NDArray[np.int64]
    UInt64 = NDArray[np.uint64]

_BITS = 63


@attrs.frozen
class _WordCode:
    """One word of text: the lower *width* bits of its first *count* bytes; the other bits are those of *fixed*."""

    width: int
    count: int
    mask: int
    fixed: int


@attrs.frozen
class TextCode:
    """Packing of texts of a common form, such as ACC-00001234, in ascending order.

    >>> words = [np.array([0x31302D41, 0x37302D41], np.uint64)]  # A-01 and A-07, first byte lowest
    >>> code = TextCode.of(words)
    >>> packed = code.packed(words, 2)
    >>> packed.tolist(), code.words(packed)[0].tolist() == words[0].tolist()
    ([833, 839], True)
    """

    parts: tuple[_WordCode, ...]

    @classmethod
    def of(cls, words: Sequence[UInt64]) -> TextCode | None:
        """The packing of texts like these; None where 63 bits are too few.

        Args:
            words: as of `words_of`, each of shape (n,), n > 0.
        """
        parts = []
        for word in words:
            ever, always = (
                int(bits).to_bytes(8, "little") for bits in (np.bitwise_or.reduce(word), np.bitwise_and.reduce(word))
            )
            width = max((a ^ b).bit_length() for a, b in zip(ever, always, strict=True))
            count = len(ever.rstrip(b"\0"))
            mask = int.from_bytes(bytes([(1 << width) - 1] * count).ljust(8, b"\0"), "big")
            parts.append(_WordCode(width, count, mask, int.from_bytes(always, "big") & ~mask))
        return cls(tuple(parts)) if sum(part.width * part.count for part in parts) <= _BITS else None

    def packed(self, words: Sequence[UInt64], rows: int) -> Int64:
        """One integer for each text, the larger the later it sorts.

        Args:
            words: as of `words_of`.
            rows: how many texts there are.

        Raises:
            TextNotTakenError: a text has another form.
        """
        if len(words) > len(self.parts):
            raise TextNotTakenError
        result = np.zeros(rows, np.uint64)
        shorter = [np.zeros(rows, np.uint64)] * (len(self.parts) - len(words))
        for part, word in zip(self.parts, [*words, *shorter], strict=True):
            value = word.byteswap()
            if ((value & np.uint64(2**64 - 1 - part.mask)) != np.uint64(part.fixed)).any():
                raise TextNotTakenError
            value &= np.uint64(part.mask)
            value >>= np.uint64(64 - 8 * part.count) if part.count else np.uint64(0)
            result <<= np.uint64(part.width * part.count)
            result |= _closed(value, part.width)
        return result.view(np.int64)

    def words(self, packed: Int64) -> list[UInt64]:
        """The words of packed texts."""
        rest, words = packed.view(np.uint64), []
        for part in reversed(self.parts):
            bits = part.width * part.count
            value = _opened(rest & np.uint64((1 << bits) - 1), part.width)
            rest = rest >> np.uint64(bits)
            value = value << np.uint64(64 - 8 * part.count) if part.count else value
            words.append((value | np.uint64(part.fixed)).byteswap())
        return words[::-1]


def _steps(width: int) -> list[tuple[np.uint64, np.uint64, np.uint64]]:
    """For pairs of bytes, of pairs and of fours: the shift, and where the lower and the upper half lie when closed."""
    steps = []
    for lane in (16, 32, 64):
        half = width * lane // 16
        lower = sum(((1 << half) - 1) << at for at in range(0, 64, lane))
        steps.append((np.uint64(lane // 2 - half), np.uint64(lower), np.uint64(lower << half)))
    return steps


def _closed(value: UInt64, width: int) -> UInt64:
    """Eight bytes of *width* bits each, without the gaps between."""
    for shift, lower, upper in _steps(width):
        value = (value & lower) | ((value >> shift) & upper)
    return value


def _opened(value: UInt64, width: int) -> UInt64:
    for shift, lower, upper in reversed(_steps(width)):
        value = (value & lower) | ((value & upper) << shift)
    return value

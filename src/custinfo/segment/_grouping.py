"""Which customer a row belongs to, as small integers: by offset, by hash table or by codes made beforehand."""

from __future__ import annotations

from typing import Any, Protocol

import attrs
import numpy as np

from custinfo.segment._hash import KeyTable, estimated_distinct
from custinfo.segment._ids import ArrowText, CodedIds
from custinfo.segment._kernel import group
from custinfo.segment._text import order_of_texts
from custinfo.segment._text_grouping import text_grouping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from numpy.typing import NDArray

    Column = NDArray[Any]
    Int64 = NDArray[np.int64]

_INT64 = np.iinfo(np.int64)
_MOST_GROWTH = 16  # ids that do not fit into a table so much larger than their number are sorted


class Grouping(Protocol):
    """Numbers rows by customer; numbers are below `size` but may leave gaps."""

    size: int

    def codes(self, start: int, stop: int) -> Int64:
        """Number of the customer of each row, shape (stop - start,)."""
        ...

    def customers(self, codes: Int64) -> tuple[Column, Int64]:
        """The ids of some numbers, ascending, and the numbers in that order."""
        ...


@attrs.define
class DenseGrouping:
    """Integer ids of a small range: the number is the distance from the lowest id."""

    ids: Int64
    lowest: int
    size: int

    def codes(self, start: int, stop: int) -> Int64:
        """Number of the customer of each row, shape (stop - start,)."""
        part = self.ids[start:stop]
        return part if self.lowest == 0 else part - self.lowest

    def customers(self, codes: Int64) -> tuple[Column, Int64]:
        """The ids of some numbers, ascending, and the numbers in that order."""
        return codes + self.lowest, codes


@attrs.define
class HashGrouping:
    """Integer ids of any range: the number is the slot in a hash table."""

    ids: Int64
    table: KeyTable
    size: int

    def codes(self, start: int, stop: int) -> Int64:
        """Number of the customer of each row, shape (stop - start,)."""
        return self.table.slots(self.ids[start:stop])

    def customers(self, codes: Int64) -> tuple[Column, Int64]:
        """The ids of some numbers, ascending, and the numbers in that order."""
        return self.table.ascending(codes)


@attrs.define
class CodedGrouping:
    """Ids of any type, numbered beforehand in any order."""

    row_codes: Column
    values: Column
    size: int

    def codes(self, start: int, stop: int) -> Int64:
        """Number of the customer of each row, shape (stop - start,)."""
        return self.row_codes[start:stop].astype(np.int64, copy=False)

    def customers(self, codes: Int64) -> tuple[Column, Int64]:
        """The ids of some numbers, ascending, and the numbers in that order."""
        values = self.values[codes]
        if values.dtype == object and set(map(type, values)) == {str}:
            order = order_of_texts(values.tolist())
        else:
            order = np.argsort(values, kind="stable")
        return values[order], codes[order]


def grouping_of(ids: Column | CodedIds | ArrowText, *, growth: int = 1) -> Grouping:
    """The way of numbering that suits the ids.

    Args:
        ids: shape (n,), none missing; or as of `custinfo.segment._ids`.
        growth: factor on the estimated number of distinct ids, for a second try after `TableFullError`.

    Raises:
        TextNotTakenError: Arrow text needs a slower way.

    >>> grouping_of(np.array([3, 1])).codes(0, 2).tolist()
    [2, 0]
    """
    if isinstance(ids, ArrowText) and growth > _MOST_GROWTH:
        ids = ids.encoded()
    if isinstance(ids, ArrowText):
        return text_grouping(ids, growth=growth)
    if isinstance(ids, CodedIds):
        return CodedGrouping(ids.codes, ids.values, len(ids.values))
    if ids.dtype != np.int64 or not len(ids):
        codes, unique = group(ids)
        return CodedGrouping(codes, unique, len(unique))
    lowest, highest = int(ids.min()), int(ids.max())
    if highest - lowest < max(1 << 12, len(ids)):
        return DenseGrouping(ids, lowest, highest - lowest + 1)
    no_empty = lowest == _INT64.min and highest == _INT64.max  # no value is left to mean an empty slot
    if no_empty or growth > _MOST_GROWTH:
        codes, unique = group(ids)
        return CodedGrouping(codes, unique, len(unique))
    table = KeyTable(growth * estimated_distinct(ids), empty=highest + 1 if highest < _INT64.max else lowest - 1)
    return HashGrouping(ids, table, table.size)

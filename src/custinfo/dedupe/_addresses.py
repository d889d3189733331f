"""Street, house number and unit of whole columns, the same as `_values.address` gives one by one, several times faster.

Addresses differ mostly in their numbers. So each run of digits is taken out, each of the few shapes that remain is read
once with numbered gaps, and the numbers are put back.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import repeat
from typing import Any

import attrs
import numpy as np

from custinfo.dedupe import _values as value_of
from custinfo.dedupe._bulk import Coded, coded, folded_of
from custinfo.dedupe._text import factorize

__all__ = ["addresses"]

Ints = np.ndarray[Any, np.dtype[np.int64]]
_RUN = re.compile(r"(\d+)")
_GAP = "\0"
_MOST_RUNS = 9
_MOST_GAPS = 3
# A Chinese town or district after a number: whether it is read as such depends on how far away it is.
_LATE_TOWN = re.compile("0.*[省区市县]")
# Longer than any distance that reading a Chinese address looks ahead.
_WIDE = 12


@attrs.frozen(eq=False)
class _Part:
    """One part of an address: its text with gaps, and which run of digits goes into each gap."""

    template: str
    runs: tuple[int, ...]


_Read = tuple[_Part | None, _Part | None, _Part | None]


def addresses(values: Sequence[Any]) -> tuple[Coded, Coded, Coded]:
    """`value_of.address` of each value, as three columns."""
    if not len(values):
        return coded([]), coded([]), coded([])
    folded = folded_of(values)
    closed = [text.replace("\n", " ") if "\n" in text else text for text in folded]
    whole = "\n".join(closed)
    pieces = _RUN.split(whole)
    number, numbers = factorize(pieces[1::2])
    shape, shapes = factorize("0".join(pieces[::2]).split("\n"))
    count = np.fromiter(map(str.count, shapes, repeat("0")), np.int64, len(shapes))[shape]
    start = np.cumsum(count) - count
    reads = list(map(_read, shapes))
    single = np.flatnonzero(np.array([read is None for read in reads], bool)[shape])
    forms = [value_of.folded_address(folded[row]) for row in single.tolist()]
    padded = np.append(number, np.int32(-1)).astype(np.int64)
    return tuple(  # type: ignore[return-value]
        _column(
            [None if read is None else read[place] for read in reads],
            shape,
            start,
            padded,
            numbers,
            single,
            [form[place] for form in forms],
        )
        for place in range(3)
    )


def _read(shape: str) -> _Read | None:
    """The parts of a shape, or None where they depend on the numbers themselves."""
    if not shape:
        return (None, None, None)
    if shape.count("0") > _MOST_RUNS or _GAP in shape:
        return None
    read = _with_width(shape, 1)
    if _LATE_TOWN.search(shape) and read != _with_width(shape, _WIDE):
        return None
    if any(part is not None and len(part.runs) > _MOST_GAPS for part in read):
        return None
    return read


def _with_width(shape: str, width: int) -> _Read:
    """The parts of a shape where each run of digits is written with so many."""
    pieces = shape.split("0")
    marked = pieces[0] + "".join(f"{run:0{width}d}{piece}" for run, piece in enumerate(pieces[1:]))
    one = re.compile(rf"\d{{{width}}}")
    street, house, unit = (
        None if text is None else _Part(one.sub(_GAP, text), tuple(map(int, one.findall(text))))
        for text in value_of.folded_address(marked)
    )
    return street, house, unit


def _column(
    parts: Sequence[_Part | None],
    shape: np.ndarray[Any, Any],
    start: Ints,
    padded: Ints,
    numbers: Sequence[str],
    single: Ints,
    forms: Sequence[str | None],
) -> Coded:
    """One part of every row: the templates filled with the row's numbers, and what was read row by row."""
    templates, known = factorize(["" if part is None else part.template for part in parts])
    gaps = np.full((len(parts), _MOST_GAPS), -1, np.int64)
    for row, part in enumerate(parts):
        if part is not None:
            gaps[row, : len(part.runs)] = part.runs
    template = templates[shape].astype(np.int64)
    packed = template
    filled = []
    for gap in gaps.T:
        at = gap[shape]
        value = padded[np.where(at < 0, len(padded) - 1, start + at)]
        filled.append(value)
        packed = packed * (len(numbers) + 1) + value + 1
        if int(packed.max(initial=0)) > (1 << 62) // (len(numbers) + 2):
            packed = np.unique(packed, return_inverse=True)[1].astype(np.int64)
    _, rows, codes = np.unique(packed, return_index=True, return_inverse=True)
    texts: list[str | None] = []
    for row, which in zip(rows.tolist(), template[rows].tolist(), strict=True):
        text = known[which]
        for value in filled:
            if value[row] >= 0:
                text = text.replace(_GAP, numbers[value[row]], 1)
        texts.append(text or None)
    codes = codes.astype(np.int64)
    codes[single] = np.arange(len(texts), len(texts) + len(single))
    table = coded([*texts, *forms])
    return Coded(np.append(table.codes, np.int32(-1))[codes], table.values)

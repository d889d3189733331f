"""Text in chunks to records of cells, by the rules of RFC 4180.

The csv module reads a sound line. What spans lines or is damaged is read here: the longest cell that module takes is a
setting of the whole process, it does not tell on which line a record begins, and after one stray quote it takes the
rest of the file for a single cell. On sound input both give the same cells; a test holds that.

Source: RFC 4180 (October 2005), sections 2.5 to 2.7. Leniently, a quote inside an unquoted cell stands for itself.
"""

from __future__ import annotations

import csv
from collections import deque

import attrs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

QUOTE = '"'
# A quoted cell still open after this many times the longest cell allowed is a stray quote, not a long text.
_OPEN_LIMIT = 16
# As many as a spreadsheet has columns; cells behind these are of no use to anybody.
_MOST_CELLS = 16_384
_START, _PLAIN, _QUOTED, _CLOSED = range(4)


@attrs.define
class Record:
    """The cells of one record, the line it begins on, and what is wrong with it.

    A cell in *too_long* is left empty, one in *stray_quotes* has text behind its closing quote. In an *unclosed* record
    a quote opens and never closes; it holds only the cells of its first line, quotes and all.
    """

    line: int
    cells: list[str] = attrs.field(factory=list)
    too_long: list[int] = attrs.field(factory=list)
    stray_quotes: list[int] = attrs.field(factory=list)
    unclosed: bool = False

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong with it."""
        return not (self.too_long or self.stray_quotes or self.unclosed)


@attrs.frozen
class _Piece:
    """A physical line, or a part of one where it does not end in the same chunk."""

    line: int
    text: str
    ends: bool


def records(chunks: Iterable[str], *, delimiter: str, max_cell: int) -> Iterator[Record]:
    r"""Split text into records; blank lines are passed over.

    Args:
        chunks: the text, line ends as ``"\n"``, cut anywhere.
        delimiter: one character.
        max_cell: the longest cell to keep, in characters.
    """
    pieces = _pieces(chunks)
    again: deque[_Piece] = deque()
    splitter: _Splitter | None = None
    while True:
        piece = again.popleft() if again else next(pieces, None)
        if splitter is None:
            if piece is None:
                return
            if piece.ends and len(piece.text) <= max_cell:
                cells = _sound_line(piece.text, delimiter)
                if cells is not None:
                    if cells:
                        yield Record(piece.line, cells)
                    continue
            splitter = _Splitter(piece.line, delimiter, max_cell)
        if piece is not None:
            splitter.feed(piece)
        if piece is None or splitter.is_stray:
            record, rest = splitter.give_up()
            again.extendleft(reversed(rest))
        elif piece.ends and not splitter.is_open:
            record = splitter.record
        else:
            continue
        splitter = None
        yield record


def _pieces(chunks: Iterable[str]) -> Iterator[_Piece]:
    line = 1
    rest = ""
    for chunk in chunks:
        *ended, rest = chunk.split("\n")
        for text in ended:
            yield _Piece(line, text, ends=True)
            line += 1
        if rest:
            yield _Piece(line, rest, ends=False)
    if rest:
        yield _Piece(line, "", ends=True)


def _sound_line(text: str, delimiter: str) -> list[str] | None:
    """The cells of a line, none of a blank one; None where it is damaged or goes on in the next line."""
    if QUOTE not in text:
        return text.split(delimiter) if text else []
    try:
        return next(csv.reader((text,), delimiter=delimiter, strict=True))
    except csv.Error:
        return None


class _Splitter:
    """One record under way, of which a line may come in several pieces and a quoted cell may span lines."""

    def __init__(self, line: int, delimiter: str, max_cell: int) -> None:
        self.record = Record(line)
        self._delimiter = delimiter
        self._max_cell = max_cell
        self._state = _START
        self._parts: list[str] = []
        self._length = 0
        self._spans_lines = False
        self._size = 0
        self._seen: list[_Piece] | None = []
        self.is_stray = False

    @property
    def is_open(self) -> bool:
        """Whether a quoted cell is still open."""
        return self._state == _QUOTED

    def feed(self, piece: _Piece) -> None:
        """Take the next piece; *is_stray* tells whether a quote turned out to be a stray one."""
        self._remember(piece)
        self._scan(piece.text)
        if piece.ends and not self.is_stray:
            if self._state == _QUOTED:
                self._add("\n")
                self._spans_lines = True
                self.is_stray = self._seen is None
            else:
                self._end_cell()

    def give_up(self) -> tuple[Record, list[_Piece]]:
        """The first line alone, cut at each delimiter, and what came behind it."""
        self.record.unclosed = True
        if self._seen is None:
            self._end_cell()
            return self.record, []
        line = self.record.line
        first = "".join(piece.text for piece in self._seen if piece.line == line)
        cells = first.split(self._delimiter)
        too_long = [i for i, cell in enumerate(cells) if len(cell) > self._max_cell]
        for i in too_long:
            cells[i] = ""
        rest = [piece for piece in self._seen if piece.line != line]
        return Record(line, cells[:_MOST_CELLS], too_long, unclosed=True), rest

    def _remember(self, piece: _Piece) -> None:
        if self._seen is None:
            return
        self._seen.append(piece)
        self._size += len(piece.text)
        if self._size > _OPEN_LIMIT * self._max_cell:
            if self._spans_lines:
                self.is_stray = True
            else:
                self._seen = None

    def _scan(self, text: str) -> None:
        at = 0
        while at < len(text) and not self.is_stray:
            if self._state == _START:
                quoted = text[at] == QUOTE
                self._state = _QUOTED if quoted else _PLAIN
                at += quoted
            elif self._state == _CLOSED:
                if text[at] == QUOTE:
                    self._add(QUOTE)
                    self._state = _QUOTED
                    at += 1
                else:
                    self._state = _PLAIN
                    self._note_stray(text[at])
            else:
                at = self._scan_to(text, at, QUOTE if self._state == _QUOTED else self._delimiter)

    def _scan_to(self, text: str, at: int, mark: str) -> int:
        end = text.find(mark, at)
        if end < 0:
            self._add(text[at:])
            return len(text)
        self._add(text[at:end])
        if mark == QUOTE:
            self._state = _CLOSED
        else:
            self._end_cell()
        return end + 1

    def _note_stray(self, char: str) -> None:
        if char == self._delimiter:
            return
        # A quote that closes on a later line and has text behind it opens the next record's cell, most likely.
        self.is_stray = self._spans_lines
        self.record.stray_quotes.append(len(self.record.cells))

    def _add(self, text: str) -> None:
        self._length += len(text)
        if self._length > self._max_cell:
            self._parts.clear()
        else:
            self._parts.append(text)

    def _end_cell(self) -> None:
        record = self.record
        if len(record.cells) < _MOST_CELLS:
            if self._length > self._max_cell:
                record.too_long.append(len(record.cells))
            record.cells.append("".join(self._parts))
        self._parts.clear()
        self._length = 0
        self._state = _START

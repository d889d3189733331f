"""From bytes to text, in chunks: which encoding it is, and where a byte does not fit it."""

from __future__ import annotations

import codecs
import contextlib
import io
from collections import deque

from custinfo.errors import InvalidFieldError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO, TextIO

CHUNK_BYTES = 1 << 16
# A stream that cannot go back is judged by its beginning.
SAMPLE_BYTES = 1 << 20
_JUDGED = 1_000_000
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_TRIED = "UTF-8, UTF-16 with a byte order mark and gb18030 were tried; name the right one in encoding="


def check_encoding(name: str) -> str:
    """The canonical name of a text encoding.

    Raises:
        InvalidFieldError: "csv.encoding" if Python has no such text encoding.
    """
    try:
        # Refuses codecs that do not give text, such as "hex".
        io.TextIOWrapper(io.BytesIO(), encoding=name)
        return codecs.lookup(name).name
    except (LookupError, ValueError):
        message = f"there is no text encoding {name!r}; use a name such as 'utf-8', 'gb18030' or 'cp1252'"
        raise InvalidFieldError(message, code="csv.encoding", path="encoding") from None


def open_bytes(stream: BinaryIO, encoding: str | None) -> tuple[str, Iterator[str]]:
    r"""The encoding of *stream* and its text in chunks, with every line end as ``"\n"``.

    Without *encoding*: the byte order mark of UTF-8 or UTF-16 decides; else UTF-8 where all bytes fit it; else gb18030
    where all bytes fit it and most of its characters are common ones. A stream that can go back is looked through to
    its end first; of another one the first MiB.

    Raises:
        InvalidFieldError: "csv.encoding", at once or while reading, with the ``offset`` of the first wrong byte.
    """
    if encoding is not None:
        name = check_encoding(encoding)
        return name, _universal_newlines(_decode(_chunks(stream, b""), name))
    head = _read_fully(stream, SAMPLE_BYTES)
    for bom, name in _BOMS:
        if head.startswith(bom):
            return name, _universal_newlines(_decode(_chunks(stream, head), name))
    name = _guess(stream, head)
    return name, _universal_newlines(_decode(_chunks(stream, head), name))


def open_text(stream: TextIO) -> Iterator[str]:
    r"""The text of an open text file in chunks, with every line end as ``"\n"``."""
    return _universal_newlines(_text_chunks(stream))


def _guess(stream: BinaryIO, head: bytes) -> str:
    ended = len(head) < SAMPLE_BYTES
    start = stream.tell() if not ended and stream.seekable() else None

    def sample(encoding: str) -> Iterator[str]:
        rest = io.BytesIO() if start is None else stream
        try:
            yield from _decode(_chunks(rest, head), encoding, final=ended or start is not None)
        finally:
            if start is not None:
                stream.seek(start)

    try:
        deque(sample("utf-8"), maxlen=0)
        return "utf-8"
    except InvalidFieldError as error:
        offset = error.details["offset"]
    with contextlib.suppress(InvalidFieldError):
        if _looks_chinese(sample("gb18030")):
            return "gb18030"
    message = f"the byte at offset {offset} is not UTF-8, and the file is not likely Chinese; {_TRIED}"
    raise InvalidFieldError(message, code="csv.encoding", offset=offset)


def _looks_chinese(texts: Iterator[str]) -> bool:
    """Whether at least half of the characters beyond ASCII are of GB 2312, judged by the first million of them.

    Latin-1 text often happens to be valid gb18030, but as characters that hardly occur in Chinese.
    """
    ordinary = total = 0
    for text in texts:
        if total < _JUDGED:
            found = [char for char in text if not char.isascii()]
            total += len(found)
            ordinary += len("".join(found).encode("gb2312", "ignore")) // 2
    return 2 * ordinary >= total


def _read_fully(stream: BinaryIO, size: int) -> bytes:
    parts = []
    while size > 0 and (part := stream.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _chunks(stream: BinaryIO | io.BytesIO, head: bytes) -> Iterator[bytes]:
    for start in range(0, len(head), CHUNK_BYTES):
        yield head[start : start + CHUNK_BYTES]
    while chunk := stream.read(CHUNK_BYTES):
        yield chunk


def _decode(chunks: Iterator[bytes], encoding: str, *, final: bool = True) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    fed = 0

    def decode(chunk: bytes, *, last: bool) -> str:
        try:
            return decoder.decode(chunk, last)
        except UnicodeDecodeError as exc:
            # The decoder counts from the bytes that it had kept back from the chunk before.
            offset = fed - (len(exc.object) - len(chunk)) + exc.start
        except UnicodeError:
            # A UTF-16 stream that begins without its mark.
            offset = fed
        message = f"the byte at offset {offset} does not fit the encoding {encoding}; name the right one in encoding="
        raise InvalidFieldError(message, code="csv.encoding", offset=offset, encoding=encoding) from None

    for chunk in chunks:
        yield decode(chunk, last=False)
        fed += len(chunk)
    if final:
        yield decode(b"", last=True)


def _text_chunks(stream: TextIO) -> Iterator[str]:
    while True:
        try:
            chunk = stream.read(CHUNK_BYTES)
        except UnicodeDecodeError:
            message = (
                "the text file holds bytes that do not fit its encoding; open it in binary mode, or name the right one"
            )
            raise InvalidFieldError(message, code="csv.encoding") from None
        if not chunk:
            return
        yield chunk


def _universal_newlines(chunks: Iterator[str]) -> Iterator[str]:
    newlines = io.IncrementalNewlineDecoder(None, translate=True)
    first = True
    for chunk in chunks:
        text = newlines.decode(chunk)
        if first and text:
            text, first = text.removeprefix("\ufeff"), False
        if text:
            yield text
    if rest := newlines.decode("", final=True):
        yield rest

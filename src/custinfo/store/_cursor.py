"""Cursors of the feed: the incarnation of the store and the number of the event."""

from __future__ import annotations

import secrets

from custinfo.errors import StoreError
from custinfo.store._protocol import START, Cursor


def new_incarnation() -> str:
    """A random name for a store that begins its feed."""
    return secrets.token_hex(16)


def make_cursor(incarnation: str, seq: int) -> Cursor:
    """The cursor of event number *seq*."""
    return Cursor(f"{incarnation}.{seq}")


def cursor_seq(cursor: object, incarnation: str, *, last: int, trimmed: int) -> int:
    """The number of the event that *cursor* stands for; 0 for the start.

    Args:
        cursor: what the caller passed.
        incarnation: the store's own.
        last: number of the last event that the store has given out.
        trimmed: number of the last event that was dropped, 0 if none was.

    Raises:
        StoreError: "store.cursor" if it is no cursor or one that this store has not reached,
            "store.cursor_incarnation" if it is another store's,
            "store.cursor_trimmed" if events after it were dropped unread.
    """
    if cursor == START:
        return 0
    name, dot, number = cursor.rpartition(".") if isinstance(cursor, str) else ("", "", "")
    if not dot or not number.isascii() or not number.isdecimal() or len(number) > 19:
        message = "this is not a cursor of a feed; pass the cursor of an event, or Cursor('') for the start"
        raise StoreError(message, code="store.cursor")
    if name != incarnation:
        message = (
            "the cursor is from another store, or from this one before it was restored; "
            "start again from Cursor('') and skip the events you already know"
        )
        raise StoreError(message, code="store.cursor_incarnation")
    seq = int(number)
    if seq > last:
        message = (
            "the cursor is ahead of the store, which was put back to an older state; "
            "start again from Cursor('') and skip the events you already know"
        )
        raise StoreError(message, code="store.cursor", last=last)
    if seq < trimmed:
        message = "events after this cursor were trimmed before they were read; start again from Cursor('')"
        raise StoreError(message, code="store.cursor_trimmed", trimmed=trimmed)
    return seq

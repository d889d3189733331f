"""The feed behind SQLAlchemy.

On SQLite writers take turns, so numbers follow commits. On PostgreSQL events show when no older transaction runs. On
MySQL and MariaDB the units that emit number their events at their end, one after the other, until they are committed.
"""

from __future__ import annotations

from typing import Any

from custinfo.store import _postgres_feed, _postgres_schema, _postgres_sql
from custinfo.store._cursor import cursor_seq, make_cursor
from custinfo.store._protocol import Event
from custinfo.store._sqlalchemy_schema import read_meta, write_meta

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from custinfo.store._protocol import Cursor
    from custinfo.store._sqlalchemy import SqlLink

_NO_END = 2**63 - 1
_LAST = "SELECT seq FROM sqlite_sequence WHERE name = 'ci_outbox'"


def read(link: SqlLink, after: Cursor, limit: int, *, held_back: bool = False) -> list[Event]:
    """Committed events after a cursor.

    Args:
        link: inside a transaction.
        after: the cursor.
        limit: at most so many.
        held_back: also those that wait for an older transaction.
    """
    if link.tables.dialect == "postgresql":
        return _read_postgres(link, after, limit, held_back=held_back)
    incarnation, seq, end = _place(link, after)
    rows = link.rows(link.tables.events, {"after": seq, "end": end, "limit": limit})
    return [Event(make_cursor(incarnation, number), type, subject, data) for number, type, subject, data in rows]


def emit(link: SqlLink, events: Sequence[tuple[str, str, bytes]]) -> None:
    """Store events at the end of a unit."""
    rows: list[dict[str, object]] = [{"type": type, "subject": subject, "data": data} for type, subject, data in events]
    if link.tables.dialect == "mysql":  # pragma: no cover - the tests marked mysql run it
        last = lock(link)
        for number, row in enumerate(rows, last + 1):
            row["seq"] = number
        write_meta(link, "events", str(last + len(rows)))
        link.note_emitted(last + 1)
    elif link.tables.dialect == "sqlite":
        link.note_emitted(int(link.one(_LAST) or 0) + 1)
    link.insert(link.tables.emit, rows)


def lock(link: SqlLink) -> int:  # pragma: no cover - the tests marked mysql run it
    """On MySQL: wait until no other transaction numbers events, and let none until this one ends.

    Returns:
        The number of the last event.
    """
    return int(link.one(link.tables.lock_events))


def trim(link: SqlLink, cursor: Cursor) -> int:
    """Drop the events up to and including *cursor*; gives how many."""
    if link.tables.dialect == "postgresql":
        place = _postgres_place(link, cursor, _postgres_feed.feed_state(_as_postgres(link)))
        if place == _postgres_feed.BEGINNING:
            return 0
        link.rows(_postgres_schema.WRITE_META, ("trimmed", _postgres_feed.written(place)))
        return int(link.one(_postgres_sql.TRIM, (str(place.xid), place.seq)))
    _, seq, _ = _place(link, cursor)
    if seq == 0:
        return 0
    if link.tables.dialect == "mysql":  # pragma: no cover - the tests marked mysql run it
        lock(link)  # two that trim for the first time would both insert
    write_meta(link, "trimmed", str(seq))
    return link.change(link.tables.trim, {"last": seq})


def _read_postgres(link: SqlLink, after: Cursor, limit: int, *, held_back: bool) -> list[Event]:
    state = _postgres_feed.feed_state(_as_postgres(link))
    place = max(_postgres_place(link, after, state), state.trimmed)
    text = _postgres_sql.PENDING if held_back else _postgres_sql.FEED
    return [
        Event(_postgres_feed.cursor_at(state.incarnation, xid, seq), type, subject, bytes(data))
        for xid, seq, type, subject, data in link.rows(text, (str(place.xid), place.seq, limit))
    ]


def _postgres_place(link: SqlLink, cursor: Cursor, state: _postgres_feed.FeedState) -> _postgres_feed.Place:
    return _postgres_feed.place_of(cursor, state, lambda: link.one(_postgres_sql.NEWEST))


def _place(link: SqlLink, cursor: Cursor) -> tuple[str, int, int]:
    """Incarnation, number that the cursor stands for, and first number that is not committed yet."""
    meta = read_meta(link)
    last = int(meta["events"] if link.tables.dialect == "mysql" else link.one(_LAST) or 0)
    mine = link.emitted_from()
    end = _NO_END if mine is None else mine
    seq = cursor_seq(cursor, meta["incarnation"], last=min(last, end - 1), trimmed=int(meta.get("trimmed", 0)))
    return meta["incarnation"], seq, end


def _as_postgres(link: SqlLink) -> Any:
    # It answers the same calls.
    return link

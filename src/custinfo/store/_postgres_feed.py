"""Places in the feed of the PostgreSQL store: the transaction and the number of the event."""

from __future__ import annotations

from typing import NamedTuple

from custinfo.errors import StoreError
from custinfo.store import _postgres_sql
from custinfo.store._cursor import cursor_seq, make_cursor
from custinfo.store._protocol import START, Cursor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from custinfo.store._postgres import PostgresLink

_ANY = 2**63


class Place(NamedTuple):
    """Where an event is: its transaction first."""

    xid: int
    seq: int


BEGINNING = Place(0, 0)


class FeedState(NamedTuple):
    """What the store says of its feed.

    Args:
        incarnation: its name.
        trimmed: the place of the last event that was dropped.
        next_xid: no transaction that had begun with this one has this number or a larger one.
    """

    incarnation: str
    trimmed: Place
    next_xid: int


def feed_state(link: PostgresLink) -> FeedState:
    """The state that the transaction sees.

    Raises:
        StoreError: "store.restored" if the tables were restored while the store was open.
    """
    [(incarnation, trimmed, in_place, next_xid)] = link.rows(_postgres_sql.STATE)
    if not in_place:
        link.known = False
        message = "the tables were restored while this store was open; repeat in a new unit, which begins a new feed"
        raise StoreError(message, code="store.restored")
    return FeedState(incarnation, BEGINNING if trimmed is None else _parsed(trimmed), next_xid)


def cursor_at(incarnation: str, xid: int, seq: int) -> Cursor:
    """The cursor of the event of that number in that transaction."""
    return make_cursor(f"{incarnation}.{xid}", seq)


def place_of(cursor: object, state: FeedState, newest: Callable[[], int | None]) -> Place:
    """The place that *cursor* stands for.

    Args:
        cursor: what the caller passed.
        state: of the feed.
        newest: gives a transaction number that is larger than all before; None on a standby, which has none to give.

    Raises:
        StoreError: as `cursor_seq`.
    """
    if cursor == START:
        return BEGINNING
    name, trimmed = state.incarnation, state.trimmed
    head, _, number = cursor.rpartition(".") if isinstance(cursor, str) else ("", "", "")
    if "." not in head:
        # The cursor of another kind of store is told apart like that of another store of this kind.
        cursor_seq(cursor, name, last=_ANY, trimmed=0)
        head = "no cursor"
    xid = cursor_seq(head, name, last=_ANY, trimmed=trimmed.xid)
    if xid >= state.next_xid:
        # Another unit may have got it after this one began, so only a new number tells.
        cursor_seq(head, name, last=newest() or _ANY, trimmed=0)
    seq = cursor_seq(f"{name}.{number}", name, last=_ANY, trimmed=trimmed.seq if xid == trimmed.xid else 0)
    return Place(xid, seq)


def written(place: Place) -> str:
    """A place as ci_meta keeps it."""
    return f"{place.xid}.{place.seq}"


def _parsed(text: str) -> Place:
    xid, _, seq = text.partition(".")
    return Place(int(xid), int(seq))

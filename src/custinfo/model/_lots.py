"""Lots of points: what each entry of a loyalty programme takes from which."""

from __future__ import annotations

import heapq
from collections import OrderedDict
from datetime import datetime
from typing import Any

import attrs

from custinfo.errors import AmountOverflowError, InvalidFieldError
from custinfo.model._check import INT64
from custinfo.model._points import LoyaltyEntry, LoyaltyKind


@attrs.frozen(kw_only=True)
class LoyaltyLot:
    """Points that were earned together.

    Args:
        entry_id: the entry that earned them.
        earned_at: when.
        expires_at: first instant at which they are gone, None for never.
        points: what is left of them.
    """

    entry_id: str
    earned_at: datetime
    expires_at: datetime | None
    points: int


@attrs.frozen(kw_only=True)
class LoyaltyUse:
    """Points that an entry took from a lot, or put back into it where they are negative."""

    entry_id: str
    lot_id: str
    points: int


@attrs.frozen(kw_only=True)
class LoyaltyState:
    """The points of a customer at an instant.

    Args:
        points: what can be used: the sum of the lots.
        lots: those with something left, in the order in which they will be used.
        uses: which lots each entry used, in order of time.
        lapsed: points that ran out, whether or not an entry says so.
    """

    points: int
    lots: tuple[LoyaltyLot, ...]
    uses: tuple[LoyaltyUse, ...] = attrs.field(repr=lambda uses: str(len(uses)))
    lapsed: int

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "points": self.points,
            "lapsed": self.lapsed,
            "lots": [
                {
                    "entry_id": lot.entry_id,
                    "earned_at": lot.earned_at.isoformat(),
                    "expires_at": lot.expires_at.isoformat() if lot.expires_at else None,
                    "points": lot.points,
                }
                for lot in self.lots
            ],
        }


@attrs.define
class _Lot:
    """Earned: what is left, what ran out, and what entries took."""

    entry: LoyaltyEntry
    expires_at: datetime | None
    left: int
    lapsed: int = 0
    booked: int = 0  # what of `lapsed` an entry of kind expire accounts for


@attrs.define
class _Hold:
    """What an entry took from a lot, less what was put back."""

    lot: _Lot
    points: int


class Lots:
    """The lots while the entries are gone through in order of time."""

    def __init__(self) -> None:
        self._all: dict[str, _Lot] = {}
        self._open: OrderedDict[str, _Lot] = OrderedDict()  # with something left, in order of time
        self._unbooked: OrderedDict[str, _Lot] = OrderedDict()  # more has lapsed than entries say
        self._ends: list[tuple[datetime, str]] = []
        self._entries: dict[str, LoyaltyEntry] = {}
        self._reversed: dict[str, int] = {}
        self._holds: dict[str, list[_Hold]] = {}
        self._uses: list[LoyaltyUse] = []

    def lapse(self, now: datetime) -> None:
        """Let run out what ends by now."""
        while self._ends and self._ends[0][0] <= now:
            lot = self._all[heapq.heappop(self._ends)[1]]
            self._run_out(lot, lot.left)
            lot.left = 0
            self._open.pop(lot.entry.id, None)

    def _run_out(self, lot: _Lot, points: int) -> None:
        lot.lapsed += points
        if lot.lapsed > lot.booked:
            self._unbooked[lot.entry.id] = lot

    def book(self, entry: LoyaltyEntry) -> None:
        """Do what an entry says.

        Raises:
            InvalidFieldError: "loyalty.insufficient", "loyalty.reverse".
        """
        if entry.kind is LoyaltyKind.EARN:
            self._add(entry, entry.points, entry.expires_at)
        elif entry.kind is LoyaltyKind.REDEEM:
            self._take(entry, entry.points)
        elif entry.kind is LoyaltyKind.EXPIRE:
            self._expire(entry)
        else:
            self._reverse(entry)
        self._entries[entry.id] = entry

    def _add(self, entry: LoyaltyEntry, points: int, expires_at: datetime | None) -> None:
        self._all[entry.id] = self._open[entry.id] = _Lot(entry, expires_at, points)
        if expires_at is not None:
            heapq.heappush(self._ends, (expires_at, entry.id))

    def _take(self, entry: LoyaltyEntry, points: int, first: str | None = None) -> None:
        lot = self._open.get(first or "")
        while points:
            lot = lot or next(iter(self._open.values()), None)
            if lot is None:
                raise loyalty_fault(
                    "insufficient",
                    "more points are taken than there are; take at most the balance",
                    path="points",
                    id=entry.id,
                )
            part = min(points, lot.left)
            points -= part
            lot.left -= part
            self._hold(entry, lot, part)
            if not lot.left:
                del self._open[lot.entry.id]
            lot = None

    def _hold(self, entry: LoyaltyEntry, lot: _Lot, points: int) -> None:
        self._holds.setdefault(entry.id, []).append(_Hold(lot, points))
        self._uses.append(LoyaltyUse(entry_id=entry.id, lot_id=lot.entry.id, points=points))

    def _expire(self, entry: LoyaltyEntry) -> None:
        points = entry.points
        named = self._all.get(entry.related_id or "")
        while points and self._unbooked:
            lot = named or next(iter(self._unbooked.values()))
            part = min(points, lot.lapsed - lot.booked)
            lot.booked += part
            points -= part
            if lot.lapsed == lot.booked:
                self._unbooked.pop(lot.entry.id, None)
            if named is not None:
                break
        self._take(entry, points, entry.related_id)

    def _reverse(self, entry: LoyaltyEntry) -> None:
        origin = self._entries.get(entry.related_id or "")
        if origin is None or origin.kind is LoyaltyKind.REVERSE:
            raise loyalty_fault("reverse", "a reversal names an earlier entry that is none itself", id=entry.id)
        if (entry.points < 0) is not (origin.kind is LoyaltyKind.EARN):
            message = "a reversal takes back what was earned, and gives back what was taken"
            raise loyalty_fault("reverse", message, path="points", id=entry.id)
        points = abs(entry.points)
        done = self._reversed[origin.id] = self._reversed.get(origin.id, 0) + points
        if done > origin.points:
            raise loyalty_fault(
                "reverse",
                "more is reversed than there was; reverse at most what is left of the entry",
                path="points",
                id=entry.id,
            )
        if origin.kind is LoyaltyKind.EARN:
            self._take_back(entry, self._all[origin.id], points)
        elif origin.kind is LoyaltyKind.REDEEM:
            self._put_back(entry, origin.id, points)
        else:
            self._add(entry, points, None)

    def _take_back(self, entry: LoyaltyEntry, lot: _Lot, points: int) -> None:
        """What has run out is gone already, so nothing else is taken for it."""
        gone = min(lot.lapsed, max(0, points - lot.left))
        if gone:
            lot.lapsed -= gone
            lot.booked = min(lot.booked, lot.lapsed)
            if lot.lapsed == lot.booked:
                self._unbooked.pop(lot.entry.id, None)
            self._hold(entry, lot, gone)
        self._take(entry, points - gone, lot.entry.id)

    def _put_back(self, entry: LoyaltyEntry, origin: str, points: int) -> None:
        for hold in reversed(self._holds[origin]):
            lot, part = hold.lot, min(points, hold.points)
            if not part:
                continue
            hold.points -= part
            points -= part
            self._uses.append(LoyaltyUse(entry_id=entry.id, lot_id=lot.entry.id, points=-part))
            if lot.expires_at is not None and lot.expires_at <= entry.occurred_at:
                self._run_out(lot, part)
            else:
                lot.left += part
        self._open = OrderedDict((id, lot) for id, lot in self._all.items() if lot.left)

    def state(self) -> LoyaltyState:
        """What is there now.

        Raises:
            AmountOverflowError: the points do not fit in 64 bits.
        """
        points = sum(lot.left for lot in self._open.values())
        if points >= INT64:
            raise AmountOverflowError("the points do not fit in 64 bits; nothing was cut")
        left = tuple(
            LoyaltyLot(
                entry_id=lot.entry.id, earned_at=lot.entry.occurred_at, expires_at=lot.expires_at, points=lot.left
            )
            for lot in self._open.values()
        )
        lapsed = sum(lot.lapsed for lot in self._all.values())
        return LoyaltyState(points=points, lots=left, uses=tuple(self._uses), lapsed=lapsed)


def loyalty_fault(code: str, message: str, *, path: str = "related_id", **details: object) -> InvalidFieldError:
    """An error of a loyalty ledger."""
    return InvalidFieldError(message, code=f"loyalty.{code}", path=path, **details)

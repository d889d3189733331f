"""Points of a loyalty programme: which are left, which were used, and which are gone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from custinfo.model._ledger import aware
from custinfo.model._lots import Lots, LoyaltyState, loyalty_fault
from custinfo.model._points import LoyaltyEntry, LoyaltyKind
from custinfo.model._rules import list_of

# At one instant points are there before they are used, and a reversal comes after what it reverses.
_RANK = {LoyaltyKind.EARN: 0, LoyaltyKind.REDEEM: 1, LoyaltyKind.EXPIRE: 2, LoyaltyKind.REVERSE: 3}


def loyalty_balance(entries: Iterable[LoyaltyEntry], at: datetime) -> int:
    """The points that a customer can use at an instant; see `loyalty_state`.

    >>> from datetime import UTC, datetime
    >>> earned = LoyaltyEntry(customer_id="c1", kind="earn", points=100, occurred_at=datetime(2026, 1, 31, tzinfo=UTC))
    >>> loyalty_balance([earned], datetime(2026, 2, 1, tzinfo=UTC))
    100
    """
    return loyalty_state(entries, at).points


def loyalty_state(entries: Iterable[LoyaltyEntry], at: datetime) -> LoyaltyState:
    """The points of a customer at an instant, lot by lot.

    Points that are redeemed come from the lots that were earned first (first in, first out); a lot is gone at its
    `expires_at`, whether or not an entry says so. An entry of kind expire first accounts for points that ran out by
    themselves (those of the lot that it names as `related_id`, else of any), and takes the rest from lots that are
    still good. Reversing what was earned takes from its own lot, what has run out of it included, then from the oldest.
    Reversing a redemption puts points back where they came from, the last taken first; where that lot has run out
    meanwhile, they are gone. Reversing an expiry makes a lot without an end.

    Args:
        entries: of one customer and one programme, each once, in any order; later ones than *at* do not count.
        at: the instant, aware.

    Raises:
        InvalidFieldError: "loyalty.insufficient" where more is taken than there was (points are never negative);
            "loyalty.reverse" where a reversal names no earlier entry, another reversal, or reverses more than there
            was, or in the wrong direction; "loyalty.mixed" (several customers or programmes), "loyalty.repeated",
            "field.type", "time.naive". Where an entry is at fault, the error has its id as `id`.
        AmountOverflowError: the points do not fit in 64 bits.

    Source: no standard fixes the order; the oldest points first is what the terms of most programmes say, and what is
    best for the customer where all points last equally long.

    >>> from datetime import UTC, datetime
    >>> def entry(id, month, kind, points, **more):
    ...     at = datetime(2026, month, 1, tzinfo=UTC)
    ...     return LoyaltyEntry(id=id, customer_id="c1", kind=kind, points=points, occurred_at=at, **more)
    >>> entries = [
    ...     entry("e1", 1, "earn", 100, expires_at=datetime(2026, 7, 1, tzinfo=UTC)),
    ...     entry("e2", 2, "earn", 50),
    ...     entry("r1", 3, "redeem", 120),
    ... ]
    >>> state = loyalty_state(entries, datetime(2026, 4, 1, tzinfo=UTC))
    >>> state.points, [(use.lot_id, use.points) for use in state.uses]
    (30, [('e1', 100), ('e2', 20)])
    """
    aware(at, "at")
    lots = Lots()
    for one in _in_order(entries):
        if one.occurred_at > at:
            break
        lots.lapse(one.occurred_at)
        lots.book(one)
    lots.lapse(at)
    return lots.state()


def loyalty_tier(
    entries: Iterable[LoyaltyEntry], at: datetime, *, tiers: Mapping[str, int], days: int | None = 365
) -> str | None:
    """The highest tier whose threshold the points earned lately reach; redeeming does not lower a tier.

    Args:
        entries: of one customer and one programme.
        at: the instant, aware.
        tiers: name -> least points.
        days: how many days before *at* count, each of 24 hours; None for all time.

    Returns:
        The name, None below the lowest; of tiers with one threshold the first one.

    Raises:
        InvalidFieldError: "loyalty.tiers", "loyalty.days"; see `loyalty_state`.

    >>> from datetime import UTC, datetime
    >>> at = datetime(2026, 6, 1, tzinfo=UTC)
    >>> earned = LoyaltyEntry(customer_id="c1", kind="earn", points=1200, occurred_at=datetime(2026, 1, 31, tzinfo=UTC))
    >>> loyalty_tier([earned], at, tiers={"silver": 500, "gold": 1000, "platinum": 5000})
    'gold'
    """
    aware(at, "at")
    given: object = tiers
    if not isinstance(given, Mapping) or any(type(least) is not int or least < 0 for least in given.values()):
        raise loyalty_fault("tiers", "the thresholds of tiers must be whole numbers from 0 on", path="tiers")
    if days is not None and (type(days) is not int or not 0 < days <= timedelta.max.days):
        raise loyalty_fault("days", "days must be a whole number above 0, or None for all time", path="days")
    ordered = [one for one in _in_order(entries) if one.occurred_at <= at]
    earned = {
        one.id
        for one in ordered
        if one.kind is LoyaltyKind.EARN and (days is None or (at - one.occurred_at).days < days)
    }
    counted = sum(
        one.points
        for one in ordered
        if one.id in earned or (one.kind is LoyaltyKind.REVERSE and one.related_id in earned)
    )
    reached = [name for name, least in tiers.items() if counted >= least]
    return max(reached, key=lambda name: tiers[name], default=None)


def _in_order(entries: Iterable[LoyaltyEntry]) -> list[LoyaltyEntry]:
    ordered: list[LoyaltyEntry] = list_of(LoyaltyEntry, entries, "entries")
    if len({(one.customer_id, one.program) for one in ordered}) > 1:
        raise loyalty_fault(
            "mixed", "the entries are of several customers or programmes; take each by itself", path="entries"
        )
    if len({one.id for one in ordered}) != len(ordered):
        raise loyalty_fault("repeated", "an entry is there twice; pass each once", path="id")
    return sorted(ordered, key=lambda one: (one.occurred_at, _RANK[one.kind], one.id))

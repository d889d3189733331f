"""Points: never negative, never invented, and taken from the oldest lot; a slow count point by point says the same."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_examples import quick

from custinfo.errors import AmountOverflowError, InvalidFieldError
from custinfo.model import LoyaltyEntry, loyalty_balance, loyalty_state, loyalty_tier

START = datetime(2026, 1, 1, tzinfo=UTC)


def at(day):
    return START + timedelta(days=day)


def entry(id, day, kind, points, *, ends=None, **more):
    expires_at = None if ends is None else at(ends)
    return LoyaltyEntry(
        id=id, customer_id="c1", kind=kind, points=points, occurred_at=at(day), expires_at=expires_at, **more
    )


def refused(entries, day=1000):
    with pytest.raises(InvalidFieldError) as caught:
        loyalty_state(entries, at(day))
    return caught.value.code


def lots(state):
    return [(lot.entry_id, lot.points) for lot in state.lots]


def uses(state):
    return [(use.entry_id, use.lot_id, use.points) for use in state.uses]


E1, E2 = entry("e1", 0, "earn", 100, ends=100), entry("e2", 10, "earn", 50, ends=200)


def test_a_redemption_takes_from_the_oldest_lots():
    state = loyalty_state([E2, entry("r1", 20, "redeem", 120), E1], at(30))
    assert uses(state) == [("r1", "e1", 100), ("r1", "e2", 20)]
    assert (state.points, lots(state), state.lapsed) == (30, [("e2", 30)], 0)


def test_points_are_gone_at_the_instant_at_which_they_expire():
    assert [loyalty_balance([E1, E2], at(day)) for day in (-1, 0, 9, 10, 99, 100, 199, 200)] == [
        0, 100, 100, 150, 150, 50, 50, 0,
    ]  # fmt: skip
    assert loyalty_balance([E1], at(100) - timedelta(microseconds=1)) == 100
    assert loyalty_state([E1, E2], at(300)).lapsed == 150


def test_points_that_have_expired_cannot_be_redeemed():
    assert refused([E1, entry("r1", 100, "redeem", 1)]) == "loyalty.insufficient"
    assert refused([E1, entry("r1", 99, "redeem", 101)]) == "loyalty.insufficient"
    assert loyalty_balance([E1, entry("r1", 99, "redeem", 100)], at(100)) == 0


def test_an_entry_of_expired_points_does_not_take_them_twice():
    booked = entry("x1", 100, "expire", 100)
    state = loyalty_state([E1, E2, booked], at(120))
    assert (state.points, state.lapsed, uses(state)) == (50, 100, [])
    assert loyalty_balance([E1, E2, entry("x1", 120, "expire", 130)], at(120)) == 20
    assert refused([E1, E2, booked, entry("x2", 101, "expire", 51)]) == "loyalty.insufficient"


def test_an_expiry_that_names_a_lot_is_of_that_lot():
    state = loyalty_state([E1, E2, entry("x1", 20, "expire", 30, related_id="e2")], at(20))
    assert lots(state) == [("e1", 100), ("e2", 20)]
    state = loyalty_state([E1, E2, entry("x1", 120, "expire", 30, related_id="e2")], at(120))
    assert (lots(state), state.lapsed) == ([("e2", 20)], 100)
    state = loyalty_state([E1, E2, entry("x1", 210, "expire", 50, related_id="e2")], at(210))
    assert (state.points, state.lapsed, uses(state)) == (0, 150, [])


def test_reversing_what_was_earned_takes_from_its_lot_and_then_from_the_oldest():
    back = entry("b1", 30, "reverse", -50, related_id="e2")
    assert lots(loyalty_state([E1, E2, back], at(30))) == [("e1", 100)]
    spent = entry("r1", 20, "redeem", 130)
    assert refused([E1, E2, spent, back]) == "loyalty.insufficient"
    part = entry("b1", 30, "reverse", -20, related_id="e1")
    assert lots(loyalty_state([E1, E2, spent, part], at(30))) == []


def test_reversing_points_that_have_run_out_takes_nothing_else():
    state = loyalty_state([E1, E2, entry("b1", 110, "reverse", -100, related_id="e1")], at(110))
    assert (state.points, state.lapsed) == (50, 0)
    part = entry("b1", 110, "reverse", -60, related_id="e1")
    state = loyalty_state([E1, E2, part, entry("x1", 111, "expire", 45)], at(111))
    assert (lots(state), state.lapsed) == ([("e2", 45)], 40)
    booked = entry("x1", 101, "expire", 100)
    state = loyalty_state([E1, E2, booked, entry("b1", 110, "reverse", -60, related_id="e1")], at(110))
    assert (state.points, state.lapsed) == (50, 40)


def test_reversing_a_redemption_puts_points_back_where_they_came_from():
    spent = entry("r1", 20, "redeem", 120)
    state = loyalty_state([E1, E2, spent, entry("b1", 30, "reverse", 30, related_id="r1")], at(40))
    assert uses(state)[2:] == [("b1", "e2", -20), ("b1", "e1", -10)]
    assert lots(state) == [("e1", 10), ("e2", 50)]
    late = entry("b1", 150, "reverse", 120, related_id="r1")
    state = loyalty_state([E1, E2, spent, late], at(150))
    assert (lots(state), state.lapsed) == ([("e2", 50)], 100)
    state = loyalty_state([E1, E2, spent, late, entry("x1", 151, "expire", 100)], at(151))
    assert lots(state) == [("e2", 50)]


def test_reversing_an_expiry_makes_a_lot_without_an_end():
    entries = [E1, entry("x1", 100, "expire", 100), entry("b1", 110, "reverse", 40, related_id="x1")]
    state = loyalty_state(entries, at(5000))
    assert (lots(state), state.lots[0].expires_at) == ([("b1", 40)], None)


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (entry("b", 30, "reverse", -5, related_id="nobody"), "loyalty.reverse"),
        (entry("b", 5, "reverse", -5, related_id="e2"), "loyalty.reverse"),
        (entry("b", 30, "reverse", 5, related_id="e1"), "loyalty.reverse"),
        (entry("b", 30, "reverse", -5, related_id="r"), "loyalty.reverse"),
        (entry("b", 30, "reverse", 11, related_id="r"), "loyalty.reverse"),
        (entry("b", 30, "reverse", -101, related_id="e1"), "loyalty.reverse"),
        (entry("b", 30, "reverse", -1, related_id="a"), "loyalty.reverse"),
        (entry("b", 30, "redeem", 500), "loyalty.insufficient"),
        (entry("r", 30, "redeem", 1), "loyalty.repeated"),
        (entry("b", 30, "redeem", 1, program="gold"), "loyalty.mixed"),
        ({"id": "b"}, "field.type"),
    ],
)
def test_an_entry_that_cannot_be_is_refused_with_a_code(bad, code):
    good = [E1, E2, entry("r", 20, "redeem", 10), entry("a", 25, "reverse", 2, related_id="r")]
    assert loyalty_balance(good, at(30)) == 142
    assert refused([*good, bad]) == code


def test_the_error_names_the_entry():
    with pytest.raises(InvalidFieldError) as caught:
        loyalty_state([E1, entry("r9", 5, "redeem", 101)], at(9))
    assert caught.value.details["id"] == "r9"


def test_at_one_instant_points_are_there_before_they_are_used():
    entries = [
        entry("a-reverse", 5, "reverse", 10, related_id="b-redeem"),
        entry("b-redeem", 5, "redeem", 10),
        entry("c-earn", 5, "earn", 10),
    ]
    assert loyalty_balance(entries, at(5)) == 10


@pytest.mark.parametrize("moment", [datetime(2026, 1, 1), date(2026, 1, 1), None, "2026-01-01"])
def test_the_instant_is_aware(moment):
    for call in (loyalty_state, loyalty_balance, lambda entries, when: loyalty_tier(entries, when, tiers={})):
        with pytest.raises(InvalidFieldError) as caught:
            call([E1], moment)
        assert caught.value.code == "time.naive"


def test_points_beyond_64_bits_are_refused():
    most = 2**63 - 1
    with pytest.raises(AmountOverflowError):
        loyalty_balance([entry("a", 0, "earn", most), entry("b", 0, "earn", 1)], at(1))


def test_a_state_as_json():
    state = loyalty_state([E1, entry("e3", 1, "earn", 5)], at(2))
    assert json.loads(json.dumps(state.to_dict())) == {
        "points": 105,
        "lapsed": 0,
        "lots": [
            {"entry_id": "e1", "earned_at": at(0).isoformat(), "expires_at": at(100).isoformat(), "points": 100},
            {"entry_id": "e3", "earned_at": at(1).isoformat(), "expires_at": None, "points": 5},
        ],
    }
    assert loyalty_state([], at(0)).points == 0


TIERS = {"silver": 100, "gold": 150, "also gold": 150}


def test_a_tier_follows_from_what_was_earned_lately_whatever_was_redeemed():
    entries = [E1, E2, entry("r1", 20, "redeem", 120)]
    assert loyalty_tier(entries, at(20), tiers=TIERS) == "gold"
    assert loyalty_tier(entries, at(9), tiers=TIERS) == "silver"
    assert loyalty_tier(entries, at(364), tiers=TIERS) == "gold"
    assert loyalty_tier(entries, at(365), tiers=TIERS) is None
    assert loyalty_tier(entries, at(9999), tiers=TIERS, days=None) == "gold"
    back = entry("b1", 30, "reverse", -1, related_id="e1")
    assert loyalty_tier([*entries[:2], back], at(30), tiers=TIERS) == "silver"
    assert loyalty_tier([], at(0), tiers={"base": 0}) == "base"
    assert loyalty_tier([], at(0), tiers={}) is None


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"tiers": {"a": -1}}, "loyalty.tiers"),
        ({"tiers": {"a": 1.5}}, "loyalty.tiers"),
        ({"tiers": {"a": True}}, "loyalty.tiers"),
        ({"tiers": {}, "days": 0}, "loyalty.days"),
        ({"tiers": {}, "days": 1.5}, "loyalty.days"),
        ({"tiers": {}, "days": 10**12}, "loyalty.days"),
    ],
)
def test_thresholds_and_days_are_whole_numbers(options, code):
    with pytest.raises(InvalidFieldError) as caught:
        loyalty_tier([E1], at(1), **options)
    assert caught.value.code == code


def counted(rows, day):
    """Point by point: a list of [lot, end, where it is], in order of earning; None where a row cannot be."""
    points, holds, done, origins = [], {}, {}, {}

    def run_out(now):
        for point in points:
            if point[2] == "left" and point[1] is not None and point[1] <= now:
                point[2] = "lapsed"

    def take(id, number, first=None):
        free = [point for point in points if point[2] == "left"]
        free.sort(key=lambda point: point[0] != first)  # stable: the oldest first otherwise
        if len(free) < number:
            return False
        for point in free[:number]:
            point[2] = "taken"
            holds.setdefault(id, []).append(point)
        return True

    for id, when, kind, number, ends, related in rows:
        if when > day:
            break
        run_out(when)
        origin = origins.get(related)
        fine = True
        if kind == "earn":
            points += [[id, ends, "left"] for _ in range(number)]
        elif kind == "redeem":
            fine = take(id, number)
        elif kind == "expire":
            gone = [point for point in points if point[2] == "lapsed" and (origin != "earn" or point[0] == related)]
            for point in gone[:number]:
                point[2] = "booked"
            fine = take(id, number - len(gone[:number]), related)
        else:
            done[related] = done.get(related, 0) + abs(number)
            whole = next((row[3] for row in rows if row[0] == related), 0)
            if origin is None or done[related] > whole or (number < 0) is not (origin == "earn"):
                return None
            if origin == "earn":
                own = [point for point in points if point[0] == related]
                left = sum(point[2] == "left" for point in own)
                gone = [point for point in own if point[2] == "lapsed"] + [
                    point for point in own if point[2] == "booked"
                ]
                gone = gone[: max(0, -number - left)]
                for point in gone:
                    point[2] = "taken"
                fine = take(id, -number - len(gone), related)
            elif origin == "redeem":
                for point in holds[related][::-1][:number]:
                    point[2] = "lapsed" if point[1] is not None and point[1] <= when else "left"
                del holds[related][len(holds[related]) - number :]
            else:
                points += [[id, None, "left"] for _ in range(number)]
        if not fine:
            return None
        if kind != "reverse":
            origins[id] = kind
    run_out(day)
    return points


steps = st.lists(
    st.tuples(
        st.integers(0, 12),
        st.sampled_from(["earn", "earn", "redeem", "expire", "reverse", "reverse"]),
        st.integers(1, 6),
        st.none() | st.integers(1, 12),
        st.integers(0, 6),
    ),
    max_size=9,
)


def possible(steps):
    """Rows of the steps that can be, each as (id, day, kind, points, end, related)."""
    rows = []
    for place, (day, kind, number, lasts, which) in enumerate(sorted(steps, key=lambda step: step[0])):
        related = rows[which % len(rows)] if rows else None
        if kind == "reverse" and related is None:
            continue
        points = -number if kind == "reverse" and related[2] == "earn" else number
        ends = day + lasts if kind == "earn" and lasts else None
        named = related[0] if kind == "reverse" or (kind == "expire" and which < 3 and related) else None
        row = (f"t{place}", day + place / 100, kind, points, ends, named)
        if counted([*rows, row], 10**6) is not None:
            rows.append(row)
    return rows


def entries_of(rows):
    return [
        entry(id, when, kind, points, ends=ends, related_id=related) for id, when, kind, points, ends, related in rows
    ]


@quick
@given(steps, st.integers(0, 30), st.randoms(use_true_random=False))
def test_a_count_point_by_point_says_the_same_whatever_the_order(steps, day, random):
    rows = possible(steps)
    entries = entries_of(rows)
    random.shuffle(entries)
    state = loyalty_state(entries, at(day))
    points = counted(rows, day)
    by_lot = {}
    for lot, _, place in points:
        if place == "left":
            by_lot[lot] = by_lot.get(lot, 0) + 1
    assert dict(lots(state)) == by_lot
    assert state.points == sum(by_lot.values()) == loyalty_balance(iter(entries), at(day))
    assert state.lapsed == sum(place in ("lapsed", "booked") for _, _, place in points)
    # Nothing is invented: every point is left, has run out, or was taken by an entry.
    assert len(points) == state.points + state.lapsed + sum(use.points for use in state.uses)
    assert all(lot.points > 0 for lot in state.lots)


@quick
@given(steps, st.integers(1, 6))
def test_what_cannot_be_is_refused_by_both(steps, number):
    rows = possible(steps)
    row = ("last", 30, "redeem", number, None, None)
    if counted([*rows, row], 31) is None:
        assert refused(entries_of([*rows, row])) == "loyalty.insufficient"
    else:
        loyalty_state(entries_of([*rows, row]), at(31))

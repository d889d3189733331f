"""What is owed, by age: a slow count of single minor units says the same."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_examples import quick

from custinfo.errors import AmountOverflowError, InvalidFieldError
from custinfo.model import Money, Transaction, aging, balance

START = datetime(2026, 1, 1, 12, tzinfo=UTC)


def booked(id, minor, *, day=0, kind="payment", currency="CNY", **more):
    at = START + timedelta(days=day)
    return Transaction(id=id, account_id="a1", amount=Money(minor, currency), occurred_at=at, kind=kind, **more)


def charge(id, minor, *, day=0, **more):
    return booked(id, -minor, day=day, kind="adjustment", **more)


def amounts(owed):
    return {bucket.label: bucket.amount.minor for bucket in owed.buckets if bucket.items}


def at(day):
    return START + timedelta(days=day)


def test_each_bucket_ends_with_its_day():
    ledger = [charge(f"c{day}", 10**place, day=day) for place, day in enumerate((100, 99, 70, 69, 40, 39, 10, 9))]
    owed = aging(ledger, at(100))
    assert amounts(owed) == {"current": 1, "1-30": 110, "31-60": 11_000, "61-90": 1_100_000, "over 90": 10_000_000}
    assert [(bucket.first_day, bucket.last_day) for bucket in owed.buckets] == [
        (None, 0),
        (1, 30),
        (31, 60),
        (61, 90),
        (91, None),
    ]
    assert [item.days_overdue for item in owed.items] == [91, 90, 61, 60, 31, 30, 1, 0]
    assert owed.total.minor == 11_111_111
    assert owed.unapplied.minor == 0


def test_money_covers_what_it_names_and_then_what_fell_due_first():
    ledger = [charge("old", 100), charge("new", 100, day=50), booked("p1", 80, day=60, related_id="new")]
    assert amounts(aging(ledger, at(60))) == {"31-60": 100, "1-30": 20}
    ledger.append(booked("p2", 110, day=61))
    owed = aging(ledger, at(61))
    assert amounts(owed) == {"1-30": 10}
    assert [item.transaction_id for item in owed.items] == ["new"]


def test_what_is_due_later_is_paid_later_and_is_current():
    ledger = [charge("c1", 100, due_on=date(2026, 3, 1)), charge("c2", 100, day=5), booked("p", 100, day=6)]
    owed = aging(ledger, at(20))
    assert amounts(owed) == {"current": 100}
    assert (owed.items[0].transaction_id, owed.items[0].days_overdue) == ("c1", -39)


def test_a_pending_payment_is_owed_until_a_payment_names_it():
    pending = booked("credit", 500, status="pending", due_on=date(2026, 1, 10))
    till = booked("till", 900, day=3)
    owed = aging([pending, till], at(20))
    assert (amounts(owed), owed.unapplied.minor) == ({"1-30": 500}, 900)
    part = booked("part", 200, day=15, related_id="credit")
    owed = aging([pending, till, part], at(20))
    assert (amounts(owed), owed.unapplied.minor) == ({"1-30": 300}, 900)
    assert aging([booked("credit", 500)], at(20)).total.minor == 0


def test_a_chargeback_opens_the_charge_again_since_its_own_day():
    ledger = [charge("c", 100), booked("p", 100, day=5), booked("b", 100, day=95, kind="chargeback", related_id="p")]
    assert aging(ledger[:2], at(95)).total.minor == 0
    assert amounts(aging(ledger, at(95))) == {"over 90": 100}


def test_what_was_paid_out_beyond_what_came_in_is_owed_since_then():
    owed = aging([booked("p", 100), booked("out", 130, day=10, kind="payout")], at(45))
    assert amounts(owed) == {"31-60": 30}
    assert owed.items[0].transaction_id == "out"


def test_what_comes_later_and_what_is_no_money_does_not_count():
    dead = [charge("f", 5, status="failed"), charge("v", 5, status="voided"), charge("n", 5, status="pending")]
    assert aging([*dead, charge("later", 7, day=9)], at(8)).total.minor == 0
    assert aging([*dead, charge("later", 7, day=9)], at(9)).total.minor == 7


def test_days_are_those_of_the_time_zone():
    late = Transaction(
        id="t",
        account_id="a",
        kind="adjustment",
        amount=Money(-5, "CNY"),
        occurred_at=datetime(2026, 1, 1, 17, tzinfo=UTC),
    )
    now = datetime(2026, 1, 2, 15, tzinfo=UTC)
    assert aging([late], now).items[0].days_overdue == 1
    assert aging([late], now, time_zone="Asia/Shanghai").items[0].days_overdue == 0


def test_an_aging_as_json():
    data = aging([charge("c", 100), booked("p", 130, day=1)], at(2), buckets=(7,)).to_dict()
    assert json.loads(json.dumps(data)) == {
        "as_of": at(2).isoformat(),
        "currency": "CNY",
        "buckets_minor": {"current": 0, "1-7": 0, "over 7": 0},
        "total_minor": 0,
        "unapplied_minor": 30,
    }
    assert aging([], START, currency="JPY").total == Money(0, "JPY")


rows = st.lists(
    st.tuples(
        st.sampled_from(["payment", "pending", "adjustment", "refund", "chargeback", "payout"]),
        st.integers(-6, 6),
        st.integers(0, 120),
        st.none() | st.integers(0, 9),
        st.none() | st.integers(0, 120),
    ),
    max_size=10,
)


def built(rows):
    made = []
    for number, (kind, minor, day, related, due) in enumerate(rows):
        made.append(
            booked(
                f"t{number}",
                minor if kind == "adjustment" else abs(minor),
                day=day,
                kind="payment" if kind == "pending" else kind,
                status="pending" if kind == "pending" else "posted",
                related_id=None if related in (None, number) else f"t{related}",
                due_on=None if due is None else (START + timedelta(days=due)).date(),
            )
        )
    return made


def counted(ledger, today, buckets):
    """Unit by unit: what is owed in each bucket, and what is unused."""
    ledger = sorted((one for one in ledger if one.occurred_at <= today), key=lambda one: (one.occurred_at, one.id))
    units = {one.id: abs(one.amount.minor) for one in ledger}
    came_in = [one for one in ledger if one.signed_minor > 0]
    pending = [one for one in ledger if one.status.value == "pending"]
    backs = [
        one for one in ledger if one.status.value == "posted" and one.kind.value in ("refund", "chargeback", "payout")
    ]
    debts = [*backs, *(one for one in ledger if one.signed_minor < 0 and one.kind.value == "adjustment")]

    def cover(one, others):
        for other in others:
            while one.related_id == other.id and units[one.id] and units[other.id]:
                units[one.id] -= 1
                units[other.id] -= 1

    for one in backs:
        cover(one, came_in)
    for one in came_in:
        cover(one, [*debts, *pending])

    def due(one):
        return (one.due_on or one.occurred_at.date(), one.occurred_at, one.id)

    single = [one for one in sorted(debts, key=due) for _ in range(units[one.id])]
    money = sum(units[one.id] for one in came_in)
    owed = [0] * (len(buckets) + 2)
    waiting = [one for one in pending for _ in range(units[one.id])]
    for one in single[money:] + waiting:
        days = (today.date() - due(one)[0]).days
        owed[0 if days <= 0 else 1 + sum(days > limit for limit in buckets)] += 1
    return owed, max(0, money - len(single))


@quick
@given(rows, st.integers(0, 130), st.sampled_from([(30, 60, 90), (1,), (5, 100)]), st.randoms(use_true_random=False))
def test_a_slow_count_says_the_same_whatever_the_order(rows, day, buckets, random):
    ledger = built(rows)
    random.shuffle(ledger)
    owed = aging(ledger, at(day), buckets=buckets, currency="CNY")
    expected, unused = counted(ledger, at(day), buckets)
    assert [bucket.amount.minor for bucket in owed.buckets] == expected
    assert owed.unapplied.minor == unused
    assert owed.total.minor == sum(expected) == sum(item.amount.minor for item in owed.items)
    pending = sum(one.amount.minor for one in ledger if one.status.value == "pending" and one.occurred_at <= at(day))
    assert owed.total.minor - unused == pending - balance(ledger, at(day), currency="CNY").minor


@pytest.mark.parametrize("buckets", [(), (0,), (-1, 5), (30, 30), (60, 30), (30.5,), "30", None, 30, ("30",), (True,)])
def test_buckets_that_do_not_rise_are_refused(buckets):
    with pytest.raises(InvalidFieldError, match="rising whole numbers") as caught:
        aging([charge("c", 1)], START, buckets=buckets)
    assert caught.value.code == "aging.buckets"


@pytest.mark.parametrize(
    ("ledger", "as_of", "options", "code"),
    [
        ([], START, {}, "balance.currency"),
        ([charge("c", 1), charge("d", 1, currency="USD")], START, {}, "balance.currency"),
        ([charge("c", 1), charge("c", 1)], START, {}, "balance.repeated"),
        ([charge("c", 1)], datetime(2026, 1, 1), {}, "time.naive"),
        ([charge("c", 1)], date(2026, 1, 1), {}, "time.naive"),
        ([charge("c", 1)], START, {"time_zone": "nowhere"}, "time.zone"),
    ],
)
def test_an_aging_that_would_mean_nothing_is_refused(ledger, as_of, options, code):
    with pytest.raises(InvalidFieldError) as caught:
        aging(ledger, as_of, **options)
    assert caught.value.code == code


def test_a_sum_beyond_64_bits_is_refused():
    with pytest.raises(AmountOverflowError):
        aging([charge("a", 2**62), charge("b", 2**62)], START)


def test_the_ends_of_the_calendar_have_days_too():
    last = datetime(9999, 12, 31, 23, tzinfo=UTC)
    one = Transaction(id="t", account_id="a", kind="adjustment", amount=Money(-5, "CNY"), occurred_at=last)
    assert aging([one], last, time_zone="Asia/Shanghai").items[0].days_overdue == 0

"""Statements and sequences of payments: every balance is the sum of what came before it, and nothing invents money."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_examples import NOON, quick

from custinfo.errors import AmountOverflowError, InvalidFieldError, InvalidRecordError
from custinfo.model import (
    Money,
    Transaction,
    aging,
    balance,
    by_currency,
    check_ledger,
    check_refund,
    statement,
)

SIGNS = {"payment": 1, "adjustment": 1, "refund": -1, "chargeback": -1, "payout": -1}


def booked(id, minor, *, hours=0, kind="payment", currency="CNY", **more):
    at = NOON + timedelta(hours=hours)
    return Transaction(id=id, account_id="a1", amount=Money(minor, currency), occurred_at=at, kind=kind, **more)


operations = st.lists(
    st.tuples(
        st.sampled_from(["pay", "refund", "chargeback", "void", "payout", "adjust"]),
        st.integers(0, 7),  # which of the earlier transactions
        st.integers(1, 60),
    ),
    max_size=14,
)


def carried_out(operations, currency):
    """The ledger after the operations that are allowed, and the money that an independent count says is there."""
    ledger, held, refundable = [], 0, {}
    for number, (what, which, minor) in enumerate(operations):
        target = ledger[which % len(ledger)] if ledger else None
        id = f"t{number}"
        new = None
        if what == "pay":
            new = booked(id, minor, hours=number, currency=currency)
            held, refundable[id] = held + minor, minor
        elif what == "adjust":
            signed = minor - 30
            new = booked(id, signed, hours=number, kind="adjustment", currency=currency)
            held += signed
        elif what == "payout" and minor <= held:
            new = booked(id, minor, hours=number, kind="payout", currency=currency)
            held -= minor
        elif what in ("refund", "chargeback") and target is not None:
            new = booked(id, minor, hours=number, kind=what, currency=currency, related_id=target.id)
            left = refundable.get(target.id)
            if left is None or minor > left:
                with pytest.raises(InvalidFieldError) as caught:
                    check_refund(new, ledger)
                assert caught.value.code == ("refund.payment" if left is None else "refund.exceeds")
                new = None
            else:
                assert check_refund(new, ledger).minor == left - minor
                refundable[target.id] -= minor
                held -= minor
        elif what == "void" and target is not None and refundable.get(target.id) in (None, target.amount.minor):
            if target.status.value == "voided":
                continue
            ledger[ledger.index(target)] = attrs.evolve(target, status="voided")
            held -= target.signed_minor
            refundable.pop(target.id, None)
            if target.kind.value in ("refund", "chargeback"):
                refundable[target.related_id] += target.amount.minor
        if new is not None:
            ledger.append(new)
    return ledger, held


@quick
@given(operations, st.sampled_from(["JPY", "CNY", "KWD"]), st.integers(-1, 15), st.randoms(use_true_random=False))
def test_after_any_sequence_the_balance_is_the_sum_and_nothing_invents_money(operations, currency, hour, random):
    ledger, held = carried_out(operations, currency)
    random.shuffle(ledger)
    assert balance(ledger, currency=currency) == Money(held, currency)
    check_ledger(ledger)
    whole = statement(ledger, currency=currency)
    assert (whole.opening.minor, whole.closing.minor) == (0, held)
    middle = NOON + timedelta(hours=hour)
    before, after = statement(ledger, end=middle, currency=currency), statement(ledger, middle, currency=currency)
    assert before.closing == after.opening == balance(ledger, middle - timedelta(microseconds=1), currency=currency)
    assert before.lines + after.lines == whole.lines
    for part in (before, after, whole):
        running = part.opening.minor
        for line in part.lines:
            running += SIGNS[line.transaction.kind.value] * line.transaction.amount.minor
            assert line.balance.minor == running
        assert part.closing.minor == running
        assert sum(total.minor for total in part.totals().values()) == part.closing.minor - part.opening.minor
    owed = aging(ledger, middle, currency=currency)
    assert owed.total.minor - owed.unapplied.minor == -balance(ledger, middle, currency=currency).minor


@quick
@given(operations, st.lists(st.integers(0, 5), min_size=1, max_size=5).filter(any))
def test_a_payment_that_is_split_is_refunded_part_by_part_to_nothing(operations, ratios):
    ledger, _ = carried_out(operations, "KWD")
    paid = booked("whole", 1001, hours=99, currency="KWD")
    ledger.append(paid)
    before = balance(ledger)
    for place, part in enumerate(paid.amount.allocate(ratios)):
        back = booked(f"part{place}", part.minor, hours=100, kind="refund", currency="KWD", related_id="whole")
        left = check_refund(back, ledger)
        ledger.append(back)
    assert left.minor == 0
    assert balance(ledger) == before - paid.amount


def test_the_days_of_a_period_are_those_of_the_time_zone():
    ledger = [booked("late", 100, hours=11), booked("early", 30, hours=13)]  # 23:00 and 01:00 UTC
    day = date(2026, 2, 1)
    assert [line.transaction.id for line in statement(ledger, day).lines] == ["early"]
    shanghai = statement(ledger, day, date(2026, 2, 2), time_zone="Asia/Shanghai")
    assert [line.transaction.id for line in shanghai.lines] == ["late", "early"]
    assert shanghai.start == datetime(2026, 1, 31, 16, tzinfo=UTC)
    assert statement(ledger, shanghai.start, shanghai.end) == shanghai
    assert statement(ledger, day, date(2026, 2, 2), time_zone=timezone(timedelta(hours=8))) == shanghai
    assert statement(ledger, datetime(2026, 2, 1, tzinfo=UTC)).opening.minor == 100


def test_lines_of_one_instant_stand_in_the_order_of_their_ids():
    ledger = [booked(id, 1) for id in ("c", "a", "b")]
    assert [line.transaction.id for line in statement(ledger).lines] == ["a", "b", "c"]


def test_only_posted_transactions_are_lines():
    ledger = [booked(status, 10, status=status) for status in ("pending", "posted", "failed", "voided")]
    made = statement(ledger)
    assert [line.transaction.id for line in made.lines] == ["posted"]
    assert made.closing.minor == 10


def test_a_statement_as_json_has_ids_and_amounts_and_no_free_text():
    made = statement(
        [booked("t1", 100, description="for the blue one"), booked("t2", 40, hours=1, kind="payout")], NOON
    )
    data = json.loads(json.dumps(made.to_dict()))
    assert data["opening_minor"] == 0
    assert [(line["id"], line["kind"], line["amount_minor"], line["balance_minor"]) for line in data["lines"]] == [
        ("t1", "payment", 100, 100),
        ("t2", "payout", -40, 60),
    ]
    assert (data["start"], data["end"], data["closing_minor"]) == (NOON.isoformat(), None, 60)
    assert "blue" not in json.dumps(data) + repr(made) + repr(made.lines)


@pytest.mark.parametrize(
    ("transactions", "options", "code"),
    [
        ([], {}, "balance.currency"),
        ([booked("t1", 1), booked("t2", 1, currency="USD")], {}, "balance.currency"),
        ([booked("t1", 1), booked("t1", 1)], {}, "balance.repeated"),
        ([booked("t1", 1), {"id": "t2"}], {}, "field.type"),
        ([booked("t1", 1)], {"start": datetime(2026, 1, 1)}, "time.naive"),
        ([booked("t1", 1)], {"end": "2026-01-01"}, "time.naive"),
        ([booked("t1", 1)], {"start": date(2026, 1, 2), "end": date(2026, 1, 1)}, "statement.period"),
        ([booked("t1", 1)], {"time_zone": "Mars/Olympus"}, "time.zone"),
        ([booked("t1", 1)], {"time_zone": 8}, "time.zone"),
        ([booked("t1", 1)], {"start": date(1, 1, 1), "time_zone": "Asia/Shanghai"}, "time.range"),
    ],
)
def test_a_statement_that_would_mean_nothing_is_refused(transactions, options, code):
    with pytest.raises(InvalidFieldError) as caught:
        statement(transactions, **options)
    assert caught.value.code == code


def test_a_balance_on_the_way_beyond_64_bits_is_refused():
    most = 2**63 - 1
    ledger = [booked("a", most), booked("b", 1, hours=1), booked("c", 5, hours=2, kind="payout")]
    assert balance(ledger).minor == most - 4
    with pytest.raises(AmountOverflowError):
        statement(ledger)
    with pytest.raises(AmountOverflowError):
        statement(ledger[:2], NOON + timedelta(hours=5))


def test_currencies_are_kept_apart():
    ledger = [booked("t1", 5, currency="USD"), booked("t2", 7, currency="JPY"), booked("t3", 1, currency="USD")]
    apart = by_currency(ledger)
    assert list(apart) == ["JPY", "USD"]
    assert {currency: balance(some).minor for currency, some in apart.items()} == {"JPY": 7, "USD": 6}
    assert by_currency([]) == {}
    with pytest.raises(InvalidFieldError, match="not str"):
        by_currency(["t1"])


PAID = booked("p", 100)


@pytest.mark.parametrize(
    ("refund", "ledger", "code"),
    [
        (booked("r", 5), [PAID], "refund.kind"),
        (booked("r", 5, kind="payout", related_id="p"), [PAID], "refund.kind"),
        (booked("r", 5, kind="refund"), [PAID], "refund.unknown"),
        (booked("r", 5, kind="refund", related_id="q"), [PAID], "refund.unknown"),
        (booked("r", 5, kind="refund", related_id="p"), [], "refund.unknown"),
        (booked("r", 5, kind="refund", related_id="p"), [booked("p", 9, status="pending")], "refund.payment"),
        (booked("r", 5, kind="refund", related_id="p"), [booked("p", 9, kind="payout")], "refund.payment"),
        (booked("r", 101, kind="chargeback", related_id="p"), [PAID], "refund.exceeds"),
        (
            booked("r", 60, kind="refund", related_id="p", status="pending"),
            [PAID, booked("x", 41, kind="chargeback", related_id="p")],
            "refund.exceeds",
        ),
        (booked("r", 5, kind="refund", related_id="p", currency="USD"), [PAID], "balance.currency"),
        (attrs.evolve(booked("r", 5, kind="refund", related_id="p"), account_id="a2"), [PAID], "refund.account"),
        (booked("r", 5, kind="refund", related_id="p", hours=-1), [PAID], "refund.time"),
        ("r", [PAID], "field.type"),
    ],
)
def test_a_refund_that_cannot_be_is_refused_with_a_code(refund, ledger, code):
    with pytest.raises(InvalidFieldError) as caught:
        check_refund(refund, ledger)
    assert caught.value.code == code


def test_failed_and_voided_refunds_and_the_older_form_of_the_same_one_do_not_count():
    ledger = [
        PAID,
        booked("r1", 100, kind="refund", related_id="p", status="failed"),
        booked("r2", 100, kind="refund", related_id="p", status="voided"),
        booked("r3", 70, kind="refund", related_id="p", status="pending"),
    ]
    assert check_refund(attrs.evolve(ledger[3], status="posted"), ledger).minor == 30
    assert check_refund(booked("r4", 30, kind="refund", related_id="p"), ledger).minor == 0
    assert check_refund(booked("r5", 500, kind="refund", related_id="p", status="failed"), ledger).minor == 30


def test_a_ledger_names_everything_that_was_given_back_without_having_been_paid():
    ledger = [
        PAID,
        booked("r1", 60, kind="refund", related_id="p"),
        booked("r2", 41, kind="chargeback", related_id="p"),
        booked("r3", 1, kind="refund", related_id="nobody"),
        booked("r4", 1, kind="refund", related_id="r1"),
        booked("r5", 900, kind="refund", related_id="p", status="voided"),
        booked("r6", 5, kind="refund"),
    ]
    with pytest.raises(InvalidRecordError, match="3 times") as caught:
        check_ledger(reversed(ledger))
    faults = [(fault.code, fault.details["id"]) for fault in caught.value.exceptions]
    assert faults == [("refund.unknown", "r3"), ("refund.payment", "r4"), ("refund.exceeds", "p")]
    check_ledger([])
    check_ledger([*ledger[:2], ledger[6]])

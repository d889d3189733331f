"""Balances: equal to the sum after any sequence, and nothing invents money."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_examples import NOON, quick

from custinfo.errors import AmountOverflowError, InvalidFieldError
from custinfo.model import (
    Account,
    AccountStatus,
    Money,
    Transaction,
    aging,
    apply_coupons,
    balance,
    by_currency,
    check_change_request,
    check_ledger,
    check_refund,
    check_transition,
    loyalty_balance,
    loyalty_tier,
    statement,
)

SIGNS = {"payment": 1, "adjustment": 1, "refund": -1, "chargeback": -1, "payout": -1}
rows = st.lists(
    st.tuples(
        st.sampled_from(sorted(SIGNS)),
        st.sampled_from(["posted", "pending", "failed", "voided"]),
        st.integers(0, 2**40),
        st.integers(0, 30),
    ),
    max_size=20,
)


def transaction(number, kind="payment", status="posted", minor=100, day=0, currency="KWD"):
    return Transaction(
        id=f"t{number}",
        account_id="a1",
        kind=kind,
        status=status,
        amount=Money(minor, currency),
        occurred_at=NOON + timedelta(days=day),
    )


@quick
@given(rows, st.integers(-1, 31), st.randoms(use_true_random=False))
def test_the_balance_is_the_sum_of_what_is_posted_by_then_in_whatever_order(rows, day, random):
    transactions = [transaction(number, *row) for number, row in enumerate(rows)]
    random.shuffle(transactions)
    expected = sum(SIGNS[kind] * minor for kind, status, minor, at in rows if status == "posted" and at <= day)
    assert balance(transactions, NOON + timedelta(days=day), currency="KWD") == Money(expected, "KWD")
    everything = sum(SIGNS[kind] * minor for kind, status, minor, _ in rows if status == "posted")
    assert balance(iter(transactions), currency="KWD").minor == everything


def test_the_last_instant_counts():
    paid = transaction(1)
    assert balance([paid], NOON).minor == 100
    assert balance([paid], NOON - timedelta(microseconds=1)).minor == 0


def test_nothing_paid_is_nothing_in_the_currency_that_is_said():
    assert balance([], currency="JPY") == Money(0, "JPY")


@pytest.mark.parametrize(
    ("transactions", "options", "code"),
    [
        ([], {}, "balance.currency"),
        ([], {"currency": "usd"}, "currency.unknown"),
        ([transaction(1), transaction(2, currency="USD")], {}, "balance.currency"),
        ([transaction(1)], {"currency": "USD"}, "balance.currency"),
        ([transaction(1), transaction(1)], {}, "balance.repeated"),
        ([transaction(1)], {"as_of": datetime(2026, 1, 31)}, "time.naive"),
        ([transaction(1)], {"as_of": date(2026, 1, 31)}, "time.naive"),
    ],
)
def test_a_balance_that_would_mean_nothing_is_refused(transactions, options, code):
    with pytest.raises(InvalidFieldError) as caught:
        balance(transactions, **options)
    assert caught.value.code == code


def test_a_balance_beyond_64_bits_is_refused_but_a_way_there_and_back_is_not():
    most = 2**63 - 1
    with pytest.raises(AmountOverflowError):
        balance([transaction(1, minor=most), transaction(2, minor=1)])
    back = transaction(3, "refund", minor=most)
    assert balance([transaction(1, minor=most), transaction(2, minor=1), back]).minor == 1


@pytest.mark.parametrize("old", AccountStatus)
@pytest.mark.parametrize("new", AccountStatus)
def test_a_closed_account_stays_closed_and_others_move_freely(old, new):
    account = Account(id="a1", customer_id="c1", currency="CNY", status=old)
    if old is AccountStatus.CLOSED and new is not old:
        with pytest.raises(InvalidFieldError, match="cannot become") as caught:
            check_transition(account, new)
        assert (caught.value.code, caught.value.path) == ("account.transition", "status")
    else:
        assert check_transition(account, new.value) is new


@pytest.mark.parametrize("status", ["opened", "", None, 5])
def test_an_unknown_status_is_refused(status):
    with pytest.raises(InvalidFieldError, match="open, suspended, closed") as caught:
        check_transition(Account(id="a1", customer_id="c1", currency="CNY"), status)
    assert caught.value.code == "enum.unknown"


def test_times_of_any_zone_are_compared_as_instants():
    assert balance([transaction(1)], datetime(2026, 1, 31, 12, tzinfo=UTC)).minor == 100


def test_an_account_that_is_called_active_is_open_and_a_closed_one_cannot_become_it():
    account = Account(id="a1", customer_id="c1", currency="CNY", status="active")
    assert account.status is AccountStatus.OPEN
    with pytest.raises(InvalidFieldError) as caught:
        check_transition(attrs.evolve(account, status="closed"), "active")
    assert caught.value.code == "account.transition"


@pytest.mark.parametrize(
    "call",
    [
        lambda: balance(None),
        lambda: balance(transaction(1)),
        lambda: balance([None]),
        lambda: by_currency(5),
        lambda: statement(None),
        lambda: aging(None, NOON),
        lambda: check_ledger(None),
        lambda: check_refund(None, []),
        lambda: check_refund(transaction(1, kind="refund"), None),
        lambda: check_transition("closed", "open"),
        lambda: check_change_request(None, "verified"),
        lambda: loyalty_balance(None, NOON),
        lambda: loyalty_balance([transaction(1)], NOON),
        lambda: apply_coupons(Money(1, "CNY"), None, NOON),
    ],
)
def test_what_is_no_ledger_is_refused_without_a_foreign_error(call):
    with pytest.raises(InvalidFieldError) as caught:
        call()
    assert caught.value.code == "field.type"


@pytest.mark.parametrize("tiers", [None, [("gold", 1)], {"gold": "1"}, {"gold": -1}])
def test_tiers_that_are_none_are_refused(tiers):
    with pytest.raises(InvalidFieldError) as caught:
        loyalty_tier([], NOON, tiers=tiers)
    assert caught.value.code == "loyalty.tiers"

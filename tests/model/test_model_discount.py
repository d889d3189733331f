"""Coupons on a purchase: what is taken off and what is left are the whole, and never below zero."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_examples import quick

from custinfo.errors import InvalidFieldError
from custinfo.model import Coupon, Money, apply_coupon, apply_coupons

NOW = datetime(2026, 11, 11, tzinfo=UTC)
CNY = "CNY"
TWENTY = Coupon(id="k1", code="HELLO-20", amount_off=Money(2000, CNY), minimum_spend=Money(10_000, CNY))
TENTH = Coupon(id="k2", code="TENTH", percent_off=10, maximum_off=Money(500, CNY))


def after(amount, coupon):
    return apply_coupon(Money(amount, CNY), coupon, NOW).after.minor


def test_a_full_reduction_needs_its_threshold():
    assert after(10_000, TWENTY) == 8_000
    assert after(25_000, TWENTY) == 23_000
    with pytest.raises(InvalidFieldError) as caught:
        after(9_999, TWENTY)
    assert caught.value.code == "coupon.minimum"


def test_an_amount_is_taken_off_at_most_down_to_nothing():
    free = Coupon(id="k", code="FREE", amount_off=Money(2000, CNY))
    assert [after(amount, free) for amount in (2001, 2000, 1999, 0)] == [1, 0, 0, 0]


@pytest.mark.parametrize(
    ("minor", "percent", "off"), [(250, 5, 12), (350, 5, 18), (251, 5, 13), (249, 5, 12), (0, 50, 0), (99, 100, 99)]
)
def test_a_percentage_is_rounded_half_to_even(minor, percent, off):
    use = apply_coupon(Money(minor, CNY), Coupon(id="k", code="P", percent_off=percent), NOW)
    assert (use.off.minor, use.after.minor) == (off, minor - off)


def test_a_percentage_takes_off_at_most_its_cap():
    assert after(4_000, TENTH) == 3_600
    assert after(100_000, TENTH) == 99_500


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"status": "voided"}, "coupon.status"),
        ({"status": "redeemed", "redeemed_at": NOW}, "coupon.status"),
        ({"valid_from": NOW + timedelta(microseconds=1)}, "coupon.not_yet"),
        ({"expires_at": NOW}, "coupon.expired"),
        ({"customer_id": "somebody"}, "coupon.customer"),
        ({"amount_off": Money(5, "USD"), "minimum_spend": None}, "coupon.currency"),
        ({"minimum_spend": Money(20_001, CNY)}, "coupon.minimum"),
    ],
)
def test_a_coupon_that_does_not_apply_says_why(changes, code):
    coupon = attrs.evolve(TWENTY, **changes)
    with pytest.raises(InvalidFieldError) as caught:
        apply_coupon(Money(20_000, CNY), coupon, NOW, customer_id="c1")
    assert (caught.value.code, "HELLO" in str(caught.value)) == (code, False)


def test_a_coupon_is_good_from_its_first_instant_to_its_last_and_for_its_customer():
    coupon = attrs.evolve(TENTH, valid_from=NOW, expires_at=NOW + timedelta(microseconds=1), customer_id="c1")
    assert after(100, coupon) == 90
    assert apply_coupon(Money(100, CNY), coupon, NOW, customer_id="c1").after.minor == 90


@pytest.mark.parametrize(
    ("amount", "coupon", "at", "code"),
    [
        (Money(-1, CNY), TENTH, NOW, "coupon.amount"),
        (100, TENTH, NOW, "field.type"),
        (Money(1, CNY), "TENTH", NOW, "field.type"),
        (Money(1, CNY), TENTH, datetime(2026, 11, 11), "time.naive"),
        (Money(1, CNY), TENTH, None, "time.naive"),
    ],
)
def test_what_is_no_purchase_is_refused(amount, coupon, at, code):
    with pytest.raises(InvalidFieldError) as caught:
        apply_coupon(amount, coupon, at)
    assert caught.value.code == code


def test_coupons_are_applied_in_the_order_given_and_each_sees_what_is_left():
    uses = apply_coupons(Money(12_000, CNY), [TWENTY, TENTH], NOW)
    assert [(use.coupon_id, use.before.minor, use.off.minor, use.after.minor) for use in uses] == [
        ("k1", 12_000, 2_000, 10_000),
        ("k2", 10_000, 500, 9_500),
    ]
    assert apply_coupons(Money(12_000, CNY), [], NOW) == ()
    with pytest.raises(InvalidFieldError) as caught:
        apply_coupons(Money(10_000, CNY), [TENTH, TWENTY], NOW)
    assert caught.value.code == "coupon.minimum"
    with pytest.raises(InvalidFieldError) as caught:
        apply_coupons(Money(10_000, CNY), [TENTH, TENTH], NOW)
    assert caught.value.code == "coupon.repeated"


def test_a_use_as_json_has_no_code():
    use = apply_coupon(Money(12_000, CNY), TWENTY, NOW)
    assert json.loads(json.dumps(use.to_dict())) == {
        "coupon_id": "k1", "currency": CNY, "before_minor": 12_000, "off_minor": 2_000, "after_minor": 10_000,
    }  # fmt: skip


reductions = st.lists(
    st.tuples(st.booleans(), st.integers(1, 100), st.none() | st.integers(1, 500)), min_size=1, max_size=4
)


@quick
@given(st.integers(0, 2**63 - 1) | st.integers(0, 1000), reductions, st.sampled_from(["JPY", "CNY", "KWD"]))
def test_what_is_taken_off_and_what_is_left_are_the_whole(minor, rows, currency):
    coupons = [
        Coupon(
            id=f"k{place}",
            code="C",
            percent_off=number if is_percent else None,
            amount_off=None if is_percent else Money(number, currency),
            maximum_off=None if cap is None else Money(cap, currency),
        )
        for place, (is_percent, number, cap) in enumerate(rows)
    ]
    left = minor
    for use, (is_percent, number, cap) in zip(apply_coupons(Money(minor, currency), coupons, NOW), rows, strict=True):
        exact = Decimal(left) * number / 100 if is_percent else Decimal(number)
        expected = min(left, int(exact.to_integral_value(ROUND_HALF_EVEN)), *([] if cap is None else [cap]))
        assert (use.before.minor, use.off.minor, use.after.minor) == (left, expected, left - expected)
        left -= expected
    assert left >= 0

"""Risk of one payment: each kind of evidence, what the monitor remembers, and payments that cannot be judged."""

from __future__ import annotations

import datetime as dt
import enum
import json
import math
import pickle
import statistics
import subprocess
import sys
import zoneinfo
from decimal import Decimal
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custinfo.errors import AmountOverflowError, CustInfoError, InvalidFieldError, SchemaVersionError
from custinfo.model import Money, Transaction, zone_of
from custinfo.segment import risk
from custinfo.segment._risk_payment import instant_of, read_payment
from custinfo.segment._time import instant_of as instant_of_table

NOON = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
MONITOR = risk.Monitor()
USUAL = {"amount": 20, "currency": "CNY", "method": "card", "merchant": "m1", "channel": "app", "country": "CN"}


def paid(day: float, **changed: Any) -> dict[str, Any]:
    return USUAL | {"occurred_at": NOON + dt.timedelta(days=day)} | changed


MONTH = MONITOR.history(paid(day) for day in range(30))


def codes(**changed: Any) -> tuple[str, ...]:
    return MONITOR.assess(paid(31, **changed), MONTH).codes


# ---- each kind of evidence ----


def test_a_payment_like_the_others_has_no_reasons_and_is_allowed() -> None:
    decision = MONITOR.assess(paid(31), MONTH)
    assert (decision.score, decision.reasons, decision.action) == (0, (), "allow")
    assert decision.text() == "allow (score 0): nothing unusual"
    assert decision.text("zh") == "放行（评分 0）：无异常"


def test_a_much_larger_amount_is_a_reason_and_a_smaller_one_is_none() -> None:
    assert codes(amount=500) == ("amount",)
    assert codes(amount=25) == ()
    assert codes(amount="0.01") == ()
    assert codes(amount=0) == ()


def test_the_deviation_is_that_of_the_median_and_mad_of_logarithms() -> None:
    amounts = [12, 30, 18, 55, 20, 41]
    history = MONITOR.history(paid(day, amount=amount) for day, amount in enumerate(amounts))
    sizes = [math.log(100 * amount + 1) for amount in amounts]
    middle = statistics.median(sizes)
    mad = statistics.median(abs(size - middle) for size in sizes)
    spread = (8 * 0.7 + 6 * 1.4826 * mad) / (8 + 6) * math.sqrt(1 + 1.57 / 6)
    (reason,) = MONITOR.assess(paid(9, amount=400), history).reasons
    assert reason.params["deviations"] == pytest.approx((math.log(40001) - middle) / spread, rel=1e-12)
    assert reason.params["payments"] == 6


def test_a_little_history_says_less_than_a_long_one_and_none_says_nothing() -> None:
    scores = [
        MONITOR.assess(paid(40, amount=200), MONITOR.history(paid(day) for day in range(size))).score
        for size in (0, 1, 5, 20)
    ]
    assert scores == sorted(scores)
    assert scores[0] == 0 < scores[1] < scores[3]
    first = MONITOR.assess(paid(0, amount=10**6))
    assert (first.action, first.known_payments) == ("allow", 0)
    assert first.text() == "allow (score 0): nothing to compare with"


def test_amounts_are_compared_within_one_currency_and_a_new_one_is_a_reason_of_its_own() -> None:
    yen = paid(31, currency="JPY", amount=3_000)
    assert MONITOR.assess(yen, MONTH).codes == ("currency.new",)
    both = MONITOR.history([paid(day, currency="JPY", amount=3_000) for day in range(30, 60)])
    for day in range(30):
        both = MONITOR.observe(paid(day), both)
    assert MONITOR.assess(yen | {"occurred_at": NOON + dt.timedelta(days=61)}, both).codes == ()
    assert MONITOR.assess(paid(61, amount=3_000), both).codes == ("amount",)


def test_many_payments_within_an_hour_are_a_reason_for_a_customer_who_pays_once_a_day() -> None:
    history = MONTH
    actions = []
    for minute in range(8):
        payment = paid(31 + minute / 1440)
        actions.append(MONITOR.assess(payment, history).action.value)
        history = MONITOR.observe(payment, history)
    assert actions == ["allow"] * 4 + ["review"] * 4
    found = MONITOR.assess(paid(31.01), history)
    assert set(found.codes) == {"velocity.1h", "velocity.24h"}
    assert found.reasons[0].params["made"] == 9


def test_a_burst_of_a_customer_who_seldom_pays_is_blocked() -> None:
    history = MONITOR.history([*(paid(30 * month) for month in range(9)), *(paid(270 + i / 1440) for i in range(9))])
    assert MONITOR.assess(paid(270.007), history).action == "block"


def test_as_many_payments_are_no_reason_for_a_customer_who_always_pays_so_often() -> None:
    busy = MONITOR.history(paid(minutes / 1440) for minutes in range(0, 3000, 10))
    assert MONITOR.assess(paid(3000 / 1440), busy).codes == ()


@pytest.mark.parametrize("label", ["method", "merchant", "channel", "country", "currency"])
def test_a_new_label_is_a_reason(label: str) -> None:
    value = "USD" if label == "currency" else "other"
    assert codes(**{label: value}) == (f"{label}.new",)


def test_a_new_merchant_is_no_reason_for_a_customer_who_always_goes_to_another_and_none_is_no_evidence() -> None:
    many = MONITOR.history(paid(day, merchant=f"m{day}") for day in range(30))
    assert MONITOR.assess(paid(31, merchant="new"), many).codes == ()
    unknown = MONITOR.history(paid(day, method=None, country="") for day in range(30))
    assert MONITOR.assess(paid(31), unknown).codes == ()
    assert codes(method=None, merchant=float("nan"), country="") == ()


def test_a_label_that_the_window_no_longer_holds_is_new_again() -> None:
    short = risk.Monitor(window=5)
    history = short.history([paid(0, method="cash"), *(paid(day) for day in range(1, 6))])
    assert short.assess(paid(7, method="cash"), history).codes == ("method.new",)


def test_an_unusual_hour_is_one_of_the_customers_own_zone() -> None:
    zone = zoneinfo.ZoneInfo("Asia/Shanghai")
    monitor = risk.Monitor(time_zone="Asia/Shanghai")
    night = [
        {"occurred_at": dt.datetime(2026, 1, day, 23, 30, tzinfo=zone), "amount": 5, "method": "x"}
        for day in range(1, 31)
    ]
    history = monitor.history(night)
    assert set(history.hours) == {23}
    after_midnight = {"occurred_at": dt.datetime(2026, 2, 1, 1, 10, tzinfo=zone), "amount": 5}
    assert monitor.assess(after_midnight, history).codes == ()  # the clock goes round
    (reason,) = monitor.assess(
        {"occurred_at": dt.datetime(2026, 2, 1, 1, 10, tzinfo=dt.UTC), "amount": 5}, history
    ).reasons
    assert (reason.code, reason.params) == ("hour", {"near": 0, "payments": 30})


def test_the_score_is_the_sum_of_the_weights_up_to_100_and_reasons_come_heaviest_first() -> None:
    some = MONITOR.assess(paid(31, method="cash", country="DE"), MONTH)
    assert some.score == sum(reason.weight for reason in some.reasons) == 50
    assert (some.codes, some.action) == (("country.new", "method.new"), "review")
    night = NOON + dt.timedelta(days=31.6)
    everything = paid(31, amount=10**6, method="cash", country="DE", channel="pos", merchant="x", occurred_at=night)
    assert MONITOR.assess(everything, MONTH).score == 100
    assert MONITOR.assess(everything, MONTH).action is risk.Action.BLOCK


def test_each_reason_is_a_sentence_in_english_and_in_chinese_without_the_values_of_the_payment() -> None:
    history = MONTH
    for minute in range(5):
        history = MONITOR.observe(paid(31 + minute / 1440), history)
    night = NOON + dt.timedelta(days=31, minutes=6)
    zone = risk.Monitor(rules=[attrs.evolve(rule, start=0) for rule in risk.DEFAULT_RULES])
    odd = paid(0, occurred_at=night, amount="987654.32", currency="USD", method="secret-method", country="ZZ")
    found = zone.assess(odd, history)
    assert {reason.measure for reason in found.reasons} >= {"velocity", "new", "hour"}
    large = zone.assess(odd | {"currency": "CNY"}, history)
    for decision in (found, large):
        for locale in ("en", "zh"):
            text = decision.text(locale) + repr(decision)
            assert not any(value in text for value in ("987654", "secret", "ZZ", "2026"))
    assert "a new payment method: none of the last" in found.text()
    assert "新的支付方式" in found.text("zh")
    assert "times the customer's usual one" in large.text()
    with pytest.raises(InvalidFieldError) as caught:
        found.text("fr")
    assert caught.value.code == "locale.unknown"


# ---- rules and thresholds as data ----


def test_rules_and_thresholds_of_ones_own_decide() -> None:
    rule = risk.Rule(code="velocity.10min", measure="velocity", window_s=600, start=0, full=1, weight=90)
    strict = risk.Monitor(rules=[rule], thresholds={"block": 50})
    assert [rule.points(value) for value in (-1, 0, 0.5, 1, 9)] == [0, 0, 45, 90, 90]
    history = strict.history([paid(0), paid(1), paid(2)])
    again = strict.assess(paid(2.001), history)
    assert (again.codes, again.action) == (("velocity.10min",), "block")
    assert risk.Monitor(rules=[rule], thresholds={}).assess(paid(2.001), history).action == "allow"
    assert risk.Action("review") is risk.Action.REVIEW
    assert pickle.loads(pickle.dumps(strict)) == strict


@pytest.mark.parametrize(
    "changed",
    [
        {"code": "two words"},
        {"code": ""},
        {"code": 5},
        {"measure": "mood"},
        {"start": 3},
        {"start": -1},
        {"full": math.nan},
        {"weight": 0},
        {"weight": 101},
        {"weight": "9"},
        {"weight": True},
        {"weight": None},
        {"label": "method"},
        {"measure": "new"},
        {"measure": "new", "label": "colour"},
        {"window_s": 60},
        {"measure": "velocity"},
        {"measure": "velocity", "window_s": 0},
        {"measure": "velocity", "window_s": 1.5},
    ],
)
def test_what_is_no_rule_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(InvalidFieldError) as caught:
        risk.Rule(**({"code": "x", "measure": "amount", "start": 1, "full": 2, "weight": 9} | changed))
    assert caught.value.code == "risk.rule"


@pytest.mark.parametrize("rules", [(), None, ["amount"], [risk.DEFAULT_RULES[0]] * 2])
def test_what_are_no_rules_is_refused(rules: Any) -> None:
    with pytest.raises(InvalidFieldError) as caught:
        risk.Monitor(rules=rules)
    assert caught.value.code == "risk.rule"


@pytest.mark.parametrize(
    "thresholds",
    [{"deny": 5}, {"allow": 0}, {"review": 80, "block": 40}, {"review": 0}, {"block": 101}, {"block": "x"}, 5, [(1,)]],
)
def test_what_are_no_thresholds_is_refused(thresholds: Any) -> None:
    with pytest.raises(InvalidFieldError) as caught:
        risk.Monitor(thresholds=thresholds)
    assert caught.value.code == "risk.thresholds"


def test_a_window_or_zone_that_there_is_not_is_refused() -> None:
    for window in (1, 201, 5.0, True):
        with pytest.raises(InvalidFieldError) as caught:
            risk.Monitor(window=window)  # type: ignore[arg-type]
        assert caught.value.code == "risk.window"
    with pytest.raises(InvalidFieldError) as caught:
        risk.Monitor(time_zone="Nowhere/Town")
    assert caught.value.code == "time.zone"
    assert risk.Monitor(time_zone=zone_of("Asia/Shanghai")) == risk.Monitor(time_zone="Asia/Shanghai")
    assert risk.Monitor(time_zone="UTC") == risk.Monitor()


def test_equal_thresholds_take_the_stricter_action() -> None:
    monitor = risk.Monitor(thresholds={"review": 20, "block": 20})
    assert monitor.assess(paid(31, country="DE"), MONTH).action == "block"


# ---- what comes in ----


def transaction(day: float, minor: int = 2000, **changed: Any) -> Transaction:
    fields: dict[str, Any] = {
        "id": "t1",
        "account_id": "a1",
        "amount": Money(minor, "CNY"),
        "occurred_at": NOON + dt.timedelta(days=day),
        "method": "card",
        "merchant": "m1",
        "channel": "app",
        "extra": {"country": "CN"},
    }
    return Transaction(**(fields | changed))


def test_transactions_and_mappings_are_the_same() -> None:
    assert MONITOR.history(transaction(day) for day in range(30)) == MONTH
    odd = transaction(31, 900_000, method="cash", extra={"country": "DE"})
    assert MONITOR.assess(odd, MONTH) == MONITOR.assess(paid(31, amount=9000, method="cash", country="DE"), MONTH)
    assert MONITOR.assess(odd, [transaction(day) for day in range(30)]) == MONITOR.assess(odd, MONTH)
    assert MONITOR.assess(transaction(31, extra={}), MONTH).codes == ()


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        (20, "CNY", 2000),
        ("20.005", "CNY", 2000),
        (Decimal("20.015"), "CNY", 2002),
        (20.1, None, 2010),
        (20, "JPY", 20),
        ("1.2345", "KWD", 1234),
        (Money(55, "CNY"), "CNY", 55),
        (Money(55, "CNY"), None, 55),
        (np.int64(7), None, 700),
    ],
)
def test_amounts_of_any_type_are_rounded_half_even_to_minor_units(amount: Any, currency: Any, minor: int) -> None:
    payment = read_payment({"occurred_at": NOON, "amount": amount, "currency": currency}, dt.UTC)
    assert payment.minor == minor
    whole = {"occurred_at": NOON, "amount_minor": np.int64(minor), "amount": "ignored", "currency": payment.labels[0]}
    assert read_payment(whole, dt.UTC) == payment


@pytest.mark.parametrize(
    "when",
    [
        "2026-01-01T12:00:00",
        "2026-01-01T20:00:00+08:00",
        dt.datetime(2026, 1, 1, 12),
        np.datetime64("2026-01-01T12:00"),
        NOON.astimezone(zoneinfo.ZoneInfo("America/New_York")),
    ],
)
def test_times_of_any_type_are_one_instant_and_naive_ones_are_utc(when: Any) -> None:
    assert read_payment(paid(0, occurred_at=when), dt.UTC) == read_payment(paid(0), dt.UTC)


def test_a_plain_date_is_a_day_in_the_monitors_zone() -> None:
    zone = zoneinfo.ZoneInfo("Asia/Shanghai")
    payment = read_payment(paid(0, occurred_at=dt.date(2026, 1, 1)), zone)
    assert (payment.moment, payment.hour) == (instant_of(dt.datetime(2026, 1, 1, tzinfo=zone)), 0)


@given(st.datetimes(timezones=st.sampled_from([dt.UTC, zoneinfo.ZoneInfo("Asia/Shanghai"), None])))
def test_an_instant_is_that_of_a_table(moment: dt.datetime) -> None:
    assert instant_of(moment) == instant_of_table(moment)


class Method(enum.Enum):
    CARD = "card"


class Text(str):
    __slots__ = ()


def test_labels_are_text_whole_numbers_or_enums_and_told_apart_by_100_characters() -> None:
    assert codes(method=Method.CARD, merchant=Text("m1")) == ()
    numbers = MONITOR.history(paid(day, merchant=4711) for day in range(30))
    assert MONITOR.assess(paid(31, merchant=np.int64(4711)), numbers).codes == ()
    assert MONITOR.assess(paid(31, merchant=4711.0), numbers).codes == ()
    long = MONITOR.observe(paid(0, merchant="x" * 10**6))
    assert len(long.to_bytes()) < 1000
    assert MONITOR.assess(paid(3, merchant="x" * 100), [paid(0, merchant="x" * 200)] * 9).codes == ()


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"method": ["secret"]}, "risk.label"),
        ({"method": True}, "risk.label"),
        ({"method": 2**70}, "risk.label"),
        ({"method": 0.5}, "risk.label"),
        ({"method": math.inf}, "risk.label"),
        ({"occurred_at": None}, "payments.missing"),
        ({"occurred_at": np.datetime64("NaT")}, "payments.missing"),
        ({"occurred_at": "secret"}, "time.value"),
        ({"occurred_at": 20260131}, "time.value"),
        ({"amount": None}, "payments.missing"),
        ({"amount": math.nan}, "payments.missing"),
        ({"amount": math.inf}, "amount.value"),
        ({"amount": "secret"}, "amount.value"),
        ({"amount": True}, "amount.value"),
        ({"amount": 10**18}, "amount.overflow"),
        ({"amount": "1e18"}, "amount.overflow"),
        ({"amount_minor": None}, "payments.missing"),
        ({"amount_minor": 5.0}, "amount.minor"),
        ({"amount_minor": True}, "amount.minor"),
        ({"amount_minor": 2**63}, "amount.overflow"),
        ({"currency": "XYZZY"}, "currency.unknown"),
        ({"amount": Money(5, "USD")}, "currency.mixed"),
    ],
)
def test_a_payment_that_cannot_be_read_is_an_error_with_a_code_and_without_its_value(
    changed: dict[str, Any], code: str
) -> None:
    for call in (MONITOR.assess, MONITOR.observe):
        with pytest.raises(CustInfoError) as caught:
            call(paid(31) | changed, MONTH)
        assert caught.value.code == code
        assert isinstance(caught.value, InvalidFieldError | AmountOverflowError)
        assert "secret" not in str(caught.value)
        assert caught.value.__cause__ is None


def test_times_at_the_end_of_the_calendar_are_an_error_and_not_an_overflow() -> None:
    monitor = risk.Monitor(time_zone="Asia/Shanghai")
    with pytest.raises(InvalidFieldError) as caught:
        monitor.assess(paid(0, occurred_at=dt.datetime.max.replace(tzinfo=dt.UTC)))
    assert caught.value.code == "time.value"


def test_a_missing_name_lists_those_there_are_and_further_names_are_not_looked_at() -> None:
    with pytest.raises(InvalidFieldError, match=r"no 'occurred_at' in the payment; there are: amount, when") as caught:
        MONITOR.assess({"when": NOON, "amount": 5})
    assert caught.value.code == "columns.missing"
    with pytest.raises(InvalidFieldError, match=r"no 'amount'.*there are: occurred_at"):
        MONITOR.assess({"occurred_at": NOON})
    assert codes(customer_id="c1", note=["anything"]) == ()


@pytest.mark.parametrize("given_payment", [None, 5, "text", [1]])
def test_what_is_no_payment_is_refused(given_payment: Any) -> None:
    with pytest.raises(InvalidFieldError) as caught:
        MONITOR.assess(given_payment, MONTH)
    assert caught.value.code == "risk.payment"


@pytest.mark.parametrize("history", ["text", b"{}", paid(0), 5])
def test_what_is_no_history_is_refused(history: Any) -> None:
    with pytest.raises(InvalidFieldError) as caught:
        MONITOR.assess(paid(31), history)
    assert caught.value.code == "risk.history"


def test_refunds_are_no_evidence_and_change_nothing() -> None:
    for refund in (transaction(31, 900_000, kind="refund"), paid(31, amount=-9000), transaction(31, kind="payout")):
        assert MONITOR.assess(refund, MONTH).score == 0
        assert MONITOR.observe(refund, MONTH) is MONTH
    correction = transaction(31, -5, kind="adjustment")
    assert MONITOR.observe(correction, MONTH) is MONTH


def test_failed_and_voided_transactions_are_judged_and_not_remembered() -> None:
    for status in ("failed", "voided"):
        tried = transaction(31, 900_000, status=status)
        assert MONITOR.assess(tried, MONTH).codes == ("amount",)
        assert MONITOR.observe(tried, MONTH) is MONTH
    assert MONITOR.observe(transaction(31, status="pending"), MONTH).payments == 31


def test_a_payment_in_the_future_is_refused_where_the_time_is_told() -> None:
    now = NOON + dt.timedelta(days=31)
    assert MONITOR.assess(paid(31.003), MONTH, now=now).action == "allow"
    with pytest.raises(InvalidFieldError) as caught:
        MONITOR.assess(paid(31.01), MONTH, now=now)
    assert caught.value.code == "risk.future"


# ---- what is remembered ----


def test_the_history_does_not_depend_on_the_order_of_arrival() -> None:
    monitor = risk.Monitor(window=5)
    payments = [paid(day, amount=day + 1, merchant=f"m{day % 3}") for day in range(12)]
    expected = monitor.history(payments)
    assert (len(expected), expected.payments) == (5, 12)
    for shift in range(1, 12):
        assert monitor.history(payments[shift:] + payments[:shift]) == expected
    assert monitor.history(reversed(payments)) == expected


def test_a_late_payment_is_judged_by_what_came_before_it() -> None:
    early = MONITOR.history(paid(day) for day in range(10))
    late = early
    for day in range(20, 30):
        late = MONITOR.observe(paid(day, method="cash", amount=5000), late)
    for payment in (paid(15, method="cash"), paid(15, amount=5000)):
        assert MONITOR.assess(payment, late) == MONITOR.assess(payment, early)
    assert MONITOR.assess(paid(-1, amount=5000), late).known_payments == 0


def test_a_history_of_a_wider_window_serves_a_narrower_one() -> None:
    narrow = risk.Monitor(window=5)
    payments = [paid(day, amount=day + 1) for day in range(12)]
    wide = MONITOR.history(payments)
    assert narrow.assess(paid(13, amount=500), wide) == narrow.assess(paid(13, amount=500), narrow.history(payments))
    assert narrow.observe(paid(13), wide) == narrow.history([*payments, paid(13)])
    assert len(narrow.observe(paid(1.5), wide)) == 12  # too early to be kept: only counted


def test_histories_are_frozen_and_show_no_payment() -> None:
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        MONTH.payments = 3  # type: ignore[misc]
    assert repr(MONTH) == "<History: 30 payments, 30 of them kept>"
    before = MONTH.to_bytes()
    MONITOR.observe(paid(40), MONTH)
    assert MONTH.to_bytes() == before


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.builds(
            dict,
            occurred_at=st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2060, 1, 1)),
            amount_minor=st.integers(0, 2**63 - 1),
            method=st.one_of(st.none(), st.text(max_size=120), st.integers(-(2**63), 2**63 - 1)),
            merchant=st.sampled_from(["张记", "a\ud800b", "m"]),
        ),
        max_size=8,
    )
)
def test_a_history_survives_storage_to_the_bit(payments: list[dict[str, Any]]) -> None:
    monitor = risk.Monitor(window=4)
    history = monitor.history(payments)
    stored = history.to_bytes()
    again = risk.History.from_bytes(stored)
    assert (again, again.to_bytes(), again.sizes) == (history, stored, history.sizes)
    assert pickle.loads(pickle.dumps(history)) == history


def test_the_stored_form_of_version_1_stays_what_it_is() -> None:
    history = risk.Monitor(window=2).history([paid(0), paid(1, method=None, merchant=7), paid(2, amount="0.05")])
    assert history.to_bytes() == (
        b'{"$v":"risk_history/1","payments":3,"first":1767268800000000,"moments":[1767355200000000,1767441600000000],'
        b'"minor":[2000,5],"hours":[12,12],"currency":[["CNY"],[0,0]],"method":[["card"],[-1,0]],'
        b'"merchant":[[7,"m1"],[0,1]],"channel":[["app"],[0,0]],"country":[["CN"],[0,0]]}'
    )


def test_a_history_stays_small() -> None:
    history = risk.Monitor(window=50).history(paid(day, merchant=f"merchant number {day}") for day in range(500))
    assert len(history.to_bytes()) < 4_000


def damaged(**changed: Any) -> bytes:
    state = json.loads(MONITOR.history([paid(0), paid(1)]).to_bytes())
    return json.dumps({key: value for key, value in (state | changed).items() if value != "gone"}).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"nothing",
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 200_000,
        b"1" * 5000,
        b" " * (1 << 21),
        "text",
        None,
        damaged(**{"$v": "customer/1"}),
        damaged(**{"$v": 1}),
        damaged(**{"$v": "risk_history/x"}),
        damaged(**{"$v": "risk_history/" + "9" * 4000}),
        damaged(first="gone"),
        damaged(more=1),
        damaged(payments=1),
        damaged(payments=True),
        damaged(payments=2.0),
        damaged(payments=2**70),
        damaged(first=2**62),
        damaged(moments=[2, 1]),
        damaged(moments="ab"),
        damaged(moments=[None, None]),
        damaged(minor=[-1, 5]),
        damaged(minor=[5]),
        damaged(minor=[math.nan, 5]),
        damaged(hours=[24, 0]),
        damaged(hours=[-1, 0]),
        damaged(method=[["card"], [1, 0]]),
        damaged(method=[["card"], [-2, 0]]),
        damaged(method=[["card"], [0]]),
        damaged(method=["card", [0, 0]]),
        damaged(method=[["x" * 101], [0, 0]]),
        damaged(method=[[""], [0, 0]]),
        damaged(method=[[None], [0, 0]]),
        damaged(method=[[["card"]], [0, 0]]),
        damaged(method=[]),
        damaged(method=5),
        damaged(moments=[], minor=[], hours=[], payments=0, first=5),
        damaged(moments=[1] * 201, minor=[1] * 201, hours=[1] * 201),
    ],
)
def test_bytes_that_are_no_history_are_refused(data: Any) -> None:
    with pytest.raises(InvalidFieldError) as caught:
        risk.History.from_bytes(data)
    assert caught.value.code == "risk.history"
    assert caught.value.__cause__ is None


def test_a_history_of_a_newer_version_says_so() -> None:
    with pytest.raises(SchemaVersionError):
        risk.History.from_bytes(damaged(**{"$v": "risk_history/2"}))


# ---- what it costs ----


def test_judging_transactions_loads_no_numpy() -> None:
    program = """
import sys
from custinfo.segment import risk
assert "attrs" not in sys.modules
import custinfo.segment.risk
from datetime import UTC, datetime
from custinfo.model import Money, Transaction
paid = Transaction(id="t", account_id="a", amount=Money(5, "CNY"), occurred_at=datetime(2026, 1, 1, tzinfo=UTC))
monitor = risk.Monitor()
history = risk.History.from_bytes(monitor.observe(paid).to_bytes())
print(monitor.assess(paid, history).text("zh"), "numpy" in sys.modules)
"""
    run = subprocess.run([sys.executable, "-X", "utf8", "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["放行（评分", "0）：无异常", "False"]

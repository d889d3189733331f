"""Money: exact, in minor units, and never inventing any."""

from __future__ import annotations

import decimal
import pickle
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_examples import quick

from custinfo.errors import AmountOverflowError, InvalidFieldError
from custinfo.model import Money, is_currency, minor_digits

INT64 = 2**63
minors = st.integers(-INT64, INT64 - 1)
currencies = st.sampled_from(["JPY", "USD", "CNY", "KWD", "CLF"])


def code_and_path(call, *args, **options):
    with pytest.raises(InvalidFieldError) as caught:
        call(*args, **options)
    return caught.value.code, caught.value.path


@quick
@given(minors, currencies)
def test_an_amount_written_as_text_or_decimal_reads_back_the_same(minor, currency):
    money = Money(minor, currency)
    assert Money.of(str(money.amount), currency) == money
    assert Money.of(money.amount, currency) == money
    assert money.amount == Decimal(minor) / 10 ** minor_digits(currency)
    assert -money.amount.as_tuple().exponent == minor_digits(currency)
    assert str(money) == f"{money.amount} {currency}"


@quick
@given(minors, currencies)
def test_the_decimal_context_of_the_host_changes_nothing(minor, currency):
    with decimal.localcontext(decimal.Context(prec=3, traps=[decimal.Inexact, decimal.Rounded])):
        amount = Money(minor, currency).amount
        assert Money.of(amount, currency).minor == minor


@quick
@given(minors, st.lists(st.integers(0, 10**6), min_size=1, max_size=12).filter(any), currencies)
def test_parts_of_an_allocation_sum_to_the_whole_and_are_within_one_unit_of_their_share(minor, ratios, currency):
    parts = Money(minor, currency).allocate(ratios)
    assert sum(part.minor for part in parts) == minor
    assert len(parts) == len(ratios)
    for part, ratio in zip(parts, ratios, strict=True):
        assert part.currency == currency
        assert abs(part.minor - Fraction(minor) * ratio / sum(ratios)) < 1


@pytest.mark.parametrize("ratios", [3, None, "12", {}, [], [0], [1, -1], [1.0], [True], [Decimal(1)]])
def test_ratios_that_are_none_are_refused(ratios):
    with pytest.raises(InvalidFieldError) as caught:
        Money(100, "CLF").allocate(ratios)
    assert (caught.value.code, caught.value.path) == ("money.ratios", "ratios")


def test_ratios_may_come_one_by_one():
    assert [part.minor for part in Money(-101, "JPY").allocate(share for share in (1, 1))] == [-51, -50]


def largest_remainder(minor, ratios):
    """The method as the textbook says it, one unit after the other."""
    exact = [Fraction(minor) * ratio / sum(ratios) for ratio in ratios]
    parts = [share.__floor__() for share in exact]
    while sum(parts) < minor:
        place = max(range(len(parts)), key=lambda n: (exact[n] - parts[n], -n))
        parts[place] += 1
    return parts


@quick
@given(st.integers(0, 10**6), st.lists(st.integers(0, 50), min_size=1, max_size=8).filter(any))
def test_an_allocation_is_that_of_the_largest_remainder(minor, ratios):
    assert [part.minor for part in Money(minor, "USD").allocate(ratios)] == largest_remainder(minor, ratios)


@quick
@given(st.integers(0, INT64 - 1), st.lists(st.integers(0, 50), min_size=1, max_size=8).filter(any))
def test_a_refund_splits_as_its_payment_did(minor, ratios):
    paid = Money(minor, "CNY").allocate(ratios)
    assert (-Money(minor, "CNY")).allocate(ratios) == tuple(-part for part in paid)


@pytest.mark.parametrize("ratios", [[], [0, 0], [1, -1], [1.0], [True], ["1"], [None]])
def test_ratios_that_do_not_split_are_refused(ratios):
    assert code_and_path(Money(100, "USD").allocate, ratios) == ("money.ratios", "ratios")


@quick
@given(minors, minors)
def test_sums_are_exact_or_refused(a, b):
    x, y = Money(a, "USD"), Money(b, "USD")
    for minor, add in ((a + b, lambda: x + y), (a - b, lambda: x - y), (-a, lambda: -x)):
        if -INT64 <= minor < INT64:
            assert add() == Money(minor, "USD")
        else:
            with pytest.raises(AmountOverflowError):
                add()


def test_amounts_compare_within_one_currency_only():
    assert Money(1, "USD") < Money(2, "USD") <= Money(2, "USD")
    assert Money(2, "USD") > Money(1, "USD")
    assert Money(1, "USD") != Money(1, "EUR")
    for call in (Money(1, "USD").__lt__, Money(1, "USD").__add__, Money(1, "USD").__sub__):
        assert code_and_path(call, Money(1, "EUR")) == ("money.currency", "currency")


@pytest.mark.parametrize("other", [1, 1.0, "1", None])
def test_amounts_and_plain_numbers_do_not_mix(other):
    for operation in ("__add__", "__sub__", "__lt__"):
        assert getattr(Money(1, "USD"), operation)(other) is NotImplemented
    with pytest.raises(TypeError):
        Money(1, "USD") + other


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("12.30", "USD", 1230),
        (" +12.3 ", "USD", 1230),
        ("-.5", "USD", -50),
        ("12.", "USD", 1200),
        ("500", "JPY", 500),
        ("1.234", "KWD", 1234),
        ("1.2300000", "USD", 123),
        ("-0", "USD", 0),
        (5, "KWD", 5000),
        (Decimal("1E+2"), "USD", 10_000),
        (Decimal("0E+999999"), "USD", 0),
        (Decimal("0E-999999"), "USD", 0),
        (Decimal("92233720368547758.07"), "USD", 2**63 - 1),
        ("-92233720368547758.08", "USD", -(2**63)),
    ],
)
def test_exact_amounts_are_read(amount, currency, minor):
    assert Money.of(amount, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        (12.3, "USD", ("money.float", "amount")),
        (True, "USD", ("money.float", "amount")),
        (None, "USD", ("money.float", "amount")),
        (b"12", "USD", ("money.float", "amount")),
        ("１２", "USD", ("money.format", "amount")),
        ("1,234.56", "USD", ("money.format", "amount")),
        ("1.234,56", "USD", ("money.format", "amount")),
        ("1 234", "USD", ("money.format", "amount")),
        ("1e5", "USD", ("money.format", "amount")),
        ("1_000", "USD", ("money.format", "amount")),
        ("", "USD", ("money.format", "amount")),
        (".", "USD", ("money.format", "amount")),
        ("-", "USD", ("money.format", "amount")),
        ("1\0", "USD", ("money.format", "amount")),
        ("\ud800", "USD", ("money.format", "amount")),
        ("NaN", "USD", ("money.format", "amount")),
        ("9" * 41, "USD", ("money.format", "amount")),
        (Decimal("NaN"), "USD", ("money.format", "amount")),
        (Decimal("sNaN"), "USD", ("money.format", "amount")),
        (Decimal("-Infinity"), "USD", ("money.format", "amount")),
        ("12.305", "USD", ("money.fraction", "amount")),
        ("1.5", "JPY", ("money.fraction", "amount")),
        ("0.1000000000000000000000000000000000001", "USD", ("money.fraction", "amount")),
        (Decimal("0." + "1" * 300), "USD", ("money.fraction", "amount")),
        (Decimal("1E-999999999"), "USD", ("money.fraction", "amount")),
        (Decimal("1E+999999999999999999"), "USD", ("money.range", "amount")),
        ("92233720368547758.08", "USD", ("money.range", "minor")),
        pytest.param(10**5000, "USD", ("money.range", "minor"), id="huge int"),
        ("1", "usd", ("currency.unknown", "currency")),
        ("1", "XAU", ("currency.unknown", "currency")),
        ("1", None, ("currency.unknown", "currency")),
        ("1", ["USD"], ("currency.unknown", "currency")),
    ],
)
def test_amounts_that_are_not_exact_are_refused_with_a_code(amount, currency, expected):
    assert code_and_path(Money.of, amount, currency) == expected


@pytest.mark.parametrize("minor", [1.0, "1", None, True, Decimal(1), [1]])
def test_minor_units_are_an_int(minor):
    assert code_and_path(Money, minor, "USD") == ("money.minor", "minor")


@pytest.mark.parametrize("minor", [2**63, -(2**63) - 1, 10**400])
def test_minor_units_fit_in_64_bits(minor):
    assert code_and_path(Money, minor, "USD") == ("money.range", "minor")


def test_money_is_a_value():
    money = Money(5, "USD")
    assert pickle.loads(pickle.dumps(money)) == money
    assert {money: 1}[Money(5, "USD")] == 1
    assert not hasattr(money, "__dict__")
    with pytest.raises(AttributeError):
        money.minor = 6


def test_currencies_have_the_digits_of_iso_4217():
    assert {code: minor_digits(code) for code in ("JPY", "CNY", "EUR", "KWD", "CLF", "IQD", "HRK")} == {
        "JPY": 0,
        "CNY": 2,
        "EUR": 2,
        "KWD": 3,
        "CLF": 4,
        "IQD": 3,
        "HRK": 2,
    }
    assert not any(map(is_currency, ["", "cny", "XXX", "XAU", "XTS", None, 156, ["CNY"]]))

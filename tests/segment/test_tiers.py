from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custinfo.errors import InvalidFieldError, RecordNotFoundError
from custinfo.segment import Condition, TierRule, default_tiers, rfm, tiers

DAY = dt.datetime(2024, 1, 31, 12)
SPENT = {"VIP": "monetary_minor >= 11900", "regular": "frequency >= 2", "potential": ""}


def customers(*spent: int, frequency: int = 1) -> dict[str, Any]:
    return {
        "customer_id": list(range(len(spent))),
        "monetary_minor": list(spent),
        "frequency": [frequency] * len(spent),
    }


def test_a_customer_at_the_boundary_is_in() -> None:
    result = tiers(customers(11899, 11900, 11901), SPENT)
    assert result.tier.tolist() == ["potential", "VIP", "VIP"]
    assert result.counts() == {"VIP": 2, "regular": 0, "potential": 1}
    assert result.members("VIP").tolist() == [1, 2]


@given(
    st.lists(st.integers(-10, 10), max_size=30), st.sampled_from([">=", "<=", ">", "<", "==", "!="]), st.integers(-9, 9)
)
def test_every_comparison_means_what_python_means(spent: list[int], compare: str, limit: int) -> None:
    result = tiers(customers(*spent), {"in": f"monetary_minor {compare} {limit}", "out": ""})
    want = {">=": int.__ge__, "<=": int.__le__, ">": int.__gt__, "<": int.__lt__, "==": int.__eq__, "!=": int.__ne__}
    assert result.tier.tolist() == ["in" if want[compare](value, limit) else "out" for value in spent]


def test_the_first_rule_that_fits_wins_and_none_is_none() -> None:
    result = tiers(customers(5, 50, 500), {"high": "monetary_minor > 100", "some": "monetary_minor > 10"})
    assert result.tier.tolist() == [None, "some", "high"]
    assert result.explain(0).tier is None
    assert result.explain(0).text() == (
        "tier: none; not reached: high: monetary_minor > 100 (5); some: monetary_minor > 10 (5)"
    )
    assert result.explain(0).text("zh").startswith("等级:无;未达到 high")


def test_an_explanation_gives_conditions_and_values() -> None:
    result = tiers(customers(500, frequency=3), SPENT)
    explained = result.explain(0)
    assert explained.held == ((Condition("frequency", ">=", 2), 3),)
    assert explained.missed == (("VIP", Condition("monetary_minor", ">=", 11900), 500),)
    assert explained.text() == (
        "tier: regular, because frequency >= 2 (3); not reached: VIP: monetary_minor >= 11900 (500)"
    )
    assert explained.text("zh") == "等级:regular,因为 frequency >= 2 (3);未达到 VIP: monetary_minor >= 11900 (500)"
    with pytest.raises(InvalidFieldError, match="'en' or 'zh'"):
        explained.text("fr")
    with pytest.raises(RecordNotFoundError, match="no such customer"):
        result.explain("x")


@pytest.mark.parametrize("bins", [1, 2, 3, 5, 10])
def test_default_tiers_fit_any_number_of_bins(bins: int) -> None:
    rows = {"customer_id": [], "occurred_at": [], "amount": []}  # type: dict[str, list[Any]]
    for i in range(20):
        for _ in range(1 + i // 5):
            rows["customer_id"].append(i)
            rows["occurred_at"].append(DAY - dt.timedelta(days=20 - i))
            rows["amount"].append(10 * i)
    table = rfm(rows, bins=bins)
    result = tiers(table)
    assert set(result.counts()) == {"VIP", "regular", "potential"}
    if bins > 1:
        assert result.tier[19] == "VIP"
        assert result.tier[0] == "potential"
    assert result.rules == default_tiers(bins)
    assert result.customer_ids.tolist() == table.customer_ids.tolist()


def test_default_tiers_read_a_frame_with_scores() -> None:
    table = rfm({"customer_id": [1, 1, 2], "occurred_at": [DAY] * 3, "amount": [5, 5, 1]})
    want = tiers(table).tier.tolist()
    for frame in (table.to_pandas(), table.to_polars(), table.to_arrow(), table.to_dict()):
        assert tiers(frame).tier.tolist() == want


def test_rules_carry_benefits_and_compare_text_and_decimals() -> None:
    rules = [
        TierRule(name="gold", when="segment == Champions and rate <= 0.5", benefits=["lounge"], name_zh="金"),
        TierRule(name="rest"),
    ]
    table = {"customer_id": ["a", "b", "c"], "segment": ["Champions", "Lost", None], "rate": [Decimal("0.5"), 0, 9]}
    result = tiers(table, rules)
    assert result.tier.tolist() == ["gold", "rest", "rest"]
    assert result.rules[0].benefits == ("lounge",)
    assert result.explain("a").text("zh") == "等级:金,因为 segment == Champions (Champions)、rate <= 0.5 (0.5)"
    quoted = tiers(table, [TierRule(name="q", when=["segment == 'Lost'", Condition("customer_id", "!=", "a")])])
    assert quoted.tier.tolist() == [None, "q", None]
    spaced = tiers(
        {"customer_id": [1], "segment": ["near and dear"]}, {"a": "segment == 'near and dear' and segment != x"}
    )
    assert spaced.tier.tolist() == ["a"]


def test_benefits_come_with_the_tier_in_both_languages() -> None:
    table = rfm({"customer_id": [1, 1, 2], "occurred_at": [DAY] * 3, "amount": [5, 5, 1]})
    assert tiers(table).explain(1).benefits == ("loyalty programme",)
    assert tiers(table).explain(2).benefits_zh == ("新客礼遇",)
    rules = [TierRule(name="some", when="frequency >= 2", benefits=["free shipping"])]
    assert tiers(table, rules).explain(1).benefits_zh == ("free shipping",)
    assert tiers(table, rules).explain(2).benefits == ()


def test_a_missing_value_fulfils_no_condition() -> None:
    assert tiers({"customer_id": [1, 2], "x": [None, 5]}, {"not five": "x != 5", "five": "x == 5"}).tier.tolist() == [
        None,
        "five",
    ]
    assert tiers({"customer_id": [1], "x": [float("nan")]}, {"a": "x != 5", "b": "x < 5"}).tier.tolist() == [None]


@pytest.mark.parametrize(
    "condition",
    [
        "monetary_minor",
        ">= 5",
        "monetary_minor => 5",
        "monetary_minor >=",
        "monetary_minor >= 1 and",
        "frequency >= two words",
    ],
)
def test_a_condition_that_is_none_is_refused(condition: str) -> None:
    with pytest.raises(InvalidFieldError, match="a condition is 'column operator value'") as info:
        tiers(customers(5), {"VIP": condition})
    assert info.value.code == "tiers.condition"


def test_conditions_and_rules_are_checked() -> None:
    with pytest.raises(InvalidFieldError, match="no column 'spent'; there are"):
        tiers(customers(5), {"VIP": "spent >= 5"})
    with pytest.raises(InvalidFieldError, match="cannot be compared with str"):
        tiers(customers(5), {"VIP": "monetary_minor >= many"})
    with pytest.raises(InvalidFieldError, match="a condition is"):
        Condition("a", "~", 5)
    for rules in ((), [TierRule(name="a"), TierRule(name="a")]):
        with pytest.raises(InvalidFieldError, match="at least one") as info:
            tiers(customers(5), rules)
        assert info.value.code == "tiers.rules"
    with pytest.raises(InvalidFieldError, match="no tier 'gold'; there are: VIP, regular, potential"):
        tiers(customers(5), SPENT).members("gold")


def test_the_result_goes_out_as_columns() -> None:
    result = tiers(customers(5, 20000), SPENT, customer="customer_id")
    assert repr(result) == "<Tiers: VIP 1, regular 0, potential 1>"
    assert len(result) == 2
    assert result.to_polars()["tier"].to_list() == ["potential", "VIP"]
    assert isinstance(result.to_pandas(), pd.DataFrame)
    assert pl.DataFrame(result).shape == (2, 2)
    assert "Tiers: 2 rows" in result._repr_html_()
    assert np.array_equal(tiers(result.to_dict(), {"v": "tier == VIP"}).members("v"), [1])


def test_words_that_python_takes_for_numbers_are_text() -> None:
    shops = {"customer_id": [1, 2, 3], "shop": ["nan", "Infinity", "1e9"]}
    rules = {"a": "shop == nan", "b": "shop == Infinity", "c": "shop == '1e9'"}
    assert tiers(shops, rules).tier.tolist() == ["a", "b", "c"]
    for condition in ("monetary_minor > nan", "monetary_minor > inf", "monetary_minor > -Infinity"):
        with pytest.raises(InvalidFieldError, match="cannot be compared with str"):
            tiers(customers(5), {"VIP": condition})
    assert Condition.parse("monetary_minor > 1e999999999").value == "1e999999999"  # not a number of a billion digits


@pytest.mark.parametrize("compare", ["==", "!=", ">="])
def test_text_is_not_compared_with_numbers(compare: str) -> None:
    places = {"customer_id": [1, 2], "postcode": ["10115", None]}
    with pytest.raises(InvalidFieldError, match="column 'postcode' cannot be compared with int"):
        tiers(places, {"centre": f"postcode {compare} 10115"})
    assert tiers(places, {"centre": "postcode == '10115'"}).tier.tolist() == ["centre", None]
    with pytest.raises(InvalidFieldError, match="cannot be compared with str"):
        tiers(customers(5), {"VIP": f"monetary_minor {compare} '5'"})


def test_an_amount_that_cannot_be_compared_is_refused() -> None:
    with pytest.raises(InvalidFieldError) as info:
        tiers({"customer_id": [1], "x": [Decimal("sNaN")]}, {"VIP": "x > 5"})
    assert info.value.code == "tiers.condition"

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custinfo.errors import InvalidFieldError
from custinfo.segment import spend_bands

ROWS = st.lists(
    st.tuples(
        st.integers(1, 9),
        st.datetimes(dt.datetime(2024, 1, 1), dt.datetime(2025, 6, 30), timezones=st.just(dt.UTC)),
        st.integers(-500, 5000),
    ),
    min_size=1,
    max_size=30,
)


@settings(max_examples=40, deadline=None)
@given(ROWS, st.sampled_from(["total", "purchase", "month"]))
def test_values_and_bands_are_those_of_a_plain_loop(rows: list[tuple[int, dt.datetime, int]], per: Any) -> None:
    data = dict(zip(("customer_id", "occurred_at", "cents"), map(list, zip(*rows, strict=True)), strict=True))
    table = spend_bands(data, per=per, amount_minor="cents")
    until = max(row[1] for row in rows)
    of_customer = defaultdict(list)
    for customer, moment, cents in rows:
        of_customer[customer].append((moment, cents))
    values = {}
    for customer, mine in of_customer.items():
        first = min(mine)[0]
        divisor = {
            "total": 1,
            "purchase": max(sum(cents >= 0 for _, cents in mine), 1),
            "month": 12 * (until.year - first.year) + until.month - first.month + 1,
        }[per]
        values[customer] = round(Fraction(sum(cents for _, cents in mine), divisor))
    assert dict(zip(table.customer_ids.tolist(), table.value_minor.tolist(), strict=True)) == values
    ordered = sorted(values.values())
    edges = tuple(ordered[-(-k * len(ordered) // 4) - 1] for k in (1, 2, 3))
    assert table.edges == edges
    names = ("low", "medium", "high", "top")
    assert table.band.tolist() == [names[sum(edge < value for edge in edges)] for _, value in sorted(values.items())]
    assert sum(table.counts().values()) == len(values)


def payments(*amounts: int) -> dict[str, list[Any]]:
    return {
        "customer_id": list(range(len(amounts))),
        "occurred_at": ["2026-01-31"] * len(amounts),
        "amount": list(amounts),
    }


def test_given_edges_and_names_decide() -> None:
    table = spend_bands(payments(9, 10, 11, -5), per="total", names=["small", "big"], edges=[1000])
    assert table.band.tolist() == ["small", "small", "big", "small"]
    assert table.counts() == {"small": 3, "big": 1}
    assert repr(table) == "<SpendBands: small 3, big 1>"
    assert table.explain(2).text() == "spending power: big (11.00 in total; above 10.00)"
    assert table.explain(1).text("zh") == "消费力:small(共计 10.00;不超过 10.00)"
    assert spend_bands(payments(5), names=["all"]).explain(0).text() == "spending power: all (5.00 per month)"


def test_explanations_speak_of_both_edges() -> None:
    table = spend_bands(payments(1, 2, 3, 4), per="purchase")
    assert table.explain(1).text() == "spending power: medium (2.00 per purchase; above 1.00, up to 2.00)"
    assert table.explain(1).text("zh") == "消费力:中(平均每笔 2.00;高于 1.00,不超过 2.00)"
    assert table.explain(3).text("zh") == "消费力:顶级(平均每笔 4.00;高于 3.00)"
    with pytest.raises(InvalidFieldError, match="'en' or 'zh'"):
        table.explain(3).text("fr")


def test_equal_customers_share_a_band() -> None:
    assert set(spend_bands(payments(*[5] * 20)).band) == {"low"}


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"per": "week"}, "spend_bands.per"),
        ({"names": "low"}, "spend_bands.names"),
        ({"names": []}, "spend_bands.names"),
        ({"names": ["a", "a"]}, "spend_bands.names"),
        ({"names": ["a", 5]}, "spend_bands.names"),
        ({"edges": [1, 2]}, "spend_bands.edges"),
        ({"edges": [3, 2, 1]}, "spend_bands.edges"),
        ({"edges": [1.5, 2.5, 3.5]}, "spend_bands.edges"),
        ({"edges": [True, 2, 3]}, "spend_bands.edges"),
    ],
)
def test_bad_options_are_refused(options: dict[str, Any], code: str) -> None:
    with pytest.raises(InvalidFieldError) as info:
        spend_bands(payments(1), **options)
    assert info.value.code == code

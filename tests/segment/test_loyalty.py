from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custinfo.errors import AmountOverflowError, InvalidFieldError
from custinfo.segment import loyalty_report
from custinfo.segment._intervals import difference_of_shares, wilson

ENTRIES = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["earn", "redeem", "expire"]), st.integers(0, 500)),
        st.tuples(st.just("reverse"), st.integers(-100, 100)),
    ).flatmap(lambda pair: st.tuples(st.sampled_from("abc"), st.just(pair[0]), st.just(pair[1]), st.integers(1, 12))),
    max_size=25,
)


def table_of(entries: list[tuple[str, str, int, int]]) -> dict[str, list[Any]]:
    return {
        "customer_id": [who for who, *_ in entries],
        "kind": [kind for _, kind, _, _ in entries],
        "points": [points for _, _, points, _ in entries],
        "occurred_at": [f"2026-{month:02d}-15" for *_, month in entries],
    }


@settings(max_examples=40, deadline=None)
@given(ENTRIES)
def test_sums_are_those_of_a_plain_loop(entries: list[tuple[str, str, int, int]]) -> None:
    report = loyalty_report(table_of(entries))
    months = sorted({month for *_, month in entries})
    assert report.period.tolist() == [f"2026-{month:02d}" for month in months]

    def total(kind: str, of: int | None, taken_back: Any) -> int:
        return sum(
            points if which == kind else taken_back(points)
            for _, which, points, month in entries
            if of in (None, month) and (which == kind or which == "reverse")
        )

    back_earned, back_redeemed = (lambda p: min(p, 0)), (lambda p: -max(p, 0))
    for i, month in enumerate(months):
        assert report.earned[i] == total("earn", month, back_earned)
        assert report.redeemed[i] == total("redeem", month, back_redeemed)
        assert report.expired[i] == sum(p for _, k, p, m in entries if k == "expire" and m == month)
        assert report.members[i] == len({who for who, *_, m in entries if m == month})
    earned, redeemed = total("earn", None, back_earned), total("redeem", None, back_redeemed)
    assert (report.total_earned, report.total_redeemed) == (earned, redeemed)
    assert report.outstanding == earned - redeemed - report.total_expired
    assert report.member_count == len({who for who, *_ in entries})
    assert report.redeemers == len({who for who, kind, *_ in entries if kind == "redeem"})
    if earned:
        assert report.redemption_rate == redeemed / earned
        assert report.breakage_rate == report.total_expired / earned
    else:
        assert math.isnan(report.redemption_rate)
        assert math.isnan(report.breakage_rate)


def test_a_hand_computed_programme() -> None:
    entries = [("a", "earn", 1000, 1), ("a", "redeem", 300, 2), ("b", "earn", 500, 1), ("b", "expire", 200, 3)]
    entries += [("b", "reverse", -100, 2), ("a", "reverse", 50, 3)]
    report = loyalty_report(table_of(entries), by="quarter")
    assert report.text() == "1,400 points earned, 250 redeemed (17.9 %), 200 expired (14.3 %), 950 outstanding"
    assert report.text("zh") == "累计发放 1,400 积分,兑换 250(17.9 %),过期 200(14.3 %),余额 950"
    assert report.ultimate_breakage_rate == 200 / 450
    assert repr(report).startswith("<LoyaltyReport: 2 members, 1,400 points earned")
    assert "Loyalty programme by quarter" in report._repr_html_()
    assert math.isnan(loyalty_report(table_of([])).ultimate_breakage_rate)
    assert loyalty_report(table_of([])).text() == "0 points earned, 0 redeemed (-), 0 expired (-), 0 outstanding"
    with pytest.raises(InvalidFieldError, match="'en' or 'zh'"):
        report.text("fr")


def test_members_and_others_are_compared_by_repeat_rate() -> None:
    bought = [("a", 1), ("a", 2), ("b", 1), ("b", 1), ("c", 1), ("c", 3), ("d", 1), ("e", 2), ("f", 1), ("f", 9)]
    payments = {
        "customer_id": [who for who, _ in bought],
        "occurred_at": [f"2026-{month:02d}-01" for _, month in bought],
        "amount": [-5 if (who, month) == ("f", 9) else 5 for who, month in bought],
    }
    entries = table_of([(who, "earn", 1, 1) for who in "abcz"])
    report = loyalty_report(entries, payments=payments)
    repeat = report.repeat
    assert repeat is not None
    assert (repeat.members, repeat.members_repeat, repeat.others, repeat.others_repeat) == (3, 2, 3, 0)
    assert (repeat.members_rate, repeat.others_rate) == (2 / 3, 0)
    assert repeat.members_interval == wilson(2, 3, 0.95)
    assert repeat.others_interval == wilson(0, 3, 0.95)
    assert repeat.difference_interval == difference_of_shares((2, 3), (0, 3), 0.95)
    assert report.text().endswith("; bought again: 66.7 % of members, 0.0 % of others")
    assert report.text("zh").endswith(";复购率:会员 66.7 %,非会员 0.0 %")
    nobody = loyalty_report(table_of([]), payments={"customer_id": [], "occurred_at": [], "amount": []}).repeat
    assert nobody is not None
    for number in (nobody.members_rate, nobody.others_rate, *nobody.members_interval, *nobody.difference_interval):
        assert math.isnan(number)
    assert math.isnan(nobody.others_interval[0])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"kind": ["gift"]}, "loyalty.kind"),
        ({"kind": [None]}, "loyalty.kind"),
        ({"points": [1.5]}, "loyalty.points"),
        ({"points": [None]}, "loyalty.points"),
        ({"points": ["5"]}, "loyalty.points"),
        ({"points": [-5]}, "loyalty.points"),
    ],
)
def test_an_entry_that_is_none_is_refused(change: dict[str, Any], code: str) -> None:
    with pytest.raises(InvalidFieldError) as info:
        loyalty_report({**table_of([("a", "earn", 5, 1)]), **change})
    assert info.value.code == code


def test_points_beyond_64_bits_overflow_and_periods_are_those_of_the_calendar() -> None:
    for points in ([2**62, 2**62], [2**63, 1], np.array([2**63, 1], np.uint64)):
        with pytest.raises(AmountOverflowError):
            loyalty_report({**table_of([("a", "earn", 5, 1)] * 2), "points": points})
    with pytest.raises(InvalidFieldError) as info:
        loyalty_report([], by="hour")  # type: ignore[arg-type]
    assert info.value.code == "loyalty.by"

"""Each rule of RFM by an example that a person can check, and every refusal."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from custinfo.errors import AmountOverflowError, InvalidFieldError, RecordNotFoundError
from custinfo.model import Money, Transaction
from custinfo.segment import SEGMENTS, SegmentRule, rfm

DAY = dt.datetime(2024, 1, 31, 12, tzinfo=dt.UTC)
EMPTY: dict[str, list[Any]] = {"customer_id": [], "occurred_at": [], "amount": []}


def table(*rows: tuple[Any, Any, Any]) -> dict[str, list[Any]]:
    names = ("customer_id", "occurred_at", "amount")
    return {name: [row[i] for row in rows] for i, name in enumerate(names)}


def money(rows: dict[str, list[Any]], **options: Any) -> dict[Any, int]:
    result = rfm(rows, **options)
    return dict(zip(result.customer_ids.tolist(), result.monetary_minor.tolist(), strict=True))


def code_of(data: Any, **options: Any) -> str:
    with pytest.raises(InvalidFieldError) as info:
        rfm(data, **options)
    return info.value.code


# ---- the edges ----


def test_edge_k_is_the_value_at_rank_ceil_k_n_over_bins() -> None:
    rows = table(*((i, DAY, amount) for i, amount in enumerate([70, 10, 30, 20, 60, 50, 40])))
    assert rfm(rows).edges["m"] == (2000, 3000, 5000, 6000)  # ranks 2, 3, 5, 6 of 7
    assert rfm(rows, bins=2).m.tolist() == [2, 1, 1, 1, 2, 2, 1]


def test_one_time_buyers_share_the_lowest_score_and_duplicate_edges_do_not_fail() -> None:
    rows = table(*((i, DAY, 5) for i in range(95)), *((i, DAY, 5) for i in range(90, 95)))
    result = rfm(rows)
    assert result.edges["f"] == (1, 1, 1, 1)
    assert np.unique(result.f, return_counts=True)[1].tolist() == [90, 5]
    assert result.f.max() == 5


def test_nested_scoring_ranks_frequency_inside_each_recency_score() -> None:
    rows = table(
        *(("old1", DAY - dt.timedelta(days=90), 1) for _ in range(9)),
        *(("old2", DAY - dt.timedelta(days=90), 1) for _ in range(8)),
        *(("new1", DAY, 1) for _ in range(2)),
        ("new2", DAY, 1),
    )
    flat, nested = rfm(rows, bins=2), rfm(rows, bins=2, scoring="nested")
    assert flat.customer_ids.tolist() == ["new1", "new2", "old1", "old2"]
    assert flat.f.tolist() == [1, 1, 2, 2]
    assert nested.f.tolist() == [2, 1, 2, 1]
    assert nested.edges["f"] == {1: (8,), 2: (1,)}


def test_a_nested_group_without_customers_takes_the_edges_of_all() -> None:
    result = rfm(table((1, DAY, 5), (2, DAY, 7)), bins=3, scoring="nested")
    assert result.edges["f"][1] == (1, 1)
    assert result.edges["m"][1, 1] == (500, 700)


def test_fixed_thresholds_may_be_any_numbers_and_any_count() -> None:
    rows = table((1, DAY, "10"), (1, DAY, "10.01"), (2, DAY - dt.timedelta(days=31), "10"))
    result = rfm(rows, scoring="fixed", edges={"r": [30.5], "f": np.array([1]), "m": [Decimal("1000.0"), 2000]})
    assert (result.r.tolist(), result.f.tolist(), result.m.tolist()) == ([2, 1], [2, 1], [3, 1])


def test_edges_beyond_64_bits_are_beyond_every_value() -> None:
    assert rfm(table((1, DAY, 5)), edges={"r": [], "f": [-(10**30)], "m": [10**30]}).score.tolist() == [121]


@pytest.mark.parametrize(
    "edges",
    [{}, {"r": [1], "f": [1]}, [1, 2], {"r": [2, 1], "f": [1], "m": [1]}, {"r": [float("nan")], "f": [1], "m": [1]},
     {"r": ["a"], "f": [1], "m": [1]}, {"r": 5, "f": [1], "m": [1]}, {"r": [1], "f": {1: [1]}, "m": [1]},
     {"r": {1: [1]}, "f": [1], "m": [1]}, {"r": list(range(200)), "f": [1], "m": [1]}],
)  # fmt: skip
def test_edges_that_are_none_are_refused(edges: Any) -> None:
    assert code_of(table((1, DAY, 5)), edges=edges) == "rfm.edges"


def test_edges_and_the_scoring_that_uses_them_belong_together() -> None:
    assert code_of(table((1, DAY, 5)), scoring="fixed") == "rfm.edges"
    assert code_of(table((1, DAY, 5)), scoring="nested", edges={"r": [], "f": [], "m": []}) == "rfm.edges"


# ---- time ----


def test_the_time_zone_decides_the_day() -> None:
    rows = table((1, "2024-01-30T23:30:00", 5), (2, "2024-01-31T01:00:00Z", 5), (3, "2024-01-31T17:00:00+00:00", 5))
    assert rfm(rows).recency_days.tolist() == [1, 0, 0]
    assert rfm(rows, time_zone="Asia/Shanghai").recency_days.tolist() == [1, 1, 0]
    assert rfm(rows, time_zone="America/Los_Angeles").recency_days.tolist() == [1, 1, 0]


def test_daylight_saving_does_not_shorten_a_day() -> None:
    rows = table((1, "2024-03-09T23:59:00-05:00", 1), (2, "2024-03-11T00:01:00-04:00", 1))
    assert rfm(rows, time_zone="America/New_York").recency_days.tolist() == [2, 0]


def test_the_last_purchase_is_the_latest_instant_even_where_clocks_went_back_over_midnight() -> None:
    # St. John's put its clocks back at 00:01 to 23:01 of the day before, until 2011
    rows = table((1, "2010-11-07T02:30:30+00:00", 1), (1, "2010-11-07T02:40:00+00:00", 1))
    assert rfm(rows, time_zone="America/St_Johns", as_of="2010-11-07T12:00:00+00:00").recency_days.tolist() == [1]


@pytest.mark.parametrize(
    "as_of",
    [dt.datetime(2024, 1, 31, 12), dt.datetime(2024, 1, 31, 20, tzinfo=dt.timezone(dt.timedelta(hours=8))),
     "2024-01-31T12:00:00", "2024-01-31T13:00:00+01:00", np.datetime64("2024-01-31T12:00"),
     pd.Timestamp("2024-01-31 12:00")],
)  # fmt: skip
def test_rows_after_as_of_do_not_count(as_of: Any) -> None:
    rows = table((1, DAY, 5), (1, DAY + dt.timedelta(microseconds=1), 50), (2, DAY + dt.timedelta(days=9), 5))
    result = rfm(rows, as_of=as_of)
    assert result.customer_ids.tolist() == [1]
    assert result.monetary_minor.tolist() == [500]
    assert result.as_of == DAY


@pytest.mark.parametrize("as_of", [dt.date(2024, 1, 31), "2024-01-31", np.datetime64("2024-01-31")])
def test_a_date_counts_to_its_end_in_the_time_zone(as_of: Any) -> None:
    rows = table((1, "2024-01-31T15:59:59.999999", 5), (2, "2024-01-31T16:00:00", 5))
    assert rfm(rows, as_of=as_of, time_zone="Asia/Shanghai").customer_ids.tolist() == [1]
    assert rfm(rows, as_of=as_of).customer_ids.tolist() == [1, 2]


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Shanghai"])
@pytest.mark.parametrize("kind", [list, pl.Series, lambda days: np.array(days, "M8[D]")])
def test_dates_are_days_of_the_calendar_in_any_zone(zone: str, kind: Any) -> None:
    days = [dt.date(2024, 1, 1), dt.date(2024, 3, 31), dt.date(2024, 4, 1)]
    rows = {"customer_id": [1, 2, 3], "occurred_at": kind(days), "amount": [1, 1, 1]}
    assert rfm(rows, as_of=dt.date(2024, 4, 1), time_zone=zone).recency_days.tolist() == [91, 1, 0]


def test_a_tzinfo_is_a_time_zone() -> None:
    zone = dt.timezone(dt.timedelta(hours=9))
    assert rfm(table((1, "2024-01-31T15:30:00", 1)), as_of="2024-01-31T16:00:00", time_zone=zone).recency_days[0] == 0


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd", "a\0b"])
def test_an_unknown_zone_is_refused(zone: str) -> None:
    assert code_of(EMPTY, time_zone=zone) == "time.zone"


@pytest.mark.parametrize("as_of", ["yesterday", 5, np.datetime64("NaT"), "", dt.time(3), dt.date.max])
def test_as_of_must_be_a_time(as_of: Any) -> None:
    assert code_of(table((1, DAY, 5)), as_of=as_of) == "time.value"


@pytest.mark.parametrize(
    "when",
    [["soon"], [5], np.array([5]), np.array(["1677-01-01"], "M8[Y]").astype("M8[Y]") - 5000,
     np.array([2**62], "M8[us]"), np.array([-(2**62), 0], "M8[us]"), ["2024-13-01"], [dt.time(1)]],
    ids=str,
)  # fmt: skip
def test_what_is_no_time_is_refused(when: Any) -> None:
    assert code_of({"customer_id": [1] * len(when), "occurred_at": when, "amount": [1] * len(when)}) == "time.value"


def test_numpy_times_inside_an_object_column_are_read() -> None:
    when = np.array([np.datetime64("2024-01-31T12:00"), DAY], dtype=object)
    assert rfm({"customer_id": [1, 2], "occurred_at": when, "amount": [1, 1]}).recency_days.tolist() == [0, 0]


# ---- money ----


@pytest.mark.parametrize(
    ("amount", "minor"),
    [("0.125", 12), ("0.135", 14), (0.125, 12), (0.135, 14), (1.005, 100), (1.015, 102), (0.575, 58), (0.285, 28),
     (Decimal("-0.005"), 0), (Decimal("-0.015"), -2), (3, 300), (np.float32(0.1), 10), ("1e3", 100000), (" 7 ", 700),
     (90071992547409.92, 9007199254740992), ("92233720368547758.07", 2**63 - 1)],
)  # fmt: skip
def test_an_amount_is_rounded_half_even_once(amount: Any, minor: int) -> None:
    assert money(table((1, DAY, amount))) == {1: minor}


def test_float_columns_mean_the_decimals_they_print_as() -> None:
    cents = np.arange(-20000, 20000)
    floats = cents / 1000
    want = [int((Decimal(int(c)) / 10).to_integral_value("ROUND_HALF_EVEN")) for c in cents]
    for dtype in (np.float64, np.float32):
        rows = {
            "customer_id": cents,
            "occurred_at": np.full(len(cents), "2024-01-31", "M8[s]"),
            "amount": floats.astype(dtype),
        }
        assert rfm(rows).monetary_minor.tolist() == want


@pytest.mark.parametrize(
    "amount",
    ["1.234,56", "", "1_000", "abc", "½", float("inf"), True, [], dt.date(2024, 1, 1), "1" * 200, "NaN", "Infinity"],
)
def test_what_is_no_amount_is_refused(amount: Any) -> None:
    column = np.empty(2, dtype=object)
    column[:] = [5, None]
    column[1] = amount
    rows = {"customer_id": [1, 2], "occurred_at": [DAY, DAY], "amount": column}
    assert code_of(rows) == "amount.value"


@pytest.mark.parametrize("amounts", [np.array([True, False]), np.array([1, 2], "m8[s]"), np.array([1.0, np.inf])])
def test_columns_of_other_types_are_no_amounts(amounts: Any) -> None:
    assert code_of({"customer_id": [1, 2], "occurred_at": [DAY, DAY], "amount": amounts}) == "amount.value"


def test_the_minor_unit_is_that_of_the_row_s_currency() -> None:
    rows = {**table((1, DAY, "10.5"), (2, DAY, "11.5")), "currency": ["JPY", "JPY"]}
    assert money(rows, currency="currency") == {1: 10, 2: 12}
    rows["currency"] = ["KWD", "KWD"]
    assert money(rows, currency="currency") == {1: 10500, 2: 11500}
    assert rfm(rows, currency="currency").currency == "KWD"


def test_mixed_currencies_need_rates() -> None:
    rows = {**table((1, DAY, 5), (2, DAY, 5)), "currency": ["CNY", "USD"]}
    assert code_of(rows, currency="currency") == "currency.mixed"
    assert code_of({**rows, "currency": ["CNY", "DMK"]}, currency="currency") == "currency.unknown"
    assert code_of(rows, rates={"CNY": 1}) == "rates.currency"


def test_the_last_rate_not_after_the_local_date_holds() -> None:
    rates = {"CNY": 1, "USD": [(dt.date(2024, 2, 1), Decimal("7.2")), ("2024-01-01", Decimal("7.1"))]}
    rows = {**table((1, "2024-01-31T15:59:00", 1), (2, "2024-01-31T16:00:00", 1)), "currency": ["USD", "USD"]}
    assert money(rows, currency="currency", rates=rates) == {1: 710, 2: 710}
    assert money(rows, currency="currency", rates=rates, time_zone="Asia/Shanghai") == {1: 710, 2: 720}


def test_a_missing_rate_names_currency_and_date() -> None:
    rows = {**table((1, "2023-12-31", 1), (2, "2023-12-30", 1)), "currency": ["USD", "USD"]}
    rates = {"CNY": 1, "USD": [(dt.datetime(2024, 1, 1), "7.1"), (np.datetime64("2024-02-01"), 7.2)]}
    with pytest.raises(InvalidFieldError, match="no rate for USD on 2023-12-30") as info:
        rfm(rows, currency="currency", rates=rates)
    assert info.value.details["date"] == dt.date(2023, 12, 30)
    with pytest.raises(InvalidFieldError, match="no rate for USD"):
        rfm(rows, currency="currency", rates={"CNY": 1})


@pytest.mark.parametrize(
    ("minor", "rate", "want"),
    [(5, "0.1", 0), (15, "0.1", 2), (25, "0.1", 2), (-5, "0.1", 0), (-15, "0.1", -2), (2**62, "2.5", None),
     (10**17, "7.12345678901", 712345678901000000)],
)  # fmt: skip
def test_conversion_rounds_each_row_half_even_and_exactly(minor: int, rate: str, want: int | None) -> None:
    rows = {"customer_id": [1], "occurred_at": [DAY], "cents": [minor], "currency": ["USD"]}
    options: dict[str, Any] = {
        "amount_minor": "cents", "currency": "currency", "rates": {"CNY": 1, "USD": Decimal(rate)}
    }  # fmt: skip
    if want is None:
        with pytest.raises(OverflowError, match="64 bits"):
            rfm(rows, **options)
    else:
        assert rfm(rows, **options).monetary_minor.tolist() == [want]


@pytest.mark.parametrize(
    ("rates", "code"),
    [({"USD": Decimal(7)}, "rates.base"), ({"CNY": 1, "USD": 1}, "rates.base"), ({"CNY": 1, "USD": "x"}, "rates.value"),
     ({"CNY": 1, "USD": [(dt.date(2024, 1, 1), -1)]}, "rates.value"), ({"CNY": 1, "USD": [5]}, "rates.value"),
     ({"CNY": 1, "USD": [("2024-01-01", 7), ("2024-01-01", 8)]}, "rates.value"), ({"XXZ": 1}, "currency.unknown")],
)  # fmt: skip
def test_rates_that_are_none_are_refused(rates: Any, code: str) -> None:
    rows = {**table((1, DAY, 1)), "currency": ["USD"]}
    assert code_of(rows, currency="currency", rates=rates) == code


def test_amount_minor_takes_integers_and_nothing_else() -> None:
    rows = {"customer_id": [1, 1], "occurred_at": [DAY, DAY]}
    assert money({**rows, "cents": [250, -50]}, amount_minor="cents") == {1: 200}
    assert money({**rows, "cents": np.array([250, 50], np.uint8)}, amount_minor="cents") == {1: 300}
    assert money({**rows, "cents": np.array([250, 50], object)}, amount_minor="cents") == {1: 300}
    for wrong in ([2.0, 3.0], ["2", "3"], [True, False], [Decimal(2), Decimal(3)]):
        assert code_of({**rows, "cents": wrong}, amount_minor="cents") == "amount.minor"


def test_sums_are_exact_up_to_64_bits_and_raise_beyond() -> None:
    rows: dict[str, Any] = {"customer_id": [1, 1, 1], "occurred_at": [DAY] * 3, "cents": [2**62, 2**62 - 1, 0]}
    assert money(rows, amount_minor="cents") == {1: 2**63 - 1}
    rows["cents"] = [2**62, 2**62, -1]
    assert money(rows, amount_minor="cents") == {1: 2**63 - 1}
    rows["cents"] = [-(2**62), -(2**62), 0]
    assert money(rows, amount_minor="cents") == {1: -(2**63)}
    for beyond in ([2**62, 2**62, 0], [-(2**63), -1, 0], [2**63, 0, 0], [2**64, 0, -(2**64)]):
        with pytest.raises(OverflowError) as info:
            rfm({**rows, "cents": beyond}, amount_minor="cents")
        assert isinstance(info.value, AmountOverflowError)
    first = rfm({"customer_id": [1], "occurred_at": [DAY], "cents": [2**62]}, amount_minor="cents")
    with pytest.raises(OverflowError):
        first.update({"customer_id": [1], "occurred_at": [DAY], "cents": [2**62]})


@pytest.mark.parametrize("amount", [2**62, "92233720368547758.08", "1e40", 1e300, Decimal("1e500")])
def test_an_amount_beyond_64_bits_raises(amount: Any) -> None:
    with pytest.raises(OverflowError):
        rfm(table((1, DAY, amount)))


# ---- refunds ----

REFUNDS = table(("a", DAY - dt.timedelta(days=9), 30), ("a", DAY, -10), ("b", DAY - dt.timedelta(days=2), -5))


@pytest.mark.parametrize(
    ("refunds", "ids", "days", "counts", "sums"),
    [("net", ["a", "b"], [9, 2], [1, 0], [2000, -500]), ("gross", ["a", "b"], [9, 2], [1, 0], [3000, 0]),
     ("exclude", ["a"], [0], [1], [3000])],
)  # fmt: skip
def test_refunds(refunds: Any, ids: list[str], days: list[int], counts: list[int], sums: list[int]) -> None:
    result = rfm(REFUNDS, refunds=refunds)
    assert result.customer_ids.tolist() == ids
    assert result.recency_days.tolist() == days
    assert result.frequency.tolist() == counts
    assert result.monetary_minor.tolist() == sums


def test_a_refund_only_customer_becomes_a_buyer_by_a_later_update() -> None:
    more = table(("b", DAY - dt.timedelta(days=5), 8))
    for refunds in ("net", "gross", "exclude"):
        both = {name: REFUNDS[name] + more[name] for name in REFUNDS}
        assert rfm(REFUNDS, refunds=refunds).update(more) == rfm(both, refunds=refunds)  # type: ignore[arg-type]


# ---- transactions ----


def test_transactions_count_by_kind_and_status() -> None:
    def paid(account: str, minor: int, **other: Any) -> Transaction:
        return Transaction(account_id=account, amount=Money(minor, "JPY"), occurred_at=DAY, **other)

    data = [paid("a1", 500), paid("a1", 200, kind="refund"), paid("a1", 900, status="failed"), paid("a2", 40)]
    for given in (data, iter(data), tuple(data)):
        result = rfm(given)
        assert result.customer_ids.tolist() == ["a1", "a2"]
        assert result.monetary_minor.tolist() == [300, 40]
        assert result.frequency.tolist() == [1, 1]
        assert result.currency == "JPY"
    assert rfm(data, customer="account_id") == rfm(data, customer="account_id").update([]) == rfm([]).update(data)


def test_money_objects_bring_their_currency() -> None:
    result = rfm(table((1, DAY, Money(500, "JPY")), (2, DAY, Money(70, "JPY"))))
    assert (result.monetary_minor.tolist(), result.currency) == ([500, 70], "JPY")
    assert code_of(table((1, DAY, Money(5, "JPY")), (2, DAY, Money(7, "CNY")))) == "currency.mixed"
    assert code_of(table((1, DAY, Money(5, "JPY")), (2, DAY, None))) == "payments.missing"


# ---- bad input ----


@pytest.mark.parametrize("column", ["customer_id", "occurred_at", "amount", "currency"])
@pytest.mark.parametrize("value", [None, float("nan"), np.datetime64("NaT"), pd.NaT, pd.NA])
def test_a_missing_value_is_an_error_unless_such_rows_are_skipped(column: str, value: Any) -> None:
    rows = {
        name: np.array(values, object) for name, values in table(("a", DAY, 5), ("b", DAY, 7), ("c", DAY, 1)).items()
    }
    rows["currency"] = np.array(["CNY"] * 3, object)
    rows[column][1] = value
    with pytest.raises(InvalidFieldError, match=f"column '{column}' has 1 missing values, the first in row 1") as info:
        rfm(rows, currency="currency")
    assert info.value.code == "payments.missing"
    result = rfm(rows, currency="currency", missing="skip")
    assert result.customer_ids.tolist() == ["a", "c"]
    assert result.skipped == 1
    assert result.update(rows).skipped == 2


def test_float_ids_beside_a_gap_are_integers_again() -> None:
    rows = pd.DataFrame({"customer_id": [3, None, 3], "occurred_at": [DAY] * 3, "amount": [1.0, 2.0, None]})
    result = rfm(rows, missing="skip")
    assert (result.customer_ids.tolist(), result.customer_ids.dtype, result.skipped) == ([3], np.int64, 2)


def test_ids_of_mixed_types_are_refused_without_showing_them() -> None:
    with pytest.raises(InvalidFieldError, match="one type, text or integers; it has int, str") as info:
        rfm(table((1, DAY, 5), ("secret", DAY, 5)))
    assert info.value.code == "payments.customer"
    assert code_of(table(([1], DAY, 5), ([2], DAY, 5))) == "payments.customer"
    assert code_of(table((1j, DAY, 5), (2j, DAY, 5))) == "payments.customer"
    assert code_of({**table((1, DAY, 5), (2, DAY, 5)), "customer_id": np.array([1j, 2j])}) == "payments.customer"
    with pytest.raises(InvalidFieldError, match="another type"):
        rfm(table((1, DAY, 5))).update(table(("a", DAY, 5)))


def test_values_that_cannot_be_compared_are_refused() -> None:
    assert code_of(table((1, DAY, Decimal("sNaN")))) == "payments.value"


def test_large_integer_ids_are_kept() -> None:
    rows = table((2**64, DAY, 5), (2**70, DAY, 5))
    assert rfm(rows).customer_ids.tolist() == [2**64, 2**70]
    assert rfm({**rows, "customer_id": np.array([2**63, 1], np.uint64)}).customer_ids.tolist() == [1, 2**63]


@pytest.mark.parametrize("scoring", ["quantile", "nested"])
def test_no_payments_give_an_empty_table(scoring: Any) -> None:
    result = rfm(EMPTY, scoring=scoring)
    assert len(result) == 0
    assert result.as_of is None
    assert {name: len(column) for name, column in result.to_dict().items()}["segment"] == 0
    assert rfm(table((1, DAY, 5)), as_of=DAY - dt.timedelta(days=1)).customer_ids.tolist() == []


def test_one_row_is_a_customer() -> None:
    result = rfm(table((1, DAY, 5)))
    assert result.score.tolist() == [511]
    assert result.segment.tolist() == ["New"]


def test_unknown_columns_list_those_that_are_there() -> None:
    with pytest.raises(InvalidFieldError, match="no column 'client'; there are: customer_id, occurred_at, amount"):
        rfm(EMPTY, customer="client")


@pytest.mark.parametrize(
    ("options", "code"),
    [({"bins": 0}, "rfm.bins"), ({"bins": 128}, "rfm.bins"), ({"bins": 2.5}, "rfm.bins"), ({"bins": True}, "rfm.bins"),
     ({"scoring": "ntile"}, "rfm.scoring"), ({"refunds": "ignore"}, "rfm.refunds"),
     ({"missing": "drop"}, "rfm.missing_option"), ({"names": "fr"}, "segment.names"), ({"names": ()}, "segment.names")],
)  # fmt: skip
def test_options_that_are_none_are_refused(options: dict[str, Any], code: str) -> None:
    assert code_of(table((1, DAY, 5)), **options) == code


def test_updates_in_another_currency_are_refused() -> None:
    cny, usd = ({**table((1, DAY, 5)), "currency": [code]} for code in ("CNY", "USD"))
    with pytest.raises(InvalidFieldError, match="the former payments are in CNY, the new ones in USD") as info:
        rfm(cny, currency="currency").update(usd)
    assert info.value.code == "currency.mixed"


# ---- names and explanations ----


def test_the_default_segments_cover_every_pair_of_scores_once() -> None:
    for r in range(1, 6):
        for f in range(1, 6):
            fits = [s.name for s in SEGMENTS if s.r[0] <= r <= s.r[1] and s.f[0] <= f <= s.f[1]]
            assert len(fits) == 1, (r, f, fits)


def test_names_come_in_chinese_and_as_rules_of_your_own() -> None:
    rows = table((1, DAY, 5), (2, DAY - dt.timedelta(days=400), 9))
    assert rfm(rows, bins=2, names="zh").segment.tolist() == ["新客户", "沉睡客户"]
    own = [SegmentRule(name="top", m=(5, 5)), SegmentRule(name="late", r=(1, 2), name_zh="迟")]
    result = rfm(rows, bins=2, names=own)
    assert result.segment.tolist() == [None, "top"]
    assert result.segment_counts() == {"top": 1, "late": 0}
    assert result.explain(1).segment is None
    assert result.explain(1).text().endswith("so the segment is: none")
    assert result.explain(2).text("zh").endswith("因此属于:top")


@pytest.mark.parametrize("span", [(0, 3), (4, 2), (1, 6), (1.0, 2)])
def test_a_span_of_scores_is_checked(span: Any) -> None:
    with pytest.raises(InvalidFieldError, match="a span of scores"):
        SegmentRule(name="x", r=span)


def test_an_explanation_is_a_sentence() -> None:
    rows = {**table((1, DAY, 1234), (1, DAY, 1), (2, DAY - dt.timedelta(days=40), 9)), "currency": ["JPY"] * 3}
    result = rfm(rows, bins=2, currency="currency")
    assert result.explain(1).text() == (
        "last purchase 0 days ago: R 2 of 2 (up to 0); 2 purchases: F 2 of 2 (above 1); "
        "spent 1,235 JPY: M 2 of 2 (above 9 JPY); so the segment is: Champions"
    )
    assert result.explain(2).text("zh") == (
        "最近一次消费在 40 天前:R 1/2(高于 0);消费 1 次:F 1/2(不超过 1);"
        "消费金额 9 JPY:M 1/2(不超过 9 JPY);因此属于:沉睡客户"
    )
    assert "-0.05" in rfm(table((1, DAY, "-0.05"))).explain(1).text()
    assert "(above" not in rfm(rows, bins=1, currency="currency").explain(1).text()
    with pytest.raises(InvalidFieldError, match="'en' or 'zh'"):
        result.explain(1).text("fr")


def test_between_two_edges_both_are_named() -> None:
    rows = table(*((i, DAY, i) for i in range(1, 6)))
    assert "spent 3.00: M 3 of 5 (above 2.00, up to 3.00)" in rfm(rows).explain(3).text()


@pytest.mark.parametrize("wanted", [5, "x", None, 1.5])
def test_an_unknown_customer_is_not_found_and_not_named(wanted: Any) -> None:
    with pytest.raises(RecordNotFoundError, match="no such customer"):
        rfm(table((1, DAY, 5))).explain(wanted)
    with pytest.raises(RecordNotFoundError):
        rfm(table(("a", DAY, 5))).explain(wanted)


def test_a_result_shows_counts_and_no_customer() -> None:
    result = rfm(table(("ann", DAY, 5)))
    assert repr(result) == "<Rfm: 1 customers, 1 purchases, 500 minor units>"
    assert "RFM as of 2024-01-31: 1 customers" in result._repr_html_()
    with pytest.raises(ValueError, match="read-only"):
        result.frequency[0] = 9
    with pytest.raises(TypeError):
        hash(result)

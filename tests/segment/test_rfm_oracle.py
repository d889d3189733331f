"""RFM against a plain-Python oracle, one row at a time: slow, and meant to be read. It judges the fast one."""

from __future__ import annotations

import datetime as dt
import math
import random
from collections import defaultdict
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custinfo.errors import InvalidFieldError
from custinfo.segment import Rfm, rfm

DIGITS = {"CNY": 2, "USD": 2, "JPY": 0, "KWD": 3}


def minor_of(amount: Any, currency: str | None) -> int:
    digits = DIGITS[currency] if currency else 2
    decimal = amount if isinstance(amount, Decimal) else Decimal(str(amount))
    return int((decimal * 10**digits).quantize(Decimal(1), ROUND_HALF_EVEN))


def converted(minor: int, currency: str, day: dt.date, rates: Any) -> int:
    if rates[currency] == 1:
        return minor
    rate = max((start, rate) for start, rate in rates[currency] if start <= day)[1]
    base = next(code for code, rate in rates.items() if rate == 1)
    return round(Fraction(minor) * Fraction(rate) * Fraction(10) ** (DIGITS[base] - DIGITS[currency]))


def edge_list(values: list[int], bins: int) -> list[int]:
    ordered = sorted(values)
    return [ordered[math.ceil(Fraction(k * len(values), bins)) - 1] for k in range(1, bins)] if values else []


def below(value: int, edges: list[int]) -> int:
    return sum(1 for edge in edges if edge < value)


def oracle(
    rows: list[dict[str, Any]],
    *,
    as_of: dt.datetime | None = None,
    bins: int = 5,
    nested: bool = False,
    edges: Any = None,
    refunds: str = "net",
    time_zone: str = "UTC",
    rates: Any = None,
) -> dict[Any, tuple[int, ...]]:
    zone = ZoneInfo(time_zone)
    seen = []
    for row in rows:
        when = row["occurred_at"]
        if as_of is not None and when > as_of:
            continue
        minor = minor_of(row["amount"], row.get("currency"))
        refund = minor < 0
        if refund and refunds == "exclude":
            continue
        if rates is not None:
            minor = converted(minor, row["currency"], when.astimezone(zone).date(), rates)
        seen.append((row["customer_id"], when, minor, refund))
    until = as_of or max((when for _, when, _, _ in seen), default=None)
    rows_of = defaultdict(list)
    for customer, when, minor, refund in seen:
        rows_of[customer].append((when, minor, refund))
    values = {}
    for customer, payments in rows_of.items():
        bought = [payment for payment in payments if not payment[2]]
        last = max(when for when, _, _ in bought or payments)
        money = sum(minor for _, minor, _ in (bought if refunds == "gross" else payments))
        recency = (until.astimezone(zone).date() - last.astimezone(zone).date()).days
        values[customer] = (recency, len(bought), money)
    if nested:
        return _nested(values, bins)
    fixed = edges or {key: edge_list([v[i] for v in values.values()], bins) for i, key in enumerate("rfm")}
    return {
        customer: (
            *v,
            len(fixed["r"]) + 1 - below(v[0], fixed["r"]),
            1 + below(v[1], fixed["f"]),
            1 + below(v[2], fixed["m"]),
        )
        for customer, v in values.items()
    }


def _nested(values: dict[Any, tuple[int, int, int]], bins: int) -> dict[Any, tuple[int, ...]]:
    r_edges = edge_list([v[0] for v in values.values()], bins)
    r_of = {customer: bins - below(v[0], r_edges) for customer, v in values.items()}
    f_of, m_of = {}, {}
    for customer, v in values.items():
        peers = [c for c in values if r_of[c] == r_of[customer]]
        f_of[customer] = 1 + below(v[1], edge_list([values[c][1] for c in peers], bins))
    for customer, v in values.items():
        peers = [c for c in values if (r_of[c], f_of[c]) == (r_of[customer], f_of[customer])]
        m_of[customer] = 1 + below(v[2], edge_list([values[c][2] for c in peers], bins))
    return {customer: (*v, r_of[customer], f_of[customer], m_of[customer]) for customer, v in values.items()}


# ---- properties ----

TIMES = st.datetimes(dt.datetime(2023, 12, 1), dt.datetime(2024, 4, 30), timezones=st.just(dt.UTC))
ZONES = st.sampled_from(["UTC", "Asia/Shanghai", "America/New_York", "Australia/Lord_Howe", "America/St_Johns"])
AMOUNTS = st.one_of(
    st.decimals(-1000, 10000, places=3).map(str),
    st.decimals(-1000, 10000, places=4),
    st.integers(-500, 5000),
    st.floats(-1000, 100000, allow_nan=False),
)
RATES = {
    "CNY": 1,
    "USD": [(dt.date(2023, 1, 1), Decimal("7.1234")), (dt.date(2024, 2, 1), Decimal("7.05"))],
    "JPY": [(dt.date(2023, 1, 1), Decimal("0.0485"))],
    "KWD": [(dt.date(2023, 1, 1), Decimal("23.0999"))],
}


@st.composite
def payment_rows(draw: st.DrawFn, currencies: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    ids = draw(st.sampled_from([st.integers(-5, 12), st.sampled_from(["a", "b", "é", "中", "", "aa", "B"])]))
    row = {"customer_id": ids, "occurred_at": TIMES, "amount": AMOUNTS}
    if currencies:
        row["currency"] = st.sampled_from(currencies)
    return draw(st.lists(st.fixed_dictionaries(row), min_size=1, max_size=24))


def as_oracle(table: Rfm) -> dict[Any, tuple[int, ...]]:
    names = ("recency_days", "frequency", "monetary_minor", "r", "f", "m")
    columns = [getattr(table, name).tolist() for name in names]
    return dict(zip(table.customer_ids.tolist(), zip(*columns, strict=True), strict=True))


@given(
    rows=payment_rows(),
    bins=st.one_of(st.integers(1, 12), st.just(20)),
    nested=st.booleans(),
    refunds=st.sampled_from(["net", "gross", "exclude"]),
    zone=ZONES,
    as_of=st.one_of(st.none(), TIMES),
)
def test_rfm_equals_the_oracle(
    rows: list[dict[str, Any]], bins: int, nested: bool, refunds: Any, zone: str, as_of: dt.datetime | None
) -> None:
    got = rfm(
        rows,
        bins=bins,
        scoring="nested" if nested else "quantile",
        refunds=refunds,
        time_zone=zone,
        as_of=as_of,
    )
    want = oracle(rows, bins=bins, nested=nested, refunds=refunds, time_zone=zone, as_of=as_of)
    assert as_oracle(got) == want
    assert got.customer_ids.tolist() == sorted(want)


@settings(max_examples=40)
@given(
    rows=payment_rows(("CNY", "USD", "JPY", "KWD")), zone=ZONES, refunds=st.sampled_from(["net", "gross", "exclude"])
)
def test_currencies_are_converted_like_the_oracle_does(rows: list[dict[str, Any]], zone: str, refunds: Any) -> None:
    got = rfm(rows, currency="currency", rates=RATES, time_zone=zone, refunds=refunds)
    assert as_oracle(got) == oracle(rows, rates=RATES, time_zone=zone, refunds=refunds)
    assert got.currency == "CNY"


@settings(max_examples=40)
@given(rows=payment_rows(), cuts=st.tuples(st.integers(0, 24), st.integers(0, 24)), seed=st.integers())
def test_order_and_chunking_of_rows_change_nothing(
    rows: list[dict[str, Any]], cuts: tuple[int, int], seed: int
) -> None:
    whole = rfm(rows)
    shuffled = random.Random(seed).sample(rows, len(rows))
    first, last = sorted(cuts)
    pieces = [shuffled[:first], shuffled[first:last], shuffled[last:]]
    empty = {"customer_id": [], "occurred_at": [], "amount": []}
    merged = rfm(pieces[0] or empty)
    for piece in pieces[1:]:
        merged = merged.update(piece or empty)
    assert merged == whole
    assert rfm(shuffled) == whole
    for name, column in whole.to_dict().items():
        assert column.dtype == merged.to_dict()[name].dtype


@settings(max_examples=40)
@given(rows=payment_rows(), later=payment_rows(), bins=st.integers(1, 7), nested=st.booleans())
def test_stored_edges_score_a_table_as_they_scored_it_first(
    rows: list[dict[str, Any]], later: list[dict[str, Any]], bins: int, nested: bool
) -> None:
    first = rfm(rows, bins=bins, scoring="nested" if nested else "quantile")
    again = rfm(rows, scoring="edges", edges=first.edges)
    assert [again.r.tolist(), again.f.tolist(), again.m.tolist()] == [
        first.r.tolist(),
        first.f.tolist(),
        first.m.tolist(),
    ]
    other = rfm(later, edges=first.edges)
    for row, customer in enumerate(other.customer_ids.tolist()):
        explained = other.explain(customer)
        assert [part.score for part in explained.parts] == [other.r[row], other.f[row], other.m[row]]


@settings(max_examples=40)
@given(rows=payment_rows(), bins=st.integers(1, 7))
def test_equal_values_get_equal_scores_and_better_values_no_worse_ones(rows: list[dict[str, Any]], bins: int) -> None:
    table = rfm(rows, bins=bins)
    for values, scores in ((-table.recency_days, table.r), (table.frequency, table.f), (table.monetary_minor, table.m)):
        order = np.argsort(values, kind="stable")
        assert (np.diff(scores[order].astype(int)) >= 0).all()
        assert len({*zip(values.tolist(), scores.tolist(), strict=True)}) == len(set(values.tolist()))


@settings(max_examples=40)
@given(rows=payment_rows(), bins=st.integers(1, 7), nested=st.booleans())
def test_an_explanation_names_edges_that_enclose_the_value(rows: list[dict[str, Any]], bins: int, nested: bool) -> None:
    table = rfm(rows, bins=bins, scoring="nested" if nested else "quantile")
    for row, customer in enumerate(table.customer_ids.tolist()):
        explained = table.explain(customer)
        assert explained.segment == table.segment[row]
        assert [part.score for part in explained.parts] == [table.r[row], table.f[row], table.m[row]]
        for part in explained.parts:
            assert part.above is None or part.above < part.value
            assert part.up_to is None or part.value <= part.up_to


# ---- every kind of input ----

ROWS = [
    {"customer_id": ids, "occurred_at": dt.datetime(2024, 1, day, hour), "amount": amount}
    for ids, day, hour, amount in [
        ("c7", 3, 23, "19.995"), ("c2", 9, 1, "-5"), ("c7", 31, 16, "0.125"), ("c10", 2, 0, "7"), ("c2", 1, 12, "30.1"),
    ]
]  # fmt: skip


@attrs.frozen(kw_only=True)
class Payment:
    customer_id: str
    occurred_at: dt.datetime
    amount: str


def columns() -> dict[str, list[Any]]:
    return {name: [row[name] for row in ROWS] for name in ROWS[0]}


def aware(name: str) -> list[dt.datetime]:
    return [row["occurred_at"].replace(tzinfo=dt.UTC).astimezone(ZoneInfo(name)) for row in ROWS]


def arrow_ids(kind: Any) -> Any:
    return pa.table({**columns(), "customer_id": pa.array(columns()["customer_id"], kind)})


SOURCES = {
    "dict": columns,
    "arrays": lambda: {name: np.array(values) for name, values in columns().items()},
    "structured": lambda: np.array(
        [tuple(row.values()) for row in ROWS], dtype=[("customer_id", "U5"), ("occurred_at", "M8[s]"), ("amount", "U9")]
    ),
    "pandas": lambda: pd.DataFrame(columns()),
    "pandas categorical": lambda: pd.DataFrame(columns()).astype({"customer_id": "category"}),
    "pandas aware": lambda: pd.DataFrame({**columns(), "occurred_at": aware("Asia/Shanghai")}),
    "polars": lambda: pl.DataFrame(columns()),
    "polars categorical": lambda: pl.DataFrame(columns()).with_columns(pl.col("customer_id").cast(pl.Categorical)),
    "pyarrow": lambda: pa.table(columns()),
    "pyarrow large": lambda: arrow_ids(pa.large_string()),
    "pyarrow view": lambda: arrow_ids(pa.string_view()),
    "pyarrow chunks": lambda: pa.concat_tables([pa.table(columns())[:2], pa.table(columns())[2:]]),
    "duckdb": lambda: duckdb.from_arrow(pa.table(columns())),
    "mappings": lambda: iter(ROWS),
    "objects": lambda: [Payment(**row) for row in ROWS],
    "Decimal": lambda: {**columns(), "amount": [Decimal(row["amount"]) for row in ROWS]},
    "float": lambda: {**columns(), "amount": [float(row["amount"]) for row in ROWS]},
    "decimal128": lambda: pa.table({**columns(), "amount": pa.array([Decimal(row["amount"]) for row in ROWS])}),
    "duckdb decimal": lambda: duckdb.from_arrow(
        pa.table({**columns(), "amount": pa.array([Decimal(row["amount"]) for row in ROWS])})
    ),
    "ISO text": lambda: {**columns(), "occurred_at": [row["occurred_at"].isoformat() for row in ROWS]},
    "aware": lambda: {**columns(), "occurred_at": aware("America/New_York")},
    "nanoseconds": lambda: {**columns(), "occurred_at": np.array([row["occurred_at"] for row in ROWS], "M8[ns]")},
}  # fmt: skip


@pytest.mark.parametrize("source", SOURCES)
def test_every_kind_of_input_gives_the_same_table(source: str) -> None:
    got = rfm(SOURCES[source](), time_zone="Asia/Shanghai", bins=3)
    assert got == rfm(columns(), time_zone="Asia/Shanghai", bins=3)
    assert got.customer_ids.tolist() == ["c10", "c2", "c7"]
    assert got.monetary_minor.tolist() == [700, 2510, 2012]  # 19.995 -> 20.00, .125 -> .12
    assert got.recency_days.tolist() == [30, 31, 0]


@pytest.mark.parametrize("dtype", ["i1", "u2", "i8", "u8", "f8", "O"])
def test_integer_ids_of_any_width_are_the_same_ids(dtype: str) -> None:
    ids = np.array([7, 2, 7, 10, 2]).astype(dtype)
    table = rfm({**columns(), "customer_id": ids})
    assert table.customer_ids.dtype == np.int64
    assert table.customer_ids.tolist() == [2, 7, 10]


# ---- every type of time and amount ----

INSTANTS = [row["occurred_at"].replace(tzinfo=dt.UTC) for row in ROWS]
EXACT = [Decimal(row["amount"]) for row in ROWS]
TYPES = {
    **{
        f"{unit} {zone}": lambda unit=unit, zone=zone: {
            "occurred_at": pa.array(
                INSTANTS if zone else [row["occurred_at"] for row in ROWS], pa.timestamp(unit, zone)
            )
        }
        for unit in ("s", "ms", "us", "ns")
        for zone in (None, "America/New_York")
    },
    "chunks of times": lambda: {"occurred_at": pa.chunked_array([INSTANTS[:2], INSTANTS[2:]])},
    "polars zone": lambda: {"occurred_at": pl.Series(INSTANTS).dt.convert_time_zone("Asia/Tokyo")},
    "pandas zone": lambda: {"occurred_at": pd.Series(pd.DatetimeIndex(INSTANTS).tz_convert("Asia/Tokyo"))},
    "decimal256": lambda: {"amount": pa.array(EXACT, pa.decimal256(40, 3))},
    "chunks of decimals": lambda: {"amount": pa.chunked_array([EXACT[:2], EXACT[2:]])},
    "polars decimals": lambda: {"amount": pl.Series(EXACT)},
    "pandas decimals": lambda: {"amount": pd.Series(EXACT, dtype=pd.ArrowDtype(pa.decimal128(10, 3)))},
    "float32": lambda: {"amount": pa.array([float(amount) for amount in EXACT], pa.float32())},
}


@pytest.mark.parametrize("form", TYPES)
def test_times_and_amounts_of_any_type_are_the_same(form: str) -> None:
    got = rfm({**columns(), **TYPES[form]()}, time_zone="Asia/Shanghai", bins=3)
    assert got == rfm(columns(), time_zone="Asia/Shanghai", bins=3)


@pytest.mark.parametrize("make", [pa.table, pl.DataFrame, pd.DataFrame, lambda data: duckdb.from_arrow(pa.table(data))])
def test_a_null_in_any_column_of_any_table_is_a_missing_value(make: Any) -> None:
    for column in ("customer_id", "occurred_at", "amount"):
        data: dict[str, list[Any]] = columns()
        data[column][3] = None
        with pytest.raises(InvalidFieldError, match=f"column '{column}' has 1 missing values, the first in row 3"):
            rfm(make(data))
        skipped = rfm(make(data), missing="skip", time_zone="Asia/Shanghai")
        rest = rfm(ROWS[:3] + ROWS[4:], missing="skip", time_zone="Asia/Shanghai")
        assert skipped == rest.update([{**ROWS[0], column: None}])

from __future__ import annotations

import builtins
import datetime as dt
import enum
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import attrs
import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custinfo._columns import Column, ColumnResult, frozen, lasting, read_columns
from custinfo.errors import InvalidFieldError, MissingExtraError

T0 = dt.datetime(2024, 3, 1, 23, 30)
PLAIN: dict[str, list[Any]] = {
    "id": ["a", "b", "c"],
    "n": [3, 1, 2],
    "x": [0.5, 1.5, -2.0],
    "when": [T0, T0 + dt.timedelta(days=1), T0 - dt.timedelta(hours=5)],
}


@attrs.frozen(kw_only=True)
class Money:
    minor: int
    currency: str


class Kind(enum.StrEnum):
    PAYMENT = "payment"
    REFUND = "refund"


@attrs.frozen(kw_only=True)
class Row:
    id: str
    n: int
    x: float
    when: dt.datetime


def structured() -> np.ndarray[Any, np.dtype[Any]]:
    rows = list(zip(*PLAIN.values(), strict=True))
    return np.array(rows, dtype=[("id", "U3"), ("n", "i8"), ("x", "f8"), ("when", "M8[us]")])


def rows() -> list[dict[str, Any]]:
    return [dict(zip(PLAIN, values, strict=True)) for values in zip(*PLAIN.values(), strict=True)]


def via_duckdb() -> Any:
    return duckdb.from_arrow(pa.table(PLAIN))


class OnlyStream:
    """An object that offers nothing but the Arrow stream."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._table.__arrow_c_stream__(requested_schema)


SOURCES: dict[str, Callable[[], Any]] = {
    "lists": lambda: PLAIN,
    "arrays": lambda: {name: np.array(values) for name, values in PLAIN.items()},
    "series": lambda: {name: pd.Series(values) for name, values in PLAIN.items()},
    "structured": structured,
    "pandas": lambda: pd.DataFrame(PLAIN),
    "pandas-nullable": lambda: pd.DataFrame(PLAIN).convert_dtypes(),
    "pandas-categorical": lambda: pd.DataFrame(PLAIN).astype({"id": "category"}),
    "polars": lambda: pl.DataFrame(PLAIN),
    "polars-categorical": lambda: pl.DataFrame(PLAIN).with_columns(pl.col("id").cast(pl.Categorical)),
    "pyarrow": lambda: pa.table(PLAIN),
    "record batch": lambda: pa.RecordBatch.from_pydict(PLAIN),
    "dictionary": lambda: pa.table({**PLAIN, "id": pa.array(PLAIN["id"]).dictionary_encode()}),
    "string view": lambda: pa.table({**PLAIN, "id": pa.array(PLAIN["id"], pa.string_view())}),
    "duckdb": via_duckdb,
    "stream": lambda: OnlyStream(pa.table(PLAIN)),
    "mappings": rows,
    "generator": lambda: iter(rows()),
    "objects": lambda: [Row(**row) for row in rows()],
}


@pytest.mark.parametrize("source", SOURCES)
def test_every_kind_of_table_gives_the_same_columns(source: str) -> None:
    got = read_columns(SOURCES[source]())
    assert list(got) == list(PLAIN)
    assert got["id"].dtype == object
    assert got["id"].tolist() == PLAIN["id"]
    assert got["n"].dtype == np.int64
    assert got["n"].tolist() == PLAIN["n"]
    assert got["x"].tolist() == PLAIN["x"]
    assert got["when"].astype("M8[us]").tolist() == PLAIN["when"]


@pytest.mark.parametrize("source", SOURCES)
def test_only_the_names_asked_for_are_read_and_in_that_order(source: str) -> None:
    assert list(read_columns(SOURCES[source](), ["n", "id", "n"])) == ["n", "id"]


@pytest.mark.parametrize("source", SOURCES)
def test_a_missing_name_lists_those_that_are_there(source: str) -> None:
    with pytest.raises(InvalidFieldError, match="no column 'amount'; there are: id, n, x, when") as info:
        read_columns(SOURCES[source](), ["id", "amount"])
    assert info.value.code == "columns.missing"
    assert info.value.details["available"] == ("id", "n", "x", "when")


@pytest.mark.parametrize(
    "data",
    ["a,b", b"a,b", bytearray(b"x"), 3, None, np.zeros(3), [1, 2], ["a"], [Row(**rows()[0]), rows()[0]],
     {"a": "text"}, {"a": {"b": 1}}, {"a": 5}, {"a": np.zeros((2, 2))}, pl.DataFrame(PLAIN).lazy()],
    ids=lambda data: type(data).__name__,
)  # fmt: skip
def test_what_is_no_table_is_refused_without_showing_its_values(data: object) -> None:
    with pytest.raises(InvalidFieldError, match="cannot read columns from") as info:
        read_columns(data)
    assert info.value.code == "columns.input"


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(InvalidFieldError, match="a: 2, b: 1") as info:
        read_columns({"a": [1, 2], "b": [1]})
    assert info.value.code == "columns.length"


def test_nested_attributes_are_reached_by_a_dotted_name_and_enums_give_their_value() -> None:
    @attrs.frozen
    class Payment:
        kind: Kind
        amount: Money

    data = [Payment(Kind.REFUND, Money(minor=5, currency="EUR")), Payment(Kind.PAYMENT, Money(minor=7, currency="JPY"))]
    got = read_columns(data, ["amount.minor", "amount.currency", "kind"])
    assert got["amount.minor"].tolist() == [5, 7]
    assert got["amount.currency"].tolist() == ["EUR", "JPY"]
    assert [type(value) for value in got["kind"]] == [str, str]


def test_an_enum_array_gives_plain_text() -> None:
    got = read_columns({"kind": np.array([Kind.REFUND, None], dtype=object)})["kind"]
    assert got.tolist() == ["refund", None]
    assert type(got[0]) is str


@pytest.mark.parametrize(
    ("values", "dtype"),
    [([True, False], bool), ([1, 2], np.int64), ([1, 2.5], np.float64), ([1, None], object), ([2**70, 1], object),
     ([2**60 + 1, 0.5], object), ([1, "a"], object), ([Decimal("1.10")], object), ([dt.date(2024, 1, 1)], object),
     ([np.datetime64("2024-01-01")], np.dtype("M8[D]")), ([np.int32(4)], np.int32), ([np.str_("a")], object),
     ((1, 2), np.int64), (range(3), np.int64), ([], object)],
)  # fmt: skip
def test_a_list_keeps_its_values_exactly(values: Any, dtype: Any) -> None:
    got = read_columns({"a": values})["a"]
    assert got.dtype == dtype
    assert got.tolist() == [value.item() if isinstance(value, np.generic) else value for value in values]


@pytest.mark.parametrize(
    "data",
    [pl.DataFrame({"a": [2**60 + 1, None]}), pa.table({"a": [2**60 + 1, None]}),
     pd.DataFrame({"a": pd.array([2**60 + 1, None], dtype="Int64")}),
     duckdb.sql("select unnest([1152921504606846977, null]) as a"),
     {"a": np.ma.array([2**60 + 1, 0], mask=[False, True])}, [{"a": 2**60 + 1}, {}]],
    ids=["polars", "pyarrow", "pandas", "duckdb", "masked", "mappings"],
)  # fmt: skip
def test_integers_beside_missing_values_stay_exact(data: Any) -> None:
    assert read_columns(data)["a"].tolist() == [2**60 + 1, None]


def test_a_masked_array_without_gaps_keeps_its_type() -> None:
    assert read_columns({"a": np.ma.array([1, 2])})["a"].dtype == np.int64


@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow", "duckdb"])
def test_aware_times_become_the_same_instant_in_utc(kind: str) -> None:
    aware = pd.DataFrame({"t": pd.to_datetime(["2024-03-31T12:00+08:00"]).tz_convert("Asia/Shanghai")})
    table = pa.Table.from_pandas(aware)
    data = {
        "pandas": lambda: aware,
        "polars": lambda: pl.from_arrow(table),
        "pyarrow": lambda: table,
        "duckdb": lambda: duckdb.from_arrow(table),
    }[kind]()
    assert read_columns(data)["t"].astype("M8[s]").tolist() == [dt.datetime(2024, 3, 31, 4)]


@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow", "duckdb"])
def test_decimals_stay_decimals(kind: str) -> None:
    table = pa.table({"d": pa.array([Decimal("0.10"), None], pa.decimal128(10, 2))})
    data = {
        "pandas": lambda: pd.DataFrame({"d": [Decimal("0.10"), None]}),
        "polars": lambda: pl.from_arrow(table),
        "pyarrow": lambda: table,
        "duckdb": lambda: duckdb.from_arrow(table),
    }[kind]()
    assert read_columns(data)["d"].tolist() == [Decimal("0.10"), None]


def test_no_rows_give_empty_columns() -> None:
    assert read_columns([]) == {}
    assert {name: len(column) for name, column in read_columns(iter([]), ["a"]).items()} == {"a": 0}


@given(st.lists(st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=3))))
def test_no_list_of_scalars_loses_a_value(values: list[Any]) -> None:
    assert read_columns({"a": values})["a"].tolist() == values


# ---- columns out ----


@attrs.frozen
class Ranks(ColumnResult):
    name: Column
    rank: Column

    def to_dict(self) -> dict[str, Column]:
        return {"name": self.name, "rank": self.rank}


@pytest.fixture
def ranks() -> Ranks:
    return Ranks(frozen(np.array(["<a>", None], dtype=object)), frozen(np.array([2, 1], dtype=np.int8)))


def test_a_result_goes_to_each_library_and_back(ranks: Ranks) -> None:
    assert len(ranks) == 2
    for table in (ranks.to_polars(), ranks.to_arrow(), pl.DataFrame(ranks), pa.table(ranks)):
        got = read_columns(table)
        assert got["name"].tolist() == ["<a>", None]
        assert got["rank"].dtype == np.int8
    frame = ranks.to_pandas()
    assert frame["rank"].tolist() == [2, 1]
    frame.loc[0, "rank"] = 9
    assert ranks.rank.tolist() == [2, 1]


@pytest.mark.parametrize(
    ("value", "methods"),
    [("\ud800a", ("to_pandas", "to_polars", "to_arrow")), (2**70, ("to_arrow",))],
)
def test_a_value_that_no_frame_can_hold_is_refused_without_being_shown(value: object, methods: tuple[str, ...]) -> None:
    result = Ranks(frozen(np.array([value], dtype=object)), frozen(np.array([1])))
    for method in methods:
        with pytest.raises(
            InvalidFieldError, match="column 'name' has a value that frame libraries cannot hold"
        ) as info:
            getattr(result, method)()
        assert info.value.code == "columns.output"
        assert info.value.__suppress_context__


def test_a_stream_that_can_be_read_once_lasts() -> None:
    columns = lasting(pa.table({"id": [1, 2]}).to_reader())
    for _ in range(2):
        assert read_columns(columns)["id"].tolist() == [1, 2]
    assert lasting(iter([1, 2])) == [1, 2]
    assert lasting({"id": [1]}) == {"id": [1]}


@pytest.mark.parametrize("series", [pl.Series([1, 2]), pa.chunked_array([[1, 2]])])
def test_a_stream_without_names_is_no_table(series: object) -> None:
    with pytest.raises(InvalidFieldError, match="without named columns") as info:
        read_columns(OnlyStream(series))
    assert info.value.code == "columns.input"


def test_a_result_cannot_be_changed(ranks: Ranks) -> None:
    with pytest.raises(ValueError, match="read-only"):
        ranks.rank[0] = 5


def test_a_result_shows_itself_as_an_escaped_table(ranks: Ranks) -> None:
    html = ranks._repr_html_()
    assert "&lt;a&gt;" in html
    assert "<a>" not in html
    assert "Ranks: 2 rows" in html


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Make imports of the named packages fail as if they were not installed."""
    gone: set[str] = set()
    real = builtins.__import__

    def fake(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.split(".")[0] in gone:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", fake)
    yield gone.add
    gone.clear()


@pytest.mark.parametrize(
    ("package", "method"), [("pandas", "to_pandas"), ("polars", "to_polars"), ("pyarrow", "to_arrow")]
)
def test_a_missing_library_is_named_with_the_command_that_installs_it(
    ranks: Ranks, without: Callable[[str], None], package: str, method: str
) -> None:
    without(package)
    with pytest.raises(MissingExtraError, match=rf"'{package}' is not installed; run: pip install"):
        getattr(ranks, method)()


def test_duckdb_is_read_without_pyarrow(without: Callable[[str], None]) -> None:
    relation = duckdb.sql("select 'a' as id, 1.25::decimal(5,2) as d")
    without("pyarrow")
    assert read_columns(relation)["d"].tolist() == [Decimal("1.25")]


def test_a_stream_is_read_with_polars_where_pyarrow_is_missing(without: Callable[[str], None]) -> None:
    stream = OnlyStream(pl.DataFrame(PLAIN))
    without("pyarrow")
    assert read_columns(stream)["id"].tolist() == PLAIN["id"]
    without("polars")
    with pytest.raises(MissingExtraError, match="pyarrow"):
        read_columns(stream)


def test_a_series_that_only_offers_array_is_read() -> None:
    class Wrapped:
        def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
            return np.array([1, 2])

    assert read_columns({"a": Wrapped()})["a"].tolist() == [1, 2]

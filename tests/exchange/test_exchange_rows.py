"""Rows of tables in memory: the same text for the same data, whatever the kind of table."""

import datetime as dt
import enum
import itertools
from decimal import Decimal

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from custinfo.errors import InvalidFieldError
from custinfo.exchange import Row, RowIssue, rows_of
from custinfo.exchange._cell import to_text

TABLE = {
    "id": ["a", "b", None],
    "spent": [12.5, None, 3000.0],
    "orders": [1, None, 3],
    "born": [dt.date(2000, 2, 29), None, dt.date(1999, 12, 31)],
}
EXPECTED = [
    {"id": "a", "spent": "12.5", "orders": "1", "born": "2000-02-29"},
    {"id": "b", "spent": "", "orders": "", "born": ""},
    {"id": "", "spent": "3000", "orders": "3", "born": "1999-12-31"},
]
RECORDS = [dict(zip(TABLE, values, strict=True)) for values in zip(*TABLE.values(), strict=True)]


@pytest.mark.parametrize(
    "source",
    [
        TABLE,
        RECORDS,
        tuple(RECORDS),
        iter(RECORDS),
        pd.DataFrame(TABLE),
        pd.DataFrame(TABLE).assign(born=pd.to_datetime(TABLE["born"])),
        pd.DataFrame(TABLE).convert_dtypes(),
        pl.DataFrame(TABLE),
        pa.table(TABLE),
        duckdb.from_arrow(pa.table(TABLE)),
    ],
    ids=[
        "columns",
        "list",
        "tuple",
        "iterator",
        "pandas",
        "pandas-times",
        "pandas-nullable",
        "polars",
        "arrow",
        "duckdb",
    ],
)
def test_every_kind_of_table_gives_the_same_rows(source):
    rows = rows_of(source)
    assert rows.columns == ("id", "spent", "orders", "born")
    found = list(rows)
    assert [row.values for row in found] == EXPECTED
    assert [row.line for row in found] == [1, 2, 3]
    assert all(row.issues == () for row in found)
    assert rows.rows_read == 3


class Colour(enum.Enum):
    RED = "red"
    FIVE = 5


class Word(enum.StrEnum):
    ANN = "ann"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("", ""),
        (" 张伟 ", " 张伟 "),
        (np.str_("x"), "x"),
        (None, ""),
        (float("nan"), ""),
        (np.float64("nan"), ""),
        (Decimal("NaN"), ""),
        (pd.NA, ""),
        (pd.NaT, ""),
        (7, "7"),
        (np.int64(7), "7"),
        (-0.5, "-0.5"),
        (1e300, str(int(1e300))),
        (float("inf"), "inf"),
        (Decimal("12.30"), "12.30"),
        (Decimal("1E+3"), "1000"),
        (True, "true"),
        (np.bool_(False), "false"),
        (dt.date(2024, 2, 29), "2024-02-29"),
        (dt.time(9, 30), "09:30:00"),
        (dt.datetime(2024, 2, 29), "2024-02-29"),
        (dt.datetime(2024, 2, 29, 1), "2024-02-29T01:00:00"),
        (dt.datetime(2024, 2, 29, tzinfo=dt.UTC), "2024-02-29T00:00:00+00:00"),
        (Colour.RED, "red"),
        (Colour.FIVE, "5"),
        (Word.ANN, "ann"),
        (b"x", None),
        ([1], None),
        ({}, None),
    ],
)
def test_a_scalar_has_one_text_and_what_is_no_scalar_has_none(value, text):
    assert to_text(value) == text


def test_times_of_nanoseconds_are_times():
    column = np.array(["1997-01-01T10:20:30.5", "NaT"], dtype="datetime64[ns]")
    assert [row.values for row in rows_of({"at": column})] == [{"at": "1997-01-01T10:20:30.500000"}, {"at": ""}]


def test_a_table_longer_than_one_slice_is_read_whole_and_in_order():
    rows = rows_of({"n": np.arange(25_001)})
    assert [int(row.values["n"]) for row in rows] == list(range(25_001))


def test_a_list_has_the_keys_of_all_its_rows():
    rows = rows_of([{"a": 1}, {"b": 2}])
    assert rows.columns == ("a", "b")
    assert [row.values for row in rows] == [{"a": "1", "b": ""}, {"a": "", "b": "2"}]


def test_an_endless_iterator_is_read_as_it_comes():
    rows = rows_of({"n": n} for n in itertools.count())
    assert [row.values["n"] for row in itertools.islice(rows, 3)] == ["0", "1", "2"]
    assert rows.rows_read == 3
    assert repr(rows) == "TableRows(columns=('n',), rows_read=3)"


def test_a_bad_row_is_told_and_never_stops_the_reading():
    rows = list(rows_of([{"a": 1, "b": "x"}, "no row", {"a": [1], "b": "x\0y"}, {"a": 4, "b": 5}]))
    assert [row.issues for row in rows] == [
        (),
        (RowIssue("row.not_a_mapping", "", 2),),
        (RowIssue("cell.not_scalar", "a", 3), RowIssue("cell.nul", "b", 3)),
        (),
    ]
    assert rows[1].values == {"a": "", "b": ""}
    assert rows[2].values == {"a": "", "b": "x\0y"}


def test_a_key_that_the_first_row_of_an_iterator_lacks_is_told():
    first, second = rows_of(iter([{"a": 1}, {"a": 2, "late": 3, 4: 5}]))
    assert first.issues == ()
    assert second.issues == (RowIssue("row.unknown_field", "late", 2), RowIssue("row.unknown_field", "4", 2))


@pytest.mark.parametrize("empty", [[], iter(()), {}, {"a": []}, pd.DataFrame({"a": []})])
def test_an_empty_table_has_no_rows(empty):
    assert list(rows_of(empty)) == []


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("people.csv", "columns.input"),
        ({"a": [1], "b": [1, 2]}, "columns.length"),
        (iter(["no row"]), "rows.input"),
        ([{1: "x"}], "rows.column"),
        (7, "columns.input"),
    ],
)
def test_what_is_no_table_is_refused(source, code):
    with pytest.raises(InvalidFieldError) as caught:
        rows_of(source)
    assert caught.value.code == code


def test_a_row_keeps_its_values_out_of_its_repr():
    assert "ann" not in repr(Row(line=1, values={"email": "ann@example.com"}))

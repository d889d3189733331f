"""Customer ids in every form that a column library has: always the table of the plain list of the same ids."""

from __future__ import annotations

import datetime as dt
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custinfo.errors import InvalidFieldError
from custinfo.segment import Rfm, _hash, _ids, _state, _text_grouping, rfm
from custinfo.segment._ids import ArrowText, CodedIds, ids_of
from custinfo.segment._text import TextNotTakenError, ascending, hashes, order_of_texts, texts, words_of
from custinfo.segment._text_code import TextCode
from custinfo.segment._text_grouping import CodedTextGrouping, TextGrouping, text_grouping

FORMS = {
    "ACC-": [f"ACC-{i * 7919 % 100_000:08d}" for i in range(50)],
    "of two lengths": [str(i * i) for i in range(50)],
    "16 bytes": [f"{i:016x}" for i in range(50)],
    "UUID": [f"{i * 2654435761:08x}-0000-4000-8000-{i:012x}" for i in range(50)],
    "not ASCII": ["é", "中文", "a", "z", "ö" * 9, "", "𝔸", "\ue000", "￿"] * 5,
    "zero bytes": ["a", "a\0", "a\0b", "", "\0", "b"] * 8,
    "long": ["x" * 127, "x" * 128, "x" * 129, "y" * 400, "x"] * 9,
    "one": ["only"] * 5,
    "empty": [""] * 4,
}


def payments(ids: Any, rows: int) -> dict[str, Any]:
    return {
        "customer_id": ids,
        "occurred_at": np.arange(rows).astype("M8[D]"),
        "cents": (np.arange(rows) * 37 % 1000 - 100),
    }


def scored(ids: Any, rows: int, **options: Any) -> Rfm:
    return rfm(payments(ids, rows), amount_minor="cents", **options)


CARRIERS = {
    "string": lambda ids: pa.array(ids, pa.string()),
    "large_string": lambda ids: pa.array(ids, pa.large_string()),
    "string_view": lambda ids: pa.array(ids, pa.string_view()),
    "slice": lambda ids: pa.array(["before", *ids, "after"])[1:-1],
    "chunks": lambda ids: pa.chunked_array([ids[:3], [], ids[3:4], ids[4:]], pa.string()),
    "dictionary": lambda ids: pa.array(ids, pa.string()).dictionary_encode(),
    "dictionaries": lambda ids: pa.chunked_array(
        [pa.array(part, pa.string()).dictionary_encode() for part in (ids[:3], ids[3:])]
    ),
    "pandas": lambda ids: pd.Series(ids),
    "pandas Arrow": lambda ids: pd.Series(ids, dtype="string[pyarrow]"),
    "pandas category": lambda ids: pd.Series(ids, dtype="category"),
    "Categorical": lambda ids: pd.Categorical(ids),
    "polars": lambda ids: pl.Series(ids, dtype=pl.String),
    "polars Categorical": lambda ids: pl.Series(ids, dtype=pl.Categorical),
    "polars Enum": lambda ids: pl.Series(ids, dtype=pl.Enum(sorted({i for i in ids if i is not None}, reverse=True))),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("carrier", CARRIERS)
def test_text_ids_of_any_form_and_carrier_are_the_ids(form: str, carrier: str) -> None:
    ids = FORMS[form]
    table = scored(CARRIERS[carrier](ids), len(ids))
    assert table == scored(ids, len(ids))
    assert table.customer_ids.tolist() == sorted(set(ids))
    assert all(type(customer) is str for customer in table.customer_ids)


@pytest.mark.parametrize("carrier", CARRIERS)
def test_a_missing_id_is_found_in_any_carrier(carrier: str) -> None:
    ids: list[str | None] = [*FORMS["ACC-"], None, "ACC-1", None]
    with pytest.raises(InvalidFieldError, match="2 missing values, the first in row 50") as info:
        scored(CARRIERS[carrier](ids), len(ids))
    assert info.value.code == "payments.missing"
    skipped = scored(CARRIERS[carrier](ids), len(ids), missing="skip")
    assert skipped.skipped == 2
    assert skipped == scored(ids, len(ids), missing="skip")


def test_a_duckdb_relation_and_tables_bring_their_ids() -> None:
    ids = FORMS["ACC-"]
    whole = scored(ids, len(ids))
    arrow = pa.table(payments(pa.array(ids), len(ids)))
    for data in (duckdb.from_arrow(arrow), arrow, pl.from_arrow(arrow), arrow.to_pandas()):
        assert rfm(data, amount_minor="cents") == whole
    assert rfm(arrow[:9], amount_minor="cents").update(arrow[9:]) == whole
    with pytest.raises(InvalidFieldError, match="no column 'client'; there are: customer_id, occurred_at, cents"):
        rfm(duckdb.from_arrow(arrow), customer="client", amount_minor="cents")
    with pytest.raises(InvalidFieldError, match="one length"):
        rfm({**payments(pa.array(ids), len(ids)), "customer_id": pa.array(ids[1:])}, amount_minor="cents")


@pytest.mark.parametrize("carrier", ["pandas", "polars", "arrow"])
def test_categories_need_not_be_text_or_used_or_in_order(carrier: str) -> None:
    values = np.array([30, 10, 20, 99])
    codes = np.array([1, 0, 2, 1, 0])
    column: Any = {
        "pandas": lambda: pd.Categorical.from_codes(codes, values),
        "polars": lambda: pl.Series(values[codes]),
        "arrow": lambda: pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(values)),
    }[carrier]()
    table = scored(column, 5)
    assert table == scored(values[codes], 5)
    assert table.customer_ids.dtype == np.int64


def test_unused_categories_of_another_type_do_no_harm() -> None:
    column = pd.Categorical.from_codes([0, 1, 0], ["a", "b", 7])
    assert scored(column, 3) == scored(["a", "b", "a"], 3)
    with pytest.raises(InvalidFieldError, match="one type, text or integers; it has int, str"):
        scored(pd.Categorical.from_codes([0, 2, 0], ["a", "b", 7]), 3)
    complex_ids = pd.Categorical.from_codes([0, 1, 0], [1j, 2j])
    with pytest.raises(InvalidFieldError, match="can be sorted"):
        scored(complex_ids, 3)


def test_dictionaries_may_repeat_values_and_hold_nulls() -> None:
    repeated = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2, 3, None]), pa.array(["a", "b", "a", None]))
    assert scored(repeated, 5, missing="skip") == scored(["a", "b", "a", None, None], 5, missing="skip")
    nothing = pa.DictionaryArray.from_arrays(pa.array([None, None], pa.int32()), pa.array([], pa.string()))
    assert scored(nothing, 2, missing="skip").skipped == 2
    floats = pd.Series([1.0, 2.0, None, 1.0], dtype="category")
    assert scored(floats, 4, missing="skip") == scored([1, 2, None, 1], 4, missing="skip")
    nans = pa.DictionaryArray.from_arrays(pa.array([0, 1]), pa.array([3.0, float("nan")]))
    assert scored(nans, 2, missing="skip").customer_ids.tolist() == [3]
    assert len(scored(pa.chunked_array([], pa.dictionary(pa.int32(), pa.string())), 0)) == 0
    assert len(scored(pa.array([], pa.string()), 0)) == 0


@pytest.mark.parametrize("threads", ["1", "3"])
@pytest.mark.parametrize("form", ["ACC-", "UUID", "not ASCII"])
def test_text_in_pieces_and_threads_is_the_text_in_one(
    monkeypatch: pytest.MonkeyPatch, form: str, threads: str
) -> None:
    ids = (FORMS[form] * 40)[:1500]
    whole = scored(ids, len(ids))
    monkeypatch.setattr(_state, "_PIECE_ROWS", 70)
    monkeypatch.setattr(_text_grouping, "_BLOCK", 16)
    monkeypatch.setenv("CUSTINFO_THREADS", threads)
    assert scored(pa.array(ids), len(ids)) == whole
    assert scored(pa.chunked_array([ids[:90], ids[90:]]), len(ids)) == whole


def test_an_id_unlike_the_sample_leads_to_a_slower_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_text_grouping, "sample_step", lambda rows: 10)
    ids = [f"A{i % 5}" for i in range(40)]
    for odd in ("B123", "é", "", "A" * 30, "A" * 300, "\0"):
        ids[31] = odd
        assert scored(pa.array(ids), 40) == scored(ids, 40)


def test_texts_that_share_a_hash_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_text_grouping, "hashes", lambda words, rows: np.ones(rows, np.int64))
    ids = FORMS["UUID"]
    assert scored(pa.array(ids), len(ids)) == scored(ids, len(ids))
    with pytest.raises(TextNotTakenError):
        TextGrouping(ArrowText(column=pa.array(ids)), distinct=50).codes(0, 50)


def test_text_that_fits_no_table_is_numbered_by_pyarrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_hash, "_LONGEST_PROBE", -1)
    ids = FORMS["ACC-"]
    assert scored(pa.array(ids), len(ids)) == scored(ids, len(ids))


def test_the_way_of_numbering_suits_the_text() -> None:
    for form, kind in (("ACC-", CodedTextGrouping), ("of two lengths", CodedTextGrouping), ("UUID", TextGrouping)):
        ids = ArrowText(column=pa.array(FORMS[form]))
        assert type(text_grouping(ids)) is kind
        assert type(text_grouping(ids.slower())) is TextGrouping  # type: ignore[arg-type]
        assert isinstance(ids.slower().slower(), CodedIds)  # type: ignore[union-attr]
    assert type(text_grouping(ArrowText(column=pa.array(FORMS["empty"])))) is TextGrouping


def test_columns_without_pyarrow_are_read_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_pyarrow(*_: object) -> None:
        raise ModuleNotFoundError(name="pyarrow")

    ids = FORMS["ACC-"]
    series = pl.Series(ids)
    with monkeypatch.context() as patch:
        patch.setattr(pl.Series, "to_arrow", no_pyarrow)
        assert ids_of({"customer_id": series}, "customer_id") is None

    class Relation:
        columns = ("customer_id",)
        fetchnumpy = project = None
        to_arrow_table = no_pyarrow

        def __init__(self) -> None:
            self.project = lambda _: self

    relation = Relation()
    assert _ids.arrow_of(relation, ["customer_id"]) is relation
    assert ids_of(object(), "customer_id") is None
    assert ids_of({}, "customer_id") is None
    assert ids_of({"customer_id": pa.array([1])}, "customer_id") is None
    assert ids_of({"customer_id": pl.Series([dt.date(2026, 1, 1)])}, "customer_id") is None


TEXTS = st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20), max_size=20)


def read(values: list[str]) -> Any:
    array = pa.array(values, pa.large_string())
    _, offsets, data = array.buffers()
    data = np.zeros(0, np.uint8) if data is None else np.frombuffer(data, np.uint8)
    return words_of(np.frombuffer(offsets, np.int64)[: len(values) + 1] if values else np.zeros(1, np.int64), data)


@given(TEXTS)
def test_words_give_back_texts_and_their_order(values: list[str]) -> None:
    words = read(values)
    assert texts(words, len(values)).tolist() == values
    order = ascending(words, len(values))
    assert [values[i] for i in order] == sorted(values)
    assert [values[i] for i in order_of_texts(values)] == sorted(values)
    assert len(set(hashes(words, len(values)).tolist())) == len(set(values))


@given(st.lists(st.text("09afAF-é", max_size=12), min_size=1, max_size=20))
def test_a_packed_text_is_an_integer_of_its_own_in_the_same_order(values: list[str]) -> None:
    words = read(values)
    code = TextCode.of(words)
    if not words or code is None:
        return
    packed = code.packed(words, len(values))
    assert packed.min() >= 0
    assert [values[i] for i in np.argsort(packed, kind="stable")] == sorted(values)
    assert texts(code.words(packed), len(values)).tolist() == values

"""Splitting text into records: the csv module is the oracle on sound input, damage is contained to its own line."""

import csv
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from custinfo.exchange._split import records


def split(text, *, size=None, delimiter=",", max_cell=1000):
    size = size or len(text) or 1
    chunks = [text[i : i + size] for i in range(0, len(text), size)]
    return list(records(chunks, delimiter=delimiter, max_cell=max_cell))


def by_csv_module(text):
    return [row for row in csv.reader(io.StringIO(text, newline="")) if row]


cells = st.text(st.sampled_from(list('ab,;" \n\t张é')), max_size=8)


@given(st.lists(st.lists(cells, min_size=1, max_size=4), max_size=6), st.integers(1, 7), st.booleans())
def test_what_the_csv_module_writes_is_read_back_however_it_is_cut_into_chunks(table, size, quote_all):
    table = [row for row in table if row != [""]]
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL).writerows(table)
    found = split(out.getvalue(), size=size)
    assert [record.cells for record in found] == table
    assert all(record.is_sound for record in found)


@given(st.text(st.sampled_from(list('ab,"\n ')), max_size=14), st.integers(1, 14))
@example('"a"b,c', 2)
@example('a"b",c"', 3)
@example('""""', 1)
def test_text_of_any_kind_is_read_as_the_csv_module_reads_it_unless_a_quote_stays_open(text, size):
    found = split(text, size=size)
    if not any(record.unclosed for record in found):
        assert [record.cells for record in found] == by_csv_module(text)


@given(st.text(st.sampled_from(list('ab,"\n')), max_size=30), st.integers(1, 30), st.integers(1, 5))
def test_the_result_does_not_depend_on_the_chunks(text, size, max_cell):
    assert split(text, size=size, max_cell=max_cell) == split(text, max_cell=max_cell)


@given(st.text(st.sampled_from(list('ab,"\n')), max_size=30), st.integers(1, 8))
def test_every_line_that_is_not_blank_belongs_to_exactly_one_record(text, max_cell):
    found = split(text, max_cell=max_cell)
    lines = [number for number, line in enumerate(text.split("\n"), start=1) if line]
    starts = [record.line for record in found]
    assert starts == sorted(set(starts))
    assert set(starts) <= set(lines)
    assert starts[:1] == lines[:1]


def test_the_line_of_a_record_is_the_first_it_stands_on():
    found = split('a,b\n\n"x\ny",1\nlast,2')
    assert [(record.line, record.cells) for record in found] == [
        (1, ["a", "b"]),
        (3, ["x\ny", "1"]),
        (5, ["last", "2"]),
    ]


def test_a_quote_that_never_closes_spoils_its_own_line_only():
    first, damaged, *rest = split('1,ann\n2,"bob\n3,cid\n4,dan\n')
    assert first.cells == ["1", "ann"]
    assert (damaged.line, damaged.cells, damaged.unclosed) == (2, ["2", '"bob'], True)
    assert [(record.line, record.cells) for record in rest] == [(3, ["3", "cid"]), (4, ["4", "dan"])]


def test_a_quote_that_the_next_record_closes_spoils_its_own_line_only():
    damaged, *rest = split('1,"ann\n2,"bob",x\n3,cid,y\n')
    assert (damaged.cells, damaged.unclosed) == (["1", '"ann'], True)
    assert [record.cells for record in rest] == [["2", "bob", "x"], ["3", "cid", "y"]]


def test_an_unclosed_quote_on_the_last_line_without_a_line_end_is_noted():
    (damaged,) = split('1,"ann')
    assert (damaged.cells, damaged.unclosed) == (["1", '"ann'], True)


def test_a_quoted_cell_that_spans_too_many_lines_is_given_up_and_the_lines_behind_it_are_read():
    lines = [f"{n},ok" for n in range(2, 60)]
    damaged, *rest = split('1,"open\n' + "\n".join(lines) + '\n99,"closed"\n', max_cell=10)
    assert damaged.unclosed
    assert [",".join(record.cells) for record in rest] == [*lines, "99,closed"]


@pytest.mark.parametrize("size", [7, 10**6])
def test_text_behind_a_closing_quote_is_kept_and_noted(size):
    (record,) = split('x,"a"b,c', size=size)
    assert record.cells == ["x", "ab", "c"]
    assert record.stray_quotes == [1]
    assert not record.is_sound


@pytest.mark.parametrize("size", [7, 10**6])
@pytest.mark.parametrize("cell", ["x" * 11, '"' + "x" * 11 + '"', '"' + 'x""' * 6 + '"'])
def test_a_cell_that_is_too_long_is_left_empty_and_its_neighbours_are_kept(cell, size):
    first, second = split(f"a,{cell},c\nd,e,f\n", size=size, max_cell=10)
    assert (first.cells, first.too_long) == (["a", "", "c"], [1])
    assert second.cells == ["d", "e", "f"]
    assert second.is_sound


def test_a_cell_as_long_as_allowed_is_kept():
    (record,) = split("x" * 10 + "," + "y" * 10, max_cell=10)
    assert record.cells == ["x" * 10, "y" * 10]


def test_a_long_quoted_cell_with_line_ends_that_closes_is_one_cell():
    first, second = split('1,"' + "word\n" * 20 + '",z\n2,b,c\n', max_cell=40)
    assert (first.cells, first.too_long, first.unclosed) == (["1", "", "z"], [1], False)
    assert (second.line, second.cells) == (22, ["2", "b", "c"])


def test_an_open_quote_on_an_endless_line_ends_with_that_line():
    first, second = split('1,"' + "x" * 200 + "\n2,b\n", size=16, max_cell=10)
    assert (first.cells, first.too_long, first.unclosed) == (["1", ""], [1], True)
    assert second.cells == ["2", "b"]


def test_an_unclosed_line_with_a_cell_too_long_leaves_that_cell_empty():
    damaged, rest = split('"' + "x" * 30 + ",b\nok,2\n", max_cell=10)
    assert (damaged.cells, damaged.too_long, damaged.unclosed) == (["", "b"], [0], True)
    assert rest.cells == ["ok", "2"]


@pytest.mark.parametrize("line", ["," * 20_000, '"' + "," * 20_000])
def test_cells_beyond_the_columns_of_any_spreadsheet_are_not_kept(line):
    record, *_ = split(line + "\nok\n", size=1000, max_cell=5000)
    assert len(record.cells) == 16_384


def test_a_lowered_limit_of_the_csv_module_does_not_matter():
    before = csv.field_size_limit(5)
    try:
        (record,) = split('a,"long enough, and quoted",c')
    finally:
        csv.field_size_limit(before)
    assert record.cells == ["a", "long enough, and quoted", "c"]

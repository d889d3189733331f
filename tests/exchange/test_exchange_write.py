"""Writing CSV files: back unchanged, harmless in a spreadsheet, all or nothing."""

import csv
import datetime as dt
import io
import stat
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from custinfo.errors import InvalidFieldError
from custinfo.exchange import read_csv, write_csv


def written(columns, rows, **options):
    target = io.BytesIO()
    write_csv(target, columns, rows, **options)
    return target.getvalue()


def refusal(columns, rows, **options):
    with pytest.raises(InvalidFieldError) as caught:
        written(columns, rows, **options)
    assert caught.value.__cause__ is None
    return caught.value


cells = st.text(st.sampled_from(list("=+-@'\t\r\n,\"; 5.a张")), max_size=6)


@given(st.lists(st.tuples(cells, cells), max_size=5), st.sampled_from(["utf-8-sig", "utf-8", "gb18030", "utf-16"]))
@example([("-5", "'-5")], "utf-8")
@example([("\r=", "''\n")], "utf-8")
def test_what_is_written_is_read_back(table, encoding):
    data = written(["=name", "b"], table, encoding=encoding)
    rows = read_csv(data, encoding=encoding)
    assert rows.columns == ("=name", "b")
    # Every line end within a cell becomes one kind of line end; that is all that changes.
    assert [tuple(row.values.values()) for row in rows] == [
        tuple(cell.replace("\r\n", "\n").replace("\r", "\n") for cell in row) for row in table
    ]


@given(cells)
def test_no_cell_of_text_begins_like_a_formula_unless_it_is_a_plain_negative_number(cell):
    _header, found = csv.reader(io.StringIO(written(["a", "b"], [(cell, 1)]).decode("utf-8-sig"), newline=""))
    if found[0].startswith(("=", "+", "-", "@", "\t", "\r", "\n")):
        assert float(found[0]) <= 0
        assert set(found[0]) <= set("-0123456789.")


@pytest.mark.parametrize(
    "text", ["=1+1", "+61 2 5550 1234", "-1+1", "-", "@SUM(A1)", "\tx", "\rx", "\0=1", "-1e5", "-٣"]
)
def test_text_like_a_formula_gets_an_apostrophe(text):
    assert written(["a", "b"], [(text, "x")], encoding="utf-8").decode().split("\r\n", 1)[1].strip('"').startswith("'")


def test_numbers_are_left_alone():
    row = (-5, -2.5, Decimal("-1.20"), "-12.50", "+5", True, None, dt.date(2024, 2, 29))
    assert written("abcdefgh", [row], encoding="utf-8") == (
        b"a,b,c,d,e,f,g,h\r\n-5,-2.5,-1.20,-12.50,'+5,true,,2024-02-29\r\n"
    )


def test_the_default_has_the_mark_that_spreadsheets_look_for():
    assert written(["名"], [["张"]]).startswith(b"\xef\xbb\xbf")


def test_rows_may_be_mappings_sequences_and_rows_that_were_read():
    (bad,) = read_csv(b"id,name\n1,Ann,x,=y\n")
    target = io.StringIO()
    assert write_csv(target, ["id", "name"], [{"name": "Bob"}, ("3", "Cid"), bad]) == 3
    assert target.getvalue() == "id,name\r\n,Bob\r\n3,Cid\r\n1,Ann,x,'=y\r\n"
    assert not target.closed


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"id": 1, "nme": "x"}, "csv.columns"),
        (("1",), "csv.columns"),
        (("1", "2", "3"), "csv.columns"),
        ((b"1", "2"), "csv.value"),
    ],
)
def test_a_row_that_would_lose_something_is_refused_by_its_number(row, code):
    error = refusal(["id", "name"], [("0", "fine"), row])
    assert (error.code, error.details["row"]) == (code, 2)


def test_a_character_that_the_encoding_lacks_is_refused_without_showing_it():
    error = refusal(["a"], [["x"], ["张伟"]], encoding="cp1252")
    assert (error.code, error.details["row"]) == ("csv.encoding", 2)
    assert "张" not in str(error)
    assert "header" in str(refusal(["名"], [], encoding="ascii"))


def test_an_unknown_encoding_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(InvalidFieldError) as caught:
        write_csv(tmp_path / "x.csv", ["a"], [], encoding="klingon")
    assert caught.value.code == "csv.encoding"
    assert list(tmp_path.iterdir()) == []


def test_a_path_gets_the_whole_file_for_its_owner_only(tmp_path):
    path = tmp_path / "out.csv"
    path.write_text("before", encoding="utf-8")
    assert write_csv(path, ["a"], [["1"], ["2"]]) == 2
    assert path.read_bytes() == b"\xef\xbb\xbfa\r\n1\r\n2\r\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_on_the_way_leaves_the_former_file_and_nothing_else(tmp_path):
    def rows():
        yield ["1"]
        raise KeyboardInterrupt

    path = tmp_path / "out.csv"
    path.write_text("before", encoding="utf-8")
    with pytest.raises(KeyboardInterrupt):
        write_csv(str(path), ["a"], rows())
    with pytest.raises(InvalidFieldError):
        write_csv(path, ["a"], [["张"]], encoding="ascii")
    assert path.read_text(encoding="utf-8") == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_binary_file_of_the_caller_stays_open(tmp_path):
    with (tmp_path / "out.csv").open("wb") as file:
        write_csv(file, ["a"], [["1"]], encoding="utf-8")
        file.write(b"# more")
    assert (tmp_path / "out.csv").read_bytes() == b"a\r\n1\r\n# more"

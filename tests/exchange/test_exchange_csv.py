"""Reading CSV files: encodings, headers, bad rows and where they stand."""

import codecs
import io
import os
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custinfo.errors import InvalidFieldError
from custinfo.exchange import CsvRows, read_csv

NAMES = "姓名,城市\n张伟,北京\n王小明,上海\n"


def values(rows):
    return [dict(row.values) for row in rows]


def codes(row):
    return [(issue.code, issue.field, issue.line) for issue in row.issues]


def refusal(source, **options):
    with pytest.raises(InvalidFieldError) as caught:
        values(read_csv(source, **options))
    return caught.value


class Pipe(io.RawIOBase):
    """A stream that cannot go back and gives little at a time."""

    def __init__(self, data):
        self._data = io.BytesIO(data)

    def readable(self):
        return True

    def readinto(self, buffer):
        return self._data.readinto(memoryview(buffer)[:1000])


# ---- where the text comes from


def test_a_path_its_text_an_open_file_and_bytes_give_the_same_rows(tmp_path):
    path = tmp_path / "people.csv"
    path.write_bytes(NAMES.encode())
    with path.open("rb") as binary, path.open(encoding="utf-8") as text:
        found = [
            values(read_csv(source)) for source in (path, str(path), binary, text, NAMES.encode(), Pipe(NAMES.encode()))
        ]
        assert not binary.closed
        assert not text.closed
    assert found == [[{"姓名": "张伟", "城市": "北京"}, {"姓名": "王小明", "城市": "上海"}]] * 6


def test_the_name_of_the_source_is_the_files_own_unless_given(tmp_path):
    path = tmp_path / "people.csv"
    path.write_bytes(b"id\n1\n")
    with path.open("rb") as file, read_csv(path) as from_path, read_csv(path, source_name="shop") as named:
        assert [from_path.source_name, named.source_name] == ["people.csv", "shop"]
        assert read_csv(file).source_name == "people.csv"
    assert read_csv(b"id\n").source_name == ""
    assert read_csv(io.StringIO("id\n")).source_name == ""


def test_something_else_than_a_source_is_refused():
    assert refusal(["id", "1"]).code == "csv.source"


@pytest.mark.parametrize("text", ["name\nAnn\n", "name\rAnn"])
def test_text_in_the_place_of_a_path_is_refused_without_showing_it(text):
    error = refusal(text)
    assert error.code == "csv.source"
    assert "Ann" not in str(error)


def test_a_file_that_read_csv_opened_is_closed_at_the_end_after_an_error_and_by_close(tmp_path):
    path = tmp_path / "people.csv"
    path.write_bytes(b"id\n1\n2\n")

    def open_files():
        return [link for link in descriptors.iterdir() if os.path.realpath(link) == str(path)]

    descriptors = Path("/proc/self/fd")
    if not descriptors.is_dir():
        pytest.skip("needs /proc to look at open files")
    list(read_csv(path))
    assert open_files() == []
    with read_csv(path) as rows:
        next(rows)
        assert len(open_files()) == 1
    assert open_files() == []
    assert list(rows) == []
    path.write_bytes(b"id,id\n")
    refusal(path)
    assert open_files() == []


def test_a_missing_file_is_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_csv(tmp_path / "none.csv")


# ---- encodings


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (NAMES.encode(), "utf-8"),
        (NAMES.encode("utf-8-sig"), "utf-8-sig"),
        (NAMES.encode("utf-16"), "utf-16"),
        (codecs.BOM_UTF16_BE + NAMES.encode("utf-16-be"), "utf-16"),
        (NAMES.encode("gb18030"), "gb18030"),
    ],
)
def test_the_encoding_is_found(data, encoding):
    rows = read_csv(data)
    assert rows.encoding == encoding
    assert rows.columns == ("姓名", "城市")
    assert values(rows)[1] == {"姓名": "王小明", "城市": "上海"}


def test_a_given_encoding_is_used_and_a_mark_before_the_text_is_no_part_of_it():
    latin = "name\nMüller\n".encode("cp1252")
    assert values(read_csv(latin, encoding="cp1252")) == [{"name": "Müller"}]
    assert read_csv("name\n".encode("utf-8-sig"), encoding="utf-8").columns == ("name",)
    assert read_csv(io.StringIO("\ufeffname\n")).columns == ("name",)


@pytest.mark.parametrize("name", ["klingon", "hex", "rot13", "utf-8\0"])
def test_an_unknown_encoding_is_named(name):
    error = refusal(b"id\n", encoding=name)
    assert error.code == "csv.encoding"
    assert repr(name) in str(error)


def test_an_encoding_for_a_text_file_is_refused():
    assert refusal(io.StringIO("id\n"), encoding="utf-8").code == "csv.encoding"


def test_a_western_file_is_not_taken_for_a_chinese_one():
    """Each of these bytes is a good gb18030 pair with the letter behind it, but hardly a Chinese character."""
    data = "name,town\nMüller,Köln\nJäger,Düren\n".encode("cp1252")
    assert data.decode("gb18030")
    error = refusal(data)
    assert (error.code, error.details["offset"]) == ("csv.encoding", data.index(b"\xfc"))
    assert "encoding=" in str(error)
    assert "ller" not in str(error)


def test_a_long_chinese_file_is_judged_by_its_first_characters(monkeypatch):
    monkeypatch.setattr("custinfo.exchange._decode._JUDGED", 10)
    rare = "".join(map(chr, range(0x3400, 0x4DB0)))
    data = ("名\n" + "张伟\n" * 20_000 + rare * 20).encode("gb18030")
    assert read_csv(data).encoding == "gb18030"


def test_bytes_that_fit_no_encoding_are_refused_with_the_first_offset():
    data = "名,b\n张伟,1\n".encode() + b"\xff\xff,2\n"
    error = refusal(data)
    assert (error.code, error.details["offset"]) == ("csv.encoding", data.index(b"\xff"))
    assert error.__cause__ is None


@given(st.integers(0, 200_000), st.sampled_from(["utf-8", "gb18030", "utf-16-le"]))
def test_the_offset_of_a_wrong_byte_counts_from_the_start_of_the_file(before, encoding):
    bad = {"utf-8": b"\xff", "gb18030": b"\xff", "utf-16-le": b"\x00\xdc\x00\xdc"}[encoding]
    head = ("a,b\n" + "张" + "x" * before).encode(encoding)
    error = refusal(head + bad + "yy\n".encode(encoding), encoding=encoding, max_cell=10**6)
    assert error.details["offset"] == len(head)


def test_a_utf_16_file_without_its_mark_is_refused_where_utf_16_was_said():
    assert refusal("id\n1\n".encode("utf-16-be"), encoding="utf-16").details["offset"] == 0


def test_a_text_file_opened_with_the_wrong_encoding_is_refused_without_its_content():
    error = refusal(io.TextIOWrapper(io.BytesIO("name\nMüller\n".encode("cp1252")), encoding="utf-8"))
    assert error.code == "csv.encoding"
    assert error.__cause__ is None
    assert error.__suppress_context__


def long_text(tail):
    return b"id,name\n" + (b"1," + b"A" * 500 + b"\n") * 2_500 + tail


def test_a_long_file_is_judged_by_all_of_it(tmp_path):
    path = tmp_path / "long.csv"
    path.write_bytes(long_text("2,王小明\n".encode("gb18030")))
    with read_csv(path) as rows:
        assert rows.encoding == "gb18030"
        assert list(rows)[-1].values["name"] == "王小明"


def test_a_long_stream_that_cannot_go_back_is_judged_by_its_first_mebibyte():
    rows = read_csv(Pipe(long_text("2,王小明\n".encode("gb18030"))))
    assert rows.encoding == "utf-8"
    with pytest.raises(InvalidFieldError) as caught:
        list(rows)
    assert caught.value.code == "csv.encoding"
    assert caught.value.details["offset"] == len(long_text(b"2,"))
    assert 2_000 < rows.rows_read <= 2_500


def test_a_sample_that_ends_within_a_character_is_still_that_encoding():
    data = "名\n".encode() + "张".encode() * 400_000
    assert read_csv(Pipe(data)).encoding == "utf-8"


# ---- the header


@pytest.mark.parametrize("data", [b"", b"\n\n\r\n", codecs.BOM_UTF8, codecs.BOM_UTF16_LE])
def test_an_empty_file_is_refused(data):
    assert refusal(data).code == "csv.empty"


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("id,name,id", "column 3 repeats"),
        ("id,,name,", "column 2, 4 has no name"),
        ('id,"name', "unclosed quote"),
        ("id,na\0me", "NUL"),
        ("id," + "x" * 70_000, "too long"),
        (",".join(["id"] * 40), "column 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, ..."),
    ],
)
def test_a_header_that_does_not_name_each_column_is_refused_by_position(header, part):
    error = refusal(f"{header}\n1,2,3\n".encode())
    assert error.code == "csv.header"
    assert part in str(error)
    assert "name," not in str(error)


def test_the_header_may_come_after_blank_lines_and_with_spaces_around_its_names():
    rows = read_csv(b"\n\n id , name\n1,Ann\n")
    assert rows.columns == ("id", "name")
    assert [row.line for row in rows] == [4]


def test_a_file_of_a_header_alone_has_no_rows():
    assert values(read_csv(b"id,name\n")) == []


# ---- the delimiter


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(delimiter):
    rows = read_csv(f'id{delimiter}"a, b; c"{delimiter}town\n1{delimiter}2{delimiter}3\n'.encode())
    assert rows.delimiter == delimiter
    assert rows.columns == ("id", "a, b; c", "town")


def test_between_equals_the_comma_goes_first_and_one_column_has_a_comma_too():
    assert read_csv(b"a,b;c\n").delimiter == ","
    assert read_csv(b"id\n").delimiter == ","


def test_a_given_delimiter_is_used():
    assert read_csv(b"a,b:c\n1,2:3\n", delimiter=":").columns == ("a,b", "c")


@pytest.mark.parametrize("delimiter", ["", ",,", '"', "\n", "\r", "\0"])
def test_an_impossible_delimiter_is_refused(delimiter):
    assert refusal(b"id\n", delimiter=delimiter).code == "csv.delimiter"


# ---- rows


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_lines_may_end_in_any_way_inside_quotes_too(newline):
    data = newline.join(["id,address", '1,"12 High St', 'Sydney"', "2,x", ""]).encode()
    rows = list(read_csv(data))
    assert [(row.line, row.values["address"]) for row in rows] == [(2, "12 High St\nSydney"), (4, "x")]


def test_a_carriage_return_at_the_end_of_a_chunk_does_not_make_two_lines():
    text = "id\r\n" + "\r\n".join("x" * 7 for _ in range(20_000)) + "\r\n"
    last = list(read_csv(text.encode()))[-1]
    assert last.line == 20_001
    last = list(read_csv(io.StringIO(text, newline="")))[-1]
    assert last.line == 20_001


def test_each_bad_row_is_read_counted_and_told_by_line_field_and_code():
    data = 'id,name,town\n1,Ann,Oslo\n2,Bob\n3,Cid,Rome,x,y\n4,D\0n,Bonn\n5,"Eve"s,Linz\n6,"Fay,Graz\n7,Gus,Wien\n'
    rows = read_csv(data.encode())
    found = list(rows)
    assert rows.rows_read == len(found) == 7
    assert [codes(row) for row in found] == [
        [],
        [("row.too_few_fields", "", 3)],
        [("row.too_many_fields", "", 4)],
        [("cell.nul", "name", 5)],
        [("cell.stray_quote", "name", 6)],
        [("row.unclosed_quote", "", 7)],
        [],
    ]
    assert found[1].values == {"id": "2", "name": "Bob", "town": ""}
    assert (found[2].values["town"], found[2].surplus) == ("Rome", ("x", "y"))
    assert found[5].values == {"id": "6", "name": '"Fay', "town": "Graz"}


def test_a_cell_of_a_mebibyte_is_left_empty_and_the_rest_of_the_file_is_read():
    data = b"id,note\n1," + b"x" * 2**20 + b'\n2,"' + (b"y" * 63 + b"\n") * 2**14 + b'"\n3,ok\n'
    found = list(read_csv(data))
    assert [(codes(row), row.values["note"]) for row in found] == [
        ([("cell.too_long", "note", 2)], ""),
        ([("cell.too_long", "note", 3)], ""),
        ([], "ok"),
    ]


def test_an_issue_in_a_cell_behind_the_last_column_names_no_column():
    (row,) = read_csv(b"id\n1,\0\n")
    assert codes(row) == [("row.too_many_fields", "", 2), ("cell.nul", "", 2)]


def test_a_longer_cell_is_kept_where_that_is_asked_for():
    (row,) = read_csv(b"id\n" + b"x" * 100_000 + b"\n", max_cell=100_000)
    assert len(row.values["id"]) == 100_000
    assert row.issues == ()


def test_text_that_was_made_harmless_for_spreadsheets_comes_back():
    (row,) = read_csv(b"'+id,a,b,c\n'=1+1,'plain,''-5,-5\n")
    assert row.values == {"+id": "=1+1", "a": "'plain", "b": "'-5", "c": "-5"}


def test_nothing_of_a_row_shows_in_its_repr():
    rows = read_csv(b"id,name\n1,Ann,surplus\n")
    (row,) = rows
    assert "Ann" not in repr(row)
    assert "surplus'" not in repr(row)
    assert repr(rows) == "CsvRows('', columns=('id', 'name'), rows_read=1)"
    assert isinstance(rows, CsvRows)


def test_a_file_is_read_in_bounded_memory(tmp_path):
    import tracemalloc

    path = tmp_path / "big.csv"
    chance = random.Random(2)
    with path.open("w", encoding="utf-8") as file:
        file.write("id,name\n")
        for number in range(20_000):
            file.write(f"{number},{'n' * chance.randrange(200, 600)}\n")
        file.write("x" * 8_000_000 + "\n")
    rows_read = 0
    tracemalloc.start()
    try:
        with read_csv(path) as rows:
            for _ in rows:
                rows_read += 1
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert rows_read == 20_001
    # Of a file of 16 MB: the sample that tells the encoding, and the part of a line that might have to be read again.
    assert peak < 6_000_000

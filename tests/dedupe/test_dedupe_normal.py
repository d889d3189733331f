"""Normal forms, kinds of columns, comparison levels."""

import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custinfo.dedupe import _levels, _text, _values
from custinfo.dedupe._compare import compare
from custinfo.dedupe._fields import build_fields
from custinfo.dedupe._kinds import infer_kinds
from custinfo.dedupe._levels import DIFFERENT, EQUAL, MISSING, RELATED, SIMILAR, SWAPPED, TYPO, VARIANT


def objects(values):
    column = np.empty(len(values), object)
    column[:] = values
    return column


@pytest.mark.parametrize(
    "cell", [None, "", "  ", "N/A", "unknown", float("nan"), np.datetime64("NaT"), np.float64("inf"), "未知"]
)
def test_missing_cells_are_empty_text(cell):
    assert _text.plain(cell) == ""


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (5.0, "5"),
        (2.5, "2.5"),
        (True, "true"),
        (b"Ann", "Ann"),
        (datetime.datetime(1980, 5, 6, 7), "1980-05-06"),
        (np.datetime64("1980-05-06T10"), "1980-05-06"),
        (7, "7"),
        ("x" * 10**6, "x" * 256),
    ],
)
def test_cells_of_any_type_become_text(cell, text):
    assert _text.plain(cell) == text


@pytest.mark.parametrize(
    ("form", "text", "expected"),
    [
        (_values.person, "Dr. Jürgen  O'Neil-Ray", "jurgen oneil ray"),
        (_values.person, "王 小明", "王小明"),
        (_values.person, "42", None),
        (_values.email, "Jo.Doe+x@gmail.com", "jodoe@gmail.com"),
        (_values.email, "no at sign", None),
        (_values.email, "test@test.com", None),
        (_values.email, "a.b@example.com", "a.b@example.com"),
        (_values.phone, "0161 496 0123", "14960123"),
        (_values.phone, "0000000000", None),
        (_values.phone, "+44 161 496 0123 ext 5", "14960123"),
        (_values.phone, "12", None),
        (_values.birth_date, "19620407", 19620407),
        (_values.birth_date, "07041962", 19620407),
        (_values.birth_date, "1962", 19620000),
        (_values.birth_date, "25/12/1962", 19621225),
        (_values.birth_date, "12/25/1962", 19621225),
        (_values.birth_date, "25 Dec 1962", 19621225),
        (_values.birth_date, "1.2.62", 19620201),
        (_values.birth_date, "1900-01-01", None),
        (_values.birth_date, "31.2.1980", None),
        (_values.birth_date, "hello", None),
        (_values.digits, "aa-aa", None),
        (_values.digits, "AB 12-34", "ab1234"),
        (_values.organization, "Acme, Inc.", "acme"),
        (_values.organization, "The And", "the and"),
        (_values.organization, "阳光科技有限公司", "阳光科技"),
        (_values.organization, "J.P. Ray", "jp ray"),
        (_values.place, "St. Ives Rd", "street ives road"),
        (_values.place, "北京市", "北京"),
        (_values.address, "12 High St Flat 3 B", ("high street", "12", "3 b")),
        (_values.address, "人民路5号", ("人民路", "5", None)),
        (_values.address, "某地", ("某地", None, None)),
        (_values.split_full_name, "欧阳建国", ("建国", "欧阳")),
        (_values.split_full_name, "???", (None, None)),
    ],
)
def test_normal_forms(form, text, expected):
    assert form(text) == expected


@given(st.text(max_size=40))
def test_normal_forms_of_any_text_raise_nothing_and_are_stable(text):
    for form in (
        _values.person,
        _values.email,
        _values.phone,
        _values.digits,
        _values.organization,
        _values.place,
        _values.token,
    ):
        once = form(_text.plain(text))
        assert once is None or isinstance(once, str)
    _values.birth_date(text)
    _values.address(text)
    _values.split_full_name(text)
    assert _text.fold(_text.fold(text)) == _text.fold(text)


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("First Name", ["Ann", "Bob"], "given_name"),
        ("dob", ["1980-01-05", "1990-02-03"], "birth_date"),
        ("customer_id", ["a", "b"], "ignore"),
        ("name", ["Ann Lee", "Bob Ray"], "full_name"),
        ("name", ["Ray & Sons", "The Mill Bar"], "organization"),
        ("name", ["王小明", "李四"], "full_name"),
        ("contact_email", ["a@example.com", "b@example.com"], "email"),
        ("email", ["1980-02-03", "1990-03-04"], "birth_date"),
        ("x1", ["a@example.com", "b@example.com"], "email"),
        ("x2", ["0161 496 0001", "0161 496 0002"], "phone"),
        ("x3", ["1950-02-03", "1960-03-04", "1999-01-02"], "birth_date"),
        ("x4", ["2021-02-03", "2022-03-04"], "ignore"),
        ("x5", ["red", "red", "blue"] * 9, "category"),
        ("x6", ["k1", "k2", "k3", "k4"], "ignore"),
        ("x7", ["k1", "k1", "k3", "k4", "k5", "k6", "k7", "k8", "k9"], "national_id"),
        ("x8", ["some text here", "other words there", "third one here"], "text"),
        ("created_at", ["2020-01-01"], "ignore"),
        ("street", ["5 High Street", "7 Low Road"], "address"),
        ("phone", ["none yet", "later maybe"], "text"),
        ("birthday", ["soon", "late x"], "text"),
        ("empty", [None, ""], "ignore"),
        ("x9", ["4155550101", "4155550102", "4155550102"], "national_id"),
    ],
)
def test_kinds_follow_names_and_content(name, values, kind):
    if kind == "text" and len(values) == 2:
        values = [*values, "and a third text"]
    assert infer_kinds({name: objects(values)})[name] == kind


def test_a_birth_date_beside_its_parts_is_counted_once():
    kinds = infer_kinds({"by": objects(["1980"]), "dob": objects(["1980-02-03"])})
    assert kinds == {"by": "ignore", "dob": "birth_date"}


def level(kind, one, other):
    fields = build_fields({"x": objects([one, other])}, {"x": kind})
    left, right = np.array([0]), np.array([1])
    forward = compare(fields[:1], left, right)[0, 0]
    assert forward == compare(fields[:1], right, left)[0, 0]
    return forward


@pytest.mark.parametrize(
    ("kind", "one", "other", "expected"),
    [
        ("given_name", "Ann", "ann ", EQUAL),
        ("given_name", "Bob", "Robert", RELATED),
        ("given_name", "J.", "James", RELATED),
        ("given_name", "Jonathan", "Jonatahn", TYPO),
        ("given_name", "Ann", "Zoe", DIFFERENT),
        ("given_name", "", "Ann", MISSING),
        ("family_name", "Müller", "Mueller", VARIANT),
        ("family_name", "Ray-Smith", "Smith", RELATED),
        ("family_name", "Marlowe", "Marlin", SIMILAR),
        ("birth_date", "1980-02-03", "1980-03-02", VARIANT),
        ("birth_date", "1980-02-03", "1980-02-04", TYPO),
        ("birth_date", "1980-02-13", "1980-02-25", SIMILAR),
        ("birth_date", "1980-05-17", "1980-01-01", RELATED),
        ("birth_date", "1980-02-13", "1991-07-25", DIFFERENT),
        ("email", "ann.lee@example.com", "ann.lee@example.org", VARIANT),
        ("email", "ann.lee@example.com", "ann.lew@example.com", TYPO),
        ("email", "annlee1@example.com", "annlee77@example.org", SIMILAR),
        ("email", "annlee@example.com", "zoe@example.com", DIFFERENT),
        ("phone", "0161 496 0123", "+44 161 496 0123", EQUAL),
        ("phone", "0161 496 0123", "0161 496 0124", TYPO),
        ("phone", "0161 496 0123", "0208 111 9977", DIFFERENT),
        ("national_id", "ab12345", "ab12354", TYPO),
        ("house_number", "12", "12a", VARIANT),
        ("postal_code", "ab1 2cd", "AB12CD", EQUAL),
        ("postal_code", "12345", "12377", SIMILAR),
        ("postal_code", "12345", "12346", TYPO),
        ("locality", "New Town", "Newtown", VARIANT),
        ("street", "High Road", "High Street", VARIANT),
        ("street", "Old Mill Lane", "Mill Lane", RELATED),
        ("organization", "Acme Tools", "Tools Acme Ltd", VARIANT),
        ("organization", "Acme Tools", "Zebra Food", DIFFERENT),
        ("sex", "female", "f", EQUAL),
        ("sex", "m", "f", DIFFERENT),
    ],
)
def test_levels_of_value_pairs(kind, one, other, expected):
    assert level(kind, one, other) == expected


def test_swapped_names_are_seen_also_with_a_typing_error():
    columns = {"g": objects(["Mirela", "Quandt", "Quandd"]), "f": objects(["Quandt", "Mirela", "Mirela"])}
    fields = build_fields(columns, {"g": "given_name", "f": "family_name"})
    levels = compare(fields, np.array([0, 0]), np.array([1, 2]))
    assert (levels == SWAPPED).all()


def test_chinese_names_meet_their_pinyin():
    pytest.importorskip("pypinyin")
    assert level("given_name", "建国", "Jianguo") == VARIANT
    assert level("given_name", "建国", "建") == SIMILAR
    assert level("family_name", "Cheung", "Zhang") == RELATED


def test_without_pinyin_hanzi_compare_as_they_are(monkeypatch):
    monkeypatch.setattr(_text, "_pinyin", lambda: None)
    assert _text.han_to_pinyin("建国") == "建国"
    assert not _text.has_pinyin()


def test_relations_have_a_text_for_every_level():
    assert all(len(texts) == _levels.LEVELS for texts in _levels.RELATIONS.values())


@given(st.lists(st.sampled_from(["a", "b", "c", 1, 2.5, None]), max_size=20))
def test_factorize_numbers_values_as_they_appear(values):
    codes, distinct = _text.factorize(values)
    assert [distinct[code] for code in codes] == values
    assert list(dict.fromkeys(values)) == distinct

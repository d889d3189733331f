"""Whole columns are read as their values one by one, whatever stands in them."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custinfo.dedupe import _text
from custinfo.dedupe import _values as value_of
from custinfo.dedupe._addresses import addresses
from custinfo.dedupe._bulk import emails, folded_of, phones
from custinfo.dedupe._canonical import text_hashes
from custinfo.dedupe._text import factorize, fold, plain

ODD = [None, "", " ", "N/A", "a\nb", "İ", "ǅ", "ß", "ﬁ", "é", "e\u0301", "\u0301x", "１２", "²", "١٢", "½", "\0", "?"]
EMAILS = ["Jo.Doe+news@GoogleMail.com", "a@b", "a@.", "x@y.de.", "MAILTO:Jo@x.de", "jo + x@x.de", "a@b@c.de", "@x.de"]
EMAILS += ["info@example.com", "test@test.com", "ö@x.de", "a+@x.de", "+@x.de", "a@>", "j@gmail.com.", "a\nb@c.de"]
PHONES = [
    "0123456789",
    "9876543210",
    "12345",
    "123456",
    "0161 496 0172 ext. 5",
    "x123",
    "01614960172",
    "+44 161 4960172",
]
PHONES += ["1112223", "12 34 12", "90123456", "٣٤٥٦٧٨٩٠1", "٣٤٥٦٧٨٩٠1 x2", "(0)30 4826-1573", "161496 01 72"]
ADDRESSES = [
    "240 Grant Ct., Apt 54",
    "Lindenstr. 113",
    "1a Main St",
    "3rd Ave 12 b",
    "12/3 Foo, Flat 4",
    "5",
    "½ Road 3",
]
ADDRESSES += [
    "人民1号小区",
    "北京市朝阳区建国路88号",
    "广东省深圳市南山区科技路１２号3栋",
    "12345市",
    "12号1市",
    "x\ny 5",
]
ADDRESSES += ["7 7 7 7", "Apt 5", "a\0b 3", "1 2 3 4 5 6 7 8 9 10 11 12", "北京1市2区3号-4-5-6-7", "Flat 3 12 High Rd"]


def forms(coded):
    return [None if code < 0 else coded.values[code] for code in coded.codes.tolist()]


def one_by_one(form, values):
    return [form(text) if (text := plain(value)) else None for value in values]


def test_distinct_values_have_distinct_codes():
    for read in (emails, phones):
        values = read(EMAILS + PHONES).values
        assert len(set(values)) == len(values)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(EMAILS + ODD), st.text("aB.+@ :oö", max_size=12)), max_size=30))
def test_a_column_of_emails_is_read_as_one_by_one(values):
    read = emails(values)
    assert forms(read) == one_by_one(value_of.email, values)
    assert [read.key_texts[key] for key in read.keys] == [value.rpartition("@")[0] for value in read.values]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(PHONES + ODD), st.text("0123 +-x²", max_size=14)), max_size=30))
def test_a_column_of_phones_is_read_as_one_by_one(values):
    assert forms(phones(values)) == one_by_one(value_of.phone, values)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(ADDRESSES + ODD), st.text("01 aB.,#京市区号路-", max_size=24)), max_size=30))
def test_a_column_of_addresses_is_read_as_one_by_one(values):
    street, house, unit = map(forms, addresses(values))
    expected = [value_of.address(text) if (text := plain(value)) else (None, None, None) for value in values]
    assert list(zip(street, house, unit, strict=True)) == expected


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.one_of(st.sampled_from([*ODD, "Σ", "ΑΣ", "x" * 300, 7, 1.5, float("nan"), b"Ab"]), st.text(max_size=6)))
)
def test_a_column_is_folded_as_one_by_one(values):
    assert folded_of(values) == [fold(plain(value)) for value in values]


def test_many_texts_are_numbered_as_they_first_appear(monkeypatch):
    monkeypatch.setattr(_text, "_MANY", 10)
    rng = random.Random(1)
    values = [rng.choice([None, f"v{rng.randrange(60)}"]) for _ in range(90)]
    codes, distinct = factorize(values)
    assert distinct == list(dict.fromkeys(values))
    assert [distinct[code] for code in codes] == values


def test_texts_whose_hashes_collide_are_told_apart(monkeypatch):
    monkeypatch.setattr(_text, "_MANY", 10)
    monkeypatch.setattr(_text, "hash", len, raising=False)
    values = [f"{number:03d}" for number in range(40)]
    codes, distinct = factorize(values)
    assert distinct == values
    assert codes.tolist() == list(range(40))


@pytest.mark.parametrize("many", [1, 70_000])
def test_hashes_of_texts_follow_from_each_text_alone(many):
    texts = [f"name {number}" for number in range(many)] + ["", "张伟", "x" * 1000, "\ud800"]
    whole = text_hashes(texts)
    assert len(np.unique(whole)) == len(texts)
    picked = [len(texts) - 1, 0, len(texts) - 4]
    assert text_hashes([texts[row] for row in picked]).tolist() == whole[picked].tolist()
    assert whole.dtype.itemsize == 8

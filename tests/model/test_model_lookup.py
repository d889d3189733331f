"""Look-ups: what is meant to be found is found, under keys that every store can hold."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from model_examples import FULL, NOON, entities, quick

from custinfo.errors import InvalidFieldError
from custinfo.model import (
    Account,
    Customer,
    Email,
    Identifier,
    PersonName,
    Phone,
    ReviewTask,
    Tag,
    Term,
    email_key,
    identifier_key,
    indexes_of,
    lookup_terms,
    name_key,
    phone_key,
)

any_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@pytest.mark.parametrize("key", [name_key, email_key, phone_key])
@quick
@given(text=any_text)
@example(text="İ")
@example(text="ŉ ǰ ΐ ß ẞ ﬁ")
@example(text="ᾳ ᾼ ῼ")
@example(text="Ⅷ ㎏ ㋿ ﷺ")
@example(text="각 힣 ド ﾄﾞ")
@example(text="a\u0345\u0301")
@example(text="+¹٣３")
def test_look_up_forms_are_idempotent(key, text):
    assert key(key(text)) == key(text)


@quick
@given(any_text)
def test_case_and_normal_form_do_not_matter(text):
    for form in ("NFC", "NFD"):
        other = unicodedata.normalize(form, text)
        assert name_key(other) == name_key(text)
        assert email_key(other) == email_key(text)


@quick
@given(st.lists(st.text("abcéИ张", min_size=1, max_size=5), max_size=5), st.randoms(use_true_random=False))
def test_the_order_of_words_does_not_matter(words, random):
    other = list(words)
    random.shuffle(other)
    assert name_key(" ".join(words)) == name_key(", ".join(other))


@pytest.mark.parametrize(
    ("key", "text", "form"),
    [
        (name_key, "PRAR,  Rósa-Ｍａｅ", "mae prar rosa"),
        (name_key, "O'Neil", "neil o"),
        (name_key, "张伟", "张伟"),
        (name_key, "कुमार", "कुमार"),
        (name_key, "Straße", "strasse"),
        (name_key, "--- ...", ""),
        (email_key, " Rosa@EXAMPLE.com\n", "rosa@example.com"),
        (email_key, "é@example.com", "é@example.com"),
        (phone_key, "+86 (138) 0013-8000", "+8613800138000"),
        (phone_key, "(+86)138 0013 8000", "+8613800138000"),
        (phone_key, "tel:+86-138", "+86138"),
        (phone_key, "＋８６１３８", "+86138"),
        (phone_key, "0138 + 5", "01385"),
        (phone_key, "٠١٢", "012"),
        (phone_key, "n/a", ""),
        (phone_key, "+", ""),
    ],
)
def test_examples(key, text, form):
    assert key(text) == form


@quick
@given(any_text, any_text, any_text, any_text, any_text, any_text)
def test_different_identifiers_have_different_forms(scheme, issuer, value, scheme2, issuer2, value2):
    first = identifier_key(scheme=scheme, issuer=issuer, value=value)
    second = identifier_key(scheme=scheme2, issuer=issuer2, value=value2)
    assert (first == second) == ((scheme, issuer, value) == (scheme2, issuer2, value2))


def test_a_country_stands_in_for_an_issuer():
    assert identifier_key(scheme="passport", country="CN", value="1") == "passport|CN|1"
    assert identifier_key(scheme="passport", value="a|b\\") == "passport||a\\|b\\\\"


def test_a_customer_is_found_by_each_of_its_values():
    terms = {(term.name, term.text): (term.unique, term.blind) for term in lookup_terms(FULL["customer"])}
    assert terms == {
        ("merged_into", "c0"): (False, False),
        ("created_at", "2026-01-31T12:00:00.000000+00:00"): (False, False),
        ("country", "CN"): (False, True),
        ("name", "b prar rosa"): (False, True),
        ("name", "张伟"): (False, True),
        ("email", "rosa@example.com"): (False, True),
        ("email", "r@example.com"): (False, True),
        ("phone", "+8613800138000"): (False, True),
        ("identifier", "external|shop|C00001"): (True, True),
        ("identifier", "cn_resident_id|CN|TEST-0001"): (False, True),
        ("tag", "vip"): (False, False),
        ("tag", "newsletter"): (False, False),
    }


@pytest.mark.parametrize(
    ("kind", "terms"),
    [
        ("account", {("customer_id", "c1")}),
        ("transaction", {("account_id", "a1"), ("related_id", "t0")}),
        ("interaction", {("customer_id", "c1")}),
        ("consent", {("customer_id", "c1")}),
        ("merge", {("survivor", "c1")}),
        ("reviewtask", {("about", "c1"), ("status", "done")}),
        ("loyaltyentry", {("customer_id", "c1")}),
        ("feedback", {("customer_id", "c1"), ("status", "resolved")}),
        ("changerequest", {("customer_id", "c1"), ("status", "applied")}),
    ],
)
def test_other_records_are_found_by_what_they_belong_to(kind, terms):
    assert {(term.name, term.text) for term in lookup_terms(FULL[kind])} == terms
    assert not any(term.blind or term.unique for term in lookup_terms(FULL[kind]))


def test_a_value_without_a_look_up_form_has_no_term():
    customer = Customer(id="c1", names=[PersonName(full="...")], phones=[Phone("unknown")])
    assert lookup_terms(customer) == []
    assert lookup_terms(ReviewTask(reason="duplicate", customer_ids=[])) == [Term("status", "open", False, False)]


def test_equal_values_give_one_term():
    customer = Customer(id="c1", emails=[Email("a@example.com"), Email("A@example.com", verified_at=NOON)])
    assert len(lookup_terms(customer)) == 1


@quick
@given(entities)
def test_terms_are_texts_of_declared_look_ups(obj):
    indexes = indexes_of(type(obj))
    for term in lookup_terms(obj):
        assert term.text
        assert "\0" not in term.text
        term.text.encode()
        assert indexes[term.name].blind == term.blind
        if not term.blind:
            assert len(term.text.encode()) <= 1_000
        assert indexes[term.name].normalize(term.text) == term.text
        assert "text=" not in repr(term)


def test_the_look_ups_of_a_class_cannot_be_changed():
    indexes = indexes_of(Account)
    with pytest.raises(TypeError):
        indexes["other"] = indexes["customer_id"]
    assert list(indexes_of(Tag)) == ["tag"]
    with pytest.raises(InvalidFieldError):
        indexes_of(int)


def test_ids_that_differ_in_white_space_are_different_ids():
    accounts = [Account(id="a", customer_id=owner, currency="USD") for owner in ("c1", " c1", "c1 ", "C1")]
    assert [lookup_terms(account)[0].text for account in accounts] == ["c1", " c1", "c1 ", "C1"]
    assert lookup_terms(Tag(" vip "))[0].text == "vip"


def test_only_external_ids_are_unique():
    (unique,) = {index.unique for name, index in indexes_of(Customer).items() if name == "identifier"}
    assert unique(Identifier(scheme="external", issuer="shop", value="1"))
    assert not unique(Identifier(scheme="passport", value="1"))

"""Masks never show more than they say."""

from __future__ import annotations

from datetime import date

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_examples import FILLED, NOON, customers, entities, quick, texts

from custinfo.errors import InvalidFieldError
from custinfo.model import (
    Account,
    AccountStatus,
    Address,
    Customer,
    Email,
    Identifier,
    Money,
    PaymentMethod,
    PersonName,
    Phone,
    Preference,
    Relationship,
    RelationshipKind,
    Tag,
    mask,
    masked,
    personal_fields,
)
from custinfo.model._mask import MASKS

HIDDEN = "***"
any_text = st.text(max_size=30)


@quick
@given(any_text)
def test_hide_shows_nothing(text):
    assert mask(text, "hide") == HIDDEN


@quick
@given(any_text)
def test_last4_shows_four_characters_of_more_than_eight(text):
    assert mask(text, "last4") == (HIDDEN + text[-4:] if len(text) > 8 else HIDDEN)


@quick
@given(any_text)
def test_first_shows_one_character_of_more(text):
    assert mask(text, "first") == (text[0] + HIDDEN if len(text) > 1 else HIDDEN)


@quick
@given(any_text)
def test_name_shows_the_first_character_of_each_word_of_more_than_one(text):
    words = text.split()
    shown = [word[0] + HIDDEN if len(word) > 1 else HIDDEN for word in words]
    assert mask(text, "name") == (" ".join(shown) or HIDDEN)


@quick
@given(any_text | st.from_regex(r"[a-z]{0,3}@[a-z .]{0,8}", fullmatch=True))
def test_email_shows_the_first_character_and_the_domain(text):
    local, _, domain = text.rpartition("@")
    shown = mask(text, "email")
    assert shown in {HIDDEN, local[:1] + HIDDEN + "@" + domain}
    if shown != HIDDEN:
        assert len(local) > 1
        assert len(domain.split()) == 1


@quick
@given(any_text | st.from_regex(r"\+?[0-9 ()-]{5,20}", fullmatch=True))
def test_phone_shows_four_digits_and_the_country_code_where_four_more_stay_hidden(text):
    digits = [c for c in text if c in "0123456789"]
    shown = mask(text, "phone")
    visible = [c for c in shown if c.isdigit()]
    assert shown.count("*") == 3
    assert len(visible) in ({0} if len(digits) < 8 else {0, 4, 5, 6, 7})
    if visible:
        assert visible[-4:] == digits[-4:]
        assert len(digits) - len(visible) >= 4
        assert set(shown) <= set("+*0123456789")


@quick
@given(any_text | st.dates().map(str))
def test_year_shows_the_year_of_an_iso_date(text):
    shown = mask(text, "year")
    assert shown == HIDDEN or (shown[:4] == text[:4] and shown[:4].isdecimal() and shown[4:] == "-**-**")


@pytest.mark.parametrize(
    ("value", "how", "shown"),
    [
        ("+14155550123", "phone", "+1***0123"),
        ("+79991234567", "phone", "+7***4567"),
        ("+8613800138000", "phone", "+86***8000"),
        ("+85251234567", "phone", "+852***4567"),
        ("+3545551234", "phone", "***"),
        ("021 5550 0100", "phone", "***0100"),
        ("5550100", "phone", "***"),
        ("+", "phone", "***"),
        ("张伟", "name", "张***"),
        ("伟", "name", "***"),
        ("Rosa Prar", "name", "R*** P***"),
        ("J R Li", "name", "*** *** L***"),
        ("rosa@example.com", "email", "r***@example.com"),
        ("r@example.com", "email", "***"),
        ("write to rosa@ example.com please", "email", "***"),
        ("rosa@", "email", "***"),
        ("rosa", "email", "***"),
        (date(1980, 2, 29), "year", "1980-**-**"),
        ("29.2.1980", "year", "***"),
        ("", "hide", "***"),
        (None, "hide", ""),
        (None, "name", ""),
    ],
)
def test_examples(value, how, shown):
    assert mask(value, how) == shown


@pytest.mark.parametrize("how", ["", "blur", "clear", None, [], "mask:last4"])
def test_an_unknown_mask_is_refused_with_the_list(how):
    for call in (lambda: mask("x", how), lambda: masked("x", how) if how != "clear" else mask("x", how)):
        with pytest.raises(InvalidFieldError, match="email, first, hide, last4, name, phone, year") as caught:
            call()
        assert caught.value.code == "mask.unknown"


def strings(value):
    """Every text inside a value."""
    if isinstance(value, str):
        yield value
    elif attrs.has(type(value)):
        for field in attrs.fields(type(value)):
            yield from strings(getattr(value, field.name))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from strings(key)
            yield from strings(item)
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from strings(item)


def personal_strings(obj):
    """Every text in a personal part of a model object."""
    for field in attrs.fields(type(obj)):
        value = getattr(obj, field.name)
        if field.name in personal_fields(type(obj)):
            for item in value if isinstance(value, tuple) else (value,):
                yield from personal_strings(item) if attrs.has(type(item)) else strings(item)
        elif attrs.has(type(value)):
            yield from personal_strings(value)


@pytest.mark.parametrize("how", ["own", "hide", *MASKS])
@pytest.mark.parametrize("kind", FILLED)
def test_no_personal_text_survives_a_mask_and_the_rest_stays(kind, how):
    obj = FILLED[kind]
    shown = masked(obj, how)
    assert type(shown) is type(obj)
    secrets = {text for text in personal_strings(obj) if len(text) > 1}
    assert not secrets & set(strings(shown))
    for field in attrs.fields(type(obj)):
        if field.name not in personal_fields(type(obj)):
            assert getattr(shown, field.name) == getattr(obj, field.name)


@quick
@given(entities, st.sampled_from(["own", *MASKS]))
def test_a_masked_object_is_a_good_object_and_masking_hides_all_with_hide(obj, how):
    shown = masked(obj, how)
    assert type(shown) is type(obj)
    assert shown.extra == {}
    # Of an enum nothing can be shown but a member: that which it has when it is left out.
    assert set(personal_strings(masked(obj, "hide"))) <= {HIDDEN, RelationshipKind.OTHER}


@quick
@given(customers)
def test_clear_gives_the_value_as_it_is(customer):
    assert masked(customer, "clear") is customer
    assert masked(customer.names, "clear") is customer.names


def test_value_objects_keep_their_class_and_use_their_own_masks():
    assert masked((PersonName(given="伟", family="张"),), "own") == (PersonName(given=HIDDEN, family=HIDDEN),)
    assert masked((Email("rosa@example.com", label="work"),), "own") == (Email("r***@example.com", label="work"),)
    assert masked(Phone("+8613800138000", verified_at=NOON), "own") == Phone("+86***8000", verified_at=NOON)
    identifier = Identifier(scheme="external", issuer="shop", value="C0000012345")
    assert masked(identifier, "own").value == "***2345"
    address = Address(address_lines=["1 Example Road", "x"], postal_code="2000", region_code="AU", label="home")
    assert masked(address, "own") == Address(
        address_lines=[HIDDEN, HIDDEN], postal_code=HIDDEN, region_code="AU", label="home"
    )


def test_a_named_mask_also_masks_what_is_not_personal():
    assert masked(Money(123_456_789, "USD"), "hide") == HIDDEN
    assert masked(Money(123_456_789, "USD"), "own") == Money(123_456_789, "USD")
    assert masked((Tag("vip"),), "hide") == (HIDDEN,)
    assert masked((Tag("vip"),), "own") == (Tag("vip"),)
    assert masked(AccountStatus.OPEN, "hide") == HIDDEN
    assert masked(5, "hide") == HIDDEN


def test_a_value_without_personal_parts_in_a_personal_field_is_hidden_whole():
    limited = Account(id="a1", customer_id="c1", currency="USD", credit_limit=Money(123_456_789, "USD"))
    assert masked(limited, "own").credit_limit is None
    assert masked(limited.credit_limit, "own", own="hide") == HIDDEN
    assert masked(limited.credit_limit, "own", own="clear") == Money(123_456_789, "USD")
    liked = Customer(id="c1", preferences=[Preference(language="zh")], custom={"allergy": "nuts"})
    assert (masked(liked, "own").preferences, masked(liked, "own").custom) == ((), {})
    assert masked(liked.preferences, "own", own="hide") == (HIDDEN,)


def test_what_a_part_cannot_hold_masked_is_as_if_it_were_left_out():
    owner = {"id": "w1", "customer_id": "c1", "kind": "card"}
    card = PaymentMethod(**owner, token="tok_1", last4="0123", exp_month=5, exp_year=2027)
    assert masked(card, "own") == PaymentMethod(**owner, token=HIDDEN)
    tie = Relationship(other_id="c2", kind="child", label="first one")
    assert masked(tie, "own") == Relationship(other_id=HIDDEN, kind="other", label=HIDDEN)


def test_the_mask_that_a_field_declares_is_used_where_it_is_passed():
    assert masked(date(1980, 2, 29), "own") == HIDDEN
    assert masked(date(1980, 2, 29), "own", own="year") == "1980-**-**"
    assert masked(AccountStatus.OPEN, "own", own="clear") is AccountStatus.OPEN
    assert masked(("a note",), "own", own="first") == ("a***",)


@quick
@given(st.dictionaries(texts, texts, min_size=1))
def test_a_mapping_is_hidden_whole(value):
    for how in MASKS:
        assert masked(value, how) == HIDDEN
    assert masked(value, "own", own="last4") == HIDDEN


def test_nothing_stays_nothing():
    assert masked(None, "hide") is None
    assert masked((), "own") == ()
    assert masked(Customer(id="c1"), "hide") == Customer(id="c1")

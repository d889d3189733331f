"""The JSON form: whatever the model holds comes back, and what it does not know too."""

from __future__ import annotations

import copy
import json
import pickle
from datetime import UTC, date, datetime, timedelta, timezone

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_examples import FILLED, NOON, entities, extras, money, names, quick

from custinfo.errors import InvalidFieldError
from custinfo.model import (
    Account,
    Customer,
    Email,
    Money,
    PersonName,
    Phone,
    Tag,
    dumps,
    from_dict,
    kind_of,
    loads,
    plain_value,
    to_dict,
)
from custinfo.model._entities import ENTITIES


@quick
@given(entities)
def test_every_object_comes_back_equal_and_gives_the_same_bytes_again(obj):
    data = dumps(obj)
    again = loads(data)
    assert again == obj
    assert type(again) is type(obj)
    assert dumps(again) == data
    assert loads(data.decode()) == obj
    assert from_dict(to_dict(obj)) == obj


@quick
@given(entities)
def test_to_dict_holds_nothing_but_json(obj):
    data = to_dict(obj)
    assert json.loads(json.dumps(data)) == data
    assert next(iter(data)) == "$v"
    assert data["$v"] == f"{kind_of(type(obj))}/1"
    assert data["id"] == obj.id


@pytest.mark.parametrize("name", FILLED)
def test_every_class_comes_back_with_every_field_filled(name):
    obj = FILLED[name]
    assert loads(dumps(obj)) == obj
    filled = {field.name for field in attrs.fields(type(obj)) if getattr(obj, field.name) not in ({}, field.default)}
    assert set(to_dict(obj)) == filled - {"extra"} | {"$v", *obj.extra}


def test_every_field_of_every_stored_class_is_filled_in_an_example():
    for cls in ENTITIES.values():
        examples = [obj for obj in FILLED.values() if type(obj) is cls]
        empty = {
            field.name
            for field in attrs.fields(cls)
            if all(getattr(obj, field.name) in (None, (), "", 0, {}, field.default) for obj in examples)
        }
        assert empty == set(), "fill the field in model_examples.py"


def _changed(name, key, value):
    obj = Customer(id="c1", custom={"a": 1}, custom_plain={"a": 1}, extra={"a": 1})
    getattr(obj, name)[key] = value
    return obj


LOOP = {}
LOOP["loop"] = LOOP


@pytest.mark.parametrize("name", ["custom", "custom_plain", "extra"])
@pytest.mark.parametrize(
    "value", [object(), LOOP, float("nan"), {1: 2, "a": {3}}, "\ud800"], ids=lambda v: type(v).__name__
)
def test_a_mapping_that_was_changed_in_place_is_no_way_to_a_foreign_error(name, value):
    with pytest.raises(InvalidFieldError) as caught:
        dumps(_changed(name, "b", value))
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize("key", ["id", "names", "$v"])
def test_a_key_put_into_extra_does_not_stand_for_a_field_of_the_object(key):
    with pytest.raises(InvalidFieldError) as caught:
        to_dict(_changed("extra", key, "other"))
    assert caught.value.code == "extra.reserved"


@quick
@given(extras)
def test_unknown_top_level_keys_survive(extra):
    data = {"$v": "account/1", "id": "a1", "customer_id": "c1", "currency": "CNY", **extra}
    account = from_dict(data)
    assert account.extra == extra
    assert to_dict(account) == data
    assert list(to_dict(account)) == list(data)


def test_a_key_named_extra_is_an_unknown_key_like_any_other():
    data = {"$v": "account/1", "id": "a1", "customer_id": "c1", "currency": "CNY", "extra": {"a": [1]}}
    assert from_dict(data).extra == {"extra": {"a": [1]}}
    assert to_dict(from_dict(data)) == data


def test_fields_at_their_default_are_left_out():
    assert dumps(Customer(id="c1")) == b'{"$v":"customer/1","id":"c1"}'
    assert to_dict(Customer(id="c1", emails=[Email("r@example.com")]))["emails"] == [{"value": "r@example.com"}]


def test_text_is_written_as_utf8_and_not_escaped():
    assert "张伟".encode() in dumps(Customer(id="c1", names=[PersonName(full="张伟")]))


def test_times_are_written_in_utc_whatever_their_zone():
    east = timezone(timedelta(hours=8))
    customer = Customer(id="c1", created_at=datetime(2026, 1, 31, 20, tzinfo=east))
    assert customer.created_at == NOON
    assert customer.created_at.tzinfo is UTC
    assert to_dict(customer)["created_at"] == "2026-01-31T12:00:00+00:00"
    for text in ("2026-01-31T12:00:00Z", "2026-01-31T20:00:00+08:00", "2026-01-31T12:00:00+00:00"):
        assert from_dict({"$v": "customer/1", "id": "c1", "created_at": text}) == customer


def test_null_stands_for_a_field_that_is_left_out():
    assert from_dict({"$v": "customer/1", "id": "c1", "sex": None, "birth_date": None, "created_at": None}) == Customer(
        id="c1"
    )


def test_an_object_without_an_id_gets_one():
    assert len(from_dict({"$v": "customer/1"}).id) == 36


@pytest.mark.parametrize("obj", [None, 5, "x", Email("r@example.com"), Money(1, "USD"), {"$v": "customer/1"}, Customer])
def test_only_stored_classes_are_written(obj):
    for call in (to_dict, dumps):
        with pytest.raises(InvalidFieldError, match="customer, account") as caught:
            call(obj)
        assert caught.value.code == "codec.class"


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        ((Phone("+8613800138000", verified_at=NOON),), [{"value": "+8613800138000", "verified_at": NOON.isoformat()}]),
        ((Tag("a"), "b"), [{"name": "a"}, "b"]),
        (Money(5, "USD"), {"minor": 5, "currency": "USD"}),
        (date(2026, 1, 31), "2026-01-31"),
        (NOON, "2026-01-31T12:00:00+00:00"),
        (Account(customer_id="c", currency="USD").status, "open"),
        ({"a": [1, None]}, {"a": [1, None]}),
        ((), []),
        ("text", "text"),
        (None, None),
        (True, True),
    ],
)
def test_any_value_of_a_field_has_a_plain_form(value, plain):
    assert plain_value(value) == plain
    assert json.loads(json.dumps(plain)) == plain


@quick
@given(names | money)
def test_value_objects_have_a_plain_form_that_json_can_hold(value):
    assert json.loads(json.dumps(plain_value(value))) == plain_value(value)


@quick
@given(entities, st.sampled_from([copy.copy, copy.deepcopy, lambda obj: pickle.loads(pickle.dumps(obj))]))
def test_objects_can_be_copied_pickled_and_hashed(obj, clone):
    assert clone(obj) == obj
    assert hash(clone(obj)) == hash(obj)

"""The JSON Schemas: valid themselves, true of every output, and false of wrong data."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_examples import FULL, entities, quick

from custinfo.errors import InvalidFieldError, InvalidRecordError, SchemaVersionError
from custinfo.model import Customer, Email, Money, from_dict, json_schema, kind_of, to_dict
from custinfo.model._entities import ENTITIES

jsonschema = pytest.importorskip("jsonschema")
VALIDATORS = {
    kind: jsonschema.Draft202012Validator(
        json_schema(cls), format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )
    for kind, cls in ENTITIES.items()
}


@pytest.mark.parametrize("kind", ENTITIES)
def test_each_schema_is_a_good_schema_of_draft_2020_12(kind):
    schema = json_schema(ENTITIES[kind])
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"urn:custinfo:{kind}:1"
    assert all("description" in part for name, part in schema["properties"].items() if name != "$v")


@quick
@given(entities)
def test_every_output_fits_its_schema(obj):
    VALIDATORS[kind_of(type(obj))].validate(to_dict(obj))


@pytest.mark.parametrize("kind", FULL)
def test_the_full_objects_fit_their_schemas(kind):
    VALIDATORS[kind].validate(to_dict(FULL[kind]))


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("customer", {"$v": "customer/2"}),
        ("customer", {"id": ""}),
        ("customer", {"id": 5}),
        ("customer", {"version": -1}),
        ("customer", {"version": 2**63}),
        ("customer", {"kind": "robot"}),
        ("customer", {"names": {}}),
        ("customer", {"names": [{"given": "A", "nick": "B"}]}),
        ("customer", {"names": [{"family_first": 1, "given": "A"}]}),
        ("customer", {"emails": [{}]}),
        ("customer", {"emails": [{"value": None}]}),
        ("customer", {"birth_date": "29.2.1980"}),
        ("customer", {"created_at": 5}),
        ("customer", {"notes": "x"}),
        ("account", {"currency": "usd"}),
        ("transaction", {"amount": {"minor": 1.5, "currency": "USD"}}),
        ("transaction", {"amount": {"minor": 2**63, "currency": "USD"}}),
        ("transaction", {"amount": {"minor": 1}}),
        ("merge", {"before": {"customer/c1": "1"}}),
        ("merge", {"members": "c1"}),
        ("feedback", {"scale": [1, 2, 3]}),
        ("feedback", {"scale": [0]}),
        ("feedback", {"scale": [0, 2**31]}),
        ("customer", {"provenance": [{"path": "sex", "source": "a", "at": "2026-01-31T00:00:00Z", "confidence": 2}]}),
        ("customer", {"notes": ["x"] * 10_001}),
    ],
)
def test_wrong_data_fit_neither_the_schema_nor_the_class(kind, changes):
    data = to_dict(FULL[kind]) | changes
    assert not VALIDATORS[kind].is_valid(data)
    with pytest.raises((InvalidRecordError, InvalidFieldError, SchemaVersionError)):
        from_dict(data)


@quick
@given(st.sampled_from(sorted(FULL)), st.data())
def test_a_required_key_that_is_missing_fits_neither(kind, data):
    whole = to_dict(FULL[kind])
    name = data.draw(st.sampled_from(json_schema(ENTITIES[kind])["required"]))
    del whole[name]
    assert not VALIDATORS[kind].is_valid(whole)
    if name != "id":  # it would get a new one
        with pytest.raises((InvalidRecordError, InvalidFieldError)):
            from_dict(whole)


def test_each_call_gives_a_schema_of_its_own():
    schema = json_schema(Customer)
    untouched = copy.deepcopy(schema)
    schema["properties"]["id"]["type"] = "integer"
    assert json_schema(Customer) == untouched


@pytest.mark.parametrize("kind", ENTITIES)
def test_a_schema_is_found_by_the_tag_of_the_data_too(kind):
    assert json_schema(f"{kind}/1") == json_schema(ENTITIES[kind])


@pytest.mark.parametrize("cls", [Email, Money, int, None, [], "Customer", "customer", "customer/2", "money/1", ""])
def test_only_stored_classes_have_one(cls):
    with pytest.raises(InvalidFieldError) as caught:
        json_schema(cls)
    assert caught.value.code == "codec.class"

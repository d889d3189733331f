"""Hostile JSON: whatever comes in, an error of ours with code and path comes out, and never a value."""

from __future__ import annotations

import json
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_examples import FULL, json_values, quick

from custinfo.errors import CustInfoError, InvalidFieldError, InvalidRecordError, SchemaVersionError
from custinfo.model import dumps, from_dict, loads, to_dict

SECRET = "Sésame-4711"
CUSTOMER = {"$v": "customer/1", "id": "c1"}


def faults(data, call=from_dict):
    with pytest.raises(InvalidRecordError) as caught:
        call(data)
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert SECRET not in repr(caught.value)
    assert caught.value.code == "record"
    return {(fault.path, fault.code) for fault in caught.value.exceptions}


@pytest.mark.parametrize(
    ("changes", "path", "code"),
    [
        ({"id": 5}, "id", "text.type"),
        ({"id": None}, "id", "text.type"),
        ({"id": ""}, "id", "text.empty"),
        ({"id": " \t"}, "id", "text.empty"),
        ({"id": "a\0b"}, "id", "text.nul"),
        ({"id": "\ud800"}, "id", "text.surrogate"),
        ({"id": "x" * 1001}, "id", "text.too_long"),
        ({"id": "张" * 334}, "id", "text.too_long"),
        ({"id": [SECRET]}, "id", "text.type"),
        ({"version": "1"}, "version", "int.type"),
        ({"version": 1.0}, "version", "int.type"),
        ({"version": True}, "version", "int.type"),
        ({"version": None}, "version", "int.type"),
        ({"version": -1}, "version", "int.range"),
        ({"version": 2**63}, "version", "int.range"),
        ({"kind": SECRET}, "kind", "enum.unknown"),
        ({"kind": None}, "kind", "enum.unknown"),
        ({"kind": ["person"]}, "kind", "enum.unknown"),
        ({"status": 1}, "status", "enum.unknown"),
        ({"status": "merged"}, "merged_into", "customer.merged"),
        ({"merged_into": "c1"}, "merged_into", "customer.merged"),
        ({"merged_into": 7}, "merged_into", "text.type"),
        ({"names": None}, "names", "codec.type"),
        ({"names": 5}, "names", "codec.type"),
        ({"names": SECRET}, "names", "codec.type"),
        ({"names": {}}, "names", "codec.type"),
        ({"names": {"given": SECRET}}, "names", "codec.type"),
        ({"names": [SECRET]}, "names[0]", "codec.type"),
        ({"names": [None]}, "names[0]", "codec.type"),
        ({"names": [[]]}, "names[0]", "codec.type"),
        ({"names": [{}]}, "names[0].full", "name.empty"),
        ({"names": [{"given": 5}]}, "names[0].given", "text.type"),
        ({"names": [{"given": SECRET, "family_first": 1}]}, "names[0].family_first", "bool.type"),
        ({"names": [{"given": SECRET, "use": SECRET}]}, "names[0].use", "enum.unknown"),
        ({"names": [{"given": SECRET, SECRET: 1}]}, "names[0]", "codec.unknown_key"),
        ({"emails": [{"value": "r@example.com"}, {}]}, "emails[1].value", "codec.missing"),
        ({"emails": [{"value": float("nan")}]}, "emails[0].value", "text.type"),
        ({"emails": [{"value": SECRET, "verified_at": SECRET}]}, "emails[0].verified_at", "time.format"),
        ({"emails": [{"value": SECRET, "verified_at": 5}]}, "emails[0].verified_at", "time.format"),
        ({"emails": [{"value": SECRET, "verified_at": "2026-01-31"}]}, "emails[0].verified_at", "time.naive"),
        ({"addresses": [{"label": SECRET}]}, "addresses[0].address_lines", "address.empty"),
        ({"addresses": [{"address_lines": {"a": SECRET}}]}, "addresses[0].address_lines", "codec.type"),
        ({"addresses": [{"address_lines": [SECRET, 5]}]}, "addresses[0].address_lines[1]", "text.type"),
        ({"identifiers": [{"scheme": "x" * 500, "value": "y" * 600}]}, "identifiers[0].value", "text.too_long"),
        ({"birth_date": SECRET}, "birth_date", "date.format"),
        ({"birth_date": 19800229}, "birth_date", "date.format"),
        ({"birth_date": "1981-02-29"}, "birth_date", "date.format"),
        ({"created_at": "0001-01-01T00:00:00+14:00"}, "created_at", "time.range"),
        ({"created_at": "9999-12-31T23:59:59-14:00"}, "created_at", "time.range"),
        ({"created_at": {}}, "created_at", "time.format"),
        ({"notes": 5}, "notes", "codec.type"),
        ({"notes": {"a": 1}}, "notes", "codec.type"),
        ({"notes": ["a", None]}, "notes[1]", "text.type"),
        ({"notes": ["x" * 100_001]}, "notes[0]", "text.too_long"),
        ({"tags": [{"name": "\0"}]}, "tags[0].name", "text.nul"),
        ({SECRET: float("inf")}, "extra", "json.number"),
        ({SECRET: float("nan")}, "extra", "json.number"),
        ({SECRET: 2**1025}, "extra", "json.number"),
        ({SECRET: "\0"}, "extra", "text.nul"),
        ({SECRET: {"a": ["\udfff"]}}, "extra", "text.surrogate"),
        ({SECRET + "\ud800": 1}, "extra", "text.surrogate"),
        ({5: 1}, "extra", "text.type"),
        ({SECRET: {5: 1}}, "extra", "text.type"),
        ({SECRET: {SECRET}}, "extra", "json.type"),
        ({SECRET: object()}, "extra", "json.type"),
    ],
)
def test_a_wrong_value_is_named_by_path_and_code(changes, path, code):
    assert faults(CUSTOMER | changes) == {(path, code)}


@pytest.mark.parametrize(
    ("changes", "path", "code"),
    [
        ({"amount": None}, "amount", "codec.type"),
        ({"amount": "9.90"}, "amount", "codec.type"),
        ({"amount": {"minor": "5", "currency": "USD"}}, "amount.minor", "money.minor"),
        ({"amount": {"minor": 2**63, "currency": "USD"}}, "amount.minor", "money.range"),
        ({"amount": {"minor": 5, "currency": SECRET}}, "amount.currency", "currency.unknown"),
        ({"amount": {"minor": 5}}, "amount.currency", "codec.missing"),
        ({"amount": {"minor": -5, "currency": "USD"}}, "amount", "transaction.negative"),
        ({"occurred_at": None}, "occurred_at", "time.type"),
        ({"kind": "gift"}, "kind", "enum.unknown"),
    ],
)
def test_a_wrong_payment_is_named_by_path_and_code(changes, path, code):
    good = {
        "$v": "transaction/1",
        "account_id": "a1",
        "amount": {"minor": 5, "currency": "USD"},
        "occurred_at": "2026-01-31T12:00:00Z",
    }
    assert from_dict(good).signed_minor == 5
    assert faults(good | changes) == {(path, code)}
    missing = next(iter(changes))
    if missing in {"amount", "occurred_at"}:
        assert faults({key: value for key, value in good.items() if key != missing}) == {(missing, "codec.missing")}


@pytest.mark.parametrize(
    ("changes", "path", "code"),
    [
        ({"members": "c1"}, "members", "codec.type"),
        ({"members": [""]}, "members[0]", "text.empty"),
        ({"before": []}, "before", "field.type"),
        ({"before": {"customer/c1": "1"}}, "before", "int.type"),
        ({"after": {"\ud800": 1}}, "after", "text.surrogate"),
        ({"after": {"customer/c1": -1}}, "after", "int.range"),
    ],
)
def test_a_wrong_merge_is_named_by_path_and_code(changes, path, code):
    data = {"$v": "merge/1", "id": "m1", "survivor": "c1", "members": ["c1", "c2"]} | changes
    assert faults(data) == {(path, code)}


def test_all_faults_come_at_once():
    data = CUSTOMER | {
        "id": 5,
        "names": [{"given": "A"}, {"given": 1, "family": 2}],
        "emails": [{}],
        "birth_date": "x",
        "sex": [],
        SECRET: float("nan"),
    }
    assert faults(data) == {
        ("id", "text.type"),
        ("names[1].given", "text.type"),
        ("names[1].family", "text.type"),
        ("emails[0].value", "codec.missing"),
        ("birth_date", "date.format"),
        ("sex", "text.type"),
        ("extra", "json.number"),
    }
    with pytest.raises(InvalidRecordError, match=r"mend id \(text.type\), .* and 2 more$"):
        from_dict(data)


@pytest.mark.parametrize("data", [None, 5, "x", [], [("$v", "customer/1")], {1, 2}])
def test_something_else_than_a_mapping_is_refused(data):
    with pytest.raises(InvalidFieldError) as caught:
        from_dict(data)
    assert caught.value.code == "codec.type"


WRONG = ("", "/", "/0", "/-1", "/01", "/1.0", "/x", "/１", "/²", "/1 ", "/" + "9" * 5000)
TAGS = [*("customer" + end for end in WRONG), "Customer/1", "email/1", "nobody/1", ""]


@pytest.mark.parametrize("tag", [*TAGS, None, 5, ["customer/1"], {}])
def test_a_tag_that_names_no_stored_class_is_refused(tag):
    for data in ({"$v": tag, "id": "c1"}, {"id": "c1"}):
        with pytest.raises(InvalidFieldError) as caught:
            from_dict(data)
        assert (caught.value.code, caught.value.path) == ("codec.tag", "$v")


def test_data_of_a_newer_release_say_so():
    for tag in ("customer/2", "customer/999999999"):
        with pytest.raises(SchemaVersionError, match=tag):
            from_dict({"$v": tag, "id": []})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"\xff\xfe\xfd",
        b'{"$v": "customer/1", "id": "\xff"}',
        "[" * 100_000,
        '{"a":' * 100_000,
        "1" * 5000,
        "null",
        "[]",
        '"x"',
        "NaN",
        None,
        5,
        ["x"],
    ],
    ids=range(14),
)
def test_what_is_no_json_object_is_refused(data):
    with pytest.raises(InvalidFieldError) as caught:
        loads(data)
    assert caught.value.code == "codec.json"


def test_lone_surrogates_and_numbers_that_json_lacks_do_not_come_in_by_escapes():
    assert faults('{"$v":"customer/1","id":"\\ud800"}', loads) == {("id", "text.surrogate")}
    assert faults(b'{"$v":"customer/1","id":"\xed\xa0\x80"}', loads) == {("id", "text.surrogate")}
    assert faults('{"$v":"customer/1","x":NaN}', loads) == {("extra", "json.number")}
    assert faults('{"$v":"customer/1","x":1e999}', loads) == {("extra", "json.number")}
    assert faults('{"$v":"customer/1","id":"\\u0000"}', loads) == {("id", "text.nul")}


def test_deep_nesting_is_refused_and_moderate_nesting_kept():
    def nested(depth):
        return json.dumps(CUSTOMER)[:-1] + ',"deep":' + "[" * depth + "]" * depth + "}"

    assert dumps(loads(nested(31))).count(b"[") == 31
    assert faults(nested(32), loads) == {("extra", "json.depth")}
    assert faults(nested(900), loads) == {("extra", "json.depth")}


def faults_or_none(data):
    """The faults of data, or none where they make an object that comes back equal."""
    try:
        obj = from_dict(data)
    except InvalidRecordError as error:
        return error.exceptions
    assert from_dict(to_dict(obj)) == obj
    assert loads(dumps(obj)) == obj
    return ()


keys = st.sampled_from(
    ["$v", "id", "version", "names", "given", "emails", "value", "amount", "minor", "currency", "extra", "kind", "x"]
)
tags = st.sampled_from([f"{kind}/1" for kind in FULL])
junk = st.recursive(
    json_values | st.text(max_size=3) | st.floats() | st.just("2026-01-31T12:00:00Z"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=10,
)


@quick
@given(tags, st.dictionaries(keys, junk, max_size=6))
def test_no_foreign_error_escapes_whatever_comes_in(tag, data):
    for fault in faults_or_none(data | {"$v": tag}):
        assert fault.path
        assert fault.code


@quick
@given(st.sampled_from(sorted(FULL)), st.data())
def test_one_field_of_a_good_object_replaced_by_junk_is_accepted_or_named(kind, data):
    good = to_dict(FULL[kind])
    name = data.draw(st.sampled_from(sorted(good.keys() - {"$v"})))
    changed = good | {name: data.draw(junk)}
    for fault in faults_or_none(changed):
        assert fault.path.startswith((name, "merged_into", "extra", "amount"))


@quick
@given(st.binary(max_size=60) | st.text(max_size=60))
def test_no_foreign_error_escapes_whatever_bytes_come_in(data):
    with pytest.raises(CustInfoError):
        loads(data)

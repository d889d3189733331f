"""Quick ways of reading and writing: the same objects, bytes and errors as the thorough ones."""

from __future__ import annotations

import json
import sys
from datetime import date, datetime
from types import MappingProxyType

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_examples import FULL, entities, json_values, quick

from custinfo.errors import CustInfoError, InvalidRecordError
from custinfo.model import Account, Customer, PersonName, _codec, _json, dumps, from_dict, loads, plain_value, to_dict
from custinfo.model._convert import read_thoroughly
from custinfo.model._entities import ENTITIES, VALUES
from custinfo.model._reading import quick_reader
from custinfo.model._writing import _write_time

pytest.importorskip("msgspec")
ACCOUNT = {"$v": "account/1", "id": "a1", "customer_id": "c1", "currency": "CNY"}


@pytest.fixture
def standard_only(monkeypatch):
    monkeypatch.setattr(_json, "_FAST", None)


def in_both_ways(call):
    """What a call gives with msgspec and without: its value, or the codes and paths of its error."""
    results = []
    with pytest.MonkeyPatch.context() as patch:
        for fast in (_json._msgspec(), None):
            patch.setattr(_json, "_FAST", fast)
            try:
                results.append(call())
            except InvalidRecordError as error:
                results.append(sorted((fault.path, fault.code) for fault in error.exceptions))
            except CustInfoError as error:
                results.append(error.code)
    return results


@quick
@given(entities)
def test_the_bytes_are_the_same_with_and_without_msgspec(obj):
    fast, standard = in_both_ways(lambda: dumps(obj))
    assert fast == standard == json.dumps(to_dict(obj), ensure_ascii=False, separators=(",", ":")).encode()
    assert in_both_ways(lambda: loads(fast)) == [obj, obj]


@quick
@given(st.dictionaries(st.text(max_size=4), st.text(st.characters(exclude_categories=["Cs"]), max_size=9)))
def test_every_character_is_escaped_alike(texts):
    fast, standard = in_both_ways(lambda: _json.encoded(texts, without_floats=True))
    assert fast == standard


@pytest.mark.parametrize("number", [1e16, 1e-7, 2.0, 5e-324, 1.7976931348623157e308, 2**64, -(2**80), 2**63 - 1])
def test_numbers_of_unknown_keys_come_back_as_they_were(number):
    account = from_dict({**ACCOUNT, "x": number})
    fast, standard = in_both_ways(lambda: dumps(account))
    assert fast == standard
    (one, other) = in_both_ways(lambda: loads(fast).extra["x"])
    assert one == other == number
    assert type(one) is type(other) is type(number)


@pytest.mark.parametrize(
    "tail",
    [
        b'"x":NaN}',
        b'"x":1e999}',
        b'"x":-Infinity}',
        b'"x":"\\ud800"}',
        b'"x":"\xed\xa0\x80"}',
        b'"x":"\\u0000"}',
        b'"x":' + b"9" * 400 + b"}",
        b'"x":' + b"9" * 5000 + b"}",
        b'"x":' + b"[" * 40 + b"]" * 40 + b"}",
        b'"x":' + b"[" * 2000 + b"]" * 2000 + b"}",
        b'"x":' + b"[" * 90_000,
        b'"x":1,"x":2} ',
        b'"x":01}',
        b'"x":1}}',
        b'"x":1,}',
        b'"x":"\xff"}',
        b'"x":"\t"}',
        b'"name":5,"status":"gone"}',
    ],
    ids=range(18),
)
def test_odd_json_is_read_alike(tail):
    text = json.dumps(ACCOUNT).encode()[:-1] + b"," + tail
    fast, standard = in_both_ways(lambda: loads(text))
    assert fast == standard


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32-le"])
def test_other_encodings_of_unicode_are_read_alike(encoding):
    text = json.dumps(ACCOUNT).encode(encoding)
    assert in_both_ways(lambda: loads(text)) == [from_dict(ACCOUNT)] * 2


@pytest.mark.usefixtures("standard_only")
@pytest.mark.parametrize("form", ["{}", " {} ", "\n{}\r\n"])
def test_white_space_around_does_not_matter(form):
    text = form.format(json.dumps(ACCOUNT))
    assert loads(text) == loads(text.encode()) == from_dict(ACCOUNT)


def test_a_subclass_of_str_is_written_as_its_text():
    class Name(str):
        __slots__ = ()

    customer = Customer(id="c1", names=[PersonName(full=Name("张伟"))])
    assert in_both_ways(lambda: dumps(customer)) == [dumps(Customer(id="c1", names=[PersonName(full="张伟")]))] * 2


def test_without_msgspec_the_standard_module_does_it_all(monkeypatch):
    monkeypatch.setitem(sys.modules, "msgspec", None)
    assert _json._msgspec() is None


def test_mappings_and_tuples_are_read_like_dicts_and_lists():
    person = MappingProxyType({"full": "Rosa Prar"})
    data = MappingProxyType({"$v": "customer/1", "id": "c1", "names": (person,), "notes": ("a", "b")})
    assert from_dict(data) == Customer(id="c1", names=[PersonName(full="Rosa Prar")], notes=["a", "b"])


def test_only_objects_without_floats_and_free_json_are_written_by_msgspec(monkeypatch):
    written = []
    monkeypatch.setattr(_codec, "encoded", lambda values, *, without_floats: written.append(without_floats) or b"")
    for obj in (Customer(id="c1"), Customer(id="c1", extra={"x": 1.5}), FULL["account"], FULL["reviewtask"]):
        dumps(obj)
    assert written == [True, False, False, False]
    assert _codec._loose_fields(Account) == ("extra",)
    assert not _codec._has_no_floats(tuple[float, ...])
    assert _codec._has_no_floats(tuple[int | None, ...])


@quick
@given(entities)
def test_good_data_are_read_the_quick_way_and_as_the_thorough_one_reads_them(obj):
    data = to_dict(obj)
    assert quick_reader(type(obj))(data) == read_thoroughly(data, type(obj)) == obj


def written_slowly(value):
    """Field by field, without regard to what is declared of them."""
    if attrs.has(type(value)):
        fields = [field for field in attrs.fields(type(value)) if field.name != "extra"]
        fields.sort(key=lambda field: field.default is not attrs.NOTHING and field.name != "id")
        values = {field.name: getattr(value, field.name) for field in fields}
        defaults = {
            field.name: field.default.factory() if hasattr(field.default, "factory") else field.default
            for field in fields
            if field.name != "id"
        }
        return {name: written_slowly(one) for name, one in values.items() if defaults.get(name, attrs) != one}
    if isinstance(value, tuple):
        return [written_slowly(one) for one in value]
    return value.isoformat() if isinstance(value, date) else getattr(value, "value", value)


@quick
@given(entities)
def test_what_is_written_is_every_field_that_is_not_at_its_default(obj):
    expected = written_slowly(obj)
    assert plain_value(obj) == expected
    assert to_dict(obj) == {"$v": to_dict(obj)["$v"], **expected, **obj.extra}
    assert list(to_dict(obj)) == ["$v", *expected, *obj.extra]


@pytest.mark.parametrize("kind", FULL)
def test_nothing_but_the_types_of_json_is_written(kind):
    def check(value):
        assert type(value) in (dict, list, str, int, float, bool, type(None))
        for inner in value.values() if type(value) is dict else value if type(value) is list else ():
            check(inner)

    check(to_dict(FULL[kind]))


@pytest.mark.parametrize("kind", FULL)
def test_null_is_read_as_what_is_left_out(kind):
    cls, whole = ENTITIES[kind], to_dict(FULL[kind])
    for name in [field.name for field in attrs.fields(cls) if field.default is None]:
        without = {key: value for key, value in whole.items() if key != name}
        try:
            expected = from_dict(without)
        except InvalidRecordError:  # another field needs it
            continue
        assert quick_reader(cls)({**without, name: None}) == expected


@pytest.mark.parametrize("cls", [*ENTITIES.values(), *VALUES])
def test_defaults_are_what_converters_and_validators_would_leave(cls):
    """The quick reading takes them unchecked."""
    for field in attrs.fields(cls):
        default = field.default
        if default is attrs.NOTHING or field.name == "extra":
            continue
        value = default.factory() if hasattr(default, "factory") else default
        if field.converter is not None:
            assert field.converter(value, None, field) == value
        if field.validator is not None:
            field.validator(None, field, value)


@quick
@given(st.sampled_from(sorted(FULL)), st.data())
def test_junk_is_refused_by_both_ways_or_by_none(kind, data):
    good = to_dict(FULL[kind])
    changed = good | {data.draw(st.sampled_from(sorted(good))): data.draw(json_values), "$v": good["$v"]}
    cls = ENTITIES[kind]
    try:
        expected = read_thoroughly(changed, cls)
    except InvalidRecordError:
        with pytest.raises((ArithmeticError, AttributeError, LookupError, TypeError, ValueError)):
            quick_reader(cls)(changed)
    else:
        assert quick_reader(cls)(changed) == expected


@pytest.mark.parametrize("junk", ["", "value", b"", 5, None, [], [["value", "x"]], True])
def test_what_is_no_object_is_not_taken_for_an_empty_one(junk):
    for field in ("emails", "names", "addresses", "tags"):
        with pytest.raises(InvalidRecordError):
            from_dict({"$v": "customer/1", "id": "c1", field: [junk]})


@quick
@given(st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=st.timezones()))
def test_times_are_written_as_isoformat_writes_them(time):
    customer = Customer(id="c1", created_at=time)
    assert to_dict(customer)["created_at"] == customer.created_at.isoformat()
    assert plain_value(time) == time.isoformat()
    assert _write_time(time) == time.isoformat()
    assert _write_time(None) is None

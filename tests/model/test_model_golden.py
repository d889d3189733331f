"""The JSON form (experimental until custinfo 1.0): what was written once is read forever, the same way.

A change of the present golden files is a change of the stored form: it needs a new version, a golden file of it, and an
upcaster that reads the old one.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from model_examples import FULL

from custinfo.errors import InvalidRecordError, SchemaVersionError
from custinfo.model import Customer, PersonName, _codec, _upcast, dumps, from_dict, json_schema, loads, to_dict
from custinfo.model._entities import ENTITIES
from custinfo.model._upcast import UPCASTERS, version_of

GOLDEN = Path(__file__).parent / "golden"
VERSIONS = [(kind, version) for kind in ENTITIES for version in range(1, version_of(kind) + 1)]


def test_every_version_of_every_stored_class_has_a_golden_file():
    assert {path.name for path in GOLDEN.iterdir()} == {f"{kind}-{version}.json" for kind, version in VERSIONS}
    assert set(FULL) == set(ENTITIES)


def test_every_upcaster_leads_to_the_present_version():
    assert {(kind, version) for kind, version in VERSIONS if version < version_of(kind)} == set(UPCASTERS)


@pytest.mark.parametrize(("kind", "version"), VERSIONS)
def test_the_golden_file_of_every_version_reads_as_the_object(kind, version):
    text = (GOLDEN / f"{kind}-{version}.json").read_text("utf-8")
    assert json.loads(text)["$v"] == f"{kind}/{version}"
    assert loads(text) == FULL[kind]


@pytest.mark.parametrize("kind", FULL)
def test_the_present_golden_file_is_what_is_written(kind):
    text = (GOLDEN / f"{kind}-{version_of(kind)}.json").read_text("utf-8")
    assert json.loads(dumps(FULL[kind])) == json.loads(text)
    assert list(json.loads(dumps(FULL[kind]))) == list(json.loads(text))


@pytest.fixture
def two_steps(monkeypatch):
    """As if a customer of version 1 had one name in `name`, and one of version 2 a list of them in `people`."""

    def to_2(data):
        return {key: value for key, value in data.items() if key != "name"} | {"people": [data["name"].title()]}

    def to_3(data):
        people = data["people"]
        return {key: value for key, value in data.items() if key != "people"} | {"names": [{"full": x} for x in people]}

    monkeypatch.setitem(UPCASTERS, ("customer", 1), to_2)
    monkeypatch.setitem(UPCASTERS, ("customer", 2), to_3)
    monkeypatch.setitem(_codec._TAGS, Customer, "customer/3")
    monkeypatch.setattr(_codec, "_TAGGED", {tag: cls for cls, tag in _codec._TAGS.items()})


@pytest.mark.usefixtures("two_steps")
def test_older_versions_are_upcast_step_by_step_and_written_as_the_present_one():
    wanted = Customer(id="c1", names=[PersonName(full="Rosa Prar")], extra={"x-later": [1]})
    first = {"$v": "customer/1", "id": "c1", "name": "rosa prar", "x-later": [1]}
    untouched = json.dumps(first)
    second = {"$v": "customer/2", "id": "c1", "people": ["Rosa Prar"], "x-later": [1]}
    assert from_dict(first) == from_dict(second) == from_dict(to_dict(wanted)) == wanted
    assert loads(json.dumps(first)) == wanted
    assert json.dumps(first) == untouched
    assert to_dict(wanted)["$v"] == "customer/3" == json_schema(Customer)["properties"]["$v"]["const"]


@pytest.mark.usefixtures("two_steps")
def test_a_version_above_the_present_one_is_refused():
    with pytest.raises(SchemaVersionError, match=re.escape("customer/4 was written by a newer custinfo")):
        from_dict({"$v": "customer/4", "id": "c1"})


@pytest.mark.usefixtures("two_steps")
@pytest.mark.parametrize("data", [{}, {"name": 5}, {"name": ["Sésame-4711"]}])
def test_data_that_an_upcaster_cannot_read_are_a_fault_with_a_code_and_no_value(data):
    with pytest.raises(InvalidRecordError, match=r"mend \$v \(codec.upcast\)$") as caught:
        from_dict({"$v": "customer/1", "id": "c1", **data})
    assert [(fault.path, fault.code) for fault in caught.value.exceptions] == [("$v", "codec.upcast")]
    assert caught.value.__suppress_context__


@pytest.mark.usefixtures("two_steps")
def test_what_is_wrong_after_the_steps_is_named_in_the_present_form():
    with pytest.raises(InvalidRecordError) as caught:
        from_dict({"$v": "customer/2", "id": 5, "people": [7]})
    found = [(fault.path, fault.code) for fault in caught.value.exceptions]
    assert found == [("id", "text.type"), ("names[0].full", "text.type")]


def test_upcast_leaves_the_present_version_as_it_is():
    data = {"$v": "account/1", "id": "a1"}
    assert _upcast.upcast(data, "account", 1) == data

"""Fields of one's own: what is declared is kept, by its type, where its flag says."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_examples import quick

from custinfo.crypto import FieldCipher, Keyring, LocalKeyProvider, MemoryKeyStore
from custinfo.errors import InvalidFieldError, InvalidRecordError, SchemaVersionError
from custinfo.model import Customer, CustomField, CustomFields, dumps, loads, personal_fields
from custinfo.store import Collection, MemoryStore

FIELDS = CustomFields(
    [
        CustomField("fleet_size", int, pii=False, description="cars that the firm has"),
        CustomField("allergy", str, description="what he must not eat"),
        CustomField("discount", Decimal, pii=False),
        CustomField("vip_since", date),
        CustomField("last_visit", datetime, pii=False),
        CustomField("wants_paper", bool, required=True),
        CustomField("grade", str, pii=False, choices=["A", "B"]),
    ],
    version=2,
)
NOBODY = Customer(id="c1")


def declared(**options):
    return {"name": "a", "type": "int"} | options


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)
values = st.fixed_dictionaries(
    {},
    optional={
        "fleet_size": st.integers(-(2**63), 2**63 - 1),
        "allergy": texts,
        "discount": st.decimals(allow_nan=False, allow_infinity=False),
        "vip_since": st.dates(),
        "last_visit": st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=st.timezones()),
        "wants_paper": st.booleans(),
        "grade": st.sampled_from(["A", "B"]),
    },
)


def codes(call):
    with pytest.raises(InvalidRecordError) as caught:
        call()
    assert "Sésame" not in str(caught.value)
    return [(fault.path, fault.code) for fault in caught.value.exceptions]


@quick
@given(values)
def test_values_come_back_as_they_were_through_json_too(given_values):
    customer = loads(dumps(FIELDS.put(NOBODY, **given_values)))
    found = FIELDS.get(customer)
    assert found == given_values
    assert {name: type(value) for name, value in found.items()} == {
        name: type(value) for name, value in given_values.items()
    }
    assert set(customer.custom) == set(given_values) & {"allergy", "vip_since", "wants_paper"}
    assert list(found) == [name for name in FIELDS.fields if name in given_values]


def test_the_flag_decides_what_is_encrypted():
    store = MemoryStore()
    keyring = Keyring(LocalKeyProvider(b"k" * 32), MemoryKeyStore())
    customers = Collection(store, Customer, FieldCipher(keyring))
    customers.put(FIELDS.put(NOBODY, fleet_size=12_345_678, allergy="hazelnuts"))
    with store.unit(write=False) as unit:
        data = unit.get("customer", ["c1"])[0].data
    assert b"fleet_size" in data
    assert b"12345678" in data
    assert b"hazelnuts" not in data
    assert b"allergy" not in data
    assert FIELDS.get(customers.get("c1")) == {"fleet_size": 12_345_678, "allergy": "hazelnuts"}
    assert {"custom", "custom_plain"} & personal_fields(Customer) == {"custom"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("fleet_size", "12"),
        ("fleet_size", 1.5),
        ("fleet_size", True),
        ("fleet_size", 2**63),
        ("allergy", 5),
        ("discount", 1.5),
        ("discount", Decimal("NaN")),
        ("vip_since", datetime(2026, 1, 31, tzinfo=UTC)),
        ("vip_since", "2026-01-31"),
        ("last_visit", datetime(2026, 1, 31)),
        ("last_visit", date(2026, 1, 31)),
        ("wants_paper", 1),
    ],
)
def test_a_value_of_another_type_is_refused(name, value):
    assert codes(lambda: FIELDS.put(NOBODY, **{name: value})) == [(name, "custom.value")]


def test_all_that_is_wrong_is_told_at_once_without_the_values():
    wrong = {"fleet_size": "Sésame", "grade": "Sésame", "shoe": "Sésame", "allergy": "Sésame\0"}
    assert codes(lambda: FIELDS.put(NOBODY, **wrong)) == [
        ("fleet_size", "custom.value"),
        ("grade", "custom.choice"),
        ("custom", "custom.unknown"),
        ("allergy", "text.nul"),
    ]


def test_what_a_customer_has_is_checked_whole():
    FIELDS.check(FIELDS.put(NOBODY, wants_paper=False))
    assert codes(lambda: FIELDS.check(NOBODY)) == [("wants_paper", "custom.required")]
    stored = Customer(
        id="c1",
        custom={"wants_paper": "yes", "shoe": 44, "vip_since": "31.1.2026"},
        custom_plain={"allergy": "nuts", "grade": "C", "discount": "Sésame"},
    )
    assert sorted(codes(lambda: FIELDS.check(stored))) == [
        ("allergy", "custom.personal"),
        ("custom", "custom.unknown"),
        ("discount", "custom.value"),
        ("grade", "custom.choice"),
        ("vip_since", "custom.value"),
        ("wants_paper", "custom.value"),
    ]
    assert len(codes(lambda: FIELDS.get(stored))) == 3


def test_none_takes_a_value_away_and_others_stay():
    customer = FIELDS.put(FIELDS.put(NOBODY, fleet_size=1, allergy="nuts"), allergy=None)
    assert FIELDS.get(customer) == {"fleet_size": 1}
    assert FIELDS.put(customer) == customer


def test_a_value_that_lay_in_clear_moves_when_it_becomes_personal():
    before = Customer(id="c1", custom_plain={"allergy": "nuts"})
    after = FIELDS.put(before, allergy="hazelnuts")
    assert (after.custom, after.custom_plain) == ({"allergy": "hazelnuts"}, {})


def test_declarations_are_versioned_and_kept_as_json():
    assert CustomFields.from_dict(FIELDS.to_dict()) == FIELDS
    later = CustomFields([*FIELDS.fields.values(), CustomField("colour", str)], version=3)
    later.succeeds(FIELDS)
    for fields, version, code in (
        (FIELDS.fields, 2, "custom.version"),
        ([CustomField("fleet_size", str, pii=False)], 3, "custom.incompatible"),
        ([CustomField("allergy", str, pii=False)], 3, "custom.incompatible"),
    ):
        with pytest.raises(InvalidFieldError) as caught:
            CustomFields(fields, version=version).succeeds(FIELDS)
        assert caught.value.code == code
    CustomFields([CustomField("fleet_size", int)], version=3).succeeds(FIELDS)


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: CustomField("Fleet", int), "custom.name"),
        (lambda: CustomField("", int), "custom.name"),
        (lambda: CustomField("a" * 65, int), "custom.name"),
        (lambda: CustomField(5, int), "custom.name"),
        (lambda: CustomField("a", float), "custom.type"),
        (lambda: CustomField("a", "int"), "custom.type"),
        (lambda: CustomField("a", int, choices=["1"]), "custom.choices"),
        (lambda: CustomField("a", int, description=5), "text.type"),
        (lambda: CustomFields([CustomField("a", int), CustomField("a", str)]), "custom.repeated"),
        (lambda: CustomFields([], version=0), "custom.version"),
        (lambda: CustomFields([], version="1"), "custom.version"),
        (lambda: CustomFields.from_dict({}), "custom.json"),
        (lambda: CustomFields.from_dict({"version": 1, "fields": [5]}), "custom.json"),
        (
            lambda: CustomFields.from_dict({"version": 1, "fields": [{"name": "a", "type": "int", "choices": 5}]}),
            "custom.choices",
        ),
        (lambda: CustomFields.from_dict({"version": 1, "fields": [{"type": "int"}]}), "custom.name"),
        (lambda: CustomFields.from_dict({"version": 1, "fields": [declared(pii=None)]}), "bool.type"),
        (lambda: CustomField("a", []), "custom.type"),
        (lambda: CustomField("a", str, choices="abc"), "custom.choices"),
        (lambda: CustomField("a", int, choices=5), "custom.choices"),
        (lambda: CustomField("a", int, pii=None), "bool.type"),
        (lambda: CustomField("a", int, pii="no"), "bool.type"),
        (lambda: CustomField("a", int, required=1), "bool.type"),
        (lambda: CustomFields(["a"]), "field.type"),
        (lambda: CustomFields(None), "field.type"),
        (lambda: CustomFields(CustomField("a", int)), "field.type"),
        (lambda: FIELDS.put(None, fleet_size=1), "field.type"),
        (lambda: FIELDS.get(5), "field.type"),
        (lambda: FIELDS.check({}), "field.type"),
        (lambda: FIELDS.succeeds(None), "field.type"),
    ],
)
def test_a_declaration_that_says_nonsense_is_refused(make, code):
    with pytest.raises(InvalidFieldError) as caught:
        make()
    assert caught.value.code == code


def test_declarations_go_to_other_processes_and_can_be_keys():
    for same in (copy.copy(FIELDS), copy.deepcopy(FIELDS), pickle.loads(pickle.dumps(FIELDS))):
        assert (same, hash(same)) == (FIELDS, hash(FIELDS))


@pytest.mark.parametrize("field", [declared(type="money"), declared(unit="kg"), declared(type=[]), declared(type=None)])
def test_declarations_of_a_newer_release_are_told_as_such(field):
    with pytest.raises(SchemaVersionError):
        CustomFields.from_dict({"version": 1, "fields": [field]})


def test_times_are_kept_in_utc_and_declarations_cannot_be_changed():
    local = datetime(2026, 1, 31, 20, tzinfo=timezone(timedelta(hours=8)))
    assert FIELDS.put(NOBODY, last_visit=local).custom_plain == {"last_visit": "2026-01-31T12:00:00+00:00"}
    with pytest.raises(TypeError):
        FIELDS.fields["other"] = FIELDS.fields["grade"]
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        FIELDS.version = 3

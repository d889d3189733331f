"""The field catalogue: every field of every stored class is declared, and everything else reads that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import pytest
from model_examples import FILLED, FULL

import custinfo.model
from custinfo.errors import InvalidFieldError
from custinfo.model import Customer, Email, Money, Transaction, catalogue, fields_of, kind_of, mask, personal_fields
from custinfo.model._entities import ENTITIES, VALUES
from custinfo.model._field import Index, personal, plain
from custinfo.model._fields_page import page

ROOT = Path(custinfo.model.__file__).parents[3]
CLASSES = [*ENTITIES.values(), *VALUES]


@pytest.mark.parametrize("cls", CLASSES)
def test_every_field_has_an_entry_and_every_entry_is_complete(cls):
    entries = {info.path: info for info in fields_of(cls)}
    assert {path for path in entries if "." not in path} == {field.name for field in attrs.fields(cls)}
    for info in entries.values():
        assert info.type
        assert info.description
        assert any("一" <= c <= "鿿" for c in info.description_zh)
        assert info.level in {"C1", "C2", "C3"}
        assert info.retention in {"customer", "ledger"}
        assert info.personal == (info.pii not in {"none", "pseudonym"})
        if info.personal:
            assert mask("some value", info.mask) != "some value"
        else:
            assert info.mask == "clear"


@pytest.mark.parametrize("cls", CLASSES)
def test_every_personal_field_is_left_out_of_repr(cls):
    shown = {field.name for field in attrs.fields(cls) if field.repr}
    assert not shown & personal_fields(cls)


@pytest.mark.parametrize("kind", FILLED)
def test_no_repr_shows_a_personal_value(kind):
    shown = repr(FILLED[kind]).replace("Example Shop", "")
    for value in ("Rosa", "Prar", "张", "example", "138", "Example", "TEST", "1980", "window", "blue", "bill", "L-77"):
        assert value not in shown
    for value in ("4711", "0123", "unionpay", "Xt5E", "nuts", "10001000100", "1000000", "EMPLOYER", "2027"):
        assert value not in shown


def test_only_what_can_authenticate_is_of_level_c3():
    found = {f"{kind}.{info.path}" for kind, fields in catalogue().items() for info in fields if info.level == "C3"}
    assert found == {"paymentmethod.exp_month", "paymentmethod.exp_year"}


def test_the_fields_of_payment_methods_and_handles_have_the_classes_that_they_are_of():
    classes = {f"{kind}.{info.path}": info.pii for kind, fields in catalogue().items() for info in fields}
    for path in ("token", "brand", "last4", "exp_month", "fingerprint", "issuer", "mandate"):
        assert classes[f"paymentmethod.{path}"] == "financial"
    assert classes["account.credit_limit"] == classes["coupon.code"] == "financial"
    assert classes["customer.handles[].handle"] == "contact"
    assert classes["feedback.text"] == classes["customer.custom"] == classes["changerequest.changes"] == "content"
    assert classes["customer.custom_plain"] == "none"


@pytest.mark.parametrize("cls", CLASSES)
def test_every_class_is_frozen_slotted_and_keyword_only_beyond_two_fields(cls):
    assert "__slots__" in vars(cls)
    assert "__dict__" not in dir(cls)
    assert cls.__setattr__ is not object.__setattr__
    assert sum(not field.kw_only for field in attrs.fields(cls)) <= 2
    assert cls.__mro__ == (cls, object)
    obj = next((obj for obj in FULL.values() if type(obj) is cls), None)
    if obj is not None:
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            obj.id = "other"


def test_the_catalogue_has_all_stored_classes_and_nested_paths():
    assert list(catalogue()) == list(ENTITIES)
    assert [kind_of(cls) for cls in ENTITIES.values()] == list(ENTITIES)
    paths = {info.path: info for info in catalogue()["transaction"]}
    assert paths["amount.minor"].retention == "ledger"
    assert (paths["occurred_at"].type, paths["amount"].type, paths["extra"].type) == (
        "datetime",
        "Money",
        "Mapping[str, Any]",
    )
    assert {info.path: info.type for info in fields_of(Customer)}["names"] == "tuple[PersonName, ...]"


def test_a_field_without_a_declaration_fails():
    @attrs.frozen
    class Careless:
        id: str = plain("id", "编号")
        nickname: str = attrs.field(default="")

    for call in (fields_of, personal_fields):
        with pytest.raises(InvalidFieldError, match="'nickname'") as caught:
            call(Careless)
        assert caught.value.code == "catalogue.missing"


def test_a_personal_field_is_kept_out_of_repr_even_where_it_is_asked_for():
    @attrs.frozen
    class Asked:
        secret: str = personal("identity", "secret", "秘密", repr=True)

    assert "4711" not in repr(Asked("4711"))


@pytest.mark.parametrize("cls", [5, None, str, dict, [], "Customer", Customer(id="c1")])
def test_what_is_no_model_class_has_no_catalogue(cls):
    with pytest.raises(InvalidFieldError) as caught:
        fields_of(cls)
    assert caught.value.code == "catalogue.class"


@pytest.mark.parametrize(
    ("declare", "code"),
    [
        (lambda: personal("none", "x", "值"), "catalogue.pii"),
        (lambda: personal("secret", "x", "值"), "catalogue.pii"),
        (lambda: plain("x", "值", pii="contact"), "catalogue.pii"),
        (lambda: personal("contact", "x", "值", mask="clear"), "catalogue.mask"),
        (lambda: personal("contact", "x", "值", mask="blur"), "catalogue.mask"),
        (lambda: personal("contact", "x", "值", level=""), "catalogue.level"),
        (lambda: plain("x", "值", level="C4"), "catalogue.level"),
        (lambda: plain("x", "值", retention="forever"), "catalogue.retention"),
        (lambda: plain("", "值"), "catalogue.description"),
        (lambda: personal("contact", "x", ""), "catalogue.description"),
    ],
)
def test_a_declaration_that_says_nonsense_is_refused(declare, code):
    with pytest.raises(InvalidFieldError) as caught:
        declare()
    assert caught.value.code == code


def test_an_entry_says_what_was_declared():
    index = Index(name="badge", text=lambda badge: badge.value)

    @attrs.frozen
    class Badge:
        value: str = personal("identity", "badge", "工牌", level="C3", mask="last4", index=index, retention="ledger")

    (entry,) = fields_of(Badge)
    assert attrs.asdict(entry) == {
        "path": "value",
        "type": "str",
        "pii": "identity",
        "level": "C3",
        "mask": "last4",
        "index": "badge",
        "retention": "ledger",
        "description": "badge",
        "description_zh": "工牌",
    }


def test_types_are_told_without_their_modules():
    types: dict[str, Any] = {info.path: info.type for cls in (Transaction, Email, Money) for info in fields_of(cls)}
    assert types["kind"] == "TransactionKind"
    assert types["verified_at"] == "datetime | None"
    assert types["minor"] == "int"


def test_the_page_of_fields_is_generated_from_the_catalogue():
    written = ROOT / "docs" / "reference" / "fields.md"
    if not written.exists():
        pytest.skip("the documentation is not beside the package")
    assert written.read_text("utf-8") == page(), "run: python -m custinfo.model._fields_page > docs/reference/fields.md"

"""Constructors: whatever is passed, a good object or an error of ours with code and path."""

from __future__ import annotations

import itertools
import traceback
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo

import attrs
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_examples import FULL, NOON, quick

from custinfo.errors import InvalidFieldError
from custinfo.model import (
    Account,
    AccountStatus,
    Address,
    Channel,
    Consent,
    Customer,
    CustomerKind,
    CustomerStatus,
    Direction,
    Email,
    Identifier,
    Interaction,
    Merge,
    Money,
    NameUse,
    PersonName,
    Phone,
    ReviewTask,
    Tag,
    Transaction,
    TransactionKind,
    TransactionStatus,
    dumps,
    loads,
)

SECRET = "Sésame-4711"
DOLLAR = Money(100, "USD")
WEST = timezone(-timedelta(hours=1))


class NoOffset(tzinfo):
    """A zone that does not know its offset: times in it are naive."""

    def utcoffset(self, _):
        return None


def talk(**changes):
    return Interaction(**{"customer_id": "c1", "channel": "sms", "direction": "in", "occurred_at": NOON} | changes)


def refusal(make):
    with pytest.raises(InvalidFieldError) as caught:
        make()
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert caught.value.code
    assert str(caught.value)
    return caught.value.path, caught.value.code


@pytest.mark.parametrize(
    ("make", "path", "code"),
    [
        (lambda: Email(5), "value", "text.type"),
        (lambda: Email(None), "value", "text.type"),
        (lambda: Email(b"r@example.com"), "value", "text.type"),
        (lambda: Email(""), "value", "text.empty"),
        (lambda: Email("\u3000 "), "value", "text.empty"),
        (lambda: Email(SECRET + "\0"), "value", "text.nul"),
        (lambda: Email(SECRET + "\ud83d"), "value", "text.surrogate"),
        (lambda: Email(SECRET * 100), "value", "text.too_long"),
        (lambda: Email("r@example.com", label=5), "label", "text.type"),
        (lambda: Email("r@example.com", verified_at="2026-01-31"), "verified_at", "time.type"),
        (lambda: Email("r@example.com", verified_at=date(2026, 1, 31)), "verified_at", "time.type"),
        (lambda: Email("r@example.com", verified_at=datetime(2026, 1, 31)), "verified_at", "time.naive"),
        (lambda: Email("r@example.com", verified_at=pd.NaT), "verified_at", "time.naive"),
        (lambda: Phone(13800138000), "value", "text.type"),
        (lambda: Tag(None), "name", "text.type"),
        (lambda: Identifier(scheme="external", value=5), "value", "text.type"),
        (lambda: Identifier(scheme="", value="1"), "scheme", "text.empty"),
        (lambda: Identifier(scheme="x", value="1", issuer=" "), "issuer", "text.empty"),
        (lambda: Identifier(scheme="x" * 400, value="y" * 400, issuer="z" * 400), "value", "text.too_long"),
        (lambda: Identifier(scheme="|" * 400, value="|" * 400), "value", "text.too_long"),
        (lambda: PersonName(), "full", "name.empty"),
        (lambda: PersonName(given="", full=""), "full", "name.empty"),
        (lambda: PersonName(given=5), "given", "text.type"),
        (lambda: PersonName(given=SECRET, use=SECRET), "use", "enum.unknown"),
        (lambda: PersonName(given=SECRET, family_first="no"), "family_first", "bool.type"),
        (lambda: Address(), "address_lines", "address.empty"),
        (lambda: Address(label="home", address_lines=[]), "address_lines", "address.empty"),
        (lambda: Address(address_lines=5), "address_lines", "field.type"),
        (lambda: Address(address_lines=b"x"), "address_lines", "field.type"),
        (lambda: Address(address_lines=[SECRET, 5]), "address_lines[1]", "text.type"),
        (lambda: Customer(id=5), "id", "text.type"),
        (lambda: Customer(id="\0"), "id", "text.nul"),
        (lambda: Customer(id="x" * 1001), "id", "text.too_long"),
        (lambda: Customer(version=-1), "version", "int.range"),
        (lambda: Customer(version=None), "version", "int.type"),
        (lambda: Customer(version=np.int64(1)), "version", "int.type"),
        (lambda: Customer(kind="robot"), "kind", "enum.unknown"),
        (lambda: Customer(kind=[]), "kind", "enum.unknown"),
        (lambda: Customer(names=SECRET), "names", "field.type"),
        (lambda: Customer(names=None), "names", "field.type"),
        (lambda: Customer(names=5), "names", "field.type"),
        (lambda: Customer(names={"given": SECRET}), "names", "field.type"),
        (lambda: Customer(names={PersonName(given=SECRET)}), "names", "field.type"),
        (lambda: Customer(names=[SECRET]), "names[0]", "field.type"),
        (lambda: Customer(names=(PersonName(given="A"), None)), "names[1]", "field.type"),
        (lambda: Customer(emails=[Email("r@example.com"), {"value": SECRET}]), "emails[1]", "field.type"),
        (lambda: Customer(tags=["vip"]), "tags[0]", "field.type"),
        (lambda: Customer(notes=["\0"]), "notes[0]", "text.nul"),
        (lambda: Customer(birth_date=datetime(1980, 2, 29)), "birth_date", "date.type"),
        (lambda: Customer(birth_date="1980-02-29"), "birth_date", "date.type"),
        (lambda: Customer(sex=1), "sex", "text.type"),
        (lambda: Customer(status="merged"), "merged_into", "customer.merged"),
        (lambda: Customer(id="c1", merged_into="c1"), "merged_into", "customer.merged"),
        (lambda: Customer(extra=[]), "extra", "json.type"),
        (lambda: Customer(extra={"id": 1}), "extra", "extra.reserved"),
        (lambda: Customer(extra={"$v": "customer/2"}), "extra", "extra.reserved"),
        (lambda: Customer(extra={"x": {1, 2}}), "extra", "json.type"),
        (lambda: Customer(extra={"x": NOON}), "extra", "json.type"),
        (lambda: Customer(extra={1: "x"}), "extra", "text.type"),
        (lambda: Customer(extra={"x": float("nan")}), "extra", "json.number"),
        (lambda: Customer(created_at=datetime.max.replace(tzinfo=WEST)), "created_at", "time.range"),
        (lambda: Customer(created_at=datetime(2026, 1, 1, tzinfo=NoOffset())), "created_at", "time.naive"),
        (lambda: Account(customer_id="", currency="USD"), "customer_id", "text.empty"),
        (lambda: Account(customer_id="c1", currency="usd"), "currency", "currency.unknown"),
        (lambda: Account(customer_id="c1", currency=["USD"]), "currency", "currency.unknown"),
        (lambda: Account(customer_id="c1", currency="USD", status="frozen"), "status", "enum.unknown"),
        (lambda: Transaction(account_id="a1", amount=1, occurred_at=NOON), "amount", "field.type"),
        (lambda: Transaction(account_id="a1", amount=-DOLLAR, occurred_at=NOON), "amount", "transaction.negative"),
        (lambda: Transaction(account_id="a1", amount=DOLLAR, occurred_at=None), "occurred_at", "time.type"),
        (lambda: Transaction(account_id="a1", amount=DOLLAR, occurred_at=0), "occurred_at", "time.type"),
        (lambda: talk(channel="fax"), "channel", "enum.unknown"),
        (lambda: talk(direction="up"), "direction", "enum.unknown"),
        (lambda: Merge(survivor="c1", members=None), "members", "field.type"),
        (lambda: Merge(survivor="c1", members=["c1", " "]), "members[1]", "text.empty"),
        (lambda: Merge(survivor="c1", members=["c1"], before=None), "before", "field.type"),
        (lambda: Merge(survivor="c1", members=["c1"], before={5: 1}), "before", "text.type"),
        (lambda: Merge(survivor="c1", members=["c1"], after={"c": 1.0}), "after", "int.type"),
        (lambda: ReviewTask(reason="", customer_ids=[]), "reason", "text.empty"),
        (lambda: ReviewTask(reason="x", customer_ids=[], proposal={"a": object()}), "proposal", "json.type"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_with_path_and_code(make, path, code):
    assert refusal(make) == (path, code)


@pytest.mark.parametrize("kind", FULL)
@quick
@given(data=st.data())
def test_no_foreign_error_escapes_a_constructor_or_a_later_dump(kind, data):
    obj = FULL[kind]
    name = data.draw(st.sampled_from([field.name for field in attrs.fields(type(obj))]))
    junk = st.from_type(type).flatmap(st.from_type) | st.text() | st.lists(st.text() | st.integers()) | st.floats()
    try:
        changed = attrs.evolve(obj, **{name: data.draw(junk)})
    except InvalidFieldError as error:
        refused = (error.path, error.code)
    else:
        assert loads(dumps(changed)) == changed
        return
    # A rule across fields may name another one than the field that was changed.
    assert refused[0].partition("[")[0] in attrs.fields_dict(type(obj))
    assert refused[1]


def test_value_objects_of_one_thing_take_it_by_position():
    assert Email("r@example.com").value == "r@example.com"
    assert Phone("+8613800138000").value == "+8613800138000"
    assert Tag("vip").name == "vip"
    assert Money(5, "USD").minor == 5
    for call in (lambda: Email("a", "b"), lambda: Customer("c1"), lambda: PersonName("Rosa"), lambda: Address("x")):
        with pytest.raises(TypeError, match="positional"):
            call()


def test_lists_tuples_iterators_and_single_values_become_tuples():
    email = Email("r@example.com")
    for given_ in ([email], (email,), iter([email]), email):
        assert Customer(id="c1", emails=given_).emails == (email,)
    assert Address(address_lines="1 Example Road").address_lines == ("1 Example Road",)
    assert Customer(notes=np.array(["a", "b"])).notes == ("a", "b")


def test_enum_fields_take_text_and_members():
    assert Customer(kind="organization").kind is CustomerKind.ORGANIZATION
    assert Customer(kind=CustomerKind.PERSON, status="erased").status is CustomerStatus.ERASED
    assert PersonName(given="A", use="former").use is NameUse.FORMER
    account = Account(customer_id="c1", currency="USD", status="closed")
    assert account.status is AccountStatus.CLOSED
    paid = Transaction(account_id="a1", amount=DOLLAR, occurred_at=NOON, kind="payout", status="voided")
    assert (paid.kind, paid.status) == (TransactionKind.PAYOUT, TransactionStatus.VOIDED)
    for text, member in {"in": "inbound", "out": "outbound", "inbound": "inbound", "outbound": "outbound"}.items():
        assert talk(direction=text).direction is Direction(member)
    said = Consent(customer_id="c1", purpose="news", channel=Channel.SMS, status="withdrawn", captured_at=NOON)
    assert said.status == "withdrawn"


def test_times_of_any_zone_and_class_become_datetimes_in_utc():
    for when in (
        NOON,
        datetime(2026, 1, 31, 20, tzinfo=timezone(timedelta(hours=8))),
        pd.Timestamp("2026-01-31T13:00:00+01:00"),
        pd.Timestamp("2026-01-31T12:00:00", tz="UTC"),
    ):
        at = Customer(created_at=when).created_at
        assert at == NOON
        assert type(at) is datetime
        assert at.tzinfo is UTC


def test_an_object_keeps_its_own_copy_of_mappings():
    inner = {"a": [1]}
    customer = Customer(id="c1", extra={"x": inner})
    inner["a"].append(2)
    assert customer.extra == {"x": {"a": [1]}}
    before = {"customer/c1": 1}
    merge = Merge(survivor="c1", members=["c1"], before=before)
    before["customer/c1"] = 2
    assert merge.before == {"customer/c1": 1}


def test_ids_are_chosen_by_the_caller_or_made():
    assert Customer(id="店-1").id == "店-1"
    assert len(Customer().id) == 36
    assert Customer().id < Customer().id


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ({"given": "Rosa", "middle": "B.", "family": "Prar"}, "Rosa B. Prar"),
        ({"given": "Rosa", "middle": "B.", "family": "Prar", "family_first": True}, "Prar Rosa B."),
        ({"given": "伟", "family": "张", "family_first": True}, "张伟"),
        ({"given": "伟", "family": "张"}, "伟张"),
        ({"given": "Wei", "family": "张", "family_first": True}, "张 Wei"),
        ({"given": "Rosa", "family_first": True}, "Rosa"),
        ({"full": "Rosa Prar", "given": "R"}, "Rosa Prar"),
    ],
)
def test_the_text_of_a_name_is_as_it_is_written(parts, text):
    assert PersonName(**parts).text == text


@pytest.mark.parametrize(
    ("kind", "status", "signed"),
    [
        ("payment", "posted", 100),
        ("adjustment", "posted", 100),
        ("refund", "posted", -100),
        ("chargeback", "posted", -100),
        ("payout", "posted", -100),
        ("payment", "pending", 0),
        ("refund", "failed", 0),
        ("payout", "voided", 0),
    ],
)
def test_only_posted_transactions_count_with_the_sign_of_their_kind(kind, status, signed):
    paid = Transaction(account_id="a1", amount=DOLLAR, occurred_at=NOON, kind=kind, status=status)
    assert paid.signed_minor == signed


def test_an_adjustment_may_be_negative():
    paid = Transaction(account_id="a1", amount=-DOLLAR, occurred_at=NOON, kind="adjustment")
    assert paid.signed_minor == -100


def test_an_endless_iterable_is_refused_and_not_read_for_ever():
    with pytest.raises(InvalidFieldError) as caught:
        Customer(emails=itertools.count())
    assert (caught.value.code, caught.value.path) == ("field.type", "emails[0]")
    with pytest.raises(InvalidFieldError) as caught:
        Customer(notes=itertools.repeat("again"))
    assert (caught.value.code, caught.value.path) == ("field.too_many", "notes")

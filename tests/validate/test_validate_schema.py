"""Schemas: fields, rules, paths; the model's own rules."""

from __future__ import annotations

import datetime
import itertools
import tracemalloc

import attrs
import numpy as np
import pytest

from custinfo.errors import InvalidFieldError, InvalidRecordError
from custinfo.model import Address, Customer, Email, Identifier, PersonName, Phone
from custinfo.validate import Rule, Schema, date, email, phone
from custinfo.validate._paths import values_at
from custinfo.validate._placeholders import is_missing, is_placeholder
from custinfo.validate._schema_fields import fields_by_name


@attrs.frozen
class Contact:
    email: str
    phone: str | None = None


@attrs.frozen
class Firm:
    name: str
    contacts: tuple[Contact, ...] = ()
    opened_at: datetime.date | None = None
    closed_at: datetime.date | None = None
    parent: Firm | None = None
    website: str | None = None
    head_count: int = 0


def found(report: object) -> list[tuple[str, str]]:
    return [(issue.path, issue.code) for issue in report.issues]  # type: ignore[attr-defined]


def test_paths_name_the_member_that_is_wrong() -> None:
    schema = Schema.from_attrs(Firm, required=("contacts", "website"))
    firm = Firm("Example", contacts=(Contact("a@example.com"), Contact("nobody", "12"), Contact("N/A")))
    assert found(schema.check(firm)) == [
        ("contacts[1].email", "email.no_at"),
        ("contacts[2].email", "value.placeholder"),
        ("contacts[2].email", "email.no_at"),
        ("contacts[1].phone", "phone.no_region"),
        ("website", "value.missing"),
    ]


def test_mappings_and_objects_are_read_alike() -> None:
    schema = Schema({"contacts[].email": email, "born": date}, required=("born",))
    row = {"contacts": [{"email": "x"}], "born": None}
    assert found(schema.check(row)) == [("contacts[0].email", "email.no_at"), ("born", "value.missing")]
    assert schema.check({"contacts": None, "born": "2000-01-01"}).ok
    assert found(Schema({"a.b": email}).check({"a.b": "x"})) == [("a.b", "email.no_at")]
    assert list(values_at({"a": {"b": 1}}, "a.b")) == [("a.b", 1)]
    assert list(values_at({"a": None}, "a.b")) == []
    assert list(values_at({"a": "text"}, "a[]")) == []
    assert list(values_at({"a": np.array(["x", "y"])}, "a[]")) == [("a[0]", "x"), ("a[1]", "y")]


def test_rules_get_normal_forms_and_wait_for_good_values() -> None:
    schema = Schema(
        {"opened": date, "closed": date},
        rules=(Rule("account.order", ("opened", "closed"), lambda opened, closed: closed >= opened),),
    )
    assert schema.check({"opened": "2020-01-02", "closed": "20200103"}).ok
    assert found(schema.check({"opened": "2020-01-02", "closed": "20200101"})) == [("opened, closed", "account.order")]
    assert found(schema.check({"opened": "2020-01-02", "closed": "never"})) == [("closed", "date.format")]
    assert schema.check({"opened": "2020-01-02"}).ok
    assert not Rule("r", ("a",), lambda a: a > 1).holds(["text"])
    assert Schema({}, rules=(Rule("r", ("a",), lambda a: a == 1),)).check({"a": 1}).ok
    several = Rule("r", ("c[].n",), lambda numbers: sum(numbers) == 3, severity="warning")
    assert Schema({}, rules=[several]).check({"c": [{"n": 1}, {"n": 2}]}).issues == ()
    placeholder = Schema({"a": None}, rules=(Rule("r", ("a",), lambda a: False),))
    assert found(placeholder.check({"a": "N/A"})) == [("a", "value.placeholder")]
    silent = Rule("r", ("a",), lambda a: NotImplemented)
    assert silent.holds([1]) is None
    assert Schema({}, rules=[silent]).check({"a": 1}).issues == ()
    report = Schema({}, rules=[several]).check({"c": [{"n": 1}]})
    assert report.ok
    assert found(report) == [("c[].n", "r")]


def test_a_report_raises_all_errors_at_once_without_values() -> None:
    report = Schema({"email": email, "phone": phone}).check({"email": "secret", "phone": "secret2"})
    assert not report
    with pytest.raises(InvalidRecordError) as caught:
        report.raise_for_errors()
    assert [error.path for error in caught.value.exceptions] == ["email", "phone"]
    assert "secret" not in repr(caught.value) + "".join(map(str, caught.value.exceptions))
    Schema({"email": email}).check({"email": "a@example.com"}).raise_for_errors()


def test_many_records_are_checked_one_after_the_other() -> None:
    taken: list[int] = []

    def rows():  # type: ignore[no-untyped-def]
        for number in range(3):
            taken.append(number)
            yield {"email": "a@example.com" if number else "b"}

    reports = Schema({"email": email}).iter_check(rows())
    assert not next(reports)
    assert taken == [0]
    assert [report.ok for report in reports] == [True, True]


def test_an_endless_stream_of_records_is_checked_in_constant_memory() -> None:
    endless = ({"email": f"user{number}@example.com", "ballast": "x" * 10_000} for number in itertools.count())
    reports = Schema({"email": email}).iter_check(endless)
    for _ in range(50):
        next(reports)
    tracemalloc.start()
    try:
        for _ in range(500):  # 5 MB if they were kept
            next(reports)
        assert tracemalloc.get_traced_memory()[0] < 500_000
    finally:
        tracemalloc.stop()


def test_columns_are_checked_row_by_row(monkeypatch: pytest.MonkeyPatch) -> None:
    pandas, pyarrow = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    columns = {"email": ["a@example.com", "b", None], "other": [1, 2, 3]}
    schema = Schema({"email": email}, required=("email",))
    wanted = [[], [("email", "email.no_at")], [("email", "value.missing")]]
    frame = pandas.DataFrame(columns)
    for rows in (columns, frame, pyarrow.table(columns), [frame[:2], frame[2:]]):
        monkeypatch.setattr("custinfo.validate._rows._BLOCK_ROWS", 2)
        assert [found(report) for report in schema.iter_check(rows)] == wanted
    with pytest.raises(InvalidFieldError, match="no column 'email'"):
        next(schema.iter_check({"mail": ["x"]}))


@pytest.mark.parametrize(
    "make",
    [
        lambda: Schema({"email": "email"}),
        lambda: Schema({"email": email}, required=("phone",)),
        lambda: Schema({"email": email}, unique=("phone",)),
        lambda: Schema({"email": email}, max_age={"phone": 3}),
        lambda: Schema({"email": email}, required="email"),
        lambda: Schema({"email": email}, rules=("email",)),
        lambda: Schema.from_attrs(dict),
        lambda: Schema.from_attrs(Firm, required=("emial",)),
        lambda: Schema.from_attrs(Firm, unique=("name[]",)),
        lambda: Schema.from_attrs(Firm, max_age={"contacts[].seen": 3}),
        lambda: Schema.from_attrs(Firm, rules=(Rule("r", ("contacts[].nothing",), bool),)),
    ],
)
def test_a_schema_that_cannot_be_meant_is_refused(make) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InvalidFieldError) as caught:
        make()
    assert caught.value.code == "schema"


def test_the_customer_of_the_model_brings_validators_and_rules() -> None:
    schema = Schema.from_attrs(Customer, required=("names",))
    good = Customer(
        names=[PersonName(given="小明", family="王")],
        emails=[Email("a@example.com")],
        phones=[Phone("+12015550123")],
        addresses=[Address(region_code="US", postal_code="12345")],
        identifiers=[Identifier(scheme="cn_resident_id", value="11010519491231002X")],
        birth_date=datetime.date(1949, 12, 31),
    )
    assert found(schema.check(good)) == []
    assert found(schema.check(attrs.evolve(good, birth_date=datetime.date(1949, 12, 30)))) == [
        ("birth_date, identifiers[]", "rule.birth_date_of_id")
    ]
    abroad = schema.check(attrs.evolve(good, addresses=[Address(region_code="GB")]))
    assert abroad.ok
    assert found(abroad) == [("phones[].value, addresses[].region_code", "rule.phone_country")]
    wrong = attrs.evolve(good, identifiers=[Identifier(scheme="iban", value="GB00"), Identifier(scheme="x", value="y")])
    assert found(schema.check(wrong)) == [("identifiers[]", "rule.identifier")]


def test_the_fields_of_a_class_of_ones_own_are_known_by_their_names() -> None:
    fields = fields_by_name(Firm)
    assert fields["contacts[].email"] is email
    assert fields["contacts[].phone"] is phone
    assert fields["opened_at"] is date
    assert "head_count" not in fields
    assert "parent.name" not in fields
    assert repr(fields["name"]) == "text.with_options(multiline=True)"
    assert set(fields_by_name(Customer)) >= {"organization", "addresses[].street_name", "names[].full"}


def test_closing_comes_after_opening_in_a_class_of_ones_own() -> None:
    schema = Schema.from_attrs(Firm)
    assert [rule.code for rule in schema.rules] == ["rule.closed_before_opened"]
    early, late = datetime.date(2020, 1, 1), datetime.date(2020, 1, 2)
    assert schema.check(Firm("x", opened_at=early, closed_at=late)).ok
    assert not schema.check(Firm("x", opened_at=late, closed_at=early))


@pytest.mark.parametrize(
    "value",
    [
        "N/A",
        " none ",
        "无",
        "未知",
        "test@test.com",
        "13800138000",
        "+86 138-0013-8000",
        "00000000",
        "1900-01-01",
        "1900-01-01T00:00:00",
        "1970-01-01 00:00:00",
        "1900/1/1",
        "NA",
        "Ｎ／Ａ",
        "１３８００１３８０００",
        "(138) 0013-8000",
        datetime.date(1900, 1, 1),
        datetime.datetime(9999, 12, 31),
        "--",
    ],
)
def test_placeholders(value: object) -> None:
    assert is_placeholder(value)


@pytest.mark.parametrize(
    "value",
    ["Rosa", "Na", "x", "x@example.com", "13912345670", "2000-01-01", 0, None, "11", "x" * 65, "NaN-na", 13800138000,
     "1970-01-01T08:30:00", datetime.date(2000, 1, 1), datetime.datetime(1970, 1, 1, 8), "+86", "(z)", "9" * 25],
)  # fmt: skip
def test_values_that_are_none(value: object) -> None:
    assert not is_placeholder(value)


def test_a_schema_may_name_placeholders_of_its_own() -> None:
    schema = Schema({"note": None}, placeholders=("K.A.",))
    assert found(schema.check({"note": " k.a. "})) == [("note", "value.placeholder")]
    assert schema.check({"note": "ka"}).issues == ()
    assert schema.signature != Schema({"note": None}).signature


def test_times_that_are_not_are_no_placeholders() -> None:
    pandas = pytest.importorskip("pandas")
    assert not is_placeholder(pandas.NaT)
    assert is_placeholder(pandas.Timestamp("1970-01-01"))


def test_missing_values() -> None:
    pandas = pytest.importorskip("pandas")
    assert all(map(is_missing, (None, "", "  ", float("nan"), pandas.NA, pandas.NaT, [], ())))
    assert not any(map(is_missing, (0, "x", False, {}, np.array([1, 2]))))

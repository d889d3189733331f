"""Ready-made rules: alone, in mappings and columns, and as `Schema.from_attrs` finds them."""

from __future__ import annotations

import datetime
import pickle

import attrs
import pytest

from custinfo.model import Account, Address, Customer, Identifier, PersonName, Phone, Transaction
from custinfo.validate import Rule, Schema, country, date, email, iban, phone, quality, rules

WOMAN = "11010519491231002X"  # the example of GB 11643-1999
BORN = datetime.date(1949, 12, 31)
NOON = datetime.datetime(2024, 5, 1, 12, tzinfo=datetime.UTC)


def found(report: object) -> list[tuple[str, str, str]]:
    return [(issue.path, issue.code, issue.severity) for issue in report.issues]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("rule", "values", "holds"),
    [
        (rules.birth_date_of_id("b", "i"), (BORN, WOMAN), True),
        (rules.birth_date_of_id("b", "i"), ("19491231", WOMAN), True),
        (rules.birth_date_of_id("b", "i"), (datetime.datetime(1949, 12, 31, 8), WOMAN), True),
        (rules.birth_date_of_id("b", "i"), ("1949-12-30", WOMAN), False),
        (rules.birth_date_of_id("b", "i"), ("1949-12-30", "110105491231002"), False),
        (rules.birth_date_of_id("b", "i"), ("1949-12-30", WOMAN[:-1] + "0"), None),
        (rules.birth_date_of_id("b", "i"), ("never", WOMAN), None),
        (rules.sex_of_id("s", "i"), ("F", WOMAN), True),
        (rules.sex_of_id("s", "i"), ("女", WOMAN), True),
        (rules.sex_of_id("s", "i"), (2, WOMAN), True),
        (rules.sex_of_id("s", "i"), ("male", WOMAN), False),
        (rules.sex_of_id("s", "i"), (1, WOMAN), False),
        (rules.sex_of_id("s", "i"), ("other", WOMAN), None),
        (rules.sex_of_id("s", "i"), ("", WOMAN), None),
        (rules.phone_country("p", "c"), ("+12015550123", "US"), True),
        (rules.phone_country("p", "c"), ("+12015550123", "CA"), False),
        (rules.phone_country("p", "c"), ("+12015550123", "DE"), False),
        (rules.phone_country("p", "c"), ("+8613912345678", "cn"), True),
        (rules.phone_country("p", "c"), ("+390669812345", "VA"), True),
        (rules.phone_country("p", "c"), ("+390236618300", "IT"), True),
        (rules.phone_country("p", "c"), ("+390236618300", "VA"), False),
        (rules.phone_country("p", "c"), (("+12015550123", "+442079460000"), ("GB", "FR")), True),
        (rules.phone_country("p", "c"), ("+9999", "US"), False),
        (rules.phone_country("p", "c"), ("x", "US"), False),
        (rules.phone_country("p", "c"), ("+1", "US"), False),
        (rules.iban_country("i", "c"), ("GB82WEST12345698765432", "GB"), True),
        (rules.iban_country("i", "c"), ("GB82WEST12345698765432", "FR"), False),
        (rules.iban_country("i", "c"), ("GB00WEST12345698765432", "FR"), None),
        (rules.in_order("o", "c"), (NOON, NOON), True),
        (rules.in_order("o", "c"), (NOON, NOON - datetime.timedelta(seconds=1)), False),
        (rules.in_order("o", "c"), (NOON, NOON.replace(tzinfo=None)), True),
        (rules.in_order("o", "c"), (NOON, NOON.date()), True),
        (rules.in_order("o", "c"), ("2024-05-01", "2024年4月30日"), False),
        (rules.in_order("o", "c"), ("2024-05-01", "open"), None),
    ],
)
def test_rules_hold_are_broken_or_do_not_apply(rule: Rule, values: tuple[object, ...], holds: bool | None) -> None:
    assert rule.holds(values) is holds
    assert pickle.loads(pickle.dumps(rule)) == rule


def test_mappings_and_columns_take_the_same_rules() -> None:
    schema = Schema(
        {"born": date, "phone": phone, "iban": iban, "land": country, "opened": date, "closed": date},
        rules=(
            rules.birth_date_of_id("born", "id"),
            rules.sex_of_id("sex", "id"),
            rules.phone_country("phone", "land"),
            rules.iban_country("iban", "land"),
            rules.in_order("opened", "closed", code="contract.order"),
        ),
    )
    row = {
        "born": "1949-12-30",
        "id": WOMAN,
        "sex": "m",
        "phone": "+1 201 555 0123",
        "iban": "GB82 WEST 1234 5698 7654 32",
        "land": "FR",
        "opened": "2024-05-02",
        "closed": "2024-05-01",
    }
    report = schema.check(row)
    assert found(report) == [
        ("born, id", "rule.birth_date_of_id", "error"),
        ("sex, id", "rule.sex_of_id", "error"),
        ("phone, land", "rule.phone_country", "warning"),
        ("iban, land", "rule.iban_country", "warning"),
        ("opened, closed", "contract.order", "error"),
    ]
    measured = quality({name: [value, None] for name, value in row.items()}, schema)
    assert measured.codes == {(issue.path, issue.code): 1 for issue in report.issues}
    assert measured.failing_count == 1
    assert {one.code for one in measured.failing_rows} == {"rule.birth_date_of_id", "rule.sex_of_id", "contract.order"}
    assert {name: measured.scores[name, "consistency"].value for name in schema.paths} == dict.fromkeys(row, 0.0)


def test_the_customer_of_the_model_brings_each_rule() -> None:
    schema = Schema.from_attrs(Customer)
    good = Customer(
        names=[PersonName(given="小明", family="王")],
        phones=[Phone("+12015550123")],
        addresses=[Address(region_code="US")],
        identifiers=[
            Identifier(scheme="cn_resident_id", value=WOMAN),
            Identifier(scheme="external", issuer="shop", value="C1"),
        ],
        birth_date=BORN,
        sex="female",
    )
    assert found(schema.check(good)) == []
    assert found(schema.check(attrs.evolve(good, sex="male"))) == [("sex, identifiers[]", "rule.sex_of_id", "error")]
    abroad = attrs.evolve(good, identifiers=[Identifier(scheme="iban", value="GB82WEST12345698765432")])
    assert found(schema.check(abroad)) == [("identifiers[], addresses[].region_code", "rule.iban_country", "warning")]
    without = attrs.evolve(good, identifiers=[Identifier(scheme="external", issuer="shop", value="C1")])
    measured = quality([without], schema)
    assert measured.scores["identifiers[]", "consistency"].denominator == 0
    assert measured.scores["birth_date", "consistency"].value is None


@attrs.frozen(kw_only=True)
class Contract:
    opened_on: datetime.date | None = None
    closed_on: datetime.date | None = None


@attrs.frozen(kw_only=True)
class Holder:
    dob: datetime.date | None = None
    gender: str | None = None
    cn_resident_id: str | None = None
    mobile: str | None = None
    iban: str | None = None
    country: str | None = None
    contracts: tuple[Contract, ...] = ()


@attrs.frozen(kw_only=True)
class TwoIds:
    birth_date: datetime.date
    cn_resident_id: str
    identifiers: tuple[Identifier, ...] = ()


def test_a_class_of_ones_own_brings_the_rules_that_fit_its_fields() -> None:
    schema = Schema.from_attrs(Holder)
    assert [(rule.code, rule.paths) for rule in schema.rules] == [
        ("rule.birth_date_of_id", ("dob", "cn_resident_id")),
        ("rule.sex_of_id", ("gender", "cn_resident_id")),
        ("rule.phone_country", ("mobile", "country")),
        ("rule.iban_country", ("iban", "country")),
        ("rule.closed_before_opened", ("contracts[].opened_on", "contracts[].closed_on")),
    ]
    # which of two ids the birth date belongs to is not guessed
    assert [rule.code for rule in Schema.from_attrs(TwoIds).rules] == ["rule.identifier"]


def test_members_of_a_sequence_are_judged_alone() -> None:
    schema = Schema.from_attrs(Holder)
    early, late = datetime.date(2020, 1, 1), datetime.date(2020, 1, 2)
    holder = Holder(
        contracts=(
            Contract(opened_on=early, closed_on=late),
            Contract(opened_on=late),
            Contract(opened_on=late, closed_on=early),
        )
    )
    place = "contracts[2].opened_on, contracts[2].closed_on"
    assert found(schema.check(holder)) == [(place, "rule.closed_before_opened", "error")]
    measured = quality([holder, Holder(), Holder(contracts=holder.contracts[:1])], schema)
    score = measured.scores["contracts[].closed_on", "consistency"]
    assert (score.numerator, score.denominator) == (1, 2)
    assert measured.codes == {("contracts[].opened_on, contracts[].closed_on", "rule.closed_before_opened"): 1}
    lists = Rule("sum", ("parts[].n",), lambda numbers: sum(numbers) == 3, each="orders[]")
    orders = {"orders": [{"parts": [{"n": 1}, {"n": 2}]}, {"parts": [{"n": 1}]}, {"parts": []}]}
    assert [path for path, *_ in found(Schema({}, rules=[lists]).check(orders))] == ["orders[1].parts[].n"]


def test_accounts_and_transactions_of_the_model_are_checked_too() -> None:
    account = Account(id="a1", customer_id="c1", currency="CNY")
    assert Schema.from_attrs(Account, required=("customer_id", "name")).check(account).issues[0].path == "name"
    schema = Schema.from_attrs(Transaction, required=("occurred_at",), unique=("id",), max_age={"occurred_at": 365})
    assert {"amount.currency", "occurred_at", "id"} <= set(schema.fields)


def test_a_rule_with_another_severity_is_refused() -> None:
    with pytest.raises(ValueError, match="severity"):
        Rule("r", ("a",), bool, severity="fatal")
    assert Rule("r", ("e",), bool, each="c[]").paths == ("c[].e",)
    assert Schema({"c[].e": email}, rules=(Rule("r", ("e",), bool, each="c[]"),)).paths == ("c[].e",)

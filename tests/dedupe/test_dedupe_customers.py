"""Customers of the model go in as they are."""

from __future__ import annotations

from datetime import UTC, date, datetime

import attrs
import pytest
from dedupe_people import people, scores

from custinfo.dedupe import Matcher, find_duplicates, link
from custinfo.errors import InvalidFieldError
from custinfo.model import Address, Customer, Email, Identifier, PersonName, Phone

CHECKED = datetime(2026, 1, 1, tzinfo=UTC)


def iso_date(text):
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


@pytest.fixture(scope="module")
def made():
    columns, truth = people(5)
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    customers = [
        Customer(
            id=f"c{number}",
            names=[PersonName(given=row["given_name"] or None, family=row["family_name"] or "?")],
            emails=[Email(row["email"])] if row["email"] else (),
            phones=[Phone(row["phone"])] if row["phone"] else (),
            addresses=[Address(address_lines=[row["address"]], locality=row["locality"] or None)]
            if row["address"]
            else (),
            birth_date=iso_date(row["birth_date"]),
        )
        for number, row in enumerate(rows)
    ]
    return customers, truth


def test_customers_are_unfolded_and_keep_their_ids(made):
    customers, truth = made
    found = find_duplicates(iter(customers))
    assert found.ids == tuple(customer.id for customer in customers)
    assert scores(found.labels, truth)[2] > 0.95
    assert {"given_name", "family_name", "birth_date"} <= set(found.diagnostics.kinds.values())


def test_a_matcher_takes_customers_with_more_than_it_knows(made):
    customers, _ = made
    matcher = Matcher.fit(customers)
    more = attrs.evolve(customers[0], id="new", organization="A Shop Ltd")
    assert matcher.add([more]).labels[0] == matcher.labels[0]


def test_customers_are_linked_with_a_table(made):
    customers, _ = made
    alone = list(
        {(one.names[0].full, one.birth_date): one for one in customers if one.emails and one.birth_date}.values()
    )
    table = {
        "mail": [one.emails[0].value for one in alone],
        "surname": [one.names[0].family for one in alone],
        "forename": [one.names[0].given for one in alone],
        "dob": [one.birth_date.isoformat() for one in alone],
    }
    found = link(alone, table)
    assert len(found.links) > 0.9 * len(alone)
    assert (found.links.left == found.links.right).mean() > 0.9


@pytest.mark.parametrize("country", ["DE", "FR"])
def test_two_verified_identifiers_of_one_scheme_never_meet(made, country):
    customers, _ = made
    found = find_duplicates(customers)
    together = next(rows for rows in found.clusters if len(rows) == 2)
    changed = list(customers)
    for row, where in zip(together, ("DE", country), strict=True):
        passport = Identifier(scheme="passport", country=where, value=f"C01X{row:05}", verified_at=CHECKED)
        changed[row] = attrs.evolve(customers[row], identifiers=[passport])
    again = find_duplicates(changed)
    one, other = again.labels[together]
    assert (one != other) == (country == "DE"), "numbers of two countries say nothing"


def test_external_ids_are_no_evidence(made):
    customers, _ = made
    numbered = [
        attrs.evolve(one, identifiers=[Identifier(scheme="external", issuer="crm", value=str(number))])
        for number, one in enumerate(customers)
    ]
    assert find_duplicates(numbered).labels.tolist() == find_duplicates(customers).labels.tolist()


def test_hundreds_of_schemes_make_a_few_columns(made):
    customers, _ = made
    numbered = [
        attrs.evolve(one, identifiers=[Identifier(scheme=f"s{number}", value="1", verified_at=CHECKED)])
        for number, one in enumerate(customers)
    ]
    assert sum(kind == "verified_id" for kind in find_duplicates(numbered).diagnostics.kinds.values()) <= 8


def test_customers_among_other_things_are_refused(made):
    customers, _ = made
    with pytest.raises(InvalidFieldError) as caught:
        find_duplicates([customers[0], {"given_name": "Ann"}])
    assert caught.value.code == "columns.input"

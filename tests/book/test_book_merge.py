"""Merging and undoing: nothing is lost, money stays where it was posted, and every merge can be taken back."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count

import attrs
import numpy as np
import pytest
from book_helpers import payments, people, state

from custinfo.book import Book
from custinfo.dedupe import find_duplicates
from custinfo.errors import ConflictError, InvalidFieldError, MergeError, RecordNotFoundError
from custinfo.model import Customer, Email, Identifier, PersonName, Tag, dumps, loads

LATER = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def shop(book):
    book.import_customers(people(4))
    book.import_transactions(payments(8, 4))
    return book


@pytest.fixture
def ids(shop):
    return [shop.search(email=f"anna{number}@example.com")[0].id for number in range(4)]


def contents(book):
    """Every entity but for version and time of change."""
    plain = {}
    for collection in (book.desk.customers, book.desk.accounts, book.desk.transactions):
        for obj in collection.scan(hidden=True):
            plain[type(obj).__name__, obj.id] = dumps(attrs.evolve(obj, version=0, updated_at=None))
    return plain


def money(book):
    return int(book.transactions.columns(["amount_minor"])["amount_minor"].sum())


def test_all_look_ups_and_accounts_of_the_members_lead_to_the_survivor(shop, ids):
    merge = shop.merge(ids[1:3])
    assert merge.survivor == ids[1]
    assert merge.members == tuple(sorted(ids[1:3]))
    for number in (1, 2):
        assert [found.id for found in shop.search(email=f"anna{number}@example.com")] == [ids[1]]
        external = Identifier(scheme="external", issuer="import", value=f"C00{number}")
        assert [found.id for found in shop.customers.find(identifier=external)] == [ids[1]]
        assert shop.customers.get(ids[number]).id == ids[1]
    assert len(shop.accounts.find(customer_id=ids[1])) == 2
    assert shop.accounts.find(customer_id=ids[2]) == []
    assert len(shop.timeline(ids[2])) == 4
    assert [customer.id for customer in shop.customers.scan()] == [ids[0], ids[1], ids[3]]


def test_the_golden_record_unites_contact_points(shop, ids):
    shop.merge(ids[1:3])
    golden = shop.customers.get(ids[1])
    assert {email.value for email in golden.emails} == {"anna1@example.com", "anna2@example.com"}
    assert len(golden.phones) == 2
    assert {identifier.value for identifier in golden.identifiers} == {"C001", "C002"}


def test_money_is_the_same_before_and_after(shop, ids):
    before = money(shop)
    shop.merge(ids)
    assert money(shop) == before
    assert str(shop.statement(ids[0]).totals["USD"]) == f"{before / 100:.2f} USD"


def test_undoing_gives_every_entity_its_former_state(shop, ids):
    before = contents(shop)
    merge = shop.merge(ids[:3])
    assert contents(shop) != before
    undone = shop.unmerge(merge.id)
    assert undone.undone_at is not None
    assert contents(shop) == before
    assert shop.audit.verify() is None


def test_what_was_posted_meanwhile_stays_with_its_account(shop, ids):
    merge = shop.merge(ids[:2])
    shop.import_transactions([{"id": "new", "customer": "C001", "date": "2025-01-01", "amount": "9.00"}])
    assert len(shop.timeline(ids[0])) == 5
    shop.unmerge(merge.id)
    assert [payment.id for payment in shop.timeline(ids[1])][-1] == "import:new"
    assert len(shop.timeline(ids[0])) == 2


def test_what_changed_on_the_survivor_meanwhile_is_in_the_history(shop, ids):
    merge = shop.merge(ids[:2])
    shop.customers.update(ids[0], {"tags": (Tag("gold"),)})
    shop.unmerge(merge.id)
    assert shop.customers.get(ids[0]).tags == ()
    assert shop.customers.history(ids[0])[-2].tags == (Tag("gold"),)


def test_a_dry_run_changes_nothing(shop, ids):
    before = state(shop)
    merge = shop.merge(ids[:2], dry_run=True)
    assert merge.members == tuple(sorted(ids[:2]))
    assert state(shop) == before


def test_merges_upon_merges_are_undone_in_reverse_order(shop, ids):
    before = contents(shop)
    first = shop.merge(ids[:2])
    second = shop.merge([ids[0], ids[2]])
    with pytest.raises(MergeError) as caught:
        shop.unmerge(first.id)
    assert caught.value.code == "merge.later"
    shop.unmerge(second.id)
    shop.unmerge(first.id)
    assert contents(shop) == before


def test_a_survivor_can_be_absorbed_by_an_older_customer(shop, ids):
    before = contents(shop)
    first = shop.merge(ids[2:])
    second = shop.merge([ids[0], first.survivor])
    assert second.survivor == ids[0]
    assert shop.search(email="anna3@example.com")[0].id == ids[0]
    with pytest.raises(MergeError):
        shop.unmerge(first.id)
    assert len(shop.accounts.find(customer_id=ids[0])) == 3
    shop.unmerge(second.id)
    shop.unmerge(first.id)
    assert contents(shop) == before


def test_a_second_undo_is_refused(shop, ids):
    merge = shop.merge(ids[:2])
    shop.unmerge(merge.id)
    with pytest.raises(MergeError) as caught:
        shop.unmerge(merge.id)
    assert caught.value.code == "merge.undone"


def test_the_same_customers_can_be_merged_again_after_an_undo(shop, ids):
    shop.unmerge(shop.merge(ids[:2]).id)
    again = shop.merge(ids[:2])
    assert shop.customers.get(ids[1]).id == again.survivor


@pytest.mark.parametrize(
    ("members", "code"),
    [([0], "merge.members"), ([], "merge.members"), ([1, 1], "merge.members"), ([1, 2, 1], "merge.members")],
)
def test_fewer_than_two_or_repeated_members_are_refused(shop, ids, members, code):
    before = state(shop)
    with pytest.raises(MergeError) as caught:
        shop.merge([ids[member] for member in members])
    assert caught.value.code == code
    assert state(shop) == before


def test_an_unknown_member_is_not_found(shop, ids):
    with pytest.raises(RecordNotFoundError):
        shop.merge([ids[0], "nobody"])


def test_a_member_that_was_merged_before_is_refused(shop, ids):
    shop.merge(ids[:2])
    with pytest.raises(MergeError) as caught:
        shop.merge([ids[1], ids[2]])
    assert (caught.value.code, caught.value.details["survivor"]) == ("merge.merged", ids[0])


def test_different_verified_identifiers_never_meet(book):
    for number in (1, 2):
        identifier = Identifier(scheme="passport", country="DE", value=f"X{number}", verified_at=LATER)
        book.customers.put(Customer(id=f"c{number}", identifiers=[identifier]))
    with pytest.raises(MergeError) as caught:
        book.merge(["c1", "c2"])
    assert caught.value.code == "merge.verified"
    book.customers.put(Customer(id="c3", identifiers=[Identifier(scheme="passport", country="DE", value="X3")]))
    assert book.merge(["c1", "c3"]).survivor == "c1"


def test_a_rule_that_loses_an_external_id_is_refused(shop, ids):
    before = state(shop)
    with pytest.raises(MergeError) as caught:
        shop.merge(ids[:2], survivorship={"identifiers": "most_recent"})
    assert caught.value.code == "merge.identifiers"
    assert state(shop) == before


def test_survivorship_chooses_the_values(book):
    ticks = count()
    clocked = Book(book.desk.store, book.desk.keyring, clock=lambda: LATER.replace(second=next(ticks)))
    clocked.customers.put(Customer(id="a", names=[PersonName(full="Old Name")], emails=[Email("a@example.com")]))
    clocked.customers.put(Customer(id="b", names=[PersonName(full="New Name")]))
    merge = clocked.merge(["a", "b"], survivorship="most_recent")
    assert (merge.survivor, clocked.customers.get("a").names[0].full) == ("a", "New Name")
    clocked.unmerge(merge.id)
    clocked.merge(["a", "b"], survivorship={"names": "oldest"})
    assert clocked.customers.get("a").names[0].full == "Old Name"


def test_a_merge_of_erased_customers_is_refused_and_not_undone(shop, ids):
    merge = shop.merge(ids[:2])
    shop.rights.erase(ids[1], "asked for it")
    with pytest.raises(MergeError) as caught:
        shop.unmerge(merge.id)
    assert caught.value.code == "merge.erased"
    with pytest.raises(MergeError) as caught:
        shop.merge([ids[0], ids[2]])
    assert caught.value.code == "merge.erased"


def test_importing_the_same_file_after_a_merge_changes_nothing(shop, ids):
    shop.merge(ids[:3])
    before = state(shop)
    assert shop.import_customers(people(4)).unchanged == 4
    assert shop.import_transactions(payments(8, 4)).unchanged == 8
    assert state(shop) == before


def test_importing_after_merges_upon_merges_changes_nothing(shop, ids):
    shop.merge(ids[2:])
    shop.merge([ids[0], ids[2]])
    before = state(shop)
    assert shop.import_customers(people(4)).unchanged == 4
    assert state(shop) == before


def test_a_source_that_changes_a_merged_record_is_for_review(shop, ids):
    shop.merge(ids[:2])
    rows = people(4)
    rows[0]["email"] = "survivor@example.com"
    rows[1]["email"] = "member@example.com"
    report = shop.import_customers(rows)
    assert (report.review, report.unchanged) == (2, 2)
    assert {task.customer_ids for task in shop.reviews.scan()} == {(ids[0],), (ids[1],)}


@pytest.fixture
def messy(book):
    """Twenty people with two records each, one of them with a misspelt family name, and one lonely record."""
    names = ["Abbott", "Barnes", "Carver", "Dalton", "Easton", "Fuller", "Garner", "Harmon", "Irving", "Jarvis"]
    rows = []
    for number in range(40):
        person = number // 2
        family = names[person % 10]
        rows.append(
            {
                "external_id": f"C{number:03d}",
                "given_name": ["Maria", "Peter", "Linda", "Oscar"][person % 4],
                "family_name": family if number % 2 else family[:-1] + "x",
                "email": f"{family.lower()}{person}@example.com",
                "birth_date": f"19{50 + person}-0{1 + person % 9}-1{person % 10}",
                "street": f"{names[(person * 3) % 10]} Road",
                "house_number": str(10 + person),
                "postal_code": f"{20000 + 37 * person}",
            }
        )
    rows.append({"external_id": "C999", "given_name": "Xenia", "family_name": "Zeller", "birth_date": "2000-12-31"})
    book.import_customers(rows)
    return book


def test_sure_clusters_are_merged_and_the_rest_is_for_review(messy):
    duplicates = messy.find_duplicates()
    assert sorted(duplicates.ids) == sorted(customer.id for customer in messy.customers.scan())
    done = messy.merge_all(duplicates)
    left = len(list(messy.customers.scan()))
    sure = len(set(duplicates.auto.tolist()))
    assert left == sure
    assert len(done.merges) == sum(len(np.flatnonzero(duplicates.auto == label)) > 1 for label in set(duplicates.auto))
    assert len(list(messy.reviews.scan())) == len(done.reviews)
    for merge in reversed(done.merges):
        messy.unmerge(merge.id)
    assert len(list(messy.customers.scan())) == 41


def test_clusters_that_must_not_meet_go_to_review(messy):
    duplicates = messy.find_duplicates()
    cluster = duplicates.clusters[0]
    for place, row in enumerate(cluster):
        identifier = Identifier(scheme="passport", country="DE", value=f"X{place}", verified_at=LATER)
        customer = messy.customers.get(str(duplicates.ids[row]))
        messy.customers.update(customer.id, {"identifiers": (*customer.identifiers, identifier)})
    forced = attrs.evolve(duplicates, auto=duplicates.labels)
    done = messy.merge_all(forced)
    assert any(set(task.customer_ids) == {str(duplicates.ids[row]) for row in cluster} for task in done.reviews)
    assert len(done.merges) == len(duplicates.clusters) - 1


def test_duplicates_of_other_data_are_refused(messy):
    other = find_duplicates({"given_name": ["Anna", "Anna"], "family_name": ["Abbott", "Abbott"]})
    with pytest.raises(InvalidFieldError) as caught:
        messy.merge_all(other)
    assert caught.value.code == "merge.ids"


def test_duplicates_in_an_empty_book_are_none(book):
    assert book.merge_all(book.find_duplicates()).merges == ()


def test_merges_can_be_read(shop, ids):
    merge = shop.merge(ids[:2])
    assert shop.merges.get(merge.id).members == merge.members
    assert loads(dumps(merge)).survivor == merge.survivor


def test_a_customer_in_an_open_merge_or_under_a_hold_cannot_be_deleted(shop, ids):
    merge = shop.merge(ids[:2])
    for member in ids[:2]:
        with pytest.raises(ConflictError) as caught:
            shop.customers.delete(member)
        assert caught.value.code == "customer.merged"
    shop.unmerge(merge.id)
    shop.rights.hold(ids[1], "dispute")
    with pytest.raises(ConflictError) as caught:
        shop.customers.delete(ids[1])
    assert caught.value.code == "legal_hold"
    shop.rights.release(ids[1])
    shop.customers.delete(ids[1])
    with pytest.raises(RecordNotFoundError):
        shop.customers.get(ids[1])


def test_members_may_come_from_a_generator(shop, ids):
    assert shop.merge(id for id in ids[:2]).survivor == ids[0]


def test_external_ids_lead_to_the_survivor(shop, ids):
    shop.merge(ids[:2])
    assert [customer.id for customer in shop.search(external_id="C001")] == [ids[0]]
    assert shop.search(external_id="C001", source_name="other") == []


def test_erasing_the_survivor_after_an_unmerge_leaves_the_others_payments_alone(shop, ids):
    merge = shop.merge(ids[:2])
    row = {"id": "n", "customer": "C001", "date": "2025-01-01", "amount": "9.00", "description": "two lamps"}
    shop.import_transactions([row])
    shop.unmerge(merge.id)
    shop.rights.erase(ids[0], "asked for it")
    assert shop.timeline(ids[1])[-1].description == "two lamps"
    shop.rights.erase(ids[1], "asked for it")
    assert shop.timeline(ids[1])[-1].description is None

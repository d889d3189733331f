"""What an attack found: each of these once lost money, told a secret or broke an import."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from book_helpers import payments, people, state

from custinfo.book import Book
from custinfo.errors import AccessDeniedError, ConflictError, InvalidFieldError, MergeError
from custinfo.govern import Grant, Policy, Principal
from custinfo.model import Account, Money, Transaction


@pytest.fixture
def shop(book):
    book.import_customers(people(3))
    book.import_transactions(payments(6, 3))
    return book


@pytest.fixture
def ids(shop):
    return [shop.search(email=f"anna{number}@example.com")[0].id for number in range(3)]


def row(number, customer, **more):
    return {"id": f"x{number}", "customer": customer, "date": "2025-01-01", "amount": "1.00", **more}


def test_an_account_opened_during_a_merge_goes_to_the_member_it_was_opened_for(shop, ids):
    merge = shop.merge(ids[:2])
    shop.import_transactions([row(1, "C001", currency="CNY", description="hers")])
    shop.unmerge(merge.id)
    shop.import_transactions([row(2, "C001", currency="CNY")])
    assert "CNY" not in shop.statement(ids[0]).totals
    assert str(shop.statement(ids[1]).totals["CNY"]) == "2.00 CNY"
    shop.rights.erase(ids[1], "asked for it")
    assert all(payment.description is None for number in (0, 1) for payment in shop.timeline(ids[number]))


def test_an_account_of_this_id_that_is_somebody_elses_takes_no_payment(shop, ids):
    shop.accounts.put(Account(id=f"{ids[0]}.EUR", customer_id=ids[1], currency="EUR"))
    report = shop.import_transactions([row(1, "C000", currency="EUR"), row(2, "C000", currency="EUR")])
    assert report.codes() == {"transaction.account_owner": 2}


def test_an_account_put_under_a_merged_customer_is_seen(shop, ids):
    shop.merge(ids[:2])
    shop.accounts.put(Account(id="late", customer_id=ids[1], currency="USD"))
    paid = shop.timeline(ids[0])[0]
    shop.transactions.put(
        Transaction(id="p", account_id="late", amount=Money.of("7.77", "USD"), occurred_at=paid.occurred_at)
    )
    assert "p" in [payment.id for payment in shop.timeline(ids[0])]


def test_an_account_deleted_after_a_merge_does_not_stop_the_undo(shop, ids):
    merge = shop.merge(ids[:2])
    (account,) = [one for one in shop.accounts.find(customer_id=ids[0]) if one.id.startswith(ids[1])]
    shop.accounts.delete(account.id)
    shop.accounts.put(Account(id=account.id, customer_id=ids[0], currency="USD"))
    shop.unmerge(merge.id)
    assert shop.accounts.get(account.id).customer_id == ids[1]


def view_of(book, fields):
    book.policy = Policy([Grant("clerk", "billing", fields)])
    return book.as_(Principal("desk-8", ["clerk"]), purpose="billing")


def test_statements_and_timelines_show_granted_fields_only(shop, ids):
    shop.import_transactions([row(1, "C000", description="a secret", merchant="Example Ltd")])
    clear = view_of(shop, {"transaction.amount": "clear", "transaction.occurred_at": "clear"})
    for seen in (clear.timeline(ids[0]), clear.statement(ids[0]).transactions):
        assert set(seen[-1].to_dict()) == {"id", "amount", "occurred_at"}
        with pytest.raises(AccessDeniedError):
            _ = seen[-1].description
    hidden = view_of(shop, {"transaction.amount": "mask:hide", "transaction.occurred_at": "mask:hide"})
    assert hidden.timeline(ids[0])[0].amount == "***"
    with pytest.raises(AccessDeniedError):
        hidden.statement(ids[0])


def test_a_mask_hides_also_what_declares_none(shop, ids):
    view = view_of(shop, {"transaction.amount": "mask", "transaction.occurred_at": "clear"})
    assert view.timeline(ids[0])[0].amount == "***"


def test_a_view_can_be_copied_and_stays_a_view(shop, ids):
    view = view_of(shop, ["customer.names"]).customers.get(ids[0])
    for twin in (copy.copy(view), pickle.loads(pickle.dumps(view))):
        assert twin.to_dict() == view.to_dict()
        with pytest.raises(AccessDeniedError):
            _ = twin.emails


def test_two_external_ids_with_one_email_are_a_question_not_a_loss(book):
    rows = [{"external_id": str(number), "email": "both@example.com"} for number in (1, 2)]
    options = {"match_on": ("external_id", "email")}
    assert book.import_customers(rows, **options).counts["review"] == 1
    before = state(book)
    assert book.import_customers(rows, **options).unchanged == 2
    assert state(book) == before
    assert [len(customer.identifiers) for customer in book.search(external_id="1")] == [1]


def test_one_address_in_two_spellings_is_one_customer(book):
    rows = [{"email": "Rosa@Example.com"}, {"email": "rosa@example.com"}]
    assert book.import_customers(rows, match_on=("email",)).created == 1


@pytest.mark.parametrize("field", ["external_id", "national_id", "tag"])
def test_an_overlong_key_spoils_its_row_at_most(book, field):
    rows = people(2)
    rows[0][field] = "x" * 2_000
    report = book.import_customers(rows)
    assert report.codes() == (
        {"text.too_long": 1} if field != "external_id" else {"customer.no_match_value": 1, "text.too_long": 1}
    )
    assert report.created == (1 if field == "external_id" else 2)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"id": "x" * 2_000}, "text.too_long"),
        ({"customer": "x" * 2_000}, "text.too_long"),
        ({"account_id": "x" * 2_000}, "text.too_long"),
        ({"amount": "", "amount_minor": str(-(2**63))}, "money.range"),
        ({"date": "0001-01-01T00:00:00+14:00"}, "time.range"),
        ({"date": "9999-12-31T23:59:59-14:00"}, "time.range"),
        ({"amount": 10**5000}, "cell.not_scalar"),
        ({"amount": np.array([1, 2])}, "cell.not_scalar"),
    ],
)
def test_a_hostile_payment_spoils_its_row_only(shop, changes, code):
    rows = [row(1, "C000"), row(2, "C000"), row(3, "C001")]
    rows[1] |= changes
    names = dict.fromkeys(name for one in rows for name in one)
    report = shop.import_transactions([{name: one.get(name, "") for name in names} for one in rows])
    assert (report.created, report.rejected) == (2, 1)
    assert code in report.codes()


def test_a_source_that_fails_leaves_a_closing_entry(book):
    def rows():
        yield from people(1)
        raise RuntimeError

    for broken in (lambda: book.import_customers(rows()), lambda: book.import_customers("no such file.csv")):
        before = len(book.audit.entries())
        with pytest.raises((RuntimeError, OSError)):
            broken()
        assert [entry.outcome for entry in book.audit.entries(after=before)] == ["denied"]


@pytest.mark.parametrize(
    "call",
    [
        lambda book: book.import_customers(people(1), on_match="never"),
        lambda book: book.import_customers(people(1), currency="ZZZ"),
        lambda book: book.import_transactions(payments(1, 1), time_zone="Mars"),
    ],
)
def test_wrong_options_leave_one_entry(book, call):
    with pytest.raises(InvalidFieldError):
        call(book)
    assert [entry.outcome for entry in book.audit.entries()] == ["denied"]


def test_sources_never_make_one_id_of_two_payments(shop, ids):
    for source_name, number in (("a", "b:1"), ("a:b", "1")):
        rows = [{"id": number, "customer_id": ids[0], "date": "2025-01-01", "amount": "1.00"}]
        assert shop.import_transactions(rows, source_name=source_name).created == 1


def test_a_payment_by_account_id_of_an_erased_customer_is_blocked(shop, ids):
    (account,) = shop.accounts.find(customer_id=ids[0])
    shop.rights.erase(ids[0], "asked for it")
    rows = [{"id": "e", "account_id": account.id, "date": "2025-01-01", "amount": "1", "description": "x"}]
    assert shop.import_transactions(rows).blocked == 1


def test_an_erased_customer_cannot_be_revived_nor_a_merge_made_by_hand(shop, ids):
    receipt = shop.rights.erase(ids[0], "asked for it")
    stub = shop.customers.get(ids[0])
    for call in (
        lambda: shop.customers.update(ids[0], {"status": "active"}),
        lambda: shop.customers.put(stub),
        lambda: shop.customers.put_many([stub]),
    ):
        with pytest.raises(ConflictError) as caught:
            call()
        assert caught.value.code == "customer.erased"
    assert shop.rights.verify(receipt)
    with pytest.raises(InvalidFieldError) as refused:
        shop.customers.update(ids[1], {"status": "merged", "merged_into": ids[2]})
    assert refused.value.code == "customer.status"


def test_a_book_with_nothing_to_compare_has_no_duplicates(book):
    book.import_customers([{"external_id": "1"}, {"external_id": "2"}])
    assert book.find_duplicates().clusters == []


def test_nothing_to_merge_is_refused_with_an_entry(shop):
    before = len(shop.audit.entries())
    with pytest.raises(MergeError):
        shop.merge([])
    assert len(shop.audit.entries()) == before + 1


def test_a_plain_book_over_encrypted_data_is_refused(shop):
    before = state(shop)
    plain = Book(shop.desk.store, plaintext=True)
    for call in (
        lambda: plain.search(email="anna1@example.com"),
        lambda: plain.import_customers(people(1, start=9)),
        lambda: plain.customers.scan(),
    ):
        with pytest.raises(InvalidFieldError) as caught:
            call()
        assert caught.value.code == "store.cipher"
    assert state(shop) == before


def test_a_row_whose_surplus_was_not_mended_stays_rejected(shop, tmp_path):
    report = shop.import_transactions(b"id,customer,date,amount\nq,C000,2026-01-05,1,234.50\n")
    report.write_rejected(tmp_path / "again.csv")
    assert shop.import_transactions(tmp_path / "again.csv").codes() == {"row.too_many_fields": 1}


@pytest.mark.parametrize("region", ["us", "USA", "US"])
def test_a_region_is_known_in_any_spelling(book, region):
    book.import_customers([{"external_id": "1", "phone": "(650) 555-0100"}], region=region)
    assert len(book.search(phone="+1 650 555 0100")) == 1


def test_an_unknown_region_is_refused_at_once(book):
    with pytest.raises(InvalidFieldError):
        book.import_customers(people(1), region="Atlantis")


def test_a_payment_in_another_currency_than_its_accounts_is_refused(shop, ids):
    (account,) = shop.accounts.find(customer_id=ids[0])
    rows = [{"id": "c", "account_id": account.id, "date": "2025-01-01", "amount": "1.00", "currency": "CNY"}]
    assert shop.import_transactions(rows).codes() == {"transaction.currency": 1}

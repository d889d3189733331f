"""Importing payments: exact amounts, the right account, no row twice."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from book_helpers import payments, people, state

from custinfo.errors import InvalidFieldError
from custinfo.model import Money


def counts(report):
    return {name: count for name, count in report.counts.items() if count}


@pytest.fixture
def shop(book):
    book.import_customers(people(5))
    return book


def test_payments_are_booked_on_their_customers_accounts(shop):
    assert counts(shop.import_transactions(payments(20, 5))) == {"rows": 20, "created": 20}
    (customer,) = shop.search(email="anna2@example.com")
    assert [payment.amount for payment in shop.timeline(customer.id)] == [
        Money.of(f"{number}.25", "USD") for number in (2, 7, 12, 17)
    ]
    assert shop.statement(customer.id).totals == {"USD": Money.of("39.00", "USD")}


def test_the_same_payments_twice_change_nothing(shop):
    shop.import_transactions(payments(20, 5))
    before, entries = state(shop), len(shop.audit.entries())
    assert counts(shop.import_transactions(payments(20, 5))) == {"rows": 20, "unchanged": 20}
    assert state(shop) == before
    assert len(shop.audit.entries()) == entries + 1


def test_a_row_that_is_twice_in_one_file_is_posted_once(shop):
    rows = payments(3, 5)
    assert counts(shop.import_transactions([*rows, rows[1]])) == {"rows": 4, "created": 3, "unchanged": 1}


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"amount": "1.234,56"}, "amount", "money.format"),
        ({"amount": "1.005"}, "amount", "money.fraction"),
        ({"amount": "1e400"}, "amount", "money.format"),
        ({"amount": ""}, "amount", "transaction.no_amount"),
        ({"amount": "99999999999999999999"}, "amount", "money.range"),
        ({"date": "2024-02-31"}, "date", "date.impossible"),
        ({"date": ""}, "date", "transaction.no_occurred_at"),
        ({"id": ""}, "id", "transaction.no_id"),
        ({"customer": ""}, "customer", "transaction.no_customer"),
        ({"customer": "C999"}, "customer", "transaction.unknown_customer"),
        ({"currency": "ZZZ"}, "currency", "currency.unknown"),
        ({"kind": "theft"}, "kind", "transaction.kind"),
        ({"status": "lost"}, "status", "transaction.status"),
        ({"kind": "refund", "amount": "-1"}, "amount", "transaction.negative"),
    ],
)
def test_a_row_that_is_no_payment_goes_to_quarantine_with_its_code(shop, changes, field, code):
    rows = [{**row, "currency": "", "kind": "", "status": ""} for row in payments(3, 5)]
    rows[1] |= changes
    report = shop.import_transactions(rows)
    assert counts(report) == {"rows": 3, "created": 2, "rejected": 1}
    issues = report.rejected_rows[0].issues
    assert (issues[0].line, issues[0].field, issues[0].code) == (2, field, code)


def test_a_payment_that_was_changed_at_the_source_is_refused(shop):
    rows = payments(3, 5)
    shop.import_transactions(rows)
    rows[0]["amount"] = "1000000.00"
    report = shop.import_transactions(rows)
    assert counts(report) == {"rows": 3, "unchanged": 2, "rejected": 1}
    assert report.codes() == {"transaction.changed": 1}


def test_a_negative_amount_is_a_refund(shop):
    shop.import_transactions([{"id": "r", "customer": "C000", "date": "2024-01-01", "amount": "-5.00"}])
    (customer,) = shop.search(email="anna0@example.com")
    (refund,) = shop.timeline(customer.id)
    assert (refund.kind, refund.amount.minor, refund.signed_minor) == ("refund", 500, -500)


def test_minor_units_and_currencies_open_the_accounts_they_need(shop):
    rows = [
        {"id": "a", "customer": "C000", "date": "2024-01-01", "amount_minor": "1250", "currency": "cny"},
        {"id": "b", "customer": "C000", "date": "2024-01-01", "amount_minor": "700", "currency": "JPY"},
        {"id": "c", "customer": "C000", "date": "2024-01-01", "amount_minor": "12.5", "currency": "JPY"},
    ]
    report = shop.import_transactions(rows)
    assert counts(report) == {"rows": 3, "created": 2, "rejected": 1}
    assert report.codes() == {"money.minor": 1}
    (customer,) = shop.search(email="anna0@example.com")
    assert {account.currency for account in shop.accounts.find(customer_id=customer.id)} == {"USD", "CNY", "JPY"}
    assert {str(total) for total in shop.statement(customer.id).totals.values()} == {"12.50 CNY", "700 JPY"}


def test_times_without_an_offset_are_in_the_zone_named(shop):
    shop.import_transactions(
        [
            {"id": "a", "customer": "C000", "date": "2024-01-01 08:00:00", "amount": "1"},
            {"id": "b", "customer": "C000", "date": "2024-01-01T08:00:00+01:00", "amount": "1"},
        ],
        time_zone="Asia/Shanghai",
    )
    (customer,) = shop.search(email="anna0@example.com")
    assert [payment.occurred_at.hour for payment in shop.timeline(customer.id)] == [0, 7]


def test_an_unknown_time_zone_is_refused_at_once(shop):
    with pytest.raises(InvalidFieldError) as caught:
        shop.import_transactions(payments(1, 5), time_zone="Mars/Olympus")
    assert caught.value.code == "time.zone"


def test_payments_can_name_our_own_ids(shop):
    (customer,) = shop.search(email="anna0@example.com")
    (account,) = shop.accounts.find(customer_id=customer.id)
    rows = [
        {"id": "a", "customer_id": customer.id, "account_id": "", "date": "2024-01-01", "amount": "1"},
        {"id": "b", "customer_id": "", "account_id": account.id, "date": "2024-01-01", "amount": "2"},
        {"id": "c", "customer_id": "", "account_id": "nobody", "date": "2024-01-01", "amount": "2"},
    ]
    report = shop.import_transactions(rows)
    assert report.codes() == {"transaction.unknown_account": 1}
    assert len(shop.timeline(customer.id)) == 2


def test_a_source_without_a_needed_column_says_which(shop):
    with pytest.raises(InvalidFieldError, match="occurred_at") as caught:
        shop.import_transactions(b"id,customer,amount\n1,C000,5\n")
    assert caught.value.code == "import.columns"


def test_a_payment_of_an_erased_customer_is_blocked(shop):
    (customer,) = shop.search(email="anna0@example.com")
    shop.rights.erase(customer.id, "asked for it")
    report = shop.import_transactions(payments(5, 5))
    assert counts(report) == {"rows": 5, "created": 4, "blocked": 1}
    assert report.codes() == {"customer.erased": 1}


def test_columns_carry_the_customer_and_signed_minor_units(shop):
    shop.import_transactions(payments(10, 5))
    shop.import_transactions(
        [
            {"id": "r", "customer": "C000", "date": "2024-04-01", "amount": "-3.00", "status": "posted"},
            {"id": "v", "customer": "C000", "date": "2024-04-01", "amount": "8.00", "status": "voided"},
            {"id": "p", "customer": "C000", "date": "2024-04-01", "amount": "8.00", "kind": "payout"},
        ]
    )
    columns = shop.transactions.columns(["customer_id", "amount_minor", "currency", "occurred_at", "channel"])
    assert columns["amount_minor"].dtype == np.int64
    assert columns["amount_minor"].sum() == sum(100 * number + 25 for number in range(10)) - 300
    assert len(set(columns["customer_id"])) == 5
    assert set(columns["currency"]) == {"USD"}
    assert columns["occurred_at"].dtype == np.dtype("datetime64[us]")
    assert set(columns["channel"]) == {None}


def test_columns_of_an_empty_book_are_empty(book):
    columns = book.transactions.columns(["customer_id", "amount_minor", "occurred_at"])
    assert [len(column) for column in columns.values()] == [0, 0, 0]


def test_a_statement_covers_its_period_only(shop):
    shop.import_transactions(
        [{"id": str(day), "customer": "C000", "date": f"2024-01-{day:02d}", "amount": "1"} for day in range(1, 11)]
    )
    (customer,) = shop.search(email="anna0@example.com")
    statement = shop.statement(customer.id, (datetime(2024, 1, 3, tzinfo=UTC), datetime(2024, 1, 6, tzinfo=UTC)))
    assert [payment.occurred_at.day for payment in statement.transactions] == [3, 4, 5]
    assert len(shop.statement(customer.id, (None, datetime(2024, 1, 3, tzinfo=UTC))).transactions) == 2
    with pytest.raises(InvalidFieldError) as caught:
        shop.statement(customer.id, (datetime(2024, 1, 3), None))
    assert caught.value.code == "period"
    with pytest.raises(InvalidFieldError, match="ends before it starts"):
        shop.statement(customer.id, (datetime(2024, 1, 6, tzinfo=UTC), datetime(2024, 1, 3, tzinfo=UTC)))
    (currency,) = statement.totals
    sums = (statement.opening[currency], statement.totals[currency], statement.closing[currency])
    assert [total.amount for total in sums] == [2, 3, 5]

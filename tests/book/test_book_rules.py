"""What a book refuses although each object is good: a refund beyond its payment, and a closed account that opens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import attrs
import pytest

from custinfo.book import Book
from custinfo.errors import InvalidFieldError
from custinfo.govern import Grant, Policy, Principal
from custinfo.model import Account, Customer, Money, Transaction
from custinfo.store import MemoryStore

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
CLERK = Policy([Grant("clerk", "billing", ["transaction.amount", "account.status"], actions=("read", "write"))])


@pytest.fixture
def shop():
    book = Book(MemoryStore(), policy=CLERK, actor="tests", plaintext=True)
    book.customers.put(Customer(id="c1"))
    book.accounts.put(Account(id="a1", customer_id="c1", currency="KWD"))
    book.transactions.put(paid("p1", 1000))
    return book


def paid(id, minor, **more):
    values = {"id": id, "account_id": "a1", "amount": Money(minor, "KWD"), "occurred_at": NOON}
    return Transaction(**values | more)


def back(id, minor, kind="refund", **more):
    return paid(id, minor, kind=kind, **{"related_id": "p1", "occurred_at": NOON + timedelta(days=1)} | more)


def refused(call):
    with pytest.raises(InvalidFieldError) as caught:
        call()
    return caught.value.code


def test_refunds_and_chargebacks_together_give_back_no_more_than_was_paid(shop):
    shop.transactions.put(back("r1", 400))
    shop.transactions.put(back("r2", 500, "chargeback"))
    before = len(list(shop.transactions.scan()))
    assert refused(lambda: shop.transactions.put(back("r3", 101))) == "refund.exceeds"
    assert refused(lambda: shop.transactions.put_many([back("r3", 60), back("r4", 41)])) == "refund.exceeds"
    assert refused(lambda: shop.transactions.update("r1", {"amount": Money(501, "KWD")})) == "refund.exceeds"
    assert (
        refused(
            lambda: shop.as_(Principal("anna", ["clerk"]), purpose="billing").transactions.update(
                "r1", {"amount": Money(501, "KWD")}
            )
        )
        == "refund.exceeds"
    )
    assert len(list(shop.transactions.scan())) == before
    shop.transactions.put_many([back("r3", 60), back("r4", 40)])


def test_a_payment_cannot_become_less_than_was_given_back_nor_be_voided(shop):
    refund = shop.transactions.put(back("r1", 400))
    assert refused(lambda: shop.transactions.update("p1", {"amount": Money(399, "KWD")})) == "refund.exceeds"
    assert refused(lambda: shop.transactions.update("p1", {"status": "voided"})) == "refund.payment"
    shop.transactions.put(attrs.evolve(refund, status="voided"))
    payment = shop.transactions.update("p1", {"amount": Money(399, "KWD"), "status": "voided"})
    assert payment.amount.minor == 399
    assert refused(lambda: shop.transactions.update("r1", {"status": "posted"})) == "refund.payment"


def test_a_refund_fits_its_payment_and_those_of_payments_elsewhere_pass(shop):
    assert refused(lambda: shop.transactions.put(back("r1", 1, account_id="a2"))) == "refund.account"
    assert refused(lambda: shop.transactions.put(back("r1", 1, amount=Money(1, "USD")))) == "balance.currency"
    assert shop.transactions.put(back("r1", 9999, related_id="elsewhere")).version == 1
    assert shop.transactions.put(back("r2", 9999, related_id=None)).version == 1
    both = shop.transactions.put_many([paid("p2", 10), back("r3", 10, related_id="p2")])
    assert [one.version for one in both] == [1, 1]
    assert shop.transactions.put(back("x1", 5, "adjustment")).version == 1
    assert shop.transactions.update("r1", {"channel": "app"}).channel == "app"


def test_a_closed_account_stays_closed(shop):
    account = shop.accounts.update("a1", {"status": "suspended"})
    account = shop.accounts.put(attrs.evolve(account, status="closed"))
    assert refused(lambda: shop.accounts.update("a1", {"status": "open"})) == "account.transition"
    assert refused(lambda: shop.accounts.put(attrs.evolve(account, status="active"))) == "account.transition"
    clerk = shop.as_(Principal("anna", ["clerk"]), purpose="billing")
    assert refused(lambda: clerk.accounts.update("a1", {"status": "open"})) == "account.transition"
    assert shop.accounts.update("a1", {"name": "old"}).status == "closed"


def test_what_is_refused_is_stored_nowhere_and_an_object_of_another_class_is_told_as_such(shop):
    assert refused(lambda: shop.customers.put(5)) == refused(lambda: shop.accounts.put(Customer(id="c2")))
    assert [one.id for one in shop.accounts.scan()] == ["a1"]

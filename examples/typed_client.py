"""A user's program as type checkers see it: mypy --strict and pyright in strict mode accept every line.

Each ``assert_type`` is checked by them and does nothing when the program runs:

    python examples/typed_client.py
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import assert_type

import attrs

from custinfo import Book, CustInfoError, find_duplicates, rfm
from custinfo.book import ImportReport
from custinfo.crypto import FieldCipher, Keyring, LocalKeyProvider, MemoryKeyStore
from custinfo.dedupe import Duplicates
from custinfo.govern import Grant, Policy, Principal
from custinfo.model import (
    Customer,
    Email,
    Money,
    PersonName,
    Transaction,
    TransactionKind,
    TransactionStatus,
    balance,
    dumps,
    loads,
)
from custinfo.segment import Rfm
from custinfo.store import MemoryStore, RecordStore
from custinfo.validate import BatchResult, Result, email


def check(address: str) -> str | None:
    """The normal form of an address, or None."""
    result = email(address)
    assert_type(result, Result[str])
    assert_type(email.many([address]), BatchResult[str])
    for issue in result.issues:
        print(issue.code, issue.message("zh"))
    return result.value


def describe(customer: Customer) -> str:
    """The first name of a customer, and the year he was born in."""
    assert_type(customer.names, tuple[PersonName, ...])
    assert_type(customer.birth_date, date | None)
    name = customer.names[0].full or "?" if customer.names else "?"
    return f"{name}, {customer.birth_date.year}" if customer.birth_date else name


def open_book(store: RecordStore) -> Book:
    """A book on any store, with keys in memory."""
    keyring = Keyring(LocalKeyProvider.generate(), MemoryKeyStore())
    assert_type(FieldCipher(keyring), FieldCipher)
    policy = Policy([Grant("sales", "service", {"customer.names": "clear", "customer.emails": "mask"})])
    return Book(store, keyring, policy, actor="typed-client", currency="EUR")


def main() -> None:
    """Import, look up, change, find duplicates, score."""
    book = open_book(MemoryStore())
    report = book.import_customers(
        [
            {"external_id": "1", "full_name": "Rosa Lindqvist", "email": "rosa@example.com"},
            {"external_id": "2", "full_name": "Rosa Lindquist", "email": "rosa@example.com"},
        ]
    )
    assert_type(report, ImportReport)

    customer = book.search(email="rosa@example.com")[0]
    book.customers.put(attrs.evolve(customer, birth_date=date(1980, 2, 29), emails=(Email("rosa@example.com"),)))
    print(describe(book.customers.get(customer.id)))

    view = book.as_(Principal("desk-7", ["sales"]), purpose="service")
    print([name.full for name in view.search(email="rosa@example.com")[0].names])

    duplicates = book.find_duplicates()
    assert_type(duplicates, Duplicates)
    assert_type(find_duplicates([{"email": "a@example.com"}, {"email": "b@example.com"}]), Duplicates)

    price = Money.of("12.30", "EUR")
    assert_type(price.amount, Decimal)
    payment = Transaction(
        account_id="a1",
        kind=TransactionKind.PAYMENT,
        status=TransactionStatus.POSTED,
        amount=price,
        occurred_at=datetime(2026, 1, 5, tzinfo=UTC),
    )
    print(balance([payment]), loads(dumps(payment)) == payment)

    scores = rfm({"customer_id": ["1"], "amount": ["12.30"], "occurred_at": ["2026-01-05"]}, bins=1)
    assert_type(scores, Rfm)

    try:
        book.customers.get("no-such-id")
    except CustInfoError as error:
        assert_type(error.code, str)
        print(error.code, check("rosa@EXAMPLE.com"))


if __name__ == "__main__":
    main()

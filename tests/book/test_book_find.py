"""Conditions through a book: whole pages, one audit entry a call, refused where a field is not granted."""

from __future__ import annotations

from typing import Any

import pytest

from custinfo.book import Book
from custinfo.crypto import Keyring, LocalKeyProvider, MemoryKeyStore
from custinfo.errors import AccessDeniedError, InvalidFieldError
from custinfo.govern import Grant, Policy, Principal
from custinfo.store import MemoryStore, Q

ROWS = [
    {"external_id": "C1", "given_name": "Rosalinde", "email": "rosa@example.com", "country": "CN", "tag": "vip"},
    {"external_id": "C2", "given_name": "Zebulon", "email": "zeb@example.com", "country": "CN", "tag": "vip"},
    {"external_id": "C3", "given_name": "Odalys", "email": "oda@example.com", "country": "FR", "tag": "vip"},
]
VIP = Q.tag("vip") & Q.country("CN")


@pytest.fixture
def book() -> Book:
    policy = Policy(
        [
            Grant(
                "sales", "service", {"customer.tags": "clear", "customer.addresses": "mask", "customer.names": "clear"}
            ),
            Grant("till", "service", {"customer.tags": "mask", "customer.names": "clear"}),
        ]
    )
    keyring = Keyring(LocalKeyProvider.generate(), MemoryKeyStore())
    made = Book(MemoryStore(), keyring, policy, actor="docs")
    assert made.import_customers(ROWS).created == 3
    return made


def actions(book: Book) -> list[tuple[str, str]]:
    return [(entry.action, entry.outcome) for entry in book.audit.entries()]


def names(page: Any) -> list[str]:
    return [customer.names[0].given for customer in page]


def test_a_book_finds_by_condition_page_by_page_with_one_entry_a_page(book: Book) -> None:
    before = len(actions(book))
    first = book.find(VIP, order="created_at", limit=1)
    rest = book.customers.find(VIP, order="created_at", cursor=first.cursor)
    assert sorted(names(first) + names(rest)) == ["Rosalinde", "Zebulon"]
    assert rest.cursor is None
    assert actions(book)[before:] == [("customer.find", "ok")] * 2


def test_a_view_finds_by_granted_fields_only(book: Book) -> None:
    view = book.as_(Principal("desk-7", ["sales"]), purpose="service")
    before = len(actions(book))
    page = view.find(VIP, limit=1)
    assert len(page) == 1
    assert page[0].tags[0].name == "vip"
    with pytest.raises(AccessDeniedError):
        _ = page[0].emails
    assert len(view.customers.find(VIP, cursor=page.cursor)) == 1
    for refused in (
        lambda: view.find(Q.tag("vip") & ~Q.email("rosa@example.com")),
        lambda: view.find(Q.tag("vip"), order="created_at"),
        lambda: view.find(Q.tag("vip") | Q.created_at.between("2024")),
    ):
        with pytest.raises(AccessDeniedError):
            refused()
    assert actions(book)[before:] == [("customer.find", "ok")] * 2 + [("customer.find", "denied")] * 3


def test_a_masked_field_is_not_told_by_ranges_or_order(book: Book) -> None:
    view = book.as_(Principal("till-2", ["till"]), purpose="service")
    assert len(view.find(Q.tag("vip"))) == 3
    for refused in (lambda: view.find(Q.tag.between("v")), lambda: view.find(Q.tag("vip"), order="tag")):
        with pytest.raises(AccessDeniedError) as caught:
            refused()
        assert caught.value.code == "access.masked"


def test_conditions_and_look_ups_are_not_mixed_up(book: Book) -> None:
    view = book.as_(Principal("desk-7", ["sales"]), purpose="service")
    for call in (
        lambda: book.customers.find(VIP, email="rosa@example.com"),
        lambda: book.customers.find(order="tag"),
        lambda: view.customers.find(order="tag"),
    ):
        with pytest.raises(InvalidFieldError) as caught:
            call()
        assert caught.value.code == "find.where"


def test_typed_columns_are_checked_through_a_book(book: Book) -> None:
    before = len(actions(book))
    assert book.transactions.check_columns() == []
    assert actions(book)[before:] == [("transaction.check_columns", "ok")]

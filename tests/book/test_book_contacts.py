"""Interactions, feedback, consents and points in a book: typed, encrypted, masked, and reached by a person's rights."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from custinfo.book import Book
from custinfo.crypto import Keyring, LocalKeyProvider, MemoryKeyStore
from custinfo.errors import AccessDeniedError
from custinfo.govern import Grant, Policy, Principal
from custinfo.model import Consent, Feedback, Interaction, LoyaltyEntry
from custinfo.store import MemoryStore

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
SAID = "marzipan gives him a rash"
NAMES = ("interactions", "feedback", "consents", "loyalty")
POLICY = Policy([Grant("desk", "service", {"interaction.summary": "mask", "interaction.channel": "clear"})])


@pytest.fixture(params=["encrypted", "plain"])
def book(request):
    ring = Keyring(LocalKeyProvider(b"k" * 32), MemoryKeyStore()) if request.param == "encrypted" else None
    book = Book(MemoryStore(), ring, POLICY, plaintext=ring is None)
    book.import_customers([{"external_id": "C1", "given_name": "Rosa"}, {"external_id": "C2", "given_name": "Rosa"}])
    return book


def owners(book):
    return [book.search(external_id=one)[0].id for one in ("C1", "C2")]


def put_one_of_each(book, owner):
    at = {"customer_id": owner, "occurred_at": NOON}
    book.interactions.put(Interaction(channel="phone", direction="in", summary=SAID, **at))
    book.feedback.put(Feedback(channel="chat", text=SAID, score=2, scale=(1, 5), **at))
    book.loyalty.put(LoyaltyEntry(kind="earn", points=5, description=SAID, **at))
    book.consents.put(
        Consent(customer_id=owner, purpose="news", channel="sms", status="granted", captured_at=NOON, proof=SAID)
    )


def raw(book):
    with book.desk.store.unit(write=False) as unit:
        kinds = ("interaction", "feedback", "consent", "loyaltyentry")
        return b"".join(record.data for kind in kinds for record in unit.page(kind, "", 100))


def test_each_collection_keeps_its_class_under_its_customer(book):
    one, other = owners(book)
    put_one_of_each(book, one)
    before = len(list(book.audit.entries()))
    for name in NAMES:
        (found,) = getattr(book, name).find(customer_id=one)
        assert getattr(book, name).get(found.id) == found
        assert getattr(book, name).find(customer_id=other) == []
    assert len(list(book.audit.entries())) == before + 3 * len(NAMES)
    assert [one.score for one in book.feedback.find(status="new")] == [2]
    assert (SAID.encode() in raw(book)) == (book.desk.keyring is None)


def test_a_view_shows_what_is_granted_of_them(book):
    one, _ = owners(book)
    put_one_of_each(book, one)
    view = book.as_(Principal("desk-7", ["desk"]), purpose="service")
    (seen,) = view.interactions.scan()
    assert (seen.channel, seen.summary) == ("phone", "***")
    for name in ("feedback", "consents", "loyalty"):
        with pytest.raises(AccessDeniedError):
            getattr(view, name).scan()


def test_an_export_has_them_and_an_erasure_leaves_nothing_personal_in_them(book):
    one, other = owners(book)
    put_one_of_each(book, one)
    put_one_of_each(book, other)
    book.merge([one, other])
    assert [len(book.rights.export(one)[name]) for name in NAMES] == [2, 2, 2, 2]
    receipt = book.rights.erase(one, reason="asked for it")
    assert book.rights.verify(receipt)
    assert SAID.encode() not in raw(book)
    assert [found.text for found in book.feedback.scan()] == [None, None]
    assert [found.points for found in book.loyalty.find(customer_id=other)] == [5]
    late = Feedback(customer_id=one, channel="chat", occurred_at=NOON, text=SAID)
    if book.desk.keyring is None:
        book.feedback.put(late)
        assert not book.rights.verify(receipt)

"""Views and the audit log: only what was granted, and one entry for each call."""

from __future__ import annotations

import contextlib

import pytest
from book_helpers import payments, people, state

from custinfo.book import Book
from custinfo.crypto import Keyring, LocalKeyProvider, MemoryKeyStore
from custinfo.errors import AccessDeniedError, CustInfoError, InvalidFieldError, RecordNotFoundError
from custinfo.govern import Grant, Policy, Principal
from custinfo.model import Customer, Email, Tag
from custinfo.store import MemoryStore, RecordKeyStore

SALES = Principal("desk-7", ["sales"])


@pytest.fixture
def shop(book):
    book.import_customers(people(3))
    book.import_transactions(payments(6, 3))
    return book


@pytest.fixture
def anna(shop):
    return shop.search(email="anna1@example.com")[0]


def test_a_view_shows_granted_fields_masked_as_granted(shop, anna):
    view = shop.as_(SALES, purpose="service").customers.get(anna.id)
    assert view.names == anna.names
    assert view.phones[0].value == "***0001"
    assert set(view.to_dict()) == {"id", "names", "phones"}
    assert "anna1@example.com" not in repr(view)
    assert "***0001" in repr(view)


def test_a_field_that_is_not_granted_is_refused(shop, anna):
    view = shop.as_(SALES, purpose="service").customers.get(anna.id)
    with pytest.raises(AccessDeniedError):
        _ = view.emails
    with pytest.raises(AttributeError):
        view.names = ()
    assert dir(view) == ["id", "names", "phones"]


def test_only_granted_fields_are_decrypted(shop, anna, monkeypatch):
    seen = []
    cipher = shop.desk.customers.codec.cipher
    original = type(cipher).decrypt_record

    def watched(self, tokens, **where):
        seen.append(set(tokens))
        return original(self, tokens, **where)

    monkeypatch.setattr(type(cipher), "decrypt_record", watched)
    shop.as_(SALES, purpose="service").customers.get(anna.id)
    assert seen == [{"names", "phones"}]


@pytest.mark.parametrize("purpose", ["marketing", "operation", ""])
def test_another_purpose_sees_nothing(shop, anna, purpose):
    with pytest.raises(AccessDeniedError):
        shop.as_(SALES, purpose=purpose).customers.get(anna.id)


def test_a_stranger_sees_nothing(shop, anna):
    view = shop.as_(Principal("nobody"), purpose="service")
    for call in (
        lambda: view.customers.get(anna.id),
        lambda: view.customers.find(name="anna example"),
        lambda: view.customers.scan(),
        lambda: view.accounts.scan(),
        lambda: view.transactions.scan(),
        lambda: view.search(name="anna example"),
        lambda: view.statement(anna.id),
        lambda: view.timeline(anna.id),
        lambda: view.customers.update(anna.id, {"names": ()}),
    ):
        with pytest.raises(AccessDeniedError):
            call()


def test_without_a_policy_nobody_sees_anything(store, keyring):
    book = Book(store, keyring)
    book.import_customers(people(1))
    with pytest.raises(AccessDeniedError):
        book.as_(SALES, purpose="service").customers.scan()


def test_finding_by_a_field_needs_its_grant(shop):
    view = shop.as_(SALES, purpose="service")
    assert len(view.search(name="anna example")) == 3
    assert len(view.search(phone="+16505550001")) == 1
    with pytest.raises(AccessDeniedError):
        view.search(email="anna1@example.com")


def test_writing_needs_a_grant_for_each_field(shop, anna):
    view = shop.as_(SALES, purpose="service")
    changed = view.customers.update(anna.id, {"names": ()})
    assert changed.names == ()
    before = state(shop)
    with pytest.raises(AccessDeniedError):
        view.customers.update(anna.id, {"names": anna.names, "tags": (Tag("vip"),)})
    assert state(shop) == before


def test_statements_need_the_amounts_of_transactions(shop, anna):
    clerk = shop.as_(Principal("desk-8", ["clerk"]), purpose="billing")
    assert len(clerk.timeline(anna.id)) == 2
    assert str(clerk.statement(anna.id).totals["USD"]) == "5.50 USD"
    with pytest.raises(AccessDeniedError):
        shop.as_(SALES, purpose="service").statement(anna.id)


def test_a_grant_may_ask_for_a_second_factor(store, keyring):
    policy = Policy([Grant("sales", "service", ["customer.names"], auth_methods=["otp"])])
    book = Book(store, keyring, policy)
    book.import_customers(people(1))
    with pytest.raises(AccessDeniedError):
        book.as_(Principal("desk-7", ["sales"], ["pwd"]), purpose="service").customers.scan()
    assert len(list(book.as_(Principal("desk-7", ["sales"], ["pwd", "otp"]), purpose="service").customers.scan())) == 1


def calls(book, anna):
    view = book.as_(SALES, purpose="service")
    new = Customer(id="new", emails=[Email("new@example.com")])
    return {
        "get": lambda: book.customers.get(anna.id),
        "get missing": lambda: book.customers.get("nobody"),
        "find": lambda: book.customers.find(email="anna1@example.com"),
        "find wrong": lambda: book.customers.find(shoe="41"),
        "find nothing": lambda: book.customers.find(),
        "scan": lambda: list(book.customers.scan()),
        "history": lambda: book.customers.history(anna.id),
        "columns": lambda: book.accounts.columns(["currency"]),
        "put": lambda: book.customers.put(new),
        "put stale": lambda: book.customers.put(Customer(id=anna.id)),
        "put many": lambda: book.customers.put_many([Customer(id="p1"), Customer(id="p2")]),
        "update": lambda: book.customers.update(anna.id, {"tags": (Tag("vip"),)}),
        "update wrong": lambda: book.customers.update(anna.id, {"shoe": 41}),
        "delete": lambda: book.customers.delete("new"),
        "search": lambda: book.search(name="anna example"),
        "timeline": lambda: book.timeline(anna.id),
        "statement": lambda: book.statement(anna.id),
        "tag": lambda: book.tag("gold", [anna.id]),
        "feed": lambda: book.feed(),
        "merge wrong": lambda: book.merge([anna.id]),
        "unmerge wrong": lambda: book.unmerge("none"),
        "find duplicates": lambda: book.find_duplicates(),
        "view get": lambda: view.customers.get(anna.id),
        "view find": lambda: view.customers.find(name="anna example"),
        "view scan": lambda: list(view.customers.scan()),
        "view update": lambda: view.customers.update(anna.id, {"names": ()}),
        "view search denied": lambda: view.search(email="anna1@example.com"),
        "view statement denied": lambda: view.statement(anna.id),
        "view timeline denied": lambda: view.timeline(anna.id),
        "view update denied": lambda: view.customers.update(anna.id, {"tags": ()}),
        "export": lambda: book.rights.export(anna.id),
        "hold": lambda: book.rights.hold(anna.id, "dispute"),
        "erase held": lambda: book.rights.erase(anna.id, "asked"),
        "release": lambda: book.rights.release(anna.id),
        "erase": lambda: book.rights.erase(anna.id, "asked"),
    }


def test_every_call_makes_exactly_one_audit_entry(shop, anna):
    for name, call in calls(shop, anna).items():
        before = len(shop.audit.entries())
        refused = True
        with contextlib.suppress(CustInfoError):
            call()
            refused = False
        entries = shop.audit.entries(after=before)
        assert len(entries) == 1, name
        assert refused == any(word in name for word in ("wrong", "denied", "missing", "stale", "nothing", "held")), name
        if "denied" in name or "stale" in name or "held" in name:
            assert entries[0].outcome == "denied", name
    assert shop.audit.verify() is None


def test_a_view_names_the_principal_and_the_purpose(shop, anna):
    shop.as_(SALES, purpose="service").customers.get(anna.id)
    entry = shop.audit.entries()[-1]
    assert (entry.actor, entry.purpose, entry.action, entry.entity, entry.subject) == (
        "desk-7",
        "service",
        "customer.get",
        "customer",
        anna.id,
    )
    shop.customers.get(anna.id)
    assert (shop.audit.entries()[-1].actor, shop.audit.entries()[-1].purpose) == ("tests", "operation")


def test_no_personal_value_is_in_the_audit_log(shop, anna):
    for call in calls(shop, anna).values():
        with contextlib.suppress(CustInfoError):
            call()
    text = repr(shop.audit.entries())
    assert not any(value in text for value in ("anna1@example.com", "Anna", "+16505550001", "1980-02-03"))


def test_a_book_without_keys_must_say_so(store):
    with pytest.raises(InvalidFieldError) as caught:
        Book(store)
    assert caught.value.code == "book.plaintext"


def test_keys_beside_the_data_are_refused():
    store = MemoryStore()
    keyring = Keyring(LocalKeyProvider.generate(), RecordKeyStore(store))
    with pytest.raises(InvalidFieldError) as caught:
        Book(store, keyring)
    assert caught.value.code == "book.key_store"
    assert Keyring(LocalKeyProvider.generate(), MemoryKeyStore()) is not None


def test_the_feed_tells_each_change_once_with_ids_only(shop):
    events = shop.feed()
    assert [event.type for event in events].count("customer.created") == 3
    assert shop.feed(events[-1].cursor) == []
    shop.tag("vip", [events[0].subject])
    assert [event.type for event in shop.feed(events[-1].cursor)] == ["customer.updated"]


def test_tagging_counts_those_that_were_new(shop, anna):
    assert shop.tag("vip", [anna.id, anna.id]) == 1
    assert shop.tag("vip", [anna.id]) == 0
    assert [customer.id for customer in shop.customers.find(tag="vip")] == [anna.id]
    with pytest.raises(RecordNotFoundError):
        shop.tag("vip", [anna.id, "nobody"])


def test_a_plain_book_has_the_same_methods(store):
    book = Book(store, plaintext=True)
    book.import_customers(people(3))
    assert len(book.search(email="anna1@example.com")) == 1
    assert book.audit.verify() is None


def test_reprs_name_no_keys(shop):
    assert "Keyring(tenant='default'" in repr(shop)
    assert repr(shop.customers) == "AuditedCollection('customer')"
    view = shop.as_(SALES, purpose="service")
    assert repr(view) == "BookView('desk-7', purpose='service')"
    assert repr(view.customers) == "CollectionView('customer', 'desk-7')"


def test_a_grant_of_the_fields_own_mask_uses_what_the_model_declares(store, keyring):
    policy = Policy([Grant("sales", "service", {"customer.birth_date": "mask", "customer.emails": "mask"})])
    book = Book(store, keyring, policy)
    book.import_customers(people(1))
    (view,) = book.as_(SALES, purpose="service").customers.scan()
    assert view.birth_date == "1980-**-**"
    assert view.emails[0].value == "a***@example.com"


def test_a_grant_of_a_field_that_does_not_exist_gives_nothing(store, keyring):
    book = Book(store, keyring, Policy([Grant("sales", "service", ["customer.shoe"])]))
    book.import_customers(people(1))
    view = book.as_(SALES, purpose="service")
    with pytest.raises(AccessDeniedError):
        view.customers.scan()
    with pytest.raises(AccessDeniedError):
        view.customers.get(next(book.customers.scan()).id)

"""Export, hold and erasure: nothing of a person is left, wherever it was, and no money is lost."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
import govern_helpers as given
import pytest

from custinfo.book import Book
from custinfo.crypto import Keyring, LocalKeyProvider, MemoryKeyStore
from custinfo.errors import (
    ConflictError,
    CustInfoError,
    InvalidFieldError,
    KeyDestroyedError,
    KeyUnavailableError,
    MergeError,
    RecordNotFoundError,
    StoreError,
)
from custinfo.govern import ErasureReceipt
from custinfo.model import Account, Customer, CustomerStatus, Email, PersonName, ReviewTask
from custinfo.store import MemoryStore, Record, RecordKeyStore, RecordStore, SqliteStore

REASON = "asked for on paper"


@pytest.fixture(params=["subject", "tenant", "plaintext"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    made = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "book.db", synchronous="NORMAL")
    yield made
    made.close()


@pytest.fixture
def book(store: RecordStore, mode: str) -> Book:
    return given.shop(store, None if mode == "plaintext" else given.keyring(mode=mode))


@pytest.fixture
def encrypted(tmp_path: Path) -> Any:
    store = SqliteStore(tmp_path / "book.db", synchronous="NORMAL")
    yield given.shop(store, given.keyring())
    store.close()


def merged(book: Book) -> str:
    """The two records of Quintessa as one; gives the survivor."""
    return book.merge([given.id_of(book, 1), given.id_of(book, 2)]).survivor


def everything(book: Book) -> list[Record]:
    """Every record but those of the audit log."""
    with book.desk.store.unit(write=False) as unit:
        kinds = [kind for kind in unit.kinds() if not kind.startswith("audit")]  # type: ignore[attr-defined]  # SupportsBackup
        return [record for kind in kinds for record in unit.page(kind, "", 1000)]


def assert_nothing_left(book: Book, *, of: tuple[bytes, ...] = given.PERSONAL) -> None:
    """No personal value is readable with the keys there are: neither in records nor in their former states."""
    desk = book.desk
    for collection in (desk.customers, desk.accounts, desk.transactions, desk.reviews, desk.merges):
        for record in collection.records():
            with desk.store.unit(write=False) as unit:
                states = [record, *collection.history_records(record.id, unit=unit)]
            for state in states:
                text = attrs.asdict(collection.codec.open(state)).__repr__().encode()
                assert not [value for value in of if value in text and value != b"Quintessa"], state


# export


def test_an_export_holds_everything_of_a_person_and_nothing_of_another(book: Book) -> None:
    survivor = merged(book)
    book.customers.update(survivor, {"notes": ("moved",)})
    book.reviews.put(ReviewTask(reason="duplicate", customer_ids=["other", survivor]))
    found = book.rights.export(survivor)
    assert sorted(found) == [
        "accounts",
        "consents",
        "customers",
        "feedback",
        "former",
        "interactions",
        "loyalty",
        "reviews",
        "transactions",
    ]
    assert [len(found[name]) for name in ("customers", "accounts", "transactions", "reviews")] == [2, 2, 2, 1]
    assert len(found["former"]) == 3
    text = json.dumps(found)
    for value in ("quintessa.vanterpool@example.com", "q.wanterpool@example.org", "lace curtains", "moved", "marzipan"):
        assert value in text
    assert "Ottoline" not in text
    assert found == book.rights.export(
        next(id for id in (given.id_of(book, 3), *[c["id"] for c in found["customers"]]) if id != given.id_of(book, 3))
    )


def test_an_unknown_customer_is_not_found_and_that_is_recorded(book: Book) -> None:
    for call in (
        lambda: book.rights.export("nobody"),
        lambda: book.rights.hold("nobody", "dispute"),
        lambda: book.rights.release("nobody"),
        lambda: book.rights.erase("nobody", REASON),
    ):
        before = len(book.audit.entries())
        with pytest.raises(RecordNotFoundError):
            call()
        assert len(book.audit.entries()) == before + 1


# hold


def test_a_hold_stops_an_erasure_until_it_is_released(book: Book) -> None:
    id = given.id_of(book, 1)
    book.rights.hold(id, "dispute 7")
    before = everything(book)
    for _ in range(2):
        with pytest.raises(ConflictError) as caught:
            book.rights.erase(id, REASON)
        assert caught.value.code == "legal_hold"
    assert everything(book) == before
    assert book.customers.get(id).names
    with pytest.raises(ConflictError):
        book.rights.hold(id, "again")
    book.rights.release(id)
    with pytest.raises(RecordNotFoundError) as missing:
        book.rights.release(id)
    assert missing.value.code == "hold.none"
    assert book.rights.verify(book.rights.erase(id, REASON))


def test_a_hold_holds_through_a_merge_and_its_undoing(book: Book) -> None:
    one, other = given.id_of(book, 1), given.id_of(book, 2)
    book.rights.hold(other, "dispute")
    merge = book.merge([one, other])
    for id in (one, other):
        with pytest.raises(ConflictError):
            book.rights.erase(id, REASON)
    book.rights.hold(one, "also")
    book.unmerge(merge.id)
    for id in (one, other):
        with pytest.raises(ConflictError):
            book.rights.erase(id, REASON)
        book.rights.release(id)
        book.rights.erase(id, REASON)


@pytest.mark.parametrize("reason", ["", "  ", None, 7])
def test_a_reason_is_needed(book: Book, reason: Any) -> None:
    id = given.id_of(book, 1)
    for call in (book.rights.erase, book.rights.hold):
        before = len(book.audit.entries())
        with pytest.raises(InvalidFieldError):
            call(id, reason)
        assert len(book.audit.entries()) == before + 1
    assert book.customers.get(id).names


# erase


def test_after_an_erasure_there_is_a_stub_and_the_money(book: Book, mode: str) -> None:
    survivor = merged(book)
    before = given.total(book)
    tagged = book.tag("vip", [survivor])
    receipt = book.rights.erase(given.id_of(book, 1) if mode == "tenant" else survivor, REASON)
    assert (tagged, len(receipt.members), receipt.reason, receipt.subject) == (1, 2, REASON, survivor)
    assert (receipt.final_at is not None, bool(receipt.kids)) == (mode == "subject", mode == "subject")
    assert receipt.former_states >= 3
    assert receipt.files_purged
    stub = book.customers.get(survivor)
    assert stub == Customer(
        id=survivor,
        version=stub.version,
        status=CustomerStatus.ERASED,
        created_at=stub.created_at,
        updated_at=stub.updated_at,
    )
    assert given.total(book) == before
    assert len(book.timeline(survivor)) == 2
    assert all(payment.description is None for payment in book.timeline(survivor))
    assert [customer.id for customer in book.customers.scan()] == [given.id_of(book, 3)]
    for query in ({"email": "q.wanterpool@example.org"}, {"phone": "+12025550147"}):
        assert book.search(**query) == []  # type: ignore[arg-type]  # by one of them
    assert len(book.customers.history(survivor)) == 1
    assert_nothing_left(book)
    assert book.rights.verify(receipt)
    assert book.audit.verify() is None


def test_the_others_are_left_as_they_were(book: Book) -> None:
    other = given.id_of(book, 3)
    before = book.rights.export(other)
    book.rights.erase(merged(book), REASON)
    assert book.rights.export(other) == before


def test_a_merge_with_an_erased_member_cannot_be_undone(book: Book) -> None:
    merge = book.merge([given.id_of(book, 1), given.id_of(book, 2)])
    book.rights.erase(merge.survivor, REASON)
    before = everything(book)
    with pytest.raises(MergeError) as caught:
        book.unmerge(merge.id)
    assert caught.value.code == "merge.erased"
    assert everything(book) == before


def test_erasing_again_changes_nothing(book: Book, mode: str) -> None:
    survivor = merged(book)
    first = book.rights.erase(survivor, REASON)
    before = everything(book)
    for id in first.members:
        again = book.rights.erase(id, "again")
        assert (again.members, again.kids, again.former_states) == (first.members, (), 0)
        assert book.rights.verify(again)
    assert everything(book) == before
    report = book.import_customers(given.PEOPLE[:2], source_name="till")
    assert (report.blocked, report.created) == ((0, 2) if mode == "plaintext" else (2, 0))
    assert book.rights.verify(first)


def test_only_external_ids_are_kept_from_coming_back(encrypted: Book) -> None:
    encrypted.import_customers([{"external_id": "K-9", "national_id": "11010519491231002X", "email": "k9@example.com"}])
    (customer,) = encrypted.search(email="k9@example.com")
    encrypted.rights.erase(customer.id, REASON)
    with encrypted.desk.store.unit(write=False) as unit:
        keys = unit.keys("customer", customer.id)  # type: ignore[attr-defined]  # SupportsBackup
    # created_at is no personal value: the stub keeps the field in clear.
    assert [(key.name, key.unique) for key in keys] == [("created_at", False), ("identifier", True)]


def test_a_member_takes_nothing_with_it_that_a_former_partner_keeps(book: Book) -> None:
    """The states of a survivor from an undone merge show the values of all members."""
    one, other = given.id_of(book, 1), given.id_of(book, 2)
    merge = book.merge([one, other])
    book.customers.update(merge.survivor, {"notes": ("both",)})
    book.unmerge(merge.id)
    book.customers.update(merge.survivor, {"notes": ("alone again",)})
    lost = next(id for id in (one, other) if id != merge.survivor)
    gone = (b"wanterpool", b"Wanterpool") if lost == other else (b"vanterpool", b"Vanterpool")
    former = book.customers.history(merge.survivor)
    receipt = book.rights.erase(lost, REASON)
    assert receipt.members == (lost,)
    assert_nothing_left(book, of=gone)
    assert book.rights.verify(receipt)
    left = book.customers.history(merge.survivor)
    assert [state.notes for state in left] == [former[0].notes, former[0].notes, ("alone again",)]
    assert book.customers.get(merge.survivor).emails


def test_values_carried_on_by_a_second_merge_go_too(book: Book) -> None:
    one, other, third = (given.id_of(book, number) for number in (1, 2, 3))
    first = book.merge([one, other])
    second = book.merge([first.survivor, third])
    book.unmerge(second.id)
    book.unmerge(first.id)
    lost = next(id for id in (one, other) if id != first.survivor)
    gone = (b"wanterpool", b"Wanterpool") if lost == other else (b"vanterpool", b"Vanterpool")
    receipt = book.rights.erase(lost, REASON)
    assert_nothing_left(book, of=gone)
    assert book.rights.verify(receipt)


def test_an_open_merge_can_still_be_undone_after_the_erasure_of_a_former_partner(book: Book) -> None:
    one, other, third = (given.id_of(book, number) for number in (1, 2, 3))
    first = book.merge([one, other])
    book.unmerge(first.id)
    lost = next(id for id in (one, other) if id != first.survivor)
    second = book.merge([first.survivor, third])
    before = book.customers.history(second.survivor)[-2]
    book.rights.erase(lost, REASON)
    book.unmerge(second.id)
    assert book.customers.get(second.survivor).emails == before.emails


def test_review_tasks_about_a_person_go_wherever_it_is_named(book: Book) -> None:
    id, other = given.id_of(book, 1), given.id_of(book, 3)
    for ids in ([id, other], [other, id], [other]):
        book.reviews.put(ReviewTask(reason="import.ambiguous", customer_ids=ids, proposal={"note": "Vanterpool"}))
    receipt = book.rights.erase(id, REASON)
    assert [task.customer_ids for task in book.reviews.scan()] == [(other,)]
    assert book.rights.verify(receipt)


def test_an_account_and_a_payment_lose_what_is_personal(book: Book) -> None:
    id = given.id_of(book, 1)
    account = book.accounts.put(Account(customer_id=id, currency="USD", name="Vanterpool household"))
    book.accounts.update(account.id, {"name": "Vanterpool & co"})
    book.rights.erase(id, REASON)
    stored = book.accounts.get(account.id)
    assert (stored.name, stored.customer_id, stored.currency) == (None, id, "USD")
    assert len(book.accounts.history(account.id)) == 1


# what is left in files


@pytest.mark.parametrize("mode", ["subject", "plaintext"])
def test_nothing_is_left_in_the_bytes_of_the_file(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "book.db"
    store = SqliteStore(path, synchronous="NORMAL")
    book = given.shop(store, None if mode == "plaintext" else given.keyring())
    extra = [
        {"external_id": f"X-{n}", "given_name": f"Passerby{n}", "email": f"passerby{n}@example.com", "note": "n" * n}
        for n in range(1, 400)
    ]
    book.import_customers(extra[:200], source_name="till")
    survivor = merged(book)
    for n in range(6):
        book.customers.update(survivor, {"notes": (f"marzipan {n} " * 40,)})
    book.import_customers(extra[200:], source_name="till")

    def left() -> list[bytes]:
        data = b"".join(file.read_bytes() for file in sorted(tmp_path.iterdir()))
        return [value for value in given.PERSONAL if value in data]

    assert bool(left()) == (mode == "plaintext")
    receipt = book.rights.erase(survivor, REASON)
    assert receipt.files_purged
    assert left() == []
    assert book.rights.verify(receipt)
    store.close()
    assert left() == []


def test_an_open_reader_keeps_the_files_and_the_receipt_says_so(tmp_path: Path) -> None:
    store, reader = (SqliteStore(tmp_path / "book.db", synchronous="NORMAL") for _ in range(2))
    book = given.shop(store, None)
    with reader.unit(write=False) as unit:
        unit.page("customer", "", 10)
        receipt = book.rights.erase(given.id_of(book, 1), REASON)
        assert not receipt.files_purged
    assert book.rights.erase(given.id_of(book, 3), REASON).files_purged
    reader.close()
    store.close()


def test_the_keys_after_an_erasure_open_nothing_from_before(tmp_path: Path) -> None:
    """A thief with yesterday's data file and today's key store reads the others, and nobody who was erased."""
    provider = LocalKeyProvider.generate()
    keys = MemoryStore()
    data = SqliteStore(tmp_path / "book.db", synchronous="NORMAL")
    book = given.shop(data, Keyring(provider, RecordKeyStore(keys)))
    survivor = merged(book)
    data.purge()
    stolen = (tmp_path / "book.db").read_bytes()
    receipt = book.rights.erase(survivor, REASON)
    data.close()
    (tmp_path / "stolen.db").write_bytes(stolen)
    old = SqliteStore(tmp_path / "stolen.db")
    thief = Book(old, Keyring(provider, RecordKeyStore(keys)), actor="thief")
    names = {customer.id: customer.names for customer in thief.desk.customers.scan(hidden=True)}
    assert {id for id, found in names.items() if found} == {given.id_of(thief, 3)}
    assert set(receipt.members) < set(names)
    assert_nothing_left(thief)
    old.close()


# verify


def test_personal_data_put_back_are_noticed(book: Book, mode: str) -> None:
    id = given.id_of(book, 1)
    receipt = book.rights.erase(id, REASON)
    back = attrs.evolve(book.customers.get(id), names=[PersonName(given="Quintessa")])
    with pytest.raises(ConflictError):
        book.customers.put(back)
    if mode == "subject":
        with pytest.raises(KeyDestroyedError):
            book.desk.customers.put(back)
        assert book.rights.verify(receipt)
    else:
        book.desk.customers.put(back)
        assert not book.rights.verify(receipt)


def test_personal_data_on_an_account_of_the_person_are_noticed(book: Book, mode: str) -> None:
    id = given.id_of(book, 1)
    receipt = book.rights.erase(id, REASON)
    (account,) = (one for one in book.accounts.scan() if one.customer_id == id)
    if mode == "subject":
        book.desk.accounts.put(attrs.evolve(account, name="Vanterpool", version=0, id="new"))
    else:
        book.accounts.update(account.id, {"name": "Vanterpool"})
    assert not book.rights.verify(receipt)


def test_what_is_not_personal_may_change_after_an_erasure(book: Book) -> None:
    id = given.id_of(book, 1)
    receipt = book.rights.erase(id, REASON)
    (payment,) = book.timeline(id)
    book.transactions.update(payment.id, {"status": "voided"})
    assert book.rights.verify(receipt)


def test_a_former_state_that_remains_is_noticed(book: Book) -> None:
    id = given.id_of(book, 1)
    desk = book.desk
    with desk.store.unit(write=False) as unit:
        old = unit.get("customer", [id])[0]
    receipt = book.rights.erase(id, REASON)
    with desk.store.unit() as unit:
        unit.put(Record("customer.history", f"{id}/0000000001", 0, old.data), (), 0)
    assert not book.rights.verify(receipt)


def test_an_old_or_broken_record_in_the_place_of_the_stub_is_noticed(book: Book) -> None:
    id = given.id_of(book, 1)
    desk = book.desk
    with desk.store.unit(write=False) as unit:
        old = unit.get("customer", [id])[0]
    receipt = book.rights.erase(id, REASON)
    for data in (old.data, b"", b"{}", b"\xc2\x01" + bytes(40), old.data[:-1]):
        with desk.store.unit() as unit:
            unit.put(Record("customer", id, 0, data), (), unit.get("customer", [id])[0].version)
        assert not book.rights.verify(receipt)
    book.customers._collection.store.unit  # noqa: B018 - the book is still of use
    with desk.store.unit() as unit:
        unit.delete("customer", id, unit.get("customer", [id])[0].version)
    assert book.rights.verify(receipt)


def test_a_tag_on_a_stub_is_noticed(book: Book) -> None:
    id = given.id_of(book, 1)
    receipt = book.rights.erase(id, REASON)
    book.desk.customers.update(id, {"tags": book.customers.get(given.id_of(book, 3)).tags, "kind": "organization"})
    assert not book.rights.verify(receipt)


def test_a_receipt_comes_back_from_its_json(book: Book) -> None:
    receipt = book.rights.erase(merged(book), "wünscht es · 张")
    text = receipt.to_json()
    assert json.loads(text)["reason"] == "wünscht es · 张"
    assert not [value for value in given.PERSONAL if value in text.encode()]
    assert ErasureReceipt.from_json(text) == receipt
    assert book.rights.verify(ErasureReceipt.from_json(text))


@pytest.mark.parametrize("text", ["", "7", "null", "[]", "{}", '{"at": 7}', '{"final_at": null}', "[" * 9000])
def test_what_is_no_receipt_is_refused(text: str) -> None:
    with pytest.raises(InvalidFieldError) as caught:
        ErasureReceipt.from_json(text)
    assert caught.value.code == "receipt.json"


# faults


class FailingKeys(MemoryKeyStore):
    """A key store that can be unplugged."""

    down = False

    def get(self, name: str) -> Any:
        if self.down:
            raise OSError("no route")
        return super().get(name)

    def put(self, items: Any) -> None:
        if self.down:
            raise OSError("no route")
        super().put(items)


def test_without_the_key_store_nothing_is_changed(store: RecordStore) -> None:
    keys = FailingKeys()
    book = given.shop(store, Keyring(LocalKeyProvider.generate(), keys))
    id = given.id_of(book, 1)
    before = everything(book)
    keys.down = True
    with pytest.raises(KeyUnavailableError):
        book.rights.erase(id, REASON)
    keys.down = False
    assert everything(book) == before
    assert book.customers.get(id).names
    receipt = book.rights.erase(id, REASON)
    keys.down = True
    with pytest.raises(KeyUnavailableError):
        book.rights.verify(receipt)
    keys.down = False
    assert book.rights.verify(receipt)


class FailingProvider:
    """A key provider whose service is down."""

    def __init__(self, inner: LocalKeyProvider) -> None:
        self._inner = inner
        self.down = False

    def __getattr__(self, name: str) -> Any:
        if self.down:
            raise OSError("no route")
        return getattr(self._inner, name)

    def wrap(self, key: bytes, context: Any) -> Any:
        if self.down:
            raise OSError("no route")
        return self._inner.wrap(key, context)

    def unwrap(self, wrapped: Any, context: Any) -> bytes:
        if self.down:
            raise OSError("no route")
        return self._inner.unwrap(wrapped, context)


def test_without_the_provider_nothing_is_changed() -> None:
    store, keys, provider = MemoryStore(), MemoryKeyStore(), FailingProvider(LocalKeyProvider.generate())
    book = given.shop(store, Keyring(provider, keys))  # type: ignore[arg-type]  # a stand-in
    id = given.id_of(book, 1)
    fresh = Keyring(provider, keys, cache_ttl_s=0.000001)  # type: ignore[arg-type]  # a stand-in
    other = Book(store, fresh, actor="tests")
    before = everything(book)
    provider.down = True
    with pytest.raises(KeyUnavailableError):
        other.rights.erase(id, REASON)
    provider.down = False
    assert everything(book) == before
    assert other.customers.get(id).names
    assert other.rights.verify(other.rights.erase(id, REASON))


class FailingStore(MemoryStore):
    """A store whose disk is full at the end of the next unit."""

    full = False

    def _end(self, unit: Any, *, commit: bool) -> None:
        if commit and unit._writes and self.full:
            self.full = False
            super()._end(unit, commit=False)
            raise StoreError("the disk is full", code="store.full")
        super()._end(unit, commit=commit)


def test_an_erasure_that_could_not_be_committed_is_finished_by_the_next() -> None:
    store = FailingStore()
    book = given.shop(store, given.keyring())
    survivor = merged(book)
    store.full = True
    with pytest.raises(StoreError):
        book.rights.erase(survivor, REASON)
    receipt = book.rights.erase(survivor, REASON)
    assert book.rights.verify(receipt)
    report = book.import_customers(given.PEOPLE[:2], source_name="till")
    assert (report.blocked, report.created) == (2, 0)


def test_ctrl_c_in_an_erasure_leaves_no_half_of_it(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    id = given.id_of(book, 1)
    before, entries = everything(book), len(book.audit.entries())

    def interrupted(*_: Any, **__: Any) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(book.desk.accounts, "purge_history", interrupted)
        with pytest.raises(KeyboardInterrupt):
            book.rights.erase(id, REASON)
    assert everything(book) == before
    assert len(book.audit.entries()) == entries
    assert book.rights.verify(book.rights.erase(id, REASON))


def test_a_person_without_personal_data_can_be_erased(book: Book) -> None:
    made = book.customers.put(Customer())
    receipt = book.rights.erase(made.id, REASON)
    assert (receipt.members, receipt.kids, receipt.former_states) == ((made.id,), (), 1)
    assert book.rights.verify(receipt)


def test_a_store_that_gives_no_keys_back_keeps_an_erased_person_away_too(monkeypatch: pytest.MonkeyPatch) -> None:
    import custinfo.govern._rights as rights

    class Nothing:
        pass

    book = given.shop(MemoryStore(), given.keyring())
    monkeypatch.setattr(rights, "SupportsBackup", Nothing)
    book.rights.erase(merged(book), REASON)
    assert book.import_customers(given.PEOPLE[:2], source_name="till").blocked == 2


def test_merges_in_a_circle_are_no_endless_walk() -> None:
    """What only a damaged plaintext store can hold."""
    book = given.shop(MemoryStore(), None)
    one, other = given.id_of(book, 1), given.id_of(book, 2)
    for id, target in ((one, other), (other, one)):
        book.desk.customers.put(
            attrs.evolve(book.desk.customers.get(id), status="merged", merged_into=target, identifiers=())
        ) if id == one else None
    with book.desk.store.unit() as unit:
        record = unit.get("customer", [other])[0]
        stored = json.loads(record.data) | {"status": "merged", "merged_into": one}
        unit.put(Record("customer", other, 0, json.dumps(stored).encode()), (), record.version)
    for id in (one, other):
        with pytest.raises(CustInfoError):
            book.rights.erase(id, REASON)


def test_the_audit_entry_of_an_erasure_has_counts_only(book: Book) -> None:
    receipt = book.rights.erase(merged(book), REASON)
    entry = book.audit.entries()[-1]
    assert (entry.action, entry.outcome, entry.subject) == ("rights.erase", "ok", receipt.subject)
    assert entry.detail == {"members": 2, "former_states": receipt.former_states}


def test_the_clock_of_the_book_dates_the_receipt() -> None:
    now = datetime(2024, 5, 6, tzinfo=UTC)
    book = given.shop(MemoryStore(), None, clock=lambda: now)
    book.desk.customers.put(Customer(id="c9", emails=[Email("c9@example.com")]))
    assert book.rights.erase("c9", REASON).at == now

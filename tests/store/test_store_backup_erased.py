"""Who was erased after a backup was made does not come back with it."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime

import attrs
import pytest

from custinfo.book import Book
from custinfo.crypto import FieldCipher, Keyring, LocalKeyProvider, MemoryKeyStore
from custinfo.errors import ConflictError, DecryptionError, KeyUnavailableError
from custinfo.model import Account, Consent, Customer, CustomerStatus, Email, ReviewTask
from custinfo.store import START, Collection, MemoryStore, Record, RecordKeyStore, SqliteStore, backup, restore

PROVIDER = LocalKeyProvider(bytes(range(32)))
PEOPLE = [
    {
        "external_id": "K-1",
        "given_name": "Quintessa",
        "family_name": "Vanterpool",
        "email": "quintessa.vanterpool@example.com",
        "phone": "+12025550147",
        "note": "allergic to marzipan",
    },
    {"external_id": "K-2", "given_name": "Quintessa", "family_name": "Wanterpool", "email": "q.wanterpool@example.org"},
    {"external_id": "K-3", "given_name": "Ottoline", "family_name": "Marchbanks", "email": "otto@example.net"},
]
PAST = datetime(2024, 1, 2, tzinfo=UTC)
TIMES = ("created_at", "updated_at")
PERSONAL = ("Vanterpool", "vanterpool", "Wanterpool", "wanterpool", "12025550147", "marzipan", "lace curtains")


def payment(id, customer):
    return {
        "id": id,
        "customer": customer,
        "occurred_at": "2024-01-02",
        "amount": "5.25",
        "description": "lace curtains" if customer != "K-3" else "wool",
    }


class Shop:
    """A book, its backup at some point, and what became of the restored one."""

    def __init__(self, folder):
        self.keyring = Keyring(LocalKeyProvider.generate(), RecordKeyStore(MemoryStore()))
        self.store = SqliteStore(folder / "shop.db", synchronous="NORMAL")
        self.path = folder / "shop.backup"
        self.targets = [MemoryStore(), SqliteStore(folder / "new.db", synchronous="NORMAL")]
        self.book = Book(self.store, self.keyring, currency="USD")
        self.book.import_customers(PEOPLE, source_name="till")
        payments = [payment(f"t{n}", f"K-{n}") for n in (1, 2, 3)]
        self.book.import_transactions(payments, source_name="till")

    def id(self, number):
        (found,) = self.book.search(external_id=f"K-{number}", source_name="till")
        return found.id

    def backup(self):
        backup(self.store, self.path, PROVIDER)

    def restored(self):
        """The report and a book for each backend."""
        for target in self.targets:
            yield restore(self.path, target, PROVIDER, keyring=self.keyring), Book(target, self.keyring, currency="USD")

    def close(self):
        for store in (self.store, *self.targets):
            store.close()


@pytest.fixture
def shop(tmp_path):
    with contextlib.closing(Shop(tmp_path)) as made:
        yield made


def content_of(book):
    """Every record but those of the audit log, without versions and times: fields in clear, names of tokens, keys."""
    desk, found = book.desk, {}
    for collection in (desk.customers, desk.accounts, desk.transactions, desk.merges, desk.reviews):
        with desk.store.unit(write=False) as unit:
            for record in unit.page(collection.kind, "", 100):
                states = [record, *collection.history_records(record.id, unit=unit)]
                shown = []
                for state in states:
                    payload = collection.codec.read(state)
                    clear = {name: value for name, value in payload.clear.items() if name not in TIMES}
                    shown.append((clear, sorted(payload.tokens), payload.subject))
                keys = [key for key in unit.keys(record.kind, record.id) if key.name not in TIMES]
                found[collection.kind, record.id] = (shown, keys)
    return found


def assert_nobody_came_back(shop, receipt):
    live = content_of(shop.book)
    for report, book in shop.restored():
        assert report.replayed
        assert set(report.erased) == set(receipt.members)
        assert report.changed >= len(receipt.members)
        assert book.rights.verify(receipt)
        assert content_of(book) == live
        assert book.audit.verify() is None
        for id in receipt.members:
            assert book.customers.get(id).status is CustomerStatus.ERASED
            assert len(book.desk.customers.history(id)) == 1
        assert book.search(email=PEOPLE[0]["email"]) == []
        again = book.import_customers(PEOPLE[:1], source_name="till")
        assert (again.created, again.blocked) == (0, 1)
        assert not [value for value in PERSONAL[:2] if value in str(content_of(book))]
        assert book.search(email="otto@example.net")
        assert book.transactions.columns(["amount_minor"])["amount_minor"].sum() == sum(
            shop.book.transactions.columns(["amount_minor"])["amount_minor"]
        )


def test_a_person_erased_since_comes_back_as_the_stub_that_the_erasure_left(shop):
    shop.book.customers.update(shop.id(1), {"notes": ("marzipan again",)})
    shop.book.accounts.put(Account(customer_id=shop.id(1), currency="EUR", name="Vanterpool household"))
    shop.backup()
    receipt = shop.book.rights.erase(shop.id(1), "asked")
    assert_nobody_came_back(shop, receipt)


def test_the_backup_of_a_merged_person_does_not_bring_it_back(shop):
    shop.book.merge([shop.id(1), shop.id(2)])
    shop.backup()
    receipt = shop.book.rights.erase(shop.id(1), "asked")
    assert len(receipt.members) == 2
    assert_nobody_came_back(shop, receipt)


def test_persons_merged_and_erased_since_do_not_come_back(shop):
    shop.backup()
    merge = shop.book.merge([shop.id(1), shop.id(2)])
    receipt = shop.book.rights.erase(merge.survivor, "asked")
    for report, book in shop.restored():
        assert set(report.erased) == set(merge.members)
        assert book.rights.verify(receipt)
        assert book.search(name="Quintessa") == []


def test_former_states_of_a_partner_and_payments_under_its_key_go_too(shop):
    """A survivor shows the values of all while a merge is open, and encrypts payments of all under its key."""
    one, other = shop.id(1), shop.id(2)
    merge = shop.book.merge([one, other])
    shop.book.customers.update(merge.survivor, {"notes": ("both",)})
    lost = next(id for id in (one, other) if id != merge.survivor)
    shop.book.import_transactions([payment("t9", "K-1" if lost == one else "K-2")], source_name="till")
    shop.book.unmerge(merge.id)
    shop.book.customers.update(merge.survivor, {"notes": ("alone again",)})
    third = shop.book.merge([merge.survivor, shop.id(3)])
    shop.backup()
    receipt = shop.book.rights.erase(lost, "asked")
    live = content_of(shop.book)
    for report, book in shop.restored():
        assert report.erased == (lost,)
        assert report.left_out >= 2
        assert book.rights.verify(receipt)
        assert content_of(book) == live
        book.unmerge(third.id)
        assert book.customers.get(merge.survivor).notes == ("alone again",)


def test_a_payment_of_somebody_else_under_the_key_of_the_erased_stays_as_the_erasure_left_it(shop):
    one, other = shop.id(1), shop.id(2)
    merge = shop.book.merge([one, other])
    left = next(id for id in (one, other) if id != merge.survivor)
    shop.book.import_transactions([payment("t9", "K-1" if left == one else "K-2")], source_name="till")
    shop.book.unmerge(merge.id)
    shop.backup()
    receipt = shop.book.rights.erase(merge.survivor, "asked")
    live = content_of(shop.book)
    for report, book in shop.restored():
        assert report.erased == receipt.members == (merge.survivor,)
        assert content_of(book) == live
        assert book.rights.verify(receipt)


def test_a_merge_that_was_undone_since_and_a_member_erased_is_refused_until_it_is_undone_again(shop):
    merge = shop.book.merge([shop.id(1), shop.id(2)])
    shop.backup()
    shop.book.unmerge(merge.id)
    lost = next(id for id in merge.members if id != merge.survivor)
    receipt = shop.book.rights.erase(lost, "asked")
    for target in shop.targets:
        with pytest.raises(ConflictError) as caught:
            restore(shop.path, target, PROVIDER, keyring=shop.keyring)
        assert caught.value.code == "restore.merge"
        assert caught.value.details["merges"] == [merge.id]
        with target.unit(write=False) as unit:
            assert unit.kinds() == []
    # What the message says to do.
    restore(shop.path, shop.targets[0], PROVIDER)
    book = Book(shop.targets[0], shop.keyring, currency="USD")
    book.unmerge(merge.id)
    book.rights.erase(lost, "asked, before the restore")
    assert book.rights.verify(receipt)
    backup(shop.targets[0], shop.path.with_name("second"), PROVIDER)
    assert restore(shop.path.with_name("second"), shop.targets[1], PROVIDER, keyring=shop.keyring).erased == ()


@pytest.mark.parametrize("kind", ["in memory", "on a store"])
def test_every_key_store_tells_who_was_shredded_of_this_tenant(kind, tmp_path):
    keys = MemoryKeyStore() if kind == "in memory" else RecordKeyStore(MemoryStore())
    provider = LocalKeyProvider.generate()
    keyring, other = (Keyring(provider, keys, tenant=tenant) for tenant in ("shop/1", "shop"))
    store = MemoryStore()
    customers = Collection(store, Customer, FieldCipher(keyring))
    for n in range(3):
        customers.put(Customer(id=f"c/{n}", emails=[Email(f"p{n}@example.com")]))
    backup(store, tmp_path / "b", PROVIDER)
    keyring.shred("c/1")
    other.shred("c/2")
    for n in range(1200):
        keyring.shred(f"nobody/{n}")
    target = MemoryStore()
    assert restore(tmp_path / "b", target, PROVIDER, keyring=keyring).erased == ("c/1",)
    restored = Collection(target, Customer, FieldCipher(keyring))
    assert [customer.id for customer in restored.find(email="p1@example.com")] == []
    assert [customer.id for customer in restored.find(email="p2@example.com")] == ["c/2"]
    assert restored.get("c/1").status is CustomerStatus.ERASED


def test_reviews_and_holds_of_an_erased_person_are_left_out(shop):
    gone, other = shop.id(1), shop.id(3)
    for ids in ([gone, other], [other, gone], [other]):
        shop.book.reviews.put(ReviewTask(reason="import.ambiguous", customer_ids=ids, proposal={"note": "Vanterpool"}))
    shop.book.rights.hold(gone, "dispute")
    shop.backup()
    shop.book.rights.release(gone)
    receipt = shop.book.rights.erase(gone, "asked")
    for report, book in shop.restored():
        assert report.left_out == 3
        assert [task.customer_ids for task in book.reviews.scan()] == [(other,)]
        assert book.rights.verify(receipt)
        assert book.rights.erase(gone, "again").kids == ()


def test_what_holds_nothing_personal_keeps_its_former_states(shop):
    """Consents stay as evidence; an erasure takes the key, and nothing else of them."""
    consents = Collection(shop.store, Consent, FieldCipher(shop.keyring))
    gone = shop.id(1)
    given = consents.put(
        Consent(customer_id=gone, purpose="news", channel="email", status="granted", captured_at=PAST), subject=gone
    )
    consents.put(attrs.evolve(given, status="withdrawn"))
    shop.backup()
    shop.book.rights.erase(gone, "asked")
    for _, book in shop.restored():
        restored = Collection(book.desk.store, Consent, FieldCipher(shop.keyring))
        assert [state.status for state in restored.history(given.id)] == ["granted", "withdrawn"]


def test_nothing_readable_is_in_the_bytes_of_a_restored_file(shop, tmp_path):
    shop.backup()
    gone = shop.id(1)
    with shop.store.unit(write=False) as unit:
        tokens = [key.value.encode() for key in unit.keys("customer", gone) if not key.unique and key.name not in TIMES]
        data = unit.get("customer", [gone])[0].data
    shop.book.rights.erase(gone, "asked")
    restore(shop.path, shop.targets[1], PROVIDER, keyring=shop.keyring)
    shop.close()
    left = (tmp_path / "new.db").read_bytes()
    assert tokens
    assert not [token for token in tokens if token in left]
    assert data[-60:] not in left
    assert not [value for value in PERSONAL if value.encode() in left]


def test_followers_of_the_feed_hear_of_the_stubs(shop):
    shop.backup()
    gone = shop.id(1)
    shop.book.rights.erase(gone, "asked")
    restore(shop.path, shop.targets[0], PROVIDER, keyring=shop.keyring)
    with shop.targets[0].unit(write=False) as unit:
        events = [(event.type, event.subject) for event in unit.feed(START, 1000)]
    assert events.count(("customer.created", gone)) == 1
    assert events[-3:].count(("customer.updated", gone)) == 1


def test_who_was_erased_before_the_backup_is_the_stub_that_it_was(shop):
    receipt = shop.book.rights.erase(shop.id(1), "asked")
    shop.backup()
    live = content_of(shop.book)
    for report, book in shop.restored():
        assert (report.erased, report.changed, report.left_out) == ((), 0, 0)
        assert content_of(book) == live
        assert book.rights.verify(receipt)


def test_without_a_keyring_nothing_is_replayed_and_the_report_says_so(shop):
    shop.backup()
    gone = shop.id(1)
    receipt = shop.book.rights.erase(gone, "asked")
    assert not restore(shop.path, shop.targets[0], PROVIDER).replayed
    assert not Book(shop.targets[0], shop.keyring).rights.verify(receipt)


def test_in_tenant_mode_nothing_can_be_replayed_and_the_report_says_so(tmp_path):
    keyring = Keyring(LocalKeyProvider.generate(), MemoryKeyStore(), mode="tenant")
    book = Book(MemoryStore(), keyring)
    book.import_customers(PEOPLE)
    backup(book.desk.store, tmp_path / "b", PROVIDER)
    assert not restore(tmp_path / "b", MemoryStore(), PROVIDER, keyring=keyring).replayed


def test_records_without_encryption_pass_a_keyring_unchanged(tmp_path):
    store, target = MemoryStore(), MemoryStore()
    with store.unit() as unit:
        unit.put(Record("customer", "c1", 0, b"plain"), [], 0)
        unit.put(Record("mine", "m1", 0, b"\xc2\x01 of another library"), [], 0)
    backup(store, tmp_path / "b", PROVIDER)
    keyring = Keyring(LocalKeyProvider.generate(), MemoryKeyStore())
    assert restore(tmp_path / "b", target, PROVIDER, keyring=keyring).erased == ()
    with target.unit(write=False) as unit:
        assert unit.get("mine", ["m1"])[0].data == b"\xc2\x01 of another library"


class Down:
    """A key store that does not answer."""

    def get(self, name):
        raise ConnectionError("no route to host")

    put = names = generation = get


def test_without_the_right_keys_nothing_is_restored(shop):
    shop.backup()
    target = shop.targets[0]
    other = Keyring(LocalKeyProvider.generate(), MemoryKeyStore())
    with pytest.raises(DecryptionError) as caught:
        restore(shop.path, target, PROVIDER, keyring=other)
    assert caught.value.code == "payload.altered"
    with pytest.raises(KeyUnavailableError):
        restore(shop.path, target, PROVIDER, keyring=Keyring(LocalKeyProvider.generate(), Down()))
    shop.keyring.key_store.store.close()
    with pytest.raises(KeyUnavailableError, match=r"store\.closed"):
        restore(shop.path, target, PROVIDER, keyring=shop.keyring)
    with target.unit(write=False) as unit:
        assert unit.kinds() == []

"""Backups of and restores into PostgreSQL: the same files, the same promises."""

from __future__ import annotations

import contextlib
import threading

import postgres_server
import pytest
from test_store_backup_erased import PEOPLE, PROVIDER
from test_store_backup_restore import fill, is_empty, state_of

from custinfo.book import Book
from custinfo.crypto import Keyring, LocalKeyProvider, MemoryKeyStore
from custinfo.errors import StoreError
from custinfo.store import START, Cursor, MemoryStore, PostgresStore, Record, SqliteStore, backup, drill, restore

pytestmark = pytest.mark.postgres


@pytest.fixture
def make():
    with contextlib.ExitStack() as stack:

        def made():
            store = PostgresStore(postgres_server.shared(), schema=postgres_server.fresh_schema())
            stack.callback(store.close)
            return store

        yield made


@pytest.fixture
def path(tmp_path):
    return tmp_path / "shop.backup"


def test_a_state_goes_from_sqlite_to_postgresql_and_back_unchanged(make, path, tmp_path):
    with contextlib.closing(SqliteStore(tmp_path / "shop.db")) as sqlite, contextlib.closing(MemoryStore()) as memory:
        old, new = fill(sqlite), make()
        first = backup(old, path, PROVIDER)
        restore(path, new, PROVIDER)
        assert state_of(new) == state_of(old)
        second = backup(new, path.with_name("second"), PROVIDER)
        assert second.manifest.kinds == first.manifest.kinds
        assert second.manifest.events_sha256 == first.manifest.events_sha256
        assert drill(path.with_name("second"), PROVIDER, against=old, into=memory).ok
        with new.unit() as unit:
            assert unit.put(Record("customer", "c7", 0, b"on"), [], 8) == 9
            assert unit.columns("transaction", ["amount.minor"])["amount.minor"].tolist() == [5]
            with pytest.raises(StoreError) as caught:
                unit.feed(Cursor(first.manifest.cursor), 10)
        assert caught.value.code in ("store.cursor", "store.cursor_incarnation")


def test_what_is_written_after_a_backup_began_is_not_in_it(make, path):
    store = fill(make())

    class WritesMeanwhile:
        def wrap(self, key, context):
            thread = threading.Thread(target=write)
            thread.start()
            thread.join()
            return PROVIDER.wrap(key, context)

    def write():
        with store.unit() as unit:
            unit.put(Record("customer", "c2", 0, b"new"), [], 1)
            unit.put(Record("customer", "later", 0, b"new"), [], 0)
            unit.emit("later", "l1", b"")

    report = backup(store, path, WritesMeanwhile())
    assert (report.counts["customer"], report.manifest.events) == (30, 37)
    comparison = drill(path, PROVIDER, against=store)
    assert comparison.ok
    assert (comparison.newer, comparison.added) == (1, 1)


def test_events_held_back_by_an_older_open_unit_are_in_the_backup(make, path):
    store, begun, end = make(), threading.Event(), threading.Event()

    def hold():
        with store.unit() as unit:
            unit.put(Record("customer", "open", 0, b""), [], 0)
            unit.emit("customer.created", "open", b"")
            begun.set()
            end.wait(30)

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        assert begun.wait(30)
        with store.unit() as unit:
            unit.put(Record("customer", "done", 0, b""), [], 0)
            unit.emit("customer.created", "done", b"")
        with store.unit(write=False) as unit:
            assert unit.feed(START, 10) == []
        report = backup(store, path, PROVIDER)
    finally:
        end.set()
        holder.join()
    assert (report.counts, report.manifest.events) == ({"customer": 1}, 1)
    target = make()
    restore(path, target, PROVIDER)
    with target.unit(write=False) as unit:
        assert [event.subject for event in unit.feed(START, 10)] == ["done"]


def test_a_restore_that_fails_leaves_the_target_empty_and_one_that_holds_something_is_refused(make, path):
    class Refuses:
        def verify(self, message, signature):
            return False

    source, target = fill(MemoryStore()), make()
    backup(source, path, PROVIDER)
    with pytest.raises(StoreError):
        restore(path, target, PROVIDER, verify_key=Refuses())
    assert is_empty(target)
    restore(path, target, PROVIDER)
    with pytest.raises(StoreError) as caught:
        restore(path, target, PROVIDER)
    assert caught.value.code == "backup.target_not_empty"
    assert state_of(target) == state_of(source)


def test_a_person_erased_since_does_not_come_back_on_postgresql(make, path):
    keyring = Keyring(LocalKeyProvider.generate(), MemoryKeyStore())
    book = Book(make(), keyring)
    book.import_customers(PEOPLE)
    backup(book.desk.store, path, PROVIDER)
    gone = book.search(email=PEOPLE[0]["email"])[0].id
    receipt = book.rights.erase(gone, "asked")
    target = make()
    assert restore(path, target, PROVIDER, keyring=keyring).erased == (gone,)
    again = Book(target, keyring)
    assert again.search(email=PEOPLE[0]["email"]) == []
    assert again.search(email=PEOPLE[1]["email"])
    assert again.rights.verify(receipt)
    assert again.audit.verify() is None

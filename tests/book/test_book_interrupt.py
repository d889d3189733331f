"""Ctrl-C during an import: the book opens and holds only whole units."""

from __future__ import annotations

import signal
from contextlib import closing

import pytest
from book_helpers import people

from custinfo.book import Book, _importing
from custinfo.crypto import Keyring, LocalKeyProvider, MemoryKeyStore
from custinfo.store import SqliteStore

BATCH = 40


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch):
    monkeypatch.setattr(_importing, "BATCH", BATCH)


def interrupted(source, row):
    """The rows of *source*, with a Ctrl-C before one of them."""
    for number, values in enumerate(source):
        if number == row:
            raise KeyboardInterrupt
        yield values


def test_whole_batches_stay_and_the_import_goes_on_where_it_stopped(book):
    rows = people(BATCH + 30)
    with pytest.raises(KeyboardInterrupt):
        book.import_customers(interrupted(rows, BATCH + 20))
    assert len(list(book.customers.scan())) == BATCH
    report = book.import_customers(rows)
    assert (report.unchanged, report.created) == (BATCH, 30)
    assert book.audit.verify() is None


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs an interval timer")
@pytest.mark.parametrize("delay_s", [0.02, 0.05, 0.1, 0.15, 0.2])
def test_a_signal_at_any_moment_leaves_only_whole_units(tmp_path, delay_s):
    path = tmp_path / "book.db"
    keyring = Keyring(LocalKeyProvider.generate(), MemoryKeyStore())
    rows = people(8 * BATCH)

    def ctrl_c(*_):
        raise KeyboardInterrupt

    former = signal.signal(signal.SIGALRM, ctrl_c)
    store = SqliteStore(path, synchronous="NORMAL")
    book = Book(store, keyring)
    signal.setitimer(signal.ITIMER_REAL, delay_s)
    try:
        book.import_customers(rows)
    except KeyboardInterrupt:
        pass
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)
        store.close()
    with closing(SqliteStore(path)) as again:
        book = Book(again, keyring)
        found = len(list(book.customers.scan()))
        assert found % BATCH == 0
        assert len(list(book.accounts.scan())) == found
        assert book.audit.verify() is None
        report = book.import_customers(rows)
        assert (report.unchanged, report.created) == (found, 8 * BATCH - found)

"""Ctrl-C during an import: the book opens and holds only whole units."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from book_helpers import people

from custinfo.book import Book, _importing
from custinfo.crypto import Keyring, LocalKeyProvider
from custinfo.store import RecordKeyStore, SqliteStore

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


# In a process of its own: a signal that arrives while coverage holds its lock would leave that lock held for ever.
IMPORT_WITH_A_TIMER = """
import signal, sys
from book_helpers import people
from custinfo.book import Book, _importing
from custinfo.crypto import Keyring, LocalKeyProvider
from custinfo.store import RecordKeyStore, SqliteStore

def ctrl_c(*_):
    raise KeyboardInterrupt

folder, batch, delay_s = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
_importing.BATCH = batch
keyring = Keyring(LocalKeyProvider.from_file(folder + "/kek.key"), RecordKeyStore(SqliteStore(folder + "/keys.db")))
store = SqliteStore(folder + "/book.db", synchronous="NORMAL")
book = Book(store, keyring)
rows = people(8 * batch)
signal.signal(signal.SIGALRM, ctrl_c)
signal.setitimer(signal.ITIMER_REAL, delay_s)
try:
    book.import_customers(rows)
except KeyboardInterrupt:
    print("interrupted")
finally:
    signal.setitimer(signal.ITIMER_REAL, 0)
    store.close()
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs an interval timer")
@pytest.mark.parametrize("delay_s", [0.02, 0.05, 0.1, 0.15, 0.2])
def test_a_signal_at_any_moment_leaves_only_whole_units(tmp_path, delay_s):
    provider = LocalKeyProvider.create_file(tmp_path / "kek.key")
    subprocess.run(
        [sys.executable, "-c", IMPORT_WITH_A_TIMER, str(tmp_path), str(BATCH), str(delay_s)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
        check=True,
        timeout=120,
    )
    rows = people(8 * BATCH)
    with closing(SqliteStore(tmp_path / "book.db")) as again, closing(SqliteStore(tmp_path / "keys.db")) as keys:
        book = Book(again, Keyring(provider, RecordKeyStore(keys)))
        found = len(list(book.customers.scan()))
        assert found % BATCH == 0
        assert len(list(book.accounts.scan())) == found
        assert book.audit.verify() is None
        report = book.import_customers(rows)
        assert (report.unchanged, report.created) == (found, 8 * BATCH - found)

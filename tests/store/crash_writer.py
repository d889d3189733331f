"""Writes through a Book in a process that is to be killed; a program for test_store_crash.py.

For each line of its input it starts a writer, by a fork, since imports cost more than all the writing. The writer tells
its process id and then each unit that was committed, by a line; "dead" follows when it was killed.
"""

from __future__ import annotations

import os
import sys
from itertools import count

from custinfo.book import Book
from custinfo.crypto import Keyring, LocalKeyProvider, MemoryKeyStore
from custinfo.model import Customer, Email, PersonName, Tag
from custinfo.store import MemoryStore, PostgresStore, RecordKeyStore, SqliteStore

BATCH = 3


def open_book(folder, dsn, schema):
    """The book and its store; the keys lie in a file of their own."""
    keyring = Keyring(LocalKeyProvider.from_file(f"{folder}/kek.key"), RecordKeyStore(SqliteStore(f"{folder}/keys.db")))
    store = PostgresStore(dsn, schema=schema) if dsn else SqliteStore(f"{folder}/book.db")
    return Book(store, keyring, actor="crash-test"), store


def customer(id):
    return Customer(id=id, names=[PersonName(given="Ann", family=id)], emails=[Email(f"{id}@example.com")])


def write(book, name, tell):
    """Units of three new customers, and of a change of one of them, until the end."""
    for number in count():
        made = book.customers.put_many([customer(f"{name}-{number}-{part}") for part in range(BATCH)])
        tell(f"made {name}-{number}")
        book.customers.update(made[0].id, {"tags": (Tag("changed"),)})
        tell(f"changed {name}-{number}")


def main():
    warm = Book(MemoryStore(), Keyring(LocalKeyProvider.generate(), MemoryKeyStore()))
    [made] = warm.customers.put_many([customer("warm")])
    warm.customers.update(made.id, {"tags": (Tag("changed"),)})
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            tell(f"pid {os.getpid()}")
            write(open_book(*sys.argv[1:])[0], line.strip(), tell)
        os.waitpid(child, 0)
        tell("dead")


def tell(text):
    os.write(1, f"{text}\n".encode())


if __name__ == "__main__":
    main()

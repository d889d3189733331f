"""Encrypted, indexed customers into SQLite: a Collection, the same through a Book, and where the time goes.

    python benchmarks/store/bench_collection.py [--rows 100000] [--batch 5000] [--scan 1000000]

Each customer has a name, an e-mail address, a phone number, an address and an external id: five encrypted fields and
seven to nine look-up keys. ``bare`` runs the statements of the same records on sqlite3 alone. Aims: 5,000
records/s; pages of `find` in milliseconds at any number of rows; a scan in constant memory (--scan 0 leaves it out).
"""

from __future__ import annotations

import argparse
import resource
import sqlite3
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from custinfo.book import Book
from custinfo.crypto import FieldCipher, Keyring, LocalKeyProvider
from custinfo.model import Address, Customer, Email, Identifier, PersonName, Phone, Tag
from custinfo.store import Collection, Q, Record, RecordKeyStore, SqliteStore
from custinfo.store._put import _stamped


def customers(count: int) -> list[Customer]:
    made = []
    for n in range(count):
        k = n * 7_919 % count  # ids in no order
        made.append(
            Customer(
                id=f"c{k:07d}",
                names=[PersonName(given=f"Given{k}", family=f"Family{k % 5000}")],
                emails=[Email(f"user{k}@example.com")],
                phones=[Phone(f"+1202555{k % 10000:04d}")],
                addresses=[
                    Address(
                        address_lines=(f"{k} Example Road",),
                        locality="Springfield",
                        postal_code=f"{k % 100000:05d}",
                        region_code="CN" if k % 3 else "US",
                    )
                ],
                identifiers=[Identifier(scheme="external", issuer="crm", value=f"K{k}")],
                tags=[Tag("vip")] if k % 50 == 0 else [],
            )
        )
    return made


class Setting:
    """A store with its keys in a folder of their own."""

    def __init__(self, folder: str, name: str) -> None:
        self.store = SqliteStore(Path(folder) / f"{name}.db")
        self.keys = SqliteStore(Path(folder) / f"{name}-keys.db")
        self.keyring = Keyring(LocalKeyProvider.generate(), RecordKeyStore(self.keys))

    def close(self) -> None:
        self.store.close()
        self.keys.close()


def measure(name: str, rows: int, work: Callable[[], object]) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{name:44}{rows / wall:12,.0f} records/s {rows / cpu:12,.0f} per CPU second")


def in_batches(put: Callable[[list[Customer]], object], rows: list[Customer], size: int) -> None:
    for start in range(0, len(rows), size):
        put(rows[start : start + size])


def parts(rows: list[Customer], folder: str) -> None:
    """Where the time goes, each step alone."""
    setting = Setting(folder, "parts")
    collection = Collection(setting.store, Customer, FieldCipher(setting.keyring))
    codec = collection.codec
    ids = [row.id for row in rows]
    spent: dict[str, float] = {}

    def step(name: str, work: Callable[[], object]) -> object:
        start = time.process_time()
        result = work()
        spent[name] = time.process_time() - start
        return result

    stamped = step("versions and times", lambda: _stamped(collection, rows))
    step("data keys of new subjects", lambda: setting.keyring._access.writers(ids))
    sealed = step("JSON, encryption, MAC, look-up keys", lambda: codec.seal(stamped, ids))
    step("  of which look-up keys", lambda: codec.keys_of(stamped))
    with setting.store.unit() as unit:
        step("records and keys into SQLite", lambda: unit.put_many([(row.record, row.keys, 0) for row in sealed]))
        step("events", lambda: [unit.emit("customer.created", id, b"") for id in ids])
        step("commit", unit.flush)
    for name, seconds in spent.items():
        print(f"    {name:40}{seconds / len(rows) * 1e6:12.1f} us a record")
    bare(sealed, folder)
    setting.close()


def bare(sealed: list, folder: str) -> None:
    path = Path(folder) / "bare.db"
    SqliteStore(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as con:
        for pragma in ("synchronous = FULL", "secure_delete = ON", "temp_store = MEMORY", "cache_size = -16000"):
            con.execute(f"PRAGMA {pragma}")

        def write() -> None:
            con.execute("BEGIN IMMEDIATE")
            con.executemany(
                "INSERT INTO ci_record(kind, id, version, data) VALUES('customer', ?, 1, ?)",
                [(row.record.id, row.record.data) for row in sealed],
            )
            con.executemany(
                "INSERT INTO ci_key(kind, name, value, uniq, id) VALUES('customer', ?, ?, ?, ?)",
                [(key.name, key.value, int(key.unique), row.record.id) for row in sealed for key in row.keys],
            )
            con.executemany(
                "INSERT INTO ci_outbox(type, subject, data) VALUES('customer.created', ?, x'')",
                [(row.record.id,) for row in sealed],
            )
            con.execute("COMMIT")

        measure("bare sqlite3, the same statements", len(sealed), write)


def queries(collection: Collection[Customer]) -> None:
    where = Q.tag("vip") & Q.country("CN")
    for name, options in (("by id", {}), ("by created_at", {"order": "created_at"})):
        start = time.perf_counter()
        page = collection.find(where, limit=50, fields=(), **options)
        first = time.perf_counter() - start
        start = time.perf_counter()
        collection.find(where, limit=50, cursor=page.cursor, fields=(), **options)
        print(
            f"find(vip & CN), 50 {name:26}{first * 1e3:9.1f} ms, next page {(time.perf_counter() - start) * 1e3:.1f} ms"
        )
    start = time.perf_counter()
    for n in range(100):
        collection.find(email=f"user{n * 37}@example.com")
    print(f"{'find(email=...), decrypted':44}{(time.perf_counter() - start) * 10:9.2f} ms each")


def scan(rows: int, folder: str) -> None:
    """Memory of a scan does not depend on the number of records."""
    store = SqliteStore(Path(folder) / "scan.db", synchronous="NORMAL")
    with store.unit() as unit:
        unit.put_many(
            (Record("customer", f"c{n:07d}", 0, b'{"$v":"customer/1","id":"c%07d"}' % n), (), 0) for n in range(rows)
        )
    collection = Collection(store, Customer)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    count = sum(1 for _ in collection.scan())
    took = time.perf_counter() - start
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(
        f"{'scan of ' + format(count, ',') + ' records':44}{count / took:12,.0f} records/s, peak memory +{grown:.1f} MB"
    )
    store.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--batch", type=int, default=5_000)
    parser.add_argument("--scan", type=int, default=1_000_000)
    options = parser.parse_args()
    rows = customers(options.rows)
    print(f"{options.rows:,} customers, {datetime.now(UTC):%Y-%m-%d}, SQLite {sqlite3.sqlite_version}")
    with tempfile.TemporaryDirectory() as folder:
        setting = Setting(folder, "collection")
        collection = Collection(setting.store, Customer, FieldCipher(setting.keyring))
        measure("Collection.put_many", len(rows), lambda: in_batches(collection.put_many, rows, options.batch))
        queries(collection)
        setting.close()
        setting = Setting(folder, "book")
        book = Book(setting.store, setting.keyring)
        measure("Book.customers.put_many", len(rows), lambda: in_batches(book.customers.put_many, rows, options.batch))
        setting.close()
        parts(rows[:20_000], folder)
        if options.scan:
            scan(options.scan, folder)


if __name__ == "__main__":
    main()

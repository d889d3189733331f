"""The main job, from two messy CSV files to a clean, deduplicated, segmented, encrypted customer book.

Without arguments it takes the demo shop, and shows the truth beside each result; for your own files change the map:

    python examples/quickstart.py customers.csv transactions.csv
"""

import sys
from decimal import Decimal
from pathlib import Path

from demo_shop import Truth, build, fresh_folder

from custinfo.book import Book
from custinfo.crypto import Keyring, LocalKeyProvider
from custinfo.govern import Grant, Policy, Principal
from custinfo.segment import Rfm, rfm, tiers
from custinfo.store import RecordKeyStore, SqliteStore

FOLDER = fresh_folder(Path(__file__).resolve().parent.parent / "demo")
CUSTOMERS = {"rec_id": "external_id", "surname": "family_name", "date_of_birth": "birth_date", "suburb": "locality"}
CUSTOMERS |= {"street_number": "house_number", "address_1": "street", "address_2": "address", "postcode": "postal_code"}
CUSTOMERS |= {"state": "region", "soc_sec_id": "national_id"}  # a column named as the field itself needs no mapping

customer_file, payment_file, *truth_file = sys.argv[1:] or build(FOLDER)
truth = Truth(truth_file[0], payment_file) if truth_file else None

# The keys lie in a file of their own: whoever copies the book alone can read nobody in it.
keyring = Keyring(LocalKeyProvider.create_file(FOLDER / "kek.key"), RecordKeyStore(SqliteStore(FOLDER / "keys.db")))
policy = Policy([Grant("sales", "service", {"customer.names": "clear", "customer.birth_date": "mask"})])
book = Book(SqliteStore(FOLDER / "shop.db"), keyring, policy, actor="quickstart", currency="USD")

report = book.import_customers(customer_file, mapping=CUSTOMERS, source_name="shop")
print(f"{report.rows:,} records: {report.counts}\n  bad values {report.codes()}, first {report.issues[:1]}")
payments = book.import_transactions(payment_file, source_name="shop")
print(f"{payments.rows:,} payments: {payments.counts}")


def spending() -> tuple[Rfm, dict[str, Decimal], dict[str, list[str]]]:
    """RFM, what each customer spent, and the source records that make him up."""
    table = rfm(book.transactions.columns(["customer_id", "occurred_at", "amount_minor"]), amount_minor="amount_minor")
    spent = {id: Decimal(int(minor)) / 100 for id, minor in zip(table.customer_ids, table.monetary_minor, strict=True)}
    found = book.customers.scan(fields=["identifiers"])  # decrypts nothing else
    return table, spent, {c.id: [i.value for i in c.identifiers if i.issuer == "shop"] for c in found}


_, spent, records = spending()
merged = book.merge_all(book.find_duplicates())
table, spent_merged, people = spending()
print(f"merged {len(merged.merges):,} sure clusters, {len(merged.reviews)} for review: {len(people):,} people found")
print(f"money {sum(spent.values()):,.2f} before merging, {sum(spent_merged.values()):,.2f} after")
if truth:
    print(truth.beside((spent, records), (spent_merged, people)))

tiered = tiers(table)
book.tag("vip", tiered.members("VIP"))
print(table, tiered, sep="\n")
best = table.customer_ids[table.monetary_minor.argmax()]
print(f"best customer: {table.explain(best).text()}")

found = book.search(name=book.customers.get(best).names[0].text)
sales = book.as_(Principal("desk-7", ["sales"]), purpose="service")
print(f"{len(found)} found by the blind index of the name; sales may see {sales.customers.get(best)}")
receipt = book.rights.erase(best, reason="asked for it")
print(f"erased {len(receipt.members)} records of one person: {book.rights.verify(receipt)}")
print(f"audit log of {len(book.audit.entries()):,} entries, first bad one: {book.audit.verify()}")

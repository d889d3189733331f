"""The main job, from two messy CSV files to a clean, deduplicated, segmented, encrypted customer book.

    python examples/quickstart.py                                  the demo shop, with the truth beside each result
    python examples/quickstart.py customers.csv transactions.csv   your own files: put your columns in the two maps
"""

import shutil
import sys
from decimal import Decimal
from pathlib import Path

from demo_shop import Truth, build

from custinfo.book import Book
from custinfo.crypto import Keyring, LocalKeyProvider
from custinfo.govern import Grant, Policy, Principal
from custinfo.segment import rfm, tiers
from custinfo.store import RecordKeyStore, SqliteStore

FOLDER = Path(__file__).resolve().parent.parent / "demo"
CUSTOMERS = {"rec_id": "external_id", "surname": "family_name", "date_of_birth": "birth_date", "suburb": "locality"}
CUSTOMERS |= {"street_number": "house_number", "address_1": "street", "address_2": "address", "postcode": "postal_code"}
CUSTOMERS |= {"state": "region", "soc_sec_id": "national_id"}  # a column named as the field itself needs no mapping
PAYMENTS = {"date": "occurred_at"}

shutil.rmtree(FOLDER, ignore_errors=True)
customer_file, payment_file, *truth_file = sys.argv[1:] or build(FOLDER)
truth = Truth(truth_file[0], payment_file) if truth_file else None

# The keys lie in a file of their own: whoever copies the book alone can read nobody in it.
keyring = Keyring(LocalKeyProvider.create_file(FOLDER / "kek.key"), RecordKeyStore(SqliteStore(FOLDER / "keys.db")))
policy = Policy([Grant("sales", "service", {"customer.names": "clear", "customer.birth_date": "mask"})])
book = Book(SqliteStore(FOLDER / "shop.db"), keyring, policy, actor="quickstart", currency="USD")

report = book.import_customers(customer_file, mapping=CUSTOMERS, source_name="shop")
print(f"{report.rows:,} records: {report.counts}, bad values: {report.codes()}")
print("  the first of them:", *report.issues[:1])
payments = book.import_transactions(payment_file, mapping=PAYMENTS, source_name="shop")
print(f"{payments.rows:,} payments: {payments.counts}")


def spending() -> tuple[dict[str, Decimal], dict[str, list[str]]]:
    """What each customer spent, and the source records that make him up."""
    spent = rfm(book.transactions.columns(["customer_id", "occurred_at", "amount_minor"]), amount_minor="amount_minor")
    amounts = dict(zip(spent.customer_ids, [Decimal(int(minor)) / 100 for minor in spent.monetary_minor], strict=True))
    return amounts, {c.id: [i.value for i in c.identifiers if i.scheme == "external"] for c in book.customers.scan()}


before, records = spending()
merged = book.merge_all(book.find_duplicates())
after, people = spending()
print(f"merged {len(merged.merges):,} sure clusters, {len(merged.reviews)} left for review; {len(people):,} people found")
print(f"money {sum(before.values()):,} before merging, {sum(after.values()):,} after")
if truth:
    precision, recall = truth.pair_scores(people.values())
    print(f"  truth: {truth.people:,} people, {truth.total:,}; pair precision {precision:.4f}, recall {recall:.4f}")
    found = [truth.vips_found(spent, members) for spent, members in ((before, records), (after, people))]
    print(f"VIPs found: {found[0]} of {len(truth.vips)} before merging, {found[1]} of {len(truth.vips)} after")

table = rfm(book.transactions.columns(["customer_id", "occurred_at", "amount_minor"]), amount_minor="amount_minor")
tiered = tiers(table)
book.tag("vip", tiered.members("VIP"))
print(f"{table}\n{tiered}")
best = table.customer_ids[table.monetary_minor.argmax()]
print(f"best customer: {table.explain(best).text()}")

name = book.customers.get(best).names[0].text
(seen,) = [view for view in book.as_(Principal("desk-7", ["sales"]), purpose="service").search(name=name) if view.id == best]
print(f"found by the blind index of the name; what sales may see: {seen}")
receipt = book.rights.erase(best, reason="asked for it")
print(f"erased: {book.rights.verify(receipt)}, {len(receipt.members)} records; audit log: first bad entry {book.audit.verify()}")

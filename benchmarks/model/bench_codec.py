"""Microseconds to write and to read one customer.

    python benchmarks/model/bench_codec.py [--customers 100000]

A customer has six filled fields (name, e-mail, phone, address, birth date, external id) besides id and times. The floor
is the json module alone on the same data: what is above it is cattrs, attrs and the checks of the model. Times are CPU
time of this process; only the ratios to the floor mean anything on another machine.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from custinfo.model import Address, Customer, Email, Identifier, PersonName, Phone, dumps, loads, to_dict

START = datetime(2026, 1, 1, tzinfo=UTC)


def customer(number: int) -> Customer:
    when = START + timedelta(seconds=number)
    return Customer(
        id=f"c{number:07}",
        names=[PersonName(given=f"Given{number % 997}", family=f"Family{number % 1009}")],
        emails=[Email(f"c{number}@example.com")],
        phones=[Phone(f"+1415555{number % 10_000:04}")],
        addresses=[
            Address(
                street_name="Example Road",
                building_number=str(number % 300 + 1),
                locality="Springfield",
                postal_code=f"{number % 90_000 + 10_000}",
                region_code="US",
            )
        ],
        identifiers=[Identifier(scheme="external", issuer="shop", value=f"C{number:07}")],
        birth_date=date(1950, 1, 1) + timedelta(days=number % 18_000),
        created_at=when,
        updated_at=when,
    )


def microseconds(call: Callable[[Any], object], items: Sequence[Any], rounds: int = 3) -> float:
    best = float("inf")
    for _ in range(rounds):
        start = time.process_time()
        for item in items:
            call(item)
        best = min(best, time.process_time() - start)
    return best / len(items) * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=100_000)
    count = parser.parse_args().customers
    customers = [customer(number) for number in range(count)]
    written = list(map(dumps, customers))
    if any(loads(data) != each for data, each in zip(written, customers, strict=True)):
        sys.exit("a customer did not come back equal")
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    write, read = microseconds(dumps, customers), microseconds(loads, written)
    write_floor, read_floor = (
        microseconds(encode, list(map(to_dict, customers[:1000]))),
        microseconds(json.loads, written),
    )
    size = sum(map(len, written)) / count
    print(f"{count:,} customers of {size:.0f} bytes came back equal")
    print(f"dumps {write:6.1f} us  json alone {write_floor:6.1f} us  ratio {write / write_floor:.1f}")
    print(f"loads {read:6.1f} us  json alone {read_floor:6.1f} us  ratio {read / read_floor:.1f}")


if __name__ == "__main__":
    main()

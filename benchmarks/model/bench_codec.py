"""Microseconds to write and to read one customer.

    python benchmarks/model/bench_codec.py [--customers 100000] [--rounds 5]

A customer has six filled fields (name, e-mail, phone, address, birth date, external id) besides id and times. The floor
is the json module alone on the same data: what is above it is cattrs, attrs and the checks of the model. Peers read and
write the same bytes in the same run; msgspec and pydantic do so in compiled code and check less. Times are CPU time of
this process; only the ratios mean anything on another machine.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, get_origin

from custinfo.model import (
    Address,
    Customer,
    Email,
    Identifier,
    PersonName,
    Phone,
    _json,
    dumps,
    from_dict,
    loads,
    to_dict,
)

ADDRESS = ("street_name", "building_number", "locality", "postal_code", "region_code")
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


def quartiles(call: Callable[[Any], object], items: Sequence[Any], rounds: int) -> list[float]:
    """First quartile, median and third quartile of the microseconds per item, over the rounds."""
    call(items[0])
    times = []
    for _ in range(rounds):
        start = time.process_time()
        for item in items:
            call(item)
        times.append((time.process_time() - start) / len(items) * 1e6)
    return statistics.quantiles(times, n=4, method="inclusive")


class Msgspec:
    """The same shape without checks of its values, as msgspec reads and writes it."""

    def __init__(self) -> None:
        import msgspec

        def struct(name: str, *fields: str, **types: Any) -> Any:
            rows = [(field, str | None, None) for field in fields]
            rows += [(field, kind, () if get_origin(kind) is tuple else None) for field, kind in types.items()]
            return msgspec.defstruct(name, rows, kw_only=True, omit_defaults=True, rename={"tag": "$v"}, frozen=True)

        self.customer = struct(
            "Customer",
            "tag",
            "id",
            names=tuple[struct("PersonName", "given", "family"), ...],
            emails=tuple[struct("Email", "value", verified_at=datetime | None), ...],
            phones=tuple[struct("Phone", "value", verified_at=datetime | None), ...],
            addresses=tuple[struct("Address", *ADDRESS), ...],
            identifiers=tuple[struct("Identifier", "scheme", "value", "issuer", verified_at=datetime | None), ...],
            birth_date=date | None,
            created_at=datetime | None,
            updated_at=datetime | None,
        )
        self.dumps = msgspec.json.Encoder().encode
        self.loads = msgspec.json.Decoder(self.customer).decode


class Pydantic:
    """The same shape as models of pydantic, which checks types but neither NUL, length nor surrogates."""

    def __init__(self) -> None:
        from pydantic import ConfigDict, Field, TypeAdapter, create_model

        def model(name: str, *fields: str, **types: Any) -> Any:
            rows: dict[str, Any] = dict.fromkeys(fields, (str | None, None))
            rows |= {field: (kind, () if get_origin(kind) is tuple else None) for field, kind in types.items()}
            return create_model(name, __config__=ConfigDict(frozen=True, extra="forbid"), **rows)

        self.customer = model(
            "Customer",
            "id",
            names=tuple[model("PersonName", "given", "family"), ...],
            emails=tuple[model("Email", "value", verified_at=datetime | None), ...],
            phones=tuple[model("Phone", "value", verified_at=datetime | None), ...],
            addresses=tuple[model("Address", *ADDRESS), ...],
            identifiers=tuple[model("Identifier", "scheme", "value", "issuer", verified_at=datetime | None), ...],
            birth_date=date | None,
            created_at=datetime | None,
            updated_at=datetime | None,
        )
        tagged = create_model("Tagged", __base__=self.customer, tag=(str | None, Field(None, alias="$v")))
        adapter = TypeAdapter(tagged)
        self.loads = adapter.validate_json
        self.dumps = lambda each: adapter.dump_json(each, exclude_defaults=True, by_alias=True)


def line(name: str, write: list[float], read: list[float]) -> None:
    shown = ["  ".join(f"{each:6.1f}" for each in three) for three in (write, read)]
    print(f"{name:26} dumps {shown[0]}   loads {shown[1]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    customers = [customer(number) for number in range(options.customers)]
    written = list(map(dumps, customers))
    if any(loads(data) != each for data, each in zip(written, customers, strict=True)):
        sys.exit("a customer did not come back equal")
    size = sum(map(len, written)) / len(written)
    print(f"{options.customers:,} customers of {size:.0f} bytes came back equal")
    print(f"microseconds per customer: quartiles of {options.rounds} rounds, CPU time")

    def both(name: str, write: Callable[[Any], object], read: Callable[[Any], object], objects: Sequence[Any]) -> None:
        line(name, quartiles(write, objects, options.rounds), quartiles(read, written, options.rounds))

    installed = _json._FAST
    if installed is not None:
        both("custinfo with msgspec", dumps, loads, customers)
    _json._FAST = None
    both("custinfo with json", dumps, loads, customers)
    _json._FAST = installed
    dicts = list(map(to_dict, customers))
    line(
        "to_dict and from_dict",
        *(quartiles(*each, options.rounds) for each in ((to_dict, customers), (from_dict, dicts))),
    )
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    both("json alone, no objects", encode, json.loads, dicts)
    for peer in (Msgspec, Pydantic):
        try:
            made: Any = peer()
        except ModuleNotFoundError:
            print(f"{peer.__name__.lower()} is not installed")
            continue
        objects = list(map(made.loads, written))
        if json.loads(made.dumps(objects[0])).keys() != dicts[0].keys():
            sys.exit("the peer does not write the same fields")
        both(f"{peer.__name__.lower()}, fewer checks", made.dumps, made.loads, objects)


if __name__ == "__main__":
    main()

"""Microseconds per transaction of the ledgers.

    python benchmarks/model/bench_ledger.py [--transactions 100000] [--rounds 5]

One account with charges, payments for most of them, some refunds and payouts over three years, in random order. CPU
time of this process.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from custinfo.model import (
    LoyaltyEntry,
    Money,
    Transaction,
    aging,
    balance,
    check_ledger,
    loyalty_state,
    statement,
)

START = datetime(2023, 1, 1, tzinfo=UTC)
END = START + timedelta(days=3 * 365)


def ledger(count: int, seed: int) -> list[Transaction]:
    draw = random.Random(seed)
    made: list[Transaction] = []
    payments: list[Transaction] = []
    for number in range(count):
        kind = draw.choices(("adjustment", "payment", "refund", "payout"), (45, 45, 5, 5))[0]
        minor, related = draw.randrange(100, 100_000), None
        if kind == "refund":
            if not payments:
                continue
            payment = payments.pop(draw.randrange(len(payments)))
            minor, related = draw.randint(1, payment.amount.minor), payment.id
        one = Transaction(
            id=f"t{number:07}",
            account_id="a1",
            kind=kind,
            amount=Money(-minor if kind == "adjustment" else minor, "CNY"),
            occurred_at=START + (END - START) * (number / count),
            related_id=related,
        )
        if kind == "payment":
            payments.append(one)
        made.append(one)
    draw.shuffle(made)
    return made


def points(count: int, seed: int) -> list[LoyaltyEntry]:
    draw = random.Random(seed)
    made, left = [], 0
    for number in range(count):
        at = START + (END - START) * (number / count)
        number_of = draw.randrange(1, 500)
        kind = "earn" if left < 2 * number_of or draw.random() < 0.6 else "redeem"
        left += number_of if kind == "earn" else -number_of
        ends = at + timedelta(days=4 * 365) if kind == "earn" else None
        made.append(
            LoyaltyEntry(
                id=f"e{number:07}", customer_id="c1", kind=kind, points=number_of, occurred_at=at, expires_at=ends
            )
        )
    draw.shuffle(made)
    return made


def quartiles(call: Callable[[], object], items: int, rounds: int) -> str:
    times = []
    for _ in range(rounds):
        start = time.process_time()
        call()
        times.append((time.process_time() - start) / items * 1e6)
    return "  ".join(f"{each:6.2f}" for each in statistics.quantiles(times, n=4, method="inclusive"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--transactions", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    money = ledger(options.transactions, seed=7)
    entries = points(options.transactions, seed=7)
    middle = START + (END - START) / 2
    owed = aging(money, END, time_zone="Asia/Shanghai")
    if owed.total.minor - owed.unapplied.minor != -balance(money).minor:
        sys.exit("the aging does not fit the balance")
    calls: dict[str, Callable[[], object]] = {
        "balance": lambda: balance(money, middle),
        "statement": lambda: statement(money, middle),
        "aging": lambda: aging(money, END, time_zone="Asia/Shanghai"),
        "check_ledger": lambda: check_ledger(money),
        "loyalty_state": lambda: loyalty_state(entries, END),
    }
    print(f"microseconds per entry of {options.transactions:,}: quartiles of {options.rounds} rounds, CPU time")
    for name, call in calls.items():
        print(f"{name:14} {quartiles(call, options.transactions, options.rounds)}")


if __name__ == "__main__":
    main()

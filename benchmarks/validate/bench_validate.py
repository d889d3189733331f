"""Columns of values against the naive loop over the peer library, in one process, with equal verdicts.

    python benchmarks/validate/bench_validate.py [rows]

Prints rows per second of both and their ratio, then the cost of single calls beside the peer's. Values are made here
from a seed. python-stdnum (extra ids) is needed for the identification numbers; without it those lines are left out.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterable, Sequence

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from custinfo.validate import cn_resident_id, cn_uscc, email, iban, luhn, phone
from custinfo.validate._cn_id import check_character
from custinfo.validate._uscc import ALPHABET, organisation_check

RUNS = 3  # of ours, the best counts; the peer, which takes many times as long, runs once after a warm-up
SINGLE = 1_000
SEED = 20260101


def emails(rows: int, rng: random.Random) -> list[str]:
    """Mostly plain addresses at a few large and many small domains; 4 % broken, 1 % internationalized."""
    large = ["mail.example.com", "post.example.org", "example.net", "example.com.cn", "box.example.io"]
    small = [f"firm{number}.example" for number in range(max(50, rows // 40))]
    broken = ["{u}", "{u}@", "@{d}", "{u} @{d}", "{u}..x@{d}", "{u}@-{d}", "{u}@localhost", "{u}@{d},", "{u}＠{d}"]
    found = []
    for number in range(rows):
        user = rng.choice(("{0}.{1}", "{0}_{1}", "{0}{1}", "{1}")).format(rng.choice(("wei", "anna", "Li")), number)
        domain = rng.choice(small) if rng.random() < 0.2 else rng.choice(large)
        draw = rng.random()
        if draw < 0.04:
            found.append(rng.choice(broken).format(u=user, d=domain))
        elif draw < 0.05:
            found.append(rng.choice((f"{user}@bücher.example", f"张{number}@{domain}", f"{user}@例え.example")))
        else:
            found.append(f"{user}@{domain}")
    return found


def phones(rows: int, rng: random.Random) -> list[tuple[str, str]]:
    """Numbers in the ranges of the metadata's own examples, written in several ways; 5 % broken."""
    regions = ["CN"] * 12 + ["US", "US", "GB", "GB", "DE", "FR", "JP", "HK", "IN", "SG", "AU"]
    found = []
    for _ in range(rows):
        region = rng.choice(regions)
        example = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
        digits = phonenumbers.national_significant_number(example)
        digits = digits[:-6] + f"{rng.randrange(10**6):06d}"
        code = example.country_code
        ways = (digits, digits, f"+{code}{digits}", f"+{code} {digits[:3]} {digits[3:]}", f"00{code}{digits}")
        text = rng.choice(ways)
        if rng.random() < 0.05:
            text = rng.choice((text[:-4], text + "12345", "none", text + " ext. 12", "0" * 11))
        found.append((text, region))
    return found


def resident_ids(rows: int, rng: random.Random) -> list[str]:
    """Resident ids of counties in force."""

    def one() -> str:
        county = rng.choice(("110101", "310115", "440305", "330106", "510104", "420106"))
        body = f"{county}{rng.randrange(1985, 2007)}{rng.randrange(1, 13):02d}{rng.randrange(1, 29):02d}"
        body += f"{rng.randrange(1000):03d}"
        return body + check_character(body)

    return with_errors(one, rows, rng)


def credit_codes(rows: int, rng: random.Random) -> list[str]:
    """Unified social credit codes."""
    weights = [3**place % 31 for place in range(17)]

    def one() -> str:
        organisation = "".join(rng.choices(ALPHABET, k=8))
        body = f"91{rng.choice(('110101', '310115', '440305'))}{organisation}{organisation_check(organisation)}"
        total = sum(ALPHABET.index(char) * weight for char, weight in zip(body, weights, strict=True))
        return body + ALPHABET[-total % 31]

    return with_errors(one, rows, rng)


def account_numbers(rows: int, rng: random.Random) -> list[str]:
    """IBANs, two in five in groups of four."""

    def one() -> str:
        country, bank, length = rng.choice((("DE", "", 18), ("GB", "NWBK", 14), ("NL", "ABNA", 10), ("AT", "", 16)))
        bban = bank + "".join(rng.choices("0123456789", k=length))
        check = 98 - int("".join(str(int(char, 36)) for char in f"{bban}{country}00")) % 97
        text = f"{country}{check:02d}{bban}"
        return " ".join(text[place : place + 4] for place in range(0, len(text), 4)) if rng.random() < 0.4 else text

    return with_errors(one, rows, rng)


def luhn_numbers(rows: int, rng: random.Random) -> list[str]:
    """Numbers of 15 and 16 digits with a Luhn digit."""

    def one() -> str:
        body = "".join(rng.choices("0123456789", k=rng.choice((14, 15, 15))))
        total = sum(int(d) if i % 2 else sum(divmod(2 * int(d), 10)) for i, d in enumerate(reversed(body)))
        return body + str(-total % 10)

    return with_errors(one, rows, rng)


def with_errors(one: Callable[[], str], rows: int, rng: random.Random) -> list[str]:
    """One value in twenty has a typing error."""
    found = []
    for _ in range(rows):
        text = one()
        if rng.random() < 0.05:
            place = rng.randrange(len(text))
            text = rng.choice((text[:place] + rng.choice("0123456789") + text[place + 1 :], text[:-1], text + "0"))
        found.append(text)
    return found


def repeated(values: Sequence[object], share: float, rng: random.Random) -> list[object]:
    """As many rows, of which *share* repeat an earlier value."""
    base = list(values[: round(len(values) * (1 - share))])
    found = base + [base[int(len(base) * rng.random() ** 2)] for _ in range(len(values) - len(base))]
    rng.shuffle(found)
    return found


def peer_email(values: Iterable[str]) -> list[str | None]:
    found: list[str | None] = []
    for value in values:
        try:
            found.append(validate_email(value, check_deliverability=False).normalized)
        except EmailNotValidError:
            found.append(None)
    return found


def peer_phone(values: Iterable[tuple[str, str]]) -> list[str | None]:
    found: list[str | None] = []
    for value, region in values:
        try:
            number = phonenumbers.parse(value, region)
        except phonenumbers.NumberParseException:
            found.append(None)
            continue
        good = phonenumbers.is_valid_number(number)
        found.append(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if good else None)
    return found


def our_phone(values: list[tuple[str, str]]) -> list[str | None]:
    return phone.many([value for value, _ in values], region=[region for _, region in values]).values


def peer_stdnum(name: str) -> Callable[[Iterable[str]], list[bool]]:
    import importlib

    module = importlib.import_module(f"stdnum.{name}")
    from stdnum.exceptions import ValidationError

    def run(values: Iterable[str]) -> list[bool]:
        found = []
        for value in values:
            try:
                module.validate(value)
            except ValidationError:
                found.append(False)
            else:
                found.append(True)
        return found

    return run


def seconds(run: Callable[[object], object], values: object, *, runs: int = RUNS) -> tuple[float, object]:
    best, answer = float("inf"), None
    for _ in range(runs):
        start = time.perf_counter()
        answer = run(values)
        best = min(best, time.perf_counter() - start)
    return best, answer


def compare(name: str, values: list[object], peer: Callable, ours: Callable, *, aim: float, same: bool = True) -> None:  # type: ignore[type-arg]
    peer(values[:500])
    ours(values[:500])
    slow, expected = seconds(peer, values, runs=1)
    fast, found = seconds(ours, values)
    equal = "equal verdicts" if expected == found else "verdicts differ" if same else "peer refuses bygone counties"
    rate, peer_rate = len(values) / fast, len(values) / slow
    print(f"{name:24} {rate:>12,.0f}/s  peer {peer_rate:>10,.0f}/s  x{slow / fast:5.1f} (>= {aim:g})  {equal}")


def compare_single(name: str, values: list[object], peer: Callable, ours: Callable) -> None:  # type: ignore[type-arg]
    """One call per value, each value once; both libraries are loaded."""
    slow, expected = seconds(peer, values)
    fast, found = seconds(ours, values)
    equal = "equal verdicts" if expected == found else "verdicts differ"
    each, peer_each = 1e6 * fast / len(values), 1e6 * slow / len(values)
    print(f"{name:24} {each:>10.1f} us    peer {peer_each:>8.1f} us    x{fast / slow:5.2f} (<= 1.2)  {equal}")


def main(rows: int = 200_000) -> None:
    rng = random.Random(SEED)
    addresses, numbers = emails(rows, rng), phones(rows, rng)
    compare("email, all distinct", addresses, peer_email, lambda v: email.many(v).values, aim=10)
    compare("email, 90 % repeats", repeated(addresses, 0.9, rng), peer_email, lambda v: email.many(v).values, aim=40)
    compare("phone, mixed regions", numbers, peer_phone, our_phone, aim=4)
    singles = addresses[:SINGLE], [each for each in addresses if not each.isascii()][:SINGLE], numbers[:SINGLE]
    compare_single("email, single call", singles[0], peer_email, lambda v: [email(each).value for each in v])
    compare_single("email, international", singles[1], peer_email, lambda v: [email(each).value for each in v])
    one_phone = lambda v: [phone(each, region=region).value for each, region in v]  # noqa: E731
    compare_single("phone, single call", singles[2], peer_phone, one_phone)
    try:
        import stdnum  # noqa: F401
    except ModuleNotFoundError:
        print("python-stdnum is not installed: identification numbers are left out")
        return
    fewer = rows // 4
    for name, module, validator, make in (
        ("cn_resident_id", "cn.ric", cn_resident_id, resident_ids),
        ("cn_uscc", "cn.uscc", cn_uscc, credit_codes),
        ("iban", "iban", iban, account_numbers),
        ("luhn", "luhn", luhn, luhn_numbers),
    ):
        ours = lambda values, check=validator: check.many(values).ok.tolist()  # noqa: E731
        compare(name, make(fewer, rng), peer_stdnum(module), ours, aim=10, same=name != "cn_resident_id")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))

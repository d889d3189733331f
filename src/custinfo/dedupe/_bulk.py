"""Normal forms of whole columns, the same as `_values` gives one by one, several times faster.

Only what nearly every row has differently is worth it: e-mail addresses and phone numbers here, addresses in
`_addresses`. A value out of the ordinary goes through the function for one value.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np

from custinfo.dedupe import _values as value_of
from custinfo.dedupe._text import EMPTY, MAX_CHARS, Codes, factorize, fold, plain, unaccented

__all__ = ["Coded", "coded", "emails", "folded_of", "phones", "texts_of"]

Ints = np.ndarray[Any, np.dtype[np.int64]]
_CHUNK = 1 << 17
_TAIL = 8
_SPAN = 10**_TAIL


@attrs.frozen(eq=False)
class Coded:
    """A column as codes.

    Attributes:
        codes: int32 (n,), -1 where missing.
        values: distinct value by code.
        keys: coarser code by code, where it is known already.
        key_texts: text by key.
    """

    codes: Codes
    values: list[Any]
    keys: Codes | None = None
    key_texts: list[str] | None = None


def coded(forms: Sequence[Any]) -> Coded:
    """Codes of normal forms, -1 for ``None``.

    >>> coded(["b", None, "a", "b"]).codes.tolist()
    [0, -1, 1, 0]
    """
    codes, values = factorize(forms)
    if None in values:
        gap = values.index(None)
        values.pop(gap)
        codes = np.where(codes == gap, -1, codes - (codes > gap)).astype(np.int32)
    return Coded(codes, values)


def texts_of(values: Sequence[Any]) -> list[str]:
    """`plain` of each, but that texts such as "N/A" stay."""
    if set(map(type, values)) - {str, type(None)}:
        return list(map(plain, values))
    texts = ["" if value is None else value for value in values]
    if max(map(len, texts), default=0) > MAX_CHARS:
        texts = [text[:MAX_CHARS] for text in texts]
    return list(map(str.strip, texts))


def folded_of(values: Sequence[Any]) -> list[str]:
    """`fold` of `plain` of each."""
    texts = texts_of(values)
    whole = "\n".join(texts)
    lines = whole.lower().split("\n")
    if len(lines) != len(texts):
        return [fold(plain(text)) for text in texts]
    lines = ["" if line in EMPTY else line for line in lines]
    if whole.isascii():
        return lines
    rows = [row for row, line in enumerate(lines) if not line.isascii()]
    folded = unaccented("\n".join([lines[row] for row in rows])).split("\n")
    for row, line in zip(rows, folded, strict=True):
        lines[row] = line.strip()
    return lines


def emails(values: Sequence[Any]) -> Coded:
    """`value_of.email` of each value; the user part is the key."""
    folded = folded_of(values)
    usual = [t if t.count("@") == 1 and " " not in t and ":" not in t and "\n" not in t else "@" for t in folded]
    halves = "\n".join(usual).replace("@", "\n").split("\n")
    odd = [row for row, text in enumerate(usual) if text == "@" and folded[row]]
    unusual = [value_of.email(folded[row]) for row in odd]
    del usual, folded
    users, (at, domains) = halves[::2], factorize(halves[1::2])
    del halves
    names = [domain.strip(".>") if "." in domain else "" for domain in domains]
    names = ["gmail.com" if name == "googlemail.com" else name for name in names]
    users = [user.partition("+")[0] if "+" in user else user for user in users]
    gmail = np.array([name == "gmail.com" for name in names], bool)
    for row in np.flatnonzero(gmail[at]).tolist():
        users[row] = users[row].replace(".", "")
    for row, form in zip(odd, unusual, strict=True):
        if form is not None:
            users[row], _, name = form.rpartition("@")
            names.append(name)
            at[row] = len(names) - 1
    by, domain_names = factorize(names)
    keys, key_texts = factorize(users)
    del users
    bad_user = np.array([value_of.is_junk_user(user) for user in key_texts], bool)
    bad_name = np.array([not name for name in domain_names], bool)
    domain = by[at]
    bad = bad_user[keys] | bad_name[domain]
    if "info" in key_texts and "example.com" in domain_names:
        bad |= (keys == key_texts.index("info")) & (domain == domain_names.index("example.com"))
    packed = np.where(bad, -1, keys.astype(np.int64) * len(domain_names) + domain)
    codes, distinct = _numbered(packed)
    of_code = (distinct // len(domain_names)).astype(np.int32)
    values = [
        f"{key_texts[user]}@{domain_names[name]}"
        for user, name in zip(of_code.tolist(), (distinct % len(domain_names)).tolist(), strict=True)
    ]
    return Coded(codes, values, of_code, key_texts)


def _numbered(numbers: Ints) -> tuple[Codes, Ints]:
    """Codes of numbers, -1 for negative ones, and the distinct numbers."""
    distinct, codes = np.unique(numbers, return_inverse=True)
    gap = int(np.searchsorted(distinct, 0))
    return np.maximum(codes - gap, -1).astype(np.int32), distinct[gap:]


def phones(values: Sequence[Any]) -> Coded:
    """`value_of.phone` of each value."""
    texts = texts_of(values)
    numbers = np.full(len(texts), -1, np.int64)
    strange: dict[str, int] = {}
    for start in range(0, len(texts), _CHUNK):
        part = texts[start : start + _CHUNK]
        found, odd = _tails(part)
        for row in np.flatnonzero(odd).tolist():
            form = value_of.phone(part[row]) if part[row] else None
            if form is None:
                found[row] = -1
            elif form.isascii():
                found[row] = len(form) * _SPAN + int(form)
            else:
                found[row] = 10 * _SPAN + strange.setdefault(form, len(strange))
        numbers[start : start + _CHUNK] = found
    codes, distinct = _numbered(numbers)
    others = list(strange)
    values = [
        others[number - 10 * _SPAN] if number >= 10 * _SPAN else str(number % _SPAN).zfill(number // _SPAN)
        for number in distinct.tolist()
    ]
    return Coded(codes, values)


def _tails(texts: Sequence[str]) -> tuple[Ints, np.ndarray[Any, np.dtype[np.bool_]]]:
    """Last eight digits as number, their count before it, -1 for none; and which texts hold more than digits."""
    many = len(texts)
    raw = np.frombuffer("".join(texts).encode("ascii", "replace"), np.uint8)
    lengths = np.fromiter(map(len, texts), np.int64, many)
    row = np.repeat(np.arange(many, dtype=np.int32), lengths)
    letter = ((raw | 32) - ord("a") < 26) | (raw == ord("?"))
    odd = np.zeros(many, bool)
    odd[row[letter]] = True
    digit = raw - ord("0")
    is_digit = digit < 10
    digits = np.append(digit[is_digit], np.uint8(0))
    count = np.bincount(row[is_digit], minlength=many)
    stop = np.cumsum(count)
    size = np.minimum(count, _TAIL)
    number = np.zeros(many, np.int64)
    seen = np.zeros(many, np.int64)
    rising, falling = np.ones(many, bool), np.ones(many, bool)
    right = np.zeros(many, np.int64)
    for place in range(_TAIL):
        here = size > place
        value = digits[np.where(here, stop - 1 - place, len(digits) - 1)].astype(np.int64)
        number += value * 10**place * here
        seen |= here << value
        if place:
            rising &= ~here | ((right - value) % 10 == 1)
            falling &= ~here | ((value - right) % 10 == 1)
        right = value
    kinds = np.array([mask.bit_count() for mask in range(1024)])[seen]
    bad = (count < 6) | (kinds < 3) | rising | falling
    return np.where(bad, -1, number + size * _SPAN), odd

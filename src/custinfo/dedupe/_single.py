"""How two values of one kind agree, one pair at a time: the same levels as `_scorers`, without arrays."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping

from rapidfuzz.distance import OSA, JaroWinkler
from rapidfuzz.fuzz import token_set_ratio

from custinfo.dedupe._levels import DIFFERENT, RELATED, SIMILAR, TYPO, VARIANT
from custinfo.dedupe._scorers import name_groups, user_letters, word_weights, words_level
from custinfo.dedupe._text import is_han

__all__ = ["LevelOf", "single_scorer"]

# Level of two different texts, given each with its key.
LevelOf = Callable[[str, str, str, str], int]
_edits = OSA.distance
_alike = JaroWinkler.similarity


def single_scorer(kind: str, words: tuple[Mapping[str, int], int] | None) -> LevelOf:
    """The scorer of a kind; *words* as in `Field.words`."""
    if kind == "tokens":
        counts, total = words or ({}, 2)
        return functools.partial(_tokens, counts, total)
    return _SCORERS.get(kind, _flag)


def _flag(x: str, kx: str, y: str, ky: str) -> int:
    return DIFFERENT


def _name(x: str, kx: str, y: str, ky: str) -> int:
    if kx == ky:
        return VARIANT
    related = _related(x, y)
    shorter = min(len(kx), len(ky))
    edits = _edits(kx, ky, score_cutoff=2)
    typo = (edits <= 1 and shorter >= 3) or (edits == 2 and shorter >= 7)
    if is_han(x) and is_han(y):
        common = sum(1 for c, d in zip(x, y, strict=False) if c == d)
        return SIMILAR if 2 * common >= max(len(x), len(y)) or (typo and not related) else DIFFERENT
    if related:
        return RELATED
    if typo:
        return TYPO
    return SIMILAR if _alike(kx, ky) >= 0.84 else DIFFERENT


def _related(x: str, y: str) -> bool:
    if x[:1] == y[:1] and (len(x) == 1 or len(y) == 1):
        return True
    groups = name_groups(x)
    if groups and not groups.isdisjoint(name_groups(y)):
        return True
    return (" " in x or " " in y) and any(len(part) > 2 for part in set(x.split()) & set(y.split()))


def _number(x: str, kx: str, y: str, ky: str) -> int:
    edits = _edits(x, y, score_cutoff=3)
    return TYPO if edits <= 1 else SIMILAR if edits == 2 else DIFFERENT


def _house(x: str, kx: str, y: str, ky: str) -> int:
    if kx == ky:
        return VARIANT
    return TYPO if _edits(x, y, score_cutoff=2) <= 1 else DIFFERENT


def _email(x: str, kx: str, y: str, ky: str) -> int:
    if kx == ky:
        return VARIANT
    if _edits(x, y, score_cutoff=2) <= 1:
        return TYPO
    letters = user_letters(kx)
    if (len(letters) > 3 and letters == user_letters(ky)) or _alike(kx, ky) >= 0.88:
        return SIMILAR
    return DIFFERENT


def _date(x: str, kx: str, y: str, ky: str) -> int:
    a, b = int(x), int(y)
    year, month, day = a // 10000, a // 100 % 100, a % 100
    other_year, other_month, other_day = b // 10000, b // 100 % 100, b % 100
    if year == other_year:
        if month == other_day and day == other_month:
            return VARIANT
        if a % 10000 <= 101 or b % 10000 <= 101:
            return RELATED
    edits = _edits(x, y, score_cutoff=2)
    if edits <= 1:
        return TYPO
    same = (year == other_year) + (month == other_month) + (day == other_day)
    return SIMILAR if edits == 2 or same == 2 else DIFFERENT


def _place(x: str, kx: str, y: str, ky: str) -> int:
    if kx == ky:
        return VARIANT
    shorter = min(len(x), len(y)) * (2 if is_han(x) and is_han(y) else 1)
    edits = _edits(x, y, score_cutoff=3)
    if (edits <= 1 and shorter >= 3) or (edits == 2 and shorter >= 8):
        return TYPO
    if " " in x or " " in y:
        parts, others = set(x.split()), set(y.split())
        if parts <= others or others <= parts:
            return RELATED
    return SIMILAR if _alike(x, y) >= 0.88 else DIFFERENT


def _postal(x: str, kx: str, y: str, ky: str) -> int:
    if _edits(x, y, score_cutoff=2) <= 1:
        return TYPO
    return SIMILAR if x[:3] == y[:3] else DIFFERENT


def _tokens(counts: Mapping[str, int], total: int, x: str, kx: str, y: str, ky: str) -> int:
    if kx == ky:
        return VARIANT
    if token_set_ratio(x, y) < 45:
        return DIFFERENT
    one, other = word_weights(x, counts, total), word_weights(y, counts, total)
    return words_level(x, y, one, other, _alike(x, y))


_SCORERS: dict[str, LevelOf] = {
    "name": _name,
    "date": _date,
    "email": _email,
    "phone": _number,
    "number": _number,
    "house": _house,
    "place": _place,
    "postal": _postal,
}

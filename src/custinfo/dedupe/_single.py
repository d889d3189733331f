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

# Level of a text that differs from the one asked about, given with its key.
LevelOf = Callable[[str, str], int]
_edits = OSA.distance
_alike = JaroWinkler.similarity


def single_scorer(kind: str, words: tuple[Mapping[str, int], int] | None) -> Callable[[str, str], LevelOf]:
    """What to make of a text that is asked about, with its key; *words* as in `Field.words`."""
    if kind == "tokens":
        counts, total = words or ({}, 2)
        return functools.partial(_tokens, counts, total)
    return _SCORERS.get(kind, _flag)


def _flag(x: str, kx: str) -> LevelOf:
    return lambda y, ky: DIFFERENT


def _name(x: str, kx: str) -> LevelOf:
    han, groups, parts, short = is_han(x), name_groups(x), frozenset(x.split()), len(x) == 1

    def related(y: str) -> bool:
        if x[:1] == y[:1] and (short or len(y) == 1):
            return True
        if groups and not groups.isdisjoint(name_groups(y)):
            return True
        return (len(parts) > 1 or " " in y) and any(len(part) > 2 for part in parts.intersection(y.split()))

    def level(y: str, ky: str) -> int:
        if kx == ky:
            return VARIANT
        shorter = min(len(kx), len(ky))
        edits = _edits(kx, ky, score_cutoff=2)
        typo = (edits <= 1 and shorter >= 3) or (edits == 2 and shorter >= 7)
        if han and is_han(y):
            common = sum(1 for c, d in zip(x, y, strict=False) if c == d)
            return SIMILAR if 2 * common >= max(len(x), len(y)) or (typo and not related(y)) else DIFFERENT
        if related(y):
            return RELATED
        if typo:
            return TYPO
        return SIMILAR if _alike(kx, ky) >= 0.84 else DIFFERENT

    return level


def _number(x: str, kx: str) -> LevelOf:
    def level(y: str, ky: str) -> int:
        edits = _edits(x, y, score_cutoff=3)
        return TYPO if edits <= 1 else SIMILAR if edits == 2 else DIFFERENT

    return level


def _house(x: str, kx: str) -> LevelOf:
    def level(y: str, ky: str) -> int:
        if kx == ky:
            return VARIANT
        return TYPO if _edits(x, y, score_cutoff=2) <= 1 else DIFFERENT

    return level


def _email(x: str, kx: str) -> LevelOf:
    letters = user_letters(kx)

    def level(y: str, ky: str) -> int:
        if kx == ky:
            return VARIANT
        if _edits(x, y, score_cutoff=2) <= 1:
            return TYPO
        if _alike(kx, ky) >= 0.88 or (len(letters) > 3 and letters == user_letters(ky)):
            return SIMILAR
        return DIFFERENT

    return level


def _date(x: str, kx: str) -> LevelOf:
    number = int(x)
    year, month, day = number // 10000, number // 100 % 100, number % 100

    def level(y: str, ky: str) -> int:
        other = int(y)
        same_year, other_month, other_day = year == other // 10000, other // 100 % 100, other % 100
        if same_year:
            if month == other_day and day == other_month:
                return VARIANT
            if number % 10000 <= 101 or other % 10000 <= 101:
                return RELATED
        edits = _edits(x, y, score_cutoff=2)
        if edits <= 1:
            return TYPO
        return SIMILAR if edits == 2 or same_year + (month == other_month) + (day == other_day) == 2 else DIFFERENT

    return level


def _place(x: str, kx: str) -> LevelOf:
    han, parts = is_han(x), frozenset(x.split())

    def level(y: str, ky: str) -> int:
        if kx == ky:
            return VARIANT
        shorter = min(len(x), len(y)) * (2 if han and is_han(y) else 1)
        edits = _edits(x, y, score_cutoff=3)
        if (edits <= 1 and shorter >= 3) or (edits == 2 and shorter >= 8):
            return TYPO
        if len(parts) > 1 or " " in y:
            others = y.split()
            if parts.issuperset(others) or parts.issubset(others):
                return RELATED
        return SIMILAR if _alike(x, y) >= 0.88 else DIFFERENT

    return level


def _postal(x: str, kx: str) -> LevelOf:
    def level(y: str, ky: str) -> int:
        if _edits(x, y, score_cutoff=2) <= 1:
            return TYPO
        return SIMILAR if x[:3] == y[:3] else DIFFERENT

    return level


def _tokens(counts: Mapping[str, int], total: int, x: str, kx: str) -> LevelOf:
    weights = word_weights(x, counts, total)

    def level(y: str, ky: str) -> int:
        if kx == ky:
            return VARIANT
        if token_set_ratio(x, y) < 45:
            return DIFFERENT
        return words_level(x, y, weights, word_weights(y, counts, total), _alike(x, y))

    return level


_SCORERS: dict[str, Callable[[str, str], LevelOf]] = {
    "name": _name,
    "date": _date,
    "email": _email,
    "phone": _number,
    "number": _number,
    "house": _house,
    "place": _place,
    "postal": _postal,
}

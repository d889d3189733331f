"""How two values of one kind agree: the level of each pair of distinct values."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from rapidfuzz.distance import JaroWinkler
from rapidfuzz.fuzz import token_set_ratio
from rapidfuzz.process import cpdist

from custinfo.dedupe._canonical import text_hashes
from custinfo.dedupe._fields import Field
from custinfo.dedupe._levels import DIFFERENT, RELATED, SIMILAR, TYPO, VARIANT
from custinfo.dedupe._names import CANTONESE, diminutives
from custinfo.dedupe._near import Values
from custinfo.dedupe._text import factorize, is_han

__all__ = [
    "SCORERS",
    "count_words",
    "letter_hashes",
    "name_groups",
    "user_letters",
    "word_list",
    "word_weights",
    "words_level",
]

Pairs = np.ndarray[tuple[int], np.dtype[np.int64]]
Levels = np.ndarray[tuple[int], np.dtype[np.int8]]


def _values(field: Field) -> Values:
    if "values" not in field.cache:
        field.cache["values"] = Values.of(field.texts)
    return field.cache["values"]  # type: ignore[no-any-return]


def _key_values(field: Field) -> Values:
    if "key_values" not in field.cache:
        field.cache["key_values"] = Values.of(field.key_texts)
    return field.cache["key_values"]  # type: ignore[no-any-return]


def _names(field: Field, a: Pairs, b: Pairs, workers: int) -> Levels:
    ka, kb = field.keys[a], field.keys[b]
    keys = _key_values(field)
    shorter = np.minimum(keys.lengths[ka], keys.lengths[kb])
    edits = keys.edits(ka, kb, 2, workers)
    level = np.full(len(a), DIFFERENT, np.int8)
    level[keys.alike(ka, kb, 0.84, workers)] = SIMILAR
    level[((edits <= 1) & (shorter >= 3)) | ((edits == 2) & (shorter >= 7))] = TYPO
    level[_related(field, a, b)] = RELATED
    if "han" not in field.cache:
        field.cache["han"] = np.fromiter(map(is_han, field.texts), bool, len(field.texts))
    both_han = np.flatnonzero(field.cache["han"][a] & field.cache["han"][b])
    # Two names in characters are not each other's typing error by their pinyin alone.
    for row in both_han.tolist():
        x, y = field.texts[a[row]], field.texts[b[row]]
        common = sum(1 for c, d in zip(x, y, strict=False) if c == d)
        level[row] = SIMILAR if 2 * common >= max(len(x), len(y)) or level[row] == TYPO else DIFFERENT
    level[ka == kb] = VARIANT
    return level


def _related(field: Field, a: Pairs, b: Pairs) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Diminutive, initial, one part of a compound name, or another romanisation."""
    if "groups" not in field.cache:
        field.cache["groups"] = list(map(name_groups, field.texts))
        field.cache["grouped"] = np.fromiter(map(bool, field.cache["groups"]), bool, len(field.texts))
        field.cache["parts"] = [frozenset(text.split()) for text in field.texts]
        field.cache["compound"] = np.fromiter(
            (len(parts) > 1 for parts in field.cache["parts"]), bool, len(field.texts)
        )
    lengths, heads = _values(field).lengths, _values(field).heads
    groups, parts = field.cache["groups"], field.cache["parts"]
    related = (heads[a] == heads[b]) & ((lengths[a] == 1) | (lengths[b] == 1))
    for row in np.flatnonzero(field.cache["grouped"][a] & field.cache["grouped"][b]).tolist():
        related[row] |= not groups[a[row]].isdisjoint(groups[b[row]])
    for row in np.flatnonzero(field.cache["compound"][a] | field.cache["compound"][b]).tolist():
        x, y = parts[a[row]], parts[b[row]]
        related[row] |= any(len(part) > 2 for part in x & y)
    return np.asarray(related, bool)


_ROMAN = frozenset(key for keys in CANTONESE.values() for key in keys)


@functools.cache
def _groups_of_names() -> dict[str, frozenset[Any]]:
    groups: dict[str, frozenset[Any]] = dict(diminutives())
    for text in {*CANTONESE, *_ROMAN}:
        spellings = frozenset(("c", key) for key in (*CANTONESE.get(text, ()), text))
        groups[text] = groups.get(text, frozenset()) | spellings
    return groups


_NO_GROUPS: frozenset[Any] = frozenset()


def name_groups(text: str) -> frozenset[Any]:
    """What names that can be one person's share: groups of diminutives, romanisations of one Chinese family name."""
    found = _groups_of_names().get(text, _NO_GROUPS)
    if " " in text:
        found |= diminutives().get(text.split()[0], _NO_GROUPS)
    return found


def _numbers(field: Field, a: Pairs, b: Pairs, workers: int) -> Levels:
    edits = _values(field).edits(a, b, 2, workers)
    level = np.full(len(a), DIFFERENT, np.int8)
    level[edits == 2] = SIMILAR
    level[edits <= 1] = TYPO
    return level


def _house(field: Field, a: Pairs, b: Pairs, workers: int) -> Levels:
    edits = _values(field).edits(a, b, 1, workers)
    level = np.where(edits <= 1, TYPO, DIFFERENT).astype(np.int8)
    level[field.keys[a] == field.keys[b]] = VARIANT
    return level


def user_letters(user: str) -> str:
    """The letters of the user part of an e-mail address; up to three say nothing."""
    return "".join(c for c in user if c.isalpha())


def letter_hashes(field: Field) -> tuple[np.ndarray[Any, np.dtype[np.uint64]], np.ndarray[Any, np.dtype[np.int32]]]:
    """A number for the letters of each user part, 0 where there are none, and how many letters there are."""
    if "letters" not in field.cache:
        letters = _letters_of_all(field.key_texts)
        field.cache["letters"] = text_hashes(letters), np.fromiter(map(len, letters), np.int32, len(letters))
    return field.cache["letters"]  # type: ignore[no-any-return]


def _letters_of_all(users: Sequence[str]) -> list[str]:
    """`user_letters` of each."""
    joined = "\n".join(users)
    if joined.count("\n") != len(users) - 1:
        return list(map(user_letters, users))
    for character in sorted(set(joined) - {"\n"}):
        if not character.isalpha():
            joined = joined.replace(character, "")
    return joined.split("\n")


def _emails(field: Field, a: Pairs, b: Pairs, workers: int) -> Levels:
    letters, counts = letter_hashes(field)
    ka, kb = field.keys[a], field.keys[b]
    same = (letters[ka] == letters[kb]) & (counts[ka] > 3)
    edits = _values(field).edits(a, b, 1, workers)
    level = np.full(len(a), DIFFERENT, np.int8)
    level[_key_values(field).alike(ka, kb, 0.88, workers) | same] = SIMILAR
    level[edits <= 1] = TYPO
    level[ka == kb] = VARIANT
    return level


def _dates(field: Field, a: Pairs, b: Pairs, workers: int) -> Levels:
    if "number" not in field.cache:
        field.cache["number"] = np.array([int(text) for text in field.texts], np.int64)
    x, y = field.cache["number"][a], field.cache["number"][b]
    xy, xm, xd = x // 10000, x // 100 % 100, x % 100
    yy, ym, yd = y // 10000, y // 100 % 100, y % 100
    edits = _values(field).edits(a, b, 2, workers)
    same = (xy == yy).astype(int) + (xm == ym) + (xd == yd)
    level = np.full(len(a), DIFFERENT, np.int8)
    level[(edits == 2) | (same == 2)] = SIMILAR
    level[edits <= 1] = TYPO
    vague = (x % 10000 <= 101) | (y % 10000 <= 101)
    level[(xy == yy) & vague] = RELATED
    level[(xy == yy) & (xm == yd) & (xd == ym)] = VARIANT
    return level


def _places(field: Field, a: Pairs, b: Pairs, workers: int) -> Levels:
    values = _values(field)
    edits = values.edits(a, b, 2, workers)
    shorter = np.minimum(values.lengths[a], values.lengths[b])
    level = np.full(len(a), DIFFERENT, np.int8)
    level[values.alike(a, b, 0.88, workers)] = SIMILAR
    if "parts" not in field.cache:
        field.cache["parts"] = [frozenset(text.split()) for text in field.texts]
        field.cache["compound"] = np.fromiter(
            (len(parts) > 1 for parts in field.cache["parts"]), bool, len(field.texts)
        )
    parts = field.cache["parts"]
    for row in np.flatnonzero(field.cache["compound"][a] | field.cache["compound"][b]).tolist():
        x, y = parts[a[row]], parts[b[row]]
        if x <= y or y <= x:
            level[row] = RELATED
    if "han" not in field.cache:
        field.cache["han"] = np.fromiter(map(is_han, field.texts), bool, len(field.texts))
    # A Chinese character carries as much as two letters.
    shorter = shorter + shorter * (field.cache["han"][a] & field.cache["han"][b])
    level[((edits <= 1) & (shorter >= 3)) | ((edits == 2) & (shorter >= 8))] = TYPO
    level[field.keys[a] == field.keys[b]] = VARIANT
    return level


def _postal(field: Field, a: Pairs, b: Pairs, workers: int) -> Levels:
    if "area" not in field.cache:
        field.cache["area"] = factorize([text[:3] for text in field.texts])[0]
    level = np.full(len(a), DIFFERENT, np.int8)
    level[field.cache["area"][a] == field.cache["area"][b]] = SIMILAR
    level[_values(field).edits(a, b, 1, workers) <= 1] = TYPO
    return level


def word_list(text: str) -> list[str]:
    """The words of a firm's name or a text; of a Chinese one its characters."""
    return list(text) if is_han(text) else text.split()


def count_words(texts: Sequence[str]) -> tuple[dict[str, int], int]:
    """How many of the texts hold each word, and the number of texts, at least 2."""
    counts: dict[str, int] = {}
    for text in texts:
        for word in set(word_list(text)):
            counts[word] = counts.get(word, 0) + 1
    return counts, max(len(texts), 2)


def word_weights(text: str, counts: Mapping[str, int], total: int) -> dict[str, float]:
    """Weight of each word of a text, the larger the rarer."""
    return {word: math.log(total / max(counts.get(word, 1), 1)) + 0.1 for word in word_list(text)}


def _tokens(field: Field, a: Pairs, b: Pairs, workers: int) -> Levels:
    """Words weighed by rarity: a shared rare word says more than a shared usual one."""
    if "weights" not in field.cache:
        counts, total = field.words or count_words(field.texts)
        field.cache["weights"] = [word_weights(text, counts, total) for text in field.texts]
    left, right = _values(field).picked(a), _values(field).picked(b)
    rough = cpdist(left, right, scorer=token_set_ratio, dtype=np.float64, workers=workers)
    whole = cpdist(left, right, scorer=JaroWinkler.similarity, dtype=np.float64, workers=workers)
    weights = field.cache["weights"]
    level = np.full(len(a), DIFFERENT, np.int8)
    for row in np.flatnonzero(rough >= 45).tolist():
        i, j = int(a[row]), int(b[row])
        level[row] = words_level(left[row], right[row], weights[i], weights[j], float(whole[row]))
    level[field.keys[a] == field.keys[b]] = VARIANT
    return level


def words_level(left: str, right: str, x: dict[str, float], y: dict[str, float], whole: float) -> int:
    """Level of two texts by the weights of their words, in either order; *whole* is their similarity as they are."""
    if (len(y), right) < (len(x), left):
        x, y = y, x
    dot, small = 0.0, 0.0
    for word, weight in x.items():
        small += weight * weight
        match = (
            word
            if word in y
            else next((other for other in y if len(word) > 3 and JaroWinkler.similarity(word, other) >= 0.92), None)
        )
        if match is not None:
            dot += weight * y[match]
    cosine = dot / (math.sqrt(small) * math.sqrt(sum(weight * weight for weight in y.values())))
    if cosine >= 0.85:
        return TYPO
    if dot >= 0.95 * small or cosine >= 0.6:
        return RELATED
    return SIMILAR if cosine >= 0.35 or whole >= 0.9 else DIFFERENT


SCORERS: dict[str, Callable[[Field, Pairs, Pairs, int], Levels]] = {
    "name": _names,
    "date": _dates,
    "email": _emails,
    "phone": _numbers,
    "number": _numbers,
    "house": _house,
    "place": _places,
    "postal": _postal,
    "tokens": _tokens,
}

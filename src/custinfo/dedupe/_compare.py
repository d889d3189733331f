"""Comparison levels of value pairs, computed once per distinct pair."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from rapidfuzz.distance import OSA, JaroWinkler
from rapidfuzz.fuzz import token_set_ratio
from rapidfuzz.process import cpdist

from custinfo.dedupe._fields import Field
from custinfo.dedupe._names import CANTONESE, diminutives
from custinfo.dedupe._text import is_han

__all__ = ["DIFFERENT", "LEVELS", "NEAR", "RELATIONS", "compare"]

# Levels are the same for every kind, from best to worst; what a level means for a kind stands in RELATIONS.
MISSING, EQUAL, VARIANT, RELATED, TYPO, SIMILAR, SWAPPED, DIFFERENT = range(8)
LEVELS = 8
NEAR = np.array([False, True, True, True, True, False, True, False])

RELATIONS: dict[str, tuple[str, ...]] = {
    "name": (
        "missing",
        "equal",
        "same name written otherwise",
        "short form or part",
        "one typing error",
        "similar",
        "given and family name swapped",
        "different",
    ),
    "date": (
        "missing",
        "equal",
        "day and month swapped",
        "same year, rest unknown",
        "one typing error",
        "two of three parts equal",
        "",
        "different",
    ),
    "email": (
        "missing",
        "equal",
        "same user part",
        "same user letters",
        "one typing error",
        "similar",
        "",
        "different",
    ),
    "default": (
        "missing",
        "equal",
        "same words",
        "one contains the other",
        "one typing error",
        "similar",
        "",
        "different",
    ),
}

Pairs = np.ndarray[tuple[int], np.dtype[np.int64]]
Levels = np.ndarray[tuple[int], np.dtype[np.int8]]
_CHUNK = 1 << 20


def compare(
    fields: list[Field], left: Pairs, right: Pairs, *, workers: int = 1
) -> np.ndarray[tuple[int, int], np.dtype[np.int8]]:
    """Level of each field for each pair of rows, int8 (fields, pairs).

    The level of (i, j) equals that of (j, i); alternatives count by their best level.
    """
    levels = np.empty((len(fields), len(left)), np.int8)
    for position, field in enumerate(fields):
        levels[position] = _field_levels(field, left, right, workers)
    names = {field.name: position for position, field in enumerate(fields)}
    if "given_name" in names and "family_name" in names:
        given, family = names["given_name"], names["family_name"]
        _mark_swapped(fields[given], fields[family], left, right, levels, given, family)
    return levels


def _field_levels(field: Field, left: Pairs, right: Pairs, workers: int) -> Levels:
    width = field.codes.shape[1]
    best = np.zeros(len(left), np.int8)
    for one in range(width):
        for other in range(width):
            level = _code_levels(field, field.codes[left, one], field.codes[right, other], workers)
            best = np.where((best == 0) | ((level > 0) & (level < best)), level, best)
    return best


def _code_levels(field: Field, a: np.ndarray[Any, Any], b: np.ndarray[Any, Any], workers: int) -> Levels:
    present = (a >= 0) & (b >= 0)
    level = np.where(present, np.where(a == b, EQUAL, DIFFERENT), MISSING).astype(np.int8)
    if field.kind == "flag":
        return level
    todo = np.flatnonzero(present & (a != b))
    if not len(todo):
        return level
    low, high = np.minimum(a[todo], b[todo]).astype(np.int64), np.maximum(a[todo], b[todo]).astype(np.int64)
    joint = low * len(field.texts) + high
    order = np.argsort(joint, kind="stable")
    ordered = joint[order]
    fresh = np.empty(len(ordered), bool)
    fresh[0] = True
    np.not_equal(ordered[1:], ordered[:-1], out=fresh[1:])
    distinct = ordered[fresh]
    result = np.empty(len(distinct), np.int8)
    scorer = _SCORERS[field.kind]
    for start in range(0, len(distinct), _CHUNK):
        part = distinct[start : start + _CHUNK]
        result[start : start + _CHUNK] = scorer(field, part // len(field.texts), part % len(field.texts), workers)
    level[todo[order]] = result[np.cumsum(fresh) - 1]
    return level


def _mark_swapped(
    given: Field, family: Field, left: Pairs, right: Pairs, levels: np.ndarray[Any, Any], g: int, f: int
) -> None:
    """Where the names differ as they stand but agree crosswise, both fields are "swapped"."""
    shared = {text: code for code, text in enumerate(given.key_texts)}
    family_key = np.array([shared.get(text, -2 - code) for code, text in enumerate(family.key_texts)] + [-1], np.int64)
    given_key = np.append(given.keys, -1).astype(np.int64)
    family_of_value = np.append(family_key[family.keys], -1) if len(family.keys) else np.array([-1])
    candidates = np.flatnonzero((levels[g] >= SIMILAR) & (levels[f] >= SIMILAR))
    i, j = left[candidates], right[candidates]
    gi, gj = given_key[given.first[i]], given_key[given.first[j]]
    fi, fj = family_of_value[family.first[i]], family_of_value[family.first[j]]
    one, other = (gi == fj) & (gi != -1), (gj == fi) & (gj != -1)
    both = candidates[one & other]
    levels[g, both] = levels[f, both] = SWAPPED
    # One side equal crosswise, the other a typing error crosswise: still a swap.
    half = candidates[one ^ other]
    if len(half):
        i, j, straight = left[half], right[half], one[one ^ other]
        a = [
            family.texts[family.first[y]] if s else given.texts[given.first[y]]
            for y, s in zip(np.where(straight, i, j), np.ones(len(half), bool), strict=True)
        ]
        b = [given.texts[given.first[y]] for y in np.where(straight, j, i)]
        close = cpdist(a, b, scorer=OSA.distance, score_cutoff=2) <= 1
        levels[g, half[close]] = levels[f, half[close]] = SWAPPED


def _texts(field: Field, codes: np.ndarray[Any, Any]) -> list[str]:
    texts = field.texts
    return [texts[code] for code in codes.tolist()]


def _lengths(field: Field, name: str, texts: list[str]) -> np.ndarray[Any, np.dtype[np.int32]]:
    if name not in field.cache:
        field.cache[name] = np.fromiter(map(len, texts), np.int32, len(texts))
    return field.cache[name]  # type: ignore[no-any-return]


def _names(field: Field, a: Pairs, b: Pairs, workers: int) -> Levels:
    ka, kb = field.keys[a], field.keys[b]
    key_texts = field.key_texts
    left, right = [key_texts[k] for k in ka.tolist()], [key_texts[k] for k in kb.tolist()]
    lengths = _lengths(field, "key_length", key_texts)
    shorter = np.minimum(lengths[ka], lengths[kb])
    alike = cpdist(left, right, scorer=JaroWinkler.similarity, dtype=np.float32, workers=workers)
    edits = cpdist(left, right, scorer=OSA.distance, score_cutoff=2, dtype=np.int32, workers=workers)
    level = np.full(len(a), DIFFERENT, np.int8)
    level[alike >= 0.84] = SIMILAR
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
    if "head" not in field.cache:
        groups = diminutives()
        field.cache["head"] = np.array([ord(text[0]) if text else 0 for text in field.texts], np.int32)
        field.cache["groups"] = [
            frozenset().union(*(groups.get(part, frozenset()) for part in (text, *text.split()[:1])))
            | {("c", key) for key in (*CANTONESE.get(text, ()), text) if text in CANTONESE or text in _ROMAN}
            for text in field.texts
        ]
        field.cache["grouped"] = np.fromiter(map(bool, field.cache["groups"]), bool, len(field.texts))
        field.cache["parts"] = [frozenset(text.split()) for text in field.texts]
        field.cache["compound"] = np.fromiter(
            (len(parts) > 1 for parts in field.cache["parts"]), bool, len(field.texts)
        )
    lengths = _lengths(field, "length", field.texts)
    heads, groups, parts = field.cache["head"], field.cache["groups"], field.cache["parts"]
    related = (heads[a] == heads[b]) & ((lengths[a] == 1) | (lengths[b] == 1))
    for row in np.flatnonzero(field.cache["grouped"][a] & field.cache["grouped"][b]).tolist():
        related[row] |= not groups[a[row]].isdisjoint(groups[b[row]])
    for row in np.flatnonzero(field.cache["compound"][a] | field.cache["compound"][b]).tolist():
        x, y = parts[a[row]], parts[b[row]]
        related[row] |= any(len(part) > 2 for part in x & y)
    return np.asarray(related, bool)


_ROMAN = frozenset(key for keys in CANTONESE.values() for key in keys)


def _numbers(field: Field, a: Pairs, b: Pairs, workers: int) -> Levels:
    edits = cpdist(
        _texts(field, a), _texts(field, b), scorer=OSA.distance, score_cutoff=3, dtype=np.int32, workers=workers
    )
    level = np.full(len(a), DIFFERENT, np.int8)
    level[edits == 2] = SIMILAR
    level[edits <= 1] = TYPO
    return level


def _house(field: Field, a: Pairs, b: Pairs, workers: int) -> Levels:
    edits = cpdist(
        _texts(field, a), _texts(field, b), scorer=OSA.distance, score_cutoff=2, dtype=np.int32, workers=workers
    )
    level = np.where(edits <= 1, TYPO, DIFFERENT).astype(np.int8)
    level[field.keys[a] == field.keys[b]] = VARIANT
    return level


def _emails(field: Field, a: Pairs, b: Pairs, workers: int) -> Levels:
    left, right = _texts(field, a), _texts(field, b)
    edits = cpdist(left, right, scorer=OSA.distance, score_cutoff=2, dtype=np.int32, workers=workers)
    users = field.key_texts
    if "letters" not in field.cache:
        letters = ["".join(c for c in user if c.isalpha()) for user in users]
        numbering: dict[str, int] = {}
        field.cache["letters"] = np.array(
            [numbering.setdefault(text, len(numbering)) if len(text) > 3 else -1 - i for i, text in enumerate(letters)],
            np.int64,
        )
    ka, kb = field.keys[a], field.keys[b]
    alike = cpdist(
        [users[k] for k in ka.tolist()],
        [users[k] for k in kb.tolist()],
        scorer=JaroWinkler.similarity,
        dtype=np.float32,
        workers=workers,
    )
    level = np.full(len(a), DIFFERENT, np.int8)
    level[alike >= 0.88] = SIMILAR
    level[field.cache["letters"][ka] == field.cache["letters"][kb]] = SIMILAR
    level[edits <= 1] = TYPO
    level[ka == kb] = VARIANT
    return level


def _dates(field: Field, a: Pairs, b: Pairs, workers: int) -> Levels:
    if "number" not in field.cache:
        field.cache["number"] = np.array([int(text) for text in field.texts], np.int64)
    x, y = field.cache["number"][a], field.cache["number"][b]
    xy, xm, xd = x // 10000, x // 100 % 100, x % 100
    yy, ym, yd = y // 10000, y // 100 % 100, y % 100
    edits = cpdist(
        _texts(field, a), _texts(field, b), scorer=OSA.distance, score_cutoff=2, dtype=np.int32, workers=workers
    )
    same = (xy == yy).astype(int) + (xm == ym) + (xd == yd)
    level = np.full(len(a), DIFFERENT, np.int8)
    level[(edits == 2) | (same == 2)] = SIMILAR
    level[edits <= 1] = TYPO
    vague = (x % 10000 <= 101) | (y % 10000 <= 101)
    level[(xy == yy) & vague] = RELATED
    level[(xy == yy) & (xm == yd) & (xd == ym)] = VARIANT
    return level


def _places(field: Field, a: Pairs, b: Pairs, workers: int) -> Levels:
    left, right = _texts(field, a), _texts(field, b)
    edits = cpdist(left, right, scorer=OSA.distance, score_cutoff=3, dtype=np.int32, workers=workers)
    alike = cpdist(left, right, scorer=JaroWinkler.similarity, dtype=np.float32, workers=workers)
    lengths = _lengths(field, "length", field.texts)
    shorter = np.minimum(lengths[a], lengths[b])
    level = np.full(len(a), DIFFERENT, np.int8)
    level[alike >= 0.88] = SIMILAR
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
    left, right = _texts(field, a), _texts(field, b)
    edits = cpdist(left, right, scorer=OSA.distance, score_cutoff=2, dtype=np.int32, workers=workers)
    level = np.full(len(a), DIFFERENT, np.int8)
    prefix = np.fromiter((x[:3] == y[:3] for x, y in zip(left, right, strict=True)), bool, len(a))
    level[prefix] = SIMILAR
    level[edits <= 1] = TYPO
    return level


def _tokens(field: Field, a: Pairs, b: Pairs, workers: int) -> Levels:
    """Words weighed by rarity: a shared rare word says more than a shared usual one."""
    if "weights" not in field.cache:
        parts = [text.split() if not is_han(text) else list(text) for text in field.texts]
        counts: dict[str, int] = {}
        for words in parts:
            for word in set(words):
                counts[word] = counts.get(word, 0) + 1
        total = max(len(parts), 2)
        field.cache["weights"] = [
            {word: float(np.log(total / counts[word]) + 0.1) for word in words} for words in parts
        ]
        field.cache["norm"] = [
            float(np.sqrt(sum(w * w for w in weights.values()))) for weights in field.cache["weights"]
        ]
    left, right = _texts(field, a), _texts(field, b)
    rough = cpdist(left, right, scorer=token_set_ratio, dtype=np.float32, workers=workers)
    whole = cpdist(left, right, scorer=JaroWinkler.similarity, dtype=np.float32, workers=workers)
    level = np.full(len(a), DIFFERENT, np.int8)
    weights, norm = field.cache["weights"], field.cache["norm"]
    for row in np.flatnonzero(rough >= 45).tolist():
        i, j = int(a[row]), int(b[row])
        x, y = (weights[i], weights[j]) if len(weights[i]) <= len(weights[j]) else (weights[j], weights[i])
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
        cosine = dot / (norm[i] * norm[j])
        if cosine >= 0.85:
            level[row] = TYPO
        elif dot >= 0.95 * small or cosine >= 0.6:
            level[row] = RELATED
        elif cosine >= 0.35 or whole[row] >= 0.9:
            level[row] = SIMILAR
    level[field.keys[a] == field.keys[b]] = VARIANT
    return level


_SCORERS: dict[str, Callable[[Field, Pairs, Pairs, int], Levels]] = {
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

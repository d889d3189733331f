"""What blocking keys are made of: a field's values, coarser forms of them, both names together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs
import numpy as np

from custinfo.dedupe._canonical import mixed, text_hashes
from custinfo.dedupe._fields import Field
from custinfo.dedupe._keys import skeleton
from custinfo.dedupe._scorers import letter_hashes
from custinfo.dedupe._text import is_han

__all__ = ["Atom", "atoms_of", "together"]

Ints = np.ndarray[Any, np.dtype[np.int64]]
Hashes = np.ndarray[Any, np.dtype[np.uint64]]
_RARE = 3
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


@attrs.frozen(eq=False)
class Atom:
    """One thing that records can have in common.

    Attributes:
        name: what diagnostics call it.
        fields: the fields that it comes from.
        entries: how a row's alternatives are found: codes by row, and for each code a 64-bit number, 0 for none; two
            rows agree where they have a number in common.
    """

    name: str
    fields: frozenset[str]
    entries: tuple[tuple[np.ndarray[Any, Any], Hashes], ...]
    mirrored: tuple[np.ndarray[Any, Any], Hashes] | None = None

    def columns(self, rows: Any = slice(None)) -> list[Hashes]:
        """Numbers of rows, one array for each alternative."""
        found = [table[codes[rows]] for codes, table in self.entries]
        if self.mirrored is None:
            return found
        other = self.mirrored[1][self.mirrored[0][rows]]
        return [together(np.minimum(found[0], other), np.maximum(found[0], other))]


def together(one: Hashes, other: Hashes) -> Hashes:
    """One number of two; 0 where either is 0."""
    with np.errstate(over="ignore"):
        joint = one * _MULTIPLIER
        joint += other
    joint |= np.uint64(1)
    joint[(one == 0) | (other == 0)] = 0
    return joint


def atoms_of(fields: Sequence[Field]) -> list[Atom]:
    """All atoms of the fields."""
    by_name = {field.name: field for field in fields}
    return [atom for field in fields for atom in _atoms(field, by_name)]


def _atom(name: str, field: Field, table: Hashes) -> Atom:
    padded = np.append(table, np.uint64(0))
    return Atom(name, frozenset({field.name}), tuple((column, padded) for column in field.codes.T))


def _whole(field: Field) -> Hashes:
    """Values that are another writing of one are one."""
    return mixed(np.arange(1, len(field.key_texts) + 1, dtype=np.uint64))[field.keys]


def _by_key(field: Field, form: Callable[[str], str]) -> Hashes:
    return text_hashes(list(map(form, field.key_texts)))[field.keys]


def _atoms(field: Field, by_name: dict[str, Field]) -> list[Atom]:
    name = field.name
    whole = _atom(name, field, _whole(field))
    if field.kind == "name":
        sound = _atom(f"{name} sound", field, _by_key(field, skeleton))
        if name == "family_name" and "given_name" in by_name:
            return [*_person_atoms(by_name["given_name"], field), sound]
        return [whole, sound]
    if field.kind == "date":
        day = _atom(f"{name} day", field, text_hashes([text[4:] if text[4:] > "0101" else "" for text in field.texts]))
        return [whole, day, _atom(f"{name} year", field, text_hashes([text[:4] for text in field.texts]))]
    if field.kind == "email":
        exact = mixed(np.arange(1, len(field.texts) + 1, dtype=np.uint64))
        letters = letter_hashes(field)[0][field.keys]
        user = _atom(f"{name} user", field, _whole(field))
        return [_atom(name, field, exact), user, _atom(f"{name} letters", field, letters)]
    if field.kind in ("number", "phone"):
        halves = [len(text) // 2 + 1 for text in field.texts]
        head = text_hashes([text[:half] for text, half in zip(field.texts, halves, strict=True)])
        tail = text_hashes([text[-half:] for text, half in zip(field.texts, halves, strict=True)])
        return [whole, _atom(f"{name} head", field, head), _atom(f"{name} tail", field, tail)]
    if field.kind == "tokens":
        return [whole, _rare_words(field)]
    return [whole]


def _person_atoms(given: Field, family: Field) -> list[Atom]:
    """Family name, also where it stands as given name, and the two names whichever way round."""
    texts = {text: code for code, text in enumerate(given.key_texts)}
    shared = np.fromiter((texts.setdefault(text, len(texts)) for text in family.key_texts), np.int64)
    numbers = mixed(np.arange(1, len(texts) + 1, dtype=np.uint64))
    g, f = (np.append(table, np.uint64(0)) for table in (numbers[given.keys], numbers[shared[family.keys]]))
    both = Atom("both names", frozenset({"given_name", "family_name"}), ((given.first, g),), mirrored=(family.first, f))
    return [Atom("family_name", frozenset({"family_name"}), ((family.first, f), (given.first, g))), both]


def _rare_words(field: Field) -> Atom:
    """The three rarest words of each value that occur in another value."""
    parts = [
        sorted(set(text.split() if not is_han(text) else (text[i : i + 2] for i in range(max(1, len(text) - 1)))))
        for text in field.texts
    ]
    counts: dict[str, int] = {}
    for words in parts:
        for word in words:
            counts[word] = counts.get(word, 0) + 1
    numbers = dict(zip(counts, mixed(np.arange(1, len(counts) + 1, dtype=np.uint64)).tolist(), strict=True))
    table = np.zeros((len(parts) + 1, _RARE), np.uint64)
    for row, words in enumerate(parts):
        rare = sorted((counts[word], word) for word in words if counts[word] > 1)[:_RARE]
        table[row, : len(rare)] = [numbers[word] for _, word in rare]
    entries = tuple((column, table[:, place]) for column in field.codes.T for place in range(_RARE))
    return Atom(f"{field.name} words", frozenset({field.name}), entries)

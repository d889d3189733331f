"""Candidate pairs within a budget that grows linearly with the rows; keys are chosen from the data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np

from custinfo.dedupe._fields import Field
from custinfo.dedupe._text import factorize, is_han

__all__ = ["Blocks", "candidates"]

Ints = np.ndarray[tuple[int], np.dtype[np.int64]]

_CAPS = (1000, 700, 500, 350, 250, 180, 130, 90, 65, 45, 32, 24, 16, 12, 8, 5, 3)
_WINDOW = 3
# So few pairs are all compared.
_ALL_PAIRS = 400_000


@attrs.frozen(kw_only=True, eq=False)
class Blocks:
    """Candidate pairs and where they came from.

    Attributes:
        left: int64 (p,), the smaller row.
        right: int64 (p,), the larger row.
        counts: pairs made by each key, before pairs that several keys made are counted once.
        dropped: key -> rows whose block stayed too large after all refinements; they met their neighbours only.
    """

    left: Ints
    right: Ints
    counts: dict[str, int]
    dropped: dict[str, int]


@attrs.frozen(eq=False)
class _Atom:
    name: str
    field: str
    entries: tuple[Ints, ...]  # each (n,), -1 where missing
    alone: bool  # whether it makes blocks by itself, or only refines


def candidates(fields: Sequence[Field], *, per_row: int = 10, floor: int = 100_000) -> Blocks:
    """Pairs of rows that agree on some key, at most about ``floor + per_row * n`` of them."""
    rows = len(fields[0].codes)
    budget = floor + per_row * rows
    if rows * (rows - 1) // 2 <= _ALL_PAIRS:
        left, right = np.triu_indices(rows, 1)
        return Blocks(
            left=left.astype(np.int64), right=right.astype(np.int64), counts={"all pairs": len(left)}, dropped={}
        )
    atoms = [atom for field in fields for atom in _atoms(field, fields, rows)]
    counts: dict[str, int] = {}
    dropped: dict[str, int] = {}
    made: list[Ints] = []
    blocks = {atom.name: _sorted_blocks(_stack(atom), rows) for atom in atoms if atom.alone}
    cap = _cap(list(blocks.values()), budget // 2)
    large: list[tuple[str, tuple[str, ...], Ints, Ints]] = []
    for name, (codes, members) in blocks.items():
        pairs, over_codes, over_rows = _pairs(codes, members, cap, rows)
        made.append(pairs)
        counts[name] = len(pairs)
        if len(over_rows):
            field = next(atom.field for atom in atoms if atom.name == name)
            large.append((name, (field,), over_codes, over_rows))
    # A block that was small enough has met already: only what lies in oversized blocks of both keys is left to meet.
    still = {name: codes for name, _, codes, _ in large}
    atoms = [_oversized(atom, still[atom.name]) for atom in atoms if atom.name in still]
    room = budget // 2
    for depth in (1, 2):
        refined = _refine(large, atoms, rows)
        cap = _cap([(codes, members) for _, _, codes, members in refined], room)
        large = []
        for name, used, codes, members in refined:
            pairs, over_codes, over_rows = _pairs(codes, members, cap, rows)
            made.append(pairs)
            counts[name] = len(pairs)
            if len(over_rows):
                large.append((name, used, over_codes, over_rows))
        room = budget // 4
        if depth == 2 or not large:
            break
    for name, _, codes, members in large:
        dropped[name] = len(members)
        made.append(_neighbours(codes, members, rows))
    packed = np.concatenate(made) if made else np.zeros(0, np.int64)
    packed.sort()
    if len(packed):
        packed = packed[np.append(True, packed[1:] != packed[:-1])]
    return Blocks(left=packed // rows, right=packed % rows, counts=counts, dropped=dropped)


def _atoms(field: Field, fields: Sequence[Field], rows: int) -> list[_Atom]:
    name = field.name
    whole = [np.append(field.keys, -1)[column].astype(np.int64) for column in field.codes.T]
    plain_codes = [column.astype(np.int64) for column in field.codes.T]
    if field.kind == "name":
        if name == "family_name" and any(other.name == "given_name" for other in fields):
            return _person_atoms(next(other for other in fields if other.name == "given_name"), field)
        alone = name == "given_name" or not any(other.name == "given_name" for other in fields)
        partner = [_derived(field, _skeleton)]
        return [
            _Atom(name, name, tuple(whole), alone and name != "middle_name"),
            _Atom(f"{name} sound", name, tuple(partner), True),
        ]
    if field.kind == "date":
        day, year = (
            _derived(field, lambda text: text[4:] if text[4:] > "0101" else ""),
            _derived(field, lambda text: text[:4]),
        )
        return [
            _Atom(name, name, tuple(plain_codes), True),
            _Atom(f"{name} day", name, (day,), True),
            _Atom(f"{name} year", name, (year,), True),
        ]
    if field.kind == "email":
        letters = _derived(field, lambda text: "".join(c for c in text.partition("@")[0] if c.isalpha()))
        return [
            _Atom(name, name, tuple(plain_codes), True),
            _Atom(f"{name} user", name, tuple(whole), True),
            _Atom(f"{name} letters", name, (letters,), True),
        ]
    if field.kind == "tokens":
        return _token_atoms(field)
    if field.kind in ("number", "phone"):
        head, tail = (
            _derived(field, lambda text: text[: len(text) // 2 + 1]),
            _derived(field, lambda text: text[-(len(text) // 2 + 1) :]),
        )
        return [
            _Atom(name, name, tuple(plain_codes), True),
            _Atom(f"{name} head", name, (head,), True),
            _Atom(f"{name} tail", name, (tail,), True),
        ]
    alone = field.kind in ("postal", "place") and name not in ("locality", "unit")
    return [_Atom(name, name, tuple(whole), True)]


def _person_atoms(given: Field, family: Field) -> list[_Atom]:
    """Family name, and the pair of names whichever way round."""
    texts = {text: code for code, text in enumerate(given.key_texts)}
    shared = np.array([texts.setdefault(text, len(texts)) for text in family.key_texts] or [0], np.int64)
    g = np.append(given.keys, -1)[given.first].astype(np.int64)
    f = np.where(family.first < 0, -1, shared[np.append(family.keys, 0)[family.first]])
    both = (g >= 0) & (f >= 0)
    pair = np.where(both, np.minimum(g, f) * len(texts) + np.maximum(g, f), -1)
    _, dense = np.unique(pair, return_inverse=True)
    pair = np.where(both, dense, -1).astype(np.int64)
    return [
        _Atom("family_name", "family_name", (f, np.where(f == g, -1, g)), True),
        _Atom("both names", "family_name given_name", (pair,), True),
        _Atom("family_name sound", "family_name", (_derived(family, _skeleton),), True),
    ]


def _skeleton(text: str) -> str:
    """First letter and the next two consonants: what most typing errors leave alone."""
    if is_han(text):
        return text[:1]
    joined = text.replace(" ", "")
    return joined[:1] + "".join(c for c in joined[1:] if c not in "aeiouyhw")[:2]


def _derived(field: Field, form: Any) -> Ints:
    """A coarser code out of the text of each value (of the first alternative); -1 where that is empty."""
    source = field.key_texts if field.kind == "name" else field.texts
    forms = [form(text) for text in source]
    codes, values = factorize(forms)
    table = np.append(codes, -1).astype(np.int64)
    if "" in values:
        table[table == values.index("")] = -1
    inner = np.append(field.keys, len(source))[field.first] if field.kind == "name" else field.first
    return table[inner]


def _token_atoms(field: Field) -> list[_Atom]:
    """The three rarest words of each value that occur in another value, and the whole."""
    parts = [
        sorted(set(text.split() if not is_han(text) else (text[i : i + 2] for i in range(max(1, len(text) - 1)))))
        for text in field.texts
    ]
    counts: dict[str, int] = {}
    for words in parts:
        for word in words:
            counts[word] = counts.get(word, 0) + 1
    ids = {word: number for number, word in enumerate(counts)}
    table = np.full((len(parts) + 1, 3), -1, np.int64)
    for row, words in enumerate(parts):
        rare = sorted((counts[word], word) for word in words if counts[word] > 1)[:3]
        table[row, : len(rare)] = [ids[word] for _, word in rare]
    first = field.first
    whole = np.append(field.keys, -1)[first].astype(np.int64)
    return [
        _Atom(f"{field.name} words", field.name, tuple(table[first, k] for k in range(3)), True),
        _Atom(field.name, field.name, (whole,), True),
    ]


def _stack(atom: _Atom) -> tuple[Ints, Ints]:
    codes = np.concatenate(atom.entries)
    rows = np.tile(np.arange(len(atom.entries[0]), dtype=np.int64), len(atom.entries))
    keep = codes >= 0
    return codes[keep], rows[keep]


def _sorted_blocks(entries: tuple[Ints, Ints], rows: int) -> tuple[Ints, Ints]:
    """Entries sorted by code and row, each once, blocks of one left out."""
    codes, members = entries
    packed = codes * rows + members
    packed.sort()
    if len(packed):
        packed = packed[np.append(True, packed[1:] != packed[:-1])]
    codes, members = packed // rows, packed % rows
    same = codes[1:] == codes[:-1]
    shared = np.append(same, False) | np.append(False, same) if len(codes) else np.zeros(0, bool)
    return codes[shared], members[shared]


def _sizes(codes: Ints) -> tuple[Ints, Ints]:
    """Start and size of each block of sorted codes."""
    starts = np.flatnonzero(np.append(True, codes[1:] != codes[:-1])) if len(codes) else np.zeros(0, np.int64)
    return starts, np.diff(np.append(starts, len(codes)))


def _cap(blocks: Sequence[tuple[Ints, Ints]], room: int) -> int:
    """The largest block size with which all blocks up to it make no more than *room* pairs."""
    sizes = np.concatenate([_sizes(codes)[1] for codes, _ in blocks]) if blocks else np.zeros(0, np.int64)
    for cap in _CAPS:
        small = sizes[sizes <= cap]
        if int((small * (small - 1) // 2).sum()) <= room:
            return cap
    return 2


def _pairs(codes: Ints, members: Ints, cap: int, rows: int) -> tuple[Ints, Ints, Ints]:
    """All pairs of the blocks up to *cap* as ``left * rows + right``, and the entries of larger ones."""
    starts, sizes = _sizes(codes)
    size_of = np.repeat(sizes, sizes)
    over = size_of > cap
    position = np.arange(len(codes)) - np.repeat(starts, sizes)
    todo = np.flatnonzero(~over)
    made = []
    for distance in range(1, cap):
        todo = todo[position[todo] + distance < size_of[todo]]
        if not len(todo):
            break
        made.append(members[todo] * rows + members[todo + distance])
    return (np.concatenate(made) if made else np.zeros(0, np.int64)), codes[over], members[over]


def _oversized(atom: _Atom, codes: Ints) -> _Atom:
    """The atom without the codes whose blocks were small enough."""
    kept = np.zeros(max(int(column.max()) for column in atom.entries) + 2, bool)
    kept[codes] = True
    return attrs.evolve(atom, entries=tuple(np.where(kept[column], column, -1) for column in atom.entries))


def _refine(
    large: list[tuple[str, tuple[str, ...], Ints, Ints]], atoms: Sequence[_Atom], rows: int
) -> list[tuple[str, tuple[str, ...], Ints, Ints]]:
    """Each oversized block split by every atom of another field."""
    refined = []
    done: set[frozenset[str]] = set()
    for name, used, codes, members in large:
        _, dense = np.unique(codes, return_inverse=True)
        for atom in atoms:
            if any(field in used_field.split() for used_field in used for field in atom.field.split()):
                continue
            label = f"{name} + {atom.name}"
            key = frozenset(label.split(" + "))
            if key in done:
                continue
            done.add(key)
            for column in atom.entries:
                inner = column[members]
                keep = inner >= 0
                joint = dense[keep].astype(np.int64) * (int(column.max()) + 1 if len(column) else 1) + inner[keep]
                _, joint = np.unique(joint, return_inverse=True)
                blocks = _sorted_blocks((joint.astype(np.int64), members[keep]), rows)
                refined.append((label, (*used, atom.field), *blocks))
    return refined


def _neighbours(codes: Ints, members: Ints, rows: int) -> Ints:
    made = []
    for distance in range(1, _WINDOW + 1):
        same = codes[distance:] == codes[:-distance]
        made.append(members[:-distance][same] * rows + members[distance:][same])
    return np.concatenate(made)

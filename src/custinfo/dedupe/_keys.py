"""Blocking keys as 64-bit numbers that follow from a record's normal forms alone.

Each value has a few *slots*: itself, a coarser form of it, its head or tail. A key is one slot, or two together. Two
records are compared if they have a key in common that not too many others have.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
import numpy as np

from custinfo.dedupe._form import FieldSpec
from custinfo.dedupe._keyhash import content_key, content_keys, is_pair, pair_of, slot_of, slots_of, together
from custinfo.dedupe._scorers import user_letters, word_list
from custinfo.dedupe._text import content_hash, is_han

__all__ = ["BOTH", "CONTENT", "KeyMaker", "Plan", "skeleton"]

Hashes = np.ndarray[Any, np.dtype[np.uint64]]

# The whole content of a record, and its two names whichever way round.
CONTENT, BOTH = "content", "both names"
_RARE, _NEW = 3, 5


@attrs.frozen(kw_only=True)
class Plan:
    """Which keys are used; frozen with the model.

    Attributes:
        singles: names of slots that are a key alone.
        pairs: names of slots that make a key together.
        cap: a slot that more than so many different records have is no key.
        pair_cap: the same of two slots together.
        coverage: share of the pairs that the model was estimated to join which meet in at least one key.
    """

    singles: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]
    cap: int
    pair_cap: int
    coverage: float


def skeleton(text: str) -> str:
    """First letter and the next two consonants: what most typing errors leave alone.

    >>> skeleton("michael"), skeleton("mikael")
    ('mcl', 'mkl')
    """
    if is_han(text):
        return text[:1]
    joined = text.replace(" ", "")
    return joined[:1] + "".join(c for c in joined[1:] if c not in "aeiouyhw")[:2]


def _slot_texts(
    spec: FieldSpec, words: tuple[Mapping[str, int], int] | None
) -> tuple[tuple[str, ...], Callable[[str, str], Sequence[str]]]:
    """Names of the slots of a field's values, and the texts in them out of a value and its key ("" for none)."""
    name = spec.name
    if spec.kind == "name":
        if name == "middle_name":
            return (name,), lambda text, key: (key,)
        return (name, "name", f"{name} sound"), lambda text, key: (key, key, skeleton(key))
    if spec.kind == "date":
        return (name, f"{name} day", f"{name} year"), lambda text, key: (
            text,
            text[4:] if text[4:] > "0101" else "",
            text[:4],
        )
    if spec.kind == "email":
        return (name, f"{name} user", f"{name} letters"), lambda text, key: (text, key, user_letters(key))
    if spec.kind in ("number", "phone"):
        return (name, f"{name} head", f"{name} tail"), lambda text, key: (
            text,
            text[: len(text) // 2 + 1],
            text[-(len(text) // 2 + 1) :],
        )
    if spec.kind == "tokens":
        counts = words[0] if words else {}
        return (name, *[f"{name} word"] * (_RARE + _NEW)), lambda text, key: (key, *_rare_words(text, counts))
    return (name,), lambda text, key: (key,)


def _rare_words(text: str, counts: Mapping[str, int]) -> list[str]:
    """The rarest words that several values were known to hold, and some that were not known."""
    found = set(word_list(text) if not is_han(text) else (text[i : i + 2] for i in range(max(1, len(text) - 1))))
    rare = sorted((counts[word], word) for word in found if word in counts)[:_RARE]
    fresh = sorted(word for word in found if word not in counts)[:_NEW]
    texts = [word for _, word in rare] + fresh
    return texts + [""] * (_RARE + _NEW - len(texts))


class KeyMaker:
    """Keys of records by one plan.

    Args:
        specs: the fields.
        words: per field, how many known values hold each word, for fields of several words.
        plan: the keys.
    """

    def __init__(
        self, specs: Sequence[FieldSpec], words: Sequence[tuple[Mapping[str, int], int] | None], plan: Plan
    ) -> None:
        self._forms = []
        self._salts = []
        self._plain_salts: list[list[int]] = []
        self.slots: list[str] = []
        self.owners: list[frozenset[str]] = []
        for spec, known in zip(specs, words, strict=True):
            names, form = _slot_texts(spec, known)
            self._forms.append(form)
            self._salts.append(np.array([content_hash(name) for name in names], np.uint64))
            self._plain_salts.append([content_hash(name) for name in names])
            self.slots += list(names) * spec.width
            self.owners += [frozenset({spec.name})] * (len(names) * spec.width)
        self._given = self._first("name", "given_name")
        self._family = self._first("name", "family_name")
        if self._family >= 0:
            self.slots.append(BOTH)
            self.owners.append(frozenset({"given_name", "family_name"}))
        self._alone = np.array([k for k, name in enumerate(self.slots) if name in plan.singles], np.int64)
        self._one = np.array([self.slots.index(a) for a, _ in plan.pairs], np.int64)
        self._other = np.array([self.slots.index(b) for _, b in plan.pairs], np.int64)
        alone = [self.slots[k] for k in self._alone.tolist()]
        # Alternatives, words and names share slots: a record that has a value twice has its key once.
        self._twins = [
            (one, other) for other in range(len(alone)) for one in range(other) if alone[one] == alone[other]
        ]
        self._alone_places: list[int] = self._alone.tolist()
        self._pair_places = [(self.slots.index(a), self.slots.index(b)) for a, b in plan.pairs]
        self.cap, self.pair_cap = plan.cap, plan.pair_cap
        self._caps = np.array([plan.cap, plan.pair_cap], np.int64)

    def caps(self, keys: Hashes) -> Any:
        """How many records may have each key for it to be one."""
        return self._caps[is_pair(keys).astype(np.int64)]

    def _first(self, slot: str, field: str) -> int:
        """Place of the slot of given or family name; -1 unless both fields are there."""
        if not {slot, "given_name", "family_name"} <= set(self.slots):
            return -1
        return self.slots.index(slot, self.slots.index(field))

    def of_value(self, position: int, texts: Sequence[str], keys: Sequence[str]) -> Hashes:
        """Slots of values of one field, uint64 (values, slots); 0 where empty."""
        form = self._forms[position]
        salts = self._salts[position]
        raw = np.array(
            [[content_hash(part) if part else 0 for part in form(t, k)] for t, k in zip(texts, keys, strict=True)],
            np.uint64,
        ).reshape(len(texts), len(salts))
        return np.where(raw == 0, np.uint64(0), slots_of(raw ^ salts))

    def of_records(self, content: Hashes, slots: Hashes) -> Hashes:
        """Keys of records.

        Args:
            content: uint64 (n,), of the whole content.
            slots: uint64 (n, slots), those of their values side by side.

        Returns:
            uint64 (n, keys); 0 where a record has no such key.
        """
        slots = self.with_both(slots)
        alone = slots[:, self._alone]
        for one, other in self._twins:
            alone[:, other][alone[:, one] == alone[:, other]] = 0
        parts = [content_keys(content)[:, None], alone]
        if len(self._one):
            parts.append(together(slots[:, self._one], slots[:, self._other]))
        return np.concatenate(parts, axis=1)

    def with_both(self, slots: Hashes) -> Hashes:
        """The slots, and last the two names whichever way round where there are two."""
        if self._family < 0:
            return slots
        a, b = slots[:, self._given], slots[:, self._family]
        return np.concatenate([slots, together(np.minimum(a, b), np.maximum(a, b))[:, None]], axis=1)

    def slots_of(self, position: int, text: str, key: str) -> list[int]:
        """The slots of one value, as `of_value`."""
        return [
            slot_of(content_hash(part) ^ salt) if part else 0
            for part, salt in zip(self._forms[position](text, key), self._plain_salts[position], strict=True)
        ]

    def keys_of(self, content: int, slots: Sequence[int]) -> list[int]:
        """The keys of one record, as `of_records`; that of its content first, those it does not have left out."""
        if self._family >= 0:
            slots = [*slots, pair_of(*sorted((slots[self._given], slots[self._family])))]
        keys = [content_key(content), *(slots[k] for k in self._alone_places)]
        keys += [pair_of(slots[one], slots[other]) for one, other in self._pair_places]
        return [key for key in dict.fromkeys(keys) if key]

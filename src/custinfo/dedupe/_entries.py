"""The distinct contents that a matcher knows: values as codes, and what becomes of a value that nobody has any more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from custinfo.dedupe._fields import Field, key_of
from custinfo.dedupe._form import FieldSpec
from custinfo.dedupe._frozen import MatchModel
from custinfo.dedupe._keys import KeyMaker
from custinfo.dedupe._scorers import word_list
from custinfo.dedupe._text import content_hash, factorize

__all__ = ["Entries", "Grown"]

Ints = np.ndarray[Any, np.dtype[np.int64]]
Hashes = np.ndarray[Any, np.dtype[np.uint64]]
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


class Grown:
    """An array that rows are added to without copying it each time."""

    def __init__(self, width: int | None, dtype: Any) -> None:
        self._data = np.zeros((16,) if width is None else (16, width), dtype)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def view(self) -> Any:
        """The rows so far."""
        return self._data[: self._count]

    def append(self, rows: Any) -> None:
        """Add rows at the end."""
        need = self._count + len(rows)
        if need > len(self._data):
            bigger = np.zeros((max(need, 2 * len(self._data)), *self._data.shape[1:]), self._data.dtype)
            bigger[: self._count] = self.view
            self._data = bigger
        self._data[self._count : need] = rows
        self._count = need


class Values:
    """The values of one field: text, key, slots and content hash by code; a code whose value is gone is used again."""

    def __init__(self, spec: FieldSpec, make: Callable[[Sequence[str], Sequence[str]], Hashes], pinyin: bool) -> None:
        self.spec = spec
        self.texts: list[str] = []
        self.keys: list[str] = []
        self.codes: dict[str, int] = {}
        self._make = make
        self._key = key_of(spec.name, spec.kind, pinyin=pinyin)
        self._free: list[int] = []
        self.uses = Grown(None, np.int64)
        self.hashes = Grown(None, np.uint64)
        self.slots = Grown(make([], []).shape[1], np.uint64)

    def key(self, text: str) -> str:
        """The coarser form of a text."""
        return text if self._key is None else self._key(text)

    def intern(self, texts: Sequence[str]) -> np.ndarray[Any, np.dtype[np.int32]]:
        """Codes of texts, new ones for those that were not there."""
        fresh = [text for text in dict.fromkeys(texts) if text not in self.codes]
        if fresh:
            keys = [self.key(text) for text in fresh]
            slots = self._make(fresh, keys)
            hashes = np.array([content_hash(text) for text in fresh], np.uint64)
            again = min(len(fresh), len(self._free))
            places = [self._free.pop() for _ in range(again)]
            for k, place in enumerate(places):
                self.texts[place], self.keys[place] = fresh[k], keys[k]
                self.slots.view[place], self.hashes.view[place] = slots[k], hashes[k]
                self.codes[fresh[k]] = place
            start = len(self.texts)
            self.texts += fresh[again:]
            self.keys += keys[again:]
            self.slots.append(slots[again:])
            self.hashes.append(hashes[again:])
            self.uses.append(np.zeros(len(fresh) - again, np.int64))
            self.codes.update(zip(fresh[again:], range(start, len(self.texts)), strict=True))
        return np.fromiter((self.codes[text] for text in texts), np.int32, len(texts))

    def used(self, codes: Any) -> None:
        """Count the use of codes by an entry; -1 is none."""
        np.add.at(self.uses.view, codes[codes >= 0], 1)

    def release(self, codes: Any) -> tuple[set[str], set[str]]:
        """Take uses back; texts that nobody has any more are forgotten, and returned with their keys."""
        present = codes[codes >= 0]
        np.subtract.at(self.uses.view, present, 1)
        gone: set[str] = set()
        keys: set[str] = set()
        for code in np.unique(present).tolist():
            if self.uses.view[code] == 0:
                gone.add(self.texts[code])
                keys.add(self.keys[code])
                del self.codes[self.texts[code]]
                self.texts[code] = self.keys[code] = ""
                self.slots.view[code] = self.hashes.view[code] = 0
                self._free.append(code)
        return gone, keys


class Entries:
    """Distinct contents, numbered as they came; see `Values` for what one is made of."""

    def __init__(self, model: MatchModel) -> None:
        self.model = model
        self.maker = KeyMaker(model.fields, model.word_counts(), model.plan)
        self.values = [Values(spec, self._slots_of(f), bool(model.pinyin)) for f, spec in enumerate(model.fields)]
        ends = np.cumsum([spec.width for spec in model.fields]).tolist()
        self.spans = list(zip([0, *ends[:-1]], ends, strict=True))
        self.codes = Grown(ends[-1] if ends else 0, np.int32)
        self.content = Grown(None, np.uint64)
        self.alive = Grown(None, np.bool_)

    def _slots_of(self, position: int) -> Callable[[Sequence[str], Sequence[str]], Hashes]:
        return lambda texts, keys: self.maker.of_value(position, texts, keys)

    def __len__(self) -> int:
        return len(self.codes)

    def intern(self, fields: Sequence[Field], rows: int) -> np.ndarray[Any, np.dtype[np.int32]]:
        """Codes of rows, int32 (rows, width); a field of the model that *fields* lack is missing."""
        by_source = {(field.name, field.kind, field.columns): field for field in fields}
        codes = np.full((rows, self.spans[-1][1] if self.spans else 0), -1, np.int32)
        for values, (start, end) in zip(self.values, self.spans, strict=True):
            field = by_source.get((values.spec.name, values.spec.kind, values.spec.columns))
            if field is None:
                continue
            # A text that no row uses (a given name out of a full name, beside a given name) is not kept.
            used = np.zeros(len(field.texts) + 1, bool)
            used[field.codes.ravel()] = True
            chosen = np.flatnonzero(used[:-1])
            table = np.full(len(field.texts) + 1, -1, np.int32)
            table[chosen] = values.intern([field.texts[code] for code in chosen.tolist()])
            codes[:, start:end] = table[field.codes]
        return codes

    def content_of(self, codes: Any) -> Hashes:
        """A 64-bit number of each row's normal forms, whatever their codes."""
        total = np.zeros(len(codes), np.uint64)
        with np.errstate(over="ignore"):
            for values, (start, end) in zip(self.values, self.spans, strict=True):
                hashes = values.hashes.view
                for column in range(start, end):
                    own = codes[:, column]
                    if len(hashes):
                        total = total * _MULTIPLIER + np.where(own >= 0, hashes[own], np.uint64(0))
                    else:
                        total = total * _MULTIPLIER
                    total ^= total >> np.uint64(29)
        return total

    def append(self, codes: Any, content: Hashes) -> Ints:
        """New entries; their numbers."""
        first = len(self)
        self.codes.append(codes)
        self.content.append(content)
        self.alive.append(np.ones(len(codes), bool))
        for values, (start, end) in zip(self.values, self.spans, strict=True):
            values.used(codes[:, start:end])
        return np.arange(first, len(self), dtype=np.int64)

    def keys(self, entries: Ints) -> Hashes:
        """Blocking keys of entries, uint64 (n, keys)."""
        codes = self.codes.view[entries]
        parts = []
        for values, (start, end) in zip(self.values, self.spans, strict=True):
            slots = values.slots.view
            parts += [_rows_of(slots, codes[:, column]) for column in range(start, end)]
        return self.maker.of_records(self.content.view[entries], np.concatenate(parts, axis=1))

    def fields(self, entries: Ints) -> list[Field]:
        """Fields of some entries with codes of their own, to compare them."""
        codes = self.codes.view[entries]
        words = self.model.word_counts()
        return [
            _field(values, codes[:, start:end], words[f])
            for f, (values, (start, end)) in enumerate(zip(self.values, self.spans, strict=True))
        ]

    def erase(self, entries: Ints) -> None:
        """Forget entries, the values that nobody has any more, and what the model knows of those."""
        codes = self.codes.view[entries].copy()
        self.codes.view[entries] = -1
        self.content.view[entries] = 0
        self.alive.view[entries] = False
        texts, keys, words = [], [], []
        for values, known, (start, end) in zip(self.values, self.model.counts, self.spans, strict=True):
            gone, gone_keys = values.release(codes[:, start:end])
            texts.append(gone)
            told = {key for key in gone_keys if key in known.keys.counts or key in self.model.either}
            keys.append(told - set(values.keys) if told else told)
            held = {word for text in gone for word in word_list(text) if word in known.words}
            words.append(held.difference(*map(word_list, values.texts)) if held else held)
        names = [f for f, spec in enumerate(self.model.fields) if spec.name in ("given_name", "family_name")]
        either: set[str] = set().union(*(keys[f] for f in names))
        either = either.difference(*(self.values[f].keys for f in names)) if either else either
        self.model = self.model.without(texts, keys, words, either)
        self.maker = KeyMaker(self.model.fields, self.model.word_counts(), self.model.plan)


def _rows_of(slots: Hashes, codes: Any) -> Hashes:
    if not len(slots):
        return np.zeros((len(codes), slots.shape[1]), np.uint64)
    return np.where(codes[:, None] >= 0, slots[codes], np.uint64(0))


def _field(values: Values, codes: Any, words: Any) -> Field:
    flat = codes.ravel()
    if len(flat) * 8 < len(values.texts):
        used = np.unique(flat[flat >= 0])
        inner = np.where(flat < 0, -1, np.searchsorted(used, flat))
    else:
        flags = np.zeros(len(values.texts) + 1, bool)
        flags[flat] = True
        used = np.flatnonzero(flags[:-1])
        table = np.full(len(values.texts) + 1, -1, np.int64)
        table[used] = np.arange(len(used))
        inner = table[flat]
    chosen = used.tolist()
    keys, key_texts = factorize([values.keys[code] for code in chosen])
    return Field(
        name=values.spec.name,
        kind=values.spec.kind,
        codes=inner.reshape(codes.shape).astype(np.int32),
        texts=[values.texts[code] for code in chosen],
        keys=keys,
        key_texts=key_texts,
        columns=values.spec.columns,
        words=words,
    )

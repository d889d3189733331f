"""Which records have a key: sorted arrays, and a dictionary for what was added since."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

__all__ = ["Postings"]

Ints = np.ndarray[Any, np.dtype[np.int64]]
Hashes = np.ndarray[Any, np.dtype[np.uint64]]

_SMALL = 200_000


class Postings:
    """An index of keys to records. Not safe for several threads of which one writes."""

    def __init__(self) -> None:
        self._keys: Hashes = np.zeros(0, np.uint64)
        self._members = np.zeros(0, np.int32)
        self._recent: dict[int, list[int]] = {}
        self._entries = 0

    def insert(self, keys: Hashes, records: Ints) -> None:
        """Add records with their keys, uint64 (n, keys), 0 for none."""
        flat, members = _flat(keys, records)
        if len(flat) > max(_SMALL, len(self._keys) // 8) - self._entries:
            self._merge(flat, members)
            return
        for key, member in zip(flat.tolist(), members.tolist(), strict=True):
            self._recent.setdefault(key, []).append(member)
        self._entries += len(flat)

    def _merge(self, flat: Hashes, members: np.ndarray[Any, Any]) -> None:
        if not self._recent and not len(flat):
            return
        recent = [(key, member) for key, found in self._recent.items() for member in found]
        keys = np.concatenate([self._keys, np.array([key for key, _ in recent], np.uint64), flat])
        every = np.concatenate([self._members, np.array([m for _, m in recent], np.int32), members.astype(np.int32)])
        # Runs that are sorted already are merged fast by a stable sort.
        order = np.argsort(keys, kind="stable")
        self._keys, self._members = keys[order], every[order]
        self._recent, self._entries = {}, 0

    def remove(self, keys: Hashes, records: Ints) -> None:
        """Take records and their keys out; a key that nobody has any more is gone."""
        gone = set(records.tolist())
        for key in np.unique(keys).tolist():
            if key in self._recent:
                rest = [member for member in self._recent[key] if member not in gone]
                self._entries -= len(self._recent[key]) - len(rest)
                if rest:
                    self._recent[key] = rest
                else:
                    del self._recent[key]
        if len(self._members):
            out = np.zeros(max(int(self._members.max()), int(records.max())) + 1, bool)
            out[records] = True
            keep = ~out[self._members]
            self._keys, self._members = self._keys[keep], self._members[keep]

    def whole(self) -> tuple[Hashes, np.ndarray[Any, np.dtype[np.int32]]]:
        """All keys, sorted, and the record of each."""
        self._merge(np.zeros(0, np.uint64), np.zeros(0, np.int32))
        return self._keys, self._members

    def sizes(self, keys: Hashes) -> Ints:
        """How many records have each key, 0 for key 0; shape of *keys*."""
        flat = keys.ravel()
        count = np.searchsorted(self._keys, flat, "right") - np.searchsorted(self._keys, flat, "left")
        if self._recent:
            get = self._recent.get
            count += np.fromiter((len(get(key, ())) for key in flat.tolist()), np.int64, len(flat))
        return np.asarray(np.where(flat == 0, 0, count).reshape(keys.shape), np.int64)

    def members(self, keys: Hashes) -> tuple[Ints, Ints]:
        """Place in *keys* (n,) and record, for each record that has the key."""
        low, high = np.searchsorted(self._keys, keys, "left"), np.searchsorted(self._keys, keys, "right")
        many = high - low
        which = np.repeat(np.arange(len(keys)), many)
        start = np.repeat(low - np.append(0, np.cumsum(many)[:-1]), many)
        found = self._members[start + np.arange(len(which))].astype(np.int64)
        if self._recent:
            more = [(k, m) for k, key in enumerate(keys.tolist()) for m in self._recent.get(key, ())]
            if more:
                extra = np.array(more, np.int64)
                which, found = np.append(which, extra[:, 0]), np.append(found, extra[:, 1])
        return which, found

    def of_record(
        self, keys: Sequence[int], cap: int, pair_cap: int, is_known: Callable[[Iterable[int]], bool]
    ) -> Ints:
        """The records that share with one more record a key that few enough would have then.

        Args:
            keys: of the record, that of its content first.
            cap: how many may have a key of one slot.
            pair_cap: how many may have a key of two slots.
            is_known: whether one of the records with the key of the content is a copy, which makes no block larger.
        """
        array = np.array(keys, np.uint64)
        # One search for both ends: behind all entries of a key is where the next number would be.
        both = np.searchsorted(self._keys, np.concatenate([array, array + np.uint64(1)])).tolist()
        low, high = both[: len(keys)], both[len(keys) :]
        recent = self._recent.get
        room = 0 if is_known([*self._members[low[0] : high[0]].tolist(), *recent(keys[0], ())]) else 1
        found: set[int] = set()
        for key, start, end in zip(keys, low, high, strict=True):
            more = recent(key, ())
            if end - start + len(more) + room <= (pair_cap if key & 2 else cap):
                if end > start:
                    found.update(self._members[start:end].tolist())
                found.update(more)
        return np.fromiter(found, np.int64, len(found))


def _flat(keys: Hashes, records: Ints) -> tuple[Hashes, np.ndarray[Any, Any]]:
    """Keys and records as two columns sorted by key."""
    flat = keys.ravel()
    members = np.repeat(records.astype(np.int32), keys.shape[1])
    keep = flat != 0
    flat, members = flat[keep], members[keep]
    order = np.argsort(flat)
    return flat[order], members[order]

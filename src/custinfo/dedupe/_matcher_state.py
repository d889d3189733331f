"""What a matcher knows: records, their entries, components and clusters; adding and removing."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np

from custinfo.dedupe._entries import Entries, Grown
from custinfo.dedupe._fields import Field
from custinfo.dedupe._frozen import MatchModel
from custinfo.dedupe._keyhash import content_keys, mixed
from custinfo.dedupe._postings import Postings
from custinfo.dedupe._regroup import Weighed, cluster, new_pairs, pairs_among, weigh

__all__ = ["EMPTY", "GONE", "MatcherState"]

Ints = np.ndarray[Any, np.dtype[np.int64]]
Hashes = np.ndarray[Any, np.dtype[np.uint64]]
# A row without any value, and a removed one, have no entry.
EMPTY, GONE = -1, -2


@attrs.frozen(kw_only=True, eq=False)
class Moved:
    """Rows whose label may have changed.

    Attributes:
        rows: int64 (r,).
        before: int64 (r,), their labels before, -1 for new ones.
    """

    rows: Ints
    before: Ints


class MatcherState:
    """Rows, entries (distinct contents) and clusters under one model."""

    def __init__(self, model: MatchModel, workers: int) -> None:
        self.entries = Entries(model)
        self.postings = Postings()
        self.workers = workers
        self.entry = Grown(None, np.int64)
        self.label = Grown(None, np.int64)
        self.first = Grown(None, np.int64)
        self.copies: dict[int, list[int]] = {}
        self.component = Grown(None, np.int64)
        self.members: dict[int, list[int]] = {}
        # Pairs near the decision; None after loading, until somebody wants to know.
        self.doubtful: list[Weighed] | None = []

    @property
    def model(self) -> MatchModel:
        """The model; it forgets values that nobody has any more."""
        return self.entries.model

    def add(self, fields: Sequence[Field], rows: int) -> Moved:
        """Take rows in and cluster anew what they touch."""
        start = len(self.entry)
        numbers = np.arange(start, start + rows, dtype=np.int64)
        codes = self.entries.intern(fields, rows)
        owner, fresh, keys = self._entries_of(codes, numbers)
        self.entry.append(owner)
        self.label.append(numbers)
        known = np.flatnonzero((owner >= 0) & (owner < (fresh[0] if len(fresh) else len(self.entries))))
        self._count_copies(owner, numbers)
        touched = self._grown_blocks(fresh, keys)
        if 2 * len(fresh) > len(self.entries):
            chosen = np.flatnonzero(self.entries.alive.view)
        else:
            left, right = new_pairs(self.entries, self.postings, fresh, keys)
            odds = weigh(self.entries, left, right, workers=self.workers)
            self._doubt(Weighed(left=left, right=right, odds=odds))
            strong = odds > self.model.threshold
            chosen = self._whole(np.concatenate([left[strong], right[strong], touched, owner[known]]))
        moved = self._cluster(np.union1d(chosen, owner[owner >= 0]), chosen)
        new = moved.rows >= start
        moved.before[new] = -1
        return moved

    def _entries_of(self, codes: Any, numbers: Ints) -> tuple[Ints, Ints, Hashes]:
        """Entry of each row, the new entries, and their keys."""
        entries = self.entries
        owner = np.full(len(codes), EMPTY, np.int64)
        present = np.flatnonzero((codes >= 0).any(1))
        content = entries.content_of(codes)
        unsettled = present
        added: list[Ints] = []
        all_keys: list[Hashes] = []
        while len(unsettled):
            hashes, at, inverse = np.unique(content[unsettled], return_index=True, return_inverse=True)
            known = np.full(len(hashes), -1, np.int64)
            which, entry = self._with_content(hashes)
            known[which] = entry
            lacking = np.flatnonzero(known < 0)
            # New entries are numbered by the rows that they come from.
            lacking = lacking[np.argsort(at[lacking], kind="stable")]
            rows = unsettled[at[lacking]]
            fresh = entries.append(codes[rows], hashes[lacking])
            self.first.append(numbers[rows])
            self.component.append(fresh)
            known[lacking] = fresh
            keys = entries.keys(fresh)
            self.postings.insert(keys, fresh)
            added.append(fresh)
            all_keys.append(keys)
            mine = known[inverse]
            same = (entries.codes.view[mine] == codes[unsettled]).all(1)
            owner[unsettled[same]] = mine[same]
            unsettled = unsettled[~same]
            # Two contents of one number: the other takes the next one.
            content[unsettled] = mixed(content[unsettled] + np.uint64(1))
        if not added:
            return owner, np.zeros(0, np.int64), np.zeros((0, 1), np.uint64)
        return owner, np.concatenate(added), np.concatenate(all_keys)

    def _with_content(self, hashes: Hashes) -> tuple[Ints, Ints]:
        """Places in *hashes* (sorted) and the entry that has it as its content."""
        which, entry = self.postings.members(content_keys(hashes))
        right = self.entries.content.view[entry] == hashes[which]
        return which[right], entry[right]

    def _count_copies(self, owner: Ints, numbers: Ints) -> None:
        """Note rows whose content other rows have too."""
        known = np.flatnonzero(owner >= 0)
        again = known[self.first.view[owner[known]] != numbers[known]]
        for entry, row in zip(owner[again].tolist(), numbers[again].tolist(), strict=True):
            self.copies.setdefault(entry, [int(self.first.view[entry])]).append(row)

    def _grown_blocks(self, fresh: Ints, keys: Hashes) -> Ints:
        """Old entries in blocks that grew beyond what a key may have: their components may fall apart."""
        flat, many = np.unique(keys[keys != 0], return_counts=True)
        after = self.postings.sizes(flat)
        caps = self.entries.maker.caps(flat)
        crossed = flat[(after > caps) & (after - many <= caps) & (after - many > 1)]
        _, member = self.postings.members(crossed)
        return member[member < fresh[0]] if len(fresh) else member

    def _whole(self, entries: Ints) -> Ints:
        """All entries of the components of these, ascending."""
        heads = np.unique(self.component.view[entries]).tolist()
        found = [entry for head in heads for entry in self.members.get(head, [head])]
        return np.sort(np.array(found, np.int64))

    def remove(self, rows: Ints) -> Moved:
        """Take rows out, erase what nobody has any more, and cluster anew what was touched."""
        owner = self.entry.view[rows]
        self.entry.view[rows] = GONE
        before_rows, before = rows, self.label.view[rows].copy()
        self.label.view[rows] = -1
        touched = self._whole(owner[owner >= 0])
        lost = self._lose_rows(rows, owner)
        for head in np.unique(self.component.view[touched]).tolist():
            self.members.pop(head, None)
        self.component.view[touched] = touched
        if len(lost):
            keys = self.entries.keys(lost)
            self.postings.remove(keys, lost)
            self.entries.erase(lost)
            left, right = self._shrunk_blocks(keys)
            strong = weigh(self.entries, left, right, workers=self.workers) > self.model.threshold
            more = self._whole(np.concatenate([left[strong], right[strong]]))
            touched = np.setdiff1d(np.union1d(touched, more), lost)
        moved = self._cluster(touched, touched)
        return Moved(rows=np.concatenate([before_rows, moved.rows]), before=np.concatenate([before, moved.before]))

    def _lose_rows(self, rows: Ints, owner: Ints) -> Ints:
        """Entries that no row is left of."""
        lost = []
        gone = set(rows.tolist())
        for entry in np.unique(owner[owner >= 0]).tolist():
            rest = [row for row in self.copies.pop(entry, [int(self.first.view[entry])]) if row not in gone]
            if not rest:
                lost.append(entry)
                self.first.view[entry] = -1
                continue
            self.first.view[entry] = rest[0]
            if len(rest) > 1:
                self.copies[entry] = rest
        return np.array(lost, np.int64)

    def _shrunk_blocks(self, keys: Hashes) -> tuple[Ints, Ints]:
        """Pairs in blocks that have become small enough for a key."""
        flat, many = np.unique(keys[keys != 0], return_counts=True)
        after = self.postings.sizes(flat)
        caps = self.entries.maker.caps(flat)
        which, member = self.postings.members(flat[(after <= caps) & (after + many > caps)])
        pairs: set[tuple[int, int]] = set()
        for block in np.unique(which).tolist():
            pairs.update(itertools.combinations(sorted(set(member[which == block].tolist())), 2))
        made = np.array(sorted(pairs), np.int64).reshape(-1, 2)
        return made[:, 0], made[:, 1]

    def _cluster(self, touched: Ints, chosen: Ints) -> Moved:
        """Cluster the *chosen* entries, which are whole components, and label the rows of the *touched* ones."""
        if len(chosen):
            component, group, weighed = cluster(self.entries, self.postings, chosen, workers=self.workers)
            self._doubt(weighed)
            for head in np.unique(self.component.view[chosen]).tolist():
                self.members.pop(head, None)
            self._set_components(chosen, component)
        else:
            group = chosen
        heads = touched.copy()
        heads[np.searchsorted(touched, chosen)] = group
        return self._label(touched, heads)

    def restore(self) -> None:
        """Copies and members out of the arrays."""
        entry = self.entry.view
        known = np.flatnonzero(entry >= 0)
        self._count_copies(entry[known], known)
        self._set_components(np.arange(len(self.entries), dtype=np.int64), self.component.view.copy())

    def _doubt(self, weighed: Weighed) -> None:
        """Keep the pairs near the decision, for questions."""
        near = weighed.near(self.model.threshold)
        if self.doubtful is not None and len(near.left):
            self.doubtful.append(near)

    def look_for_doubt(self) -> list[Weighed]:
        """The pairs near the decision."""
        if self.doubtful is None:
            self.doubtful = []
            chosen = np.flatnonzero(self.entries.alive.view)
            left, right = pairs_among(self.entries, self.postings, chosen)
            left, right = chosen[left], chosen[right]
            self._doubt(Weighed(left=left, right=right, odds=weigh(self.entries, left, right, workers=self.workers)))
        return self.doubtful

    def again(self, model: MatchModel) -> Moved:
        """Cluster all records anew by another model of the same fields and keys."""
        self.entries.model = model
        self.doubtful = []
        chosen = np.flatnonzero(self.entries.alive.view)
        return self._cluster(chosen, chosen)

    def _set_components(self, chosen: Ints, component: Ints) -> None:
        order = np.argsort(component, kind="stable")
        heads = component[order]
        starts = np.flatnonzero(np.append(True, heads[1:] != heads[:-1]))
        sizes = np.diff(np.append(starts, len(heads)))
        self.component.view[chosen] = chosen
        for start, size in zip(starts[sizes > 1].tolist(), sizes[sizes > 1].tolist(), strict=True):
            inside = np.sort(chosen[order[start : start + size]])
            self.component.view[inside] = inside[0]
            self.members[int(inside[0])] = inside.tolist()

    def _label(self, touched: Ints, heads: Ints) -> Moved:
        """Labels of the rows of entries by their clusters."""
        groups, inverse, sizes = np.unique(heads, return_inverse=True, return_counts=True)
        oldest = np.full(len(groups), np.iinfo(np.int64).max)
        np.minimum.at(oldest, inverse, self.first.view[touched])
        several = np.array([e for e in touched.tolist() if e in self.copies], np.int64) if self.copies else touched[:0]
        alone = several[sizes[inverse[np.searchsorted(touched, several)]] == 1]
        # What hardly says anything does not make two rows one person's, even if they have it in common.
        apart = alone[weigh(self.entries, alone, alone, workers=self.workers) <= self.model.threshold]
        rows = [self.first.view[touched]]
        labels = [oldest[inverse]]
        for entry in several.tolist():
            more = np.array(self.copies[entry][1:], np.int64)
            rows.append(more)
            labels.append(np.full(len(more), oldest[inverse[np.searchsorted(touched, entry)]]))
        for entry in apart.tolist():
            own = np.array(self.copies[entry], np.int64)
            rows.append(own)
            labels.append(own)
        row, label = np.concatenate(rows), np.concatenate(labels)
        changed = np.unique(row)
        before = self.label.view[changed].copy()
        self.label.view[row] = label
        return Moved(rows=changed, before=before)

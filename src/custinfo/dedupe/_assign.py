"""Links between two sources: each record at most once, and the whole as likely as can be."""

from __future__ import annotations

import heapq
from typing import Any

import attrs
import numpy as np

__all__ = ["Linked", "assign", "exclusive", "nearest"]

Ints = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, np.dtype[np.float64]]

# Steps of all searches for better ways, in all; what is left after so many is linked greedily.
_STEPS_FLOOR, _STEPS_PER_PAIR = 300_000, 5
_CLIP = 60.0


@attrs.frozen(kw_only=True, eq=False)
class Linked:
    """Which pairs are linked.

    Attributes:
        chosen: int64, positions of the linked pairs, ascending.
        amount: int64, how many records with the content of the one are linked with as many of the other's.
        exact: whether no other choice weighs more; false where that would have taken too long to find out.
    """

    chosen: Ints
    amount: Ints
    exact: bool


def assign(left: Ints, right: Ints, weight: Floats, *, threshold: float, copies: Ints) -> Linked:
    """The links of the highest sum of weight above the threshold, each record in one at most.

    Args:
        left: int64 (p,), rows of one source.
        right: int64 (p,), rows of the other source; the rows of both are numbered together.
        weight: float64 (p,), log odds; each pair occurs once.
        threshold: log odds that count as zero; pairs at or below it are not linked.
        copies: int64 (n,), how many records each row stands for.

    Source: Jaro, Advances in Record-Linkage Methodology, JASA 84 (1989), who chose links by the assignment problem;
    here solved by shortest augmenting paths with potentials (Edmonds and Karp, JACM 19, 1972), row after row.

    >>> pair = dict(left=np.array([0, 0, 1]), right=np.array([2, 3, 2]), weight=np.array([5.0, 4.0, 4.5]))
    >>> assign(**pair, threshold=0.0, copies=np.ones(4, int)).chosen.tolist()
    [1, 2]
    """
    gain = weight - threshold
    strong = np.flatnonzero(gain > 0)
    degree = np.bincount(np.concatenate([left[strong], right[strong]]), minlength=len(copies))
    lonely = (degree[left[strong]] == 1) & (degree[right[strong]] == 1)
    alone, rest = strong[lonely], strong[~lonely]
    amounts = dict(zip(alone.tolist(), np.minimum(copies[left[alone]], copies[right[alone]]).tolist(), strict=True))
    rest = rest[np.lexsort((right[rest], left[rest]))]
    flow = _Flow(left[rest].tolist(), right[rest].tolist(), gain[rest].tolist(), copies)
    exact = flow.run(_STEPS_FLOOR + _STEPS_PER_PAIR * len(rest))
    amounts.update((int(rest[pair]), amount) for pair, amount in flow.amount.items() if amount)
    chosen = np.array(sorted(amounts), np.int64)
    return Linked(chosen=chosen, amount=np.array([amounts[k] for k in chosen.tolist()], np.int64), exact=exact)


class _Flow:
    """The flow of the highest gain from rows of one source to rows of the other."""

    def __init__(self, left: list[int], right: list[int], gain: list[float], copies: Ints) -> None:
        self._left, self._right, self._gain = left, right, gain
        self._out: dict[int, list[int]] = {}
        for pair, row in enumerate(left):
            self._out.setdefault(row, []).append(pair)
        self._room = {row: int(copies[row]) for row in sorted(set(right))}
        self._supply = {row: int(copies[row]) for row in self._out}
        self._height = dict.fromkeys(self._room, 0.0)
        # Per row of the second source the pairs that flow into it.
        self._into: dict[int, set[int]] = {row: set() for row in self._room}
        self.amount: dict[int, int] = {}
        self._steps = 0

    def run(self, most: int) -> bool:
        """Insert the rows of the first source one after the other; whether *most* steps were enough."""
        exact = True
        for row, supply in self._supply.items():
            height, right, gain = self._height, self._right, self._gain
            height[row] = max(0.0, *(height[right[pair]] + gain[pair] for pair in self._out[row]))
            while supply:
                if self._steps >= most:
                    exact = False
                    supply = self._greedy(row, supply)
                    break
                moved = self._push(row, supply)
                if not moved:
                    break
                supply -= moved
        return exact

    def _push(self, row: int, supply: int) -> int:
        """Send what one shortest path carries; 0 where it is best to link no more."""
        end, path, last = self._shortest(row)
        if last == row and not path:
            return 0
        carried = min(supply, self._room[end] if end is not None else supply)
        for pair, forth in path:
            if not forth:
                carried = min(carried, self.amount[pair])
        for pair, forth in path:
            self.amount[pair] = self.amount.get(pair, 0) + (carried if forth else -carried)
            into = self._into[self._right[pair]]
            if self.amount[pair]:
                into.add(pair)
            else:
                into.discard(pair)
        if end is not None:
            self._room[end] -= carried
        return carried

    def _shortest(self, start: int) -> tuple[int | None, list[tuple[int, bool]], int]:
        """The best way for one more record of *start*: to a row with room, or to one whose link is given up.

        Returns:
            The row with room, or ``None``; the pairs on the way, and whether each is linked or given up; the last row.
        """
        height, right, left, gain = self._height, self._right, self._left, self._gain
        distance = {start: 0.0}
        came: dict[int, tuple[int, bool]] = {}
        done: dict[int, float] = {}
        heap = [(0.0, 0, start)]
        best, last, end = np.inf, start, None
        while heap:
            far, _, row = heapq.heappop(heap)
            if far >= best:
                break
            if row in done:
                continue
            done[row] = far
            self._steps += 1
            is_right = row in self._room
            # To end here costs nothing but the height: there is room, or a link of this row is given up.
            if not is_right or self._room[row]:
                there = far + height[row]
                if there < best:
                    best, last, end = there, row, row if is_right else None
            steps = (
                ((pair, left[pair], False) for pair in sorted(self._into[row]))
                if is_right
                else ((pair, right[pair], True) for pair in self._out[row])
            )
            for pair, other, forth in steps:
                cost = -gain[pair] if forth else gain[pair]
                reached = far + max(0.0, cost + height[row] - height[other])
                if other not in done and reached < distance.get(other, np.inf):
                    distance[other] = reached
                    came[other] = (pair, forth)
                    heapq.heappush(heap, (reached, len(came), other))
        for row, far in done.items():
            height[row] -= best - far
        path = []
        row = last
        while row != start:
            pair, forth = came[row]
            path.append((pair, forth))
            row = left[pair] if forth else right[pair]
        return end, path, last

    def _greedy(self, row: int, supply: int) -> int:
        for pair in sorted(self._out[row], key=lambda pair: (-self._gain[pair], pair)):
            other = self._right[pair]
            carried = min(supply, self._room[other])
            if carried:
                self.amount[pair] = self.amount.get(pair, 0) + carried
                self._room[other] -= carried
                supply -= carried
        return 0


def nearest(left: Ints, right: Ints, weight: Floats, *, threshold: float, copies: Ints) -> Linked:
    """The best link of each row of the first source, however many rows of the other meet in one.

    >>> pair = dict(left=np.array([0, 0, 1]), right=np.array([2, 3, 2]), weight=np.array([5.0, 4.0, 4.5]))
    >>> nearest(**pair, threshold=0.0, copies=np.ones(4, int)).chosen.tolist()
    [0, 2]
    """
    strong = np.flatnonzero(weight > threshold)
    order = strong[np.lexsort((right[strong], -weight[strong], left[strong]))]
    fresh = np.append(True, left[order][1:] != left[order][:-1])[: len(order)]
    chosen = np.sort(order[fresh])
    return Linked(chosen=chosen, amount=copies[left[chosen]].astype(np.int64), exact=True)


def exclusive(left: Ints, right: Ints, odds: Floats, *, copies: Ints, one_to_one: bool) -> Floats:
    """Log odds that each pair is linked rather than one of its rows with another row, or none.

    Two links that are equally likely and exclude each other are at best even, whatever the records have in common.
    """
    likely = np.exp(np.clip(odds, -_CLIP, _CLIP))
    rivals = _others(left, likely * copies[right], likely, len(copies))
    if one_to_one:
        rivals += _others(right, likely * copies[left], likely, len(copies))
    return np.asarray(odds - np.log1p(rivals), np.float64)


def _others(group: Ints, mass: Floats, own: Floats, rows: int) -> Floats:
    """Sum of the mass in each one's group without its own, kept exact where one outweighs all others."""
    most = np.full(rows, -np.inf)
    np.maximum.at(most, group, mass)
    order = np.arange(len(group))
    top = np.full(rows, -1, np.int64)
    is_top = mass == most[group]
    top[group[is_top][::-1]] = order[is_top][::-1]
    is_top = top[group] == order
    small = np.zeros(rows)
    np.add.at(small, group[~is_top], mass[~is_top])
    rest = np.where(is_top, small[group], most[group] + small[group] - mass)
    return np.asarray(np.maximum(rest, 0.0) + (mass - own), np.float64)

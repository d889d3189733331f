"""Clusters out of pair weights, without chains: a cluster stands only as far as its own pairs support it."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

__all__ = ["CLIP", "NEVER", "Apart", "components", "partition"]

Ints = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, np.dtype[np.float64]]
Weigh = Callable[[Ints, Ints], Floats]


class Apart(Protocol):
    """Rows that must not meet in one cluster."""

    def concerned(self, rows: Sequence[int]) -> dict[int, int]:
        """Those of the rows that can clash with others, and for each a row that clashes with the same ones."""

    def apart(self, one: Sequence[int], other: Sequence[int]) -> bool:
        """Whether any row of one group must not meet one of the other."""


# Up to this size every pair inside a component is compared, also those that no block brought together.
_WHOLE = 48
_UNSEEN = -2.0
# Log odds of two records that must not meet; far beyond any sum of others.
NEVER = -1e12
# Log odds beyond this count as this, so that no single pair decides.
CLIP = 8.0


def components(rows: int, left: Ints, right: Ints) -> Ints:
    """Smallest row that each row is connected with.

    >>> components(4, np.array([1, 2]), np.array([3, 3])).tolist()
    [0, 1, 1, 1]
    """
    label = np.arange(rows, dtype=np.int64)
    while len(left):
        a, b = label[left], label[right]
        low = np.minimum(a, b)
        np.minimum.at(label, a, low)
        np.minimum.at(label, b, low)
        while True:
            jumped = label[label]
            if (jumped == label).all():
                break
            label = jumped
        open_ = label[left] != label[right]
        left, right = left[open_], right[open_]
    return label


def partition(
    rows: int,
    left: Ints,
    right: Ints,
    weight: Floats,
    *,
    threshold: float,
    clip: float,
    weigh: Weigh,
    apart: Apart | None = None,
) -> tuple[Ints, Ints, Ints, Floats]:
    """Clusters by greedy joining: the two groups with the highest mean weight first, while it is above 0.

    Args:
        rows: number of rows.
        left: int64 (p,), smaller rows of pairs.
        right: int64 (p,), larger rows.
        weight: float64 (p,), log odds.
        threshold: log odds that count as zero.
        clip: weights beyond this distance from zero count as this.
        weigh: log odds of further pairs.
        apart: what must not meet, also where a component is too large for all its pairs to be weighed.

    Returns:
        Label of each row (the smallest row of its cluster), and the further pairs that were weighed: left, right,
        weight.
    """
    strong = weight > threshold
    label = components(rows, left[strong], right[strong])
    size = np.bincount(label, minlength=rows)
    inside = (label[left] == label[right]) & (size[label[left]] > 2)
    members_left, members_right, more_weight = _missing_pairs(label, size, left[inside], right[inside], rows, weigh)
    one, other = np.concatenate([left[inside], members_left]), np.concatenate([right[inside], members_right])
    w = np.concatenate([weight[inside], more_weight])
    w = np.where(w <= NEVER, NEVER, np.clip(w - threshold, -clip, clip))
    result = label.copy()
    home = label[one]
    order = np.argsort(home * rows + one, kind="stable")
    one, other, w, home = one[order], other[order], w[order], home[order]
    starts = np.flatnonzero(np.append(True, home[1:] != home[:-1])) if len(home) else np.zeros(0, np.int64)
    ends = np.append(starts[1:], len(home))
    worst = np.minimum.reduceat(w, starts) if len(starts) else np.zeros(0)
    sizes = size[home[starts]] if len(starts) else np.zeros(0, np.int64)
    complete = (ends - starts) == sizes * (sizes - 1) // 2
    split = ~(complete & (worst > 0))
    threes = np.flatnonzero(split & complete & (sizes == 3))
    _join_threes(one, other, w, starts[threes], result)
    for k in np.flatnonzero(split & ~(complete & (sizes == 3))).tolist():
        part = slice(starts[k], ends[k])
        clash = None if complete[k] else apart
        joined = _join(one[part].tolist(), other[part].tolist(), w[part].tolist(), bool(complete[k]), clash)
        for row, head in joined.items():
            result[row] = head
    return result, members_left, members_right, more_weight


def _join_threes(left: Ints, right: Ints, weight: Floats, starts: Ints, result: Ints) -> None:
    """`_join` of many complete components of three rows at once; their pairs stand in order behind each start."""
    places = starts[:, None] + np.arange(3)
    order = np.lexsort((right[places], left[places]), axis=1) if len(places) else places
    places = np.take_along_axis(places, order, 1)
    w = weight[places]
    best = w.argmax(1)
    each = np.arange(len(starts))
    top = w[each, best]
    rest = w.copy()
    rest[each, best] = 0.0
    whole = (top > 0) & (rest.sum(1) > 0)
    first, last = left[places[:, 0]], right[places[:, 2]]
    middle = right[places[:, 0]]
    # The pairs are (first, middle), (first, last), (middle, last).
    result[middle] = np.where(whole | ((best == 0) & (top > 0)), first, middle)
    joined = np.where((best == 2) & (top > 0), middle, np.where((best == 1) & (top > 0), first, last))
    result[last] = np.where(whole, first, joined)


def _missing_pairs(
    label: Ints, size: Ints, left: Ints, right: Ints, rows: int, weigh: Weigh
) -> tuple[Ints, Ints, Floats]:
    """Weights of the pairs inside middling components that were no candidates."""
    wanted = np.flatnonzero((size[label] > 2) & (size[label] <= _WHOLE))
    order = wanted[np.argsort(label[wanted], kind="stable")]
    heads = label[order]
    made = []
    for distance in range(1, _WHOLE):
        same = heads[distance:] == heads[:-distance] if distance < len(heads) else np.zeros(0, bool)
        if not same.any():
            break
        made.append(order[:-distance][same] * rows + order[distance:][same])
    if not made:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    every = np.sort(np.concatenate(made))
    have = np.sort(left * rows + right)
    place = np.minimum(np.searchsorted(have, every), max(len(have) - 1, 0))
    fresh = every[have[place] != every] if len(have) else every
    a, b = fresh // rows, fresh % rows
    return a, b, (weigh(a, b) if len(a) else np.zeros(0))


def _join(
    left: list[int], right: list[int], weight: list[float], complete: bool, apart: Apart | None
) -> dict[int, int]:
    """Average-linkage joining of one component; head of each row's cluster."""
    links: dict[int, dict[int, tuple[float, int]]] = {}
    heap = []
    for a, b, w in zip(left, right, weight, strict=True):
        links.setdefault(a, {})[b] = (w, 1)
        links.setdefault(b, {})[a] = (w, 1)
        if w > 0:
            heap.append((-w, a, b))
    heapq.heapify(heap)
    count = dict.fromkeys(links, 1)
    head = {row: row for row in links}
    # Per cluster the rows that can clash; where all pairs were weighed, their weights say so already.
    touchy = {row: {like} for row, like in apart.concerned(list(links)).items()} if apart is not None else {}

    def mean(a: int, b: int) -> float:
        total, seen = links[a].get(b, (0.0, 0))
        every = count[a] * count[b]
        return (total + _UNSEEN * (every - seen)) / every if not complete else total / every

    while heap:
        w, a, b = heapq.heappop(heap)
        if a not in count or b not in count or b not in links[a] or mean(a, b) != -w:
            continue
        if apart is not None and a in touchy and b in touchy:
            if apart.apart(sorted(touchy[a]), sorted(touchy[b])):
                links[a][b] = links[b][a] = (NEVER, count[a] * count[b])
                continue
            touchy[a] |= touchy.pop(b)
        elif b in touchy:
            touchy[a] = touchy.pop(b)
        for other, (total, seen) in links.pop(b).items():
            del links[other][b]
            if other == a:
                continue
            have, known = links[a].get(other, (0.0, 0))
            links[a][other] = links[other][a] = (have + total, known + seen)
        count[a] += count.pop(b)
        head[b] = a
        for other in links[a]:
            m = mean(a, other)
            if m > 0:
                heapq.heappush(heap, (-m, min(a, other), max(a, other)))
    for row in head:
        top = row
        while head[top] != top:
            top = head[top]
        head[row] = top
    return head

"""Links between different contents as links between records, where several records have one content."""

from __future__ import annotations

from typing import Any

import numpy as np

from custinfo.dedupe._run import Links

__all__ = ["link_rows"]

Ints = np.ndarray[Any, np.dtype[np.int64]]


def link_rows(links: Links, first: Ints, distinct: Ints) -> tuple[Ints, Ints]:
    """Labels of all records out of the links, and of those that are sure; a label is the smallest row.

    Records of one content are linked in the order of their rows, as many as there are partners.

    Args:
        links: between distinct rows.
        first: int64 (n,), the smallest record of each distinct row.
        distinct: int64 (m,), distinct row of each record, -1 where it is blank.
    """
    labels = np.arange(len(distinct), dtype=np.int64)
    auto = labels.copy()
    order = np.argsort(distinct, kind="stable")
    starts = np.searchsorted(distinct[order], np.arange(len(first)))
    used = np.zeros(len(first), np.int64)
    order_links = np.lexsort((links.right, links.left))
    parts = (links.left, links.right, links.amount, links.auto)
    for a, b, amount, sure in zip(*(part[order_links].tolist() for part in parts), strict=True):
        one = order[starts[a] + used[a] : starts[a] + used[a] + amount]
        used[a] += amount
        if links.one_to_one:
            other = order[starts[b] + used[b] : starts[b] + used[b] + amount]
            used[b] += amount
        else:
            other = np.full(amount, first[b])
        _join(labels, one, other)
        if sure:
            _join(auto, one, other)
    return _smallest(labels), _smallest(auto)


def _join(labels: Ints, one: Ints, other: Ints) -> None:
    """Each record of the first source takes the label of its partner."""
    labels[one] = labels[other]


def _smallest(labels: Ints) -> Ints:
    smallest = np.arange(len(labels), dtype=np.int64)
    np.minimum.at(smallest, labels, np.arange(len(labels)))
    return np.asarray(smallest[labels], np.int64)

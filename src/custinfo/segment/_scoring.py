"""Edges and scores of recency, frequency and monetary, as independent or nested quantiles or given edges."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from custinfo.errors import InvalidFieldError
from custinfo.segment._kernel import edges_below, order_edges

TYPE_CHECKING = False
if TYPE_CHECKING:
    from numpy.typing import NDArray

    Int64 = NDArray[np.int64]
    Scores = NDArray[np.int8]

__all__ = ["Edges", "fit_edges", "given_edges", "score"]

Edges = Mapping[str, Any]
"""``"r"``, ``"f"``, ``"m"`` -> edges, ascending. Nested: ``"f"`` -> {r: edges}, ``"m"`` -> {(r, f): edges}."""

_MAX_BINS = 127
_INT64 = 2**63


def fit_edges(recency: Int64, frequency: Int64, monetary: Int64, *, bins: int, nested: bool) -> Edges:
    """Edges of equally large groups.

    Args:
        recency: shape (n,), days.
        frequency: shape (n,), purchases.
        monetary: shape (n,), minor units.
        bins: number of groups, 1 to 127.
        nested: frequency inside each recency group, monetary inside each group of both. A group without customers
            takes the edges of all customers, so that a later customer can be scored there.
    """
    if not nested:
        return {
            "r": order_edges(recency, bins),
            "f": order_edges(frequency, bins),
            "m": order_edges(monetary, bins),
        }
    r_edges = order_edges(recency, bins)
    r = _reversed(edges_below(recency, r_edges), len(r_edges))
    f_all, m_all = order_edges(frequency, bins), order_edges(monetary, bins)
    f_edges: dict[int, tuple[int, ...]] = {}
    m_edges: dict[tuple[int, int], tuple[int, ...]] = {}
    for i in range(1, bins + 1):
        inside = r == i
        frequency_i, monetary_i = frequency[inside], monetary[inside]
        f_edges[i] = order_edges(frequency_i, bins) or f_all
        f = edges_below(frequency_i, f_edges[i]) + 1
        for j in range(1, bins + 1):
            m_edges[i, j] = order_edges(monetary_i[f == j], bins) or m_all
    return {"r": r_edges, "f": f_edges, "m": m_edges}


def _reversed(below: Scores, edges: int) -> Scores:
    return (edges + 1 - below).astype(np.int8)


def score(recency: Int64, frequency: Int64, monetary: Int64, edges: Edges) -> tuple[Scores, Scores, Scores]:
    """Scores r, f and m of each customer: 1 + edges strictly below; recency reversed.

    >>> flat = {"r": (30,), "f": (1,), "m": (999,)}
    >>> [s.tolist() for s in score(np.array([5, 31]), np.array([2, 1]), np.array([1000, 999]), flat)]
    [[2, 1], [2, 1], [2, 1]]
    """
    r = _reversed(edges_below(recency, edges["r"]), len(edges["r"]))
    if not isinstance(edges["f"], Mapping):
        return r, edges_below(frequency, edges["f"]) + np.int8(1), edges_below(monetary, edges["m"]) + np.int8(1)
    f, m = np.ones(len(r), np.int8), np.ones(len(r), np.int8)
    for i, f_edges in edges["f"].items():
        rows = np.flatnonzero(r == i)
        f[rows] = edges_below(frequency[rows], f_edges) + 1
    for (i, j), m_edges in edges["m"].items():
        rows = np.flatnonzero((r == i) & (f == j))
        m[rows] = edges_below(monetary[rows], m_edges) + 1
    return r, f, m


def bins_of(edges: Edges) -> tuple[int, int, int]:
    """Number of score values of each dimension.

    >>> bins_of({"r": (30,), "f": {1: (1, 2), 2: (1, 2)}, "m": {}})
    (2, 3, 1)
    """
    f, m = (
        next(iter(edges[key].values()), ()) if isinstance(edges[key], Mapping) else edges[key] for key in ("f", "m")
    )
    return len(edges["r"]) + 1, len(f) + 1, len(m) + 1


def given_edges(edges: object) -> Edges:
    """Edges that the caller gives, checked and in the normal form.

    Raises:
        InvalidFieldError: "rfm.edges".

    >>> given_edges({"r": [30.5], "f": [1], "m": [100]})["r"]
    (30,)
    """
    if not isinstance(edges, Mapping) or not {"r", "f", "m"} <= edges.keys():
        raise _bad_edges("a mapping with the keys 'r', 'f' and 'm'")
    result: dict[str, Any] = {}
    for key in ("r", "f", "m"):
        given = edges[key]
        if isinstance(given, Mapping):
            result[key] = {group: _ascending(values, key) for group, values in given.items()}
        else:
            result[key] = _ascending(given, key)
    if isinstance(result["r"], Mapping) or isinstance(result["f"], Mapping) is not isinstance(result["m"], Mapping):
        raise _bad_edges("all flat, or nested as in the edges of a nested result")
    return result


def _ascending(values: Any, key: str) -> tuple[int, ...]:
    try:
        # the values are integers: above an edge of 1.5 means above 1
        whole = [math.floor(value) for value in values]
        in_order = all(low <= high for low, high in itertools.pairwise(values))
    except (TypeError, ValueError, OverflowError):
        raise _bad_edges(f"a sequence of finite numbers for {key!r}") from None
    if not in_order or len(whole) >= _MAX_BINS:
        raise _bad_edges(f"at most {_MAX_BINS - 1} ascending numbers for {key!r}")
    return tuple(min(max(value, -_INT64), _INT64 - 1) for value in whole)


def _bad_edges(expected: str) -> InvalidFieldError:
    return InvalidFieldError(f"edges must be {expected}", code="rfm.edges", path="edges")


def check_bins(bins: object) -> int:
    """The number of bins, an int of 1 to 127.

    Raises:
        InvalidFieldError: "rfm.bins".
    """
    if isinstance(bins, bool) or not isinstance(bins, int) or not 1 <= bins <= _MAX_BINS:
        raise InvalidFieldError("bins must be an int of 1 to 127", code="rfm.bins", path="bins")
    return bins

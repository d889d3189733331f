"""Where to cut: the weight of the highest expected F1, and the one from which the clusters are sure."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np

__all__ = ["Estimate", "best_cut", "estimate", "sure_cut"]

Floats = np.ndarray[Any, np.dtype[np.float64]]

_SURE = 0.999
_LEAST = 0.2


@attrs.frozen(kw_only=True)
class Estimate:
    """What the model expects of a decision.

    Attributes:
        pairs: number of pairs in clusters.
        precision: expected share of them that are one person's.
        precision_low: lower 95 % bound of it.
        recall: expected share of the pairs of one person that are in clusters, among the candidates.
        f1: expected harmonic mean of precision and recall.
    """

    pairs: int
    precision: float
    precision_low: float
    recall: float
    f1: float


def probability(odds: Floats) -> Floats:
    """Probability of natural log odds."""
    return 1 / (1 + np.exp(-np.clip(odds, -60, 60)))


def best_cut(odds: Floats) -> float:
    """Natural log odds above which the expected F1 of the pairs is highest.

    Taking a pair raises the expected F1 exactly while its probability is above half the F1 reached at the best.

    Source: Lipton, Elkan, Naryanaswamy, Thresholding Classifiers to Maximize F1 (2014).

    >>> round(best_cut(np.array([5.0, 4.0, -3.0])), 2)
    -0.04
    """
    p = np.sort(probability(odds))[::-1]
    if not len(p):
        return 0.0
    f1 = 2 * np.cumsum(p) / (np.arange(1, len(p) + 1) + p.sum())
    # Where hardly any pair is one person's, the best of the bad pairs is no duplicate yet.
    half = max(float(f1.max()) / 2, _LEAST)
    return float(np.log(half / (1 - half)))


def sure_cut(odds: Floats) -> float:
    """The lowest natural log odds from which the lower 95 % bound of the precision is at least .999.

    The bound takes the expected number of wrong pairs and adds 1.64 of its standard deviations.
    """
    order = np.sort(odds)[::-1]
    wrong = 1 - probability(order)
    count = np.arange(1, len(order) + 1)
    upper = np.cumsum(wrong) + 1.64 * np.sqrt(np.cumsum(wrong * (1 - wrong)))
    good = np.flatnonzero(upper <= (1 - _SURE) * count)
    return float(np.nextafter(order[good[-1]], -np.inf)) if len(good) else float("inf")


def estimate(inside: Floats, candidates: Floats) -> Estimate:
    """Expected quality of clusters from the log odds of the pairs inside them and of all candidates."""
    p = probability(inside)
    hits, total = float(p.sum()), float(probability(candidates).sum())
    count = len(p)
    precision = hits / count if count else 1.0
    deviation = float(np.sqrt((p * (1 - p)).sum()))
    low = max(0.0, (hits - 1.64 * deviation) / count) if count else 1.0
    recall = min(1.0, hits / total) if total else 1.0
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return Estimate(pairs=count, precision=precision, precision_low=low, recall=recall, f1=f1)

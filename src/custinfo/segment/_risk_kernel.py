"""Pure functions of arrays: the measures of `_risk_measures` for all payments of a table at once, to the same bits."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np

from custinfo.segment import _risk_measures as one
from custinfo.segment._risk_rules import Rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    Int64 = NDArray[np.int64]
    Float = NDArray[np.float64]
    Measured = tuple[Float, dict[str, NDArray[Any]]]

_CELLS = 1 << 18  # of a matrix of windows that stays in the cache


@attrs.frozen(kw_only=True, eq=False)
class Payments:
    """Payments ordered by customer, then time; the window of row i is the rows low[i] ... i - 1.

    Args:
        customers: shape (n,), numbers of the customers, ascending.
        moments: shape (n,), microseconds.
        sizes: shape (n,), logarithms of the amounts.
        hours: shape (n,), 0 to 23.
        labels: in the order of `LABELS`, numbers of shape (n,), -1 for none; None where no row has any.
        begin: shape (n,), the customer's first row.
        low: shape (n,), the first row of the window.
    """

    customers: Int64
    moments: Int64
    sizes: Float
    hours: Int64
    labels: tuple[Int64 | None, ...]
    begin: Int64
    low: Int64

    def __len__(self) -> int:
        return len(self.moments)


def with_windows(
    customers: Int64, moments: Int64, sizes: Float, hours: Int64, labels: tuple[Int64 | None, ...], *, window: int
) -> Payments:
    """Find each row's window, at most *window* rows of the same customer."""
    rows = np.arange(len(customers))
    starts = np.ones(len(customers), np.bool_)
    starts[1:] = customers[1:] != customers[:-1]
    begin = np.maximum.accumulate(np.where(starts, rows, 0))
    return Payments(
        customers=customers,
        moments=moments,
        sizes=sizes,
        hours=hours,
        labels=labels,
        begin=begin,
        low=np.maximum(begin, rows - window),
    )


def points(rule: Rule, value: Float) -> Float:
    """As `Rule.points`."""
    steep = rule.weight * np.minimum((value - rule.start) / (rule.full - rule.start), 1.0)
    return np.where(value > rule.start, steep, 0.0)


def amount(_: Rule, past: Payments) -> Measured:
    """As `_risk_measures.amount`."""
    size = len(past)
    middle, deviation, count = np.zeros(size), np.zeros(size), np.zeros(size, np.int64)
    width = np.arange(size) - past.low
    currencies = past.labels[0]
    if currencies is not None and len(currencies) and currencies.min() == currencies.max():
        currencies = None
    by_width = np.argsort(width, kind="stable")
    bounds = np.searchsorted(width[by_width], np.arange(width.max(initial=0) + 2))
    for w in range(1, len(bounds) - 1):
        for start in range(bounds[w], bounds[w + 1], max(_CELLS // w, 1)):
            rows = by_width[start : min(start + max(_CELLS // w, 1), bounds[w + 1])]
            before = rows[:, None] + np.arange(-w, 0)
            sizes, counts = past.sizes[before], np.full(len(rows), w)
            if currencies is not None:
                same = currencies[before] == currencies[rows][:, None]
                counts = same.sum(axis=1)
                sizes[~same] = np.inf  # behind the others when sorted
            middles = _medians(sizes, counts)
            count[rows], middle[rows] = counts, middles
            deviation[rows] = _medians(np.abs(sizes - middles[:, None]), counts)
    ratio = np.where(count > 0, past.sizes - middle, 0.0)
    spread = (one.COMMON_WEIGHT * one.COMMON_SPREAD + count * (one.MAD_TO_DEVIATION * deviation)) / (
        one.COMMON_WEIGHT + count
    )
    spread = np.maximum(spread, one.LEAST_SPREAD)
    deviations = ratio / (spread * np.sqrt(1.0 + one.MEDIAN_VARIANCE / np.maximum(count, 1)))
    return deviations, {"deviations": deviations, "log_ratio": ratio, "payments": count}


def _medians(values: Float, counts: Int64) -> Float:
    """Of the first *counts* of each row when sorted; 0 of none. Sorts in place."""
    values.sort(axis=1)
    rows = np.arange(len(values))
    high = values[rows, np.minimum(counts // 2, values.shape[1] - 1)]
    low = values[rows, np.maximum(counts - 1, 0) // 2]
    return np.where(counts > 0, (low + high) / 2, 0.0)


def velocity(rule: Rule, past: Payments) -> Measured:
    """As `_risk_measures.velocity`."""
    window_us = rule.window_s * 1_000_000  # type: ignore[operator]  # a rule of this measure has one
    recent = np.zeros(len(past), np.int64)
    since = past.moments - window_us
    rows, lag = np.arange(len(past)), 0
    while len(rows):
        lag += 1
        rows = rows[rows - lag >= past.low[rows]]
        rows = rows[past.moments[rows - lag] > since[rows]]
        recent[rows] += 1
    older = np.arange(len(past)) - past.begin - recent
    span = np.maximum(since - past.moments[past.begin], 0)
    expected = (older + one.COMMON_PAYMENTS) / (span + one.COMMON_SPAN_US).astype(np.float64) * window_us
    made = recent + 1
    deviations = np.sqrt(made) + np.sqrt(made + 1) - np.sqrt(4.0 * expected + 1.0)
    return deviations, {"made": made, "expected": expected, "window_s": np.full(len(past), rule.window_s)}


def new(rule: Rule, past: Payments) -> Measured:
    """As `_risk_measures.new`."""
    size = len(past)
    value, known, distinct = np.zeros(size), np.zeros(size, np.int64), np.zeros(size, np.int64)
    codes = past.labels[one.PLACE[rule.label]]
    if codes is not None:
        known = _inside(codes >= 0, past.low)
        former, following = _neighbours(past.customers, codes)
        fresh = np.flatnonzero((codes >= 0) & (former < past.low) & (known > 0))
        rows, lag = fresh, 0
        while len(rows):
            lag += 1
            rows = rows[rows - lag >= past.low[rows]]
            # a value of the window is counted where it occurs last
            distinct[rows] += (codes[rows - lag] >= 0) & (following[rows - lag] >= rows)
        value[fresh] = known[fresh] / distinct[fresh]
    return value, {"label": np.full(size, rule.label, object), "payments": known, "distinct": distinct}


def _inside(marks: NDArray[np.bool_], low: Int64) -> Int64:
    """How many rows of each row's window are marked."""
    until = np.zeros(len(marks) + 1, np.int64)
    np.cumsum(marks, out=until[1:])
    inside: Int64 = until[:-1] - until[low]
    return inside


def _neighbours(customers: Int64, codes: Int64) -> tuple[Int64, Int64]:
    """The customer's rows with the same code before and after each row; -1, and the number of rows, where none is."""
    size = len(codes)
    key = customers * (int(codes.max(initial=0)) + 2) + codes + 1
    order = np.argsort(key, kind="stable")
    same = key[order[1:]] == key[order[:-1]]
    former, following = np.full(size, -1, np.int64), np.full(size, size, np.int64)
    former[order[1:][same]] = order[:-1][same]
    following[order[:-1][same]] = order[1:][same]
    return former, following


def hour(_: Rule, past: Payments) -> Measured:
    """As `_risk_measures.hour`."""
    near = np.zeros(len(past), np.int64)
    for each in range(24):
        rows = np.flatnonzero(past.hours == each)
        if len(rows):
            apart = np.abs(past.hours - each)
            near[rows] = _inside(np.minimum(apart, 24 - apart) <= one.HOURS_NEAR, past.low)[rows]
    count = np.arange(len(past)) - past.low
    common = one.HOUR_WEIGHT * one.SHARE_NEAR
    rarer = one.SHARE_NEAR / ((near + common) / (count + one.HOUR_WEIGHT))
    return rarer, {"near": near, "payments": count}


MEASURES: Mapping[str, Callable[[Rule, Payments], Measured]] = {
    "amount": amount,
    "velocity": velocity,
    "new": new,
    "hour": hour,
}

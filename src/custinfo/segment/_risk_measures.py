"""How unusual one payment is against a customer's history: the four measures behind the rules.

`_risk_kernel` has the same for whole columns. Both use the same operations in the same order, and of these only the
four basic ones and square roots, which IEEE 754 rounds correctly: so both give the same bits.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable
from math import sqrt
from typing import Any

from custinfo.segment._risk_history import History
from custinfo.segment._risk_payment import Payment, size_of
from custinfo.segment._risk_rules import LABELS, Rule

Measured = tuple[float, dict[str, Any]]
Measure = Callable[[Rule, Payment, History], Measured]

# The spread of a customer's amounts is estimated from few payments. So it is drawn to a common one, as if that had
# been seen in eight payments, and never thought smaller than a fifth: a price that rises by some per cent is no fraud.
COMMON_SPREAD = 0.7
COMMON_WEIGHT = 8.0
LEAST_SPREAD = 0.2
MAD_TO_DEVIATION = 1.4826
"""Median absolute deviation to standard deviation for normal data; Rousseeuw and Croux, 1993."""
MEDIAN_VARIANCE = 1.57
"""Variance of the median of normal data in units of that of the mean, pi / 2."""

# A customer of whom nothing is known is expected to pay once in seven days; a quarter of a payment's worth of that
# opinion is soon outvoted by what the customer does.
COMMON_PAYMENTS = 0.25
COMMON_SPAN_US = 7 * 86_400_000_000 // 4

HOURS_NEAR = 2
SHARE_NEAR = (2 * HOURS_NEAR + 1) / 24
"""Of payments at any hour, so many are this near."""
HOUR_WEIGHT = 4.0
"""Payments at any hour that every customer is thought to have made besides."""

NOTHING: Measured = (0.0, {})
PLACE: dict[str | None, int] = {name: place for place, name in enumerate(LABELS)}


def amount(_: Rule, payment: Payment, past: History) -> Measured:
    """Robust standard deviations above the median of the amounts in the same currency, in logarithms.

    Source: Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993 (median and MAD instead of mean and standard
    deviation).
    """
    currencies, currency = past.labels[0], payment.labels[0]
    count = currencies.count(currency)
    if not count:
        return NOTHING
    if count == len(currencies):
        sizes = sorted(past.sizes)
    else:
        sizes = sorted([size for size, other in zip(past.sizes, currencies, strict=True) if other == currency])
    middle = _median(sizes)
    ratio = size_of(payment.minor) - middle
    if ratio <= 0:  # most payments need not wait for the rest
        return NOTHING
    deviation = _median(sorted([abs(size - middle) for size in sizes]))
    spread = (COMMON_WEIGHT * COMMON_SPREAD + count * (MAD_TO_DEVIATION * deviation)) / (COMMON_WEIGHT + count)
    if spread < LEAST_SPREAD:
        spread = LEAST_SPREAD
    deviations = ratio / (spread * sqrt(1.0 + MEDIAN_VARIANCE / count))
    return deviations, {"deviations": deviations, "log_ratio": ratio, "payments": count}


def _median(ordered: list[float]) -> float:
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def velocity(rule: Rule, payment: Payment, past: History) -> Measured:
    """Payments in the window before this one, itself included, against those expected by the customer's rate before.

    Source: Freeman and Tukey, Transformations Related to the Angular and the Square Root, 1950: the deviate of a
    Poisson count is close to standard normal.
    """
    window_us = rule.window_s * 1_000_000  # type: ignore[operator]  # a rule of this measure has one
    recent = len(past) - bisect.bisect_right(past.moments, payment.moment - window_us)
    made = recent + 1
    most = sqrt(made) + sqrt(made + 1)
    if most - 1.0 <= rule.start:  # whatever was expected, and most payments are the only one of their hour
        return NOTHING
    span = max(payment.moment - window_us - past.first, 0)
    rate = (past.payments - recent + COMMON_PAYMENTS) / float(span + COMMON_SPAN_US)
    expected = rate * window_us
    deviations = most - sqrt(4.0 * expected + 1.0)
    return deviations, {"made": made, "expected": expected, "window_s": rule.window_s}


def new(rule: Rule, payment: Payment, past: History) -> Measured:
    """Payments per distinct value, where this value is none of them: who uses many of them will use another."""
    place = PLACE[rule.label]
    value, values = payment.labels[place], past.labels[place]
    if value is None or value in values:
        return NOTHING
    distinct, known = len(set(values)), len(values)
    if None in values:
        distinct, known = distinct - 1, known - values.count(None)
        if not known:
            return NOTHING
    return known / distinct, {"label": rule.label, "payments": known, "distinct": distinct}


def hour(_: Rule, payment: Payment, past: History) -> Measured:
    """How many times rarer than by chance the customer pays at about this hour; little history is drawn to chance."""
    hours = past.hours
    near = 0
    for step in range(-HOURS_NEAR, HOURS_NEAR + 1):
        near += hours.count((payment.hour + step) % 24)
    common = HOUR_WEIGHT * SHARE_NEAR
    rarer = SHARE_NEAR / ((near + common) / (len(hours) + HOUR_WEIGHT))
    return rarer, {"near": near, "payments": len(hours)}


MEASURES: dict[str, Measure] = {"amount": amount, "velocity": velocity, "new": new, "hour": hour}

"""Confidence intervals of shares, differences and means."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from custinfo.errors import InvalidFieldError

_MANY = 1000  # degrees of freedom from which the expansion is exact to all digits that count


def normal_quantile(confidence: float) -> float:
    """The quantile z of the two-sided interval, such as 1.96 for 0.95.

    Raises:
        InvalidFieldError: "confidence".

    >>> round(normal_quantile(0.95), 4)
    1.96
    """
    if not 0 < confidence < 1:
        raise InvalidFieldError(
            "confidence must lie between 0 and 1, such as 0.95", code="confidence", path="confidence"
        )
    return NormalDist().inv_cdf((1 + confidence) / 2)


def student_quantile(confidence: float, degrees: int) -> float:
    """The quantile t of the two-sided interval by Student's distribution.

    Args:
        confidence: 0 to 1.
        degrees: degrees of freedom, at least 1.

    Source: the distribution by Abramowitz and Stegun, 1964, 26.7.3 and 26.7.4, inverted by bisection; from a thousand
    degrees on the expansion 26.7.5.

    >>> [round(student_quantile(0.95, degrees), 3) for degrees in (1, 2, 10, 30, 100)]
    [12.706, 4.303, 2.228, 2.042, 1.984]
    """
    z = normal_quantile(confidence)
    if degrees >= _MANY:
        first = (z**3 + z) / 4
        second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
        third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
        return z + first / degrees + second / degrees**2 + third / degrees**3
    low, high = 0.0, math.pi / 2  # the angle whose tangent is t / sqrt(degrees)
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, degrees) < confidence else (low, middle)
    return math.tan(low) * math.sqrt(degrees)


def _within(angle: float, degrees: int) -> float:
    """Probability that Student's t is between plus and minus sqrt(degrees) * tan(angle)."""
    sine, cosine = math.sin(angle), math.cos(angle)
    terms = np.arange(2 + degrees % 2, degrees - 1, 2, dtype=np.float64)
    sums = 1 + float(np.cumprod(cosine**2 * (terms - 1) / terms).sum())
    if degrees % 2 == 0:
        return sine * sums
    return 2 / math.pi * (angle + (sine * cosine * sums if degrees > 1 else 0.0))


def wilson(part: int, whole: int, confidence: float) -> tuple[float, float]:
    """Wilson's score interval of a share.

    Args:
        part: successes.
        whole: trials, at least 1.
        confidence: 0 to 1.

    Source: Wilson, Probable Inference, the Law of Succession, and Statistical Inference, 1927; recommended by Brown,
    Cai and DasGupta, Interval Estimation for a Binomial Proportion, 2001.

    >>> [round(bound, 4) for bound in wilson(81, 263, 0.95)]
    [0.2553, 0.3662]
    """
    z = normal_quantile(confidence)
    share = part / whole
    centre = (share + z * z / (2 * whole)) / (1 + z * z / whole)
    half = z / (1 + z * z / whole) * math.sqrt(share * (1 - share) / whole + z * z / (4 * whole * whole))
    return (0.0 if part == 0 else centre - half, 1.0 if part == whole else centre + half)


def net_share(up: float, down: float, whole: float, confidence: float) -> tuple[float, float]:
    """The interval of the difference of two shares of one sample, by its variance (Wald).

    Args:
        up: how many of one kind.
        down: how many of the other kind.
        whole: how many in all.
        confidence: 0 to 1.

    >>> [round(bound, 4) for bound in net_share(60, 20, 100, 0.95)]
    [0.2432, 0.5568]
    """
    difference = (up - down) / whole
    spread = (up + down) / whole - difference**2
    half = normal_quantile(confidence) * math.sqrt(max(spread, 0.0) / whole)
    return max(difference - half, -1.0), min(difference + half, 1.0)


def difference_of_shares(one: tuple[int, int], other: tuple[int, int], confidence: float) -> tuple[float, float]:
    """The interval of the difference of two independent shares.

    Args:
        one: successes and trials.
        other: the same of the second sample.
        confidence: 0 to 1.

    Source: Newcombe, Interval Estimation for the Difference between Independent Proportions, 1998, method 10.

    >>> [round(bound, 4) for bound in difference_of_shares((56, 70), (48, 80), 0.95)]
    [0.0524, 0.3339]
    """
    (low_1, high_1), (low_2, high_2) = wilson(*one, confidence), wilson(*other, confidence)
    share_1, share_2 = one[0] / one[1], other[0] / other[1]
    difference = share_1 - share_2
    return (
        difference - math.hypot(share_1 - low_1, high_2 - share_2),
        difference + math.hypot(high_1 - share_1, share_2 - low_2),
    )

"""Whether probabilities keep what they promise: of pairs said to be one person's with 70 %, are 70 in a hundred?"""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike

from custinfo._columns import ColumnResult
from custinfo.errors import InvalidFieldError

__all__ = ["Calibration", "calibration"]

Ints = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, np.dtype[np.float64]]


@attrs.frozen(kw_only=True, eq=False)
class Calibration(ColumnResult):
    """Probabilities by bins of equal width, against what turned out to be true.

    Attributes:
        low: float64 (bins,), lower edge of each bin.
        pairs: int64 (bins,), pairs in it.
        expected: float64 (bins,), mean probability of its pairs; NaN where there is none.
        observed: float64 (bins,), share of its pairs that are one person's; NaN where there is none.
    """

    low: Floats
    pairs: Ints
    expected: Floats
    observed: Floats

    @property
    def error(self) -> float:
        """Expected calibration error: mean distance of both, weighted by pairs; 0 without any pair."""
        distance = np.abs(self.expected - self.observed)
        return float(np.nansum(distance * self.pairs) / max(int(self.pairs.sum()), 1))

    def to_dict(self) -> dict[str, np.ndarray[Any, Any]]:
        """Columns low, pairs, expected, observed."""
        return {"low": self.low, "pairs": self.pairs, "expected": self.expected, "observed": self.observed}

    def _title(self) -> str:
        return f"Calibration of {int(self.pairs.sum()):,} pairs, expected error {self.error:.3f}"

    def plot(self) -> Any:
        """The reliability plot, a matplotlib figure: observed share by expected probability, and the pairs of each bin.

        Raises:
            MissingExtraError: matplotlib is not installed.
        """
        from custinfo.dedupe._plot import reliability

        return reliability({"pairs": self})


def calibration(probability: ArrayLike, match: ArrayLike, *, bins: int = 10) -> Calibration:
    """Compare probabilities of pairs with the truth about them.

    Args:
        probability: shape (p,), of each pair, such as `Pairs.probability`; 0 to 1.
        match: shape (p,), whether each pair is one person's, bool.
        bins: number of bins of equal width.

    Raises:
        InvalidFieldError: ``calibration.shape`` (unequal lengths, or not one-dimensional), ``calibration.range`` (a
            probability outside of 0 ... 1 or NaN), ``calibration.bins`` (below 1).

    Source: Naeini, Cooper, Hauskrecht, Obtaining Well Calibrated Probabilities Using Bayesian Binning, AAAI (2015).

    >>> found = calibration([0.95, 0.95, 0.1, 0.1], [True, True, False, True])
    >>> found.pairs.tolist(), round(found.error, 3)
    ([0, 2, 0, 0, 0, 0, 0, 0, 0, 2], 0.225)
    """
    said = np.asarray(probability, np.float64)
    true = np.asarray(match, bool)
    if said.ndim != 1 or said.shape != true.shape:
        raise InvalidFieldError(
            f"probability and match must be of one length, not of shapes {said.shape} and {true.shape}",
            code="calibration.shape",
        )
    if len(said) and not ((said >= 0) & (said <= 1)).all():
        raise InvalidFieldError("a probability lies between 0 and 1", code="calibration.range")
    if bins < 1:
        raise InvalidFieldError(f"there must be at least one bin, not {bins}", code="calibration.bins")
    place = np.minimum((said * bins).astype(np.int64), bins - 1)
    pairs = np.bincount(place, minlength=bins)
    some = np.where(pairs > 0, pairs, np.nan)
    return Calibration(
        low=np.arange(bins) / bins,
        pairs=pairs.astype(np.int64),
        expected=np.bincount(place, weights=said, minlength=bins) / some,
        observed=np.bincount(place, weights=true, minlength=bins) / some,
    )

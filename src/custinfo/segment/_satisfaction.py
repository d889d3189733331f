"""NPS, CSAT and CES: what customers answered, with how much certainty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import attrs
import numpy as np

from custinfo._view import table
from custinfo.errors import InvalidFieldError
from custinfo.segment._intervals import net_share, normal_quantile, student_quantile, wilson
from custinfo.segment._scores import read_scores
from custinfo.segment._words import check_locale, percent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Satisfaction", "ces", "csat", "nps"]

_PROMOTERS, _DETRACTORS = 9, 6  # promoters answer at least 9, detractors at most 6


@attrs.frozen(kw_only=True)
class Satisfaction:
    """One measure of satisfaction with its confidence interval.

    Args:
        measure: "nps", "csat" or "ces".
        value: NPS in points from -100 to 100, CSAT as a fraction, CES as the mean answer; NaN without answers.
        low: lower end of the interval; NaN where the answers are too few.
        high: upper end of the interval.
        confidence: of the interval.
        responses: answers that count.
        counts: kind of answer -> how many.
        scale: lowest and highest answer possible.
        skipped: missing answers that were left out.
    """

    measure: str
    value: float
    low: float
    high: float
    confidence: float
    responses: int
    counts: Mapping[str, int]
    scale: tuple[int, int]
    skipped: int

    def text(self, locale: str = "en") -> str:
        """The result as a sentence in English (``"en"``) or Chinese (``"zh"``).

        Raises:
            InvalidFieldError: "locale.unknown".
        """
        words = _WORDS[check_locale(locale)]
        if not self.responses:
            return f"{self.measure.upper()}{words['none']}"
        shown = [_shown(self.measure, number) for number in (self.value, self.low, self.high)]
        kinds = words["and"].join(f"{words.get(kind, kind)} {count:,}" for kind, count in self.counts.items())
        certain = "" if np.isnan(self.low) else words["interval"].format(percent(self.confidence), *shown[1:])
        return f"{self.measure.upper()} {shown[0]}{certain}{words['of'].format(f'{self.responses:,}')}{kinds}"

    def to_dict(self) -> dict[str, Any]:
        """Name -> value."""
        return attrs.asdict(self)

    def _repr_html_(self) -> str:
        columns = {"value": [self.value], "low": [self.low], "high": [self.high], "responses": [self.responses]}
        title = f"{self.measure.upper()} with {percent(self.confidence)} interval"
        return table({**columns, **{kind: [count] for kind, count in self.counts.items()}}, title=title)


_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "none": ": no answers",
        "interval": " ({} interval {} to {})",
        "of": ", {} answers: ",
        "and": ", ",
    },
    "zh": {
        "none": ":没有回答",
        "interval": "({} 置信区间 {} 至 {})",
        "of": ",共 {} 份回答:",
        "and": "、",
        "promoters": "推荐者",
        "passives": "中立者",
        "detractors": "贬损者",
        "satisfied": "满意",
        "others": "其他",
    },
}


def _shown(measure: str, value: float) -> str:
    return percent(value) if measure == "csat" else f"{value:+.1f}" if measure == "nps" else f"{value:.2f}"


def nps(
    data: object,
    *,
    score: str = "score",
    confidence: float = 0.95,
    interval: Literal["wald", "adjusted"] = "wald",
    missing: Literal["raise", "skip"] = "raise",
) -> Satisfaction:
    """Net Promoter Score: per cent of answers 9 and 10 minus per cent of answers 0 to 6.

    With shares p of promoters and d of detractors among n answers the interval is
    ``p - d +- z sqrt((p + d - (p - d)**2) / n)``, cut at -100 and 100. "adjusted" adds 3 answers before, 3/4 promoters,
    3/4 detractors and 3/2 passives; it keeps its promise better where answers are few or nearly all alike.

    Args:
        data: integers from 0 to 10, shape (n,), or a table with a column of them.
        score: the column, where *data* is a table.
        confidence: of the interval.
        interval: "wald" or "adjusted".
        missing: answers that are None or NaN: "raise", or "skip" and count them.

    Raises:
        InvalidFieldError: "columns.*", "score.value" (not an integer of the scale), "score.missing", "confidence",
            "nps.interval", "segment.missing".

    Source: Reichheld, The One Number You Need to Grow, 2003; intervals: Rocks, Interval Estimation for the Net Promoter
    Score, The American Statistician 70, 2016.

    >>> result = nps([10] * 60 + [8] * 20 + [3] * 20)
    >>> result.value, round(result.low, 2), round(result.high, 2)
    (40.0, 24.32, 55.68)
    >>> result.text()
    'NPS +40.0 (95.0 % interval +24.3 to +55.7), 100 answers: promoters 60, passives 20, detractors 20'
    """
    if interval not in {"wald", "adjusted"}:
        raise InvalidFieldError("interval must be 'wald' or 'adjusted'", code="nps.interval", path="interval")
    answers, skipped = read_scores(data, score, scale=(0, 10), missing=missing)
    return nps_of(answers, confidence=confidence, interval=interval, skipped=skipped)


def csat(
    data: object,
    *,
    score: str = "score",
    scale: tuple[int, int] = (1, 5),
    satisfied: int = 4,
    confidence: float = 0.95,
    missing: Literal["raise", "skip"] = "raise",
) -> Satisfaction:
    """Customer satisfaction: the share of satisfied answers, with Wilson's score interval.

    Args:
        data: integers of the scale, shape (n,), or a table with a column of them.
        score: the column, where *data* is a table.
        scale: lowest and highest answer.
        satisfied: the lowest answer that counts as satisfied.
        confidence: of the interval.
        missing: answers that are None or NaN: "raise", or "skip" and count them.

    Raises:
        InvalidFieldError: "columns.*", "score.value", "score.missing", "score.scale", "confidence", "segment.missing".

    Source: top-two-box share of a five-point scale, ISO 10004, 2018; interval: Wilson, Probable Inference, 1927.

    >>> result = csat([5, 4, 4, 2, 5])
    >>> result.value, round(result.low, 3), round(result.high, 3)
    (0.8, 0.376, 0.964)
    """
    check_scale(scale, satisfied)
    answers, skipped = read_scores(data, score, scale=scale, missing=missing)
    return csat_of(answers, scale=scale, satisfied=satisfied, confidence=confidence, skipped=skipped)


def ces(
    data: object,
    *,
    score: str = "score",
    scale: tuple[int, int] = (1, 7),
    confidence: float = 0.95,
    missing: Literal["raise", "skip"] = "raise",
) -> Satisfaction:
    """Customer effort score: the mean answer to "made it easy" (1 disagree ... 7 agree), with Student's interval.

    The interval is the mean +- t s / sqrt(n), t with n - 1 degrees of freedom, cut at the ends of the scale; with one
    answer there is none (NaN).

    Args:
        data: integers of the scale, shape (n,), or a table with a column of them.
        score: the column, where *data* is a table.
        scale: lowest and highest answer.
        confidence: of the interval.
        missing: answers that are None or NaN: "raise", or "skip" and count them.

    Raises:
        InvalidFieldError: "columns.*", "score.value", "score.missing", "score.scale", "confidence", "segment.missing".

    Source: Dixon, Toman and DeLisi, The Effortless Experience, 2013 (CES 2.0); interval: Student, The Probable Error of
    a Mean, 1908.

    >>> result = ces([7, 6, 5, 6, 4])
    >>> result.value, round(result.low, 3), round(result.high, 3)
    (5.6, 4.184, 7.0)
    """
    check_scale(scale)
    answers, skipped = read_scores(data, score, scale=scale, missing=missing)
    return ces_of(answers, scale=scale, confidence=confidence, skipped=skipped)


def check_scale(scale: Sequence[int], satisfied: int | None = None) -> None:
    """Refuse a scale that is none.

    Args:
        scale: lowest and highest answer.
        satisfied: one of them; None: there is none to check.

    Raises:
        InvalidFieldError: "score.scale".
    """
    answers: list[Any] = [*scale, *([] if satisfied is None else [satisfied])]
    whole = all(isinstance(answer, int | np.integer) and not isinstance(answer, bool) for answer in answers)
    if len(scale) != 2 or not whole or not scale[0] < scale[1] or not scale[0] <= answers[-1] <= scale[1]:
        raise InvalidFieldError(
            "scale must be (lowest, highest) answer, and satisfied one of its answers", code="score.scale", path="scale"
        )


def nps_of(answers: NDArray[np.int64], *, confidence: float, interval: str, skipped: int) -> Satisfaction:
    """NPS of answers from 0 to 10."""
    n = len(answers)
    up, down = int((answers >= _PROMOTERS).sum()), int((answers <= _DETRACTORS).sum())
    more = 0.75 if interval == "adjusted" else 0.0
    normal_quantile(confidence)
    low, high = net_share(up + more, down + more, n + 4 * more, confidence) if n else (np.nan, np.nan)
    return Satisfaction(
        measure="nps",
        value=100 * (up - down) / n if n else np.nan,
        low=100 * low,
        high=100 * high,
        confidence=confidence,
        responses=n,
        counts={"promoters": up, "passives": n - up - down, "detractors": down},
        scale=(0, 10),
        skipped=skipped,
    )


def csat_of(
    answers: NDArray[np.int64], *, scale: tuple[int, int], satisfied: int, confidence: float, skipped: int
) -> Satisfaction:
    """CSAT of answers of a scale."""
    n, good = len(answers), int((answers >= satisfied).sum())
    normal_quantile(confidence)
    low, high = wilson(good, n, confidence) if n else (np.nan, np.nan)
    return Satisfaction(
        measure="csat",
        value=good / n if n else np.nan,
        low=low,
        high=high,
        confidence=confidence,
        responses=n,
        counts={"satisfied": good, "others": n - good},
        scale=scale,
        skipped=skipped,
    )


def ces_of(answers: NDArray[np.int64], *, scale: tuple[int, int], confidence: float, skipped: int) -> Satisfaction:
    """CES of answers of a scale."""
    n = len(answers)
    normal_quantile(confidence)
    mean = int(answers.sum()) / n if n else np.nan
    half = np.nan
    if n > 1:
        variance = int(((n * answers - int(answers.sum())) ** 2).sum()) / n**2 / (n - 1)
        half = student_quantile(confidence, n - 1) * float(np.sqrt(variance / n))
    distinct, times = np.unique(answers, return_counts=True)
    return Satisfaction(
        measure="ces",
        value=mean,
        low=float(np.maximum(mean - half, scale[0])),
        high=float(np.minimum(mean + half, scale[1])),
        confidence=confidence,
        responses=n,
        counts={str(answer): count for answer, count in zip(distinct.tolist(), times.tolist(), strict=True)},
        scale=scale,
        skipped=skipped,
    )

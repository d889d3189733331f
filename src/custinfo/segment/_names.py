"""Segments with names, as a table of rules over the scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np

from custinfo.errors import InvalidFieldError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from numpy.typing import NDArray

    Scores = NDArray[np.int8]

__all__ = ["SEGMENTS", "SegmentRule"]

_FIFTHS = 5


def _span(value: Any) -> tuple[int, int]:
    low, high = value if isinstance(value, tuple | list) and len(value) == 2 else (0, 0)
    if not (isinstance(low, int) and isinstance(high, int) and 1 <= low <= high <= _FIFTHS):
        raise InvalidFieldError("a span of scores is two integers 1 <= low <= high <= 5", code="segment.span")
    return (low, high)


@attrs.frozen(kw_only=True)
class SegmentRule:
    """One named segment: the customers whose scores lie in these spans, counted in fifths whatever the bins.

    Args:
        name: name in English.
        name_zh: name in Chinese; the English one where left out.
        r: lowest and highest recency score, 1 to 5.
        f: the same for frequency.
        m: the same for monetary.
        advice: what one does with such customers.

    Raises:
        InvalidFieldError: "segment.span".

    >>> SegmentRule(name="Big spenders", m=(5, 5)).r
    (1, 5)
    """

    name: str
    name_zh: str = attrs.field(default=attrs.Factory(lambda self: self.name, takes_self=True))
    r: tuple[int, int] = attrs.field(default=(1, _FIFTHS), converter=_span)
    f: tuple[int, int] = attrs.field(default=(1, _FIFTHS), converter=_span)
    m: tuple[int, int] = attrs.field(default=(1, _FIFTHS), converter=_span)
    advice: str = ""

    def label(self, locale: str) -> str:
        """The name in English or, for ``"zh"``, in Chinese."""
        return self.name_zh if locale == "zh" else self.name


def _rule(name: str, name_zh: str, r: tuple[int, int], f: tuple[int, int], advice: str) -> SegmentRule:
    return SegmentRule(name=name, name_zh=name_zh, r=r, f=f, advice=advice)


SEGMENTS: tuple[SegmentRule, ...] = (
    _rule("Champions", "重要价值客户", (5, 5), (4, 5), "reward; ask for reviews and referrals"),
    _rule("Loyal", "忠诚客户", (3, 4), (4, 5), "offer more of what they buy; invite to the programme"),
    _rule("Potential loyalists", "潜在忠诚客户", (4, 5), (2, 3), "recommend; membership"),
    _rule("New", "新客户", (5, 5), (1, 1), "welcome; help with the first steps"),
    _rule("Promising", "有望客户", (4, 4), (1, 1), "make the brand known; small offers"),
    _rule("Need attention", "需要关注客户", (3, 3), (3, 3), "limited offers by what they bought"),
    _rule("About to sleep", "即将沉睡客户", (3, 3), (1, 2), "remind; popular products at a discount"),
    _rule("Cannot lose", "不可流失客户", (1, 2), (5, 5), "win back in person"),
    _rule("At risk", "流失风险客户", (1, 2), (3, 4), "personal message; renewal offer"),
    _rule("Hibernating", "沉睡客户", (1, 2), (1, 2), "low-cost contact, or none"),
)
"""The default segments: a partition of the grid of recency and frequency in fifths, common in CRM practice."""


def fifths(scores: Scores, bins: int) -> Scores:
    """Scores of 1 ... bins on the scale 1 ... 5.

    >>> fifths(np.array([1, 5, 10], np.int8), 10).tolist(), fifths(np.array([1, 2], np.int8), 2).tolist()
    ([1, 3, 5], [1, 5])
    """
    if bins == 1:
        return np.full(len(scores), (_FIFTHS + 1) // 2, np.int8)
    steps = 2 * (scores.astype(np.int64) - 1) * (_FIFTHS - 1) + bins - 1
    return (steps // (2 * (bins - 1)) + 1).astype(np.int8)


def matching_rule(
    scores: tuple[Scores, Scores, Scores], bins: tuple[int, int, int], rules: Sequence[SegmentRule]
) -> NDArray[np.intp]:
    """The first rule that fits each customer; len(rules) where none does.

    Args:
        scores: r, f and m, each of shape (n,).
        bins: number of bins of each.
        rules: in order of precedence.
    """
    r, f, m = (fifths(score, count) for score, count in zip(scores, bins, strict=True))
    table = np.full((_FIFTHS + 1,) * 3, len(rules), np.intp)
    for i in reversed(range(len(rules))):
        rule = rules[i]
        table[rule.r[0] : rule.r[1] + 1, rule.f[0] : rule.f[1] + 1, rule.m[0] : rule.m[1] + 1] = i
    return table[r, f, m]


def segment_rules(names: str | Sequence[SegmentRule] | None) -> tuple[tuple[SegmentRule, ...], str]:
    """The rules and the language that ``names=`` asks for.

    Raises:
        InvalidFieldError: "segment.names".
    """
    if names is None or names == "en":
        return SEGMENTS, "en"
    if names == "zh":
        return SEGMENTS, "zh"
    if not isinstance(names, str):
        rules = tuple(names)
        if rules and all(isinstance(rule, SegmentRule) for rule in rules):
            return rules, "en"
    raise InvalidFieldError("names must be 'en', 'zh' or a sequence of SegmentRule", code="segment.names", path="names")

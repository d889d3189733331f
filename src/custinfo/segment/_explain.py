"""Why a customer has these scores and this segment: as data and as a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from custinfo.errors import InvalidFieldError
from custinfo.model import minor_digits
from custinfo.segment._scoring import Edges

__all__ = ["RfmExplanation", "ScorePart"]


@attrs.frozen(kw_only=True)
class ScorePart:
    """One score and the edges that led to it.

    Args:
        name: "recency_days", "frequency" or "monetary_minor".
        value: the customer's value.
        score: 1 is the worst.
        best: the highest score there is.
        above: the edge that the value is above, None where there is none.
        up_to: the edge that the value does not exceed, None where there is none.
    """

    name: str
    value: int
    score: int
    best: int
    above: int | None
    up_to: int | None


@attrs.frozen(kw_only=True)
class RfmExplanation:
    """What led to a customer's scores and segment.

    Args:
        recency: the recency score, days.
        frequency: the frequency score, purchases.
        monetary: the monetary score, minor units.
        segment: name of the segment; None where no rule fits.
        segment_zh: the same in Chinese.
        advice: what one does with such customers.
        currency: of the money; None: unknown.
    """

    recency: ScorePart
    frequency: ScorePart
    monetary: ScorePart
    segment: str | None
    segment_zh: str | None
    advice: str
    currency: str | None

    @property
    def parts(self) -> tuple[ScorePart, ScorePart, ScorePart]:
        """Recency, frequency, monetary."""
        return (self.recency, self.frequency, self.monetary)

    def text(self, locale: str = "en") -> str:
        """The explanation as a sentence in English (``"en"``) or Chinese (``"zh"``).

        Raises:
            InvalidFieldError: "locale.unknown".
        """
        if locale not in _WORDS:
            raise InvalidFieldError("locale must be 'en' or 'zh'", code="locale.unknown", path="locale")
        words = _WORDS[locale]
        said = [
            words[part.name].format(
                value=self._shown(part, part.value),
                score=part.score,
                best=part.best,
                why=_reason(words, *(None if edge is None else self._shown(part, edge) for edge in _edges(part))),
            )
            for part in self.parts
        ]
        segment = self.segment_zh if locale == "zh" else self.segment
        return words["join"].join(said) + words["end"].format(segment=segment or words["no segment"])

    def _shown(self, part: ScorePart, value: int) -> str:
        if part.name != "monetary_minor":
            return f"{value:,}"
        digits = 2 if self.currency is None else minor_digits(self.currency)
        sign, units = ("-" if value < 0 else ""), abs(value)
        whole = f"{sign}{units // 10**digits:,}"
        text = f"{whole}.{units % 10**digits:0{digits}d}" if digits else whole
        return text if self.currency is None else f"{text} {self.currency}"


_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "recency_days": "last purchase {value} days ago: R {score} of {best}{why}",
        "frequency": "{value} purchases: F {score} of {best}{why}",
        "monetary_minor": "spent {value}: M {score} of {best}{why}",
        "between": " (above {above}, up to {up_to})",
        "above": " (above {above})",
        "up_to": " (up to {up_to})",
        "join": "; ",
        "end": "; so the segment is: {segment}",
        "no segment": "none",
    },
    "zh": {
        "recency_days": "最近一次消费在 {value} 天前:R {score}/{best}{why}",
        "frequency": "消费 {value} 次:F {score}/{best}{why}",
        "monetary_minor": "消费金额 {value}:M {score}/{best}{why}",
        "between": "(高于 {above},不超过 {up_to})",
        "above": "(高于 {above})",
        "up_to": "(不超过 {up_to})",
        "join": ";",
        "end": ";因此属于:{segment}",
        "no segment": "无",
    },
}


def _edges(part: ScorePart) -> tuple[int | None, int | None]:
    return part.above, part.up_to


def _reason(words: Mapping[str, str], above: str | None, up_to: str | None) -> str:
    if above is None and up_to is None:
        return ""
    kind = "up_to" if above is None else "above" if up_to is None else "between"
    return words[kind].format(above=above, up_to=up_to)


def parts_of(values: tuple[int, int, int], scores: tuple[int, int, int], edges: Edges) -> list[ScorePart]:
    """The parts of an explanation: recency, frequency, monetary.

    Args:
        values: days, purchases, minor units.
        scores: r, f, m.
        edges: flat or nested.
    """
    r, f, _ = scores
    used: list[Any] = [
        edges["r"],
        edges["f"].get(r, ()) if isinstance(edges["f"], Mapping) else edges["f"],
        edges["m"].get((r, f), ()) if isinstance(edges["m"], Mapping) else edges["m"],
    ]
    names = ("recency_days", "frequency", "monetary_minor")
    return [
        ScorePart(
            name=name,
            value=value,
            score=score,
            best=len(steps) + 1,
            above=max((edge for edge in steps if edge < value), default=None),
            up_to=min((edge for edge in steps if edge >= value), default=None),
        )
        for name, value, score, steps in zip(names, values, scores, used, strict=True)
    ]

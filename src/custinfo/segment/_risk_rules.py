"""What makes a payment unusual, and what is to be done, as data: rules and thresholds."""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable
from typing import Any

import attrs

from custinfo.errors import InvalidFieldError

__all__ = ["Action", "DEFAULT_RULES", "Rule"]

LABELS = ("currency", "method", "merchant", "channel", "country")
"""What a payment has beside time and amount, in the order in which a history keeps it."""
MAX_SCORE = 100.0
_MEASURES = ("amount", "velocity", "new", "hour")
HOUR_S = 3600
_LONGEST_S = 366 * 24 * HOUR_S


class Action(enum.StrEnum):
    """What to do with a payment."""

    ALLOW = "allow"
    REVIEW = "review"
    BLOCK = "block"


def _number(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if isinstance(value, bool | str) or not math.isfinite(number):
        raise _bad_rule("start, full and weight must be finite numbers")
    return number


def _code(value: Any) -> str:
    if not isinstance(value, str) or not value or any(map(str.isspace, value)):
        raise _bad_rule("code must be text without white space")
    return value


def _bad_rule(what: str) -> InvalidFieldError:
    return InvalidFieldError(f"not a rule: {what}", code="risk.rule", path="rules")


@attrs.frozen(kw_only=True)
class Rule:
    """One kind of evidence: no points up to *start*, all points from *full* on, in between in proportion.

    Args:
        code: stable name of the reason.
        measure: what is measured. "amount": how many robust standard deviations the amount lies above the customer's
            median, in logarithms. "velocity": by how much the payments within *window_s* exceed the customer's own
            rate, in standard deviations. "new": payments per distinct value of *label* so far, where this payment has
            none of these values; 0 where it has. "hour": how many times rarer than by chance the customer pays within
            two hours of this hour.
        start: value of the measure up to which there are no points, 0 or more.
        full: value from which there are all points, above *start*.
        weight: all points, above 0 and up to 100.
        label: "currency", "method", "merchant", "channel" or "country"; for "new" only.
        window_s: length of the window in seconds, up to 366 days; for "velocity" only.

    Raises:
        InvalidFieldError: "risk.rule".

    >>> Rule(code="velocity.10min", measure="velocity", window_s=600, start=2.5, full=5, weight=50).window_s
    600
    """

    code: str = attrs.field(converter=_code)
    measure: str
    start: float = attrs.field(converter=_number)
    full: float = attrs.field(converter=_number)
    weight: float = attrs.field(converter=_number)
    label: str | None = None
    window_s: int | None = None

    def __attrs_post_init__(self) -> None:
        if self.measure not in _MEASURES:
            raise _bad_rule(f"measure must be one of {', '.join(_MEASURES)}")
        if not 0 <= self.start < self.full:
            raise _bad_rule("start must be 0 or more, and below full")
        if not 0 < self.weight <= MAX_SCORE:
            raise _bad_rule("weight must be above 0 and up to 100")
        if (self.label is not None) != (self.measure == "new") or self.label not in (*LABELS, None):
            raise _bad_rule(f"label must be one of {', '.join(LABELS)} for the measure 'new', and None for others")
        if (self.window_s is not None) != (self.measure == "velocity"):
            raise _bad_rule("window_s is for the measure 'velocity', which needs it")
        if self.window_s is not None and (type(self.window_s) is not int or not 0 < self.window_s <= _LONGEST_S):
            raise _bad_rule("window_s must be an int of seconds, above 0 and up to 366 days")

    def points(self, value: float) -> float:
        """The points of a value of the measure.

        >>> DEFAULT_RULES[0].points(1.5), DEFAULT_RULES[0].points(99.0) == DEFAULT_RULES[0].weight
        (0.0, True)
        """
        if not value > self.start:
            return 0.0
        return self.weight * min((value - self.start) / (self.full - self.start), 1.0)


DEFAULT_RULES: tuple[Rule, ...] = (
    Rule(code="amount", measure="amount", start=1.5, full=4.5, weight=70),
    Rule(code="velocity.1h", measure="velocity", window_s=HOUR_S, start=2.5, full=4, weight=45),
    Rule(code="velocity.24h", measure="velocity", window_s=24 * HOUR_S, start=2.5, full=5, weight=35),
    Rule(code="country.new", measure="new", label="country", start=1, full=6, weight=28),
    Rule(code="method.new", measure="new", label="method", start=1, full=6, weight=22),
    Rule(code="currency.new", measure="new", label="currency", start=1, full=6, weight=18),
    Rule(code="channel.new", measure="new", label="channel", start=2, full=8, weight=8),
    Rule(code="merchant.new", measure="new", label="merchant", start=2, full=8, weight=8),
    Rule(code="hour", measure="hour", start=1.5, full=5, weight=16),
)
"""None reaches the default threshold of "block" alone: that takes two of them."""


def rules_of(given: Any) -> tuple[Rule, ...]:
    """The rules, if they are some with different codes.

    Raises:
        InvalidFieldError: "risk.rule".
    """
    rules = tuple(given) if isinstance(given, Iterable) else ()
    if not rules or not all(isinstance(rule, Rule) for rule in rules):
        raise InvalidFieldError("rules must be a sequence of at least one Rule", code="risk.rule", path="rules")
    if len({rule.code for rule in rules}) < len(rules):
        raise InvalidFieldError("two rules have one code; give each its own", code="risk.rule", path="rules")
    return rules


def thresholds_of(given: Any) -> tuple[tuple[Action, float], ...]:
    """Action and the score from which it is taken, the strictest first.

    Raises:
        InvalidFieldError: "risk.thresholds".

    >>> thresholds_of({"review": 30, "block": 80})[0]
    (<Action.BLOCK: 'block'>, 80.0)
    """
    try:
        pairs = {Action(name): _number(score) for name, score in dict(given).items()}
    except (TypeError, ValueError):
        pairs = {Action.ALLOW: math.nan}
    review, block = pairs.get(Action.REVIEW), pairs.get(Action.BLOCK)
    ordered = review is None or block is None or review <= block
    if Action.ALLOW in pairs or not ordered or not all(0 < score <= MAX_SCORE for score in pairs.values()):
        raise InvalidFieldError(
            "thresholds must be a mapping such as {'review': 30, 'block': 80}: scores above 0 and up to 100, review "
            "not above block; an action that is left out is never taken",
            code="risk.thresholds",
            path="thresholds",
        )
    return tuple(sorted(pairs.items(), key=lambda pair: (-pair[1], pair[0] is not Action.BLOCK)))


def action_of(score: float, thresholds: tuple[tuple[Action, float], ...]) -> Action:
    """What the thresholds say about a score."""
    for action, threshold in thresholds:
        if score >= threshold:
            return action
    return Action.ALLOW

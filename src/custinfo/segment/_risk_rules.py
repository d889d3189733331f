"""What makes a payment unusual, as data: rules, thresholds, reasons, decisions, and their sentences."""

from __future__ import annotations

import enum
import math
import operator
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from custinfo.errors import InvalidFieldError
from custinfo.segment._words import check_locale

__all__ = ["Action", "DEFAULT_RULES", "Decision", "Reason", "Rule"]

LABELS = ("currency", "method", "merchant", "channel", "country")
"""What a payment has beside time and amount, in the order in which a history keeps it."""
MAX_SCORE = 100.0
_MEASURES = ("amount", "velocity", "new", "hour")
_HOUR_S = 3600
_LONGEST_S = 366 * 24 * _HOUR_S


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
    Rule(code="velocity.1h", measure="velocity", window_s=_HOUR_S, start=2.5, full=4, weight=45),
    Rule(code="velocity.24h", measure="velocity", window_s=24 * _HOUR_S, start=2.5, full=5, weight=35),
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


# ---- what comes out ------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class Reason:
    """One rule that found something.

    Args:
        code: code of the rule.
        measure: its measure.
        weight: points that it gave.
        params: figures behind it, none of them an amount, a time or a label of the payment. "amount": deviations,
            log_ratio (natural logarithm of amount by median), payments; "velocity": made (this payment included),
            expected, window_s; "new": label (its name), payments, distinct; "hour": near, payments.
    """

    code: str
    measure: str
    weight: float
    params: Mapping[str, Any] = attrs.field(hash=False)

    def text(self, locale: str = "en") -> str:
        """The reason as a sentence in English (``"en"``) or Chinese (``"zh"``).

        Raises:
            InvalidFieldError: "locale.unknown".
        """
        words = _WORDS[check_locale(locale)]
        shown = dict(self.params)
        if self.measure == "amount":
            times = math.exp(shown["log_ratio"])
            shown["times"] = f"{times:.1f}" if times < 10 else f"{times:,.0f}"
        elif self.measure == "velocity":
            shown["hours"] = shown["window_s"] / _HOUR_S
        elif self.measure == "new":
            shown["label"] = words[shown["label"]]
        return words[self.measure].format(**shown)


@attrs.frozen(kw_only=True)
class Decision:
    """What to do with one payment, and why.

    Args:
        score: 0 (nothing unusual) to 100: the sum of the reasons' weights.
        reasons: the rules that found something, the heaviest first.
        action: what the thresholds say.
        known_payments: earlier payments of the customer that it was judged by; 0: there were none, or it is a refund.
    """

    score: float
    reasons: tuple[Reason, ...]
    action: Action
    known_payments: int

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of the reasons."""
        return tuple(reason.code for reason in self.reasons)

    def text(self, locale: str = "en") -> str:
        """The decision as a sentence in English (``"en"``) or Chinese (``"zh"``).

        Raises:
            InvalidFieldError: "locale.unknown".
        """
        words = _WORDS[check_locale(locale)]
        nothing = words["nothing"] if self.known_payments else words["no_history"]
        why = words["join"].join(reason.text(locale) for reason in self.reasons) or nothing
        return words["decision"].format(action=words[self.action], score=self.score, why=why)


_weight = operator.attrgetter("weight")


def decision(found: list[Reason], thresholds: tuple[tuple[Action, float], ...], *, known_payments: int) -> Decision:
    """Put reasons, in the order of their rules, together."""
    score = 0.0
    for reason in found:
        score += reason.weight
    score = min(score, MAX_SCORE)
    found.sort(key=_weight, reverse=True)  # stable: equal weights stay in the order of their rules
    return Decision(
        score=score,
        reasons=tuple(found),
        action=action_of(score, thresholds),
        known_payments=known_payments,
    )


_WORDS = {
    "en": {
        "amount": "the amount is about {times} times the customer's usual one, {deviations:.1f} deviations above it "
        "(payments compared: {payments})",
        "velocity": "payments within {hours:g} h: {made}; usual: {expected:.2g}",
        "new": "a new {label}: none of the last {payments} payments had it (values seen: {distinct})",
        "hour": "an unusual hour: {near} of the last {payments} payments were within two hours of it",
        "currency": "currency",
        "method": "payment method",
        "merchant": "merchant",
        "channel": "channel",
        "country": "country",
        "allow": "allow",
        "review": "review",
        "block": "block",
        "nothing": "nothing unusual",
        "no_history": "nothing to compare with",
        "join": "; ",
        "decision": "{action} (score {score:.0f}): {why}",
    },
    "zh": {
        "amount": "金额约为该客户通常金额的 {times} 倍，高出 {deviations:.1f} 个标准差（比较了 {payments} 笔付款）",
        "velocity": "{hours:g} 小时内付款 {made} 笔，通常为 {expected:.2g} 笔",
        "new": "新的{label}：最近 {payments} 笔付款中从未出现（此前有 {distinct} 种）",
        "hour": "时段异常：最近 {payments} 笔付款中有 {near} 笔在此时刻前后两小时内",
        "currency": "币种",
        "method": "支付方式",
        "merchant": "商户",
        "channel": "渠道",
        "country": "国家或地区",
        "allow": "放行",
        "review": "人工复核",
        "block": "拦截",
        "nothing": "无异常",
        "no_history": "没有可供比较的付款",
        "join": "；",
        "decision": "{action}（评分 {score:.0f}）：{why}",
    },
}

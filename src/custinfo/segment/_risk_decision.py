"""What is said about a payment: reasons, the decision, and their sentences in English and Chinese."""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from typing import Any

import attrs

from custinfo.segment._risk_rules import HOUR_S, MAX_SCORE, Action, action_of
from custinfo.segment._words import check_locale

__all__ = ["Decision", "Reason"]


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
            shown["hours"] = shown["window_s"] / HOUR_S
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

"""All that the payments say about one customer, as data and as a few sentences."""

from __future__ import annotations

import datetime as dt
from typing import Any

import attrs

from custinfo._view import table
from custinfo.segment._active_hours import BestHours
from custinfo.segment._affinity import AffinityExplanation
from custinfo.segment._lifecycle import STATE_ZH
from custinfo.segment._spend_bands import BAND_ZH
from custinfo.segment._words import check_locale, money_text, percent

__all__ = ["Portrait"]


@attrs.frozen(kw_only=True)
class Portrait:
    """What the payments say about one customer; made by `portrait` and `Portraits.of`.

    Args:
        customer_id: the customer.
        segment: name of the RFM segment; None where no rule fits.
        segment_zh: the same in Chinese.
        score: recency, frequency and monetary score.
        tier: name of the tier; None where no rule fits.
        tier_zh: the same in Chinese.
        benefits: what customers of the tier get.
        benefits_zh: the same in Chinese.
        state: state of life; None without a purchase.
        since: first day of that state.
        recency_days: days since the last purchase.
        frequency: purchases.
        refunds: refunds.
        monetary_minor: purchases less refunds, minor units.
        mean_minor: mean purchase.
        interval_days: mean interval between days with a purchase; None with fewer than two.
        band: spending power.
        method: most frequent payment method and its share; None where the table has none.
        merchant: most frequent merchant and its share; None where the table has none.
        best_hours: when the customer is most often active, on the own clock; None without a purchase.
        preferences: what the customer chooses more often than others do, the strongest first.
        currency: of the money; None: unknown.
    """

    customer_id: object
    segment: str | None
    segment_zh: str | None
    score: tuple[int, int, int]
    tier: str | None
    tier_zh: str | None
    benefits: tuple[str, ...]
    benefits_zh: tuple[str, ...]
    state: str | None
    since: dt.date | None
    recency_days: int
    frequency: int
    refunds: int
    monetary_minor: int
    mean_minor: int
    interval_days: float | None
    band: str
    method: tuple[str, float] | None
    merchant: tuple[str, float] | None
    best_hours: BestHours | None
    preferences: tuple[AffinityExplanation, ...]
    currency: str | None

    def to_dict(self) -> dict[str, Any]:
        """Name -> value, nested records as mappings."""
        return attrs.asdict(self)

    def text(self, locale: str = "en") -> str:
        """The portrait in a few sentences, in English (``"en"``) or Chinese (``"zh"``).

        Raises:
            InvalidFieldError: "locale.unknown".
        """
        return self._chinese() if check_locale(locale) == "zh" else self._english()

    def _english(self) -> str:
        r, f, m = self.score
        parts = [f"{self.segment or 'no segment'} (R {r}, F {f}, M {m})", f"tier {self.tier or 'none'}"]
        if self.state is not None and self.since is not None:
            parts.append(f"{self.state.replace('_', ' ')} since {self.since.isoformat()}")
        said = [", ".join(parts)]
        money = money_text(self.monetary_minor, self.currency)
        if not self.frequency:
            return f"{said[0]}. {_number(self.refunds, 'refund')} and no purchase: {money}."
        pace = "" if self.interval_days is None else f", every {self.interval_days:.1f} days"
        back = f" ({_number(self.refunds, 'refund')} taken off)" if self.refunds else ""
        said.append(
            f"{_number(self.frequency, 'purchase')} for {money}{back}, "
            f"{money_text(self.mean_minor, self.currency)} on average{pace}, "
            f"the last one {_number(self.recency_days, 'day')} ago"
        )
        said.append(f"Spending power {self.band}")
        if self.method is not None:
            said.append(f"Pays mostly by {self.method[0]} ({percent(self.method[1])})")
        if self.merchant is not None:
            said.append(f"Buys mostly from {self.merchant[0]} ({percent(self.merchant[1])})")
        if self.best_hours is not None:
            said.append(self.best_hours.text()[:1].upper() + self.best_hours.text()[1:])
        if self.preferences:
            liked = ", ".join(f"{one.value} (lift {one.lift:.2f})" for one in self.preferences)
            said.append(f"Chooses more often than others: {liked}")
        if self.benefits:
            said.append(f"Benefits: {', '.join(self.benefits)}")
        return ". ".join(said) + "."

    def _chinese(self) -> str:
        r, f, m = self.score
        parts = [f"{self.segment_zh or '未分群'}(R {r},F {f},M {m})", f"等级:{self.tier_zh or '无'}"]
        if self.state is not None and self.since is not None:
            parts.append(f"自 {self.since.isoformat()} 起{STATE_ZH[self.state]}")
        said = [",".join(parts)]
        money = money_text(self.monetary_minor, self.currency)
        if not self.frequency:
            return f"{said[0]}。退款 {self.refunds:,} 次,没有消费:{money}。"
        pace = "" if self.interval_days is None else f",平均每 {self.interval_days:.1f} 天一次"
        back = f"(已扣除 {self.refunds:,} 次退款)" if self.refunds else ""
        said.append(
            f"消费 {self.frequency:,} 次,共 {money}{back},平均每笔 {money_text(self.mean_minor, self.currency)}"
            f"{pace},最近一次在 {self.recency_days:,} 天前"
        )
        said.append(f"消费力:{BAND_ZH.get(self.band, self.band)}")
        if self.method is not None:
            said.append(f"常用支付方式:{self.method[0]}({percent(self.method[1])})")
        if self.merchant is not None:
            said.append(f"常去商户:{self.merchant[0]}({percent(self.merchant[1])})")
        if self.best_hours is not None:
            said.append(self.best_hours.text("zh"))
        if self.preferences:
            liked = "、".join(f"{one.value}(提升度 {one.lift:.2f})" for one in self.preferences)
            said.append(f"比其他客户更偏好:{liked}")
        if self.benefits_zh:
            said.append(f"权益:{'、'.join(self.benefits_zh)}")
        return "。".join(said) + "。"

    def _repr_html_(self) -> str:
        shown = {
            "segment": self.segment,
            "tier": self.tier,
            "state": self.state,
            "since": self.since,
            "recency (days)": self.recency_days,
            "purchases": self.frequency,
            "refunds": self.refunds,
            "spent": money_text(self.monetary_minor, self.currency),
            "mean purchase": money_text(self.mean_minor, self.currency),
            "interval (days)": self.interval_days,
            "spending power": self.band,
            "method": self.method and f"{self.method[0]} ({percent(self.method[1])})",
            "merchant": self.merchant and f"{self.merchant[0]} ({percent(self.merchant[1])})",
            "best hours": self.best_hours and self.best_hours.text(),
            "prefers": ", ".join(f"{one.value} ({one.lift:.2f})" for one in self.preferences),
        }
        known = {name: value for name, value in shown.items() if value not in (None, "")}
        return table({"": list(known), "value": list(known.values())}, title="Customer portrait", max_rows=len(known))


def _number(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"

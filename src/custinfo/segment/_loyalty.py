"""How a loyalty programme runs: points earned, redeemed, expired; members who come back beside those who are none."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

import attrs
import numpy as np

from custinfo._columns import Column, ColumnResult, frozen
from custinfo.errors import AmountOverflowError, InvalidFieldError
from custinfo.segment._intervals import difference_of_shares, wilson
from custinfo.segment._kernel import counts, exact_sums
from custinfo.segment._labels import PERIODS, calendar_labels, labelled
from custinfo.segment._money import INT64_MAX
from custinfo.segment._per_customer import pair_counts
from custinfo.segment._rows import AsOf, Rows, event_rows, payment_rows
from custinfo.segment._time import local_days, local_moments
from custinfo.segment._words import check_locale, percent

__all__ = ["LoyaltyReport", "RepeatRates", "loyalty_report"]

_KINDS = ("earn", "redeem", "expire", "reverse")
_EARN, _REDEEM, _EXPIRE, _REVERSE = range(4)


@attrs.frozen(kw_only=True)
class RepeatRates:
    """How many members and how many others bought on at least two days.

    Args:
        members: customers in the programme who bought at all.
        members_repeat: those of them who bought again.
        others: customers outside the programme who bought at all.
        others_repeat: those of them who bought again.
        confidence: of the intervals.
    """

    members: int
    members_repeat: int
    others: int
    others_repeat: int
    confidence: float

    @property
    def members_rate(self) -> float:
        """Share of members who bought again; NaN without members."""
        return self.members_repeat / self.members if self.members else float("nan")

    @property
    def others_rate(self) -> float:
        """Share of the others who bought again; NaN without others."""
        return self.others_repeat / self.others if self.others else float("nan")

    @property
    def members_interval(self) -> tuple[float, float]:
        """Wilson's interval of the members' rate."""
        return wilson(self.members_repeat, self.members, self.confidence) if self.members else _NOWHERE

    @property
    def others_interval(self) -> tuple[float, float]:
        """Wilson's interval of the others' rate."""
        return wilson(self.others_repeat, self.others, self.confidence) if self.others else _NOWHERE

    @property
    def difference_interval(self) -> tuple[float, float]:
        """Newcombe's interval of the members' rate minus the others'; one that contains 0 shows no difference."""
        if not self.members or not self.others:
            return _NOWHERE
        members, others = (self.members_repeat, self.members), (self.others_repeat, self.others)
        return difference_of_shares(members, others, self.confidence)


_NOWHERE = (float("nan"), float("nan"))


@attrs.frozen(kw_only=True, eq=False, repr=False)
class LoyaltyReport(ColumnResult):
    """Points by period, ascending, and their sums; made by `loyalty_report`.

    Args:
        period: shape (p,), objects, periods with entries.
        earned: shape (p,), int64, points earned, less earnings that were reversed.
        redeemed: shape (p,), int64, points redeemed, less redemptions that were reversed.
        expired: shape (p,), int64.
        members: shape (p,), int64, different customers with an entry.
        by: "day", "week", "month", "quarter" or "year".
        member_count: different customers with an entry at any time.
        redeemers: different customers who redeemed.
        repeat: how members come back beside others; None without payments.
        skipped: rows left out because a value was missing.
    """

    period: Column
    earned: Column
    redeemed: Column
    expired: Column
    members: Column
    by: str
    member_count: int
    redeemers: int
    repeat: RepeatRates | None
    skipped: int

    @property
    def total_earned(self) -> int:
        """All points earned, less what was reversed."""
        return sum(self.earned.tolist())

    @property
    def total_redeemed(self) -> int:
        """All points redeemed, less what was reversed."""
        return sum(self.redeemed.tolist())

    @property
    def total_expired(self) -> int:
        """All points that expired unused."""
        return sum(self.expired.tolist())

    @property
    def outstanding(self) -> int:
        """Points that may still be redeemed: earned less redeemed less expired."""
        return self.total_earned - self.total_redeemed - self.total_expired

    @property
    def redemption_rate(self) -> float:
        """Points redeemed of points earned; NaN where none were earned."""
        return self.total_redeemed / self.total_earned if self.total_earned else float("nan")

    @property
    def breakage_rate(self) -> float:
        """Points expired of points earned, so far; NaN where none were earned."""
        return self.total_expired / self.total_earned if self.total_earned else float("nan")

    @property
    def ultimate_breakage_rate(self) -> float:
        """Points expired of points whose fate is settled (redeemed or expired); NaN where there are none.

        The rate so far is too low while points are outstanding; this one supposes that they will go the same way.
        """
        settled = self.total_redeemed + self.total_expired
        return self.total_expired / settled if settled else float("nan")

    def to_dict(self) -> dict[str, Column]:
        """Name -> array of shape (p,)."""
        return {
            "period": self.period,
            "earned": self.earned,
            "redeemed": self.redeemed,
            "expired": self.expired,
            "members": self.members,
        }

    def text(self, locale: str = "en") -> str:
        """The report in a few words, in English (``"en"``) or Chinese (``"zh"``).

        Raises:
            InvalidFieldError: "locale.unknown".
        """
        earned, redeemed = f"{self.total_earned:,}", f"{self.total_redeemed:,}"
        expired, left = f"{self.total_expired:,}", f"{self.outstanding:,}"
        used, lost = _rate(self.redemption_rate), _rate(self.breakage_rate)
        repeat = self.repeat
        if check_locale(locale) == "zh":
            said = f"累计发放 {earned} 积分,兑换 {redeemed}({used}),过期 {expired}({lost}),余额 {left}"
            if repeat is not None:
                said += f";复购率:会员 {_rate(repeat.members_rate)},非会员 {_rate(repeat.others_rate)}"
            return said
        said = f"{earned} points earned, {redeemed} redeemed ({used}), {expired} expired ({lost}), {left} outstanding"
        if repeat is not None:
            said += f"; bought again: {_rate(repeat.members_rate)} of members, {_rate(repeat.others_rate)} of others"
        return said

    def __repr__(self) -> str:
        return f"<LoyaltyReport: {self.member_count:,} members, {self.text()}>"

    def _title(self) -> str:
        return f"Loyalty programme by {self.by}: {self.text()}"


def _rate(value: float) -> str:
    return "-" if np.isnan(value) else percent(value)


def loyalty_report(
    data: object,
    *,
    by: Literal["day", "week", "month", "quarter", "year"] = "month",
    payments: object = None,
    customer: str = "customer_id",
    kind: str = "kind",
    points: str = "points",
    when: str = "occurred_at",
    amount: str = "amount",
    amount_minor: str | None = None,
    as_of: AsOf = None,
    time_zone: str | dt.tzinfo = "UTC",
    confidence: float = 0.95,
    missing: Literal["raise", "skip"] = "raise",
) -> LoyaltyReport:
    """Report what becomes of the points of a loyalty programme, and whether members come back more than others.

    Entries "earn", "redeem" and "expire" have points of at least 0; the kind says the direction. "reverse" takes back
    an earlier entry: negative points take back points that were earned, positive ones give redeemed points back.

    Args:
        data: loyalty entries, one a row, in any form that `rfm` takes.
        by: period of the calendar in *time_zone*.
        payments: payments in any form that `rfm` takes, with the same *customer* and *when*: members are customers with
            an entry, and whoever bought on at least two days came back. Refunds (negative amounts) are no purchases.
        customer: column of customer ids.
        kind: column of "earn", "redeem", "expire", "reverse".
        points: column of integers.
        when: column of times.
        amount: column of amounts of *payments*; only the sign counts.
        amount_minor: column of integers in minor units, instead of *amount*.
        as_of: rows after it do not count.
        time_zone: zone of the calendar.
        confidence: of the intervals of repeat rates.
        missing: rows without customer, time or amount: "raise", or "skip" and count them.

    Raises:
        InvalidFieldError: "columns.*", "time.*", "payments.*", "loyalty.by", "loyalty.kind", "loyalty.points",
            "segment.missing", "confidence".
        AmountOverflowError: points or a sum that do not fit in 64 bits.

    Source: breakage as in IFRS 15, 2014, B44 to B47 (rights that customers do not exercise).

    >>> entries = {"customer_id": ["ann", "ann", "bob", "bob"], "kind": ["earn", "redeem", "earn", "expire"],
    ...            "points": [100, 60, 50, 30], "occurred_at": ["2026-01-31", "2026-02-01", "2026-01-31", "2026-02-28"]}
    >>> report = loyalty_report(entries)
    >>> report.text()
    '150 points earned, 60 redeemed (40.0 %), 30 expired (20.0 %), 60 outstanding'
    >>> report.earned.tolist(), report.redeemed.tolist()
    ([150, 0], [0, 60])
    """
    if by not in PERIODS:
        raise InvalidFieldError(f"by must be one of {', '.join(PERIODS)}", code="loyalty.by", path="by")
    options: dict[str, Any] = {
        "customer": customer,
        "when": when,
        "as_of": as_of,
        "time_zone": time_zone,
        "missing": missing,
    }
    rows = event_rows(data, extra=(kind, points), **options)
    kinds, amounts = _kinds(rows.extra[kind], kind), _points(rows.extra[points], points)
    if ((kinds != _REVERSE) & (amounts < 0)).any():
        raise InvalidFieldError(
            f"column {points!r} has negative points in an entry that is no 'reverse'; the kind says the direction",
            code="loyalty.points",
            path=points,
        )
    codes, labels = calendar_labels(local_moments(rows.moments, rows.zone), by)
    size = len(labels)
    of_period, _, _ = pair_counts(codes, rows.codes, len(rows.customers))

    def summed(plus: int, taken_back: Column, sign: int) -> Column:
        rows_of = (kinds == plus) | taken_back
        return exact_sums(codes[rows_of], np.where(taken_back, sign, 1)[rows_of] * amounts[rows_of], size)

    return LoyaltyReport(
        period=frozen(labels),
        earned=frozen(summed(_EARN, (kinds == _REVERSE) & (amounts < 0), 1)),
        redeemed=frozen(summed(_REDEEM, (kinds == _REVERSE) & (amounts > 0), -1)),
        expired=frozen(summed(_EXPIRE, np.zeros(len(kinds), np.bool_), 1)),
        members=frozen(counts(of_period, size)),
        by=by,
        member_count=len(rows.customers),
        redeemers=int((counts(rows.codes[kinds == _REDEEM], len(rows.customers)) > 0).sum()),
        repeat=None
        if payments is None
        else _repeat_rates(
            payment_rows(
                payments,
                amount=amount,
                amount_minor=amount_minor,
                currency=None,
                rates=None,
                one_currency=False,
                **options,
            ),
            rows,
            confidence,
        ),
        skipped=rows.skipped,
    )


def _kinds(column: Column, name: str) -> Column:
    codes, labels = labelled(column, name=name)
    if not set(labels.tolist()) <= set(_KINDS):
        raise InvalidFieldError(
            f"column {name!r} must hold one of {', '.join(_KINDS)} in every row", code="loyalty.kind", path=name
        )
    return np.array([_KINDS.index(label) for label in labels], np.int64)[codes]


def _points(column: Column, name: str) -> Column:
    if not len(column):  # nothing, of whatever type
        return np.empty(0, np.int64)
    whole = column.dtype.kind in "iu" or (column.dtype.kind == "O" and all(type(value) is int for value in column))
    if not whole:
        raise InvalidFieldError(f"column {name!r} must hold integers, none missing", code="loyalty.points", path=name)
    if not -INT64_MAX <= int(column.min()) <= int(column.max()) <= INT64_MAX:
        raise AmountOverflowError(f"points in column {name!r} do not fit in 64 bits; check the column", path=name)
    return column.astype(np.int64)


def _repeat_rates(paid: Rows, entries: Rows, confidence: float) -> RepeatRates:
    bought = paid.only(~paid.refund)
    days = local_days(bought.moments, bought.zone)
    first = int(days.min()) if len(days) else 0
    who, _, _ = pair_counts(bought.codes, days - first, int((days - first).max(initial=0)) + 1)
    times = counts(who, len(bought.customers))
    member_ids = set(entries.customers.tolist())
    member = np.fromiter((one in member_ids for one in bought.customers.tolist()), np.bool_, len(bought.customers))
    return RepeatRates(
        members=int((member & (times > 0)).sum()),
        members_repeat=int((member & (times > 1)).sum()),
        others=int((~member & (times > 0)).sum()),
        others_repeat=int((~member & (times > 1)).sum()),
        confidence=confidence,
    )

"""Portraits of customers: RFM, tier, life cycle, habits and preferences of one table, put together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import attrs

from custinfo._columns import lasting, read_columns
from custinfo.errors import InvalidFieldError
from custinfo.segment._active_hours import ActiveHours, active_hours
from custinfo.segment._affinity import Affinity, affinity
from custinfo.segment._behaviour import Behaviour, behaviour
from custinfo.segment._lifecycle import Lifecycle, lifecycle
from custinfo.segment._portrait import Portrait
from custinfo.segment._result import Rfm
from custinfo.segment._rfm import rfm
from custinfo.segment._rows import AsOf, row_of
from custinfo.segment._spend_bands import SpendBands, spend_bands
from custinfo.segment._tier_rules import TierRule
from custinfo.segment._tiers import Tiers, tiers
from custinfo.segment._zones import Zones

__all__ = ["Portraits", "portrait", "portraits"]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Portraits:
    """The tables that portraits are made of, each ascending by the same customers; made by `portraits`.

    Args:
        rfm: scores and segments.
        tiers: tiers.
        lifecycle: states of life.
        behaviour: habits.
        bands: spending power.
        hours: active hours of all rows.
        affinity: preferences; None where the table has neither category nor merchant.
    """

    rfm: Rfm
    tiers: Tiers
    lifecycle: Lifecycle
    behaviour: Behaviour
    bands: SpendBands
    hours: ActiveHours
    affinity: Affinity | None

    def __len__(self) -> int:
        return len(self.rfm)

    def __repr__(self) -> str:
        return f"<Portraits: {len(self):,} customers>"

    def of(self, customer_id: object) -> Portrait:
        """The portrait of one customer.

        Raises:
            RecordNotFoundError: no payment of this customer.
        """
        row = row_of(self.rfm.customer_ids, customer_id)
        scored, ranked, habits = self.rfm.explain(customer_id), self.tiers.explain(customer_id), self.behaviour
        bought = int(habits.frequency[row])
        life = self.lifecycle.explain(customer_id) if bought else None
        interval = float(habits.interval_days[row])
        liked = [] if self.affinity is None or not bought else _liked(self.affinity, customer_id)
        return Portrait(
            customer_id=customer_id,
            segment=scored.segment,
            segment_zh=scored.segment_zh,
            score=(int(self.rfm.r[row]), int(self.rfm.f[row]), int(self.rfm.m[row])),
            tier=ranked.tier,
            tier_zh=ranked.tier_zh,
            benefits=ranked.benefits,
            benefits_zh=ranked.benefits_zh,
            state=None if life is None else life.state,
            since=None if life is None else life.since,
            recency_days=int(self.rfm.recency_days[row]),
            frequency=bought,
            refunds=int(habits.refunds[row]),
            monetary_minor=int(self.rfm.monetary_minor[row]),
            mean_minor=int(habits.mean_minor[row]),
            interval_days=None if interval != interval else interval,
            band=self.bands.band[row],
            method=_favourite(habits.method, habits.method_share, row),
            merchant=_favourite(habits.merchant, habits.merchant_share, row),
            best_hours=self.hours.explain(customer_id, width_hours=2) if bought else None,
            preferences=tuple(liked),
            currency=self.rfm.currency,
        )


def _favourite(names: Any, shares: Any, row: int) -> tuple[str, float] | None:
    return None if names is None or names[row] is None else (str(names[row]), float(shares[row]))


def _liked(table: Affinity, customer_id: object) -> list[Any]:
    try:
        return [one for one in table.top(customer_id) if one.lift > 1]
    except KeyError:  # all rows of this customer lack the value
        return []


def portraits(
    data: object,
    *,
    customer: str = "customer_id",
    when: str = "occurred_at",
    amount: str = "amount",
    amount_minor: str | None = None,
    currency: str | None = None,
    rates: Mapping[str, object] | None = None,
    zones: Zones = None,
    time_zone: str | dt.tzinfo = "UTC",
    as_of: AsOf = None,
    dimension: str | None = None,
    tier_rules: Sequence[TierRule] | Mapping[str, str] | None = None,
    dormant_after_days: int = 90,
    churned_after_days: int = 365,
    missing: Literal["raise", "skip"] = "raise",
) -> Portraits:
    """Work out all that portraits of the customers of one table need, once.

    Args:
        data: payments in any form that `rfm` takes.
        customer: column of customer ids.
        when: column of times.
        amount: column of amounts in major units.
        amount_minor: column of integers in minor units, instead of *amount*.
        currency: column of currency codes.
        rates: rates into one currency, as for `rfm`.
        zones: the own zone of each customer, as for `active_hours`.
        time_zone: zone of all others, and of days.
        as_of: rows after it do not count; the latest time by default.
        dimension: column of what is preferred; left out, "category" or else "merchant", where there is one.
        tier_rules: rules as for `tiers`.
        dormant_after_days: as for `lifecycle`.
        churned_after_days: as for `lifecycle`.
        missing: rows that lack a value: "raise" or "skip".

    Raises:
        InvalidFieldError: as the functions that it calls.
        AmountOverflowError: a sum that does not fit in 64 bits.

    >>> payments = {"customer_id": ["ann", "ann", "bob"], "amount": [20, 30, 5], "method": ["card"] * 3,
    ...             "occurred_at": ["2026-01-01T12:00Z", "2026-01-11T12:30Z", "2026-01-31"]}
    >>> print(portraits(payments).of("ann").text())
    Need attention (R 3, F 3, M 3), tier regular, active since 2026-01-01. 2 purchases for 50.00, 25.00 on average, ...
    """
    data = lasting(data)
    where: dict[str, Any] = {
        "customer": customer,
        "when": when,
        "as_of": as_of,
        "time_zone": time_zone,
        "missing": missing,
    }
    money: dict[str, Any] = {"amount": amount, "amount_minor": amount_minor, "currency": currency}
    scored = rfm(data, **where, **money, rates=rates)
    chosen = dimension or _dimension(data)
    return Portraits(
        rfm=scored,
        tiers=tiers(scored, tier_rules),
        lifecycle=lifecycle(
            data, dormant_after_days=dormant_after_days, churned_after_days=churned_after_days, **where, **money
        ),
        behaviour=behaviour(data, zones=zones, **where, **money, rates=rates),
        bands=spend_bands(data, **where, **money, rates=rates),
        hours=active_hours(data, zones=zones, **where),
        affinity=None if chosen is None else affinity(data, dimension=chosen, **where),
    )


def _dimension(data: object) -> str | None:
    for name in ("category", "merchant"):
        try:
            read_columns(data, [name])
        except InvalidFieldError as exc:
            if exc.code != "columns.missing":
                raise
        else:
            return name
    return None


def portrait(data: object, customer_id: object, **options: Any) -> Portrait:
    """Describe one customer by all the payments of all customers.

    For many customers of one table call `portraits` once, and its ``of`` for each.

    Args:
        data: payments in any form that `rfm` takes, of all customers: segment and preferences compare with the others.
        customer_id: whom to describe.
        options: as for `portraits`.

    Raises:
        RecordNotFoundError: no payment of this customer.
        InvalidFieldError: as `portraits`.

    >>> payments = {"customer_id": [7, 8], "amount": [20, 30], "occurred_at": ["2026-01-01", "2026-01-31"]}
    >>> portrait(payments, 8).tier
    'potential'
    """
    return portraits(data, **options).of(customer_id)

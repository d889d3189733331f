"""Tiers of service, such as VIP, regular and potential, from rules that are data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np

from custinfo._columns import Column, ColumnResult, frozen, read_columns
from custinfo.errors import InvalidFieldError, RecordNotFoundError
from custinfo.segment._result import Rfm
from custinfo.segment._scoring import bins_of
from custinfo.segment._tier_rules import Condition, TierRule, default_tiers

__all__ = ["TierExplanation", "Tiers", "tiers"]


@attrs.frozen(kw_only=True)
class TierExplanation:
    """Why a customer is in a tier.

    Args:
        tier: name of the tier; None where no rule fits.
        tier_zh: the same in Chinese.
        held: conditions of that tier, each with the customer's value.
        missed: for each tier above, the first condition that failed, with the customer's value.
        benefits: what customers of the tier get.
        benefits_zh: the same in Chinese.
    """

    tier: str | None
    tier_zh: str | None
    held: tuple[tuple[Condition, Any], ...]
    missed: tuple[tuple[str, Condition, Any], ...]
    benefits: tuple[str, ...] = ()
    benefits_zh: tuple[str, ...] = ()

    def text(self, locale: str = "en") -> str:
        """The explanation as a sentence in English (``"en"``) or Chinese (``"zh"``).

        Raises:
            InvalidFieldError: "locale.unknown".
        """
        if locale not in {"en", "zh"}:
            raise InvalidFieldError("locale must be 'en' or 'zh'", code="locale.unknown", path="locale")
        held = [f"{condition} ({value})" for condition, value in self.held]
        missed = [f"{name}: {condition} ({value})" for name, condition, value in self.missed]
        if locale == "zh":
            because = f",因为 {'、'.join(held)}" if held else ""
            but = f";未达到 {';'.join(missed)}" if missed else ""
            return f"等级:{self.tier_zh or '无'}{because}{but}"
        because = f", because {' and '.join(held)}" if held else ""
        but = f"; not reached: {'; '.join(missed)}" if missed else ""
        return f"tier: {self.tier or 'none'}{because}{but}"


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Tiers(ColumnResult):
    """The tier of each customer, in the table's order; made by `tiers`.

    Args:
        customer_ids: shape (n,).
        tier: shape (n,), objects: name of the tier, None where no rule fits.
        rules: the rules, in order of precedence.
    """

    customer_ids: Column
    tier: Column
    rules: tuple[TierRule, ...]
    _code: Column
    _used: Mapping[str, Column]

    def to_dict(self) -> dict[str, Column]:
        """Name -> array of shape (n,)."""
        return {"customer_id": self.customer_ids, "tier": self.tier}

    def __len__(self) -> int:
        return len(self.customer_ids)

    def __repr__(self) -> str:
        return f"<Tiers: {', '.join(f'{name} {count:,}' for name, count in self.counts().items())}>"

    def counts(self) -> dict[str, int]:
        """Customers in each tier, in the order of the rules."""
        numbers = np.bincount(self._code, minlength=len(self.rules))
        return {rule.name: int(number) for rule, number in zip(self.rules, numbers, strict=False)}

    def members(self, name: str) -> Column:
        """Ids of the customers in a tier.

        Raises:
            InvalidFieldError: "tiers.name".
        """
        for i, rule in enumerate(self.rules):
            if rule.name == name:
                members: Column = self.customer_ids[self._code == i]
                return members
        known = ", ".join(rule.name for rule in self.rules)
        raise InvalidFieldError(f"no tier {name!r}; there are: {known}", code="tiers.name", path="name")

    def explain(self, customer_id: object) -> TierExplanation:
        """Which conditions put a customer into the tier, and what was missing for those above.

        Raises:
            RecordNotFoundError: no such customer.
        """
        row = _find(self.customer_ids, customer_id)
        code = int(self._code[row])

        def value(condition: Condition) -> Any:
            found = self._used[condition.column][row]
            return found.item() if isinstance(found, np.generic) else found

        missed = []
        for rule in self.rules[:code]:
            failed = next(c for c in rule.when if not c.holds(self._used[c.column][row : row + 1])[0])
            missed.append((rule.name, failed, value(failed)))
        rule_of = self.rules[code] if code < len(self.rules) else None
        return TierExplanation(
            tier=rule_of.name if rule_of else None,
            tier_zh=rule_of.name_zh if rule_of else None,
            held=tuple((condition, value(condition)) for condition in rule_of.when) if rule_of else (),
            missed=tuple(missed),
            benefits=rule_of.benefits if rule_of else (),
            benefits_zh=rule_of.benefits_zh if rule_of else (),
        )


def _find(ids: Column, wanted: object) -> int:
    try:
        return ids.tolist().index(wanted)
    except (TypeError, ValueError):  # also an id that is a table, which equals nothing
        raise RecordNotFoundError("no such customer in this table; ids are those of its customer column") from None


def tiers(
    table: object,
    rules: Sequence[TierRule] | Mapping[str, str] | None = None,
    *,
    customer: str = "customer_id",
) -> Tiers:
    """Put each customer into the first tier whose conditions hold.

    Args:
        table: an `Rfm`, or any columns with one row per customer.
        rules: in order of precedence, as `TierRule`, or as a mapping of name -> conditions (``""``: everybody).
            Left out: `default_tiers`, which need an `Rfm` or its columns.
        customer: the column of customer ids.

    Raises:
        InvalidFieldError: "columns.missing" (a condition names a column that is not there), "tiers.condition",
            "tiers.rules" (none, or two of one name).

    >>> table = {"customer_id": ["ann", "bob"], "monetary_minor": [100000, 99999]}
    >>> tiers(table, {"VIP": "monetary_minor >= 100_000", "regular": ""}).tier.tolist()
    ['VIP', 'regular']
    """
    chosen = _rules(rules, table)
    needed = [condition.column for rule in chosen for condition in rule.when]
    source = table.to_dict() if isinstance(table, ColumnResult) else table
    columns = read_columns(source, [customer, *needed])
    size = len(columns[customer])
    code = np.full(size, len(chosen), np.int64)
    for i in reversed(range(len(chosen))):
        fits = np.ones(size, np.bool_)
        for condition in chosen[i].when:
            fits &= condition.holds(columns[condition.column])
        code[fits] = i
    names = np.array([*(rule.name for rule in chosen), None], dtype=object)
    used = {name: frozen(columns[name]) for name in needed}
    return Tiers(
        customer_ids=frozen(columns[customer]), tier=frozen(names[code]), rules=chosen, code=frozen(code), used=used
    )


def _rules(given: Sequence[TierRule] | Mapping[str, str] | None, table: object) -> tuple[TierRule, ...]:
    if given is None:
        return default_tiers(min(bins_of(table.edges)) if isinstance(table, Rfm) else 5)
    if isinstance(given, Mapping):
        chosen = tuple(TierRule(name=name, when=when) for name, when in given.items())
    else:
        chosen = tuple(given)
    if not chosen or len({rule.name for rule in chosen}) < len(chosen):
        raise InvalidFieldError("rules must be at least one, each with a name of its own", code="tiers.rules")
    return chosen

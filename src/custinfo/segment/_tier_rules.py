"""Conditions and tier rules: data that say who is in a tier."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import attrs
import numpy as np

from custinfo._columns import Column
from custinfo.errors import InvalidFieldError

__all__ = ["Condition", "TierRule", "default_tiers"]

_COMPARE: Mapping[str, Callable[[Any, Any], Any]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "==": operator.eq,
    "!=": operator.ne,
}
_PATTERN = re.compile(r"""\s*([^\W\d]\w*)\s*(>=|<=|==|!=|>|<)\s*('[^']*'|"[^"]*"|[^\s'"<>=!]+)\s*""")
_MOST_DIGITS = 400  # more than any float has before the point
_AND = re.compile(r"""\s+and\s+(?=(?:[^'"]|'[^']*'|"[^"]*")*$)""")  # not inside quotes


@attrs.frozen
class Condition:
    """One comparison of a column with a value, such as ``monetary_minor >= 100000``.

    Args:
        column: a column of the table.
        compare: one of ``>= <= > < == !=``.
        value: an int, Decimal or text to compare with.

    Raises:
        InvalidFieldError: "tiers.condition".

    >>> Condition.parse("frequency >= 2")
    Condition(column='frequency', compare='>=', value=2)
    """

    column: str
    compare: str
    value: int | Decimal | str

    def __attrs_post_init__(self) -> None:
        if self.compare not in _COMPARE or not isinstance(self.value, int | Decimal | str):
            raise _bad_condition()

    @classmethod
    def parse(cls, text: str) -> Condition:
        """Read ``column operator value``; a value that is no number is text, quoted where it has spaces.

        Raises:
            InvalidFieldError: "tiers.condition".
        """
        found = _PATTERN.fullmatch(text)
        if found is None:
            raise _bad_condition()
        column, compare, given = found.groups()
        try:
            number = Decimal(given.replace("_", ""))
        except InvalidOperation:
            return cls(column, compare, given.strip("'\""))
        if not number.is_finite() or number.adjusted() > _MOST_DIGITS:  # words such as nan and infinity are text
            return cls(column, compare, given)
        return cls(column, compare, int(number) if number == number.to_integral_value() else number)

    def holds(self, column: Column) -> Column:
        """Whether the condition holds, for each value; shape (n,), bool. A missing value fulfils no condition."""
        if column.dtype.kind in "iufb" and isinstance(self.value, int):
            held: Column = _COMPARE[self.compare](column, self.value) & (column == column)  # NaN equals nothing
            return held
        compare, value = _COMPARE[self.compare], self.value
        as_text = isinstance(value, str)

        def fits(item: Any) -> bool:
            if item is None or item != item:
                return False
            if isinstance(item, str) is not as_text:  # equal to nothing, which would hide a slip in the rule
                raise TypeError
            return bool(compare(item, value))

        try:
            return np.fromiter(map(fits, column.tolist()), np.bool_, len(column))
        except (TypeError, ValueError, ArithmeticError):
            raise InvalidFieldError(
                f"column {self.column!r} cannot be compared with {type(value).__name__}; "
                "compare numbers with numbers and text with text",
                code="tiers.condition",
                path=self.column,
            ) from None

    def __str__(self) -> str:
        return f"{self.column} {self.compare} {self.value}"


def _bad_condition() -> InvalidFieldError:
    return InvalidFieldError(
        "a condition is 'column operator value' with one of >= <= > < == !=, such as 'monetary_minor >= 100000'",
        code="tiers.condition",
        path="rules",
    )


def _conditions(given: str | Sequence[str | Condition]) -> tuple[Condition, ...]:
    parts: Sequence[str | Condition] = _AND.split(given) if isinstance(given, str) else given
    if isinstance(given, str) and not given.strip():
        return ()
    return tuple(part if isinstance(part, Condition) else Condition.parse(part) for part in parts)


def _texts(given: Iterable[str]) -> tuple[str, ...]:
    return tuple(given)


@attrs.frozen(kw_only=True)
class TierRule:
    """A tier and who is in it.

    Args:
        name: name of the tier.
        when: conditions that must all hold, as text joined by ``and`` or as a sequence; none: everybody.
        benefits: what the tier's customers get, kept beside the rule.
        name_zh: name in Chinese; *name* where left out.
        benefits_zh: the benefits in Chinese; *benefits* where left out.

    Raises:
        InvalidFieldError: "tiers.condition".

    >>> TierRule(name="VIP", when="monetary_minor >= 100000 and recency_days <= 365").when[1].value
    365
    """

    name: str
    when: tuple[Condition, ...] = attrs.field(default=(), converter=_conditions)
    benefits: tuple[str, ...] = attrs.field(default=(), converter=_texts)
    name_zh: str = attrs.field(default=attrs.Factory(lambda self: self.name, takes_self=True))
    benefits_zh: tuple[str, ...] = attrs.field(
        default=attrs.Factory(lambda self: self.benefits, takes_self=True), converter=_texts
    )


def default_tiers(bins: int = 5) -> tuple[TierRule, ...]:
    """VIP: the upper two fifths by frequency and money, and not long gone; regular: came back; potential: the others.

    Args:
        bins: the score values of the RFM table that the rules are for.

    >>> [str(condition) for condition in default_tiers()[0].when]
    ['r >= 2', 'f >= 4', 'm >= 4']
    """
    high, alive = -(-4 * bins // 5), -(-2 * bins // 5)
    return (
        TierRule(
            name="VIP",
            name_zh="贵宾客户",
            when=f"r >= {alive} and f >= {high} and m >= {high}",
            benefits=("personal contact", "first choice of offers"),
            benefits_zh=("专属客服", "优先选购"),
        ),
        TierRule(
            name="regular",
            name_zh="普通客户",
            when="frequency >= 2",
            benefits=("loyalty programme",),
            benefits_zh=("积分计划",),
        ),
        TierRule(name="potential", name_zh="潜在客户", benefits=("welcome offers",), benefits_zh=("新客礼遇",)),
    )

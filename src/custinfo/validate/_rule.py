"""Rules over the fields of one record."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence

import attrs

from custinfo.errors import InvalidFieldError
from custinfo.validate._paths import common_list

__all__ = ["Rule", "path_texts"]

_RULE_FAULTS = (TypeError, ValueError, ArithmeticError, AttributeError, LookupError)


def path_texts(paths: Iterable[str]) -> tuple[str, ...]:
    if isinstance(paths, str):
        raise InvalidFieldError("paths must be a tuple of texts, such as ('email',)", code="schema")
    return tuple(paths)


@attrs.frozen
class Rule:
    """What the fields of one record say about each other.

    Args:
        code: code of the issue where the rule is broken, such as ``"account.closed_before_opened"``. Reports compare
            rules by it: give a rule whose check changes a new code.
        fields: paths whose values *check* is given, in this order. A path with ``[]`` gives a tuple.
        check: values -> whether the rule holds, or `NotImplemented` where it does not apply. It is not asked while one
            of the values is missing, a placeholder or invalid; a field with a validator is given in its normal form. A
            `TypeError` and the like count as broken.
        severity: ``"error"`` or ``"warning"``.
        each: path of a sequence, such as ``"accounts[]"``; then *fields* are paths inside its members, and each member
            is judged alone.

    >>> Rule("dates", ("opened", "closed"), lambda opened, closed: closed >= opened).fields
    ('opened', 'closed')
    """

    code: str
    fields: tuple[str, ...] = attrs.field(converter=path_texts)
    check: Callable[..., object]
    severity: str = attrs.field(default="error", kw_only=True, validator=attrs.validators.in_(("error", "warning")))
    each: str = attrs.field(default="", kw_only=True)

    @classmethod
    def of_members(
        cls, code: str, paths: tuple[str, ...], check: Callable[..., object], *, severity: str = "error"
    ) -> Rule:
        """A rule over whole paths, ``each`` being the innermost sequence that all of them go through.

        >>> Rule.of_members("dates", ("accounts[].opened", "accounts[].closed"), max).each
        'accounts[]'
        """
        each = functools.reduce(common_list, paths)
        inside = tuple(path.removeprefix(f"{each}.") if each else path for path in paths)
        return cls(code, inside, check, severity=severity, each=each)

    @property
    def paths(self) -> tuple[str, ...]:
        """Whole paths of the fields, from the record.

        >>> Rule("dates", ("opened", "closed"), max, each="accounts[]").paths
        ('accounts[].opened', 'accounts[].closed')
        """
        return tuple(f"{self.each}.{path}" for path in self.fields) if self.each else self.fields

    def holds(self, values: Sequence[object]) -> bool | None:
        """Whether the rule holds for these values of its fields; None where it does not apply."""
        try:
            answer = self.check(*values)
            return None if answer is NotImplemented else bool(answer)
        except _RULE_FAULTS:
            return False

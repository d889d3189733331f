"""Rules over the fields of one record."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import attrs

from custinfo.errors import InvalidFieldError
from custinfo.validate._paths import common_list

__all__ = ["Rule", "path_texts"]


def path_texts(paths: Iterable[str]) -> tuple[str, ...]:
    if isinstance(paths, str) or not isinstance(paths, Iterable):
        raise InvalidFieldError("paths must be a tuple of texts, such as ('email',)", code="schema")
    return tuple(paths)


def _is_code(rule: Rule, attribute: Any, code: Any) -> None:
    if not isinstance(code, str) or not code:
        raise InvalidFieldError("the code of a rule must be a text, such as 'account.order'", code="schema")


def _are_paths(rule: Rule, attribute: Any, paths: Any) -> None:
    if not paths or not all(isinstance(path, str) for path in paths):
        raise InvalidFieldError("a rule needs one or more paths, such as ('opened', 'closed')", code="schema")


def _is_function(rule: Rule, attribute: Any, check: Any) -> None:
    if not callable(check):
        raise InvalidFieldError("the check of a rule must be a function of its fields", code="schema")


@attrs.frozen
class Rule:
    """What the fields of one record say about each other.

    Args:
        code: code of the issue where the rule is broken, such as ``"account.closed_before_opened"``. Reports compare
            rules by it: give a rule whose check changes a new code.
        fields: paths whose values *check* is given, in this order. A path with ``[]`` gives a tuple.
        check: values -> whether the rule holds, or `NotImplemented` where it does not apply. It is not asked while one
            of the values is missing, a placeholder or invalid; a field with a validator is given in its normal form.
            What it raises counts as broken, so that one odd record does not end the check of a million.
        severity: ``"error"`` or ``"warning"``.
        each: path of a sequence, such as ``"accounts[]"``; then *fields* are paths inside its members, and each member
            is judged alone.

    Raises:
        InvalidFieldError: ``"schema"`` for a code that is no text, no path at all, or a check that is no function.

    >>> Rule("dates", ("opened", "closed"), lambda opened, closed: closed >= opened).fields
    ('opened', 'closed')
    """

    code: str = attrs.field(validator=_is_code)
    fields: tuple[str, ...] = attrs.field(converter=path_texts, validator=_are_paths)
    check: Callable[..., object] = attrs.field(validator=_is_function)
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
        except Exception:  # noqa: BLE001  see above
            return False

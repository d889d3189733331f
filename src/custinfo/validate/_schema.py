"""Schemas: which validator each field of a record has, and what fields say about each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import attrs

from custinfo.errors import InvalidFieldError, InvalidRecordError
from custinfo.validate._base import BaseValidator
from custinfo.validate._paths import values_at
from custinfo.validate._placeholders import is_missing, is_placeholder
from custinfo.validate._protocol import Validator
from custinfo.validate._result import Issue

__all__ = ["Report", "Rule", "Schema"]

_RULE_FAULTS = (TypeError, ValueError, ArithmeticError, AttributeError, LookupError)


def _texts(paths: Iterable[str]) -> tuple[str, ...]:
    if isinstance(paths, str):
        raise InvalidFieldError("paths must be a tuple of texts, such as ('email',)", code="schema")
    return tuple(paths)


@attrs.frozen
class Rule:
    """What the fields of one record say about each other.

    Args:
        code: code of the issue where the rule is broken, such as ``"account.closed_before_opened"``.
        fields: paths whose values *check* is given, in this order. A path with ``[]`` gives a tuple.
        check: values -> whether the rule holds. It is not asked while one of the values is missing or invalid; a
            field with a validator is given in its normal form. A `TypeError` and the like count as broken.
        severity: ``"error"`` or ``"warning"``.

    >>> Rule("dates", ("opened", "closed"), lambda opened, closed: closed >= opened).fields
    ('opened', 'closed')
    """

    code: str
    fields: tuple[str, ...] = attrs.field(converter=_texts)
    check: Callable[..., object]
    severity: str = attrs.field(default="error", kw_only=True)

    def holds(self, values: Sequence[object]) -> bool:
        """Whether the rule holds for these values of its fields."""
        try:
            return bool(self.check(*values))
        except _RULE_FAULTS:
            return False


@attrs.frozen
class Report:
    """What was found in one record; true when nothing of it is an error.

    Args:
        issues: with the path of the field, such as ``contacts[1].email``.
    """

    issues: tuple[Issue, ...]

    @property
    def ok(self) -> bool:
        """No issue is an error."""
        return all(issue.severity != "error" for issue in self.issues)

    def __bool__(self) -> bool:
        return self.ok

    def raise_for_errors(self) -> None:
        """Raise all errors at once.

        Raises:
            InvalidRecordError: a group of one `InvalidFieldError` per error; no value is in any message.
        """
        errors = [issue for issue in self.issues if issue.severity == "error"]
        if errors:
            raise InvalidRecordError(
                f"{len(errors)} fields are wrong: {', '.join(issue.path for issue in errors)}",
                [InvalidFieldError(issue.message(), code=issue.code, path=issue.path) for issue in errors],
            )


def _rules(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    return tuple(rules)


def _validators(fields: Mapping[str, Validator[Any] | None]) -> dict[str, Validator[Any] | None]:
    for path, validator in fields.items():
        if validator is not None and not isinstance(validator, Validator):
            raise InvalidFieldError(f"field {path!r} needs a validator, such as custinfo.validate.email", code="schema")
    return dict(fields)


def _ages(ages: Mapping[str, timedelta | int] | None) -> dict[str, timedelta]:
    return {path: age if isinstance(age, timedelta) else timedelta(days=age) for path, age in (ages or {}).items()}


@attrs.frozen
class Schema:
    """Fields with their validators, and rules.

    Args:
        fields: path -> validator, None for a field of which only presence matters.
        required: paths that must have a value.
        unique: paths whose normal forms should not repeat; looked at by `quality`, not by `check`.
        max_age: path of a date or time -> `datetime.timedelta` or days that it may lie back; looked at by `quality`.
        rules: what fields say about each other.

    Raises:
        InvalidFieldError: ``"schema"`` where a field has something else than a validator, or a path that is required
            or unique or has an age is not among the fields.

    >>> from custinfo.validate import email, date
    >>> schema = Schema({"email": email, "born": date}, required=("email",))
    >>> [(issue.path, issue.code) for issue in schema.check({"email": "", "born": "19450231"}).issues]
    [('email', 'value.missing'), ('born', 'date.impossible')]
    """

    fields: Mapping[str, Validator[Any] | None] = attrs.field(converter=_validators)
    required: tuple[str, ...] = attrs.field(default=(), converter=_texts, kw_only=True)
    unique: tuple[str, ...] = attrs.field(default=(), converter=_texts, kw_only=True)
    max_age: Mapping[str, timedelta] = attrs.field(default=None, converter=_ages, kw_only=True)
    rules: tuple[Rule, ...] = attrs.field(default=(), converter=_rules, kw_only=True)

    def __attrs_post_init__(self) -> None:
        for path in (*self.required, *self.unique, *self.max_age):
            if path not in self.fields:
                raise InvalidFieldError(f"{path!r} is not among the fields of the schema", code="schema")

    @classmethod
    def from_attrs(
        cls, model: type, *, required: Iterable[str] = (), rules: Iterable[Rule] = (), **options: Any
    ) -> Schema:
        """The schema of an attrs class, such as `custinfo.model.Customer`.

        Validators are found by the names of fields (``email``, ``postal_code``, ``birth_date`` ...), in nested classes
        and tuples of them too. The customer and account of `custinfo.model` bring rules: birth date against resident
        id, country of phones against addresses, closing after opening.

        Args:
            model: the class.
            required: paths that must have a value; a tuple must have a member.
            rules: more rules.
            options: further arguments of `Schema`.

        Raises:
            InvalidFieldError: ``"schema"`` where *model* is no attrs class.

        >>> from custinfo.model import Customer, Email
        >>> schema = Schema.from_attrs(Customer, required=("names",))
        >>> report = schema.check(Customer(emails=[Email("a@example.com"), Email("nobody")]))
        >>> [(issue.path, issue.code) for issue in report.issues]
        [('names', 'value.missing'), ('emails[1].value', 'email.no_at')]
        """
        from custinfo.validate._schema_fields import fields_by_name, own_rules

        known = fields_by_name(model)
        required = _texts(required)
        fields = {**{path: None for path in required if path not in known}, **known}
        return cls(fields, required=required, rules=(*own_rules(model), *rules), **options)

    def check(self, record: object) -> Report:
        """Check one record.

        Args:
            record: a mapping or an object with attributes.

        Returns:
            All that was found, required fields and validators in the order of the fields, then rules.
        """
        found: list[Issue] = []
        normal: dict[str, list[object]] = {}
        for path, validator in self.fields.items():
            normal[path] = self._check_field(record, path, validator, found)
        for rule in self.rules:
            values = self.rule_values(rule, record, normal)
            if values is not None and not rule.holds(values):
                found.append(Issue(rule.code, rule.severity, ", ".join(rule.fields)))
        return Report(tuple(found))

    def iter_check(self, rows: Iterable[object]) -> Iterator[Report]:
        """`check` for each of many records, one after the other; nothing is kept."""
        return map(self.check, rows)

    def _check_field(
        self, record: object, path: str, validator: Validator[Any] | None, found: list[Issue]
    ) -> list[object]:
        """Normal forms of the values at *path*; empty where one is wrong."""
        normal: list[object] = []
        good = True
        for place, value in values_at(record, path):
            if is_missing(value) or value == () or value == []:
                continue
            if is_placeholder(value):
                found.append(Issue("value.placeholder", path=place))
            if validator is None:
                normal.append(value)
                continue
            result = validator(value)
            found += [issue.at(place) for issue in result.issues]
            good = good and result.ok
            normal.append(result.value)
        if not normal and path in self.required:
            found.append(Issue("value.missing", path=path))
        return normal if good else []

    def rule_values(self, rule: Rule, record: object, normal: Mapping[str, Sequence[object]]) -> list[object] | None:
        """What *rule* is asked with, None where a value is missing or wrong."""
        values: list[object] = []
        for path in rule.fields:
            found = normal[path] if path in normal else [value for _, value in values_at(record, path)]
            present = [value for value in found if not is_missing(value)]
            if not present:
                return None
            values.append(tuple(present) if "[]" in path else present[0])
        return values

    @property
    def signature(self) -> tuple[object, ...]:
        """What makes two reports comparable: paths, validators with options, required, unique, ages, rules."""
        return (
            tuple((path, _name(validator)) for path, validator in self.fields.items()),
            self.required,
            self.unique,
            tuple(sorted((path, age.total_seconds()) for path, age in self.max_age.items())),
            tuple((rule.code, rule.fields, rule.severity) for rule in self.rules),
        )


def _name(validator: Validator[Any] | None) -> str:
    if isinstance(validator, BaseValidator):
        return repr(validator)
    return "" if validator is None else type(validator).__qualname__

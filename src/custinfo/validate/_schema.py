"""Schemas: which validator each field of a record has, and what fields say about each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

import attrs

from custinfo.errors import InvalidFieldError, InvalidRecordError
from custinfo.validate._base import BaseValidator, plain_text
from custinfo.validate._paths import values_at
from custinfo.validate._placeholders import is_missing, is_placeholder
from custinfo.validate._protocol import Validator
from custinfo.validate._result import Issue
from custinfo.validate._rule import Rule, path_texts

__all__ = ["Report", "Schema"]


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


def _rules(rules: Any) -> tuple[Rule, ...]:
    found = tuple(rules) if isinstance(rules, Iterable) else (rules,)
    if not all(isinstance(rule, Rule) for rule in found):
        raise InvalidFieldError("rules must be custinfo.validate.Rule", code="schema")
    return found


def _folded(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(text.strip().casefold() for text in path_texts(texts))


def _validators(fields: Any) -> dict[str, Validator[Any] | None]:
    if not isinstance(fields, Mapping) or not all(isinstance(path, str) for path in fields):
        raise InvalidFieldError("fields must be a mapping of path -> validator", code="schema")
    for path, validator in fields.items():
        if validator is not None and (isinstance(validator, type) or not isinstance(validator, Validator)):
            raise InvalidFieldError(f"field {path!r} needs a validator, such as custinfo.validate.email", code="schema")
    return dict(fields)


def _ages(ages: Mapping[str, timedelta | int] | None) -> dict[str, timedelta]:
    found: dict[str, timedelta] = {}
    for path, age in (ages or {}).items():
        try:
            found[path] = age if isinstance(age, timedelta) else timedelta(days=age)
        except (TypeError, ValueError, OverflowError):
            found[path] = timedelta(-1)
        if found[path] < timedelta(0):
            raise InvalidFieldError(f"max_age of {path!r} must be days or a timedelta, not negative", code="schema")
    return found


@attrs.frozen
class Schema:
    """Fields with their validators, and rules.

    Args:
        fields: path -> validator, None for a field of which only presence matters.
        required: paths that must have a value.
        unique: paths whose normal forms should not repeat; looked at by `quality`, not by `check`.
        max_age: path of a date or time -> `datetime.timedelta` or days that it may lie back; looked at by `quality`.
        rules: what fields say about each other; ready-made ones are in `custinfo.validate.rules`.
        placeholders: texts that stand for a missing value, besides ``N/A``, ``无``, ``13800138000`` and the like.

    Raises:
        InvalidFieldError: ``"schema"`` where a field has something else than a validator, or a path that is required
            or unique or has an age is not among the fields.

    >>> from custinfo.validate import email, date
    >>> schema = Schema({"email": email, "born": date}, required=("email",))
    >>> [(issue.path, issue.code) for issue in schema.check({"email": "", "born": "19450231"}).issues]
    [('email', 'value.missing'), ('born', 'date.impossible')]
    """

    fields: Mapping[str, Validator[Any] | None] = attrs.field(converter=_validators)
    required: tuple[str, ...] = attrs.field(default=(), converter=path_texts, kw_only=True)
    unique: tuple[str, ...] = attrs.field(default=(), converter=path_texts, kw_only=True)
    max_age: Mapping[str, timedelta] = attrs.field(default=None, converter=_ages, kw_only=True)
    rules: tuple[Rule, ...] = attrs.field(default=(), converter=_rules, kw_only=True)
    placeholders: frozenset[str] = attrs.field(default=(), converter=_folded, kw_only=True)

    def __attrs_post_init__(self) -> None:
        for path in (*self.required, *self.unique, *self.max_age):
            if path not in self.fields:
                raise InvalidFieldError(f"{path!r} is not among the fields of the schema", code="schema")

    @classmethod
    def from_attrs(
        cls,
        model: type,
        *,
        required: Iterable[str] = (),
        unique: Iterable[str] = (),
        max_age: Mapping[str, timedelta | int] | None = None,
        rules: Iterable[Rule] = (),
        placeholders: Iterable[str] = (),
    ) -> Schema:
        """The schema of an attrs class, such as `custinfo.model.Customer`.

        Validators are found by the names of fields (``email``, ``postal_code``, ``birth_date`` ...), in nested classes
        and tuples of them too. So are the rules of `custinfo.validate.rules`: birth date and sex against a resident
        id, countries of phone numbers and IBANs against the address, closing after opening.

        Args:
            model: the class.
            required: paths that must have a value; a tuple must have a member.
            unique: paths whose normal forms should not repeat.
            max_age: path of a date or time -> age or days.
            rules: more rules.
            placeholders: more texts that stand for a missing value.

        Raises:
            InvalidFieldError: ``"schema"`` where *model* is no attrs class or has nothing at one of the paths.

        >>> from custinfo.model import Customer, Email
        >>> schema = Schema.from_attrs(Customer, required=("names",))
        >>> report = schema.check(Customer(emails=[Email("a@example.com"), Email("nobody")]))
        >>> [(issue.path, issue.code) for issue in report.issues]
        [('names', 'value.missing'), ('emails[1].value', 'email.no_at')]
        """
        from custinfo.validate._schema_fields import check_paths, fields_by_name
        from custinfo.validate._schema_rules import rules_by_name

        known = fields_by_name(model)
        required, unique, rules = path_texts(required), path_texts(unique), _rules(rules)
        said = dict.fromkeys((*required, *unique, *(max_age or ())))
        check_paths(model, (*said, *(path for rule in rules for path in rule.paths)))
        fields = {**{path: None for path in said if path not in known}, **known}
        every = (*rules_by_name(model, fields), *rules)
        return cls(fields, required=required, unique=unique, max_age=max_age, rules=every, placeholders=placeholders)

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
            self._check_rule(rule, record, normal, found)
        return Report(tuple(found))

    def iter_check(self, rows: object) -> Iterator[Report]:
        """`check` for each of many records, one after the other; nothing is kept.

        Args:
            rows: an iterable of mappings or objects, or columns, such as a frame.

        >>> from custinfo.validate import email
        >>> [report.ok for report in Schema({"email": email}).iter_check({"email": ["a@example.com", "b"]})]
        [True, False]
        """
        from custinfo.validate._rows import rows_of

        return map(self.check, rows_of(rows, self.paths))

    @property
    def paths(self) -> tuple[str, ...]:
        """All paths that are read, those of the fields first."""
        return tuple(dict.fromkeys((*self.fields, *(path for rule in self.rules for path in rule.paths))))

    def is_placeholder(self, value: object) -> bool:
        """Whether a value stands for a missing one.

        >>> Schema({}, placeholders=("Nil return",)).is_placeholder("nil RETURN")
        True
        """
        if is_placeholder(value):
            return True
        text = plain_text(value) if self.placeholders else None
        return text is not None and text.strip().casefold() in self.placeholders

    def member_values(self, rule: Rule, member: object) -> list[object] | None:
        """What a rule with ``each`` is asked with for one member; None where a value is missing or wrong."""
        values: list[object] = []
        for path, whole in zip(rule.fields, rule.paths, strict=True):
            normal = self._check_field(member, path, self.fields.get(whole), [])
            if not normal:
                return None
            values.append(tuple(normal) if "[]" in path else normal[0])
        return values

    def _check_field(
        self, record: object, path: str, validator: Validator[Any] | None, found: list[Issue]
    ) -> list[object]:
        """Normal forms of the values at *path*; empty where one is wrong."""
        normal: list[object] = []
        there, good = False, True
        for place, value in values_at(record, path):
            if is_missing(value):
                continue
            there = True
            stands_in = self.is_placeholder(value)
            if stands_in:
                found.append(Issue("value.placeholder", path=place))
            if validator is not None:
                result = validator(value)
                found += [issue.at(place) for issue in result.issues]
                good = good and (result.ok or stands_in)
                value = result.value
            if not stands_in:
                normal.append(value)
        if not there and path in self.required:
            found.append(Issue("value.missing", path=path))
        return normal if good else []

    def _check_rule(self, rule: Rule, record: object, normal: Mapping[str, list[object]], found: list[Issue]) -> None:
        if rule.each:
            for place, member in values_at(record, rule.each):
                values = self.member_values(rule, member)
                if values is not None and rule.holds(values) is False:
                    paths = ", ".join(f"{place}.{path}" for path in rule.fields)
                    found.append(Issue(rule.code, rule.severity, paths))
            return
        asked: list[object] = []
        for path in rule.fields:
            values = normal[path] if path in normal else self._check_field(record, path, None, [])
            if not values:
                return
            asked.append(tuple(values) if "[]" in path else values[0])
        if rule.holds(asked) is False:
            found.append(Issue(rule.code, rule.severity, ", ".join(rule.fields)))

    @property
    def signature(self) -> tuple[object, ...]:
        """What makes two reports comparable: paths, validators with options, required, unique, ages, rules, words."""
        return (
            tuple((path, _name(validator)) for path, validator in self.fields.items()),
            self.required,
            self.unique,
            tuple(sorted((path, age.total_seconds()) for path, age in self.max_age.items())),
            tuple((rule.code, rule.paths, rule.severity) for rule in self.rules),
            tuple(sorted(self.placeholders)),
        )


def _name(validator: Validator[Any] | None) -> str:
    if isinstance(validator, BaseValidator):
        return repr(validator)
    return "" if validator is None else type(validator).__qualname__

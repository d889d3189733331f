"""What a check of one value answers: `Issue` and `Result`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from custinfo.errors import InvalidFieldError
from custinfo.validate._generic import Generic, T_co

__all__ = ["EMPTY", "Issue", "Result"]

EMPTY: Mapping[str, object] = MappingProxyType({})


class Issue:
    """One thing that a check found; it never holds the value that was checked.

    Args:
        code: a code of the catalogue, such as ``"email.no_at"``, or of a rule of your own.
        severity: ``"error"``, ``"warning"`` or ``"info"``; left out, the catalogue's.
        path: the field, such as ``"emails[1].value"``; empty for a value that stands alone.
        params: figures for the sentence, such as ``{"max_length": 254}``; never a personal value.

    >>> issue = Issue("email.no_at")
    >>> issue.severity, issue.message()
    ('error', 'There is no @ in the e-mail address.')
    >>> issue.message("zh")
    '电子邮件地址中没有 @。'
    """

    __slots__ = ("_code", "_params", "_path", "_severity")

    def __init__(
        self, code: str, severity: str | None = None, path: str = "", params: Mapping[str, object] | None = None
    ) -> None:
        if severity is None:
            from custinfo.validate._catalogue import severity_of

            severity = severity_of(code)
        self._code = code
        self._severity = severity
        self._path = path
        self._params = MappingProxyType(dict(params)) if params else EMPTY

    @property
    def code(self) -> str:
        """Stable text for programs."""
        return self._code

    @property
    def severity(self) -> str:
        """``"error"``, ``"warning"`` or ``"info"``."""
        return self._severity

    @property
    def path(self) -> str:
        """The field it was found in, empty where the value stood alone."""
        return self._path

    @property
    def params(self) -> Mapping[str, object]:
        """Figures that the sentence names, read-only."""
        return self._params

    def message(self, locale: str = "en") -> str:
        """The sentence for a person.

        Args:
            locale: ``"en"`` or ``"zh"``; a regional tag such as ``"zh-CN"`` or ``"en_GB"`` works too.

        Raises:
            InvalidFieldError: ``"locale"`` for another language.
        """
        from custinfo.validate._catalogue import message

        return message(self._code, locale, self._params)

    def at(self, path: str) -> Issue:
        """The same issue with *path* before its own.

        >>> Issue("email.no_at", path="value").at("emails[1]").path
        'emails[1].value'
        """
        joined = f"{path}.{self._path}" if path and self._path else path or self._path
        return Issue(self._code, self._severity, joined, self._params)

    def _key(self) -> tuple[object, ...]:
        return (self._code, self._severity, self._path, tuple(sorted(self._params.items(), key=repr)))

    def __eq__(self, other: object) -> bool:
        return self._key() == other._key() if isinstance(other, Issue) else NotImplemented

    def __hash__(self) -> int:
        return hash((self._code, self._severity, self._path))

    def __repr__(self) -> str:
        path = f", path={self._path!r}" if self._path else ""
        return f"Issue({self._code!r}, {self._severity!r}{path})"

    def __reduce__(self) -> tuple[object, ...]:
        return (Issue, (self._code, self._severity, self._path, dict(self._params)))


class Result(Generic[T_co]):
    """The answer to a check of one value; true when the value is good.

    A value with warnings only is good. ``repr`` names codes, never the value, so that a result may be logged.

    Args:
        value: the normal form; dropped where an issue is an error.
        issues: what was found, errors and warnings.
        meta: what the check learned besides, such as the brand of a card.

    >>> result = Result("info@example.com")
    >>> result.ok, bool(result), result.value
    (True, True, 'info@example.com')
    >>> Result(None, (Issue("email.no_at"),))
    Result(ok=False, issues=('email.no_at',))
    """

    __slots__ = ("_issues", "_meta", "_ok", "_value")

    def __init__(
        self, value: T_co | None, issues: Iterable[Issue] = (), meta: Mapping[str, object] | None = None
    ) -> None:
        self._issues = tuple(issues)
        self._ok = True
        for issue in self._issues:
            if issue._severity == "error":
                self._ok = False
                break
        self._value = value if self._ok else None
        self._meta = EMPTY if meta is None else MappingProxyType(meta) if type(meta) is dict else meta

    @property
    def ok(self) -> bool:
        """No issue is an error."""
        return self._ok

    @property
    def value(self) -> T_co | None:
        """The normal form, None where there is an error."""
        return self._value

    @property
    def issues(self) -> tuple[Issue, ...]:
        """Errors, warnings and remarks, in the order they were found."""
        return self._issues

    @property
    def meta(self) -> Mapping[str, object]:
        """What else is known of the value, by name; computed when asked where that is costly."""
        return self._meta

    def unwrap(self) -> T_co:
        """The normal form of a good value.

        Raises:
            InvalidFieldError: the first error, with its code and an English sentence without the value.

        >>> Result(3).unwrap()
        3
        """
        if not self._ok:
            issue = next(issue for issue in self._issues if issue.severity == "error")
            raise InvalidFieldError(issue.message(), code=issue.code, path=issue.path, params=dict(issue.params))
        return self._value  # type: ignore[return-value]

    def __bool__(self) -> bool:
        return self._ok

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Result):
            return NotImplemented
        return (self._value, self._issues, self._meta) == (other._value, other._issues, other._meta)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Result(ok={self._ok}, issues={tuple(issue.code for issue in self._issues)!r})"

    def __reduce__(self) -> tuple[object, ...]:
        meta = dict(self._meta) if isinstance(self._meta, MappingProxyType) else self._meta
        return (Result, (self._value, self._issues, meta))

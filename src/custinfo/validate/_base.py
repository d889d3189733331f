"""What all validators share: options, the first look at a value, the loop over many."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping

from custinfo.errors import InvalidFieldError
from custinfo.validate._generic import Generic, T
from custinfo.validate._result import Issue, Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from custinfo.validate._batch import BatchResult

__all__ = ["BaseValidator", "column", "fail", "issue", "text_or_issue"]

_STEP_ROWS = 65_536
_PLAIN: dict[str, Issue] = {}


def issue(code: str, **params: object) -> Issue:
    """The issue of *code*; those without figures exist once, since a bad batch has many."""
    if params:
        return Issue(code, params=params)
    found = _PLAIN.get(code)
    if found is None:
        found = _PLAIN[code] = Issue(code)
    return found


def fail(code: str, **params: object) -> Result[T]:
    """A result with this one error."""
    return Result(None, (issue(code, **params),))


def text_or_issue(value: object, *, max_length: int) -> str | Issue:
    """*value* as plain text of at most *max_length* characters, or what is wrong with it.

    Length is looked at before anything else, so that a text of any size costs nothing.
    """
    if not isinstance(value, str):
        missing = value is None or _is_nan(value)
        return issue("value.missing") if missing else issue("value.type")
    if not value:
        return issue("value.missing")
    if len(value) > max_length:
        return issue("value.too_long", max_length=max_length)
    if type(value) is not str:
        value = str.__str__(value)
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            return issue("value.surrogate")
    return value


def _is_nan(value: object) -> bool:
    """NaN and NaT stand for missing in columns; an array is unequal to itself in another way."""
    unequal = isinstance(value, (float, datetime.date)) and value != value
    return unequal or type(value).__name__ in ("NAType", "NaTType")


def column(values: object) -> list[object]:
    """The values of a list, iterable, array, pandas or polars series or Arrow array, as a list of Python objects."""
    if isinstance(values, list):
        return values
    if isinstance(values, (str, bytes, Mapping)):
        raise InvalidFieldError("many() takes a column of values, not one value; call the validator", code="values")
    if getattr(getattr(values, "dtype", None), "kind", "") == "M" and hasattr(values, "astype"):
        values = values.astype("datetime64[us]")  # finer times would come out as integers
    for name in ("to_pylist", "to_list", "tolist"):
        convert: Callable[[], list[object]] | None = getattr(values, name, None)
        if convert is not None:
            return convert()
    if isinstance(values, Iterable):
        return list(values)
    raise InvalidFieldError("many() takes an iterable of values", code="values")


class BaseValidator(Generic[T]):
    """Options and the loop over many; a validator adds ``__call__`` and says its codes.

    Options are kept as given; None means "as configured", and where nothing was configured the documented default.
    """

    __slots__ = ("_options",)

    name: str = ""
    codes: frozenset[str] = frozenset()
    option_names: tuple[str, ...] = ()
    row_option: str = ""

    def __init__(self, **options: object) -> None:
        unknown = sorted(set(options) - set(self.option_names))
        if unknown:
            known = ", ".join(self.option_names) or "none"
            raise InvalidFieldError(f"unknown option {unknown[0]!r} of {self.name}; it has {known}", code="option")
        self._options: dict[str, object] = {name: value for name, value in options.items() if value is not None}

    def __call__(self, value: object) -> Result[T]:
        """Check one value; each validator documents its own options."""
        raise NotImplementedError  # pragma: no cover - each validator has its own

    def with_options(self, **options: object) -> BaseValidator[T]:
        """A copy with these options as defaults.

        Raises:
            InvalidFieldError: ``"option"`` for a name that the validator does not have.
        """
        return type(self)(**{**self._options, **options})

    def many(
        self, values: Iterable[object], *, progress: bool | Callable[[int, int], None] = False, **options: object
    ) -> BatchResult[T]:
        """Check a column; equal values are checked once.

        Args:
            values: n values: list, iterable, array, series.
            progress: True for a bar, or a function of (done, total).
            options: as for a single call; what depends on the row (the region of a phone, the country of a postal
                code) may be a column of n values too.

        Returns:
            The n answers in input order. Never raises for a bad row.

        Raises:
            InvalidFieldError: ``"option"`` for an unknown option, ``"values"`` where *values* is not a column or a
                column of options has another length.
        """
        from custinfo._view import reporting
        from custinfo.validate._batch import BatchResult

        rows = column(values)
        extra: list[object] | None = None
        by_row = options.get(self.row_option)
        if by_row is not None and not isinstance(by_row, str):
            extra = column(by_row)
            if len(extra) != len(rows):
                raise InvalidFieldError(f"{self.row_option} must be one or one per value", code="values")
            del options[self.row_option]
        check = self.with_options(**options) if options else self
        out: list[T | None] = []
        issues: dict[int, tuple[Issue, ...]] = {}
        with reporting(progress, total=len(rows), label=self.name) as step:
            for start in range(0, len(rows), _STEP_ROWS):
                end = min(start + _STEP_ROWS, len(rows))
                check._many(rows[start:end], start, out, issues, None if extra is None else extra[start:end])
                step(end)
        return BatchResult(out, issues)

    def _many(
        self,
        rows: list[object],
        start: int,
        out: list[T | None],
        issues: dict[int, tuple[Issue, ...]],
        extra: list[object] | None,
    ) -> None:
        """Append the answers of *rows* to *out* and *issues*; the first of them is row *start* of the column."""
        known: dict[object, Result[T]] = {}
        call: Callable[..., Result[T]] = self
        for place, value in enumerate(rows):
            option = None if extra is None else extra[place]
            # only text: 1, 1.0 and True are equal keys but not equal values
            key = (value, option) if type(value) is str and (option is None or type(option) is str) else None
            result = known.get(key) if key is not None else None
            if result is None:
                result = call(value) if extra is None else call(value, **{self.row_option: option})
                if key is not None:
                    known[key] = result
            out.append(result.value)
            if result.issues:
                issues[start + place] = result.issues

    def __repr__(self) -> str:
        options = ", ".join(f"{name}={value!r}" for name, value in self._options.items())
        return f"{self.name}.with_options({options})" if options else self.name

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self._options))


def _rebuild(kind: type[BaseValidator[T]], options: dict[str, object]) -> BaseValidator[T]:
    return kind(**options)

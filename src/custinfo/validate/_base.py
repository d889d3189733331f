"""What all validators share: options, the first look at a value, the loop over many."""

from __future__ import annotations

import datetime
import unicodedata
from collections.abc import Callable, Iterable, Mapping

from custinfo.errors import InvalidFieldError
from custinfo.validate._generic import Generic, T
from custinfo.validate._result import Issue, Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from custinfo.validate._batch import BatchResult

__all__ = ["BaseValidator", "column", "fail", "is_missing_object", "issue", "narrowed", "plain_text", "text_or_issue"]

_STEP_ROWS = 65_536
_PLAIN: dict[str, Issue] = {}
_type_name = type.__dict__["__name__"].__get__  # a metaclass may have another


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


def plain_text(value: object) -> str | None:
    """*value* as a plain text where it is one of any class, else None.

    By type, since ``__class__`` may be made up; and a subclass may have replaced any method, so str's own is called.
    """
    if type(value) is str:
        return value
    return str.__str__(value) if issubclass(type(value), str) else None


def text_or_issue(value: object, *, max_length: int) -> str | Issue:
    """*value* as plain text of at most *max_length* characters, or what is wrong with it.

    Length is looked at before anything else, so that a text of any size costs nothing.
    """
    text = plain_text(value)
    if text is None:
        return issue("value.missing" if is_missing_object(value) else "value.type")
    if not text:
        return issue("value.missing")
    if len(text) > max_length:
        return issue("value.too_long", max_length=max_length)
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return issue("value.surrogate")
    return text


def narrowed(text: str, result: Result[T], check: Callable[[str], Result[T]]) -> Result[T]:
    """*result*, a refusal of *text*, with what its full-width characters stand for as a suggestion if that is good."""
    narrow = unicodedata.normalize("NFKC", text)
    again = check(narrow) if narrow != text else result
    if not again:
        return result
    return Result(None, (*result.issues, issue("value.fullwidth")), {"suggestion": again.value})


def is_missing_object(value: object) -> bool:
    """None, NaN and NaT stand for missing in columns.

    >>> is_missing_object(float("nan")), is_missing_object(0)
    (True, False)
    """
    if value is None:
        return True
    kind = type(value)
    if issubclass(kind, (float, datetime.date)):
        try:
            return bool(value != value)
        except Exception:  # noqa: BLE001  a class of the caller's that cannot be compared is no NaN
            return False
    return _type_name(kind) in ("NAType", "NaTType")


def column(values: object) -> list[object]:
    """The values of a list, iterable, array, pandas or polars series or Arrow array, as a list of Python objects."""
    if type(values) is list:
        return values
    shape = getattr(values, "shape", None)
    if (shape is not None and len(shape) != 1) or hasattr(values, "columns"):
        raise InvalidFieldError("many() takes one column; choose it from the table", code="values")
    if isinstance(values, (str, bytes, bytearray, Mapping)):
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
        self._check_options()

    def _check_options(self) -> None:
        """Raise `InvalidFieldError`, code ``"option"``, where an option has a value that cannot be."""

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

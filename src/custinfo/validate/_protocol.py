"""What every validator is, for those who write their own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar, runtime_checkable

from custinfo.validate._batch import BatchResult
from custinfo.validate._result import Result

__all__ = ["Validator"]

T_co = TypeVar("T_co", covariant=True)


@runtime_checkable
class Validator(Protocol[T_co]):
    """Checks one value or many and says which codes it can give.

    >>> from custinfo.validate import email
    >>> isinstance(email, Validator)
    True
    """

    @property
    def codes(self) -> frozenset[str]:
        """Every code that an issue of this validator can have."""
        ...

    # *args is never used: with it type checkers let each validator name its own options
    def __call__(self, value: object, /, *args: Any, **options: Any) -> Result[T_co]:
        """Check one value; never raises for a bad one."""
        ...

    def many(
        self, values: Iterable[object], *, progress: bool | Callable[[int, int], None] = False, **options: Any
    ) -> BatchResult[T_co]:
        """Check a column of values."""
        ...

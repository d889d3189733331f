"""What a check of many values answers: `BatchResult`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from custinfo._columns import ColumnResult, frozen
from custinfo.validate._catalogue import CODE_NAMES, code_number
from custinfo.validate._result import Issue

T_co = TypeVar("T_co", covariant=True)

__all__ = ["BatchResult"]


class BatchResult(ColumnResult, Generic[T_co]):
    """The answers for n values, in their order.

    Args:
        values: the n normal forms, None where a value is not good.
        issues: row -> what was found there; rows without issues are left out.

    >>> from custinfo.validate import email
    >>> batch = email.many(["info@example.com", "nobody"])
    >>> batch.ok.tolist(), batch.values
    ([True, False], ['info@example.com', None])
    >>> [(row, issue.code) for row, issue in batch.failures()], batch.counts()
    ([(1, 'email.no_at')], {'email.no_at': 1})
    """

    __slots__ = ("_codes", "_issues", "_values")

    def __init__(self, values: list[T_co | None], issues: Mapping[int, tuple[Issue, ...]]) -> None:
        self._values = values
        self._issues = issues
        self._codes: NDArray[np.uint16] | None = None

    @property
    def values(self) -> list[T_co | None]:
        """The normal forms, None where there is an error."""
        return self._values

    @property
    def codes(self) -> NDArray[np.uint16]:
        """Shape (n,), uint16: number of each row's first error in `code_names`, 0 for a good value."""
        if self._codes is None:
            codes = np.zeros(len(self._values), dtype=np.uint16)
            for row, issue in self._first_errors():
                codes[row] = code_number(issue.code)
            self._codes = frozen(codes)
        return self._codes

    @property
    def code_names(self) -> tuple[str, ...]:
        """The whole catalogue, the same for every batch; ``code_names[0] == ""``."""
        return CODE_NAMES

    @property
    def ok(self) -> NDArray[np.bool_]:
        """Shape (n,), bool: no issue of the row is an error."""
        good: NDArray[np.bool_] = self.codes == 0
        return good

    def issues(self) -> Iterator[tuple[int, Issue]]:
        """(row, issue) of everything found, warnings too, by row."""
        for row in sorted(self._issues):
            for issue in self._issues[row]:
                yield row, issue

    def failures(self) -> Iterator[tuple[int, Issue]]:
        """(row, issue) of each error, by row."""
        return ((row, issue) for row, issue in self.issues() if issue.severity == "error")

    def counts(self) -> dict[str, int]:
        """Code -> number of rows whose first error it is, most frequent first."""
        counter = Counter(issue.code for _, issue in self._first_errors())
        return dict(sorted(counter.items(), key=lambda item: (-item[1], item[0])))

    def to_dict(self) -> dict[str, np.ndarray[tuple[int], np.dtype[Any]]]:
        """Columns ``ok``, ``value`` and ``code`` (of the first error, empty for a good value)."""
        names = np.array(CODE_NAMES, dtype=object)
        return {"ok": self.ok, "value": np.fromiter(self._values, dtype=object), "code": names[self.codes]}

    def _first_errors(self) -> Iterator[tuple[int, Issue]]:
        last = -1
        for row, issue in self.failures():
            if row != last:
                yield row, issue
                last = row

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"BatchResult(rows={len(self)}, errors={sum(self.counts().values())})"

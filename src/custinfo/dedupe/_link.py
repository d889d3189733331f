"""Links between two tables: which record of the one is the same person's as which of the other."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np

from custinfo._view import Progress
from custinfo.dedupe._compare import compare
from custinfo.dedupe._duplicates import Duplicates, Pairs
from custinfo.dedupe._find import search_columns
from custinfo.dedupe._kinds import infer_kinds
from custinfo.dedupe._model import evidence
from custinfo.dedupe._records import read_records

__all__ = ["Links", "link"]

Ints = np.ndarray[Any, np.dtype[np.int64]]
_BIT = float(np.log(2))


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Links(Duplicates):
    """Which records of two tables are one person's.

    All that `Duplicates` has is about the rows of the left table followed by those of the right one.

    Attributes:
        left_rows: number of rows of the left table.
    """

    left_rows: int

    @functools.cached_property
    def links(self) -> Pairs:
        """The links by left row; *left* and *right* are rows of their own tables, each link above the threshold."""
        return self._linked(self.labels)

    @functools.cached_property
    def auto_links(self) -> Pairs:
        """The links that need no person: sure, and without a rival that is nearly as likely."""
        return self._linked(self.auto)

    def _title(self) -> str:
        rows = len(self.labels)
        return f"{self.left_rows:,} and {rows - self.left_rows:,} records, {len(self.links):,} links"

    def _linked(self, labels: Ints) -> Pairs:
        beyond = np.arange(self.left_rows, len(labels), dtype=np.int64)
        partner = np.full(len(labels), -1, np.int64)
        partner[labels[beyond]] = beyond
        left = np.flatnonzero(partner[labels[: self.left_rows]] >= 0).astype(np.int64)
        right = partner[labels[left]]
        search = self.search
        if search is None or not len(left):
            return Pairs(left=left, right=right - self.left_rows, weight=np.zeros(len(left)))
        a, b = self.distinct[left], self.distinct[right]
        x, y = np.minimum(a, b), np.maximum(a, b)
        seen = evidence(search.fields, compare(search.fields, x, y), x, y, search.chances)
        return Pairs(left=left, right=right - self.left_rows, weight=search.model.log_odds(seen) / _BIT)


def link(
    left: object,
    right: object,
    *,
    fields: Mapping[str, str] | None = None,
    threshold: float | None = None,
    one_to_one: bool = True,
    rules: Sequence[str | Sequence[str]] | None = None,
    seed: int = 0,
    progress: Progress = False,
) -> Links:
    """Find which record of one table is the same person's as which of another; neither has duplicates inside.

    Of all ways to link each record once at most, the one is chosen whose links have the highest sum of weights above
    the threshold. Columns of one name are compared with each other, and so are columns of one kind: a payment's "payer"
    of kind full_name with given and family name of the customers.

    Args:
        left: columns of any form, as for `find_duplicates`.
        right: columns of the other table.
        fields: column of either table -> kind; inferred where left out.
        threshold: match weight in bits from which records may be linked, instead of that of the highest expected F1.
        one_to_one: whether a right record is linked once at most. Without it each left record is linked with the right
            one that it weighs most with, as payments are with customers.
        rules: what is never linked, as for `find_duplicates`.
        seed: seed of the samples that the model is estimated from.
        progress: ``True`` shows a bar where tqdm is installed; a function is called with (done, total).

    Returns:
        `Links`: ``links`` and ``auto_links`` by row of each table; a link is in the latter only where it is sure even
        against all other links that its records could have instead.

    Raises:
        InvalidFieldError: ``dedupe.kind``, ``dedupe.column``, ``dedupe.rules``, ``columns.*``.

    Source: Jaro, Advances in Record-Linkage Methodology, JASA 84 (1989).

    >>> crm = {"name": ["Ann Lee", "Bob Ray"], "email": ["ann@example.com", "bob@example.com"]}
    >>> shop = {"name": ["Ray, Robert", "Lee, Ann"], "email": ["bob@example.com", "ann@example.com"]}
    >>> found = link(crm, shop)
    >>> found.links.left.tolist(), found.links.right.tolist()
    ([0, 1], [1, 0])
    """
    (one, kinds), (other, other_kinds) = read_records(left), read_records(right)
    if fields is None and (kinds is not None or other_kinds is not None):
        fields = {**(kinds or infer_kinds(one)), **(other_kinds or infer_kinds(other))}
    counts = [min((len(column) for column in table.values()), default=0) for table in (one, other)]
    names = list(dict.fromkeys([*one, *other]))
    columns = {name: _joined(one.get(name), other.get(name), counts) for name in names}
    source = "source"
    while source in columns:
        source += "_"
    columns[source] = np.repeat(np.array([0, 1], np.int64), counts)
    found = search_columns(
        columns,
        fields=fields,
        threshold=threshold,
        link=source,
        rules=rules,
        seed=seed,
        progress=progress,
        ids=None,
        one_to_one=one_to_one,
    )
    values = {field.name: getattr(found, field.name) for field in attrs.fields(Duplicates)}
    return Links(**values, left_rows=counts[0])


def _joined(
    one: np.ndarray[Any, Any] | None, other: np.ndarray[Any, Any] | None, counts: Sequence[int]
) -> np.ndarray[Any, Any]:
    """One column below the other; a table that lacks it has missing values."""
    if one is not None and other is not None and one.dtype == other.dtype:
        return np.concatenate([one, other])
    result = np.full(sum(counts), None, object)
    for start, column in ((0, one), (counts[0], other)):
        if column is not None:
            # Times keep their type as single values; as objects those of nanoseconds would become integers.
            result[start : start + len(column)] = list(column) if column.dtype.kind in "mM" else column.tolist()
    return result

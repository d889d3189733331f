"""The result of a search for duplicates."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np

from custinfo._columns import ColumnResult
from custinfo.dedupe._compare import compare
from custinfo.dedupe._decide import Estimate
from custinfo.dedupe._explain import Explanation, explanation
from custinfo.dedupe._levels import LEVELS
from custinfo.dedupe._model import evidence
from custinfo.dedupe._run import Search
from custinfo.errors import InvalidFieldError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from custinfo.dedupe._matcher import Matcher

__all__ = ["Diagnostics", "Duplicates", "Pairs"]

Ints = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, np.dtype[np.float64]]
_BIT = float(np.log(2))


@attrs.frozen(kw_only=True, eq=False)
class Pairs(ColumnResult):
    """Pairs of records and how sure it is that they are one person's.

    Attributes:
        left: int64 (p,), row of one record.
        right: int64 (p,), row of the other, larger than *left*.
        weight: float64 (p,), match weight in bits.
        probability: float64 (p,), ``1 / (1 + 2**-weight)``.
    """

    left: Ints
    right: Ints
    weight: Floats

    @property
    def probability(self) -> Floats:
        """Probability that both records are one person's."""
        return 1 / (1 + np.exp2(-np.clip(self.weight, -1000, 1000)))

    def to_dict(self) -> dict[str, np.ndarray[Any, Any]]:
        """Columns left, right, weight, probability."""
        return {"left": self.left, "right": self.right, "weight": self.weight, "probability": self.probability}

    def take(self, keep: np.ndarray[Any, Any]) -> Pairs:
        """Some of the pairs."""
        return Pairs(left=self.left[keep], right=self.right[keep], weight=self.weight[keep])


@attrs.frozen(kw_only=True, eq=False)
class Diagnostics:
    """How the decision came about.

    Attributes:
        kinds: column -> kind, as given or inferred.
        rows: number of records.
        distinct_rows: number of different records among them.
        candidates: key -> pairs that it brought together.
        dropped: what is in common -> records of which every block was too large; they met only a few others of it.
        prior: match weight in bits of two records of which nothing is known.
        m: field -> probability of each level (`levels`) for two records of one person.
        u: field -> the same for records of two persons, where no value frequency says better.
        threshold: weight in bits from which pairs count for `Duplicates.labels`.
        auto_threshold: the same for `Duplicates.auto`.
        labels: what the model expects of the labels.
        auto: what the model expects of the automatic decision.
        trustworthy: whether the data suffice for these estimates.
        warnings: what to know before using the result.
        rules: what never meets, whatever else agrees.
    """

    kinds: dict[str, str]
    rows: int
    distinct_rows: int
    candidates: dict[str, int]
    dropped: dict[str, int]
    prior: float
    m: dict[str, tuple[float, ...]]
    u: dict[str, tuple[float, ...]]
    threshold: float
    auto_threshold: float
    labels: Estimate
    auto: Estimate
    trustworthy: bool
    warnings: tuple[str, ...]
    rules: tuple[str, ...]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Duplicates(ColumnResult):
    """Which records are one person's.

    Attributes:
        labels: int64 (n,), cluster of each record in input order: the smallest row of the cluster; decided at the
            highest expected F1.
        auto: int64 (n,), the finer partition that may be merged without a person looking: the lower 95 % bound of its
            estimated precision is at least .999.
        ids: the record ids that the caller gave, or ``None``.
        pairs: the pairs that were weighed and are not clearly two persons'.
        diagnostics: how the decision came about.
    """

    labels: Ints
    auto: Ints
    ids: tuple[Any, ...] | None
    pairs: Pairs
    diagnostics: Diagnostics
    search: Search | None
    distinct: Ints

    @functools.cached_property
    def clusters(self) -> list[Ints]:
        """Rows of each cluster of two or more, by their smallest row."""
        return _clusters(self.labels)

    @functools.cached_property
    def matcher(self) -> Matcher:
        """A `Matcher` with these records and what was estimated from them, made when first asked for.

        Raises:
            InvalidFieldError: ``dedupe.thin`` (nothing was estimated), ``dedupe.link`` (a search between two sources).
        """
        from custinfo.dedupe._matcher import Matcher

        return Matcher.of(self)

    def to_dict(self) -> dict[str, np.ndarray[Any, Any]]:
        """Columns label and auto, and id where ids were given."""
        columns: dict[str, np.ndarray[Any, Any]] = {"label": self.labels, "auto": self.auto}
        if self.ids is not None:
            ids = np.empty(len(self.ids), object)
            ids[:] = self.ids
            columns = {"id": ids, **columns}
        return columns

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._title()})"

    def _title(self) -> str:
        return f"{len(self.labels):,} records, {len(np.unique(self.labels)):,} persons"

    def explain(self, left: int, right: int) -> Explanation:
        """Why two records are held to be one person's, or two.

        Args:
            left: row of one record.
            right: row of the other.

        Raises:
            InvalidFieldError: ``dedupe.row`` (no such row, or twice the same).
        """
        rows = len(self.labels)
        if not (0 <= left < rows and 0 <= right < rows) or left == right:
            raise InvalidFieldError(
                f"rows must be two different ones of 0 ... {rows - 1}, not {left} and {right}", code="dedupe.row"
            )
        a, b = int(self.distinct[left]), int(self.distinct[right])
        if self.search is None or a < 0 or b < 0:
            return explanation(left, right, [], [], [], self.diagnostics.prior)
        search = self.search
        x, y = np.array([min(a, b)]), np.array([max(a, b)])
        levels = compare(search.fields, x, y)
        weights = search.model.parts(evidence(search.fields, levels, x, y, search.chances))[:, 0] / _BIT
        prior = search.model.prior / _BIT
        broken = [rule.text() for rule in search.conflicts.broken(a, b)]
        return explanation(left, right, search.fields, levels[:, 0].tolist(), weights.tolist(), prior, broken)

    def review(self, low: float | None = None, high: float | None = None) -> Pairs:
        """The pairs that a person should look at, the most doubtful first.

        Args:
            low: weight in bits from which a pair counts; by default somewhat below the threshold of `labels`.
            high: weight in bits up to which it counts; by default the threshold of `auto`.
        """
        bottom = self.diagnostics.threshold - 3.0 if low is None else low
        top = max(self.diagnostics.auto_threshold, bottom) if high is None else high
        chosen = np.flatnonzero((self.pairs.weight >= bottom) & (self.pairs.weight < top))
        doubt = np.abs(self.pairs.weight[chosen])
        return self.pairs.take(chosen[np.lexsort((self.pairs.right[chosen], self.pairs.left[chosen], doubt))])


def _clusters(labels: Ints) -> list[Ints]:
    order = np.argsort(labels, kind="stable")
    starts = np.flatnonzero(np.append(True, np.diff(labels[order]) != 0)) if len(labels) else np.zeros(0, np.int64)
    return [part for part in np.split(order.astype(np.int64), starts[1:]) if len(part) > 1]


def levels_by_name(names: Sequence[str], table: Floats) -> dict[str, tuple[float, ...]]:
    """Rows of a table by field."""
    return {name: tuple(float(x) for x in table[f][1:LEVELS]) for f, name in enumerate(names)}


def nothing(rows: int, kinds: Mapping[str, str], ids: tuple[Any, ...] | None, warning: str) -> Duplicates:
    """The result where no two records can be compared."""
    none = np.zeros(0, np.int64)
    blank = Estimate(pairs=0, precision=1.0, precision_low=1.0, recall=1.0, f1=1.0)
    return Duplicates(
        labels=np.arange(rows, dtype=np.int64),
        auto=np.arange(rows, dtype=np.int64),
        ids=ids,
        pairs=Pairs(left=none, right=none, weight=np.zeros(0)),
        search=None,
        distinct=np.full(rows, -1, np.int64),
        diagnostics=Diagnostics(
            kinds=dict(kinds),
            rows=rows,
            distinct_rows=0,
            candidates={},
            dropped={},
            prior=0.0,
            m={},
            u={},
            threshold=0.0,
            auto_threshold=float("inf"),
            labels=blank,
            auto=blank,
            trustworthy=False,
            warnings=(warning,),
            rules=(),
        ),
    )

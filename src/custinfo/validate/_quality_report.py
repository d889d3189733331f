"""The quality report: scores, gate, comparison, merge."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from numbers import Real

import attrs

from custinfo.errors import InvalidFieldError
from custinfo.validate._digests import count_digests, join_digests
from custinfo.validate._quality_sample import FailingRow, choose

__all__ = ["DIMENSIONS", "Gate", "QualityReport", "Score", "fingerprint"]

DIMENSIONS = ("completeness", "validity", "uniqueness", "consistency", "timeliness", "accuracy")


@attrs.frozen
class Score:
    """A share of rows.

    >>> Score(3, 4).value, Score(0, 0).value
    (0.75, None)
    """

    numerator: int
    denominator: int

    @property
    def value(self) -> float | None:
        """Numerator by denominator, None where nothing was to be measured."""
        return self.numerator / self.denominator if self.denominator else None


@attrs.frozen
class Gate:
    """Whether a report is good enough; true when passed.

    Args:
        failed: (field, dimension, score or None, wanted) of each score that is too low or missing.
    """

    failed: tuple[tuple[str, str, float | None, float], ...]

    def __bool__(self) -> bool:
        return not self.failed


@attrs.frozen(kw_only=True)
class QualityReport:
    """Scores of many records against a schema, see `quality`.

    Args:
        rows: number of records.
        scores: (field, dimension) -> `Score`, for every field and dimension.
        failing_rows: at most ``limit`` of the things that make rows fail, the first of each kind, values masked.
        failing_count: number of rows with an error, a placeholder or a missing required value.
        codes: (field, code) -> how often it was found. What lowers a score without making a row fail is counted too:
            rules that only warn, ``rule.outdated``, ``rule.reference``.
        signature: of the schema; reports compare and merge only where it is equal.
        as_of: the day from which ages were counted.
        limit: size of the sample.
        distinct: unique field -> sorted digests of its normal forms, for `merge`; None in a report from JSON.
    """

    rows: int
    scores: Mapping[tuple[str, str], Score]
    failing_rows: tuple[FailingRow, ...]
    failing_count: int
    codes: Mapping[tuple[str, str], int]
    signature: str = attrs.field(repr=False)
    as_of: str | None = attrs.field(default=None, repr=False)
    limit: int = attrs.field(repr=False)
    distinct: Mapping[str, bytes | None] = attrs.field(repr=False)

    def gate(self, thresholds: Mapping[tuple[str, str] | str, float]) -> Gate:
        """Compare with the least scores that are wanted.

        Args:
            thresholds: (field, dimension), or a dimension for all its fields that were measured -> score from 0 to 1.
                A score that could not be measured fails, and so does a dimension of which none could be.

        Raises:
            InvalidFieldError: ``"quality.score"`` for a field or dimension that is not in the report,
                ``"quality.threshold"`` for a number that is not from 0 to 1.

        >>> from custinfo.validate import Schema, email, quality
        >>> report = quality([{"email": "nobody"}], Schema({"email": email}))
        >>> report.gate({("email", "validity"): 0.9}).failed
        (('email', 'validity', 0.0, 0.9),)
        """
        if not isinstance(thresholds, Mapping):
            raise InvalidFieldError("thresholds must be a mapping of score -> number", code="quality.threshold")
        failed: list[tuple[str, str, float | None, float]] = []
        for key, wanted in thresholds.items():
            if not isinstance(wanted, Real) or isinstance(wanted, bool) or not 0 <= wanted <= 1:
                raise InvalidFieldError("a threshold must be a number from 0 to 1", code="quality.threshold")
            for name in self._scores_of(key):
                value = self.scores[name].value
                if value is None or value < wanted:
                    failed.append((*name, value, wanted))
        return Gate(tuple(failed))

    def _scores_of(self, key: tuple[str, str] | str) -> list[tuple[str, str]]:
        if key in self.scores:
            return [key]  # type: ignore[list-item]
        if key not in DIMENSIONS:
            raise InvalidFieldError(
                f"no such score; there are fields {', '.join(dict.fromkeys(name for name, _ in self.scores))} and "
                f"dimensions {', '.join(DIMENSIONS)}",
                code="quality.score",
            )
        every = [name for name in self.scores if name[1] == key]
        return [name for name in every if self.scores[name].value is not None] or every

    def diff(self, earlier: QualityReport) -> dict[tuple[str, str], float | None]:
        """Change of each score since an earlier report; None where one of the two could not be measured.

        Args:
            earlier: a report with the same schema, of any day, such as one kept as JSON.

        Raises:
            InvalidFieldError: ``"quality.rules_differ"`` where the reports were made with different fields or rules.

        >>> from custinfo.validate import Schema, email, quality
        >>> schema = Schema({"email": email})
        >>> kept = quality([{"email": "a@example.com"}, {"email": "b"}], schema).to_json()
        >>> now = quality([{"email": "a@example.com"}], schema)
        >>> now.diff(QualityReport.from_json(kept))["email", "validity"]
        0.5
        """
        self._same_rules(earlier)
        changes: dict[tuple[str, str], float | None] = {}
        for name, score in self.scores.items():
            now, before = score.value, earlier.scores[name].value
            changes[name] = None if now is None or before is None else now - before
        return changes

    def merge(self, other: QualityReport) -> QualityReport:
        """The report of this one's rows followed by the other's, equal to measuring them together.

        Raises:
            InvalidFieldError: ``"quality.rules_differ"`` where the reports were made with different fields, rules,
                days or sample sizes; ``"quality.no_digests"`` where a field is unique and one of the reports comes
                from JSON, which does not hold what is needed to find values that both have.
        """
        self._same_rules(other)
        if (self.as_of, self.limit) != (other.as_of, other.limit):
            raise InvalidFieldError(
                "the reports have different as_of or max_failing_rows; measure both alike", code="quality.rules_differ"
            )
        distinct: dict[str, bytes | None] = {}
        for path, mine in self.distinct.items():
            theirs = other.distinct.get(path)
            if mine is None or theirs is None:
                raise InvalidFieldError(
                    "a report from JSON has no digests of unique fields; merge the reports that quality() gave",
                    code="quality.no_digests",
                )
            distinct[path] = join_digests(mine, theirs)
        scores = {}
        for name, score in self.scores.items():
            also = other.scores[name]
            known = distinct.get(name[0]) if name[1] == "uniqueness" else None
            numerator = score.numerator + also.numerator if known is None else count_digests(known)
            scores[name] = Score(numerator, score.denominator + also.denominator)
        later = [attrs.evolve(found, row=found.row + self.rows) for found in other.failing_rows]
        codes = {key: self.codes.get(key, 0) + other.codes.get(key, 0) for key in sorted({*self.codes, *other.codes})}
        return attrs.evolve(
            self,
            rows=self.rows + other.rows,
            scores=scores,
            failing_rows=tuple(choose((*self.failing_rows, *later), self.limit)),
            failing_count=self.failing_count + other.failing_count,
            codes=codes,
            distinct=distinct,
        )

    def _same_rules(self, other: QualityReport) -> None:
        if not isinstance(other, QualityReport):
            raise InvalidFieldError("a QualityReport was expected; read JSON with from_json", code="quality.report")
        if self.signature != other.signature or self.scores.keys() != other.scores.keys():
            raise InvalidFieldError(
                "the reports were made with different fields or rules; measure both with one schema",
                code="quality.rules_differ",
            )

    def to_json(self) -> str:
        """The report as JSON: scores, counts and the masked sample; no value and no digest.

        The form is named by ``"$v": "quality/1"``: keys are added, never changed, within a version.
        """
        from custinfo.validate._quality_json import write

        return write(self)

    @classmethod
    def from_json(cls, text: str | bytes) -> QualityReport:
        """A report that was kept as JSON, to compare with.

        Raises:
            InvalidFieldError: ``"quality.json"`` for anything else than what `to_json` writes.

        >>> from custinfo.validate import Schema, email, quality
        >>> text = quality([{"email": "b"}], Schema({"email": email})).to_json()
        >>> QualityReport.from_json(text).to_json() == text
        True
        """
        from custinfo.validate._quality_json import read

        return read(text)

    def to_html(self, locale: str = "en") -> str:
        """The report as one page that needs no other file; every value is escaped.

        Args:
            locale: ``"en"`` or ``"zh"``; a regional tag such as ``"zh-CN"`` works too.

        Raises:
            InvalidFieldError: ``"locale"`` for another language.
        """
        from custinfo.validate._quality_page import whole_page

        return whole_page(self, locale)

    def _repr_html_(self) -> str:
        from custinfo.validate._quality_page import score_table

        return score_table(self, "en")


def fingerprint(signature: tuple[object, ...]) -> str:
    """What stands for the rules of a schema in reports."""
    return hashlib.sha256(repr(signature).encode("utf-8", "surrogatepass")).hexdigest()[:32]

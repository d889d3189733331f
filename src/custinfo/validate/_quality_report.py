"""The quality report: scores, gate, comparison, merge, JSON and HTML."""

from __future__ import annotations

import json
from collections.abc import Mapping

import attrs

from custinfo._view import page, table
from custinfo.errors import InvalidFieldError
from custinfo.model import mask

__all__ = ["DIMENSIONS", "FailingRow", "Gate", "QualityReport", "Score", "masked"]

DIMENSIONS = ("completeness", "validity", "uniqueness", "consistency", "timeliness", "accuracy")
_CHINESE = {
    "completeness": "完整性",
    "validity": "有效性",
    "uniqueness": "唯一性",
    "consistency": "一致性",
    "timeliness": "及时性",
    "accuracy": "准确性",
}
_MASKS = (("email", "email"), ("phone", "phone"), ("mobile", "phone"))
_MASK_LENGTH = 64
_HEADINGS = {
    "en": (
        "Data quality",
        "Scores",
        "Failing rows",
        "What was found",
        "field",
        "row",
        "code",
        "value",
        "count",
        "rows",
    ),
    "zh": ("数据质量", "得分", "不合格的行", "问题汇总", "字段", "行", "代码", "值", "数量", "行数"),
}


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
class FailingRow:
    """One thing that is wrong in one row.

    Args:
        row: place of the row, from 0.
        field: path of the field, or the paths of a rule.
        code: what is wrong.
        masked: what may be shown of the value.
    """

    row: int
    field: str
    code: str
    masked: str


@attrs.frozen
class Gate:
    """Whether a report is good enough; true when passed.

    Args:
        failed: (field, dimension, score or None, wanted) of each score that is too low or missing.
    """

    failed: tuple[tuple[str, str, float | None, float], ...]

    def __bool__(self) -> bool:
        return not self.failed


def masked(path: str, value: object) -> str:
    """What may be shown of a value in a report, by the name of its field."""
    name = path.replace("[]", "").lower()
    how = next(
        (how for word, how in (("email", "email"), ("phone", "phone"), ("mobile", "phone")) if word in name), "first"
    )
    return "" if value is None else mask("".join(char if char.isprintable() else "·" for char in str(value)[:64]), how)


@attrs.frozen(kw_only=True)
class QualityReport:
    """Scores of many records against a schema, see `quality`.

    Args:
        rows: number of records.
        scores: (field, dimension) -> `Score`, for every field and dimension.
        failing_rows: the first things that were found, at most ``limit``, values masked.
        failing_count: number of rows in which anything is wrong.
        codes: (field, code) -> how often it was found.
        signature: of the schema and day; reports compare and merge only where it is equal.
        limit: size of the sample.
        distinct: unique field -> digests of its normal forms, for `merge`; in no output.
    """

    rows: int
    scores: Mapping[tuple[str, str], Score]
    failing_rows: tuple[FailingRow, ...]
    failing_count: int
    codes: Mapping[tuple[str, str], int]
    signature: tuple[object, ...] = attrs.field(repr=False)
    limit: int = attrs.field(repr=False)
    distinct: Mapping[str, frozenset[bytes]] = attrs.field(repr=False)

    def gate(self, thresholds: Mapping[tuple[str, str] | str, float]) -> Gate:
        """Compare with the least scores that are wanted.

        Args:
            thresholds: (field, dimension), or a dimension for all its fields that were measured -> score from 0 to 1.
                A single score that could not be measured fails.

        Raises:
            InvalidFieldError: ``"quality.score"`` for a field or dimension that is not in the report.

        >>> from custinfo.validate import Schema, email, quality
        >>> report = quality([{"email": "nobody"}], Schema({"email": email}))
        >>> report.gate({("email", "validity"): 0.9}).failed
        (('email', 'validity', 0.0, 0.9),)
        """
        failed = []
        for key, wanted in thresholds.items():
            names = (
                [key]
                if isinstance(key, tuple)
                else [name for name, score in self.scores.items() if name[1] == key and score.value is not None]
            )
            if (isinstance(key, tuple) and key not in self.scores) or (isinstance(key, str) and key not in DIMENSIONS):
                raise InvalidFieldError(
                    f"no such score; there are fields {', '.join(sorted({name for name, _ in self.scores}))} and "
                    f"dimensions {', '.join(DIMENSIONS)}",
                    code="quality.score",
                )
            for name in names:
                value = self.scores[name].value
                if value is None or value < wanted:
                    failed.append((*name, value, wanted))
        return Gate(tuple(failed))

    def diff(self, earlier: QualityReport) -> dict[tuple[str, str], float | None]:
        """Change of each score since an earlier report; None where one of the two could not be measured.

        Raises:
            InvalidFieldError: ``"quality.rules_differ"`` where the reports were made with different fields or rules.
        """
        self._same_rules(earlier, without_day=True)
        changes: dict[tuple[str, str], float | None] = {}
        for name, score in self.scores.items():
            now, before = score.value, earlier.scores[name].value
            changes[name] = None if now is None or before is None else now - before
        return changes

    def merge(self, other: QualityReport) -> QualityReport:
        """The report of this one's rows followed by the other's, equal to measuring them together.

        Raises:
            InvalidFieldError: ``"quality.rules_differ"`` where the reports were made with different fields, rules,
                days or sample sizes.
        """
        self._same_rules(other)
        distinct = {path: found | other.distinct[path] for path, found in self.distinct.items()}
        scores = {}
        for name, score in self.scores.items():
            theirs = other.scores[name]
            numerator = score.numerator + theirs.numerator
            if name[1] == "uniqueness" and name[0] in distinct:
                numerator = len(distinct[name[0]])
            scores[name] = Score(numerator, score.denominator + theirs.denominator)
        later = [attrs.evolve(found, row=found.row + self.rows) for found in other.failing_rows]
        codes = {key: self.codes.get(key, 0) + other.codes.get(key, 0) for key in sorted({*self.codes, *other.codes})}
        return QualityReport(
            rows=self.rows + other.rows,
            scores=scores,
            failing_rows=(*self.failing_rows, *later)[: self.limit],
            failing_count=self.failing_count + other.failing_count,
            codes=codes,
            signature=self.signature,
            limit=self.limit,
            distinct=distinct,
        )

    def _same_rules(self, other: QualityReport, *, without_day: bool = False) -> None:
        end = -1 if without_day else None
        if self.signature[:end] != other.signature[:end] or (not without_day and self.limit != other.limit):
            raise InvalidFieldError(
                "the reports were made with different fields or rules; measure both with one schema",
                code="quality.rules_differ",
            )

    def to_json(self) -> str:
        """The report as JSON: scores, counts and the masked sample; no value and no digest."""
        return json.dumps(
            {
                "$v": "quality/1",
                "rows": self.rows,
                "failing_count": self.failing_count,
                "scores": [
                    {
                        "field": field,
                        "dimension": dimension,
                        "numerator": score.numerator,
                        "denominator": score.denominator,
                        "value": score.value,
                    }
                    for (field, dimension), score in self.scores.items()
                ],
                "codes": [{"field": field, "code": code, "count": n} for (field, code), n in self.codes.items()],
                "failing_rows": [attrs.asdict(found) for found in self.failing_rows],
            },
            ensure_ascii=False,
        )

    def to_html(self, locale: str = "en") -> str:
        """The report as one page that needs no other file; every value is escaped.

        Args:
            locale: ``"en"`` or ``"zh"``.
        """
        language = "zh" if locale.lower().startswith("zh") else "en"
        title, scores, failing, found, field, row, code, value, count, rows = _HEADINGS[language]
        body = [
            (scores, f"<p>{rows}: {self.rows:,}</p>" + self._score_table(language)),
            (
                found,
                table(
                    {
                        field: [name for name, _ in self.codes],
                        code: [name for _, name in self.codes],
                        count: list(self.codes.values()),
                    },
                    max_rows=max(1, len(self.codes)),
                ),
            ),
            (
                f"{failing}: {self.failing_count:,}",
                table(
                    {
                        row: [one.row for one in self.failing_rows],
                        field: [one.field for one in self.failing_rows],
                        code: [one.code for one in self.failing_rows],
                        value: [one.masked for one in self.failing_rows],
                    },
                    max_rows=max(1, self.limit),
                ),
            ),
        ]
        return page(title, body, lang=language)

    def _score_table(self, language: str) -> str:
        fields = list(dict.fromkeys(field for field, _ in self.scores))
        columns: dict[str, list[object]] = {_HEADINGS[language][4]: list(fields)}
        for dimension in DIMENSIONS:
            name = _CHINESE[dimension] if language == "zh" else dimension
            columns[name] = [_percent(self.scores[field, dimension]) for field in fields]
        return table(columns, max_rows=max(1, len(fields)))

    def _repr_html_(self) -> str:
        return self._score_table("en")


def _percent(score: Score) -> str:
    return "–" if score.value is None else f"{score.value:.1%}"

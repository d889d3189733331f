"""Quality reports as JSON."""

from __future__ import annotations

import json
from typing import Any

import attrs

from custinfo.errors import InvalidFieldError
from custinfo.validate._quality_report import DIMENSIONS, QualityReport, Score
from custinfo.validate._quality_sample import FailingRow

__all__ = ["read", "write"]

_FORM = "quality/1"
_MAX_COUNT = 2**63 - 1


def write(report: QualityReport) -> str:
    """See `QualityReport.to_json`."""
    scores = [
        {
            "field": field,
            "dimension": dimension,
            "numerator": score.numerator,
            "denominator": score.denominator,
            "value": score.value,
        }
        for (field, dimension), score in report.scores.items()
    ]
    data = {
        "$v": _FORM,
        "signature": report.signature,
        "as_of": report.as_of,
        "rows": report.rows,
        "failing_count": report.failing_count,
        "scores": scores,
        "codes": [{"field": field, "code": code, "count": n} for (field, code), n in report.codes.items()],
        "unique": list(report.distinct),
        "limit": report.limit,
        "failing_rows": [attrs.asdict(found) for found in report.failing_rows],
    }
    text = json.dumps(data, ensure_ascii=False)
    return text if _is_utf8(text) else json.dumps(data)


def _is_utf8(text: str) -> bool:
    """Not so where a name of a field has half a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def read(text: str | bytes) -> QualityReport:
    """See `QualityReport.from_json`."""
    try:
        return _report(json.loads(text))
    except (ValueError, TypeError, KeyError, RecursionError):
        pass
    raise InvalidFieldError(
        f"not a quality report in JSON of the form {_FORM}; expected what QualityReport.to_json() wrote",
        code="quality.json",
    )


def _report(data: Any) -> QualityReport:
    if data["$v"] != _FORM:
        raise ValueError
    scores = {(_text(one["field"]), _text(one["dimension"])): _score(one) for one in data["scores"]}
    fields = {field for field, _ in scores}
    unique = [_text(path) for path in data["unique"]]
    if scores.keys() != {(field, dimension) for field in fields for dimension in DIMENSIONS} or not fields.issuperset(
        unique
    ):
        raise ValueError
    return QualityReport(
        rows=_count(data["rows"]),
        scores=scores,
        failing_rows=tuple(
            FailingRow(_count(one["row"]), _text(one["field"]), _text(one["code"]), _text(one["masked"]))
            for one in data["failing_rows"]
        ),
        failing_count=_count(data["failing_count"]),
        codes={(_text(one["field"]), _text(one["code"])): _count(one["count"]) for one in data["codes"]},
        signature=_text(data["signature"]),
        as_of=None if data["as_of"] is None else _text(data["as_of"]),
        limit=_count(data["limit"]),
        distinct=dict.fromkeys(unique),
    )


def _score(data: Any) -> Score:
    score = Score(_count(data["numerator"]), _count(data["denominator"]))
    if score.numerator > score.denominator:
        raise ValueError
    return score


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _count(value: object) -> int:
    if type(value) is not int or not 0 <= value <= _MAX_COUNT:
        raise TypeError
    return value

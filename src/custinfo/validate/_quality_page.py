"""Quality reports as HTML."""

from __future__ import annotations

from custinfo._view import Share, page, table
from custinfo.validate._catalogue import CODE_NAMES, LOCALES, severity_of
from custinfo.validate._quality_report import DIMENSIONS, QualityReport, Score
from custinfo.validate._result import Issue

__all__ = ["score_table", "whole_page"]

_ENGLISH = {
    "title": "Data quality",
    "summary": "Summary",
    "scores": "Scores",
    "found": "What was found",
    "failing": "Failing rows (sample)",
    "rows": "rows",
    "failing_rows": "failing rows",
    "as_of": "ages counted from",
    "row": "row",
    "field": "field",
    "code": "code",
    "meaning": "meaning",
    "severity": "severity",
    "value": "value (masked)",
    "count": "count",
    "unmeasured": "– was not measured: no value, no validator, no rule, no age or no reference.",
    "nothing": "Nothing.",
    "error": "✖\u00a0error",
    "warning": "▲\u00a0warning",
    "info": "●\u00a0info",
    **{dimension: dimension for dimension in DIMENSIONS},
}
_CHINESE = {
    "title": "数据质量",
    "summary": "概况",
    "scores": "得分",
    "found": "问题汇总",
    "failing": "不合格的行（样本）",
    "rows": "行数",
    "failing_rows": "不合格行数",
    "as_of": "时效计算日",
    "row": "行",
    "field": "字段",
    "code": "代码",
    "meaning": "含义",
    "severity": "级别",
    "value": "值（已脱敏）",
    "count": "数量",
    "unmeasured": "– 表示未测量：没有值、校验器、规则、时效或参照数据。",
    "nothing": "无。",
    "error": "✖\u00a0错误",
    "warning": "▲\u00a0警告",
    "info": "●\u00a0提示",
    "completeness": "完整性",
    "validity": "有效性",
    "uniqueness": "唯一性",
    "consistency": "一致性",
    "timeliness": "及时性",
    "accuracy": "准确性",
}
_WORDS = {"en": _ENGLISH, "zh": _CHINESE}


def whole_page(report: QualityReport, locale: str) -> str:
    """See `QualityReport.to_html`."""
    Issue("rule").message(locale)  # refuses a language without messages
    language = next(known for known in LOCALES if locale.lower().startswith(known))
    words = _WORDS[language]
    summary = {
        words["rows"]: [report.rows],
        words["failing_rows"]: [Share(report.failing_count, report.rows)],
        **({} if report.as_of is None else {words["as_of"]: [report.as_of]}),
    }
    sections = [
        (words["summary"], table(summary)),
        (words["scores"], f"{score_table(report, language)}<p>{words['unmeasured']}</p>"),
        (words["found"], _found(report, words, language)),
        (words["failing"], _failing(report, words)),
    ]
    return page(words["title"], sections, lang=language)


def score_table(report: QualityReport, language: str) -> str:
    """Fields down, dimensions across; dimensions of which nothing was measured are left out."""
    words = _WORDS[language]
    fields = list(dict.fromkeys(field for field, _ in report.scores))
    columns: dict[str, list[object]] = {words["field"]: list(fields)}
    for dimension in DIMENSIONS:
        scores = [report.scores[field, dimension] for field in fields]
        if any(score.denominator for score in scores):
            columns[words[dimension]] = [_shown(score) for score in scores]
    return table(columns, max_rows=max(1, len(fields)))


def _shown(score: Score) -> object:
    return Share(score.numerator, score.denominator) if score.denominator else "–"


def _found(report: QualityReport, words: dict[str, str], language: str) -> str:
    if not report.codes:
        return f"<p>{words['nothing']}</p>"
    found = sorted(report.codes.items(), key=lambda item: (-item[1], item[0]))
    return table(
        {
            words["field"]: [field for (field, _), _ in found],
            words["meaning"]: [_meaning(code, language) for (_, code), _ in found],
            words["code"]: [code for (_, code), _ in found],
            words["severity"]: [words[severity_of(code)] if code in CODE_NAMES else "" for (_, code), _ in found],
            words["count"]: [count for _, count in found],
        },
        max_rows=len(found),
    )


def _meaning(code: str, language: str) -> str:
    """The sentence of a code, where it needs no figures."""
    if code not in CODE_NAMES:
        return ""
    try:
        return Issue(code).message(language)
    except KeyError:
        return ""


def _failing(report: QualityReport, words: dict[str, str]) -> str:
    rows = report.failing_rows
    if not rows:
        return f"<p>{words['nothing']}</p>"
    return table(
        {
            words["row"]: [one.row for one in rows],
            words["field"]: [one.field for one in rows],
            words["code"]: [one.code for one in rows],
            words["value"]: [one.masked for one in rows],
        },
        max_rows=len(rows),
    )

"""The quality report against a slow count in plain Python, over rows, columns and any split of them."""

from __future__ import annotations

import datetime
import itertools
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custinfo.errors import InvalidFieldError
from custinfo.validate import QualityReport, Rule, Schema, date, email, phone, quality
from custinfo.validate._digests import Digests, count_digests, join_digests
from custinfo.validate._paths import Block, common_list, values_at
from custinfo.validate._placeholders import is_missing, is_placeholder
from custinfo.validate._quality_sample import FailingRow, choose

AS_OF = datetime.date(2026, 1, 15)
SCHEMA = Schema(
    {"email": email, "phones[].number": phone, "seen": date, "note": None},
    required=("email", "note"),
    unique=("email", "phones[].number"),
    max_age={"seen": 30},
    rules=(
        Rule("pair", ("email", "seen"), lambda address, day: not address.startswith("b") or day.year > 2000),
        Rule("warn", ("note", "email"), lambda note, address: note == "x", severity="warning"),
        Rule("each", ("number", "kind"), lambda number, kind: kind == "good", each="phones[]"),
    ),
)
value_of = {
    "email": st.sampled_from(["a@example.com", "b@example.com", "A@EXAMPLE.com", "x", "", "N/A", None]),
    "seen": st.sampled_from(["2026-01-01", "2000-01-01", "x", "1900-01-01", None, datetime.date(2025, 12, 16)]),
    "note": st.sampled_from(["x", "y", "无", " ", None]),
}
a_phone = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {"number": st.sampled_from(["+12015550123", "+12015550124", "1", "13800138000", None])},
        optional={"kind": st.sampled_from(["good", "bad", "N/A"])},
    ),
)
a_row = st.fixed_dictionaries({}, optional={**value_of, "phones": st.one_of(st.none(), st.lists(a_phone, max_size=3))})
rows_of = st.lists(a_row, max_size=12)


def oracle(rows: list[dict[str, Any]], schema: Schema) -> tuple[dict[tuple[str, str], tuple[int, int]], Any, int]:
    """(scores, codes, failing rows), one row and one value after the other."""
    right: Counter[tuple[str, str]] = Counter()
    asked: Counter[tuple[str, str]] = Counter()
    codes: Counter[tuple[str, str]] = Counter()
    distinct: dict[str, set[Any]] = {path: set() for path in schema.unique}
    failing = 0
    for row in rows:
        wrong = False
        normal: dict[str, list[Any]] = {}
        for path, validator in schema.fields.items():
            values = [value for _, value in values_at(row, path) if not is_missing(value)]
            present = [value for value in values if not is_placeholder(value)]
            asked[path, "completeness"] += 1
            right[path, "completeness"] += bool(present)
            codes[path, "value.placeholder"] += len(values) - len(present)
            lacking = not values and path in schema.required
            codes[path, "value.missing"] += lacking
            wrong = wrong or lacking or len(values) > len(present)
            normal[path] = present
            if validator is not None and present:
                results = [validator(value) for value in present]
                bad = [result.issues[0].code for result in results if not result]
                for code in bad:
                    codes[path, code] += 1
                asked[path, "validity"] += 1
                right[path, "validity"] += not bad
                wrong = wrong or bool(bad)
                normal[path] = [] if bad else [result.value for result in results]
            if path in schema.unique:
                distinct[path].update(normal[path])
                asked[path, "uniqueness"] += len(normal[path])
            if path in schema.max_age:
                for day in normal[path]:
                    fresh = AS_OF - day <= schema.max_age[path]
                    asked[path, "timeliness"] += 1
                    right[path, "timeliness"] += fresh
                    codes[path, "rule.outdated"] += not fresh
        held: dict[str, bool] = {}
        for rule in schema.rules:
            answers: list[bool] = []
            if rule.each:
                for member in row.get("phones") or ():
                    number, kind = (member or {}).get("number"), (member or {}).get("kind")
                    if number in ("+12015550123", "+12015550124") and kind in ("good", "bad"):
                        answers.append(kind == "good")
            elif all(normal[path] for path in rule.fields):
                answers.append(bool(rule.check(*(normal[path][0] for path in rule.fields))))
            for path in rule.paths if answers else ():
                held[path] = held.get(path, True) and all(answers)
            codes[", ".join(rule.paths), rule.code] += answers.count(False)
            wrong = wrong or (rule.severity == "error" and False in answers)
        for path, holds in held.items():
            asked[path, "consistency"] += 1
            right[path, "consistency"] += holds
        failing += wrong
    for path, values in distinct.items():
        right[path, "uniqueness"] = len(values)
    scores = {name: (right[name], number) for name, number in asked.items() if number}
    return scores, {key: number for key, number in codes.items() if number}, failing


def counted(report: QualityReport) -> tuple[dict[tuple[str, str], tuple[int, int]], Any, int]:
    scores = {name: (one.numerator, one.denominator) for name, one in report.scores.items() if one.denominator}
    return scores, report.codes, report.failing_count


@given(rows_of)
@settings(max_examples=80, deadline=None)
def test_rows_and_columns_are_counted_as_one_by_one(rows: list[dict[str, Any]]) -> None:
    wanted = oracle(rows, SCHEMA)
    report = quality(iter(rows), SCHEMA, as_of=AS_OF)
    assert counted(report) == wanted
    columns = {name: [row.get(name) for row in rows] for name in (*value_of, "phones")}
    assert quality(columns, SCHEMA, as_of=AS_OF) == report
    assert QualityReport.from_json(report.to_json()).to_json() == report.to_json()


@given(rows_of, st.lists(st.integers(0, 12), max_size=4), st.integers(0, 6), st.integers(1, 5))
@settings(max_examples=80, deadline=None)
def test_reports_of_any_parts_merge_into_that_of_the_whole(
    rows: list[dict[str, Any]], cuts: list[int], limit: int, block: int
) -> None:
    whole = quality(rows, SCHEMA, as_of=AS_OF, max_failing_rows=limit)
    edges = [0, *sorted(min(cut, len(rows)) for cut in cuts), len(rows)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("custinfo.validate._rows._BLOCK_ROWS", block)
        patch.setattr("custinfo.validate._digests._FOLD_AT", 1)
        first, *others = [
            quality(rows[start:end], SCHEMA, as_of=AS_OF, max_failing_rows=limit)
            for start, end in itertools.pairwise(edges)
        ]
        in_blocks = quality(rows, SCHEMA, as_of=AS_OF, max_failing_rows=limit)
    merged = first
    for part in others:
        merged = merged.merge(part)
    assert merged == whole == in_blocks
    backwards = first if not others else others[-1]
    for part in reversed([first, *others[:-1]] if others else []):
        backwards = part.merge(backwards)
    assert backwards == whole


record = st.recursive(
    st.one_of(st.none(), st.integers(0, 3), st.text("ab", max_size=2)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["a", "b", "a.b", "a[]"]), inner, max_size=3)
    ),
    max_leaves=8,
)
paths = st.lists(st.sampled_from(["a", "b", "a[]", "b[]"]), min_size=1, max_size=3).map(".".join)


@given(st.lists(st.dictionaries(st.sampled_from(["a", "b", "a.b", "a[].b"]), record, max_size=3), max_size=4), paths)
@settings(deadline=None)
def test_a_block_reads_what_each_record_has(records: list[object], path: str) -> None:
    def read() -> list[tuple[int, object]]:
        return [(row, value) for row, value in zip(*block.read(path), strict=True) if value is not None]

    block = Block(records)
    wanted = [(row, value) for row, one in enumerate(records) for _, value in values_at(one, path) if value is not None]
    assert read() == wanted
    assert read() == wanted


def test_a_name_with_a_dot_or_brackets_at_the_top_goes_before_a_path() -> None:
    records: list[object] = [{"a.b": 1, "a": {"b": 2}}, {"a": {"b": 3}}, {"a[]": [4]}, {"a": [5, 6]}]
    assert Block(records).read("a.b") == ([0, 1, 3], [1, 3, None])
    assert Block(records).read("a[]") == ([2, 3, 3], [[4], 5, 6])
    assert Block(columns={"a.b": [1, 2], "a": [{"b": 3}, {"b": 4}]}, rows=2).read("a.b") == ([0, 1], [1, 2])
    assert Block(columns={"a": [1]}, rows=1).read("b") == ([], [])


def test_paths_share_the_innermost_sequence() -> None:
    assert common_list("a[].b.c", "a[].b.d") == "a[]"
    assert common_list("a.b", "a.c") == ""
    assert common_list("a[].b[].c", "a[].b[].d") == "a[].b[]"
    assert common_list("a[]", "a[]") == "a[]"


def test_streams_structured_arrays_and_relations_are_read() -> None:
    pyarrow, duckdb = pytest.importorskip("pyarrow"), pytest.importorskip("duckdb")
    table = pyarrow.table({"email": ["a@example.com", "x", None], "other": [1, 2, 3]})

    class Stream:
        def __arrow_c_stream__(self, requested_schema: object = None) -> object:
            return table.__arrow_c_stream__(requested_schema)

    schema = Schema({"email": email}, required=("email",))
    wanted = quality(table, schema)
    assert (wanted.rows, wanted.failing_count) == (3, 2)
    assert quality(Stream(), schema) == wanted
    assert quality(duckdb.from_arrow(table), schema) == wanted
    array = np.array([("a@example.com",), ("x",), ("",)], dtype=[("email", "U20")])
    assert quality(array, schema) == wanted
    assert quality({"n": [1, 2]}, Schema({})).rows == 2


def test_objects_of_several_classes_and_without_a_field_are_read() -> None:
    class Plain:
        a = 1

    assert Block([Plain(), object(), {"a": 2}]).read("a") == ([0, 1, 2], [1, None, 2])
    assert Block([Plain(), object()]).read("a") == ([0, 1], [1, None])


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz")), max_size=30),
    st.integers(0, 12),
    st.integers(0, 30),
)
def test_the_choice_from_chosen_parts_is_the_choice_from_the_whole(
    found: list[tuple[str, str]], limit: int, cut: int
) -> None:
    rows = [FailingRow(row, field, code, "") for row, (field, code) in enumerate(found)]
    whole = choose(rows, limit)
    assert len(whole) == min(limit, len(rows))
    assert choose([*choose(rows[:cut], limit), *choose(rows[cut:], limit)], limit) == whole
    # something of every kind, as far as there is room
    kinds = Counter((one.field, one.code) for one in whole)
    everything = Counter((one.field, one.code) for one in rows)
    assert all(kinds[kind] >= min(number, limit // len(everything)) for kind, number in everything.items())


@given(st.lists(st.integers(0, 20)), st.lists(st.integers(0, 20)))
def test_digests_count_like_sets(one: list[int], other: list[int]) -> None:
    digests = []
    for values in (one, other, one + other):
        made = Digests()
        made.add(values)
        assert count_digests(made.sorted()) == len(set(values))
        digests.append(made.sorted())
    assert join_digests(digests[0], digests[1]) == digests[2]


def test_a_stream_is_measured_in_bounded_memory() -> None:
    import tracemalloc

    def rows(number: int) -> Any:
        return ({"note": f"n{at}", "ballast": "x" * 1000} for at in range(number))

    schema = Schema({"note": None}, required=("note",))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("custinfo.validate._rows._BLOCK_ROWS", 200)
        quality(rows(400), schema)
        tracemalloc.start()
        try:
            assert quality(rows(10_000), schema).rows == 10_000
            assert tracemalloc.get_traced_memory()[1] < 2_000_000  # of 10 MB
        finally:
            tracemalloc.stop()


def test_reports_from_json_compare_but_do_not_merge_where_values_are_unique() -> None:
    rows = [{"email": "a@example.com"}, {"email": "x"}]
    plain, unique = Schema({"email": email}), Schema({"email": email}, unique=("email",))
    report = quality(rows, plain)
    again = QualityReport.from_json(report.to_json().encode())
    assert again == report
    assert again.merge(again) == report.merge(report)
    kept = QualityReport.from_json(quality(rows, unique).to_json())
    assert quality(rows[:1], unique).diff(kept)["email", "validity"] == 0.5
    for one, other in ((kept, quality(rows, unique)), (quality(rows, unique), kept)):
        with pytest.raises(InvalidFieldError) as caught:
            one.merge(other)
        assert caught.value.code == "quality.no_digests"
    with pytest.raises(InvalidFieldError) as caught:
        again.diff(kept)
    assert caught.value.code == "quality.rules_differ"


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[:-1],
        lambda text: "[" * 100_000,
        lambda text: "[]",
        lambda text: "null",
        lambda text: b"\xff",
        lambda text: text.replace("quality/1", "quality/9"),
        lambda text: text.replace('"rows": 1', '"rows": -1'),
        lambda text: text.replace('"rows": 1', '"rows": true'),
        lambda text: text.replace('"rows": 1', '"rows": "secret"'),
        lambda text: text.replace('"dimension": "accuracy"', '"dimension": "beauty"'),
        lambda text: text.replace('"unique": []', '"unique": ["other"]'),
        lambda text: text.replace('"field": "email"', '"field": 3'),
        lambda text: text.replace('"limit"', '"bound"'),
    ],
)
def test_what_is_no_report_is_refused(change: Any) -> None:
    text = quality([{"email": "x"}], Schema({"email": email})).to_json()
    with pytest.raises(InvalidFieldError) as caught:
        QualityReport.from_json(change(text))
    assert caught.value.code == "quality.json"
    assert caught.value.__cause__ is None
    assert "secret" not in str(caught.value)


def test_frames_of_a_stream_and_a_reference_in_other_blocks_are_aligned() -> None:
    pandas, pyarrow = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    frame = pandas.DataFrame({"email": ["a@example.com", "x", None, "N/A", "b@example.com", "c@example.com"]})
    truth = [{"email": mail} for mail in ["A@example.com", "y@example.com", "z@example.com", "q", "b@EXAMPLE.com"]]
    schema = Schema({"email": email, "note": None}, required=("email",))
    frame["note"] = None
    report = quality(iter([frame[:1], frame[1:4], frame[4:]]), schema, reference=iter(truth))
    # the invalid value is wrong too; the missing one, the placeholder and the row without a reference do not count
    assert (report.scores["email", "accuracy"].numerator, report.scores["email", "accuracy"].denominator) == (1, 3)
    assert report.codes["email", "rule.reference"] == 2
    assert report.scores["note", "accuracy"].value is None
    assert quality(frame, schema, reference=pandas.DataFrame(truth)) == report
    reader = pyarrow.table(frame).to_reader(max_chunksize=2)
    assert quality(reader, schema, reference=truth) == report


def test_options_and_progress() -> None:
    seen: list[tuple[int, int]] = []
    schema = Schema({"email": email})
    quality([{"email": "x"}] * 3, schema, progress=lambda done, total: seen.append((done, total)))
    quality({"email": ["x", "y"]}, schema, progress=lambda done, total: seen.append((done, total)))
    quality(iter([{"email": "x"}]), schema, progress=lambda done, total: seen.append((done, total)))
    assert seen[:2] == [(3, 3), (2, 2)]
    assert seen[2][0] == 1
    with pytest.raises(InvalidFieldError) as caught:
        quality([], schema, max_failing_rows=-1)
    assert caught.value.code == "option"
    for wrong in ("text", b"bytes", 3, None):
        with pytest.raises(InvalidFieldError) as caught:
            quality(wrong, schema)
        assert caught.value.code == "columns.input"


def test_an_age_beyond_the_calendar_is_no_limit() -> None:
    schema = Schema({"seen": date}, max_age={"seen": datetime.timedelta(days=10**6)})
    assert quality([{"seen": "1000-01-01"}], schema, as_of=AS_OF).scores["seen", "timeliness"].value == 1.0

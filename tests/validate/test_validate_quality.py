"""The quality report: counts by hand and by pandas, gate, diff, merge, JSON and HTML."""

from __future__ import annotations

import csv
import datetime
import json
import pickle
import re
from pathlib import Path

import numpy as np
import pytest

from custinfo.errors import InvalidFieldError
from custinfo.model import Customer, Email
from custinfo.validate import Rule, Schema, Score, date, email, phone, postal_code, quality

SHARED = Path("/work/shared/data/dedupe/febrl3.csv")

SCHEMA = Schema(
    {"email": email, "phone": phone.with_options(region="US"), "seen": date, "note": None},
    required=("email",),
    unique=("email",),
    max_age={"seen": datetime.timedelta(days=30)},
    rules=(
        Rule("pair.present", ("email", "seen"), lambda address, day: not address.startswith("old") or day.year < 2020),
    ),
)
ROWS = [
    {"email": "a@example.com", "phone": "201 555 0123", "seen": "2026-01-01", "note": "x"},
    {"email": "A@EXAMPLE.com", "phone": "12", "seen": "2020-01-01", "note": None},
    {"email": "a@example.COM", "phone": "13800138000", "seen": "never", "note": "x"},
    {"email": "", "phone": None, "seen": None, "note": "无"},
    {"email": "old@example.com", "phone": "", "seen": "2026-01-01", "note": ""},
    {"email": "<b>nobody</b>", "phone": "", "seen": "2019-01-01"},
]
AS_OF = datetime.date(2026, 1, 15)


def test_each_dimension_is_counted_as_by_hand() -> None:
    report = quality(ROWS, SCHEMA, as_of=AS_OF)
    scores = {name: (score.numerator, score.denominator) for name, score in report.scores.items()}
    assert report.rows == 6
    assert scores["email", "completeness"] == (5, 6)
    assert scores["email", "validity"] == (4, 5)
    assert scores["email", "uniqueness"] == (3, 4)
    assert scores["email", "consistency"] == (2, 3)
    assert scores["phone", "completeness"] == (2, 6)
    assert scores["phone", "validity"] == (1, 2)
    assert scores["seen", "timeliness"] == (2, 4)
    assert scores["note", "completeness"] == (2, 6)
    assert report.scores["note", "validity"].value is None
    assert report.scores["email", "accuracy"].value is None
    assert len(scores) == 4 * 6


def test_failing_rows_name_the_code_and_show_a_masked_value() -> None:
    report = quality(ROWS, SCHEMA, as_of=AS_OF)
    assert [(found.row, found.field, found.code) for found in report.failing_rows] == [
        (1, "phone", "phone.too_short"),
        (2, "phone", "value.placeholder"),
        (2, "seen", "date.format"),
        (3, "email", "value.missing"),
        (3, "note", "value.placeholder"),
        (4, "email, seen", "pair.present"),
        (5, "email", "email.no_at"),
    ]
    assert report.failing_count == 5
    assert report.codes["email", "email.no_at"] == 1
    small = quality(ROWS, SCHEMA, as_of=AS_OF, max_failing_rows=2)
    assert len(small.failing_rows) == 2
    assert small.failing_count == 5
    everything = repr(report) + report.to_json() + report.to_html() + str(report.failing_rows)
    assert "nobody" not in everything
    assert "13800138000" not in everything


def test_rows_columns_frames_and_objects_give_the_same_report() -> None:
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    wanted = quality(ROWS, SCHEMA, as_of=AS_OF)
    columns = {name: [row.get(name) for row in ROWS] for name in SCHEMA.fields}
    for data in (iter(ROWS), tuple(ROWS), columns, pandas.DataFrame(columns), polars.DataFrame(columns)):
        assert quality(data, SCHEMA, as_of=AS_OF) == wanted
    times = {**columns, "seen": np.array(["2026-01-01", "2020-01-01", "NaT", "NaT", "NaT", "NaT"], dtype="M8[ns]")}
    assert quality(times, SCHEMA, as_of=AS_OF).scores["seen", "timeliness"] == Score(1, 2)
    with pytest.raises(InvalidFieldError, match="no column 'phone'"):
        quality({"email": ["x"]}, Schema({"email": email, "phone": phone}))
    people = [
        Customer(emails=[Email("a@example.com"), Email("b")]),
        Customer(emails=[]),
        Customer(emails=[Email("c@d.ee")]),
    ]
    report = quality(people, Schema({"emails[].value": email}))
    assert report.scores["emails[].value", "completeness"] == Score(2, 3)
    assert report.scores["emails[].value", "validity"] == Score(1, 2)
    assert quality({"contacts": [[{"email": "x"}], None]}, Schema({"contacts[].email": email})).codes == {
        ("contacts[].email", "email.no_at"): 1
    }
    assert quality({"a": [1, 2]}, Schema({})).rows == 2


def test_accuracy_needs_a_reference() -> None:
    reference = [
        {"email": "a@example.com"},
        {"email": "b@example.com"},
        {"email": ""},
        {},
        {"email": "OLD@example.com"},
    ]
    report = quality(ROWS, SCHEMA, as_of=AS_OF, reference=reference)
    assert report.scores["email", "accuracy"] == Score(1, 3)
    plain = quality([{"n": "x"}], Schema({"n": None}), reference=[{"n": "x"}])
    assert plain.scores["n", "accuracy"] == Score(1, 1)


def test_ages_are_counted_from_a_day_that_is_said() -> None:
    with pytest.raises(InvalidFieldError) as caught:
        quality(ROWS, SCHEMA)
    assert caught.value.code == "quality.as_of"
    later = quality(ROWS, SCHEMA, as_of=datetime.datetime(2026, 6, 1, tzinfo=datetime.UTC))
    assert later.scores["seen", "timeliness"] == Score(0, 4)
    assert Schema({"seen": date}, max_age={"seen": 30}).max_age == {"seen": datetime.timedelta(days=30)}


def test_a_gate_names_what_is_too_low() -> None:
    report = quality(ROWS, SCHEMA, as_of=AS_OF)
    assert report.gate({("email", "completeness"): 0.8})
    gate = report.gate({"validity": 0.7, ("email", "accuracy"): 0.1})
    assert not gate
    assert gate.failed == (("phone", "validity", 0.5, 0.7), ("email", "accuracy", None, 0.1))
    nothing = report.gate({"accuracy": 0.0})
    assert not nothing
    assert nothing.failed == tuple((name, "accuracy", None, 0.0) for name in SCHEMA.fields)
    assert not quality([], SCHEMA, as_of=AS_OF).gate({"validity": 0.5})
    for wrong in (("other", "validity"), "beauty", ("email", "beauty")):
        with pytest.raises(InvalidFieldError) as caught:
            report.gate({wrong: 0.5})
        assert caught.value.code == "quality.score"
    for wrong in (1.5, -0.1, float("nan"), True):
        with pytest.raises(InvalidFieldError) as caught:
            report.gate({"validity": wrong})
        assert caught.value.code == "quality.threshold"


def test_a_diff_is_refused_where_the_rules_differ() -> None:
    before = quality(ROWS, SCHEMA, as_of=AS_OF)
    after = quality(ROWS[:1], SCHEMA, as_of=AS_OF + datetime.timedelta(days=1))
    changes = after.diff(before)
    assert changes["phone", "validity"] == 0.5
    assert changes["email", "accuracy"] is None
    for other in (Schema({"email": email}), Schema(SCHEMA.fields, required=("email",))):
        with pytest.raises(InvalidFieldError) as caught:
            after.diff(quality(ROWS, other))
        assert caught.value.code == "quality.rules_differ"
    with pytest.raises(InvalidFieldError):
        before.merge(after)
    with pytest.raises(InvalidFieldError):
        before.merge(quality(ROWS, SCHEMA, as_of=AS_OF, max_failing_rows=5))


def test_a_report_is_pickled_whole() -> None:
    report = quality(ROWS, SCHEMA, as_of=AS_OF)
    again = pickle.loads(pickle.dumps(report))
    assert again == report
    assert again.merge(report) == report.merge(report)


def test_reading_in_blocks_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = ROWS * 5
    wanted = quality(rows, SCHEMA, as_of=AS_OF, reference=rows[:20])
    monkeypatch.setattr("custinfo.validate._rows._BLOCK_ROWS", 7)
    columns = {name: [one.get(name) for one in rows] for name in SCHEMA.fields}
    assert quality(rows, SCHEMA, as_of=AS_OF, reference=rows[:20]) == wanted
    assert quality(columns, SCHEMA, as_of=AS_OF, reference=rows[:20]) == wanted


def test_json_and_html_are_whole_and_safe() -> None:
    report = quality([{"email": "<script>x</script>@@", "na<me": "\x1b]0;x"}], Schema({"email": email, "na<me": email}))
    data = json.loads(report.to_json())
    assert data["$v"] == "quality/1"
    assert data["rows"] == 1
    assert {"field": "email", "dimension": "validity", "numerator": 0, "denominator": 1, "value": 0.0} in data["scores"]
    for text in (report.to_html(), report.to_html(locale="zh-CN"), report._repr_html_()):
        assert "<script" not in text
        assert "na<me" not in text
        assert "\x1b" not in text
        assert not re.search(r"(src|href)=", text)
        assert "http" not in text
    assert "数据质量" in report.to_html(locale="zh")
    assert quality([], Schema({"email": email})).to_html()


def test_missing_rates_of_febrl_equal_those_of_pandas() -> None:
    if not SHARED.exists():
        pytest.skip("the shared folder with FEBRL-3 is not here")
    pandas = pytest.importorskip("pandas")
    frame = pandas.read_csv(SHARED, dtype=str)
    fields = {name: None for name in frame.columns if name not in {"date_of_birth", "postcode"}}
    schema = Schema({**fields, "date_of_birth": date, "postcode": postal_code.with_options(country="AU")})
    with SHARED.open(encoding="utf-8", newline="") as file:
        report = quality(csv.DictReader(file), schema)
    for name in frame.columns:
        score = report.scores[name, "completeness"]
        stand_in = report.codes.get((name, "value.placeholder"), 0)
        assert score.denominator - score.numerator - stand_in == frame[name].isna().sum()
    assert report.scores["date_of_birth", "validity"] == Score(4810, 4845)

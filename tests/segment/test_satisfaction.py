from __future__ import annotations

import math
import statistics
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custinfo.errors import InvalidFieldError
from custinfo.segment import ces, csat, nps, satisfaction
from custinfo.segment._intervals import difference_of_shares, student_quantile, wilson


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_intervals_are_the_published_ones(part: int, whole: int, low: float, high: float) -> None:
    # Newcombe, Two-sided confidence intervals for the single proportion, Statistics in Medicine 17, 1998, table I
    result = csat([5] * part + [1] * (whole - part))
    assert (round(result.low, 4), round(result.high, 4)) == (low, high)
    swapped = csat([1] * part + [5] * (whole - part))
    assert swapped.low == pytest.approx(1 - result.high)
    assert swapped.high == pytest.approx(1 - result.low)


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_intervals_of_differences_are_the_published_ones(
    one: tuple[int, int], other: tuple[int, int], low: float, high: float
) -> None:
    # Newcombe, Interval estimation for the difference between independent proportions, Statistics in Medicine 17,
    # 1998, table II, method 10
    found = difference_of_shares(one, other, 0.95)
    assert [round(bound, 4) for bound in found] == [low, high]


@pytest.mark.parametrize(
    ("degrees", "confidence", "t"),
    [
        (1, 0.95, 12.706), (2, 0.95, 4.303), (3, 0.95, 3.182), (5, 0.99, 4.032), (9, 0.90, 1.833),
        (10, 0.95, 2.228), (29, 0.99, 2.756), (30, 0.95, 2.042), (100, 0.95, 1.984), (10**7, 0.95, 1.960),
    ],
)  # fmt: skip
def test_quantiles_of_student_are_those_of_the_tables(degrees: int, confidence: float, t: float) -> None:
    # NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2, critical values of Student's t distribution
    assert round(student_quantile(confidence, degrees), 3) == t


def test_the_expansion_continues_the_exact_quantiles() -> None:
    for confidence in (0.5, 0.9, 0.999):
        assert student_quantile(confidence, 1000) == pytest.approx(student_quantile(confidence, 999), rel=2e-5)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 10), min_size=1, max_size=60))
def test_nps_is_that_of_the_trinomial_variance(answers: list[int]) -> None:
    result = nps(answers)
    signs = [1 if answer > 8 else -1 if answer < 7 else 0 for answer in answers]
    assert result.value == pytest.approx(100 * statistics.fmean(signs))
    half = 1.959964 * math.sqrt(statistics.pvariance(signs) / len(signs))
    assert result.low == pytest.approx(max(100 * (statistics.fmean(signs) - half), -100), abs=1e-4)
    assert result.high == pytest.approx(min(100 * (statistics.fmean(signs) + half), 100), abs=1e-4)
    assert sum(result.counts.values()) == result.responses == len(answers)


def test_nps_boundaries_and_the_adjusted_interval() -> None:
    assert nps([9, 10, 7, 8, 6, 0]).counts == {"promoters": 2, "passives": 2, "detractors": 2}
    few = nps([10] * 5)
    assert (few.low, few.high) == (100, 100)
    adjusted = nps([10] * 5, interval="adjusted")
    # 5.75 promoters and .75 detractors of 8: difference .625, variance .8125 - .625**2, half 1.959964 sqrt(.421875 / 8)
    assert adjusted.value == 100
    assert adjusted.low == pytest.approx(100 * (0.625 - 1.959964 * math.sqrt(0.421875 / 8)), abs=1e-4)
    assert adjusted.high == 100
    with pytest.raises(InvalidFieldError) as info:
        nps([1], interval="exact")  # type: ignore[arg-type]
    assert info.value.code == "nps.interval"


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 7), min_size=2, max_size=40))
def test_ces_is_mean_and_student_interval(answers: list[int]) -> None:
    result = ces(answers)
    half = student_quantile(0.95, len(answers) - 1) * statistics.stdev(answers) / math.sqrt(len(answers))
    assert result.value == pytest.approx(statistics.fmean(answers))
    assert result.low == pytest.approx(max(statistics.fmean(answers) - half, 1))
    assert result.high == pytest.approx(min(statistics.fmean(answers) + half, 7))


def test_other_scales_and_thresholds() -> None:
    assert csat([7, 6, 5, 1], scale=(1, 7), satisfied=6).value == 0.5
    assert csat([1, 0], scale=(0, 1), satisfied=1).value == 0.5
    assert ces([1, 5], scale=(1, 5)).value == 3
    for options in ({"scale": (5, 1)}, {"scale": (1, 2, 3)}, {"satisfied": 9}):
        with pytest.raises(InvalidFieldError) as info:
            csat([1], **options)  # type: ignore[arg-type]
        assert info.value.code == "score.scale"


@pytest.mark.parametrize("measure", [nps, csat, ces])
def test_no_answer_one_answer_and_missing_ones(measure: Any) -> None:
    nothing = measure([])
    assert (nothing.responses, nothing.skipped) == (0, 0)
    assert math.isnan(nothing.value)
    assert nothing.text().endswith(": no answers")
    assert nothing.text("zh").endswith(":没有回答")
    one = measure([5])
    assert one.responses == 1
    assert "1 answers" in one.text()
    for absent in (None, float("nan")):
        with pytest.raises(InvalidFieldError, match="1 missing answers, the first in row 1") as info:
            measure([5, absent])
        assert info.value.code == "score.missing"
        assert measure([5, absent], missing="skip").skipped == 1
    assert measure(pd.Series([5, None]), missing="skip").responses == 1
    assert measure(iter([5, 4])).responses == 2
    assert "<table" in one._repr_html_()
    assert one.to_dict()["responses"] == 1
    for bad in ([5.5], [11], [-1], ["5"], [True], np.array([True]), [None, object()]):
        with pytest.raises(InvalidFieldError) as info:
            measure(bad, missing="skip")
        assert info.value.code == "score.value"
    for confidence in (0, 1, 95):
        with pytest.raises(InvalidFieldError) as info:
            measure([5], confidence=confidence)
        assert info.value.code == "confidence"


def test_answers_may_stand_in_any_table() -> None:
    rows = [{"score": 9, "id": 1}, {"score": 3, "id": 2}]
    frame = pd.DataFrame(rows)
    for data in (
        rows,
        frame,
        frame["score"],
        frame.to_dict("list"),
        np.array([9, 3]),
        (9, 3),
        frame.to_records(index=False),
    ):
        assert nps(data).value == 0
    assert nps({"answer": [9]}, score="answer").value == 100
    with pytest.raises(InvalidFieldError, match="no column 'score'; there are: answer"):
        nps({"answer": [9]})


def test_sentences_in_both_languages() -> None:
    assert (
        nps([10] * 3 + [0]).text("zh").startswith("NPS +50.0(95.0 % 置信区间 -34.9 至 +100.0),共 4 份回答:推荐者 3、")
    )
    assert csat([5, 1]).text() == "CSAT 50.0 % (95.0 % interval 9.5 % to 90.5 %), 2 answers: satisfied 1, others 1"
    assert ces([4]).text() == "CES 4.00, 1 answers: 4 1"
    with pytest.raises(InvalidFieldError, match="'en' or 'zh'"):
        nps([1]).text("fr")


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["app", "web", None]), st.integers(1, 5)), max_size=20))
def test_each_group_has_the_measure_of_its_answers(rows: list[tuple[str | None, int]]) -> None:
    data = {"channel": [r[0] for r in rows], "score": [r[1] for r in rows]}
    for measure, plain in (("nps", nps), ("csat", csat), ("ces", ces)):
        table = satisfaction(data, by="channel", measure=measure)  # type: ignore[arg-type]
        assert table.key.tolist() == sorted({r[0] for r in rows}, key=lambda key: (key is None, key or ""))
        for key, result in zip(table.key, table.results, strict=True):
            want = plain([score for other, score in rows if other == key])
            assert str(result) == str(want)
        assert table.to_dict()["responses"].sum() == len(rows)


def test_satisfaction_by_month() -> None:
    data = {
        "occurred_at": ["2026-01-31T20:00Z", "2026-02-01", None],
        "score": [10, 0, None],
        "channel": ["a", "b", "c"],
    }
    table = satisfaction(data, by="month", missing="skip", time_zone="Asia/Shanghai")
    assert (table.key.tolist(), table.skipped) == (["2026-02"], 1)
    assert table.results[0].value == 0
    assert repr(table) == "<NPS by month: 1 rows>"
    assert "NPS by month, 95.0 % intervals" in table._repr_html_()
    five = satisfaction({"c": [1, 1], "score": [5, 3]}, by="c", measure="csat", scale=(1, 5))
    assert five.to_dict()["value"].tolist() == [0.5]
    with pytest.raises(InvalidFieldError, match="1 missing times, the first in row 0"):
        satisfaction({"occurred_at": [None], "score": [1]}, by="month")
    with pytest.raises(InvalidFieldError) as info:
        satisfaction(data, by="channel", measure="stars")  # type: ignore[arg-type]
    assert info.value.code == "satisfaction.measure"


def test_wilson_at_the_ends_is_exact() -> None:
    assert wilson(0, 7, 0.95)[0] == 0
    assert wilson(7, 7, 0.95)[1] == 1

"""Models held against a period that they have not seen."""

from __future__ import annotations

import datetime as dt
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from custinfo.errors import InvalidFieldError
from custinfo.segment import BgNbd, Calibration, calibration, fit_bg_nbd, fit_pareto_nbd, summary

MODEL = BgNbd(r=0.243, alpha=4.414, a=0.793, b=2.426)


def payments(seed: int = 0, customers: int = 200) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    rows = [(i, day) for i in range(customers) for day in rng.integers(0, 300, rng.integers(1, 9))]
    start = np.datetime64("2026-01-01")
    return {
        "customer_id": [f"c{i}" for i, _ in rows],
        "occurred_at": [str(start + np.timedelta64(int(day), "D")) for _, day in rows],
        "amount": [1] * len(rows),
    }


@pytest.fixture(scope="module")
def held_out() -> Calibration:
    table = payments()
    return calibration(MODEL, summary(table, end="2026-06-01"), summary(table, end="2026-10-27"), most=4)


def test_groups_are_means_over_their_customers(held_out: Calibration) -> None:
    table = payments()
    split = np.datetime64("2026-06-01")
    days: dict[str, set[np.datetime64]] = {}
    for customer, day in zip(table["customer_id"], table["occurred_at"], strict=True):
        days.setdefault(customer, set()).add(np.datetime64(day))
    want: dict[int, list[int]] = {}
    for seen in days.values():
        before = sum(day <= split for day in seen)
        if before:
            want.setdefault(min(int(before) - 1, 4), []).append(len(seen) - int(before))
    assert held_out.frequency.tolist() == [0, 1, 2, 3, 4]
    assert held_out.customers.tolist() == [len(want.get(i, ())) for i in range(5)]
    means = [float(np.mean(want[i])) if i in want else math.nan for i in range(5)]
    assert held_out.actual.tolist() == pytest.approx(means, nan_ok=True)
    assert held_out.actual_total == sum(map(sum, want.values()))
    assert float(np.nansum(held_out.predicted * held_out.customers)) == pytest.approx(held_out.predicted_total)
    assert held_out.error == pytest.approx(held_out.predicted_total / held_out.actual_total - 1)
    assert repr(held_out).startswith("<Calibration: Next 21.14 weeks of ")
    assert "purchases predicted" in held_out._repr_html_()
    assert held_out.to_pandas().columns.tolist() == ["frequency", "customers", "predicted", "actual"]


def test_the_picture_has_title_units_and_both_series(held_out: Calibration, tmp_path: Path) -> None:
    figure = held_out.plot()
    figure.savefig(tmp_path / "calibration.png")
    assert (tmp_path / "calibration.png").read_bytes().startswith(b"\x89PNG")
    axes = figure.axes[0]
    assert axes.get_title() == held_out._title()
    assert axes.get_ylabel() == "mean purchases in the next 21.14 weeks"
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["actual", "predicted"]
    assert axes.get_xticklabels()[-1].get_text().startswith("4+\n(")
    assert len(axes.patches) == 10


def test_nobody_and_nothing_have_a_table_and_a_picture() -> None:
    empty: dict[str, list[Any]] = {"customer_id": [], "occurred_at": [], "amount": []}
    nothing = calibration(MODEL, summary(empty), summary(empty))
    assert nothing.customers.tolist() == [0] * 8
    assert math.isnan(nothing.error)
    assert np.isnan(nothing.predicted).all()
    assert nothing.plot().axes


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ({"end": "2026-06-01"}, {"end": "2026-06-01"}, "clv.period"),
        ({"end": "2026-06-01"}, {"end": "2026-02-01"}, "clv.customers"),
        ({"end": "2026-06-01"}, {"end": "2026-09-01", "unit": "day"}, "clv.unit"),
    ],
)
def test_summaries_that_do_not_belong_together_are_refused(before: Any, after: Any, code: str) -> None:
    table = payments()
    with pytest.raises(InvalidFieldError) as info:
        calibration(MODEL, summary(table, **before), summary(table, **after))
    assert info.value.code == code


def test_other_customers_fewer_purchases_and_no_group_are_refused() -> None:
    table = payments()
    seen = summary(table, end="2026-06-01")
    for other in (payments(1, 20), {**table, "customer_id": list(range(len(table["amount"])))}):
        with pytest.raises(InvalidFieldError) as info:
            calibration(MODEL, seen, summary(other, end="2026-09-01"))
        assert info.value.code == "clv.customers"
    same_ids = {
        "customer_id": sorted(set(table["customer_id"])),
        "occurred_at": ["2026-01-01"] * 200,
        "amount": [1] * 200,
    }
    with pytest.raises(InvalidFieldError, match="fewer purchases"):
        calibration(MODEL, seen, summary(same_ids, end="2026-09-01"))
    with pytest.raises(InvalidFieldError, match="most must be"):
        calibration(MODEL, seen, seen, most=0)


@pytest.mark.parametrize(("fit", "predicted"), [(fit_bg_nbd, 1653), (fit_pareto_nbd, 1666)])
def test_weeks_40_to_78_of_cdnow(cdnow_payments: dict[str, list[Any]], fit: Any, predicted: float) -> None:
    before = summary(cdnow_payments, end=dt.date(1997, 9, 30))
    after = summary(cdnow_payments, end=dt.date(1998, 6, 30))
    table = calibration(fit(before.frequency, before.recency, before.age), before, after)
    assert (round(table.length, 9), int(table.customers.sum()), table.actual_total) == (39, 2357, 1882)
    assert table.predicted_total == pytest.approx(predicted, abs=1)
    assert abs(table.error) < 0.13
    # no class is off by more than a third of a purchase, and both rise together, as in the papers' figures
    assert np.abs(table.predicted - table.actual).max() < 0.4
    assert np.corrcoef(table.predicted, table.actual)[0, 1] > 0.99

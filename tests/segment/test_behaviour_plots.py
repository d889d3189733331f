"""Pictures of cohorts, contribution and segments: rendered, with title, units and numbers that add up."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from custinfo.segment import cohorts, contribution, value_by_segment


def payments(customers: int = 60) -> dict[str, list[Any]]:
    rows = [
        (i, dt.date(2025, 1, 1) + dt.timedelta(days=7 * i % 300 + 40 * step), 5 + i * i)
        for i in range(customers)
        for step in range(1 + i % 4)
    ]
    return dict(zip(("customer_id", "occurred_at", "amount"), map(list, zip(*rows, strict=True)), strict=True))


def saved(figure: Any, path: Path) -> Any:
    figure.savefig(path / "picture.png")
    assert (path / "picture.png").read_bytes().startswith(b"\x89PNG")
    return figure.axes[0]


def test_the_cohort_grid_shows_rates_and_hatches_what_is_not_over(tmp_path: Path) -> None:
    table = cohorts(payments(), as_of="2025-12-10")
    axes = saved(table.plot(), tmp_path)
    assert axes.get_title() == "Retention by month as of 2025-12-10: 60 customers"
    assert axes.get_xlabel() == "months since the first purchase (hatched: month not over)"
    assert [text.get_text() for text in axes.texts] == [f"{100 * rate:.0f}" for rate in table.to_dict()["rate"]]
    assert len(axes.patches) == int((table.observed & ~table.complete).sum())
    assert sum(int(label.get_text().split("(")[1][:-1]) for label in axes.get_yticklabels()) == 60


def test_the_contribution_curve_ends_at_100_per_cent(tmp_path: Path) -> None:
    table = contribution(payments())
    axes = saved(table.plot(), tmp_path)
    x, y = axes.lines[0].get_data()
    assert (x[0], y[0], x[-1]) == (0, 0, 100)
    assert y[-1] == pytest.approx(100)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("% of customers", "% of money")
    assert [text.get_text().split(":")[0] for text in axes.texts] == ["A", "A and B"]
    assert axes.get_title() == table._title()


@pytest.mark.parametrize("kind", ["new", None])
def test_segment_bars_show_both_shares(kind: str | None, tmp_path: Path) -> None:
    table = value_by_segment(
        {"customer_id": [1, 2, 3], "segment": ["loyal", kind, kind], "monetary_minor": [700, 400, -100]}
    )
    axes = saved(table.plot(), tmp_path)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["loyal", kind or "(none)"]
    assert [text.get_text() for text in axes.texts] == ["70.0", "30.0", "33.3", "66.7"]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["money", "customers"]
    assert axes.get_xlabel() == "% of all"


def test_empty_tables_have_pictures_too(tmp_path: Path) -> None:
    nothing: dict[str, list[Any]] = {"customer_id": [], "occurred_at": [], "amount": []}
    for figure in (
        cohorts(nothing).plot(),
        contribution(nothing).plot(),
        value_by_segment({"segment": [], "monetary_minor": []}).plot(),
    ):
        saved(figure, tmp_path)

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

import pytest

from custinfo.errors import MissingExtraError
from custinfo.segment import Rfm, rfm


@pytest.fixture
def table() -> Rfm:
    rows = [(i % 17, dt.datetime(2024, 1, 1 + i % 28), 10 + i) for i in range(120)]
    return rfm([dict(zip(("customer_id", "occurred_at", "amount"), row, strict=True)) for row in rows])


@pytest.mark.parametrize("measure", ["customers", "money"])
def test_the_heat_map_is_drawn_with_title_and_axes(table: Rfm, measure: str, tmp_path: Path) -> None:
    figure = table.plot(measure=measure)
    figure.savefig(tmp_path / "map.png")
    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")
    axes = figure.axes[0]
    assert axes.get_title() == "RFM as of 2024-01-28: 17 customers"
    assert "recency score" in axes.get_ylabel()


def test_the_numbers_in_the_heat_map_add_up(table: Rfm) -> None:
    assert sum(int(text.get_text()) for text in table.plot().axes[0].texts) == len(table)
    shares = sum(float(text.get_text()) for text in table.plot(measure="money").axes[0].texts)
    assert shares == pytest.approx(100, abs=1)


def test_an_empty_table_has_a_picture_too() -> None:
    assert rfm({"customer_id": [], "occurred_at": [], "amount": []}).plot().axes


def test_a_missing_matplotlib_is_named(table: Rfm, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(name: str, *_: object) -> None:
        if name.split(".")[0] == "matplotlib":
            raise ModuleNotFoundError(name="matplotlib")

    class Finder:
        find_spec = staticmethod(gone)

    for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib" or name.endswith("segment._plot")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Finder(), *sys.meta_path])
    with pytest.raises(MissingExtraError, match=r"pip install 'custinfo\[plot\]'"):
        table.plot()

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from custinfo.errors import InvalidFieldError, RecordNotFoundError
from custinfo.segment import portrait, portraits

GOLDEN = Path(__file__).parent / "golden_portrait.txt"


def payments() -> dict[str, list[Any]]:
    rows = []
    for i in range(12):
        day = dt.datetime(2026, 1, 1, 11, 30, tzinfo=dt.UTC) + dt.timedelta(days=9 * i)
        rows.append(("ann", day, 2000 + 100 * i, "card" if i % 4 else "wallet", "tea" if i % 3 else "books"))
    rows.append(("ann", dt.datetime(2026, 4, 2, 12, tzinfo=dt.UTC), -500, "card", "tea"))
    for i in range(6):
        rows.append((f"other{i}", dt.datetime(2026, 1, 5 + i, 3, tzinfo=dt.UTC), 900 + i, "bank", "games"))
    rows.append(("back", dt.datetime(2026, 3, 1, tzinfo=dt.UTC), -700, None, None))
    names = ("customer_id", "occurred_at", "cents", "method", "merchant")
    table = {name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}
    return {**table, "currency": ["CNY"] * len(rows)}


OPTIONS: dict[str, Any] = {
    "amount_minor": "cents",
    "currency": "currency",
    "zones": {"ann": "Asia/Shanghai"},
    "as_of": "2026-04-30",
}


def test_the_texts_are_the_golden_ones() -> None:
    every = portraits(payments(), **OPTIONS)
    said = [every.of(who).text(locale) for who in ("ann", "other3", "back") for locale in ("en", "zh")]
    assert "\n".join(said) + "\n" == GOLDEN.read_text(encoding="utf-8")
    with pytest.raises(InvalidFieldError, match="'en' or 'zh'"):
        every.of("ann").text("fr")
    assert repr(every) == "<Portraits: 8 customers>"


def test_the_data_are_those_of_the_single_functions() -> None:
    one = portrait(payments(), "ann", **OPTIONS)
    assert one == portraits(payments(), **OPTIONS).of("ann")
    assert one.frequency == 12
    assert one.monetary_minor == 12 * 2000 + 100 * 66 - 500
    assert one.best_hours is not None
    assert (one.best_hours.start_hour, one.best_hours.events) == (19, 13)
    assert one.method == ("card", 0.75)
    assert one.interval_days == 9
    assert one.state == "active"
    assert one.benefits == ("personal contact", "first choice of offers")
    assert [liked.value for liked in one.preferences] == ["tea", "books"]
    data = one.to_dict()
    assert data["preferences"][0]["count"] == 9
    assert data["best_hours"]["start_hour"] == 19
    html = one._repr_html_()
    assert "Customer portrait" in html
    assert "card (75.0 %)" in html
    assert "<table" in portraits(payments(), **OPTIONS).of("back")._repr_html_()


def test_a_table_of_amounts_alone_is_enough() -> None:
    rows = [{"customer_id": i % 3, "occurred_at": dt.date(2026, 1, 1 + i), "amount": 5} for i in range(6)]
    every = portraits(iter(rows))
    assert every.affinity is None
    one = every.of(0)
    assert (one.method, one.merchant, one.preferences) == (None, None, ())
    assert "Pays mostly" not in one.text()
    assert portraits([{**row, "category": "x"} for row in rows]).affinity is not None


def test_a_customer_without_any_named_merchant_has_no_preference() -> None:
    rows = [
        {"customer_id": i, "occurred_at": "2026-01-31", "amount": 5, "merchant": "tea" if i else None} for i in (0, 1)
    ]
    assert portraits(rows).of(0).preferences == ()
    assert portraits(rows).of(0).merchant is None


def test_an_unreadable_neighbour_column_and_an_unknown_customer_raise() -> None:
    with pytest.raises(RecordNotFoundError):
        portrait(payments(), "nobody", **OPTIONS)
    with pytest.raises(InvalidFieldError) as info:
        portraits({**payments(), "category": "x"}, **OPTIONS)
    assert info.value.code == "columns.input"
    with pytest.raises(InvalidFieldError) as info:
        portraits({**payments(), "method": "x"}, **OPTIONS)
    assert info.value.code == "columns.input"

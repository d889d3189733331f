from __future__ import annotations

import builtins
import datetime as dt
import html.parser
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custinfo._view import Share, cell, page, reporting, table


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (float("nan"), ""), (np.datetime64("NaT"), ""), (True, "yes"), (np.int64(1234), "1,234"),
     (2.0, "2"), (0.1 + 0.2, "0.3"), (0.483789, "0.4838"), (-2.82918, "-2.829"), (999.96, "1,000"),
     (1234567.8, "1,234,568"), (1e300, "1e+300"), (1e-9, "1e-09"), (float("inf"), "inf"),
     (np.timedelta64(5, "s"), "5 seconds"),
     ("<i>'&\"", "&lt;i&gt;&#x27;&amp;&quot;"), (dt.date(2024, 1, 2), "2024-01-02"),
     ("x" * 500, "x" * 119 + "…")],
)  # fmt: skip
def test_a_cell_shows_its_value_as_escaped_text(value: object, text: str) -> None:
    assert cell(value) == text


def test_control_and_bidirectional_characters_become_visible() -> None:
    assert cell("a\u202eb\x1b\ud800\u2066") == "a\ufffdb\ufffd\ufffd\ufffd"
    assert cell("\u200d\t\n") == "\u200d\t\n"  # joiners are part of words and emoji
    assert "\u202e" not in page("\u202e", [("\u202e", table({"\u202e": ["\u202e"]}, title="\u202e"))])


def test_a_share_is_a_bar_and_is_not_rounded_up_to_everything() -> None:
    text = cell(Share(9_999, 10_000))
    assert "99.9 %" in text
    assert "9,999 / 10,000" in text
    assert "linear-gradient" in text
    assert cell(Share(0, 0)) == ""
    assert "text-align:right" in table({"share": [Share(1, 2)]})


def test_an_object_cannot_bring_its_own_markup() -> None:
    class Markup(str):
        def __html__(self) -> str:
            return self

    assert cell(Markup("<b>")) == "&lt;b&gt;"


class Tags(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.seen.append(tag)


def tags(text: str) -> set[str]:
    parser = Tags()
    parser.feed(text)
    return set(parser.seen)


@given(st.text(), st.text(), st.text())
def test_no_text_of_the_data_becomes_markup(name: str, value: str, title: str) -> None:
    assert tags(table({name: [value]}, title=title)) <= {"table", "caption", "thead", "tbody", "tr", "th", "td"}
    assert tags(page(title, [(name, "")])) <= {
        "html", "head", "meta", "title", "style", "body", "h1", "section", "h2"
    }  # fmt: skip


def test_a_long_table_says_how_much_is_not_shown() -> None:
    text = table({"n": np.arange(1000)}, max_rows=3)
    assert "… 997 more rows of 1,000" in text
    assert text.count("<tr>") == 5


def test_an_empty_table_is_a_table() -> None:
    assert "<tbody></tbody>" in table({"n": []})
    assert "<tbody></tbody>" in table({})


def test_a_callback_gets_done_and_total() -> None:
    seen: list[tuple[int, int]] = []
    with reporting(lambda done, total: seen.append((done, total)), total=2) as step:
        step(1)
        step(2)
    assert seen == [(1, 2), (2, 2)]


def test_no_progress_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    with reporting(False, total=2) as step:
        step(2)
    assert capsys.readouterr() == ("", "")


def test_true_shows_a_bar(capsys: pytest.CaptureFixture[str]) -> None:
    with reporting(True, total=2, label="scoring") as step:
        step(1)
        step(2)
    assert "scoring: 100%" in capsys.readouterr().err


def test_true_is_silent_where_tqdm_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "tqdm", raising=False)
    real = builtins.__import__

    def fake(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "tqdm":
            raise ModuleNotFoundError(name="tqdm")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", fake)
    with reporting(True, total=2) as step:
        step(2)
    assert capsys.readouterr() == ("", "")

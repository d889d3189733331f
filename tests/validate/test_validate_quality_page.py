"""The HTML page of a quality report: offline, escaped, masked, in two languages."""

from __future__ import annotations

import datetime
import html.parser
import re
from typing import Any

import pytest

from custinfo.errors import InvalidFieldError
from custinfo.validate import (
    Issue,
    Result,
    Rule,
    Schema,
    card,
    cn_resident_id,
    date,
    email,
    person_name,
    phone,
    quality,
)
from custinfo.validate._quality_sample import Sample

EVIL = "<script>alert(1)</script>\u202e\x1b]0;x\x07\ud800\"'>&<img src=x onerror=y>"
TAGS = {"html", "head", "meta", "title", "style", "body", "h1", "h2", "section"}
TAGS |= {"table", "thead", "tbody", "tr", "th", "td", "p", "span", "br", "small"}
CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


class Page(html.parser.HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


class Hostile:
    """A validator whose code is markup, and a value with a text form of its own."""

    codes = frozenset({EVIL})

    def __call__(self, value: object) -> Result[str]:
        return Result(None, (Issue(EVIL),))

    def many(self, values: Any, *, progress: bool = False) -> Any:
        class Batch:
            def __init__(self, number: int) -> None:
                self.values = [None] * number

            def failures(self) -> Any:
                return ((row, Issue(EVIL)) for row in range(len(self.values)))

        return Batch(len(values))


class Markup(str):
    __slots__ = ()

    def __html__(self) -> str:
        return str(self)


def test_nothing_of_the_data_becomes_markup_or_reorders_the_page() -> None:
    schema = Schema(
        {EVIL: Hostile(), "note": None},  # type: ignore[dict-item]
        rules=(
            Rule(EVIL, ("note",), lambda note: False),
            Rule("warns", ("note",), lambda note: False, severity="warning"),
        ),
        placeholders=(EVIL,),
    )
    rows = [{EVIL: Markup("<b>x</b>\u202e"), "note": "y"}, {EVIL: EVIL, "note": EVIL}, {EVIL: b"<i>", "note": 10**5000}]
    report = quality(rows, schema)
    assert len(report.failing_rows) >= 5
    for text in (report.to_html(), report.to_html("zh-CN"), report._repr_html_()):
        text.encode()
        page = Page(text)
        assert page.tags <= TAGS
        assert page.attributes <= {"lang", "charset", "name", "content", "style", "aria-hidden", "colspan"}
        assert not CONTROLS.search(text)
        assert not re.search(r"(?i)url\(|@import|https?:|//", text)
    report.to_json().encode()


def test_a_page_says_what_was_found_in_two_languages() -> None:
    rows = [{"email": "nobody"}, {"email": "a@example.com"}, {"email": "无"}]
    report = quality(rows, Schema({"email": email}), as_of=datetime.date(2026, 1, 15))
    english, chinese = Page(report.to_html()).text, Page(report.to_html("zh_CN")).text
    assert "There is no @ in the e-mail address." in english
    assert "电子邮件地址中没有 @。" in chinese
    assert "50.0 %1 / 2" in english
    assert "2026-01-15" in english
    assert "✖\u00a0error" in english
    assert "▲\u00a0warning" in english
    assert "accuracy" not in english  # nothing of it was measured
    long = quality([{"name": "x" * 10_000}], Schema({"name": person_name}))
    assert set(long.codes) == {("name", "value.too_long")}
    assert "value.too_long" in long.to_html()  # its sentence needs a figure, which the report does not keep
    assert 'lang="zh"' in report.to_html("zh")
    assert "Nothing." in Page(quality([{"email": "a@example.com"}], Schema({"email": email})).to_html()).text
    with pytest.raises(InvalidFieldError, match="en, zh"):
        report.to_html("fr")


def test_a_page_is_readable_in_the_dark() -> None:
    text = quality([], Schema({"email": email})).to_html()
    assert "prefers-color-scheme:dark" in text
    assert "color-scheme:light dark" in text


@pytest.mark.parametrize(
    ("path", "validator", "value", "shown"),
    [
        ("contact", email, "rosa@-example.com", "r***@-example.com"),
        ("contact", phone, "+1 201 555 012", "+1***5012"),
        ("born", date, "1990-02-31", "1990-**-**"),
        ("called", person_name, "Rosa\u202e Prar7", "R*** P***"),
        ("id", cn_resident_id, "110105194912310021", "***0021"),
        ("paid", card, "4242424242424241", "***4241"),
        ("my_email", None, "rosa@example.com", "r***@example.com"),
        ("birthday", None, "1990-02-31", "1990-**-**"),
        ("note", None, "secret", "s***"),
        ("note", None, 12345678, "1***"),
        ("note", None, b"secret", "***"),
        ("note", None, ["secret"], "***"),
        ("note", None, 10**100, "***"),
        ("note", None, None, ""),
    ],
)
def test_values_are_masked_by_what_they_should_be(path: str, validator: Any, value: object, shown: str) -> None:
    sample = Sample(Schema({path: validator}), 1)
    sample.offer(path, "x", [(0, value)])
    sample.settle(0)
    assert [one.masked for one in sample.rows()] == [shown]

"""HTML tables and pages; every value is escaped."""

from __future__ import annotations

import html
import math
import numbers
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

_LIMIT = 120  # characters of one cell: a table is for looking at, not for carrying data
_WHOLE, _LARGE = 1e3, 1e15  # floats between these are shown to the unit: enough digits, and no powers of ten
_TABLE = "border-collapse:collapse;font-variant-numeric:tabular-nums"
_CELL = "padding:2px 8px;border-bottom:1px solid rgba(128,128,128,.35)"
_PAGE_STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;"
    "color:#1a1a1a;background:#fff}h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2rem}"
    "section{overflow-x:auto}caption{text-align:left;font-weight:600;padding:4px 0}"
    "@media(prefers-color-scheme:dark){body{color:#e6e6e6;background:#16181c}}"
)
# One blue and an outline, readable on white and on near-black and told apart by length, not by colour.
_BAR = (
    "display:inline-block;width:5em;height:.6em;margin-right:.5em;border:1px solid #8a8a8a;"
    "background:linear-gradient(90deg,#3b82c4 {0}%,transparent {0}%)"
)
# C0 and C1 but tab and line ends, bidirectional controls, line and paragraph separators, halves of surrogate pairs:
# what could reorder a page, forge a line or not be written at all.
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


class Share:
    """A cell that shows a part of a whole as a bar, per cent and both numbers.

    >>> "75.0 %" in cell(Share(3, 4)), cell(Share(0, 0))
    (True, '')
    """

    __slots__ = ("_part", "_whole")

    def __init__(self, part: int, whole: int) -> None:
        self._part = part
        self._whole = whole

    def html(self) -> str:
        """The cell's content; a share just short of everything is not rounded up to it."""
        if not self._whole:
            return ""
        thousandths = self._part * 1000 // self._whole
        bar = f'<span aria-hidden="true" style="{_BAR.format(thousandths / 10)}"></span>'
        number = f'<span style="display:inline-block;min-width:4.2em">{thousandths / 10:.1f} %</span>'
        return (
            f'<span style="white-space:nowrap">{bar}{number}</span><br><small>{self._part:,} / {self._whole:,}</small>'
        )


def cell(value: object) -> str:
    """One value as escaped text: missing is empty, a float has four significant digits, long text is cut.

    >>> cell("<b>"), cell(None), cell(float("nan")), cell(1234567), cell(0.123456789)
    ('&lt;b&gt;', '', '', '1,234,567', '0.1235')
    """
    if type(value) is Share:
        return value.html()
    if value is None or type(value).__name__ in {"NaTType", "NAType"}:
        return ""
    if type(value).__name__ == "timedelta64":  # an integer for NumPy, but not for a reader
        value = str(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, numbers.Integral):
        return f"{int(value):,}"
    if isinstance(value, numbers.Real):
        number = float(value)
        if math.isnan(number):
            return ""
        return f"{number:,.0f}" if _WHOLE <= abs(number) < _LARGE else f"{number:,.4g}"
    text = str(value)
    if text == "NaT":
        return ""
    if len(text) > _LIMIT:
        text = text[: _LIMIT - 1] + "…"
    return _escaped(text)


def _escaped(text: object) -> str:
    return html.escape(_UNSEEN.sub("\ufffd", str(text)))


def _is_number(value: object) -> bool:
    return (isinstance(value, numbers.Number) and not isinstance(value, bool)) or type(value) is Share


def table(columns: Mapping[str, Any], *, title: str = "", max_rows: int = 10) -> str:
    """A compact HTML table of columns of equal length.

    Args:
        columns: name -> values; anything with ``len`` and slices.
        title: a caption above the table.
        max_rows: rows shown; a last line says how many more there are.

    Returns:
        HTML in which every name, title and value is escaped.

    >>> print(table({"city": ["Oslo <3"], "n": [2]}, title="Cities"))  # doctest: +ELLIPSIS
    <table ...><caption>Cities</caption><thead><tr>...Oslo &lt;3...</table>
    """
    total = min((len(values) for values in columns.values()), default=0)
    shown = {name: list(values[:max_rows]) for name, values in columns.items()}
    numeric = {name: any(_is_number(value) for value in values) for name, values in shown.items()}

    def style(name: str) -> str:
        return f"{_CELL};text-align:{'right' if numeric[name] else 'left'}"

    parts = [f'<table style="{_TABLE}">']
    if title:
        parts.append(f"<caption>{_escaped(title)}</caption>")
    heads = "".join(f'<th style="{style(name)}">{_escaped(name)}</th>' for name in columns)
    parts.append(f"<thead><tr>{heads}</tr></thead><tbody>")
    for row in range(min(total, max_rows)):
        cells = "".join(f'<td style="{style(name)}">{cell(values[row])}</td>' for name, values in shown.items())
        parts.append(f"<tr>{cells}</tr>")
    if total > max_rows:
        rest = f"… {total - max_rows:,} more rows of {total:,}"
        parts.append(f'<tr><td colspan="{len(columns)}" style="{_CELL}">{rest}</td></tr>')
    parts.append("</tbody></table>")
    return "".join(parts)


def page(title: str, sections: Iterable[tuple[str, str]], *, lang: str = "en") -> str:
    """A whole HTML page that needs no other file.

    Args:
        title: the page's title, as text.
        sections: (heading as text, body as HTML, such as a `table`) in order.
        lang: language of the page, such as ``"en"`` or ``"zh"``.

    >>> "<h2>A &amp; B</h2>" in page("Report", [("A & B", table({"n": [1]}))])
    True
    """
    body = "".join(f"<section><h2>{_escaped(heading)}</h2>{content}</section>" for heading, content in sections)
    return (
        f'<!doctype html><html lang="{html.escape(lang)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{_escaped(title)}</title><style>{_PAGE_STYLE}</style></head>"
        f"<body><h1>{_escaped(title)}</h1>{body}</body></html>"
    )

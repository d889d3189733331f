"""HTML tables and pages; every value is escaped."""

from __future__ import annotations

import html
import math
import numbers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

_LIMIT = 120  # characters of one cell: a table is for looking at, not for carrying data
_TABLE = "border-collapse:collapse;font-variant-numeric:tabular-nums"
_CELL = "padding:2px 8px;border-bottom:1px solid rgba(128,128,128,.35)"
_PAGE_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;"
    "color:#1a1a1a;background:#fff}h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2rem}"
    "caption{text-align:left;font-weight:600;padding:4px 0}"
)


def cell(value: object) -> str:
    """One value as escaped text: missing is empty, a float has six significant digits, long text is cut.

    >>> cell("<b>"), cell(None), cell(float("nan")), cell(1234567), cell(0.123456789)
    ('&lt;b&gt;', '', '', '1,234,567', '0.123457')
    """
    if value is None or type(value).__name__ in {"NaTType", "NAType"}:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, numbers.Integral):
        return f"{int(value):,}"
    if isinstance(value, numbers.Real):
        number = float(value)
        return "" if math.isnan(number) else f"{number:,.6g}"
    text = str(value)
    if text == "NaT":
        return ""
    if len(text) > _LIMIT:
        text = text[: _LIMIT - 1] + "…"
    return html.escape(text)


def _is_number(value: object) -> bool:
    return isinstance(value, numbers.Number) and not isinstance(value, bool)


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
        parts.append(f"<caption>{html.escape(title)}</caption>")
    heads = "".join(f'<th style="{style(name)}">{html.escape(str(name))}</th>' for name in columns)
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
    body = "".join(f"<section><h2>{html.escape(heading)}</h2>{content}</section>" for heading, content in sections)
    return (
        f'<!doctype html><html lang="{html.escape(lang)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{_PAGE_STYLE}</style></head>"
        f"<body><h1>{html.escape(title)}</h1>{body}</body></html>"
    )

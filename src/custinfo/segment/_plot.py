"""Pictures of segments; needs ``custinfo[plot]``."""

from __future__ import annotations

from typing import Any

import numpy as np

from custinfo.errors import missing_extra
from custinfo.segment._scoring import bins_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from custinfo.segment._result import Rfm

try:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
except ModuleNotFoundError as exc:
    raise missing_extra("matplotlib", extra="plot", cause=exc) from None

_LOUD = 0.45  # share of the colour scale above which black text is easier to read than white


def heat_map(table: Rfm, *, measure: str = "customers") -> Figure:
    """Customers by recency and frequency score as a heat map.

    Args:
        table: the scored customers.
        measure: "customers" (how many) or "money" (their share of all money, in per cent).

    Returns:
        A figure of its own: nothing is left in pyplot's list; save it with ``savefig``.
    """
    r_best, f_best, _ = bins_of(table.edges)
    f_best = max(f_best, int(table.f.max(initial=1)))  # groups of given nested edges may differ in size
    cell = (table.r.astype(np.int64) - 1) * f_best + table.f - 1
    weights = None if measure == "customers" else table.monetary_minor.astype(np.float64)
    grid = np.bincount(cell, weights=weights, minlength=r_best * f_best).reshape(r_best, f_best).astype(np.float64)
    if measure == "money":
        grid *= 100 / max(grid.sum(), 1)
    figure = Figure(figsize=(1.5 + f_best * 0.9, 1.5 + r_best * 0.7), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    picture = axes.imshow(grid, cmap="cividis", origin="lower", aspect="auto")  # readable with any colour vision
    label = "customers" if measure == "customers" else "% of money"
    figure.colorbar(picture, label=label)
    _write_values(axes, grid, "{:,.0f}" if measure == "customers" else "{:.1f}")
    axes.set_xticks(range(f_best), [str(score + 1) for score in range(f_best)])
    axes.set_yticks(range(r_best), [str(score + 1) for score in range(r_best)])
    axes.set_xlabel("frequency score (higher: more purchases)")
    axes.set_ylabel("recency score (higher: more recent)")
    axes.set_title(table._title())
    return figure


def _write_values(axes: Any, grid: Any, form: str) -> None:
    top = max(float(grid.max(initial=0)), 1e-9)
    for (row, column), value in np.ndenumerate(grid):
        color = "black" if value / top > _LOUD else "white"
        axes.text(column, row, form.format(value), ha="center", va="center", color=color)

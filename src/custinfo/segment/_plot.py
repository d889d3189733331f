"""Pictures of segments; needs ``custinfo[plot]``."""

from __future__ import annotations

from typing import Any

import numpy as np

from custinfo._view import BLUE, ORANGE, new_figure
from custinfo.errors import missing_extra
from custinfo.segment._scoring import bins_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from custinfo.segment._calibration import Calibration
    from custinfo.segment._cohorts import Cohorts
    from custinfo.segment._contribution import Contribution
    from custinfo.segment._result import Rfm
    from custinfo.segment._value_by_segment import SegmentValue

try:
    from matplotlib.patches import Rectangle
except ModuleNotFoundError as exc:
    raise missing_extra("matplotlib", extra="plot", cause=exc) from None

_LOUD = 0.45  # share of the colour scale above which black text is easier to read than white
_ROOM = 45  # per cent of a picture's width that a label of a curve needs
_MOST_BARS, _MOST_PERIODS, _MOST_COHORTS = 20, 25, 40


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
    figure, axes = new_figure(1.5 + f_best * 0.9, 1.5 + r_best * 0.7)
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


def cohort_grid(table: Cohorts) -> Figure:
    """Retention in per cent, cohorts downwards and periods to the right; periods that are not over are hatched.

    Args:
        table: the latest 40 cohorts and their first 25 periods are drawn.
    """
    rows = slice(max(0, len(table.cohort) - _MOST_COHORTS), None)
    cohort, size = table.cohort[rows], table.size[rows]
    grid = 100 * table.rates[rows, :_MOST_PERIODS]
    unfinished = table.observed[rows, :_MOST_PERIODS] & ~table.complete[rows, :_MOST_PERIODS]
    height, width = grid.shape
    figure, axes = new_figure(2.5 + 0.55 * max(width, 4), 1.5 + 0.35 * max(height, 5))
    later = grid[:, 1:][~np.isnan(grid[:, 1:])]
    top = max(float(later.max(initial=0)), 1.0)  # column 0 is always 100 % and would leave no shades for the others
    if grid.size:
        picture = axes.imshow(np.ma.masked_invalid(grid), cmap="cividis", aspect="auto", vmin=0, vmax=top)
        figure.colorbar(picture, label="% of the cohort", extend="max" if top < 100 else "neither")
    for (row, column), value in np.ndenumerate(grid):
        if not np.isnan(value):
            loud = "black" if value / top > _LOUD else "white"
            axes.text(column, row, f"{value:.0f}", ha="center", va="center", color=loud, fontsize=8)
        if unfinished[row, column]:
            axes.add_patch(
                Rectangle((column - 0.5, row - 0.5), 1, 1, fill=False, hatch="//", edgecolor="#bbbbbb", lw=0)
            )
    axes.set_xticks(range(width))
    axes.set_yticks(range(height), [f"{name} ({number:,})" for name, number in zip(cohort, size, strict=True)])
    axes.set_xlabel(f"{table.by}s since the first purchase (hatched: {table.by} not over)")
    axes.set_ylabel("first purchase (customers)")
    axes.set_title(table._title())
    return figure


def contribution_curve(table: Contribution) -> Figure:
    """Cumulated share of money over the customers, the largest first, with the classes A, B and C.

    Args:
        table: the ranked customers.
    """
    figure, axes = new_figure(6.5, 4.5)
    n = len(table)
    at = np.unique(np.linspace(0, n, min(n, 2000) + 1).astype(np.int64))  # a line of more points looks the same
    share = 100 * np.append(0.0, table.cumulative_share)
    axes.plot(100 * at / max(n, 1), share[at], color=BLUE, lw=2, label="customers, largest first")
    axes.plot([0, 100], [0, 100], color="#777777", lw=1, ls="--", label="all alike")
    counted = table.counts()
    for name, end in (("A", counted["A"]), ("A and B", counted["A"] + counted["B"])):
        if n:
            x, y = 100 * end / n, float(share[end])
            axes.plot([x, x, 0], [0, y, y], color=ORANGE, lw=1, ls=":")
            said = f"{name}: {x:.1f} % bring {y:.1f} %"
            if x < _ROOM:  # beside the point and below the curve, or over the line where the curve is below it
                axes.annotate(said, (x, y), (6, -12), textcoords="offset points", fontsize=8)
            else:
                axes.annotate(said, (1, y), (0, 2), textcoords="offset points", fontsize=8)
    axes.set_xlim(0, 100)
    axes.set_ylim(0, 105)
    axes.set_xlabel("% of customers")
    axes.set_ylabel(f"% of money{'' if table.currency is None else f' ({table.currency})'}")
    axes.set_title(table._title().replace("; ", "\n"))
    axes.legend(loc="lower right", frameon=False)
    return figure


def segment_bars(table: SegmentValue) -> Figure:
    """Share of customers and share of money of each segment, side by side.

    Args:
        table: the most valuable 20 segments are drawn.
    """
    names = ["(none)" if name is None else str(name) for name in table.segment[:_MOST_BARS]]
    figure, axes = new_figure(7, 1.5 + 0.5 * max(len(names), 2))
    place = np.arange(len(names))
    parts = ((table.amount_share, BLUE, "", "money"), (table.customer_share, ORANGE, "//", "customers"))
    for i, (share, color, hatch, label) in enumerate(parts):
        percent = 100 * np.nan_to_num(share[:_MOST_BARS])
        bars = axes.barh(
            place + 0.4 * (i - 0.5), percent, 0.38, color=color, hatch=hatch, edgecolor="white", label=label
        )
        axes.bar_label(bars, fmt="%.1f", padding=2, fontsize=8)
    axes.set_yticks(place, names)
    axes.invert_yaxis()
    axes.margins(x=0.1)
    axes.axvline(0, color="#333333", lw=0.8)
    axes.set_xlabel("% of all")
    axes.set_ylabel("segment")
    axes.set_title(table._title(), fontsize=11)
    axes.legend(loc="lower right", frameon=False)
    return figure


def calibration_bars(table: Calibration) -> Figure:
    """Mean number of purchases in the hold-out period, predicted and actual, by purchases before.

    Args:
        table: the groups of customers.
    """
    last = int(table.frequency[-1])
    names = [f"{count}{'+' if count == last else ''}" for count in table.frequency.tolist()]
    figure, axes = new_figure(max(6.5, 1.5 + 0.75 * len(names)), 4.5)
    place = np.arange(len(names))
    parts = ((table.actual, BLUE, "", "actual"), (table.predicted, ORANGE, "//", "predicted"))
    for i, (means, color, hatch, label) in enumerate(parts):
        heights = np.nan_to_num(means)
        bars = axes.bar(
            place + 0.4 * (i - 0.5), heights, 0.38, color=color, hatch=hatch, edgecolor="white", label=label
        )
        axes.bar_label(bars, fmt="%.2f", padding=2, fontsize=7)
    counted = zip(names, table.customers.tolist(), strict=True)
    axes.set_xticks(place, [f"{name}\n({number:,})" for name, number in counted])
    axes.margins(y=0.1)
    axes.axhline(0, color="#333333", lw=0.8)
    axes.set_xlabel("repeat purchases before (customers)")
    axes.set_ylabel(f"mean purchases in the next {table.length:,.4g} {table.unit}s")
    axes.set_title(table._title(), fontsize=10)
    axes.legend(loc="upper left", frameon=False)
    return figure

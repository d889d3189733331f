"""Pictures of duplicate detection; needs ``custinfo[plot]``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from custinfo.dedupe._calibration import Calibration
from custinfo.dedupe._explain import Explanation
from custinfo.errors import missing_extra

try:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
except ModuleNotFoundError as exc:
    raise missing_extra("matplotlib", extra="plot", cause=exc) from None

__all__ = ["reliability", "waterfall"]

# Colours of Okabe and Ito, 2008, that every kind of colour vision tells apart; the signs say the same.
_FOR, _AGAINST, _NEUTRAL = "#0072B2", "#D55E00", "#555555"
_SERIES = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#000000", "#F0E442")
_MARKERS = "osD^vP*X"
_ENOUGH = 10
_WORDS = {
    "en": ("match weight in bits", "sum", "one person", "two persons", "must not meet", "Records"),
    "zh": ("匹配权重（比特）", "合计", "同一人", "不是同一人", "不得合并", "记录"),
}


def waterfall(told: Explanation, *, locale: Literal["en", "zh"] = "en") -> Figure:
    """What each field adds to or takes from the weight of a pair, one bar after the other, and the sum.

    Args:
        told: the explanation.
        locale: language of the labels.

    Returns:
        A figure of its own: nothing is left in pyplot's list; save it with ``savefig``.
    """
    unit, total, same, differ, never, records = _WORDS[locale]
    parts = [part for part in told.evidence if part.relation != "missing"]
    weights = [part.weight for part in parts]
    ends = np.cumsum(weights)
    starts = np.concatenate([[0.0], ends[:-1]])
    figure = Figure(figsize=(8.5, 1.4 + 0.42 * (len(parts) + 1)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    rows = np.arange(len(parts) + 1)
    last = float(ends[-1])
    colors = [_FOR if weight >= 0 else _AGAINST for weight in weights]
    axes.barh(rows[:-1], weights, left=starts, color=colors, height=0.62)
    axes.barh(rows[-1], last, color=_NEUTRAL, height=0.62)
    for row in range(len(parts)):
        axes.plot([ends[row], ends[row]], [row - 0.31, row + 1.31], color=_NEUTRAL, linewidth=0.8)
    reach = max(*np.abs(ends), *np.abs(starts), abs(last), 1.0)
    for row, (start, weight) in enumerate([*zip(starts.tolist(), weights, strict=True), (0.0, last)]):
        axes.text(max(start, start + weight) + 0.015 * reach, row, f"{weight:+.1f}", va="center", ha="left", fontsize=9)
    axes.axvline(0, color="black", linewidth=1)
    labels = [part.text(locale).rpartition("（" if locale == "zh" else " (")[0] for part in parts]
    axes.set_yticks(rows, [*labels, total])
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.set_xlabel(f"← {differ}    {unit}    {same} →")
    rule = any(part.field == "rule" for part in told.parts)
    share = never if rule else f"{same}: {100 * told.probability:.1f} %"
    axes.set_title(f"{records} {told.left} – {told.right}; {share}")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(left=False)
    return figure


def reliability(found: Mapping[str, Calibration]) -> Figure:
    """Observed share by expected probability, a line for each set, above the number of pairs of each bin.

    The share of fewer than ten pairs says nothing, and is not drawn.

    Args:
        found: calibration by name of the set; eight at most are told apart by colour and sign.
    """
    figure = Figure(figsize=(7.5, 6.5), layout="constrained")
    FigureCanvasAgg(figure)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    above.plot([0, 1], [0, 1], color=_NEUTRAL, linestyle="--", linewidth=1, label="as promised")
    for place, (name, one) in enumerate(found.items()):
        color, marker = _SERIES[place % len(_SERIES)], _MARKERS[place % len(_MARKERS)]
        some, enough = one.pairs > 0, one.pairs >= _ENOUGH
        style: dict[str, Any] = {"color": color, "marker": marker, "markersize": 5, "linewidth": 1.2}
        above.plot(one.expected[enough], one.observed[enough], label=f"{name} (error {one.error:.3f})", **style)
        width = float(one.low[1]) if len(one.low) > 1 else 1.0
        below.plot(
            one.low[some] + width / 2, one.pairs[some], linestyle="none", color=color, marker=marker, markersize=5
        )
    below.set_yscale("log")
    below.set_ylabel("pairs in bin")
    below.set_xlabel("probability that a pair is one person's, as estimated")
    above.set_ylabel("share of pairs that are")
    above.set_title("Do the probabilities of pairs keep their promise?")
    above.legend(loc="upper left", fontsize=8)
    for axes in (above, below):
        axes.grid(visible=True, color="#DDDDDD", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
    return figure

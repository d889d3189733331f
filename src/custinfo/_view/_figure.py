"""Figures that show themselves in a notebook and belong to no window; needs ``custinfo[plot]``."""

from __future__ import annotations

import io
from typing import Any

from custinfo.errors import missing_extra

try:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
except ModuleNotFoundError as exc:
    raise missing_extra("matplotlib", extra="plot", cause=exc) from None

# Two colours that every kind of colour vision tells apart, in print too.
# Source: Okabe and Ito, Color Universal Design, 2008.
BLUE, ORANGE = "#0072B2", "#E69F00"


class Picture(Figure):
    """A figure that a notebook shows as a picture, whether or not pyplot was ever loaded there."""

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png")
        return buffer.getvalue()


def new_figure(width: float, height: float) -> tuple[Figure, Any]:
    """A figure of one plot.

    Args:
        width: inches.
        height: inches.

    Returns:
        The figure and its axes. pyplot does not know it, so nothing has to be closed.

    >>> figure, axes = new_figure(4, 3)
    >>> figure._repr_png_()[1:4]
    b'PNG'
    """
    figure = Picture(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots()

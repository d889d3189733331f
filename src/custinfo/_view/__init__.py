"""HTML tables and pages, figures, progress: how results look, whatever they mean."""

from __future__ import annotations

from custinfo._lazy import lazy_exports

TYPE_CHECKING = False
if TYPE_CHECKING:
    from custinfo._view._figure import BLUE, ORANGE, new_figure
    from custinfo._view._html import Share, cell, page, table
    from custinfo._view._progress import Progress, reporting

__all__ = ["BLUE", "ORANGE", "Progress", "Share", "cell", "new_figure", "page", "reporting", "table"]

_EXPORTS = {
    "BLUE": "custinfo._view._figure",
    "ORANGE": "custinfo._view._figure",
    "Progress": "custinfo._view._progress",
    "Share": "custinfo._view._html",
    "cell": "custinfo._view._html",
    "new_figure": "custinfo._view._figure",
    "page": "custinfo._view._html",
    "reporting": "custinfo._view._progress",
    "table": "custinfo._view._html",
}

__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)

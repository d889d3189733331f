"""Parts of one piece of work in several threads; NumPy and RapidFuzz let others run meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

__all__ = ["in_threads"]


def in_threads(fill: Callable[[int], None], parts: Sequence[int], workers: int) -> None:
    """Call *fill* for each part, several at a time; each writes to a place of its own."""
    if workers < 2 or len(parts) < 2:
        for part in parts:
            fill(part)
        return
    with ThreadPoolExecutor(workers) as pool:
        for _ in pool.map(fill, parts):
            pass

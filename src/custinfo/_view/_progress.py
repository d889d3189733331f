"""Progress of long work: a callback of the caller, or a tqdm bar where tqdm is installed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["Progress", "reporting"]

Progress = bool | Callable[[int, int], None]
"""False: silent; True: a tqdm bar where tqdm is installed; a function: called with (done, total)."""


@contextlib.contextmanager
def reporting(progress: Progress, *, total: int, label: str = "") -> Iterator[Callable[[int], None]]:
    """Give a function ``step(done)`` that reports *done* of *total* the way *progress* asks for.

    Args:
        progress: what the caller passed as ``progress=``.
        total: how much there is to do, in any unit.
        label: what is being done, shown beside a bar.

    >>> seen = []
    >>> with reporting(lambda done, total: seen.append((done, total)), total=4) as step:
    ...     step(1)
    ...     step(4)
    >>> seen
    [(1, 4), (4, 4)]
    """
    if callable(progress):
        yield lambda done: progress(done, total)
        return
    bar = _bar(total, label) if progress else None
    if bar is None:
        yield lambda done: None
        return
    try:
        yield bar
    finally:
        bar.close()


class _Bar:
    def __init__(self, make: Callable[..., Any], total: int, label: str) -> None:
        self._bar = make(total=total, desc=label or None)
        self._done = 0

    def __call__(self, done: int) -> None:
        self._bar.update(done - self._done)
        self._done = done

    def close(self) -> None:
        self._bar.close()


def _bar(total: int, label: str) -> _Bar | None:
    try:
        from tqdm import tqdm
    except ModuleNotFoundError:
        return None
    return _Bar(tqdm, total, label)

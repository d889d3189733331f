"""What happens to open stores when the process forks."""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class Forkable(Protocol):
    """A store that has to do something when the process forks."""

    def _before_fork(self) -> None: ...

    def _after_fork(self, *, child: bool) -> None: ...


def watch_forks(store: Forkable) -> None:
    """Tell *store* about forks for as long as it lives."""
    _stores[id(store)] = store


def _before() -> None:
    # Kept until after the fork, so that a store made or collected meanwhile cannot unbalance the calls.
    _forking[:] = list(_stores.values())
    for store in _forking:
        store._before_fork()


def _after_in_parent() -> None:
    while _forking:
        _forking.pop()._after_fork(child=False)


def _after_in_child() -> None:
    while _forking:
        _forking.pop()._after_fork(child=True)


_stores: weakref.WeakValueDictionary[int, Forkable] = weakref.WeakValueDictionary()
_forking: list[Forkable] = []

if hasattr(os, "register_at_fork"):  # pragma: no branch - absent on Windows, which has no fork
    os.register_at_fork(before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child)

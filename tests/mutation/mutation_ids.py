"""A pytest plugin for mutmut, which collects the tests many times in one process.

pytest keeps the ids that ``parametrize(ids=repr)`` gave at the first collection and escapes their backslashes once
more at each further one, so that ids noted at the first are not found again. Forgetting them is all it takes.
"""

from __future__ import annotations

import pytest


def pytest_collection_finish(session: pytest.Session) -> None:
    """Let the next collection make its ids anew."""
    for item in session.items:
        for mark in item.iter_markers("parametrize"):
            object.__setattr__(mark, "_param_ids_generated", None)
            if mark._param_ids_from is not None:
                object.__setattr__(mark._param_ids_from, "_param_ids_generated", None)

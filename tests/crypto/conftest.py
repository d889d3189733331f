"""Fixtures of the crypto tests."""

from __future__ import annotations

import pytest
from crypto_helpers import SUITES, Counting, Recording

from custinfo.crypto import _watch as watch_module


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until it is told to go."""

    class Clock:
        now = 1000.0

        def __call__(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(watch_module, "monotonic", clock)
    return clock


@pytest.fixture
def store():
    return Recording()


@pytest.fixture
def provider():
    return Counting()


@pytest.fixture(params=SUITES)
def suite(request):
    """What tokens are sealed with: a test that takes this runs under every suite."""
    return request.param

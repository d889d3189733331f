from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def cdnow_payments() -> dict[str, list[Any]]:
    """CDNOW, 2,357 customers: the data file of the PyPI package lifetimes 0.11.3, which is never imported."""
    spec = importlib.util.find_spec("lifetimes")
    if spec is None or spec.origin is None:
        pytest.skip("the data of the PyPI package lifetimes==0.11.3 are not installed (pip install --no-deps)")
    text = (Path(spec.origin).parent / "datasets" / "CDNOW_sample.txt").read_text(encoding="utf-8")
    rows = [line.split() for line in text.splitlines() if line.strip()]
    return {
        "customer_id": [row[1] for row in rows],
        "occurred_at": [f"{row[2][:4]}-{row[2][4:6]}-{row[2][6:]}" for row in rows],
        "amount": [row[4] for row in rows],
    }

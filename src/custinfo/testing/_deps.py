"""pytest and hypothesis, which the contract suites need and the library does not."""

from __future__ import annotations

from custinfo.errors import missing_extra

try:
    import hypothesis
except ModuleNotFoundError as exc:
    raise missing_extra("hypothesis", extra="testing", cause=exc) from None
try:
    import pytest
except ModuleNotFoundError as exc:
    raise missing_extra("pytest", extra="testing", cause=exc) from None

__all__ = ["hypothesis", "pytest"]

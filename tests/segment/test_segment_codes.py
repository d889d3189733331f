"""The page of codes has all codes that the source raises, and no others."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import custinfo.segment

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "segment-codes.md"
POSITIONAL = {"_one_of", "_warn"}  # helpers that take a code as their last argument


def codes_of(source: str) -> set[str]:
    found = set()
    for call in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)):
        name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
        if name == "AmountOverflowError":
            found.add("amount.overflow")
        if name in {"Rule", "Reason"}:  # codes of reasons, not of errors
            continue
        given = [keyword.value for keyword in call.keywords if keyword.arg == "code"]
        given += call.args[-1:] if name in POSITIONAL else []
        found |= {value.value for value in given if isinstance(value, ast.Constant) and isinstance(value.value, str)}
    return found


def test_the_page_of_codes_has_those_of_the_source_in_order() -> None:
    if not PAGE.exists():
        pytest.skip("the docs are not here")
    sources = Path(custinfo.segment.__file__).parent.glob("*.py")
    raised = set().union(*(codes_of(path.read_text(encoding="utf-8")) for path in sources))
    listed = re.findall(r"^\| `([^`]+)` \|", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert listed == sorted(raised)

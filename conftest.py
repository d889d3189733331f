"""Code in the documentation, the README and docstrings runs as tests."""

from __future__ import annotations

import os
import tempfile
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sybil import Sybil
from sybil.integration.pytest import SybilItem
from sybil.parsers.myst import PythonCodeBlockParser, SkipParser
from sybil.parsers.rest import DocTestParser
from sybil.sybil import SybilCollection

if TYPE_CHECKING:
    from collections.abc import MutableMapping

FLAGS = ELLIPSIS | NORMALIZE_WHITESPACE

try:
    from hypothesis import settings
except ModuleNotFoundError:  # some sessions run without it
    pass
else:
    # on a busy machine an example may take any time; speed is for benchmarks
    settings.register_profile("unhurried", settings(), deadline=None)
    settings.load_profile("unhurried")


def _enter_own_folder(namespace: MutableMapping[str, Any]) -> None:
    folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    namespace["_folder"] = (folder, Path.cwd())
    os.chdir(folder.name)


def _leave_own_folder(namespace: MutableMapping[str, Any]) -> None:
    folder, before = namespace.pop("_folder")
    os.chdir(before)
    folder.cleanup()


def _pages(path: str, pattern: str) -> Sybil:
    return Sybil(
        parsers=[PythonCodeBlockParser(doctest_optionflags=FLAGS), SkipParser()],
        path=path,
        patterns=[pattern],
        setup=_enter_own_folder,
        teardown=_leave_own_folder,
    )


def _docstrings(path: str) -> Sybil:
    return Sybil(
        parsers=[DocTestParser(optionflags=FLAGS)],
        path=path,
        patterns=["*.py"],
        setup=_enter_own_folder,
        teardown=_leave_own_folder,
    )


pytest_collect_file = SybilCollection((_pages("docs", "*.md"), _pages(".", "README.md"), _docstrings("src"))).pytest()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Random order moves whole pages only: the examples of a page build on each other."""
    first: dict[object, int] = {}

    def place(index: int, item: pytest.Item) -> tuple[int, int]:
        if not isinstance(item, SybilItem):
            return index, 0
        return first.setdefault(item.parent, index), item.example.start

    places = {item: place(index, item) for index, item in enumerate(items)}
    items.sort(key=places.__getitem__)

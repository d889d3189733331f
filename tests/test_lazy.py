"""Lazy exports: a module is imported when one of its names is first used, and then never asked again."""

import importlib
import sys
import types

import pytest

from custinfo._lazy import lazy_exports

PLACE = "custinfo_lazy_test_place"
PACKAGE = "custinfo_lazy_test_package"


@pytest.fixture
def package(monkeypatch, tmp_path):
    """A package that exports `answer` and `question` out of a module that is on disk and not yet imported."""
    (tmp_path / f"{PLACE}.py").write_text("answer = 42\nquestion = 'six times nine'\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    module = types.ModuleType(PACKAGE)
    module.own = 1
    module.__getattr__, module.__dir__ = lazy_exports(PACKAGE, {"answer": PLACE, "question": PLACE})
    monkeypatch.setitem(sys.modules, PACKAGE, module)
    yield module
    sys.modules.pop(PLACE, None)


def test_nothing_is_imported_before_a_name_is_used(package):
    assert "answer" in dir(package)
    assert PLACE not in sys.modules
    assert package.answer == 42
    assert PLACE in sys.modules


def test_a_name_once_used_is_an_ordinary_attribute(package):
    assert package.answer == 42
    assert vars(package)["answer"] == 42
    assert "question" not in vars(package)


def test_dir_lists_own_and_lazy_names_in_order(package):
    names = dir(package)
    assert names == sorted(names)
    assert {"answer", "own", "question"} <= set(names)


def test_an_unknown_name_is_refused_with_the_names_that_there_are(package):
    with pytest.raises(AttributeError, match=r"has no attribute 'anser'; it has answer, question") as caught:
        _ = package.anser
    assert caught.value.__suppress_context__
    assert not hasattr(package, "anser")


def test_a_module_of_the_package_is_had_by_its_name_too(monkeypatch):
    monkeypatch.delitem(sys.modules, "custinfo.segment.risk", raising=False)
    monkeypatch.delattr("custinfo.segment.risk", raising=False)
    assert importlib.import_module("custinfo.segment").risk is sys.modules["custinfo.segment.risk"]

"""The public names: sorted, reachable, documented, and the same for Python and for type checkers."""

import ast
import importlib
import inspect
import pkgutil
from pathlib import Path

import pytest

import custinfo


def is_public(name):
    return not any(part.startswith("_") for part in name.split("."))


FOUND = [info for info in pkgutil.walk_packages(custinfo.__path__, "custinfo.") if is_public(info.name)]
PACKAGES = ["custinfo", *sorted(info.name for info in FOUND if info.ispkg)]
MODULES = [*PACKAGES, *sorted(info.name for info in FOUND if not info.ispkg)]
NAMES = [(module, name) for module in MODULES for name in importlib.import_module(module).__all__]


def static_imports(package):
    """What a type checker sees: (name, module) of each import in the package's ``if TYPE_CHECKING:``."""
    tree = ast.parse(Path(package.__file__).read_text(encoding="utf-8"))
    blocks = [
        node for node in tree.body if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"
    ]
    return {
        alias.asname or alias.name: (node.module, alias.name)
        for block in blocks
        for node in ast.walk(block)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def test_the_rooms_of_the_floor_plan_are_there():
    assert {"custinfo.model", "custinfo.validate", "custinfo.crypto", "custinfo.dedupe", "custinfo.segment"} <= set(
        PACKAGES
    )
    assert {"custinfo.store", "custinfo.govern", "custinfo.exchange", "custinfo.book", "custinfo.testing"} <= set(
        PACKAGES
    )


def test_the_top_level_has_about_ten_names():
    assert len(custinfo.__all__) <= 12


@pytest.mark.parametrize("module", MODULES)
def test_all_is_sorted_and_has_no_name_twice(module):
    names = importlib.import_module(module).__all__
    assert list(names) == sorted(set(names))


@pytest.mark.parametrize("package", PACKAGES)
def test_a_room_exports_what_it_names_and_nothing_else(package):
    module = importlib.import_module(package)
    names = {
        name
        for name in dir(module)
        if not name.startswith("_")
        and not inspect.ismodule(getattr(module, name))
        and name not in {"TYPE_CHECKING", "annotations", "lazy_exports"}
    }
    assert names == set(module.__all__)


@pytest.mark.parametrize("package", PACKAGES)
def test_type_checkers_see_the_same_names_from_the_same_places(package):
    module = importlib.import_module(package)
    seen = static_imports(module)
    assert set(seen) == set(module.__all__)
    for name, (origin, original) in seen.items():
        assert getattr(module, name) is getattr(importlib.import_module(origin), original)


@pytest.mark.parametrize(("module", "name"), NAMES)
def test_every_public_object_is_documented(module, name):
    found = getattr(importlib.import_module(module), name)
    if isinstance(found, (str, int, float, frozenset, tuple, dict)) or found is None:
        return  # a constant has its comment where it stands
    doc = inspect.getdoc(found)
    assert doc
    assert doc.strip()[0].isupper() or doc.strip()[0] in "`\"'*0123456789"


@pytest.mark.parametrize("package", PACKAGES)
def test_an_unknown_name_is_an_attribute_error_that_lists_the_names_there_are(package):
    module = importlib.import_module(package)
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = module.no_such_name

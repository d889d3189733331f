"""Sphinx. `nox -s docs` builds with -n -W: a link to nothing is an error."""

from __future__ import annotations

import importlib
import importlib.metadata
import inspect
import pkgutil
from typing import TYPE_CHECKING

from sphinx.util.docstrings import prepare_docstring

import custinfo

if TYPE_CHECKING:
    from docutils.nodes import Element, TextElement, reference
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

project = "custinfo"
author = copyright = "the custinfo authors"
release = importlib.metadata.version("custinfo")
version = ".".join(release.split(".")[:2])

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
nb_execution_mode = "off"  # a notebook carries its outputs; `nox -s notebooks` runs it anew
html_theme = "furo"
html_title = f"custinfo {version}"
html_copy_source = False
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3

autodoc_default_options = {"members": True, "member-order": "bysource", "undoc-members": True}
napoleon_custom_sections = [("Source", "notes_style")]
napoleon_use_ivar = True
python_maximum_signature_line_length = 100
python_use_unqualified_type_names = True

# A name in single backticks is a link where it is one of ours. No inventories of other projects are fetched, and what a
# private module names without exporting it has no page.
default_role = "py:obj"
nitpick_ignore_regex = [("py:obj", ".*"), ("py:.*", r"(?!custinfo\.).*"), ("py:.*", r"custinfo\.(\w+\.)*_\w.*")]
# The built-in `type` in an annotation is no reference to one of the attributes of that name.
suppress_warnings = ["ref.python"]


def _public_paths() -> dict[str, str]:
    """Where an object is defined -> where it is exported, for links from annotations."""
    found = pkgutil.iter_modules(custinfo.__path__, "custinfo.")
    packages = [info.name for info in found if info.ispkg and "._" not in info.name]
    paths = {}
    for package in packages:
        module = importlib.import_module(package)
        for name in getattr(module, "__all__", ()):
            found = getattr(module, name)
            if inspect.isclass(found) or inspect.isfunction(found):
                paths[f"{found.__module__}.{found.__qualname__}"] = f"{package}.{name}"
    return paths


def _resolve_private(app: Sphinx, env: BuildEnvironment, node: Element, text: TextElement) -> reference | None:
    target = PUBLIC_PATHS.get(node.get("reftarget", ""))
    if target is None or node.get("refdomain") != "py":
        return None
    domain = env.get_domain("py")
    return domain.resolve_xref(env, node.get("refdoc", ""), app.builder, "obj", target, node, text)


def _is_validator(found: object) -> bool:
    return type(found).__module__.startswith("custinfo.") and callable(found) and not inspect.isclass(found)


def _describe(app: Sphinx, what: str, name: str, found: object, options: object, lines: list[str]) -> None:
    """Name the exported objects, which autodoc passes over, and tell of a validator what stands at its call."""
    if what == "module":
        aliases = [each for each in getattr(found, "__all__", ()) if hasattr(getattr(found, each), "__metadata__")]
        if aliases:
            lines += ["", "Annotated types: " + ", ".join(f"``{each}``" for each in aliases) + "."]
        for each in getattr(found, "__all__", ()):
            value = getattr(found, each)
            if _is_validator(value):
                lines += ["", f".. autofunction:: {name}.{each}"]
            elif each not in aliases and not (
                inspect.isclass(value) or inspect.isroutine(value) or inspect.ismodule(value)
            ):
                lines += ["", f".. autodata:: {name}.{each}", "   :no-value:"]
    elif what == "function" and _is_validator(found):
        lines[:] = prepare_docstring(inspect.getdoc(type(found).__call__) or "")


PUBLIC_PATHS = _public_paths()


def setup(app: Sphinx) -> None:
    """Connect what this file defines."""
    app.connect("missing-reference", _resolve_private)
    app.connect("autodoc-process-docstring", _describe, priority=100)  # before napoleon

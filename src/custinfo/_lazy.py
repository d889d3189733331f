"""Lazy exports of a package (PEP 562): a name is imported when it is first used."""

from __future__ import annotations

import importlib
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def lazy_exports(package: str, exports: Mapping[str, str]) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` of *package*, whose public names live in other modules.

    Args:
        package: the package's ``__name__``.
        exports: public name -> module that defines it, or that it is.

    >>> __getattr__, __dir__ = lazy_exports("custinfo", {"CustInfoError": "custinfo.errors"})
    >>> __getattr__("CustInfoError").__name__
    'CustInfoError'
    """

    def __getattr__(name: str) -> object:  # noqa: N807
        try:
            place = exports[name]
        except KeyError:
            known = ", ".join(sorted(exports))
            raise AttributeError(f"module {package!r} has no attribute {name!r}; it has {known}") from None
        module = importlib.import_module(place)
        value = module if place == f"{package}.{name}" else getattr(module, name)
        setattr(sys.modules[package], name, value)
        return value

    def __dir__() -> list[str]:  # noqa: N807
        return sorted({*vars(sys.modules[package]), *exports})

    return __getattr__, __dir__

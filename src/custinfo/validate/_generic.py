"""`Generic` for type checkers, without importing typing (8 ms) where a service only wants one validator."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Generic, TypeVar

    T = TypeVar("T")
    T_co = TypeVar("T_co", covariant=True)
else:

    class Generic:
        """Stands for `typing.Generic` at run time: ``Result[str]`` is `Result`."""

        __slots__ = ()

        def __class_getitem__(cls, item: object) -> type:
            return cls

    T = T_co = None

__all__ = ["Generic", "T", "T_co"]

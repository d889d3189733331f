"""From older versions of the JSON form to the present one.

A class changes its form by one entry here and a golden file of the new version; the golden files of the old ones stay
and are read by the tests forever. The JSON form is experimental until custinfo 1.0; no class has a second version yet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from custinfo.errors import InvalidFieldError, InvalidRecordError, SchemaVersionError

# The data of one version as those of the next; a pure function, which may return its argument but not change it.
Upcaster: TypeAlias = Callable[[Mapping[str, Any]], Mapping[str, Any]]

UPCASTERS: dict[tuple[str, int], Upcaster] = {}  # by kind and the version that it reads


def version_of(kind: str) -> int:
    """The present version of the JSON form of a kind: one more than there are upcasters for it."""
    version = 1
    while (kind, version) in UPCASTERS:
        version += 1
    return version


def upcast(data: Mapping[str, Any], kind: str, version: int) -> Mapping[str, Any]:
    """The data of an older version in the present form, each step in turn; ``$v`` is that of the present.

    Raises:
        SchemaVersionError: the version is newer than the present one.
        InvalidRecordError: "codec.upcast" where the data are not what that version wrote.
    """
    present = version_of(kind)
    if version > present:
        raise SchemaVersionError(
            f"{kind}/{version} was written by a newer custinfo, which reads it; this one reads up to {present}"
        )
    for step in range(version, present):
        try:
            data = UPCASTERS[kind, step](data)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            fault = InvalidFieldError(
                f"the data are not what {kind}/{step} is; correct $v", code="codec.upcast", path="$v"
            )
            raise InvalidRecordError(f"the data are no valid {kind}; mend $v (codec.upcast)", [fault]) from None
    return {**data, "$v": f"{kind}/{present}"}

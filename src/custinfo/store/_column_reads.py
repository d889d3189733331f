"""Columns of a collection: those that the backend keeps, else those that the data give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from custinfo.store._project import check_names, project
from custinfo.store._protocol import SupportsColumns
from custinfo.store._typed_columns import typed_columns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from custinfo.store._collection import Collection


def columns_of(collection: Collection[Any], names: Sequence[str]) -> dict[str, np.ndarray]:
    """See `Collection.columns`."""
    codec = collection.codec
    wanted = list(dict.fromkeys(names))
    check_names(wanted, cls=codec.cls, clear=codec.clear)
    kept = _kept(collection, wanted)
    if kept.keys() >= set(wanted):
        return {name: kept[name] for name in wanted}
    rows = (codec.clear_fields(record) for record in collection.records())
    return project(rows, wanted, cls=codec.cls, clear=codec.clear)


def differing(collection: Collection[Any]) -> list[str]:
    """See `Collection.check_columns`."""
    codec = collection.codec
    names = [column.path for column in typed_columns(codec.kind)]
    kept = _kept(collection, names)
    if not kept:
        return []
    rows = (codec.clear_fields(record) for record in collection.records())
    true = project(rows, names, cls=codec.cls, clear=codec.clear)
    ids = set(kept["id"]) ^ set(true["id"])
    both, first, second = np.intersect1d(kept["id"], true["id"], return_indices=True)
    for name in kept:
        ids.update(both[~_equal(kept[name][first], true[name][second])])
    return sorted(map(str, ids))


def _equal(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    if one.dtype.kind == "M":
        one, other = one.view(np.int64), other.view(np.int64)  # NaT is not equal to itself
    return np.asarray(one == other, np.bool_)


def _kept(collection: Collection[Any], names: Sequence[str]) -> dict[str, np.ndarray]:
    kind = collection.kind
    if not {column.path for column in typed_columns(kind)} >= set(names):
        return {}
    with collection.store.unit(write=False) as unit:
        if not isinstance(unit, SupportsColumns):
            return {}
        for record in unit.page(kind, "", 1):
            collection.codec.read(record)  # whoever has not the key of the collection is told so here, too
        return unit.columns(kind, names)

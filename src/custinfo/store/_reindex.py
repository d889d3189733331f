"""Look-up keys anew, from the values that the records hold: what a rotation of an index key needs."""

from __future__ import annotations

from typing import TypeVar

from custinfo.store._codec import EntityCodec
from custinfo.store._protocol import Key, Record, RecordStore, SupportsBackup, SupportsBulk, Unit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")
_PAGE = 500
_ERASED = "erased"


def reindex(store: RecordStore, codec: EntityCodec[T]) -> int:
    """Write the keys of every record that has others than its values give now, page by page; gives their number."""
    written, after = 0, ""
    while True:
        with store.unit(write=True) as unit:
            page = unit.page(codec.kind, after, _PAGE)
            changed: list[tuple[Record, Sequence[Key], int]] = [
                (record, keys, record.version) for record in page if (keys := _changed(unit, codec, record)) is not None
            ]
            if isinstance(unit, SupportsBulk):
                unit.put_many(changed)
            else:
                for item in changed:
                    unit.put(*item)
        written += len(changed)
        if len(page) < _PAGE:
            return written
        after = page[-1].id


def _changed(unit: Unit, codec: EntityCodec[T], record: Record) -> list[Key] | None:
    """The keys of a record, or None where it has them already or its values are gone."""
    payload = codec.read(record)
    if payload.clear.get("status") == _ERASED:
        return None  # what its stub still holds keeps an import from bringing the person back
    keys = codec.keys(codec.build(record, payload))
    if isinstance(unit, SupportsBackup) and set(unit.keys(record.kind, record.id)) == set(keys):
        return None
    return keys

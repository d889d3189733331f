"""Former states of records: ordinary records of the kind ``<kind>.history``, under the id ``<id>/<version>``."""

from __future__ import annotations

from collections.abc import Container

from custinfo.store._protocol import Record, Unit

_PAGE = 500


def _kind(kind: str) -> str:
    return kind + ".history"


def _name(id: str, version: int) -> str:
    # Ten digits, so that code-point order is the order of the versions.
    return f"{id}/{version:010d}"


def state_of(record: Record) -> Record:
    """The history record that keeps a stored record as it is now."""
    return Record(_kind(record.kind), _name(record.id, record.version), 0, record.data)


def former_state(unit: Unit, kind: str, id: str, version: int) -> Record | None:
    """One former state of a record, None where it is not kept."""
    for record in unit.get(_kind(kind), [_name(id, version)]):
        return Record(kind, id, version, record.data)
    return None


def former_states(unit: Unit, kind: str, id: str) -> list[Record]:
    """The former states of one record, as records of its kind with the versions they had, the oldest first."""
    found: list[Record] = []
    after = f"{id}/"
    while page := unit.page(_kind(kind), after, _PAGE):
        for record in page:
            if not record.id.startswith(f"{id}/"):
                return found
            owner, _, version = record.id.rpartition("/")
            # Ids may hold slashes: another record's states can lie between.
            if owner == id and version.isascii() and version.isdecimal():
                found.append(Record(kind, id, int(version), record.data))
        after = page[-1].id
    return found


def purge_states(unit: Unit, kind: str, id: str, versions: Container[int] | None) -> int:
    """Delete former states of one record, all where *versions* is None; gives their number."""
    names = [
        _name(id, record.version)
        for record in former_states(unit, kind, id)
        if versions is None or record.version in versions
    ]
    for record in unit.get(_kind(kind), names):
        unit.delete(record.kind, record.id, record.version)
    return len(names)

"""Former states of a customer that show the values of others, from merges that were undone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs

from custinfo.store._history import former_states

TYPE_CHECKING = False
if TYPE_CHECKING:
    from custinfo.model import Customer, Merge
    from custinfo.store._codec import EntityCodec
    from custinfo.store._protocol import Record, Unit


def carried_states(
    customers: EntityCodec[Customer], merges: Iterable[Merge], members: set[str], unit: Unit
) -> dict[str, set[int]]:
    """Former states of other customers that show values of *members*: id -> versions.

    While a merge was open, its survivor had the values of all; whoever it was merged into after that had them too. No
    open merge can need such a state, because a merge is undone after the later ones.
    """
    undone = [merge for merge in merges if merge.undone_at is not None]
    carriers, reached = set(members), 0
    while len(carriers) > reached:
        reached = len(carriers)
        carriers.update(merge.survivor for merge in undone if not carriers.isdisjoint(merge.members))
    found: dict[str, set[int]] = {}
    for merge in undone:
        if merge.survivor not in members and not carriers.isdisjoint(merge.members):
            found.setdefault(merge.survivor, set()).update(_made_by(customers, merge, unit))
    return found


def _made_by(customers: EntityCodec[Customer], merge: Merge, unit: Unit) -> set[int]:
    """Versions of the survivor that the merge made: from then until it was undone, which gave it its content back."""
    key = f"{customers.kind}/{merge.survivor}"
    states = {record.version: record for record in former_states(unit, customers.kind, merge.survivor)}
    before = states.get(merge.before.get(key, 0))
    former = _content(customers, before) if before else None
    found = set()
    for version, record in states.items():
        if version < merge.after.get(key, 0):
            continue
        updated_at = customers.open(record, fields=()).updated_at
        later = updated_at is not None and merge.undone_at is not None and updated_at > merge.undone_at
        if not later and _content(customers, record) != former:
            found.add(version)
    return found


def _content(customers: EntityCodec[Customer], record: Record) -> Any:
    return attrs.evolve(customers.open(record), version=0, updated_at=None)

"""Everything in a book that holds data of one person, wherever it was left: what an erasure must reach."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Protocol

import attrs

from custinfo.errors import RecordNotFoundError
from custinfo.model import (
    Account,
    Consent,
    Customer,
    Feedback,
    Interaction,
    LoyaltyEntry,
    Merge,
    ReviewTask,
    Transaction,
)
from custinfo.store import Collection, Record, RecordStore, Unit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from custinfo.crypto import Keyring

_PAGE = 500


class Holdings(Protocol):
    """What the rights need of a book: `custinfo.book.Book.desk`."""

    store: RecordStore
    keyring: Keyring | None
    clock: Callable[[], datetime]
    customers: Collection[Customer]
    accounts: Collection[Account]
    transactions: Collection[Transaction]
    interactions: Collection[Interaction]
    feedback: Collection[Feedback]
    consents: Collection[Consent]
    loyalty: Collection[LoyaltyEntry]
    merges: Collection[Merge]
    reviews: Collection[ReviewTask]


@attrs.frozen(kw_only=True)
class Footprint:
    """Where the data of one person lie.

    Args:
        customers: records of the survivor and of everyone merged into it.
        accounts: of all of them.
        payments: on these accounts.
        contacts: interactions, feedback, consents and loyalty entries of all of them, by collection.
        reviews: tasks that name one of them.
        carried: former states of other customers, with whom one of them was merged and who still show its values.
    """

    customers: tuple[Record, ...]
    accounts: tuple[Record, ...]
    payments: tuple[Record, ...]
    contacts: dict[str, tuple[Record, ...]]
    reviews: tuple[Record, ...]
    carried: tuple[Record, ...]

    @property
    def members(self) -> tuple[str, ...]:
        """Ids of the customers, in code-point order."""
        return tuple(sorted(record.id for record in self.customers))


def contacts_of(desk: Holdings) -> dict[str, Collection[Any]]:
    """The collections of what belongs to one customer and moves with none, by name."""
    return {
        "interactions": desk.interactions,
        "feedback": desk.feedback,
        "consents": desk.consents,
        "loyalty": desk.loyalty,
    }


def circle_of(desk: Holdings, subject: str, unit: Unit) -> list[Record]:
    """Records of the survivor and of everyone merged into it, whoever of them is asked for.

    Raises:
        RecordNotFoundError: there is none.
    """
    customers = desk.customers
    found = {record.id: record for record in customers.resolve([subject], unit=unit)}
    if not found:
        raise RecordNotFoundError("there is no customer with this id; check the id", id=subject)
    waiting = list(found)
    while waiting:
        ids = [id for id in customers.find_ids(unit=unit, merged_into=waiting.pop()) if id not in found]
        found |= {record.id: record for record in unit.get(customers.kind, ids)}
        waiting += ids
    return list(found.values())


def footprint_of(desk: Holdings, customers: list[Record], unit: Unit) -> Footprint:
    """Where the data of a circle of customers lie."""
    members = {record.id for record in customers}
    accounts = [
        record
        for id in sorted(members)
        for record in unit.get(desk.accounts.kind, desk.accounts.find_ids(unit=unit, customer_id=id))
    ]
    payments = [
        record
        for account in accounts
        for record in unit.get(desk.transactions.kind, desk.transactions.find_ids(unit=unit, account_id=account.id))
    ]
    reviews = [
        record
        for record in _all(desk.reviews.kind, unit)
        if not members.isdisjoint(desk.reviews.codec.clear_fields(record).get("customer_ids", ()))
    ]
    return Footprint(
        customers=tuple(customers),
        accounts=tuple(accounts),
        payments=tuple(payments),
        contacts={
            name: tuple(
                record
                for id in sorted(members)
                for record in unit.get(collection.kind, collection.find_ids(unit=unit, customer_id=id))
            )
            for name, collection in contacts_of(desk).items()
        },
        reviews=tuple(reviews),
        carried=tuple(_carried(desk, members, unit)),
    )


def _carried(desk: Holdings, members: set[str], unit: Unit) -> Iterator[Record]:
    """Former states of other customers, from merges with a member that were undone.

    While a merge was open, its survivor had the values of all; whoever it was merged into after that had them too. No
    open merge can need such a state, because a merge is undone after the later ones.
    """
    undone = [
        merge
        for record in _all(desk.merges.kind, unit)
        if (merge := desk.merges.codec.open(record, fields=())).undone_at is not None
    ]
    carriers, reached = set(members), 0
    while len(carriers) > reached:
        reached = len(carriers)
        carriers.update(merge.survivor for merge in undone if not carriers.isdisjoint(merge.members))
    found: dict[tuple[str, int], Record] = {}
    for merge in undone:
        if merge.survivor not in members and not carriers.isdisjoint(merge.members):
            for record in _states_of(desk, merge, unit):
                found[record.id, record.version] = record
    yield from found.values()


def _states_of(desk: Holdings, merge: Merge, unit: Unit) -> Iterator[Record]:
    """Former states of the survivor that the merge made: from then until it was undone."""
    key = f"{desk.customers.kind}/{merge.survivor}"
    states = {record.version: record for record in desk.customers.history_records(merge.survivor, unit=unit)}
    before = states.get(merge.before.get(key, 0))
    former = _content(desk, before) if before else None
    for version, record in states.items():
        if version < merge.after.get(key, 0):
            continue
        updated_at = desk.customers.codec.open(record, fields=()).updated_at
        later = updated_at is not None and merge.undone_at is not None and updated_at > merge.undone_at
        if not later and _content(desk, record) != former:
            yield record


def _content(desk: Holdings, record: Record) -> Customer:
    return attrs.evolve(desk.customers.codec.open(record), version=0, updated_at=None)


def _all(kind: str, unit: Unit) -> Iterator[Record]:
    after = ""
    while page := unit.page(kind, after, _PAGE):
        yield from page
        after = page[-1].id


def subjects_of(desk: Holdings, found: Footprint) -> list[str]:
    """The data subjects whose keys go with a person: never the key of somebody else's data.

    A payment can be under the key of a customer with whom the person was merged only for a time.
    """
    members = set(found.members)
    subjects = members | {desk.customers.codec.subject(record) or record.id for record in found.customers}
    collections: tuple[tuple[Collection[Any], tuple[Record, ...]], ...] = (
        (desk.accounts, found.accounts),
        (desk.transactions, found.payments),
        (desk.reviews, found.reviews),
        *((collection, found.contacts[name]) for name, collection in contacts_of(desk).items()),
    )
    for collection, records in collections:
        for record in records:
            if collection.codec.subject(record) == record.id:
                subjects.add(record.id)
    return sorted(subjects)

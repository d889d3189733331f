"""Merging customers into one, and undoing it exactly."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import attrs

from custinfo.book._desk import Desk, account_id
from custinfo.errors import ConflictError, MergeError, RecordNotFoundError
from custinfo.govern import check_holds
from custinfo.model import Account, Customer, CustomerStatus, Merge, new_id
from custinfo.store import Unit

_CUSTOM = ("custom", "custom_plain")
_FIXED = {"id", "version", "status", "merged_into", "created_at", "updated_at", "extra", "provenance", *_CUSTOM}
GOLDEN_FIELDS = tuple(field.name for field in attrs.fields(Customer) if field.name not in _FIXED)
UNITED = ("emails", "phones", "handles", "identifiers", "notes", "tags", "roles", "relationships", "preferences")
_START = datetime(1, 1, 1, tzinfo=UTC)


@attrs.frozen
class Plan:
    """A merge before it is written: the members as stored, the survivor's new state, the accounts that move."""

    merge: Merge
    members: tuple[Customer, ...]
    golden: Customer
    accounts: tuple[Account, ...]


def plan_merge(desk: Desk, ids: Sequence[str], survivorship: Any, *, unit: Unit) -> Plan:
    """What a merge would do; nothing is written.

    Raises:
        MergeError: "merge.members", "merge.merged", "merge.erased", "merge.verified", "merge.identifiers".
        RecordNotFoundError: an id is unknown.
    """
    wanted = list(ids)
    if len(wanted) < 2 or len(set(wanted)) < len(wanted):
        raise MergeError("a merge takes two or more different customers", code="merge.members")
    members = _members(desk, wanted, unit)
    survivor = min(members, key=lambda member: (member.created_at or _START, member.id))
    golden = _golden(members, survivor, survivorship)
    accounts = [
        desk.accounts.codec.open(record)
        for member in members
        if member.id != survivor.id
        for record in desk.accounts.resolve(desk.accounts.find_ids(unit=unit, customer_id=member.id), unit=unit)
    ]
    before = {f"customer/{member.id}": member.version for member in members}
    before |= {f"account/{account.id}": account.version for account in accounts}
    merge = Merge(id=new_id(), survivor=survivor.id, members=tuple(sorted(wanted)), before=before)
    return Plan(merge, tuple(members), golden, tuple(accounts))


def _members(desk: Desk, ids: Sequence[str], unit: Unit) -> list[Customer]:
    records = {record.id: record for record in unit.get(desk.customers.kind, ids)}
    if missing := [id for id in ids if id not in records]:
        raise RecordNotFoundError(f"{len(missing)} of the customers do not exist; details['ids'] has them", ids=missing)
    members = [desk.customers.codec.open(records[id]) for id in ids]
    for member in members:
        if member.status is CustomerStatus.MERGED:
            raise MergeError(
                "a member was merged before; name its survivor instead",
                code="merge.merged",
                id=member.id,
                survivor=member.merged_into,
            )
        if member.status is CustomerStatus.ERASED:
            raise MergeError("a member was erased; merge the others without it", code="merge.erased", id=member.id)
    verified: dict[tuple[str, str | None], set[str]] = {}
    for identifier in (one for member in members for one in member.identifiers):
        if identifier.verified_at is not None and identifier.scheme != "external":
            verified.setdefault((identifier.scheme, identifier.country), set()).add(identifier.value)
    if clash := sorted(scheme for (scheme, _), values in verified.items() if len(values) > 1):
        raise MergeError(
            f"the verified identifiers of the members differ ({', '.join(clash)}): different people; leave them apart",
            code="merge.verified",
        )
    return members


def _golden(members: Sequence[Customer], survivor: Customer, survivorship: Any) -> Customer:
    from custinfo.dedupe import golden_record

    rules = dict.fromkeys(GOLDEN_FIELDS, survivorship) if not isinstance(survivorship, Mapping) else {}
    rules |= dict.fromkeys(UNITED, "union")
    if isinstance(survivorship, Mapping):
        rules = {**dict.fromkeys(GOLDEN_FIELDS, "most_complete"), **rules, **survivorship}
    made = golden_record(
        [{name: getattr(member, name) for name in GOLDEN_FIELDS} for member in members],
        survivorship=rules,
        updated_at=[member.updated_at or _START for member in members],
    )
    values = {name: value for name, value in made.values.items() if name in GOLDEN_FIELDS}
    ids = {member.id for member in members}
    values["relationships"] = tuple(one for one in values["relationships"] or () if one.other_id not in ids)
    for name in _CUSTOM:
        others = [getattr(member, name) for member in members if member is not survivor]
        values[name] = {key: value for other in (*others, getattr(survivor, name)) for key, value in other.items()}
    # A stamp goes where its value goes; of a field that several gave something to, none says where it came from.
    values["provenance"] = tuple(
        stamp
        for number, member in enumerate(members)
        for stamp in member.provenance
        if made.sources.get(re.split(r"[.\[]", stamp.path)[0]) in {number, (number,)}
    )
    golden = attrs.evolve(survivor, **values)
    external = {one for member in members for one in member.identifiers if one.scheme == "external"}
    if not external <= set(golden.identifiers):
        raise MergeError(
            "the rule for identifiers loses an external id; use 'union' for identifiers", code="merge.identifiers"
        )
    return golden


def write_merges(desk: Desk, plans: Sequence[Plan], *, unit: Unit) -> list[Merge]:
    """Write planned merges of different customers: members point to their survivor, accounts move to it."""
    absorbed = [
        attrs.evolve(member, status=CustomerStatus.MERGED, merged_into=plan.golden.id)
        for plan in plans
        for member in plan.members
        if member.id != plan.golden.id
    ]
    # The members give up their unique look-ups before the survivors take them.
    customers = desk.customers.put_many(absorbed, unit=unit)
    customers += desk.customers.put_many([plan.golden for plan in plans], unit=unit)
    accounts = desk.accounts.put_many(
        [attrs.evolve(account, customer_id=plan.golden.id) for plan in plans for account in plan.accounts], unit=unit
    )
    written = {f"customer/{customer.id}": customer.version for customer in customers}
    written |= {f"account/{account.id}": account.version for account in accounts}
    merges = [attrs.evolve(plan.merge, after={key: written[key] for key in plan.merge.before}) for plan in plans]
    return desk.merges.put_many(merges, unit=unit)


def undo_merge(desk: Desk, merge_id: str, *, unit: Unit) -> Merge:
    """Give every customer its state before the merge, and the accounts their customers.

    Raises:
        RecordNotFoundError: no such merge.
        MergeError: "merge.undone", "merge.later", "merge.erased".
    """
    merge = desk.merges.get(merge_id, unit=unit)
    if merge.undone_at is not None:
        raise MergeError("the merge was undone before, so there is nothing to undo", code="merge.undone", id=merge_id)
    stored = {record.id: record for record in unit.get(desk.customers.kind, merge.members)}
    if len(stored) < len(merge.members) or any(
        desk.customers.codec.clear_fields(record).get("status") == "erased" for record in stored.values()
    ):
        raise MergeError("a member was erased since; its former state is gone", code="merge.erased", id=merge_id)
    later = [
        other.id
        for other in desk.merges.find(unit=unit, survivor=merge.survivor)
        if other.undone_at is None and other.id > merge.id
    ]
    if later or desk.customers.merged_into(stored[merge.survivor]) is not None:
        raise MergeError("the survivor was merged again; undo that merge first", code="merge.later", id=merge_id)
    former = [
        attrs.evolve(_before(desk, merge, id, unit=unit), version=stored[id].version)
        for id in (merge.survivor, *(id for id in merge.members if id != merge.survivor))
    ]
    # The survivor gives the look-ups back before their owners take them.
    desk.customers.put_many(former[:1], unit=unit)
    desk.customers.put_many(former[1:], unit=unit)
    desk.accounts.put_many(_former_accounts(desk, merge, unit=unit), unit=unit)
    return desk.merges.put(attrs.evolve(merge, undone_at=desk.clock()), unit=unit)


def _before(desk: Desk, merge: Merge, id: str, *, unit: Unit) -> Customer:
    version = merge.before[f"customer/{id}"]
    for record in desk.customers.history_records(id, unit=unit):
        if record.version == version:
            return desk.customers.codec.open(record)
    raise MergeError("the former state of a member is gone; nothing was changed", code="merge.erased", id=merge.id)


def _former_accounts(desk: Desk, merge: Merge, *, unit: Unit) -> list[Account]:
    """The accounts that the merge moved, and those opened for members since, under the customers they belong to.

    What else changed on an account since stays; a deleted account stays deleted.
    """
    accounts = []
    held = unit.get(desk.accounts.kind, desk.accounts.find_ids(unit=unit, customer_id=merge.survivor))
    for account in map(desk.accounts.codec.open, held):
        owner = _owner_before(desk, merge, account, unit=unit)
        if owner != merge.survivor:
            accounts.append(attrs.evolve(account, customer_id=owner))
    return accounts


def _owner_before(desk: Desk, merge: Merge, account: Account, *, unit: Unit) -> str:
    """The member that an account of the survivor belonged to, or was opened for since."""
    version = merge.before.get(f"account/{account.id}")
    for record in desk.accounts.history_records(account.id, unit=unit) if version is not None else ():
        if record.version == version:
            return desk.accounts.codec.open(record).customer_id
    opened = (member for member in merge.members if account.id == account_id(member, account.currency))
    return next(opened, merge.survivor)


def check_deletion(desk: Desk, id: str, *, unit: Unit) -> None:
    """Refuse to delete a customer that is under a hold or takes part in an open merge.

    Raises:
        RecordNotFoundError: there is none.
        ConflictError: "legal_hold", "customer.merged".
    """
    check_holds([id], unit)
    record = desk.customers.record(id, follow=False, unit=unit)
    if desk.customers.merged_into(record) is not None or desk.customers.find_ids(unit=unit, merged_into=id):
        raise ConflictError("the customer takes part in a merge; undo it first", code="customer.merged", id=id)


def baseline(desk: Desk, customer: Customer, *, unit: Unit) -> Customer | None:
    """The state of a customer before it took part in an open merge, or None where it takes part in none.

    A source is compared with this, so that a repeated import does not undo what the merge decided.
    """
    merges = [merge for merge in desk.merges.find(unit=unit, survivor=customer.id) if merge.undone_at is None]
    if not merges:
        return customer if customer.status is CustomerStatus.MERGED else None
    return _before(desk, min(merges, key=lambda merge: merge.id), customer.id, unit=unit)

"""What a book refuses to store although each object is good by itself: it does not fit what is stored already."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs

from custinfo.book._desk import Desk
from custinfo.errors import ConflictError, InvalidFieldError
from custinfo.model import (
    Account,
    Customer,
    CustomerStatus,
    Transaction,
    TransactionKind,
    TransactionStatus,
    check_refund,
    check_transition,
)
from custinfo.store import Collection, Unit

_BACK = frozenset({TransactionKind.REFUND, TransactionKind.CHARGEBACK})
_ALIVE = frozenset({TransactionStatus.PENDING, TransactionStatus.POSTED})
_OF_A_REFUND = frozenset({"account_id", "amount", "kind", "occurred_at", "related_id", "status"})


def check_put(desk: Desk, objects: Sequence[object], unit: Unit) -> None:
    """Refuse what cannot come after what is stored; objects of other classes pass.

    Raises:
        ConflictError: "customer.erased".
        InvalidFieldError: "customer.status", "account.transition", and the codes of `check_refund`.
    """
    for obj in objects:
        if isinstance(obj, Customer):
            _check_customer(desk, obj, unit)
        elif isinstance(obj, Account) and obj.version:
            for record in unit.get(desk.accounts.kind, [obj.id]):
                check_transition(desk.accounts.codec.open(record, fields=()), obj.status)
    _check_refunds(desk, [obj for obj in objects if isinstance(obj, Transaction)], unit)


def check_update(desk: Desk, collection: Collection[Any], id: str, changes: Mapping[str, Any], unit: Unit) -> None:
    """`check_put` for some fields of a stored object.

    Raises:
        ConflictError: "customer.erased".
        InvalidFieldError: "customer.status", "account.transition", and the codes of `check_refund`.
    """
    if collection is desk.customers:
        for record in desk.customers.resolve([id], unit=unit):
            _refuse_erased(desk.customers.codec.clear_fields(record), record.id)
        if not {"status", "merged_into"}.isdisjoint(changes):
            raise _status_fault()
    elif collection is desk.accounts and "status" in changes:
        for record in unit.get(desk.accounts.kind, [id]):
            check_transition(desk.accounts.codec.open(record, fields=()), changes["status"])
    elif collection is desk.transactions and not changes.keys().isdisjoint(_OF_A_REFUND):
        for record in unit.get(desk.transactions.kind, [id]):
            stored = desk.transactions.codec.open(record, fields=())
            known = {name: value for name, value in changes.items() if name in _OF_A_REFUND}
            _check_refunds(desk, [attrs.evolve(stored, **known)], unit)


def _check_customer(desk: Desk, customer: Customer, unit: Unit) -> None:
    """Refuse a customer that only a merge or an erasure can make, and a change of an erased one."""
    for record in unit.get(desk.customers.kind, [customer.id]) if customer.version else []:
        _refuse_erased(desk.customers.codec.clear_fields(record), customer.id)
    if customer.status is not CustomerStatus.ACTIVE or customer.merged_into is not None:
        raise _status_fault()


def _refuse_erased(stored: Mapping[str, Any], id: str) -> None:
    if stored.get("status") == CustomerStatus.ERASED:
        raise ConflictError(
            "the customer was erased and stays so; who comes back is a new customer", code="customer.erased", id=id
        )


def _status_fault() -> InvalidFieldError:
    return InvalidFieldError(
        "status and merged_into change by merge, unmerge and rights.erase only", code="customer.status"
    )


def _check_refunds(desk: Desk, transactions: Iterable[Transaction], unit: Unit) -> None:
    """Check the payments that new refunds name, and those that are changed, as they will be.

    A refund of a payment that is not in the book passes: nobody can say how much was paid.
    """
    new = {one.id: one for one in transactions}
    payments = {one.related_id for one in new.values() if one.kind in _BACK}
    payments |= {one.id for one in new.values() if one.version}
    for id in sorted(filter(None, payments)):
        ids = {id, *desk.transactions.find_ids(unit=unit, related_id=id)}
        records = unit.get(desk.transactions.kind, sorted(ids - new.keys()))
        known = [desk.transactions.codec.open(record, fields=()) for record in records]
        given_back = [one for one in (*known, *new.values()) if one.related_id == id and _gives_back(one)]
        for payment in (*known, *new.values()):
            if payment.id == id:
                for refund in given_back:
                    check_refund(refund, [payment, *given_back])


def _gives_back(one: Transaction) -> bool:
    return one.kind in _BACK and one.status in _ALIVE

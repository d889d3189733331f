"""Rights of the data subject: export, hold and erasure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from custinfo.errors import ConflictError, CustInfoError, InvalidFieldError, KeyUnavailableError, RecordNotFoundError
from custinfo.govern._audited import Act, Auditor
from custinfo.govern._footprint import Footprint, Holdings, circle_of, contacts_of, footprint_of, subjects_of
from custinfo.govern._receipt import ErasureReceipt
from custinfo.model import Customer, CustomerStatus, to_dict
from custinfo.store import Collection, Key, Record, SupportsBackup, SupportsPurge, Unit

HOLD = "hold"


class HasHoldings(Protocol):
    """A book."""

    @property
    def desk(self) -> Any:
        """Its `Holdings`, which are its `Auditor` too."""
        ...


def check_holds(ids: Sequence[str], unit: Unit) -> None:
    """Refuse what would destroy data of a customer under a legal hold.

    Raises:
        ConflictError: "legal_hold".
    """
    if held := unit.get(HOLD, ids):
        raise ConflictError("the customer is under a legal hold; release it first", code="legal_hold", id=held[0].id)


class Rights:
    """Rights of the data subject over one book; made by the book, as ``book.rights``.

    Source: GDPR (EU) 2016/679, articles 15, 17, 18 and 20; Personal Information Protection Law of China (2021),
    articles 45 and 47.
    """

    def __init__(self, book: HasHoldings) -> None:
        self._desk: Holdings = book.desk
        self._auditor: Auditor = book.desk

    def _act(self, verb: str, subject: str) -> Act:
        return Act(action=f"rights.{verb}", entity="customer", subject=subject)

    def export(self, subject: str) -> dict[str, Any]:
        """Everything stored about a person, in a machine-readable form.

        Args:
            subject: id of the customer, of a merged one too.

        Returns:
            customers, former (their former states, the oldest first), accounts, transactions, interactions, feedback,
            consents, loyalty, reviews: each a list of the JSON form of `custinfo.model.dumps`.

        Raises:
            RecordNotFoundError: there is none.
        """

        def read() -> dict[str, Any]:
            desk = self._desk
            with desk.store.unit(write=False) as unit:
                found = footprint_of(desk, circle_of(desk, subject, unit), unit)
                former = [state for id in found.members for state in desk.customers.history_records(id, unit=unit)]
                return {
                    "customers": _json(desk.customers, found.customers),
                    "former": _json(desk.customers, former),
                    "accounts": _json(desk.accounts, found.accounts),
                    "transactions": _json(desk.transactions, found.payments),
                    **{name: _json(collection, found.contacts[name]) for name, collection in contacts_of(desk).items()},
                    "reviews": _json(desk.reviews, found.reviews),
                }

        return self._auditor.reading(self._act("export", subject), read)

    def hold(self, id: str, reason: str) -> None:
        """Forbid the erasure of a customer until `release`, for instance during a dispute.

        It holds everyone who is merged with it, also after that merge is undone.

        Args:
            id: of the customer, of a merged one too.
            reason: for the record; without personal data.

        Raises:
            RecordNotFoundError: there is none.
            ConflictError: "legal_hold" where there is one already.
            InvalidFieldError: "hold.reason".
        """
        with self._auditor.writing(self._act("hold", id)) as work:
            _check_reason(reason, "hold.reason")
            ids = [record.id for record in circle_of(self._desk, id, work.unit)]
            held = {record.id for record in work.unit.get(HOLD, ids)}
            if held.issuperset(ids):
                raise ConflictError(
                    "the customer is under a hold already; release it first to give another reason",
                    code="legal_hold",
                    id=id,
                )
            data = json.dumps({"reason": reason, "at": self._desk.clock().isoformat()}).encode()
            for customer in ids:
                if customer not in held:
                    work.unit.put(Record(HOLD, customer, 0, data), (), 0)

    def release(self, id: str) -> None:
        """Lift the hold of a customer and of everyone who is merged with it.

        Raises:
            RecordNotFoundError: there is no such customer; "hold.none" where there is no hold.
        """
        with self._auditor.writing(self._act("release", id)) as work:
            held = work.unit.get(HOLD, [record.id for record in circle_of(self._desk, id, work.unit)])
            if not held:
                raise RecordNotFoundError(
                    "the customer is under no hold, so there is none to release", code="hold.none", id=id
                )
            for record in held:
                work.unit.delete(HOLD, record.id, record.version)

    def erase(self, subject: str, reason: str) -> ErasureReceipt:
        """Erase a person: destroy the keys, leave stubs without personal data, delete all former states.

        Money stays: accounts and transactions keep their ids, amounts and times. In an encrypted book a stub keeps the
        blind-index token of its external ids, so that an import does not bring the person back. Erasing again finishes
        what was interrupted, and changes nothing otherwise.

        Args:
            subject: id of the customer; everyone merged with it is erased too.
            reason: for the receipt; without personal data.

        Returns:
            The receipt; keep it.

        Raises:
            RecordNotFoundError: there is none.
            ConflictError: "legal_hold".
            KeyUnavailableError: the keys cannot be destroyed now; nothing was changed.
            InvalidFieldError: "erase.reason".
        """
        desk = self._desk
        with self._auditor.writing(self._act("erase", subject)) as work:
            _check_reason(reason, "erase.reason")
            found = footprint_of(desk, circle_of(desk, subject, work.unit), work.unit)
            check_holds(found.members, work.unit)
            blocked = {record.id: self._blocking_keys(record, work.unit) for record in found.customers}
            kids, final_at = self._shred(subjects_of(desk, found))
            former = self._blank(found, blocked, work.unit)
            work.detail |= {"members": len(found.members), "former_states": former}
            at = desk.clock()
        purged = desk.store.purge() if isinstance(desk.store, SupportsPurge) else True
        return ErasureReceipt(
            subject=subject,
            members=found.members,
            reason=reason,
            at=at,
            final_at=final_at,
            kids=kids,
            former_states=former,
            files_purged=purged,
        )

    def _blocking_keys(self, record: Record, unit: Unit) -> list[Key]:
        """The hashed keys of external ids: they keep an import from bringing the person back and tell nothing."""
        codec = self._desk.customers.codec
        if codec.cipher is None:
            return []
        # The stored ones, where the backend gives them: the values may be unreadable already.
        keys = unit.keys(record.kind, record.id) if isinstance(unit, SupportsBackup) else codec.keys(codec.open(record))
        return [key for key in keys if codec.is_external(key)]

    def _shred(self, subjects: list[str]) -> tuple[tuple[str, ...], datetime | None]:
        """Destroy the keys of subjects; in tenant mode there are none to destroy."""
        keyring = self._desk.keyring
        if keyring is None or keyring.mode != "subject":
            return (), None
        for subject in subjects:
            keyring.is_shredded(subject)  # raises where the key store is down, before anything is destroyed
        receipts = [keyring.shred(subject) for subject in subjects]
        kids = tuple(str(kid) for receipt in receipts for kid in receipt.kids)
        return kids, max(receipt.final_at for receipt in receipts)

    def _blank(self, found: Footprint, blocked: dict[str, list[Key]], unit: Unit) -> int:
        """Take every personal value out of the records and delete their former states; gives the number of these."""
        desk = self._desk
        former = 0
        for record in found.customers:
            if desk.customers.codec.clear_fields(record).get("status") != CustomerStatus.ERASED:
                stub = _stub(record, merged_into=desk.customers.merged_into(record))
                desk.customers.put(stub, extra_keys=blocked[record.id], unit=unit)
            former += desk.customers.purge_history(record.id, unit=unit)
        for state in found.carried:
            former += desk.customers.purge_history(state.id, versions={state.version}, unit=unit)
        collections: tuple[tuple[Collection[Any], tuple[Record, ...]], ...] = (
            (desk.accounts, found.accounts),
            (desk.transactions, found.payments),
            *((collection, found.contacts[name]) for name, collection in contacts_of(desk).items()),
        )
        for collection, records in collections:
            for record in records:
                if not collection.codec.is_blank(record):
                    collection.put(collection.codec.open(record, fields=()), unit=unit)
                former += collection.purge_history(record.id, unit=unit)
        for task in found.reviews:
            desk.reviews.delete(task.id, unit=unit)
        return former

    def verify(self, receipt: ErasureReceipt) -> bool:
        """Whether what a receipt says still holds: no personal value, no former state of a person, no key.

        Raises:
            KeyUnavailableError: the keys cannot be looked at now.
        """
        return self._auditor.reading(self._act("verify", receipt.subject), lambda: self._holds(receipt))

    def _holds(self, receipt: ErasureReceipt) -> bool:
        desk, keyring = self._desk, self._desk.keyring
        try:
            with desk.store.unit(write=False) as unit:
                stubs = unit.get(desk.customers.kind, receipt.members)
                found = footprint_of(desk, stubs, unit)
                return (
                    all(map(self._is_stub, stubs))
                    and not any(desk.customers.history_records(id, unit=unit) for id in receipt.members)
                    and not found.carried
                    and _are_blank(desk.reviews, found.reviews, unit)
                    and _are_blank(desk.accounts, found.accounts, unit)
                    and _are_blank(desk.transactions, found.payments, unit)
                    and all(
                        _are_blank(collection, found.contacts[name], unit)
                        for name, collection in contacts_of(desk).items()
                    )
                    and (keyring is None or keyring.mode != "subject" or all(map(keyring.is_shredded, receipt.members)))
                )
        except KeyUnavailableError:
            raise
        except CustInfoError:  # a record that cannot be read may hold anything
            return False

    def _is_stub(self, record: Record) -> bool:
        customers = self._desk.customers
        if not customers.codec.is_blank(record):
            return False
        found = customers.codec.open(record)
        stub = _stub(record, merged_into=found.merged_into, created_at=found.created_at, updated_at=found.updated_at)
        return found == stub


def _stub(record: Record, **kept: Any) -> Customer:
    return Customer(id=record.id, version=record.version, status=CustomerStatus.ERASED, **kept)


def _are_blank(collection: Collection[Any], records: tuple[Record, ...], unit: Unit) -> bool:
    """Whether neither records nor their former states hold a personal value; new states without any are allowed."""
    return all(
        collection.codec.is_blank(state)
        for record in records
        for state in (record, *collection.history_records(record.id, unit=unit))
    )


def _json(collection: Collection[Any], records: Any) -> list[dict[str, Any]]:
    return [to_dict(collection.codec.open(record)) for record in records]


def _check_reason(reason: object, code: str) -> None:
    if not isinstance(reason, str) or not reason.strip():
        raise InvalidFieldError(
            "a reason is needed, for the record; say why, without personal data", code=code, path="reason"
        )

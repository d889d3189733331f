"""Rights of the data subject: export, hold and erasure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Protocol

import attrs

from custinfo.errors import ConflictError, InvalidFieldError, RecordNotFoundError
from custinfo.govern._audited import Act, Auditor
from custinfo.model import Account, Customer, CustomerStatus, Merge, ReviewTask, Transaction, to_dict
from custinfo.store import Collection, Key, Record, RecordStore, Unit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from custinfo.crypto import Keyring

HOLD = "hold"


class Holdings(Protocol):
    """What erasure needs of a book: `custinfo.book.Book.desk`."""

    store: RecordStore
    keyring: Keyring | None
    clock: Callable[[], datetime]
    customers: Collection[Customer]
    accounts: Collection[Account]
    transactions: Collection[Transaction]
    merges: Collection[Merge]
    reviews: Collection[ReviewTask]


class HasHoldings(Protocol):
    """A book."""

    @property
    def desk(self) -> Any:
        """Its `Holdings`, which are its `Auditor` too."""
        ...


@attrs.frozen(kw_only=True)
class ErasureReceipt:
    """What was erased, when, why, and when the last backup of the keys is gone.

    Args:
        subject: id that was asked for.
        members: ids of all customers erased with it: the survivor and everyone merged into it.
        reason: as given.
        at: when, UTC.
        final_at: when the last backup of the key store expires, or None where no key was involved.
        kids: ids of the destroyed keys, in hex.
        former_states: history records deleted.
    """

    subject: str
    members: tuple[str, ...]
    reason: str
    at: datetime
    final_at: datetime | None
    kids: tuple[str, ...]
    former_states: int

    def to_json(self) -> str:
        """The receipt as JSON."""
        times = {"at": self.at.isoformat(), "final_at": self.final_at.isoformat() if self.final_at else None}
        return json.dumps({**attrs.asdict(self), **times}, ensure_ascii=False)


class Rights:
    """Rights of the data subject over one book; made by the book, as ``book.rights``.

    Source: GDPR (EU) 2016/679, articles 15 and 17; Personal Information Protection Law of China (2021), articles 45
    and 47.
    """

    def __init__(self, book: HasHoldings) -> None:
        self._desk: Holdings = book.desk
        self._auditor: Auditor = book.desk

    def _act(self, verb: str, subject: str) -> Act:
        return Act(action=f"rights.{verb}", entity="customer", subject=subject)

    def _circle(self, subject: str, unit: Unit) -> list[Record]:
        """Records of the survivor and of everyone merged into it, whoever of them is asked for."""
        customers = self._desk.customers
        found = [customers.record(subject, unit=unit)]
        for record in found:
            found += unit.get(customers.kind, customers.find_ids(unit=unit, merged_into=record.id))
        return found

    def export(self, subject: str) -> dict[str, Any]:
        """Everything stored about a person, in a machine-readable form.

        Args:
            subject: id of the customer, of a merged one too.

        Returns:
            customers, accounts, transactions: each a list of the JSON form of `custinfo.model.dumps`.

        Raises:
            RecordNotFoundError: there is none.
        """

        def read() -> dict[str, Any]:
            with self._desk.store.unit(write=False) as unit:
                circle = self._circle(subject, unit)
                accounts = list(self._accounts(circle, unit))
                return {
                    "customers": [to_dict(self._desk.customers.codec.open(record)) for record in circle],
                    "accounts": [to_dict(self._desk.accounts.codec.open(record)) for record in accounts],
                    "transactions": [
                        to_dict(self._desk.transactions.codec.open(record))
                        for account in accounts
                        for record in self._payments(account.id, unit)
                    ],
                }

        return self._auditor.reading(self._act("export", subject), read)

    def _accounts(self, circle: list[Record], unit: Unit) -> Iterator[Record]:
        for record in circle:
            yield from unit.get(
                self._desk.accounts.kind, self._desk.accounts.find_ids(unit=unit, customer_id=record.id)
            )

    def _payments(self, account_id: str, unit: Unit) -> list[Record]:
        ids = self._desk.transactions.find_ids(unit=unit, account_id=account_id)
        return unit.get(self._desk.transactions.kind, ids)

    def hold(self, id: str, reason: str) -> None:
        """Forbid the erasure of a customer until `release`, for instance during a dispute.

        Args:
            id: of the customer, of a merged one too.
            reason: for the record; without personal data.

        Raises:
            RecordNotFoundError: there is none.
            ConflictError: "legal_hold" where there is one already.
        """
        with self._auditor.writing(self._act("hold", id)) as work:
            customer = self._desk.customers.record(id, unit=work.unit).id
            if work.unit.get(HOLD, [customer]):
                raise ConflictError("the customer is under a hold already", code="legal_hold", id=customer)
            data = json.dumps({"reason": reason, "at": self._desk.clock().isoformat()}, ensure_ascii=False)
            work.unit.put(Record(HOLD, customer, 0, data.encode()), (), 0)

    def release(self, id: str) -> None:
        """Lift the hold of a customer.

        Raises:
            RecordNotFoundError: there is no such customer, or no hold.
        """
        with self._auditor.writing(self._act("release", id)) as work:
            circle = [record.id for record in self._circle(id, work.unit)]
            held = work.unit.get(HOLD, circle)
            if not held:
                raise RecordNotFoundError("the customer is under no hold", code="hold.none", id=id)
            for record in held:
                work.unit.delete(HOLD, record.id, record.version)

    def erase(self, subject: str, reason: str) -> ErasureReceipt:
        """Erase a person: destroy the keys, leave stubs without personal data, delete all former states.

        Money stays: accounts and transactions keep their ids, amounts and times. A stub keeps the blind-index token of
        the external ids, so that an import does not bring the person back.

        Args:
            subject: id of the customer; everyone merged with it is erased too.
            reason: for the receipt; without personal data.

        Returns:
            The receipt; keep it.

        Raises:
            RecordNotFoundError: there is none.
            ConflictError: "legal_hold".
            KeyUnavailableError: the keys could not be destroyed; nothing was changed.
        """
        if not reason.strip():
            raise InvalidFieldError("an erasure needs a reason", code="erase.reason", path="reason")
        act = self._act("erase", subject)
        with self._auditor.writing(act) as work:
            circle = self._circle(subject, work.unit)
            members = tuple(sorted(record.id for record in circle))
            if held := work.unit.get(HOLD, members):
                raise ConflictError(
                    "the customer is under a legal hold; release it first", code="legal_hold", id=held[0].id
                )
            blocked = {record.id: self._blocking_keys(record) for record in circle}
            kids, final_at = self._shred(circle)
            former = sum(self._blank_customer(record, blocked[record.id], work.unit) for record in circle)
            for account in list(self._accounts(circle, work.unit)):
                former += self._blank(self._desk.accounts, account, {"name": None, "extra": {}}, work.unit)
                for payment in self._payments(account.id, work.unit):
                    former += self._blank(
                        self._desk.transactions, payment, {"description": None, "extra": {}}, work.unit
                    )
            for member in members:
                for task in self._desk.reviews.find(unit=work.unit, about=member):
                    self._desk.reviews.delete(task.id, unit=work.unit)
            work.detail |= {"members": len(members), "former_states": former}
            return ErasureReceipt(
                subject=subject,
                members=members,
                reason=reason,
                at=self._desk.clock(),
                final_at=final_at,
                kids=kids,
                former_states=former,
            )

    def _blocking_keys(self, record: Record) -> list[Key]:
        """The hashed keys of external ids: they keep an import from bringing the person back and tell nothing."""
        codec = self._desk.customers.codec
        if codec.cipher is None:
            return []
        return [key for key in codec.keys(codec.open(record)) if key.name.endswith("identifier")]

    def _shred(self, circle: list[Record]) -> tuple[tuple[str, ...], datetime | None]:
        """Destroy the keys of all subjects of a circle; in tenant mode there are none to destroy."""
        keyring = self._desk.keyring
        if keyring is None or keyring.mode != "subject":
            return (), None
        codec = self._desk.customers.codec
        subjects = sorted({codec.subject(record) or record.id for record in circle})
        receipts = [keyring.shred(subject) for subject in subjects]
        kids = tuple(str(kid) for receipt in receipts for kid in receipt.kids)
        return kids, max((receipt.final_at for receipt in receipts), default=None)

    def _blank_customer(self, record: Record, keys: list[Key], unit: Unit) -> int:
        """Replace a customer by its stub; gives the number of former states deleted."""
        customers = self._desk.customers
        stub = Customer(
            id=record.id,
            version=record.version,
            status=CustomerStatus.ERASED,
            merged_into=customers.merged_into(record),
        )
        customers.put(stub, extra_keys=keys, unit=unit)
        return customers.purge_history(record.id, unit=unit)

    def _blank(self, collection: Collection[Any], record: Record, changes: dict[str, Any], unit: Unit) -> int:
        """Empty the personal fields of an account or a transaction; gives the number of former states deleted."""
        obj = collection.codec.open(record)
        blank = attrs.evolve(obj, **changes)
        if blank != obj or collection.codec.subject(record) is not None:
            collection.put(blank, unit=unit)
        return collection.purge_history(record.id, unit=unit)

    def verify(self, receipt: ErasureReceipt) -> bool:
        """Whether what a receipt says still holds: no personal value, no former state, no key."""
        return self._auditor.reading(self._act("verify", receipt.subject), lambda: self._holds(receipt))

    def _holds(self, receipt: ErasureReceipt) -> bool:
        customers = self._desk.customers
        keyring = self._desk.keyring
        with self._desk.store.unit(write=False) as unit:
            records = unit.get(customers.kind, receipt.members)
            stubs = [customers.codec.open(record) for record in records]
            clean = all(
                stub
                == Customer(
                    id=stub.id,
                    version=stub.version,
                    status=CustomerStatus.ERASED,
                    merged_into=stub.merged_into,
                    created_at=stub.created_at,
                    updated_at=stub.updated_at,
                )
                for stub in stubs
            )
            no_history = not any(customers.history_records(id, unit=unit) for id in receipt.members)
        no_keys = keyring is None or keyring.mode != "subject" or all(map(keyring.is_shredded, receipt.members))
        return clean and no_history and no_keys

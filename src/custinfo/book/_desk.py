"""The inside of a book: its collections, its clock and its audited units."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar

from custinfo.govern import Act, AuditLog, Auditor, Work
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
from custinfo.store import Collection, RecordStore, Unit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from custinfo.crypto import FieldCipher, Keyring


R = TypeVar("R")


class Desk(Auditor):
    """Collections, audit log and clock of one book, without its policy."""

    def __init__(
        self,
        store: RecordStore,
        *,
        keyring: Keyring | None,
        cipher: FieldCipher | None,
        actor: str,
        clock: Callable[[], datetime],
    ) -> None:
        self.store = store
        self.keyring = keyring
        self._plain = False
        self.clock = clock
        self.audit = AuditLog(store, key=keyring.secret("audit") if keyring else b"", clock=clock)
        super().__init__(store, self.audit, actor=actor)
        self.customers = Collection(store, Customer, cipher, clock=clock)
        self.accounts = Collection(store, Account, cipher, clock=clock)
        self.transactions = Collection(store, Transaction, cipher, clock=clock)
        self.interactions = Collection(store, Interaction, cipher, clock=clock)
        self.feedback = Collection(store, Feedback, cipher, clock=clock)
        self.consents = Collection(store, Consent, cipher, clock=clock)
        self.loyalty = Collection(store, LoyaltyEntry, cipher, clock=clock)
        self.merges = Collection(store, Merge, cipher, clock=clock)
        self.reviews = Collection(store, ReviewTask, cipher, clock=clock)

    def reading(self, act: Act, read: Callable[[], R]) -> R:
        """See `Auditor.reading`; refuses a plain book over encrypted data."""

        def checked() -> R:
            with self.store.unit(write=False) as unit:
                self._check_plain(unit)
            return read()

        return super().reading(act, checked)

    @contextmanager
    def writing(self, act: Act, *, note_refusal: bool = True) -> Iterator[Work]:
        """See `Auditor.writing`; refuses a plain book over encrypted data."""
        with super().writing(act, note_refusal=note_refusal) as work:
            self._check_plain(work.unit)
            yield work

    def _check_plain(self, unit: Unit) -> None:
        """A book without keys would write clear records between encrypted ones, and find none of those.

        Raises:
            InvalidFieldError: "store.cipher".
        """
        if self.keyring is None and not self._plain:
            for record in unit.page(self.customers.kind, "", 1):
                self.customers.codec.read(record)
            self._plain = True


def account_id(customer_id: str, currency: str) -> str:
    """Id of the account that an import opens for a customer in a currency."""
    return f"{customer_id}.{currency}"


def customer_of(desk: Desk, obj: Any, unit: Unit) -> str:
    """The data subject under whose key a new object is encrypted: its customer."""
    if isinstance(obj, Account | Interaction | Feedback | Consent | LoyaltyEntry):
        return obj.customer_id
    if isinstance(obj, Transaction):
        records = unit.get(desk.accounts.kind, [obj.account_id])
        return str(desk.accounts.codec.clear_fields(records[0])["customer_id"]) if records else obj.account_id
    if isinstance(obj, ReviewTask):
        return next(iter(obj.customer_ids), obj.id)
    return str(getattr(obj, "id", ""))  # an object of another class is refused by the collection

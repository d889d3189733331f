"""The inside of a book: its collections, its clock and its audited units."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from custinfo.govern import AuditLog, Auditor
from custinfo.model import Account, Customer, Merge, ReviewTask, Transaction
from custinfo.store import Collection, RecordStore, Unit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from custinfo.crypto import FieldCipher, Keyring


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
        self.clock = clock
        self.audit = AuditLog(store, key=keyring.secret("audit") if keyring else b"", clock=clock)
        super().__init__(store, self.audit, actor=actor)
        self.customers = Collection(store, Customer, cipher, clock=clock)
        self.accounts = Collection(store, Account, cipher, clock=clock)
        self.transactions = Collection(store, Transaction, cipher, clock=clock)
        self.merges = Collection(store, Merge, cipher, clock=clock)
        self.reviews = Collection(store, ReviewTask, cipher, clock=clock)


def customer_of(desk: Desk, obj: Any, unit: Unit) -> str:
    """The data subject under whose key a new object is encrypted: its customer."""
    if isinstance(obj, Account):
        return obj.customer_id
    if isinstance(obj, Transaction):
        records = unit.get(desk.accounts.kind, [obj.account_id])
        return str(desk.accounts.codec.clear_fields(records[0])["customer_id"]) if records else obj.account_id
    if isinstance(obj, ReviewTask):
        return next(iter(obj.customer_ids), obj.id)
    return str(obj.id)

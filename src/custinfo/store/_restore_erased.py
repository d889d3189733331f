"""Who was erased after a backup was made does not come back with it.

The tombstones of the key store say who it was. What an erasure does on a book is done to the records on their way in;
former states of other customers, who had the values by a merge that was undone, go once all are in.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from custinfo.crypto import FieldCipher
from custinfo.errors import ConflictError
from custinfo.model import Customer, CustomerStatus, Merge
from custinfo.model._entities import ENTITIES
from custinfo.store._carried import carried_states
from custinfo.store._codec import EntityCodec
from custinfo.store._history import purge_states
from custinfo.store._payload import Payload, is_sealed
from custinfo.store._tombstones import gone_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from custinfo.crypto import Keyring
    from custinfo.store._protocol import Key, Record, Unit

    Item = tuple[Record, Sequence[Key]]

HISTORY = ".history"
_WITHOUT_HISTORY = frozenset({"account", "customer", "reviewtask", "transaction"})
"""Kinds whose former states an erasure deletes, with personal values or without."""
_PAGE = 500


class Erasures:
    """Replays the tombstones of a keyring's key store on the records of a backup, kind after kind."""

    def __init__(self, keyring: Keyring, at: datetime) -> None:
        self.customers: set[str] = set()
        self.changed = 0
        self.left_out = 0
        self._is_gone = gone_of(keyring)
        self._cipher = FieldCipher(keyring)
        self._at = at
        self._codecs: dict[str, EntityCodec[Any]] = {}
        self._accounts: set[str] = set()
        self._stubs: set[str] = set()
        self._events: list[tuple[str, str]] = []

    def apply(self, batch: Sequence[Item]) -> list[Item]:
        """The records as they are brought back; those that are not are missing."""
        kept: list[Item] = []
        for item in batch:
            new = self._applied(*item)
            if new is None:
                self.left_out += 1
            else:
                kept.append(new)
        return kept

    def finish(self, unit: Unit) -> None:
        """Once all records are in: take the values of erased persons from the former states of others.

        Raises:
            ConflictError: "restore.merge".
        """
        if not self.customers:
            return
        merges = list(self._merges(unit))
        self._check_open(merges)
        customers: EntityCodec[Customer] = self._codec("customer")
        for id, versions in carried_states(customers, merges, self.customers, unit).items():
            self.left_out += purge_states(unit, customers.kind, id, versions)
        for kind, id in self._events:
            unit.emit(f"{kind}.updated", id, b"")

    def _applied(self, record: Record, keys: Sequence[Key]) -> Item | None:
        kind = record.kind.removesuffix(HISTORY)
        if record.kind == "hold" and record.id in self.customers:
            return None  # it was released before the erasure
        if kind not in ENTITIES or not is_sealed(record.data):
            return record, keys
        codec = self._codec(kind)
        if kind != record.kind:
            owner, _, _ = record.id.rpartition("/")
            return None if self._goes(codec, record._replace(kind=kind, id=owner)) else (record, keys)
        payload = codec.read(record)
        if not self._is_erased(record, payload):
            return record, keys
        if kind == "reviewtask":
            return None
        if kind == "account":
            self._accounts.add(record.id)
        if kind == "customer":
            self._stubs.add(record.id)
        if kind == "customer" and payload.clear.get("status") != CustomerStatus.ERASED:
            self.customers.add(record.id)
        elif not payload.tokens:
            return record, keys  # nothing personal is in it
        self.changed += 1
        self._events.append((kind, record.id))
        return self._emptied(codec, record, keys, payload)

    def _goes(self, codec: EntityCodec[Any], state: Record) -> bool:
        """Whether a former state is left out."""
        if state.kind == "account":
            return state.id in self._accounts  # whose it is now counts, not whose it was during a merge
        payload = codec.read(state)
        return (state.kind in _WITHOUT_HISTORY or bool(payload.tokens)) and self._is_erased(state, payload)

    def _is_erased(self, record: Record, payload: Payload) -> bool:
        """Whether it is about somebody erased; by whose key it is encrypted counts where nothing else says whose it is.

        A payment can be under the key of a customer with whom the person was merged only for a time.
        """
        clear = payload.clear
        if "account_id" in clear:
            return clear["account_id"] in self._accounts
        persons = [clear.get("customer_id"), *clear.get("customer_ids", ())]
        if record.kind == "customer" or not any(persons):
            persons = [record.id, payload.subject]
        return any(self._is_gone(person) for person in persons if person)

    def _emptied(self, codec: EntityCodec[Any], record: Record, keys: Sequence[Key], payload: Payload) -> Item:
        """A record without its personal values, one version later, so that nobody puts the former state back."""
        obj = codec.build(record, payload, fields=())
        kept: list[Key] = []
        if record.kind == "customer":
            obj = Customer(
                id=record.id,
                status=CustomerStatus.ERASED,
                merged_into=obj.merged_into,
                created_at=self._at,
                updated_at=self._at,
            )
            kept = [key for key in keys if codec.is_external(key)]
        subject = payload.subject or record.id
        [sealed] = codec.seal([obj], [subject], bound=() if payload.subject is None else {record.id})
        own = {(key.name, key.value): key for key in (*kept, *sealed.keys)}
        return sealed.record._replace(version=record.version + 1), [own[pair] for pair in sorted(own)]

    def _codec(self, kind: str) -> EntityCodec[Any]:
        if kind not in self._codecs:
            self._codecs[kind] = EntityCodec(ENTITIES[kind], self._cipher)
        return self._codecs[kind]

    def _merges(self, unit: Unit) -> Iterator[Merge]:
        codec, after = self._codec("merge"), ""
        while page := unit.page(codec.kind, after, _PAGE):
            for record in page:
                yield codec.open(record, fields=())
            after = page[-1].id

    def _check_open(self, merges: Sequence[Merge]) -> None:
        """Refuse where a survivor in the backup still shows the values of a member who was erased alone."""
        split = [
            merge.id
            for merge in merges
            if merge.undone_at is None and 0 < len(self._stubs.intersection(merge.members)) < len(merge.members)
        ]
        if split:
            raise ConflictError(
                f"{len(split)} merges in the backup were undone after it was made, and a part of their members erased; "
                "restore into a new store without the keyring, undo these merges there, erase again, and back that up",
                code="restore.merge",
                merges=split,
            )

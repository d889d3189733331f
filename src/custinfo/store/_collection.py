"""Typed collections over a record store, written once for every backend."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar, overload

import attrs

from custinfo.errors import InvalidFieldError, RecordNotFoundError
from custinfo.store._codec import EntityCodec
from custinfo.store._column_reads import columns_of, differing
from custinfo.store._find import Page, find_page
from custinfo.store._history import former_states, purge_states
from custinfo.store._protocol import Key, Record, RecordStore, Unit
from custinfo.store._put import put_objects
from custinfo.store._reindex import reindex
from custinfo.store._where import Where

TYPE_CHECKING = False
if TYPE_CHECKING:
    import numpy as np

    from custinfo.crypto import FieldCipher

T = TypeVar("T")
_PAGE = 500
_PAGE_LIMIT = 100
_ERASED = "erased"
_HIDDEN = {"merged", _ERASED}


def _now() -> datetime:
    return datetime.now(UTC)


class Collection(Generic[T]):
    """All objects of one model class in a store.

    Each change writes the record, its look-up keys, the former state as a history record and an outbox event in one
    unit. Every method takes ``unit=`` to take part in a unit that the caller opened.

    Args:
        store: any `RecordStore`.
        cls: the model class, such as `Customer`.
        cipher: encrypts the personal fields, one token a field; None stores them in clear.
        clock: gives ``created_at`` and ``updated_at``, aware.

    >>> from custinfo.model import Customer, Email
    >>> from custinfo.store import MemoryStore
    >>> customers = Collection(MemoryStore(), Customer)
    >>> customers.put(Customer(id="c1", emails=[Email("rosa@example.com")])).version
    1
    >>> [customer.id for customer in customers.find(email="Rosa@example.com")]
    ['c1']
    """

    def __init__(
        self,
        store: RecordStore,
        cls: type[T],
        cipher: FieldCipher | None = None,
        *,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self.store = store
        self.codec: EntityCodec[T] = EntityCodec(cls, cipher)
        self.kind = self.codec.kind
        self.clock = clock

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.kind!r})"

    def _unit(self, unit: Unit | None, *, write: bool) -> AbstractContextManager[Unit]:
        return nullcontext(unit) if unit is not None else self.store.unit(write=write)

    # reading

    def get(self, id: str, *, fields: Iterable[str] | None = None, unit: Unit | None = None) -> T:
        """The object under an id; for a merged customer the survivor.

        Args:
            id: of the record.
            fields: personal fields to decrypt; all when left out.
            unit: a unit to read in.

        Raises:
            RecordNotFoundError: there is none.
        """
        with self._unit(unit, write=False) as inside:
            return self.codec.open(self.record(id, unit=inside), fields=fields)

    def record(self, id: str, *, follow: bool = True, unit: Unit) -> Record:
        """The stored record under an id, that of the survivor for a merged customer unless *follow* is false."""
        records = self.resolve([id], unit=unit) if follow else unit.get(self.kind, [id])
        if not records:
            raise RecordNotFoundError(f"there is no {self.kind} with this id; check the id", id=id)
        return records[0]

    def resolve(self, ids: Sequence[str], *, unit: Unit) -> list[Record]:
        """Records of ids, each once; a merged customer gives its survivor."""
        found: dict[str, Record] = {}
        seen: set[str] = set()
        wanted = list(dict.fromkeys(ids))
        while wanted:
            seen.update(wanted)
            following: dict[str, None] = {}
            for record in unit.get(self.kind, wanted):
                target = self.merged_into(record)
                if target is None:
                    found[record.id] = record
                elif target not in seen:  # a damaged store may lead in a circle
                    following[target] = None
            wanted = list(following)
        return list(found.values())

    def merged_into(self, record: Record) -> str | None:
        """Id of the survivor of a merged customer, else None."""
        target = self.codec.clear_fields(record).get("merged_into")
        return str(target) if target is not None else None

    @overload
    def find(
        self,
        where: Where,
        /,
        *,
        order: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
        unit: Unit | None = None,
        fields: Iterable[str] | None = None,
    ) -> Page[T]: ...

    @overload
    def find(
        self, where: None = None, /, *, unit: Unit | None = None, fields: Iterable[str] | None = None, **query: object
    ) -> list[T]: ...

    def find(
        self,
        where: Where | None = None,
        /,
        *,
        order: Any = None,
        cursor: Any = None,
        limit: Any = None,
        unit: Unit | None = None,
        fields: Iterable[str] | None = None,
        **query: object,
    ) -> Page[T] | list[T]:
        """The objects that match every look-up in *query*, or a page of those that meet *where*.

        With look-ups, such as ``find(email="rosa@example.com")``: all of them in code-point order of their ids. A
        merged customer is found by its own values and given as its survivor; erased ones are not given.

        With a condition, such as ``find(Q.tag("vip") & Q.country("CN"))``: a page of the objects whose own values meet
        it, without merged and erased customers. The backend answers from its indexes where it can (`SupportsQuery`).
        Pages stay whole while others write: what met the condition all the while is given once.

        Args:
            where: a condition made of `Q`.
            order: name of a look-up that is stored in clear: by its smallest value, then by id; objects without one are
                left out. By id when left out.
            cursor: of the former page; None starts.
            limit: how many objects a page has at most, 1 to 10,000; 100 when left out.
            unit: a unit to read in.
            fields: personal fields to decrypt; all when left out.
            query: look-up name -> text or value object.

        Raises:
            InvalidFieldError: "find.unknown", "find.value", "find.empty", "find.where" (order, cursor or limit without
                a condition, or look-ups beside one), "find.range" (an order or range of a look-up that is stored as a
                keyed hash), "find.cursor", "find.limit", "find.complex".

        >>> from custinfo.model import Customer, Tag
        >>> from custinfo.store import MemoryStore, Q
        >>> customers = Collection(MemoryStore(), Customer)
        >>> _ = customers.put_many([Customer(id=f"c{n}", tags=[Tag("vip")]) for n in range(3)])
        >>> page = customers.find(Q.tag("vip") & ~Q.country("CN"), limit=2)
        >>> [customer.id for customer in page], page.cursor is None
        (['c0', 'c1'], False)
        >>> [customer.id for customer in customers.find(Q.tag("vip") & ~Q.country("CN"), cursor=page.cursor)]
        ['c2']
        """
        if where is not None and not query:
            with self._unit(unit, write=False) as inside:
                return find_page(
                    inside,
                    self.codec,
                    where,
                    order=order,
                    cursor=cursor,
                    limit=_PAGE_LIMIT if limit is None else limit,
                    fields=fields,
                )
        if where is not None or (order, cursor, limit) != (None, None, None):
            raise InvalidFieldError(
                "order, cursor and limit go with a condition, and look-ups stand alone; write find(Q.tag('vip'), ...)",
                code="find.where",
            )
        with self._unit(unit, write=False) as inside:
            if len(query) < 2:
                found = {record.id: record for record in self.resolve(self.find_ids(unit=inside, **query), unit=inside)}
            else:
                each = [
                    {
                        record.id: record
                        for record in self.resolve(self.find_ids(unit=inside, **{name: value}), unit=inside)
                    }
                    for name, value in query.items()
                ]
                found = {id: record for id, record in each[0].items() if all(id in other for other in each)}
            payloads = [(found[id], self.codec.read(found[id])) for id in sorted(found)]
            return [
                self.codec.build(record, payload, fields=fields)
                for record, payload in payloads
                if payload.clear.get("status") != _ERASED
            ]

    def find_ids(self, *, unit: Unit, **query: object) -> list[str]:
        """Ids of the records that match every look-up, merged ones included, in code-point order."""
        if not query:
            raise InvalidFieldError("say what to find, for instance find(email=...)", code="find.empty")
        hits: set[str] | None = None
        for name, value in query.items():
            ids = {id for key in self.codec.query(name, value) for id in unit.lookup(self.kind, key.name, key.value)}
            hits = ids if hits is None else hits & ids
        return sorted(hits or ())

    def scan(self, *, fields: Iterable[str] | None = None, hidden: bool = False) -> Iterator[T]:
        """All objects in code-point order of their ids, page by page.

        Args:
            fields: personal fields to decrypt; all when left out.
            hidden: also merged and erased customers.
        """
        wanted = None if fields is None else frozenset(fields)
        for record in self.records():
            payload = self.codec.read(record)
            if hidden or payload.clear.get("status") not in _HIDDEN:
                yield self.codec.build(record, payload, fields=wanted)

    def records(self) -> Iterator[Record]:
        """All stored records in code-point order of their ids, page by page, each page in a unit of its own."""
        after = ""
        while True:
            with self.store.unit(write=False) as unit:
                page = unit.page(self.kind, after, _PAGE)
            yield from page
            if len(page) < _PAGE:
                return
            after = page[-1].id

    def history(self, id: str, *, unit: Unit | None = None) -> list[T]:
        """All states of one object, the oldest first, the stored one last.

        Raises:
            RecordNotFoundError: there is none.
        """
        with self._unit(unit, write=False) as inside:
            current = self.record(id, follow=False, unit=inside)
            former = self.history_records(id, unit=inside)
        return [self.codec.open(record) for record in (*former, current)]

    def history_records(self, id: str, *, unit: Unit) -> list[Record]:
        """The former states of one record, as records of its kind with the versions they had."""
        return former_states(unit, self.kind, id)

    def columns(self, names: Sequence[str]) -> dict[str, np.ndarray]:
        """Fields that are not personal as NumPy arrays, without building objects.

        Args:
            names: field names, dotted for parts such as ``amount.minor``.

        A backend that keeps typed columns (`SupportsColumns`) gives them without decoding; they are not under the MAC
        of the records, see `check_columns`.

        Returns:
            Name -> array of shape (n,) in code-point order of the ids: int64, datetime64[us] in UTC, else objects.

        Raises:
            InvalidFieldError: "columns.personal", "columns.missing".
        """
        return columns_of(self, names)

    def check_columns(self) -> list[str]:
        """Ids of the records whose typed columns are not what their data say, in code-point order.

        Columns that a backend keeps beside the records can be changed by whoever may write to the database; the data
        of an encrypted record cannot. All records are decoded, and their MACs checked. A record that is stored again
        has right columns.

        Raises:
            DecryptionError: a record itself was changed.

        >>> from custinfo.model import Transaction
        >>> from custinfo.store import MemoryStore
        >>> Collection(MemoryStore(), Transaction).check_columns()
        []
        """
        return differing(self)

    # writing

    def put(self, obj: T, *, subject: str | None = None, extra_keys: Sequence[Key] = (), unit: Unit | None = None) -> T:
        """Store an object; its ``version`` is the one expected in the store, 0 = must be new.

        Args:
            obj: the new state.
            subject: data subject under whose key a new record is encrypted; its own id when left out. A stored record
                keeps the subject that it had first.
            extra_keys: look-up keys besides those of the object's own values.
            unit: a unit to write in.

        Returns:
            The object as stored, with its new version and times.

        Raises:
            ConflictError: the store has another version; the error has the state that the object is based on, the
                stored one and the one attempted.
            DuplicateKeyError: another record holds one of its unique look-ups.
            InvalidFieldError: "put.class", "payload.json".
        """
        subjects = None if subject is None else [subject]
        return self.put_many([obj], subjects=subjects, extra_keys=extra_keys, unit=unit)[0]

    def put_many(
        self,
        objects: Sequence[T],
        *,
        subjects: Sequence[str] | None = None,
        extra_keys: Sequence[Key] = (),
        unit: Unit | None = None,
    ) -> list[T]:
        """Store many objects in one unit; see `put`."""
        return put_objects(self, objects, subjects, extra_keys, unit)

    def update(self, id: str, changes: Mapping[str, Any], *, unit: Unit | None = None) -> T:
        """Change some fields of the stored object, in one unit.

        Raises:
            RecordNotFoundError: there is none.
            InvalidFieldError: "update.unknown", or what the new values break.
        """
        known = {attribute.name for attribute in attrs.fields(self.codec.cls)}
        fixed = {"id", "version", "created_at", "updated_at"}
        if unknown := sorted(changes.keys() - (known - fixed)):
            raise InvalidFieldError(
                f"cannot update {', '.join(map(repr, unknown))}; there are {', '.join(sorted(known - fixed))}",
                code="update.unknown",
            )
        with self._unit(unit, write=True) as inside:
            obj = self.get(id, unit=inside)
            return self.put(attrs.evolve(obj, **changes), unit=inside)  # type: ignore[misc]  # an attrs class

    def delete(self, id: str, *, unit: Unit | None = None) -> None:
        """Delete an object and its history.

        Raises:
            RecordNotFoundError: there is none.
        """
        with self._unit(unit, write=True) as inside:
            record = self.record(id, follow=False, unit=inside)
            self.purge_history(id, unit=inside)
            inside.delete(self.kind, id, record.version)
            inside.emit(f"{self.kind}.deleted", id, b"")

    def reindex(self) -> int:
        """Give every record the look-up tokens under the current index keys; the objects stay as they are.

        Run it between `BlindIndex.rotate` and `BlindIndex.finish_rotation`, and once more afterwards to drop the
        tokens of the former key. It goes page by page, each in a unit of its own, may be repeated after a kill, and
        writes only what is not as it should be. A record that is written has a new version, and no event or former
        state, since nothing in the object changed. Stubs of erased customers keep the tokens that they have.

        Returns:
            How many records were written.

        Raises:
            ConflictError: another writer changed a record meanwhile; run it again.

        >>> from custinfo.crypto import BlindIndex, FieldCipher, Keyring, LocalKeyProvider, MemoryKeyStore
        >>> from custinfo.model import Customer, Email
        >>> from custinfo.store import MemoryStore
        >>> keyring = Keyring(LocalKeyProvider.generate(), MemoryKeyStore())
        >>> customers = Collection(MemoryStore(), Customer, FieldCipher(keyring))
        >>> _ = customers.put(Customer(id="c1", emails=[Email("rosa@example.com")]))
        >>> index = BlindIndex(keyring, "customer.email", normalize=str, bits=256)
        >>> index.rotate()
        >>> customers.reindex(), customers.reindex()
        (1, 0)
        >>> index.finish_rotation()
        >>> [customer.id for customer in customers.find(email="rosa@example.com")]
        ['c1']
        """
        return reindex(self.store, self.codec)

    def purge_history(self, id: str, *, versions: Container[int] | None = None, unit: Unit) -> int:
        """Delete the former states of one object; gives their number.

        Args:
            id: of the object.
            versions: of the states to delete; all when left out.
            unit: a unit to write in.
        """
        return purge_states(unit, self.kind, id, versions)

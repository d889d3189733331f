"""The collections of a book: typed, encrypted, and every call audited."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar, overload

from custinfo.book._desk import Desk, customer_of
from custinfo.book._rules import check_put, check_update
from custinfo.govern import Act
from custinfo.store import Collection, Page, Unit, Where

TYPE_CHECKING = False
if TYPE_CHECKING:
    from custinfo._columns import Column

T = TypeVar("T")
R = TypeVar("R")


class AuditedCollection(Generic[T]):
    """All objects of one class in a book; made by `Book`, as in ``book.customers``.

    Every call makes exactly one audit entry.
    """

    def __init__(
        self,
        desk: Desk,
        collection: Collection[T],
        *,
        columns: Callable[[Sequence[str]], dict[str, Column]] | None = None,
        may_delete: Callable[[str, Unit], None] = lambda _id, _unit: None,
    ) -> None:
        self._desk = desk
        self._collection = collection
        self._columns = columns or collection.columns
        self._may_delete = may_delete

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._collection.kind!r})"

    def _act(self, verb: str, subject: str | None = None) -> Act:
        return Act(action=f"{self._collection.kind}.{verb}", entity=self._collection.kind, subject=subject)

    def get(self, id: str, *, fields: Iterable[str] | None = None) -> T:
        """The object under an id; for a merged customer the survivor.

        Args:
            id: of the record.
            fields: personal fields to decrypt; all when left out.

        Raises:
            RecordNotFoundError: there is none.
        """
        return self._desk.reading(self._act("get", id), lambda: self._collection.get(id, fields=fields))

    @overload
    def find(
        self, where: Where, /, *, order: str | None = None, cursor: str | None = None, limit: int | None = None
    ) -> Page[T]: ...

    @overload
    def find(self, where: None = None, /, **query: object) -> list[T]: ...

    def find(self, where: Where | None = None, /, **query: Any) -> Page[T] | list[T]:
        """The objects that match every look-up, or a page of those that meet a condition; see `Collection.find`.

        Args:
            where: a condition, such as ``Q.tag("vip") & Q.country("CN")``.
            query: look-ups, such as ``email="rosa@example.com"``; beside a condition order, cursor and limit.

        Raises:
            InvalidFieldError: "find.unknown", listing the look-ups there are; "find.value", "find.empty", "find.where",
                "find.range", "find.cursor", "find.limit", "find.complex".
        """
        find: Callable[..., Page[T] | list[T]] = self._collection.find
        return self._desk.reading(self._act("find"), lambda: find(where, unit=None, fields=None, **query))

    def scan(self, *, fields: Iterable[str] | None = None) -> Iterator[T]:
        """All objects in code-point order of their ids, without merged and erased customers.

        Args:
            fields: personal fields to decrypt, which is faster than all.
        """
        return self._desk.reading(self._act("scan"), lambda: self._collection.scan(fields=fields))

    def history(self, id: str) -> list[T]:
        """All states of one object, the oldest first.

        Raises:
            RecordNotFoundError: there is none.
        """
        return self._desk.reading(self._act("history", id), lambda: self._collection.history(id))

    def columns(self, names: Sequence[str]) -> dict[str, Column]:
        """Fields that are not personal as NumPy arrays of shape (n,); see `Collection.columns`.

        Those of transactions are the posted payments and refunds, and have besides ``customer_id``, ``currency`` and
        ``amount_minor`` (refunds negative): what `custinfo.segment.rfm` takes.
        """
        return self._desk.reading(self._act("columns"), lambda: self._columns(names))

    def check_columns(self) -> list[str]:
        """Ids of the records whose typed columns are not what their data say; see `Collection.check_columns`."""
        return self._desk.reading(self._act("check_columns"), self._collection.check_columns)

    def put(self, obj: T) -> T:
        """Store an object; its ``version`` is the one expected, 0 = must be new.

        Returns:
            The object as stored, with its new version.

        Raises:
            ConflictError: the store has another version; "customer.erased".
            DuplicateKeyError: another record holds one of its unique look-ups.
            InvalidFieldError: "customer.status"; "account.transition" (a closed account stays closed); the codes of
                `check_refund` where more of a payment in the book would be given back than was paid.
        """
        with self._desk.writing(self._act("put", str(getattr(obj, "id", "")))) as work:
            check_put(self._desk, [obj], work.unit)
            return self._collection.put(obj, subject=customer_of(self._desk, obj, work.unit), unit=work.unit)

    def put_many(self, objects: Sequence[T]) -> list[T]:
        """Store many objects in one unit, with one audit entry; see `put`."""
        with self._desk.writing(self._act("put_many")) as work:
            work.detail["count"] = len(objects)
            check_put(self._desk, objects, work.unit)
            subjects = [customer_of(self._desk, obj, work.unit) for obj in objects]
            return self._collection.put_many(objects, subjects=subjects, unit=work.unit)

    def update(self, id: str, changes: Mapping[str, Any]) -> T:
        """Change some fields of the stored object.

        Raises:
            RecordNotFoundError: there is none.
            InvalidFieldError: "update.unknown", or what the new values break; see `put`.
        """
        with self._desk.writing(self._act("update", id)) as work:
            work.detail["fields"] = sorted(changes)
            check_update(self._desk, self._collection, id, changes, work.unit)
            return self._collection.update(id, changes, unit=work.unit)

    def delete(self, id: str) -> None:
        """Delete an object and its history; to erase a person use ``book.rights``.

        Raises:
            RecordNotFoundError: there is none.
            ConflictError: "legal_hold", or "customer.merged" for a customer in an open merge.
        """
        with self._desk.writing(self._act("delete", id)) as work:
            self._may_delete(id, work.unit)
            self._collection.delete(id, unit=work.unit)

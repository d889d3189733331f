"""What a principal sees: only granted fields, decrypted only where granted, masked, and audited."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, overload

import attrs

from custinfo.book._desk import Desk
from custinfo.book._ledger import Statement, statement_of, timeline_of
from custinfo.book._rules import check_update
from custinfo.errors import AccessDeniedError
from custinfo.govern import Act, Authorizer, Principal
from custinfo.model import fields_of, masked, plain_value
from custinfo.store import Collection, Page, Where

_ALWAYS = ("id",)


class RecordView:
    """One record as a principal sees it: the granted fields as attributes, the others refused.

    Raises:
        AccessDeniedError: on reading a field that is not granted.
    """

    __slots__ = ("_entity", "_values")

    def __init__(self, entity: str, values: Mapping[str, Any]) -> None:
        object.__setattr__(self, "_entity", entity)
        object.__setattr__(self, "_values", dict(values))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self._values[name]
        except KeyError:
            raise AccessDeniedError(
                f"{self._entity}.{name} is not granted; there are {', '.join(self._values)}", code="access.field"
            ) from None

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a view cannot be changed; use update() of the view's collection")

    def __reduce__(self) -> tuple[Any, ...]:
        return (RecordView, (self._entity, self._values))

    def __dir__(self) -> list[str]:
        return sorted(self._values)

    def to_dict(self) -> dict[str, Any]:
        """The granted fields by name, as JSON values."""
        return {name: plain_value(value) for name, value in self._values.items()}

    def __repr__(self) -> str:
        return f"RecordView({self._entity!r}, {self.to_dict()!r})"


@attrs.frozen
class Access:
    """Who looks, what for, and by whose rules."""

    desk: Desk
    authorizer: Authorizer
    principal: Principal
    purpose: str

    def act(self, action: str, entity: str, subject: str | None = None) -> Act:
        """The call for the audit log."""
        return Act(action=action, entity=entity, subject=subject, actor=self.principal.name, purpose=self.purpose)

    def granted(self, entity: str, *, action: str = "read", fields: tuple[str, ...] = ()) -> dict[str, str]:
        """The granted fields of an entity.

        Raises:
            AccessDeniedError: none is granted, or one of *fields* is not.
        """
        granted = dict(self.authorizer.fields(self.principal, purpose=self.purpose, action=action, entity=entity))
        missing = [name for name in fields if name not in granted]
        if missing or not granted:
            what = ", ".join(f"{entity}.{name}" for name in missing) or entity
            raise AccessDeniedError(
                f"no role of {self.principal.name} may {action} {what} for {self.purpose!r}; ask for a grant",
                code="access.denied",
            )
        return granted


class CollectionView:
    """A collection as a principal sees it; made by ``book.as_(principal, purpose=...)``.

    Every call makes exactly one audit entry, refused ones too.
    """

    def __init__(self, access: Access, collection: Collection[Any]) -> None:
        self._access = access
        self._collection = collection
        self._own_masks = {info.path: info.mask for info in fields_of(collection.codec.cls)}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._collection.kind!r}, {self._access.principal.name!r})"

    def _act(self, verb: str, subject: str | None = None) -> Act:
        kind = self._collection.kind
        return self._access.act(f"{kind}.{verb}", kind, subject)

    def _known(self, granted: Mapping[str, str]) -> dict[str, str]:
        """Grants of fields that the model has; others give nothing."""
        return {name: how for name, how in granted.items() if name in self._own_masks}

    def _granted(self, *, fields: tuple[str, ...] = ()) -> dict[str, str]:
        """The granted fields; see `Access.granted` for the errors."""
        kind = self._collection.kind
        granted = self._known(self._access.granted(kind, fields=fields))
        if not granted:
            raise AccessDeniedError(f"the grants name no field that {kind} has; ask for one", code="access.denied")
        return granted

    def see(self, obj: Any, granted: Mapping[str, str]) -> RecordView:
        """What is granted of an object; the id always."""
        values = {name: getattr(obj, name) for name in _ALWAYS}
        for name, how in self._known(granted).items():
            own = self._own_masks[name]
            # A field that declares no mask of its own is hidden where a grant asks for one.
            rule = ("hide" if own == "clear" else "own") if how == "mask" else how.removeprefix("mask:")
            values[name] = masked(getattr(obj, name), rule, own=own)
        return RecordView(self._collection.kind, values)

    def get(self, id: str) -> RecordView:
        """The granted part of the object under an id.

        Raises:
            AccessDeniedError: no field of it is granted.
            RecordNotFoundError: there is none.
        """

        def read() -> RecordView:
            granted = self._granted()
            return self.see(self._collection.get(id, fields=granted), granted)

        return self._access.desk.reading(self._act("get", id), read)

    @overload
    def find(
        self, where: Where, /, *, order: str | None = None, cursor: str | None = None, limit: int | None = None
    ) -> Page[RecordView]: ...

    @overload
    def find(self, where: None = None, /, **query: object) -> list[RecordView]: ...

    def find(self, where: Where | None = None, /, **query: Any) -> Page[RecordView] | list[RecordView]:
        """The granted parts of the objects that match every look-up, or of those that meet a condition.

        Args:
            where: a condition, such as ``Q.tag("vip") & Q.country("CN")``; see `Collection.find`.
            query: look-ups, such as ``email="rosa@example.com"``; beside a condition order, cursor and limit.

        Raises:
            AccessDeniedError: a field that is looked up is not granted, or masked where a range or the order of its
                values would tell them.
        """

        def read() -> Page[RecordView] | list[RecordView]:
            order = () if where is None or query.get("order") is None else (query["order"],)
            granted = self._granted(fields=self._asked([*(query if where is None else where.lookups()), *order]))
            compared = () if where is None else self._asked([*where.ranges(), *order])
            if unclear := sorted({name for name in compared if granted[name] != "clear"}):
                raise AccessDeniedError(
                    f"a range or order needs {', '.join(unclear)} in clear; they are granted masked",
                    code="access.masked",
                )
            found = self._collection.find(where, unit=None, fields=granted, **query)
            seen = [self.see(obj, granted) for obj in found]
            return Page(tuple(seen), found.cursor) if isinstance(found, Page) else seen

        return self._access.desk.reading(self._act("find"), read)

    def _asked(self, lookups: Iterable[str]) -> tuple[str, ...]:
        """The fields that look-ups read."""
        codec = self._collection.codec
        return tuple(codec.field_of(name) for name in lookups if name in codec.indexes)

    def scan(self) -> Iterator[RecordView]:
        """The granted parts of all objects.

        Raises:
            AccessDeniedError: no field is granted.
        """

        def read() -> Iterator[RecordView]:
            granted = self._granted()
            return (self.see(obj, granted) for obj in self._collection.scan(fields=granted))

        return self._access.desk.reading(self._act("scan"), read)

    def update(self, id: str, changes: Mapping[str, Any]) -> RecordView:
        """Change granted fields of an object.

        Raises:
            AccessDeniedError: a field is not granted for "write"; nothing is changed.
        """
        kind = self._collection.kind
        with self._access.desk.writing(self._act("update", id)) as work:
            self._access.granted(kind, action="write", fields=tuple(changes))
            check_update(self._access.desk, self._collection, id, changes, work.unit)
            obj = self._collection.update(id, changes, unit=work.unit)
            work.detail["fields"] = sorted(changes)
            readable = self._access.authorizer.fields(
                self._access.principal, purpose=self._access.purpose, action="read", entity=kind
            )
        return self.see(obj, readable)


class BookView:
    """A book as a principal sees it; made by ``book.as_(principal, purpose=...)``."""

    def __init__(self, access: Access) -> None:
        self._access = access
        desk = access.desk
        self.customers = CollectionView(access, desk.customers)
        self.accounts = CollectionView(access, desk.accounts)
        self.transactions = CollectionView(access, desk.transactions)
        self.interactions = CollectionView(access, desk.interactions)
        self.feedback = CollectionView(access, desk.feedback)
        self.consents = CollectionView(access, desk.consents)
        self.loyalty = CollectionView(access, desk.loyalty)

    def __repr__(self) -> str:
        return f"BookView({self._access.principal.name!r}, purpose={self._access.purpose!r})"

    def search(
        self, *, email: str | None = None, phone: str | None = None, name: str | None = None
    ) -> list[RecordView]:
        """Customers by e-mail, phone or name; see `CollectionView.find`."""
        query = {"email": email, "phone": phone, "name": name}
        return self.customers.find(**{key: value for key, value in query.items() if value is not None})

    def find(
        self, where: Where, /, *, order: str | None = None, cursor: str | None = None, limit: int | None = None
    ) -> Page[RecordView]:
        """What is granted of the customers that meet a condition; see `CollectionView.find`."""
        return self.customers.find(where, order=order, cursor=cursor, limit=limit)

    def statement(self, customer_id: str, period: Any = None) -> Statement:
        """The payments of a customer in a period; needs transaction.amount and transaction.occurred_at in clear.

        Raises:
            AccessDeniedError: one of them is not granted, or masked: the sums would tell it.
        """

        def read() -> Statement:
            granted = self._access.granted("transaction", fields=("amount", "occurred_at"))
            if {granted["amount"], granted["occurred_at"]} != {"clear"}:
                raise AccessDeniedError(
                    "a statement needs the amounts and times in clear; they are granted masked", code="access.masked"
                )
            statement = statement_of(self._access.desk, customer_id, period, fields=granted)
            seen = tuple(self.transactions.see(payment, granted) for payment in statement.transactions)
            return attrs.evolve(statement, transactions=seen)

        return self._access.desk.reading(self._access.act("book.statement", "customer", customer_id), read)

    def timeline(self, customer_id: str) -> list[RecordView]:
        """What is granted of a customer's transactions; needs transaction.amount and transaction.occurred_at.

        Raises:
            AccessDeniedError: one of them is not granted.
        """

        def read() -> list[RecordView]:
            granted = self._access.granted("transaction", fields=("amount", "occurred_at"))
            found = timeline_of(self._access.desk, customer_id, fields=granted)
            return [self.transactions.see(payment, granted) for payment in found]

        return self._access.desk.reading(self._access.act("book.timeline", "customer", customer_id), read)

"""One customer book: what most applications use."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import attrs

from custinfo.book._collections import AuditedCollection
from custinfo.book._desk import Desk
from custinfo.book._import_customers import import_customers
from custinfo.book._import_transactions import import_transactions
from custinfo.book._importing import Mapped, Progress
from custinfo.book._ledger import Statement, Timeline, statement_of, timeline_of
from custinfo.book._merging import Plan, check_deletion, plan_merge, undo_merge, write_merges
from custinfo.book._report import ImportReport
from custinfo.book._views import Access, BookView
from custinfo.errors import InvalidFieldError, MergeError
from custinfo.govern import Act, AuditLog, Authorizer, Policy, Principal, Rights
from custinfo.model import (
    Account,
    Consent,
    Customer,
    Feedback,
    Identifier,
    Interaction,
    LoyaltyEntry,
    Merge,
    ReviewTask,
    Tag,
    Transaction,
    minor_digits,
    new_id,
)
from custinfo.store import Event, Page, RecordStore, Unit, Where, payment_columns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from custinfo.crypto import Keyring
    from custinfo.dedupe import Duplicates


@attrs.frozen
class MergedAll:
    """What `Book.merge_all` did: the merges made, and the review tasks for the clusters it was not sure of."""

    merges: tuple[Merge, ...]
    reviews: tuple[ReviewTask, ...]


def _now() -> datetime:
    return datetime.now(UTC)


class Book:
    """Customers, accounts and payments in one store: encrypted, audited, merged and undone.

    Every public call of a book, its collections and its views makes exactly one audit entry.

    Args:
        store: any `RecordStore`.
        keyring: encrypts personal data; its key store must not be *store*.
        policy: what principals may see; without one, nothing.
        actor: who acts through this book, for the audit log.
        plaintext: must be said where there is no keyring.
        currency: of imported amounts that name none, ISO 4217.
        clock: gives the time, aware.

    Raises:
        InvalidFieldError: "book.plaintext" without a keyring, "book.key_store", "currency.unknown".

    >>> from custinfo.store import MemoryStore
    >>> book = Book(MemoryStore(), plaintext=True, actor="docs")
    >>> book.import_customers([{"external_id": "C1", "given_name": "Rosa", "email": "rosa@example.com"}]).created
    1
    >>> [customer.names[0].given for customer in book.search(email="rosa@example.com")]
    ['Rosa']
    """

    def __init__(
        self,
        store: RecordStore,
        keyring: Keyring | None = None,
        policy: Authorizer | None = None,
        *,
        actor: str = "custinfo",
        plaintext: bool = False,
        currency: str = "CNY",
        clock: Callable[[], datetime] = _now,
    ) -> None:
        minor_digits(currency)
        self.desk = Desk(
            store,
            keyring=keyring,
            cipher=_cipher(store, keyring, plaintext=plaintext),
            actor=actor,
            clock=clock,
        )
        self.policy: Authorizer = policy if policy is not None else Policy([])
        self.currency = currency
        self.rights = Rights(self)
        desk = self.desk
        self.customers: AuditedCollection[Customer] = AuditedCollection(
            desk,
            desk.customers,
            may_delete=lambda id, unit: check_deletion(desk, id, unit=unit),
        )
        self.accounts: AuditedCollection[Account] = AuditedCollection(desk, desk.accounts)
        self.transactions: AuditedCollection[Transaction] = AuditedCollection(
            desk, desk.transactions, columns=lambda names: payment_columns(desk.transactions, desk.accounts, names)
        )
        self.interactions: AuditedCollection[Interaction] = AuditedCollection(desk, desk.interactions)
        self.feedback: AuditedCollection[Feedback] = AuditedCollection(desk, desk.feedback)
        self.consents: AuditedCollection[Consent] = AuditedCollection(desk, desk.consents)
        self.loyalty: AuditedCollection[LoyaltyEntry] = AuditedCollection(desk, desk.loyalty)
        self.reviews: AuditedCollection[ReviewTask] = AuditedCollection(desk, desk.reviews)
        self.merges: AuditedCollection[Merge] = AuditedCollection(desk, desk.merges)

    def __repr__(self) -> str:
        return f"Book({self.desk.store!r}, keyring={self.desk.keyring!r})"

    @property
    def audit(self) -> AuditLog:
        """The audit log; reading it is not audited."""
        return self.desk.audit

    # in

    def import_customers(
        self,
        source: Any,
        *,
        mapping: Mapped | None = None,
        match_on: Sequence[str] = ("external_id",),
        on_match: str = "update",
        source_name: str = "import",
        region: str | None = None,
        currency: str | None = None,
        encoding: str | None = None,
        progress: Progress = False,
    ) -> ImportReport:
        """Import customers, with an account for each; the same file twice changes nothing.

        A bad cell is left out of its row and noted; a row that cannot be used goes to the report's quarantine.

        Args:
            source: CSV (a path, bytes or an open file), a frame, columns, or an iterable of mappings.
            mapping: column -> field or fields: external_id, national_id, given_name, family_name, middle_name,
                full_name, organization, sex, email, phone, birth_date, address, street, house_number, unit,
                sublocality, locality, region, postal_code, country, note, tag. Columns of these names need none.
            match_on: fields that tell whether a customer is known, in this order: external_id, email, phone.
            on_match: what to do with a known one: "update", "skip", "fail" (quarantine) or "review".
            source_name: issuer of the external ids.
            region: country of phone numbers without a country code, ISO 3166-1 alpha-2.
            currency: of the accounts; the book's when left out.
            encoding: of a CSV file; found out when left out.
            progress: a bar, or a function of (rows done, rows known).

        Raises:
            InvalidFieldError: "import.match_on", "import.on_match", "map.target", "map.missing_column",
                "csv.encoding", "csv.empty" and others that name the place; batches before it stay.
        """
        return import_customers(
            self.desk,
            source,
            mapping=mapping,
            match_on=match_on,
            on_match=on_match,
            source_name=source_name,
            region=region,
            currency=currency or self.currency,
            encoding=encoding,
            progress=progress,
        )

    def import_transactions(
        self,
        source: Any,
        *,
        mapping: Mapped | None = None,
        source_name: str = "import",
        currency: str | None = None,
        time_zone: str = "UTC",
        encoding: str | None = None,
        progress: Progress = False,
    ) -> ImportReport:
        """Import payments; the same file twice changes nothing, a changed row is refused.

        Args:
            source: CSV (a path, bytes or an open file), a frame, columns, or an iterable of mappings.
            mapping: column -> field or fields: id, customer (the external id that the same source gave), customer_id
                or account_id (the book's own), occurred_at (or date), amount (major units) or amount_minor, currency,
                kind, status, channel, method, merchant, description, related_id. Columns of these names need none.
            source_name: issuer of the customers' external ids, and made part of the transactions' ids.
            currency: of rows that name none; the book's when left out.
            time_zone: of times without an offset, IANA name.
            encoding: of a CSV file; found out when left out.
            progress: a bar, or a function of (rows done, rows known).

        Raises:
            InvalidFieldError: "import.columns", "time.zone", "map.target", "map.missing_column", "csv.encoding" and
                others that name the place; batches before it stay.
        """
        return import_transactions(
            self.desk,
            source,
            mapping=mapping,
            source_name=source_name,
            currency=currency or self.currency,
            time_zone=time_zone,
            encoding=encoding,
            progress=progress,
        )

    # same person?

    def find_duplicates(self, **options: Any) -> Duplicates:
        """Which customers are the same person; see `custinfo.dedupe.find_duplicates` for the options.

        Returns:
            The clusters; their ``ids`` are the customers' ids.
        """
        from custinfo.dedupe import find_duplicates

        def read() -> Duplicates:
            customers = list(self.desk.customers.scan())
            return find_duplicates(customers, ids=[customer.id for customer in customers], **options)

        return self.desk.reading(Act(action="book.find_duplicates", entity="customer"), read)

    def merge(self, ids: Iterable[str], *, survivorship: Any = "most_complete", dry_run: bool = False) -> Merge:
        """Make one customer of several, undoably; all their look-ups and accounts lead to the survivor.

        Args:
            ids: of two or more customers; the oldest record survives, under its id.
            survivorship: which value wins, a strategy of `custinfo.dedupe.golden_record` or field -> strategy;
                contact points, identifiers, notes and tags are united unless a mapping says otherwise.
            dry_run: only say what would be done.

        Raises:
            MergeError: "merge.members", "merge.merged", "merge.erased", "merge.verified", "merge.identifiers";
                nothing was changed.
            RecordNotFoundError: an id is unknown.
        """
        ids = [str(id) for id in ids]
        act = Act(action="book.merge", entity="customer", subject=next(iter(ids), None))
        if dry_run:

            def read() -> Merge:
                with self.desk.store.unit(write=False) as unit:
                    return plan_merge(self.desk, ids, survivorship, unit=unit).merge

            return self.desk.reading(act, read)
        with self.desk.writing(act) as work:
            plan = plan_merge(self.desk, ids, survivorship, unit=work.unit)
            return write_merges(self.desk, [plan], unit=work.unit)[0]

    def merge_all(self, duplicates: Duplicates, *, survivorship: Any = "most_complete") -> MergedAll:
        """Merge the clusters that are sure (``duplicates.auto``), and queue the others for review, in one unit.

        Args:
            duplicates: from `find_duplicates` of this book.
            survivorship: see `merge`.
        """
        if duplicates.ids is None:
            raise InvalidFieldError(
                "these duplicates name no customers; take them from the book's own find_duplicates()",
                code="merge.ids",
            )
        names = [str(id) for id in duplicates.ids]
        with self.desk.writing(Act(action="book.merge_all", entity="customer")) as work:
            plans: list[Plan] = []
            sure = duplicates.auto.tolist()
            likely = _clusters(names, duplicates.labels.tolist())
            of_name = dict(zip(names, sure, strict=True))
            doubtful = [cluster for cluster in likely if len({of_name[name] for name in cluster}) > 1]
            for members in _clusters(names, sure):
                try:
                    plans.append(plan_merge(self.desk, members, survivorship, unit=work.unit))
                except MergeError:
                    doubtful.append(members)
            merges = write_merges(self.desk, plans, unit=work.unit)
            reviews = self._queue(doubtful, work.unit)
            work.detail |= {"merges": len(merges), "reviews": len(reviews)}
        return MergedAll(tuple(merges), tuple(reviews))

    def _queue(self, clusters: Sequence[Sequence[str]], unit: Unit) -> list[ReviewTask]:
        """A review task for the customers of each cluster, survivors in the place of merged ones."""
        circles = [
            sorted(record.id for record in self.desk.customers.resolve(cluster, unit=unit)) for cluster in clusters
        ]
        tasks = [
            ReviewTask(id=new_id(), reason="duplicate", customer_ids=tuple(ids)) for ids in circles if len(ids) > 1
        ]
        return self.desk.reviews.put_many(tasks, subjects=[task.customer_ids[0] for task in tasks], unit=unit)

    def unmerge(self, merge_id: str) -> Merge:
        """Undo a merge: every customer gets back the state that it had, and the accounts their customers.

        What was posted to an account meanwhile stays.

        Raises:
            RecordNotFoundError: no such merge.
            MergeError: "merge.undone", "merge.later" (undo that one first), "merge.erased"; nothing was changed.
        """
        with self.desk.writing(Act(action="book.unmerge", entity="merge", subject=merge_id)) as work:
            return undo_merge(self.desk, merge_id, unit=work.unit)

    # out

    def as_(self, principal: Principal, *, purpose: str) -> BookView:
        """The book as a principal sees it for a purpose: granted fields only, masked as granted.

        >>> from custinfo.govern import Grant, Policy, Principal
        >>> from custinfo.store import MemoryStore
        >>> policy = Policy([Grant("sales", "service", {"customer.phones": "mask:last4"})])
        >>> book = Book(MemoryStore(), plaintext=True, policy=policy)
        >>> _ = book.import_customers([{"external_id": "C1", "phone": "+8613800138000"}])
        >>> view = book.as_(Principal("desk-7", ["sales"]), purpose="service")
        >>> [customer.phones[0].value for customer in view.search(phone="+8613800138000")]
        ['***8000']
        """
        return BookView(Access(self.desk, self.policy, principal, purpose))

    def search(
        self,
        *,
        email: str | None = None,
        phone: str | None = None,
        name: str | None = None,
        external_id: str | None = None,
        source_name: str = "import",
    ) -> list[Customer]:
        """Customers that match everything given; on an encrypted book by blind index.

        Args:
            email: in any case.
            phone: as stored, in E.164 where it was validated; blanks and hyphens do not matter.
            name: case, accents and the order of its words do not matter.
            external_id: that the source *source_name* gave.
            source_name: as in `import_customers`.

        Raises:
            InvalidFieldError: "find.empty".
        """
        identifier = external_id and Identifier(scheme="external", issuer=source_name, value=external_id)
        query = {"email": email, "phone": phone, "name": name, "identifier": identifier}
        return self.customers.find(**{key: value for key, value in query.items() if value is not None})

    def find(
        self, where: Where, /, *, order: str | None = None, cursor: str | None = None, limit: int | None = None
    ) -> Page[Customer]:
        """A page of the customers that meet a condition, such as ``Q.tag("vip") & Q.country("CN")``.

        Args:
            where: made of `custinfo.store.Q`.
            order: name of a look-up that is stored in clear, such as "created_at"; by id when left out.
            cursor: of the former page; None starts.
            limit: how many customers a page has at most; 100 when left out.

        Raises:
            InvalidFieldError: see `Collection.find`.
        """
        return self.customers.find(where, order=order, cursor=cursor, limit=limit)

    def timeline(self, customer_id: str) -> Timeline:
        """The transactions of a customer over all accounts, in order of time.

        Raises:
            RecordNotFoundError: no such customer.
        """
        act = Act(action="book.timeline", entity="customer", subject=customer_id)
        return self.desk.reading(act, lambda: timeline_of(self.desk, customer_id))

    def statement(self, customer_id: str, period: tuple[datetime | None, datetime | None] | None = None) -> Statement:
        """The transactions of a customer in a period, and their sums by currency.

        Args:
            customer_id: of the customer, of a merged one too.
            period: first instant and first instant after it, aware; None = all.

        Raises:
            RecordNotFoundError: no such customer.
            InvalidFieldError: "period".
        """
        act = Act(action="book.statement", entity="customer", subject=customer_id)
        return self.desk.reading(act, lambda: statement_of(self.desk, customer_id, period))

    def tag(self, name: str, customer_ids: Iterable[str]) -> int:
        """Give customers a tag, in one unit; gives the number of those that did not have it.

        Raises:
            RecordNotFoundError: an id is unknown; nothing was changed.
        """
        with self.desk.writing(Act(action="book.tag", entity="customer")) as work:
            customers = {
                customer.id: customer
                for customer in (self.desk.customers.get(str(id), unit=work.unit) for id in customer_ids)
                if all(tag.name != name for tag in customer.tags)
            }
            tagged = [attrs.evolve(customer, tags=(*customer.tags, Tag(name))) for customer in customers.values()]
            self.desk.customers.put_many(tagged, unit=work.unit)
            work.detail["count"] = len(tagged)
        return len(tagged)

    def feed(self, after: str = "", *, limit: int = 1000) -> list[Event]:
        """Committed changes after a cursor, each exactly once; events carry ids only.

        Args:
            after: cursor of the last event that the reader has handled; "" = from the start.
            limit: the most events to give.
        """

        def read() -> list[Event]:
            with self.desk.store.unit(write=False) as unit:
                return unit.feed(after, limit)  # type: ignore[arg-type]  # a Cursor is text

        return self.desk.reading(Act(action="book.feed"), read)


def _cipher(store: RecordStore, keyring: Keyring | None, *, plaintext: bool) -> Any:
    if keyring is None:
        if not plaintext:
            raise InvalidFieldError(
                "without a keyring personal data would be stored in clear; give one, or say plaintext=True",
                code="book.plaintext",
                path="keyring",
            )
        return None
    from custinfo.crypto import FieldCipher

    if getattr(keyring.key_store, "store", None) is store:
        raise InvalidFieldError(
            "the keys lie in the store of the data; keep them in another, or whoever copies one has both",
            code="book.key_store",
            path="keyring",
        )
    return FieldCipher(keyring)


def _clusters(names: Sequence[str], labels: Sequence[int]) -> list[list[str]]:
    """The names of each cluster of two or more, in the order of their labels."""
    found: dict[int, list[str]] = {}
    for name, label in zip(names, labels, strict=True):
        found.setdefault(label, []).append(name)
    return [members for _, members in sorted(found.items()) if len(members) > 1]

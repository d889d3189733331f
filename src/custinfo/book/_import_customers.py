"""One batch of imported customers: match, compare, create, update or ask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs

from custinfo import validate
from custinfo.book._desk import Desk, account_id
from custinfo.book._importing import Batch, Importer, Line, Mapped, Progress, run_import
from custinfo.book._intake import CUSTOMER_FIELDS, Finding, Intake, read_customer
from custinfo.book._merging import baseline
from custinfo.book._report import ImportReport
from custinfo.errors import InvalidFieldError
from custinfo.exchange import ColumnMap
from custinfo.govern import Act, Work
from custinfo.model import (
    Account,
    Customer,
    CustomerStatus,
    Identifier,
    ReviewTask,
    email_key,
    minor_digits,
    new_id,
    phone_key,
    to_dict,
)
from custinfo.store import Unit

MATCH_FIELDS = {"external_id": "identifiers", "email": "emails", "phone": "phones"}
ON_MATCH = ("update", "skip", "fail", "review")


def external_of(customer_values: Any) -> Identifier | None:
    """The external id among a row's values."""
    identifiers = customer_values.get("identifiers", ())
    return next((identifier for identifier in identifiers if identifier.scheme == "external"), None)


def ids_of_external(desk: Desk, identifier: Identifier, unit: Unit) -> list[str]:
    """Customers to whom a source gave an external id: merged ones under their own id, others as they stand."""
    keys = desk.customers.codec.query("identifier", identifier)
    kind = desk.customers.kind
    formerly = [desk.customers.codec.former(key) for key in keys]
    former = sorted({id for key in formerly for id in unit.lookup(kind, key.name, key.value)})
    if former:
        # A survivor that was merged again holds the ids of its members too: the member itself is meant.
        targets = {desk.customers.merged_into(record) for record in unit.get(kind, former)}
        return [id for id in former if id not in targets]
    return sorted({id for key in keys for id in unit.lookup(kind, key.name, key.value)})


@attrs.define
class CustomerBatch:
    """Decides on the rows of one batch and writes them together."""

    desk: Desk
    work: Work
    batch: Batch
    match_on: Sequence[str]
    on_match: str
    currency: str
    staged: dict[str, Customer] = attrs.field(factory=dict)
    by_key: dict[tuple[str, str], str] = attrs.field(factory=dict)
    reviews: list[ReviewTask] = attrs.field(factory=list)

    def run(self, lines: list[Line]) -> None:
        """Decide on every row, then write."""
        for line in lines:
            self._decide(line)
        new = [customer for customer in self.staged.values() if not customer.version]
        unit = self.work.unit
        self.desk.customers.put_many(list(self.staged.values()), unit=unit)
        self.desk.accounts.put_many(
            [
                Account(id=account_id(customer.id, self.currency), customer_id=customer.id, currency=self.currency)
                for customer in new
            ],
            subjects=[customer.id for customer in new],
            unit=unit,
        )
        self.desk.reviews.put_many(self.reviews, subjects=[task.customer_ids[0] for task in self.reviews], unit=unit)

    def _decide(self, line: Line) -> None:
        values = line.intake.values
        keys = [(field, text) for field in self.match_on for text in _texts(field, values)]
        ids = self._matches(keys, values)
        if not ids:
            customer = Customer(id=new_id(), **values)
            self.batch.counts["created"] += 1
            self._stage(customer, keys)
        elif len(ids) > 1:
            self._ask("import.ambiguous", ids, values)
        elif self.on_match == "fail":
            self.batch.reject(line, Finding(self.match_on[0], "import.exists"))
        elif self.on_match == "skip":
            self.batch.counts["unchanged"] += 1
        else:
            self._compare(line, ids[0], values, keys)

    def _matches(self, keys: Sequence[tuple[str, str]], values: dict[str, Any]) -> list[str]:
        """Ids that the first telling look-up names; the ids of this batch count too."""
        for field in self.match_on:
            ids = {self.by_key[key] for key in keys if key[0] == field and key in self.by_key}
            ids.update(self._stored(field, values))
            if ids:
                return sorted(ids)
        return []

    def _stored(self, field: str, values: dict[str, Any]) -> list[str]:
        unit = self.work.unit
        if field == "external_id":
            identifier = external_of(values)
            return ids_of_external(self.desk, identifier, unit) if identifier else []
        found = {
            id
            for item in values.get(MATCH_FIELDS[field], ())
            for id in self.desk.customers.find_ids(unit=unit, **{field: item})
        }
        return [record.id for record in self.desk.customers.resolve(sorted(found), unit=unit)]

    def _compare(self, line: Line, id: str, values: dict[str, Any], keys: list[tuple[str, str]]) -> None:
        stored = self.staged.get(id)
        if stored is None:
            record = self.desk.customers.record(id, follow=False, unit=self.work.unit)
            stored = self.desk.customers.codec.open(record)
            if stored.status is CustomerStatus.ERASED:
                self.batch.block(line, Finding("", "customer.erased"))
                return
            source = baseline(self.desk, stored, unit=self.work.unit)
            if source is not None:
                changed = _merged_values(source, values) != source
                self._ask("import.changed", [id], values) if changed else self._unchanged()
                return
        new = _merged_values(stored, values)
        if new == stored:
            self._unchanged()
        elif "external_id" in self.match_on and _other_external(stored, values):
            self._ask("import.ambiguous", [id], values)
        elif self.on_match == "review":
            self._ask("import.changed", [id], values)
        else:
            self.batch.counts["updated"] += 1
            self._stage(new, keys)

    def _unchanged(self) -> None:
        self.batch.counts["unchanged"] += 1

    def _stage(self, customer: Customer, keys: Sequence[tuple[str, str]]) -> None:
        self.staged[customer.id] = customer
        self.by_key.update(dict.fromkeys(keys, customer.id))

    def _ask(self, reason: str, ids: Sequence[str], values: dict[str, Any]) -> None:
        proposal = to_dict(Customer(id=ids[0], **values))
        task = ReviewTask(id=new_id(), reason=reason, customer_ids=tuple(ids), proposal=proposal)
        asked = self.desk.reviews.find(unit=self.work.unit, status="open", about=ids[0])
        if any(same.proposal == proposal and same.customer_ids == task.customer_ids for same in asked):
            self._unchanged()
            return
        self.batch.counts["review"] += 1
        self.reviews.append(task)


def _other_external(stored: Customer, values: dict[str, Any]) -> bool:
    """Whether the source already gave the customer another external id than the row's."""
    given = external_of(values)
    known = {
        one.value for one in stored.identifiers if given and (one.scheme, one.issuer) == ("external", given.issuer)
    }
    return given is not None and bool(known) and given.value not in known


def _texts(field: str, values: dict[str, Any]) -> list[str]:
    if field == "external_id":
        identifier = external_of(values)
        return [f"{identifier.issuer}|{identifier.value}"] if identifier else []
    normalize = {"email": email_key, "phone": phone_key}[field]
    return [normalize(item.value) for item in values.get(MATCH_FIELDS[field], ())]


def _merged_values(stored: Customer, values: dict[str, Any]) -> Customer:
    """The stored customer with what the source says; identifiers are added, other fields replaced."""
    changes = dict(values)
    if "identifiers" in changes:
        # A source may correct an identifier that it told; an external id is a name it gave, and stays.
        given = {(one.scheme, one.issuer, one.country) for one in changes["identifiers"] if one.scheme != "external"}
        kept = tuple(one for one in stored.identifiers if (one.scheme, one.issuer, one.country) not in given)
        new = tuple(one for one in changes["identifiers"] if one not in kept)
        same = set(changes["identifiers"]) <= set(stored.identifiers)
        changes["identifiers"] = stored.identifiers if same else kept + new
    return attrs.evolve(stored, **changes)


def import_customers(
    desk: Desk,
    source: Any,
    *,
    mapping: Mapped | None,
    match_on: Sequence[str],
    on_match: str,
    source_name: str,
    region: str | None,
    currency: str,
    encoding: str | None,
    progress: Progress,
) -> ImportReport:
    """See `custinfo.book.Book.import_customers`."""
    act = Act(action="customers.import", entity="customer")
    match_on = tuple(match_on)
    with desk.noting_refusal(act):
        _check_options(match_on, on_match)
        minor_digits(currency)
        if region is not None:
            region = validate.country(region).unwrap()

    def check(columns: ColumnMap) -> None:
        if not set(match_on) & set(columns.fields):
            raise InvalidFieldError(
                f"no column fills {' or '.join(match_on)}; map one, or choose another match_on",
                code="import.match_on",
                path="mapping",
                ignored=list(columns.ignored),
            )

    def required(intake: Intake) -> Finding | None:
        if any(_texts(field, intake.values) for field in match_on):
            return None
        return Finding(match_on[0], "customer.no_match_value")

    def store(lines: list[Line], work: Work, batch: Batch) -> None:
        CustomerBatch(desk, work, batch, match_on=match_on, on_match=on_match, currency=currency).run(lines)

    importer = Importer(
        act=act,
        targets=CUSTOMER_FIELDS,
        read=lambda row: read_customer(row, source_name=source_name, region=region),
        required=required,
        store=store,
    )
    return run_import(desk, importer, source, mapping=mapping, encoding=encoding, progress=progress, check=check)


def _check_options(match_on: Sequence[str], on_match: str) -> None:
    if not match_on or not set(match_on) <= set(MATCH_FIELDS):
        raise InvalidFieldError(f"match_on takes {', '.join(MATCH_FIELDS)}", code="import.match_on", path="match_on")
    if on_match not in ON_MATCH:
        raise InvalidFieldError(f"on_match is one of {', '.join(ON_MATCH)}", code="import.on_match", path="on_match")

"""One batch of imported transactions: find the account, compare, post."""

from __future__ import annotations

from typing import Any, TypeGuard

import attrs

from custinfo.book._desk import Desk, account_id
from custinfo.book._import_customers import ids_of_external
from custinfo.book._importing import Batch, Importer, Line, Mapped, Progress, run_import
from custinfo.book._intake import TRANSACTION_FIELDS, Finding, Intake, read_transaction
from custinfo.book._report import ImportReport
from custinfo.errors import InvalidFieldError
from custinfo.exchange import ColumnMap
from custinfo.govern import Act, Work
from custinfo.model import Account, CustomerStatus, Identifier, Transaction, minor_digits, zone_of

_OWNERS = ("customer", "customer_id", "account_id")


@attrs.define
class TransactionBatch:
    """Decides on the rows of one batch and writes them together."""

    desk: Desk
    work: Work
    batch: Batch
    source_name: str
    currency: str
    owners: dict[tuple[str, str], str | Finding] = attrs.field(factory=dict)
    accounts: dict[str, Account] = attrs.field(factory=dict)
    opened: dict[str, Account] = attrs.field(factory=dict)

    def run(self, lines: list[Line]) -> None:
        """Decide on every row, then write."""
        unit = self.work.unit
        stored = {
            record.id: self.desk.transactions.codec.open(record)
            for record in unit.get(self.desk.transactions.kind, [line.intake.values["id"] for line in lines])
        }
        posted: dict[str, Transaction] = {}
        subjects: dict[str, str] = {}
        for line in lines:
            found = self._account(line)
            if found is None:
                continue
            account, subject = found
            if line.intake.values["amount"].currency != account.currency:
                self.batch.reject(line, Finding("currency", "transaction.currency"))
                continue
            values = {name: value for name, value in line.intake.values.items() if name not in _OWNERS}
            try:
                transaction = Transaction(account_id=account.id, **values)
            except InvalidFieldError as error:
                self.batch.reject(line, Finding(error.path, error.code))
                continue
            same = stored.get(transaction.id) or posted.get(transaction.id)
            if same is None:
                self.batch.counts["created"] += 1
                posted[transaction.id] = transaction
                subjects[transaction.id] = subject
            elif attrs.evolve(same, version=0, created_at=None, updated_at=None) == transaction:
                self.batch.counts["unchanged"] += 1
            else:
                self.batch.reject(line, Finding("id", "transaction.changed"))
        opened = list(self.opened.values())
        self.desk.accounts.put_many(opened, subjects=[account.customer_id for account in opened], unit=unit)
        self.desk.transactions.put_many(list(posted.values()), subjects=list(subjects.values()), unit=unit)

    def _account(self, line: Line) -> tuple[Account, str] | None:
        """The account of a row, the one it names or its customer's in the currency, and the data subject.

        A payment of a merged customer stays his own: after an unmerge his erasure must reach it, and no other's.
        """
        values = line.intake.values
        if values.get("account_id"):
            found = self.desk.accounts.resolve([values["account_id"]], unit=self.work.unit)
            if found:
                named = self.desk.accounts.codec.open(found[0])
                owner = self._known(named.customer_id, "account_id")
                return (named, owner) if self._usable(owner, line) else None
            self.batch.reject(line, Finding("account_id", "transaction.unknown_account"))
            return None
        owner = self._owner(line)
        if not self._usable(owner, line):
            return None
        account = self._account_of(owner, values["amount"].currency)
        if account is None:
            self.batch.reject(line, Finding("customer", "transaction.account_owner"))
            return None
        return account, owner

    def _usable(self, owner: str | Finding, line: Line) -> TypeGuard[str]:
        """Whether a row has a customer; a row without is put where it belongs."""
        if isinstance(owner, str):
            return True
        if owner.code == "customer.erased":
            self.batch.block(line, owner)
        else:
            self.batch.reject(line, owner)
        return False

    def _owner(self, line: Line) -> str | Finding:
        name = "customer_id" if line.intake.values.get("customer_id") else "customer"
        key = (name, str(line.intake.values.get(name, "")))
        if key not in self.owners:
            self.owners[key] = self._find_owner(*key)
        return self.owners[key]

    def _find_owner(self, name: str, text: str) -> str | Finding:
        unit = self.work.unit
        ids = [text]
        if name == "customer":
            ids = ids_of_external(self.desk, Identifier(scheme="external", issuer=self.source_name, value=text), unit)
        return self._known(ids[0], name) if len(ids) == 1 else Finding(name, "transaction.unknown_customer")

    def _known(self, customer_id: str, name: str) -> str | Finding:
        records = self.work.unit.get(self.desk.customers.kind, [customer_id])
        if not records:
            return Finding(name, "transaction.unknown_customer")
        if self.desk.customers.codec.clear_fields(records[0]).get("status") == CustomerStatus.ERASED:
            return Finding(name, "customer.erased")
        return records[0].id

    def _account_of(self, customer_id: str, currency: str) -> Account | None:
        """The customer's account in a currency, opened where there is none; a merged customer keeps its own.

        None where the account of this id is somebody else's.
        """
        id = account_id(customer_id, currency)
        if id not in self.accounts:
            survivor = self.desk.customers.record(customer_id, unit=self.work.unit).id
            found = self.work.unit.get(self.desk.accounts.kind, [id])
            if found:
                account = self.desk.accounts.codec.open(found[0])
                if account.customer_id not in {customer_id, survivor}:
                    return None
                self.accounts[id] = account
            else:
                self.accounts[id] = self.opened[id] = Account(id=id, customer_id=survivor, currency=currency)
        return self.accounts[id]


def import_transactions(
    desk: Desk,
    source: Any,
    *,
    mapping: Mapped | None,
    source_name: str,
    currency: str,
    time_zone: str,
    encoding: str | None,
    progress: Progress,
) -> ImportReport:
    """See `custinfo.book.Book.import_transactions`."""
    act = Act(action="transactions.import", entity="transaction")
    with desk.noting_refusal(act):
        minor_digits(currency)
        local = zone_of(time_zone)

    def store(lines: list[Line], work: Work, batch: Batch) -> None:
        TransactionBatch(desk, work, batch, source_name=source_name, currency=currency).run(lines)

    importer = Importer(
        act=act,
        targets=TRANSACTION_FIELDS,
        read=lambda row: read_transaction(row, source_name=source_name, currency=currency, time_zone=local),
        required=_required,
        store=store,
    )
    return run_import(
        desk, importer, source, mapping=mapping, encoding=encoding, progress=progress, check=_check_columns
    )


def _required(intake: Intake) -> Finding | None:
    """The finding that makes a row no transaction, if any."""
    errors = [finding for finding in intake.findings if finding.severity == "error"]
    if errors:
        return errors[0]
    if not any(intake.values.get(name) for name in _OWNERS):
        return Finding("customer", "transaction.no_customer")
    return None


def _check_columns(columns: ColumnMap) -> None:
    """Check that a source can give transactions at all.

    Raises:
        InvalidFieldError: "import.columns", naming what is missing.
    """
    needs = {
        "id": ("id", "transaction_id", "external_id"),
        "customer": ("customer", "customer_external_id", "customer_id", "account_id"),
        "occurred_at": ("occurred_at", "date"),
        "amount": ("amount", "amount_minor"),
    }
    missing = [name for name, names in needs.items() if not set(names) & set(columns.fields)]
    if missing:
        raise InvalidFieldError(
            f"no column fills {', '.join(missing)}; map one, for instance mapping={{'<column>': '{missing[0]}'}}",
            code="import.columns",
            path="mapping",
            missing=missing,
            ignored=list(columns.ignored),
        )

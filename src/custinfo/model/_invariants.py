"""What a whole ledger must hold: nothing in it gives back what was not paid."""

from __future__ import annotations

from collections.abc import Iterable

from custinfo.errors import InvalidFieldError, InvalidRecordError
from custinfo.model._account import Transaction, TransactionKind, TransactionStatus
from custinfo.model._ledger import one_currency
from custinfo.model._refund import check_refund

_GIVES_BACK = frozenset({TransactionKind.REFUND, TransactionKind.CHARGEBACK})
# What is pending may still be posted, so it counts too.
_ALIVE = frozenset({TransactionStatus.PENDING, TransactionStatus.POSTED})


def check_ledger(transactions: Iterable[Transaction]) -> None:
    """Check that a ledger invents no money: what is given back names a payment, and no payment is exceeded.

    Refunds and chargebacks that name a transaction as `related_id` count, pending ones too; failed and voided ones do
    not. One without `related_id` is of no known payment and passes. Payouts are not looked at: whether there was money
    for one is what the `balance` before it says.

    Args:
        transactions: of one currency, each once, in any order.

    Raises:
        InvalidRecordError: its members have the codes of `check_refund`, or "refund.unknown" where the payment is not
            there, and the id of the transaction as `id`; "refund.exceeds" has that of the payment.
        InvalidFieldError: "balance.currency", "balance.repeated", "field.type", see `balance`.

    >>> from datetime import UTC, datetime
    >>> from custinfo.model import Money
    >>> def booked(id, minor, **more):
    ...     at = datetime(2026, 1, 31, tzinfo=UTC)
    ...     return Transaction(id=id, account_id="a1", amount=Money(minor, "CNY"), occurred_at=at, **more)
    >>> ledger = [booked("t1", 990), *(booked(id, 500, kind="refund", related_id="t1") for id in ("t2", "t3"))]
    >>> try:
    ...     check_ledger(ledger)
    ... except InvalidRecordError as error:
    ...     [(fault.code, fault.details["id"]) for fault in error.exceptions]
    [('refund.exceeds', 't1')]
    """
    ledger = list(transactions)
    if not ledger:
        return
    one_currency(ledger, None)
    by_id = {one.id: one for one in ledger}
    given_back: dict[str, int] = {}
    faults = []
    for one in sorted(ledger, key=lambda one: one.id):
        if one.related_id is None or one.kind not in _GIVES_BACK or one.status not in _ALIVE:
            continue
        payment = by_id.get(one.related_id)
        if payment is None:
            message = "the payment that it gives back is not in the ledger"
            faults.append(InvalidFieldError(message, code="refund.unknown", path="related_id", id=one.id))
            continue
        given_back[payment.id] = given_back.get(payment.id, 0) + one.amount.minor
        try:
            check_refund(payment, one)
        except InvalidFieldError as error:
            if error.code != "refund.exceeds":  # of the payment, below
                faults.append(InvalidFieldError(error.message, code=error.code, path=error.path, id=one.id))
    for id, minor in given_back.items():
        if minor > by_id[id].amount.minor and by_id[id].kind is TransactionKind.PAYMENT:
            message = "more is given back than was paid"
            faults.append(InvalidFieldError(message, code="refund.exceeds", path="amount", id=id))
    if faults:
        raise InvalidRecordError(f"the ledger gives back what was not paid: {len(faults)} faults", faults)

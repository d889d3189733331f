"""What is given back: never more than was paid."""

from __future__ import annotations

from collections.abc import Iterable

from custinfo.errors import InvalidFieldError, InvalidRecordError
from custinfo.model._account import Transaction, TransactionKind, TransactionStatus
from custinfo.model._ledger import one_currency, total_of
from custinfo.model._money import Money
from custinfo.model._rules import list_of, must_be

_BACK = frozenset({TransactionKind.REFUND, TransactionKind.CHARGEBACK})
# What is pending may still be posted, so it is counted too.
_ALIVE = frozenset({TransactionStatus.PENDING, TransactionStatus.POSTED})


def check_refund(refund: Transaction, transactions: Iterable[Transaction]) -> Money:
    """What may still be given back of a payment after this refund or chargeback; refused where it is too much.

    All refunds and chargebacks that name the payment as `related_id` count together, pending ones too; failed and
    voided ones do not. An older form of *refund* among the transactions (the same id) does not count.

    Args:
        refund: of kind refund or chargeback, with the id of its payment as `related_id`.
        transactions: those of the account, with the payment.

    Raises:
        InvalidFieldError: "refund.kind" (neither a refund nor a chargeback), "refund.unknown" (its payment is not
            among them), "refund.payment" (what it names is no posted payment), "refund.account", "refund.time"
            (before its payment), "refund.exceeds" (more than the payment is given back); "balance.currency",
            "balance.repeated", "field.type", see `balance`.

    >>> from datetime import UTC, datetime
    >>> day = datetime(2026, 1, 31, tzinfo=UTC)
    >>> paid = Transaction(id="t1", account_id="a1", amount=Money(990, "CNY"), occurred_at=day)
    >>> def back(id, minor):
    ...     amount = Money(minor, "CNY")
    ...     return Transaction(id=id, account_id="a1", amount=amount, occurred_at=day, kind="refund", related_id="t1")
    >>> str(check_refund(back("t2", 400), [paid]))
    '5.90 CNY'
    >>> try:
    ...     check_refund(back("t3", 600), [paid, back("t2", 400)])
    ... except InvalidFieldError as error:
    ...     error.code
    'refund.exceeds'
    """
    must_be(Transaction, refund, "refund")
    ledger, currency = one_currency(transactions, refund.amount.currency)
    if refund.kind not in _BACK:
        raise _fault("kind", "only a refund or a chargeback gives a payment back", path="kind")
    ledger = [one for one in ledger if one.id != refund.id]
    payment = next((one for one in ledger if one.id == refund.related_id), None)
    if payment is None:
        raise _fault("unknown", "the payment that it gives back is not there; name it as related_id")
    misfit = _misfit(payment, refund)
    if misfit is not None:
        raise misfit
    alive = refund.status in _ALIVE
    left = payment.amount.minor - _given_back(ledger, payment.id) - (refund.amount.minor if alive else 0)
    if left < 0 and alive:
        raise _fault("exceeds", "more is given back than was paid; refund what is left", path="amount")
    return total_of(left, currency)


def check_ledger(transactions: Iterable[Transaction]) -> None:
    """Check that a ledger invents no money: each refund and chargeback has its payment, none of which is exceeded.

    A refund without `related_id` is of no known payment and passes. Payouts are not looked at: whether there was
    money for one is what the `balance` before it says.

    Args:
        transactions: of one currency, each once.

    Raises:
        InvalidRecordError: its members have the codes of `check_refund`, and the id of the transaction as `id`.
        InvalidFieldError: "balance.currency", "balance.repeated", "field.type", see `balance`.

    >>> check_ledger([])
    """
    ledger: list[Transaction] = list_of(Transaction, transactions, "transactions")
    if not ledger:
        return
    one_currency(ledger, None)
    by_id = {one.id: one for one in ledger}
    back: dict[str, int] = {}
    faults = []
    for one in sorted(ledger, key=lambda one: one.id):
        if one.related_id is None or one.kind not in _BACK or one.status not in _ALIVE:
            continue
        payment = by_id.get(one.related_id)
        if payment is None:
            faults.append(
                _fault(
                    "unknown",
                    "the payment that a refund gives back is not there; pass it too, or correct related_id",
                    id=one.id,
                )
            )
        elif (misfit := _misfit(payment, one)) is not None:
            faults.append(misfit)
        else:
            back[payment.id] = back.get(payment.id, 0) + one.amount.minor
    faults += [
        _fault(
            "exceeds", "more is given back than was paid; void a refund, or correct its amount", path="amount", id=id
        )
        for id, minor in back.items()
        if minor > by_id[id].amount.minor
    ]
    if faults:
        raise InvalidRecordError(f"the ledger gives back what was not paid, {len(faults)} times", faults)


def _misfit(payment: Transaction, refund: Transaction) -> InvalidFieldError | None:
    if payment.kind is not TransactionKind.PAYMENT or payment.status is not TransactionStatus.POSTED:
        return _fault("payment", "what is given back is no posted payment; name one as related_id", id=refund.id)
    if payment.account_id != refund.account_id:
        return _fault(
            "account", "the payment is on another account; give it back on its own", path="account_id", id=refund.id
        )
    if refund.occurred_at < payment.occurred_at:
        return _fault(
            "time", "it is given back before it was paid; correct one of the times", path="occurred_at", id=refund.id
        )
    return None


def _given_back(ledger: Iterable[Transaction], payment_id: str) -> int:
    return sum(
        one.amount.minor
        for one in ledger
        if one.related_id == payment_id and one.kind in _BACK and one.status in _ALIVE
    )


def _fault(code: str, message: str, *, path: str = "related_id", **details: object) -> InvalidFieldError:
    return InvalidFieldError(message, code=f"refund.{code}", path=path, **details)

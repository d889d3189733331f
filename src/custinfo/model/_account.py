"""Accounts and the payments on them."""

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import attrs

from custinfo.errors import InvalidFieldError
from custinfo.model._check import choice, key_text, optional_date, optional_key, optional_text, utc
from custinfo.model._field import Index, personal, plain
from custinfo.model._iso4217 import minor_digits
from custinfo.model._money import Money
from custinfo.model._record import created, owner_id, record_id, record_version, unknown_keys, updated
from custinfo.model._rules import Whole, fault, in_order, one_of, other_than_itself

ACCOUNT_ID = Index(name="account_id", text=lambda transaction: transaction.account_id, blind=False)
RELATED_ID = Index(name="related_id", text=lambda transaction: transaction.related_id, blind=False)
PARENT_ID = Index(name="parent_id", text=lambda account: account.parent_id, blind=False)


class AccountStatus(StrEnum):
    """Where an account stands."""

    OPEN = "open"
    SUSPENDED = "suspended"
    CLOSED = "closed"


class TransactionKind(StrEnum):
    """What a transaction does; the words of Kill Bill and Stripe."""

    PAYMENT = "payment"
    REFUND = "refund"
    CHARGEBACK = "chargeback"
    PAYOUT = "payout"
    ADJUSTMENT = "adjustment"


class TransactionStatus(StrEnum):
    """Where a transaction stands; only posted ones count as money."""

    PENDING = "pending"
    POSTED = "posted"
    FAILED = "failed"
    VOIDED = "voided"


def _currency(_: object, __: object, value: str) -> None:
    minor_digits(value)


def _money(_: object, __: object, value: object) -> None:
    if not isinstance(value, Money):
        raise InvalidFieldError(
            "amount must be Money, for instance Money.of('12.30', 'CNY')", code="field.type", path="amount"
        )


@attrs.frozen(kw_only=True)
class Account:
    """An account of a customer, in one currency.

    Its balance is no field: it is what `balance` makes of the transactions.

    Args:
        currency: ISO 4217.
        status: open, suspended or closed; "active" is understood as open.
        credit_limit: how far the customer may owe; at least 0, in the currency of the account.
        billing_cycle_day: local day of the month on which bills are made, 1 to 31; the last day of shorter months.
        parent_id: the account that pays for this one.
        opened_on: first day.
        closed_on: last day; only of a closed account.

    Raises:
        InvalidFieldError: "currency.unknown", "account.credit_limit", "account.dates", "account.closed",
            "reference.self" (its own parent); those of the fields: "field.type", "date.type", "text.*", "int.*",
            "enum.unknown", "time.*", "json.*", "extra.reserved".

    >>> Account(id="a1", customer_id="c1", currency="CNY")
    Account(id='a1', version=0, customer_id='c1', currency='CNY', status=<AccountStatus.OPEN: 'open'>)
    """

    id: str = record_id()
    version: int = record_version()
    customer_id: str = owner_id()
    currency: str = plain("currency, ISO 4217", "币种", retention="ledger", validator=_currency)
    status: AccountStatus = plain(
        "status", "状态", default=AccountStatus.OPEN, converter=choice(AccountStatus, active=AccountStatus.OPEN)
    )
    name: str | None = personal("financial", "name of the account", "账户名", default=None, validator=optional_text)
    credit_limit: Money | None = personal(
        "financial", "credit limit", "信用额度", default=None, validator=one_of(Money)
    )
    billing_cycle_day: int | None = plain(
        "day of the month of the bill", "账单日", default=None, repr=False, validator=Whole(1, 31)
    )
    parent_id: str | None = plain(
        "account that pays for this one",
        "上级账户",
        pii="pseudonym",
        index=PARENT_ID,
        default=None,
        repr=False,
        validator=optional_key,
    )
    opened_on: date | None = plain(
        "when it was opened", "开户日期", retention="ledger", default=None, repr=False, validator=optional_date
    )
    closed_on: date | None = plain(
        "when it was closed", "销户日期", retention="ledger", default=None, repr=False, validator=optional_date
    )
    created_at: datetime | None = created()
    updated_at: datetime | None = updated()
    extra: Mapping[str, Any] = unknown_keys()

    def __attrs_post_init__(self) -> None:
        limit = self.credit_limit
        if limit is not None and (limit.minor < 0 or limit.currency != self.currency):
            raise fault(
                "account.credit_limit",
                "credit_limit",
                "credit_limit must be at least 0 and in the currency of the account",
            )
        if self.closed_on is not None:
            in_order("account.dates", opened_on=self.opened_on, closed_on=self.closed_on)
            if self.status is not AccountStatus.CLOSED:
                raise fault("account.closed", "closed_on", "only a closed account has a closed_on; set its status too")
        if self.parent_id is not None:
            other_than_itself(self, "parent_id")


@attrs.frozen(kw_only=True)
class Transaction:
    """One payment, refund, chargeback, payout or adjustment on an account.

    Args:
        amount: never negative but for adjustments; the kind says the direction.
        occurred_at: aware datetime, kept in UTC.
        due_on: local day by which a payment that is pending is to be made.
        method: how it was paid, such as "card", "alipay", "wechat_pay", "cash".
        payment_method_id: the `PaymentMethod` that it was paid with.
        related_id: the transaction that it gives back or corrects; see `check_refund`.
        reason: code of why, such as that of a chargeback or a decline.

    Raises:
        InvalidFieldError: "transaction.negative" with path "amount"; those of the fields: "field.type" (no Money),
            "time.*", "date.type", "text.*", "int.*", "enum.unknown", "json.*", "extra.reserved".

    >>> from datetime import UTC, datetime
    >>> paid = Transaction(id="t1", account_id="a1", amount=Money.of("9.90", "CNY"), occurred_at=datetime.now(UTC))
    >>> paid.signed_minor, attrs.evolve(paid, kind="refund").signed_minor
    (990, -990)
    """

    id: str = record_id()
    version: int = record_version()
    account_id: str = plain("id of the account", "账户编号", pii="pseudonym", index=ACCOUNT_ID, validator=key_text)
    kind: TransactionKind = plain(
        "what it does",
        "类型",
        level="C2",
        retention="ledger",
        default=TransactionKind.PAYMENT,
        converter=choice(TransactionKind),
    )
    status: TransactionStatus = plain(
        "where it stands",
        "状态",
        level="C2",
        retention="ledger",
        default=TransactionStatus.POSTED,
        converter=choice(TransactionStatus),
    )
    amount: Money = plain("amount", "金额", level="C2", retention="ledger", validator=_money)
    occurred_at: datetime = plain("when it happened", "发生时间", level="C2", retention="ledger", converter=utc)
    channel: str | None = plain(
        "channel, such as pos or app", "渠道", level="C2", default=None, validator=optional_text
    )
    method: str | None = plain("payment method", "支付方式", level="C2", default=None, validator=optional_text)
    merchant: str | None = plain("merchant", "商户", level="C2", default=None, validator=optional_text)
    related_id: str | None = plain(
        "transaction it refunds or corrects",
        "关联交易",
        pii="pseudonym",
        index=RELATED_ID,
        default=None,
        validator=optional_key,
    )
    description: str | None = personal("content", "free text", "说明", default=None, validator=optional_text)
    due_on: date | None = plain(
        "day by which it is to be paid",
        "应付日期",
        level="C2",
        retention="ledger",
        default=None,
        repr=False,
        validator=optional_date,
    )
    payment_method_id: str | None = plain(
        "id of the payment method", "支付工具编号", pii="pseudonym", default=None, repr=False, validator=optional_key
    )
    reason: str | None = plain(
        "code of the reason", "原因代码", level="C2", default=None, repr=False, validator=optional_key
    )
    created_at: datetime | None = created()
    updated_at: datetime | None = updated()
    extra: Mapping[str, Any] = unknown_keys()

    def __attrs_post_init__(self) -> None:
        if self.amount.minor < 0 and self.kind is not TransactionKind.ADJUSTMENT:
            raise InvalidFieldError(
                "the amount is negative; use the kind 'refund' with a positive amount",
                code="transaction.negative",
                path="amount",
            )

    @property
    def signed_minor(self) -> int:
        """What the transaction adds to the money received, in minor units; 0 until it is posted."""
        if self.status is not TransactionStatus.POSTED:
            return 0
        received = self.kind in {TransactionKind.PAYMENT, TransactionKind.ADJUSTMENT}
        return self.amount.minor if received else -self.amount.minor

"""Payments as columns: what segmentation reads from a store."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from custinfo.model import Account, Transaction, TransactionKind, TransactionStatus
from custinfo.store._collection import Collection

_RECEIVED = [TransactionKind.PAYMENT.value, TransactionKind.ADJUSTMENT.value]
_DERIVED = ("customer_id", "amount_minor", "currency")
_NEEDED = ("account_id", "status", "kind", "amount.minor", "amount.currency")


def payment_columns(
    transactions: Collection[Transaction], accounts: Collection[Account], names: Sequence[str]
) -> dict[str, np.ndarray]:
    """Posted payments and refunds as columns, without building objects.

    Args:
        transactions: where they are.
        accounts: whose customers they belong to.
        names: ``customer_id``, ``amount_minor`` (int64; refunds and chargebacks negative), ``currency`` or any field of
            a transaction that is not personal.

    Returns:
        Name -> array of shape (n,), in code-point order of the ids.

    Raises:
        InvalidFieldError: "columns.missing", "columns.personal".
    """
    direct = [name for name in names if name not in _DERIVED]
    raw = transactions.columns(list(dict.fromkeys([*direct, *_NEEDED])))
    counted = (raw["status"] == TransactionStatus.POSTED.value) & (raw["kind"] != TransactionKind.PAYOUT.value)
    raw = {name: values[counted] for name, values in raw.items()}
    amount = raw["amount.minor"].astype(np.int64)
    derived = {
        "amount_minor": np.where(np.isin(raw["kind"].astype(str), _RECEIVED), amount, -amount),
        "currency": raw["amount.currency"],
    }
    if "customer_id" in names:
        owners = accounts.columns(["id", "customer_id"])
        owner = dict(zip(owners["id"], owners["customer_id"], strict=True))
        derived["customer_id"] = np.array([owner.get(account) for account in raw["account_id"]], dtype=object)
    return {name: derived[name] if name in _DERIVED else raw[name] for name in names}

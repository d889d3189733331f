"""Payments as columns: what segmentation reads from a store."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from custinfo.model import Account, Transaction, TransactionKind, TransactionStatus
from custinfo.store._collection import Collection

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
    if not counted.all():
        # One at a time: of ten million payments, a column has 80 MB.
        for name, values in raw.items():
            raw[name] = values[counted]
    found = {name: raw[name] for name in direct}
    if "currency" in names:
        found["currency"] = raw["amount.currency"]
    if "amount_minor" in names:
        received = (raw["kind"] == TransactionKind.PAYMENT.value) | (raw["kind"] == TransactionKind.ADJUSTMENT.value)
        amount = raw["amount.minor"]
        found["amount_minor"] = np.where(received, amount, -amount)
    if "customer_id" in names:
        owners = accounts.columns(["id", "customer_id"])
        owner = dict(zip(owners["id"], owners["customer_id"], strict=True))
        held = raw["account_id"]
        found["customer_id"] = np.fromiter(map(owner.get, held), object, len(held))
    return {name: found[name] for name in names}

"""Sums per customer that several threads add to: purchases, money, last times."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from custinfo.segment._kernel import add_at, in_time_order, joined, limbs, magnitude, raise_to
from custinfo.segment._time import NAT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from numpy.typing import NDArray

    from custinfo.segment._payments import Piece

    Column = NDArray[Any]
    Int64 = NDArray[np.int64]

_INT64 = 2**63


class Sums:
    """Sums by the grouping's numbers.

    NumPy holds the interpreter lock while it adds at indices, so one set of sums under a lock of its own costs no time
    and half the memory of a set per thread. Where amounts are small enough, a purchase adds 1 to the upper bits of its
    customer's packed counter and its amount to the lower ones: one visit to memory instead of two.

    Args:
        size: how many numbers there are.
        rows: how many rows there will be at most.
        refunds: "net", "gross" or "exclude".
        wide: whether sums may pass 64 bits on their way; slower.
    """

    def __init__(self, size: int, *, rows: int, refunds: str, wide: bool) -> None:
        self.bound = 0  # no sum of a customer is beyond it
        self.latest = NAT
        self.skipped = 0
        self.currencies: frozenset[str] = frozenset()
        self._frequency = np.zeros(size, np.int64)
        self._money = np.zeros(size, np.int64)
        self._upper = np.zeros(size, np.int64) if wide else None  # the upper limbs; then money holds the lower ones
        self._packed = np.zeros(size, np.int64)
        self._money_bits = 62 - rows.bit_length()
        self._packed_money = 0
        self._last_purchase = np.full(size, NAT, np.int64)
        self._last_refund: Int64 | None = None
        self._refunds = refunds
        self._lock = threading.Lock()

    def add(self, codes: Int64, piece: Piece) -> None:
        """Add rows.

        Args:
            codes: shape (n,), the number of each row's customer.
            piece: the n rows.
        """
        moments, refund = piece.moments, piece.refund
        minor = piece.minor.astype(np.int64, copy=False)
        bound = magnitude(minor) * len(minor)
        sorted_from = int(moments[0]) if len(moments) and in_time_order(moments) else None
        with self._lock:
            ascending = sorted_from is not None and sorted_from >= self.latest
            self.skipped += piece.skipped
            self.currencies |= piece.currencies
            self.bound += bound
            if refund is not None:
                if self._refunds == "net":
                    self._add_money(codes[refund], minor[refund])
                if self._refunds != "exclude":
                    self._add_refund_times(codes[refund], moments[refund])
                bought = np.flatnonzero(~refund)
                codes, moments, minor = codes[bought], moments[bought], minor[bought]
            self._add_purchases(codes, minor, small=bound < _INT64)
            raise_to(self._last_purchase, codes, moments, ascending=ascending)
            self.latest = max(self.latest, int(moments.max(initial=NAT)))

    def _add_refund_times(self, codes: Int64, moments: Int64) -> None:
        if self._last_refund is None:
            self._last_refund = np.full(len(self._frequency), NAT, np.int64)
        raise_to(self._last_refund, codes, moments, ascending=False)
        self.latest = max(self.latest, int(moments.max()))

    def _add_purchases(self, codes: Int64, minor: Int64, *, small: bool) -> None:
        """Add amounts that are all >= 0."""
        one = 1 << self._money_bits
        total = int(minor.sum()) if small else one
        if self._upper is not None or total > one >> 3:
            add_at(self._frequency, codes, 1)
            self._add_money(codes, minor)
            return
        if self._packed_money + total >= one:
            self._unpack()
        self._packed_money += total
        add_at(self._packed, codes, minor + one)

    def _unpack(self) -> None:
        self._frequency += self._packed >> self._money_bits
        self._money += self._packed & ((1 << self._money_bits) - 1)
        self._packed[:] = 0
        self._packed_money = 0

    def _add_money(self, codes: Int64, minor: Int64) -> None:
        if self._upper is not None:
            upper, lower = limbs(minor)
            add_at(self._upper, codes, upper)
            add_at(self._money, codes, lower)
        elif self.bound < _INT64:  # otherwise all is added again by limbs
            add_at(self._money, codes, minor)

    def seen(self) -> Int64:
        """The numbers that have a row, ascending."""
        there = (self._packed | self._frequency) > 0
        if self._last_refund is not None:
            there |= self._last_refund != NAT
        return np.flatnonzero(there)

    def columns(self, codes: Int64) -> dict[str, Int64]:
        """The sums of some numbers, in their order: frequency, monetary, last_purchase, last_refund.

        Raises:
            AmountOverflowError: a sum that does not fit in 64 bits.
        """
        packed = self._packed[codes]
        money = self._money[codes] + (packed & ((1 << self._money_bits) - 1))
        refunded = self._last_refund
        return {
            "frequency": self._frequency[codes] + (packed >> self._money_bits),
            "monetary": money if self._upper is None else joined(self._upper[codes], money),
            "last_purchase": self._last_purchase[codes],
            "last_refund": np.full(len(codes), NAT, np.int64) if refunded is None else refunded[codes],
        }

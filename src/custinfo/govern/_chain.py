"""The sealed part of the audit log: one chain over all entries, in blocks that can be read in order, and its head."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator

import attrs

from custinfo.errors import StoreError
from custinfo.govern._entry import HEAD_ID, HEAD_KIND, KIND, Macs, Stored, parse, same, to_json
from custinfo.govern._recorder import OPEN
from custinfo.store import Key, Record, Unit

BLOCK = 1000
"""Sealed entries under one key; also how many are sealed in one unit."""

_HEAD_FIELDS = {"sequence", "chain", "mac"}


def block_key(sequence: int) -> Key:
    """The key under which a sealed entry is found, together with its neighbours."""
    return Key("block", str((sequence - 1) // BLOCK))


@attrs.frozen
class Head:
    """How many entries are sealed, the chain of the last, and the version of the record that says so."""

    sequence: int
    chain: str
    version: int


def read_head(unit: Unit, macs: Macs) -> Head:
    """The head of the log.

    Raises:
        StoreError: "audit.broken" where it is not as `write_head` left it.
    """
    records = unit.get(HEAD_KIND, [HEAD_ID])
    if not records:
        return Head(0, "", 0)
    head = _parse_head(records[0], macs)
    if head is None:
        raise broken("the head of the audit log is damaged or was made under another key")
    return head


def _parse_head(record: Record, macs: Macs) -> Head | None:
    try:
        stored = json.loads(record.data)
        if not isinstance(stored, dict) or stored.keys() != _HEAD_FIELDS or to_json(stored).encode() != record.data:
            return None
    except (TypeError, ValueError, RecursionError):
        return None
    sequence, chain, mac = stored["sequence"], stored["chain"], stored["mac"]
    fits = type(sequence) is int and type(chain) is str and type(mac) is str and same(macs.head(sequence, chain), mac)
    return Head(sequence, chain, record.version) if fits else None


def write_head(unit: Unit, macs: Macs, old: Head, *, sequence: int, chain: str) -> None:
    """Replace the head; of two sealers at once, one gets a ConflictError here or before."""
    data = to_json({"sequence": sequence, "chain": chain, "mac": macs.head(sequence, chain)}).encode()
    unit.put(Record(HEAD_KIND, HEAD_ID, 0, data), (), old.version)


def broken(problem: str, *, sequence: int | None = None) -> StoreError:
    """The error of a log that was changed or damaged."""
    return StoreError(f"{problem}; verify() names the first entry that does not fit", code="audit.broken", at=sequence)


def seal_some(unit: Unit, macs: Macs, ids: list[str]) -> bool:
    """Seal open entries, up to the first that does not fit; gives whether there was none such."""
    head = read_head(unit, macs)
    sequence, chain, whole = head.sequence, head.chain, True
    for record in unit.get(KIND, ids):
        stored = parse(record)
        if stored is None or not macs.fits(record, stored):
            whole = False
            break
        if stored.sequence:
            continue  # by somebody else, since the ids were read
        sequence += 1
        chain = macs.chain(chain, sequence, stored.mac)
        sealed = stored._replace(sequence=sequence, chain=chain)
        unit.put(record._replace(data=sealed.data()), (block_key(sequence),), record.version)
    if sequence > head.sequence:
        write_head(unit, macs, head, sequence=sequence, chain=chain)
    return whole


def sealed_entries(unit: Unit, macs: Macs, *, after: int, last: int) -> Iterator[Stored]:
    """The sealed entries with after < sequence <= last, in order.

    Raises:
        StoreError: "audit.broken", with the sequence of the entry that is missing or does not fit.
    """
    chain: str | None = None if after else ""
    # The entry before the first is read for its chain; where it is broken, those after it can be read all the same.
    for number, block in itertools.groupby(range(after or 1, last + 1), lambda sequence: (sequence - 1) // BLOCK):
        found = {}
        for record in unit.get(KIND, unit.lookup(KIND, "block", str(number))):
            stored = parse(record)
            if stored and stored.sequence and macs.fits(record, stored):
                found[stored.sequence] = stored
        for sequence in block:
            stored = found.get(sequence)
            linked = stored and (chain is None or same(macs.chain(chain, sequence, stored.mac), stored.chain))
            if sequence > after:
                if not stored or not linked:
                    raise broken("an entry of the audit log is missing or was changed", sequence=sequence)
                yield stored
            chain = stored.chain if stored else None


class Walk:
    """One walk along the whole log in one unit, in constant memory; ends at the first entry that does not fit."""

    def __init__(self, unit: Unit, macs: Macs) -> None:
        self._unit = unit
        self._macs = macs
        self._number = 1
        self._chain = ""
        self._last_of: dict[str, tuple[int, str]] = {}

    def first_bad(self, mark: tuple[int, str]) -> int | None:
        """The first sequence that does not fit, or None.

        Args:
            mark: a sequence and the chain that it must have.
        """
        bad = self._sealed(mark)
        if bad is None:
            bad = self._head() or self._rest()
        if mark[0] >= self._number:  # the log is shorter than it was
            bad = self._number if bad is None else min(bad, self._number)
        return bad

    def _sealed(self, mark: tuple[int, str]) -> int | None:
        block, full = 0, True
        while full:
            ids = self._unit.lookup(KIND, "block", str(block))
            records = self._unit.get(KIND, ids)
            pairs = [(record, stored) for record in records if (stored := parse(record)) and stored.sequence]
            for record, stored in sorted(pairs, key=lambda pair: (pair[1].sequence, pair[0].id)):
                if self._differs(mark):
                    return max(1, mark[0])
                if stored.sequence != self._number or not self._links(record, stored):
                    return min(self._number, stored.sequence)
                self._number += 1
            if len(pairs) < len(ids):
                return self._number
            block, full = block + 1, len(ids) >= BLOCK
        return max(1, mark[0]) if self._differs(mark) else None

    def _differs(self, mark: tuple[int, str]) -> bool:
        return self._number - 1 == mark[0] and not same(self._chain, mark[1])

    def _links(self, record: Record, stored: Stored) -> bool:
        chain = self._macs.chain(self._chain, self._number, stored.mac)
        if not same(chain, stored.chain) or not self._follows(record, stored):
            return False
        self._chain = chain
        return True

    def _follows(self, record: Record, stored: Stored) -> bool:
        """Whether an entry is as it was made and follows the last one of its writer."""
        body = stored.body
        number, mac = self._last_of.get(body["writer"], (0, ""))
        if body["number"] != number + 1 or body["previous"] != mac or not self._macs.fits(record, stored):
            return False
        self._last_of[body["writer"]] = (number + 1, stored.mac)
        return True

    def _head(self) -> int | None:
        try:
            head = read_head(self._unit, self._macs)
        except StoreError:
            return self._number
        if (head.sequence, head.chain) == (self._number - 1, self._chain):
            return None
        return min(self._number, max(1, head.sequence + 1))

    def _rest(self) -> int | None:
        """Check the entries that are not sealed yet, and that there are no others."""
        waiting = self._unit.lookup(KIND, *OPEN[:2])
        for start in range(0, len(waiting), BLOCK):
            ids = waiting[start : start + BLOCK]
            records = self._unit.get(KIND, ids)
            for record in records:
                stored = parse(record)
                if stored is None or stored.sequence or not self._follows(record, stored):
                    return self._number
            if len(records) < len(ids):
                return self._number
        rows = sum(1 for _ in self._records())
        return None if rows == self._number - 1 + len(waiting) else self._stray()

    def _stray(self) -> int:
        """The sequence that a record besides the good ones claims, or the first that is free."""
        claimed = [self._number]
        for record in self._records():
            stored = parse(record)
            if stored and stored.sequence and not self._macs.fits(record, stored):
                claimed.append(stored.sequence)
        return min(claimed)

    def _records(self) -> Iterator[Record]:
        after = ""
        while page := self._unit.page(KIND, after, BLOCK):
            yield from page
            after = page[-1].id

"""One entry of the audit log: its stored form, and the MACs that make a change of it show."""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import attrs

from custinfo.store import Record

KIND = "audit"
HEAD_KIND = "audit_head"
HEAD_ID = "head"

OUTCOMES = ("ok", "denied")
_TEXTS = ("action", "actor", "at", "entity", "outcome", "previous", "purpose", "writer")
_BODY = frozenset((*_TEXTS, "detail", "number", "subject"))
_OPEN = {"entry", "mac"}
_SEALED = _OPEN | {"sequence", "chain"}
_is_mac = re.compile("[0-9a-f]{64}").fullmatch

# ASCII with escapes: any text of Python has a form in it, lone surrogates too.
to_json = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False).encode
"""JSON with sorted keys, no spaces and ASCII only: the one form in which anything of the log is stored."""


@attrs.frozen(kw_only=True)
class AuditEntry:
    """Who did what to whom, when, what for, and whether it was allowed.

    Args:
        sequence: place in the sealed log, from 1.
        at: when, UTC.
        actor: name of whoever acted.
        action: such as ``"customer.get"``.
        outcome: ``"ok"`` or ``"denied"``.
        purpose: what for.
        entity: kind of record, or "".
        subject: id of the record, or None.
        detail: counts, codes and field names; never a personal value.
    """

    sequence: int
    at: datetime
    actor: str
    action: str
    outcome: str
    purpose: str
    entity: str
    subject: str | None
    detail: Mapping[str, Any]


class Stored(NamedTuple):
    """The stored form of an entry.

    Args:
        body: what its writer recorded.
        text: *body* as JSON, which the MAC covers.
        mac: of the entry.
        sequence: its place in the sealed log; 0 while it is open.
        chain: MAC that ties it to the entry before it; "" while it is open.
    """

    body: dict[str, Any]
    text: str
    mac: str
    sequence: int = 0
    chain: str = ""

    def data(self) -> bytes:
        """The bytes of the record."""
        if self.sequence:
            return (
                f'{{"chain":"{self.chain}","entry":{self.text},"mac":"{self.mac}","sequence":{self.sequence}}}'.encode()
            )
        return f'{{"entry":{self.text},"mac":"{self.mac}"}}'.encode()

    def entry(self) -> AuditEntry:
        """The entry of a sealed one."""
        body = self.body
        return AuditEntry(
            sequence=self.sequence,
            at=datetime.fromisoformat(body["at"]),
            actor=body["actor"],
            action=body["action"],
            outcome=body["outcome"],
            purpose=body["purpose"],
            entity=body["entity"],
            subject=body["subject"],
            detail=body["detail"],
        )


def parse(record: Record) -> Stored | None:
    """The stored form of an open or a sealed entry, every field of its type, or None where it is none."""
    try:
        whole = json.loads(record.data)
        if not isinstance(whole, dict) or whole.keys() not in (_OPEN, _SEALED) or not _is_body(whole["entry"]):
            return None
        stored = Stored(body=whole["entry"], text=to_json(whole.pop("entry")), **whole)
    except (TypeError, ValueError, RecursionError):
        return None
    macs = (stored.mac, stored.chain) if "chain" in whole else (stored.mac,)
    if not all(type(mac) is str and _is_mac(mac) for mac in macs) or ("sequence" in whole) != bool(stored.sequence):
        return None
    # One form only, so that no byte can be changed without a change of what the MACs cover.
    return stored if type(stored.sequence) is int and stored.data() == record.data else None


def _is_body(body: Any) -> bool:
    return (
        isinstance(body, dict)
        and body.keys() == _BODY
        and all(type(body[name]) is str for name in _TEXTS)
        and type(body["number"]) is int
        and type(body["detail"]) is dict
        and (body["subject"] is None or type(body["subject"]) is str)
        and body["outcome"] in OUTCOMES
        and datetime.fromisoformat(body["at"]).tzinfo is not None
    )


@attrs.frozen
class Macs:
    """HMAC-SHA256 (RFC 2104) in hex, under one key; what is covered begins with what it is for."""

    _key: bytes = attrs.field(repr=False)

    def _mac(self, text: str) -> str:
        return hmac.digest(self._key, text.encode("utf-8", "surrogatepass"), "sha256").hex()

    def entry(self, id: str, text: str) -> str:
        """Of an entry as its writer made it, bound to the id of its record; JSON has no line breaks of its own."""
        return self._mac(f"entry\n{id}\n{text}")

    def chain(self, previous: str, sequence: int, mac: str) -> str:
        """Of a sealed entry, tying it to the one before it."""
        return self._mac(f"chain\n{previous}\n{sequence}\n{mac}")

    def head(self, sequence: int, chain: str) -> str:
        """Of the head: how many sealed entries there are, and the chain of the last."""
        return self._mac(f"head\n{sequence}\n{chain}")

    def fits(self, record: Record, stored: Stored) -> bool:
        """Whether an entry is as its writer made it, in the record that the writer put it into."""
        return same(self.entry(record.id, stored.text), stored.mac)


def same(one: str, other: str) -> bool:
    """Whether two MACs are equal, compared in constant time; *other* may be any text."""
    return hmac.compare_digest(one.encode(), other.encode("utf-8", "surrogatepass"))

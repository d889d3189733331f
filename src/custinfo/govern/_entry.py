"""One entry of the audit log and its stored form."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs

from custinfo.errors import StoreError

BODY = ("writer", "number", "previous", "at", "actor", "action", "outcome", "purpose", "entity", "subject", "detail")


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


def canonical(data: Mapping[str, Any]) -> bytes:
    """JSON with sorted keys and no spaces: the bytes that a MAC covers."""
    return json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def body_mac(key: bytes, stored: Mapping[str, Any]) -> str:
    """MAC of an entry as its writer made it, in hex: HMAC-SHA256 (RFC 2104)."""
    return hmac.new(key, b"entry" + canonical({name: stored[name] for name in BODY}), hashlib.sha256).hexdigest()


def chain_mac(key: bytes, previous: str, sequence: int, mac: str) -> str:
    """MAC that ties a sealed entry to the one before it, in hex."""
    return hmac.new(key, f"chain|{previous}|{sequence}|{mac}".encode(), hashlib.sha256).hexdigest()


def parse(data: bytes) -> dict[str, Any] | None:
    """The stored form of an entry, or None where it is none."""
    try:
        stored = json.loads(data)
    except (ValueError, RecursionError):
        return None
    fits = isinstance(stored, dict) and all(name in stored for name in (*BODY, "mac"))
    return stored if fits else None


def is_sealed(stored: Mapping[str, Any]) -> bool:
    """Whether a stored form has got its sequence."""
    return type(stored.get("sequence")) is int


def to_entry(stored: Mapping[str, Any]) -> AuditEntry:
    """The entry of a sealed stored form.

    Raises:
        StoreError: "audit.broken".
    """
    try:
        at = datetime.fromisoformat(stored["at"])
    except (TypeError, ValueError):
        raise StoreError("an entry of the audit log is broken; run verify()", code="audit.broken") from None
    return AuditEntry(
        sequence=stored["sequence"],
        at=at,
        actor=stored["actor"],
        action=stored["action"],
        outcome=stored["outcome"],
        purpose=stored["purpose"],
        entity=stored["entity"],
        subject=stored["subject"],
        detail=stored["detail"],
    )

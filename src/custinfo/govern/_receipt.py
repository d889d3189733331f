"""The receipt of an erasure."""

from __future__ import annotations

import json
from datetime import datetime

import attrs

from custinfo.errors import InvalidFieldError


@attrs.frozen(kw_only=True)
class ErasureReceipt:
    """What was erased, when, why, and when the last backup of the keys is gone.

    Args:
        subject: id that was asked for.
        members: ids of all customers erased with it: the survivor and everyone merged into it.
        reason: as given.
        at: when, UTC.
        final_at: when the last backup of the key store expires, or None where no key was involved.
        kids: ids of the keys destroyed by this call, in hex.
        former_states: history records deleted.
        files_purged: False where an open unit kept the store from clearing its files of what was replaced; call the
            store's ``purge()`` later, or erase again.

    >>> from datetime import UTC
    >>> receipt = ErasureReceipt(
    ...     subject="c1", members=("c1",), reason="asked for", at=datetime(2024, 5, 6, tzinfo=UTC), former_states=2
    ... )
    >>> ErasureReceipt.from_json(receipt.to_json()) == receipt
    True
    """

    subject: str
    members: tuple[str, ...]
    reason: str
    at: datetime
    final_at: datetime | None = None
    kids: tuple[str, ...] = ()
    former_states: int
    files_purged: bool = True

    def to_json(self) -> str:
        """The receipt as JSON; keep it, since the book does not."""
        times = {"at": self.at.isoformat(), "final_at": self.final_at.isoformat() if self.final_at else None}
        return json.dumps({**attrs.asdict(self), **times}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> ErasureReceipt:
        """The receipt of its JSON.

        Raises:
            InvalidFieldError: "receipt.json".
        """
        try:
            data = json.loads(text)
            final_at = data["final_at"]
            receipt = cls(
                **{
                    **data,
                    "members": tuple(map(str, data["members"])),
                    "kids": tuple(map(str, data["kids"])),
                    "at": datetime.fromisoformat(data["at"]),
                    "final_at": datetime.fromisoformat(final_at) if final_at else None,
                }
            )
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
            raise InvalidFieldError(
                "not the receipt of an erasure; pass what to_json() gave", code="receipt.json"
            ) from None
        return receipt

"""What a matcher answers: the matches of a record, the changes of its clusters."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np

from custinfo.dedupe._matcher_state import Moved

__all__ = ["Changes", "Match", "changes_of"]

Ints = np.ndarray[Any, np.dtype[np.int64]]


@attrs.frozen(kw_only=True)
class Match:
    """A record that is probably the same person's as the one asked about.

    Attributes:
        row: its row number.
        cluster: the cluster it is in: the row number of its oldest member.
        weight: match weight in bits.
        probability: that both are one person's, ``1 / (1 + 2**-weight)``.
    """

    row: int
    cluster: int
    weight: float
    probability: float


@attrs.frozen(kw_only=True, eq=False)
class Changes:
    """What adding or removing records changed.

    Attributes:
        labels: int64, cluster of each record that was added, in input order; of those removed, -1.
        created: ids of clusters that were not there before.
        grown: ids of clusters that were there and got new records.
        merged: (kept, gone) ids of clusters that became one; the smaller id is kept.
        moved: (former, present) ids where records left a cluster without its becoming one with the other: new evidence
            showed them to be somebody else's, or the oldest record of their cluster was removed.
    """

    labels: Ints
    created: tuple[int, ...]
    grown: tuple[int, ...]
    merged: tuple[tuple[int, int], ...]
    moved: tuple[tuple[int, int], ...]


def changes_of(label: Ints, moved: Moved, start: int, labels: Ints) -> Changes:
    """Changes out of the rows whose labels may have changed.

    Args:
        label: int64 (n,), labels of all rows now.
        moved: rows and their labels before.
        start: first of the rows that were added.
        labels: of the rows added or removed.
    """
    after = label[moved.rows]
    old = moved.before >= 0
    differ = old & (moved.before != after) & (after >= 0)
    steps = set(zip(moved.before[differ].tolist(), after[differ].tolist(), strict=True))
    merged = {(present, former) for former, present in steps if label[former] == present}
    heads = set(after[after >= 0].tolist())
    known = set(moved.before[old].tolist())
    fresh = moved.rows >= start
    return Changes(
        labels=labels,
        created=tuple(sorted(heads - known)),
        grown=tuple(sorted(set(after[fresh].tolist()) & known)),
        merged=tuple(sorted(merged)),
        moved=tuple(sorted((former, present) for former, present in steps if (present, former) not in merged)),
    )

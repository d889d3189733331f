"""The typed columns of the SQLite store: rows beside the records, and how they are read."""

from __future__ import annotations

from custinfo.store._protocol import Record
from custinfo.store._typed_columns import TYPED_KINDS, typed_columns, typed_row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any, Protocol

    import numpy as np

    class Reads(Protocol):
        """What reading needs of a connection."""

        def rows(self, sql: str, values: Sequence[object]) -> list[tuple[Any, ...]]: ...

        def chunks(self, sql: str, size: int) -> Iterator[list[tuple[Any, ...]]]: ...

    class Changes(Protocol):
        """Run a statement with each of some values; gives the number of changed rows."""

        def __call__(self, sql: str, values: Sequence[Sequence[object]], /) -> int: ...


HAS_GAP = "SELECT 1 FROM ci_column_gap WHERE kind = ? LIMIT 1"
ADD_GAP = "INSERT OR IGNORE INTO ci_column_gap(kind, id) VALUES(?, ?)"
DELETE_GAP = "DELETE FROM ci_column_gap WHERE kind = ? AND id = ?"

_ROWS = 1_000
_REPLACE = {
    kind: f"INSERT OR REPLACE INTO ci_{kind}({', '.join(column.name for column in typed_columns(kind))}) "
    f"VALUES({', '.join('?' for _ in typed_columns(kind))})"
    for kind in TYPED_KINDS
}
_DELETE = {kind: f"DELETE FROM ci_{kind} WHERE id = ?" for kind in TYPED_KINDS}  # noqa: S608 - own names


def store_rows(change_many: Changes, records: Sequence[Record], *, new: bool) -> None:
    """Keep the columns of stored records, or note that there are none.

    Args:
        change_many: of the connection.
        records: of any kinds; those without columns are left out.
        new: whether none of them was there before.
    """
    for kind in TYPED_KINDS:
        rows, gaps = [], []
        for record in records:
            if record.kind == kind:
                row = typed_row(record)
                if row is None:
                    gaps.append(record.id)
                else:
                    rows.append(row)
        if rows:
            change_many(_REPLACE[kind], rows)
            if not new:
                change_many(DELETE_GAP, [(kind, row[0]) for row in rows])
        if gaps:
            change_many(_DELETE[kind], [(id,) for id in gaps])
            change_many(ADD_GAP, [(kind, id) for id in gaps])


def delete_row(change_many: Changes, kind: str, id: str) -> None:
    """Forget the columns of a record that is deleted."""
    if kind in _DELETE:
        change_many(_DELETE[kind], [(id,)])
        change_many(DELETE_GAP, [(kind, id)])


def read_columns(link: Reads, kind: str, names: Sequence[str]) -> dict[str, np.ndarray]:
    """The columns of those names that are kept; see `SupportsColumns.columns`."""
    from custinfo.store._typed_arrays import arrays_of_rows  # NumPy: for who reads columns only

    wanted = [column for column in typed_columns(kind) if column.path in names]
    if not wanted or link.rows(HAS_GAP, (kind,)):
        return {}
    listed = ", ".join(column.name for column in wanted)
    return arrays_of_rows(wanted, link.chunks(f"SELECT {listed} FROM ci_{kind} ORDER BY id", _ROWS))  # noqa: S608 - own names
